/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a process that forks, or becomes another program, holds and owns: L7, L9, X3. Where there is no fork, nothing
 * of this can be asked.
 */
#include "support/kind.h"
#include "support/sync.h"

#define NEED_FORK(test)                                                                                                \
    do {                                                                                                               \
        ist_traits traits = IST_TRAITS_INIT;                                                                           \
        ist_traits_get(&traits);                                                                                       \
        if (!traits.has_fork)                                                                                          \
            SKIP(test, "this system has no fork");                                                                     \
    } while (0)

static ist_mutex *make(char name[NAME_SIZE])
{
    ist_mutex *mutex = NULL;
    unique_name(name, "", "fork");
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    return mutex;
}

static peer *start_owner(const char *name)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "open mutex %s write", name);
    PEER_ASK(who, "IST_OK", "wait 0");
    return who;
}

static bool is_there(const kind *sort, const char *name)
{
    void *handle = NULL;
    ist_status status = sort->open(&handle, name, IST_READ);
    sort->close(handle);
    return status == IST_OK;
}

/* ---- the object ---- */

/* L7 */
TEST(the_object_lives_until_parent_and_child_have_let_go)
{
    NEED_FORK(the_object_lives_until_parent_and_child_have_let_go);
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        unique_name(name, "", "fork");
        peer *who = sync_start();
        PEER_ASK(who, "IST_OK", "create %s %s", kinds[k].name, name);
        PEER_ASK(who, "child", "fork");
        PEER_ASK(who, "ok", "close");
        assert_true(is_there(&kinds[k], name));
        peer_say(who, "exit");
        SYNC_HEAR(who, "parent");
        assert_true(is_there(&kinds[k], name));
        PEER_ASK(who, "child", "fork");
        peer_kill(who);
        assert_true(is_there(&kinds[k], name));
        PEER_ASK(who, "ok", "close");
        assert_false(is_there(&kinds[k], name));
        peer_forget(who);
    }
}

/* L7 */
TEST(a_child_that_vanishes_takes_nothing_from_the_parent)
{
    NEED_FORK(a_child_that_vanishes_takes_nothing_from_the_parent);
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        unique_name(name, "", "fork");
        peer *who = sync_start();
        PEER_ASK(who, "IST_OK", "create %s %s", kinds[k].name, name);
        PEER_ASK(who, "child", "fork");
        peer_say(who, "vanish");
        SYNC_HEAR(who, "parent");
        assert_true(is_there(&kinds[k], name));
        PEER_ASK(who, "ok", "close");
        assert_false(is_there(&kinds[k], name));
        peer_end(who);
    }
}

/* L7 */
TEST(parent_and_child_use_one_object)
{
    NEED_FORK(parent_and_child_use_one_object);
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "create semaphore -");
    PEER_ASK(who, "ok", "slot 1");
    PEER_ASK(who, "IST_OK", "create event - manual");
    PEER_ASK(who, "child", "fork");
    PEER_ASK(who, "IST_OK", "set");
    PEER_ASK(who, "ok", "slot 0");
    PEER_ASK(who, "IST_OK 0", "release 3");
    PEER_ASK(who, "IST_OK", "wait 0");
    peer_say(who, "exit");
    SYNC_HEAR(who, "parent");
    PEER_ASK(who, "IST_OK", "wait 0");
    PEER_ASK(who, "ok", "slot 0");
    PEER_ASK(who, "IST_OK 2 2147483647", "query");
    peer_end(who);
}

/* ---- ownership ---- */

