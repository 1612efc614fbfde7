/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes of bytes: no boundaries, and nothing is nothing (P5, P11, P13).
 */
#include "support/clock.h"
#include "support/pipe_peer.h"

/* P5 */
TEST(bytes_of_several_writes_are_read_at_once)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    PEER_ASK(client, "IST_OK 3", "write abc 0");
    PEER_ASK(client, "IST_OK 2", "write de 0");
    PIPE_GET(ends.server, "abcde");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PIPE_PUT(ends.server, "fg");
    PIPE_PUT(ends.server, "h");
    PEER_ASK(client, "IST_OK 3 fgh", "read 100 0");
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 100 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(a_short_read_of_bytes_is_simply_short)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    PEER_ASK(client, "IST_OK 8", "write abcdefgh 0");
    PIPE_GET_PART(ends.server, 1, IST_OK, "a");
    PIPE_GET_PART(ends.server, 3, IST_OK, "bcd");
    PIPE_GET_PART(ends.server, 64, IST_OK, "efgh");
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(an_empty_write_does_nothing)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    PEER_ASK(client, "IST_OK 0", "write - 0");
    PIPE_CHECK_PEEK(ends.server, 0, 0);
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PEER_ASK(client, "IST_OK 1", "write x 0");
    PEER_ASK(client, "IST_OK 0", "write - 0");
    PIPE_GET(ends.server, "x");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(who_waits_for_bytes_is_not_woken_by_nothing)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    pipe_begin(client, "read 10 forever");
    CHECK_OK(ist_pipe_write(ends.server, NULL, 0, 0, NULL));
    PIPE_PUT(ends.server, "x");
    PIPE_HEAR(client, "IST_OK 1 x");
    peer_end(client);
    pipe_part(&ends);
}

/* Reads all that comes, to the end, and compares; returns how much it was. */
static size_t drink(ist_pipe *pipe, unsigned seed, size_t piece, size_t enough)
{
    unsigned char *bytes = pipe_memory(piece);
    size_t done = 0;
    while (done < enough) {
        size_t got = 0;
        ist_status status = ist_pipe_read(pipe, bytes, piece, pipe_bound_ns(), &got);
        if (status == IST_E_BROKEN)
            break;
        CHECK_OK(status);
        assert_true(got > 0);
        assert_true(pipe_is_filled(bytes, got, seed, done));
        done += got;
    }
    free(bytes);
    return done;
}

/* P5 P13 */
TEST(sixteen_mib_of_bytes_go_in_one_write)
{
    static const size_t pieces[] = {1000, 4096, 65536, (size_t)32 << 20};
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        size_t size = (size_t)16 << 20;
        peer_say(client, "pour %zu %zu forever", size, i);
        assert_int_equal(drink(ends.server, (unsigned)i, pieces[i], size), size);
        PIPE_HEAR(client, "IST_OK 16777216");
    }
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    peer_end(client);
    pipe_part(&ends);
}

/* P13 */
TEST(what_fits_the_buffer_goes_without_a_reader_and_what_does_not_waits)
{
    static const uint32_t sizes[] = {4096, 5000, 65536, 1u << 20};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        pipe_ends ends;
        size_t written = 0;
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.inbound_bytes = sizes[i];
        pipe_join(&ends, &options);
        unsigned char *bytes = pipe_memory(sizes[i]);
        pipe_fill(bytes, sizes[i], 3);
        CHECK_OK(ist_pipe_write(ends.client, bytes, sizes[i], 0, &written));
        assert_int_equal(written, sizes[i]);
        PIPE_CHECK_PEEK(ends.server, sizes[i], 0);
        assert_int_equal(drink(ends.server, 3, sizes[i], sizes[i]), sizes[i]);
        free(bytes);
        pipe_part(&ends);
    }
}

/* P13: byte by byte as well */
TEST(a_buffer_takes_its_bytes_one_by_one)
{
    pipe_ends ends;
    size_t count = 0;
    pipe_join(&ends, NULL);
    ist_status status = IST_OK;
    while (status == IST_OK && count < (size_t)1 << 22) {
        unsigned char byte = (unsigned char)count;
        size_t written = 9;
        status = ist_pipe_write(ends.server, &byte, 1, 0, &written);
        assert_int_equal(written, status == IST_OK ? 1 : 0);
        count += written;
    }
    CHECK_STATUS(IST_TIMEOUT, status);
    assert_true(count >= IST_PIPE_BUFFER_MIN);
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = 0;
        size_t got = 0;
        CHECK_OK(ist_pipe_read(ends.client, &byte, 1, 0, &got));
        assert_int_equal(byte, (unsigned char)i);
    }
    PIPE_GET_NOTHING(ends.client, IST_TIMEOUT);
    pipe_part(&ends);
}

