/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * As failing.c, for pipes: whatever fails at whichever step comes through with what the system said, nothing comes out,
 * and nothing leaks.
 */
#include "support/check.h"

#include "fake/fake.h"

/* What a call works with: made without failures before each try, let go after it. */
typedef struct scene {
    ist_pipe *server; /* of a message pipe */
    ist_pipe *out;
    ist_pipe *second;
    char token[IST_TOKEN_SIZE];
    char bytes[8];
    size_t count;
    intptr_t native;
    union {
        ist_pipe_facts facts;
        ist_pipe_peeked peeked;
        ist_pipe_peer_facts peer;
        unsigned char bytes[sizeof(ist_pipe_peer_facts)];
    } told;
} scene;

typedef struct public_call {
    const char *name;
    ist_status (*make)(scene *at);
    void (*check_nothing)(const scene *at);
    unsigned steps; /* how many things the backend is asked for */
} public_call;

static void *const somewhere = &fake_last;

static ist_status call_serve(scene *at)
{
    return ist_pipe_serve(&at->out, "new", NULL);
}

static ist_status call_connect(scene *at)
{
    return ist_pipe_connect(&at->out, "there", IST_READ, 0);
}

static ist_status call_pair(scene *at)
{
    return ist_pipe_pair(&at->out, &at->second, NULL);
}

static ist_status call_import(scene *at)
{
    return ist_pipe_import(&at->out, "token");
}

static ist_status call_inherit(scene *at)
{
    memset(at->token, 'x', sizeof at->token - 1);
    return ist_pipe_inherit(at->server, at->token);
}

static ist_status call_accept(scene *at)
{
    return ist_pipe_accept(at->server, 0);
}

static ist_status call_disconnect(scene *at)
{
    return ist_pipe_disconnect(at->server);
}

static ist_status call_read(scene *at)
{
    return ist_pipe_read(at->server, at->bytes, sizeof at->bytes, 0, &at->count);
}

static ist_status call_write(scene *at)
{
    return ist_pipe_write(at->server, at->bytes, sizeof at->bytes, 0, &at->count);
}

static ist_status call_flush(scene *at)
{
    return ist_pipe_flush(at->server, 0);
}

static ist_status call_transact(scene *at)
{
    return ist_pipe_transact(at->server, at->bytes, 1, at->bytes, 1, 0, &at->count);
}

static ist_status call_call(scene *at)
{
    return ist_pipe_call("there", IST_TRUST_OWNER, at->bytes, 1, at->bytes, 1, 0, &at->count);
}

static void ask(scene *at, size_t size)
{
    uint32_t struct_size = (uint32_t)size;
    memset(&at->told, 0xA5, sizeof at->told);
    memcpy(&at->told, &struct_size, sizeof struct_size);
}

static ist_status call_peek(scene *at)
{
    ask(at, sizeof at->told.peeked);
    return ist_pipe_peek(at->server, NULL, 0, &at->told.peeked);
}

static ist_status call_info(scene *at)
{
    ask(at, sizeof at->told.facts);
    return ist_pipe_info(at->server, &at->told.facts);
}

static ist_status call_peer(scene *at)
{
    ask(at, sizeof at->told.peer);
    return ist_pipe_peer(at->server, &at->told.peer);
}

static ist_status call_native(scene *at)
{
    return ist_pipe_native(at->server, &at->native);
}

static void no_end(const scene *at)
{
    assert_null(at->out);
    assert_ptr_equal(at->second, somewhere);
}

static void no_ends(const scene *at)
{
    assert_null(at->out);
    assert_null(at->second);
}

static void no_token(const scene *at)
{
    assert_string_equal(at->token, "");
}

static void no_bytes(const scene *at)
{
    assert_int_equal(at->count, 0);
}

static void no_answer(const scene *at)
{
    for (size_t i = sizeof(uint32_t); i < sizeof at->told; i++)
        assert_int_equal(at->told.bytes[i], 0xA5);
}

/* The process is told where the user may not be. */
static void no_peer(const scene *at)
{
    ist_detail detail;
    ist_error_detail(&detail);
    if (detail.status != IST_E_ACCESS)
        no_answer(at);
}

