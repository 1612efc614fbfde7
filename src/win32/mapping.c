/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mappings are the kernel's sections, under the kernel's names: any Win32 program meets us there. The kernel counts
 * the handles, so the name goes with the last of them however its process ends (L1), and views hold none (L2).
 */
#include "win32/mapping.h"

#include "win32/access.h"
#include "win32/error.h"
#include "win32/file.h"
#include "win32/name.h"
#include "win32/registry.h"
#include "win32/ticket.h"

/* Who is not the creator gets what views need, the size, and a look at the owner (trust). */
static const win32_rights mapping_rights_write = {SECTION_ALL_ACCESS, SECTION_QUERY | SECTION_MAP_READ | READ_CONTROL,
                                                  SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE | READ_CONTROL,
                                                  false};

/* A section made for reading gives nobody a writable view; so nobody may open it for writing either, and learns it
   from the open rather than from the view. */
static const win32_rights mapping_rights_read = {SECTION_ALL_ACCESS & ~(DWORD)SECTION_MAP_WRITE,
                                                 SECTION_QUERY | SECTION_MAP_READ | READ_CONTROL,
                                                 SECTION_QUERY | SECTION_MAP_READ | READ_CONTROL, false};

static DWORD section_rights(ist_access access)
{
    DWORD rights = SECTION_QUERY | SECTION_MAP_READ;

    return access == IST_WRITE ? rights | SECTION_MAP_WRITE : rights;
}

/* ---- size ---- */

static uint64_t whole_pages(uint64_t size)
{
    SYSTEM_INFO system;
    uint64_t rest = 0;

    GetSystemInfo(&system);
    rest = size % system.dwPageSize;
    return rest == 0 ? size : size + (system.dwPageSize - rest);
}

/* Without the right to ask (which is then not passed on either), a view of everything tells the size in whole pages. It
   has as many regions as its pages are in different states, all of one allocation. */
static uint64_t view_extent(const BYTE *base)
{
    MEMORY_BASIC_INFORMATION region;
    uint64_t extent = 0;

    while (VirtualQuery(base + extent, &region, sizeof region) != 0 && region.AllocationBase == (const void *)base)
        extent += region.RegionSize;
    return extent;
}

/* A section that may not be asked might be a file's: a flush in vain does no harm. */
static ist_status measure_by_view(HANDLE section, win32_section_facts *out, plat_error *error)
{
    void *base = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);

    if (base == NULL)
        return win32_error_take(error, "MapViewOfFile", WIN32_STEP_VIEW);
    out->size = view_extent(base);
    out->over_file = true;
    (void)UnmapViewOfFile(base);
    return IST_OK;
}

static ist_status section_measure(plat_mapping *mapping, plat_mapping_facts *facts, plat_error *error)
{
    win32_section_facts section = {0, false};
    ist_status status = IST_OK;

    if (!win32_section_query(mapping->section, &section)) {
        mapping->rights &= ~(DWORD)SECTION_QUERY;
        status = measure_by_view(mapping->section, &section, error);
    }
    if (status == IST_OK) {
        mapping->over_file = section.over_file;
        facts->size = section.over_file ? section.size : whole_pages(section.size);
        facts->access = (mapping->rights & SECTION_MAP_WRITE) != 0 ? IST_WRITE : IST_READ;
    }
    return status;
}

/* ---- joining ---- */

/* Opens with the right to ask for the size if that is to be had, else without. */
static ist_status section_open(const WCHAR *name, DWORD rights, plat_mapping *mapping, plat_error *error)
{
    ist_status status = IST_OK;

    mapping->rights = rights;
    mapping->section = OpenFileMappingW(rights, FALSE, name);
    if (mapping->section == NULL)
        status = win32_error_take(error, "OpenFileMappingW", WIN32_STEP_OPEN);
    if (status == IST_E_ACCESS) {
        mapping->rights = rights & ~(DWORD)SECTION_QUERY;
        mapping->section = OpenFileMappingW(mapping->rights, FALSE, name);
        status = mapping->section != NULL ? IST_OK : win32_error_take(error, "OpenFileMappingW", WIN32_STEP_OPEN);
    }
    return status;
}

