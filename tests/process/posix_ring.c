/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The ring of a pipe's direction, by itself: both sides in this process, on the same words, with states of their own.
 */
#include "support/peer.h"

#include "posix/ring.h"

#define QUOTA 4096
#define DATA_MAX 32768

static ring_words words;
static unsigned char data[DATA_MAX];
static ring_side writer_side;
static ring_side reader_side;
static ring writer;
static ring reader;
static unsigned char source[100000];
static unsigned char sink[100000];

static void begin(bool messages, uint32_t quota)
{
    memset((void *)&words, 0, sizeof words);
    memset(&writer_side, 0, sizeof writer_side);
    memset(&reader_side, 0, sizeof reader_side);
    assert_true(ring_capacity(quota) <= sizeof data);
    writer = (ring){&words, data, ring_capacity(quota), quota, messages, &writer_side};
    reader = writer;
    reader.side = &reader_side;
    ring_begin_writer(&writer);
    ring_begin_reader(&reader);
    for (size_t n = 0; n < sizeof source; n++)
        source[n] = (unsigned char)(n % 251);
}

static ist_status put(size_t size)
{
    plat_error error;
    size_t done = 0;
    ist_status status = ring_write(&writer, source, size, &done, &error);
    assert_int_equal(done, status == IST_OK && writer.messages ? size : done);
    return status;
}

static ist_status get(size_t size, size_t *got)
{
    plat_error error;
    return ring_read(&reader, sink, size, got, &error);
}

static void get_whole(size_t size)
{
    size_t got = 1;
    assert_int_equal(get(sizeof sink, &got), IST_OK);
    assert_int_equal(got, size);
    assert_memory_equal(sink, source, size);
}

static void check_empty(void)
{
    size_t got = 1;
    assert_int_equal(get(sizeof sink, &got), IST_TIMEOUT);
    assert_int_equal(got, 0);
}

static ist_pipe_peeked peek(void)
{
    plat_error error;
    ist_pipe_peeked out = IST_PIPE_PEEKED_INIT;
    assert_int_equal(ring_peek(&reader, true, sink, sizeof sink, &out, &error), IST_OK);
    return out;
}

/* ---- messages ---- */

/* P5 */
TEST(messages_keep_their_boundaries)
{
    begin(true, QUOTA);
    assert_int_equal(put(1), IST_OK);
    assert_int_equal(put(0), IST_OK);
    assert_int_equal(put(127), IST_OK);
    assert_int_equal(put(128), IST_OK);
    get_whole(1);
    get_whole(0);
    get_whole(127);
    get_whole(128);
    check_empty();
}

/* P5 */
TEST(the_rest_of_a_message_stays)
{
    size_t got = 0;
    begin(true, QUOTA);
    assert_int_equal(put(100), IST_OK);
    assert_int_equal(put(3), IST_OK);
    assert_int_equal(get(40, &got), IST_MORE);
    assert_int_equal(got, 40);
    assert_int_equal(get(59, &got), IST_MORE);
    assert_int_equal(peek().message_bytes, 1);
    assert_int_equal(peek().available_bytes, 4);
    assert_int_equal(get(1, &got), IST_OK);
    assert_int_equal(sink[0], source[99]);
    get_whole(3);
}

/* P13 */
TEST(what_fits_the_quota_fits_in_any_mixture)
{
    for (size_t size = 1; size <= QUOTA; size = size * 3 + 1) {
        begin(true, QUOTA);
        for (size_t left = QUOTA; left >= size; left -= size)
            assert_int_equal(put(size), IST_OK);
        if (QUOTA % size != 0)
            assert_int_equal(put(QUOTA % size), IST_OK);
        assert_int_equal(put(1), IST_TIMEOUT);
        assert_int_equal(put(0), IST_OK);
    }
}

/* P13 */
TEST(room_comes_back_with_what_is_read)
{
    size_t got = 0;
    begin(true, QUOTA);
    assert_int_equal(put(QUOTA), IST_OK);
    assert_int_equal(put(10), IST_TIMEOUT);
    assert_int_equal(get(9, &got), IST_MORE);
    assert_int_equal(put(10), IST_TIMEOUT);
    assert_int_equal(get(1, &got), IST_MORE);
    assert_int_equal(put(10), IST_OK);
}

TEST(empty_messages_wait_when_there_is_no_byte_for_them)
{
    size_t count = 0;
    begin(true, QUOTA);
    while (put(0) == IST_OK)
        count++;
    assert_int_equal(count, writer.capacity);
    for (; count != 0; count--)
        get_whole(0);
    check_empty();
}

