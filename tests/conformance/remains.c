/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What outlives the last handle and what does not: views (L2, M8), and nothing else (L3).
 */
#include "support/life.h"
#include "support/peer.h"

/* L2 */
TEST(a_view_outlives_the_last_handle_but_the_name_does_not)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping *fresh = NULL;
    ist_view view = IST_VIEW_INIT;
    ist_view fresh_view = IST_VIEW_INIT;
    unique_name(name, "Local\\", "view");
    CHECK_OK(ist_mapping_create(&mapping, name, 4096, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    volatile unsigned char *old = view.data;
    old[0] = 11;
    ist_mapping_close(mapping);
    assert_int_equal(old[0], 11);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&fresh, name, IST_READ));
    CHECK_OK(ist_mapping_create(&fresh, name, 4096, NULL));
    CHECK_OK(ist_mapping_view(fresh, IST_WRITE, 0, 0, &fresh_view));
    volatile unsigned char *new = fresh_view.data;
    assert_int_equal(new[0], 0);
    new[0] = 22;
    old[1] = 33;
    assert_int_equal(old[0], 11);
    assert_int_equal(new[1], 0);
    ist_view_unmap(&view);
    life_check_alive(name);
    assert_int_equal(new[0], 22);
    ist_view_unmap(&fresh_view);
    ist_mapping_close(fresh);
    life_check_gone(name);
}

/* L2 M7 */
TEST(views_of_two_processes_stay_coherent_without_any_handle)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "", "view");
    peer *other = life_start_creator(name);
    CHECK_OK(ist_mapping_open(&mapping, name, IST_WRITE));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    ist_mapping_close(mapping);
    PEER_ASK(other, "ok", "close");
    life_check_gone(name);
    volatile unsigned char *bytes = view.data;
    bytes[5] = 55;
    PEER_ASK(other, "55", "peek 5");
    PEER_ASK(other, "ok", "poke 6 66");
    assert_int_equal(bytes[6], 66);
    peer_kill(other);
    assert_int_equal(bytes[0], 77);
    assert_int_equal(bytes[6], 66);
    life_check_gone(name);
    ist_view_unmap(&view);
    peer_forget(other);
}

/* L2 */
TEST(a_view_in_another_process_does_not_hold_the_name)
{
    char name[NAME_SIZE];
    unique_name(name, "", "view");
    peer *other = life_start_creator(name);
    PEER_ASK(other, "ok", "close");
    life_check_gone(name);
    PEER_ASK(other, "77", "peek 0");
    peer_end(other);
}

/* L3 */
TEST(thousands_of_objects_come_and_go_and_nothing_runs_out)
{
    char name[NAME_SIZE];
    unique_name(name, "", "many");
    for (int i = 0; i < 5000; i++) {
        ist_mapping *mapping = NULL;
        ist_mapping *again = NULL;
        ist_view view = IST_VIEW_INIT;
        CHECK_OK(ist_mapping_create(&mapping, i % 3 == 0 ? NULL : name, IST_GRANULARITY, NULL));
        if (i % 3 != 0)
            CHECK_OK(ist_mapping_open(&again, name, IST_WRITE));
        CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
        assert_int_equal(((unsigned char *)view.data)[i], 0);
        ((unsigned char *)view.data)[i] = 1;
        if (i % 2 == 0)
            ist_view_unmap(&view);
        ist_mapping_close(again);
        ist_mapping_close(mapping);
        ist_view_unmap(&view);
    }
}

/* L3 N9: what fails leaves nothing either */
TEST(thousands_of_failures_leave_nothing)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.path = "no-such-file-of-isthmus";
    unique_name(name, "", "failing");
    for (int i = 0; i < 3000; i++) {
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_WRITE));
        CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_create(&mapping, name, 1, &options));
        CHECK_STATUS(IST_E_ARG, ist_mapping_import(&mapping, "no token"));
        CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, name, 0, NULL));
    }
    life_check_gone(name);
}

/* L3 */
TEST(many_names_live_side_by_side)
{
    enum { MANY = 300 };
    static char names[MANY][NAME_SIZE];
    static ist_mapping *mappings[MANY];
    peer *other = peer_start_holder();
    for (size_t i = 0; i < MANY; i++) {
        unique_name(names[i], "", "side");
        CHECK_OK(ist_mapping_create(&mappings[i], names[i], 4096 * (i + 1), NULL));
    }
    for (size_t i = 0; i < MANY; i += 37) {
        char size[32];
        (void)snprintf(size, sizeof size, "%llu", (unsigned long long)ist_mapping_size(mappings[i]));
        PEER_ASK(other, "IST_OK", "open %s read", peer_word(names[i]));
        PEER_ASK(other, size, "size");
        PEER_ASK(other, "ok", "close");
    }
    for (size_t i = 0; i < MANY; i += 2)
        ist_mapping_close(mappings[i]);
    for (size_t i = 0; i < MANY; i++) {
        PEER_ASK(other, i % 2 == 0 ? "IST_E_NOT_FOUND" : "IST_OK", "open %s read", peer_word(names[i]));
        PEER_ASK(other, "ok", "close");
    }
    peer_end(other);
    for (size_t i = 1; i < MANY; i += 2)
        ist_mapping_close(mappings[i]);
}

static ist_mapping *make_unnamed(void)
{
    ist_mapping *mapping = NULL;
    CHECK_OK(ist_mapping_create(&mapping, NULL, 4096, NULL));
    return mapping;
}

/* M8 L2 */
TEST(views_and_handles_may_be_let_go_in_any_order)
{
    for (int order = 0; order < 6; order++) {
        static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        ist_view one = IST_VIEW_INIT;
        ist_view two = IST_VIEW_INIT;
        ist_mapping *mapping = make_unnamed();
        CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &one));
        CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &two));
        for (int step = 0; step < 3; step++) {
            if (one.data != NULL && two.data != NULL) {
                ((volatile unsigned char *)one.data)[step] = 9;
                assert_int_equal(((volatile unsigned char *)two.data)[step], 9);
            }
            if (orders[order][step] == 0)
                ist_view_unmap(&one);
            else if (orders[order][step] == 1)
                ist_view_unmap(&two);
            else
                ist_mapping_close(mapping);
        }
    }
}

/* M8 */
TEST(a_view_struct_may_be_copied_and_the_copy_unmapped)
{
    ist_view view = IST_VIEW_INIT;
    ist_mapping *mapping = make_unnamed();
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view));
    ist_view moved = view;
    CHECK_OK(ist_view_flush(&moved));
    ist_view_unmap(&moved);
    assert_null(moved.data);
    assert_int_equal(moved.size, 0);
    ist_mapping_close(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_view_outlives_the_last_handle_but_the_name_does_not),
        RUN(views_of_two_processes_stay_coherent_without_any_handle),
        RUN(a_view_in_another_process_does_not_hold_the_name),
        RUN(thousands_of_objects_come_and_go_and_nothing_runs_out),
        RUN(thousands_of_failures_leave_nothing),
        RUN(many_names_live_side_by_side),
        RUN(views_and_handles_may_be_let_go_in_any_order),
        RUN(a_view_struct_may_be_copied_and_the_copy_unmapped),
    };
    return cmocka_run_group_tests_name("remains", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
