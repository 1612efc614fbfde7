/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a mailslot is: B1, B2, B3, B5, B8. Room is in mailslot_room.c, time in mailslot_read.c, who ends in
 * mailslot_killed.c.
 */
#include "support/host.h"
#include "support/mailslot_peer.h"

#define NEED_MESSAGES_OF_0_BYTES(test)                                                                                 \
    do {                                                                                                               \
        if (host_emulator() != NULL)                                                                                   \
            SKIP(test, "Wine loses messages of 0 bytes in a mailslot");                                                \
    } while (0)

#define NEED_COUNT(test)                                                                                               \
    do {                                                                                                               \
        if (host_emulator() != NULL)                                                                                   \
            SKIP(test, "Wine counts no more than one message in a mailslot");                                          \
    } while (0)

/* ---- one reader, any number of writers ---- */

/* B1 */
TEST(a_second_create_of_the_name_is_refused)
{
    mailslot_pair pair;
    ist_mailslot *second = (ist_mailslot *)&pair;
    peer *other = mailslot_start();
    mailslot_make(&pair, 0, 0);
    CHECK_STATUS(IST_E_EXISTS, ist_mailslot_create(&second, pair.name, NULL));
    assert_null(second);
    PEER_ASK(other, "IST_E_EXISTS", "create %s", pair.name);
    MAILSLOT_WRITE(pair.writer, "untouched");
    MAILSLOT_READ(pair.reader, "untouched");
    mailslot_close(&pair);
    PEER_ASK(other, "IST_OK", "create %s", pair.name);
    CHECK_STATUS(IST_E_EXISTS, ist_mailslot_create(&second, pair.name, NULL));
    assert_null(second);
    peer_end(other);
}

/* B1 */
TEST(a_slot_that_nobody_made_is_not_found)
{
    char name[NAME_SIZE];
    ist_mailslot *slot = (ist_mailslot *)&name;
    unique_name(name, "", "nobody");
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mailslot_open(&slot, name, IST_WRITE));
    assert_null(slot);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mailslot_open(&slot, name, IST_WRITE | IST_TRUST_EVERYONE));
}

/* B1 */
TEST(any_process_writes_and_the_creator_reads)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    peer *first = mailslot_start_writer(pair.name);
    peer *second = mailslot_start_writer(pair.name);
    PEER_ASK(first, "IST_OK", "write one");
    PEER_ASK(second, "IST_OK", "write two");
    MAILSLOT_WRITE(pair.writer, "three");
    PEER_ASK(first, "IST_OK", "write four");
    MAILSLOT_READ(pair.reader, "one");
    MAILSLOT_READ(pair.reader, "two");
    MAILSLOT_READ(pair.reader, "three");
    MAILSLOT_READ(pair.reader, "four");
    MAILSLOT_EMPTY(pair.reader);
    peer_end(first);
    peer_end(second);
    mailslot_close(&pair);
}

/* B1 */
TEST(a_slot_of_another_process_is_written_to_by_two_handles)
{
    char name[NAME_SIZE];
    ist_mailslot *one = NULL;
    ist_mailslot *two = NULL;
    peer *reader = mailslot_start();
    unique_name(name, "", "slot");
    PEER_ASK(reader, "IST_OK", "create %s", name);
    CHECK_OK(ist_mailslot_open(&one, name, IST_WRITE));
    CHECK_OK(ist_mailslot_open(&two, name, IST_WRITE));
    MAILSLOT_WRITE(one, "a");
    MAILSLOT_WRITE(two, "b");
    ist_mailslot_close(one);
    MAILSLOT_WRITE(two, "c");
    PEER_ASK(reader, "IST_OK a", "read 0");
    PEER_ASK(reader, "IST_OK b", "read 0");
    PEER_ASK(reader, "IST_OK c", "read 0");
    PEER_ASK(reader, "IST_TIMEOUT -", "read 0");
    ist_mailslot_close(two);
    peer_end(reader);
}