TEST(the_ring_wraps_at_every_place)
{
    begin(true, 1);
    writer.capacity = reader.capacity = 13;
    for (int n = 0; n < 100; n++) {
        assert_int_equal(put(1), IST_OK);
        assert_int_equal(put(0), IST_OK);
        get_whole(1);
        get_whole(0);
    }
    begin(true, QUOTA);
    for (size_t n = 0; n < 20000; n++) {
        assert_int_equal(put(n * 7 % (QUOTA + 1)), IST_OK);
        get_whole(n * 7 % (QUOTA + 1));
    }
}

/* ---- bytes ---- */

TEST(bytes_go_in_pieces_and_come_without_boundaries)
{
    plat_error error;
    size_t done = 0;
    begin(false, QUOTA);
    assert_int_equal(put(10), IST_OK);
    assert_int_equal(ring_write(&writer, source + 10, QUOTA, &done, &error), IST_OK);
    assert_int_equal(done, QUOTA - 10);
    assert_int_equal(put(1), IST_TIMEOUT);
    assert_int_equal(peek().available_bytes, QUOTA);
    assert_int_equal(peek().message_bytes, 0);
    get_whole(QUOTA);
    check_empty();
}

/* ---- large messages ---- */

static ist_status offer(size_t size)
{
    plat_error error;
    return ring_offer(&writer, source, size, &error);
}

static ist_status send_more(size_t size)
{
    plat_error error;
    bool moved = false;
    return ring_send(&writer, source, size, &moved, &error);
}

static ist_status take(void)
{
    plat_error error;
    return ring_take(&reader, &error);
}

static void read_large(size_t size)
{
    size_t done = 0;
    size_t got = 0;
    ist_status status = IST_TIMEOUT;
    while (done < size) {
        (void)send_more(size);
        status = get(3000, &got);
        assert_true(status == IST_MORE || status == IST_OK);
        assert_memory_equal(sink, source + done, got);
        done += got;
    }
    assert_int_equal(status, IST_OK);
    assert_int_equal(done, size);
    assert_int_equal(send_more(size), IST_OK);
}

TEST(a_message_larger_than_the_ring_comes_through)
{
    begin(true, QUOTA);
    for (size_t size = QUOTA + 1; size <= sizeof source; size += 9377) {
        assert_int_equal(put(5), IST_OK);
        assert_int_equal(offer(size), IST_OK);
        assert_int_equal(take(), IST_TIMEOUT); /* something stands before it */
        get_whole(5);
        assert_true(ring_has_offer(&reader));
        assert_int_equal(peek().message_bytes, size);
        assert_int_equal(peek().available_bytes, size);
        assert_true(peek().copied_bytes >= 4096);
        assert_int_equal(take(), IST_OK);
        assert_false(ring_withdraw(&writer));
        read_large(size);
        assert_true(ring_withdraw(&writer));
    }
}

/* Also before the writer has learnt that it was taken. */
TEST(what_of_an_offer_is_in_the_ring_can_be_read_at_once)
{
    size_t got = 0;
    begin(true, QUOTA);
    assert_int_equal(offer(QUOTA + 100), IST_OK);
    assert_int_equal(take(), IST_OK);
    assert_int_equal(get(QUOTA, &got), IST_MORE);
    assert_int_equal(got, QUOTA);
    assert_int_equal(get(QUOTA, &got), IST_OK);
    assert_int_equal(got, 100);
    check_empty();
    assert_false(ring_has_offer(&reader));
    assert_int_equal(send_more(QUOTA + 100), IST_OK);
    assert_int_equal(put(7), IST_OK);
    get_whole(7);
    check_empty();
}

/* P11 */
TEST(a_withdrawn_offer_was_never_there)
{
    begin(true, QUOTA);
    for (int n = 0; n < 1000; n++) {
        assert_int_equal(offer(QUOTA * 2), IST_OK);
        assert_true(ring_withdraw(&writer));
        assert_false(ring_has_offer(&reader));
        assert_false(ring_has_data(&reader));
        assert_int_equal(take(), IST_TIMEOUT);
        assert_int_equal(peek().available_bytes, 0);
        assert_int_equal(put((size_t)n), IST_OK);
        get_whole((size_t)n);
    }
}

/* ---- who dies ---- */

