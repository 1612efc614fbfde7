/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the core asks a backend for by the calls that each kind has for itself, and by waits; and that it asks nothing
 * where an argument is wrong.
 */
#include "support/check.h"

#include "fake/fake.h"

static ist_mutex *mutex;
static ist_semaphore *semaphore;
static ist_event *event;
static ist_timer *timer;
static const ist_waitable *items[4];
static plat_object *halves[4];

static int setup(void **state)
{
    (void)state;
    fake_reset();
    CHECK_OK(ist_mutex_create(&mutex, NULL, NULL));
    halves[0] = fake_newest();
    CHECK_OK(ist_semaphore_create(&semaphore, NULL, NULL));
    halves[1] = fake_newest();
    CHECK_OK(ist_event_create(&event, NULL, NULL));
    halves[2] = fake_newest();
    CHECK_OK(ist_timer_create(&timer, NULL, NULL));
    halves[3] = fake_newest();
    items[0] = ist_mutex_waitable(mutex);
    items[1] = ist_semaphore_waitable(semaphore);
    items[2] = ist_event_waitable(event);
    items[3] = ist_timer_waitable(timer);
    fake_fail(0, IST_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ist_mutex_close(mutex);
    ist_semaphore_close(semaphore);
    ist_event_close(event);
    ist_timer_close(timer);
    fake_ledger end = fake_ledger_now();
    fake_reset();
    return end.memory + end.objects + end.errors == 0 ? 0 : -1;
}

/* ---- what each kind is made of ---- */

TEST(a_mutex_is_asked_for_as_its_options_say)
{
    ist_mutex_options options = IST_MUTEX_OPTIONS_INIT;
    ist_mutex *made = NULL;
    for (uint32_t owned = 0; owned < 2; owned++) {
        options.initially_owned = owned;
        CHECK_OK(ist_mutex_create(&made, NULL, &options));
        assert_true(fake_last.object_request.initially == (owned != 0));
        ist_mutex_close(made);
    }
    options.initially_owned = 2;
    fake_fail(0, IST_OK);
    CHECK_STATUS(IST_E_ARG, ist_mutex_create(&made, NULL, &options));
    assert_int_equal(fake_calls(), 0);
}

typedef struct semaphore_row {
    uint32_t initial;
    uint32_t maximum;
    uint32_t asked; /* maximum; 0 where the call is refused */
} semaphore_row;

/* S1 */
TEST(a_semaphore_is_asked_for_with_its_maximum_filled_in)
{
    static const semaphore_row rows[] = {
        {0, 0, IST_SEMAPHORE_MAX},
        {0, 1, 1},
        {1, 1, 1},
        {2, 1, 0},
        {IST_SEMAPHORE_MAX, 0, IST_SEMAPHORE_MAX},
        {IST_SEMAPHORE_MAX, IST_SEMAPHORE_MAX, IST_SEMAPHORE_MAX},
        {0, IST_SEMAPHORE_MAX + 1u, 0},
        {IST_SEMAPHORE_MAX + 1u, 0, 0},
        {UINT32_MAX, UINT32_MAX, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
        ist_semaphore *made = NULL;
        options.initial = rows[i].initial;
        options.maximum = rows[i].maximum;
        fake_fail(0, IST_OK);
        CHECK_STATUS(rows[i].asked != 0 ? IST_OK : IST_E_ARG, ist_semaphore_create(&made, NULL, &options));
        if (rows[i].asked != 0) {
            assert_int_equal(fake_last.object_request.initial, rows[i].initial);
            assert_int_equal(fake_last.object_request.maximum, rows[i].asked);
        } else {
            assert_int_equal(fake_calls(), 0);
            assert_null(made);
        }
        ist_semaphore_close(made);
    }
}

TEST(an_event_and_a_timer_are_asked_for_as_their_options_say)
{
    for (uint32_t bits = 0; bits < 4; bits++) {
        ist_event_options options = IST_EVENT_OPTIONS_INIT;
        ist_timer_options timer_options = IST_TIMER_OPTIONS_INIT;
        ist_event *made = NULL;
        ist_timer *made_timer = NULL;
        options.manual_reset = bits & 1;
        options.initially_set = bits >> 1;
        CHECK_OK(ist_event_create(&made, NULL, &options));
        assert_true(fake_last.object_request.manual_reset == ((bits & 1) != 0));
        assert_true(fake_last.object_request.initially == (bits >> 1 != 0));
        ist_event_close(made);
        timer_options.manual_reset = bits & 1;
        CHECK_OK(ist_timer_create(&made_timer, NULL, &timer_options));
        assert_true(fake_last.object_request.manual_reset == ((bits & 1) != 0));
        ist_timer_close(made_timer);
    }
}

TEST(an_option_that_is_neither_yes_nor_no_asks_nothing)
{
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    ist_timer_options timer_options = IST_TIMER_OPTIONS_INIT;
    ist_event *made = NULL;
    ist_timer *made_timer = NULL;
    options.manual_reset = 2;
    CHECK_STATUS(IST_E_ARG, ist_event_create(&made, NULL, &options));
    options.manual_reset = 0;
    options.initially_set = UINT32_MAX;
    CHECK_STATUS(IST_E_ARG, ist_event_create(&made, NULL, &options));
    timer_options.manual_reset = 2;
    CHECK_STATUS(IST_E_ARG, ist_timer_create(&made_timer, NULL, &timer_options));
    assert_int_equal(fake_calls(), 0);
}

/* ---- what is done with them ---- */

TEST(each_call_asks_for_its_own_object)
{
    CHECK_OK(ist_mutex_release(mutex));
    assert_ptr_equal(fake_last.object, halves[0]);
    CHECK_OK(ist_semaphore_release(semaphore, 1, NULL));
    assert_ptr_equal(fake_last.object, halves[1]);
    CHECK_OK(ist_event_set(event));
    assert_ptr_equal(fake_last.object, halves[2]);
    fake_last.object = NULL;
    CHECK_OK(ist_event_reset(event));
    assert_ptr_equal(fake_last.object, halves[2]);
    CHECK_OK(ist_timer_set(timer, IST_TIMER_RELATIVE, 0, 0));
    assert_ptr_equal(fake_last.object, halves[3]);
    fake_last.object = NULL;
    CHECK_OK(ist_timer_cancel(timer));
    assert_ptr_equal(fake_last.object, halves[3]);
    assert_int_equal(fake_plat_calls(), 6);
}

TEST(no_handle_asks_nothing)
{
    CHECK_STATUS(IST_E_ARG, ist_mutex_release(NULL));
    CHECK_STATUS(IST_E_ARG, ist_mutex_acquire(NULL, 0));
    CHECK_STATUS(IST_E_ARG, ist_semaphore_release(NULL, 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_event_set(NULL));
    CHECK_STATUS(IST_E_ARG, ist_event_reset(NULL));
    CHECK_STATUS(IST_E_ARG, ist_timer_set(NULL, IST_TIMER_RELATIVE, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_timer_cancel(NULL));
    CHECK_STATUS(IST_E_ARG, ist_wait(NULL, 0));
    assert_int_equal(fake_calls(), 0);
}

/* S2 */
TEST(a_release_tells_the_count_from_before_only_when_it_is_done)
{
    uint32_t previous = 7;
    CHECK_OK(ist_semaphore_release(semaphore, IST_SEMAPHORE_MAX, &previous));
    assert_int_equal(fake_last.count, IST_SEMAPHORE_MAX);
    assert_int_equal(previous, FAKE_PREVIOUS);
    previous = 7;
    fake_fail(1, IST_E_LIMIT);
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, 1, &previous));
    assert_int_equal(previous, 7);
    fake_fail(0, IST_OK);
    CHECK_STATUS(IST_E_ARG, ist_semaphore_release(semaphore, 0, &previous));
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, IST_SEMAPHORE_MAX + 1u, &previous));
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, UINT32_MAX, &previous));
    assert_int_equal(fake_calls(), 0);
    assert_int_equal(previous, 7);
}

