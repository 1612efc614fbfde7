/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the core asks a backend to do with an end of a pipe: who may, with what, for how long; and how answers come
 * back.
 */
#include "support/check.h"

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
    return end.memory + end.pipes + end.errors == 0 ? 0 : -1;
}

static const int64_t timeouts[] = {0, 1, INT64_MAX, IST_FOREVER};

static ist_pipe *serve(ist_pipe_type type, ist_pipe_direction direction)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    ist_pipe *pipe = NULL;
    options.type = type;
    options.direction = direction;
    CHECK_OK(ist_pipe_serve(&pipe, "x", &options));
    fake_fail(0, IST_OK);
    return pipe;
}

static ist_pipe *connect_to(ist_pipe_type type, ist_pipe_direction direction, ist_access access)
{
    ist_pipe *pipe = NULL;
    fake_pretend_sort(type, direction);
    CHECK_OK(ist_pipe_connect(&pipe, "x", access, 0));
    fake_fail(0, IST_OK);
    return pipe;
}

/* ---- who may ---- */

/* The teardown finds what came through to the backend and should not have. */
static void check_rights(ist_pipe *pipe, bool may_read, bool may_write)
{
    char byte = 0;
    size_t got = 7;
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    CHECK_STATUS(may_read ? IST_OK : IST_E_ACCESS, ist_pipe_read(pipe, &byte, 1, 0, &got));
    assert_int_equal(got, 0);
    CHECK_STATUS(may_read ? IST_OK : IST_E_ACCESS, ist_pipe_peek(pipe, NULL, 0, &peeked));
    CHECK_STATUS(may_write ? IST_OK : IST_E_ACCESS, ist_pipe_write(pipe, &byte, 1, 0, NULL));
    CHECK_STATUS(may_write ? IST_OK : IST_E_ACCESS, ist_pipe_write(pipe, NULL, 0, 0, &got));
    assert_int_equal(got, 0);
    CHECK_STATUS(may_write ? IST_OK : IST_E_ACCESS, ist_pipe_flush(pipe, 0));
    ist_pipe_close(pipe);
}

TEST(an_end_reads_and_writes_as_its_direction_and_access_allow)
{
    ist_pipe *ends[2] = {NULL, NULL};
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    check_rights(serve(IST_PIPE_BYTE, IST_PIPE_DUPLEX), true, true);
    check_rights(serve(IST_PIPE_BYTE, IST_PIPE_INBOUND), true, false);
    check_rights(serve(IST_PIPE_MESSAGE, IST_PIPE_OUTBOUND), false, true);
    check_rights(connect_to(IST_PIPE_BYTE, IST_PIPE_DUPLEX, IST_READ), true, false);
    check_rights(connect_to(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX, IST_WRITE), false, true);
    check_rights(connect_to(IST_PIPE_BYTE, IST_PIPE_DUPLEX, IST_READ | IST_WRITE), true, true);
    options.direction = IST_PIPE_INBOUND;
    CHECK_OK(ist_pipe_pair(&ends[0], &ends[1], &options));
    check_rights(ends[0], true, false);
    check_rights(ends[1], false, true);
}

TEST(only_an_instance_accepts_and_disconnects)
{
    ist_pipe *server = serve(IST_PIPE_BYTE, IST_PIPE_DUPLEX);
    plat_pipe *half = fake_newest_pipe();
    ist_pipe *client = connect_to(IST_PIPE_BYTE, IST_PIPE_DUPLEX, IST_READ);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        CHECK_OK(ist_pipe_accept(server, timeouts[i]));
        assert_ptr_equal(fake_last.pipe, half);
        assert_true(fake_last.timeout_ns == timeouts[i]);
    }
    CHECK_OK(ist_pipe_disconnect(server));
    fake_fail(0, IST_OK);
    CHECK_STATUS(IST_E_ARG, ist_pipe_accept(server, -2));
    CHECK_STATUS(IST_E_ARG, ist_pipe_accept(client, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_disconnect(client));
    assert_int_equal(fake_calls(), 0);
    ist_pipe_close(client);
    ist_pipe_close(server);
}

/* ---- data ---- */

