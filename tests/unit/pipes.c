/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the core asks a backend for to get ends of pipes, and that every argument is checked before: where one is wrong,
 * the backend is asked nothing and no memory is taken. pipes_data.c has what is done with an end.
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

static void *const somewhere = &fake_last;

/* Nothing was asked for and nothing came out. */
static void check_untouched(const char *row, const void *out)
{
    if (fake_calls() != 0 || fake_ledger_now().memory != 0)
        CHECK_FAIL("%s: a wrong argument was asked about", row);
    assert_null(out);
}

/* ---- names ---- */

typedef struct name_row {
    const char *given;
    const char *passed; /* NULL: IST_E_NAME */
} name_row;

static const name_row names[] = {
    {"x", "x"},
    {"\\\\.\\pipe\\x", "x"},
    {"\\\\.\\PIPE\\x", "x"},
    {"\\\\.\\pIpE\\Big \xC3\x84", "Big \xC3\x84"},
    {"pipe", "pipe"},
    {"*:?\"<>|", "*:?\"<>|"},
    {".x", ".x"},
    {" x", " x"},
    {"", NULL},
    {"\\\\.\\pipe\\", NULL},
    {"\\\\.\\pipe", NULL},
    {"\\\\.\\x", NULL},
    {"\\\\.\\mailslot\\x", NULL},
    {"\\\\?\\pipe\\x", NULL},
    {"\\\\other\\pipe\\x", NULL},
    {"//./pipe/x", NULL},
    {"\\\\.\\pipe\\\\\\.\\pipe\\x", NULL},
    {"a\\b", NULL},
    {"a/b", NULL},
    {"Local\\x", NULL},
    {"Global\\x", NULL},
    {".", NULL},
    {"x.", NULL},
    {"x ", NULL},
    {"\\\\.\\pipe\\x.", NULL},
    {"\xC3", NULL},
    {"\xED\xA0\x80", NULL},
};

static void check_name(const char *given, const char *passed)
{
    ist_pipe *pipe = somewhere;
    CHECK_ROW(given, passed != NULL ? IST_OK : IST_E_NAME, ist_pipe_serve(&pipe, given, NULL));
    if (passed == NULL) {
        check_untouched(given, pipe);
        pipe = somewhere;
        CHECK_ROW(given, IST_E_NAME, ist_pipe_connect(&pipe, given, IST_READ, 0));
        check_untouched(given, pipe);
        return;
    }
    assert_string_equal(fake_last.name, passed);
    assert_int_equal(fake_last.name_length, strlen(passed));
    ist_pipe_close(pipe);
    memset(&fake_last, 0, sizeof fake_last);
    CHECK_ROW(given, IST_OK, ist_pipe_connect(&pipe, given, IST_READ, 0));
    assert_string_equal(fake_last.name, passed);
    assert_int_equal(fake_last.name_length, strlen(passed));
    ist_pipe_close(pipe);
    fake_fail(0, IST_OK);
}

TEST(a_name_arrives_without_its_prefix_or_not_at_all)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        check_name(names[i].given, names[i].passed);
}

TEST(a_name_has_247_bytes_behind_its_prefix)
{
    static const char prefix[] = "\\\\.\\pipe\\";
    char given[sizeof prefix + IST_PIPE_NAME_MAX + 1];
    memset(given, 'n', sizeof given);
    memcpy(given, prefix, sizeof prefix - 1);
    given[sizeof prefix - 1 + IST_PIPE_NAME_MAX] = '\0';
    check_name(given, given + sizeof prefix - 1);
    check_name(given + sizeof prefix - 1, given + sizeof prefix - 1);
    given[sizeof prefix - 1 + IST_PIPE_NAME_MAX] = 'n';
    given[sizeof prefix + IST_PIPE_NAME_MAX] = '\0';
    check_name(given, NULL);
    check_name(given + sizeof prefix - 1, NULL);
}

/* ---- options ---- */

static void check_request(const plat_pipe_request *wanted)
{
    const plat_pipe_request *asked = &fake_last.pipe_request;
    assert_true(asked->first == wanted->first);
    assert_int_equal(asked->type, wanted->type);
    assert_int_equal(asked->direction, wanted->direction);
    assert_int_equal(asked->instances, wanted->instances);
    assert_int_equal(asked->inbound_bytes, wanted->inbound_bytes);
    assert_int_equal(asked->outbound_bytes, wanted->outbound_bytes);
    assert_int_equal(asked->audience, wanted->audience);
    assert_true(asked->trust_everyone == wanted->trust_everyone);
}

