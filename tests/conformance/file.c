/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mappings over files: M9, and what M2, M3, M6, L1 and L2 say of them. Which files and which access are in path.c.
 */
#include "support/file.h"
#include "support/host.h"
#include "support/peer.h"

static unsigned byte_in_file(uint64_t offset)
{
    unsigned char byte = 0;
    assert_true(host_file_read(file_path, offset, &byte, 1));
    return byte;
}

/* M9 */
TEST(size_zero_takes_the_files_size_exactly)
{
    static const size_t sizes[] = {1, 2, 4095, 4096, 4097, 65536, 65537, 200001};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_mapping *mapping = NULL;
        ist_view view = IST_VIEW_INIT;
        file_make(sizes[i]);
        CHECK_OK(file_map(&mapping, NULL, 0, IST_WRITE));
        assert_true(ist_mapping_size(mapping) == sizes[i]);
        CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
        assert_int_equal(view.size, sizes[i]);
        assert_int_equal(((unsigned char *)view.data)[sizes[i] - 1], (sizes[i] - 1) % 251);
        ist_view_unmap(&view);
        ist_mapping_close(mapping);
        assert_true(host_file_size(file_path) == sizes[i]);
        file_remove();
    }
}

/* M9 */
TEST(an_empty_file_with_size_zero_is_refused)
{
    ist_mapping *mapping = (ist_mapping *)&mapping;
    file_make(0);
    CHECK_STATUS(IST_E_SIZE, file_map(&mapping, NULL, 0, IST_WRITE));
    assert_null(mapping);
    CHECK_STATUS(IST_E_SIZE, file_map(&mapping, NULL, 0, IST_READ));
    file_remove();
}

/* M9 */
TEST(a_writable_mapping_larger_than_the_file_extends_it)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    file_make(100);
    CHECK_OK(file_map(&mapping, NULL, 70001, IST_WRITE));
    assert_true(ist_mapping_size(mapping) == 70001);
    assert_true(host_file_size(file_path) == 70001);
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    assert_int_equal(view.size, 70001);
    for (size_t i = 0; i < view.size; i++)
        assert_int_equal(((unsigned char *)view.data)[i], i < 100 ? i % 251 : 0);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    assert_true(host_file_size(file_path) == 70001);
    file_remove();
}

/* M9 */
TEST(an_empty_file_grows_to_the_size_asked_for)
{
    ist_mapping *mapping = NULL;
    file_make(0);
    CHECK_OK(file_map(&mapping, NULL, 1, IST_WRITE));
    assert_true(ist_mapping_size(mapping) == 1);
    ist_mapping_close(mapping);
    assert_true(host_file_size(file_path) == 1);
    file_remove();
}

/* M9 */
TEST(a_read_only_mapping_larger_than_its_file_is_refused)
{
    ist_mapping *mapping = (ist_mapping *)&mapping;
    file_make(100);
    CHECK_STATUS(IST_E_ACCESS, file_map(&mapping, NULL, 101, IST_READ));
    assert_null(mapping);
    CHECK_STATUS(IST_E_ACCESS, file_map(&mapping, NULL, UINT64_C(1) << 40, IST_READ));
    assert_true(host_file_size(file_path) == 100);
    CHECK_OK(file_map(&mapping, NULL, 100, IST_READ));
    ist_mapping_close(mapping);
    file_remove();
}

/* M2 M9 */
TEST(a_mapping_smaller_than_its_file_has_the_size_asked_for)
{
    static const ist_access accesses[] = {IST_READ, IST_WRITE};
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        ist_mapping *mapping = NULL;
        ist_view view = IST_VIEW_INIT;
        file_make(9000);
        CHECK_OK(file_map(&mapping, NULL, 4097, accesses[i]));
        assert_true(ist_mapping_size(mapping) == 4097);
        CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
        assert_int_equal(view.size, 4097);
        ist_view_unmap(&view);
        CHECK_STATUS(IST_E_RANGE, ist_mapping_view(mapping, IST_READ, 0, 4098, &view));
        ist_mapping_close(mapping);
        assert_true(host_file_size(file_path) == 9000);
        file_remove();
    }
}

