/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waits are the kernel's, and one wait is one native wait: only while a thread is blocked in the kernel is it certain
 * to be released by a set that a reset follows (E1), and does it keep an object whose handles are all closed meanwhile
 * (L5). So a timeout is chosen such that the kernel does not end it early (clock.c), and what comes after is for what
 * should not happen:
 *
 *   - it was early all the same. The rest, below a tick, is waited for with handles of our own; an object that has been
 *     closed by then cannot be waited for again, and the rest is slept out;
 *   - the timeout is longer than the native call can say, 49 days. Such a wait has handles of its own from the
 *     beginning: it holds the names of its objects.
 *
 * The handles of others are given to the kernel once, at the beginning. Later their numbers may be anything.
 *
 * A pipe or mailslot is armed before each native wait and asked again after it: somebody else may have read what woke
 * us. Then there is another native wait; their handles stay while they are held.
 */
#include "win32/deadline.h"
#include "win32/error.h"
#include "win32/object.h"

_Static_assert(IST_WAIT_MAX == MAXIMUM_WAIT_OBJECTS, "the kernel takes as many as we do");

#define NS_PER_MS 1000000u

typedef struct wait_set {
    plat_object *items[IST_WAIT_MAX]; /* held */
    HANDLE handles[IST_WAIT_MAX];     /* theirs, or duplicates */
    DWORD count;
    bool all;
    bool own; /* the handles are duplicates */
} wait_set;

/* ---- what is waited for ---- */

/* Copies everything that the request points at: a close of the objects frees it while the wait goes on. */
static ist_status set_take(wait_set *set, const plat_wait_request *request, plat_error *error)
{
    ist_status status = IST_OK;
    DWORD at = 0;

    set->count = (DWORD)request->count;
    set->all = request->all;
    set->own = false;
    for (at = 0; at < set->count; ++at) {
        set->items[at] = request->items[at];
        set->handles[at] = request->items[at]->handle;
        win32_object_hold(set->items[at]);
        if ((set->items[at]->rights & SYNCHRONIZE) == 0)
            status = win32_error_refuse(error, IST_E_ACCESS, "a handle that may wait");
    }
    return status;
}

static void set_close(wait_set *set, DWORD count)
{
    DWORD at = 0;

    for (at = 0; at < count; ++at)
        (void)CloseHandle(set->handles[at]);
    set->own = false;
}

/* Gets handles of its own, unless it has them. When it cannot, the set is for no further wait. */
static ist_status set_own(wait_set *set, plat_error *error)
{
    ist_status status = IST_OK;
    DWORD at = 0;

    if (set->own)
        return IST_OK;
    while (at < set->count && status == IST_OK) {
        status = win32_object_duplicate(set->items[at], &set->handles[at], error);
        if (status == IST_OK)
            ++at;
    }
    if (status == IST_OK)
        set->own = true;
    else
        set_close(set, at);
    return status;
}

static void set_drop(wait_set *set)
{
    DWORD at = 0;

    if (set->own)
        set_close(set, set->count);
    for (at = 0; at < set->count; ++at)
        win32_object_let_go(set->items[at]);
}

/* ---- the same object twice ---- */

/* Asks the kernel for what it has to refuse. */
static bool kernel_refuses_twins(void)
{
    HANDLE self = GetCurrentProcess();
    HANDLE both[2] = {CreateEventW(NULL, TRUE, FALSE, NULL), NULL};
    bool refused = false;

    if (both[0] != NULL && DuplicateHandle(self, both[0], self, &both[1], SYNCHRONIZE, FALSE, 0)) {
        refused = WaitForMultipleObjects(2, both, TRUE, 0) == WAIT_FAILED;
        (void)CloseHandle(both[1]);
    }
    if (both[0] != NULL)
        (void)CloseHandle(both[0]);
    return refused;
}

/* Windows refuses an object twice in a wait for all, be it by two handles, and Wine does not. It is asked once: two
   thousand comparisons are too many for each wait. */
static bool twins_are_ours_to_find(void)
{
    static volatile LONG known; /* 0 not yet, 1 the kernel's, 2 ours: any thread may write what every thread finds */
    LONG answer = InterlockedCompareExchange(&known, 0, 0);

    if (answer == 0) {
        answer = kernel_refuses_twins() ? 1 : 2;
        (void)InterlockedExchange(&known, answer);
    }
    return answer == 2;
}

static bool are_twins(const plat_object *left, const plat_object *right)
{
    bool comparable = left->kind == right->kind || left->kind == NULL || right->kind == NULL;

    return comparable && win32_handles_same(left->handle, right->handle);
}

