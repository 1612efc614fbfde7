/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * When a pipe and its name go, and what is left then: L1, L3, L4, L8, L9, L10, N5.
 */
#include "support/host.h"
#include "support/pipe_peer.h"

/* L1 */
TEST(the_name_goes_with_the_last_instance_however_it_goes)
{
    static const char *const ways[] = {"close", "exit", "vanish", "kill"};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        char name[NAME_SIZE];
        ist_pipe *pipe = NULL;
        unique_name(name, "", "gone");
        peer *first = pipe_start_server(name, "");
        peer *second = pipe_start_server(name, "");
        PEER_ASK(first, "ok", "close");
        CHECK_OK(ist_pipe_connect(&pipe, name, IST_READ, 0));
        ist_pipe_close(pipe);
        if (i == 0)
            PEER_ASK(second, "ok", "close");
        else if (i == 3)
            peer_kill(second);
        else
            peer_say(second, "%s", ways[i]);
        if (i == 1 || i == 2)
            assert_true(peer_ended_well(second));
        pipe_check_gone(name);
        if (i == 0)
            peer_end(second);
        else if (i == 3)
            peer_forget(second);
        peer_end(first);
    }
}

/* L1: a client does not hold the name */
TEST(a_connection_does_not_hold_the_name)
{
    char name[NAME_SIZE];
    ist_pipe *client = NULL;
    unique_name(name, "", "gone");
    peer *server = pipe_start_server(name, "");
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    PEER_ASK(server, "IST_OK", "accept 10000");
    PEER_ASK(server, "IST_OK 4", "write left 0");
    PEER_ASK(server, "ok", "close");
    pipe_check_gone(name);
    PIPE_GET(client, "left");
    ist_pipe *fresh = NULL;
    CHECK_OK(ist_pipe_serve(&fresh, name, NULL));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(fresh, 0));
    PIPE_GET_NOTHING(client, IST_E_BROKEN);
    ist_pipe_close(fresh);
    ist_pipe_close(client);
    peer_end(server);
}

/* L1 P4: a client that came and was never accepted goes down with the instance */
TEST(a_client_that_nobody_accepted_is_broken_when_the_instance_goes)
{
    static const char *const ways[] = {"close", "kill"};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        char name[NAME_SIZE];
        ist_pipe *client = NULL;
        unique_name(name, "", "gone");
        peer *server = pipe_start_server(name, "");
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        PIPE_PUT(client, "hello");
        if (i == 0)
            PEER_ASK(server, "ok", "close");
        else
            peer_kill(server);
        PIPE_GET_NOTHING(client, IST_E_BROKEN);
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(client, "x", 1, 0, NULL));
        pipe_check_gone(name);
        ist_pipe_close(client);
        if (i == 0)
            peer_end(server);
        else
            peer_forget(server);
    }
}

/* L3 */
TEST(hundreds_of_instances_come_and_go_and_nothing_runs_out)
{
    char name[NAME_SIZE];
    unique_name(name, "", "many");
    for (int i = 0; i < 1500; i++) {
        ist_pipe *server = NULL;
        ist_pipe *client = NULL;
        ist_pipe_options options = pipe_options(i % 2 == 0 ? IST_PIPE_BYTE : IST_PIPE_MESSAGE);
        options.instances = 1;
        options.flags = i % 3 == 0 ? 0 : IST_PIPE_FIRST;
        CHECK_OK(ist_pipe_serve(&server, name, &options));
        if (i % 4 != 0) {
            CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
            PIPE_PUT(client, "left");
        }
        if (i % 4 == 2)
            PIPE_GET(server, "left");
        if (i % 5 == 0)
            CHECK_OK(ist_pipe_disconnect(server));
        if (i % 2 == 0)
            ist_pipe_close(client);
        ist_pipe_close(server);
        if (i % 2 != 0)
            ist_pipe_close(client);
    }
    pipe_check_gone(name);
}

/* L3 P8 */
TEST(hundreds_of_clients_come_and_go_and_nothing_runs_out)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    for (int i = 0; i < 1500; i++) {
        ist_pipe *client = NULL;
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        if (i % 2 == 0)
            CHECK_OK(ist_pipe_accept(server, 0));
        PIPE_PUT(client, "x");
        if (i % 3 == 0)
            PIPE_GET(server, "x");
        ist_pipe_close(client);
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    }
    ist_pipe_close(server);
    pipe_check_gone(name);
}

