/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the core asks of a backend: arguments checked, defaults filled in, names without prefix, sizes in whole pages;
 * and nothing at all where an argument is wrong.
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
    return end.memory + end.mappings + end.views + end.errors == 0 ? 0 : -1;
}

static ist_mapping *make(const char *name, uint64_t size, const ist_mapping_options *options)
{
    ist_mapping *mapping = NULL;
    CHECK_OK(ist_mapping_create(&mapping, name, size, options));
    return mapping;
}

TEST(a_size_is_asked_for_in_whole_pages)
{
    static const uint64_t sizes[][2] = {
        {1, FAKE_PAGE},
        {FAKE_PAGE - 1, FAKE_PAGE},
        {FAKE_PAGE, FAKE_PAGE},
        {FAKE_PAGE + 1, 2 * FAKE_PAGE},
        {(UINT64_C(1) << 32) + 1, (UINT64_C(1) << 32) + FAKE_PAGE},
        {UINT64_C(1) << 63, UINT64_C(1) << 63},
        {UINT64_MAX - FAKE_PAGE, UINT64_MAX - FAKE_PAGE + 1},
        {UINT64_MAX - FAKE_PAGE + 1, UINT64_MAX - FAKE_PAGE + 1},
        {UINT64_MAX - 1, UINT64_MAX - FAKE_PAGE + 1},
        {UINT64_MAX, UINT64_MAX - FAKE_PAGE + 1},
    };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_mapping *mapping = make(NULL, sizes[i][0], NULL);
        assert_true(fake_last.request.size == sizes[i][1]);
        assert_true(ist_mapping_size(mapping) == sizes[i][1]);
        ist_mapping_close(mapping);
    }
}

TEST(the_size_of_a_file_is_asked_for_exactly)
{
    static const uint64_t sizes[] = {0, 1, FAKE_PAGE - 1, FAKE_PAGE + 1, UINT64_MAX};
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.path = "some/file";
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_mapping *mapping = make(NULL, sizes[i], &options);
        assert_true(fake_last.request.size == sizes[i]);
        assert_string_equal(fake_last.path, "some/file");
        assert_false(fake_last.request.sparse);
        ist_mapping_close(mapping);
    }
}

typedef struct name_row {
    const char *given;
    const char *text;
    bool global;
} name_row;

TEST(a_name_arrives_without_its_prefix)
{
    static const name_row rows[] = {
        {"x", "x", false},
        {"Local\\x", "x", false},
        {"Global\\x", "x", true},
        {"Local", NULL, false},
        {"Locals", "Locals", false},
        {"Local/x", "Local/x", false},
        {"\xC3\xA4", "\xC3\xA4", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ist_mapping *mapping = NULL;
        ist_status status = ist_mapping_create(&mapping, rows[i].given, 1, NULL);
        CHECK_ROW(rows[i].given, rows[i].text != NULL ? IST_OK : IST_E_NAME, status);
        if (rows[i].text != NULL) {
            assert_true(fake_last.named);
            assert_string_equal(fake_last.name, rows[i].text);
            assert_int_equal(fake_last.name_length, strlen(rows[i].text));
            assert_true(fake_last.global == rows[i].global);
        }
        ist_mapping_close(mapping);
    }
    ist_mapping *mapping = make(NULL, 1, NULL);
    assert_false(fake_last.named);
    ist_mapping_close(mapping);
}

TEST(defaults_are_for_writing_by_the_owner_in_memory)
{
    const ist_mapping_options defaults = IST_MAPPING_OPTIONS_INIT;
    const ist_mapping_options *options[] = {NULL, &defaults};
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        ist_mapping *mapping = make("x", 1, options[i]);
        assert_int_equal(fake_last.request.access, IST_WRITE);
        assert_int_equal(fake_last.request.audience, IST_AUDIENCE_OWNER);
        assert_false(fake_last.request.trust_everyone);
        assert_false(fake_last.request.sparse);
        assert_null(fake_last.request.path);
        ist_mapping_close(mapping);
    }
}

TEST(options_arrive_as_they_were_given)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = IST_MAPPING_SPARSE;
    options.audience = IST_AUDIENCE_EVERYONE_WRITE;
    options.trust = IST_TRUST_EVERYONE;
    options.access = IST_WRITE;
    ist_mapping *mapping = make("x", 1, &options);
    assert_true(fake_last.request.sparse);
    assert_true(fake_last.request.trust_everyone);
    assert_int_equal(fake_last.request.audience, IST_AUDIENCE_EVERYONE_WRITE);
    ist_mapping_close(mapping);
    options.flags = 0;
    options.path = "f";
    options.access = IST_READ;
    mapping = make("x", 1, &options);
    assert_int_equal(fake_last.request.access, IST_READ);
    ist_mapping_close(mapping);
}