typedef struct timer_row {
    int clock;
    int64_t due_ns;
    uint32_t period_ms;
    bool fine;
} timer_row;

/* T1 */
TEST(a_due_time_and_a_period_are_checked_and_arrive)
{
    static const timer_row rows[] = {
        {IST_TIMER_RELATIVE, 0, 0, true},
        {IST_TIMER_RELATIVE, 1, 1, true},
        {IST_TIMER_RELATIVE, INT64_MAX, IST_TIMER_PERIOD_MAX, true},
        {IST_TIMER_RELATIVE, -1, 0, false},
        {IST_TIMER_RELATIVE, INT64_MIN, 0, false},
        {IST_TIMER_RELATIVE, 0, IST_TIMER_PERIOD_MAX + 1u, false},
        {IST_TIMER_UTC, INT64_MIN, 0, true},
        {IST_TIMER_UTC, -1, 0, true},
        {IST_TIMER_UTC, INT64_MAX, 5, true},
        {IST_TIMER_UTC, 0, UINT32_MAX, false},
        {2, 0, 0, false},
        {-1, 0, 0, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fake_fail(0, IST_OK);
        CHECK_STATUS(rows[i].fine ? IST_OK : IST_E_ARG,
                     ist_timer_set(timer, (ist_timer_clock)rows[i].clock, rows[i].due_ns, rows[i].period_ms));
        assert_int_equal(fake_calls(), rows[i].fine);
        if (rows[i].fine) {
            assert_true(fake_last.absolute == (rows[i].clock == IST_TIMER_UTC));
            assert_true(fake_last.due_ns == rows[i].due_ns);
            assert_int_equal(fake_last.period_ms, rows[i].period_ms);
        }
    }
}

/* ---- waits ---- */

static void check_asked(size_t first, size_t count, bool all, int64_t timeout_ns, const plat_object *signal)
{
    assert_int_equal(fake_plat_calls(), 1);
    assert_int_equal(fake_last.wait.count, count);
    assert_true(fake_last.wait.all == all);
    assert_true(fake_last.wait.timeout_ns == timeout_ns);
    assert_ptr_equal(fake_last.wait.signal, signal);
    for (size_t n = 0; n < count; n++)
        assert_ptr_equal(fake_last.wait.items[n], halves[first + n]);
    fake_fail(0, IST_OK);
}

TEST(a_wait_asks_for_what_it_was_given)
{
    CHECK_OK(ist_wait(items[1], 5));
    check_asked(1, 1, false, 5, NULL);
    CHECK_OK(ist_mutex_acquire(mutex, IST_FOREVER));
    check_asked(0, 1, false, IST_FOREVER, NULL);
    CHECK_OK(ist_wait_any(items, 4, 0, NULL));
    check_asked(0, 4, false, 0, NULL);
    CHECK_OK(ist_wait_all(items, 4, INT64_MAX));
    check_asked(0, 4, true, INT64_MAX, NULL);
    CHECK_OK(ist_wait_all(items + 2, 1, 1));
    check_asked(2, 1, true, 1, NULL);
    for (size_t n = 0; n < 3; n++) {
        CHECK_OK(ist_signal_and_wait(items[n], items[3], 7));
        check_asked(3, 1, false, 7, halves[n]);
    }
    CHECK_OK(ist_signal_and_wait(items[0], items[0], 7));
    check_asked(0, 1, false, 7, halves[0]);
}

/* W6 */
TEST(a_wait_for_one_that_is_quick_asks_no_more)
{
    fake_pretend_quick(true);
    CHECK_OK(ist_wait(items[1], IST_FOREVER));
    assert_ptr_equal(fake_last.object, halves[1]);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    assert_ptr_equal(fake_last.object, halves[0]);
    assert_int_equal(fake_calls(), 0);
    fake_last.object = NULL;
    CHECK_OK(ist_wait_any(items, 1, 0, NULL));
    CHECK_OK(ist_wait_all(items, 1, 0));
    CHECK_OK(ist_signal_and_wait(items[0], items[1], 0));
    assert_int_equal(fake_plat_calls(), 3);
    assert_null(fake_last.object);
}

/* W1 W5 */
TEST(a_wait_of_a_wrong_shape_asks_nothing)
{
    fake_pretend_quick(true);
    const ist_waitable *many[IST_WAIT_MAX + 1];
    const ist_waitable *hole[2] = {items[0], NULL};
    size_t index = 7;
    for (size_t n = 0; n < COUNT_OF(many); n++)
        many[n] = items[n % 4];
    CHECK_STATUS(IST_E_ARG, ist_wait(items[0], -2));
    CHECK_STATUS(IST_E_ARG, ist_wait(items[0], INT64_MIN));
    CHECK_STATUS(IST_E_ARG, ist_mutex_acquire(mutex, -2));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(items, 4, -2, &index));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 4, -2));
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(items[0], items[1], -2));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(items, 0, 0, &index));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(NULL, 1, 0, &index));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(NULL, 1, 0));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(many, IST_WAIT_MAX + 1, 0, &index));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(many, IST_WAIT_MAX + 1, 0));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(many, SIZE_MAX, 0, &index));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(hole, 2, 0, &index));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(hole, 2, 0));
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(NULL, items[1], 0));
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(items[0], NULL, 0));
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(items[3], items[0], 0));
    assert_int_equal(fake_calls(), 0);
    assert_int_equal(index, 7);
}

