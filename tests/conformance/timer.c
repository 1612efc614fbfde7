/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * When a timer is due: T1, T5. Setting again and cancelling are in timer_set.c, what several processes and mixed waits
 * see of timers in timer_wait.c, changes of the clock (T4) in tests/process.
 */
#include "support/due.h"
#include "support/utc.h"
#include "support/waiter.h"

/* ---- both sorts, one shot ---- */

/* T1 */
TEST(a_new_timer_is_not_signalled)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *timer = due_make(manual != 0);
        assert_int_equal(due_signalled(timer), 0);
        CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
        CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 30 * CLOCK_MS));
        ist_timer_close(timer);
    }
}

/* T1 */
TEST(a_manual_timer_that_is_due_stays_signalled)
{
    ist_timer *timer = due_make(true);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, CLOCK_MS, 0));
    DUE_COMES(timer);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(due_signalled(timer), 1);
        CHECK_OK(due_poll(timer));
    }
    ist_timer_close(timer);
}

/* T1 */
TEST(a_synchronization_timer_that_is_due_is_taken_by_one_wait)
{
    ist_timer *timer = due_make(false);
    for (int round = 0; round < 3; round++) {
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, CLOCK_MS, 0));
        DUE_COMES(timer);
        assert_int_equal(due_signalled(timer), 0);
        CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 20 * CLOCK_MS));
    }
    ist_timer_close(timer);
}

/* T1 */
TEST(looking_takes_nothing_from_a_synchronization_timer)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
    for (int i = 0; i < 3; i++)
        assert_int_equal(due_signalled(timer), 1);
    CHECK_OK(due_poll(timer));
    assert_int_equal(due_signalled(timer), 0);
    ist_timer_close(timer);
}

/* T1 */
TEST(a_relative_timer_is_never_early)
{
    static const int64_t dues[] = {1, 99, 101, 999999, 1000001, 5 * CLOCK_MS, 15 * CLOCK_MS + 50, 60 * CLOCK_MS};
    for (size_t i = 0; i < 2 * COUNT_OF(dues); i++) {
        ist_timer *timer = due_make(i % 2 != 0);
        int64_t before = clock_steady_ns();
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, dues[i / 2], 0));
        DUE_COMES(timer);
        assert_true(clock_steady_ns() - before >= dues[i / 2] - due_resolution_ns());
        ist_timer_close(timer);
    }
}

/* T1 */
TEST(a_timer_that_is_polled_is_never_early)
{
    for (int looking = 0; looking < 2; looking++) {
        ist_timer *timer = due_make(true);
        int64_t before = clock_steady_ns();
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 40 * CLOCK_MS, 0));
        while (looking != 0 ? due_signalled(timer) == 0 : due_poll(timer) != IST_OK)
            assert_true(clock_steady_ns() - before < waiter_bound_ns());
        assert_true(clock_steady_ns() - before >= 40 * CLOCK_MS - due_resolution_ns());
        ist_timer_close(timer);
    }
}

/* T1 */
TEST(an_absolute_timer_is_never_early)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *timer = due_make(manual != 0);
        int64_t due = utc_now_ns() + 50 * CLOCK_MS + 1;
        CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, due, 0));
        DUE_COMES(timer);
        assert_true(utc_now_ns() >= due - due_resolution_ns());
        assert_int_equal(due_signalled(timer), manual);
        ist_timer_close(timer);
    }
}

/* T1: no due time that a number can hold is lost in arithmetic */
TEST(a_due_time_in_centuries_does_not_come)
{
    for (int clock = 0; clock < 2; clock++) {
        ist_timer *timer = due_make(true);
        CHECK_OK(ist_timer_set(timer, (ist_timer_clock)clock, INT64_MAX, 0));
        CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
        CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 20 * CLOCK_MS));
        CHECK_OK(ist_timer_set(timer, (ist_timer_clock)clock, INT64_MAX - 7, IST_TIMER_PERIOD_MAX));
        CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 20 * CLOCK_MS));
        ist_timer_close(timer);
    }
}

/* T5 */
TEST(a_timer_due_in_the_past_is_signalled_at_once)
{
    static const int64_t long_ago[] = {INT64_MIN, INT64_MIN + 101, -1, 0, 1, 99};
    for (size_t i = 0; i < COUNT_OF(long_ago); i++) {
        ist_timer *timer = due_make(false);
        CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, long_ago[i], 0));
        CHECK_OK(due_poll(timer));
        CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
        CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, utc_now_ns() - 1000 * CLOCK_MS, 0));
        assert_int_equal(due_signalled(timer), 1);
        ist_timer_close(timer);
    }
}

