/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The end of a peer, of a connection, and of what was written: P4, P7, P8, P9, P15.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/pipe_peer.h"

static ist_status write_x(ist_pipe *pipe)
{
    return ist_pipe_write(pipe, "x", 1, pipe_bound_ns(), NULL);
}

static const char *const ends_of_peers[] = {"close", "exit", "vanish", "kill"};

/* Lets the peer's end go in one of four ways, the first of which the peer survives. */
static void let_go(peer *who, const char *how)
{
    if (strcmp(how, "close") == 0) {
        PEER_ASK(who, "ok", "close");
        return;
    }
    if (strcmp(how, "kill") == 0) {
        peer_kill(who);
        peer_forget(who);
        return;
    }
    peer_say(who, "%s", how);
    assert_true(peer_ended_well(who));
}

static void bury(peer *who, const char *how)
{
    if (strcmp(how, "close") == 0)
        peer_end(who);
}

/* P7 */
TEST(what_a_peer_wrote_is_read_after_its_end_and_then_everything_is_broken)
{
    for (size_t i = 0; i < COUNT_OF(ends_of_peers); i++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
        PEER_ASK(client, "IST_OK 3", "write one 0");
        PEER_ASK(client, "IST_OK 3", "write two 0");
        let_go(client, ends_of_peers[i]);
        PIPE_GET(ends.server, "one");
        PIPE_GET_PART(ends.server, 1, IST_MORE, "t");
        PIPE_GET(ends.server, "wo");
        for (int n = 0; n < 3; n++) {
            PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
            CHECK_STATUS(IST_E_BROKEN, write_x(ends.server));
        }
        bury(client, ends_of_peers[i]);
        pipe_part(&ends);
    }
}

/* P7: of the server's end as well */
TEST(what_a_server_wrote_is_read_after_its_end_and_then_everything_is_broken)
{
    for (size_t i = 0; i < COUNT_OF(ends_of_peers); i++) {
        char name[NAME_SIZE];
        ist_pipe *client = NULL;
        unique_name(name, "", "end");
        peer *server = pipe_start_server(name, "");
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        PEER_ASK(server, "IST_OK", "accept 10000");
        PEER_ASK(server, "IST_OK 4", "write left 0");
        let_go(server, ends_of_peers[i]);
        PIPE_GET(client, "left");
        PIPE_GET_NOTHING(client, IST_E_BROKEN);
        CHECK_STATUS(IST_E_BROKEN, write_x(client));
        PIPE_GET_NOTHING(client, IST_E_BROKEN);
        bury(server, ends_of_peers[i]);
        ist_pipe_close(client);
        pipe_check_gone(name);
    }
}

/* P7 */
TEST(who_writes_to_a_peer_that_is_gone_is_told_at_once_and_can_still_read)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    PEER_ASK(client, "IST_OK 4", "write left 0");
    peer_end(client);
    CHECK_STATUS(IST_E_BROKEN, write_x(ends.server));
    PIPE_GET(ends.server, "left");
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    pipe_part(&ends);
}

/* P7 */
TEST(what_nobody_has_read_is_no_obstacle_to_the_end)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    PIPE_PUT(ends.server, "unread");
    peer_kill(client);
    CHECK_STATUS(IST_E_BROKEN, write_x(ends.server));
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    CHECK_OK(ist_pipe_disconnect(ends.server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(ends.server, 0));
    peer_forget(client);
    client = pipe_start_client(ends.name);
    CHECK_OK(ist_pipe_accept(ends.server, pipe_bound_ns()));
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P15 */
TEST(without_a_client_everything_is_broken)
{
    char name[NAME_SIZE];
    size_t got = 9;
    char bytes[4];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    ist_pipe_peer_facts facts = IST_PIPE_PEER_FACTS_INIT;
    for (int i = 0; i < 3; i++) {
        PIPE_GET_NOTHING(server, IST_E_BROKEN);
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_read(server, bytes, 4, IST_FOREVER, &got));
        CHECK_STATUS(IST_E_BROKEN, write_x(server));
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(server, NULL, 0, 0, NULL));
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_flush(server, IST_FOREVER));
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_transact(server, "x", 1, bytes, 4, IST_FOREVER, &got));
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_peer(server, &facts));
        if (i == 0)
            CHECK_OK(ist_pipe_disconnect(server));
        else
            CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    }
    ist_pipe_close(server);
}

