/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * UTF-16 text in shared memory: round trips, every bound, and what a hostile writer may leave there (A3).
 */
#include "support/peer.h"

#define MARK16 0xABCD
#define MARK8 '\x5A'

typedef struct pair {
    const char *utf8;
    ist_char16 utf16[8];
    size_t units; /* terminator included */
} pair;

static const pair pairs[] = {
    {"", {0}, 1},
    {"A", {'A', 0}, 2},
    {"\x7F", {0x7F, 0}, 2},
    {"\xC2\x80", {0x80, 0}, 2},
    {"\xDF\xBF", {0x7FF, 0}, 2},
    {"\xE0\xA0\x80", {0x800, 0}, 2},
    {"\xE2\x82\xAC", {0x20AC, 0}, 2},
    {"\xED\x9F\xBF", {0xD7FF, 0}, 2},
    {"\xEE\x80\x80", {0xE000, 0}, 2},
    {"\xEF\xBB\xBF", {0xFEFF, 0}, 2},
    {"\xEF\xBF\xBF", {0xFFFF, 0}, 2},
    {"\xF0\x90\x80\x80", {0xD800, 0xDC00, 0}, 3},
    {"\xF0\x9F\x98\x80", {0xD83D, 0xDE00, 0}, 3},
    {"\xF4\x8F\xBF\xBF", {0xDBFF, 0xDFFF, 0}, 3},
    {"a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z", {'a', 0xE4, 0x20AC, 0xD83D, 0xDE00, 'z', 0}, 7},
};

/* What is no UTF-8, one of each class. */
static const char *const malformed[] = {
    "\x80",
    "a\xBF",
    "\xC0\x80",
    "\xC1\xBF",
    "\xC2",
    "\xC2z",
    "\xE0\x80\x80",
    "\xE0\x9F\xBF",
    "\xE2\x82",
    "\xE2\x82z",
    "\xED\xA0\x80",
    "\xED\xBF\xBF",
    "\xF0\x80\x80\x80",
    "\xF0\x8F\xBF\xBF",
    "\xF0\x9F\x98",
    "\xF4\x90\x80\x80",
    "\xF5\x80\x80\x80",
    "\xF8\x88\x80\x80\x80",
    "\xFE",
    "\xFF",
};

TEST(text_is_written_as_utf16_with_its_terminator)
{
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        ist_char16 out[9];
        size_t units = 77;
        out[pairs[i].units] = MARK16;
        CHECK_ROW(pairs[i].utf8, IST_OK, ist_utf16_write(out, pairs[i].units, pairs[i].utf8, &units));
        assert_int_equal(units, pairs[i].units);
        assert_memory_equal(out, pairs[i].utf16, units * sizeof out[0]);
        assert_int_equal(out[units], MARK16);
    }
}

TEST(text_is_read_back_as_utf8_with_its_terminator)
{
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char out[40];
        size_t bytes = 77;
        size_t length = strlen(pairs[i].utf8) + 1;
        memset(out, MARK8, sizeof out);
        CHECK_ROW(pairs[i].utf8, IST_OK, ist_utf16_read(out, length, pairs[i].utf16, pairs[i].units, &bytes));
        assert_int_equal(bytes, length);
        assert_memory_equal(out, pairs[i].utf8, length);
        assert_int_equal(out[length], MARK8);
    }
}

TEST(a_buffer_too_small_for_the_text_gets_nothing_and_the_size_needed_is_told)
{
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        for (size_t capacity = 0; capacity < pairs[i].units; capacity++) {
            ist_char16 out[9];
            size_t units = 77;
            for (size_t j = 0; j < COUNT_OF(out); j++)
                out[j] = MARK16;
            CHECK_ROW(pairs[i].utf8, IST_E_SIZE, ist_utf16_write(out, capacity, pairs[i].utf8, &units));
            assert_int_equal(units, pairs[i].units);
            for (size_t j = 0; j < COUNT_OF(out); j++)
                assert_int_equal(out[j], MARK16);
        }
    }
}

