/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Questions and answers: P10, and ist_pipe_call().
 */
#include "support/clock.h"
#include "support/pipe_peer.h"

static ist_status ask(ist_pipe *pipe, const char *question, char *answer, size_t size, size_t *got)
{
    return ist_pipe_transact(pipe, question, strlen(question), answer, size, pipe_bound_ns(), got);
}

/* P10 */
TEST(a_question_gets_its_answer)
{
    pipe_ends ends;
    char answer[64];
    size_t got = 9;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    for (int i = 0; i < 20; i++) {
        peer_say(client, "echo 1");
        CHECK_OK(ask(ends.server, "question", answer, sizeof answer, &got));
        assert_int_equal(got, 8);
        assert_memory_equal(answer, "question", 8);
        PIPE_HEAR(client, "IST_OK");
    }
    peer_say(client, "transact ask 10 forever");
    PIPE_GET(ends.server, "ask");
    PIPE_PUT(ends.server, "told");
    PIPE_HEAR(client, "IST_OK 4 told");
    peer_end(client);
    pipe_part(&ends);
}

/* P10 P5 */
TEST(questions_and_answers_may_be_empty)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    peer_say(client, "transact - 10 forever");
    PIPE_GET(ends.server, "");
    PIPE_PUT(ends.server, "");
    PIPE_HEAR(client, "IST_OK 0 -");
    PEER_ASK(client, "IST_TIMEOUT 0 -", "read 10 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P10 P5 */
TEST(an_answer_that_is_too_large_is_read_in_parts)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    peer_say(client, "transact q 3 forever");
    PIPE_GET(ends.server, "q");
    PIPE_PUT(ends.server, "abcdefgh");
    PIPE_HEAR(client, "IST_MORE 3 abc");
    /* What is left of it is unread. */
    PEER_ASK(client, "IST_E_LIMIT 0 -", "transact again 10 forever");
    PEER_ASK(client, "IST_OK 5 defgh", "read 10 0");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    peer_end(client);
    pipe_part(&ends);
}

/* P10 */
TEST(with_something_unread_nothing_is_sent)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "before");
    PEER_ASK(client, "IST_E_LIMIT 0 -", "transact q 10 forever");
    PEER_ASK(client, "IST_E_LIMIT 0 -", "transact q 10 0");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PEER_ASK(client, "IST_OK 6 before", "read 10 0");
    peer_say(client, "transact q 10 forever");
    PIPE_GET(ends.server, "q");
    PIPE_PUT(ends.server, "a");
    PIPE_HEAR(client, "IST_OK 1 a");
    peer_end(client);
    pipe_part(&ends);
}

/* P10: a message of nothing is something unread */
TEST(with_an_empty_message_unread_nothing_is_sent)
{
    pipe_ends ends;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "");
    PEER_ASK(client, "IST_E_LIMIT 0 -", "transact q 10 0");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    PEER_ASK(client, "IST_OK 0 -", "read 10 0");
    peer_end(client);
    pipe_part(&ends);
}

/* P10 */
TEST(a_question_that_times_out_has_been_sent)
{
    pipe_ends ends;
    char answer[8];
    size_t got = 9;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    int64_t start = clock_steady_ns();
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_transact(ends.server, "q", 1, answer, sizeof answer, 20 * CLOCK_MS, &got));
    assert_true(clock_steady_ns() - start >= 20 * CLOCK_MS);
    assert_int_equal(got, 0);
    PEER_ASK(client, "IST_OK 1 q", "read 10 10000");
    peer_end(client);
    pipe_part(&ends);
}

/* P10 P13: a question larger than the buffer waits for its reader */
TEST(a_large_question_and_a_large_answer_go)
{
    enum { LARGE = 60000 };
    pipe_ends ends;
    size_t got = 0;
    unsigned char *bytes = pipe_memory(LARGE);
    unsigned char *answer = pipe_memory(LARGE);
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    pipe_fill(bytes, LARGE, 4);
    peer_say(client, "echo 1");
    CHECK_OK(ist_pipe_transact(ends.server, bytes, LARGE, answer, LARGE, pipe_bound_ns(), &got));
    assert_int_equal(got, LARGE);
    assert_true(pipe_is_filled(answer, LARGE, 4, 0));
    PIPE_HEAR(client, "IST_OK");
    free(answer);
    free(bytes);
    peer_end(client);
    pipe_part(&ends);
}

/* P10 P7 */
TEST(a_question_to_somebody_who_goes_is_broken)
{
    pipe_ends ends;
    char answer[8];
    size_t got = 9;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    peer_say(client, "later vanish");
    CHECK_STATUS(IST_E_BROKEN, ask(ends.server, "q", answer, sizeof answer, &got));
    assert_int_equal(got, 0);
    assert_true(peer_ended_well(client));
    CHECK_STATUS(IST_E_BROKEN, ask(ends.server, "q", answer, sizeof answer, &got));
    pipe_part(&ends);
}

