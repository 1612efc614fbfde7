/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Setting a timer again and cancelling it (T2), what is refused (T1), and A1 and N5 as far as timers have something of
 * their own.
 */
#include "support/due.h"
#include "support/host.h"
#include "support/utc.h"
#include "support/waiter.h"

static void check_made_unsignalled(bool manual)
{
    ist_timer *timer = due_make(manual);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
    assert_int_equal(due_signalled(timer), 1);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, DUE_HOUR_NS, 0));
    assert_int_equal(due_signalled(timer), 0);
    CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
    ist_timer_close(timer);
}

/* T2 */
TEST(setting_a_signalled_manual_timer_makes_it_unsignalled)
{
    check_made_unsignalled(true);
}

/* T2 */
TEST(setting_a_signalled_synchronization_timer_makes_it_unsignalled)
{
    if (host_emulator() != NULL)
        SKIP(setting_a_signalled_synchronization_timer_makes_it_unsignalled,
             "Wine leaves a synchronization timer signalled when it is set");
    check_made_unsignalled(false);
}

/* T2 */
TEST(setting_an_active_timer_restarts_it)
{
    ist_timer *timer = due_make(true);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 20 * CLOCK_MS, 5));
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, DUE_HOUR_NS, 0));
    CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 80 * CLOCK_MS));
    int64_t before = clock_steady_ns();
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 30 * CLOCK_MS, 0));
    DUE_COMES(timer);
    assert_true(clock_steady_ns() - before >= 30 * CLOCK_MS - due_resolution_ns());
    ist_timer_close(timer);
}

/* T2 */
TEST(a_period_ends_when_the_timer_is_set_for_once)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 5));
    DUE_COMES(timer);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, CLOCK_MS, 0));
    DUE_COMES(timer);
    CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 50 * CLOCK_MS));
    ist_timer_close(timer);
}

/* T2 */
TEST(cancelling_leaves_a_signalled_timer_signalled)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *timer = due_make(manual != 0);
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
        CHECK_OK(ist_timer_cancel(timer));
        assert_int_equal(due_signalled(timer), 1);
        CHECK_OK(due_poll(timer));
        CHECK_STATUS(manual != 0 ? IST_OK : IST_TIMEOUT, due_poll(timer));
        ist_timer_close(timer);
    }
}

/* T2: due before the cancel, though nobody had looked */
TEST(cancelling_leaves_a_timer_signalled_that_came_due_unseen)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, CLOCK_MS, 0));
    waiter_rest(500 * CLOCK_MS);
    CHECK_OK(ist_timer_cancel(timer));
    CHECK_OK(due_poll(timer));
    CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
    ist_timer_close(timer);
}

/* T2 */
TEST(a_cancelled_timer_does_not_come)
{
    for (int clock = 0; clock < 2; clock++) {
        ist_timer *timer = due_make(true);
        CHECK_OK(ist_timer_cancel(timer));
        CHECK_OK(
            ist_timer_set(timer, (ist_timer_clock)clock, clock == 0 ? DUE_HOUR_NS : utc_now_ns() + DUE_HOUR_NS, 0));
        CHECK_OK(ist_timer_cancel(timer));
        CHECK_OK(ist_timer_cancel(timer));
        CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
        CHECK_OK(due_poll(timer));
        ist_timer_close(timer);
    }
}

/* T2: one that came before the cancel may still be there */
TEST(cancelling_ends_the_periods)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 10));
    DUE_COMES(timer);
    CHECK_OK(ist_timer_cancel(timer));
    (void)due_poll(timer);
    CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 60 * CLOCK_MS));
    ist_timer_close(timer);
}

/* ---- what is refused ---- */

/* T1 */
TEST(a_wrong_due_time_is_refused_and_leaves_the_timer_as_it_is)
{
    ist_timer *timer = due_make(true);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(timer, IST_TIMER_RELATIVE, -1, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(timer, IST_TIMER_RELATIVE, INT64_MIN, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(timer, IST_TIMER_RELATIVE, DUE_HOUR_NS, IST_TIMER_PERIOD_MAX + 1u));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(timer, IST_TIMER_UTC, 0, UINT32_MAX));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(timer, (ist_timer_clock)2, DUE_HOUR_NS, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(timer, (ist_timer_clock)-1, DUE_HOUR_NS, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(NULL, IST_TIMER_RELATIVE, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_cancel(NULL));
    assert_int_equal(due_signalled(timer), 1);
    CHECK_OK(due_poll(timer));
    ist_timer_close(timer);
}

/* A1 */
TEST(a_handle_for_reading_waits_for_a_manual_timer_and_changes_none)
{
    for (int manual = 0; manual < 2; manual++) {
        char name[NAME_SIZE];
        ist_timer_options options = IST_TIMER_OPTIONS_INIT;
        ist_timer *timer = NULL;
        ist_timer *reader = NULL;
        unique_name(name, "", "timer");
        options.manual_reset = (uint32_t)manual;
        CHECK_OK(ist_timer_create(&timer, name, &options));
        CHECK_OK(ist_timer_open(&reader, name, IST_READ));
        CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
        CHECK_STATUS(IST_E_ACCESS, ist_timer_set(reader, IST_TIMER_RELATIVE, DUE_HOUR_NS, 0));
        CHECK_STATUS(IST_E_ACCESS, ist_timer_cancel(reader));
        assert_int_equal(due_signalled(reader), 1);
        CHECK_STATUS(manual != 0 ? IST_OK : IST_E_ACCESS, due_poll(reader));
        CHECK_OK(due_poll(timer));
        ist_timer_close(reader);
        ist_timer_close(timer);
    }
}

/* N5 */
TEST(a_timer_that_is_there_keeps_its_sort_and_its_time)
{
    char name[NAME_SIZE];
    ist_timer_options options = IST_TIMER_OPTIONS_INIT;
    ist_timer *timer = NULL;
    ist_timer *second = NULL;
    unique_name(name, "", "timer");
    CHECK_OK(ist_timer_create(&timer, name, NULL));
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
    options.manual_reset = 1;
    CHECK_STATUS(IST_EXISTED, ist_timer_create(&second, name, &options));
    CHECK_OK(due_poll(second));
    CHECK_STATUS(IST_TIMEOUT, due_poll(second));
    CHECK_OK(ist_timer_set(second, IST_TIMER_RELATIVE, 0, 0));
    CHECK_OK(due_poll(timer));
    ist_timer_close(second);
    ist_timer_close(timer);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(setting_a_signalled_manual_timer_makes_it_unsignalled),
        RUN(setting_a_signalled_synchronization_timer_makes_it_unsignalled),
        RUN(setting_an_active_timer_restarts_it),
        RUN(a_period_ends_when_the_timer_is_set_for_once),
        RUN(cancelling_leaves_a_signalled_timer_signalled),
        RUN(cancelling_leaves_a_timer_signalled_that_came_due_unseen),
        RUN(a_cancelled_timer_does_not_come),
        RUN(cancelling_ends_the_periods),
        RUN(a_wrong_due_time_is_refused_and_leaves_the_timer_as_it_is),
        RUN(a_handle_for_reading_waits_for_a_manual_timer_and_changes_none),
        RUN(a_timer_that_is_there_keeps_its_sort_and_its_time),
    };
    return cmocka_run_group_tests_name("timer_set", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