/* L3 N9: what fails leaves nothing either */
TEST(hundreds_of_failures_leave_nothing)
{
    char name[NAME_SIZE];
    char other[NAME_SIZE];
    ist_pipe *pipe = NULL;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    ist_pipe *client = NULL;
    unique_name(other, "", "failing");
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    options.direction = IST_PIPE_INBOUND;
    for (int i = 0; i < 1000; i++) {
        CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_connect(&pipe, other, IST_WRITE, 0));
        CHECK_STATUS(IST_E_ACCESS, ist_pipe_serve(&pipe, name, &options));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&pipe, name, IST_WRITE, 0));
        CHECK_STATUS(IST_E_ARG, ist_pipe_import(&pipe, "no token"));
    }
    ist_pipe_close(client);
    ist_pipe_close(server);
    pipe_check_gone(name);
    pipe_check_gone(other);
}

/* L4 */
TEST(what_a_killed_server_had_is_never_seen_again)
{
    char name[NAME_SIZE];
    ist_pipe *client = NULL;
    unique_name(name, "", "again");
    peer *server = pipe_start_server(name, "first instances=1 outbound");
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ, 0));
    PEER_ASK(server, "IST_OK 3", "write old 0");
    peer_kill(server);
    peer *next = pipe_start_server(name, "first message");
    ist_pipe *other = NULL;
    CHECK_OK(ist_pipe_connect(&other, name, IST_READ | IST_WRITE, 0));
    PIPE_GET_NOTHING(other, IST_TIMEOUT);
    PEER_ASK(next, "IST_OK", "accept 10000");
    PEER_ASK(next, "IST_TIMEOUT 0 -", "read 10 0");
    PIPE_GET(client, "old");
    PIPE_GET_NOTHING(client, IST_E_BROKEN);
    ist_pipe_close(other);
    ist_pipe_close(client);
    peer_forget(server);
    peer_end(next);
}

/* L9: what is not asked for is not inherited */
TEST(a_new_program_inherits_no_end)
{
    pipe_ends ends;
    ist_pipe *first = NULL;
    ist_pipe *second = NULL;
    pipe_join(&ends, NULL);
    CHECK_OK(ist_pipe_pair(&first, &second, NULL));
    peer *other = peer_start_inheriting(PIPE_ROLE, (const char *)NULL);
    PEER_ASK(other, "ok", "slot 1");
    ist_pipe_close(ends.client);
    ist_pipe_close(second);
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    PIPE_GET_NOTHING(first, IST_E_BROKEN);
    ist_pipe_close(ends.server);
    ist_pipe_close(first);
    pipe_check_gone(ends.name);
    peer_end(other);
}

/* L8: a stopped server delays nobody */
TEST(a_stopped_server_delays_no_other_instance)
{
    char name[NAME_SIZE];
    unique_name(name, "", "stopped");
    peer *stopped = pipe_start_server(name, "instances=3");
    PEER_ASK(stopped, "waiting", "begin accept forever");
    peer_stop(stopped);
    peer *other = pipe_start_server(name, "instances=3");
    ist_pipe *clients[2] = {NULL};
    CHECK_OK(ist_pipe_connect(&clients[0], name, IST_READ | IST_WRITE, 0));
    CHECK_OK(ist_pipe_connect(&clients[1], name, IST_READ | IST_WRITE, 0));
    PEER_ASK(other, "IST_OK", "accept 10000");
    PIPE_PUT(clients[1], "x");
    PEER_ASK(other, "IST_OK 1 x", "read 10 10000");
    PEER_ASK(other, "IST_OK", "disconnect");
    PEER_ASK(other, "IST_TIMEOUT", "accept 0");
    PEER_ASK(other, "ok", "close");
    PIPE_GET_NOTHING(clients[1], IST_E_BROKEN);
    PIPE_GET_NOTHING(clients[0], IST_TIMEOUT); /* stopped is not dead */
    ist_pipe_close(clients[1]);
    peer_go(stopped);
    PIPE_HEAR(stopped, "IST_OK");
    PIPE_PUT(clients[0], "y");
    PEER_ASK(stopped, "IST_OK 1 y", "read 10 10000");
    ist_pipe_close(clients[0]);
    peer_end(other);
    peer_end(stopped);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_name_goes_with_the_last_instance_however_it_goes),
        RUN(a_connection_does_not_hold_the_name),
        RUN(a_client_that_nobody_accepted_is_broken_when_the_instance_goes),
        RUN(hundreds_of_instances_come_and_go_and_nothing_runs_out),
        RUN(hundreds_of_clients_come_and_go_and_nothing_runs_out),
        RUN(hundreds_of_failures_leave_nothing),
        RUN(what_a_killed_server_had_is_never_seen_again),
        RUN(a_new_program_inherits_no_end),
        RUN(a_stopped_server_delays_no_other_instance),
    };
    return cmocka_run_group_tests_name("pipe_lifetime", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