/* P4 */
TEST(a_client_that_came_before_the_accept_is_a_success)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    peer *client = pipe_start_client(name);
    PEER_ASK(client, "IST_OK 5", "write early 0");
    for (int i = 0; i < 3; i++)
        CHECK_OK(ist_pipe_accept(server, 0));
    PIPE_GET(server, "early");
    CHECK_OK(ist_pipe_accept(server, IST_FOREVER));
    peer_end(client);
    ist_pipe_close(server);
}

/* P4: nobody need accept at all */
TEST(a_client_is_connected_before_anybody_accepts)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    peer *client = pipe_start_client(name);
    PEER_ASK(client, "IST_OK 5", "write early 0");
    PIPE_GET(server, "early");
    PIPE_PUT(server, "answer");
    PEER_ASK(client, "IST_OK 6 answer", "read 10 0");
    peer_end(client);
    ist_pipe_close(server);
}

/* P4 */
TEST(a_client_that_has_come_and_gone_is_broken_at_accept_and_what_it_wrote_can_be_read)
{
    static const char *const ways[] = {"close", "exit", "vanish", "kill"};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        char name[NAME_SIZE];
        ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
        peer *client = pipe_start_client(name);
        PEER_ASK(client, "IST_OK 4", "write left 0");
        let_go(client, ways[i]);
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(server, pipe_bound_ns()));
        PIPE_CHECK_PEEK(server, 4, 4);
        PIPE_GET(server, "left");
        PIPE_GET_NOTHING(server, IST_E_BROKEN);
        /* A disconnect must come first. */
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(server, pipe_bound_ns()));
        ist_pipe *other = NULL;
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&other, name, IST_READ, 0));
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
        CHECK_OK(ist_pipe_connect(&other, name, IST_READ | IST_WRITE, 0));
        CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
        PIPE_PUT(other, "new");
        PIPE_GET(server, "new");
        ist_pipe_close(other);
        bury(client, ways[i]);
        ist_pipe_close(server);
    }
}

/* P4: also one that had been accepted */
TEST(an_accept_while_a_client_is_gone_is_broken)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    CHECK_OK(ist_pipe_accept(ends.server, 0));
    peer_end(client);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(ends.server, IST_FOREVER));
    pipe_part(&ends);
}

/* P8 */
TEST(a_disconnect_drops_what_is_unread_on_both_sides)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        PEER_ASK(client, "IST_OK 4", "write lost 0");
        PIPE_PUT(ends.server, "gone");
        CHECK_OK(ist_pipe_disconnect(ends.server));
        PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
        CHECK_STATUS(IST_E_BROKEN, write_x(ends.server));
        PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 forever");
        PEER_ASK(client, "IST_E_BROKEN 0", "write x forever");
        PEER_ASK(client, "IST_E_BROKEN 0 0 0", "peek 10");
        peer_end(client);
        pipe_part(&ends);
    }
}

/* P8 */
TEST(a_disconnect_drops_what_is_left_of_a_message)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "abcdef");
    PEER_ASK(client, "IST_MORE 2 ab", "read 2 0");
    CHECK_OK(ist_pipe_disconnect(ends.server));
    PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 forever");
    peer_end(client);
    pipe_part(&ends);
}

#define LARGE 300000

/* P8: also of one that its reader has taken off the system */
TEST(a_disconnect_drops_what_is_left_of_a_large_message)
{
    pipe_ends ends;
    char *bytes = pipe_memory(LARGE);
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    pipe_fill(bytes, LARGE, 5);
    pipe_begin(client, "drink 10 5 0 forever");
    ist_status status = ist_pipe_write(ends.server, bytes, LARGE, 200 * CLOCK_MS, NULL);
    assert_true(status == IST_OK || status == IST_E_BROKEN);
    PIPE_HEAR(client, "IST_MORE 10 yes");
    CHECK_OK(ist_pipe_disconnect(ends.server));
    PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 forever");
    free(bytes);
    peer_end(client);
    pipe_part(&ends);
}

