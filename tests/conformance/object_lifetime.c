/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * When the names of mutexes, semaphores, events and timers live and die: L1, L3, L4, L6, L8 to L10. What becomes of
 * who waits when the handles go (L5) is in object_wait.c, fork (L7) in object_fork.c.
 */
#include "support/host.h"
#include "support/kind.h"
#include "support/sync.h"

static void check_alive(const kind *sort, const char *name)
{
    void *handle = NULL;
    CHECK_ROW(sort->name, IST_OK, sort->open(&handle, name, IST_READ));
    sort->close(handle);
    CHECK_ROW(sort->name, IST_EXISTED, sort->create(&handle, name, NULL));
    sort->close(handle);
}

/* The name is free, for any kind: what takes it is new. */
static void check_gone(const kind *sort, const char *name)
{
    void *handle = NULL;
    ist_mapping *mapping = NULL;
    CHECK_ROW(sort->name, IST_E_NOT_FOUND, sort->open(&handle, name, IST_READ));
    CHECK_ROW(sort->name, IST_OK, ist_mapping_create(&mapping, name, 4096, NULL));
    ist_mapping_close(mapping);
    CHECK_ROW(sort->name, IST_OK, sort->create(&handle, name, NULL));
    sort->close(handle);
    CHECK_ROW(sort->name, IST_E_NOT_FOUND, sort->open(&handle, name, IST_READ));
}

static peer *start_creator(const kind *sort, const char *name)
{
    peer *who = sync_start();
    PEER_ASK(who, "IST_OK", "create %s %s", sort->name, name);
    return who;
}

/* L1 */
TEST(a_name_lives_as_long_as_any_handle_of_the_process)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        void *handles[3] = {NULL, NULL, NULL};
        unique_name(name, "", "life");
        CHECK_OK(kinds[k].create(&handles[0], name, NULL));
        CHECK_OK(kinds[k].open(&handles[1], name, IST_READ));
        CHECK_STATUS(IST_EXISTED, kinds[k].create(&handles[2], name, NULL));
        for (size_t i = 0; i < COUNT_OF(handles); i++) {
            check_alive(&kinds[k], name);
            kinds[k].close(handles[i]);
        }
        check_gone(&kinds[k], name);
    }
}

/* L1 */
TEST(a_name_lives_as_long_as_any_process_holds_it_whoever_made_it)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        unique_name(name, "", "life");
        peer *creator = start_creator(&kinds[k], name);
        peer *opener = sync_start();
        PEER_ASK(opener, "IST_OK", "open %s %s read", kinds[k].name, name);
        PEER_ASK(creator, "ok", "close");
        check_alive(&kinds[k], name);
        PEER_ASK(creator, "IST_OK", "open %s %s write", kinds[k].name, name);
        PEER_ASK(opener, "ok", "close");
        check_alive(&kinds[k], name);
        PEER_ASK(creator, "ok", "close");
        check_gone(&kinds[k], name);
        peer_end(creator);
        peer_end(opener);
    }
}

static void end_by(peer *who, const char *how)
{
    if (strcmp(how, "kill") == 0) {
        peer_kill(who);
        peer_forget(who);
    } else {
        peer_say(who, "%s", how);
        assert_true(peer_ended_well(who));
    }
}

/* L1 L3 L4 */
TEST(a_name_dies_with_its_last_holder_however_that_ends)
{
    static const char *const ends[] = {"exit", "vanish", "kill"};
    for (size_t i = 0; i < KINDS * COUNT_OF(ends); i++) {
        const kind *sort = &kinds[i % KINDS];
        char name[NAME_SIZE];
        unique_name(name, "", "life");
        end_by(start_creator(sort, name), ends[i / KINDS]);
        check_gone(sort, name);
    }
}

/* L1 L3 */
TEST(global_and_long_names_die_with_a_killed_holder_too)
{
    for (size_t i = 0; i < KINDS * 2; i++) {
        const kind *sort = &kinds[i % KINDS];
        char name[NAME_SIZE];
        char answer[PEER_LINE_SIZE];
        unique_name(name, i < KINDS ? "Global\\" : "", "LIFE");
        if (i >= KINDS) {
            memset(name + strlen(name), 'X', NAME_SIZE - strlen(name));
            name[IST_NAME_MAX] = '\0';
        }
        peer *creator = sync_start();
        peer_query(creator, answer, "create %s %s", sort->name, name);
        if (strcmp(answer, "IST_E_ACCESS") == 0)
            SKIP(global_and_long_names_die_with_a_killed_holder_too, "this user may not create Global\\ objects");
        assert_string_equal(answer, "IST_OK");
        end_by(creator, "kill");
        void *handle = NULL;
        CHECK_ROW(sort->name, IST_E_NOT_FOUND, sort->open(&handle, name, IST_READ));
    }
}

