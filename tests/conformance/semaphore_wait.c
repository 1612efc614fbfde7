/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Those who wait for a semaphore, and holders that die: S2, S3.
 */
#include "support/sync.h"

#define CROWD 4

static ist_semaphore *make(const char *name, uint32_t initial, uint32_t maximum)
{
    ist_semaphore *semaphore = NULL;
    ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
    options.initial = initial;
    options.maximum = maximum;
    CHECK_OK(ist_semaphore_create(&semaphore, name, &options));
    return semaphore;
}

static uint32_t count_of(const ist_semaphore *semaphore)
{
    ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
    CHECK_OK(ist_semaphore_query(semaphore, &state));
    return state.count;
}

static ist_status await(const ist_semaphore *semaphore)
{
    return ist_wait(ist_semaphore_waitable(semaphore), sync_bound_ns());
}

/* A crowd blocked on one semaphore; each releases `done` as soon as it has got one. */
static void start_crowd(peer *crowd[CROWD], const char *name, const char *done)
{
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = sync_start_patient();
        PEER_ASK(crowd[i], "ok", "slot 1");
        PEER_ASK(crowd[i], "IST_OK", "open semaphore %s write", done);
        PEER_ASK(crowd[i], "ok", "slot 0");
        PEER_ASK(crowd[i], "IST_OK", "open semaphore %s write", name);
        PEER_ASK(crowd[i], "waiting", "block forever 1");
    }
    sync_pause();
}

/* S2 */
TEST(a_release_wakes_a_waiter_in_another_process)
{
    char name[NAME_SIZE];
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 0, 1);
    peer *other = sync_start_patient();
    PEER_ASK(other, "IST_OK", "open semaphore %s write", name);
    for (int i = 0; i < 20; i++) {
        if (i % 4 == 0)
            sync_block(other);
        else
            PEER_ASK(other, "waiting", "block forever");
        CHECK_OK(ist_semaphore_release(semaphore, 1, NULL));
        SYNC_HEAR(other, "IST_OK");
        assert_int_equal(count_of(semaphore), 0);
    }
    ist_semaphore_close(semaphore);
    peer_end(other);
}

/* S2: released by three, three go on and one stays */
TEST(a_release_of_several_wakes_as_many_waiters)
{
    char name[NAME_SIZE];
    char word[NAME_SIZE];
    peer *crowd[CROWD];
    unique_name(name, "", "semaphore");
    unique_name(word, "", "done");
    ist_semaphore *semaphore = make(name, 0, 0);
    ist_semaphore *done = make(word, 0, 0);
    start_crowd(crowd, name, word);
    CHECK_OK(ist_semaphore_release(semaphore, CROWD - 1, NULL));
    for (size_t i = 0; i < CROWD - 1; i++)
        CHECK_OK(await(done));
    sync_pause();
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_semaphore_waitable(done), 0));
    assert_int_equal(count_of(semaphore), 0);
    CHECK_OK(ist_semaphore_release(semaphore, 3, NULL));
    CHECK_OK(await(done));
    assert_int_equal(count_of(semaphore), 2);
    for (size_t i = 0; i < CROWD; i++) {
        SYNC_HEAR(crowd[i], "IST_OK");
        peer_end(crowd[i]);
    }
    ist_semaphore_close(semaphore);
    ist_semaphore_close(done);
}

/* Two peers, each with its own semaphore in slot 0 and the other's in slot 1. */
static void start_pair(peer *both[2], ist_semaphore *semaphores[2])
{
    char names[2][NAME_SIZE];
    for (size_t i = 0; i < 2; i++) {
        unique_name(names[i], "", "volley");
        semaphores[i] = make(names[i], 0, 1);
        both[i] = sync_start_patient();
    }
    for (size_t i = 0; i < 2; i++) {
        PEER_ASK(both[i], "ok", "slot 1");
        PEER_ASK(both[i], "IST_OK", "open semaphore %s write", names[1 - i]);
        PEER_ASK(both[i], "ok", "slot 0");
        PEER_ASK(both[i], "IST_OK", "open semaphore %s write", names[i]);
    }
}

static void end_pair(peer *both[2], ist_semaphore *semaphores[2])
{
    for (size_t i = 0; i < 2; i++) {
        peer_end(both[i]);
        ist_semaphore_close(semaphores[i]);
    }
}

/* S2: no wake-up is lost between a count that is raised and one who is about to sleep */
TEST(two_processes_that_hand_one_count_to_and_fro_never_stall)
{
    peer *both[2];
    ist_semaphore *semaphores[2];
    start_pair(both, semaphores);
    /* The second begins with a wait, and has the last release to give. */
    peer_say(both[1], "wait forever");
    peer_say(both[1], "volley 1 9999");
    peer_say(both[0], "volley 1 10000");
    SYNC_HEAR(both[1], "IST_OK");
    SYNC_HEAR(both[1], "IST_OK");
    PEER_ASK(both[1], "ok", "slot 1");
    PEER_ASK(both[1], "IST_OK 0", "release");
    SYNC_HEAR(both[0], "IST_OK");
    end_pair(both, semaphores);
}

