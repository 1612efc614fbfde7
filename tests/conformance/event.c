/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Events as a single thread at a time sees them: E1, E3, N5. Those who are blocked are in event_wait.c.
 */
#include "support/clock.h"
#include "support/sync.h"

static ist_event *make(const char *name, bool manual, bool set)
{
    ist_event *event = NULL;
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    options.manual_reset = manual;
    options.initially_set = set;
    CHECK_OK(ist_event_create(&event, name, &options));
    return event;
}

static peer *start_opener(const char *name)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "open event %s write", name);
    return who;
}

static ist_status try(const ist_event *event)
{
    return ist_wait(ist_event_waitable(event), 0);
}

static void check_state(const ist_event *event, uint32_t manual, uint32_t set)
{
    ist_event_state state = IST_EVENT_STATE_INIT;
    CHECK_OK(ist_event_query(event, &state));
    assert_int_equal(state.manual_reset, manual);
    assert_int_equal(state.set, set);
}

/* ---- automatic ---- */

/* E1 */
TEST(an_automatic_event_that_is_set_lets_one_wait_through)
{
    char name[NAME_SIZE];
    unique_name(name, "", "event");
    ist_event *event = make(name, false, false);
    peer *other = start_opener(name);
    CHECK_STATUS(IST_TIMEOUT, try(event));
    CHECK_OK(ist_event_set(event));
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    CHECK_STATUS(IST_TIMEOUT, try(event));
    PEER_ASK(other, "IST_OK", "set");
    CHECK_OK(try(event));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    ist_event_close(event);
    peer_end(other);
}

/* E1 */
TEST(sets_that_come_before_one_has_been_taken_count_as_one)
{
    char name[NAME_SIZE];
    unique_name(name, "", "event");
    ist_event *event = make(name, false, false);
    peer *other = start_opener(name);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(ist_event_set(event));
        PEER_ASK(other, "IST_OK", "set");
    }
    CHECK_OK(try(event));
    CHECK_STATUS(IST_TIMEOUT, try(event));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    ist_event_close(event);
    peer_end(other);
}

/* E1 */
TEST(a_reset_takes_the_set_of_an_automatic_event)
{
    char name[NAME_SIZE];
    unique_name(name, "", "event");
    ist_event *event = make(name, false, false);
    peer *other = start_opener(name);
    CHECK_OK(ist_event_reset(event));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(ist_event_set(event));
        PEER_ASK(other, "IST_OK", "reset");
        PEER_ASK(other, "IST_OK", "reset");
        CHECK_STATUS(IST_TIMEOUT, try(event));
    }
    ist_event_close(event);
    peer_end(other);
}

/* ---- manual reset ---- */

/* E1 */
TEST(a_manual_reset_event_stays_set_until_it_is_reset)
{
    char name[NAME_SIZE];
    unique_name(name, "", "event");
    ist_event *event = make(name, true, false);
    peer *other = start_opener(name);
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    CHECK_OK(ist_event_set(event));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(try(event));
        PEER_ASK(other, "IST_OK", "wait 0");
        PEER_ASK(other, "IST_OK", "threads 1 wait 0");
    }
    PEER_ASK(other, "IST_OK", "reset");
    CHECK_STATUS(IST_TIMEOUT, try(event));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    ist_event_close(event);
    peer_end(other);
}

/* E1: a set that is over releases nobody who comes later */
TEST(who_comes_after_the_reset_waits)
{
    char name[NAME_SIZE];
    unique_name(name, "", "event");
    ist_event *event = make(name, true, false);
    peer *other = start_opener(name);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(ist_event_set(event));
        CHECK_OK(ist_event_reset(event));
        PEER_ASK(other, "IST_TIMEOUT", "wait 0");
        CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(event), CLOCK_MS));
    }
    ist_event_close(event);
    peer_end(other);
}

/* E3 */
TEST(setting_and_resetting_again_changes_nothing)
{
    ist_event *event = make(NULL, true, false);
    for (int i = 0; i < 2; i++)
        CHECK_OK(ist_event_reset(event));
    check_state(event, 1, 0);
    for (int i = 0; i < 2; i++)
        CHECK_OK(ist_event_set(event));
    check_state(event, 1, 1);
    for (int i = 0; i < 2; i++)
        CHECK_OK(ist_event_reset(event));
    check_state(event, 1, 0);
    CHECK_STATUS(IST_TIMEOUT, try(event));
    ist_event_close(event);
}

/* ---- both ---- */

