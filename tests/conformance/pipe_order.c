/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which instance a client gets, and what it waits for: P2, P3.
 */
#include "support/clock.h"
#include "support/host.h"
#include "support/pipe_peer.h"

/* Whether the client that came last is at this server. */
static void check_at(peer *server, bool here)
{
    PEER_ASK(server, here ? "IST_OK" : "IST_TIMEOUT", "accept 0");
}

/* P2 */
TEST(a_client_gets_the_instance_that_was_made_first_in_whichever_process)
{
    enum { SERVERS = 5 };
    peer *servers[SERVERS];
    peer *clients[SERVERS];
    char name[NAME_SIZE];
    unique_name(name, "", "order");
    for (size_t i = 0; i < SERVERS; i++)
        servers[i] = pipe_start_server(name, "");
    for (size_t i = 0; i < SERVERS; i++) {
        clients[i] = pipe_start_client(name);
        check_at(servers[i], true);
        for (size_t k = i + 1; k < SERVERS; k++)
            check_at(servers[k], false);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        peer_end(clients[i]);
        peer_end(servers[i]);
    }
    pipe_check_gone(name);
}

/* P2: accepting anew is not listening anew */
TEST(an_accept_that_times_out_does_not_lose_the_place)
{
    char name[NAME_SIZE];
    unique_name(name, "", "order");
    peer *first = pipe_start_server(name, "");
    peer *second = pipe_start_server(name, "");
    for (int i = 0; i < 5; i++)
        check_at(first, false);
    peer *client = pipe_start_client(name);
    check_at(second, false);
    check_at(first, true);
    peer_end(client);
    peer_end(second);
    peer_end(first);
}

/* P2 */
TEST(an_instance_that_was_disconnected_listens_from_the_next_accept_on)
{
    char name[NAME_SIZE];
    unique_name(name, "", "order");
    peer *first = pipe_start_server(name, "");
    peer *second = pipe_start_server(name, "");
    peer *third = pipe_start_server(name, "");
    peer *client = pipe_start_client(name);
    check_at(first, true);
    PEER_ASK(first, "IST_OK", "disconnect");
    PEER_ASK(first, "IST_TIMEOUT", "accept 0");
    PEER_ASK(client, "ok", "close");
    PEER_ASK(client, "IST_OK", "connect %s both 0", name);
    check_at(first, false);
    check_at(third, false);
    check_at(second, true);
    PEER_ASK(second, "IST_OK", "disconnect");
    PEER_ASK(client, "ok", "close");
    PEER_ASK(client, "IST_OK", "connect %s both 0", name);
    check_at(first, false);
    check_at(third, true);
    /* Now the first, although the second was disconnected before: that one does not listen. */
    PEER_ASK(client, "ok", "slot 1");
    PEER_ASK(client, "IST_OK", "connect %s both 0", name);
    check_at(first, true);
    PEER_ASK(client, "ok", "slot 2");
    PEER_ASK(client, "IST_TIMEOUT", "connect %s both 0", name);
    check_at(second, false);
    PEER_ASK(client, "IST_OK", "connect %s both 0", name);
    check_at(second, true);
    peer_end(client);
    peer_end(third);
    peer_end(second);
    peer_end(first);
}

/* P2 */
TEST(instances_of_one_process_are_taken_in_their_order)
{
    enum { MANY = 20 };
    ist_pipe *servers[MANY];
    ist_pipe *clients[MANY];
    char name[NAME_SIZE];
    unique_name(name, "", "order");
    for (size_t i = 0; i < MANY; i++)
        CHECK_OK(ist_pipe_serve(&servers[i], name, NULL));
    for (size_t i = 0; i < MANY; i++) {
        CHECK_OK(ist_pipe_connect(&clients[i], name, IST_READ | IST_WRITE, 0));
        CHECK_OK(ist_pipe_accept(servers[i], 0));
        if (i + 1 < MANY)
            CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(servers[i + 1], 0));
    }
    for (size_t i = 0; i < MANY; i++) {
        ist_pipe_close(clients[i]);
        ist_pipe_close(servers[i]);
    }
}

/* P2 L1 */
TEST(a_server_that_was_killed_is_not_waited_for)
{
    char name[NAME_SIZE];
    unique_name(name, "", "order");
    peer *first = pipe_start_server(name, "");
    peer *second = pipe_start_server(name, "");
    peer_kill(first);
    peer *client = pipe_start_client(name);
    check_at(second, true);
    PEER_ASK(client, "ok", "slot 1");
    PEER_ASK(client, "IST_TIMEOUT", "connect %s both 0", name);
    peer_end(client);
    peer_forget(first);
    peer_end(second);
    pipe_check_gone(name);
}

