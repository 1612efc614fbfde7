/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the questions of pipes answer and write, and what the error detail says.
 */
#include "support/pipe_peer.h"

#define ROOM 512

typedef ist_status question(ist_pipe *pipe, void *out);

static ist_status ask_info(ist_pipe *pipe, void *out)
{
    return ist_pipe_info(pipe, out);
}

static ist_status ask_peer(ist_pipe *pipe, void *out)
{
    return ist_pipe_peer(pipe, out);
}

static ist_status ask_peek(ist_pipe *pipe, void *out)
{
    return ist_pipe_peek(pipe, NULL, 0, out);
}

static const struct {
    question *ask;
    uint32_t size;
} questions[] = {
    {ask_info, (uint32_t)sizeof(ist_pipe_facts)},
    {ask_peer, (uint32_t)sizeof(ist_pipe_peer_facts)},
    {ask_peek, (uint32_t)sizeof(ist_pipe_peeked)},
};

typedef union answer_room {
    uint64_t aligned;
    uint32_t struct_size;
    unsigned char bytes[ROOM];
} answer_room;

TEST(a_question_without_room_for_its_size_is_refused)
{
    pipe_ends ends;
    pipe_join(&ends, NULL);
    for (size_t k = 0; k < COUNT_OF(questions); k++) {
        for (uint32_t size = 0; size < sizeof(uint32_t); size++) {
            answer_room room;
            memset(&room, 0x5A, sizeof room);
            room.struct_size = size;
            CHECK_STATUS(IST_E_ARG, questions[k].ask(ends.server, &room));
            for (size_t i = sizeof size; i < sizeof room; i++)
                assert_int_equal(room.bytes[i], 0x5A);
        }
    }
    pipe_part(&ends);
}

TEST(a_question_writes_no_more_than_the_caller_knows_of)
{
    pipe_ends ends;
    pipe_join(&ends, NULL);
    PIPE_PUT(ends.client, "x"); /* who it is from may be told after the first read only */
    PIPE_GET(ends.server, "x");
    for (size_t k = 0; k < COUNT_OF(questions); k++) {
        for (uint32_t size = sizeof(uint32_t); size <= ROOM; size++) {
            answer_room room;
            memset(&room, 0x5A, sizeof room);
            room.struct_size = size;
            CHECK_OK(questions[k].ask(ends.server, &room));
            assert_int_equal(room.struct_size, size);
            for (size_t i = size; i < sizeof room; i++)
                assert_int_equal(room.bytes[i], 0x5A);
            for (size_t i = questions[k].size; i < sizeof room; i++)
                assert_int_equal(room.bytes[i], 0x5A);
        }
    }
    pipe_part(&ends);
}

/* P1 */
TEST(both_sides_are_told_what_the_pipe_is)
{
    for (int type = 0; type < 2; type++) {
        for (int direction = 0; direction < 3; direction++) {
            pipe_ends ends;
            ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
            ist_pipe_options options = pipe_options((ist_pipe_type)type);
            options.direction = (ist_pipe_direction)direction;
            options.instances = 3;
            pipe_join(&ends, &options);
            CHECK_OK(ist_pipe_info(ends.server, &facts));
            assert_int_equal(facts.type, type);
            assert_int_equal(facts.direction, direction);
            assert_int_equal(facts.server, 1);
            assert_int_equal(facts.connected, 1);
            assert_int_equal(facts.instances_max, 3);
            assert_true(facts.instances == 0 || facts.instances == 1);
            CHECK_OK(ist_pipe_info(ends.client, &facts));
            assert_int_equal(facts.type, type);
            assert_int_equal(facts.direction, direction);
            assert_int_equal(facts.server, 0);
            assert_int_equal(facts.connected, 1);
            pipe_part(&ends);
        }
    }
}

static uint32_t is_connected(ist_pipe *pipe)
{
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    CHECK_OK(ist_pipe_info(pipe, &facts));
    return facts.connected;
}

/* P4 P7 P8 */
TEST(an_instance_tells_whether_somebody_is_there_or_has_left_something)
{
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    pipe_ends ends;
    pipe_join(&ends, &options);
    assert_int_equal(is_connected(ends.server), 1);
    PIPE_PUT(ends.client, "left");
    ist_pipe_close(ends.client);
    ends.client = NULL;
    assert_int_equal(is_connected(ends.server), 1);
    PIPE_GET(ends.server, "left");
    assert_int_equal(is_connected(ends.server), 0);
    CHECK_OK(ist_pipe_disconnect(ends.server));
    assert_int_equal(is_connected(ends.server), 0);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(ends.server, 0));
    assert_int_equal(is_connected(ends.server), 0);
    pipe_part(&ends);
}

TEST(each_refusal_names_the_call_that_refused)
{
    pipe_ends ends;
    ist_detail detail;
    char bytes[4];
    size_t got = 9;
    pipe_join(&ends, NULL);
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(ends.server, bytes, 0, 0, &got));
    ist_error_detail(&detail);
    assert_int_equal(detail.space, IST_CODES_NONE);
    assert_true(strlen(detail.call) > 0);
    ist_pipe_close(ends.client);
    ends.client = NULL;
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_read(ends.server, bytes, 4, pipe_bound_ns(), &got));
    ist_error_detail(&detail);
    assert_true(strlen(detail.call) > 0);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(ends.server, bytes, 4, pipe_bound_ns(), &got));
    ist_error_detail(&detail);
    assert_true(strlen(detail.call) > 0);
    pipe_part(&ends);
}

TEST(a_timeout_leaves_the_detail_as_it_is)
{
    pipe_ends ends;
    ist_detail detail;
    pipe_join(&ends, NULL);
    CHECK_STATUS(IST_E_ARG, ist_pipe_cancel(NULL));
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    ist_error_detail(&detail);
    assert_int_equal(detail.status, IST_E_ARG);
    pipe_part(&ends);
}

/* Event loops have something to watch. */
TEST(an_end_has_something_to_watch)
{
    pipe_ends ends;
    intptr_t native = -1;
    pipe_join(&ends, NULL);
    CHECK_OK(ist_pipe_native(ends.server, &native));
    assert_true(native != -1);
    CHECK_OK(ist_pipe_native(ends.client, &native));
    assert_true(native != -1);
    PIPE_GET_NOTHING(ends.client, IST_TIMEOUT);
    PIPE_PUT(ends.server, "x");
    PIPE_GET(ends.client, "x");
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_question_without_room_for_its_size_is_refused),
        RUN(a_question_writes_no_more_than_the_caller_knows_of),
        RUN(both_sides_are_told_what_the_pipe_is),
        RUN(an_instance_tells_whether_somebody_is_there_or_has_left_something),
        RUN(each_refusal_names_the_call_that_refused),
        RUN(a_timeout_leaves_the_detail_as_it_is),
        RUN(an_end_has_something_to_watch),
    };
    return cmocka_run_group_tests_name("pipe_answer", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