/* P10 */
TEST(only_a_duplex_message_pipe_can_be_asked)
{
    for (int type = 0; type < 2; type++) {
        for (int direction = 0; direction < 3; direction++) {
            pipe_ends ends;
            char answer[8];
            size_t got = 9;
            ist_pipe_options options = pipe_options((ist_pipe_type)type);
            if (type == IST_PIPE_MESSAGE && direction == IST_PIPE_DUPLEX)
                continue;
            options.direction = (ist_pipe_direction)direction;
            pipe_join(&ends, &options);
            CHECK_STATUS(IST_E_ARG, ask(ends.server, "q", answer, sizeof answer, &got));
            CHECK_STATUS(IST_E_ARG, ask(ends.client, "q", answer, sizeof answer, &got));
            assert_int_equal(got, 0);
            pipe_part(&ends);
        }
    }
}

/* ---- calls ---- */

/* P10 */
TEST(a_call_connects_asks_and_closes)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    peer *client = pipe_start();
    for (int i = 0; i < 10; i++) {
        peer_say(client, "call %s question 100 forever", name);
        CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
        PIPE_GET(server, "question");
        PIPE_PUT(server, "answer");
        PIPE_HEAR(client, "IST_OK 6 answer");
        PIPE_GET_NOTHING(server, IST_E_BROKEN);
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    }
    peer_end(client);
    ist_pipe_close(server);
}

/* P10 P5 */
TEST(the_rest_of_an_answer_to_a_call_is_lost)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    peer *client = pipe_start();
    peer_say(client, "call %s q 3 forever", name);
    CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
    PIPE_GET(server, "q");
    PIPE_PUT(server, "abcdef");
    PIPE_HEAR(client, "IST_MORE 3 abc");
    peer_end(client);
    ist_pipe_close(server);
}

/* P10 P11 P3 */
TEST(a_call_times_out_with_nobody_to_answer_and_with_nobody_to_connect_to)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    peer *client = pipe_start();
    PEER_ASK(client, "IST_TIMEOUT 0 -", "call %s q 10 20", name);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_accept(server, pipe_bound_ns()));
    PIPE_GET(server, "q");
    PEER_ASK(client, "IST_TIMEOUT 0 -", "call %s q 10 20", name);
    PEER_ASK(client, "IST_TIMEOUT 0 -", "call %s q 10 0", name);
    ist_pipe_close(server);
    PEER_ASK(client, "IST_E_NOT_FOUND 0 -", "call %s q 10 forever", name);
    peer_end(client);
}

/* P10: a call is for messages both ways */
TEST(a_call_of_another_sort_of_pipe_is_refused)
{
    for (int type = 0; type < 2; type++) {
        for (int direction = 0; direction < 3; direction++) {
            char name[NAME_SIZE];
            char answer[8];
            size_t got = 9;
            ist_pipe *server = NULL;
            ist_pipe_options options = pipe_options((ist_pipe_type)type);
            if (type == IST_PIPE_MESSAGE && direction == IST_PIPE_DUPLEX)
                continue;
            options.direction = (ist_pipe_direction)direction;
            unique_name(name, "", "call");
            CHECK_OK(ist_pipe_serve(&server, name, &options));
            CHECK_STATUS(direction == IST_PIPE_DUPLEX ? IST_E_ARG : IST_E_ACCESS,
                         ist_pipe_call(name, IST_TRUST_OWNER, "q", 1, answer, sizeof answer, pipe_bound_ns(), &got));
            assert_int_equal(got, 0);
            ist_pipe_close(server);
        }
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_question_gets_its_answer),
        RUN(questions_and_answers_may_be_empty),
        RUN(an_answer_that_is_too_large_is_read_in_parts),
        RUN(with_something_unread_nothing_is_sent),
        RUN(with_an_empty_message_unread_nothing_is_sent),
        RUN(a_question_that_times_out_has_been_sent),
        RUN(a_large_question_and_a_large_answer_go),
        RUN(a_question_to_somebody_who_goes_is_broken),
        RUN(only_a_duplex_message_pipe_can_be_asked),
        RUN(a_call_connects_asks_and_closes),
        RUN(the_rest_of_an_answer_to_a_call_is_lost),
        RUN(a_call_times_out_with_nobody_to_answer_and_with_nobody_to_connect_to),
        RUN(a_call_of_another_sort_of_pipe_is_refused),
    };
    return cmocka_run_group_tests_name("pipe_transact", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
