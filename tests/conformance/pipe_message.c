/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Messages: their boundaries, their sizes, and those of nothing (P5, P6, P17).
 */
#include "support/host.h"
#include "support/pipe_peer.h"

static void join(pipe_ends *ends)
{
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    pipe_join(ends, &options);
}

/* P5 */
TEST(messages_keep_their_boundaries_and_their_order)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 3", "write one 0");
    PEER_ASK(client, "IST_OK 1", "write 2 0");
    PEER_ASK(client, "IST_OK 5", "write three 0");
    PIPE_GET(ends.server, "one");
    PIPE_GET(ends.server, "2");
    PIPE_GET(ends.server, "three");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PIPE_PUT(ends.server, "four");
    PIPE_PUT(ends.server, "5");
    PEER_ASK(client, "IST_OK 4 four", "read 100 0");
    PEER_ASK(client, "IST_OK 1 5", "read 100 0");
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 100 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P17 */
TEST(a_client_reads_by_messages_from_the_start)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    peer *client = pipe_start_client(name);
    /* Written before anybody has accepted, and before the client's first call. */
    PIPE_PUT(server, "a");
    PIPE_PUT(server, "bc");
    PEER_ASK(client, "IST_OK 1 a", "read 100 10000");
    PEER_ASK(client, "IST_MORE 1 b", "read 1 10000");
    PEER_ASK(client, "IST_OK 1 c", "read 100 10000");
    peer_end(client);
    ist_pipe_close(server);
}

/* P5 */
TEST(a_message_of_nothing_arrives_and_is_not_the_end)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 0", "write - 0");
    PEER_ASK(client, "IST_OK 1", "write x 0");
    PEER_ASK(client, "IST_OK 0", "write - 0");
    PEER_ASK(client, "IST_OK 0", "write - 0");
    PIPE_GET(ends.server, "");
    PIPE_GET(ends.server, "x");
    PIPE_GET(ends.server, "");
    PIPE_GET(ends.server, "");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PIPE_PUT(ends.server, "");
    PEER_ASK(client, "IST_OK 0 -", "read 1 10000");
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 1 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(who_waits_for_a_message_is_woken_by_one_of_nothing)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    pipe_begin(client, "read 10 forever");
    PIPE_PUT(ends.server, "");
    PIPE_HEAR(client, "IST_OK 0 -");
    pipe_begin(client, "read 10 forever");
    PIPE_PUT(ends.server, "x");
    PIPE_HEAR(client, "IST_OK 1 x");
    peer_end(client);
    pipe_part(&ends);
}

/* P5 P7: the end comes behind it */
TEST(a_message_of_nothing_is_read_after_its_writer_has_gone)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 0", "write - 0");
    PEER_ASK(client, "IST_OK 0", "write - 0");
    peer_end(client);
    PIPE_GET(ends.server, "");
    PIPE_GET(ends.server, "");
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    pipe_part(&ends);
}

/* P5 */
TEST(a_short_read_gets_a_part_and_the_rest_stays)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 8", "write abcdefgh 0");
    PEER_ASK(client, "IST_OK 3", "write xyz 0");
    PIPE_GET_PART(ends.server, 1, IST_MORE, "a");
    PIPE_GET_PART(ends.server, 3, IST_MORE, "bcd");
    PIPE_GET_PART(ends.server, 3, IST_MORE, "efg");
    PIPE_GET_PART(ends.server, 1, IST_OK, "h");
    PIPE_GET_PART(ends.server, 2, IST_MORE, "xy");
    PIPE_GET_PART(ends.server, 2, IST_OK, "z");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(a_buffer_of_exactly_the_messages_size_is_enough)
{
    pipe_ends ends;
    join(&ends);
    PIPE_PUT(ends.client, "abcd");
    PIPE_PUT(ends.client, "efgh");
    PIPE_GET_PART(ends.server, 4, IST_OK, "abcd");
    PIPE_GET_PART(ends.server, 4, IST_OK, "efgh");
    pipe_part(&ends);
}

/* P5 P7 */
TEST(the_rest_of_a_message_is_read_after_its_writer_was_killed)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 4", "write abcd 0");
    PIPE_GET_PART(ends.server, 3, IST_MORE, "abc");
    peer_kill(client);
    PIPE_GET_PART(ends.server, 3, IST_OK, "d");
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    peer_forget(client);
    pipe_part(&ends);
}

typedef struct part_read {
    ist_pipe *pipe;
    ist_status status;
    size_t got;
    char bytes[8];
} part_read;

static void read_part(void *context, size_t index)
{
    part_read *part = context;
    (void)index;
    part->status = ist_pipe_read(part->pipe, part->bytes, sizeof part->bytes, pipe_bound_ns(), &part->got);
}

