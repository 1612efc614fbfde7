/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mapping handles.
 */
#include "posix/mapping.h"

#include <string.h>

#include "posix/error.h"
#include "posix/file.h"
#include "posix/gate.h"
#include "posix/ticket.h"

static bool is_file(const plat_mapping *mapping)
{
    return (mapping->entry.header.flags & SEGMENT_FILE) != 0;
}

static ist_status take(plat_mapping **out, plat_error *error)
{
    *out = plat_memory_take(sizeof **out);
    if (*out == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for a mapping", "%s", "");
    (*out)->file = DESCRIPTOR_NONE;
    (*out)->entry.hold = DESCRIPTOR_NONE;
    (*out)->entry.access = DESCRIPTOR_NONE;
    return IST_OK;
}

static void let_go(plat_mapping *mapping)
{
    registry_close(&mapping->entry);
    descriptor_close(&mapping->file);
    plat_memory_give(mapping);
}

/* What every way to a handle ends with: the file behind it, if there is one and it is not open yet; and out by the
   same door as everybody if that fails. */
static ist_status settle(ist_status status, plat_mapping *made, ist_access access, plat_mapping **out,
                         plat_mapping_facts *facts, plat_error *error)
{
    if (status >= 0 && is_file(made) && made->file.fd < 0) {
        ist_status reopened = file_reopen(&made->entry, access, &made->file, error);

        status = reopened == IST_OK ? status : reopened;
    }
    if (status < 0) {
        let_go(made);
        return status;
    }
    *facts = (plat_mapping_facts){made->entry.header.size, access};
    *out = made;
    return status;
}

static ist_status create_memory(plat_mapping *made, const plat_name *name, const registry_want *want,
                                const plat_mapping_request *request, plat_error *error)
{
    const registry_plan plan = {
        .size = request->size, .flags = request->sparse ? SEGMENT_SPARSE : 0, .audience = request->audience};

    return registry_create(&made->entry, name, want, &plan, error);
}

/* The name is looked at first: if it is there the file is not (N5). */
static ist_status create_over_file(plat_mapping *made, const plat_name *name, const registry_want *want,
                                   const plat_mapping_request *request, plat_error *error)
{
    char path[SEGMENT_PATH_SIZE];
    registry_plan plan = {.flags = SEGMENT_FILE | (request->access == IST_READ ? SEGMENT_READ_ONLY : 0),
                          .audience = request->audience,
                          .content = {path, NULL}};
    ist_status status = name != NULL ? registry_open(&made->entry, name, want, error) : IST_E_NOT_FOUND;

    if (status != IST_E_NOT_FOUND)
        return status == IST_OK ? IST_EXISTED : status;
    status = file_open(request, &made->file, path, &plan.size, error);
    if (status != IST_OK)
        return status;
    plan.file_device = (uint64_t)made->file.device;
    plan.file_inode = (uint64_t)made->file.inode;
    status = registry_create(&made->entry, name, want, &plan, error);
    if (status == IST_EXISTED)
        descriptor_close(&made->file);
    return status;
}

ist_status plat_mapping_create(const plat_name *name, const plat_mapping_request *request, plat_mapping **out,
                               plat_mapping_facts *facts, plat_error *error)
{
    const registry_want want = {SEGMENT_MAPPING, request->access, request->trust_everyone, 0, true};
    plat_mapping *made = NULL;
    ist_status status = take(&made, error);
    int entered = 0;

    if (status != IST_OK)
        return status;
    entered = gate_enter();
    status = request->path == NULL ? create_memory(made, name, &want, request, error)
                                   : create_over_file(made, name, &want, request, error);
    status = settle(status, made, request->access, out, facts, error);
    gate_leave(entered);
    return status;
}

ist_status plat_mapping_open(const plat_name *name, ist_access access, bool trust_everyone, plat_mapping **out,
                             plat_mapping_facts *facts, plat_error *error)
{
    const registry_want want = {SEGMENT_MAPPING, access, trust_everyone, 0, false};
    plat_mapping *made = NULL;
    ist_status status = take(&made, error);
    int entered = 0;

    if (status != IST_OK)
        return status;
    entered = gate_enter();
    status = settle(registry_open(&made->entry, name, &want, error), made, access, out, facts, error);
    gate_leave(entered);
    return status;
}

ist_status plat_mapping_export(plat_mapping *mapping, uint64_t process_id, ist_access access, char *token,
                               plat_error *error)
{
    int entered = gate_enter();
    ist_status status = ticket_issue(&mapping->entry, NULL, process_id, access, token, error);

    gate_leave(entered);
    return status;
}

ist_status plat_mapping_import(const char *token, plat_mapping **out, plat_mapping_facts *facts, plat_error *error)
{
    plat_mapping *made = NULL;
    ist_access access = IST_READ;
    ist_status status = take(&made, error);
    int entered = 0;

    if (status != IST_OK)
        return status;
    entered = gate_enter();
    status = registry_import(&made->entry, token, SEGMENT_MAPPING, &access, error);
    status = settle(status, made, access, out, facts, error);
    gate_leave(entered);
    return status;
}

void plat_mapping_close(plat_mapping *mapping)
{
    int entered = gate_enter();

    let_go(mapping);
    gate_leave(entered);
}

void *plat_mapping_native(const plat_mapping *mapping)
{
    (void)mapping;
    return NULL;
}