/* L1 */
TEST(a_killed_holder_takes_nothing_from_the_others)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        void *handle = NULL;
        unique_name(name, "", "life");
        peer *creator = start_creator(&kinds[k], name);
        peer *other = sync_start();
        PEER_ASK(other, "IST_OK", "open %s %s write", kinds[k].name, name);
        end_by(creator, "kill");
        check_alive(&kinds[k], name);
        CHECK_OK(kinds[k].open(&handle, name, IST_WRITE));
        end_by(other, "kill");
        check_alive(&kinds[k], name);
        kinds[k].close(handle);
        check_gone(&kinds[k], name);
    }
}

/* L4: each in the state that its next creator asks for, and none of the old */
TEST(nothing_of_what_a_dead_holder_left_is_seen_again)
{
    char name[NAME_SIZE];
    unique_name(name, "", "life");
    peer *other = sync_start();
    for (int i = 0; i < 4; i++) {
        peer *creator = sync_start();
        PEER_ASK(creator, "IST_OK", "create semaphore %s initial=7 maximum=8", name);
        end_by(creator, i % 2 == 0 ? "kill" : "vanish");
        PEER_ASK(other, "IST_OK", "create semaphore %s initial=1 maximum=2", name);
        PEER_ASK(other, "IST_OK 1 2", "query");
        PEER_ASK(other, "ok", "close");
        creator = sync_start();
        PEER_ASK(creator, "IST_OK", "create event %s manual set", name);
        end_by(creator, i % 2 == 0 ? "kill" : "vanish");
        PEER_ASK(other, "IST_OK", "create event %s", name);
        PEER_ASK(other, "IST_OK 0 0", "query");
        PEER_ASK(other, "ok", "close");
        creator = sync_start();
        PEER_ASK(creator, "IST_OK", "create mutex %s owned", name);
        end_by(creator, i % 2 == 0 ? "kill" : "vanish");
        PEER_ASK(other, "IST_OK", "create mutex %s", name);
        PEER_ASK(other, "IST_OK 0 0 0", "query");
        PEER_ASK(other, "ok", "close");
    }
    peer_end(other);
}

/* L4: in one process as in several */
TEST(what_the_last_close_let_go_is_not_seen_again)
{
    char name[NAME_SIZE];
    unique_name(name, "", "life");
    for (uint32_t i = 1; i < 50; i++) {
        ist_semaphore *semaphore = NULL;
        ist_semaphore_options options = IST_SEMAPHORE_OPTIONS_INIT;
        ist_semaphore_state state = IST_SEMAPHORE_STATE_INIT;
        options.initial = i;
        options.maximum = 2 * i;
        CHECK_OK(ist_semaphore_create(&semaphore, name, &options));
        CHECK_OK(ist_semaphore_query(semaphore, &state));
        assert_int_equal(state.count, i);
        assert_int_equal(state.maximum, 2 * i);
        CHECK_OK(ist_semaphore_release(semaphore, i, NULL));
        ist_semaphore_close(semaphore);
    }
}

/* L6 */
TEST(closing_nothing_does_nothing)
{
    for (size_t k = 0; k < KINDS; k++) {
        kinds[k].close(NULL);
        assert_null(kinds[k].waitable(NULL));
    }
}

/* L6 L8 */
TEST(closing_does_not_wait_for_a_stopped_holder)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        void *handle = NULL;
        unique_name(name, "", "stop");
        peer *other = start_creator(&kinds[k], name);
        CHECK_OK(kinds[k].open(&handle, name, IST_WRITE));
        peer_stop(other);
        kinds[k].close(handle);
        check_alive(&kinds[k], name);
        peer_go(other);
        PEER_ASK(other, "ok", "close");
        check_gone(&kinds[k], name);
        peer_end(other);
    }
}

