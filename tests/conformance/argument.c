/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What create and open refuse: which fault is told first (N9), and every argument at and beyond its limits. Those of
 * views are in view.c, of tokens in token.c, of paths in file.c.
 */
#include "support/peer.h"

/* ---- which fault is told first ---- */

/* N9 */
TEST(an_argument_is_told_before_a_name)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(NULL, "a\\b", 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, "a\\b", 0, NULL));
    options.flags = 0x100;
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(&mapping, "", 1, &options));
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(NULL, "", IST_READ));
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(&mapping, "", 0));
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(&mapping, "\xFF", IST_READ | IST_WRITE));
}

/* N9 */
TEST(a_name_is_told_before_what_is_not_found_and_before_space)
{
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    CHECK_STATUS(IST_E_NAME, ist_mapping_create(&mapping, "a\\b", UINT64_MAX, NULL));
    options.path = "no-such-file-of-isthmus";
    CHECK_STATUS(IST_E_NAME, ist_mapping_create(&mapping, "a\\b", 1, &options));
    CHECK_STATUS(IST_E_NAME, ist_mapping_create(&mapping, "a\\b", UINT64_MAX, &options));
}

/* N9 */
TEST(what_is_not_found_is_told_before_access_and_space)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(name, "", "order");
    options.path = "no-such-file-of-isthmus";
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_create(&mapping, name, UINT64_C(1) << 62, &options));
    options.access = IST_READ;
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_create(&mapping, name, UINT64_C(1) << 62, &options));
}

/* ---- arguments ---- */

TEST(nowhere_to_put_the_handle_is_refused)
{
    char name[NAME_SIZE];
    unique_name(name, "", "args");
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(NULL, name, 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_create(NULL, NULL, 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(NULL, name, IST_READ));
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(NULL, NULL, IST_READ));
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(NULL, "x"));
}

TEST(opening_no_name_is_refused)
{
    ist_mapping *mapping = (ist_mapping *)&mapping;
    CHECK_STATUS(IST_E_ARG, ist_mapping_open(&mapping, NULL, IST_READ));
    assert_null(mapping);
}

TEST(an_access_that_is_none_is_refused_by_open)
{
    static const ist_access accesses[] = {0,
                                          IST_READ | IST_WRITE,
                                          IST_COPY,
                                          IST_COPY | IST_READ,
                                          IST_COPY | IST_WRITE,
                                          7,
                                          8,
                                          IST_READ | 8,
                                          IST_READ | 0x80,
                                          IST_READ | 0x200,
                                          IST_WRITE | 0x80000000u,
                                          IST_TRUST_EVERYONE,
                                          IST_TRUST_EVERYONE | IST_READ | IST_WRITE,
                                          IST_TRUST_EVERYONE | IST_COPY,
                                          UINT32_MAX};
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "args");
    CHECK_OK(ist_mapping_create(&mapping, name, 1, NULL));
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        ist_mapping *second = (ist_mapping *)&second;
        CHECK_STATUS(IST_E_ARG, ist_mapping_open(&second, name, accesses[i]));
        assert_null(second);
    }
    ist_mapping_close(mapping);
}

/* Creates with these options, which are wrong, and sees that nothing was made. */
static void check_refused(const char *row, const ist_mapping_options *options)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = (ist_mapping *)&mapping;
    unique_name(name, "", "args");
    CHECK_ROW(row, IST_E_ARG, ist_mapping_create(&mapping, name, 4096, options));
    assert_null(mapping);
    CHECK_ROW(row, IST_E_ARG, ist_mapping_create(&mapping, NULL, 4096, options));
    CHECK_ROW(row, IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
}

TEST(unknown_flags_are_refused)
{
    for (unsigned bit = 1; bit < 32; bit++) {
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.flags = 1u << bit;
        check_refused("a flag", &options);
        options.flags |= IST_MAPPING_SPARSE;
        check_refused("a flag beside sparse", &options);
    }
}

TEST(an_access_that_is_none_is_refused_by_create)
{
    static const ist_access accesses[] = {IST_READ, IST_COPY, IST_READ | IST_WRITE, IST_WRITE | IST_TRUST_EVERYONE,
                                          8,        0x100,    0x80000000u,          UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.access = accesses[i];
        check_refused("access", &options);
    }
}

TEST(an_audience_that_is_none_is_refused)
{
    static const int audiences[] = {-1, 5, 6, 100, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        /* Through memory: the enumeration itself need not hold such a value. */
        memcpy(&options.audience, &audiences[i], sizeof options.audience);
        check_refused("audience", &options);
    }
}

TEST(trust_that_is_none_is_refused)
{
    static const ist_trust trusts[] = {1, 2, 0x80, 0x101, 0x200, 0x300, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(trusts); i++) {
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.trust = trusts[i];
        check_refused("trust", &options);
    }
}

TEST(options_of_an_impossible_size_are_refused)
{
    const uint32_t sizes[] = {0, 1, 4, (uint32_t)sizeof(ist_mapping_options) - 1, 5000, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
        options.struct_size = sizes[i];
        check_refused("struct_size", &options);
    }
}

TEST(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero)
{
    struct {
        ist_mapping_options known;
        unsigned char later[24];
    } newer;
    ist_mapping *mapping = NULL;
    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = (uint32_t)sizeof newer;
    CHECK_OK(ist_mapping_create(&mapping, NULL, 1, &newer.known));
    ist_mapping_close(mapping);
    for (size_t i = 0; i < sizeof newer.later; i++) {
        memset(newer.later, 0, sizeof newer.later);
        newer.later[i] = 1;
        check_refused("a newer option", &newer.known);
    }
}

TEST(options_of_defaults_are_as_good_as_none)
{
    char name[NAME_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(name, "", "args");
    CHECK_OK(ist_mapping_create(&mapping, name, 1, &options));
    ist_mapping_close(mapping);
    options.access = IST_WRITE;
    options.trust = IST_TRUST_EVERYONE;
    CHECK_OK(ist_mapping_create(&mapping, name, 1, &options));
    ist_mapping_close(mapping);
    CHECK_OK(ist_mapping_create(&mapping, name, 1, NULL));
    ist_mapping_close(mapping);
}

TEST(a_failed_create_or_open_leaves_no_handle)
{
    ist_mapping *mapping = (ist_mapping *)&mapping;
    CHECK_STATUS(IST_E_NAME, ist_mapping_create(&mapping, "", 1, NULL));
    assert_null(mapping);
    mapping = (ist_mapping *)&mapping;
    CHECK_STATUS(IST_E_NAME, ist_mapping_open(&mapping, "", IST_READ));
    assert_null(mapping);
    mapping = (ist_mapping *)&mapping;
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(&mapping, ""));
    assert_null(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_argument_is_told_before_a_name),
        RUN(a_name_is_told_before_what_is_not_found_and_before_space),
        RUN(what_is_not_found_is_told_before_access_and_space),
        RUN(nowhere_to_put_the_handle_is_refused),
        RUN(opening_no_name_is_refused),
        RUN(an_access_that_is_none_is_refused_by_open),
        RUN(unknown_flags_are_refused),
        RUN(an_access_that_is_none_is_refused_by_create),
        RUN(an_audience_that_is_none_is_refused),
        RUN(trust_that_is_none_is_refused),
        RUN(options_of_an_impossible_size_are_refused),
        RUN(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero),
        RUN(options_of_defaults_are_as_good_as_none),
        RUN(a_failed_create_or_open_leaves_no_handle),
    };
    return cmocka_run_group_tests_name("argument", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
