/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Those who are blocked for an event: E1, E3. Those who are killed meanwhile (E2) are in
 * event_killed.c.
 */
#include "support/clock.h"
#include "support/sync.h"

#define CROWD 4

static ist_event *make(char name[NAME_SIZE], bool manual)
{
    ist_event *event = NULL;
    ist_event_options options = IST_EVENT_OPTIONS_INIT;
    options.manual_reset = manual;
    unique_name(name, "", "event");
    CHECK_OK(ist_event_create(&event, name, &options));
    return event;
}

static ist_semaphore *make_semaphore(char name[NAME_SIZE])
{
    ist_semaphore *semaphore = NULL;
    unique_name(name, "", "done");
    CHECK_OK(ist_semaphore_create(&semaphore, name, NULL));
    return semaphore;
}

static ist_status try(const ist_event *event)
{
    return ist_wait(ist_event_waitable(event), 0);
}

static void await(const ist_semaphore *semaphore, size_t times)
{
    for (size_t i = 0; i < times; i++)
        CHECK_OK(ist_wait(ist_semaphore_waitable(semaphore), sync_bound_ns()));
}

/* Peers with the event in slot 0, `done` in slot 1 and, unless it is NULL, `ready` in slot 2. */
static void start_crowd(peer *crowd[CROWD], const char *event, const char *done, const char *ready)
{
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = sync_start_patient();
        PEER_ASK(crowd[i], "ok", "slot 1");
        PEER_ASK(crowd[i], "IST_OK", "open semaphore %s write", done);
        if (ready != NULL) {
            PEER_ASK(crowd[i], "ok", "slot 2");
            PEER_ASK(crowd[i], "IST_OK", "open semaphore %s write", ready);
        }
        PEER_ASK(crowd[i], "ok", "slot 0");
        PEER_ASK(crowd[i], "IST_OK", "open event %s write", event);
    }
}

static void block_crowd(peer *crowd[CROWD])
{
    for (size_t i = 0; i < CROWD; i++)
        PEER_ASK(crowd[i], "waiting", "block forever 1");
    sync_pause();
}

static void hear_crowd(peer *crowd[CROWD])
{
    for (size_t i = 0; i < CROWD; i++)
        SYNC_HEAR(crowd[i], "IST_OK");
}

static void end_crowd(peer *crowd[CROWD])
{
    for (size_t i = 0; i < CROWD; i++)
        peer_end(crowd[i]);
}

/* A peer of the usual patience, blocked on the event. */
static peer *start_waiter(const char *name)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "open event %s write", name);
    sync_block(who);
    return who;
}

/* ---- automatic ---- */

/* E1 */
TEST(each_set_of_an_automatic_event_releases_one_waiter)
{
    char name[NAME_SIZE];
    char word[NAME_SIZE];
    peer *crowd[CROWD];
    ist_event *event = make(name, false);
    ist_semaphore *done = make_semaphore(word);
    start_crowd(crowd, name, word, NULL);
    for (int round = 0; round < 3; round++) {
        block_crowd(crowd);
        for (size_t i = 0; i < CROWD; i++) {
            CHECK_OK(ist_event_set(event));
            await(done, 1);
            sync_pause();
            CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_semaphore_waitable(done), 0));
            CHECK_STATUS(IST_TIMEOUT, try(event));
        }
        hear_crowd(crowd);
    }
    end_crowd(crowd);
    ist_semaphore_close(done);
    ist_event_close(event);
}

/* Two peers, each with its own event in slot 0 and the other's in slot 1. */
static void start_pair(peer *both[2], ist_event *events[2])
{
    char names[2][NAME_SIZE];
    for (size_t i = 0; i < 2; i++) {
        events[i] = make(names[i], false);
        both[i] = sync_start_patient();
    }
    for (size_t i = 0; i < 2; i++) {
        PEER_ASK(both[i], "ok", "slot 1");
        PEER_ASK(both[i], "IST_OK", "open event %s write", names[1 - i]);
        PEER_ASK(both[i], "ok", "slot 0");
        PEER_ASK(both[i], "IST_OK", "open event %s write", names[i]);
    }
}

static void end_pair(peer *both[2], ist_event *events[2])
{
    for (size_t i = 0; i < 2; i++) {
        peer_end(both[i]);
        ist_event_close(events[i]);
    }
}

/* E1: each set that is given once the one before was taken reaches who waits, or is about to */
TEST(two_processes_that_set_each_others_events_never_stall)
{
    peer *both[2];
    ist_event *events[2];
    start_pair(both, events);
    /* The second begins with a wait, and has the last set to give. */
    peer_say(both[1], "wait forever");
    peer_say(both[1], "volley 1 9999");
    peer_say(both[0], "volley 1 10000");
    SYNC_HEAR(both[1], "IST_OK");
    SYNC_HEAR(both[1], "IST_OK");
    PEER_ASK(both[1], "ok", "slot 1");
    PEER_ASK(both[1], "IST_OK", "set");
    SYNC_HEAR(both[0], "IST_OK");
    end_pair(both, events);
}

/* E1 */
TEST(a_set_that_comes_just_as_somebody_falls_asleep_wakes_it)
{
    peer *both[2];
    ist_event *events[2];
    start_pair(both, events);
    for (int i = 0; i < 20; i++) {
        peer_say(both[1], "answer 1 500");
        PEER_ASK(both[0], "IST_OK", "volley 1 500");
        SYNC_HEAR(both[1], "IST_OK");
    }
    end_pair(both, events);
}