/* M3 M9 N9 */
TEST(a_file_that_the_disk_cannot_hold_is_refused_and_does_not_grow)
{
    static const uint64_t sizes[] = {UINT64_C(1) << 62, UINT64_C(1) << 63, UINT64_MAX};
    file_make(100);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_mapping *mapping = (ist_mapping *)&mapping;
        CHECK_STATUS(IST_E_SPACE, file_map(&mapping, NULL, sizes[i], IST_WRITE));
        assert_null(mapping);
        assert_true(host_file_size(file_path) == 100);
    }
    file_remove();
}

/* M9 */
TEST(others_open_it_by_name_alone)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "Local\\", "file");
    file_make(5000);
    CHECK_OK(file_map(&mapping, name, 0, IST_WRITE));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "open %s write", peer_word(name));
    PEER_ASK(other, "5000", "size");
    PEER_ASK(other, "IST_OK 5000", "view write 0 0");
    PEER_ASK(other, "230", "peek 4999");
    PEER_ASK(other, "ok", "poke 4999 7");
    assert_int_equal(((volatile unsigned char *)view.data)[4999], 7);
    ((volatile unsigned char *)view.data)[0] = 8;
    PEER_ASK(other, "8", "peek 0");
    peer_end(other);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    file_remove();
}

/* L1 M9: the object goes, the file stays */
TEST(the_name_dies_and_the_file_stays)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "file");
    file_make(5000);
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s 0 path=%s", name, peer_word(file_path));
    PEER_ASK(other, "IST_OK 5000", "view write 0 0");
    PEER_ASK(other, "ok", "poke 1 99");
    PEER_ASK(other, "IST_OK", "flush");
    peer_kill(other);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    assert_true(host_file_size(file_path) == 5000);
    assert_int_equal(byte_in_file(1), 99);
    CHECK_OK(ist_mapping_create(&mapping, name, 1, NULL));
    ist_mapping_close(mapping);
    peer_forget(other);
    file_remove();
}

/* M9 */
TEST(what_is_written_is_in_the_file_after_a_flush)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    file_make(70000);
    CHECK_OK(file_map(&mapping, NULL, 0, IST_WRITE));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    ((volatile unsigned char *)view.data)[0] = 200;
    ((volatile unsigned char *)view.data)[69999] = 201;
    CHECK_OK(ist_view_flush(&view));
    assert_int_equal(byte_in_file(0), 200);
    assert_int_equal(byte_in_file(69999), 201);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    file_remove();
}

/* M9 L2: a view of a part, whose handle has gone */
TEST(a_flush_needs_no_handle)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    file_make(200000);
    CHECK_OK(file_map(&mapping, NULL, 0, IST_WRITE));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 2 * IST_GRANULARITY, 100, &view));
    ist_mapping_close(mapping);
    ((volatile unsigned char *)view.data)[99] = 202;
    CHECK_OK(ist_view_flush(&view));
    assert_int_equal(byte_in_file(2 * IST_GRANULARITY + 99), 202);
    ist_view_unmap(&view);
    file_remove();
}

/* M9 */
TEST(what_was_written_is_in_the_file_after_a_crash_of_the_writer)
{
    file_make(5000);
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create - 0 path=%s", peer_word(file_path));
    PEER_ASK(other, "IST_OK 5000", "view write 0 0");
    PEER_ASK(other, "ok", "poke 4321 99");
    peer_kill(other);
    assert_int_equal(byte_in_file(4321), 99);
    peer_forget(other);
    file_remove();
}

/* M9 */
TEST(flushing_a_view_that_is_not_for_writing_does_nothing)
{
    static const ist_access accesses[] = {IST_READ, IST_COPY};
    ist_mapping *mapping = NULL;
    file_make(5000);
    CHECK_OK(file_map(&mapping, NULL, 0, IST_WRITE));
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        ist_view view = IST_VIEW_INIT;
        CHECK_OK(ist_mapping_view(mapping, accesses[i], 0, 0, &view));
        CHECK_OK(ist_view_flush(&view));
        ist_view_unmap(&view);
    }
    ist_mapping_close(mapping);
    file_remove();
}

