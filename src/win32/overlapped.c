/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A call sleeps for two events: that it is done, and that somebody cancels it. Whoever cancels only wakes; the sleeper
 * takes its own overlapped call back, so that no call but those that were blocked is touched.
 */
#include "win32/overlapped.h"

#include <string.h>

#include "win32/error.h"

/* ---- overlapped calls ---- */

/* The lowest bit of the handle, which the kernel ignores, keeps the completion from a port. */
void win32_overlapped_clear(OVERLAPPED *overlapped, HANDLE event)
{
    memset(overlapped, 0, sizeof *overlapped);
    overlapped->hEvent = (HANDLE)((ULONG_PTR)event | 1);
}

/* An event that somebody else sets as well says little: the result says it is over. */
void win32_overlapped_stop(OVERLAPPED *overlapped, HANDLE handle, HANDLE event)
{
    DWORD bytes = 0;

    (void)CancelIoEx(handle, overlapped);
    while (!GetOverlappedResult(handle, overlapped, &bytes, FALSE) && GetLastError() == ERROR_IO_INCOMPLETE)
        (void)WaitForSingleObject(event, INFINITE);
}

OVERLAPPED *win32_call_overlapped(win32_call *call)
{
    win32_overlapped_clear(&call->overlapped, call->done);
    return &call->overlapped;
}

/* ---- the calls of an end ---- */

static void events_close(HANDLE done, HANDLE wake)
{
    if (done != NULL)
        (void)CloseHandle(done);
    if (wake != NULL)
        (void)CloseHandle(wake);
}

/* Those that are left over, or new ones. */
static ist_status events_take(win32_call *call, plat_error *error)
{
    win32_calls *calls = call->calls;

    AcquireSRWLockExclusive(&calls->lock);
    call->done = calls->done;
    call->wake = calls->wake;
    calls->done = NULL;
    calls->wake = NULL;
    ReleaseSRWLockExclusive(&calls->lock);
    if (call->done == NULL)
        call->done = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (call->done != NULL && call->wake == NULL)
        call->wake = CreateEventW(NULL, TRUE, FALSE, NULL);
    return call->wake != NULL ? IST_OK : win32_error_take(error, "CreateEventW", WIN32_STEP_HANDLE);
}

static void call_enter(win32_call *call)
{
    win32_calls *calls = call->calls;

    AcquireSRWLockExclusive(&calls->lock);
    call->next = calls->first;
    if (call->next != NULL)
        call->next->previous = call;
    calls->first = call;
    ReleaseSRWLockExclusive(&calls->lock);
}

/* Leaves its events over, unless somebody has set one to wake it, or there are some. */
static void call_leave(win32_call *call)
{
    win32_calls *calls = call->calls;

    AcquireSRWLockExclusive(&calls->lock);
    if (call->next != NULL)
        call->next->previous = call->previous;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        calls->first = call->next;
    if (!call->woken && !call->nudged && calls->done == NULL) {
        calls->done = call->done;
        calls->wake = call->wake;
        call->done = NULL;
        call->wake = NULL;
    }
    ReleaseSRWLockExclusive(&calls->lock);
}

ist_status win32_call_begin(win32_call *call, win32_calls *calls, int64_t timeout_ns, plat_error *error)
{
    ist_status status = IST_OK;

    memset(call, 0, sizeof *call);
    call->deadline = win32_deadline_in(timeout_ns);
    call->calls = calls;
    status = events_take(call, error);
    if (status == IST_OK)
        call_enter(call);
    else
        events_close(call->done, call->wake);
    return status;
}

void win32_call_end(win32_call *call)
{
    call_leave(call);
    events_close(call->done, call->wake);
}

void win32_calls_end(win32_calls *calls)
{
    events_close(calls->done, calls->wake);
    calls->done = NULL;
    calls->wake = NULL;
}

void win32_calls_cancel(win32_calls *calls)
{
    win32_call *call = NULL;

    AcquireSRWLockExclusive(&calls->lock);
    for (call = calls->first; call != NULL; call = call->next) {
        call->woken = true;
        (void)SetEvent(call->wake);
    }
    ReleaseSRWLockExclusive(&calls->lock);
}

