/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which names are well-formed: N1, N2.
 */
#include "support/peer.h"

#define LONGEST IST_NAME_MAX

typedef struct name_row {
    ist_status status;
    const char *name;
} name_row;

static const name_row name_rows[] = {
    /* N1: not empty, well-formed UTF-8 */
    {IST_E_NAME, ""},
    {IST_E_NAME, "Local\\"},
    {IST_E_NAME, "Global\\"},
    {IST_OK, "x"},
    {IST_OK, "\x7F"},
    {IST_OK, "\x01"},
    {IST_OK, "\xC2\x80"},
    {IST_OK, "\xDF\xBF"},
    {IST_OK, "\xE0\xA0\x80"},
    {IST_OK, "\xED\x9F\xBF"},
    {IST_OK, "\xEE\x80\x80"},
    {IST_OK, "\xEF\xBF\xBD"},
    {IST_OK, "\xF0\x90\x80\x80"},
    {IST_OK, "\xF4\x8F\xBF\xBF"},
    {IST_E_NAME, "\x80"},                     /* a continuation byte alone */
    {IST_E_NAME, "a\xBFz"},                   /* the same inside */
    {IST_E_NAME, "\xC0\x80"},                 /* overlong, two bytes: NUL */
    {IST_E_NAME, "\xC0\xAF"},                 /* overlong '/' */
    {IST_E_NAME, "\xC1\xBF"},                 /* overlong, two bytes */
    {IST_E_NAME, "\xE0\x80\xAF"},             /* overlong, three bytes */
    {IST_E_NAME, "\xE0\x9F\xBF"},             /* the largest of them */
    {IST_E_NAME, "\xF0\x80\x80\xAF"},         /* overlong, four bytes */
    {IST_E_NAME, "\xF0\x8F\xBF\xBF"},         /* the largest of them */
    {IST_E_NAME, "\xED\xA0\x80"},             /* the first surrogate */
    {IST_E_NAME, "\xED\xAF\xBF\xED\xB0\x80"}, /* a pair of them */
    {IST_E_NAME, "\xED\xBF\xBF"},             /* the last surrogate */
    {IST_E_NAME, "\xF4\x90\x80\x80"},         /* above U+10FFFF */
    {IST_E_NAME, "\xF5\x80\x80\x80"},
    {IST_E_NAME, "\xF8\x88\x80\x80\x80"}, /* five bytes */
    {IST_E_NAME, "\xFC\x84\x80\x80\x80\x80"},
    {IST_E_NAME, "\xFE"},
    {IST_E_NAME, "\xFF"},
    {IST_E_NAME, "a\xC3"}, /* truncated, of two */
    {IST_E_NAME, "\xC3z"},
    {IST_E_NAME, "\xE2\x82"}, /* of three */
    {IST_E_NAME, "\xE2\x82z"},
    {IST_E_NAME, "\xF0\x9F\x98"}, /* of four */
    {IST_E_NAME, "\xF0\x9F\x98z"},
    {IST_E_NAME, "Local\\\xFF"},
    {IST_E_NAME, "Global\\\xED\xA0\x80"},
    /* N2: two prefixes, spelled exactly so, and no other backslash */
    {IST_OK, "Local\\x"},
    {IST_OK, "Global\\x"},
    {IST_E_NAME, "local\\x"},
    {IST_E_NAME, "LOCAL\\x"},
    {IST_E_NAME, "global\\x"},
    {IST_E_NAME, "GLOBAL\\x"},
    {IST_E_NAME, "Session\\1\\x"},
    {IST_E_NAME, "Session\\x"},
    {IST_E_NAME, "X\\Y"},
    {IST_E_NAME, "\\"},
    {IST_E_NAME, "\\x"},
    {IST_E_NAME, "x\\"},
    {IST_E_NAME, "\\Local\\x"},
    {IST_E_NAME, " Local\\x"},
    {IST_E_NAME, "Local \\x"},
    {IST_E_NAME, "Local\\\\x"},
    {IST_E_NAME, "Local\\x\\y"},
    {IST_E_NAME, "Local\\x\\"},
    {IST_E_NAME, "Local\\Local\\x"},
    {IST_E_NAME, "Local\\Global\\x"},
    {IST_E_NAME, "Global\\Local\\x"},
    {IST_E_NAME, "Global\\Global\\x"},
    {IST_E_NAME, "Global\\Session\\x"},
    {IST_E_NAME, "AppContainerNamedObjects\\x"},
    {IST_E_NAME, "\\BaseNamedObjects\\x"},
    {IST_E_NAME, "\\\\.\\pipe\\x"},
    {IST_OK, "Local/x"},
    {IST_OK, "Local"
             "x"},
    /* N2: the reserved words */
    {IST_E_NAME, "Global"},
    {IST_E_NAME, "Local"},
    {IST_E_NAME, "Session"},
    {IST_E_NAME, "Restricted"},
    {IST_E_NAME, "AppContainerNamedObjects"},
    {IST_E_NAME, "Local\\Global"},
    {IST_E_NAME, "Local\\Local"},
    {IST_E_NAME, "Local\\Session"},
    {IST_E_NAME, "Local\\Restricted"},
    {IST_E_NAME, "Local\\AppContainerNamedObjects"},
    {IST_E_NAME, "Global\\Global"},
    {IST_E_NAME, "Global\\Local"},
    {IST_E_NAME, "Global\\Session"},
    {IST_E_NAME, "Global\\Restricted"},
    {IST_E_NAME, "Global\\AppContainerNamedObjects"},
    {IST_OK, "Globals"},
    {IST_OK, "Loca"},
    {IST_OK, "Sessions"},
    {IST_OK, "Restricted."},
    {IST_OK, "AppContainerNamedObject"},
    /* N2: every other character is legal */
    {IST_OK, "/"},
    {IST_OK, "/etc/passwd"},
    {IST_OK, "."},
    {IST_OK, ".."},
    {IST_OK, "../../x"},
    {IST_OK, "*"},
    {IST_OK, "?"},
    {IST_OK, ":"},
    {IST_OK, "a:b"},
    {IST_OK, "<|>\""},
    {IST_OK, " "},
    {IST_OK, "%41"},
    {IST_OK, "\n"},
};