/* L7 X1 */
TEST(ownership_does_not_pass_to_the_child)
{
    NEED_FORK(ownership_does_not_pass_to_the_child);
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *who = start_owner(name);
    PEER_ASK(who, "child", "fork");
    PEER_ASK(who, "IST_OK 1 0 0", "query");
    PEER_ASK(who, "IST_TIMEOUT", "wait 0");
    PEER_ASK(who, "IST_E_NOT_OWNER", "release");
    peer_say(who, "exit");
    SYNC_HEAR(who, "parent");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    PEER_ASK(who, "IST_OK 1 1 0", "query");
    PEER_ASK(who, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    peer_end(who);
}

/* L7 X3: the child holds the object, not the mutex */
TEST(a_mutex_is_abandoned_by_a_parent_whose_child_lives)
{
    NEED_FORK(a_mutex_is_abandoned_by_a_parent_whose_child_lives);
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *who = start_owner(name);
    PEER_ASK(who, "child", "fork");
    peer *waiter = sync_start();
    PEER_ASK(waiter, "IST_OK", "open mutex %s write", name);
    sync_block(waiter);
    peer_kill(who);
    SYNC_HEAR(waiter, "IST_ABANDONED");
    PEER_ASK(who, "IST_TIMEOUT", "wait 0");
    PEER_ASK(waiter, "IST_OK", "release");
    PEER_ASK(who, "IST_OK", "wait 0");
    PEER_ASK(who, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    peer_forget(who);
    peer_end(waiter);
}

/* L7 X3: the child that has forked is an owner of its own */
TEST(a_child_owns_what_it_acquires_itself_and_abandons_it)
{
    NEED_FORK(a_child_owns_what_it_acquires_itself_and_abandons_it);
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *who = start_owner(name);
    PEER_ASK(who, "IST_OK", "release");
    PEER_ASK(who, "child", "fork");
    PEER_ASK(who, "IST_OK", "wait 0");
    PEER_ASK(who, "IST_OK", "wait 0");
    PEER_ASK(who, "IST_OK", "release");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    peer_say(who, "exit");
    SYNC_HEAR(who, "parent");
    PEER_ASK(who, "IST_ABANDONED", "wait 0");
    PEER_ASK(who, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    ist_mutex_close(mutex);
    peer_end(who);
}

/* L7: a wait of the child is its own */
TEST(a_child_is_released_like_any_other_waiter)
{
    NEED_FORK(a_child_is_released_like_any_other_waiter);
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *who = sync_start_patient();
    PEER_ASK(who, "IST_OK", "open mutex %s write", name);
    PEER_ASK(who, "IST_OK", "wait 0");
    PEER_ASK(who, "IST_OK", "release");
    CHECK_OK(ist_mutex_acquire(mutex, 0));
    PEER_ASK(who, "child", "fork");
    sync_block(who);
    CHECK_OK(ist_mutex_release(mutex));
    SYNC_HEAR(who, "IST_OK");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    PEER_ASK(who, "IST_OK", "release");
    peer_say(who, "exit");
    SYNC_HEAR(who, "parent");
    ist_mutex_close(mutex);
    peer_end(who);
}

/* ---- another program ---- */

/* L9 */
TEST(a_process_that_becomes_another_program_holds_nothing)
{
    NEED_FORK(a_process_that_becomes_another_program_holds_nothing);
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        unique_name(name, "", "exec");
        peer *who = sync_start();
        PEER_ASK(who, "IST_OK", "create %s %s", kinds[k].name, name);
        PEER_ASK(who, "again", "become");
        assert_false(is_there(&kinds[k], name));
        PEER_ASK(who, "IST_OK", "create %s %s", kinds[k].name, name);
        peer_end(who);
    }
}

/* X3: exec counts */
TEST(a_process_that_becomes_another_program_abandons_what_it_owned)
{
    NEED_FORK(a_process_that_becomes_another_program_abandons_what_it_owned);
    char name[NAME_SIZE];
    ist_mutex *mutex = make(name);
    peer *who = start_owner(name);
    PEER_ASK(who, "again", "become");
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, 0));
    CHECK_OK(ist_mutex_release(mutex));
    PEER_ASK(who, "IST_OK", "open mutex %s write", name);
    PEER_ASK(who, "IST_E_NOT_OWNER", "release");
    PEER_ASK(who, "IST_OK", "wait 0");
    ist_mutex_close(mutex);
    peer_end(who);
}

/* A peer whose thread owns the mutex: its first, or one that it has entered. */
static peer *start_owning_thread(const char *name, bool first)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "open mutex %s write", name);
    if (!first)
        PEER_ASK(who, "in", "enter");
    PEER_ASK(who, "IST_OK", "wait 0");
    return who;
}

/* X3: whichever thread owns it, and whichever becomes another program */
TEST(a_waiter_learns_of_an_owner_that_becomes_another_program)
{
    static const char *const ways[] = {"become", "threads 1 become"};
    NEED_FORK(a_waiter_learns_of_an_owner_that_becomes_another_program);
    for (size_t i = 0; i < 2 * COUNT_OF(ways); i++) {
        char name[NAME_SIZE];
        ist_mutex *mutex = make(name);
        peer *who = start_owning_thread(name, i < COUNT_OF(ways));
        peer *waiter = sync_start();
        PEER_ASK(waiter, "IST_OK", "open mutex %s write", name);
        sync_block(waiter);
        PEER_ASK(who, "again", "%s", ways[i % COUNT_OF(ways)]);
        SYNC_HEAR(waiter, "IST_ABANDONED");
        PEER_ASK(waiter, "IST_OK", "release");
        CHECK_OK(ist_mutex_acquire(mutex, 0));
        ist_mutex_close(mutex);
        peer_end(who);
        peer_end(waiter);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_object_lives_until_parent_and_child_have_let_go),
        RUN(a_child_that_vanishes_takes_nothing_from_the_parent),
        RUN(parent_and_child_use_one_object),
        RUN(ownership_does_not_pass_to_the_child),
        RUN(a_mutex_is_abandoned_by_a_parent_whose_child_lives),
        RUN(a_child_owns_what_it_acquires_itself_and_abandons_it),
        RUN(a_child_is_released_like_any_other_waiter),
        RUN(a_process_that_becomes_another_program_holds_nothing),
        RUN(a_process_that_becomes_another_program_abandons_what_it_owned),
        RUN(a_waiter_learns_of_an_owner_that_becomes_another_program),
    };
    return cmocka_run_group_tests_name("object_fork", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