static void section_drop(plat_mapping *mapping)
{
    if (mapping->section != NULL)
        (void)CloseHandle(mapping->section);
    mapping->section = NULL;
}

/* Opens what somebody holds. Without trust the owner has to be seen, which is a right of its own. */
static ist_status section_join(const WCHAR *name, ist_access access, bool trust_everyone, plat_mapping *mapping,
                               plat_mapping_facts *facts, plat_error *error)
{
    DWORD rights = section_rights(access) | (trust_everyone ? 0 : READ_CONTROL);
    ist_status status = section_open(name, rights, mapping, error);

    if (status == IST_OK && !trust_everyone)
        status = win32_owner_check(mapping->section, error);
    if (status == IST_OK)
        status = section_measure(mapping, facts, error);
    if (status != IST_OK)
        section_drop(mapping);
    return status;
}

/* ---- making ---- */

static HANDLE section_make_native(const WCHAR *name, const plat_mapping_request *request, HANDLE file,
                                  SECURITY_ATTRIBUTES *attributes)
{
    DWORD protection = request->access == IST_WRITE ? PAGE_READWRITE : PAGE_READONLY;

    if (request->path == NULL)
        protection |= (DWORD)(request->sparse ? SEC_RESERVE : SEC_COMMIT);
    return CreateFileMappingW(file != NULL ? file : INVALID_HANDLE_VALUE, attributes, protection,
                              (DWORD)(request->size >> 32), (DWORD)(request->size & UINT32_MAX), name);
}

static ist_status guard_for(const WCHAR *name, const plat_mapping_request *request, win32_guard *guard,
                            plat_error *error)
{
    return name != NULL
               ? win32_guard_named(guard, request->access == IST_WRITE ? &mapping_rights_write : &mapping_rights_read,
                                   request->audience, error)
               : win32_guard_unnamed(guard, error);
}

/* Makes the section over mapping->file. If somebody was faster, IST_EXISTED and no section: what the native create
   then hands out was opened with whatever rights it pleases, and is not what an open would have given. */
static ist_status section_make(const WCHAR *name, const plat_mapping_request *request, plat_mapping *mapping,
                               plat_error *error)
{
    win32_guard guard;
    DWORD code = 0;
    ist_status status = guard_for(name, request, &guard, error);

    if (status != IST_OK)
        return status;
    SetLastError(ERROR_SUCCESS);
    mapping->section = section_make_native(name, request, mapping->file, &guard.attributes);
    code = GetLastError();
    mapping->rights = section_rights(request->access);
    if (mapping->section == NULL)
        status = win32_error_put(error, "CreateFileMappingW", WIN32_STEP_CREATE, code);
    else if (code == ERROR_ALREADY_EXISTS)
        status = IST_EXISTED;
    if (status != IST_OK)
        section_drop(mapping);
    return status;
}

static void file_drop(plat_mapping *mapping)
{
    if (mapping->file != NULL)
        (void)CloseHandle(mapping->file);
    mapping->file = NULL;
}

/* The section and, if it is over a file, the file, which is kept only where something may have to be flushed. */
static ist_status object_make(const WCHAR *name, const plat_mapping_request *request, plat_mapping *mapping,
                              plat_mapping_facts *facts, plat_error *error)
{
    ist_status status = IST_OK;

    if (request->path != NULL)
        status = win32_file_open(request->path, request->access, request->size, &mapping->file, error);
    if (status == IST_OK)
        status = section_make(name, request, mapping, error);
    if (status == IST_OK)
        status = section_measure(mapping, facts, error);
    if (status < 0)
        section_drop(mapping);
    if (status != IST_OK || request->access != IST_WRITE)
        file_drop(mapping);
    return status;
}