/* P3 L8: nothing is asked of the server */
TEST(a_server_that_is_stopped_gets_its_client_all_the_same)
{
    char name[NAME_SIZE];
    unique_name(name, "", "order");
    peer *first = pipe_start_server(name, "");
    peer *second = pipe_start_server(name, "");
    pipe_begin(first, "accept forever");
    peer_stop(first);
    peer *client = pipe_start_client(name);
    PEER_ASK(client, "IST_OK 2", "write hi 0");
    check_at(second, false);
    peer_go(first);
    PIPE_HEAR(first, "IST_OK");
    PEER_ASK(first, "IST_OK 2 hi", "read 10 10000");
    peer_end(client);
    peer_end(second);
    peer_end(first);
}

/* ---- nobody listens ---- */

/* P3 */
TEST(a_client_times_out_while_all_instances_are_busy)
{
    pipe_ends ends;
    ist_pipe *more = (ist_pipe *)&more;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&more, ends.name, IST_READ, 0));
    assert_null(more);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&more, ends.name, IST_READ | IST_WRITE, 20 * CLOCK_MS));
    PEER_ASK(client, "ok", "slot 1");
    PEER_ASK(client, "IST_TIMEOUT", "connect %s read 1", ends.name);
    PEER_ASK(client, "ok", "slot 0");
    PEER_ASK(client, "IST_OK 1", "write x 0");
    PIPE_GET(ends.server, "x");
    peer_end(client);
    pipe_part(&ends);
}

/* P3 */
TEST(a_client_that_waits_gets_the_instance_that_listens_again)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    peer *next = pipe_start();
    char line[NAME_SIZE + 64];
    (void)snprintf(line, sizeof line, "connect %s both forever", ends.name);
    pipe_begin(next, line);
    peer_end(client);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(ends.server, 0));
    CHECK_OK(ist_pipe_disconnect(ends.server));
    CHECK_OK(ist_pipe_accept(ends.server, pipe_bound_ns()));
    PIPE_HEAR(next, "IST_OK");
    PEER_ASK(next, "IST_OK 1", "write x 0");
    PIPE_GET(ends.server, "x");
    peer_end(next);
    pipe_part(&ends);
}

/* P3 */
TEST(a_client_that_waits_gets_an_instance_that_is_made)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_BYTE);
    peer *next = pipe_start();
    char line[NAME_SIZE + 64];
    (void)snprintf(line, sizeof line, "connect %s both forever", ends.name);
    pipe_begin(next, line);
    peer *server = pipe_start_server(ends.name, "");
    PIPE_HEAR(next, "IST_OK");
    PEER_ASK(server, "IST_OK", "accept 0");
    peer_end(server);
    peer_end(next);
    peer_end(client);
    pipe_part(&ends);
}

/* P3 */
TEST(clients_that_wait_are_all_served_in_the_end)
{
    enum { CLIENTS = 6 };
    pipe_ends ends;
    peer *first = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    peer *clients[CLIENTS];
    char line[NAME_SIZE + 64];
    (void)snprintf(line, sizeof line, "connect %s both forever", ends.name);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = pipe_start();
        PEER_ASK(clients[i], "waiting", "begin %s", line);
        peer_say(clients[i], "write %zu forever", i);
        peer_say(clients[i], "flush forever");
    }
    peer_end(first);
    unsigned seen = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        char text[8];
        size_t got = 0;
        CHECK_OK(ist_pipe_disconnect(ends.server));
        CHECK_OK(ist_pipe_accept(ends.server, pipe_bound_ns()));
        CHECK_OK(ist_pipe_read(ends.server, text, sizeof text, pipe_bound_ns(), &got));
        assert_int_equal(got, 1);
        seen |= 1u << (text[0] - '0');
    }
    assert_int_equal(seen, (1u << CLIENTS) - 1);
    for (size_t i = 0; i < CLIENTS; i++) {
        PIPE_HEAR(clients[i], "IST_OK");
        PIPE_HEAR(clients[i], "IST_OK 1");
        PIPE_HEAR(clients[i], "IST_OK");
        peer_end(clients[i]);
    }
    pipe_part(&ends);
}

/* P3 */
TEST(a_client_that_waits_finds_nothing_when_the_last_instance_goes)
{
    static const char *const ways[] = {"close", "vanish", "kill"};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        char name[NAME_SIZE];
        char line[NAME_SIZE + 64];
        unique_name(name, "", "last");
        peer *server = pipe_start_server(name, "");
        peer *client = pipe_start_client(name);
        peer *next = pipe_start();
        (void)snprintf(line, sizeof line, "connect %s both forever", name);
        pipe_begin(next, line);
        if (i == 0)
            PEER_ASK(server, "ok", "close");
        else if (i == 1)
            peer_say(server, "vanish");
        else
            peer_kill(server);
        PIPE_HEAR(next, "IST_E_NOT_FOUND");
        if (i == 0)
            peer_end(server);
        else if (i == 1)
            assert_true(peer_ended_well(server));
        else
            peer_forget(server);
        peer_end(next);
        peer_end(client);
    }
}

