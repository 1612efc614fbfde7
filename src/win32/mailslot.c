/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots: handles, writing and reading.
 */
#include "win32/mailslot.h"

#include <string.h>

#include "win32/access.h"
#include "win32/error.h"
#include "win32/sign.h"

#define MAILSLOT_PREFIX L"\\\\.\\mailslot\\"

/* ---- life ---- */

static ist_status slot_arm(plat_object *object, bool *ready, plat_error *error)
{
    plat_mailslot *slot = (plat_mailslot *)object;
    ist_status status = IST_TIMEOUT;

    AcquireSRWLockExclusive(&slot->gate);
    if (slot->handle != NULL)
        status = win32_mailslot_look(slot, error);
    *ready = status == IST_OK;
    if (*ready)
        (void)SetEvent(object->handle);
    else if (slot->handle == NULL)
        (void)ResetEvent(object->handle);
    ReleaseSRWLockExclusive(&slot->gate);
    return status == IST_TIMEOUT ? IST_OK : status;
}

static const win32_channel_face slot_face = {slot_arm};

static ist_status slot_take(bool reader, plat_mailslot **out, plat_error *error)
{
    plat_mailslot *slot = plat_memory_take(sizeof *slot);
    ist_status status = IST_OK;

    *out = NULL;
    if (slot == NULL)
        return win32_error_refuse(error, IST_E_MEMORY, "memory for a handle");
    InitializeSRWLock(&slot->gate);
    InitializeSRWLock(&slot->calls.lock);
    slot->reader = reader;
    status = win32_channel_begin(&slot->object, &slot_face, error);
    if (status == IST_OK)
        *out = slot;
    else
        plat_memory_give(slot);
    return status;
}

static ist_status slot_settle(ist_status status, plat_mailslot *slot, plat_mailslot **out)
{
    if (status == IST_OK)
        *out = slot;
    else
        plat_mailslot_close(slot);
    return status;
}

void plat_mailslot_close(plat_mailslot *slot)
{
    AcquireSRWLockExclusive(&slot->gate);
    win32_mailslot_stop(slot);
    if (slot->sign != NULL)
        win32_sign_end(slot->sign);
    if (slot->handle != NULL)
        (void)CloseHandle(slot->handle);
    slot->handle = NULL;
    plat_memory_give(slot->message);
    slot->message = NULL;
    ReleaseSRWLockExclusive(&slot->gate);
    win32_calls_end(&slot->calls);
    win32_object_let_go(&slot->object);
}

ist_status plat_mailslot_create(const plat_channel_name *name, const plat_mailslot_request *request,
                                plat_mailslot **out, plat_error *error)
{
    const win32_rights rights = {FILE_ALL_ACCESS, FILE_GENERIC_WRITE, FILE_GENERIC_WRITE, false};
    WCHAR wide[WIN32_CHANNEL_NAME_UNITS];
    win32_guard guard;
    plat_mailslot *slot = NULL;
    ist_status status = IST_OK;

    if (request->message_max > request->capacity_bytes)
        return win32_error_refuse(error, IST_E_ARG, "a capacity for the largest message");
    status = slot_take(true, &slot, error);
    if (status != IST_OK)
        return status;
    win32_channel_name_widen(MAILSLOT_PREFIX, name, wide);
    slot->message_max = request->message_max;
    status = win32_guard_named(&guard, &rights, request->audience, error);
    if (status == IST_OK) {
        slot->handle = CreateMailslotW(wide, request->message_max, MAILSLOT_WAIT_FOREVER, &guard.attributes);
        if (slot->handle == INVALID_HANDLE_VALUE) {
            status = win32_error_take(error, "CreateMailslotW", WIN32_STEP_CREATE);
            slot->handle = NULL;
        }
    }
    if (status == IST_OK)
        slot->sign = win32_mailslot_sign(name);
    return slot_settle(status, slot, out);
}

