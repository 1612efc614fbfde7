/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Semaphores: S1, S2, and what a wait takes. Those who wait for them are in semaphore_wait.c.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/sync.h"

static ist_semaphore *make(const char *name, uint32_t initial, uint32_t maximum)
{
    ist_semaphore *semaphore = NULL;
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    options.initial = initial;
    options.maximum = maximum;
    CHECK_OK(ist_semaphore_create(&semaphore, name, &options));
    return semaphore;
}

static peer *start_opener(const char *name)
{
    peer *who = sync_start_patient();
    PEER_ASK(who, "IST_OK", "open semaphore %s write", name);
    return who;
}

static ist_status try(const ist_semaphore *semaphore)
{
    return ist_wait(ist_semaphore_waitable(semaphore), 0);
}

static void check_count(const ist_semaphore *semaphore, uint32_t count, uint32_t maximum)
{
    ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
    CHECK_OK(ist_semaphore_query(semaphore, &state));
    assert_int_equal(state.count, count);
    assert_int_equal(state.maximum, maximum);
}

/* ---- what a semaphore may be ---- */

/* S1 */
TEST(a_count_and_a_maximum_within_the_limits_are_what_it_has)
{
    static const uint32_t legal[][2] = {
        {0, 1}, {1, 1}, {0, 7}, {7, 7}, {0, IST_SEMAPHORE_MAX}, {IST_SEMAPHORE_MAX, IST_SEMAPHORE_MAX}};
    for (size_t i = 0; i < COUNT_OF(legal); i++) {
        ist_semaphore *semaphore = make(NULL, legal[i][0], legal[i][1]);
        check_count(semaphore, legal[i][0], legal[i][1]);
        CHECK_STATUS(legal[i][0] > 0 ? IST_OK : IST_TIMEOUT, try(semaphore));
        ist_semaphore_close(semaphore);
    }
}

/* S1 */
TEST(a_maximum_of_0_means_the_highest)
{
    ist_semaphore *semaphore = make(NULL, 0, 0);
    check_count(semaphore, 0, IST_SEMAPHORE_MAX);
    ist_semaphore_close(semaphore);
    semaphore = make(NULL, IST_SEMAPHORE_MAX, 0);
    check_count(semaphore, IST_SEMAPHORE_MAX, IST_SEMAPHORE_MAX);
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, 1, NULL));
    ist_semaphore_close(semaphore);
    semaphore = NULL;
    CHECK_OK(ist_semaphore_create(&semaphore, NULL, NULL));
    check_count(semaphore, 0, IST_SEMAPHORE_MAX);
    ist_semaphore_close(semaphore);
}

/* S1 */
TEST(a_count_or_a_maximum_beyond_the_limits_is_refused)
{
    static const uint32_t illegal[][2] = {{2, 1},           {8, 7},          {0, 0x80000000u},        {1, UINT32_MAX},
                                          {0x80000000u, 0}, {UINT32_MAX, 0}, {UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < COUNT_OF(illegal); i++) {
        char name[NAME_SIZE];
        ist_semaphore *semaphore = (ist_semaphore *)&semaphore;
        ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
        options.initial = illegal[i][0];
        options.maximum = illegal[i][1];
        unique_name(name, "", "semaphore");
        CHECK_STATUS(IST_E_ARG, ist_semaphore_create(&semaphore, name, &options));
        assert_null(semaphore);
        CHECK_STATUS(IST_E_NOT_FOUND, ist_semaphore_open(&semaphore, name, IST_WRITE));
        ist_semaphore *there = make(name, 0, 1);
        CHECK_STATUS(IST_E_ARG, ist_semaphore_create(&semaphore, name, &options));
        check_count(there, 0, 1);
        ist_semaphore_close(there);
    }
}

/* N5 S1 */
TEST(what_is_asked_of_one_that_is_there_is_ignored)
{
    char name[NAME_SIZE];
    ist_semaphore *second = NULL;
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    unique_name(name, "", "semaphore");
    ist_semaphore *first = make(name, 2, 3);
    peer *other = start_opener(name);
    options.initial = 90;
    options.maximum = 100;
    CHECK_STATUS(IST_EXISTED, ist_semaphore_create(&second, name, &options));
    check_count(first, 2, 3);
    check_count(second, 2, 3);
    PEER_ASK(other, "IST_OK 2 3", "query");
    PEER_ASK(other, "ok", "slot 1");
    PEER_ASK(other, "IST_EXISTED", "create semaphore %s initial=1 maximum=1", name);
    PEER_ASK(other, "IST_OK 2 3", "query");
    ist_semaphore_close(first);
    ist_semaphore_close(second);
    peer_end(other);
}

/* ---- releasing and taking ---- */

/* S2 */
TEST(a_release_reports_the_count_from_before_to_whoever_releases)
{
    char name[NAME_SIZE];
    uint32_t previous = 77;
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 3, 100);
    peer *other = start_opener(name);
    CHECK_OK(ist_semaphore_release(semaphore, 1, &previous));
    assert_int_equal(previous, 3);
    PEER_ASK(other, "IST_OK 4", "release 10");
    CHECK_OK(ist_semaphore_release(semaphore, 86, &previous));
    assert_int_equal(previous, 14);
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_OK 99", "release");
    CHECK_OK(try(semaphore));
    CHECK_OK(ist_semaphore_release(semaphore, 1, NULL));
    check_count(semaphore, 100, 100);
    ist_semaphore_close(semaphore);
    peer_end(other);
}

