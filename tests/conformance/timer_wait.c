/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Timers among processes and among other objects: whom one releases (T1), that it is set from anywhere (T2), that it
 * goes on without whoever set it (T3), and waits for it together with others (W2, W3, W5).
 */
#include "support/due.h"
#include "support/host.h"
#include "support/utc.h"
#include "support/waiter.h"

#define CROWD 6

#define FOREVER "any forever 0"

static peer *crowd[CROWD];

static void start_crowd(const waiter_set *set, const char *wait)
{
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = waiter_start_patient(set);
    for (size_t i = 0; i < CROWD; i++)
        PEER_ASK(crowd[i], "waiting", "begin %s", wait);
    waiter_rest(20 * CLOCK_MS);
}

/* ---- several processes ---- */

/* T1 */
TEST(a_manual_timer_releases_waiters_in_all_processes)
{
    waiter_set set;
    waiter_make(&set, "manual-timer", (char *)NULL);
    start_crowd(&set, FOREVER);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 30 * CLOCK_MS, 0));
    for (size_t i = 0; i < CROWD; i++) {
        WAITER_HEAR(crowd[i], "IST_OK 0");
        peer_end(crowd[i]);
    }
    WAITER_CHECK(&set, "1");
    waiter_close(&set);
}

/* T1: whoever gets the timer raises the count, so a second one who gets it shows */
TEST(a_synchronization_timer_releases_one_waiter_each_time)
{
    waiter_set set;
    waiter_make(&set, "timer", "0", (char *)NULL);
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = waiter_start_patient(&set);
        PEER_ASK(crowd[i], "waiting", "begin any forever 0");
        peer_say(crowd[i], "release 1");
    }
    waiter_rest(20 * CLOCK_MS);
    for (size_t released = 1; released <= CROWD; released++) {
        CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 10 * CLOCK_MS, 0));
        CHECK_OK(ist_wait(set.items[1], waiter_bound_ns()));
        CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[1], 50 * CLOCK_MS));
    }
    for (size_t i = 0; i < CROWD; i++) {
        WAITER_HEAR(crowd[i], "IST_OK 0");
        WAITER_HEAR(crowd[i], "IST_OK");
        peer_end(crowd[i]);
    }
    WAITER_CHECK(&set, "0 0");
    waiter_close(&set);
}

/* T1 */
TEST(a_periodic_timer_serves_all_waiters_one_after_another)
{
    waiter_set set;
    waiter_make(&set, "timer", (char *)NULL);
    start_crowd(&set, FOREVER);
    int64_t before = clock_steady_ns();
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 5 * CLOCK_MS, 10));
    for (size_t i = 0; i < CROWD; i++)
        WAITER_HEAR(crowd[i], "IST_OK 0");
    assert_true(clock_steady_ns() - before >= (5 + 10 * (CROWD - 1)) * CLOCK_MS - due_resolution_ns());
    for (size_t i = 0; i < CROWD; i++)
        peer_end(crowd[i]);
    waiter_close(&set);
}

/* T1 */
TEST(a_timer_is_not_early_in_another_process)
{
    waiter_set set;
    waiter_make(&set, "timer", "manual-timer", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    for (unsigned place = 0; place < 2; place++) {
        waiter_begin(other, place == 0 ? "any forever 0" : "all forever 1");
        int64_t before = clock_steady_ns();
        CHECK_OK(ist_timer_set(set.handles[place], IST_TIMER_RELATIVE, 60 * CLOCK_MS, 0));
        WAITER_HEAR(other, place == 0 ? "IST_OK 0" : "IST_OK");
        assert_true(clock_steady_ns() - before >= 60 * CLOCK_MS - due_resolution_ns());
    }
    int64_t due = utc_now_ns() + 60 * CLOCK_MS;
    waiter_begin(other, FOREVER);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, due, 0));
    WAITER_HEAR(other, "IST_OK 0");
    assert_true(utc_now_ns() >= due - due_resolution_ns());
    peer_end(other);
    waiter_close(&set);
}

/* T2: who waits for an hour learns that it has become a moment */
TEST(a_blocked_waiter_learns_of_an_earlier_due_time)
{
    waiter_set set;
    waiter_make(&set, "timer", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, DUE_HOUR_NS, 0));
    waiter_begin(other, FOREVER);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 10 * CLOCK_MS, 0));
    WAITER_HEAR(other, "IST_OK 0");
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, utc_now_ns() + DUE_HOUR_NS, 0));
    waiter_begin(other, FOREVER);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, 0, 0));
    WAITER_HEAR(other, "IST_OK 0");
    peer_end(other);
    waiter_close(&set);
}

