/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which files can be mapped, and for what: M9, M5, N9.
 */
#include "support/file.h"
#include "support/host.h"
#include "support/peer.h"

/* M5 M9 */
TEST(nobody_gets_a_writable_view_of_a_read_only_mapping)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping *second = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "file");
    file_make(5000);
    CHECK_OK(file_map(&mapping, name, 0, IST_READ));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
    assert_int_equal(((unsigned char *)view.data)[250], 250);
    ist_view_unmap(&view);
    CHECK_OK(ist_mapping_open(&second, name, IST_READ));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_view(second, IST_WRITE, 0, 0, &view));
    ist_mapping_close(second);
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_open(&second, name, IST_WRITE));
    assert_null(second);
    ist_mapping_close(mapping);
    file_remove();
}

/* M9 */
TEST(a_read_only_mapping_is_shared_for_reading)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "file");
    file_make(5000);
    CHECK_OK(file_map(&mapping, name, 0, IST_READ));
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "open %s read", name);
    PEER_ASK(other, "5000", "size");
    PEER_ASK(other, "IST_OK 5000", "view read 0 0");
    PEER_ASK(other, "100", "peek 100");
    PEER_ASK(other, "IST_E_ACCESS 0", "view write 0 0");
    PEER_ASK(other, "ok", "close");
    PEER_ASK(other, "IST_EXISTED", "create %s 0 read path=%s", name, peer_word(file_path));
    PEER_ASK(other, "5000", "size");
    peer_end(other);
    ist_mapping_close(mapping);
    file_remove();
}

/* N9 M9 */
TEST(a_file_that_may_not_be_written_gives_no_writable_mapping)
{
    ist_mapping *mapping = (ist_mapping *)&mapping;
    file_make(5000);
    assert_true(host_file_protect(file_path, true));
    if (host_file_writable(file_path)) {
        file_remove();
        SKIP(a_file_that_may_not_be_written_gives_no_writable_mapping, "this user may write every file");
    }
    CHECK_STATUS(IST_E_ACCESS, file_map(&mapping, NULL, 0, IST_WRITE));
    assert_null(mapping);
    CHECK_STATUS(IST_E_ACCESS, file_map(&mapping, NULL, UINT64_C(1) << 62, IST_WRITE));
    CHECK_OK(file_map(&mapping, NULL, 0, IST_READ));
    ist_mapping_close(mapping);
    assert_true(host_file_protect(file_path, false));
    file_remove();
}

/* M9 */
TEST(a_file_that_is_not_there_is_not_found)
{
    static const char *const paths[] = {"isthmus-no-such-file.tmp", "isthmus-no-such-folder/file", "./isthmus-no",
                                        "isthmus-\xC3\xA4.tmp"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        ist_mapping *mapping = (ist_mapping *)&mapping;
        (void)snprintf(file_path, sizeof file_path, "%s", paths[i]);
        CHECK_ROW(file_path, IST_E_NOT_FOUND, file_map(&mapping, NULL, 0, IST_WRITE));
        assert_null(mapping);
        CHECK_ROW(file_path, IST_E_NOT_FOUND, file_map(&mapping, NULL, 10, IST_READ));
        CHECK_ROW(file_path, IST_E_NOT_FOUND, file_map(&mapping, NULL, 10, IST_WRITE));
        assert_true(host_file_size(file_path) == UINT64_MAX);
    }
}

/* M9 */
TEST(a_path_that_is_no_text_is_refused)
{
    static const char *const paths[] = {"", "\xFF", "a\xC0\x80", "isthmus-\xED\xA0\x80", "x\xC3"};
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        ist_mapping *mapping = (ist_mapping *)&mapping;
        options.path = paths[i];
        CHECK_ROW(paths[i], IST_E_ARG, ist_mapping_create(&mapping, NULL, 1, &options));
        assert_null(mapping);
    }
}

/* M9 */
TEST(a_path_that_is_no_file_is_refused)
{
    static char longest[70000];
    ist_mapping *mapping = (ist_mapping *)&mapping;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.path = ".";
    CHECK_FAILS(ist_mapping_create(&mapping, NULL, 1, &options));
    assert_null(mapping);
    memset(longest, 'x', sizeof longest - 1);
    options.path = longest;
    CHECK_FAILS(ist_mapping_create(&mapping, NULL, 1, &options));
    assert_null(mapping);
}

/* M9: paths are UTF-8 everywhere */
TEST(a_path_may_have_any_characters)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "file");
    unique_name(file_path, "isthmus-", "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80.tmp");
    assert_true(host_file_write(file_path, "abc", 3));
    CHECK_OK(file_map(&mapping, name, 0, IST_WRITE));
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "open %s read", name);
    PEER_ASK(other, "IST_OK 3", "view read 0 0");
    PEER_ASK(other, "99", "peek 2");
    peer_end(other);
    ist_mapping_close(mapping);
    file_remove();
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(nobody_gets_a_writable_view_of_a_read_only_mapping),
        RUN(a_read_only_mapping_is_shared_for_reading),
        RUN(a_file_that_may_not_be_written_gives_no_writable_mapping),
        RUN(a_file_that_is_not_there_is_not_found),
        RUN(a_path_that_is_no_text_is_refused),
        RUN(a_path_that_is_no_file_is_refused),
        RUN(a_path_may_have_any_characters),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
