/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Creating and opening mappings of memory: sizes (M1, M2, M3) and names that are taken (N5). What is wrong with
 * arguments is in argument.c.
 */
#include "support/host.h"
#include "support/peer.h"

#include <isthmus/win32.h>

/* ---- sizes ---- */

/* M1 */
TEST(memory_of_no_size_is_refused)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = (ist_mapping *)&mapping;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(name, "", "zero");
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, name, 0, NULL));
    assert_null(mapping);
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, NULL, 0, NULL));
    options.flags = IST_MAPPING_SPARSE;
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, name, 0, &options));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
}

/* M1 */
TEST(memory_is_zero_filled)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "zero");
    CHECK_OK(ist_mapping_create(&mapping, name, 300000, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
    assert_true(view.size >= 300000);
    for (size_t i = 0; i < view.size; i++)
        assert_int_equal(((unsigned char *)view.data)[i], 0);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

static void check_size(peer *other, const char *name, uint64_t asked)
{
    ist_mapping *mapping = NULL;
    ist_mapping *again = NULL;
    char size[32];
    uint64_t page = ist_page_size();
    uint64_t expected = (asked + page - 1) / page * page;
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)expected);
    CHECK_OK(ist_mapping_create(&mapping, name, asked, NULL));
    CHECK_OK(ist_mapping_open(&again, name, IST_READ));
    assert_true(ist_mapping_size(mapping) == expected);
    assert_true(ist_mapping_size(again) == expected);
    PEER_ASK(other, "IST_OK", "open %s read", peer_word(name));
    PEER_ASK(other, size, "size");
    PEER_ASK(other, "ok", "close");
    ist_mapping_close(again);
    ist_mapping_close(mapping);
}

/* M2 */
TEST(a_size_is_rounded_up_to_the_page_and_is_the_same_in_every_process)
{
    uint64_t page = ist_page_size();
    const uint64_t sizes[] = {1,     2,     page - 1, page,    page + 1,        2 * page - 1, 2 * page + 1,
                              65535, 65536, 65537,    1000000, 3 * 65536 + page};
    peer *other = peer_start_holder();
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char name[NAME_SIZE];
        unique_name(name, "", "size");
        check_size(other, name, sizes[i]);
    }
    peer_end(other);
}

/* M2 */
TEST(the_size_of_no_mapping_is_zero)
{
    assert_true(ist_mapping_size(NULL) == 0);
}

/* M2 */
TEST(an_unnamed_mapping_is_rounded_too)
{
    ist_mapping *mapping = NULL;
    CHECK_OK(ist_mapping_create(&mapping, NULL, ist_page_size() + 1, NULL));
    assert_true(ist_mapping_size(mapping) == 2 * ist_page_size());
    ist_mapping_close(mapping);
}

/* M3 */
TEST(more_memory_than_there_is_is_refused_at_creation)
{
    static const uint64_t sizes[] = {UINT64_C(1) << 46,       UINT64_C(1) << 50,  UINT64_C(1) << 62, UINT64_C(1) << 63,
                                     (UINT64_C(1) << 63) - 1, UINT64_MAX - 65536, UINT64_MAX - 4096, UINT64_MAX - 4095,
                                     UINT64_MAX - 1,          UINT64_MAX};
    char name[NAME_SIZE];
    if (host_emulator() != NULL)
        SKIP(more_memory_than_there_is_is_refused_at_creation, "Wine backs sections by sparse files of any size");
    unique_name(name, "", "huge");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_mapping *mapping = (ist_mapping *)&mapping;
        CHECK_STATUS(IST_E_SPACE, ist_mapping_create(&mapping, name, sizes[i], NULL));
        assert_null(mapping);
        CHECK_STATUS(IST_E_SPACE, ist_mapping_create(&mapping, NULL, sizes[i], NULL));
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    }
    ist_mapping *small = NULL;
    CHECK_OK(ist_mapping_create(&small, name, 1, NULL));
    ist_mapping_close(small);
}

/* M3: also an emulator knows that no object has this size */
TEST(sizes_that_no_object_can_have_are_refused_sparse_or_not)
{
    static const uint64_t sizes[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 65536, UINT64_C(1) << 63};
    char name[NAME_SIZE];
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(name, "", "huge");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_mapping *mapping = (ist_mapping *)&mapping;
        options.flags = 0;
        CHECK_STATUS(IST_E_SPACE, ist_mapping_create(&mapping, name, sizes[i], &options));
        assert_null(mapping);
        options.flags = IST_MAPPING_SPARSE;
        CHECK_STATUS(IST_E_SPACE, ist_mapping_create(&mapping, name, sizes[i], &options));
        assert_null(mapping);
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    }
}

/* ---- names that are taken ---- */

