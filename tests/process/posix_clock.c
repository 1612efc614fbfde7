/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * T4: the UTC clock is set forward and back. An absolute due time follows it; relative ones, the period after an
 * absolute one, and timeouts (W5) do not. The clock of the system stays as it is: all processes of a test add an offset
 * to it that they share in a mapping.
 */
#include "support/due.h"
#include "support/utc.h"
#include "support/waiter.h"

#include "core/plat.h"

/* More than an hour, and its lower half is 0: a process of 32 bits that reads it while it is written sees it whole. */
#define STEP (INT64_C(1) << 42)

static char offset_name[NAME_SIZE];
static ist_mapping *offset_mapping;
static ist_view offset_view;

static void set_clock(int64_t offset_ns)
{
    *(volatile int64_t *)offset_view.data = offset_ns;
}

static int64_t now_ns(void)
{
    return utc_now_ns() + *(volatile int64_t *)offset_view.data;
}

static int setup(void **state)
{
    (void)state;
    unique_name(offset_name, "", "offset");
    if (ist_mapping_create(&offset_mapping, offset_name, 4096, NULL) != IST_OK ||
        ist_mapping_view(offset_mapping, IST_WRITE, 0, 0, &offset_view) != IST_OK)
        return -1;
    return plat_seam_utc(offset_view.data) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    (void)plat_seam_utc(NULL);
    ist_view_unmap(&offset_view);
    ist_mapping_close(offset_mapping);
    return check_teardown(NULL);
}

/* ---- the role: a waiter whose clock has the offset; "flip" sets the clock forward and back for a while ---- */

/* The test's mapping, in a peer. */
static bool open_offset(int argc, char **argv)
{
    return argc == 1 && ist_mapping_open(&offset_mapping, peer_unword(argv[0]), IST_WRITE) == IST_OK &&
           ist_mapping_view(offset_mapping, IST_WRITE, 0, 0, &offset_view) == IST_OK;
}

static int run_clocked(int argc, char **argv)
{
    if (!open_offset(argc, argv) || !plat_seam_utc(offset_view.data))
        return 1;
    return waiter_run(argc, argv);
}

static int run_flipper(int argc, char **argv)
{
    char line[PEER_LINE_SIZE];
    if (!open_offset(argc, argv))
        return 1;
    while (peer_listen(line)) {
        peer_answer("flipping");
        for (int n = 0; n < 60; n++) {
            set_clock(n % 3 == 0 ? STEP : n % 3 == 1 ? -STEP : 0);
            waiter_rest(3 * CLOCK_MS);
        }
        set_clock(0);
        peer_answer("done");
    }
    return 0;
}

static peer *start_clocked(const waiter_set *set)
{
    peer *who = peer_start("clocked", peer_word(offset_name), (const char *)NULL);
    for (size_t i = 0; i < set->count; i++)
        PEER_ASK(who, "IST_OK", "open %u %s %s write", (unsigned)i, kinds[set->sorts[i]].name,
                 peer_word(set->names[i]));
    return who;
}

static peer *start_flipping(void)
{
    peer *who = peer_start("flipper", peer_word(offset_name), (const char *)NULL);
    PEER_ASK(who, "flipping", "go");
    return who;
}

/* ---- absolute due times follow ---- */

/* T4 */
TEST(an_absolute_timer_comes_when_the_clock_is_set_forward)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *timer = due_make(manual != 0);
        set_clock(0);
        CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, now_ns() + STEP / 2, 0));
        CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
        set_clock(STEP);
        assert_int_equal(due_signalled(timer), 1);
        CHECK_OK(due_poll(timer));
        CHECK_STATUS(manual != 0 ? IST_OK : IST_TIMEOUT, due_poll(timer));
        ist_timer_close(timer);
    }
}

/* T4 */
TEST(an_absolute_timer_waits_when_the_clock_is_set_back)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, now_ns() + 50 * CLOCK_MS, 0));
    set_clock(-STEP);
    CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 150 * CLOCK_MS));
    assert_int_equal(due_signalled(timer), 0);
    set_clock(0);
    CHECK_OK(due_poll(timer));
    ist_timer_close(timer);
}

/* T4 T5 */
TEST(the_clock_as_it_is_when_a_timer_is_set_is_what_counts)
{
    ist_timer *timer = due_make(true);
    set_clock(STEP);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, utc_now_ns() + STEP / 2, 0));
    CHECK_OK(due_poll(timer));
    set_clock(-STEP);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, utc_now_ns() - STEP / 2, 0));
    CHECK_STATUS(IST_TIMEOUT, due_poll(timer));
    ist_timer_close(timer);
}

/* T4 */
TEST(a_timer_that_has_come_is_not_taken_back_by_the_clock)
{
    ist_timer *timer = due_make(true);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, now_ns() + STEP / 2, 0));
    set_clock(STEP);
    CHECK_OK(due_poll(timer));
    set_clock(-STEP);
    CHECK_OK(due_poll(timer));
    assert_int_equal(due_signalled(timer), 1);
    ist_timer_close(timer);
}