/* T2: where this process was too slow to put it off in time, the test shows nothing */
TEST(a_blocked_waiter_is_not_released_by_a_due_time_that_was_put_off)
{
    waiter_set set;
    waiter_make(&set, "timer", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    int64_t first = clock_steady_ns();
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 250 * CLOCK_MS, 0));
    waiter_begin(other, FOREVER);
    int64_t second = clock_steady_ns();
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 500 * CLOCK_MS, 0));
    bool in_time = clock_steady_ns() - first < 250 * CLOCK_MS - due_resolution_ns();
    WAITER_HEAR(other, "IST_OK 0");
    assert_true(!in_time || clock_steady_ns() - second >= 500 * CLOCK_MS - due_resolution_ns());
    peer_end(other);
    waiter_close(&set);
}

/* T2: as above */
TEST(a_blocked_waiter_is_not_released_by_a_timer_that_was_cancelled)
{
    waiter_set set;
    char heard[PEER_LINE_SIZE];
    waiter_make(&set, "timer", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    int64_t first = clock_steady_ns();
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 250 * CLOCK_MS, 10));
    waiter_begin(other, "any 400 0");
    CHECK_OK(ist_timer_cancel(set.handles[0]));
    bool in_time = clock_steady_ns() - first < 250 * CLOCK_MS - due_resolution_ns();
    peer_hear(other, heard);
    assert_true(!in_time || strcmp(heard, "IST_TIMEOUT -") == 0);
    peer_end(other);
    waiter_close(&set);
}

/* ---- without whoever set it ---- */

/* T3 */
TEST(a_timer_comes_after_its_setter_was_killed)
{
    waiter_set set;
    waiter_make(&set, "timer", "manual-timer", (char *)NULL);
    peer *setter = waiter_start(&set);
    PEER_ASK(setter, "IST_OK", "arm 0 relative 300000000 0");
    PEER_ASK(setter, "IST_OK", "arm 1 utc %lld 0", (long long)(utc_now_ns() + 300 * CLOCK_MS));
    peer_kill(setter);
    peer_forget(setter);
    CHECK_OK(ist_wait(set.items[0], waiter_bound_ns()));
    CHECK_OK(ist_wait(set.items[1], waiter_bound_ns()));
    waiter_close(&set);
}

/* T3 */
TEST(a_period_goes_on_after_its_setter_was_killed)
{
    waiter_set set;
    waiter_make(&set, "timer", (char *)NULL);
    peer *setter = waiter_start(&set);
    peer *other = waiter_start_patient(&set);
    PEER_ASK(setter, "IST_OK", "arm 0 relative 1000000 20");
    waiter_begin(other, FOREVER);
    WAITER_HEAR(other, "IST_OK 0");
    peer_kill(setter);
    peer_forget(setter);
    for (int n = 0; n < 4; n++)
        PEER_ASK(other, "IST_OK 0", FOREVER);
    peer_end(other);
    waiter_close(&set);
}

/* T3 L1 */
TEST(a_timer_goes_on_when_its_creator_and_setter_has_closed_it)
{
    waiter_set set;
    waiter_make(&set, "timer", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 100 * CLOCK_MS, 0));
    waiter_close(&set);
    PEER_ASK(other, "IST_OK 0", FOREVER);
    peer_end(other);
}

static void set_in_thread(void *context, size_t index)
{
    (void)index;
    (void)ist_timer_set(context, IST_TIMER_RELATIVE, 50 * CLOCK_MS, 20);
}

/* T3 */
TEST(a_timer_goes_on_when_the_thread_that_set_it_ends)
{
    ist_timer *timer = due_make(false);
    host_threads(1, set_in_thread, timer);
    for (int n = 0; n < 3; n++)
        DUE_COMES(timer);
    ist_timer_close(timer);
}

/* L4 */
TEST(a_timer_that_is_made_anew_is_not_set)
{
    waiter_set set;
    ist_timer *timer = NULL;
    waiter_make(&set, "manual-timer", (char *)NULL);
    peer *other = waiter_start(&set);
    PEER_ASK(other, "IST_OK", "arm 0 relative 0 5");
    waiter_close(&set);
    peer_kill(other);
    peer_forget(other);
    CHECK_OK(ist_timer_create(&timer, set.names[0], NULL));
    assert_int_equal(due_signalled(timer), 0);
    CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 30 * CLOCK_MS));
    ist_timer_close(timer);
}

/* ---- among others ---- */

/* W2 */
TEST(the_timer_that_comes_first_ends_a_wait_for_any)
{
    waiter_set set;
    size_t index = 9;
    waiter_make(&set, "timer", "event", "timer", "manual-timer", (char *)NULL);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, DUE_HOUR_NS, 0));
    CHECK_OK(ist_timer_set(set.handles[2], IST_TIMER_RELATIVE, 30 * CLOCK_MS, 0));
    CHECK_OK(ist_timer_set(set.handles[3], IST_TIMER_UTC, utc_now_ns() + DUE_HOUR_NS, 0));
    CHECK_OK(ist_wait_any(set.items, set.count, waiter_bound_ns(), &index));
    assert_int_equal(index, 2);
    WAITER_CHECK(&set, "0 0 0 0");
    CHECK_OK(ist_timer_set(set.handles[3], IST_TIMER_UTC, utc_now_ns() + 30 * CLOCK_MS, 0));
    CHECK_OK(ist_wait_any(set.items, set.count, waiter_bound_ns(), &index));
    assert_int_equal(index, 3);
    waiter_close(&set);
}

