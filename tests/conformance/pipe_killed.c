/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Peers that are killed while they are blocked, or at whatever they do: L1, L4, P7.
 */
#include "support/clock.h"
#include "support/pipe_peer.h"

static void begin_connect(peer *who, const char *name)
{
    char line[NAME_SIZE + 64];
    (void)snprintf(line, sizeof line, "connect %s both forever", name);
    pipe_begin(who, line);
}

/* L1 P3 */
TEST(a_server_killed_in_an_accept_leaves_nothing)
{
    char name[NAME_SIZE];
    unique_name(name, "", "killed");
    for (int i = 0; i < 5; i++) {
        peer *server = pipe_start_server(name, "first instances=1 message");
        pipe_begin(server, "accept forever");
        peer_kill(server);
        pipe_check_gone(name);
        peer_forget(server);
    }
}

/* P3 L1 */
TEST(a_client_killed_in_a_connect_takes_no_instance_with_it)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    peer *waiting = pipe_start();
    begin_connect(waiting, ends.name);
    peer_kill(waiting);
    CHECK_OK(ist_pipe_disconnect(ends.server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(ends.server, 20 * CLOCK_MS));
    peer *next = pipe_start_client(ends.name);
    CHECK_OK(ist_pipe_accept(ends.server, pipe_bound_ns()));
    PEER_ASK(next, "IST_OK 1", "write x 0");
    PIPE_GET(ends.server, "x");
    peer_end(next);
    peer_forget(waiting);
    peer_end(client);
    pipe_part(&ends);
}

/* P7 */
TEST(a_client_killed_in_a_read_is_gone_and_the_instance_goes_on)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    pipe_begin(client, "read 10 forever");
    peer_kill(client);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(ends.server, "x", 1, pipe_bound_ns(), NULL));
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    CHECK_OK(ist_pipe_disconnect(ends.server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(ends.server, 0));
    peer *next = pipe_start_client(ends.name);
    CHECK_OK(ist_pipe_accept(ends.server, pipe_bound_ns()));
    PIPE_PUT(ends.server, "x");
    PEER_ASK(next, "IST_OK 1 x", "read 10 10000");
    peer_end(next);
    peer_forget(client);
    pipe_part(&ends);
}

/* P7 P5: a message that is not whole is none */
TEST(a_client_killed_in_a_write_leaves_what_it_had_written_before)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 5", "write whole 0");
    pipe_begin(client, "pour 1000000 1 forever");
    peer_kill(client);
    PIPE_GET(ends.server, "whole");
    /* Of the large one parts may come, but never its end. */
    unsigned char *bytes = pipe_memory(1000000);
    ist_status status = IST_MORE;
    size_t done = 0;
    while (status == IST_MORE) {
        size_t got = 0;
        status = ist_pipe_read(ends.server, bytes, 1000000, pipe_bound_ns(), &got);
        assert_true(status < 0 || pipe_is_filled(bytes, got, 1, done));
        done += got;
    }
    CHECK_STATUS(IST_E_BROKEN, status);
    assert_true(done < 1000000);
    free(bytes);
    peer_forget(client);
    pipe_part(&ends);
}

/* P7: bytes that are there come */
TEST(a_client_killed_in_a_write_of_bytes_leaves_a_beginning)
{
    pipe_ends ends;
    unsigned char bytes[5000];
    size_t done = 0;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    pipe_begin(client, "pour 1000000 1 forever");
    peer_kill(client);
    for (;;) {
        size_t got = 0;
        ist_status status = ist_pipe_read(ends.server, bytes, sizeof bytes, pipe_bound_ns(), &got);
        if (status == IST_E_BROKEN)
            break;
        CHECK_OK(status);
        assert_true(pipe_is_filled(bytes, got, 1, done));
        done += got;
    }
    assert_true(done < 1000000);
    peer_forget(client);
    pipe_part(&ends);
}

/* P7 P9 */
TEST(a_client_killed_in_a_flush_leaves_what_it_had_written)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 5", "write whole 0");
    pipe_begin(client, "flush forever");
    peer_kill(client);
    PIPE_GET(ends.server, "whole");
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    peer_forget(client);
    pipe_part(&ends);
}

/* P7 */
TEST(who_is_blocked_learns_that_the_peer_was_killed)
{
    static const struct {
        const char *before;
        const char *call;
        const char *answer;
    } rows[] = {
        {NULL, "read 10 forever", "IST_E_BROKEN 0 -"},
        {NULL, "pour 1000000 1 forever", "IST_E_BROKEN 0"},
        {"write x 0", "flush forever", "IST_OK"},
        {NULL, "transact q 10 forever", "IST_E_BROKEN 0 -"},
        {NULL, "wait forever", "IST_OK"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int killed_is_server = 0; killed_is_server < 2; killed_is_server++) {
            char name[NAME_SIZE];
            unique_name(name, "", "killed");
            peer *server = pipe_start_server(name, "message");
            peer *client = pipe_start_client(name);
            PEER_ASK(server, "IST_OK", "accept 10000");
            peer *victim = killed_is_server ? server : client;
            peer *blocked = killed_is_server ? client : server;
            if (rows[i].before != NULL)
                PEER_ASK(blocked, "IST_OK 1", "%s", rows[i].before);
            pipe_begin(blocked, rows[i].call);
            peer_kill(victim);
            PIPE_HEAR(blocked, rows[i].answer);
            peer_forget(victim);
            peer_end(blocked);
            pipe_check_gone(name);
        }
    }
}

