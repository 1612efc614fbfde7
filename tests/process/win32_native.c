/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A plain Win32 program and isthmus meet under one name, in both directions. Only on Windows.
 */
#include "support/host.h"
#include "support/peer.h"

#include <isthmus/win32.h>

#include "native/native_win32.h"

#include <wchar.h>

#define MESSAGE "Message from first process"

static ist_mapping *open_as(const char *name, ist_access access)
{
    ist_mapping *mapping = NULL;
    CHECK_OK(ist_mapping_open(&mapping, name, access));
    return mapping;
}

static void check_text(const ist_view *view, const char *expected)
{
    char text[128];
    CHECK_OK(ist_utf16_read(text, sizeof text, view->data, 64, NULL));
    assert_string_equal(text, expected);
}

/* ---- hello ---- */

TEST(what_a_native_program_wrote_is_read_and_answered)
{
    char name[NAME_SIZE];
    native other;
    unique_name(name, "", "native");
    native_begin(&other, "create", name, NULL);
    ist_mapping *mapping = open_as(name, IST_WRITE);
    ist_view view = view_as(mapping, IST_WRITE);
    check_text(&view, MESSAGE);
    CHECK_OK(ist_utf16_write(view.data, 64, "Message from second process", NULL));
    native_ask(&other, "text", "Message from second process");
    native_end(&other);
    check_text(&view, "Message from second process");
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

TEST(what_we_wrote_is_read_and_answered_by_a_native_program)
{
    char name[NAME_SIZE];
    char local[NAME_SIZE];
    native other;
    unique_name(name, "", "ours");
    (void)snprintf(local, sizeof local, "Local\\%.200s", name);
    ist_mapping *mapping = make_as(name, 256, IST_AUDIENCE_OWNER);
    ist_view view = view_as(mapping, IST_WRITE);
    CHECK_OK(ist_utf16_write(view.data, 64, MESSAGE, NULL));
    native_begin(&other, "read", name, NULL);
    native_ask(&other, "text", MESSAGE);
    native_end(&other);
    native_begin(&other, "write", local, NULL);
    native_ask(&other, "text", MESSAGE);
    native_ask(&other, "say thanks", "ok");
    native_end(&other);
    check_text(&view, "thanks");
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* N1 */
TEST(a_name_beyond_ascii_is_the_same_to_both)
{
    native other;
    native_start_wide(&other, L"create Local\\Gr\x00FC\x00DF-\x4F60-\xD83D\xDE00");
    assert_false(other.failed);
    ist_mapping *mapping = open_as("Gr\xC3\xBC\xC3\x9F-\xE4\xBD\xA0-\xF0\x9F\x98\x80", IST_READ);
    ist_mapping_close(mapping);
    native_end(&other);
}

/* L1 L2 */
TEST(the_name_goes_with_the_native_programs_end_and_the_view_stays)
{
    char name[NAME_SIZE];
    native other;
    ist_mapping *mapping = NULL;
    unique_name(name, "", "native");
    native_begin(&other, "create", name, NULL);
    mapping = open_as(name, IST_READ);
    ist_view view = view_as(mapping, IST_READ);
    ist_mapping_close(mapping);
    native_end(&other);
    check_text(&view, MESSAGE);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    ist_view_unmap(&view);
}

/* ---- size and backing ---- */

/* M2 N5 */
TEST(a_native_section_has_its_size_in_whole_pages_and_is_not_replaced)
{
    char name[NAME_SIZE];
    native other;
    ist_mapping *again = NULL;
    unique_name(name, "", "native");
    native_begin(&other, "create", name, NULL);
    ist_mapping *mapping = open_as(name, IST_READ);
    assert_true(ist_mapping_size(mapping) == ist_page_size());
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&again, name, 1 << 20, NULL));
    assert_true(ist_mapping_size(again) == ist_page_size());
    ist_view view = view_as(again, IST_WRITE);
    check_text(&view, MESSAGE);
    ist_view_unmap(&view);
    ist_mapping_close(again);
    ist_mapping_close(mapping);
    native_end(&other);
}

