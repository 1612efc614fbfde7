/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * When a name lives and when it dies: L1, L4, L6, L8 as far as the public API shows it, L9. Views (L2) and what is
 * left behind (L3) are in remains.c; fork (L7) and stops at each system call (L8) in tests/process.
 */
#include "support/life.h"
#include "support/peer.h"

static peer *start_opener(const char *name, const char *access)
{
    peer *who = peer_start_holder();
    PEER_ASK(who, "IST_OK", "open %s %s", peer_word(name), access);
    return who;
}

/* L1 */
TEST(a_name_dies_when_its_only_handle_is_closed)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "life");
    CHECK_OK(ist_mapping_create(&mapping, name, 4096, NULL));
    life_check_alive(name);
    ist_mapping_close(mapping);
    life_check_gone(name);
}

/* L1 */
TEST(a_name_lives_as_long_as_any_handle_of_the_process)
{
    char name[NAME_SIZE];
    ist_mapping *handles[3] = {NULL, NULL, NULL};
    unique_name(name, "", "life");
    CHECK_OK(ist_mapping_create(&handles[0], name, 4096, NULL));
    CHECK_OK(ist_mapping_open(&handles[1], name, IST_READ));
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&handles[2], name, 4096, NULL));
    for (size_t i = 0; i < 3; i++) {
        life_check_alive(name);
        ist_mapping_close(handles[i]);
    }
    life_check_gone(name);
}

/* L1 */
TEST(a_name_lives_as_long_as_any_process_holds_it_whoever_made_it)
{
    char name[NAME_SIZE];
    unique_name(name, "", "life");
    peer *creator = life_start_creator(name);
    peer *opener = start_opener(name, "read");
    PEER_ASK(creator, "ok", "close");
    life_check_alive(name);
    PEER_ASK(creator, "IST_OK", "open %s write", name);
    PEER_ASK(opener, "ok", "close");
    life_check_alive(name);
    PEER_ASK(creator, "ok", "close");
    life_check_gone(name);
    peer_end(creator);
    peer_end(opener);
}

/* L1 L3 L4 */
TEST(a_name_dies_with_a_process_that_exits_without_closing)
{
    char name[NAME_SIZE];
    unique_name(name, "", "life");
    peer *creator = life_start_creator(name);
    peer_say(creator, "exit");
    assert_true(peer_ended_well(creator));
    life_check_gone(name);
}

/* L1 L3 L4 */
TEST(a_name_dies_with_a_process_that_ends_without_any_clean_up)
{
    char name[NAME_SIZE];
    unique_name(name, "", "life");
    peer *creator = life_start_creator(name);
    peer_say(creator, "vanish");
    assert_true(peer_ended_well(creator));
    life_check_gone(name);
}

/* L1 L3 L4 */
TEST(a_name_dies_with_a_killed_process)
{
    char name[NAME_SIZE];
    unique_name(name, "", "life");
    peer *creator = life_start_creator(name);
    peer_kill(creator);
    life_check_gone(name);
    peer_forget(creator);
}

/* L4 */
TEST(the_first_call_after_a_kill_may_be_the_create)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "life");
    peer *creator = life_start_creator(name);
    peer_kill(creator);
    CHECK_OK(ist_mapping_create(&mapping, name, 8192, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
    assert_true(view.size >= 8192);
    for (size_t i = 0; i < view.size; i++)
        assert_int_equal(((unsigned char *)view.data)[i], 0);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    peer_forget(creator);
}

/* L1 */
TEST(a_killed_holder_takes_nothing_from_the_others)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "life");
    peer *creator = life_start_creator(name);
    peer *opener = start_opener(name, "write");
    peer_kill(creator);
    life_check_alive(name);
    CHECK_OK(ist_mapping_open(&mapping, name, IST_READ));
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
    assert_int_equal(*(unsigned char *)view.data, 77);
    peer_kill(opener);
    life_check_alive(name);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    life_check_gone(name);
    peer_forget(creator);
    peer_forget(opener);
}

/* L1 L4 */
TEST(a_name_dies_when_all_of_many_holders_are_killed)
{
    char name[NAME_SIZE];
    peer *all[12];
    unique_name(name, "", "life");
    all[0] = life_start_creator(name);
    for (size_t i = 1; i < COUNT_OF(all); i++)
        all[i] = start_opener(name, i % 2 == 0 ? "read" : "write");
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        life_check_alive(name);
        peer_kill(all[i]);
        peer_forget(all[i]);
    }
    life_check_gone(name);
}

