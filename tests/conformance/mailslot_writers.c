/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Many processes that write at once, and those of them that are killed or stopped: B2, B7, B8, L8.
 */
#include "support/host.h"
#include "support/mailslot_peer.h"

#define CROWD 8
#define EACH 1000

static void read_numbered(ist_mailslot *slot, uint32_t *writer, uint32_t *number)
{
    CHECK_ROW("read", IST_OK, mailslot_read_numbered(slot, mailslot_bound_ns(), writer, number));
}

/* Reads what a crowd pours: each writer's messages in their order, all of them, none twice. */
static void read_crowd(ist_mailslot *slot, size_t count)
{
    uint32_t next[CROWD] = {0};
    for (size_t i = 0; i < count * EACH; i++) {
        uint32_t writer = 0;
        uint32_t number = 0;
        read_numbered(slot, &writer, &number);
        assert_true(writer < count);
        assert_int_equal(number, next[writer]);
        next[writer]++;
    }
    MAILSLOT_EMPTY(slot);
}

static void pour_into(uint32_t capacity_bytes)
{
    peer *crowd[CROWD];
    size_t count = crowd_size(CROWD);
    mailslot_pair pair;
    mailslot_make(&pair, 0, capacity_bytes);
    for (size_t i = 0; i < count; i++)
        crowd[i] = mailslot_start_writer(pair.name);
    for (size_t i = 0; i < count; i++)
        peer_say(crowd[i], "pour %zu %d", i, EACH);
    read_crowd(pair.reader, count);
    for (size_t i = 0; i < count; i++) {
        MAILSLOT_HEAR(crowd[i], "IST_OK 1000");
        peer_end(crowd[i]);
    }
    mailslot_close(&pair);
}

/* B2 */
TEST(each_writers_messages_arrive_in_their_order_and_none_is_lost)
{
    pour_into(0);
}

/* B2 B8: nothing is lost where there is no room either */
TEST(nothing_is_lost_in_a_slot_that_is_full_all_the_time)
{
    pour_into(2000);
}

/* ---- writers that end ---- */

static uint32_t seed;