/* M3 */
TEST(a_reserved_native_section_is_committed_page_by_page)
{
    char name[NAME_SIZE];
    native other;
    unique_name(name, "", "reserved");
    native_begin(&other, "reserve", name, "1048576");
    ist_mapping *mapping = open_as(name, IST_WRITE);
    assert_true(ist_mapping_size(mapping) == 1048576);
    ist_view view = view_as(mapping, IST_WRITE);
    CHECK_OK(ist_view_commit(&view, 0x10000, 1));
    CHECK_OK(ist_view_commit(&view, 0, 0x20000));
    ((unsigned char *)view.data)[0x10000] = 77;
    native_ask(&other, "touch 10000", "77");
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    native_end(&other);
}

/* M9 */
TEST(a_native_section_over_a_file_has_the_files_size_and_is_flushed_into_it)
{
    char name[NAME_SIZE];
    char bytes[300];
    char seen[5] = "";
    native other;
    memset(bytes, 'a', sizeof bytes);
    unique_name(name, "", "file");
    assert_true(host_file_write(name, bytes, sizeof bytes));
    native_begin(&other, "file", name, name);
    ist_mapping *mapping = open_as(name, IST_WRITE);
    assert_true(ist_mapping_size(mapping) == sizeof bytes);
    ist_view view = view_as(mapping, IST_WRITE);
    assert_int_equal(view.size, sizeof bytes);
    memcpy((char *)view.data + 296, "tail", 4);
    CHECK_OK(ist_view_commit(&view, 0, 0));
    CHECK_OK(ist_view_flush(&view));
    assert_true(host_file_read(name, 296, seen, 4));
    assert_string_equal(seen, "tail");
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    native_end(&other);
    assert_true(host_file_remove(name));
}

/* ---- kinds ---- */

/* N4 */
TEST(a_name_that_a_native_mutex_holds_is_of_another_kind)
{
    char name[NAME_SIZE];
    native other;
    ist_mapping *mapping = NULL;
    unique_name(name, "", "kind");
    native_begin(&other, "mutex", name, NULL);
    CHECK_STATUS(IST_E_KIND, ist_mapping_open(&mapping, name, IST_READ));
    CHECK_STATUS(IST_E_KIND, ist_mapping_open(&mapping, name, IST_WRITE | IST_TRUST_EVERYONE));
    CHECK_STATUS(IST_E_KIND, ist_mapping_create(&mapping, name, 4096, NULL));
    CHECK_STATUS(IST_E_KIND, ist_mapping_create(&mapping, name, UINT64_C(1) << 60, NULL));
    native_end(&other);
    CHECK_OK(ist_mapping_create(&mapping, name, 4096, NULL));
    native_start(&other, "mutex", name, NULL);
    assert_string_equal(other.line, "failed CreateMutexW 6");
    native_end(&other);
    ist_mapping_close(mapping);
}

/* ---- rights ---- */

/* M5: 4 is SECTION_MAP_READ, 5 with the query right, 20000 READ_CONTROL. */
TEST(a_native_section_that_grants_reading_gives_a_handle_for_reading)
{
    char name[NAME_SIZE];
    native other;
    ist_mapping *mapping = NULL;
    unique_name(name, "", "guarded");
    native_begin(&other, "guarded", name, "20005");
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_open(&mapping, name, IST_WRITE));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_create(&mapping, name, 4096, NULL));
    mapping = open_as(name, IST_READ);
    assert_true(ist_mapping_size(mapping) == ist_page_size());
    ist_mapping_close(mapping);
    native_end(&other);
}

