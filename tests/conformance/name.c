/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which names mean the same object (N1, N2, N3, N7), and what is not found (N6). Which are well-formed is in
 * wellformed.c; names that are taken (N5) are in mapping.c, races for one (N8) in race.c.
 */
#include "support/peer.h"

#define LONGEST IST_NAME_MAX

static void make_long(char *name, const char *prefix, char filler, size_t length)
{
    memset(name, filler, length);
    memcpy(name, prefix, strlen(prefix));
    name[length] = '\0';
}

/* Creates `name` here and opens it there, and sees that it is one object. */
static void check_shared(peer *other, const char *row, const char *name, const char *name_there)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    CHECK_ROW(row, IST_OK, ist_mapping_create(&mapping, name, 1, NULL));
    CHECK_ROW(row, IST_OK, ist_mapping_view(mapping, IST_WRITE, 0, 1, &view));
    *(unsigned char *)view.data = 201;
    PEER_ASK(other, "IST_OK", "open %s read", peer_word(name_there));
    PEER_ASK(other, "IST_OK 1", "view read 0 1");
    PEER_ASK(other, "201", "peek 0");
    PEER_ASK(other, "ok", "unmap");
    PEER_ASK(other, "ok", "close");
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
}

/* N1 N2 */
TEST(every_legal_name_is_an_object_that_another_process_finds)
{
    static const char *const tails[] = {
        "/",
        "//",
        "/../..",
        "..",
        ".",
        "*",
        "?",
        ":",
        "a:b",
        "<|>\"",
        "%41",
        "%",
        "%%",
        "%2F",
        "$HOME",
        "~",
        "`x`",
        "'",
        "#",
        " x",
        "x ",
        "x.",
        "\xC3\xA4",
        "a\xCC\x88",
        "\xE2\x82\xAC",
        "\xF0\x9F\x98\x80",
        "\xEF\xBF\xBF",
        "\n",
        "\r",
        "\t",
        "\x01",
        "\x7F",
        "con",
        "NUL",
        "aux",
        "LPT1",
    };
    peer *other = peer_start_holder();
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        char name[NAME_SIZE];
        unique_name(name, "", "legal");
        (void)strcat(name, tails[i]);
        check_shared(other, tails[i], name, name);
    }
    peer_end(other);
}

/* N2: a name never chooses a path, also where it begins with what a path could begin with */
TEST(names_that_look_like_paths_are_objects_like_others)
{
    static const char *const heads[] = {".", "..", "/", "../", "./", "/dev/shm/", "/tmp/",
                                        "*", ":",  "%", " ",   "-",  "~/"};
    peer *other = peer_start_holder();
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        char name[NAME_SIZE];
        unique_name(name, heads[i], "head");
        check_shared(other, heads[i], name, name);
        unique_name(name, "Local\\", heads[i]);
        check_shared(other, heads[i], name, name);
    }
    peer_end(other);
}

/* N1 */
TEST(names_of_the_greatest_length_are_objects_like_others)
{
    static const char fillers[] = {'x', 'X', '/', '%', '.', ' '};
    peer *other = peer_start_holder();
    for (size_t i = 0; i < COUNT_OF(fillers); i++) {
        char name[NAME_SIZE];
        char unique[NAME_SIZE];
        char row[2] = {fillers[i], '\0'};
        unique_name(unique, "", "long");
        make_long(name, unique, fillers[i], LONGEST);
        check_shared(other, row, name, name);
        unique_name(unique, "Local\\", "long");
        make_long(name, unique, fillers[i], LONGEST);
        check_shared(other, row, name, name);
    }
    peer_end(other);
}

/* Creates both names and sees that they are two objects. */
static void check_different(const char *one, const char *two)
{
    ist_mapping *first = NULL;
    ist_mapping *second = NULL;
    CHECK_ROW(one, IST_OK, ist_mapping_create(&first, one, 1, NULL));
    CHECK_ROW(two, IST_E_NOT_FOUND, ist_mapping_open(&second, two, IST_READ));
    CHECK_ROW(two, IST_OK, ist_mapping_create(&second, two, 1, NULL));
    ist_mapping_close(first);
    first = NULL;
    CHECK_ROW(one, IST_E_NOT_FOUND, ist_mapping_open(&first, one, IST_READ));
    CHECK_ROW(two, IST_EXISTED, ist_mapping_create(&first, two, 1, NULL));
    ist_mapping_close(first);
    ist_mapping_close(second);
}

