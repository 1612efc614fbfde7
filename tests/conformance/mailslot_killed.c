/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The end of a mailslot: B6, L1, L3, L4, L6, L7, L9.
 */
#include "support/host.h"
#include "support/mailslot_peer.h"

/* A peer that reads a new slot, and a handle of this process to write to it. */
static peer *start_reader(char name[NAME_SIZE], ist_mailslot **writer)
{
    peer *reader = mailslot_start();
    unique_name(name, "", "end");
    PEER_ASK(reader, "IST_OK", "create %s", name);
    CHECK_OK(ist_mailslot_open(writer, name, IST_WRITE));
    return reader;
}

/* B6: at once where the kernel reports deaths at once, else within the re-check */
static void check_broken(ist_mailslot *writer)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_status status = IST_OK;
    ist_event *never = NULL;
    ist_traits_get(&traits);
    CHECK_OK(ist_event_create(&never, NULL, NULL));
    status = ist_mailslot_write(writer, "x", 1);
    for (unsigned n = 0; !traits.abandon_at_once && status == IST_OK && n < check_bound_ms() / 10; n++) {
        (void)ist_wait(ist_event_waitable(never), 10 * CLOCK_MS);
        status = ist_mailslot_write(writer, "x", 1);
    }
    CHECK_ROW("a write to nobody", IST_E_BROKEN, status);
    CHECK_STATUS(IST_E_BROKEN, ist_mailslot_write(writer, NULL, 0));
    ist_event_close(never);
}

#define NEED_ENDS(test)                                                                                                \
    do {                                                                                                               \
        if (host_emulator() != NULL)                                                                                   \
            SKIP(test, "Wine keeps a mailslot as long as somebody can write to it");                                   \
    } while (0)

/* ---- closed ---- */

/* B6 L1 */
TEST(a_slot_goes_with_the_readers_handle)
{
    mailslot_pair pair;
    NEED_ENDS(a_slot_goes_with_the_readers_handle);
    mailslot_make(&pair, 0, 0);
    peer *other = mailslot_start_writer(pair.name);
    MAILSLOT_WRITE(pair.writer, "unread");
    ist_mailslot_close(pair.reader);
    CHECK_STATUS(IST_E_BROKEN, ist_mailslot_write(pair.writer, "x", 1));
    CHECK_STATUS(IST_E_BROKEN, ist_mailslot_write(pair.writer, "x", 1));
    PEER_ASK(other, "IST_E_BROKEN", "write x");
    PEER_ASK(other, "ok", "slot 1");
    PEER_ASK(other, "IST_E_NOT_FOUND", "open %s", pair.name);
    mailslot_check_gone(pair.name);
    ist_mailslot_close(pair.writer);
    mailslot_check_gone(pair.name);
    peer_end(other);
}

/* L1: without any writer, everywhere */
TEST(a_name_is_free_when_the_reader_has_closed)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "unread");
    mailslot_close(&pair);
    mailslot_check_gone(pair.name);
}

/* B6 L4 */
TEST(the_next_slot_of_a_name_is_another)
{
    ist_mailslot *next = NULL;
    ist_mailslot *writer = NULL;
    mailslot_pair pair;
    NEED_ENDS(the_next_slot_of_a_name_is_another);
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "old");
    ist_mailslot_close(pair.reader);
    CHECK_OK(ist_mailslot_create(&next, pair.name, NULL));
    MAILSLOT_EMPTY(next);
    CHECK_STATUS(IST_E_BROKEN, ist_mailslot_write(pair.writer, "x", 1));
    CHECK_OK(ist_mailslot_open(&writer, pair.name, IST_WRITE));
    MAILSLOT_WRITE(writer, "new");
    CHECK_STATUS(IST_E_BROKEN, ist_mailslot_write(pair.writer, "x", 1));
    MAILSLOT_READ(next, "new");
    MAILSLOT_EMPTY(next);
    ist_mailslot_close(writer);
    ist_mailslot_close(next);
    ist_mailslot_close(pair.writer);
}

