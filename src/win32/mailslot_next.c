/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The reader keeps one read pending, into memory of its own: the next message is in this handle as soon as somebody has
 * asked for it, however it was asked. A message too large for that memory stays in the slot until there is room for it,
 * which the system tells. One message comes at a time, so the order is kept; the gate lets one thread at it.
 *
 * Wine's reads of an empty slot block the thread, overlapped or not. A read that is to end after a millisecond finds
 * that out once; from then on an empty slot is not read there, but asked again every few milliseconds.
 */
#include "win32/error.h"
#include "win32/mailslot.h"

/* The room that a reader begins with, in bytes: nothing needs to be taken twice up to here. */
#define ROOM_FIRST 65536

/* How long the read lasts that finds out, and how long it is until an empty slot is asked again where reads block: at
   first, and at most. */
#define TRIAL_MS 1
#define AGAIN_FIRST_MS 1
#define AGAIN_MAX_MS 16

#define UNITS_PER_MS 10000 /* of 100 ns */

/* ---- the pending read ---- */

static ist_status room_take(plat_mailslot *slot, DWORD bytes, plat_error *error)
{
    char *room = plat_memory_take(bytes);

    if (room == NULL)
        return win32_error_refuse(error, IST_E_MEMORY, "memory for a message");
    plat_memory_give(slot->message);
    slot->message = room;
    slot->room = bytes;
    return IST_OK;
}

/* Tells whether the slot is empty, and makes room for the next message if not: Windows would say that it is too large,
   and Wine cuts it. Inside the gate. */
static ist_status room_check(plat_mailslot *slot, bool *empty, plat_error *error)
{
    DWORD next = MAILSLOT_NO_MESSAGE;

    if (!GetMailslotInfo(slot->handle, NULL, &next, NULL, NULL))
        return win32_error_take(error, "GetMailslotInfo", WIN32_STEP_HANDLE);
    *empty = next == MAILSLOT_NO_MESSAGE;
    return *empty || next <= slot->room ? IST_OK : room_take(slot, next, error);
}

static void message_keep(plat_mailslot *slot, DWORD bytes)
{
    slot->kept = true;
    slot->size = bytes;
    slot->again_ms = 0;
}

/* Begins a read. ERROR_SUCCESS: the message is kept. */
static DWORD watch_begin(plat_mailslot *slot)
{
    DWORD code = ERROR_SUCCESS;
    DWORD bytes = 0;

    if (!ReadFile(slot->handle, slot->message, slot->room, NULL, win32_watch_begin(&slot->watch, &slot->object)))
        code = GetLastError();
    win32_watch_begun(&slot->watch, &slot->object, code);
    if (code == ERROR_SUCCESS)
        code = win32_watch_settle(&slot->watch, &slot->object, slot->handle, &bytes);
    if (code == ERROR_SUCCESS)
        message_keep(slot, bytes);
    return code;
}

static DWORD watch_continue(plat_mailslot *slot)
{
    DWORD bytes = 0;
    DWORD code = win32_watch_settle(&slot->watch, &slot->object, slot->handle, &bytes);

    if (code == ERROR_SUCCESS)
        message_keep(slot, bytes);
    return code == ERROR_OPERATION_ABORTED ? watch_begin(slot) : code;
}

void win32_mailslot_unwatch(plat_mailslot *slot)
{
    DWORD bytes = 0;

    if (slot->watch.pending && win32_watch_stop(&slot->watch, &slot->object, slot->handle, &bytes) == ERROR_SUCCESS)
        message_keep(slot, bytes);
}

/* ---- where reads block ---- */

typedef enum reads_are { READS_UNKNOWN, READS_PENDING, READS_BLOCKING } reads_are;

/* Any thread may write what every thread finds. */
static volatile LONG reads_known = READS_UNKNOWN;

static void reads_try(plat_mailslot *slot)
{
    DWORD code = ERROR_SUCCESS;
    bool pending = false;

    (void)SetMailslotInfo(slot->handle, TRIAL_MS);
    code = watch_begin(slot);
    pending = slot->watch.pending;
    win32_mailslot_unwatch(slot);
    (void)SetMailslotInfo(slot->handle, MAILSLOT_WAIT_FOREVER);
    if (pending)
        (void)InterlockedExchange(&reads_known, READS_PENDING);
    else if (code == ERROR_SEM_TIMEOUT)
        (void)InterlockedExchange(&reads_known, READS_BLOCKING);
}

static void CALLBACK again_run(PTP_CALLBACK_INSTANCE instance, void *context, PTP_TIMER timer)
{
    plat_mailslot *slot = context;

    (void)instance;
    (void)timer;
    (void)SetEvent(slot->object.handle);
}

/* The event says when to ask again. */
static ist_status again_set(plat_mailslot *slot, plat_error *error)
{
    ULARGE_INTEGER due;
    FILETIME time;

    if (slot->again == NULL)
        slot->again = CreateThreadpoolTimer(again_run, slot, NULL);
    if (slot->again == NULL)
        return win32_error_take(error, "CreateThreadpoolTimer", WIN32_STEP_HANDLE);
    slot->again_ms = slot->again_ms == 0 ? AGAIN_FIRST_MS : slot->again_ms * 2;
    if (slot->again_ms > AGAIN_MAX_MS)
        slot->again_ms = AGAIN_MAX_MS;
    due.QuadPart = (ULONGLONG)0 - (ULONGLONG)slot->again_ms * UNITS_PER_MS;
    time.dwLowDateTime = due.LowPart;
    time.dwHighDateTime = due.HighPart;
    (void)ResetEvent(slot->object.handle);
    SetThreadpoolTimer(slot->again, &time, 0, 0);
    return IST_TIMEOUT;
}

void win32_mailslot_stop(plat_mailslot *slot)
{
    win32_mailslot_unwatch(slot);
    if (slot->again != NULL) {
        SetThreadpoolTimer(slot->again, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(slot->again, TRUE);
        CloseThreadpoolTimer(slot->again);
    }
    slot->again = NULL;
}

/* ---- the next message ---- */

static ist_status watch_status(DWORD code, plat_error *error)
{
    if (code == ERROR_SUCCESS || code == ERROR_INSUFFICIENT_BUFFER)
        return IST_OK;
    return code == ERROR_IO_PENDING ? IST_TIMEOUT : win32_error_put(error, "ReadFile", WIN32_STEP_HANDLE, code);
}

/* One step; IST_OK: look at what is kept, and take the next. */
static ist_status message_ask(plat_mailslot *slot, plat_error *error)
{
    reads_are reads = (reads_are)InterlockedCompareExchange(&reads_known, READS_UNKNOWN, READS_UNKNOWN);
    bool empty = false;
    ist_status status = IST_OK;

    if (slot->watch.pending)
        return watch_status(watch_continue(slot), error);
    status = room_check(slot, &empty, error);
    if (status == IST_OK && empty && reads == READS_UNKNOWN)
        reads_try(slot);
    else if (status == IST_OK && empty && reads == READS_BLOCKING)
        status = again_set(slot, error);
    else if (status == IST_OK)
        status = watch_status(watch_begin(slot), error);
    return status;
}

ist_status win32_mailslot_look(plat_mailslot *slot, plat_error *error)
{
    ist_status status = slot->room == 0 ? room_take(slot, ROOM_FIRST, error) : IST_OK;

    while (status == IST_OK && !slot->kept)
        status = message_ask(slot, error);
    return status;
}