static ist_status set_check(const wait_set *set, plat_error *error)
{
    bool twins = false;
    DWORD at = 0;
    DWORD earlier = 0;

    if (!set->all || set->count == 1 || !twins_are_ours_to_find())
        return IST_OK;
    for (at = 1; at < set->count; ++at)
        for (earlier = 0; earlier < at; ++earlier)
            twins = twins || are_twins(set->items[earlier], set->items[at]);
    return twins ? win32_error_refuse(error, IST_E_ARG, "no object twice") : IST_OK;
}

/* ---- waiting ---- */

static ist_status wait_native(const wait_set *set, DWORD timeout_ms, size_t *index, plat_error *error)
{
    const char *call = set->count == 1 ? "WaitForSingleObject" : "WaitForMultipleObjects";
    DWORD answer = set->count == 1 ? WaitForSingleObject(set->handles[0], timeout_ms)
                                   : WaitForMultipleObjects(set->count, set->handles, set->all, timeout_ms);
    ist_status status = IST_TIMEOUT;

    if (answer == WAIT_FAILED) {
        status = win32_error_take(error, call, WIN32_STEP_WAIT);
    } else if (answer - WAIT_OBJECT_0 < set->count) {
        status = IST_OK;
        *index = answer - WAIT_OBJECT_0;
    } else if (answer - WAIT_ABANDONED_0 < set->count) {
        status = IST_ABANDONED;
        *index = answer - WAIT_ABANDONED_0;
    }
    return status;
}

static bool is_long(const win32_deadline *deadline)
{
    uint64_t left_ns = win32_deadline_left(deadline);

    return left_ns != UINT64_MAX && left_ns / NS_PER_MS >= WIN32_LONGEST_MS;
}

static ist_status wait_until(wait_set *set, const win32_deadline *deadline, size_t *index, plat_error *error)
{
    plat_error unused = {IST_CODES_NONE, 0, NULL, {0}};
    bool blind = false;
    ist_status status = is_long(deadline) ? set_own(set, error) : IST_OK;

    if (status != IST_OK)
        return status;
    do {
        if (blind)
            Sleep(win32_deadline_ms(deadline));
        else
            status = wait_native(set, win32_deadline_ms(deadline), index, error);
        if (status == IST_TIMEOUT && win32_deadline_left(deadline) > 0)
            blind = blind || set_own(set, &unused) != IST_OK;
    } while (status == IST_TIMEOUT && win32_deadline_left(deadline) > 0);
    return status;
}

static ist_status item_arm(const wait_set *set, size_t at, bool *ready, plat_error *error)
{
    plat_object *item = set->items[at];

    *ready = true;
    return item->face != NULL ? item->face->arm(item, ready, error) : IST_OK;
}

static ist_status set_arm(const wait_set *set, plat_error *error)
{
    ist_status status = IST_OK;
    bool ready = false;
    size_t at = 0;

    for (at = 0; at < set->count && status == IST_OK; ++at)
        status = item_arm(set, at, &ready, error);
    return status;
}

/* The set is armed. */
static ist_status set_wait(wait_set *set, const win32_deadline *deadline, size_t *index, plat_error *error)
{
    bool ready = true;
    ist_status status = IST_OK;

    do {
        status = wait_until(set, deadline, index, error);
        if (status == IST_OK)
            status = item_arm(set, *index, &ready, error);
    } while (status == IST_OK && !ready);
    return status;
}

/* Two calls rather than SignalObjectAndWait: that is not one instant either, waits only for one object whose timeout it
   cuts to milliseconds, and does not say which of its halves failed. */
static ist_status signal_give(plat_object *signal, plat_error *error)
{
    return signal != NULL ? signal->kind->signal(signal, error) : IST_OK;
}

ist_status plat_wait(const plat_wait_request *request, size_t *index, plat_error *error)
{
    wait_set set;
    win32_deadline deadline = win32_deadline_in(request->timeout_ns);
    size_t taken = 0;
    ist_status status = set_take(&set, request, error);

    if (status == IST_OK)
        status = set_check(&set, error);
    if (status == IST_OK)
        status = set_arm(&set, error);
    if (status == IST_OK)
        status = signal_give(request->signal, error);
    if (status == IST_OK)
        status = set_wait(&set, &deadline, &taken, error);
    if (!set.all && (status == IST_OK || status == IST_ABANDONED))
        *index = taken;
    set_drop(&set);
    return status;
}

/* No object is memory alone: each wait is a system call. */
bool plat_wait_quickly(plat_object *object)
{
    (void)object;
    return false;
}

/* The kernel reports everything. */
bool plat_seam_recheck(int64_t interval_ns)
{
    (void)interval_ns;
    return false;
}
