/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Handles of mutexes, semaphores, events and timers.
 */
#include "core/object.h"

#include <isthmus/win32.h>

#include <string.h>

#include "core/detail.h"
#include "core/name.h"
#include "core/options.h"

static const plat_error no_error = {IST_CODES_NONE, 0, NULL, {0}};

/* Takes memory for a handle before the backend is asked, so that success needs nothing more. */
static ist_status handle_take(ist_waitable **out, plat_kind kind)
{
    *out = plat_memory_take(sizeof **out);
    if (*out == NULL)
        return detail_refuse(IST_E_MEMORY, "memory for a handle");
    (*out)->kind = kind;
    return IST_OK;
}

/* Gives the handle to the caller, or the memory back. */
static ist_status handle_settle(ist_status status, const plat_error *error, ist_waitable *handle, ist_waitable **out)
{
    if (status >= 0)
        *out = handle;
    else
        plat_memory_give(handle);
    return detail_from_backend(status, error);
}

ist_status object_create(ist_waitable **out, const char *name, const plat_object_request *request)
{
    plat_error error = no_error;
    plat_name parsed;
    ist_waitable *handle = NULL;
    ist_status status = options_check_common(request->audience, IST_TRUST_OWNER);

    if (status == IST_OK && name != NULL)
        status = name_parse(name, &parsed);
    if (status == IST_OK)
        status = handle_take(&handle, request->kind);
    if (status != IST_OK)
        return status;
    status = plat_object_create(name != NULL ? &parsed : NULL, request, &handle->plat, &error);
    return handle_settle(status, &error, handle, out);
}

ist_status object_open(ist_waitable **out, const char *name, plat_kind kind, ist_access access)
{
    plat_error error = no_error;
    plat_name parsed;
    ist_access rights = 0;
    bool trust_everyone = false;
    ist_waitable *handle = NULL;
    ist_status status = IST_OK;

    if (name == NULL)
        return detail_refuse(IST_E_ARG, "name");
    status = options_split_access(access, &rights, &trust_everyone);
    if (status == IST_OK)
        status = name_parse(name, &parsed);
    if (status == IST_OK)
        status = handle_take(&handle, kind);
    if (status != IST_OK)
        return status;
    status = plat_object_open(&parsed, kind, rights, trust_everyone, &handle->plat, &error);
    return handle_settle(status, &error, handle, out);
}

ist_status object_export(ist_waitable *object, uint64_t process_id, ist_access access, char *token)
{
    plat_error error = no_error;
    ist_status status = IST_OK;

    if (token == NULL)
        return detail_refuse(IST_E_ARG, "token");
    token[0] = '\0';
    if (object == NULL || process_id == 0)
        return detail_refuse(IST_E_ARG, "handle and process_id");
    if (access != IST_READ && access != IST_WRITE)
        return detail_refuse(IST_E_ARG, "access");
    status = plat_object_export(object->plat, process_id, access, token, &error);
    if (status < 0)
        token[0] = '\0';
    return detail_from_backend(status, &error);
}

ist_status object_import(ist_waitable **out, const char *token, plat_kind kind)
{
    plat_error error = no_error;
    ist_waitable *handle = NULL;
    ist_status status = IST_OK;

    if (token == NULL || memchr(token, '\0', IST_TOKEN_SIZE) == NULL)
        return detail_refuse(IST_E_ARG, "token");
    status = handle_take(&handle, kind);
    if (status != IST_OK)
        return status;
    status = plat_object_import(token, kind, &handle->plat, &error);
    return handle_settle(status, &error, handle, out);
}

void object_close(ist_waitable *object)
{
    if (object != NULL) {
        plat_object_close(object->plat);
        plat_memory_give(object);
    }
}

ist_status object_check_answer(const void *theirs)
{
    uint32_t size = 0;

    if (theirs == NULL)
        return detail_refuse(IST_E_ARG, "out");
    memcpy(&size, theirs, sizeof size);
    return size >= sizeof size ? IST_OK : detail_refuse(IST_E_ARG, "struct_size");
}

ist_status object_query(const ist_waitable *object, const void *theirs, plat_object_state *out)
{
    plat_error error = no_error;
    ist_status status = IST_OK;

    if (object == NULL)
        return detail_refuse(IST_E_ARG, "handle");
    status = object_check_answer(theirs);
    if (status != IST_OK)
        return status;
    memset(out, 0, sizeof *out);
    return detail_from_backend(plat_object_query(object->plat, out, &error), &error);
}

void object_answer(void *theirs, void *ours, size_t known)
{
    uint32_t size = 0;

    memcpy(&size, theirs, sizeof size);
    memcpy(ours, &size, sizeof size);
    memcpy(theirs, ours, size < known ? size : known);
}

/* ---- Windows ---- */

void *ist_win32_waitable_handle(const ist_waitable *item)
{
    return item != NULL ? plat_object_native(item->plat) : NULL;
}

ist_status ist_win32_waitable_wrap(ist_waitable **out, void *handle)
{
    plat_error error = no_error;
    ist_waitable *item = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (handle == NULL)
        return detail_refuse(IST_E_ARG, "handle");
    status = handle_take(&item, PLAT_FOREIGN);
    if (status != IST_OK)
        return status;
    return handle_settle(plat_object_wrap(handle, &item->plat, &error), &error, item, out);
}

void ist_win32_waitable_unwrap(ist_waitable *item)
{
    object_close(item);
}
