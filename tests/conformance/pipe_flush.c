/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Flushing: P9, P11.
 */
#include "support/clock.h"
#include "support/pipe_peer.h"

/* P9 */
TEST(a_flush_of_nothing_returns_at_once)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        CHECK_OK(ist_pipe_flush(ends.server, 0));
        PEER_ASK(client, "IST_OK", "flush 0");
        PIPE_PUT(ends.server, "x");
        PEER_ASK(client, "IST_OK 1 x", "read 10 0");
        CHECK_OK(ist_pipe_flush(ends.server, IST_FOREVER));
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P9 */
TEST(a_flush_waits_until_all_is_read)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        PEER_ASK(client, "IST_OK 4", "write abcd 0");
        PEER_ASK(client, "IST_OK 2", "write ef 0");
        PEER_ASK(client, "IST_TIMEOUT", "flush 0");
        pipe_begin(client, "flush forever");
        PIPE_GET_PART(ends.server, 3, type == IST_PIPE_MESSAGE ? IST_MORE : IST_OK, "abc");
        PIPE_GET_PART(ends.server, 1, IST_OK, "d");
        pipe_pause();
        PIPE_GET_PART(ends.server, 3, IST_OK, "ef");
        PIPE_HEAR(client, "IST_OK");
        PEER_ASK(client, "IST_OK", "flush 0");
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P9 P11 */
TEST(a_flush_that_timed_out_leaves_what_is_unread)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "abc");
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_flush(ends.server, 0));
    int64_t start = clock_steady_ns();
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_flush(ends.server, 20 * CLOCK_MS));
    assert_true(clock_steady_ns() - start >= 20 * CLOCK_MS);
    PEER_ASK(client, "IST_MORE 1 a", "read 1 0");
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_flush(ends.server, 0));
    PEER_ASK(client, "IST_OK 2 bc", "read 10 0");
    CHECK_OK(ist_pipe_flush(ends.server, 0));
    peer_end(client);
    pipe_part(&ends);
}

/* P9 P5: a message of nothing must be read as well */
TEST(a_flush_waits_for_a_message_of_nothing)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "");
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_flush(ends.server, 0));
    PEER_ASK(client, "IST_OK 0 -", "read 10 0");
    CHECK_OK(ist_pipe_flush(ends.server, 0));
    peer_end(client);
    pipe_part(&ends);
}

/* P9: what the peer writes is no concern of it */
TEST(a_flush_is_for_one_direction)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 1", "write x 0");
    CHECK_OK(ist_pipe_flush(ends.server, 0));
    PEER_ASK(client, "IST_TIMEOUT", "flush 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P9 */
TEST(a_flush_returns_when_the_reader_closes_or_dies)
{
    for (int killed = 0; killed < 2; killed++) {
        char name[NAME_SIZE];
        unique_name(name, "", "flush");
        peer *writer = pipe_start_server(name, "");
        peer *reader = pipe_start_client(name);
        PEER_ASK(writer, "IST_OK", "accept 10000");
        PEER_ASK(writer, "IST_OK 4", "write abcd 0");
        pipe_begin(writer, "flush forever");
        if (killed)
            peer_kill(reader);
        else
            PEER_ASK(reader, "ok", "close");
        PIPE_HEAR(writer, "IST_OK");
        PEER_ASK(writer, "IST_OK", "flush 0");
        if (killed)
            peer_forget(reader);
        else
            peer_end(reader);
        peer_end(writer);
    }
}

/* P9: by the client of a server that goes */
TEST(a_clients_flush_returns_when_the_server_closes_or_dies)
{
    for (int killed = 0; killed < 2; killed++) {
        char name[NAME_SIZE];
        unique_name(name, "", "flush");
        peer *server = pipe_start_server(name, "message");
        peer *client = pipe_start_client(name);
        PEER_ASK(client, "IST_OK 0", "write - 0");
        pipe_begin(client, "flush forever");
        if (killed)
            peer_kill(server);
        else
            PEER_ASK(server, "ok", "close");
        PIPE_HEAR(client, "IST_OK");
        if (killed)
            peer_forget(server);
        else
            peer_end(server);
        peer_end(client);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_flush_of_nothing_returns_at_once),
        RUN(a_flush_waits_until_all_is_read),
        RUN(a_flush_that_timed_out_leaves_what_is_unread),
        RUN(a_flush_waits_for_a_message_of_nothing),
        RUN(a_flush_is_for_one_direction),
        RUN(a_flush_returns_when_the_reader_closes_or_dies),
        RUN(a_clients_flush_returns_when_the_server_closes_or_dies),
    };
    return cmocka_run_group_tests_name("pipe_flush", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