static uint32_t below(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

/* Reads the next of one storm's messages, which is whole and in its order. */
static void read_storm(ist_mailslot *slot, uint32_t storm, uint32_t *next)
{
    uint32_t writer = 0;
    uint32_t number = 0;
    read_numbered(slot, &writer, &number);
    assert_int_equal(writer, storm);
    assert_int_equal(number, *next);
    ++*next;
}

/* A storm that is killed after so many of its messages were read. What is left of it is whole and in order, and ends
   where another's message comes. */
static void check_storm(mailslot_pair *pair, uint32_t storm, uint32_t reads)
{
    static const char mark[] = "mark";
    uint32_t next = 0;
    peer *who = mailslot_start_writer(pair->name);
    PEER_ASK(who, "storming", "storm %u", (unsigned)storm);
    while (next < reads)
        read_storm(pair->reader, storm, &next);
    peer_kill(who);
    ist_status status = ist_mailslot_write(pair->writer, mark, 4);
    for (; status == IST_E_SPACE; status = ist_mailslot_write(pair->writer, mark, 4))
        read_storm(pair->reader, storm, &next);
    CHECK_ROW("a write beside the dead", IST_OK, status);
    while (mailslot_facts_of(pair->reader).waiting > 1)
        read_storm(pair->reader, storm, &next);
    MAILSLOT_READ(pair->reader, mark);
    MAILSLOT_EMPTY(pair->reader);
    peer_forget(who);
}

/* B7 B8: into a slot with room for all, which Wine does not have */
TEST(a_writer_killed_at_random_leaves_whole_messages_only)
{
    mailslot_pair pair;
    if (host_emulator() != NULL)
        SKIP(a_writer_killed_at_random_leaves_whole_messages_only, "Wine lets a mailslot's writer wait for room");
    seed = (uint32_t)ist_process_id();
    mailslot_make(&pair, 0, 1 << 24);
    for (uint32_t i = 1; i <= 60; i++)
        check_storm(&pair, i, below(300));
    mailslot_close(&pair);
}

static void read_rest_of(ist_mailslot *slot, const uint32_t next[2], uint32_t ended)
{
    uint32_t following[3] = {0, next[0], next[1]};
    uint32_t writer = 0;
    uint32_t number = 0;
    for (read_numbered(slot, &writer, &number); writer != ended; read_numbered(slot, &writer, &number)) {
        assert_true(writer == 1 || writer == 2);
        assert_int_equal(number, following[writer]);
        following[writer]++;
    }
}

/* B7 B8: a small slot, so that most are killed as they find no room or wake for it; another goes on meanwhile */
TEST(a_writer_killed_at_random_beside_another_takes_no_room_along)
{
    seed = (uint32_t)ist_process_id();
    for (uint32_t i = 0; i < 40; i++) {
        mailslot_pair pair;
        uint32_t next[2] = {0, 0};
        uint32_t reads = below(200);
        mailslot_make(&pair, 0, 3000);
        peer *killed = mailslot_start_writer(pair.name);
        peer *other = mailslot_start_writer(pair.name);
        PEER_ASK(killed, "storming", "storm 1");
        PEER_ASK(other, "storming", "storm 2");
        for (uint32_t n = 0; n < reads; n++) {
            uint32_t writer = 0;
            uint32_t number = 0;
            read_numbered(pair.reader, &writer, &number);
            assert_true(writer == 1 || writer == 2);
            assert_int_equal(number, next[writer - 1]);
            next[writer - 1]++;
        }
        peer_kill(killed);
        peer_kill(other);
        peer *last = mailslot_start_writer(pair.name);
        peer_say(last, "pour 3 1");
        read_rest_of(pair.reader, next, 3);
        MAILSLOT_HEAR(last, "IST_OK 1");
        MAILSLOT_EMPTY(pair.reader);
        peer_forget(killed);
        peer_forget(other);
        peer_end(last);
        mailslot_close(&pair);
    }
}

/* All of the room that was promised is there after a hundred deaths. */
static void check_room(mailslot_pair *pair, uint32_t capacity)
{
    static unsigned char bytes[65536];
    size_t got = 0;
    CHECK_OK(ist_mailslot_write(pair->writer, bytes, capacity - 256));
    CHECK_OK(ist_mailslot_read(pair->reader, bytes, sizeof bytes, 0, &got));
    assert_int_equal(got, capacity - 256);
    for (uint32_t n = 0; n < capacity / 256; n++)
        CHECK_OK(ist_mailslot_write(pair->writer, NULL, 0));
    for (uint32_t n = 0; n < capacity / 256; n++)
        MAILSLOT_READ(pair->reader, "");
    MAILSLOT_EMPTY(pair->reader);
}

/* B7: nothing of what the dead had begun stays */
TEST(the_room_of_a_slot_outlives_its_dead_writers)
{
    enum { CAPACITY = 16384 };
    mailslot_pair pair;
    if (host_emulator() != NULL)
        SKIP(the_room_of_a_slot_outlives_its_dead_writers, "Wine loses messages of 0 bytes in a mailslot");
    seed = (uint32_t)ist_process_id();
    mailslot_make(&pair, 0, CAPACITY);
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t writer = 0;
        uint32_t number = 0;
        peer *storm = mailslot_start_writer(pair.name);
        PEER_ASK(storm, "storming", "storm 1");
        for (uint32_t reads = below(100); reads > 0; reads--)
            read_numbered(pair.reader, &writer, &number);
        peer_kill(storm);
        while (mailslot_read_numbered(pair.reader, 0, &writer, &number) == IST_OK)
            continue;
        peer_forget(storm);
    }
    check_room(&pair, CAPACITY);
    mailslot_close(&pair);
}

/* ---- writers that are stopped ---- */

/* L8 B8: wherever it is stopped */
TEST(a_stopped_writer_delays_nobody)
{
    seed = (uint32_t)ist_process_id();
    for (uint32_t i = 0; i < 20; i++) {
        mailslot_pair pair;
        uint32_t writer = 0;
        uint32_t number = 0;
        mailslot_make(&pair, 0, 0);
        peer *stopped = mailslot_start_writer(pair.name);
        peer *other = mailslot_start_writer(pair.name);
        PEER_ASK(stopped, "storming", "storm 1");
        for (uint32_t reads = below(100); reads > 0; reads--)
            read_numbered(pair.reader, &writer, &number);
        peer_stop(stopped);
        while (mailslot_read_numbered(pair.reader, 0, &writer, &number) == IST_OK)
            continue;
        PEER_ASK(other, "IST_OK", "write mine");
        MAILSLOT_READ(pair.reader, "mine");
        peer_kill(stopped);
        PEER_ASK(other, "IST_OK", "write again");
        MAILSLOT_READ(pair.reader, "again");
        peer_forget(stopped);
        peer_end(other);
        mailslot_close(&pair);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(each_writers_messages_arrive_in_their_order_and_none_is_lost),
        RUN(nothing_is_lost_in_a_slot_that_is_full_all_the_time),
        RUN(a_writer_killed_at_random_leaves_whole_messages_only),
        RUN(a_writer_killed_at_random_beside_another_takes_no_room_along),
        RUN(the_room_of_a_slot_outlives_its_dead_writers),
        RUN(a_stopped_writer_delays_nobody),
    };
    return cmocka_run_group_tests_name("mailslot_writers", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
