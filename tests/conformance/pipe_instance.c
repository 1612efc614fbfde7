/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Instances of one pipe: how many, of which direction and type (P1), and who was first (P14).
 */
#include "support/host.h"
#include "support/pipe_peer.h"

static ist_status serve(ist_pipe **out, const char *name, uint32_t instances)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.instances = instances;
    return ist_pipe_serve(out, name, &options);
}

/* Over `flock` it is not (isthmus/pipe.h). */
static bool is_limit_kept(void)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    return traits.stop_exact != 0;
}

#define NEED_LIMIT(test)                                                                                               \
    do {                                                                                                               \
        if (!is_limit_kept())                                                                                          \
            SKIP(test, "the limit of instances is not kept here");                                                     \
    } while (0)

static void close_all(ist_pipe **pipes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ist_pipe_close(pipes[i]);
}

/* P1 */
TEST(one_instance_more_than_the_first_allowed_is_refused)
{
    static const uint32_t limits[] = {1, 2, 5, 40};
    NEED_LIMIT(one_instance_more_than_the_first_allowed_is_refused);
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        ist_pipe *pipes[41] = {NULL};
        char name[NAME_SIZE];
        unique_name(name, "", "limit");
        for (uint32_t n = 0; n < limits[i]; n++)
            CHECK_OK(serve(&pipes[n], name, limits[i]));
        ist_pipe *more = (ist_pipe *)&more;
        CHECK_STATUS(IST_E_LIMIT, serve(&more, name, limits[i]));
        assert_null(more);
        ist_pipe_close(pipes[0]);
        CHECK_OK(serve(&pipes[0], name, limits[i]));
        CHECK_STATUS(IST_E_LIMIT, serve(&more, name, limits[i]));
        close_all(pipes, limits[i]);
    }
}

/* P1: who is connected counts as well as who listens */
TEST(an_instance_with_a_client_counts)
{
    char name[NAME_SIZE];
    ist_pipe *pipes[3] = {NULL};
    NEED_LIMIT(an_instance_with_a_client_counts);
    unique_name(name, "", "limit");
    CHECK_OK(serve(&pipes[0], name, 2));
    peer *client = pipe_start_client(name);
    CHECK_OK(serve(&pipes[1], name, 2));
    CHECK_STATUS(IST_E_LIMIT, serve(&pipes[2], name, 2));
    CHECK_OK(ist_pipe_disconnect(pipes[0]));
    CHECK_STATUS(IST_E_LIMIT, serve(&pipes[2], name, 2));
    ist_pipe_close(pipes[0]);
    CHECK_OK(serve(&pipes[2], name, 2));
    ist_pipe_close(pipes[1]);
    ist_pipe_close(pipes[2]);
    peer_end(client);
}

/* P1 */
TEST(the_limit_holds_across_processes)
{
    char name[NAME_SIZE];
    ist_pipe *more = NULL;
    NEED_LIMIT(the_limit_holds_across_processes);
    unique_name(name, "", "limit");
    peer *first = pipe_start_server(name, "instances=3");
    peer *second = pipe_start_server(name, "instances=3");
    PEER_ASK(second, "ok", "slot 1");
    PEER_ASK(second, "IST_OK", "serve %s", name);
    CHECK_STATUS(IST_E_LIMIT, serve(&more, name, 3));
    PEER_ASK(first, "ok", "slot 1");
    PEER_ASK(first, "IST_E_LIMIT", "serve %s", name);
    peer_kill(second);
    CHECK_OK(serve(&more, name, 3));
    PEER_ASK(first, "IST_OK", "serve %s", name);
    PEER_ASK(first, "ok", "slot 2");
    PEER_ASK(first, "IST_E_LIMIT", "serve %s", name);
    ist_pipe_close(more);
    PEER_ASK(first, "IST_OK", "serve %s", name);
    peer_forget(second);
    peer_end(first);
    pipe_check_gone(name);
}

/* P1 */
TEST(the_first_instances_limit_counts_and_not_a_later_ones)
{
    char name[NAME_SIZE];
    ist_pipe *pipes[3] = {NULL};
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    NEED_LIMIT(the_first_instances_limit_counts_and_not_a_later_ones);
    if (host_emulator() != NULL)
        SKIP(the_first_instances_limit_counts_and_not_a_later_ones,
             "Wine takes the least limit that an instance asked for");
    unique_name(name, "", "limit");
    CHECK_OK(serve(&pipes[0], name, 3));
    CHECK_OK(serve(&pipes[1], name, 1));
    CHECK_OK(ist_pipe_info(pipes[1], &facts));
    assert_int_equal(facts.instances_max, 3);
    CHECK_OK(serve(&pipes[2], name, 0));
    ist_pipe *more = NULL;
    CHECK_STATUS(IST_E_LIMIT, serve(&more, name, 0));
    CHECK_STATUS(IST_E_LIMIT, serve(&more, name, IST_PIPE_INSTANCES_MAX));
    close_all(pipes, 3);
}