static void check_asked(const ist_pipe_options *options, const plat_pipe_request *wanted)
{
    ist_pipe *first = NULL;
    ist_pipe *second = NULL;
    CHECK_OK(ist_pipe_serve(&first, "x", options));
    check_request(wanted);
    ist_pipe_close(first);
    memset(&fake_last, 0xA5, sizeof fake_last);
    CHECK_OK(ist_pipe_pair(&first, &second, options));
    check_request(wanted);
    assert_ptr_not_equal(first, second);
    ist_pipe_close(first);
    ist_pipe_close(second);
}

TEST(what_is_not_asked_for_is_a_duplex_byte_pipe_with_the_smallest_buffers)
{
    static const plat_pipe_request usual = {
        .type = IST_PIPE_BYTE, .inbound_bytes = IST_PIPE_BUFFER_MIN, .outbound_bytes = 4096};
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    check_asked(NULL, &usual);
    check_asked(&options, &usual);
}

TEST(what_is_asked_for_arrives)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.flags = IST_PIPE_FIRST;
    options.type = IST_PIPE_MESSAGE;
    options.direction = IST_PIPE_OUTBOUND;
    options.instances = IST_PIPE_INSTANCES_MAX;
    options.inbound_bytes = IST_PIPE_BUFFER_MAX;
    options.outbound_bytes = IST_PIPE_BUFFER_MIN + 1;
    options.audience = IST_AUDIENCE_EVERYONE_WRITE;
    options.trust = IST_TRUST_EVERYONE;
    check_asked(&options, &(plat_pipe_request){true, IST_PIPE_MESSAGE, IST_PIPE_OUTBOUND, 254, 67108864, 4097,
                                               IST_AUDIENCE_EVERYONE_WRITE, true});
}

static void check_refused(const char *row, const ist_pipe_options *options)
{
    ist_pipe *first = somewhere;
    ist_pipe *second = somewhere;
    CHECK_ROW(row, IST_E_ARG, ist_pipe_serve(&first, "a\\b", options));
    check_untouched(row, first);
    first = somewhere;
    CHECK_ROW(row, IST_E_ARG, ist_pipe_pair(&first, &second, options));
    check_untouched(row, first);
    assert_null(second);
}

#define WRONG(field, value)                                                                                            \
    do {                                                                                                               \
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;                                                              \
        options.field = (value);                                                                                       \
        check_refused(#field " " #value, &options);                                                                    \
    } while (false)

TEST(wrong_options_ask_nothing_whatever_the_name)
{
    WRONG(struct_size, 0);
    WRONG(struct_size, (uint32_t)sizeof options - 1);
    WRONG(struct_size, UINT32_MAX);
    WRONG(flags, 2);
    WRONG(flags, IST_PIPE_FIRST | 0x80000000u);
    WRONG(type, (ist_pipe_type)2);
    WRONG(type, (ist_pipe_type)-1);
    WRONG(direction, (ist_pipe_direction)3);
    WRONG(direction, (ist_pipe_direction)-1);
    WRONG(instances, IST_PIPE_INSTANCES_MAX + 1);
    WRONG(instances, UINT32_MAX);
    WRONG(inbound_bytes, 1);
    WRONG(inbound_bytes, IST_PIPE_BUFFER_MIN - 1);
    WRONG(inbound_bytes, IST_PIPE_BUFFER_MAX + 1);
    WRONG(outbound_bytes, 1);
    WRONG(outbound_bytes, IST_PIPE_BUFFER_MIN - 1);
    WRONG(outbound_bytes, UINT32_MAX);
    WRONG(audience, (ist_audience)5);
    WRONG(audience, (ist_audience)-1);
    WRONG(trust, 1);
    WRONG(trust, IST_TRUST_EVERYONE | 0x200);
}

typedef struct newer_options {
    ist_pipe_options known;
    unsigned char news[8];
} newer_options;

TEST(options_of_a_newer_version_may_not_ask_for_anything_new)
{
    newer_options options = {IST_PIPE_OPTIONS_INIT, {0}};
    ist_pipe *pipe = NULL;
    options.known.struct_size = (uint32_t)sizeof options;
    CHECK_OK(ist_pipe_serve(&pipe, "x", &options.known));
    ist_pipe_close(pipe);
    fake_fail(0, IST_OK);
    options.news[7] = 1;
    check_refused("news", &options.known);
}

/* ---- the other ways to an end ---- */

TEST(a_connect_splits_access_and_trust_and_hands_on_its_time)
{
    static const ist_access rights[] = {IST_READ, IST_WRITE, IST_READ | IST_WRITE};
    static const int64_t timeouts[] = {0, 1, INT64_MAX, IST_FOREVER};
    for (size_t i = 0; i < 2 * COUNT_OF(rights) * COUNT_OF(timeouts); i++) {
        ist_pipe *pipe = NULL;
        ist_access right = rights[i / 2 % COUNT_OF(rights)];
        int64_t timeout_ns = timeouts[i / 2 / COUNT_OF(rights)];
        CHECK_OK(ist_pipe_connect(&pipe, "x", right | (i % 2 != 0 ? IST_TRUST_EVERYONE : IST_TRUST_OWNER), timeout_ns));
        assert_int_equal(fake_last.access, right);
        assert_true(fake_last.trust_everyone == (i % 2 != 0));
        assert_true(fake_last.timeout_ns == timeout_ns);
        ist_pipe_close(pipe);
    }
}

TEST(a_connect_that_runs_out_of_time_gives_nothing)
{
    ist_pipe *pipe = somewhere;
    fake_pretend_transfer(IST_TIMEOUT, 0);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_connect(&pipe, "x", IST_READ, 5));
    assert_null(pipe);
    assert_int_equal(fake_ledger_now().memory, 0);
}

