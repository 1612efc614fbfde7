/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What pipes tell, and that they and mailslots take part in waits.
 */
#include "support/check.h"

#include <isthmus/win32.h>

#include "fake/fake.h"

static int setup(void **state)
{
    (void)state;
    fake_reset();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_ledger end = fake_ledger_now();
    fake_reset();
    return end.memory + end.pipes + end.mailslots + end.objects + end.errors == 0 ? 0 : -1;
}

static ist_pipe *serve(void)
{
    ist_pipe *pipe = NULL;
    CHECK_OK(ist_pipe_serve(&pipe, "x", NULL));
    fake_fail(0, IST_OK);
    return pipe;
}

/* ---- answers ---- */

typedef struct answer {
    const char *name;
    uint32_t size;
    ist_status (*ask)(ist_pipe *pipe, void *out);
} answer;

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

static const answer answers[] = {
    {"info", (uint32_t)sizeof(ist_pipe_facts), ask_info},
    {"peer", (uint32_t)sizeof(ist_pipe_peer_facts), ask_peer},
    {"peek", (uint32_t)sizeof(ist_pipe_peeked), ask_peek},
};

/* Room for every answer, and more than a caller knows. */
typedef union told {
    uint32_t struct_size;
    ist_pipe_facts facts;
    ist_pipe_peer_facts peer;
    ist_pipe_peeked peeked;
    unsigned char bytes[sizeof(ist_pipe_peer_facts) + 16];
} told;

static told asked(uint32_t size)
{
    told out;
    memset(&out, 0xA5, sizeof out);
    out.struct_size = size;
    return out;
}

TEST(an_answer_writes_no_more_than_the_caller_knows)
{
    ist_pipe *pipe = serve();
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        for (uint32_t size = 4; size <= sizeof(told); size++) {
            told out = asked(size);
            CHECK_ROW(answers[i].name, IST_OK, answers[i].ask(pipe, &out));
            assert_int_equal(out.struct_size, size);
            for (size_t at = size < answers[i].size ? size : answers[i].size; at < sizeof out; at++)
                assert_int_equal(out.bytes[at], 0xA5);
        }
    }
    ist_pipe_close(pipe);
}

TEST(a_wrong_question_asks_nothing)
{
    ist_pipe *pipe = serve();
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        told out = asked(answers[i].size);
        CHECK_ROW(answers[i].name, IST_E_ARG, answers[i].ask(NULL, &out));
        CHECK_ROW(answers[i].name, IST_E_ARG, answers[i].ask(pipe, NULL));
        for (uint32_t size = 0; size < 4; size++) {
            out = asked(size);
            CHECK_ROW(answers[i].name, IST_E_ARG, answers[i].ask(pipe, &out));
        }
    }
    told out = asked(answers[2].size);
    CHECK_STATUS(IST_E_ARG, ist_pipe_peek(pipe, NULL, 1, &out.peeked));
    assert_int_equal(out.bytes[4], 0xA5);
    assert_int_equal(fake_calls(), 0);
    ist_pipe_close(pipe);
}

TEST(the_facts_of_an_end_are_the_cores_and_the_backends)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    ist_pipe *ends[2] = {NULL, NULL};
    options.type = IST_PIPE_MESSAGE;
    options.direction = IST_PIPE_OUTBOUND;
    CHECK_OK(ist_pipe_pair(&ends[0], &ends[1], &options));
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_OK(ist_pipe_info(ends[i], &facts));
        assert_int_equal(facts.type, IST_PIPE_MESSAGE);
        assert_int_equal(facts.direction, IST_PIPE_OUTBOUND);
        assert_int_equal(facts.server, 1 - i);
        assert_int_equal(facts.connected, 1);
        assert_int_equal(facts.instances_max, FAKE_TOLD);
        assert_int_equal(facts.instances, FAKE_TOLD);
        assert_int_equal(facts.inbound_bytes, FAKE_TOLD);
        assert_int_equal(facts.outbound_bytes, FAKE_TOLD);
        ist_pipe_close(ends[i]);
    }
}

TEST(a_peek_hands_on_its_buffer_and_brings_back_what_is_there)
{
    char bytes[8];
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    ist_pipe *pipe = serve();
    CHECK_OK(ist_pipe_peek(pipe, bytes, sizeof bytes, &peeked));
    assert_ptr_equal(fake_last.buffer, bytes);
    assert_int_equal(fake_last.buffer_size, sizeof bytes);
    assert_int_equal(peeked.copied_bytes, FAKE_TOLD);
    assert_int_equal(peeked.available_bytes, FAKE_TOLD);
    assert_int_equal(peeked.message_bytes, FAKE_TOLD);
    ist_pipe_close(pipe);
}

/* P12: the process is told also where the user is not. */
TEST(a_peer_whose_user_may_not_be_asked_for_is_told_all_the_same)
{
    ist_pipe *pipe = serve();
    told out = asked((uint32_t)sizeof(ist_pipe_peer_facts));
    fake_fail(1, IST_E_ACCESS);
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_peer(pipe, &out.peer));
    assert_true(out.peer.process_id == FAKE_PROCESS);
    out = asked((uint32_t)sizeof(ist_pipe_peer_facts));
    fake_fail(1, IST_E_BROKEN);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_peer(pipe, &out.peer));
    assert_int_equal(out.bytes[4], 0xA5);
    fake_fail(0, IST_OK);
    CHECK_OK(ist_pipe_peer(pipe, &out.peer));
    assert_int_equal(out.peer.same_user, 1);
    assert_string_equal(out.peer.user, "somebody");
    ist_pipe_close(pipe);
}

