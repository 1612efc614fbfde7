/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Sparse mappings and what is large: reserve and commit (M3), sizes and offsets above 4 GiB (M10), and views that the
 * address space cannot hold (M12).
 */
#include "support/host.h"
#include "support/peer.h"

#define GIB (UINT64_C(1) << 30)
#define VIEWS_MAX 4096

static ist_mapping *make_sparse(const char *name, uint64_t size)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = IST_MAPPING_SPARSE;
    CHECK_OK(ist_mapping_create(&mapping, name, size, &options));
    return mapping;
}

static ist_view map(ist_mapping *mapping, ist_access access, uint64_t offset, size_t length)
{
    ist_view view = IST_VIEW_INIT;
    CHECK_OK(ist_mapping_view(mapping, access, offset, length, &view));
    return view;
}

/* M3 */
TEST(a_page_that_was_committed_can_be_touched_by_every_process)
{
    char name[NAME_SIZE];
    unique_name(name, "", "sparse");
    ist_mapping *mapping = make_sparse(name, 16 * IST_GRANULARITY);
    ist_view view = map(mapping, IST_WRITE, 0, 0);
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "open %s write", name);
    PEER_ASK(other, "IST_OK 65536", "view write 131072 65536");
    CHECK_OK(ist_view_commit(&view, 2 * IST_GRANULARITY, IST_GRANULARITY));
    PEER_ASK(other, "blank", "blank");
    PEER_ASK(other, "ok", "poke 65535 3");
    assert_int_equal(((volatile unsigned char *)view.data)[3 * IST_GRANULARITY - 1], 3);
    PEER_ASK(other, "ok", "unmap");
    PEER_ASK(other, "IST_OK 65536", "view write 0 65536");
    PEER_ASK(other, "IST_OK", "commit 0 1");
    ((volatile unsigned char *)view.data)[0] = 4;
    PEER_ASK(other, "4", "peek 0");
    peer_end(other);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M3 */
TEST(committing_again_changes_nothing)
{
    ist_mapping *mapping = make_sparse(NULL, 4 * IST_GRANULARITY);
    ist_view view = map(mapping, IST_WRITE, 0, 0);
    volatile unsigned char *bytes = view.data;
    CHECK_OK(ist_view_commit(&view, 0, 10));
    bytes[5] = 50;
    CHECK_OK(ist_view_commit(&view, 0, 10));
    CHECK_OK(ist_view_commit(&view, 3, 1));
    CHECK_OK(ist_view_commit(&view, 0, 0));
    assert_int_equal(bytes[5], 50);
    for (size_t i = 6; i < view.size; i++)
        assert_int_equal(bytes[i], 0);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M3: any alignment, widened to whole pages */
TEST(a_commit_is_widened_to_whole_pages)
{
    size_t page = (size_t)ist_page_size();
    ist_mapping *mapping = make_sparse(NULL, 2 * IST_GRANULARITY);
    ist_view view = map(mapping, IST_WRITE, IST_GRANULARITY, 0);
    volatile unsigned char *bytes = view.data;
    CHECK_OK(ist_view_commit(&view, page - 1, 2));
    bytes[0] = 1;
    bytes[2 * page - 1] = 2;
    assert_int_equal(bytes[page - 1] + bytes[page], 0);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M3 */
TEST(the_place_of_a_commit_lies_inside_the_view_or_is_refused)
{
    ist_mapping *mapping = make_sparse(NULL, 4 * IST_GRANULARITY);
    ist_view view = map(mapping, IST_WRITE, IST_GRANULARITY, 2 * IST_GRANULARITY);
    size_t size = view.size;
    CHECK_OK(ist_view_commit(&view, 0, size));
    CHECK_OK(ist_view_commit(&view, 0, 0));
    CHECK_OK(ist_view_commit(&view, size - 1, 1));
    CHECK_OK(ist_view_commit(&view, size - 1, 0));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, 0, size + 1));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, size - 1, 2));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, size, 0));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, size, 1));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, 1, SIZE_MAX));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, SIZE_MAX, 1));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, SIZE_MAX, 0));
    CHECK_STATUS(IST_E_RANGE, ist_view_commit(&view, SIZE_MAX, SIZE_MAX));
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M3 */
TEST(only_a_view_for_writing_commits)
{
    char name[NAME_SIZE];
    ist_mapping *reader = NULL;
    unique_name(name, "", "sparse");
    ist_mapping *mapping = make_sparse(name, IST_GRANULARITY);
    ist_view view = map(mapping, IST_READ, 0, 0);
    CHECK_STATUS(IST_E_ACCESS, ist_view_commit(&view, 0, 1));
    ist_view_unmap(&view);
    view = map(mapping, IST_COPY, 0, 0);
    CHECK_STATUS(IST_E_ACCESS, ist_view_commit(&view, 0, 1));
    ist_view_unmap(&view);
    CHECK_OK(ist_mapping_open(&reader, name, IST_READ));
    view = map(reader, IST_READ, 0, 0);
    CHECK_STATUS(IST_E_ACCESS, ist_view_commit(&view, 0, 0));
    ist_view_unmap(&view);
    ist_mapping_close(reader);
    ist_mapping_close(mapping);
}

