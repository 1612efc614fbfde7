/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Those who wait for a mutex when its owner ends: X3. The next who comes afterwards is in mutex_abandoned.c.
 */
#include "support/host.h"
#include "support/sync.h"

static ist_mutex *make(char name[NAME_SIZE])
{
    ist_mutex *mutex = NULL;
    unique_name(name, "", "bereaved");
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    return mutex;
}

static peer *start_opener(const char *name)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "open mutex %s write", name);
    return who;
}

static peer *start_owner(const char *name)
{
    peer *who = start_opener(name);
    PEER_ASK(who, "IST_OK", "wait 0");
    return who;
}

static peer *start_waiter(const char *name)
{
    peer *who = start_opener(name);
    sync_block(who);
    return who;
}

/* One that learns without any re-check, where the trait says that it learns at once. */
static peer *start_patient(void)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    return traits.abandon_at_once ? sync_start_patient() : sync_start();
}

/* ---- one waiter ---- */

/* X3 */
TEST(a_waiter_learns_of_an_owner_that_is_killed)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    peer *waiter = start_waiter(name);
    peer_kill(owner);
    SYNC_HEAR(waiter, "IST_ABANDONED");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    PEER_ASK(waiter, "IST_OK", "release");
    PEER_ASK(waiter, "IST_E_NOT_OWNER", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    peer_forget(owner);
    peer_end(waiter);
    ist_mutex_close(mutex);
}

/* X3 */
TEST(a_waiter_learns_of_an_owner_that_exits_or_ends_without_any_clean_up)
{
    static const char *const ends[] = {"exit", "vanish"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char name[NAME_SIZE];
        ist_mutex *mutex = make(name);
        peer *owner = start_owner(name);
        peer *waiter = start_waiter(name);
        peer_say(owner, "%s", ends[i]);
        SYNC_HEAR(waiter, "IST_ABANDONED");
        PEER_ASK(waiter, "IST_OK", "release");
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        assert_true(peer_ended_well(owner));
        peer_end(waiter);
        ist_mutex_close(mutex);
    }
}

/* X3 */
TEST(a_waiter_learns_of_a_thread_that_returns_though_its_process_lives)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_opener(name);
    PEER_ASK(owner, "in", "enter");
    PEER_ASK(owner, "IST_OK", "wait 0");
    peer *waiter = start_waiter(name);
    PEER_ASK(owner, "out", "leave");
    SYNC_HEAR(waiter, "IST_ABANDONED");
    PEER_ASK(owner, "IST_TIMEOUT", "wait 0");
    PEER_ASK(waiter, "IST_OK", "release");
    PEER_ASK(owner, "IST_OK", "wait 0");
    peer_end(owner);
    peer_end(waiter);
    ist_mutex_close(mutex);
}

/* X3: where the trait says at once, no re-check is needed */
TEST(a_waiter_learns_at_once_where_the_trait_says_so)
{
    for (int i = 0; i < 10; i++) {
        char name[NAME_SIZE];
        ist_mutex *mutex = make(name);
        peer *owner = start_owner(name);
        peer *waiter = start_patient();
        PEER_ASK(waiter, "IST_OK", "open mutex %s write", name);
        sync_block(waiter);
        peer_kill(owner);
        SYNC_HEAR(waiter, "IST_ABANDONED");
        peer_forget(owner);
        peer_end(waiter);
        ist_mutex_close(mutex);
    }
}

/* X3 L8 */
TEST(a_waiter_learns_of_an_owner_that_is_killed_while_it_is_stopped)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    peer *waiter = start_waiter(name);
    peer_stop(owner);
    sync_pause();
    peer_kill(owner);
    SYNC_HEAR(waiter, "IST_ABANDONED");
    peer_forget(owner);
    peer_end(waiter);
    ist_mutex_close(mutex);
}

/* Has `later` take what `waiter` waits for. False where the waiter was not stopped before it got it. */
static bool slip_in(ist_mutex *mutex, peer *later, peer *waiter)
{
    char answer[PEER_LINE_SIZE];
    peer_stop(waiter);
    CHECK_OK(ist_mutex_release(mutex));
    peer_query(later, answer, "wait 0");
    peer_go(waiter);
    return strcmp(answer, "IST_OK") == 0;
}