/* ---- manual reset ---- */

/* E1 */
TEST(a_set_of_a_manual_reset_event_releases_every_waiter_in_every_process)
{
    char name[NAME_SIZE];
    char word[NAME_SIZE];
    peer *crowd[CROWD];
    ist_event *event = make(name, true);
    ist_semaphore *done = make_semaphore(word);
    start_crowd(crowd, name, word, NULL);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < CROWD; i++) {
            peer_say(crowd[i], "threads 3 block forever 1");
            for (size_t j = 0; j < 3; j++)
                SYNC_HEAR(crowd[i], "waiting");
        }
        sync_pause();
        CHECK_OK(ist_event_set(event));
        await(done, (size_t)CROWD * 3);
        for (int j = 0; j < 3; j++)
            hear_crowd(crowd);
        CHECK_OK(try(event));
        CHECK_OK(ist_event_reset(event));
    }
    end_crowd(crowd);
    ist_semaphore_close(done);
    ist_event_close(event);
}

/* Sets and at once resets until each of the crowd is released. On POSIX a crowd that signalled counts as blocked, and
   the first must do; Windows does not promise that they were blocked by then, and lets them be missed. */
static void set_and_reset(ist_event *event, const ist_semaphore *done)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    bool first_must_do = strcmp(traits.backend, "posix") == 0;
    int64_t begun = clock_steady_ns();
    size_t released = 0;
    do {
        CHECK_OK(ist_event_set(event));
        CHECK_OK(ist_event_reset(event));
        int64_t patience = first_must_do ? sync_bound_ns() : 5 * CLOCK_MS;
        while (released < CROWD && ist_wait(ist_semaphore_waitable(done), patience) == IST_OK)
            released++;
    } while (released < CROWD && clock_steady_ns() - begun < sync_bound_ns());
    assert_int_equal(released, CROWD);
}

/* E1 */
TEST(who_was_blocked_when_a_set_came_is_released_though_a_reset_follows_at_once)
{
    char name[NAME_SIZE];
    char word[NAME_SIZE];
    char start[NAME_SIZE];
    peer *crowd[CROWD];
    ist_event *event = make(name, true);
    ist_semaphore *done = make_semaphore(word);
    ist_semaphore *ready = make_semaphore(start);
    start_crowd(crowd, name, word, start);
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < CROWD; i++)
            peer_say(crowd[i], "signal 2 forever 1");
        await(ready, CROWD);
        if (round % 20 == 0)
            sync_pause();
        set_and_reset(event, done);
        hear_crowd(crowd);
        CHECK_STATUS(IST_TIMEOUT, try(event));
    }
    end_crowd(crowd);
    ist_semaphore_close(done);
    ist_semaphore_close(ready);
    ist_event_close(event);
}

/* E1 E3: stopped, not gone: the set was for it too */
TEST(who_was_stopped_when_a_set_and_a_reset_came_is_released_when_it_goes_on)
{
    char name[NAME_SIZE];
    char start[NAME_SIZE];
    ist_traits traits = IST_TRAITS_INIT;
    ist_event *event = make(name, true);
    ist_semaphore *ready = make_semaphore(start);
    ist_traits_get(&traits);
    peer *other = sync_start_patient();
    PEER_ASK(other, "ok", "slot 2");
    PEER_ASK(other, "IST_OK", "open semaphore %s write", start);
    PEER_ASK(other, "ok", "slot 0");
    PEER_ASK(other, "IST_OK", "open event %s write", name);
    peer_say(other, "signal 2 forever");
    await(ready, 1);
    peer_stop(other);
    CHECK_OK(ist_event_set(event));
    CHECK_OK(ist_event_reset(event));
    CHECK_STATUS(IST_TIMEOUT, try(event));
    peer_go(other);
    /* Windows does not count who is suspended as blocked. */
    if (strcmp(traits.backend, "posix") != 0)
        CHECK_OK(ist_event_set(event));
    SYNC_HEAR(other, "IST_OK");
    peer_end(other);
    ist_semaphore_close(ready);
    ist_event_close(event);
}

/* E3 */
TEST(a_reset_takes_back_nothing_from_who_was_released)
{
    char name[NAME_SIZE];
    ist_event *event = make(name, true);
    for (int i = 0; i < 10; i++) {
        peer *other = start_waiter(name);
        CHECK_OK(ist_event_set(event));
        SYNC_HEAR(other, "IST_OK");
        CHECK_OK(ist_event_reset(event));
        CHECK_STATUS(IST_TIMEOUT, try(event));
        PEER_ASK(other, "IST_TIMEOUT", "wait 0");
        peer_end(other);
    }
    ist_event_close(event);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(each_set_of_an_automatic_event_releases_one_waiter),
        RUN(two_processes_that_set_each_others_events_never_stall),
        RUN(a_set_that_comes_just_as_somebody_falls_asleep_wakes_it),
        RUN(a_set_of_a_manual_reset_event_releases_every_waiter_in_every_process),
        RUN(who_was_blocked_when_a_set_came_is_released_though_a_reset_follows_at_once),
        RUN(who_was_stopped_when_a_set_and_a_reset_came_is_released_when_it_goes_on),
        RUN(a_reset_takes_back_nothing_from_who_was_released),
    };
    return cmocka_run_group_tests_name("event_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