/* W1 */
TEST(one_handle_twice_is_refused_in_a_wait_for_all_only)
{
    const ist_waitable *twice[3] = {items[1], items[2], items[1]};
    CHECK_STATUS(IST_E_ARG, ist_wait_all(twice, 3, 0));
    assert_int_equal(fake_calls(), 0);
    CHECK_OK(ist_wait_any(twice, 3, 0, NULL));
    assert_int_equal(fake_last.wait.count, 3);
}

/* W1 */
TEST(sixty_four_items_arrive_in_their_order)
{
    ist_semaphore *made[IST_WAIT_MAX];
    const ist_waitable *many[COUNT_OF(made)];
    plat_object *many_halves[COUNT_OF(made)];
    for (size_t n = 0; n < COUNT_OF(made); n++) {
        CHECK_OK(ist_semaphore_create(&made[n], NULL, NULL));
        many[n] = ist_semaphore_waitable(made[n]);
        many_halves[n] = fake_newest();
    }
    CHECK_OK(ist_wait_all(many, COUNT_OF(many), 0));
    assert_int_equal(fake_last.wait.count, COUNT_OF(many));
    assert_memory_equal(fake_last.items, many_halves, sizeof many_halves);
    for (size_t n = 0; n < COUNT_OF(made); n++)
        ist_semaphore_close(made[n]);
}