/* L1: writers do not hold it */
TEST(a_writer_that_closes_or_ends_takes_nothing_from_the_slot)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (int n = 0; n < 3; n++) {
        static const char *const ends[] = {"close", "exit", "vanish"};
        peer *writer = mailslot_start_writer(pair.name);
        PEER_ASK(writer, "IST_OK", "write %s", ends[n]);
        if (n == 0) {
            PEER_ASK(writer, "ok", "close");
            peer_end(writer);
        } else {
            peer_say(writer, "%s", ends[n]);
            (void)peer_ended_well(writer);
        }
        MAILSLOT_READ(pair.reader, ends[n]);
    }
    mailslot_close(&pair);
    mailslot_check_gone(pair.name);
}

/* L6 */
TEST(a_slot_is_closed_with_whatever_waits_in_it)
{
    if (host_emulator() != NULL)
        SKIP(a_slot_is_closed_with_whatever_waits_in_it, "Wine lets a mailslot's writer wait for room");
    for (uint32_t count = 0; count < 300; count += 37) {
        mailslot_pair pair;
        mailslot_make(&pair, 0, 0);
        for (uint32_t n = 0; n < count && n < 200; n++)
            CHECK_OK(mailslot_write_numbered(pair.writer, 1, n));
        mailslot_close(&pair);
        mailslot_check_gone(pair.name);
    }
}

/* ---- ended ---- */

/* B6 L1 L4 */
TEST(a_slot_goes_with_its_readers_process)
{
    static const char *const ends[] = {"exit", "vanish", NULL};
    NEED_ENDS(a_slot_goes_with_its_readers_process);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char name[NAME_SIZE];
        ist_mailslot *writer = NULL;
        peer *reader = start_reader(name, &writer);
        MAILSLOT_WRITE(writer, "unread");
        if (ends[i] != NULL) {
            peer_say(reader, "%s", ends[i]);
            (void)peer_ended_well(reader);
        } else {
            peer_kill(reader);
            peer_forget(reader);
        }
        check_broken(writer);
        mailslot_check_gone(name);
        ist_mailslot_close(writer);
    }
}

/* L1: also where the end is not told to writers */
TEST(a_name_is_free_when_the_reader_is_killed)
{
    char name[NAME_SIZE];
    ist_mailslot *writer = NULL;
    peer *reader = start_reader(name, &writer);
    MAILSLOT_WRITE(writer, "unread");
    ist_mailslot_close(writer);
    peer_kill(reader);
    mailslot_check_gone(name);
    peer_forget(reader);
}

/* L1 */
TEST(a_slot_goes_with_a_reader_that_is_killed_while_it_waits)
{
    NEED_ENDS(a_slot_goes_with_a_reader_that_is_killed_while_it_waits);
    for (int n = 0; n < 6; n++) {
        char name[NAME_SIZE];
        ist_mailslot *writer = NULL;
        peer *reader = start_reader(name, &writer);
        mailslot_begin(reader, n % 2 == 0 ? "block forever" : "await forever");
        peer_kill(reader);
        check_broken(writer);
        mailslot_check_gone(name);
        ist_mailslot_close(writer);
        peer_forget(reader);
    }
}