/* S2 */
TEST(a_release_that_comes_just_as_somebody_falls_asleep_wakes_it)
{
    peer *both[2];
    ist_semaphore *semaphores[2];
    start_pair(both, semaphores);
    for (int i = 0; i < 20; i++) {
        peer_say(both[1], "answer 1 500");
        PEER_ASK(both[0], "IST_OK", "volley 1 500");
        SYNC_HEAR(both[1], "IST_OK");
    }
    end_pair(both, semaphores);
}

/* S3 */
TEST(what_a_process_had_taken_is_not_given_back_however_it_ends)
{
    static const char *const ends[] = {"exit", "vanish"};
    char name[NAME_SIZE];
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 6, 6);
    for (size_t i = 0; i < 3; i++) {
        peer *other = sync_start();
        PEER_ASK(other, "IST_OK", "open semaphore %s write", name);
        PEER_ASK(other, "IST_OK", "wait 0");
        PEER_ASK(other, "IST_OK", "threads 1 wait 0");
        if (i < COUNT_OF(ends)) {
            peer_say(other, "%s", ends[i]);
            assert_true(peer_ended_well(other));
        } else {
            peer_kill(other);
            peer_forget(other);
        }
        assert_int_equal(count_of(semaphore), 4 - 2 * i);
    }
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_semaphore_waitable(semaphore), 0));
    ist_semaphore_close(semaphore);
}

/* S3: what it released stays released */
TEST(what_a_killed_process_had_released_stays)
{
    char name[NAME_SIZE];
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 0, 6);
    peer *other = sync_start();
    PEER_ASK(other, "IST_OK", "open semaphore %s write", name);
    PEER_ASK(other, "IST_OK 0", "release 4");
    peer_kill(other);
    assert_int_equal(count_of(semaphore), 4);
    peer_forget(other);
    ist_semaphore_close(semaphore);
}

/* S3 */
TEST(a_waiter_that_is_killed_takes_nothing_and_strands_nobody)
{
    char name[NAME_SIZE];
    unique_name(name, "", "semaphore");
    ist_semaphore *semaphore = make(name, 0, 6);
    for (int i = 0; i < 5; i++) {
        peer *killed = sync_start();
        peer *other = sync_start();
        PEER_ASK(killed, "IST_OK", "open semaphore %s write", name);
        PEER_ASK(other, "IST_OK", "open semaphore %s write", name);
        sync_block(killed);
        sync_block(other);
        peer_kill(killed);
        CHECK_OK(ist_semaphore_release(semaphore, 2, NULL));
        SYNC_HEAR(other, "IST_OK");
        assert_int_equal(count_of(semaphore), 1);
        CHECK_OK(await(semaphore));
        peer_forget(killed);
        peer_end(other);
    }
    ist_semaphore_close(semaphore);
}

/* S3: killed just as a release comes, it has taken one or none, and the rest is there */
TEST(a_waiter_killed_as_a_release_comes_has_taken_one_or_none)
{
    char name[NAME_SIZE];
    unique_name(name, "", "semaphore");
    for (int i = 0; i < 20; i++) {
        ist_semaphore *semaphore = make(name, 0, 6);
        peer *killed = sync_start();
        peer *other = sync_start();
        PEER_ASK(killed, "IST_OK", "open semaphore %s write", name);
        PEER_ASK(other, "IST_OK", "open semaphore %s write", name);
        sync_block(killed);
        sync_block(other);
        CHECK_OK(ist_semaphore_release(semaphore, 3, NULL));
        peer_kill(killed);
        SYNC_HEAR(other, "IST_OK");
        assert_in_range(count_of(semaphore), 1, 2);
        peer_forget(killed);
        peer_end(other);
        ist_semaphore_close(semaphore);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_release_wakes_a_waiter_in_another_process),
        RUN(a_release_of_several_wakes_as_many_waiters),
        RUN(two_processes_that_hand_one_count_to_and_fro_never_stall),
        RUN(a_release_that_comes_just_as_somebody_falls_asleep_wakes_it),
        RUN(what_a_process_had_taken_is_not_given_back_however_it_ends),
        RUN(what_a_killed_process_had_released_stays),
        RUN(a_waiter_that_is_killed_takes_nothing_and_strands_nobody),
        RUN(a_waiter_killed_as_a_release_comes_has_taken_one_or_none),
    };
    return cmocka_run_group_tests_name("semaphore_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
