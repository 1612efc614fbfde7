/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a mailslot holds: B8. Where nothing but the system's memory is the limit, nothing of this can be asked.
 */
#include "support/mailslot_peer.h"

/* What a message takes at most besides its bytes. */
#define BESIDES 256

static void check_limited(const char *test, ist_mailslot *slot)
{
    if (mailslot_facts_of(slot).capacity_bytes == 0)
        check_skip_at(__FILE__, __LINE__, test, "only the system's memory limits a mailslot here");
}

/* Skips the test where slots have no capacity. */
#define MAKE_LIMITED(test, pair, message_max, capacity_bytes)                                                          \
    do {                                                                                                               \
        mailslot_make(pair, message_max, capacity_bytes);                                                              \
        check_limited(#test, (pair)->reader);                                                                          \
    } while (0)

static unsigned char bytes[1 << 20];

static uint32_t seed;

static uint32_t below(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

/* Writes messages of this size until there is no room; how many went. */
static size_t write_until_full(ist_mailslot *slot, size_t size)
{
    size_t count = 0;
    ist_status status = ist_mailslot_write(slot, bytes, size);
    while (status == IST_OK) {
        count++;
        status = ist_mailslot_write(slot, bytes, size);
    }
    CHECK_ROW("a write into a full slot", IST_E_SPACE, status);
    return count;
}

static size_t read_all(ist_mailslot *slot, size_t size)
{
    size_t count = 0;
    size_t got = 0;
    while (ist_mailslot_read(slot, bytes, sizeof bytes, 0, &got) == IST_OK) {
        assert_int_equal(got, size);
        count++;
    }
    return count;
}

/* Reads until there is room for one more of this size, which is there when what waits is promised it; how many. */
static size_t read_until_room(const mailslot_pair *pair, size_t size, size_t waiting)
{
    for (size_t count = 1; count <= waiting; count++) {
        size_t got = 0;
        CHECK_OK(ist_mailslot_read(pair->reader, bytes, sizeof bytes, 0, &got));
        assert_int_equal(got, size);
        ist_status status = ist_mailslot_write(pair->writer, bytes, size);
        if (status == IST_OK)
            return count;
        CHECK_ROW("a write into a full slot", IST_E_SPACE, status);
        assert_true((waiting - count + 1) * (size + BESIDES) > mailslot_facts_of(pair->reader).capacity_bytes);
    }
    CHECK_FAIL("an empty slot has no room for %u bytes", (unsigned)size);
    return 0;
}

/* B8 */
TEST(a_full_slot_has_no_room_until_something_is_read)
{
    static const size_t sizes[] = {0, 1, 100, 5000, 30000, 65280};
    mailslot_pair pair;
    MAKE_LIMITED(a_full_slot_has_no_room_until_something_is_read, &pair, 0, 65536);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t count = write_until_full(pair.writer, sizes[i]);
        assert_true(count * (sizes[i] + BESIDES) + sizes[i] + BESIDES > 65536);
        assert_true(count * sizes[i] <= mailslot_facts_of(pair.reader).capacity_bytes);
        assert_int_equal(mailslot_facts_of(pair.reader).waiting, count);
        count -= read_until_room(&pair, sizes[i], count) - 1;
        assert_int_equal(read_all(pair.reader, sizes[i]), count);
    }
    mailslot_close(&pair);
}

/* B8 */
TEST(a_slot_is_full_for_every_writer_and_has_room_for_every_writer)
{
    mailslot_pair pair;
    MAKE_LIMITED(a_slot_is_full_for_every_writer_and_has_room_for_every_writer, &pair, 0, 4096);
    peer *other = mailslot_start_writer(pair.name);
    (void)write_until_full(pair.writer, 5);
    PEER_ASK(other, "IST_E_SPACE", "write 12345");
    (void)read_all(pair.reader, 5);
    PEER_ASK(other, "IST_OK", "write 12345");
    MAILSLOT_READ(pair.reader, "12345");
    peer_end(other);
    mailslot_close(&pair);
}

/* Of each message its size and up to 256 bytes more: what fits by that, fits. */
TEST(what_was_promised_room_gets_it_however_large_it_is)
{
    static const uint32_t capacities[] = {257, 1000, 4096, 65536, 1048576};
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        mailslot_pair pair;
        MAKE_LIMITED(what_was_promised_room_gets_it_however_large_it_is, &pair, 0, capacities[i]);
        for (uint32_t count = 1; count * (BESIDES + 1) <= capacities[i]; count = count * 3 + 1) {
            size_t size = capacities[i] / count - BESIDES;
            for (uint32_t n = 0; n < count; n++)
                CHECK_OK(ist_mailslot_write(pair.writer, bytes, size));
            assert_int_equal(read_all(pair.reader, size), count);
        }
        mailslot_close(&pair);
    }
}

