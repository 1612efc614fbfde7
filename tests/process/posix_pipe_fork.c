/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends of pipes in a forked child: parent and child each have the end, and it lives until both let go (L7).
 */
#include "support/pipe_peer.h"

/* A peer that has forked: the child speaks. */
static void split(peer *who)
{
    PEER_ASK(who, "child", "fork");
}

/* The child ends, its parent speaks again. */
static void join_again(peer *who)
{
    peer_say(who, "exit");
    PIPE_HEAR(who, "parent");
}

/* L7 P7 */
TEST(a_connection_lives_while_a_clients_child_has_it)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        char bytes[8];
        size_t got = 9;
        peer *client = pipe_join_peer(&ends, (ist_pipe_type)type);
        split(client);
        peer_kill(client);
        PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
        PEER_ASK(client, "IST_OK 5", "write child 10000");
        PIPE_GET(ends.server, "child");
        PIPE_PUT(ends.server, "to you");
        PEER_ASK(client, "IST_OK 6 to%20you", "read 10 10000");
        peer_say(client, "later vanish");
        pipe_be_impatient(); /* of the child's life nothing is known here */
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_read(ends.server, bytes, sizeof bytes, pipe_bound_ns(), &got));
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(ends.server, bytes, 1, pipe_bound_ns(), NULL));
        (void)pipe_be_patient(NULL);
        peer_forget(client);
        pipe_part(&ends);
    }
}

/* L7 */
TEST(a_clients_parent_goes_on_after_its_child_has_ended)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    split(client);
    PEER_ASK(client, "IST_OK 1", "write a 0");
    PEER_ASK(client, "ok", "close");
    join_again(client);
    PIPE_GET(ends.server, "a");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PEER_ASK(client, "IST_OK 1", "write b 0");
    PIPE_GET(ends.server, "b");
    PIPE_PUT(ends.server, "c");
    PEER_ASK(client, "IST_OK 1 c", "read 10 0");
    peer_end(client);
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    pipe_part(&ends);
}

/* L7 P5: one after the other they read and write as one would */
TEST(parent_and_child_take_turns_at_one_end)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "abcdef");
    PIPE_PUT(ends.server, "ghi");
    PIPE_PUT(ends.server, "jkl");
    PEER_ASK(client, "IST_MORE 2 ab", "read 2 0");
    PEER_ASK(client, "IST_OK 3", "write one 0");
    split(client);
    PEER_ASK(client, "IST_MORE 2 cd", "read 2 0");
    PEER_ASK(client, "IST_OK 2 ef", "read 10 0");
    PEER_ASK(client, "IST_MORE 1 g", "read 1 0");
    PEER_ASK(client, "IST_OK 3", "write two 0");
    join_again(client);
    PEER_ASK(client, "IST_OK 2 hi", "read 10 0");
    PEER_ASK(client, "IST_OK 3 jkl", "read 10 0");
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
    PEER_ASK(client, "IST_OK 5", "write three 0");
    PIPE_GET(ends.server, "one");
    PIPE_GET(ends.server, "two");
    PIPE_GET(ends.server, "three");
    peer_end(client);
    pipe_part(&ends);
}

/* L7 L1 */
TEST(an_instance_lives_while_a_servers_child_has_it)
{
    char name[NAME_SIZE];
    ist_pipe *client = NULL;
    ist_pipe *second = NULL;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    unique_name(name, "", "fork");
    peer *server = pipe_start_server(name, "instances=1");
    split(server);
    peer_kill(server);
    options.flags = IST_PIPE_FIRST;
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_serve(&second, name, &options));
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    PEER_ASK(server, "IST_OK", "accept 10000");
    PIPE_PUT(client, "hi");
    PEER_ASK(server, "IST_OK 2 hi", "read 10 10000");
    PEER_ASK(server, "IST_OK", "disconnect");
    PIPE_GET_NOTHING(client, IST_E_BROKEN);
    ist_pipe_close(client);
    PEER_ASK(server, "IST_TIMEOUT", "accept 0");
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    PEER_ASK(server, "IST_OK", "accept 10000");
    PEER_ASK(server, "ok", "close");
    PIPE_GET_NOTHING(client, IST_E_BROKEN);
    ist_pipe_close(client);
    pipe_check_gone(name);
    peer_forget(server);
}

