/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Every public call over a backend that fails at the nth thing it is asked for, for every n: the status comes through,
 * nothing comes out, the error detail says why, and nothing leaks.
 */
#include "support/check.h"

#include "fake/fake.h"

/* What a call works with: made without failures before each try, let go after it. */
typedef struct scene {
    ist_mapping *mapping; /* named "there", 4 granules */
    ist_mapping *file;
    ist_view view;
    ist_view file_view;
    char token[IST_TOKEN_SIZE];
    ist_mapping *out;
    ist_view out_view;
} scene;

/* Makes one public call; checks, after a failure, that nothing came out. */
typedef struct public_call {
    const char *name;
    ist_status (*make)(scene *at);
    void (*check_nothing)(const scene *at);
    unsigned steps; /* how many things the backend is asked for */
} public_call;

static ist_mapping *const somewhere = (ist_mapping *)&fake_last;

static ist_status call_create(scene *at)
{
    return ist_mapping_create(&at->out, "new", 1, NULL);
}

static ist_status call_create_unnamed(scene *at)
{
    return ist_mapping_create(&at->out, NULL, 1, NULL);
}

static ist_status call_create_existing(scene *at)
{
    ist_status status = ist_mapping_create(&at->out, "there", 1, NULL);
    return status == IST_EXISTED ? IST_OK : status;
}

static ist_status call_create_file(scene *at)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.path = "some/file";
    return ist_mapping_create(&at->out, "new", 100, &options);
}

static ist_status call_open(scene *at)
{
    return ist_mapping_open(&at->out, "there", IST_READ);
}

static ist_status call_import(scene *at)
{
    return ist_mapping_import(&at->out, at->token);
}

static ist_status call_export(scene *at)
{
    memset(at->token, 'x', sizeof at->token - 1);
    return ist_mapping_export(at->mapping, 7, IST_WRITE, at->token);
}

static ist_status call_view(scene *at)
{
    return ist_mapping_view(at->mapping, IST_WRITE, 0, 0, &at->out_view);
}

static ist_status call_view_copy(scene *at)
{
    return ist_mapping_view(at->mapping, IST_COPY, IST_GRANULARITY, 1, &at->out_view);
}

static ist_status call_commit(scene *at)
{
    return ist_view_commit(&at->view, 0, 0);
}

static ist_status call_flush(scene *at)
{
    return ist_view_flush(&at->file_view);
}

static void no_handle(const scene *at)
{
    assert_null(at->out);
}

static void no_token(const scene *at)
{
    assert_string_equal(at->token, "");
}

static void no_view(const scene *at)
{
    assert_null(at->out_view.data);
    assert_null(at->out_view.reserved);
    assert_int_equal(at->out_view.size, 0);
}

/* The view is as it was. */
static void same_view(const scene *at)
{
    assert_non_null(at->view.data);
    assert_int_equal(at->view.size, 4 * IST_GRANULARITY);
    assert_non_null(at->file_view.data);
    assert_int_equal(at->file_view.size, 100);
}

static const public_call public_calls[] = {
    {"create", call_create, no_handle, 2},
    {"create unnamed", call_create_unnamed, no_handle, 2},
    {"create existing", call_create_existing, no_handle, 2},
    {"create over a file", call_create_file, no_handle, 2},
    {"open", call_open, no_handle, 2},
    {"import", call_import, no_handle, 2},
    {"export", call_export, no_token, 1},
    {"view", call_view, no_view, 2},
    {"view copy", call_view_copy, no_view, 2},
    {"commit", call_commit, same_view, 1},
    {"flush", call_flush, same_view, 1},
};

static void enter(scene *at)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    memset(at, 0, sizeof *at);
    fake_reset();
    options.path = "a/file";
    CHECK_OK(ist_mapping_create(&at->mapping, "there", 4 * IST_GRANULARITY, NULL));
    CHECK_OK(ist_mapping_create(&at->file, NULL, 100, &options));
    CHECK_OK(ist_mapping_view(at->mapping, IST_WRITE, 0, 0, &at->view));
    CHECK_OK(ist_mapping_view(at->file, IST_WRITE, 0, 0, &at->file_view));
    CHECK_OK(ist_mapping_export(at->mapping, 7, IST_READ, at->token));
    at->out = somewhere;
    at->out_view = (ist_view){&fake_last, 17, NULL};
}