/* As messages of all sizes come and go, so that their room begins everywhere. */
static void come_and_go(mailslot_pair *pair, uint32_t capacity)
{
    static uint32_t sizes[1024];
    size_t first = 0;
    size_t last = 0;
    uint32_t taken = 0;
    const uint32_t largest = capacity - BESIDES;
    for (int step = 0; step < 20000; step++) {
        uint32_t size = below(below(4) != 0 && largest > 200 ? 200 : largest + 1);
        size_t got = 0;
        if (taken + size + BESIDES <= capacity) {
            CHECK_OK(ist_mailslot_write(pair->writer, bytes, size));
            sizes[last++ % COUNT_OF(sizes)] = size;
            taken += size + BESIDES;
            continue;
        }
        CHECK_OK(ist_mailslot_read(pair->reader, bytes, sizeof bytes, 0, &got));
        assert_int_equal(got, sizes[first % COUNT_OF(sizes)]);
        taken -= sizes[first++ % COUNT_OF(sizes)] + BESIDES;
    }
    assert_int_equal(mailslot_facts_of(pair->reader).waiting, last - first);
}

TEST(what_was_promised_room_gets_it_wherever_the_slot_stands)
{
    static const uint32_t capacities[] = {257, 512, 1000, 4096, 10007, 65536};
    seed = (uint32_t)ist_process_id();
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        mailslot_pair pair;
        MAKE_LIMITED(what_was_promised_room_gets_it_wherever_the_slot_stands, &pair, 0, capacities[i]);
        come_and_go(&pair, capacities[i]);
        mailslot_close(&pair);
    }
}

/* B8: one that never fits is too large, whatever is read */
TEST(a_message_that_an_empty_slot_cannot_hold_is_too_large)
{
    mailslot_pair pair;
    MAKE_LIMITED(a_message_that_an_empty_slot_cannot_hold_is_too_large, &pair, 0, 4096);
    size_t capacity = (size_t)mailslot_facts_of(pair.reader).capacity_bytes;
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_write(pair.writer, bytes, capacity + 1));
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_write(pair.writer, bytes, sizeof bytes));
    MAILSLOT_WRITE(pair.writer, "still there");
    MAILSLOT_READ(pair.reader, "still there");
    mailslot_close(&pair);
}

/* B8: the size is told before the room */
TEST(a_message_above_the_maximum_is_too_large_also_for_a_full_slot)
{
    mailslot_pair pair;
    MAKE_LIMITED(a_message_above_the_maximum_is_too_large_also_for_a_full_slot, &pair, 10, 4096);
    (void)write_until_full(pair.writer, 10);
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_write(pair.writer, bytes, 11));
    CHECK_STATUS(IST_E_SPACE, ist_mailslot_write(pair.writer, bytes, 10));
    mailslot_close(&pair);
}

TEST(the_capacity_that_was_asked_for_is_there_at_least)
{
    static const uint32_t capacities[] = {0, 1, 257, 4096, 100000, 1 << 24};
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        mailslot_pair pair;
        MAKE_LIMITED(the_capacity_that_was_asked_for_is_there_at_least, &pair, 0, capacities[i]);
        uint32_t wanted = capacities[i] != 0 ? capacities[i] : IST_MAILSLOT_CAPACITY;
        assert_true(mailslot_facts_of(pair.reader).capacity_bytes >= wanted);
        mailslot_close(&pair);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_full_slot_has_no_room_until_something_is_read),
        RUN(a_slot_is_full_for_every_writer_and_has_room_for_every_writer),
        RUN(what_was_promised_room_gets_it_however_large_it_is),
        RUN(what_was_promised_room_gets_it_wherever_the_slot_stands),
        RUN(a_message_that_an_empty_slot_cannot_hold_is_too_large),
        RUN(a_message_above_the_maximum_is_too_large_also_for_a_full_slot),
        RUN(the_capacity_that_was_asked_for_is_there_at_least),
    };
    return cmocka_run_group_tests_name("mailslot_room", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