/* P1 */
TEST(any_number_of_instances_is_as_many_as_there_is_room_for)
{
    enum { MANY = 60 };
    char name[NAME_SIZE];
    ist_pipe *pipes[MANY];
    ist_pipe *clients[MANY];
    unique_name(name, "", "many");
    for (size_t i = 0; i < MANY; i++)
        CHECK_OK(serve(&pipes[i], name, 0));
    for (size_t i = 0; i < MANY; i++)
        CHECK_OK(ist_pipe_connect(&clients[i], name, IST_READ | IST_WRITE, 0));
    for (size_t i = 0; i < MANY; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        PIPE_PUT(clients[i], text);
    }
    for (size_t i = 0; i < MANY; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        CHECK_OK(ist_pipe_accept(pipes[i], 0));
        PIPE_GET(pipes[i], text);
    }
    close_all(clients, MANY);
    close_all(pipes, MANY);
    pipe_check_gone(name);
}

/* P1 */
TEST(an_instance_of_another_direction_is_refused)
{
    for (int first = 0; first < 3; first++) {
        for (int second = 0; second < 3; second++) {
            char name[NAME_SIZE];
            ist_pipe *pipes[2] = {NULL};
            ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
            unique_name(name, "", "direction");
            options.direction = (ist_pipe_direction)first;
            CHECK_OK(ist_pipe_serve(&pipes[0], name, &options));
            options.direction = (ist_pipe_direction)second;
            CHECK_STATUS(first == second ? IST_OK : IST_E_ACCESS, ist_pipe_serve(&pipes[1], name, &options));
            close_all(pipes, 2);
        }
    }
}

/* P1: across processes too, and the pipe is untouched */
TEST(an_instance_of_another_direction_disturbs_nothing)
{
    char name[NAME_SIZE];
    unique_name(name, "", "direction");
    peer *server = pipe_start_server(name, "inbound message");
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    ist_pipe *pipe = NULL;
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_serve(&pipe, name, &options));
    options.direction = IST_PIPE_OUTBOUND;
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_serve(&pipe, name, &options));
    CHECK_OK(ist_pipe_connect(&pipe, name, IST_WRITE, 0));
    PIPE_PUT(pipe, "in");
    PEER_ASK(server, "IST_OK 2 in", "read 10 10000");
    ist_pipe_close(pipe);
    peer_end(server);
    pipe_check_gone(name);
}

/* P1 */
TEST(the_first_instances_type_counts_and_not_a_later_ones)
{
    for (int type = 0; type < 2; type++) {
        char name[NAME_SIZE];
        ist_pipe *pipes[2] = {NULL};
        ist_pipe *client = NULL;
        ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
        ist_pipe_options options = pipe_options((ist_pipe_type)type);
        unique_name(name, "", "type");
        CHECK_OK(ist_pipe_serve(&pipes[0], name, &options));
        options.type = (ist_pipe_type)(1 - type);
        CHECK_OK(ist_pipe_serve(&pipes[1], name, &options));
        CHECK_OK(ist_pipe_info(pipes[1], &facts));
        assert_int_equal(facts.type, type);
        ist_pipe_close(pipes[0]);
        CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
        PIPE_PUT(client, "ab");
        PIPE_PUT(client, "cd");
        PIPE_GET(pipes[1], type == IST_PIPE_BYTE ? "abcd" : "ab");
        PIPE_PUT(pipes[1], "ef");
        PIPE_PUT(pipes[1], "gh");
        PIPE_GET(client, type == IST_PIPE_BYTE ? "efgh" : "ef");
        ist_pipe_close(client);
        ist_pipe_close(pipes[1]);
        /* Nobody holds it any more: what is asked next is what counts. */
        CHECK_OK(ist_pipe_serve(&pipes[0], name, &options));
        CHECK_OK(ist_pipe_info(pipes[0], &facts));
        assert_int_equal(facts.type, 1 - type);
        ist_pipe_close(pipes[0]);
    }
}