/* P5 L10 */
TEST(another_thread_reads_the_rest)
{
    pipe_ends ends;
    part_read part;
    memset(&part, 0, sizeof part);
    join(&ends);
    PIPE_PUT(ends.client, "abcdefgh");
    PIPE_PUT(ends.client, "next");
    PIPE_GET_PART(ends.server, 3, IST_MORE, "abc");
    part.pipe = ends.server;
    host_threads(1, read_part, &part);
    CHECK_OK(part.status);
    assert_int_equal(part.got, 5);
    assert_memory_equal(part.bytes, "defgh", 5);
    PIPE_GET(ends.server, "next");
    pipe_part(&ends);
}

/* ---- sizes ---- */

/* The peer writes one message of this size, and it is read in one piece or in many. */
static void check_size(ist_pipe *server, peer *client, size_t size, size_t piece)
{
    char answer[64];
    char line[64];
    unsigned char *bytes = pipe_memory(piece);
    size_t done = 0;
    ist_status status = IST_MORE;
    (void)snprintf(line, sizeof line, "pour %zu %zu forever", size, size % 200);
    (void)snprintf(answer, sizeof answer, "IST_OK %zu", size);
    peer_say(client, "%s", line);
    while (status == IST_MORE) {
        size_t got = 0;
        status = ist_pipe_read(server, bytes, piece, pipe_bound_ns(), &got);
        assert_true(status == IST_OK || (status == IST_MORE && got > 0));
        assert_true(pipe_is_filled(bytes, got, (unsigned)(size % 200), done));
        done += got;
    }
    CHECK_OK(status);
    assert_int_equal(done, size);
    PIPE_HEAR(client, answer);
    free(bytes);
}

/* P5 */
TEST(messages_of_all_sizes_go_in_one_piece)
{
    static const size_t sizes[] = {0,    1,     2,     4094,  4095,  4096,           4097,     8191,
                                   8192, 16384, 65535, 65536, 65537, (1u << 20) - 1, 1u << 20, (1u << 20) + 1};
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        check_size(ends.server, client, sizes[i], sizes[i] > 0 ? sizes[i] : 1);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        check_size(ends.server, client, sizes[i], (2u << 20));
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(messages_of_all_sizes_are_read_in_pieces)
{
    static const size_t sizes[] = {1, 4095, 4096, 4097, 65536, 65537, 1u << 20};
    static const size_t pieces[] = {700, 4096, 4097, 65536};
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t k = 0; k < COUNT_OF(pieces); k++)
            check_size(ends.server, client, sizes[i], pieces[k]);
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(a_message_of_16_mib_goes)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    check_size(ends.server, client, (size_t)16 << 20, (size_t)16 << 20);
    check_size(ends.server, client, (size_t)16 << 20, (size_t)1 << 20);
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(a_message_of_256_mib_goes)
{
    if (getenv("ISTHMUS_TEST_SLOW") != NULL || host_address_bits() == 32)
        return;
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    check_size(ends.server, client, (size_t)256 << 20, (size_t)4 << 20);
    peer_end(client);
    pipe_part(&ends);
}

/* P5 */
TEST(thousands_of_messages_come_back_as_they_went)
{
    enum { ROUNDS = 3000 };
    pipe_ends ends;
    char answer[16384];
    char bytes[16384];
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    peer_say(client, "echo %d", ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t size = (size_t)i * 37 % (i % 10 == 0 ? sizeof bytes : 100);
        size_t got = 0;
        pipe_fill(bytes, size, i);
        CHECK_OK(ist_pipe_write(ends.server, bytes, size, pipe_bound_ns(), NULL));
        CHECK_OK(ist_pipe_read(ends.server, answer, sizeof answer, pipe_bound_ns(), &got));
        assert_int_equal(got, size);
        assert_true(pipe_is_filled(answer, got, i, 0));
    }
    PIPE_HEAR(client, "IST_OK");
    peer_end(client);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(messages_keep_their_boundaries_and_their_order),
        RUN(a_client_reads_by_messages_from_the_start),
        RUN(a_message_of_nothing_arrives_and_is_not_the_end),
        RUN(who_waits_for_a_message_is_woken_by_one_of_nothing),
        RUN(a_message_of_nothing_is_read_after_its_writer_has_gone),
        RUN(a_short_read_gets_a_part_and_the_rest_stays),
        RUN(a_buffer_of_exactly_the_messages_size_is_enough),
        RUN(the_rest_of_a_message_is_read_after_its_writer_was_killed),
        RUN(another_thread_reads_the_rest),
        RUN(messages_of_all_sizes_go_in_one_piece),
        RUN(messages_of_all_sizes_are_read_in_pieces),
        RUN(a_message_of_16_mib_goes),
        RUN(a_message_of_256_mib_goes),
        RUN(thousands_of_messages_come_back_as_they_went),
    };
    return cmocka_run_group_tests_name("pipe_message", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
