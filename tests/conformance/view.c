/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Views: where they may begin and end (M4), what they allow (M5, M6), coherence (M7). The order of letting go (M8) is
 * in remains.c, sparse and large ones are in sparse.c.
 */
#include "support/peer.h"

static ist_mapping *make(const char *name, uint64_t size, uint32_t flags)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = flags;
    CHECK_OK(ist_mapping_create(&mapping, name, size, &options));
    return mapping;
}

static void check_empty(const ist_view *view)
{
    assert_null(view->data);
    assert_null(view->reserved);
    assert_int_equal(view->size, 0);
}

typedef struct place_row {
    ist_status status;
    uint64_t offset;
    size_t length;
    size_t size; /* expected of the view */
} place_row;

/* M4 */
TEST(a_view_lies_inside_the_mapping_or_is_refused)
{
    const size_t granule = IST_GRANULARITY;
    const size_t page = (size_t)ist_page_size();
    const size_t whole = 3 * granule + page;
    const place_row rows[] = {
        {IST_OK, 0, 0, whole},
        {IST_OK, 0, 1, 1},
        {IST_OK, 0, page + 1, page + 1},
        {IST_OK, 0, whole, whole},
        {IST_OK, 0, whole - 1, whole - 1},
        {IST_E_RANGE, 0, whole + 1, 0},
        {IST_E_RANGE, 0, SIZE_MAX, 0},
        {IST_OK, granule, 0, whole - granule},
        {IST_OK, granule, 100, 100},
        {IST_OK, granule, whole - granule, whole - granule},
        {IST_E_RANGE, granule, whole - granule + 1, 0},
        {IST_E_RANGE, granule, SIZE_MAX, 0},
        {IST_E_RANGE, granule, SIZE_MAX - granule + 1, 0},
        {IST_OK, 3 * granule, 0, page},
        {IST_OK, 3 * granule, page, page},
        {IST_E_RANGE, 3 * granule, page + 1, 0},
        {IST_E_RANGE, 4 * granule, 0, 0},
        {IST_E_RANGE, 4 * granule, 1, 0},
        {IST_E_RANGE, UINT64_C(1) << 32, 0, 0},
        {IST_E_RANGE, (UINT64_C(1) << 32) + granule, 1, 0},
        {IST_E_RANGE, UINT64_C(1) << 63, 1, 0},
        {IST_E_RANGE, UINT64_MAX - granule + 1, 0, 0},
        {IST_E_RANGE, UINT64_MAX - granule + 1, granule, 0},
        {IST_E_RANGE, UINT64_MAX - granule + 1, SIZE_MAX, 0},
        {IST_E_ARG, 1, 1, 0},
        {IST_E_ARG, 4096, 0, 0},
        {IST_E_ARG, granule - 1, 1, 0},
        {IST_E_ARG, granule + 1, 1, 0},
        {IST_E_ARG, granule / 2, 1, 0},
        {IST_E_ARG, whole + 512, 0, 0},
        {IST_E_ARG, UINT64_MAX, 0, 0},
    };
    ist_mapping *mapping = make(NULL, whole, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ist_view view = {&view, 17, &view};
        char row[80];
        (void)snprintf(row, sizeof row, "row %zu: offset %llu length %zu", i, (unsigned long long)rows[i].offset,
                       rows[i].length);
        CHECK_ROW(row, rows[i].status, ist_mapping_view(mapping, IST_READ, rows[i].offset, rows[i].length, &view));
        if (rows[i].status == IST_OK) {
            assert_non_null(view.data);
            assert_int_equal(view.size, rows[i].size);
            assert_int_equal(((volatile unsigned char *)view.data)[view.size - 1], 0);
        } else {
            check_empty(&view);
        }
        ist_view_unmap(&view);
        check_empty(&view);
    }
    ist_mapping_close(mapping);
}