TEST(an_open_splits_access_and_trust)
{
    ist_mapping *mapping = make("x", 1, NULL);
    static const ist_access rights[] = {IST_READ, IST_WRITE};
    for (size_t i = 0; i < COUNT_OF(rights); i++) {
        ist_mapping *second = NULL;
        CHECK_OK(ist_mapping_open(&second, "Local\\x", rights[i]));
        assert_int_equal(fake_last.access, rights[i]);
        assert_false(fake_last.trust_everyone);
        ist_mapping_close(second);
        CHECK_OK(ist_mapping_open(&second, "x", rights[i] | IST_TRUST_EVERYONE));
        assert_int_equal(fake_last.access, rights[i]);
        assert_true(fake_last.trust_everyone);
        ist_mapping_close(second);
    }
    ist_mapping_close(mapping);
}

TEST(a_taken_name_is_told_as_news)
{
    ist_mapping *mapping = make("x", 1, NULL);
    ist_mapping *second = NULL;
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&second, "x", 9 * FAKE_PAGE, NULL));
    assert_non_null(second);
    assert_true(ist_mapping_size(second) == FAKE_PAGE);
    ist_mapping_close(second);
    ist_mapping_close(mapping);
}

TEST(a_view_is_asked_for_with_its_length_worked_out)
{
    ist_mapping *mapping = make(NULL, 2 * IST_GRANULARITY + 1, NULL);
    ist_view view = IST_VIEW_INIT;
    size_t whole = 2 * IST_GRANULARITY + FAKE_PAGE;
    CHECK_OK(ist_mapping_view(mapping, IST_COPY, IST_GRANULARITY, 0, &view));
    assert_int_equal(fake_last.length, whole - IST_GRANULARITY);
    assert_int_equal(fake_last.offset, IST_GRANULARITY);
    assert_int_equal(fake_last.access, IST_COPY);
    ist_view_unmap(&view);
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 7, &view));
    assert_int_equal(fake_last.length, 7);
    assert_int_equal(view.size, 7);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

static unsigned size_bits(void)
{
    return (unsigned)sizeof(size_t) * 8;
}

TEST(a_view_of_more_than_the_address_space_is_not_even_asked_for)
{
    ist_view view = {&view, 17, NULL};
    fake_pretend_size(UINT64_MAX - 65535);
    ist_mapping *mapping = make(NULL, 1, NULL);
    fake_fail(0, IST_OK);
    if (size_bits() < 64) {
        CHECK_STATUS(IST_E_MEMORY, ist_mapping_view(mapping, IST_READ, 0, 0, &view));
        assert_int_equal(fake_calls(), 0);
    } else {
        CHECK_OK(ist_mapping_view(mapping, IST_READ, UINT64_C(1) << 63, 0, &view));
        assert_true(fake_last.length == (size_t)((UINT64_C(1) << 63) - 65536));
        ist_view_unmap(&view);
        CHECK_STATUS(IST_E_RANGE, ist_mapping_view(mapping, IST_READ, UINT64_C(1) << 63, SIZE_MAX, &view));
    }
    assert_null(view.data);
    ist_mapping_close(mapping);
}

TEST(a_commit_is_asked_for_with_its_length_worked_out)
{
    ist_mapping *mapping = make(NULL, 2 * IST_GRANULARITY, NULL);
    ist_view view = IST_VIEW_INIT;
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 1000, &view));
    CHECK_OK(ist_view_commit(&view, 10, 0));
    assert_int_equal(fake_last.offset, 10);
    assert_int_equal(fake_last.length, 990);
    CHECK_OK(ist_view_commit(&view, 999, 1));
    assert_int_equal(fake_last.offset, 999);
    assert_int_equal(fake_last.length, 1);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

TEST(only_a_view_of_a_file_for_writing_is_flushed)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    static const ist_access accesses[] = {IST_READ, IST_WRITE, IST_COPY};
    for (int file = 0; file < 2; file++) {
        options.path = file == 1 ? "some/file" : NULL;
        ist_mapping *mapping = make(NULL, 1, &options);
        for (size_t i = 0; i < COUNT_OF(accesses); i++) {
            ist_view view = IST_VIEW_INIT;
            CHECK_OK(ist_mapping_view(mapping, accesses[i], 0, 0, &view));
            fake_fail(0, IST_OK);
            CHECK_OK(ist_view_flush(&view));
            assert_int_equal(fake_plat_calls(), file == 1 && accesses[i] == IST_WRITE);
            ist_view_unmap(&view);
        }
        ist_mapping_close(mapping);
    }
}