void win32_call_looks(win32_call *call)
{
    AcquireSRWLockExclusive(&call->calls->lock);
    call->looks = true;
    ReleaseSRWLockExclusive(&call->calls->lock);
}

void win32_calls_nudge(win32_calls *calls)
{
    win32_call *call = NULL;

    AcquireSRWLockExclusive(&calls->lock);
    for (call = calls->first; call != NULL; call = call->next)
        if (call->looks && !call->woken) {
            call->nudged = true;
            (void)SetEvent(call->wake);
        }
    ReleaseSRWLockExclusive(&calls->lock);
}

/* Takes the nudge, if that is what woke it. */
static bool nudge_take(win32_call *call)
{
    bool nudged = false;

    AcquireSRWLockExclusive(&call->calls->lock);
    nudged = call->nudged && !call->woken;
    if (nudged)
        (void)ResetEvent(call->wake);
    call->nudged = false;
    ReleaseSRWLockExclusive(&call->calls->lock);
    return nudged;
}

/* ---- sleeping ---- */

/* What is done goes before what is cancelled. */
ist_status win32_call_sleep(win32_call *call, HANDLE until, plat_error *error)
{
    HANDLE both[2] = {until, call->wake};
    DWORD answer = WAIT_TIMEOUT;
    ist_status status = IST_TIMEOUT;

    do
        answer = WaitForMultipleObjects(2, both, FALSE, win32_deadline_ms(&call->deadline));
    while (answer == WAIT_TIMEOUT && win32_deadline_left(&call->deadline) > 0);
    if (answer == WAIT_OBJECT_0)
        status = IST_OK;
    else if (answer == WAIT_OBJECT_0 + 1)
        status = IST_CANCELLED;
    else if (answer == WAIT_FAILED)
        status = win32_error_take(error, "WaitForMultipleObjects", WIN32_STEP_HANDLE);
    return status;
}

ist_status win32_call_look(win32_call *call, HANDLE until, plat_error *error)
{
    ist_status status = win32_call_sleep(call, until, error);

    return status == IST_CANCELLED && nudge_take(call) ? IST_OK : status;
}

/* The result of what is over; why it was taken back, if it was. ERROR_OPERATION_ABORTED without a reason of ours is
   somebody's CancelIoEx on the native handle. */
static ist_status call_result(win32_call *call, HANDLE handle, ist_status why, const char *name, DWORD *bytes,
                              plat_error *error)
{
    DWORD code = ERROR_SUCCESS;

    if (GetOverlappedResult(handle, &call->overlapped, bytes, FALSE))
        return IST_OK;
    code = GetLastError();
    if (code == ERROR_OPERATION_ABORTED)
        return why != IST_OK ? why : IST_CANCELLED;
    return win32_error_put(error, name, WIN32_STEP_COMMIT, code);
}

static bool is_begun(DWORD code)
{
    return code == ERROR_SUCCESS || code == ERROR_IO_PENDING || code == ERROR_MORE_DATA;
}

ist_status win32_call_finish(win32_call *call, HANDLE handle, DWORD code, const char *name, DWORD *bytes,
                             plat_error *error)
{
    ist_status why = IST_OK;

    *bytes = 0;
    if (!is_begun(code))
        return win32_error_put(error, name, WIN32_STEP_COMMIT, code);
    if (code == ERROR_IO_PENDING)
        why = win32_call_sleep(call, call->done, error);
    if (why != IST_OK)
        win32_overlapped_stop(&call->overlapped, handle, call->done);
    return call_result(call, handle, why, name, bytes, error);
}

ist_status win32_call_now(win32_call *call, HANDLE handle, DWORD code, const char *name, DWORD *bytes,
                          plat_error *error)
{
    *bytes = 0;
    if (!is_begun(code))
        return win32_error_put(error, name, WIN32_STEP_COMMIT, code);
    if (code == ERROR_IO_PENDING)
        win32_overlapped_stop(&call->overlapped, handle, call->done);
    return call_result(call, handle, IST_TIMEOUT, name, bytes, error);
}