/* X3: the owner that ends is not the one whom the waiter met when it began */
TEST(a_waiter_learns_of_an_owner_that_came_after_it)
{
    for (int i = 0; i < 10; i++) {
        char name[NAME_SIZE];
        ist_mutex *mutex = make(name);
        peer *later = start_opener(name);
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        peer *waiter = start_waiter(name);
        bool slipped = slip_in(mutex, later, waiter);
        sync_pause();
        peer_kill(later);
        SYNC_HEAR(waiter, slipped ? "IST_ABANDONED" : "IST_OK");
        peer_forget(later);
        peer_end(waiter);
        ist_mutex_close(mutex);
    }
}

/* X3: threads of the owner's own process die with it, and what woke them is passed on */
TEST(a_waiter_learns_though_others_in_the_owners_process_waited_too)
{
    for (int i = 0; i < 10; i++) {
        char name[NAME_SIZE];
        ist_mutex *mutex = make(name);
        peer *owner = start_owner(name);
        peer_say(owner, "threads 8 block forever");
        for (int j = 0; j < 8; j++)
            SYNC_HEAR(owner, "waiting");
        peer *waiter = start_waiter(name);
        peer_kill(owner);
        SYNC_HEAR(waiter, "IST_ABANDONED");
        PEER_ASK(waiter, "IST_OK", "release");
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        peer_forget(owner);
        peer_end(waiter);
        ist_mutex_close(mutex);
    }
}

/* ---- several waiters ---- */

#define CROWD 5

/* Hears whom of the crowd got it, one after the other, each releasing it for the next. */
static void check_told_once(peer *done, peer *const *crowd, size_t count)
{
    size_t told = 0;
    for (size_t i = 0; i < count; i++)
        PEER_ASK(done, "IST_OK", "wait %u", check_bound_ms());
    for (size_t i = 0; i < count; i++) {
        told += sync_hears(crowd[i], "IST_ABANDONED", "IST_OK");
        SYNC_HEAR(crowd[i], "IST_OK");
    }
    assert_int_equal(told, 1);
}

/* X3 X7 */
TEST(one_of_several_waiters_is_told_and_the_others_get_it_in_their_turn)
{
    char name[NAME_SIZE];
    peer *crowd[CROWD];
    ist_mutex *mutex = make(name);
    peer *done = sync_start();
    PEER_ASK(done, "IST_OK", "create semaphore %s-done", name);
    peer *owner = start_owner(name);
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = sync_start();
        PEER_ASK(crowd[i], "ok", "slot 1");
        PEER_ASK(crowd[i], "IST_OK", "open semaphore %s-done write", name);
        PEER_ASK(crowd[i], "ok", "slot 0");
        PEER_ASK(crowd[i], "IST_OK", "open mutex %s write", name);
        PEER_ASK(crowd[i], "waiting", "block forever 1");
        peer_say(crowd[i], "release");
    }
    sync_pause();
    peer_kill(owner);
    check_told_once(done, crowd, CROWD);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    peer_forget(owner);
    for (size_t i = 0; i < CROWD; i++)
        peer_end(crowd[i]);
    peer_end(done);
    ist_mutex_close(mutex);
}

/* X3: the system wakes one of them, and that is passed on */
TEST(all_who_wait_for_different_mutexes_of_one_owner_learn)
{
    for (int round = 0; round < 5; round++) {
        char names[CROWD][NAME_SIZE];
        ist_mutex *mutexes[CROWD];
        peer *waiters[CROWD];
        peer *owner = sync_start();
        for (size_t i = 0; i < CROWD; i++) {
            mutexes[i] = make(names[i]);
            PEER_ASK(owner, "ok", "slot %zu", i);
            PEER_ASK(owner, "IST_OK", "open mutex %s write", names[i]);
            PEER_ASK(owner, "IST_OK", "wait 0");
        }
        for (size_t i = 0; i < CROWD; i++) {
            waiters[i] = start_patient();
            PEER_ASK(waiters[i], "IST_OK", "open mutex %s write", names[i]);
            sync_block(waiters[i]);
        }
        peer_kill(owner);
        for (size_t i = 0; i < CROWD; i++) {
            SYNC_HEAR(waiters[i], "IST_ABANDONED");
            PEER_ASK(waiters[i], "IST_OK", "release");
            CHECK_OK(ist_mutex_acquire(mutexes[i], 0));
            peer_end(waiters[i]);
            ist_mutex_close(mutexes[i]);
        }
        peer_forget(owner);
    }
}

/* Which of the crowd has got it: each has a semaphore of its own to say so. */
static size_t who_has_it(ist_semaphore *const *said)
{
    const ist_waitable *items[CROWD];
    size_t index = CROWD;
    for (size_t i = 0; i < CROWD; i++)
        items[i] = ist_semaphore_waitable(said[i]);
    CHECK_OK(ist_wait_any(items, CROWD, sync_bound_ns(), &index));
    return index;
}

