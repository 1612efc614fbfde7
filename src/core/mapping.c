/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mappings and their views: every argument is checked here, so that both backends answer alike.
 * A handle owns its backend half; a view's record owns its backend view and nothing of the handle's, so the two may
 * go in any order (M8).
 */
#include <isthmus/mapping.h>
#include <isthmus/win32.h>

#include <string.h>

#include "core/detail.h"
#include "core/name.h"
#include "core/options.h"
#include "core/utf.h"

struct ist_mapping {
    plat_mapping *plat;
    plat_mapping_facts facts;
};

/* What ist_view.reserved points at. */
typedef struct view_record {
    plat_view plat;
} view_record;

/* ---- handles ---- */

/* Rounds up to the page as far as there is room: what cannot be had is for the backend to refuse, after it has looked
   whether the name exists (N5, N9). */
static uint64_t whole_pages(uint64_t size)
{
    uint64_t page = ist_page_size();
    uint64_t most = UINT64_MAX - (page - 1);

    return (size < most ? size + (page - 1) : UINT64_MAX) & ~(page - 1);
}

static ist_status check_options(uint64_t size, const ist_mapping_options *options)
{
    bool memory = options->path == NULL;

    if ((options->flags & ~IST_MAPPING_SPARSE) != 0)
        return detail_refuse(IST_E_ARG, "flags");
    if (options->access != 0 && options->access != IST_READ && options->access != IST_WRITE)
        return detail_refuse(IST_E_ARG, "access");
    if (memory && size == 0)
        return detail_refuse(IST_E_ARG, "size");
    if (memory && options->access == IST_READ)
        return detail_refuse(IST_E_ARG, "a handle for reading to new memory");
    if (!memory && (options->flags & IST_MAPPING_SPARSE) != 0)
        return detail_refuse(IST_E_ARG, "sparse over a file");
    if (!memory && (options->path[0] == '\0' || !utf8_valid(options->path)))
        return detail_refuse(IST_E_ARG, "path");
    return options_check_common(options->audience, options->trust);
}

static ist_status read_request(uint64_t size, const ist_mapping_options *options, plat_mapping_request *request)
{
    ist_mapping_options ours;
    ist_status status = options_copy(&ours, sizeof ours, sizeof ours, options);

    if (status == IST_OK)
        status = check_options(size, &ours);
    if (status == IST_OK) {
        request->path = ours.path;
        request->size = ours.path == NULL ? whole_pages(size) : size;
        request->sparse = (ours.flags & IST_MAPPING_SPARSE) != 0;
        request->access = ours.access == 0 ? IST_WRITE : ours.access;
        request->audience = ours.audience;
        request->trust_everyone = ours.trust == IST_TRUST_EVERYONE;
    }
    return status;
}

/* Takes memory for a handle before the backend is asked, so that success needs nothing more. */
static ist_status handle_take(ist_mapping **out)
{
    *out = plat_memory_take(sizeof **out);
    return *out != NULL ? IST_OK : detail_refuse(IST_E_MEMORY, "memory for a handle");
}

/* Gives the handle to the caller, or the memory back. */
static ist_status handle_settle(ist_status status, const plat_error *error, ist_mapping *handle, ist_mapping **out)
{
    if (status >= 0)
        *out = handle;
    else
        plat_memory_give(handle);
    return detail_from_backend(status, error);
}

ist_status ist_mapping_create(ist_mapping **out, const char *name, uint64_t size, const ist_mapping_options *options)
{
    plat_mapping_request request = {0, NULL, false, 0, IST_AUDIENCE_OWNER, false};
    plat_error error = {IST_CODES_NONE, 0, NULL, {0}};
    plat_name parsed;
    ist_mapping *handle = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    status = read_request(size, options, &request);
    if (status == IST_OK && name != NULL)
        status = name_parse(name, &parsed);
    if (status == IST_OK)
        status = handle_take(&handle);
    if (status != IST_OK)
        return status;
    status = plat_mapping_create(name != NULL ? &parsed : NULL, &request, &handle->plat, &handle->facts, &error);
    return handle_settle(status, &error, handle, out);
}

ist_status ist_mapping_open(ist_mapping **out, const char *name, ist_access access)
{
    plat_error error = {IST_CODES_NONE, 0, NULL, {0}};
    plat_name parsed;
    ist_access rights = 0;
    bool trust_everyone = false;
    ist_mapping *handle = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (name == NULL)
        return detail_refuse(IST_E_ARG, "name");
    status = options_split_access(access, &rights, &trust_everyone);
    if (status == IST_OK)
        status = name_parse(name, &parsed);
    if (status == IST_OK)
        status = handle_take(&handle);
    if (status != IST_OK)
        return status;
    status = plat_mapping_open(&parsed, rights, trust_everyone, &handle->plat, &handle->facts, &error);
    return handle_settle(status, &error, handle, out);
}

ist_status ist_mapping_import(ist_mapping **out, const char *token)
{
    plat_error error = {IST_CODES_NONE, 0, NULL, {0}};
    ist_mapping *handle = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (token == NULL || memchr(token, '\0', IST_TOKEN_SIZE) == NULL)
        return detail_refuse(IST_E_ARG, "token");
    status = handle_take(&handle);
    if (status != IST_OK)
        return status;
    status = plat_mapping_import(token, &handle->plat, &handle->facts, &error);
    return handle_settle(status, &error, handle, out);
}