/* M6 M9 */
TEST(a_copy_of_a_file_leaves_the_file_alone)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    file_make(5000);
    CHECK_OK(file_map(&mapping, NULL, 0, IST_READ));
    CHECK_OK(ist_mapping_view(mapping, IST_COPY, 0, 0, &view));
    assert_int_equal(((volatile unsigned char *)view.data)[10], 10);
    ((volatile unsigned char *)view.data)[10] = 99;
    CHECK_OK(ist_view_flush(&view));
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    assert_int_equal(byte_in_file(10), 10);
    file_remove();
}

/* M9 */
TEST(sparse_over_a_file_is_refused)
{
    ist_mapping *mapping = (ist_mapping *)&mapping;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    file_make(5000);
    options.path = file_path;
    options.flags = IST_MAPPING_SPARSE;
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, NULL, 0, &options));
    assert_null(mapping);
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, NULL, 5000, &options));
    file_remove();
}

/* M7 M9 */
TEST(two_objects_over_one_file_show_the_same_bytes)
{
    ist_mapping *one = NULL;
    ist_mapping *two = NULL;
    ist_view first = IST_VIEW_INIT;
    ist_view second = IST_VIEW_INIT;
    file_make(5000);
    CHECK_OK(file_map(&one, NULL, 0, IST_WRITE));
    CHECK_OK(file_map(&two, NULL, 0, IST_WRITE));
    CHECK_OK(ist_mapping_view(one, IST_WRITE, 0, 0, &first));
    CHECK_OK(ist_mapping_view(two, IST_READ, 0, 0, &second));
    ((volatile unsigned char *)first.data)[77] = 177;
    assert_int_equal(((volatile unsigned char *)second.data)[77], 177);
    ist_view_unmap(&first);
    ist_view_unmap(&second);
    ist_mapping_close(one);
    ist_mapping_close(two);
    file_remove();
}

/* N5 M9 */
TEST(the_first_creator_chooses_the_file)
{
    char name[NAME_SIZE];
    char first[NAME_SIZE];
    ist_mapping *one = NULL;
    ist_mapping *two = NULL;
    unique_name(name, "", "file");
    file_make(5000);
    memcpy(first, file_path, sizeof first);
    CHECK_OK(file_map(&one, name, 0, IST_WRITE));
    file_make(100);
    CHECK_STATUS(IST_EXISTED, file_map(&two, name, 9000, IST_WRITE));
    assert_true(ist_mapping_size(two) == 5000);
    assert_true(host_file_size(file_path) == 100);
    ist_mapping_close(two);
    CHECK_STATUS(IST_EXISTED, ist_mapping_create(&two, name, 1, NULL));
    assert_true(ist_mapping_size(two) == 5000);
    ist_mapping_close(two);
    ist_mapping_close(one);
    file_remove();
    memcpy(file_path, first, sizeof file_path);
    file_remove();
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(size_zero_takes_the_files_size_exactly),
        RUN(an_empty_file_with_size_zero_is_refused),
        RUN(a_writable_mapping_larger_than_the_file_extends_it),
        RUN(an_empty_file_grows_to_the_size_asked_for),
        RUN(a_read_only_mapping_larger_than_its_file_is_refused),
        RUN(a_mapping_smaller_than_its_file_has_the_size_asked_for),
        RUN(a_file_that_the_disk_cannot_hold_is_refused_and_does_not_grow),
        RUN(others_open_it_by_name_alone),
        RUN(the_name_dies_and_the_file_stays),
        RUN(what_is_written_is_in_the_file_after_a_flush),
        RUN(a_flush_needs_no_handle),
        RUN(what_was_written_is_in_the_file_after_a_crash_of_the_writer),
        RUN(flushing_a_view_that_is_not_for_writing_does_nothing),
        RUN(a_copy_of_a_file_leaves_the_file_alone),
        RUN(sparse_over_a_file_is_refused),
        RUN(two_objects_over_one_file_show_the_same_bytes),
        RUN(the_first_creator_chooses_the_file),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