/* M4 */
TEST(an_offset_equal_to_the_size_is_out_of_range)
{
    ist_view view = IST_VIEW_INIT;
    ist_mapping *mapping = make(NULL, 2 * IST_GRANULARITY, 0);
    CHECK_STATUS(IST_E_RANGE, ist_mapping_view(mapping, IST_READ, 2 * IST_GRANULARITY, 0, &view));
    CHECK_STATUS(IST_E_RANGE, ist_mapping_view(mapping, IST_READ, 2 * IST_GRANULARITY, 1, &view));
    CHECK_OK(ist_mapping_view(mapping, IST_READ, IST_GRANULARITY, IST_GRANULARITY, &view));
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M4 */
TEST(a_view_shows_the_bytes_at_its_offset)
{
    ist_view whole = IST_VIEW_INIT;
    ist_view part = IST_VIEW_INIT;
    ist_mapping *mapping = make(NULL, 4 * IST_GRANULARITY, 0);
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &whole));
    unsigned char *bytes = whole.data;
    for (size_t i = 0; i < 4; i++) {
        bytes[i * IST_GRANULARITY] = (unsigned char)(i + 1);
        bytes[(i + 1) * IST_GRANULARITY - 1] = (unsigned char)(i + 101);
    }
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(ist_mapping_view(mapping, IST_READ, i * IST_GRANULARITY, IST_GRANULARITY, &part));
        assert_int_equal(((unsigned char *)part.data)[0], i + 1);
        assert_int_equal(((unsigned char *)part.data)[IST_GRANULARITY - 1], i + 101);
        ist_view_unmap(&part);
    }
    ist_view_unmap(&whole);
    ist_mapping_close(mapping);
}

TEST(arguments_that_make_no_view_are_refused)
{
    static const ist_access accesses[] = {
        0, IST_READ | IST_WRITE,          IST_READ | IST_COPY, IST_WRITE | IST_COPY,   7,
        8, IST_READ | IST_TRUST_EVERYONE, IST_TRUST_EVERYONE,  0x80000000u | IST_READ, UINT32_MAX};
    ist_mapping *mapping = make(NULL, 1, 0);
    ist_view view = {&view, 17, &view};
    CHECK_STATUS(IST_E_ARG, ist_mapping_view(mapping, IST_READ, 0, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_view(NULL, IST_READ, 0, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_view(NULL, IST_READ, 0, 0, &view));
    check_empty(&view);
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        view.size = 17;
        CHECK_STATUS(IST_E_ARG, ist_mapping_view(mapping, accesses[i], 0, 0, &view));
        check_empty(&view);
    }
    ist_mapping_close(mapping);
}

TEST(flush_and_commit_want_a_mapped_view)
{
    ist_view empty = IST_VIEW_INIT;
    CHECK_STATUS(IST_E_ARG, ist_view_flush(NULL));
    CHECK_STATUS(IST_E_ARG, ist_view_flush(&empty));
    CHECK_STATUS(IST_E_ARG, ist_view_commit(NULL, 0, 1));
    CHECK_STATUS(IST_E_ARG, ist_view_commit(&empty, 0, 1));
    CHECK_STATUS(IST_E_ARG, ist_view_commit(&empty, 0, 0));
}

TEST(flushing_memory_does_nothing)
{
    static const ist_access accesses[] = {IST_READ, IST_WRITE, IST_COPY};
    ist_mapping *mapping = make(NULL, 1, 0);
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        ist_view view = IST_VIEW_INIT;
        CHECK_OK(ist_mapping_view(mapping, accesses[i], 0, 0, &view));
        CHECK_OK(ist_view_flush(&view));
        ist_view_unmap(&view);
    }
    ist_mapping_close(mapping);
}