TEST(a_cancel_and_the_native_handle_are_the_backends)
{
    intptr_t native = 0;
    ist_pipe *pipe = serve();
    CHECK_OK(ist_pipe_cancel(pipe));
    assert_ptr_equal(fake_last.pipe, fake_newest_pipe());
    assert_int_equal(fake_last.cancels, 1);
    CHECK_OK(ist_pipe_native(pipe, &native));
    assert_int_equal(native, FAKE_TOLD);
    CHECK_STATUS(IST_E_ARG, ist_pipe_cancel(NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_native(pipe, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_native(NULL, &native));
    assert_int_equal(native, -1);
    ist_pipe_close(pipe);
}

TEST(no_pipe_is_no_waitable_and_its_close_does_nothing)
{
    assert_null(ist_pipe_waitable(NULL));
    ist_pipe_close(NULL);
    CHECK_STATUS(IST_E_ARG, ist_pipe_accept(NULL, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_disconnect(NULL));
    assert_int_equal(fake_calls(), 0);
}

/* ---- waits ---- */

typedef struct scene {
    ist_event *event;
    ist_pipe *pipe;
    ist_mailslot *slot;
    const ist_waitable *items[3];
} scene;

static void enter(scene *at)
{
    at->pipe = serve();
    CHECK_OK(ist_event_create(&at->event, NULL, NULL));
    CHECK_OK(ist_mailslot_create(&at->slot, "x", NULL));
    at->items[0] = ist_event_waitable(at->event);
    at->items[1] = ist_pipe_waitable(at->pipe);
    at->items[2] = ist_mailslot_waitable(at->slot);
    fake_fail(0, IST_OK);
}

static void leave(scene *at)
{
    ist_mailslot_close(at->slot);
    ist_event_close(at->event);
    ist_pipe_close(at->pipe);
}

TEST(a_wait_for_any_takes_channels_along)
{
    scene at;
    size_t index = 9;
    enter(&at);
    fake_pretend_wait(IST_OK, 2);
    CHECK_OK(ist_wait_any(at.items, 3, 5, &index));
    assert_int_equal(index, 2);
    assert_ptr_equal(fake_last.items[1], plat_pipe_waitable(fake_newest_pipe()));
    assert_ptr_equal(fake_last.items[2], plat_mailslot_waitable(fake_newest_mailslot()));
    CHECK_OK(ist_wait(at.items[1], 5));
    assert_ptr_equal(fake_last.items[0], plat_pipe_waitable(fake_newest_pipe()));
    leave(&at);
}

TEST(a_wait_for_all_of_one_channel_is_a_wait_for_it)
{
    scene at;
    enter(&at);
    CHECK_OK(ist_wait_all(&at.items[1], 1, 5));
    CHECK_OK(ist_wait_all(&at.items[2], 1, 5));
    leave(&at);
}

TEST(a_wait_for_all_takes_no_channels_along)
{
    scene at;
    enter(&at);
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(at.items, 2, 0));
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(at.items + 1, 2, 0));
    CHECK_STATUS(IST_E_UNSUPPORTED, ist_wait_all(at.items, 3, IST_FOREVER));
    assert_int_equal(fake_calls(), 0);
    leave(&at);
}

/* N9: what is wrong with the arguments is told first. */
TEST(a_wrong_argument_is_told_before_a_channel_in_a_wait_for_all)
{
    scene at;
    enter(&at);
    const ist_waitable *twice[3] = {at.items[1], at.items[0], at.items[0]};
    const ist_waitable *none[2] = {at.items[1], NULL};
    CHECK_STATUS(IST_E_ARG, ist_wait_all(twice, 3, 0));
    CHECK_STATUS(IST_E_ARG, ist_wait_all(none, 2, 0));
    twice[1] = at.items[1];
    CHECK_STATUS(IST_E_ARG, ist_wait_all(twice, 2, 0));
    assert_int_equal(fake_calls(), 0);
    leave(&at);
}

TEST(a_channel_is_nothing_to_signal_but_something_to_wait_for)
{
    scene at;
    enter(&at);
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(at.items[1], at.items[0], 0));
    CHECK_STATUS(IST_E_ARG, ist_signal_and_wait(at.items[2], at.items[0], 0));
    assert_int_equal(fake_calls(), 0);
    CHECK_OK(ist_signal_and_wait(at.items[0], at.items[2], 0));
    assert_ptr_equal(fake_last.items[0], plat_mailslot_waitable(fake_newest_mailslot()));
    leave(&at);
}

#define RUN_OVER_FAKE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RUN_OVER_FAKE(an_answer_writes_no_more_than_the_caller_knows),
        RUN_OVER_FAKE(a_wrong_question_asks_nothing),
        RUN_OVER_FAKE(the_facts_of_an_end_are_the_cores_and_the_backends),
        RUN_OVER_FAKE(a_peek_hands_on_its_buffer_and_brings_back_what_is_there),
        RUN_OVER_FAKE(a_peer_whose_user_may_not_be_asked_for_is_told_all_the_same),
        RUN_OVER_FAKE(a_cancel_and_the_native_handle_are_the_backends),
        RUN_OVER_FAKE(no_pipe_is_no_waitable_and_its_close_does_nothing),
        RUN_OVER_FAKE(a_wait_for_any_takes_channels_along),
        RUN_OVER_FAKE(a_wait_for_all_of_one_channel_is_a_wait_for_it),
        RUN_OVER_FAKE(a_wait_for_all_takes_no_channels_along),
        RUN_OVER_FAKE(a_wrong_argument_is_told_before_a_channel_in_a_wait_for_all),
        RUN_OVER_FAKE(a_channel_is_nothing_to_signal_but_something_to_wait_for),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("channels", tests, NULL, NULL);
}