/* A process that has the same end is killed after it has noted where it is, and before it has shown it. */
TEST(what_a_killed_process_has_not_shown_is_shown_by_the_next)
{
    plat_error error;
    size_t got = 0;
    begin(true, QUOTA);
    assert_int_equal(put(100), IST_OK);
    words.head = 0;
    words.sent = 0;
    check_empty();
    assert_int_equal(ring_resume(&writer, &error), IST_OK);
    get_whole(100);
    words.tail = 0;
    words.consumed = 0;
    assert_int_equal(put(QUOTA), IST_TIMEOUT);
    assert_int_equal(get(1, &got), IST_TIMEOUT);
    assert_int_equal(put(QUOTA), IST_OK);
}

TEST(an_offer_of_a_killed_process_is_withdrawn_by_the_next)
{
    plat_error error;
    begin(true, QUOTA);
    assert_int_equal(offer(QUOTA * 2), IST_OK);
    assert_int_equal(ring_resume(&writer, &error), IST_OK);
    assert_int_equal(take(), IST_TIMEOUT);
    assert_int_equal(offer(QUOTA * 4), IST_OK);
    assert_int_equal(take(), IST_OK);
    assert_int_equal(ring_resume(&writer, &error), IST_E_BROKEN);
}

/* All of it was there when it was taken. */
TEST(a_large_message_of_a_killed_process_that_was_taken_whole_is_sent)
{
    plat_error error;
    begin(true, QUOTA);
    assert_int_equal(offer(QUOTA * 2), IST_OK);
    assert_int_equal(take(), IST_OK);
    assert_int_equal(ring_resume(&writer, &error), IST_OK);
    get_whole(QUOTA * 2);
    assert_int_equal(put(5), IST_OK);
    get_whole(5);
    check_empty();
}

/* Killed when it has noted what it was going to offer, and when it has taken it back and not noted that. */
TEST(an_offer_that_was_not_shown_or_is_taken_back_is_none)
{
    plat_error error;
    begin(true, QUOTA);
    for (unsigned n = 0; n < 16; n++) {
        uint32_t before = words.large;
        assert_int_equal(offer(QUOTA * 2), IST_OK);
        words.large = n % 2 == 0 ? before : words.large & ~RING_LARGE_STATE;
        assert_int_equal(ring_resume(&writer, &error), IST_OK);
        check_empty();
        if (n % 3 == 0) {
            assert_int_equal(offer(QUOTA * 2), IST_OK);
            assert_int_equal(take(), IST_OK);
            assert_int_equal(send_more(QUOTA * 2), IST_OK);
            get_whole(QUOTA * 2);
        }
    }
}

/* What a reader leaves who is stopped, or killed, before it swaps the word. */
static void begin_taking(void)
{
    ring_got *state = &reader_side.got[reader_side.got_now & 1];
    state->large = words.large;
    state->offer = words.offer_size;
    state->reach = words.offer_head;
}

/* And right after it has. */
static void swap_word(void)
{
    words.large = ((words.large & ~RING_LARGE_STATE) | RING_TAKEN) ^ RING_LARGE_TURN;
}

/* Killed between the swap and what follows: whether it was taken is seen by the word. */
TEST(a_taking_that_was_cut_short_is_finished_by_the_next)
{
    size_t got = 0;
    begin(true, QUOTA);
    assert_int_equal(offer(QUOTA * 2), IST_OK);
    for (int n = 0; n < 2; n++) {
        begin_taking();
        if (n == 0) {
            check_empty();
            assert_int_equal(reader_side.got[reader_side.got_now & 1].left, 0);
        } else {
            swap_word();
            assert_int_equal(get(QUOTA, &got), IST_MORE);
            assert_int_equal(got, QUOTA);
            assert_int_equal(get(QUOTA, &got), IST_OK);
        }
    }
}

/* A message that has all its room at once is sent with the swap, and the writer goes on before the reader does. */
TEST(a_taking_stands_whatever_the_writer_does_next)
{
    plat_error error;
    begin(true, QUOTA);
    for (unsigned n = 0; n < 16; n++) {
        assert_int_equal(offer(QUOTA + 1), IST_OK);
        begin_taking();
        swap_word();
        assert_int_equal(send_more(QUOTA + 1), IST_OK);
        assert_int_equal(offer(QUOTA + 2), IST_OK);
        if (n % 2 != 0)
            assert_true(ring_withdraw(&writer));
        get_whole(QUOTA + 1);
        if (n % 2 != 0)
            assert_int_equal(offer(QUOTA + 2), IST_OK);
        assert_int_equal(take(), IST_OK);
        assert_int_equal(send_more(QUOTA + 2), IST_OK);
        get_whole(QUOTA + 2);
        check_empty();
        assert_int_equal(ring_resume(&writer, &error), IST_OK);
    }
}