/* P3: one of two is not the last */
TEST(a_client_that_waits_goes_on_while_there_is_an_instance)
{
    char name[NAME_SIZE];
    char line[NAME_SIZE + 64];
    unique_name(name, "", "last");
    peer *first = pipe_start_server(name, "");
    peer *second = pipe_start_server(name, "");
    peer *clients = pipe_start_client(name);
    PEER_ASK(clients, "ok", "slot 1");
    PEER_ASK(clients, "IST_OK", "connect %s both 0", name);
    peer *next = pipe_start();
    (void)snprintf(line, sizeof line, "connect %s both forever", name);
    pipe_begin(next, line);
    peer_kill(first);
    pipe_pause();
    PEER_ASK(second, "IST_OK", "disconnect");
    PEER_ASK(second, "IST_OK", "accept 10000");
    PIPE_HEAR(next, "IST_OK");
    peer_forget(first);
    peer_end(next);
    peer_end(clients);
    peer_end(second);
}

/* ---- the direction ---- */

static const struct {
    ist_pipe_direction direction;
    ist_access right;
    ist_access wrong[2];
} directions[] = {
    {IST_PIPE_INBOUND, IST_WRITE, {IST_READ, IST_READ | IST_WRITE}},
    {IST_PIPE_OUTBOUND, IST_READ, {IST_WRITE, IST_READ | IST_WRITE}},
};

static ist_pipe *serve_direction(char name[NAME_SIZE], ist_pipe_direction direction)
{
    ist_pipe *server = NULL;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.direction = direction;
    unique_name(name, "", "direction");
    CHECK_OK(ist_pipe_serve(&server, name, &options));
    return server;
}

/* P3 P1 */
TEST(a_client_of_the_wrong_direction_is_refused)
{
    for (size_t i = 0; i < COUNT_OF(directions); i++) {
        for (size_t k = 0; k < 4; k++) {
            char name[NAME_SIZE];
            ist_pipe *client = (ist_pipe *)&client;
            ist_pipe *server = serve_direction(name, directions[i].direction);
            CHECK_STATUS(IST_E_ACCESS,
                         ist_pipe_connect(&client, name, directions[i].wrong[k % 2], k < 2 ? 0 : pipe_bound_ns()));
            assert_null(client);
            ist_pipe_close(server);
        }
    }
}

/* P3 P1 */
TEST(a_client_of_the_wrong_direction_uses_no_instance_up)
{
    if (host_emulator() != NULL)
        SKIP(a_client_of_the_wrong_direction_uses_no_instance_up, "Wine lets a client of the wrong direction in");
    for (size_t i = 0; i < COUNT_OF(directions); i++) {
        char name[NAME_SIZE];
        ist_pipe *client = NULL;
        ist_pipe *server = serve_direction(name, directions[i].direction);
        for (size_t k = 0; k < 4; k++) {
            CHECK_STATUS(IST_E_ACCESS, ist_pipe_connect(&client, name, directions[i].wrong[k % 2], pipe_bound_ns()));
            CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
        }
        CHECK_OK(ist_pipe_connect(&client, name, directions[i].right, 0));
        CHECK_OK(ist_pipe_accept(server, 0));
        ist_pipe_close(client);
        ist_pipe_close(server);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_client_gets_the_instance_that_was_made_first_in_whichever_process),
        RUN(an_accept_that_times_out_does_not_lose_the_place),
        RUN(an_instance_that_was_disconnected_listens_from_the_next_accept_on),
        RUN(instances_of_one_process_are_taken_in_their_order),
        RUN(a_server_that_was_killed_is_not_waited_for),
        RUN(a_server_that_is_stopped_gets_its_client_all_the_same),
        RUN(a_client_times_out_while_all_instances_are_busy),
        RUN(a_client_that_waits_gets_the_instance_that_listens_again),
        RUN(a_client_that_waits_gets_an_instance_that_is_made),
        RUN(clients_that_wait_are_all_served_in_the_end),
        RUN(a_client_that_waits_finds_nothing_when_the_last_instance_goes),
        RUN(a_client_that_waits_goes_on_while_there_is_an_instance),
        RUN(a_client_of_the_wrong_direction_is_refused),
        RUN(a_client_of_the_wrong_direction_uses_no_instance_up),
    };
    return cmocka_run_group_tests_name("pipe_order", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