/* B1: what a writer has written outlives its handle and its process */
TEST(a_message_outlives_its_writer)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    peer *writer = mailslot_start_writer(pair.name);
    PEER_ASK(writer, "IST_OK", "write kept");
    PEER_ASK(writer, "ok", "close");
    MAILSLOT_READ(pair.reader, "kept");
    PEER_ASK(writer, "IST_OK", "open %s", pair.name);
    PEER_ASK(writer, "IST_OK", "write last");
    peer_kill(writer);
    MAILSLOT_READ(pair.reader, "last");
    peer_forget(writer);
    mailslot_close(&pair);
}

/* ---- messages ---- */

/* B2 */
TEST(messages_keep_their_boundaries_and_their_order)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t writer = 0;
        uint32_t number = 0;
        for (uint32_t i = 0; i < 100; i++)
            CHECK_OK(mailslot_write_numbered(pair.writer, round, i));
        for (uint32_t i = 0; i < 100; i++) {
            CHECK_ROW("read", IST_OK, mailslot_read_numbered(pair.reader, 0, &writer, &number));
            assert_int_equal(writer, round);
            assert_int_equal(number, i);
        }
        MAILSLOT_EMPTY(pair.reader);
    }
    mailslot_close(&pair);
}

/* B2 */
TEST(a_message_of_any_size_arrives_as_it_was_written)
{
    static const size_t sizes[] = {1, 2, 7, 8, 9, 63, 64, 65, 255, 4095, 4096, 4097, 65535, 65536, 65537, 400000};
    static unsigned char sent[400000];
    static unsigned char received[400001];
    mailslot_pair pair;
    if (host_emulator() != NULL)
        SKIP(a_message_of_any_size_arrives_as_it_was_written, "Wine refuses large messages in a mailslot");
    mailslot_make(&pair, 0, 0);
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (unsigned char)(i * 7 + i / 251);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t got = 0;
        memset(received, 0xA5, sizeof received);
        CHECK_OK(ist_mailslot_write(pair.writer, sent + i, sizes[i] - i % sizes[i]));
        CHECK_OK(ist_mailslot_read(pair.reader, received, sizeof received, 0, &got));
        assert_int_equal(got, sizes[i] - i % sizes[i]);
        assert_memory_equal(received, sent + i, got);
        assert_int_equal(received[got], 0xA5);
    }
    mailslot_close(&pair);
}

/* B2 */
TEST(messages_of_0_bytes_count)
{
    char buffer[8];
    size_t got = 9;
    mailslot_pair pair;
    NEED_MESSAGES_OF_0_BYTES(messages_of_0_bytes_count);
    mailslot_make(&pair, 0, 0);
    CHECK_OK(ist_mailslot_write(pair.writer, NULL, 0));
    MAILSLOT_WRITE(pair.writer, "between");
    MAILSLOT_WRITE(pair.writer, "");
    MAILSLOT_WRITE(pair.writer, "");
    CHECK_OK(ist_mailslot_read(pair.reader, buffer, sizeof buffer, 0, &got));
    assert_int_equal(got, 0);
    MAILSLOT_READ(pair.reader, "between");
    got = 9;
    CHECK_OK(ist_mailslot_read(pair.reader, NULL, 0, 0, &got));
    assert_int_equal(got, 0);
    MAILSLOT_READ(pair.reader, "");
    MAILSLOT_EMPTY(pair.reader);
    mailslot_close(&pair);
}

/* B2 */
TEST(a_message_of_0_bytes_comes_from_another_process)
{
    mailslot_pair pair;
    NEED_MESSAGES_OF_0_BYTES(a_message_of_0_bytes_comes_from_another_process);
    mailslot_make(&pair, 0, 0);
    peer *writer = mailslot_start_writer(pair.name);
    PEER_ASK(writer, "IST_OK", "write -");
    PEER_ASK(writer, "IST_OK", "write x");
    MAILSLOT_READ(pair.reader, "");
    MAILSLOT_READ(pair.reader, "x");
    MAILSLOT_EMPTY(pair.reader);
    peer_end(writer);
    mailslot_close(&pair);
}

