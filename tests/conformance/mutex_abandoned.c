/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes whose owner ends: X3, and what X1 and X6 say of them. Forked and exec'ed owners are in object_fork.c.
 */
#include "support/host.h"
#include "support/sync.h"

static ist_mutex *make(char name[NAME_SIZE])
{
    ist_mutex *mutex = NULL;
    unique_name(name, "", "abandoned");
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    return mutex;
}

static peer *start_opener(const char *name)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "open mutex %s write", name);
    return who;
}

/* A peer that owns the mutex. */
static peer *start_owner(const char *name)
{
    peer *who = start_opener(name);
    PEER_ASK(who, "IST_OK", "wait 0");
    return who;
}

/* The next to acquire it is told, owns it once, and the one after is not told. */
static void check_abandoned_once(ist_mutex *mutex, const char *name)
{
    peer *next = start_opener(name);
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, 0));
    PEER_ASK(next, "IST_TIMEOUT", "wait 0");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    PEER_ASK(next, "IST_TIMEOUT", "wait 0");
    CHECK_OK(ist_mutex_release(mutex));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    PEER_ASK(next, "IST_OK", "wait 0");
    PEER_ASK(next, "IST_OK", "release");
    peer_end(next);
}

/* ---- how an owner ends, and the next who comes ---- */

/* X3 */
TEST(the_next_is_told_of_an_owner_that_was_killed)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    peer_kill(owner);
    check_abandoned_once(mutex, name);
    peer_forget(owner);
    ist_mutex_close(mutex);
}

/* X3 */
TEST(the_next_is_told_of_an_owner_that_exited)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    peer_say(owner, "exit");
    assert_true(peer_ended_well(owner));
    check_abandoned_once(mutex, name);
    ist_mutex_close(mutex);
}

/* X3 */
TEST(the_next_is_told_of_an_owner_that_ended_without_any_clean_up)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    peer_say(owner, "vanish");
    assert_true(peer_ended_well(owner));
    check_abandoned_once(mutex, name);
    ist_mutex_close(mutex);
}

/* X3 */
TEST(the_next_is_told_of_a_thread_that_returned_though_its_process_lives)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_opener(name);
    PEER_ASK(owner, "IST_OK", "threads 1 wait 0");
    check_abandoned_once(mutex, name);
    PEER_ASK(owner, "IST_OK", "threads 1 wait 0");
    PEER_ASK(owner, "IST_ABANDONED", "wait 0");
    PEER_ASK(owner, "IST_OK", "release");
    PEER_ASK(owner, "IST_OK", "wait 0");
    ist_mutex_close(mutex);
    peer_end(owner);
}

static void acquire_in_thread(void *context, size_t index)
{
    (void)index;
    (void)ist_mutex_acquire(context, 0);
    (void)ist_mutex_acquire(context, 0);
}

/* X3 X1 */
TEST(a_thread_is_told_of_another_of_its_own_process)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    for (int i = 0; i < 20; i++) {
        host_threads(1, acquire_in_thread, mutex);
        CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, 0));
        CHECK_OK(ist_mutex_release(mutex));
        CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        CHECK_OK(ist_mutex_release(mutex));
    }
    ist_mutex_close(mutex);
}

/* X3: an end with nothing owned is no news */
TEST(nobody_is_told_of_an_owner_that_had_released_it)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    PEER_ASK(owner, "IST_OK", "wait 0");
    PEER_ASK(owner, "IST_OK", "release");
    PEER_ASK(owner, "IST_OK", "release");
    peer_kill(owner);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    peer_forget(owner);
    ist_mutex_close(mutex);
}

/* X3 X1: however often the dead owner had acquired it, the next owns it once */
TEST(what_the_owner_had_acquired_many_times_is_released_once)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    for (int i = 0; i < 7; i++)
        PEER_ASK(owner, "IST_OK", "wait 0");
    peer_kill(owner);
    check_abandoned_once(mutex, name);
    peer_forget(owner);
    ist_mutex_close(mutex);
}

/* X3 */
TEST(an_abandoned_mutex_that_is_abandoned_again_is_told_again)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    peer_kill(owner);
    peer_forget(owner);
    for (int i = 0; i < 5; i++) {
        owner = start_opener(name);
        PEER_ASK(owner, "IST_ABANDONED", "wait 0");
        peer_kill(owner);
        peer_forget(owner);
    }
    check_abandoned_once(mutex, name);
    ist_mutex_close(mutex);
}