/* Withdrawn, and another stands in its place. */
TEST(an_offer_that_was_not_taken_is_gone_whatever_the_writer_does_next)
{
    begin(true, QUOTA);
    for (unsigned n = 0; n < 16; n++) {
        assert_int_equal(offer(QUOTA + 1), IST_OK);
        begin_taking();
        assert_true(ring_withdraw(&writer));
        assert_int_equal(offer(QUOTA + 2), IST_OK);
        check_empty();
        assert_int_equal(take(), IST_OK);
        assert_int_equal(send_more(QUOTA + 2), IST_OK);
        get_whole(QUOTA + 2);
    }
}

/* A program that inherits the end knows nothing but the words. */
TEST(an_end_is_taken_over_in_the_middle_of_a_message)
{
    size_t got = 0;
    begin(true, QUOTA);
    assert_int_equal(put(100), IST_OK);
    assert_int_equal(put(20), IST_OK);
    assert_int_equal(get(30, &got), IST_MORE);
    memset(&reader_side, 0, sizeof reader_side);
    memset(&writer_side, 0, sizeof writer_side);
    ring_begin_reader(&reader);
    ring_begin_writer(&writer);
    assert_int_equal(get(100, &got), IST_OK);
    assert_int_equal(got, 70);
    assert_int_equal(put(QUOTA - 20), IST_OK);
    assert_int_equal(put(1), IST_TIMEOUT);
    get_whole(20);
    get_whole(QUOTA - 20);
}

/* A child that has the end too, but has not used it since its parent put its own state there: forward only. */
TEST(who_is_behind_puts_nothing_back)
{
    ring_side before_writer;
    ring_side before_reader;
    plat_error error;
    begin(true, QUOTA);
    assert_int_equal(put(10), IST_OK);
    get_whole(10);
    before_writer = writer_side;
    before_reader = reader_side;
    assert_int_equal(put(100), IST_OK);
    assert_int_equal(put(20), IST_OK);
    get_whole(100);
    writer.side = &before_writer;
    reader.side = &before_reader;
    assert_true(ring_has_data(&reader));
    assert_int_equal(words.tail, reader_side.got[reader_side.got_now & 1].tail);
    (void)ring_place(&writer);
    assert_int_equal(ring_resume(&writer, &error), IST_OK);
    assert_int_equal(words.head, writer_side.written[writer_side.written_now & 1].head);
    writer.side = &writer_side;
    reader.side = &reader_side;
    get_whole(20);
    check_empty();
    assert_int_equal(put(QUOTA), IST_OK);
}

/* A flush waits for what is to be read: it may not wait for what nobody is shown. */
TEST(the_place_of_a_flush_is_shown)
{
    uint64_t place = 0;
    begin(true, QUOTA);
    assert_int_equal(put(100), IST_OK);
    words.head = 0;
    words.sent = 0;
    place = ring_place(&writer);
    assert_false(ring_is_read(&reader, place));
    get_whole(100);
    assert_true(ring_is_read(&reader, place));
}

/* An offer of which nothing was in the ring when it was taken, and nothing has been read since. */
TEST(an_end_is_taken_over_before_a_large_message_begins)
{
    begin(true, QUOTA);
    writer.capacity = reader.capacity = QUOTA + 2;
    assert_int_equal(put(QUOTA), IST_OK);
    assert_int_equal(offer(QUOTA * 2), IST_OK);
    get_whole(QUOTA);
    assert_int_equal(take(), IST_OK);
    memset(&reader_side, 0, sizeof reader_side);
    ring_begin_reader(&reader);
    read_large(QUOTA * 2);
    check_empty();
}

/* ---- A3 ---- */

static uint32_t state_of_random = 1;

static uint32_t next_random(void)
{
    state_of_random = state_of_random * UINT32_C(1664525) + UINT32_C(1013904223);
    return state_of_random >> 8;
}

static uint64_t any_word(void)
{
    uint64_t wild = (uint64_t)next_random() << 40 ^ (uint64_t)next_random() << 20 ^ next_random();
    switch (next_random() % 4) {
    case 0:
        return wild;
    case 1:
        return words.head + next_random() % 64 - 32;
    case 2:
        return words.tail + next_random() % 64 - 32;
    default:
        return next_random() % 20000;
    }
}