/* P7: both blocked, each in its own call */
TEST(who_is_blocked_learns_that_a_blocked_peer_was_killed)
{
    static const struct {
        const char *victim;
        const char *call;
        const char *answer;
    } rows[] = {
        {"read 10 forever", "read 10 forever", "IST_E_BROKEN 0 -"},
        {"read 10 forever", "wait forever", "IST_OK"},
        {"wait forever", "read 10 forever", "IST_E_BROKEN 0 -"},
        {"wait forever", "wait forever", "IST_OK"},
        {"pour 1000000 1 forever", "pour 1000000 2 forever", "IST_E_BROKEN 0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char name[NAME_SIZE];
        unique_name(name, "", "killed");
        peer *server = pipe_start_server(name, "message");
        peer *client = pipe_start_client(name);
        PEER_ASK(server, "IST_OK", "accept 10000");
        pipe_begin(client, rows[i].victim);
        pipe_begin(server, rows[i].call);
        peer_kill(client);
        PIPE_HEAR(server, rows[i].answer);
        peer_forget(client);
        peer_end(server);
    }
}

/* L1 L3 P8: at whatever they do */
TEST(clients_killed_in_the_middle_of_a_conversation_leave_the_instance_fit)
{
    enum { ROUNDS = 40 };
    char name[NAME_SIZE];
    char bytes[300];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    for (unsigned round = 0; round < ROUNDS; round++) {
        peer *client = pipe_start_client(name);
        CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
        peer_say(client, "echo 1000000");
        for (unsigned i = 0; i < 20 + round * 3; i++) {
            size_t got = 0;
            pipe_fill(bytes, i % sizeof bytes, i);
            CHECK_OK(ist_pipe_write(server, bytes, i % sizeof bytes, pipe_bound_ns(), NULL));
            if (round % 2 == 0)
                CHECK_OK(ist_pipe_read(server, bytes, sizeof bytes, pipe_bound_ns(), &got));
            else if (i >= 5)
                break;
        }
        peer_kill(client);
        ist_status status = IST_OK;
        for (int i = 0; status == IST_OK && i < 10000; i++) {
            size_t got = 0;
            status = ist_pipe_read(server, bytes, sizeof bytes, pipe_bound_ns(), &got);
        }
        CHECK_STATUS(IST_E_BROKEN, status);
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
        peer_forget(client);
    }
    ist_pipe_close(server);
    pipe_check_gone(name);
}

/* L1 L4: servers at whatever they do */
TEST(servers_killed_in_the_middle_of_a_conversation_leave_the_name_free)
{
    enum { ROUNDS = 25 };
    char name[NAME_SIZE];
    unique_name(name, "", "killed");
    for (unsigned round = 0; round < ROUNDS; round++) {
        ist_pipe *client = NULL;
        char bytes[64];
        size_t got = 0;
        peer *server = pipe_start_server(name, "first instances=2");
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        peer_say(server, "echo 1000000");
        for (unsigned i = 0; i < round * 5; i++) {
            CHECK_OK(ist_pipe_write(client, "abc", 3, pipe_bound_ns(), NULL));
            CHECK_OK(ist_pipe_read(client, bytes, sizeof bytes, pipe_bound_ns(), &got));
        }
        peer_kill(server);
        pipe_check_gone(name);
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_read(client, bytes, sizeof bytes, pipe_bound_ns(), &got));
        ist_pipe_close(client);
        peer_forget(server);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_server_killed_in_an_accept_leaves_nothing),
        RUN(a_client_killed_in_a_connect_takes_no_instance_with_it),
        RUN(a_client_killed_in_a_read_is_gone_and_the_instance_goes_on),
        RUN(a_client_killed_in_a_write_leaves_what_it_had_written_before),
        RUN(a_client_killed_in_a_write_of_bytes_leaves_a_beginning),
        RUN(a_client_killed_in_a_flush_leaves_what_it_had_written),
        RUN(who_is_blocked_learns_that_the_peer_was_killed),
        RUN(who_is_blocked_learns_that_a_blocked_peer_was_killed),
        RUN(clients_killed_in_the_middle_of_a_conversation_leave_the_instance_fit),
        RUN(servers_killed_in_the_middle_of_a_conversation_leave_the_name_free),
    };
    return cmocka_run_group_tests_name("pipe_killed", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