TEST(a_buffer_too_small_for_reading_becomes_an_empty_string_and_the_size_needed_is_told)
{
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        for (size_t capacity = 0; capacity < strlen(pairs[i].utf8) + 1; capacity++) {
            char out[40];
            size_t bytes = 77;
            memset(out, MARK8, sizeof out);
            CHECK_ROW(pairs[i].utf8, IST_E_SIZE, ist_utf16_read(out, capacity, pairs[i].utf16, pairs[i].units, &bytes));
            assert_int_equal(bytes, strlen(pairs[i].utf8) + 1);
            assert_int_equal(out[0], capacity == 0 ? MARK8 : 0);
            assert_int_equal(out[capacity], MARK8);
        }
    }
}

TEST(the_sizes_may_be_unwanted)
{
    ist_char16 units[4];
    char bytes[4];
    CHECK_OK(ist_utf16_write(units, 4, "abc", NULL));
    CHECK_OK(ist_utf16_read(bytes, 4, units, 4, NULL));
    assert_string_equal(bytes, "abc");
    CHECK_STATUS(IST_E_SIZE, ist_utf16_write(units, 3, "abc", NULL));
    CHECK_STATUS(IST_E_SIZE, ist_utf16_read(bytes, 3, units, 4, NULL));
}

TEST(the_size_needed_can_be_asked_for_without_a_buffer)
{
    const ist_char16 units[] = {0x20AC, 0};
    size_t bytes = 0;
    CHECK_STATUS(IST_E_SIZE, ist_utf16_read(NULL, 0, units, 2, &bytes));
    assert_int_equal(bytes, 4);
}

TEST(more_room_than_needed_is_no_harm)
{
    ist_char16 units[100];
    char bytes[100];
    size_t count = 0;
    CHECK_OK(ist_utf16_write(units, 100, "abc", &count));
    assert_int_equal(count, 4);
    CHECK_OK(ist_utf16_read(bytes, 100, units, SIZE_MAX, &count));
    assert_int_equal(count, 4);
}

TEST(null_arguments_of_the_text_functions_are_refused)
{
    ist_char16 units[4] = {'a', 0, 0, 0};
    char bytes[4] = "x";
    size_t count = 77;
    CHECK_STATUS(IST_E_ARG, ist_utf16_write(NULL, 4, "abc", &count));
    CHECK_STATUS(IST_E_ARG, ist_utf16_write(NULL, 0, "abc", &count));
    CHECK_STATUS(IST_E_ARG, ist_utf16_write(units, 4, NULL, &count));
    CHECK_STATUS(IST_E_ARG, ist_utf16_read(NULL, 4, units, 4, &count));
    CHECK_STATUS(IST_E_ARG, ist_utf16_read(bytes, 4, NULL, 4, &count));
    assert_int_equal(units[0], 'a');
}

TEST(malformed_utf8_is_refused_and_nothing_is_written)
{
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        ist_char16 out[16];
        for (size_t j = 0; j < COUNT_OF(out); j++)
            out[j] = MARK16;
        CHECK_ROW("malformed UTF-8", IST_E_ARG, ist_utf16_write(out, 16, malformed[i], NULL));
        for (size_t j = 0; j < COUNT_OF(out); j++)
            assert_int_equal(out[j], MARK16);
    }
}

typedef struct bad_units {
    const char *what;
    ist_char16 units[4];
    size_t count;
} bad_units;