TEST(reads_and_writes_hand_on_what_they_were_given)
{
    char bytes[8] = {0};
    size_t count = 0;
    ist_pipe *pipe = serve(IST_PIPE_BYTE, IST_PIPE_DUPLEX);
    fake_pretend_transfer(IST_OK, 5);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        CHECK_OK(ist_pipe_read(pipe, bytes, sizeof bytes, timeouts[i], &count));
        assert_ptr_equal(fake_last.pipe, fake_newest_pipe());
        assert_ptr_equal(fake_last.buffer, bytes);
        assert_int_equal(fake_last.buffer_size, sizeof bytes);
        assert_true(fake_last.timeout_ns == timeouts[i]);
        assert_int_equal(count, 5);
        CHECK_OK(ist_pipe_write(pipe, bytes + 1, 6, timeouts[i], &count));
        assert_ptr_equal(fake_last.data, bytes + 1);
        assert_int_equal(fake_last.data_size, 6);
        assert_true(fake_last.timeout_ns == timeouts[i]);
        assert_int_equal(count, 5);
        CHECK_OK(ist_pipe_write(pipe, bytes, 1, timeouts[i], NULL));
        CHECK_OK(ist_pipe_flush(pipe, timeouts[i]));
        assert_true(fake_last.timeout_ns == timeouts[i]);
    }
    ist_pipe_close(pipe);
}

TEST(news_of_a_transfer_come_back_with_their_count)
{
    static const ist_status news[] = {IST_OK, IST_MORE, IST_TIMEOUT, IST_CANCELLED};
    char bytes[8] = {0};
    for (size_t i = 0; i < COUNT_OF(news); i++) {
        size_t count = 9;
        ist_pipe *pipe = serve(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX);
        fake_pretend_transfer(news[i], i);
        CHECK_STATUS(news[i], ist_pipe_read(pipe, bytes, sizeof bytes, 0, &count));
        assert_int_equal(count, i);
        count = 9;
        CHECK_STATUS(news[i], ist_pipe_write(pipe, bytes, sizeof bytes, 0, &count));
        assert_int_equal(count, i);
        count = 9;
        CHECK_STATUS(news[i], ist_pipe_transact(pipe, bytes, 1, bytes, 1, 0, &count));
        assert_int_equal(count, i);
        CHECK_STATUS(news[i], ist_pipe_flush(pipe, 0));
        CHECK_STATUS(news[i], ist_pipe_accept(pipe, 0));
        ist_pipe_close(pipe);
    }
}

TEST(an_empty_write_is_a_message_or_nothing)
{
    size_t written = 9;
    ist_pipe *bytes = serve(IST_PIPE_BYTE, IST_PIPE_DUPLEX);
    CHECK_OK(ist_pipe_write(bytes, NULL, 0, IST_FOREVER, &written));
    assert_int_equal(written, 0);
    assert_int_equal(fake_calls(), 0);
    ist_pipe_close(bytes);
    ist_pipe *messages = serve(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX);
    CHECK_OK(ist_pipe_write(messages, NULL, 0, IST_FOREVER, NULL));
    assert_int_equal(fake_calls(), 1);
    assert_int_equal(fake_last.data_size, 0);
    ist_pipe_close(messages);
}

