/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Statuses, their names and texts, the error detail, and the version.
 */
#include "support/host.h"
#include "support/peer.h"

typedef struct row {
    ist_status status;
    int value;
    const char *name;
} row;

#define ROW(name, value, text) {name, value, #name},
static const row rows[] = {IST_STATUS_LIST(ROW)};
#undef ROW

TEST(every_status_has_the_name_that_the_source_calls_it_by)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(ist_status_name(rows[i].status), rows[i].name);
        assert_int_equal(rows[i].status, rows[i].value);
    }
}

TEST(every_status_has_a_text_of_its_own_without_a_full_stop)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *text = ist_status_text(rows[i].status);
        assert_non_null(text);
        assert_true(strlen(text) > 3);
        assert_int_not_equal(text[strlen(text) - 1], '.');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(text, ist_status_text(rows[j].status));
    }
}

TEST(no_two_statuses_have_one_value)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(rows[i].value, rows[j].value);
}

TEST(failures_are_below_zero_and_news_above)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool failure = strncmp(rows[i].name, "IST_E_", 6) == 0;
        assert_true(failure == (rows[i].value < 0));
    }
    assert_int_equal(IST_OK, 0);
}

TEST(a_value_that_is_no_status_is_unknown_and_has_a_text)
{
    static const int strangers[] = {8, 9, 1000, INT16_MAX, INT32_MAX, -18, -19, -1000, INT16_MIN, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        assert_string_equal(ist_status_name((ist_status)strangers[i]), "IST_UNKNOWN");
        assert_non_null(ist_status_text((ist_status)strangers[i]));
        assert_true(strlen(ist_status_text((ist_status)strangers[i])) > 3);
    }
}

TEST(the_detail_says_what_failed_last_and_success_leaves_it)
{
    ist_mapping *mapping = NULL;
    ist_detail before;
    ist_detail after;
    char name[NAME_SIZE];
    unique_name(name, "", "detail");
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    ist_error_detail(&before);
    assert_int_equal(before.status, IST_E_NOT_FOUND);
    CHECK_OK(ist_mapping_create(&mapping, name, 1, NULL));
    CHECK_OK(ist_name_check("fine"));
    ist_mapping_close(mapping);
    ist_error_detail(&after);
    assert_int_equal(after.status, IST_E_NOT_FOUND);
    assert_int_equal(after.space, before.space);
    assert_int_equal(after.code, before.code);
    assert_ptr_equal(after.call, before.call);
    assert_string_equal(after.note, before.note);
}

TEST(the_detail_of_a_refusal_by_the_library_has_no_system_code)
{
    ist_mapping *mapping = NULL;
    ist_detail detail;
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, NULL, 0, NULL));
    ist_error_detail(&detail);
    assert_int_equal(detail.space, IST_CODES_NONE);
    assert_int_equal(detail.code, 0);
    assert_true(strlen(detail.call) > 0);
    assert_non_null(memchr(detail.note, '\0', sizeof detail.note));
}

TEST(the_detail_of_a_refusal_by_the_system_names_the_call_and_the_code)
{
    ist_mapping *mapping = NULL;
    ist_detail detail;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.path = "no-such-folder-of-isthmus/no-such-file";
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_create(&mapping, NULL, 1, &options));
    ist_error_detail(&detail);
    assert_int_not_equal(detail.space, IST_CODES_NONE);
    assert_int_not_equal(detail.code, 0);
    assert_true(strlen(detail.call) > 0);
}

TEST(asking_for_the_detail_without_a_place_for_it_does_nothing)
{
    ist_error_detail(NULL);
}

typedef struct seen {
    ist_detail first;  /* before the thread's first failure */
    ist_detail second; /* after it */
    ist_status failed;
} seen;

static const ist_status wanted[8] = {IST_E_ARG, IST_E_NAME, IST_E_ARG, IST_E_NAME,
                                     IST_E_ARG, IST_E_NAME, IST_E_ARG, IST_E_NAME};

static void fail_in_thread(void *context, size_t index)
{
    seen *mine = (seen *)context + index;
    ist_mapping *mapping = NULL;
    ist_error_detail(&mine->first);
    for (int i = 0; i < 1000; i++) {
        mine->failed = wanted[index] == IST_E_ARG ? ist_mapping_open(&mapping, NULL, IST_READ) : ist_name_check("");
        ist_error_detail(&mine->second);
        if (mine->second.status != wanted[index])
            break;
    }
}

TEST(each_thread_has_its_own_detail)
{
    static seen all[8];
    ist_mapping *mapping = NULL;
    ist_detail mine;
    char name[NAME_SIZE];
    unique_name(name, "", "detail");
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    host_threads(8, fail_in_thread, all);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(all[i].first.status, IST_OK);
        assert_non_null(all[i].first.call);
        assert_int_equal(all[i].failed, wanted[i]);
        assert_int_equal(all[i].second.status, wanted[i]);
    }
    ist_error_detail(&mine);
    assert_int_equal(mine.status, IST_E_NOT_FOUND);
}

TEST(the_library_has_the_version_of_its_headers)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%d.%d.%d", IST_VERSION_MAJOR, IST_VERSION_MINOR, IST_VERSION_PATCH);
    assert_int_equal(ist_version(), IST_VERSION);
    assert_string_equal(ist_version_text(), text);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(every_status_has_the_name_that_the_source_calls_it_by),
        RUN(every_status_has_a_text_of_its_own_without_a_full_stop),
        RUN(no_two_statuses_have_one_value),
        RUN(failures_are_below_zero_and_news_above),
        RUN(a_value_that_is_no_status_is_unknown_and_has_a_text),
        RUN(the_detail_says_what_failed_last_and_success_leaves_it),
        RUN(the_detail_of_a_refusal_by_the_library_has_no_system_code),
        RUN(the_detail_of_a_refusal_by_the_system_names_the_call_and_the_code),
        RUN(asking_for_the_detail_without_a_place_for_it_does_nothing),
        RUN(each_thread_has_its_own_detail),
        RUN(the_library_has_the_version_of_its_headers),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