/* N1 N2 */
TEST(a_name_is_well_formed_or_is_refused)
{
    for (size_t i = 0; i < COUNT_OF(name_rows); i++)
        CHECK_ROW(name_rows[i].name, name_rows[i].status, ist_name_check(name_rows[i].name));
}

/* N1 N2 */
TEST(create_and_open_refuse_what_the_check_refuses)
{
    for (size_t i = 0; i < COUNT_OF(name_rows); i++) {
        ist_mapping *mapping = (ist_mapping *)&mapping;
        if (name_rows[i].status == IST_OK)
            continue;
        CHECK_ROW(name_rows[i].name, IST_E_NAME, ist_mapping_create(&mapping, name_rows[i].name, 1, NULL));
        assert_null(mapping);
        mapping = (ist_mapping *)&mapping;
        CHECK_ROW(name_rows[i].name, IST_E_NAME, ist_mapping_open(&mapping, name_rows[i].name, IST_READ));
        assert_null(mapping);
    }
}

/* N1 */
TEST(no_name_at_all_is_well_formed)
{
    CHECK_OK(ist_name_check(NULL));
}

static void make_long(char *name, const char *prefix, char filler, size_t length)
{
    memset(name, filler, length);
    memcpy(name, prefix, strlen(prefix));
    name[length] = '\0';
}

/* N1 */
TEST(a_name_has_at_most_255_bytes_with_its_prefix)
{
    static const char *const prefixes[] = {"", "Local\\", "Global\\"};
    char name[5000];
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        make_long(name, prefixes[i], 'x', LONGEST);
        CHECK_ROW(prefixes[i], IST_OK, ist_name_check(name));
        make_long(name, prefixes[i], 'x', LONGEST + 1);
        CHECK_ROW(prefixes[i], IST_E_NAME, ist_name_check(name));
        make_long(name, prefixes[i], 'x', sizeof name - 1);
        CHECK_ROW(prefixes[i], IST_E_NAME, ist_name_check(name));
    }
}

/* N1 */
TEST(the_limit_counts_bytes_not_characters)
{
    char name[400] = "";
    for (size_t i = 0; i < 85; i++)
        memcpy(name + 3 * i, "\xE2\x82\xAC", 4);
    assert_int_equal(strlen(name), 255);
    CHECK_OK(ist_name_check(name));
    memcpy(name + 255, "x", 2);
    CHECK_STATUS(IST_E_NAME, ist_name_check(name));
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_name_is_well_formed_or_is_refused),   RUN(create_and_open_refuse_what_the_check_refuses),
        RUN(no_name_at_all_is_well_formed),         RUN(a_name_has_at_most_255_bytes_with_its_prefix),
        RUN(the_limit_counts_bytes_not_characters),
    };
    return cmocka_run_group_tests_name("wellformed", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
