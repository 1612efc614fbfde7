/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waitable timers. They never have a completion routine, which would end the timer with the thread that set it (T3),
 * and never wake a suspended system. Which sort a timer is the system tells nobody: a synchronization timer of ours
 * with a name has the mark in its list.
 */
#include "win32/access.h"
#include "win32/clock.h"
#include "win32/error.h"
#include "win32/object.h"

_Static_assert(TIMER_MODIFY_STATE == WIN32_STATE_MODIFY, "the right to change is the one bit for all kinds");

/* The published answer of NtQueryTimer. */
typedef struct timer_basic {
    LARGE_INTEGER remaining;
    BOOLEAN signalled;
} timer_basic;

static HANDLE timer_open(DWORD rights, const WCHAR *name)
{
    return OpenWaitableTimerW(rights, FALSE, name);
}

/* Wine asks the list whether the creator may have what it creates. A timer without a name, whose list admits nobody, it
   gets when it has been made: before that nobody can reach it. */
static HANDLE timer_make_first(const plat_object_request *request, SECURITY_ATTRIBUTES *attributes)
{
    HANDLE timer = CreateWaitableTimerW(NULL, request->manual_reset, NULL);
    DWORD code = 0;

    if (timer != NULL && !SetKernelObjectSecurity(timer, DACL_SECURITY_INFORMATION, attributes->lpSecurityDescriptor)) {
        code = GetLastError();
        (void)CloseHandle(timer);
        SetLastError(code);
        timer = NULL;
    }
    return timer;
}

static HANDLE timer_make(const WCHAR *name, const plat_object_request *request, SECURITY_ATTRIBUTES *attributes)
{
    HANDLE timer = CreateWaitableTimerW(attributes, request->manual_reset, name);

    if (timer == NULL && name == NULL && GetLastError() == ERROR_ACCESS_DENIED)
        timer = timer_make_first(request, attributes);
    return timer;
}

static ist_status timer_query(HANDLE handle, plat_object_state *out, plat_error *error)
{
    timer_basic basic = {{{0, 0}}, FALSE};
    ist_status status = win32_object_ask(handle, WIN32_QUERY_TIMER, &basic, sizeof basic, error);

    if (status == IST_OK)
        out->count = basic.signalled != FALSE;
    return status;
}

const win32_kind win32_timer_kind = {
    .ticket = WIN32_TICKET_TIMER,
    .all = TIMER_ALL_ACCESS,
    .modify = WIN32_STATE_MODIFY,
    .takes = win32_list_marked,
    .marks = true,
    .open_call = "OpenWaitableTimerW",
    .make_call = "CreateWaitableTimerW",
    .open = timer_open,
    .make = timer_make,
    .query = timer_query,
    .signal = NULL,
};

/* ---- due times ---- */

#define NS_PER_UNIT 100

/* 1970 in the system's count, which begins in 1601. */
#define UNITS_TO_1970 116444736000000000

/* Whole units, rounded up: towards later for times before 1970 too. */
static int64_t units_up(int64_t ns)
{
    return ns / NS_PER_UNIT + (ns % NS_PER_UNIT > 0);
}

/* The system takes what is above 0 for a time of day and what is below for a time from now on. No int64_t of
   nanoseconds reaches back to 1601. "At once" is a time long past, since a time from now on would wait for the next
   tick. */
static LARGE_INTEGER timer_due(bool absolute, int64_t due_ns)
{
    LARGE_INTEGER due;

    if (absolute)
        due.QuadPart = UNITS_TO_1970 + units_up(due_ns);
    else if (due_ns == 0)
        due.QuadPart = 1;
    else
        due.QuadPart = -(units_up(due_ns) + units_up((int64_t)win32_clock_lag()));
    return due;
}

ist_status plat_timer_set(plat_object *timer, bool absolute, int64_t due_ns, uint32_t period_ms, plat_error *error)
{
    LARGE_INTEGER due = timer_due(absolute, due_ns);
    ist_status status = win32_object_changes(timer, error);

    if (status == IST_OK && !SetWaitableTimer(timer->handle, &due, (LONG)period_ms, NULL, NULL, FALSE))
        status = win32_error_take(error, "SetWaitableTimer", WIN32_STEP_HANDLE);
    return status;
}

ist_status plat_timer_cancel(plat_object *timer, plat_error *error)
{
    ist_status status = win32_object_changes(timer, error);

    if (status == IST_OK && !CancelWaitableTimer(timer->handle))
        status = win32_error_take(error, "CancelWaitableTimer", WIN32_STEP_HANDLE);
    return status;
}

/* The kernel's timers go by the kernel's clock. */
bool plat_seam_utc(const volatile int64_t *offset_ns)
{
    (void)offset_ns;
    return false;
}