/* B6: writers in the middle of it learn, too, and nobody hangs */
TEST(writers_learn_of_a_reader_that_is_killed_as_they_write)
{
    NEED_ENDS(writers_learn_of_a_reader_that_is_killed_as_they_write);
    for (int n = 0; n < 10; n++) {
        char name[NAME_SIZE];
        char answer[PEER_LINE_SIZE];
        peer *reader = mailslot_start();
        unique_name(name, "", "end");
        PEER_ASK(reader, "IST_OK", "create %s capacity=5000", name);
        peer *one = mailslot_start_writer(name);
        peer *two = mailslot_start_writer(name);
        PEER_ASK(one, "storming", "storm 1");
        PEER_ASK(two, "storming", "storm 2");
        peer_query(reader, answer, "drain %d", n * 50);
        assert_memory_equal(answer, "IST_OK ", strlen("IST_OK "));
        peer_kill(reader);
        peer_hear(one, answer);
        assert_memory_equal(answer, "IST_E_BROKEN ", strlen("IST_E_BROKEN "));
        peer_hear(two, answer);
        assert_memory_equal(answer, "IST_E_BROKEN ", strlen("IST_E_BROKEN "));
        mailslot_check_gone(name);
        peer_forget(reader);
        peer_end(one);
        peer_end(two);
    }
}

/* L8: a stopped reader is no dead one */
TEST(a_stopped_reader_is_written_to)
{
    char name[NAME_SIZE];
    ist_mailslot *writer = NULL;
    ist_mailslot *second = NULL;
    peer *reader = start_reader(name, &writer);
    mailslot_begin(reader, "block forever");
    peer_stop(reader);
    MAILSLOT_WRITE(writer, "one");
    MAILSLOT_WRITE(writer, "two");
    CHECK_STATUS(IST_E_EXISTS, ist_mailslot_create(&second, name, NULL));
    CHECK_OK(ist_mailslot_open(&second, name, IST_WRITE));
    MAILSLOT_WRITE(second, "three");
    peer_go(reader);
    MAILSLOT_HEAR(reader, "IST_OK one");
    PEER_ASK(reader, "IST_OK two", "read 0");
    PEER_ASK(reader, "IST_OK three", "read 0");
    ist_mailslot_close(second);
    ist_mailslot_close(writer);
    peer_end(reader);
}

/* ---- nothing is left ---- */

/* L3 */
TEST(thousands_of_slots_come_and_go_and_nothing_runs_out)
{
    char name[NAME_SIZE];
    ist_mailslot *slot = NULL;
    unique_name(name, "", "many");
    for (int n = 0; n < 2000; n++) {
        ist_mailslot *writer = NULL;
        CHECK_OK(ist_mailslot_create(&slot, name, NULL));
        CHECK_OK(ist_mailslot_open(&writer, name, IST_WRITE));
        MAILSLOT_WRITE(writer, "x");
        if (n % 2 == 0)
            ist_mailslot_close(writer);
        MAILSLOT_READ(slot, "x");
        ist_mailslot_close(slot);
        if (n % 2 != 0)
            ist_mailslot_close(writer);
    }
    mailslot_check_gone(name);
}

/* L3 N9 */
TEST(thousands_of_failures_leave_nothing)
{
    ist_mailslot *slot = NULL;
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (int n = 0; n < 2000; n++) {
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mailslot_open(&slot, "nobody has this name", IST_WRITE));
        CHECK_STATUS(IST_E_EXISTS, ist_mailslot_create(&slot, pair.name, NULL));
    }
    MAILSLOT_WRITE(pair.writer, "x");
    MAILSLOT_READ(pair.reader, "x");
    mailslot_close(&pair);
    mailslot_check_gone(pair.name);
}

/* L3 */
TEST(many_slots_live_side_by_side)
{
    enum { MANY = 100 };
    static mailslot_pair pairs[MANY];
    for (size_t i = 0; i < MANY; i++)
        mailslot_make(&pairs[i], 0, 4096);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK_OK(mailslot_write_numbered(pairs[i].writer, i, i));
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t writer = 0;
        uint32_t number = 0;
        CHECK_OK(mailslot_read_numbered(pairs[i].reader, 0, &writer, &number));
        assert_int_equal(writer, i);
        MAILSLOT_EMPTY(pairs[i].reader);
    }
    for (size_t i = 0; i < MANY; i++)
        mailslot_close(&pairs[i]);
}

/* ---- other programs ---- */