TEST(wrong_reads_writes_and_flushes_ask_nothing)
{
    char byte = 0;
    size_t count = 9;
    ist_pipe *pipe = serve(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX);
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(pipe, &byte, 1, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(pipe, NULL, 1, 0, &count));
    assert_int_equal(count, 0);
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(pipe, &byte, 0, 0, &count));
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(pipe, &byte, 1, -2, &count));
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(NULL, &byte, 1, 0, &count));
    count = 9;
    CHECK_STATUS(IST_E_ARG, ist_pipe_write(pipe, NULL, 1, 0, &count));
    assert_int_equal(count, 0);
    CHECK_STATUS(IST_E_ARG, ist_pipe_write(pipe, &byte, 1, INT64_MIN, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_write(NULL, &byte, 1, 0, NULL));
#if SIZE_MAX > UINT32_MAX
    CHECK_STATUS(IST_E_ARG, ist_pipe_write(pipe, &byte, (size_t)UINT32_MAX + 1, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(pipe, &byte, (size_t)UINT32_MAX + 1, &byte, 1, 0, &count));
#endif
    CHECK_STATUS(IST_E_ARG, ist_pipe_flush(pipe, -2));
    CHECK_STATUS(IST_E_ARG, ist_pipe_flush(NULL, 0));
    assert_int_equal(fake_calls(), 0);
    ist_pipe_close(pipe);
}

/* ---- questions and answers ---- */

TEST(a_transaction_hands_on_what_it_was_given)
{
    char request[4] = {0};
    char reply[8];
    size_t got = 0;
    ist_pipe *pipe = connect_to(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX, IST_READ | IST_WRITE);
    fake_pretend_transfer(IST_OK, 3);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        CHECK_OK(ist_pipe_transact(pipe, request, 4, reply, 8, timeouts[i], &got));
        assert_ptr_equal(fake_last.data, request);
        assert_int_equal(fake_last.data_size, 4);
        assert_ptr_equal(fake_last.buffer, reply);
        assert_int_equal(fake_last.buffer_size, 8);
        assert_true(fake_last.timeout_ns == timeouts[i]);
        assert_int_equal(got, 3);
    }
    CHECK_OK(ist_pipe_transact(pipe, NULL, 0, reply, 8, 0, &got));
    ist_pipe_close(pipe);
}

/* Of a transaction, and of a call with everything in one. */
static void check_wrong_exchange(ist_pipe *pipe, const void *request, size_t request_size, void *reply,
                                 size_t reply_size, int64_t timeout_ns)
{
    size_t got = 9;
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(pipe, request, request_size, reply, reply_size, timeout_ns, &got));
    assert_int_equal(got, 0);
    got = 9;
    CHECK_STATUS(IST_E_ARG, ist_pipe_call("", 0, request, request_size, reply, reply_size, timeout_ns, &got));
    assert_int_equal(got, 0);
}