/* M2 */
TEST(a_section_that_may_not_be_asked_for_its_size_is_measured_by_a_view)
{
    char name[NAME_SIZE];
    native other;
    unique_name(name, "", "guarded");
    native_begin(&other, "guarded", name, "4");
    ist_mapping *mapping = open_as(name, IST_READ | IST_TRUST_EVERYONE);
    assert_true(ist_mapping_size(mapping) == ist_page_size());
    ist_view view = view_as(mapping, IST_READ);
    CHECK_OK(ist_view_flush(&view));
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    native_end(&other);
}

/* A2: S-1-5-19 is the system's "local service". */
TEST(a_strangers_section_is_refused_unless_trusted_and_the_detail_says_whose_it_is)
{
    char name[NAME_SIZE];
    native other;
    ist_detail detail;
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(name, "", "owned");
    native_start(&other, "owned", name, "S-1-5-19");
    if (other.failed) {
        assert_string_equal(other.line, "failed CreateFileMappingW 1307");
        native_end(&other);
        SKIP(a_strangers_section_is_refused_unless_trusted_and_the_detail_says_whose_it_is,
             "no privilege to make an object that belongs to somebody else");
    }
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_open(&mapping, name, IST_READ));
    ist_error_detail(&detail);
    assert_non_null(strstr(detail.note, "S-1-5-19"));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_create(&mapping, name, 4096, NULL));
    mapping = open_as(name, IST_WRITE | IST_TRUST_EVERYONE);
    ist_mapping_close(mapping);
    options.trust = IST_TRUST_EVERYONE;
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&mapping, name, 4096, &options));
    ist_mapping_close(mapping);
    native_end(&other);
}

/* A1 */
TEST(an_audience_is_exactly_what_the_native_list_grants)
{
    const DWORD reading = SECTION_QUERY | SECTION_MAP_READ | READ_CONTROL;
    char name[NAME_SIZE];
    unique_name(name, "", "audience");
    ist_mapping *mapping = make_as(name, 4096, IST_AUDIENCE_OWNER);
    assert_int_equal(native_rights(ist_win32_mapping_handle(mapping), WinWorldSid), 0);
    assert_int_equal(native_rights(ist_win32_mapping_handle(mapping), WinLocalSystemSid), SECTION_ALL_ACCESS);
    ist_mapping_close(mapping);
    mapping = make_as(name, 4096, IST_AUDIENCE_EVERYONE_READ);
    assert_int_equal(native_rights(ist_win32_mapping_handle(mapping), WinWorldSid), reading);
    ist_mapping_close(mapping);
    mapping = make_as(name, 4096, IST_AUDIENCE_EVERYONE_WRITE);
    assert_int_equal(native_rights(ist_win32_mapping_handle(mapping), WinWorldSid), reading | SECTION_MAP_WRITE);
    ist_mapping_close(mapping);
    mapping = make_as(name, 4096, IST_AUDIENCE_GROUP_READ);
    assert_int_equal(native_rights(ist_win32_mapping_handle(mapping), WinWorldSid), 0);
    ist_mapping_close(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_a_native_program_wrote_is_read_and_answered),
        RUN(what_we_wrote_is_read_and_answered_by_a_native_program),
        RUN(a_name_beyond_ascii_is_the_same_to_both),
        RUN(the_name_goes_with_the_native_programs_end_and_the_view_stays),
        RUN(a_native_section_has_its_size_in_whole_pages_and_is_not_replaced),
        RUN(a_reserved_native_section_is_committed_page_by_page),
        RUN(a_native_section_over_a_file_has_the_files_size_and_is_flushed_into_it),
        RUN(a_name_that_a_native_mutex_holds_is_of_another_kind),
        RUN(a_native_section_that_grants_reading_gives_a_handle_for_reading),
        RUN(a_section_that_may_not_be_asked_for_its_size_is_measured_by_a_view),
        RUN(a_strangers_section_is_refused_unless_trusted_and_the_detail_says_whose_it_is),
        RUN(an_audience_is_exactly_what_the_native_list_grants),
    };
    return cmocka_run_group_tests_name("win32_native", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