/* M5 */
TEST(a_handle_for_reading_gives_no_writable_view)
{
    char name[NAME_SIZE];
    ist_mapping *reader = NULL;
    ist_view view = {&view, 17, &view};
    unique_name(name, "", "access");
    ist_mapping *writer = make(name, 4096, 0);
    CHECK_OK(ist_mapping_open(&reader, name, IST_READ));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_view(reader, IST_WRITE, 0, 0, &view));
    check_empty(&view);
    CHECK_OK(ist_mapping_view(reader, IST_READ, 0, 0, &view));
    ist_view_unmap(&view);
    CHECK_OK(ist_mapping_view(reader, IST_COPY, 0, 0, &view));
    ((unsigned char *)view.data)[0] = 5;
    ist_view_unmap(&view);
    CHECK_OK(ist_mapping_view(writer, IST_WRITE, 0, 0, &view));
    assert_int_equal(((unsigned char *)view.data)[0], 0);
    ist_view_unmap(&view);
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "open %s read", name);
    PEER_ASK(other, "IST_E_ACCESS 0", "view write 0 0");
    PEER_ASK(other, "IST_OK 4096", "view read 0 4096");
    peer_end(other);
    ist_mapping_close(reader);
    ist_mapping_close(writer);
}

/* M5 */
TEST(the_access_is_the_handles_own_and_not_the_objects)
{
    char name[NAME_SIZE];
    ist_mapping *first = NULL;
    ist_mapping *second = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "access");
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s 4096", name);
    CHECK_OK(ist_mapping_open(&first, name, IST_READ));
    CHECK_OK(ist_mapping_open(&second, name, IST_WRITE));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_view(first, IST_WRITE, 0, 0, &view));
    CHECK_OK(ist_mapping_view(second, IST_WRITE, 0, 0, &view));
    ist_view_unmap(&view);
    ist_mapping_close(first);
    CHECK_OK(ist_mapping_view(second, IST_WRITE, 0, 0, &view));
    ist_view_unmap(&view);
    CHECK_OK(ist_mapping_open(&first, name, IST_READ));
    ist_mapping_close(second);
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_view(first, IST_WRITE, 0, 0, &view));
    ist_mapping_close(first);
    peer_end(other);
}

/* M6 */
TEST(writing_through_a_view_for_reading_kills)
{
    char name[NAME_SIZE];
    ist_view view = IST_VIEW_INIT;
    static const char *const accesses[] = {"read", "write"};
    unique_name(name, "", "fault");
    ist_mapping *mapping = make(name, 4096, 0);
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        peer *other = peer_start_holder();
        PEER_ASK(other, "IST_OK", "open %s %s", name, accesses[i]);
        PEER_ASK(other, "IST_OK 4096", "view read 0 4096");
        PEER_ASK(other, "0", "peek 100");
        peer_say(other, "poke 100 1");
        assert_false(peer_ended_well(other));
    }
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &view));
    assert_int_equal(((unsigned char *)view.data)[100], 0);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M6 */
TEST(what_is_written_into_a_copy_reaches_nobody)
{
    char name[NAME_SIZE];
    ist_view view = IST_VIEW_INIT;
    ist_view copy = IST_VIEW_INIT;
    ist_view another = IST_VIEW_INIT;
    unique_name(name, "", "copy");
    ist_mapping *mapping = make(name, 4096, 0);
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "open %s write", name);
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    CHECK_OK(ist_mapping_view(mapping, IST_COPY, 0, 0, &copy));
    CHECK_OK(ist_mapping_view(mapping, IST_COPY, 0, 0, &another));
    ((volatile unsigned char *)copy.data)[7] = 70;
    assert_int_equal(((volatile unsigned char *)copy.data)[7], 70);
    assert_int_equal(((volatile unsigned char *)view.data)[7], 0);
    assert_int_equal(((volatile unsigned char *)another.data)[7], 0);
    PEER_ASK(other, "0", "peek 7");
    ist_view_unmap(&copy);
    ist_view_unmap(&another);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    peer_end(other);
}