/* N1 N2 N3 */
TEST(names_that_differ_at_all_are_different_objects)
{
    static const char *const pairs[][2] = {
        {"%41", "A"},
        {"%61", "a"},
        {"%", "%25"},
        {"x", "x."},
        {"x", "x "},
        {"x", " x"},
        {"x", ".x"},
        {"/x", "x"},
        {"//x", "/x"},
        {"./x", "x"},
        {"a/../x", "x"},
        {"x/", "x"},
        {"x*", "x"},
        {"x:y", "x"},
        {"x", "x\n"},
        {"\xC3\xA4", "a\xCC\x88"},
        {"\xEF\xAC\x81", "fi"},
        {"x_y", "x%5Fy"},
        {"x_y", "x-y"},
        {"x/y", "x%2Fy"},
        {"x/y", "x%2fy"},
        {"x\x01", "x%01"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char one[NAME_SIZE];
        char two[NAME_SIZE];
        char head[NAME_SIZE];
        unique_name(head, "", "pair");
        (void)snprintf(one, sizeof one, "%.100s%s", head, pairs[i][0]);
        (void)snprintf(two, sizeof two, "%.100s%s", head, pairs[i][1]);
        check_different(one, two);
        (void)snprintf(one, sizeof one, "%s%.100s", pairs[i][0], head);
        (void)snprintf(two, sizeof two, "%s%.100s", pairs[i][1], head);
        check_different(one, two);
    }
}

/* N3 */
TEST(capitals_and_small_letters_are_different)
{
    char one[NAME_SIZE];
    char two[NAME_SIZE];
    unique_name(one, "", "case-abcz");
    memcpy(two, one, sizeof two);
    memcpy(two, "CASE", 4);
    check_different(one, two);
    memcpy(two, one, sizeof two);
    two[8] = 'Z';
    check_different(one, two);
    unique_name(one, "", "\xC3\xA4");
    memcpy(two, one, sizeof two);
    memcpy(two, "\xC3\x84", 2);
    check_different(one, two);
}

/* N1: names whose escaped form is too long for a file name, equal for as long as can be */
TEST(long_names_with_a_common_beginning_are_different_objects)
{
    static const char fillers[] = {'x', 'X', '/'};
    for (size_t i = 0; i < COUNT_OF(fillers); i++) {
        char one[NAME_SIZE];
        char two[NAME_SIZE];
        char unique[NAME_SIZE];
        unique_name(unique, "", "twin");
        make_long(one, unique, fillers[i], LONGEST);
        memcpy(two, one, sizeof two);
        two[LONGEST - 1] = 'q';
        check_different(one, two);
        make_long(two, unique, fillers[i], LONGEST - 1);
        check_different(one, two);
    }
}

/* N2 */
TEST(no_prefix_means_local)
{
    char bare[NAME_SIZE];
    char local[NAME_SIZE];
    peer *other = peer_start_holder();
    unique_name(bare, "", "bare");
    (void)snprintf(local, sizeof local, "Local\\%.200s", bare);
    check_shared(other, "bare here, Local there", bare, local);
    check_shared(other, "Local here, bare there", local, bare);
    peer_end(other);
}

/* N7 */
TEST(local_and_global_objects_of_one_name_never_meet)
{
    char local[NAME_SIZE];
    char global[NAME_SIZE];
    char bare[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    unique_name(bare, "", "scope");
    (void)snprintf(local, sizeof local, "Local\\%.200s", bare);
    (void)snprintf(global, sizeof global, "Global\\%.200s", bare);
    ist_status status = ist_mapping_create(&mapping, global, 1, NULL);
    if (status == IST_E_ACCESS)
        SKIP(local_and_global_objects_of_one_name_never_meet, "this user may not create Global\\ objects");
    CHECK_OK(status);
    ist_mapping_close(mapping);
    if (traits.one_scope)
        SKIP(local_and_global_objects_of_one_name_never_meet, "in this session Local\\ and Global\\ are one");
    check_different(local, global);
    check_different(global, bare);
}

/* N7 */
TEST(a_global_object_is_found_by_another_process)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "Global\\", "global");
    ist_status status = ist_mapping_create(&mapping, name, 1, NULL);
    if (status == IST_E_ACCESS)
        SKIP(a_global_object_is_found_by_another_process, "this user may not create Global\\ objects");
    CHECK_OK(status);
    ist_mapping_close(mapping);
    peer *other = peer_start_holder();
    check_shared(other, "Global", name, name);
    make_long(name, name, 'X', LONGEST);
    check_shared(other, "a long Global", name, name);
    peer_end(other);
}

/* N6 */
TEST(opening_a_name_that_nobody_holds_is_not_found)
{
    static const char *const prefixes[] = {"", "Local\\", "Global\\"};
    static const ist_access accesses[] = {IST_READ, IST_WRITE, IST_READ | IST_TRUST_EVERYONE,
                                          IST_WRITE | IST_TRUST_EVERYONE};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        for (size_t j = 0; j < COUNT_OF(accesses); j++) {
            char name[NAME_SIZE];
            ist_mapping *mapping = (ist_mapping *)&mapping;
            unique_name(name, prefixes[i], "nobody");
            CHECK_ROW(name, IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, accesses[j]));
            assert_null(mapping);
        }
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(every_legal_name_is_an_object_that_another_process_finds),
        RUN(names_that_look_like_paths_are_objects_like_others),
        RUN(names_of_the_greatest_length_are_objects_like_others),
        RUN(names_that_differ_at_all_are_different_objects),
        RUN(capitals_and_small_letters_are_different),
        RUN(long_names_with_a_common_beginning_are_different_objects),
        RUN(no_prefix_means_local),
        RUN(local_and_global_objects_of_one_name_never_meet),
        RUN(a_global_object_is_found_by_another_process),
        RUN(opening_a_name_that_nobody_holds_is_not_found),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
