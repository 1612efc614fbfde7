/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * As failing.c, for mailslots.
 */
#include "support/check.h"

#include "fake/fake.h"

typedef struct scene {
    ist_mailslot *reader;
    ist_mailslot *writer;
    ist_mailslot *out;
    char bytes[8];
    size_t got;
    ist_mailslot_facts facts;
} scene;

typedef struct public_call {
    const char *name;
    ist_status (*make)(scene *at);
    unsigned steps; /* how many things the backend is asked for */
} public_call;

static ist_status call_create(scene *at)
{
    return ist_mailslot_create(&at->out, "new", NULL);
}

static ist_status call_open(scene *at)
{
    return ist_mailslot_open(&at->out, "there", IST_WRITE);
}

static ist_status call_write(scene *at)
{
    return ist_mailslot_write(at->writer, at->bytes, sizeof at->bytes);
}

static ist_status call_read(scene *at)
{
    return ist_mailslot_read(at->reader, at->bytes, sizeof at->bytes, 0, &at->got);
}

static ist_status call_peek(scene *at)
{
    return ist_mailslot_peek(at->reader, at->bytes, sizeof at->bytes, &at->got);
}

static ist_status call_info(scene *at)
{
    return ist_mailslot_info(at->reader, &at->facts);
}

static const public_call public_calls[] = {
    {"create", call_create, 2}, {"open", call_open, 2}, {"write", call_write, 1},
    {"read", call_read, 1},     {"peek", call_peek, 1}, {"info", call_info, 1},
};

static void enter(scene *at)
{
    memset(at, 0, sizeof *at);
    fake_reset();
    CHECK_OK(ist_mailslot_create(&at->reader, "there", NULL));
    CHECK_OK(ist_mailslot_open(&at->writer, "there", IST_WRITE));
    at->facts.struct_size = (uint32_t)sizeof at->facts;
}

static void check_same(fake_ledger before)
{
    fake_ledger after = fake_ledger_now();
    assert_int_equal(after.memory, before.memory);
    assert_int_equal(after.mailslots, before.mailslots);
    assert_int_equal(after.errors, before.errors);
}

static void leave(scene *at)
{
    static const fake_ledger nothing;
    ist_mailslot_close(at->out);
    ist_mailslot_close(at->writer);
    ist_mailslot_close(at->reader);
    check_same(nothing);
}

static void check_nothing(const scene *at, ist_status expected, bool memory)
{
    ist_detail detail;
    assert_null(at->out);
    assert_int_equal(at->got, 0);
    assert_int_equal(at->facts.waiting, 0);
    ist_error_detail(&detail);
    assert_int_equal(detail.status, expected);
    assert_non_null(detail.call);
    assert_int_equal(detail.space, memory ? IST_CODES_NONE : IST_CODES_ERRNO);
    assert_int_equal(detail.code, memory ? 0 : FAKE_CODE);
    assert_string_equal(detail.note, memory ? "" : FAKE_NOTE);
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
        check_nothing(&at, expected, memory);
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

/* B3: the one failure that says how much. */
TEST(a_message_that_does_not_fit_says_its_size)
{
    scene at;
    enter(&at);
    fake_pretend_transfer(IST_E_SIZE, 21);
    CHECK_STATUS(IST_E_SIZE, call_read(&at));
    assert_int_equal(at.got, 21);
    at.got = 0;
    CHECK_STATUS(IST_E_SIZE, call_peek(&at));
    assert_int_equal(at.got, 21);
    leave(&at);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_at_any_step_comes_through_and_works_when_it_is_made_again),
        cmocka_unit_test(a_message_that_does_not_fit_says_its_size),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("mailslots_failing", tests, NULL, NULL);
}