/* W2 W4 */
TEST(an_index_is_told_when_something_was_taken_and_only_then)
{
    size_t index = 7;
    fake_pretend_wait(IST_OK, 2);
    CHECK_OK(ist_wait_any(items, 4, 0, &index));
    assert_int_equal(index, 2);
    fake_pretend_wait(IST_ABANDONED, 1);
    CHECK_STATUS(IST_ABANDONED, ist_wait_any(items, 4, 0, &index));
    assert_int_equal(index, 1);
    index = 7;
    fake_pretend_wait(IST_TIMEOUT, 3);
    CHECK_STATUS(IST_TIMEOUT, ist_wait_any(items, 4, 0, &index));
    assert_int_equal(index, 7);
    fake_fail(1, IST_E_CORRUPT);
    CHECK_STATUS(IST_E_CORRUPT, ist_wait_any(items, 4, 0, &index));
    assert_int_equal(index, 7);
}

TEST(news_of_a_wait_comes_through)
{
    static const ist_status news[] = {IST_OK, IST_ABANDONED, IST_TIMEOUT};
    for (size_t i = 0; i < COUNT_OF(news); i++) {
        fake_pretend_wait(news[i], 0);
        CHECK_STATUS(news[i], ist_wait(items[0], 0));
        CHECK_STATUS(news[i], ist_mutex_acquire(mutex, 0));
        CHECK_STATUS(news[i], ist_wait_any(items, 4, 0, NULL));
        CHECK_STATUS(news[i], ist_wait_all(items, 4, 0));
        CHECK_STATUS(news[i], ist_signal_and_wait(items[0], items[1], 0));
    }
}

#define RUN_OVER_FAKE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RUN_OVER_FAKE(a_mutex_is_asked_for_as_its_options_say),
        RUN_OVER_FAKE(a_semaphore_is_asked_for_with_its_maximum_filled_in),
        RUN_OVER_FAKE(an_event_and_a_timer_are_asked_for_as_their_options_say),
        RUN_OVER_FAKE(an_option_that_is_neither_yes_nor_no_asks_nothing),
        RUN_OVER_FAKE(each_call_asks_for_its_own_object),
        RUN_OVER_FAKE(no_handle_asks_nothing),
        RUN_OVER_FAKE(a_release_tells_the_count_from_before_only_when_it_is_done),
        RUN_OVER_FAKE(a_due_time_and_a_period_are_checked_and_arrive),
        RUN_OVER_FAKE(a_wait_asks_for_what_it_was_given),
        RUN_OVER_FAKE(a_wait_for_one_that_is_quick_asks_no_more),
        RUN_OVER_FAKE(a_wait_of_a_wrong_shape_asks_nothing),
        RUN_OVER_FAKE(one_handle_twice_is_refused_in_a_wait_for_all_only),
        RUN_OVER_FAKE(sixty_four_items_arrive_in_their_order),
        RUN_OVER_FAKE(an_index_is_told_when_something_was_taken_and_only_then),
        RUN_OVER_FAKE(news_of_a_wait_comes_through),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