/* P8 */
TEST(an_instance_accepts_again_after_a_disconnect)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    for (int i = 0; i < 20; i++) {
        peer *client = pipe_start_client(name);
        CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
        PEER_ASK(client, "IST_OK 2", "write hi 0");
        PIPE_GET(server, "hi");
        PIPE_PUT(server, "bye");
        if (i % 2 == 0)
            CHECK_STATUS(IST_TIMEOUT, ist_pipe_flush(server, 0));
        CHECK_OK(ist_pipe_disconnect(server));
        PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 forever");
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
        peer_end(client);
    }
    ist_pipe_close(server);
}

/* P8 P2: from the disconnect to the accept nobody can connect */
TEST(a_disconnected_instance_does_not_listen)
{
    char name[NAME_SIZE];
    ist_pipe *client = NULL;
    ist_pipe *second = NULL;
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        /* Of a client that nobody has accepted, too. */
        PIPE_PUT(client, "lost");
        CHECK_OK(ist_pipe_disconnect(server));
        PIPE_GET_NOTHING(client, IST_E_BROKEN);
        PIPE_GET_NOTHING(server, IST_E_BROKEN);
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&second, name, IST_READ, 0));
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&second, name, IST_READ, 0));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
        ist_pipe_close(client);
    }
    ist_pipe_close(server);
}

/* P8 */
TEST(an_instance_that_is_disconnected_while_it_listens_does_not_any_more)
{
    char name[NAME_SIZE];
    ist_pipe *client = NULL;
    if (host_emulator() != NULL)
        SKIP(an_instance_that_is_disconnected_while_it_listens_does_not_any_more,
             "Wine does not disconnect an instance that listens");
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&client, name, IST_READ, 0));
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ, 0));
    ist_pipe_close(client);
    ist_pipe_close(server);
}

/* P8 */
TEST(a_disconnect_ends_what_the_client_is_blocked_in)
{
    static const char *const calls[] = {"read 10 forever", "pour 100000 1 forever", "flush forever",
                                        "transact q 10 forever"};
    static const char *const answers[] = {"IST_E_BROKEN 0 -", "IST_E_BROKEN 0", "IST_OK", "IST_E_BROKEN 0 -"};
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        pipe_ends ends;
        peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
        if (i == 2)
            PEER_ASK(client, "IST_OK 1", "write x 0");
        pipe_begin(client, calls[i]);
        CHECK_OK(ist_pipe_disconnect(ends.server));
        PIPE_HEAR(client, answers[i]);
        peer_end(client);
        pipe_part(&ends);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_a_peer_wrote_is_read_after_its_end_and_then_everything_is_broken),
        RUN(what_a_server_wrote_is_read_after_its_end_and_then_everything_is_broken),
        RUN(who_writes_to_a_peer_that_is_gone_is_told_at_once_and_can_still_read),
        RUN(what_nobody_has_read_is_no_obstacle_to_the_end),
        RUN(without_a_client_everything_is_broken),
        RUN(a_client_that_came_before_the_accept_is_a_success),
        RUN(a_client_is_connected_before_anybody_accepts),
        RUN(a_client_that_has_come_and_gone_is_broken_at_accept_and_what_it_wrote_can_be_read),
        RUN(an_accept_while_a_client_is_gone_is_broken),
        RUN(a_disconnect_drops_what_is_unread_on_both_sides),
        RUN(a_disconnect_drops_what_is_left_of_a_message),
        RUN(a_disconnect_drops_what_is_left_of_a_large_message),
        RUN(an_instance_accepts_again_after_a_disconnect),
        RUN(a_disconnected_instance_does_not_listen),
        RUN(an_instance_that_is_disconnected_while_it_listens_does_not_any_more),
        RUN(a_disconnect_ends_what_the_client_is_blocked_in),
    };
    return cmocka_run_group_tests_name("pipe_end", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