/* M3: what is not sparse is backed already */
TEST(committing_what_is_not_sparse_does_nothing)
{
    ist_mapping *mapping = NULL;
    CHECK_OK(ist_mapping_create(&mapping, NULL, 4096, NULL));
    ist_view view = map(mapping, IST_WRITE, 0, 0);
    ((volatile unsigned char *)view.data)[1] = 1;
    CHECK_OK(ist_view_commit(&view, 0, 0));
    CHECK_OK(ist_view_commit(&view, 1, 1));
    assert_int_equal(((volatile unsigned char *)view.data)[1], 1);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M3 L2 */
TEST(a_commit_needs_no_handle)
{
    ist_mapping *mapping = make_sparse(NULL, 2 * IST_GRANULARITY);
    ist_view view = map(mapping, IST_WRITE, 0, 0);
    ist_mapping_close(mapping);
    CHECK_OK(ist_view_commit(&view, IST_GRANULARITY, 1));
    ((volatile unsigned char *)view.data)[IST_GRANULARITY] = 1;
    ist_view_unmap(&view);
}

/* M3 M2 */
TEST(a_sparse_mapping_has_the_size_asked_for)
{
    ist_mapping *mapping = make_sparse(NULL, 10 * ist_page_size() + 1);
    assert_true(ist_mapping_size(mapping) == 11 * ist_page_size());
    ist_mapping_close(mapping);
}

/* Reserves and maps more than the machine has; a sanitizer may leave less address space than the system does. */
static uint64_t reserve_much(ist_mapping **mapping, ist_view *view)
{
    static const uint64_t sizes[] = {4096 * GIB, 1024 * GIB, 512 * GIB};
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = IST_MAPPING_SPARSE;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CHECK_OK(ist_mapping_create(mapping, NULL, sizes[i], &options));
        ist_status status = ist_mapping_view(*mapping, IST_WRITE, 0, 0, view);
        if (status == IST_OK)
            return sizes[i];
        CHECK_STATUS(IST_E_MEMORY, status);
        ist_mapping_close(*mapping);
    }
    CHECK_FAIL("no address space for 512 GiB");
    return 0;
}

/* M3: more than the machine has can be reserved, but not taken */
TEST(a_commit_of_more_than_there_is_is_refused)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    if (host_address_bits() < 64)
        SKIP(a_commit_of_more_than_there_is_is_refused, "the address space is too small to ask for so much");
    if (host_emulator() != NULL)
        SKIP(a_commit_of_more_than_there_is_is_refused, "Wine commits reserved views without taking anything");
    size_t last = (size_t)(reserve_much(&mapping, &view) - GIB);
    CHECK_STATUS(IST_E_SPACE, ist_view_commit(&view, 0, 0));
    CHECK_OK(ist_view_commit(&view, last, 1));
    ((volatile unsigned char *)view.data)[last] = 1;
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* M10 */
TEST(sizes_above_4_gib_are_told_exactly)
{
    char name[NAME_SIZE];
    char text[32];
    uint64_t page = ist_page_size();
    if (host_address_bits() < 64)
        SKIP(sizes_above_4_gib_are_told_exactly, "only 64-bit promises sizes above 4 GiB");
    unique_name(name, "", "big");
    ist_mapping *mapping = make_sparse(name, 4 * GIB + 1);
    assert_true(ist_mapping_size(mapping) == 4 * GIB + page);
    peer *other = peer_start_holder();
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)(4 * GIB + page));
    PEER_ASK(other, "IST_OK", "open %s read", name);
    PEER_ASK(other, text, "size");
    peer_end(other);
    ist_mapping_close(mapping);
}