/* T5 */
TEST(a_relative_due_time_of_nothing_is_signalled_at_once)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *timer = due_make(manual != 0);
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
        CHECK_OK(due_poll(timer));
        CHECK_STATUS(manual != 0 ? IST_OK : IST_TIMEOUT, due_poll(timer));
        ist_timer_close(timer);
    }
}

/* ---- periods ---- */

static void check_periods(ist_timer_clock clock)
{
    ist_timer *timer = due_make(false);
    int64_t before = clock_steady_ns();
    int64_t first = 25 * CLOCK_MS;
    int64_t period = 15 * CLOCK_MS;
    /* What the two clocks may go apart in so short a time: they are slewed by up to a thousandth. */
    int64_t slack = due_resolution_ns() + (clock == IST_TIMER_UTC ? CLOCK_MS : 0);
    CHECK_OK(ist_timer_set(timer, clock, clock == IST_TIMER_UTC ? utc_now_ns() + first : first, 15));
    for (int n = 0; n < 6; n++) {
        DUE_COMES(timer);
        assert_true(clock_steady_ns() - before >= first + n * period - slack);
    }
    ist_timer_close(timer);
}

/* T1 */
TEST(a_periodic_timer_comes_again_and_never_early)
{
    check_periods(IST_TIMER_RELATIVE);
}

/* T1 */
TEST(a_period_goes_on_after_an_absolute_due_time)
{
    check_periods(IST_TIMER_UTC);
}

/* T1 T5 */
TEST(a_period_goes_on_after_a_due_time_in_the_past)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, 0, 20));
    for (int n = 0; n < 4; n++)
        DUE_COMES(timer);
    ist_timer_close(timer);
}

/* T1 T5: more periods than are counted one by one have been missed */
TEST(a_short_period_goes_on_after_a_due_time_in_1970)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, 0, 1));
    for (int round = 0; round < 20; round++)
        DUE_COMES(timer);
    ist_timer_close(timer);
}

/* T1 */
TEST(a_periodic_manual_timer_stays_signalled)
{
    ist_timer *timer = due_make(true);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, CLOCK_MS, 5));
    DUE_COMES(timer);
    for (int n = 0; n < 20; n++) {
        CHECK_OK(due_poll(timer));
        waiter_rest(CLOCK_MS);
    }
    CHECK_OK(ist_timer_cancel(timer));
    CHECK_OK(due_poll(timer));
    ist_timer_close(timer);
}

/* T1: each period that passes while the polls go on may give one more */
TEST(periods_that_were_missed_count_as_one)
{
    int64_t period = 20 * CLOCK_MS;
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 20));
    waiter_rest(10 * period);
    int64_t before = clock_steady_ns();
    int64_t taken = 0;
    for (int n = 0; n < 10; n++)
        taken += due_poll(timer) == IST_OK;
    assert_true(taken >= 1);
    assert_true(taken <= 2 + (clock_steady_ns() - before) / period);
    ist_timer_close(timer);
}

/* T1 */
TEST(the_longest_period_is_taken_and_the_first_due_time_still_comes)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, CLOCK_MS, IST_TIMER_PERIOD_MAX));
    DUE_COMES(timer);
    CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 20 * CLOCK_MS));
    ist_timer_close(timer);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_new_timer_is_not_signalled),
        RUN(a_manual_timer_that_is_due_stays_signalled),
        RUN(a_synchronization_timer_that_is_due_is_taken_by_one_wait),
        RUN(looking_takes_nothing_from_a_synchronization_timer),
        RUN(a_relative_timer_is_never_early),
        RUN(a_timer_that_is_polled_is_never_early),
        RUN(an_absolute_timer_is_never_early),
        RUN(a_due_time_in_centuries_does_not_come),
        RUN(a_timer_due_in_the_past_is_signalled_at_once),
        RUN(a_relative_due_time_of_nothing_is_signalled_at_once),
        RUN(a_periodic_timer_comes_again_and_never_early),
        RUN(a_period_goes_on_after_an_absolute_due_time),
        RUN(a_period_goes_on_after_a_due_time_in_the_past),
        RUN(a_short_period_goes_on_after_a_due_time_in_1970),
        RUN(a_periodic_manual_timer_stays_signalled),
        RUN(periods_that_were_missed_count_as_one),
        RUN(the_longest_period_is_taken_and_the_first_due_time_still_comes),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
