/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What all waits have in common: what they may be asked (W1), time (W5), handles for reading (A1). W2 is in wait_any.c,
 * W3 in wait_all.c, W7 in tests/process.
 */
#include "support/clock.h"
#include "support/waiter.h"

static ist_status any(const waiter_set *set, int64_t timeout_ns)
{
    return ist_wait_any(set->items, set->count, timeout_ns, NULL);
}

static ist_status all(const waiter_set *set, int64_t timeout_ns)
{
    return ist_wait_all(set->items, set->count, timeout_ns);
}

/* ---- how many, and which ---- */

/* W1 */
TEST(a_wait_for_nothing_is_refused)
{
    waiter_set set;
    waiter_make(&set, "manual-set", (char *)NULL);
    CHECK_STATUS(IST_E_ARG, ist_wait(NULL, 0));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(set.items, 0, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(set.items, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_wait_any(NULL, 0, IST_FOREVER, NULL));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(NULL, 1, IST_FOREVER));
    waiter_close(&set);
}

static void make_many(waiter_set *set)
{
    static const char *const sorts[] = {"mutex", "1", "set", "manual-set", "timer", "manual-timer"};
    memset(set, 0, sizeof *set);
    for (size_t i = 0; i < IST_WAIT_MAX; i++) {
        waiter_set one;
        waiter_make(&one, sorts[i % COUNT_OF(sorts)], (char *)NULL);
        set->items[i] = one.items[0];
        set->handles[i] = one.handles[0];
        set->sorts[i] = one.sorts[0];
        memcpy(set->names[i], one.names[0], NAME_SIZE);
        set->count++;
        if (set->sorts[i] == KIND_TIMER)
            CHECK_OK(ist_timer_set(set->handles[i], IST_TIMER_RELATIVE, 0, 0));
    }
}

/* W1 */
TEST(sixty_four_objects_of_all_kinds_are_waited_for)
{
    waiter_set set;
    size_t index = 99;
    make_many(&set);
    CHECK_OK(all(&set, 0));
    for (size_t i = 0; i < IST_WAIT_MAX; i++) {
        bool taken = i % 6 == 1 || i % 6 == 2 || i % 6 == 4;
        CHECK_STATUS(taken ? IST_TIMEOUT : IST_OK, ist_wait(set.items[i], 0));
    }
    CHECK_STATUS(IST_TIMEOUT, all(&set, 0));
    CHECK_OK(ist_wait_any(set.items + 1, IST_WAIT_MAX - 1, 0, &index));
    assert_int_equal(index, 2);
    waiter_close(&set);
}

/* W1 */
TEST(sixty_five_objects_are_refused)
{
    const ist_waitable *items[IST_WAIT_MAX + 1];
    waiter_set set;
    size_t index = 99;
    make_many(&set);
    memcpy(items, set.items, sizeof set.items);
    items[IST_WAIT_MAX] = set.items[0];
    CHECK_STATUS(IST_E_ARG, ist_wait_any(items, IST_WAIT_MAX + 1, 0, &index));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(items, IST_WAIT_MAX + 1, 0));
    assert_int_equal(index, 99);
    waiter_close(&set);
}

/* W1 */
TEST(an_item_that_is_none_is_refused_wherever_it_stands)
{
    waiter_set set;
    waiter_make(&set, "1", "1", "1", (char *)NULL);
    for (size_t i = 0; i < 3; i++) {
        const ist_waitable *items[3];
        memcpy(items, set.items, sizeof items);
        items[i] = NULL;
        CHECK_STATUS(IST_E_ARG, ist_wait_any(items, 3, 0, NULL));
        CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 3, 0));
    }
    WAITER_CHECK(&set, "1 1 1");
    waiter_close(&set);
}

static const char *const signalled_sorts[] = {"mutex", "2", "set", "manual-set", "timer", "manual-timer"};
static const char *const unsignalled_sorts[] = {"0", "event", "manual", "timer"};

/* W1 */
TEST(one_object_twice_by_one_handle_is_refused_in_a_wait_for_all)
{
    for (size_t i = 0; i < COUNT_OF(signalled_sorts); i++) {
        waiter_set set;
        waiter_make(&set, signalled_sorts[i], "1", (char *)NULL);
        const ist_waitable *items[3] = {set.items[0], set.items[1], set.items[0]};
        CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 3, 0));
        CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 3, IST_FOREVER));
        assert_int_equal(set.sorts[1], KIND_SEMAPHORE);
        CHECK_OK(ist_wait(set.items[1], 0));
        waiter_close(&set);
    }
}