static void no_native(const scene *at)
{
    assert_int_equal(at->native, -1);
}

static void no_news(const scene *at)
{
    assert_int_equal(at->count, 7);
}

static const public_call public_calls[] = {
    {"serve", call_serve, no_end, 2},
    {"connect", call_connect, no_end, 2},
    {"pair", call_pair, no_ends, 3},
    {"import", call_import, no_end, 2},
    {"inherit", call_inherit, no_token, 1},
    {"accept", call_accept, no_news, 1},
    {"disconnect", call_disconnect, no_news, 1},
    {"read", call_read, no_bytes, 1},
    {"write", call_write, no_bytes, 1},
    {"flush", call_flush, no_news, 1},
    {"transact", call_transact, no_bytes, 1},
    {"call", call_call, no_bytes, 3},
    {"peek", call_peek, no_answer, 1},
    {"info", call_info, no_answer, 1},
    {"peer", call_peer, no_peer, 1},
    {"native", call_native, no_native, 1},
};

static void enter(scene *at)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    memset(at, 0, sizeof *at);
    fake_reset();
    options.type = IST_PIPE_MESSAGE;
    CHECK_OK(ist_pipe_serve(&at->server, "there", &options));
    fake_pretend_sort(IST_PIPE_MESSAGE, IST_PIPE_DUPLEX);
    at->out = somewhere;
    at->second = somewhere;
    at->count = 7;
    at->native = 7;
}

static void check_same(fake_ledger before)
{
    fake_ledger after = fake_ledger_now();
    assert_int_equal(after.memory, before.memory);
    assert_int_equal(after.pipes, before.pipes);
    assert_int_equal(after.errors, before.errors);
}

static void leave(scene *at)
{
    static const fake_ledger nothing;
    if (at->out != somewhere)
        ist_pipe_close(at->out);
    if (at->second != somewhere)
        ist_pipe_close(at->second);
    ist_pipe_close(at->server);
    check_same(nothing);
}

static void check_detail(ist_status expected, bool memory)
{
    ist_detail detail;
    ist_error_detail(&detail);
    assert_int_equal(detail.status, expected);
    assert_non_null(detail.call);
    assert_int_equal(detail.space, memory ? IST_CODES_NONE : IST_CODES_ERRNO);
    assert_int_equal(detail.code, memory ? 0 : FAKE_CODE);
    assert_string_equal(detail.note, memory ? "" : FAKE_NOTE);
    if (!memory)
        assert_string_equal(detail.call, FAKE_CALL);
}

/* Lets the nth step of a call fail; returns false when the call has fewer steps and so succeeded. */
static bool fail_once(const public_call *call, unsigned nth, ist_status status)
{
    scene at;
    enter(&at);
    fake_ledger before = fake_ledger_now();
    fake_fail(nth, status);
    ist_status actual = call->make(&at);
    bool failed = fake_failed();
    bool memory = fake_failed_memory();
    fake_fail(0, IST_OK);
    if (failed) {
        ist_status expected = memory ? IST_E_MEMORY : status;
        CHECK_ROW(call->name, expected, actual);
        call->check_nothing(&at);
        check_detail(expected, memory);
        check_same(before);
        CHECK_ROW(call->name, IST_OK, call->make(&at));
    } else {
        CHECK_ROW(call->name, IST_OK, actual);
    }
    leave(&at);
    return failed;
}

static const ist_status failures[] = {
#define FAILURE(name, value, text) (ist_status)(value),
    IST_STATUS_LIST(FAILURE)
#undef FAILURE
};

TEST(whatever_fails_at_any_step_comes_through_and_works_when_it_is_made_again)
{
    for (size_t i = 0; i < COUNT_OF(public_calls) * COUNT_OF(failures); i++) {
        const public_call *call = &public_calls[i % COUNT_OF(public_calls)];
        ist_status status = failures[i / COUNT_OF(public_calls)];
        unsigned nth = 1;
        if (status >= 0)
            continue;
        while (fail_once(call, nth, status))
            nth++;
        assert_int_equal(nth - 1, call->steps);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_at_any_step_comes_through_and_works_when_it_is_made_again),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("pipes_failing", tests, NULL, NULL);
}