/* L8: neither changes nor takes wait for who is stopped */
TEST(a_stopped_holder_delays_nobody)
{
    char mutex[NAME_SIZE];
    char event[NAME_SIZE];
    char semaphore[NAME_SIZE];
    unique_name(mutex, "", "stop");
    unique_name(event, "", "stop");
    unique_name(semaphore, "", "stop");
    peer *stopped = start_creator(&kinds[KIND_MUTEX], mutex);
    PEER_ASK(stopped, "ok", "slot 1");
    PEER_ASK(stopped, "IST_OK", "create event %s", event);
    PEER_ASK(stopped, "ok", "slot 2");
    PEER_ASK(stopped, "IST_OK", "create semaphore %s", semaphore);
    sync_block(stopped);
    peer *other = sync_start();
    peer_stop(stopped);
    PEER_ASK(other, "IST_OK", "open mutex %s write", mutex);
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_OK", "release");
    PEER_ASK(other, "IST_OK", "open event %s write", event);
    PEER_ASK(other, "IST_OK", "set");
    PEER_ASK(other, "IST_OK", "reset");
    PEER_ASK(other, "IST_OK", "set");
    PEER_ASK(other, "IST_OK", "wait 0");
    PEER_ASK(other, "IST_OK", "open semaphore %s write", semaphore);
    PEER_ASK(other, "IST_OK 0", "release");
    PEER_ASK(other, "IST_OK", "wait forever");
    PEER_ASK(other, "IST_OK 0", "release");
    peer_go(stopped);
    SYNC_HEAR(stopped, "IST_OK");
    peer_end(stopped);
    peer_end(other);
}

/* L9 */
TEST(a_new_program_inherits_nothing)
{
    for (size_t k = 0; k < KINDS; k++) {
        char name[NAME_SIZE];
        unique_name(name, "", "heir");
        peer *other = start_creator(&kinds[k], name);
        peer_say(other, "heir");
        SYNC_HEAR(other, "here");
        check_alive(&kinds[k], name);
        peer_kill(other);
        check_gone(&kinds[k], name);
        PEER_ASK(other, "pong", "ping");
        peer_forget(other);
    }
}

/* L9 X3: nor is it the owner */
TEST(a_new_program_does_not_keep_its_parents_mutex)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = NULL;
    unique_name(name, "", "heir");
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    peer *other = sync_start();
    PEER_ASK(other, "IST_OK", "open mutex %s write", name);
    PEER_ASK(other, "IST_OK", "wait 0");
    peer_say(other, "heir");
    SYNC_HEAR(other, "here");
    CHECK_STATUS(IST_TIMEOUT, ist_mutex_acquire(mutex, 0));
    peer_kill(other);
    CHECK_STATUS(IST_ABANDONED, ist_mutex_acquire(mutex, sync_bound_ns()));
    PEER_ASK(other, "pong", "ping");
    peer_forget(other);
    ist_mutex_close(mutex);
}

typedef struct visit {
    const kind *sort;
    char name[NAME_SIZE];
    size_t wrong[8];
} visit;

static void come_and_go(void *context, size_t index)
{
    visit *all = context;
    for (size_t i = 0; i < 100; i++) {
        void *handle = NULL;
        kind_state state = {0};
        ist_status status = (index + i) % 3 == 0 ? all->sort->open(&handle, all->name, IST_WRITE)
                                                 : all->sort->create(&handle, all->name, NULL);
        if (status == IST_E_NOT_FOUND)
            continue;
        state.struct_size = all->sort->state_size;
        all->wrong[index] += status < 0 || all->sort->query(handle, &state) != IST_OK;
        all->sort->close(handle);
    }
}

/* L10 N8 */
TEST(eight_threads_come_and_go_under_one_name)
{
    for (size_t k = 0; k < KINDS; k++) {
        visit all = {&kinds[k], "", {0}};
        unique_name(all.name, "", "threads");
        host_threads(COUNT_OF(all.wrong), come_and_go, &all);
        for (size_t i = 0; i < COUNT_OF(all.wrong); i++)
            assert_int_equal(all.wrong[i], 0);
        check_gone(&kinds[k], all.name);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_name_lives_as_long_as_any_handle_of_the_process),
        RUN(a_name_lives_as_long_as_any_process_holds_it_whoever_made_it),
        RUN(a_name_dies_with_its_last_holder_however_that_ends),
        RUN(global_and_long_names_die_with_a_killed_holder_too),
        RUN(a_killed_holder_takes_nothing_from_the_others),
        RUN(nothing_of_what_a_dead_holder_left_is_seen_again),
        RUN(what_the_last_close_let_go_is_not_seen_again),
        RUN(closing_nothing_does_nothing),
        RUN(closing_does_not_wait_for_a_stopped_holder),
        RUN(a_stopped_holder_delays_nobody),
        RUN(a_new_program_inherits_nothing),
        RUN(a_new_program_does_not_keep_its_parents_mutex),
        RUN(eight_threads_come_and_go_under_one_name),
    };
    return cmocka_run_group_tests_name("object_lifetime", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, sync_roles, sync_role_count, run_all);
}