/* X3 X6: the handle is not what owns it */
TEST(the_next_is_told_of_an_owner_that_had_closed_its_handles)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    PEER_ASK(owner, "ok", "close");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    peer_kill(owner);
    check_abandoned_once(mutex, name);
    peer_forget(owner);
    ist_mutex_close(mutex);
}

/* X3 L8 */
TEST(a_stopped_owner_is_not_mistaken_for_dead)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    peer_stop(owner);
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 300 * INT64_C(1000000)));
    peer_go(owner);
    PEER_ASK(owner, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    peer_end(owner);
}

/* X3: told of an owner that was created so */
TEST(the_next_is_told_of_a_killed_creator_that_owned_it_from_the_start)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = NULL;
    unique_name(name, "", "abandoned");
    peer *owner = sync_start();
    PEER_ASK(owner, "IST_OK", "create mutex %s owned", name);
    CHECK_OK(ist_mutex_open(&mutex, name, IST_WRITE));
    peer_kill(owner);
    check_abandoned_once(mutex, name);
    peer_forget(owner);
    ist_mutex_close(mutex);
}

/* X3 */
TEST(with_no_handle_left_the_next_create_is_fresh)
{
    static const char *const ends[] = {"exit", "vanish"};
    char name[NAME_SIZE];
    ist_mutex *mutex = NULL;
    unique_name(name, "", "abandoned");
    for (size_t i = 0; i < 3; i++) {
        peer *owner = sync_start();
        PEER_ASK(owner, "IST_OK", "create mutex %s owned", name);
        if (i < COUNT_OF(ends)) {
            peer_say(owner, "%s", ends[i]);
            assert_true(peer_ended_well(owner));
        } else {
            peer_kill(owner);
            peer_forget(owner);
        }
        CHECK_OK(ist_mutex_create(&mutex, name, NULL));
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        CHECK_OK(ist_mutex_release(mutex));
        ist_mutex_close(mutex);
    }
}

/* X3 */
TEST(a_query_tells_that_it_is_abandoned_until_somebody_has_it)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    ist_mutex_state state = IST_MUTEX_STATE_INIT;
    peer *owner = start_owner(name);
    peer *other = start_opener(name);
    peer_kill(owner);
    CHECK_OK(ist_mutex_query(mutex, &state));
    assert_int_equal(state.owned, 0);
    assert_int_equal(state.owned_here, 0);
    assert_int_equal(state.abandoned, 1);
    PEER_ASK(other, "IST_OK 0 0 1", "query");
    PEER_ASK(other, "IST_ABANDONED", "wait 0");
    PEER_ASK(other, "IST_OK 1 1 0", "query");
    CHECK_OK(ist_mutex_query(mutex, &state));
    assert_int_equal(state.owned, 1);
    assert_int_equal(state.abandoned, 0);
    PEER_ASK(other, "IST_OK", "release");
    PEER_ASK(other, "IST_OK 0 0 0", "query");
    ist_mutex_close(mutex);
    peer_forget(owner);
    peer_end(other);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_next_is_told_of_an_owner_that_was_killed),
        RUN(the_next_is_told_of_an_owner_that_exited),
        RUN(the_next_is_told_of_an_owner_that_ended_without_any_clean_up),
        RUN(the_next_is_told_of_a_thread_that_returned_though_its_process_lives),
        RUN(a_thread_is_told_of_another_of_its_own_process),
        RUN(nobody_is_told_of_an_owner_that_had_released_it),
        RUN(what_the_owner_had_acquired_many_times_is_released_once),
        RUN(an_abandoned_mutex_that_is_abandoned_again_is_told_again),
        RUN(the_next_is_told_of_an_owner_that_had_closed_its_handles),
        RUN(a_stopped_owner_is_not_mistaken_for_dead),
        RUN(the_next_is_told_of_a_killed_creator_that_owned_it_from_the_start),
        RUN(with_no_handle_left_the_next_create_is_fresh),
        RUN(a_query_tells_that_it_is_abandoned_until_somebody_has_it),
    };
    return cmocka_run_group_tests_name("mutex_abandoned", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