TEST(a_view_outlives_its_handle)
{
    ist_view view = IST_VIEW_INIT;
    ist_mapping *mapping = make("x", 1, NULL);
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    ist_mapping_close(mapping);
    CHECK_OK(ist_view_commit(&view, 0, 0));
    CHECK_OK(ist_view_flush(&view));
    ist_view_unmap(&view);
    ist_view_unmap(&view);
}

TEST(an_export_is_checked_before_the_backend_sees_it)
{
    ist_mapping *mapping = make("x", 1, NULL);
    ist_mapping *reader = NULL;
    char token[IST_TOKEN_SIZE];
    CHECK_OK(ist_mapping_open(&reader, "x", IST_READ));
    fake_fail(0, IST_OK);
    CHECK_STATUS(IST_E_ARG, ist_mapping_export(mapping, 0, IST_READ, token));
    CHECK_STATUS(IST_E_ARG, ist_mapping_export(mapping, 1, 0, token));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_export(reader, 1, IST_WRITE, token));
    assert_int_equal(fake_calls(), 0);
    CHECK_OK(ist_mapping_export(reader, UINT64_MAX, IST_READ, token));
    assert_true(fake_last.process_id == UINT64_MAX);
    assert_int_equal(fake_last.access, IST_READ);
    ist_mapping_close(reader);
    ist_mapping_close(mapping);
}

TEST(a_token_longer_than_any_is_not_shown_to_the_backend)
{
    char token[IST_TOKEN_SIZE + 1];
    ist_mapping *mapping = NULL;
    memset(token, 'x', sizeof token);
    token[IST_TOKEN_SIZE] = '\0';
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(&mapping, token));
    assert_int_equal(fake_calls(), 0);
    token[IST_TOKEN_SIZE - 1] = '\0';
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(&mapping, token));
    assert_int_equal(fake_plat_calls(), 1);
    assert_string_equal(fake_last.token, token);
}

TEST(a_wrong_argument_takes_nothing_and_asks_nothing)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = 2;
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(NULL, "x", 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, "x", 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, "x", 1, &options));
    CHECK_STATUS(IST_E_NAME, ist_mapping_create(&mapping, "a\\b", 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(&mapping, NULL, IST_READ));
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(&mapping, "x", 0));
    CHECK_STATUS(IST_E_NAME, ist_mapping_open(&mapping, "", IST_READ));
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(&mapping, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_view(NULL, IST_READ, 0, 0, &view));
    CHECK_STATUS(IST_E_ARG, ist_view_commit(&view, 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_view_flush(&view));
    assert_int_equal(fake_calls(), 0);
    assert_int_equal(fake_ledger_now().memory, 0);
}

TEST(facts_come_from_the_backend)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    assert_string_equal(traits.backend, "fake");
    assert_int_equal(traits.token_holds, 1);
    assert_true(ist_page_size() == FAKE_PAGE);
    assert_true(ist_process_id() == FAKE_PROCESS);
}

TEST(the_native_handle_is_the_backends)
{
    ist_mapping *mapping = make(NULL, 1, NULL);
    assert_null(ist_win32_mapping_handle(NULL));
    assert_non_null(ist_win32_mapping_handle(mapping));
    ist_mapping_close(mapping);
}

#define RUN_OVER_FAKE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RUN_OVER_FAKE(a_size_is_asked_for_in_whole_pages),
        RUN_OVER_FAKE(the_size_of_a_file_is_asked_for_exactly),
        RUN_OVER_FAKE(a_name_arrives_without_its_prefix),
        RUN_OVER_FAKE(defaults_are_for_writing_by_the_owner_in_memory),
        RUN_OVER_FAKE(options_arrive_as_they_were_given),
        RUN_OVER_FAKE(an_open_splits_access_and_trust),
        RUN_OVER_FAKE(a_taken_name_is_told_as_news),
        RUN_OVER_FAKE(a_view_is_asked_for_with_its_length_worked_out),
        RUN_OVER_FAKE(a_view_of_more_than_the_address_space_is_not_even_asked_for),
        RUN_OVER_FAKE(a_commit_is_asked_for_with_its_length_worked_out),
        RUN_OVER_FAKE(only_a_view_of_a_file_for_writing_is_flushed),
        RUN_OVER_FAKE(a_view_outlives_its_handle),
        RUN_OVER_FAKE(an_export_is_checked_before_the_backend_sees_it),
        RUN_OVER_FAKE(a_token_longer_than_any_is_not_shown_to_the_backend),
        RUN_OVER_FAKE(a_wrong_argument_takes_nothing_and_asks_nothing),
        RUN_OVER_FAKE(facts_come_from_the_backend),
        RUN_OVER_FAKE(the_native_handle_is_the_backends),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("asking", tests, NULL, NULL);
}