/* S2 */
TEST(a_release_past_the_maximum_changes_nothing)
{
    static const uint32_t counts[] = {3, 4, 1000, IST_SEMAPHORE_MAX, 0x80000000u, UINT32_MAX};
    char name[NAME_SIZE];
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 3, 5);
    peer *other = start_opener(name);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        uint32_t previous = 77;
        CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, counts[i], &previous));
        assert_int_equal(previous, 77);
        PEER_ASK(other, "IST_E_LIMIT 0", "release %u", (unsigned)counts[i]);
        check_count(semaphore, 3, 5);
    }
    PEER_ASK(other, "IST_OK 3", "release 2");
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, 1, NULL));
    for (int i = 0; i < 5; i++)
        CHECK_OK(try(semaphore));
    CHECK_STATUS(IST_TIMEOUT, try(semaphore));
    ist_semaphore_close(semaphore);
    peer_end(other);
}

/* S2 */
TEST(a_release_of_nothing_is_refused)
{
    uint32_t previous = 77;
    ist_semaphore *semaphore = make(NULL, 1, 5);
    CHECK_STATUS(IST_E_ARG, ist_semaphore_release(semaphore, 0, &previous));
    assert_int_equal(previous, 77);
    check_count(semaphore, 1, 5);
    ist_semaphore_close(semaphore);
}

/* S2 */
TEST(a_release_from_0_to_the_highest_maximum_is_one_release)
{
    uint32_t previous = 77;
    ist_semaphore *semaphore = make(NULL, 0, 0);
    CHECK_OK(ist_semaphore_release(semaphore, IST_SEMAPHORE_MAX, &previous));
    assert_int_equal(previous, 0);
    CHECK_STATUS(IST_E_LIMIT, ist_semaphore_release(semaphore, 1, &previous));
    CHECK_OK(try(semaphore));
    CHECK_OK(ist_semaphore_release(semaphore, 1, &previous));
    assert_int_equal(previous, IST_SEMAPHORE_MAX - 1);
    ist_semaphore_close(semaphore);
}

/* S2 */
TEST(each_wait_takes_one_and_nobody_has_to_give_it_back)
{
    char name[NAME_SIZE];
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 2, 2);
    peer *other = start_opener(name);
    PEER_ASK(other, "IST_OK", "wait 0");
    CHECK_OK(try(semaphore));
    CHECK_STATUS(IST_TIMEOUT, try(semaphore));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    PEER_ASK(other, "IST_OK 0", "release 2");
    CHECK_OK(try(semaphore));
    PEER_ASK(other, "IST_OK 1 2", "query");
    ist_semaphore_close(semaphore);
    peer_end(other);
}