ist_status ist_mapping_export(ist_mapping *mapping, uint64_t process_id, ist_access access, char token[IST_TOKEN_SIZE])
{
    plat_error error = {IST_CODES_NONE, 0, NULL, {0}};
    ist_status status = IST_OK;

    if (token == NULL)
        return detail_refuse(IST_E_ARG, "token");
    token[0] = '\0';
    if (mapping == NULL || process_id == 0)
        return detail_refuse(IST_E_ARG, "mapping and process_id");
    if (access != IST_READ && access != IST_WRITE)
        return detail_refuse(IST_E_ARG, "access");
    if (access == IST_WRITE && mapping->facts.access == IST_READ)
        return detail_refuse(IST_E_ACCESS, "a token for writing from a handle for reading");
    status = plat_mapping_export(mapping->plat, process_id, access, token, &error);
    if (status < 0)
        token[0] = '\0';
    return detail_from_backend(status, &error);
}

uint64_t ist_mapping_size(const ist_mapping *mapping)
{
    return mapping != NULL ? mapping->facts.size : 0;
}

void ist_mapping_close(ist_mapping *mapping)
{
    if (mapping != NULL) {
        plat_mapping_close(mapping->plat);
        plat_memory_give(mapping);
    }
}

void *ist_win32_mapping_handle(const ist_mapping *mapping)
{
    return mapping != NULL ? plat_mapping_native(mapping->plat) : NULL;
}

/* ---- views ---- */

/* Checks a view's place and tells its length (M4). */
static ist_status check_range(const ist_mapping *mapping, uint64_t offset, size_t length, size_t *out)
{
    uint64_t remains = 0;

    if (offset % IST_GRANULARITY != 0)
        return detail_refuse(IST_E_ARG, "offset is a multiple of IST_GRANULARITY");
    if (offset >= mapping->facts.size)
        return detail_refuse(IST_E_RANGE, "offset");
    remains = mapping->facts.size - offset;
    if (length > remains)
        return detail_refuse(IST_E_RANGE, "offset + length");
    if (length == 0 && remains > SIZE_MAX)
        return detail_refuse(IST_E_MEMORY, "the rest is larger than the address space");
    *out = length != 0 ? length : (size_t)remains;
    return IST_OK;
}

static ist_status check_view_access(const ist_mapping *mapping, ist_access access)
{
    return access == IST_WRITE && mapping->facts.access == IST_READ
               ? detail_refuse(IST_E_ACCESS, "a view for writing of a handle for reading")
               : IST_OK;
}

ist_status ist_mapping_view(ist_mapping *mapping, ist_access access, uint64_t offset, size_t length, ist_view *out)
{
    plat_error error = {IST_CODES_NONE, 0, NULL, {0}};
    view_record *record = NULL;
    size_t size = 0;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    memset(out, 0, sizeof *out);
    if (mapping == NULL || (access != IST_READ && access != IST_WRITE && access != IST_COPY))
        return detail_refuse(IST_E_ARG, "mapping and access");
    status = check_range(mapping, offset, length, &size);
    if (status == IST_OK)
        status = check_view_access(mapping, access);
    if (status != IST_OK)
        return status;
    record = plat_memory_take(sizeof *record);
    if (record == NULL)
        return detail_refuse(IST_E_MEMORY, "memory for a view");
    status = plat_view_map(mapping->plat, access, offset, size, &record->plat, &error);
    if (status < 0) {
        plat_memory_give(record);
    } else {
        out->data = record->plat.data;
        out->size = record->plat.size;
        out->reserved = record;
    }
    return detail_from_backend(status, &error);
}

static const view_record *record_of(const ist_view *view)
{
    return view != NULL ? view->reserved : NULL;
}

ist_status ist_view_flush(const ist_view *view)
{
    plat_error error = {IST_CODES_NONE, 0, NULL, {0}};
    const view_record *record = record_of(view);

    if (record == NULL)
        return detail_refuse(IST_E_ARG, "a mapped view");
    if (!record->plat.file || record->plat.access != IST_WRITE)
        return IST_OK;
    return detail_from_backend(plat_view_flush(&record->plat, &error), &error);
}

ist_status ist_view_commit(const ist_view *view, size_t offset, size_t length)
{
    plat_error error = {IST_CODES_NONE, 0, NULL, {0}};
    const view_record *record = record_of(view);
    size_t remains = 0;

    if (record == NULL)
        return detail_refuse(IST_E_ARG, "a mapped view");
    if (offset >= record->plat.size)
        return detail_refuse(IST_E_RANGE, "offset");
    remains = record->plat.size - offset;
    if (length > remains)
        return detail_refuse(IST_E_RANGE, "offset + length");
    if (record->plat.access != IST_WRITE)
        return detail_refuse(IST_E_ACCESS, "a view for writing");
    return detail_from_backend(plat_view_commit(&record->plat, offset, length != 0 ? length : remains, &error), &error);
}

void ist_view_unmap(ist_view *view)
{
    view_record *record = view != NULL ? view->reserved : NULL;

    if (record != NULL) {
        plat_view_unmap(&record->plat);
        plat_memory_give(record);
        memset(view, 0, sizeof *view);
    }
}