/* T4: looking counts as seeing it come */
TEST(a_timer_that_was_seen_to_have_come_is_not_taken_back_by_the_clock)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *timer = due_make(manual != 0);
        set_clock(0);
        CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, now_ns() + STEP / 2, 0));
        set_clock(STEP);
        assert_int_equal(due_signalled(timer), 1);
        set_clock(-STEP);
        assert_int_equal(due_signalled(timer), 1);
        CHECK_OK(due_poll(timer));
        ist_timer_close(timer);
    }
}

/* T4 A1: a handle for reading sees as much as any other */
TEST(a_timer_that_released_a_reader_is_not_taken_back_by_the_clock)
{
    waiter_set set;
    ist_timer *reader = NULL;
    waiter_make(&set, "manual-timer", (char *)NULL);
    CHECK_OK(ist_timer_open(&reader, set.names[0], IST_READ));
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, now_ns() + STEP / 2, 0));
    set_clock(STEP);
    CHECK_OK(due_poll(reader));
    set_clock(-STEP);
    CHECK_OK(due_poll(reader));
    CHECK_OK(ist_wait(set.items[0], 0));
    ist_timer_close(reader);
    waiter_close(&set);
}

/* T4 W3: a wait for all that was missing another has seen it */
TEST(a_timer_that_a_wait_for_all_left_alone_is_not_taken_back_by_the_clock)
{
    waiter_set set;
    waiter_make(&set, "timer", "0", (char *)NULL);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, now_ns() + STEP / 2, 0));
    set_clock(STEP);
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(set.items, 2, 0));
    set_clock(-STEP);
    CHECK_OK(ist_semaphore_release(set.handles[1], 1, NULL));
    CHECK_OK(ist_wait_all(set.items, 2, 0));
    WAITER_CHECK(&set, "0 0");
    waiter_close(&set);
}

/* T4 T2 */
TEST(a_timer_that_came_by_a_step_is_signalled_after_a_cancel)
{
    for (int manual = 0; manual < 2; manual++) {
        ist_timer *timer = due_make(manual != 0);
        set_clock(0);
        CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, now_ns() + STEP / 2, 20));
        set_clock(STEP);
        CHECK_OK(ist_timer_cancel(timer));
        set_clock(-STEP);
        CHECK_OK(due_poll(timer));
        CHECK_STATUS(manual != 0 ? IST_OK : IST_TIMEOUT, due_wait(timer, 60 * CLOCK_MS));
        ist_timer_close(timer);
    }
}

/* ---- what does not follow ---- */

/* T4 */
TEST(a_relative_timer_does_not_come_when_the_clock_is_set_forward)
{
    ist_timer *timer = due_make(true);
    int64_t before = clock_steady_ns();
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 150 * CLOCK_MS, 0));
    set_clock(STEP);
    DUE_COMES(timer);
    assert_true(clock_steady_ns() - before >= 150 * CLOCK_MS - due_resolution_ns());
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, STEP / 2, 0));
    set_clock(2 * STEP);
    CHECK_STATUS(IST_TIMEOUT, due_wait(timer, 30 * CLOCK_MS));
    ist_timer_close(timer);
}

/* T4 */
TEST(a_relative_timer_comes_though_the_clock_is_set_back)
{
    ist_timer *timer = due_make(false);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 50 * CLOCK_MS, 20));
    set_clock(-STEP);
    for (int n = 0; n < 3; n++)
        DUE_COMES(timer);
    ist_timer_close(timer);
}

/* T4: once the absolute time has come, the periods go by themselves */
TEST(a_period_does_not_follow_the_clock)
{
    static const int64_t steps[] = {STEP, -STEP, 0};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        ist_timer *timer = due_make(false);
        int64_t period = 80 * CLOCK_MS;
        set_clock(0);
        int64_t before = clock_steady_ns();
        CHECK_OK(ist_timer_set(timer, IST_TIMER_UTC, now_ns(), 80));
        DUE_COMES(timer);
        set_clock(steps[i]);
        for (int n = 1; n <= 3; n++) {
            DUE_COMES(timer);
            assert_true(clock_steady_ns() - before >= n * period - due_resolution_ns() - CLOCK_MS);
        }
        ist_timer_close(timer);
    }
}

/* T4 W5 */
TEST(a_timeout_does_not_follow_the_clock)
{
    waiter_set set;
    waiter_make(&set, "event", "0", "timer", "timer", (char *)NULL);
    peer *flipper = start_flipping();
    int64_t start = clock_steady_ns();
    CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[0], 40 * CLOCK_MS));
    assert_true(clock_steady_ns() - start >= 40 * CLOCK_MS);
    start = clock_steady_ns();
    CHECK_STATUS(IST_TIMEOUT, ist_wait_all(set.items, 2, 40 * CLOCK_MS));
    assert_true(clock_steady_ns() - start >= 40 * CLOCK_MS);
    start = clock_steady_ns();
    CHECK_STATUS(IST_TIMEOUT, ist_signal_and_wait(set.items[1], set.items[0], 40 * CLOCK_MS));
    assert_true(clock_steady_ns() - start >= 40 * CLOCK_MS);
    WAITER_HEAR(flipper, "done");
    peer_end(flipper);
    waiter_close(&set);
}