/* N5 */
TEST(creating_a_taken_name_gives_the_object_that_is_there)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "taken");
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s 4096", peer_word(name));
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    PEER_ASK(other, "ok", "poke 9 99");
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&mapping, name, 4096, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 4096, &view));
    assert_int_equal(((unsigned char *)view.data)[9], 99);
    ((unsigned char *)view.data)[10] = 100;
    PEER_ASK(other, "100", "peek 10");
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    peer_end(other);
}

/* N5 */
TEST(what_was_asked_for_is_ignored_where_the_object_exists)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    uint64_t page = ist_page_size();
    const uint64_t sizes[] = {1, page, 10 * page, UINT64_C(1) << 46, UINT64_C(1) << 63, UINT64_MAX};
    ist_mapping_options sparse = IST_MAPPING_OPTIONS_INIT;
    ist_mapping_options wide = IST_MAPPING_OPTIONS_INIT;
    sparse.flags = IST_MAPPING_SPARSE;
    wide.audience = IST_AUDIENCE_EVERYONE_WRITE;
    unique_name(name, "", "taken");
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s %llu", peer_word(name), (unsigned long long)(3 * page));
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        const ist_mapping_options *options[] = {NULL, &sparse, &wide};
        for (size_t j = 0; j < COUNT_OF(options); j++) {
            CHECK_STATUS(IST_EXISTED, ist_mapping_create(&mapping, name, sizes[i], options[j]));
            assert_true(ist_mapping_size(mapping) == 3 * page);
            ist_mapping_close(mapping);
        }
    }
    peer_end(other);
}

/* N5 */
TEST(a_taken_name_needs_no_file_and_no_file_grows)
{
    char name[NAME_SIZE];
    char path[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(name, "", "taken");
    unique_name(path, "isthmus-", "taken.tmp");
    assert_true(host_file_write(path, "abc", 3));
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s 4096", peer_word(name));
    options.path = path;
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&mapping, name, 100000, &options));
    ist_mapping_close(mapping);
    assert_true(host_file_size(path) == 3);
    options.path = "no-such-file-of-isthmus";
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&mapping, name, 100000, &options));
    ist_mapping_close(mapping);
    peer_end(other);
    assert_true(host_file_remove(path));
}

/* N5 */
TEST(what_was_asked_for_is_checked_also_where_the_object_exists)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping *second = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(name, "", "taken");
    CHECK_OK(ist_mapping_create(&mapping, name, 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&second, name, 0, NULL));
    options.flags = 0x80;
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&second, name, 1, &options));
    assert_null(second);
    ist_mapping_close(mapping);
}

/* N1 */
TEST(unnamed_mappings_never_meet)
{
    ist_mapping *one = NULL;
    ist_mapping *two = NULL;
    ist_view view = IST_VIEW_INIT;
    CHECK_OK(ist_mapping_create(&one, NULL, 1, NULL));
    CHECK_OK(ist_mapping_view(one, IST_WRITE, 0, 1, &view));
    *(unsigned char *)view.data = 1;
    ist_view_unmap(&view);
    CHECK_OK(ist_mapping_create(&two, NULL, 1, NULL));
    CHECK_OK(ist_mapping_view(two, IST_READ, 0, 1, &view));
    assert_int_equal(*(unsigned char *)view.data, 0);
    ist_view_unmap(&view);
    ist_mapping_close(one);
    ist_mapping_close(two);
}

/* ---- what is behind ---- */

TEST(a_native_handle_is_there_where_the_system_has_such_handles)
{
    ist_mapping *mapping = NULL;
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    CHECK_OK(ist_mapping_create(&mapping, NULL, 1, NULL));
    assert_true((ist_win32_mapping_handle(mapping) != NULL) == (strcmp(traits.backend, "win32") == 0));
    assert_null(ist_win32_mapping_handle(NULL));
    ist_mapping_close(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(memory_of_no_size_is_refused),
        RUN(memory_is_zero_filled),
        RUN(a_size_is_rounded_up_to_the_page_and_is_the_same_in_every_process),
        RUN(the_size_of_no_mapping_is_zero),
        RUN(an_unnamed_mapping_is_rounded_too),
        RUN(more_memory_than_there_is_is_refused_at_creation),
        RUN(sizes_that_no_object_can_have_are_refused_sparse_or_not),
        RUN(creating_a_taken_name_gives_the_object_that_is_there),
        RUN(what_was_asked_for_is_ignored_where_the_object_exists),
        RUN(a_taken_name_needs_no_file_and_no_file_grows),
        RUN(what_was_asked_for_is_checked_also_where_the_object_exists),
        RUN(unnamed_mappings_never_meet),
        RUN(a_native_handle_is_there_where_the_system_has_such_handles),
    };
    return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