static void damage(void)
{
    switch (next_random() % 9) {
    case 0:
        words.head = any_word();
        break;
    case 1:
        words.sent = any_word();
        break;
    case 2:
        words.large = (uint32_t)any_word();
        break;
    case 3:
        words.large = (words.large & ~RING_LARGE_STATE) | (next_random() & RING_LARGE_STATE);
        break;
    case 4:
        words.offer_size = any_word();
        break;
    case 5:
        words.offer_head = any_word();
        break;
    case 6:
        words.tail = any_word();
        break;
    case 7:
        words.consumed = any_word();
        break;
    default:
        data[next_random() % writer.capacity] = (unsigned char)next_random();
    }
}

static void check_answer(ist_status status)
{
    assert_true(status == IST_OK || status == IST_MORE || status == IST_TIMEOUT || status == IST_E_CORRUPT ||
                status == IST_E_BROKEN);
}

static void do_anything(void)
{
    plat_error error;
    ist_pipe_peeked out = IST_PIPE_PEEKED_INIT;
    size_t got = 0;
    size_t size = next_random() % QUOTA;
    switch (next_random() % 8) {
    case 0:
        check_answer(ring_resume(&writer, &error));
        check_answer(put(size));
        break;
    case 1:
        check_answer(offer(QUOTA + 1 + size));
        check_answer(send_more(QUOTA + 1 + size));
        (void)ring_withdraw(&writer);
        break;
    case 2:
        check_answer(take());
        break;
    case 3:
        check_answer(ring_peek(&reader, true, sink, size, &out, &error));
        assert_true(out.copied_bytes <= size);
        break;
    case 4:
        (void)ring_has_data(&reader);
        (void)ring_has_offer(&reader);
        break;
    default:
        check_answer(get(size + 1, &got));
        assert_true(got <= size + 1);
    }
}

TEST(any_words_give_a_status)
{
    for (int round = 0; round < 2000; round++) {
        begin(round % 4 != 0, QUOTA);
        for (int n = 0; n < 200; n++) {
            do_anything();
            if (next_random() % 8 == 0)
                damage();
        }
    }
}

TEST(a_size_that_cannot_be_is_damage)
{
    plat_error error;
    ist_pipe_peeked out = IST_PIPE_PEEKED_INIT;
    size_t got = 0;
    begin(true, QUOTA);
    assert_int_equal(put(100), IST_OK);
    data[0] = 101;
    assert_int_equal(get(1000, &got), IST_E_CORRUPT);
    assert_int_equal(ring_peek(&reader, true, sink, 10, &out, &error), IST_E_CORRUPT);
    data[0] = 100;
    words.head = reader.capacity + 1;
    assert_int_equal(get(1000, &got), IST_E_CORRUPT);
    assert_true(ring_has_data(&reader));
    words.head = 101;
    words.tail = 102;
    assert_int_equal(put(1), IST_E_CORRUPT);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(messages_keep_their_boundaries),
        RUN(the_rest_of_a_message_stays),
        RUN(what_fits_the_quota_fits_in_any_mixture),
        RUN(room_comes_back_with_what_is_read),
        RUN(empty_messages_wait_when_there_is_no_byte_for_them),
        RUN(the_ring_wraps_at_every_place),
        RUN(bytes_go_in_pieces_and_come_without_boundaries),
        RUN(a_message_larger_than_the_ring_comes_through),
        RUN(what_of_an_offer_is_in_the_ring_can_be_read_at_once),
        RUN(a_withdrawn_offer_was_never_there),
        RUN(what_a_killed_process_has_not_shown_is_shown_by_the_next),
        RUN(an_offer_of_a_killed_process_is_withdrawn_by_the_next),
        RUN(a_large_message_of_a_killed_process_that_was_taken_whole_is_sent),
        RUN(an_offer_that_was_not_shown_or_is_taken_back_is_none),
        RUN(a_taking_that_was_cut_short_is_finished_by_the_next),
        RUN(a_taking_stands_whatever_the_writer_does_next),
        RUN(an_offer_that_was_not_taken_is_gone_whatever_the_writer_does_next),
        RUN(an_end_is_taken_over_in_the_middle_of_a_message),
        RUN(who_is_behind_puts_nothing_back),
        RUN(the_place_of_a_flush_is_shown),
        RUN(an_end_is_taken_over_before_a_large_message_begins),
        RUN(any_words_give_a_status),
        RUN(a_size_that_cannot_be_is_damage),
    };
    return cmocka_run_group_tests_name("posix_ring", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