/* T4 W5: two clocks in one wait */
TEST(a_timeout_beside_an_absolute_timer_does_not_follow_the_clock)
{
    waiter_set set;
    waiter_make(&set, "timer", "event", (char *)NULL);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, now_ns() + 3 * STEP, 0));
    peer *flipper = start_flipping();
    for (int n = 0; n < 4; n++) {
        int64_t start = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_wait_any(set.items, 2, 30 * CLOCK_MS, NULL));
        assert_true(clock_steady_ns() - start >= 30 * CLOCK_MS);
    }
    WAITER_HEAR(flipper, "done");
    peer_end(flipper);
    waiter_close(&set);
}

/* ---- who is blocked learns of a step, by looking again ---- */

/* T4 */
TEST(blocked_waiters_in_all_processes_learn_that_the_clock_was_set_forward)
{
    static const char *const waits[] = {"any forever 0", "any forever 1 0", "all forever 0 2", "all forever 0"};
    static const char *const answers[] = {"IST_OK 0", "IST_OK 1", "IST_OK", "IST_OK"};
    waiter_set set;
    peer *crowd[COUNT_OF(waits)];
    waiter_make(&set, "manual-timer", "event", "manual-set", (char *)NULL);
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, now_ns() + STEP / 2, 0));
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        crowd[i] = start_clocked(&set);
        waiter_begin(crowd[i], waits[i]);
    }
    WAITER_CHECK(&set, "0 0 1");
    set_clock(STEP);
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        WAITER_HEAR(crowd[i], answers[i]);
        peer_end(crowd[i]);
    }
    waiter_close(&set);
}

/* T4 T3 */
TEST(an_absolute_timer_follows_the_clock_after_its_setter_has_died)
{
    waiter_set set;
    waiter_make(&set, "timer", (char *)NULL);
    peer *setter = start_clocked(&set);
    peer *other = start_clocked(&set);
    PEER_ASK(setter, "IST_OK", "arm 0 utc %lld 0", (long long)(now_ns() + STEP / 2));
    waiter_begin(other, "any forever 0");
    peer_kill(setter);
    set_clock(STEP);
    WAITER_HEAR(other, "IST_OK 0");
    peer_forget(setter);
    peer_end(other);
    waiter_close(&set);
}

/* T4: where this process was too slow to set it back in time, the test shows nothing */
TEST(a_blocked_waiter_is_not_released_when_the_clock_was_set_back_before)
{
    waiter_set set;
    char heard[PEER_LINE_SIZE];
    waiter_make(&set, "timer", (char *)NULL);
    peer *other = start_clocked(&set);
    int64_t first = clock_steady_ns();
    CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_UTC, now_ns() + 250 * CLOCK_MS, 0));
    waiter_begin(other, "any 400 0");
    set_clock(-STEP);
    bool in_time = clock_steady_ns() - first < 250 * CLOCK_MS - due_resolution_ns() - CLOCK_MS;
    peer_hear(other, heard);
    assert_true(!in_time || strcmp(heard, "IST_TIMEOUT -") == 0);
    waiter_begin(other, "any forever 0");
    set_clock(0);
    if (in_time)
        WAITER_HEAR(other, "IST_OK 0");
    peer_kill(other);
    peer_forget(other);
    waiter_close(&set);
}

#define RUN_CLOCKED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN_CLOCKED(an_absolute_timer_comes_when_the_clock_is_set_forward),
        RUN_CLOCKED(an_absolute_timer_waits_when_the_clock_is_set_back),
        RUN_CLOCKED(the_clock_as_it_is_when_a_timer_is_set_is_what_counts),
        RUN_CLOCKED(a_timer_that_has_come_is_not_taken_back_by_the_clock),
        RUN_CLOCKED(a_timer_that_was_seen_to_have_come_is_not_taken_back_by_the_clock),
        RUN_CLOCKED(a_timer_that_released_a_reader_is_not_taken_back_by_the_clock),
        RUN_CLOCKED(a_timer_that_a_wait_for_all_left_alone_is_not_taken_back_by_the_clock),
        RUN_CLOCKED(a_timer_that_came_by_a_step_is_signalled_after_a_cancel),
        RUN_CLOCKED(a_relative_timer_does_not_come_when_the_clock_is_set_forward),
        RUN_CLOCKED(a_relative_timer_comes_though_the_clock_is_set_back),
        RUN_CLOCKED(a_period_does_not_follow_the_clock),
        RUN_CLOCKED(a_timeout_does_not_follow_the_clock),
        RUN_CLOCKED(a_timeout_beside_an_absolute_timer_does_not_follow_the_clock),
        RUN_CLOCKED(blocked_waiters_in_all_processes_learn_that_the_clock_was_set_forward),
        RUN_CLOCKED(an_absolute_timer_follows_the_clock_after_its_setter_has_died),
        RUN_CLOCKED(a_blocked_waiter_is_not_released_when_the_clock_was_set_back_before),
    };
    return cmocka_run_group_tests_name("posix_clock", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {{"clocked", run_clocked}, {"flipper", run_flipper}};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