/* L1 L3: with names that hash, and global ones */
TEST(long_and_global_names_die_with_a_killed_process_too)
{
    char name[NAME_SIZE];
    char global[NAME_SIZE];
    unique_name(name, "", "LIFE");
    memset(name + strlen(name), 'X', NAME_SIZE - strlen(name));
    name[NAME_SIZE - 1] = '\0';
    peer *creator = life_start_creator(name);
    peer_kill(creator);
    life_check_gone(name);
    peer_forget(creator);
    unique_name(global, "Global\\", "life");
    creator = peer_start_holder();
    char answer[PEER_LINE_SIZE];
    peer_query(creator, answer, "create %s 4096", peer_word(global));
    if (strcmp(answer, "IST_E_ACCESS") == 0)
        SKIP(long_and_global_names_die_with_a_killed_process_too, "this user may not create Global\\ objects");
    assert_string_equal(answer, "IST_OK");
    peer_kill(creator);
    life_check_gone(global);
    peer_forget(creator);
}

/* L6 */
TEST(closing_nothing_does_nothing)
{
    ist_view empty = IST_VIEW_INIT;
    ist_mapping_close(NULL);
    ist_view_unmap(NULL);
    ist_view_unmap(&empty);
    ist_view_unmap(&empty);
    assert_null(empty.data);
    assert_int_equal(empty.size, 0);
}

/* L6 L8 */
TEST(closing_does_not_wait_for_a_stopped_holder)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "stop");
    peer *other = life_start_creator(name);
    CHECK_OK(ist_mapping_open(&mapping, name, IST_WRITE));
    peer_stop(other);
    ist_mapping_close(mapping);
    peer_go(other);
    PEER_ASK(other, "77", "peek 0");
    peer_end(other);
    life_check_gone(name);
}

/* L8 */
TEST(a_stopped_holder_is_not_mistaken_for_dead)
{
    char name[NAME_SIZE];
    unique_name(name, "", "stop");
    peer *other = life_start_creator(name);
    peer_stop(other);
    life_check_alive(name);
    life_check_alive(name);
    peer_go(other);
    PEER_ASK(other, "77", "peek 0");
    life_check_alive(name);
    PEER_ASK(other, "ok", "close");
    life_check_gone(name);
    peer_end(other);
}

/* L8 L1 */
TEST(a_holder_killed_while_it_is_stopped_is_dead)
{
    char name[NAME_SIZE];
    unique_name(name, "", "stop");
    peer *other = life_start_creator(name);
    peer_stop(other);
    peer_kill(other);
    life_check_gone(name);
    peer_forget(other);
}

/* L9 */
TEST(a_new_program_inherits_nothing)
{
    char name[NAME_SIZE];
    char unnamed[PEER_LINE_SIZE];
    unique_name(name, "", "heir");
    peer *other = life_start_creator(name);
    PEER_ASK(other, "ok", "slot 1");
    PEER_ASK(other, "IST_OK", "create - 4096");
    peer_query(other, unnamed, "export %llu write", (unsigned long long)ist_process_id());
    peer_say(other, "heir");
    peer_hear(other, unnamed);
    assert_string_equal(unnamed, "here");
    life_check_alive(name);
    peer_kill(other);
    life_check_gone(name);
    PEER_ASK(other, "pong", "ping");
    life_check_gone(name);
    peer_forget(other);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_name_dies_when_its_only_handle_is_closed),
        RUN(a_name_lives_as_long_as_any_handle_of_the_process),
        RUN(a_name_lives_as_long_as_any_process_holds_it_whoever_made_it),
        RUN(a_name_dies_with_a_process_that_exits_without_closing),
        RUN(a_name_dies_with_a_process_that_ends_without_any_clean_up),
        RUN(a_name_dies_with_a_killed_process),
        RUN(the_first_call_after_a_kill_may_be_the_create),
        RUN(a_killed_holder_takes_nothing_from_the_others),
        RUN(a_name_dies_when_all_of_many_holders_are_killed),
        RUN(long_and_global_names_die_with_a_killed_process_too),
        RUN(closing_nothing_does_nothing),
        RUN(closing_does_not_wait_for_a_stopped_holder),
        RUN(a_stopped_holder_is_not_mistaken_for_dead),
        RUN(a_holder_killed_while_it_is_stopped_is_dead),
        RUN(a_new_program_inherits_nothing),
    };
    return cmocka_run_group_tests_name("lifetime", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
