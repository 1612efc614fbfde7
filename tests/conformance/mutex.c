/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes whose owners live: X1, X2, X4, X6. Waiting for them (X5, X7) is in mutex_wait.c, owners
 * that end (X3) in mutex_abandoned.c.
 */
#include "support/sync.h"

static ist_mutex *make(const char *name)
{
    ist_mutex *mutex = NULL;
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    return mutex;
}

/* A mutex in this process and a peer that has opened it. */
static ist_mutex *make_shared(char name[NAME_SIZE], peer **other)
{
    unique_name(name, "", "mutex");
    ist_mutex *mutex = make(name);
    *other = sync_start_patient();
    PEER_ASK(*other, "IST_OK", "open mutex %s write", name);
    return mutex;
}

static void check_state(const ist_mutex *mutex, uint32_t owned, uint32_t owned_here)
{
    ist_mutex_state state = IST_MUTEX_STATE_INIT;
    CHECK_OK(ist_mutex_query(mutex, &state));
    assert_int_equal(state.owned, owned);
    assert_int_equal(state.owned_here, owned_here);
    assert_int_equal(state.abandoned, 0);
}

/* ---- owning ---- */

/* X1 */
TEST(one_thread_owns_it_and_nobody_in_another_process_or_thread)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    CHECK_OK(ist_mutex_acquire(mutex, IST_FOREVER));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    CHECK_OK(ist_mutex_release(mutex));
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_TIMEOUT", "threads 1 wait 0");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    PEER_ASK(other, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X1 */
TEST(the_owner_acquires_again_and_releases_as_often)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    for (int i = 0; i < 100; i++)
        CHECK_OK(ist_mutex_acquire(mutex, i % 2 == 0 ? 0 : IST_FOREVER));
    for (int i = 0; i < 100; i++) {
        PEER_ASK(other, "IST_TIMEOUT", "wait 0");
        CHECK_OK(ist_mutex_release(mutex));
    }
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    PEER_ASK(other, "IST_OK", "wait 0");
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X1 */
TEST(a_thread_owns_it_through_all_its_handles)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *second = NULL;
    ist_mutex *third = NULL;
    ist_mutex *first = make_shared(name, &other);
    CHECK_OK(ist_mutex_open(&second, name, IST_WRITE));
    CHECK_STATUS(IST_EXISTED, ist_mutex_create(&third, name, NULL));
    CHECK_OK(ist_mutex_acquire(first, 0));
    CHECK_OK(ist_mutex_acquire(second, 0));
    CHECK_OK(ist_mutex_acquire(third, 0));
    CHECK_OK(ist_mutex_release(third));
    CHECK_OK(ist_mutex_release(first));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    ist_mutex_close(first);
    CHECK_OK(ist_mutex_release(third));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(second));
    PEER_ASK(other, "IST_OK", "wait 0");
    ist_mutex_close(second);
    ist_mutex_close(third);
    peer_end(other);
}

/* X1: taken by a blocked wait, it is owned once */
TEST(a_waiter_that_got_it_releases_it_once)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    for (int i = 0; i < 2; i++)
        CHECK_OK(ist_mutex_acquire(mutex, 0));
    sync_block(other);
    for (int i = 0; i < 2; i++)
        CHECK_OK(ist_mutex_release(mutex));
    SYNC_HEAR(other, "IST_OK");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    PEER_ASK(other, "IST_OK", "release");
    PEER_ASK(other, "IST_E_NOT_OWNER", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X1 */
TEST(an_owner_owns_many_at_once)
{
    enum { MANY = 300 };
    static ist_mutex *mutexes[MANY];
    for (size_t i = 0; i < MANY; i++) {
        mutexes[i] = make(NULL);
        CHECK_OK(ist_mutex_acquire(mutexes[i], 0));
    }
    for (size_t i = 0; i < MANY; i++) {
        CHECK_OK(ist_mutex_release(mutexes[i]));
        CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutexes[i]));
        ist_mutex_close(mutexes[i]);
    }
}

/* X2 */
TEST(who_does_not_own_it_does_not_release_it)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    PEER_ASK(other, "IST_E_NOT_OWNER", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    PEER_ASK(other, "IST_E_NOT_OWNER", "release");
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    CHECK_OK(ist_mutex_release(mutex));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_E_NOT_OWNER", "threads 1 release");
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    PEER_ASK(other, "IST_OK", "release");
    ist_mutex_close(mutex);
    peer_end(other);
}

/* ---- creating it owned ---- */