TEST(a_wrong_connect_asks_nothing)
{
    static const ist_access wrong[] = {0, IST_COPY, IST_READ | IST_COPY, IST_TRUST_EVERYONE, IST_READ | 0x200};
    ist_pipe *pipe = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_pipe_connect(NULL, "x", IST_READ, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&pipe, NULL, IST_READ, 0));
    check_untouched("no name", pipe);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        pipe = somewhere;
        CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&pipe, "", wrong[i], 0));
        check_untouched("access", pipe);
    }
    pipe = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&pipe, "", IST_READ, -2));
    check_untouched("timeout", pipe);
}

TEST(an_end_goes_nowhere_without_a_place_for_it)
{
    ist_pipe *pipe = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_pipe_serve(NULL, "x", NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_serve(&pipe, NULL, NULL));
    check_untouched("no name", pipe);
    pipe = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_pipe_pair(NULL, &pipe, NULL));
    check_untouched("no first", pipe);
    pipe = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_pipe_pair(&pipe, NULL, NULL));
    check_untouched("no second", pipe);
    CHECK_STATUS(IST_E_ARG, ist_pipe_pair(NULL, NULL, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_import(NULL, "x"));
    assert_int_equal(fake_calls(), 0);
}

TEST(an_inherited_end_is_asked_for_by_its_token)
{
    char token[IST_TOKEN_SIZE] = "x";
    ist_pipe *pipe = NULL;
    ist_pipe *again = NULL;
    CHECK_OK(ist_pipe_connect(&pipe, "x", IST_READ, 0));
    CHECK_OK(ist_pipe_inherit(pipe, token));
    assert_ptr_equal(fake_last.pipe, fake_newest_pipe());
    CHECK_OK(ist_pipe_import(&again, token));
    assert_string_equal(fake_last.token, token);
    ist_pipe_close(again);
    ist_pipe_close(pipe);
}

TEST(a_wrong_token_asks_nothing)
{
    char token[IST_TOKEN_SIZE + 1];
    ist_pipe *pipe = somewhere;
    memset(token, 'x', sizeof token);
    token[IST_TOKEN_SIZE] = '\0';
    CHECK_STATUS(IST_E_ARG, ist_pipe_import(&pipe, NULL));
    check_untouched("no token", pipe);
    pipe = somewhere;
    CHECK_STATUS(IST_E_ARG, ist_pipe_import(&pipe, token));
    check_untouched("a long token", pipe);
    CHECK_STATUS(IST_E_ARG, ist_pipe_inherit(NULL, token));
    assert_string_equal(token, "");
    CHECK_STATUS(IST_E_ARG, ist_pipe_inherit(somewhere, NULL));
    assert_int_equal(fake_calls(), 0);
}

#define RUN_OVER_FAKE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RUN_OVER_FAKE(a_name_arrives_without_its_prefix_or_not_at_all),
        RUN_OVER_FAKE(a_name_has_247_bytes_behind_its_prefix),
        RUN_OVER_FAKE(what_is_not_asked_for_is_a_duplex_byte_pipe_with_the_smallest_buffers),
        RUN_OVER_FAKE(what_is_asked_for_arrives),
        RUN_OVER_FAKE(wrong_options_ask_nothing_whatever_the_name),
        RUN_OVER_FAKE(options_of_a_newer_version_may_not_ask_for_anything_new),
        RUN_OVER_FAKE(a_connect_splits_access_and_trust_and_hands_on_its_time),
        RUN_OVER_FAKE(a_connect_that_runs_out_of_time_gives_nothing),
        RUN_OVER_FAKE(a_wrong_connect_asks_nothing),
        RUN_OVER_FAKE(an_end_goes_nowhere_without_a_place_for_it),
        RUN_OVER_FAKE(an_inherited_end_is_asked_for_by_its_token),
        RUN_OVER_FAKE(a_wrong_token_asks_nothing),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("pipes", tests, NULL, NULL);
}