/* ---- buffers that are too small ---- */

/* B3 */
TEST(a_message_larger_than_the_buffer_says_its_size_and_stays)
{
    char buffer[8] = "unread";
    size_t got = 0;
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "seven__");
    MAILSLOT_WRITE(pair.writer, "next");
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_read(pair.reader, buffer, 6, 0, &got));
    assert_int_equal(got, 7);
    assert_string_equal(buffer, "unread");
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_read(pair.reader, NULL, 0, IST_FOREVER, &got));
    assert_int_equal(got, 7);
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_peek(pair.reader, buffer, 1, &got));
    assert_int_equal(got, 7);
    CHECK_OK(ist_mailslot_read(pair.reader, buffer, 7, 0, &got));
    assert_int_equal(got, 7);
    assert_memory_equal(buffer, "seven__", 7);
    MAILSLOT_READ(pair.reader, "next");
    mailslot_close(&pair);
}

/* ---- looking ---- */

/* B5 */
TEST(an_empty_slot_tells_that_nothing_waits)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    ist_mailslot_facts facts = mailslot_facts_of(pair.reader);
    assert_true(facts.next_bytes == IST_MAILSLOT_NONE);
    assert_int_equal(facts.waiting, 0);
    assert_int_equal(facts.message_max, 0);
    MAILSLOT_WRITE(pair.writer, "x");
    MAILSLOT_READ(pair.reader, "x");
    facts = mailslot_facts_of(pair.reader);
    assert_true(facts.next_bytes == IST_MAILSLOT_NONE);
    assert_int_equal(facts.waiting, 0);
    mailslot_close(&pair);
}

/* B5 */
TEST(a_slot_tells_how_large_the_next_message_is)
{
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "four");
    MAILSLOT_WRITE(pair.writer, "longer");
    assert_int_equal(mailslot_facts_of(pair.reader).next_bytes, 4);
    MAILSLOT_READ(pair.reader, "four");
    assert_int_equal(mailslot_facts_of(pair.reader).next_bytes, 6);
    assert_int_equal(mailslot_facts_of(pair.reader).waiting, 1);
    mailslot_close(&pair);
}

/* B5 */
TEST(a_slot_tells_how_many_messages_wait)
{
    mailslot_pair pair;
    NEED_COUNT(a_slot_tells_how_many_messages_wait);
    mailslot_make(&pair, 0, 0);
    for (uint64_t n = 1; n <= 500; n++) {
        MAILSLOT_WRITE(pair.writer, "x");
        assert_true(mailslot_facts_of(pair.reader).waiting == n);
    }
    for (uint64_t n = 500; n > 0; n--) {
        assert_true(mailslot_facts_of(pair.reader).waiting == n);
        MAILSLOT_READ(pair.reader, "x");
    }
    mailslot_close(&pair);
}

/* B5 */
TEST(a_message_of_0_bytes_is_one_that_waits)
{
    mailslot_pair pair;
    NEED_MESSAGES_OF_0_BYTES(a_message_of_0_bytes_is_one_that_waits);
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "");
    assert_int_equal(mailslot_facts_of(pair.reader).next_bytes, 0);
    assert_int_equal(mailslot_facts_of(pair.reader).waiting, 1);
    mailslot_close(&pair);
}

/* B5 */
TEST(a_slot_tells_the_largest_message_that_was_asked_for)
{
    mailslot_pair pair;
    mailslot_make(&pair, 424, 0);
    assert_int_equal(mailslot_facts_of(pair.reader).message_max, 424);
    mailslot_close(&pair);
}