/* X4 X1 */
TEST(a_mutex_created_owned_is_owned_once_by_the_creating_thread)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = NULL;
    ist_mutex_options options = IST_MUTEX_OPTIONS_INIT;
    options.initially_owned = 1;
    unique_name(name, "", "mutex");
    CHECK_OK(ist_mutex_create(&mutex, name, &options));
    check_state(mutex, 1, 1);
    peer *other = sync_start();
    PEER_ASK(other, "IST_OK", "open mutex %s write", name);
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    PEER_ASK(other, "IST_TIMEOUT", "wait 0");
    CHECK_OK(ist_mutex_release(mutex));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(mutex));
    PEER_ASK(other, "IST_OK", "wait 0");
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X4 N5 */
TEST(who_finds_it_there_does_not_become_its_owner)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *second = NULL;
    ist_mutex_options options = IST_MUTEX_OPTIONS_INIT;
    ist_mutex *mutex = make_shared(name, &other);
    options.initially_owned = 1;
    CHECK_STATUS(IST_EXISTED, ist_mutex_create(&second, name, &options));
    CHECK_STATUS(IST_E_NOT_OWNER, ist_mutex_release(second));
    check_state(second, 0, 0);
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "ok", "slot 1");
    PEER_ASK(other, "IST_EXISTED", "create mutex %s owned", name);
    PEER_ASK(other, "IST_OK", "release");
    PEER_ASK(other, "IST_E_NOT_OWNER", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    ist_mutex_close(mutex);
    ist_mutex_close(second);
    peer_end(other);
}

/* ---- closing ---- */

/* X6 */
TEST(an_owner_that_closes_all_its_handles_owns_it_and_may_come_back_to_release_it)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "ok", "close");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    check_state(mutex, 1, 0);
    PEER_ASK(other, "IST_OK", "open mutex %s write", name);
    PEER_ASK(other, "IST_OK 1 1 0", "query");
    PEER_ASK(other, "IST_OK", "release");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    PEER_ASK(other, "IST_OK", "release");
    PEER_ASK(other, "IST_E_NOT_OWNER", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X6: the one who waits is released by the owner that came back */
TEST(closing_does_not_release_to_a_waiter)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    sync_block(other);
    ist_mutex_close(mutex);
    sync_pause();
    mutex = NULL;
    CHECK_OK(ist_mutex_open(&mutex, name, IST_WRITE));
    check_state(mutex, 1, 1);
    CHECK_OK(ist_mutex_release(mutex));
    SYNC_HEAR(other, "IST_OK");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X6 */
TEST(with_the_last_handle_ownership_goes_and_a_new_one_is_nobodys)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = NULL;
    unique_name(name, "", "mutex");
    peer *other = sync_start();
    for (int i = 0; i < 3; i++) {
        PEER_ASK(other, "IST_OK", "create mutex %s owned", name);
        PEER_ASK(other, "ok", "close");
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mutex_open(&mutex, name, IST_WRITE));
        CHECK_OK(ist_mutex_create(&mutex, name, NULL));
        check_state(mutex, 0, 0);
        PEER_ASK(other, "IST_OK", "open mutex %s write", name);
        PEER_ASK(other, "IST_E_NOT_OWNER", "release");
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        PEER_ASK(other, "IST_TIMEOUT", "wait 0");
        CHECK_OK(ist_mutex_release(mutex));
        PEER_ASK(other, "ok", "close");
        ist_mutex_close(mutex);
    }
    peer_end(other);
}

/* ---- looking ---- */

TEST(a_query_tells_whether_it_is_owned_and_whether_here)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    check_state(mutex, 0, 0);
    PEER_ASK(other, "IST_OK 0 0 0", "query");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    check_state(mutex, 1, 1);
    PEER_ASK(other, "IST_OK 1 0 0", "query");
    CHECK_OK(ist_mutex_release(mutex));
    check_state(mutex, 1, 1);
    CHECK_OK(ist_mutex_release(mutex));
    check_state(mutex, 0, 0);
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_OK 1 1 0", "query");
    PEER_ASK(other, "IST_OK 1 0 0", "threads 1 query");
    check_state(mutex, 1, 0);
    PEER_ASK(other, "IST_OK", "release");
    ist_mutex_close(mutex);
    peer_end(other);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(one_thread_owns_it_and_nobody_in_another_process_or_thread),
        RUN(the_owner_acquires_again_and_releases_as_often),
        RUN(a_thread_owns_it_through_all_its_handles),
        RUN(a_waiter_that_got_it_releases_it_once),
        RUN(an_owner_owns_many_at_once),
        RUN(who_does_not_own_it_does_not_release_it),
        RUN(a_mutex_created_owned_is_owned_once_by_the_creating_thread),
        RUN(who_finds_it_there_does_not_become_its_owner),
        RUN(an_owner_that_closes_all_its_handles_owns_it_and_may_come_back_to_release_it),
        RUN(closing_does_not_release_to_a_waiter),
        RUN(with_the_last_handle_ownership_goes_and_a_new_one_is_nobodys),
        RUN(a_query_tells_whether_it_is_owned_and_whether_here),
    };
    return cmocka_run_group_tests_name("mutex", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