static void check_two_handles(const char *sort)
{
    waiter_set set;
    void *opened = NULL;
    void *imported = NULL;
    char name[NAME_SIZE + 8];
    char token[IST_TOKEN_SIZE];
    waiter_make(&set, sort, "1", (char *)NULL);
    const kind *row = &kinds[set.sorts[0]];
    (void)snprintf(name, sizeof name, "Local\\%s", set.names[0]);
    CHECK_OK(row->open(&opened, name, IST_WRITE));
    CHECK_OK(row->export(set.handles[0], ist_process_id(), IST_WRITE, token));
    CHECK_OK(row->import(&imported, token));
    const ist_waitable *items[3] = {set.items[0], set.items[1], row->waitable(opened)};
    CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 3, 0));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 3, IST_FOREVER));
    items[0] = row->waitable(imported);
    CHECK_STATUS(IST_E_ARG, ist_wait_all(items, 3, 0));
    CHECK_OK(ist_wait(set.items[1], 0));
    row->close(imported);
    row->close(opened);
    waiter_close(&set);
}

/* W1 */
TEST(one_object_twice_by_two_handles_is_refused_in_a_wait_for_all)
{
    for (size_t i = 0; i < COUNT_OF(signalled_sorts); i++)
        check_two_handles(signalled_sorts[i]);
    for (size_t i = 0; i < COUNT_OF(unsignalled_sorts); i++)
        check_two_handles(unsignalled_sorts[i]);
}

/* W1 */
TEST(one_object_twice_is_no_matter_in_a_wait_for_any)
{
    for (size_t i = 0; i < COUNT_OF(signalled_sorts); i++) {
        waiter_set set;
        size_t index = 9;
        waiter_make(&set, signalled_sorts[i], (char *)NULL);
        const ist_waitable *items[3] = {set.items[0], set.items[0], set.items[0]};
        if (set.sorts[0] == KIND_TIMER)
            CHECK_OK(ist_timer_set(set.handles[0], IST_TIMER_RELATIVE, 0, 0));
        CHECK_OK(ist_wait_any(items, 3, 0, &index));
        assert_int_equal(index, 0);
        if (set.sorts[0] == KIND_SEMAPHORE)
            WAITER_CHECK(&set, "1");
        waiter_close(&set);
    }
}

/* W1 */
TEST(the_callers_own_mutex_counts_as_free_in_every_wait)
{
    waiter_set set;
    waiter_make(&set, "owned", (char *)NULL);
    peer *other = waiter_start(&set);
    CHECK_OK(ist_wait(set.items[0], 0));
    CHECK_OK(any(&set, 0));
    CHECK_OK(all(&set, 0));
    CHECK_OK(all(&set, IST_FOREVER));
    for (int n = 0; n < 5; n++) {
        PEER_ASK(other, "IST_TIMEOUT -", "any 0 0");
        CHECK_OK(ist_mutex_release(set.handles[0]));
    }
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(set.handles[0]));
    PEER_ASK(other, "IST_OK 0", "any 0 0");
    peer_end(other);
    waiter_close(&set);
}

/* ---- time ---- */

/* W5 */
TEST(a_negative_timeout_is_refused)
{
    static const int64_t wrong[] = {-2, -1000000, INT64_MIN};
    waiter_set set;
    waiter_make(&set, "2", (char *)NULL);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        CHECK_STATUS(IST_E_ARG, ist_wait(set.items[0], wrong[i]));
        CHECK_STATUS(IST_E_ARG, any(&set, wrong[i]));
        CHECK_STATUS(IST_E_ARG, all(&set, wrong[i]));
        CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(set.items[0], set.items[0], wrong[i]));
    }
    WAITER_CHECK(&set, "2");
    waiter_close(&set);
}

/* W5: of what is free, whatever the timeout */
TEST(what_is_signalled_is_taken_whatever_the_timeout)
{
    static const int64_t timeouts[] = {0, 1, 99, 1000000, INT64_MAX - 1, INT64_MAX, IST_FOREVER};
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        waiter_set set;
        waiter_make(&set, "2", "set", "mutex", (char *)NULL);
        CHECK_OK(ist_wait(set.items[0], timeouts[i]));
        CHECK_OK(any(&set, timeouts[i]));
        CHECK_OK(ist_semaphore_release(set.handles[0], 1, NULL));
        CHECK_OK(all(&set, timeouts[i]));
        waiter_close(&set);
    }
}

/* W5 */
TEST(polling_what_is_not_signalled_comes_back_with_nothing)
{
    for (size_t i = 0; i < COUNT_OF(unsignalled_sorts); i++) {
        waiter_set set;
        waiter_make(&set, unsignalled_sorts[i], (char *)NULL);
        for (int n = 0; n < 1000; n++) {
            CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[0], 0));
            CHECK_STATUS(IST_TIMEOUT, any(&set, 0));
            CHECK_STATUS(IST_TIMEOUT, all(&set, 0));
        }
        waiter_close(&set);
    }
}

/* W5 */
TEST(a_timeout_is_never_early)
{
    static const int64_t timeouts[] = {1, 100, 1001, 999999, 1000001, 7 * CLOCK_MS + 13, 33 * CLOCK_MS, 120 * CLOCK_MS};
    waiter_set set;
    waiter_make(&set, "0", "manual", "timer", (char *)NULL);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        int64_t start = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_wait(set.items[i % 3], timeouts[i]));
        assert_true(clock_steady_ns() - start >= timeouts[i]);
        start = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, any(&set, timeouts[i]));
        assert_true(clock_steady_ns() - start >= timeouts[i]);
        start = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, all(&set, timeouts[i]));
        assert_true(clock_steady_ns() - start >= timeouts[i]);
    }
    waiter_close(&set);
}