/* P14 */
TEST(an_instance_that_must_be_the_first_and_is_not_is_refused)
{
    char name[NAME_SIZE];
    ist_pipe *pipe = NULL;
    ist_pipe *second = (ist_pipe *)&second;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    if (host_emulator() != NULL)
        SKIP(an_instance_that_must_be_the_first_and_is_not_is_refused,
             "Wine does not look at FILE_FLAG_FIRST_PIPE_INSTANCE");
    unique_name(name, "", "first");
    options.flags = IST_PIPE_FIRST;
    CHECK_OK(ist_pipe_serve(&pipe, name, &options));
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_serve(&second, name, &options));
    assert_null(second);
    peer *other = pipe_start();
    PEER_ASK(other, "IST_E_ACCESS", "serve %s first", name);
    PEER_ASK(other, "IST_OK", "serve %s", name);
    ist_pipe_close(pipe);
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_serve(&pipe, name, &options));
    PEER_ASK(other, "ok", "close");
    CHECK_OK(ist_pipe_serve(&pipe, name, &options));
    PEER_ASK(other, "IST_E_ACCESS", "serve %s first", name);
    ist_pipe_close(pipe);
    peer_end(other);
}

/* P14 L1 */
TEST(who_must_be_the_first_comes_after_one_that_was_killed)
{
    char name[NAME_SIZE];
    ist_pipe *pipe = NULL;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    unique_name(name, "", "first");
    options.flags = IST_PIPE_FIRST;
    peer *other = pipe_start_server(name, "first");
    peer_kill(other);
    CHECK_OK(ist_pipe_serve(&pipe, name, &options));
    ist_pipe_close(pipe);
    peer_forget(other);
}

/* P14 N8 */
TEST(of_many_that_must_be_the_first_exactly_one_is)
{
    enum { CROWD = 16 };
    peer *crowd[CROWD];
    size_t count = crowd_size(CROWD);
    if (host_emulator() != NULL)
        SKIP(of_many_that_must_be_the_first_exactly_one_is, "Wine does not look at FILE_FLAG_FIRST_PIPE_INSTANCE");
    for (size_t i = 0; i < count; i++)
        crowd[i] = pipe_start();
    for (int round = 0; round < 10; round++) {
        char name[NAME_SIZE];
        size_t first = 0;
        unique_name(name, "", "first");
        for (size_t i = 0; i < count; i++)
            peer_say(crowd[i], "serve %s first", name);
        for (size_t i = 0; i < count; i++) {
            char answer[PEER_LINE_SIZE];
            peer_hear(crowd[i], answer);
            first += strcmp(answer, "IST_OK") == 0;
            if (strcmp(answer, "IST_OK") != 0)
                assert_string_equal(answer, "IST_E_ACCESS");
        }
        assert_int_equal(first, 1);
        for (size_t i = 0; i < count; i++)
            PEER_ASK(crowd[i], "ok", "close");
        pipe_check_gone(name);
    }
    for (size_t i = 0; i < count; i++)
        peer_end(crowd[i]);
}

/* P1 N8: as many as the limit, whoever they are */
TEST(of_many_that_serve_at_once_as_many_as_the_limit_do)
{
    enum { CROWD = 16, LIMIT = 5 };
    peer *crowd[CROWD];
    size_t count = crowd_size(CROWD);
    size_t limit = count < LIMIT ? count : LIMIT;
    NEED_LIMIT(of_many_that_serve_at_once_as_many_as_the_limit_do);
    for (size_t i = 0; i < count; i++)
        crowd[i] = pipe_start();
    for (int round = 0; round < 10; round++) {
        char name[NAME_SIZE];
        size_t served = 0;
        unique_name(name, "", "crowd");
        for (size_t i = 0; i < count; i++)
            peer_say(crowd[i], "serve %s instances=%d", name, LIMIT);
        for (size_t i = 0; i < count; i++) {
            char answer[PEER_LINE_SIZE];
            peer_hear(crowd[i], answer);
            served += strcmp(answer, "IST_OK") == 0;
            if (strcmp(answer, "IST_OK") != 0)
                assert_string_equal(answer, "IST_E_LIMIT");
        }
        assert_int_equal(served, limit);
        for (size_t i = 0; i < count; i++)
            PEER_ASK(crowd[i], "ok", "close");
        pipe_check_gone(name);
    }
    for (size_t i = 0; i < count; i++)
        peer_end(crowd[i]);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(one_instance_more_than_the_first_allowed_is_refused),
        RUN(an_instance_with_a_client_counts),
        RUN(the_limit_holds_across_processes),
        RUN(the_first_instances_limit_counts_and_not_a_later_ones),
        RUN(any_number_of_instances_is_as_many_as_there_is_room_for),
        RUN(an_instance_of_another_direction_is_refused),
        RUN(an_instance_of_another_direction_disturbs_nothing),
        RUN(the_first_instances_type_counts_and_not_a_later_ones),
        RUN(an_instance_that_must_be_the_first_and_is_not_is_refused),
        RUN(who_must_be_the_first_comes_after_one_that_was_killed),
        RUN(of_many_that_must_be_the_first_exactly_one_is),
        RUN(of_many_that_serve_at_once_as_many_as_the_limit_do),
    };
    return cmocka_run_group_tests_name("pipe_instance", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