static void leave(scene *at)
{
    ist_view_unmap(&at->out_view);
    ist_view_unmap(&at->view);
    ist_view_unmap(&at->file_view);
    if (at->out != somewhere)
        ist_mapping_close(at->out);
    ist_mapping_close(at->mapping);
    ist_mapping_close(at->file);
    fake_ledger end = fake_ledger_now();
    assert_int_equal(end.memory, 0);
    assert_int_equal(end.mappings, 0);
    assert_int_equal(end.views, 0);
    assert_int_equal(end.errors, 0);
}

static void check_same(fake_ledger before)
{
    fake_ledger after = fake_ledger_now();
    assert_int_equal(after.memory, before.memory);
    assert_int_equal(after.mappings, before.mappings);
    assert_int_equal(after.views, before.views);
    assert_int_equal(after.errors, before.errors);
}

static void check_detail(ist_status expected, bool memory)
{
    ist_detail detail;
    ist_error_detail(&detail);
    assert_int_equal(detail.status, expected);
    assert_non_null(detail.call);
    if (!memory) {
        assert_int_equal(detail.space, IST_CODES_ERRNO);
        assert_int_equal(detail.code, FAKE_CODE);
        assert_string_equal(detail.call, FAKE_CALL);
        assert_string_equal(detail.note, FAKE_NOTE);
    } else {
        assert_int_equal(detail.space, IST_CODES_NONE);
        assert_int_equal(detail.code, 0);
        assert_string_equal(detail.note, "");
    }
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

TEST(whatever_fails_at_any_step_comes_through_and_leaks_nothing)
{
    for (size_t i = 0; i < COUNT_OF(public_calls); i++) {
        for (size_t j = 0; j < COUNT_OF(failures); j++) {
            unsigned nth = 1;
            if (failures[j] >= 0)
                continue;
            while (fail_once(&public_calls[i], nth, failures[j]))
                nth++;
            assert_int_equal(nth - 1, public_calls[i].steps);
        }
    }
}

TEST(a_call_that_failed_works_when_it_is_made_again)
{
    for (size_t i = 0; i < COUNT_OF(public_calls); i++) {
        for (unsigned nth = 1; nth <= public_calls[i].steps; nth++) {
            scene at;
            enter(&at);
            char token[IST_TOKEN_SIZE];
            memcpy(token, at.token, sizeof token);
            fake_fail(nth, IST_E_LIMIT);
            CHECK_FAILS(public_calls[i].make(&at));
            fake_fail(0, IST_OK);
            if (public_calls[i].make != call_export)
                memcpy(at.token, token, sizeof token);
            CHECK_ROW(public_calls[i].name, IST_OK, public_calls[i].make(&at));
            leave(&at);
        }
    }
}

TEST(a_success_after_a_failure_leaves_the_detail)
{
    scene at;
    enter(&at);
    fake_fail(1, IST_E_LIMIT);
    CHECK_STATUS(IST_E_LIMIT, ist_mapping_export(at.mapping, 7, IST_READ, at.token));
    fake_fail(0, IST_OK);
    CHECK_OK(ist_mapping_export(at.mapping, 7, IST_READ, at.token));
    ist_view_unmap(&at.view);
    check_detail(IST_E_LIMIT, false);
    leave(&at);
}

TEST(a_backend_that_names_no_call_leaves_an_empty_one)
{
    scene at;
    ist_detail detail;
    enter(&at);
    fake_pretend_no_call();
    fake_fail(1, IST_E_OS);
    CHECK_STATUS(IST_E_OS, ist_mapping_export(at.mapping, 7, IST_READ, at.token));
    ist_error_detail(&detail);
    assert_non_null(detail.call);
    leave(&at);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_at_any_step_comes_through_and_leaks_nothing),
        cmocka_unit_test(a_call_that_failed_works_when_it_is_made_again),
        cmocka_unit_test(a_success_after_a_failure_leaves_the_detail),
        cmocka_unit_test(a_backend_that_names_no_call_leaves_an_empty_one),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("failing", tests, NULL, NULL);
}