/* W5 X5: woken again and again for nothing, a wait keeps its own end */
TEST(a_timeout_is_kept_while_an_object_comes_and_goes)
{
    enum { ROUNDS = 100 }; /* the lines and the answers fit into the pipes */
    waiter_set set;
    waiter_make(&set, "mutex", "0", (char *)NULL);
    peer *other = waiter_start(&set);
    PEER_ASK(other, "IST_OK 0", "any 0 0");
    for (int n = 0; n < ROUNDS; n++) {
        peer_say(other, "release 1");
        peer_say(other, "any 0 1");
    }
    int64_t start = clock_steady_ns();
    CHECK_STATUS(IST_TIMEOUT, all(&set, 200 * CLOCK_MS));
    assert_true(clock_steady_ns() - start >= 200 * CLOCK_MS);
    for (int n = 0; n < ROUNDS; n++) {
        WAITER_HEAR(other, "IST_OK");
        WAITER_HEAR(other, "IST_OK 0");
    }
    WAITER_CHECK(&set, "1 0");
    peer_end(other);
    waiter_close(&set);
}

/* W5 */
TEST(a_wait_of_centuries_ends_when_it_is_signalled)
{
    waiter_set set;
    waiter_make(&set, "event", "0", (char *)NULL);
    peer *other = waiter_start_patient(&set);
    waiter_begin(other, "any 9223372036854 0");
    CHECK_OK(ist_event_set(set.handles[0]));
    WAITER_HEAR(other, "IST_OK 0");
    waiter_begin(other, "all 9223372036854 0 1");
    CHECK_OK(ist_event_set(set.handles[0]));
    CHECK_OK(ist_semaphore_release(set.handles[1], 1, NULL));
    WAITER_HEAR(other, "IST_OK");
    peer_end(other);
    waiter_close(&set);
}

/* ---- handles for reading ---- */

typedef struct reader_row {
    const char *sort;
    ist_status expected;
} reader_row;

/* A1 */
TEST(a_handle_for_reading_waits_only_for_what_a_wait_does_not_take)
{
    static const reader_row rows[] = {
        {"mutex", IST_E_ACCESS}, {"1", IST_E_ACCESS},     {"set", IST_E_ACCESS},
        {"manual-set", IST_OK},  {"0", IST_E_ACCESS},     {"event", IST_E_ACCESS},
        {"timer", IST_E_ACCESS}, {"manual", IST_TIMEOUT}, {"manual-timer", IST_TIMEOUT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        waiter_set set;
        void *reader = NULL;
        waiter_make(&set, rows[i].sort, "manual-set", "1", (char *)NULL);
        CHECK_OK(kinds[set.sorts[0]].open(&reader, set.names[0], IST_READ));
        const ist_waitable *items[3] = {kinds[set.sorts[0]].waitable(reader), set.items[1], set.items[2]};
        bool refused = rows[i].expected == IST_E_ACCESS;
        CHECK_ROW(rows[i].sort, rows[i].expected, ist_wait(items[0], 0));
        CHECK_ROW(rows[i].sort, rows[i].expected, ist_wait_all(items, 3, 0));
        CHECK_ROW(rows[i].sort, refused ? IST_E_ACCESS : IST_OK, ist_wait_any(items, 3, 0, NULL));
        /* Also where the wait would not come to it. */
        const ist_waitable *behind[2] = {set.items[1], items[0]};
        CHECK_ROW(rows[i].sort, refused ? IST_E_ACCESS : IST_OK, ist_wait_any(behind, 2, 0, NULL));
        if (rows[i].expected != IST_OK)
            CHECK_OK(ist_wait(set.items[2], 0));
        kinds[set.sorts[0]].close(reader);
        waiter_close(&set);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_wait_for_nothing_is_refused),
        RUN(sixty_four_objects_of_all_kinds_are_waited_for),
        RUN(sixty_five_objects_are_refused),
        RUN(an_item_that_is_none_is_refused_wherever_it_stands),
        RUN(one_object_twice_by_one_handle_is_refused_in_a_wait_for_all),
        RUN(one_object_twice_by_two_handles_is_refused_in_a_wait_for_all),
        RUN(one_object_twice_is_no_matter_in_a_wait_for_any),
        RUN(the_callers_own_mutex_counts_as_free_in_every_wait),
        RUN(a_negative_timeout_is_refused),
        RUN(what_is_signalled_is_taken_whatever_the_timeout),
        RUN(polling_what_is_not_signalled_comes_back_with_nothing),
        RUN(a_timeout_is_never_early),
        RUN(a_timeout_is_kept_while_an_object_comes_and_goes),
        RUN(a_wait_of_centuries_ends_when_it_is_signalled),
        RUN(a_handle_for_reading_waits_only_for_what_a_wait_does_not_take),
    };
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {WAITER_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