/* L7 L1: with the child's end, or its close, the name goes once the parent has gone too */
TEST(the_name_goes_with_the_last_of_parent_and_child)
{
    static const char *const ways[] = {"close", "vanish"};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        char name[NAME_SIZE];
        ist_pipe *client = NULL;
        unique_name(name, "", "fork");
        peer *server = pipe_start_server(name, "");
        split(server);
        if (i == 0)
            PEER_ASK(server, "ok", "close");
        peer_say(server, "vanish");
        PIPE_HEAR(server, "parent");
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        PEER_ASK(server, "IST_OK", "accept 10000");
        PIPE_PUT(client, "x");
        PEER_ASK(server, "IST_OK 1 x", "read 10 10000");
        ist_pipe_close(client);
        PEER_ASK(server, "ok", "close");
        pipe_check_gone(name);
        peer_end(server);
    }
}

/* L7: an instance that both have is one instance */
TEST(a_fork_makes_no_second_instance)
{
    char name[NAME_SIZE];
    ist_pipe *clients[2] = {NULL};
    ist_pipe *second = NULL;
    unique_name(name, "", "fork");
    peer *server = pipe_start_server(name, "instances=2");
    split(server);
    CHECK_OK(ist_pipe_connect(&clients[0], name, IST_READ | IST_WRITE, 0));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&clients[1], name, IST_READ | IST_WRITE, 0));
    CHECK_OK(ist_pipe_serve(&second, name, NULL));
    CHECK_OK(ist_pipe_connect(&clients[1], name, IST_READ | IST_WRITE, 0));
    PEER_ASK(server, "IST_OK", "accept 10000");
    CHECK_OK(ist_pipe_accept(second, 0));
    ist_pipe_close(clients[0]);
    ist_pipe_close(clients[1]);
    ist_pipe_close(second);
    join_again(server);
    PEER_ASK(server, "ok", "close");
    pipe_check_gone(name);
    peer_end(server);
}

/* L7: what the child opens and makes is its own */
TEST(a_child_serves_and_connects_by_itself)
{
    char name[NAME_SIZE];
    ist_pipe *client = NULL;
    unique_name(name, "", "fork");
    pipe_ends ends;
    peer *who = pipe_join_peer(&ends, IST_PIPE_BYTE);
    split(who);
    PEER_ASK(who, "ok", "slot 1");
    PEER_ASK(who, "IST_OK", "serve %s message", name);
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    PEER_ASK(who, "IST_OK", "accept 10000");
    PIPE_PUT(client, "x");
    PEER_ASK(who, "IST_OK 1 x", "read 10 10000");
    ist_pipe_close(client);
    join_again(who);
    pipe_check_gone(name);
    PEER_ASK(who, "ok", "slot 0");
    PEER_ASK(who, "IST_OK 1", "write y 0");
    PIPE_GET(ends.server, "y");
    peer_end(who);
    pipe_part(&ends);
}

/* L7: both blocked at once is not promised; one after the other is */
TEST(a_child_is_woken_as_its_parent_would_be)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    split(client);
    pipe_begin(client, "read 10 forever");
    PIPE_PUT(ends.server, "x");
    PIPE_HEAR(client, "IST_OK 1 x");
    pipe_begin(client, "wait forever");
    CHECK_OK(ist_pipe_disconnect(ends.server));
    PIPE_HEAR(client, "IST_OK");
    PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 0");
    join_again(client);
    PEER_ASK(client, "IST_E_BROKEN 0 -", "read 10 0");
    peer_end(client);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_connection_lives_while_a_clients_child_has_it), RUN(a_clients_parent_goes_on_after_its_child_has_ended),
        RUN(parent_and_child_take_turns_at_one_end),          RUN(an_instance_lives_while_a_servers_child_has_it),
        RUN(the_name_goes_with_the_last_of_parent_and_child), RUN(a_fork_makes_no_second_instance),
        RUN(a_child_serves_and_connects_by_itself),           RUN(a_child_is_woken_as_its_parent_would_be),
    };
    return cmocka_run_group_tests_name("posix_pipe_fork", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