TEST(a_peek_leaves_the_message)
{
    char buffer[16];
    size_t got = 9;
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    CHECK_STATUS(IST_EMPTY, ist_mailslot_peek(pair.reader, buffer, sizeof buffer, &got));
    assert_int_equal(got, 0);
    MAILSLOT_WRITE(pair.writer, "first");
    MAILSLOT_WRITE(pair.writer, "second");
    for (int n = 0; n < 3; n++) {
        CHECK_OK(ist_mailslot_peek(pair.reader, buffer, sizeof buffer, &got));
        assert_int_equal(got, 5);
        assert_memory_equal(buffer, "first", 5);
        assert_int_equal(mailslot_facts_of(pair.reader).next_bytes, 5);
    }
    MAILSLOT_READ(pair.reader, "first");
    CHECK_OK(ist_mailslot_peek(pair.reader, buffer, sizeof buffer, &got));
    assert_memory_equal(buffer, "second", 6);
    MAILSLOT_READ(pair.reader, "second");
    CHECK_STATUS(IST_EMPTY, ist_mailslot_peek(pair.reader, buffer, sizeof buffer, &got));
    mailslot_close(&pair);
}

/* B5: what was looked at counts as before */
TEST(a_peek_leaves_the_count)
{
    char buffer[16];
    size_t got = 0;
    mailslot_pair pair;
    NEED_COUNT(a_peek_leaves_the_count);
    mailslot_make(&pair, 0, 0);
    MAILSLOT_WRITE(pair.writer, "first");
    MAILSLOT_WRITE(pair.writer, "second");
    CHECK_OK(ist_mailslot_peek(pair.reader, buffer, sizeof buffer, &got));
    assert_int_equal(mailslot_facts_of(pair.reader).waiting, 2);
    mailslot_close(&pair);
}

/* ---- the largest message ---- */

/* B8 */
TEST(a_message_above_the_maximum_is_refused)
{
    static char bytes[4096];
    size_t got = 0;
    mailslot_pair pair;
    if (host_emulator() != NULL)
        SKIP(a_message_above_the_maximum_is_refused, "Wine does not keep a mailslot's largest message");
    mailslot_make(&pair, 100, 0);
    CHECK_OK(ist_mailslot_write(pair.writer, bytes, 100));
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_write(pair.writer, bytes, 101));
    CHECK_STATUS(IST_E_SIZE, ist_mailslot_write(pair.writer, bytes, sizeof bytes));
    CHECK_OK(ist_mailslot_write(pair.writer, bytes, 99));
    CHECK_OK(ist_mailslot_read(pair.reader, bytes, sizeof bytes, 0, &got));
    assert_int_equal(got, 100);
    CHECK_OK(ist_mailslot_read(pair.reader, bytes, sizeof bytes, 0, &got));
    assert_int_equal(got, 99);
    MAILSLOT_EMPTY(pair.reader);
    mailslot_close(&pair);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_second_create_of_the_name_is_refused),
        RUN(a_slot_that_nobody_made_is_not_found),
        RUN(any_process_writes_and_the_creator_reads),
        RUN(a_slot_of_another_process_is_written_to_by_two_handles),
        RUN(a_message_outlives_its_writer),
        RUN(messages_keep_their_boundaries_and_their_order),
        RUN(a_message_of_any_size_arrives_as_it_was_written),
        RUN(messages_of_0_bytes_count),
        RUN(a_message_of_0_bytes_comes_from_another_process),
        RUN(a_message_larger_than_the_buffer_says_its_size_and_stays),
        RUN(an_empty_slot_tells_that_nothing_waits),
        RUN(a_slot_tells_how_large_the_next_message_is),
        RUN(a_slot_tells_how_many_messages_wait),
        RUN(a_message_of_0_bytes_is_one_that_waits),
        RUN(a_slot_tells_the_largest_message_that_was_asked_for),
        RUN(a_peek_leaves_the_message),
        RUN(a_peek_leaves_the_count),
        RUN(a_message_above_the_maximum_is_refused),
    };
    return cmocka_run_group_tests_name("mailslot", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
