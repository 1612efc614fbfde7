/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * W7: what Windows would have a thread do while it waits, if the wait let it. Only on Windows.
 */
#include "support/clock.h"
#include "support/waiter.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static void CALLBACK note(ULONG_PTR argument)
{
    ++*(volatile int *)argument;
}

/* Blocks in each kind of wait. */
static void wait_in_every_way(void)
{
    waiter_set set;
    waiter_make(&set, "event", "0", "timer", (char *)NULL);
    CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[0], 20 * CLOCK_MS));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(set.items, 3, 20 * CLOCK_MS, NULL));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(set.items, 3, 20 * CLOCK_MS));
    CHECK_STATUS(IST_TIMEOUT, ist_signal_and_wait(set.items[1], set.items[0], 20 * CLOCK_MS));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[0], 0));
    waiter_close(&set);
}

/* W7 */
TEST(a_wait_runs_no_callback_that_is_queued)
{
    volatile int ran = 0;
    assert_true(QueueUserAPC(note, GetCurrentThread(), (ULONG_PTR)&ran) != 0);
    wait_in_every_way();
    assert_int_equal(ran, 0);
    (void)SleepEx(0, TRUE);
    assert_int_equal(ran, 1);
}

/* W7 */
TEST(a_wait_takes_no_message_from_the_queue)
{
    MSG message;
    (void)PeekMessageW(&message, NULL, 0, 0, PM_NOREMOVE);
    assert_true(PostThreadMessageW(GetCurrentThreadId(), WM_APP, 4711, 0) != 0);
    wait_in_every_way();
    assert_true(PeekMessageW(&message, NULL, WM_APP, WM_APP, PM_REMOVE) != 0);
    assert_true(message.wParam == 4711);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_wait_runs_no_callback_that_is_queued),
        RUN(a_wait_takes_no_message_from_the_queue),
    };
    return cmocka_run_group_tests_name("win32_quiet", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
