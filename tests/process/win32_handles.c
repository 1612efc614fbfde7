/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a native handle and a token must not give. Only on Windows.
 */
#include "support/host.h"
#include "support/peer.h"

#include "native/native_win32.h"

#include <isthmus/win32.h>

/* L9 */
TEST(the_native_handle_maps_the_same_memory_and_is_not_inherited)
{
    DWORD flags = HANDLE_FLAG_INHERIT;
    ist_mapping *mapping = make_as(NULL, 65536, IST_AUDIENCE_OWNER);
    ist_view view = view_as(mapping, IST_WRITE);
    HANDLE section = ist_win32_mapping_handle(mapping);
    assert_non_null(section);
    assert_null(ist_win32_mapping_handle(NULL));
    assert_true(GetHandleInformation(section, &flags));
    assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
    unsigned char *same = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    assert_non_null(same);
    assert_ptr_not_equal(same, view.data);
    ((unsigned char *)view.data)[65535] = 99;
    assert_int_equal(same[65535], 99);
    assert_true(UnmapViewOfFile(same));
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* Exports to this process itself and imports, so that the imported handle can be looked at. */
static ist_mapping *import_own(ist_mapping *from, ist_access access, char token[IST_TOKEN_SIZE])
{
    ist_mapping *mapping = NULL;
    CHECK_OK(ist_mapping_export(from, ist_process_id(), access, token));
    CHECK_OK(ist_mapping_import(&mapping, token));
    return mapping;
}

/* M5 M11 */
TEST(a_handle_imported_for_reading_cannot_be_duplicated_into_more)
{
    char token[IST_TOKEN_SIZE];
    HANDLE self = GetCurrentProcess();
    HANDLE wider = NULL;
    ist_mapping *mapping = make_as(NULL, 4096, IST_AUDIENCE_OWNER);
    ist_mapping *imported = import_own(mapping, IST_READ, token);
    HANDLE section = ist_win32_mapping_handle(imported);
    DWORD flags = HANDLE_FLAG_INHERIT;
    assert_true(GetHandleInformation(section, &flags));
    assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
    assert_null(MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0));
    assert_false(DuplicateHandle(self, section, self, &wider, FILE_MAP_WRITE, FALSE, 0));
    assert_true(DuplicateHandle(self, section, self, &wider, FILE_MAP_READ, FALSE, 0));
    (void)CloseHandle(wider);
    ist_mapping_close(imported);
    ist_mapping_close(mapping);
}

/* M5: or it could grant itself everything else. */
TEST(a_handle_imported_for_reading_gives_no_right_to_write_the_list)
{
    char token[IST_TOKEN_SIZE];
    HANDLE self = GetCurrentProcess();
    HANDLE wider = NULL;
    if (host_emulator() != NULL)
        SKIP(a_handle_imported_for_reading_gives_no_right_to_write_the_list,
             "Wine does not know OWNER RIGHTS: an owner may always write the list");
    ist_mapping *mapping = make_as(NULL, 4096, IST_AUDIENCE_OWNER);
    ist_mapping *imported = import_own(mapping, IST_READ, token);
    assert_false(DuplicateHandle(self, ist_win32_mapping_handle(imported), self, &wider, WRITE_DAC, FALSE, 0));
    ist_mapping_close(imported);
    ist_mapping_close(mapping);
}

/* M5: its list may give us a handle for writing all the same. */
TEST(a_native_section_for_reading_gives_no_writable_view)
{
    char name[NAME_SIZE];
    WCHAR wide[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    if (host_emulator() != NULL)
        SKIP(a_native_section_for_reading_gives_no_writable_view, "Wine maps a section for reading for writing too");
    unique_name(name, "Local\\", "readonly");
    (void)MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, NAME_SIZE);
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READONLY, 0, 4096, wide);
    assert_non_null(section);
    ist_status status = ist_mapping_open(&mapping, name, IST_WRITE);
    if (status == IST_OK) {
        CHECK_STATUS(IST_E_ACCESS, ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
        CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
        ist_view_unmap(&view);
        ist_mapping_close(mapping);
    } else {
        assert_int_equal(status, IST_E_ACCESS);
    }
    (void)CloseHandle(section);
}

/* M11 */
TEST(a_used_token_stays_used_when_its_handle_numbers_come_back)
{
    char first[IST_TOKEN_SIZE];
    char second[IST_TOKEN_SIZE];
    ist_mapping *none = NULL;
    ist_mapping *mapping = make_as(NULL, 4096, IST_AUDIENCE_OWNER);
    ist_mapping_close(import_own(mapping, IST_WRITE, first));
    for (int i = 0; i < 50; i++) {
        CHECK_OK(ist_mapping_export(mapping, ist_process_id(), IST_WRITE, second));
        CHECK_STATUS(IST_E_ARG, ist_mapping_import(&none, first));
        ist_mapping *imported = NULL;
        CHECK_OK(ist_mapping_import(&imported, second));
        CHECK_STATUS(IST_E_ARG, ist_mapping_import(&none, second));
        CHECK_STATUS(IST_E_ARG, ist_mapping_import(&none, first));
        ist_view view = view_as(imported, IST_WRITE);
        ist_view_unmap(&view);
        ist_mapping_close(imported);
    }
    ist_mapping_close(mapping);
}

/* A3 M11: whatever of a token is changed, it is none; and the one it was made from still serves. */
TEST(a_token_that_was_tampered_with_touches_no_handle)
{
    char token[IST_TOKEN_SIZE];
    char forged[IST_TOKEN_SIZE];
    DWORD before = 0;
    DWORD after = 0;
    ist_mapping *imported = NULL;
    ist_mapping *none = NULL;
    ist_mapping *mapping = make_as(NULL, 4096, IST_AUDIENCE_OWNER);
    CHECK_OK(ist_mapping_export(mapping, ist_process_id(), IST_READ, token));
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &before));
    for (size_t i = 0; token[i] != '\0'; i++)
        for (const char *to = "0123456789abcdefrw.Z"; *to != '\0'; to++) {
            memcpy(forged, token, sizeof forged);
            forged[i] = *to;
            if (*to != token[i])
                CHECK_STATUS(IST_E_ARG, ist_mapping_import(&none, forged));
        }
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &after));
    assert_int_equal(after, before);
    CHECK_OK(ist_mapping_import(&imported, token));
    ist_mapping_close(imported);
    ist_mapping_close(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_native_handle_maps_the_same_memory_and_is_not_inherited),
        RUN(a_handle_imported_for_reading_cannot_be_duplicated_into_more),
        RUN(a_handle_imported_for_reading_gives_no_right_to_write_the_list),
        RUN(a_native_section_for_reading_gives_no_writable_view),
        RUN(a_used_token_stays_used_when_its_handle_numbers_come_back),
        RUN(a_token_that_was_tampered_with_touches_no_handle),
    };
    return cmocka_run_group_tests_name("win32_handles", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
