/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Looking at what waits to be read: P6, P15.
 */
#include "support/pipe_peer.h"

static void join(pipe_ends *ends, ist_pipe_type type)
{
    ist_pipe_options options = pipe_options(type);
    pipe_join(ends, &options);
}

/* What a peek into `size` bytes copies. */
static void check_copied(ist_pipe *pipe, size_t size, const char *text)
{
    char bytes[64];
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    memset(bytes, 0x5A, sizeof bytes);
    CHECK_OK(ist_pipe_peek(pipe, bytes, size, &peeked));
    assert_int_equal(peeked.copied_bytes, strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
    for (size_t i = strlen(text); i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0x5A);
}

/* P6 */
TEST(a_peek_tells_what_waits_and_takes_nothing)
{
    pipe_ends ends;
    join(&ends, IST_PIPE_MESSAGE);
    PIPE_CHECK_PEEK(ends.server, 0, 0);
    PIPE_PUT(ends.client, "abcde");
    PIPE_CHECK_PEEK(ends.server, 5, 5);
    PIPE_PUT(ends.client, "xyz");
    for (int i = 0; i < 3; i++)
        PIPE_CHECK_PEEK(ends.server, 8, 5);
    PIPE_GET(ends.server, "abcde");
    PIPE_CHECK_PEEK(ends.server, 3, 3);
    PIPE_GET(ends.server, "xyz");
    PIPE_CHECK_PEEK(ends.server, 0, 0);
    PIPE_CHECK_PEEK(ends.client, 0, 0);
    pipe_part(&ends);
}

/* P6 */
TEST(a_peek_tells_what_is_left_of_a_message)
{
    pipe_ends ends;
    join(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.client, "abcde");
    PIPE_PUT(ends.client, "xyz");
    PIPE_GET_PART(ends.server, 2, IST_MORE, "ab");
    PIPE_CHECK_PEEK(ends.server, 6, 3);
    check_copied(ends.server, 64, "cde");
    PIPE_GET_PART(ends.server, 3, IST_OK, "cde");
    PIPE_CHECK_PEEK(ends.server, 3, 3);
    pipe_part(&ends);
}

/* P6 */
TEST(a_peek_copies_of_the_first_message_only)
{
    pipe_ends ends;
    join(&ends, IST_PIPE_MESSAGE);
    check_copied(ends.server, 64, "");
    PIPE_PUT(ends.client, "abcde");
    PIPE_PUT(ends.client, "xyz");
    check_copied(ends.server, 64, "abcde");
    check_copied(ends.server, 5, "abcde");
    check_copied(ends.server, 4, "abcd");
    check_copied(ends.server, 0, "");
    PIPE_GET(ends.server, "abcde");
    check_copied(ends.server, 64, "xyz");
    pipe_part(&ends);
}

/* P6 */
TEST(a_peek_copies_of_all_bytes_where_there_are_no_messages)
{
    pipe_ends ends;
    join(&ends, IST_PIPE_BYTE);
    PIPE_PUT(ends.client, "abc");
    PIPE_PUT(ends.client, "def");
    PIPE_CHECK_PEEK(ends.server, 6, 0);
    check_copied(ends.server, 64, "abcdef");
    check_copied(ends.server, 4, "abcd");
    PIPE_GET_PART(ends.server, 2, IST_OK, "ab");
    PIPE_CHECK_PEEK(ends.server, 4, 0);
    check_copied(ends.server, 64, "cdef");
    pipe_part(&ends);
}

/* P6 */
TEST(an_empty_message_is_not_told_from_nothing)
{
    pipe_ends ends;
    join(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.client, "");
    PIPE_CHECK_PEEK(ends.server, 0, 0);
    PIPE_PUT(ends.client, "abc");
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    CHECK_OK(ist_pipe_peek(ends.server, NULL, 0, &peeked));
    assert_int_equal(peeked.available_bytes, 3);
    assert_int_equal(peeked.message_bytes, 0);
    PIPE_GET(ends.server, "");
    PIPE_CHECK_PEEK(ends.server, 3, 3);
    pipe_part(&ends);
}

/* P6: on both sides, and in another process */
TEST(a_client_peeks_as_a_server_does)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 0 0 0", "peek 10");
    PIPE_PUT(ends.server, "abcde");
    PIPE_PUT(ends.server, "xy");
    PEER_ASK(client, "IST_OK 3 7 5", "peek 3");
    PEER_ASK(client, "IST_OK 5 7 5", "peek 100");
    PEER_ASK(client, "IST_MORE 1 a", "read 1 0");
    PEER_ASK(client, "IST_OK 4 6 4", "peek 100");
    peer_end(client);
    pipe_part(&ends);
}

/* P6 P7 */
TEST(what_a_peer_left_is_peeked_and_then_the_end)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        PEER_ASK(client, "IST_OK 4", "write left 0");
        peer_kill(client);
        PIPE_CHECK_PEEK(ends.server, 4, type == IST_PIPE_MESSAGE ? 4u : 0u);
        check_copied(ends.server, 64, "left");
        PIPE_GET(ends.server, "left");
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_peek(ends.server, NULL, 0, &peeked));
        peer_forget(client);
        pipe_part(&ends);
    }
}

/* P6 P15 */
TEST(there_is_nothing_to_peek_at_without_a_client)
{
    char name[NAME_SIZE];
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_peek(server, NULL, 0, &peeked));
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_peek(server, NULL, 0, &peeked));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_peek(server, NULL, 0, &peeked));
    peer *client = pipe_start_client(name);
    CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
    PIPE_CHECK_PEEK(server, 0, 0);
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_peek(server, NULL, 0, &peeked));
    PEER_ASK(client, "IST_E_BROKEN 0 0 0", "peek 10");
    peer_end(client);
    ist_pipe_close(server);
}

/* P6: of what does not fit into the buffer, at least what is there */
TEST(a_peek_at_a_message_that_is_still_being_written_finds_its_beginning)
{
    pipe_ends ends;
    unsigned char bytes[1000];
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    pipe_begin(client, "pour 100000 7 forever");
    CHECK_OK(ist_wait(ist_pipe_waitable(ends.server), pipe_bound_ns()));
    CHECK_OK(ist_pipe_peek(ends.server, bytes, sizeof bytes, &peeked));
    assert_int_equal(peeked.copied_bytes, sizeof bytes);
    assert_true(pipe_is_filled(bytes, sizeof bytes, 7, 0));
    assert_int_equal(peeked.message_bytes, 100000);
    assert_true(peeked.available_bytes >= sizeof bytes && peeked.available_bytes <= 100000);
    unsigned char *all = pipe_memory(100000);
    size_t got = 0;
    CHECK_OK(ist_pipe_read(ends.server, all, 100000, pipe_bound_ns(), &got));
    assert_int_equal(got, 100000);
    assert_true(pipe_is_filled(all, got, 7, 0));
    free(all);
    PIPE_HEAR(client, "IST_OK 100000");
    peer_end(client);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_peek_tells_what_waits_and_takes_nothing),
        RUN(a_peek_tells_what_is_left_of_a_message),
        RUN(a_peek_copies_of_the_first_message_only),
        RUN(a_peek_copies_of_all_bytes_where_there_are_no_messages),
        RUN(an_empty_message_is_not_told_from_nothing),
        RUN(a_client_peeks_as_a_server_does),
        RUN(what_a_peer_left_is_peeked_and_then_the_end),
        RUN(there_is_nothing_to_peek_at_without_a_client),
        RUN(a_peek_at_a_message_that_is_still_being_written_finds_its_beginning),
    };
    return cmocka_run_group_tests_name("pipe_peek", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