/* W2 */
TEST(of_two_timers_that_are_due_the_first_is_taken_and_the_other_left)
{
    waiter_set set;
    size_t index = 9;
    waiter_make(&set, "timer", "timer", (char *)NULL);
    for (unsigned place = 0; place < 2; place++)
        CHECK_OK(ist_timer_set(set.handles[place], IST_TIMER_RELATIVE, 0, 0));
    CHECK_OK(ist_wait_any(set.items, 2, 0, &index));
    assert_int_equal(index, 0);
    WAITER_CHECK(&set, "0 1");
    CHECK_OK(ist_wait_any(set.items, 2, 0, &index));
    assert_int_equal(index, 1);
    WAITER_CHECK(&set, "0 0");
    waiter_close(&set);
}

/* W5: a timeout and a due time in one wait are kept both */
TEST(a_timeout_before_the_due_time_leaves_the_timer)
{
    static const char *const sorts[] = {"timer", "manual-timer"};
    for (size_t i = 0; i < 2 * COUNT_OF(sorts); i++) {
        waiter_set set;
        waiter_make(&set, sorts[i % 2], (char *)NULL);
        if (i / 2 == 0)
            CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, DUE_HOUR_NS, 0));
        else
            CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, utc_now_ns() + DUE_HOUR_NS, 0));
        int64_t before = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[0], 40 * CLOCK_MS));
        assert_true(clock_steady_ns() - before >= 40 * CLOCK_MS);
        CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, utc_now_ns() + 40 * CLOCK_MS, 0));
        CHECK_OK(ist_wait(set.items[0], waiter_bound_ns()));
        waiter_close(&set);
    }
}

/* W3 */
TEST(a_wait_for_all_leaves_a_due_timer_alone_until_all_are_there)
{
    waiter_set set;
    waiter_make(&set, "timer", "event", "manual-timer", (char *)NULL);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 0, 0));
    CHECK_OK(ist_timer_set(set.handles[2], IST_TIMER_RELATIVE, 0, 0));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(set.items, 3, 0));
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(set.items, 3, 30 * CLOCK_MS));
    WAITER_CHECK(&set, "1 0 1");
    CHECK_OK(ist_event_set(set.handles[1]));
    CHECK_OK(ist_wait_all(set.items, 3, 0));
    WAITER_CHECK(&set, "0 0 1");
    waiter_close(&set);
}

/* W3 T1 */
TEST(a_wait_for_all_ends_when_its_last_timer_comes)
{
    waiter_set set;
    waiter_make(&set, "timer", "1", "manual-timer", "mutex", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    waiter_begin(other, "all forever 0 1 2 3");
    int64_t before = clock_steady_ns();
    CHECK_OK(ist_timer_set(set.handles[2], IST_TIMER_RELATIVE, 80 * CLOCK_MS, 0));
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, utc_now_ns() + 20 * CLOCK_MS, 0));
    WAITER_HEAR(other, "IST_OK");
    assert_true(clock_steady_ns() - before >= 80 * CLOCK_MS - due_resolution_ns());
    WAITER_CHECK(&set, "0 0 1 1");
    PEER_ASK(other, "IST_OK", "release 3");
    peer_end(other);
    waiter_close(&set);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_manual_timer_releases_waiters_in_all_processes),
        RUN(a_synchronization_timer_releases_one_waiter_each_time),
        RUN(a_periodic_timer_serves_all_waiters_one_after_another),
        RUN(a_timer_is_not_early_in_another_process),
        RUN(a_blocked_waiter_learns_of_an_earlier_due_time),
        RUN(a_blocked_waiter_is_not_released_by_a_due_time_that_was_put_off),
        RUN(a_blocked_waiter_is_not_released_by_a_timer_that_was_cancelled),
        RUN(a_timer_comes_after_its_setter_was_killed),
        RUN(a_period_goes_on_after_its_setter_was_killed),
        RUN(a_timer_goes_on_when_its_creator_and_setter_has_closed_it),
        RUN(a_timer_goes_on_when_the_thread_that_set_it_ends),
        RUN(a_timer_that_is_made_anew_is_not_set),
        RUN(the_timer_that_comes_first_ends_a_wait_for_any),
        RUN(of_two_timers_that_are_due_the_first_is_taken_and_the_other_left),
        RUN(a_timeout_before_the_due_time_leaves_the_timer),
        RUN(a_wait_for_all_leaves_a_due_timer_alone_until_all_are_there),
        RUN(a_wait_for_all_ends_when_its_last_timer_comes),
    };
    return cmocka_run_group_tests_name("timer_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