/* M10 */
TEST(offsets_above_4_gib_are_places_of_their_own)
{
    char name[NAME_SIZE];
    if (host_address_bits() < 64)
        SKIP(offsets_above_4_gib_are_places_of_their_own, "only 64-bit promises offsets above 4 GiB");
    unique_name(name, "", "big");
    ist_mapping *mapping = make_sparse(name, 9 * GIB);
    peer *other = peer_start_holder();
    PEER_ASK(other, "IST_OK", "open %s write", name);
    for (uint64_t place = 0; place < 9 * GIB; place += 4 * GIB) {
        ist_view view = map(mapping, IST_WRITE, place + IST_GRANULARITY, 4096);
        CHECK_OK(ist_view_commit(&view, 0, 4096));
        assert_int_equal(((volatile unsigned char *)view.data)[1], 0);
        ((volatile unsigned char *)view.data)[1] = (unsigned char)(place / GIB + 1);
        ist_view_unmap(&view);
    }
    for (uint64_t place = 0; place < 9 * GIB; place += 4 * GIB) {
        char text[32];
        (void)snprintf(text, sizeof text, "%u", (unsigned)(place / GIB + 1));
        PEER_ASK(other, "IST_OK 4096", "view read %llu 4096", (unsigned long long)place + IST_GRANULARITY);
        PEER_ASK(other, text, "peek 1");
        PEER_ASK(other, "ok", "unmap");
    }
    peer_end(other);
    ist_mapping_close(mapping);
}

/* M10 */
TEST(a_view_may_be_larger_than_4_gib)
{
    if (host_address_bits() < 64)
        SKIP(a_view_may_be_larger_than_4_gib, "only 64-bit has the address space");
    ist_mapping *mapping = make_sparse(NULL, 6 * GIB);
    ist_view view = map(mapping, IST_WRITE, 0, 0);
    ist_view high = map(mapping, IST_WRITE, 5 * GIB, 4096);
    assert_true(view.size == 6 * GIB);
    CHECK_OK(ist_view_commit(&view, (size_t)(5 * GIB), 4096));
    ((volatile unsigned char *)view.data)[(size_t)(5 * GIB) + 9] = 99;
    assert_int_equal(((volatile unsigned char *)high.data)[9], 99);
    ist_view_unmap(&high);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* The largest sparse mapping that this system makes. */
static ist_mapping *make_vast(void)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = IST_MAPPING_SPARSE;
    for (unsigned bits = host_address_bits() < 64 ? 31 : 47; bits >= 30; bits--) {
        ist_status status = ist_mapping_create(&mapping, NULL, UINT64_C(1) << bits, &options);
        if (status == IST_OK)
            return mapping;
        CHECK_STATUS(IST_E_SPACE, status);
    }
    return NULL;
}

/* M12 */
TEST(a_view_that_the_address_space_cannot_hold_is_out_of_memory)
{
    static ist_view views[VIEWS_MAX];
    size_t count = 0;
    ist_status status = IST_OK;
    if (host_emulator() != NULL && host_address_bits() == 64)
        SKIP(a_view_that_the_address_space_cannot_hold_is_out_of_memory,
             "Wine takes a byte for each page of address space and is killed");
    ist_mapping *mapping = make_vast();
    assert_non_null(mapping);
    while (count < VIEWS_MAX && status == IST_OK)
        status = ist_mapping_view(mapping, IST_READ, 0, 0, &views[count++]);
    for (size_t i = 0; i + 1 < count; i++)
        ist_view_unmap(&views[i]);
    CHECK_STATUS(IST_E_MEMORY, status);
    assert_null(views[count - 1].data);
    ist_view view = map(mapping, IST_READ, 0, 4096);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_page_that_was_committed_can_be_touched_by_every_process),
        RUN(committing_again_changes_nothing),
        RUN(a_commit_is_widened_to_whole_pages),
        RUN(the_place_of_a_commit_lies_inside_the_view_or_is_refused),
        RUN(only_a_view_for_writing_commits),
        RUN(committing_what_is_not_sparse_does_nothing),
        RUN(a_commit_needs_no_handle),
        RUN(a_sparse_mapping_has_the_size_asked_for),
        RUN(a_commit_of_more_than_there_is_is_refused),
        RUN(sizes_above_4_gib_are_told_exactly),
        RUN(offsets_above_4_gib_are_places_of_their_own),
        RUN(a_view_may_be_larger_than_4_gib),
        RUN(a_view_that_the_address_space_cannot_hold_is_out_of_memory),
    };
    return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