/* W5 */
TEST(a_wait_for_it_is_never_over_early)
{
    static const int64_t timeouts[] = {1, 1000, 3 * CLOCK_MS, 40 * CLOCK_MS + 1};
    ist_semaphore *semaphore = make(NULL, 0, 1);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        int64_t begun = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_semaphore_waitable(semaphore), timeouts[i]));
        assert_true(clock_steady_ns() - begun >= timeouts[i]);
    }
    ist_semaphore_close(semaphore);
}

/* ---- many at once ---- */

/* S2: the maximum is met exactly, and every previous count is reported once */
TEST(two_processes_that_release_at_once_reach_the_maximum_and_no_more)
{
    enum { MAXIMUM = 3000 };
    char name[NAME_SIZE];
    peer *all[2];
    unsigned long long times = 0;
    unsigned long long sum = 0;
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 0, MAXIMUM);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        all[i] = start_opener(name);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        peer_say(all[i], "pour %d", MAXIMUM);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        char answer[PEER_LINE_SIZE];
        unsigned long long got[2] = {0, 0};
        peer_hear(all[i], answer);
        assert_int_equal(sscanf(answer, "%llu %llu", &got[0], &got[1]), 2);
        times += got[0];
        sum += got[1];
        peer_end(all[i]);
    }
    assert_int_equal(times, MAXIMUM);
    assert_int_equal(sum, (unsigned long long)MAXIMUM * (MAXIMUM - 1) / 2);
    check_count(semaphore, MAXIMUM, MAXIMUM);
    ist_semaphore_close(semaphore);
}

/* S2 */
TEST(what_is_released_and_taken_at_once_adds_up)
{
    char name[NAME_SIZE];
    peer *all[4];
    unsigned long long balance = 5;
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 5, 9);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        all[i] = start_opener(name);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        peer_say(all[i], i % 2 == 0 ? "pour 4000" : "drain 4000");
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        char answer[PEER_LINE_SIZE];
        peer_hear(all[i], answer);
        unsigned long long got = strtoull(answer, NULL, 10);
        balance += i % 2 == 0 ? got : 0 - got;
        peer_end(all[i]);
    }
    assert_in_range(balance, 0, 9);
    check_count(semaphore, (uint32_t)balance, 9);
    ist_semaphore_close(semaphore);
}

/* Even threads release, odd ones take what they released. */
static void trade(void *context, size_t index)
{
    ist_semaphore *semaphore = context;
    for (int i = 0; i < 500; i++) {
        ist_status status = index % 2 == 0 ? ist_semaphore_release(semaphore, 1, NULL)
                                           : ist_wait(ist_semaphore_waitable(semaphore), IST_FOREVER);
        if (status != IST_OK)
            abort();
    }
}

/* S2 L10 */
TEST(threads_that_release_and_take_through_one_handle_all_come_to_an_end)
{
    ist_semaphore *semaphore = make(NULL, 0, 0);
    host_threads(8, trade, semaphore);
    check_count(semaphore, 0, IST_SEMAPHORE_MAX);
    ist_semaphore_close(semaphore);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_count_and_a_maximum_within_the_limits_are_what_it_has),
        RUN(a_maximum_of_0_means_the_highest),
        RUN(a_count_or_a_maximum_beyond_the_limits_is_refused),
        RUN(what_is_asked_of_one_that_is_there_is_ignored),
        RUN(a_release_reports_the_count_from_before_to_whoever_releases),
        RUN(a_release_past_the_maximum_changes_nothing),
        RUN(a_release_of_nothing_is_refused),
        RUN(a_release_from_0_to_the_highest_maximum_is_one_release),
        RUN(each_wait_takes_one_and_nobody_has_to_give_it_back),
        RUN(a_wait_for_it_is_never_over_early),
        RUN(two_processes_that_release_at_once_reach_the_maximum_and_no_more),
        RUN(what_is_released_and_taken_at_once_adds_up),
        RUN(threads_that_release_and_take_through_one_handle_all_come_to_an_end),
    };
    return cmocka_run_group_tests_name("semaphore", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