/* M6 */
TEST(a_copy_starts_from_what_is_there_when_it_is_first_touched)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view copy = IST_VIEW_INIT;
    unique_name(name, "", "copy");
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "create %s 4096", name);
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    PEER_ASK(other, "ok", "poke 3 30");
    CHECK_OK(ist_mapping_open(&mapping, name, IST_READ));
    CHECK_OK(ist_mapping_view(mapping, IST_COPY, 0, 0, &copy));
    PEER_ASK(other, "ok", "poke 3 31");
    volatile unsigned char *bytes = copy.data;
    assert_int_equal(bytes[3], 31);
    bytes[3] = 32;
    PEER_ASK(other, "31", "peek 3");
    PEER_ASK(other, "ok", "poke 3 33");
    PEER_ASK(other, "ok", "poke 4 44");
    assert_int_equal(bytes[3], 32);
    ist_view_unmap(&copy);
    ist_mapping_close(mapping);
    peer_end(other);
}

/* M7 */
TEST(two_views_in_one_process_have_different_addresses_and_the_same_bytes)
{
    ist_view one = IST_VIEW_INIT;
    ist_view two = IST_VIEW_INIT;
    ist_view three = IST_VIEW_INIT;
    ist_mapping *mapping = make(NULL, 2 * IST_GRANULARITY, 0);
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &one));
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 0, &two));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, IST_GRANULARITY, 10, &three));
    assert_ptr_not_equal(one.data, two.data);
    ((volatile unsigned char *)one.data)[0] = 12;
    assert_int_equal(((volatile unsigned char *)two.data)[0], 12);
    ((volatile unsigned char *)three.data)[9] = 13;
    assert_int_equal(((volatile unsigned char *)two.data)[IST_GRANULARITY + 9], 13);
    ist_view_unmap(&one);
    ist_view_unmap(&two);
    ist_view_unmap(&three);
    ist_mapping_close(mapping);
}

/* M7 */
TEST(views_in_different_processes_have_the_same_bytes)
{
    char name[NAME_SIZE];
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "coherent");
    ist_mapping *mapping = make(name, 2 * IST_GRANULARITY, 0);
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    volatile unsigned char *bytes = view.data;
    peer *one = peer_start_holder();
    peer *two = peer_start_holder();
    PEER_ASK(one, "IST_OK", "open %s write", name);
    PEER_ASK(one, "IST_OK 131072", "view write 0 0");
    PEER_ASK(two, "IST_OK", "open %s read", name);
    PEER_ASK(two, "IST_OK 65536", "view read 65536 0");
    for (unsigned i = 1; i < 20; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", i);
        PEER_ASK(one, "ok", "poke %u %u", 65536 + i, i);
        PEER_ASK(two, text, "peek %u", i);
        assert_int_equal(bytes[65536 + i], i);
        bytes[65536 + i] = (unsigned char)(i + 100);
        (void)snprintf(text, sizeof text, "%u", i + 100);
        PEER_ASK(one, text, "peek %u", 65536 + i);
        PEER_ASK(two, text, "peek %u", i);
    }
    peer_end(one);
    peer_end(two);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_view_lies_inside_the_mapping_or_is_refused),
        RUN(an_offset_equal_to_the_size_is_out_of_range),
        RUN(a_view_shows_the_bytes_at_its_offset),
        RUN(arguments_that_make_no_view_are_refused),
        RUN(flush_and_commit_want_a_mapped_view),
        RUN(flushing_memory_does_nothing),
        RUN(a_handle_for_reading_gives_no_writable_view),
        RUN(the_access_is_the_handles_own_and_not_the_objects),
        RUN(writing_through_a_view_for_reading_kills),
        RUN(what_is_written_into_a_copy_reaches_nobody),
        RUN(a_copy_starts_from_what_is_there_when_it_is_first_touched),
        RUN(two_views_in_one_process_have_different_addresses_and_the_same_bytes),
        RUN(views_in_different_processes_have_the_same_bytes),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
