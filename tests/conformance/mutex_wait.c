/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waiting for mutexes whose owners live: X5, X7, and that they exclude (X1).
 */
#include "support/clock.h"
#include "support/host.h"
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

/* X5 */
TEST(a_try_takes_what_is_free_and_does_not_wait_for_what_is_not)
{
    ist_mutex *mutex = make(NULL);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_wait(ist_mutex_waitable(mutex), 0));
    for (int i = 0; i < 2; i++)
        CHECK_OK(ist_mutex_release(mutex));
    ist_mutex_close(mutex);
}

/* X5 W5 */
TEST(a_wait_for_it_is_never_over_early)
{
    static const int64_t timeouts[] = {1, 1000, 999999, 3 * CLOCK_MS, 20 * CLOCK_MS, 20 * CLOCK_MS + 1, 70 * CLOCK_MS};
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    PEER_ASK(other, "IST_OK", "wait 0");
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        int64_t begun = clock_steady_ns();
        CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, timeouts[i]));
        assert_true(clock_steady_ns() - begun >= timeouts[i]);
    }
    PEER_ASK(other, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X5 */
TEST(a_wait_that_timed_out_has_taken_nothing)
{
    char name[NAME_SIZE];
    peer *other = NULL;
    ist_mutex *mutex = make_shared(name, &other);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    PEER_ASK(other, "IST_TIMEOUT", "wait 5");
    CHECK_OK(ist_mutex_release(mutex));
    PEER_ASK(other, "IST_E_NOT_OWNER", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    ist_mutex_close(mutex);
    peer_end(other);
}

/* X7: nobody is next, and everybody's turn comes */
TEST(a_release_lets_each_of_many_waiters_have_it_once)
{
    char name[NAME_SIZE];
    peer *all[4];
    unique_name(name, "", "mutex");
    ist_mutex *mutex = make(name);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    peer *done = sync_start();
    PEER_ASK(done, "IST_OK", "create semaphore %s-done", name);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        all[i] = sync_start_patient();
        PEER_ASK(all[i], "ok", "slot 1");
        PEER_ASK(all[i], "IST_OK", "open semaphore %s-done write", name);
        PEER_ASK(all[i], "ok", "slot 0");
        PEER_ASK(all[i], "IST_OK", "open mutex %s write", name);
        PEER_ASK(all[i], "waiting", "block forever 1");
        /* It is told to release the mutex as soon as it has it. */
        peer_say(all[i], "release");
    }
    sync_pause();
    CHECK_OK(ist_mutex_release(mutex));
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        PEER_ASK(done, "IST_OK", "wait %u", check_bound_ms());
        SYNC_HEAR(all[i], "IST_OK");
        SYNC_HEAR(all[i], "IST_OK");
    }
    PEER_ASK(done, "IST_TIMEOUT", "wait 0");
    ist_mutex_close(mutex);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        peer_end(all[i]);
    peer_end(done);
}

/* X1 X7: a number that is read and then written loses nothing */
TEST(processes_and_threads_that_come_and_go_exclude_each_other)
{
    enum { PEERS = 3, THREADS = 3, ROUNDS = 1500 };
    char name[NAME_SIZE];
    char cell[NAME_SIZE];
    peer *all[PEERS];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "mutex");
    unique_name(cell, "", "cell");
    CHECK_OK(ist_mapping_create(&mapping, cell, 4096, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
    ist_mutex *mutex = make(name);
    for (size_t i = 0; i < PEERS; i++) {
        all[i] = sync_start_patient();
        PEER_ASK(all[i], "IST_OK", "open mutex %s write", name);
    }
    for (size_t i = 0; i < PEERS; i++)
        peer_say(all[i], "threads %d count %s %d", THREADS, cell, ROUNDS);
    for (size_t i = 0; i < PEERS * THREADS; i++)
        SYNC_HEAR(all[i / THREADS], "IST_OK");
    assert_int_equal(*(volatile uint32_t *)view.data, PEERS * THREADS * ROUNDS);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    for (size_t i = 0; i < PEERS; i++)
        peer_end(all[i]);
}

typedef struct turns {
    ist_mutex *mutex;
    uint32_t number; /* the mutex guards it */
    size_t wrong[8];
} turns;

static void take_turns(void *context, size_t index)
{
    turns *all = context;
    for (int i = 0; i < 1000; i++) {
        all->wrong[index] += ist_mutex_acquire(all->mutex, IST_FOREVER) != IST_OK;
        all->number++;
        all->wrong[index] += ist_mutex_release(all->mutex) != IST_OK;
    }
}

/* X1 L10 */
TEST(threads_exclude_each_other_through_one_handle)
{
    turns all = {make(NULL), 0, {0}};
    host_threads(COUNT_OF(all.wrong), take_turns, &all);
    assert_int_equal(all.number, 8000);
    for (size_t i = 0; i < COUNT_OF(all.wrong); i++)
        assert_int_equal(all.wrong[i], 0);
    ist_mutex_close(all.mutex);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_try_takes_what_is_free_and_does_not_wait_for_what_is_not),
        RUN(a_wait_for_it_is_never_over_early),
        RUN(a_wait_that_timed_out_has_taken_nothing),
        RUN(a_release_lets_each_of_many_waiters_have_it_once),
        RUN(processes_and_threads_that_come_and_go_exclude_each_other),
        RUN(threads_exclude_each_other_through_one_handle),
    };
    return cmocka_run_group_tests_name("mutex_wait", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