/* What a create by name is about. */
typedef struct mapping_creation {
    const WCHAR *name;
    const plat_mapping_request *request;
    plat_mapping *mapping;
    plat_mapping_facts *facts;
} mapping_creation;

static ist_status creation_join(void *context, plat_error *error)
{
    mapping_creation *creation = context;

    return section_join(creation->name, creation->request->access, creation->request->trust_everyone, creation->mapping,
                        creation->facts, error);
}

static ist_status creation_make(void *context, plat_error *error)
{
    mapping_creation *creation = context;

    return object_make(creation->name, creation->request, creation->mapping, creation->facts, error);
}

/* ---- the contract ---- */

static ist_status mapping_take(plat_mapping **out, plat_error *error)
{
    *out = plat_memory_take(sizeof **out);
    return *out != NULL ? IST_OK : win32_error_refuse(error, IST_E_MEMORY, "memory for a handle");
}

/* Hands the mapping over, or takes its memory back. */
static ist_status mapping_settle(ist_status status, plat_mapping *mapping, plat_mapping **out)
{
    if (status >= 0)
        *out = mapping;
    else
        plat_memory_give(mapping);
    return status;
}

ist_status plat_mapping_create(const plat_name *name, const plat_mapping_request *request, plat_mapping **out,
                               plat_mapping_facts *facts, plat_error *error)
{
    win32_name wide;
    mapping_creation creation = {wide.text, request, NULL, facts};
    plat_mapping *mapping = NULL;
    ist_status status = mapping_take(&mapping, error);

    if (status != IST_OK)
        return status;
    if (name != NULL) {
        creation.mapping = mapping;
        win32_name_widen(name, &wide);
        status = win32_registry_create(creation_join, creation_make, &creation, error);
    } else {
        status = object_make(NULL, request, mapping, facts, error);
    }
    return mapping_settle(status, mapping, out);
}

ist_status plat_mapping_open(const plat_name *name, ist_access access, bool trust_everyone, plat_mapping **out,
                             plat_mapping_facts *facts, plat_error *error)
{
    win32_name wide;
    plat_mapping *mapping = NULL;
    ist_status status = mapping_take(&mapping, error);

    if (status != IST_OK)
        return status;
    win32_name_widen(name, &wide);
    status = section_join(wide.text, access, trust_everyone, mapping, facts, error);
    return mapping_settle(status, mapping, out);
}

ist_status plat_mapping_export(plat_mapping *mapping, uint64_t process_id, ist_access access, char *token,
                               plat_error *error)
{
    win32_ticket_wish wish = {mapping->section, WIN32_TICKET_MAPPING, access, 0};

    wish.rights = section_rights(access) & mapping->rights;
    return win32_ticket_issue(&wish, process_id, token, error);
}

/* The token is taken last: until then nothing is changed, and from then on nothing can fail. */
static ist_status section_redeem(const char *token, plat_mapping *mapping, plat_mapping_facts *facts, plat_error *error)
{
    win32_ticket ticket;
    ist_status status = win32_ticket_read(token, WIN32_TICKET_MAPPING, &ticket, error);

    if (status != IST_OK)
        return status;
    mapping->section = ticket.handle;
    mapping->rights = section_rights(ticket.access);
    status = section_measure(mapping, facts, error);
    return win32_ticket_settle(&ticket, status, error);
}

ist_status plat_mapping_import(const char *token, plat_mapping **out, plat_mapping_facts *facts, plat_error *error)
{
    plat_mapping *mapping = NULL;
    ist_status status = mapping_take(&mapping, error);

    return status == IST_OK ? mapping_settle(section_redeem(token, mapping, facts, error), mapping, out) : status;
}

void plat_mapping_close(plat_mapping *mapping)
{
    section_drop(mapping);
    file_drop(mapping);
    plat_memory_give(mapping);
}

void *plat_mapping_native(const plat_mapping *mapping)
{
    return mapping->section;
}