/* Asks for less than a native writer, which a list may grant alone. */
ist_status plat_mailslot_open(const plat_channel_name *name, bool trust_everyone, plat_mailslot **out,
                              plat_error *error)
{
    const DWORD rights = FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE | (trust_everyone ? 0 : READ_CONTROL);
    WCHAR wide[WIN32_CHANNEL_NAME_UNITS];
    plat_mailslot *slot = NULL;
    ist_status status = slot_take(false, &slot, error);

    if (status != IST_OK)
        return status;
    win32_channel_name_widen(MAILSLOT_PREFIX, name, wide);
    slot->handle = CreateFileW(wide, rights, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                               FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    if (slot->handle == INVALID_HANDLE_VALUE) {
        status = win32_error_take(error, "CreateFileW", WIN32_STEP_OPEN);
        slot->handle = NULL;
    }
    if (status == IST_OK && !trust_everyone)
        status = win32_mailslot_owner_check(slot->handle, name, error);
    return slot_settle(status, slot, out);
}

/* ---- writing ---- */

/* What the system says of a message above the maximum and of a slot whose reader has gone is not written down: these
   are the codes that mean nothing else here. */
static ist_status write_status(DWORD code, plat_error *error)
{
    ist_status status = win32_error_put(error, "WriteFile", WIN32_STEP_COMMIT, code);

    switch (code) {
    case ERROR_INVALID_PARAMETER:
    case ERROR_INSUFFICIENT_BUFFER:
    case ERROR_MORE_DATA:
    case ERROR_INVALID_USER_BUFFER:
    case ERROR_BAD_LENGTH:
        status = IST_E_SIZE;
        break;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_HANDLE_EOF:
    case ERROR_DEV_NOT_EXIST:
    case ERROR_BAD_NETPATH:
    case ERROR_UNEXP_NET_ERR:
    case ERROR_VC_DISCONNECTED:
        status = IST_E_BROKEN;
        break;
    default:
        break;
    }
    return status;
}

/* Windows never lets it wait. Where it would, there is no room. */
ist_status plat_mailslot_write(plat_mailslot *slot, const void *data, size_t size, plat_error *error)
{
    win32_call call;
    DWORD code = ERROR_SUCCESS;
    DWORD bytes = 0;
    ist_status status = win32_call_begin(&call, &slot->calls, 0, error);

    if (status != IST_OK)
        return status;
    if (!WriteFile(slot->handle, data, (DWORD)size, NULL, win32_call_overlapped(&call)))
        code = GetLastError();
    status = win32_call_now(&call, slot->handle, code, "WriteFile", &bytes, error);
    win32_call_end(&call);
    if (status == IST_TIMEOUT)
        return win32_error_refuse(error, IST_E_SPACE, "room in the slot");
    return status != IST_OK ? write_status(error->code, error) : IST_OK;
}

/* ---- reading ---- */

/* Copies the message that is kept, and takes it. Inside the gate. */
static ist_status message_give(plat_mailslot *slot, void *buffer, size_t size, bool take, size_t *got,
                               plat_error *error)
{
    *got = slot->size;
    if (slot->size > size)
        return win32_error_refuse(error, IST_E_SIZE, "a buffer for the message");
    if (slot->size > 0)
        memcpy(buffer, slot->message, slot->size);
    slot->kept = slot->kept && !take;
    return IST_OK;
}

static ist_status message_try(plat_mailslot *slot, void *buffer, size_t size, bool take, size_t *got, plat_error *error)
{
    ist_status status = IST_OK;

    AcquireSRWLockExclusive(&slot->gate);
    status = win32_mailslot_look(slot, error);
    if (status == IST_OK)
        status = message_give(slot, buffer, size, take, got, error);
    ReleaseSRWLockExclusive(&slot->gate);
    return status;
}

ist_status plat_mailslot_read(plat_mailslot *slot, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                              plat_error *error)
{
    win32_call call;
    ist_status slept = IST_OK;
    ist_status status = win32_call_begin(&call, &slot->calls, timeout_ns, error);

    if (status != IST_OK)
        return status;
    do {
        status = message_try(slot, buffer, size, true, got, error);
        if (status == IST_TIMEOUT)
            slept = win32_call_sleep(&call, slot->object.handle, error);
    } while (status == IST_TIMEOUT && slept == IST_OK);
    win32_call_end(&call);
    return status == IST_TIMEOUT ? slept : status;
}

ist_status plat_mailslot_peek(plat_mailslot *slot, void *buffer, size_t size, size_t *got, plat_error *error)
{
    ist_status status = message_try(slot, buffer, size, false, got, error);

    return status == IST_TIMEOUT ? IST_EMPTY : status;
}

/* ---- facts ---- */

/* The one that is kept is the first. */
ist_status plat_mailslot_info(plat_mailslot *slot, ist_mailslot_facts *out, plat_error *error)
{
    DWORD next = MAILSLOT_NO_MESSAGE;
    DWORD waiting = 0;
    ist_status status = IST_OK;

    AcquireSRWLockExclusive(&slot->gate);
    win32_mailslot_unwatch(slot);
    if (!GetMailslotInfo(slot->handle, NULL, &next, &waiting, NULL))
        status = win32_error_take(error, "GetMailslotInfo", WIN32_STEP_HANDLE);
    out->message_max = slot->message_max;
    out->next_bytes = slot->kept ? slot->size : next != MAILSLOT_NO_MESSAGE ? next : IST_MAILSLOT_NONE;
    out->waiting = (uint64_t)waiting + (slot->kept ? 1 : 0);
    out->capacity_bytes = 0;
    ReleaseSRWLockExclusive(&slot->gate);
    return status;
}

void plat_mailslot_cancel(plat_mailslot *slot)
{
    win32_calls_cancel(&slot->calls);
}

void *plat_mailslot_native(const plat_mailslot *slot)
{
    return slot->handle;
}

plat_object *plat_mailslot_waitable(plat_mailslot *slot)
{
    return &slot->object;
}
