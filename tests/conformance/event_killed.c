/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Those who are killed or stopped while they are blocked for an event: E2.
 */
#include "support/sync.h"

static ist_event *make(char name[NAME_SIZE], bool manual)
{
    ist_event *event = NULL;
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    options.manual_reset = manual;
    unique_name(name, "", "event");
    CHECK_OK(ist_event_create(&event, name, &options));
    return event;
}

static ist_status try(const ist_event *event)
{
    return ist_wait(ist_event_waitable(event), 0);
}

/* A peer of the usual patience, blocked on the event. */
static peer *start_waiter(const char *name)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "open event %s write", name);
    sync_block(who);
    return who;
}

/* E2 */
TEST(a_waiter_that_is_killed_strands_no_other)
{
    for (int i = 0; i < 10; i++) {
        char name[NAME_SIZE];
        ist_event *event = make(name, i % 2 != 0);
        peer *killed = start_waiter(name);
        peer *other = start_waiter(name);
        peer_kill(killed);
        CHECK_OK(ist_event_set(event));
        SYNC_HEAR(other, "IST_OK");
        peer_forget(killed);
        peer_end(other);
        ist_event_close(event);
    }
}

/* E2: whether the killed one had taken the first set or not, the next reaches the other */
TEST(a_waiter_killed_as_a_set_comes_strands_no_other)
{
    for (int i = 0; i < 20; i++) {
        char name[NAME_SIZE];
        ist_event *event = make(name, false);
        peer *killed = start_waiter(name);
        peer *other = start_waiter(name);
        CHECK_OK(ist_event_set(event));
        peer_kill(killed);
        CHECK_OK(ist_event_set(event));
        SYNC_HEAR(other, "IST_OK");
        peer_forget(killed);
        peer_end(other);
        ist_event_close(event);
    }
}

/* Sets the event while its only waiter is stopped, and kills the waiter; whether the set is still there. */
static bool set_outlives_a_stopped_waiter(ist_event *event, const char *name)
{
    peer *waiter = start_waiter(name);
    peer_stop(waiter);
    CHECK_OK(ist_event_set(event));
    peer_kill(waiter);
    peer_forget(waiter);
    return try(event) == IST_OK;
}

/* E2 */
TEST(a_set_that_a_killed_waiter_had_not_taken_is_still_there)
{
    for (int i = 0; i < 10; i++) {
        char name[NAME_SIZE];
        ist_event *event = make(name, false);
        assert_true(set_outlives_a_stopped_waiter(event, name));
        CHECK_STATUS(IST_TIMEOUT, try(event));
        ist_event_close(event);
    }
}

/* E2 L8: the one who runs gets it, however the wake-up went */
TEST(a_set_reaches_who_can_run_when_another_waiter_is_stopped)
{
    for (int i = 0; i < 10; i++) {
        char name[NAME_SIZE];
        ist_event *event = make(name, false);
        peer *stopped = start_waiter(name);
        peer *other = start_waiter(name);
        peer_stop(stopped);
        sync_pause();
        CHECK_OK(ist_event_set(event));
        SYNC_HEAR(other, "IST_OK");
        CHECK_STATUS(IST_TIMEOUT, try(event));
        CHECK_OK(ist_event_set(event));
        peer_go(stopped);
        SYNC_HEAR(stopped, "IST_OK");
        peer_end(stopped);
        peer_end(other);
        ist_event_close(event);
    }
}

/* E2: killed after it was released, it leaves a manual-reset event as it was */
TEST(a_waiter_killed_as_a_manual_reset_event_is_set_changes_nothing)
{
    for (int i = 0; i < 10; i++) {
        char name[NAME_SIZE];
        ist_event *event = make(name, true);
        peer *killed = start_waiter(name);
        peer *other = start_waiter(name);
        CHECK_OK(ist_event_set(event));
        peer_kill(killed);
        SYNC_HEAR(other, "IST_OK");
        CHECK_OK(try(event));
        PEER_ASK(other, "IST_OK", "wait 0");
        peer_forget(killed);
        peer_end(other);
        ist_event_close(event);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_waiter_that_is_killed_strands_no_other),
        RUN(a_waiter_killed_as_a_set_comes_strands_no_other),
        RUN(a_set_that_a_killed_waiter_had_not_taken_is_still_there),
        RUN(a_set_reaches_who_can_run_when_another_waiter_is_stopped),
        RUN(a_waiter_killed_as_a_manual_reset_event_is_set_changes_nothing),
    };
    return cmocka_run_group_tests_name("event_killed", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