/* P11 */
TEST(a_write_that_timed_out_says_how_much_went_and_no_more_went)
{
    static const int64_t timeouts[] = {0, 1, 30 * CLOCK_MS};
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        enum { SIZE = 1000000 };
        pipe_ends ends;
        size_t written = 0;
        unsigned char *bytes = pipe_memory(SIZE);
        peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
        pipe_fill(bytes, SIZE, 5);
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.server, bytes, SIZE, timeouts[i], &written));
        assert_true(written < SIZE);
        /* Who goes on from there loses and repeats nothing. */
        if (timeouts[i] > 1)
            assert_true(written >= IST_PIPE_BUFFER_MIN);
        PEER_ASK(client, "ok", "slot 0");
        peer_say(client, "echo 1");
        size_t got = 0;
        unsigned char *answer = pipe_memory(SIZE);
        CHECK_OK(ist_pipe_read(ends.server, answer, SIZE, pipe_bound_ns(), &got));
        PIPE_HEAR(client, "IST_OK");
        assert_true(got <= written);
        assert_true(pipe_is_filled(answer, got, 5, 0));
        if (got < written) {
            char expected[64];
            (void)snprintf(expected, sizeof expected, "IST_OK %zu yes", written - got);
            PEER_ASK(client, expected, "drink %zu 5 %zu 10000", written, got);
        }
        PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
        free(answer);
        free(bytes);
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P11: whoever reads meanwhile */
TEST(a_stream_that_is_written_with_timeouts_loses_and_repeats_nothing)
{
    enum { SIZE = 3000000 };
    pipe_ends ends;
    size_t done = 0;
    unsigned char *bytes = pipe_memory(SIZE);
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    pipe_fill(bytes, SIZE, 9);
    for (unsigned round = 0; done < SIZE; round++) {
        size_t written = 0;
        ist_status status = ist_pipe_write(ends.server, bytes + done, SIZE - done,
                                           round % 3 == 0 ? 0 : (int64_t)round * 1000, &written);
        assert_true(status == IST_TIMEOUT || (status == IST_OK && written == SIZE - done));
        size_t waiting = done + written;
        while (done < waiting) {
            char answer[PEER_LINE_SIZE];
            size_t got = 0;
            char right[8] = "";
            peer_query(client, answer, "drink %u 9 %zu 10000", 1000 + round % 5000, done);
            assert_int_equal(sscanf(answer, "IST_OK %zu %7s", &got, right), 2);
            assert_string_equal(right, "yes");
            assert_true(got > 0);
            done += got;
        }
        assert_int_equal(done, waiting);
    }
    free(bytes);
    peer_end(client);
    pipe_part(&ends);
}

/* P13: no reader was there from the start, and one that comes sets it going */
TEST(a_write_that_waits_for_room_goes_on_when_there_is_some)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    pipe_begin(client, "pour 200000 1 forever");
    assert_int_equal(drink(ends.server, 1, 900, 200000), 200000);
    PIPE_HEAR(client, "IST_OK 200000");
    peer_end(client);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(bytes_of_several_writes_are_read_at_once),
        RUN(a_short_read_of_bytes_is_simply_short),
        RUN(an_empty_write_does_nothing),
        RUN(who_waits_for_bytes_is_not_woken_by_nothing),
        RUN(sixteen_mib_of_bytes_go_in_one_write),
        RUN(what_fits_the_buffer_goes_without_a_reader_and_what_does_not_waits),
        RUN(a_buffer_takes_its_bytes_one_by_one),
        RUN(a_write_that_timed_out_says_how_much_went_and_no_more_went),
        RUN(a_stream_that_is_written_with_timeouts_loses_and_repeats_nothing),
        RUN(a_write_that_waits_for_room_goes_on_when_there_is_some),
    };
    return cmocka_run_group_tests_name("pipe_byte", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