TEST(a_wrong_transaction_or_call_asks_nothing)
{
    char byte = 0;
    size_t got = 9;
    ist_pipe *pipe = serve(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX);
    check_wrong_exchange(pipe, NULL, 1, &byte, 1, 0);
    check_wrong_exchange(pipe, &byte, 1, NULL, 1, 0);
    check_wrong_exchange(pipe, &byte, 1, &byte, 0, 0);
    check_wrong_exchange(pipe, &byte, 1, &byte, 1, -2);
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(pipe, &byte, 1, &byte, 1, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(NULL, &byte, 1, &byte, 1, 0, &got));
    CHECK_STATUS(IST_E_ARG, ist_pipe_call("x", 0, &byte, 1, &byte, 1, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_call("", 1, &byte, 1, &byte, 1, 0, &got));
    CHECK_STATUS(IST_E_ARG, ist_pipe_call(NULL, 0, &byte, 1, &byte, 1, 0, &got));
    CHECK_STATUS(IST_E_NAME, ist_pipe_call("", 0, &byte, 1, &byte, 1, 0, &got));
    assert_int_equal(fake_calls(), 0);
    ist_pipe_close(pipe);
}

static void check_transact(ist_pipe *pipe, ist_status expected)
{
    char byte = 0;
    size_t got = 9;
    CHECK_STATUS(expected, ist_pipe_transact(pipe, &byte, 1, &byte, 1, 0, &got));
    assert_int_equal(got, 0);
    assert_int_equal(fake_calls(), expected == IST_OK);
    ist_pipe_close(pipe);
}

/* The type is told before the access. */
TEST(a_transaction_is_for_duplex_message_pipes_and_ends_that_do_both)
{
    check_transact(serve(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX), IST_OK);
    check_transact(serve(IST_PIPE_BYTE, IST_PIPE_DUPLEX), IST_E_ARG);
    check_transact(serve(IST_PIPE_MESSAGE, IST_PIPE_INBOUND), IST_E_ARG);
    check_transact(serve(IST_PIPE_MESSAGE, IST_PIPE_OUTBOUND), IST_E_ARG);
    check_transact(connect_to(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX, IST_READ | IST_WRITE), IST_OK);
    check_transact(connect_to(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX, IST_READ), IST_E_ACCESS);
    check_transact(connect_to(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX, IST_WRITE), IST_E_ACCESS);
    check_transact(connect_to(IST_PIPE_BYTE, IST_PIPE_DUPLEX, IST_WRITE), IST_E_ARG);
    check_transact(connect_to(IST_PIPE_MESSAGE, IST_PIPE_OUTBOUND, IST_READ), IST_E_ARG);
}

static void check_call(ist_status expected, ist_trust trust, int64_t timeout_ns, int64_t rest_ns)
{
    char request[4] = {0};
    char reply[8];
    size_t got = 0;
    CHECK_STATUS(expected, ist_pipe_call("\\\\.\\pipe\\x", trust, request, 4, reply, 8, timeout_ns, &got));
    assert_int_equal(got, 6);
    assert_int_equal(fake_last.access, IST_READ | IST_WRITE);
    assert_true(fake_last.trust_everyone == (trust == IST_TRUST_EVERYONE));
    assert_string_equal(fake_last.name, "x");
    assert_ptr_equal(fake_last.data, request);
    assert_int_equal(fake_last.data_size, 4);
    assert_ptr_equal(fake_last.buffer, reply);
    assert_int_equal(fake_last.buffer_size, 8);
    assert_true(fake_last.timeout_ns == rest_ns);
    assert_int_equal(fake_ledger_now().pipes + fake_ledger_now().memory, 0);
}

TEST(a_call_connects_asks_with_what_is_left_of_its_time_and_closes)
{
    fake_pretend_sort(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX);
    fake_pretend_transfer(IST_OK, 6);
    check_call(IST_OK, IST_TRUST_OWNER, 100, 100);
    fake_pretend_clock(30);
    check_call(IST_OK, IST_TRUST_EVERYONE, 100, 70);
    check_call(IST_OK, IST_TRUST_OWNER, 31, 1);
    check_call(IST_OK, IST_TRUST_OWNER, 30, 0);
    check_call(IST_OK, IST_TRUST_OWNER, 1, 0);
    check_call(IST_OK, IST_TRUST_OWNER, 0, 0);
    check_call(IST_OK, IST_TRUST_OWNER, IST_FOREVER, IST_FOREVER);
    check_call(IST_OK, IST_TRUST_OWNER, INT64_MAX, INT64_MAX - 30);
}

TEST(a_call_to_another_sort_of_pipe_closes_it_again)
{
    char byte = 0;
    size_t got = 9;
    CHECK_STATUS(IST_E_ARG, ist_pipe_call("x", 0, &byte, 1, &byte, 1, 0, &got));
    assert_int_equal(got, 0);
    assert_int_equal(fake_ledger_now().pipes + fake_ledger_now().memory, 0);
}

TEST(a_call_that_runs_out_of_time_while_it_connects_asks_no_more)
{
    char byte = 0;
    size_t got = 9;
    fake_pretend_transfer(IST_TIMEOUT, 0);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_call("x", 0, &byte, 1, &byte, 1, 5, &got));
    assert_int_equal(got, 0);
    assert_null(fake_last.pipe);
    assert_int_equal(fake_ledger_now().memory, 0);
}

#define RUN_OVER_FAKE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RUN_OVER_FAKE(an_end_reads_and_writes_as_its_direction_and_access_allow),
        RUN_OVER_FAKE(only_an_instance_accepts_and_disconnects),
        RUN_OVER_FAKE(reads_and_writes_hand_on_what_they_were_given),
        RUN_OVER_FAKE(news_of_a_transfer_come_back_with_their_count),
        RUN_OVER_FAKE(an_empty_write_is_a_message_or_nothing),
        RUN_OVER_FAKE(wrong_reads_writes_and_flushes_ask_nothing),
        RUN_OVER_FAKE(a_transaction_hands_on_what_it_was_given),
        RUN_OVER_FAKE(a_wrong_transaction_or_call_asks_nothing),
        RUN_OVER_FAKE(a_transaction_is_for_duplex_message_pipes_and_ends_that_do_both),
        RUN_OVER_FAKE(a_call_connects_asks_with_what_is_left_of_its_time_and_closes),
        RUN_OVER_FAKE(a_call_to_another_sort_of_pipe_closes_it_again),
        RUN_OVER_FAKE(a_call_that_runs_out_of_time_while_it_connects_asks_no_more),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("pipes_data", tests, NULL, NULL);
}