TEST(an_event_may_be_created_set)
{
    for (int manual = 0; manual < 2; manual++) {
        char name[NAME_SIZE];
        unique_name(name, "", "event");
        ist_event *event = make(name, manual != 0, true);
        peer *other = start_opener(name);
        check_state(event, (uint32_t)manual, 1);
        PEER_ASK(other, "IST_OK", "wait 0");
        PEER_ASK(other, manual != 0 ? "IST_OK" : "IST_TIMEOUT", "wait 0");
        check_state(event, (uint32_t)manual, (uint32_t)manual);
        ist_event_close(event);
        peer_end(other);
    }
}

/* N5 */
TEST(what_is_asked_of_one_that_is_there_is_ignored)
{
    for (int manual = 0; manual < 2; manual++) {
        char name[NAME_SIZE];
        ist_event *second = NULL;
        ist_event_options options = IST_EVENT_OPTIONS_INIT;
        unique_name(name, "", "event");
        ist_event *first = make(name, manual != 0, false);
        options.manual_reset = manual == 0;
        options.initially_set = 1;
        CHECK_STATUS(IST_EXISTED, ist_event_create(&second, name, &options));
        check_state(first, (uint32_t)manual, 0);
        check_state(second, (uint32_t)manual, 0);
        CHECK_STATUS(IST_TIMEOUT, try(second));
        CHECK_OK(ist_event_set(second));
        CHECK_OK(try(first));
        CHECK_STATUS(manual != 0 ? IST_OK : IST_TIMEOUT, try(second));
        ist_event_close(first);
        ist_event_close(second);
    }
}

/* N5 */
TEST(what_is_asked_of_one_that_is_there_is_checked)
{
    char name[NAME_SIZE];
    ist_event *second = NULL;
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    unique_name(name, "", "event");
    ist_event *first = make(name, true, false);
    options.manual_reset = 2;
    CHECK_STATUS(IST_E_ARG, ist_event_create(&second, name, &options));
    options.manual_reset = 1;
    options.initially_set = UINT32_MAX;
    CHECK_STATUS(IST_E_ARG, ist_event_create(&second, name, &options));
    assert_null(second);
    check_state(first, 1, 0);
    ist_event_close(first);
}

/* W5 */
TEST(a_wait_for_it_is_never_over_early)
{
    static const int64_t timeouts[] = {1, 1000, 3 * CLOCK_MS, 40 * CLOCK_MS + 1};
    for (size_t i = 0; i < 2 * COUNT_OF(timeouts); i++) {
        ist_event *event = make(NULL, i % 2 == 0, false);
        int64_t begun = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(event), timeouts[i / 2]));
        assert_true(clock_steady_ns() - begun >= timeouts[i / 2]);
        ist_event_close(event);
    }
}

TEST(a_query_looks_and_takes_nothing)
{
    char name[NAME_SIZE];
    unique_name(name, "", "event");
    ist_event *event = make(name, false, false);
    peer *other = start_opener(name);
    PEER_ASK(other, "IST_OK 0 0", "query");
    CHECK_OK(ist_event_set(event));
    PEER_ASK(other, "IST_OK 1 0", "query");
    PEER_ASK(other, "IST_OK 1 0", "query");
    check_state(event, 0, 1);
    CHECK_OK(try(event));
    PEER_ASK(other, "IST_OK 0 0", "query");
    check_state(event, 0, 0);
    ist_event_close(event);
    peer_end(other);
}

/* E1: what a process has set or reset outlives it */
TEST(an_event_stays_as_a_killed_process_left_it)
{
    for (int manual = 0; manual < 2; manual++) {
        char name[NAME_SIZE];
        unique_name(name, "", "event");
        ist_event *event = make(name, manual != 0, false);
        peer *other = start_opener(name);
        PEER_ASK(other, "IST_OK", "set");
        peer_kill(other);
        CHECK_OK(try(event));
        CHECK_OK(ist_event_set(event));
        peer_forget(other);
        other = start_opener(name);
        PEER_ASK(other, "IST_OK", "reset");
        peer_kill(other);
        CHECK_STATUS(IST_TIMEOUT, try(event));
        peer_forget(other);
        ist_event_close(event);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_automatic_event_that_is_set_lets_one_wait_through),
        RUN(sets_that_come_before_one_has_been_taken_count_as_one),
        RUN(a_reset_takes_the_set_of_an_automatic_event),
        RUN(a_manual_reset_event_stays_set_until_it_is_reset),
        RUN(who_comes_after_the_reset_waits),
        RUN(setting_and_resetting_again_changes_nothing),
        RUN(an_event_may_be_created_set),
        RUN(what_is_asked_of_one_that_is_there_is_ignored),
        RUN(what_is_asked_of_one_that_is_there_is_checked),
        RUN(a_wait_for_it_is_never_over_early),
        RUN(a_query_looks_and_takes_nothing),
        RUN(an_event_stays_as_a_killed_process_left_it),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