/* X3: the others slept on the first owner's end, and are to be told of the second's, and so on */
TEST(each_of_a_crowd_that_is_killed_when_it_has_it_leaves_it_to_another)
{
    char name[NAME_SIZE];
    peer *crowd[CROWD];
    ist_semaphore *said[CROWD];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    for (size_t i = 0; i < CROWD; i++) {
        char word[NAME_SIZE];
        unique_name(word, "", "said");
        CHECK_OK(ist_semaphore_create(&said[i], word, NULL));
        crowd[i] = start_patient();
        PEER_ASK(crowd[i], "ok", "slot 1");
        PEER_ASK(crowd[i], "IST_OK", "open semaphore %s write", word);
        PEER_ASK(crowd[i], "ok", "slot 0");
        PEER_ASK(crowd[i], "IST_OK", "open mutex %s write", name);
        PEER_ASK(crowd[i], "waiting", "block forever 1");
    }
    sync_pause();
    peer_kill(owner);
    peer_forget(owner);
    for (size_t i = 0; i < CROWD; i++) {
        size_t who = who_has_it(said);
        SYNC_HEAR(crowd[who], "IST_ABANDONED");
        peer_kill(crowd[who]);
        peer_forget(crowd[who]);
    }
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, sync_bound_ns()));
    for (size_t i = 0; i < CROWD; i++)
        ist_semaphore_close(said[i]);
    ist_mutex_close(mutex);
}

/* X3: each that was told owns it until it ends itself */
TEST(a_chain_of_owners_that_are_killed_reaches_the_last_waiter)
{
    char name[NAME_SIZE];
    peer *all[4];
    ist_mutex *mutex = make(name);
    peer *owner = start_owner(name);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        all[i] = start_waiter(name);
        peer_kill(owner);
        peer_forget(owner);
        SYNC_HEAR(all[i], "IST_ABANDONED");
        owner = all[i];
    }
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    peer_kill(owner);
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, sync_bound_ns()));
    peer_forget(owner);
    ist_mutex_close(mutex);
}

/* ---- waiters that die ---- */

/* X3: a waiter owns nothing */
TEST(a_waiter_that_is_killed_abandons_nothing)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    peer *waiter = start_waiter(name);
    peer *other = start_waiter(name);
    peer_kill(waiter);
    CHECK_OK(ist_mutex_release(mutex));
    SYNC_HEAR(other, "IST_OK");
    PEER_ASK(other, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    peer_forget(waiter);
    peer_end(other);
    ist_mutex_close(mutex);
}

/* X3: whether the killed waiter had got it by then or not, nobody is stranded */
TEST(a_waiter_killed_as_it_gets_it_strands_nobody)
{
    for (int i = 0; i < 20; i++) {
        char name[NAME_SIZE];
        ist_mutex *mutex = make(name);
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        peer *waiter = start_waiter(name);
        peer *other = start_waiter(name);
        CHECK_OK(ist_mutex_release(mutex));
        peer_kill(waiter);
        (void)sync_hears(other, "IST_OK", "IST_ABANDONED");
        PEER_ASK(other, "IST_OK", "release");
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        CHECK_OK(ist_mutex_release(mutex));
        peer_forget(waiter);
        peer_end(other);
        ist_mutex_close(mutex);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_waiter_learns_of_an_owner_that_is_killed),
        RUN(a_waiter_learns_of_an_owner_that_exits_or_ends_without_any_clean_up),
        RUN(a_waiter_learns_of_a_thread_that_returns_though_its_process_lives),
        RUN(a_waiter_learns_at_once_where_the_trait_says_so),
        RUN(a_waiter_learns_of_an_owner_that_is_killed_while_it_is_stopped),
        RUN(a_waiter_learns_of_an_owner_that_came_after_it),
        RUN(a_waiter_learns_though_others_in_the_owners_process_waited_too),
        RUN(one_of_several_waiters_is_told_and_the_others_get_it_in_their_turn),
        RUN(all_who_wait_for_different_mutexes_of_one_owner_learn),
        RUN(each_of_a_crowd_that_is_killed_when_it_has_it_leaves_it_to_another),
        RUN(a_chain_of_owners_that_are_killed_reaches_the_last_waiter),
        RUN(a_waiter_that_is_killed_abandons_nothing),
        RUN(a_waiter_killed_as_it_gets_it_strands_nobody),
    };
    return cmocka_run_group_tests_name("mutex_bereaved", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