/* A3 */
TEST(what_a_hostile_writer_left_is_corrupt_and_leaves_an_empty_string)
{
    static const bad_units bad[] = {
        {"no unit at all", {0}, 0},
        {"one unit, no terminator", {'a'}, 1},
        {"four units, no terminator", {'a', 'b', 'c', 'd'}, 4},
        {"a terminator just outside", {'a', 'b', 0}, 2},
        {"a low surrogate alone", {0xDC00, 0}, 2},
        {"the last low surrogate alone", {0xDFFF, 0}, 2},
        {"a high surrogate before the terminator", {0xD800, 0}, 2},
        {"a high surrogate before a letter", {0xD800, 'a', 0}, 3},
        {"two high surrogates", {0xD800, 0xDBFF, 0}, 3},
        {"two low surrogates", {0xDC00, 0xDC00, 0}, 3},
        {"surrogates in the wrong order", {0xDC00, 0xD800, 0}, 3},
        {"a high surrogate at the bound", {'a', 0xD83D}, 2},
        {"a pair cut by the bound", {'a', 0xD83D, 0xDE00, 0}, 2},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char out[16];
        memset(out, MARK8, sizeof out);
        CHECK_ROW(bad[i].what, IST_E_CORRUPT, ist_utf16_read(out, sizeof out, bad[i].units, bad[i].count, NULL));
        assert_int_equal(out[0], 0);
        CHECK_ROW(bad[i].what, IST_E_CORRUPT, ist_utf16_read(NULL, 0, bad[i].units, bad[i].count, NULL));
    }
}

/* A3 */
TEST(reading_stops_at_the_bound_and_at_the_terminator)
{
    ist_char16 units[] = {'a', 0, 0xDC00, 0xDC00};
    char out[8];
    CHECK_OK(ist_utf16_read(out, sizeof out, units, 4, NULL));
    assert_string_equal(out, "a");
    CHECK_OK(ist_utf16_read(out, sizeof out, units, 2, NULL));
    assert_string_equal(out, "a");
}

TEST(every_code_point_survives_the_round_trip)
{
    for (uint32_t point = 1; point <= 0x10FFFF; point += point < 0x3000 ? 1 : 0x1F) {
        ist_char16 units[3] = {0, 0, 0};
        ist_char16 again[3];
        char bytes[5];
        size_t count = 0;
        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        units[0] = (ist_char16)(point < 0x10000 ? point : 0xD800 + ((point - 0x10000) >> 10));
        if (point >= 0x10000)
            units[1] = (ist_char16)(0xDC00 + (point & 0x3FF));
        CHECK_OK(ist_utf16_read(bytes, sizeof bytes, units, 3, NULL));
        CHECK_OK(ist_utf16_write(again, 3, bytes, &count));
        assert_int_equal(count, point < 0x10000 ? 2 : 3);
        assert_memory_equal(again, units, count * sizeof units[0]);
    }
}

TEST(text_written_by_one_process_is_read_by_another_unit_by_unit)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    unique_name(name, "Local\\", "text");
    peer *reader = peer_start_holder();
    CHECK_OK(ist_mapping_create(&mapping, name, 256, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 256, &view));
    CHECK_OK(ist_utf16_write(view.data, view.size / sizeof(ist_char16), "Message from first process", NULL));
    PEER_ASK(reader, "IST_OK", "open %s read", peer_word(name));
    PEER_ASK(reader, "IST_OK 256", "view read 0 256");
    PEER_ASK(reader, "Message from first process", "text");
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    peer_end(reader);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(text_is_written_as_utf16_with_its_terminator),
        RUN(text_is_read_back_as_utf8_with_its_terminator),
        RUN(a_buffer_too_small_for_the_text_gets_nothing_and_the_size_needed_is_told),
        RUN(a_buffer_too_small_for_reading_becomes_an_empty_string_and_the_size_needed_is_told),
        RUN(the_sizes_may_be_unwanted),
        RUN(the_size_needed_can_be_asked_for_without_a_buffer),
        RUN(more_room_than_needed_is_no_harm),
        RUN(null_arguments_of_the_text_functions_are_refused),
        RUN(malformed_utf8_is_refused_and_nothing_is_written),
        RUN(what_a_hostile_writer_left_is_corrupt_and_leaves_an_empty_string),
        RUN(reading_stops_at_the_bound_and_at_the_terminator),
        RUN(every_code_point_survives_the_round_trip),
        RUN(text_written_by_one_process_is_read_by_another_unit_by_unit),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