/* L9 */
TEST(a_new_program_inherits_no_slot)
{
    char name[NAME_SIZE];
    char answer[PEER_LINE_SIZE];
    ist_mailslot *writer = NULL;
    peer *reader = start_reader(name, &writer);
    ist_mailslot_close(writer);
    peer_say(reader, "heir");
    peer_hear(reader, answer);
    assert_string_equal(answer, "here");
    peer_kill(reader);
    mailslot_check_gone(name);
    PEER_ASK(reader, "pong", "ping");
    peer_forget(reader);
}

#define NEED_FORK(test)                                                                                                \
    do {                                                                                                               \
        ist_traits traits = IST_TRAITS_INIT;                                                                           \
        ist_traits_get(&traits);                                                                                       \
        if (!traits.has_fork)                                                                                          \
            SKIP(test, "this system has no fork");                                                                     \
    } while (0)

/* L7 */
TEST(a_slot_lives_until_parent_and_child_have_let_go)
{
    char name[NAME_SIZE];
    ist_mailslot *writer = NULL;
    NEED_FORK(a_slot_lives_until_parent_and_child_have_let_go);
    peer *reader = start_reader(name, &writer);
    MAILSLOT_WRITE(writer, "one");
    PEER_ASK(reader, "child", "fork");
    PEER_ASK(reader, "IST_OK one", "read 0");
    MAILSLOT_WRITE(writer, "two");
    peer_say(reader, "exit");
    MAILSLOT_HEAR(reader, "parent");
    PEER_ASK(reader, "IST_OK two", "read 0");
    PEER_ASK(reader, "child", "fork");
    peer_kill(reader);
    MAILSLOT_WRITE(writer, "three");
    PEER_ASK(reader, "IST_OK three", "read forever");
    PEER_ASK(reader, "ok", "close");
    check_broken(writer);
    mailslot_check_gone(name);
    ist_mailslot_close(writer);
    peer_forget(reader);
}

/* L7 */
TEST(a_child_writes_through_its_parents_handle)
{
    mailslot_pair pair;
    NEED_FORK(a_child_writes_through_its_parents_handle);
    mailslot_make(&pair, 0, 0);
    peer *writer = mailslot_start_writer(pair.name);
    PEER_ASK(writer, "IST_OK", "write parent");
    PEER_ASK(writer, "child", "fork");
    PEER_ASK(writer, "IST_OK", "write child");
    peer_say(writer, "exit");
    MAILSLOT_HEAR(writer, "parent");
    PEER_ASK(writer, "IST_OK", "write again");
    MAILSLOT_READ(pair.reader, "parent");
    MAILSLOT_READ(pair.reader, "child");
    MAILSLOT_READ(pair.reader, "again");
    peer_end(writer);
    mailslot_close(&pair);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_slot_goes_with_the_readers_handle),
        RUN(a_name_is_free_when_the_reader_has_closed),
        RUN(the_next_slot_of_a_name_is_another),
        RUN(a_writer_that_closes_or_ends_takes_nothing_from_the_slot),
        RUN(a_slot_is_closed_with_whatever_waits_in_it),
        RUN(a_slot_goes_with_its_readers_process),
        RUN(a_name_is_free_when_the_reader_is_killed),
        RUN(a_slot_goes_with_a_reader_that_is_killed_while_it_waits),
        RUN(writers_learn_of_a_reader_that_is_killed_as_they_write),
        RUN(a_stopped_reader_is_written_to),
        RUN(thousands_of_slots_come_and_go_and_nothing_runs_out),
        RUN(thousands_of_failures_leave_nothing),
        RUN(many_slots_live_side_by_side),
        RUN(a_new_program_inherits_no_slot),
        RUN(a_slot_lives_until_parent_and_child_have_let_go),
        RUN(a_child_writes_through_its_parents_handle),
    };
    return cmocka_run_group_tests_name("mailslot_killed", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
