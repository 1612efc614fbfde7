/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tokens that are no good, and exports that make none: M11, A3.
 */
#include "support/peer.h"

static ist_mapping *make(void)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    CHECK_OK(ist_mapping_create(&mapping, NULL, 4096, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 4096, &view));
    ((unsigned char *)view.data)[0] = 42;
    ist_view_unmap(&view);
    return mapping;
}

/* M11 */
TEST(a_token_for_no_process_is_refused)
{
    char token[IST_TOKEN_SIZE];
    peer *other = peer_start_holder();
    uint64_t ended = peer_id(other);
    peer_end(other);
    const uint64_t ids[] = {0,
                            ended,
                            ist_process_id() + (UINT64_C(1) << 32),
                            ist_process_id() + (UINT64_C(1) << 63),
                            UINT64_C(1) << 31,
                            UINT64_C(1) << 32,
                            UINT32_MAX,
                            INT64_MAX,
                            UINT64_C(1) << 63,
                            UINT64_MAX};
    ist_mapping *mapping = make();
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        char row[40];
        (void)snprintf(row, sizeof row, "process %llu", (unsigned long long)ids[i]);
        memset(token, 'x', sizeof token);
        CHECK_ROW(row, IST_E_ARG, ist_mapping_export(mapping, ids[i], IST_READ, token));
        assert_string_equal(token, "");
    }
    ist_mapping_close(mapping);
}

/* M11 */
TEST(arguments_that_make_no_token_are_refused)
{
    static const ist_access accesses[] = {0, IST_READ | IST_WRITE,          IST_COPY,
                                          8, IST_READ | IST_TRUST_EVERYONE, UINT32_MAX};
    char token[IST_TOKEN_SIZE] = "x";
    ist_mapping *mapping = make();
    CHECK_STATUS(IST_E_ARG, ist_mapping_export(NULL, ist_process_id(), IST_READ, token));
    assert_string_equal(token, "");
    CHECK_STATUS(IST_E_ARG, ist_mapping_export(mapping, ist_process_id(), IST_READ, NULL));
    CHECK_STATUS(IST_E_ARG, ist_mapping_export(NULL, 0, 0, NULL));
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        token[0] = 'x';
        CHECK_STATUS(IST_E_ARG, ist_mapping_export(mapping, ist_process_id(), accesses[i], token));
        assert_string_equal(token, "");
    }
    ist_mapping_close(mapping);
}

/* M11 */
TEST(what_is_no_token_is_refused)
{
    static char longest[1001];
    static const char *const texts[] = {"",
                                        " ",
                                        "x",
                                        "0",
                                        "-1",
                                        "token",
                                        "%s%s%n",
                                        "/",
                                        "../../../etc/passwd",
                                        "t.",
                                        "isthmus",
                                        "1 2 3",
                                        "1:2:3",
                                        "1-2-3",
                                        "1.2.3.4.5.6.7.8",
                                        "\xFF\xFE",
                                        "\n",
                                        "18446744073709551616",
                                        "0x0",
                                        "ffffffffffffffff"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        ist_mapping *mapping = (ist_mapping *)&mapping;
        CHECK_ROW(texts[i], IST_E_ARG, ist_mapping_import(&mapping, texts[i]));
        assert_null(mapping);
    }
    ist_mapping *mapping = (ist_mapping *)&mapping;
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(&mapping, NULL));
    assert_null(mapping);
    memset(longest, '1', sizeof longest - 1);
    for (size_t length = sizeof longest - 1; length > 100; length -= 7) {
        longest[length] = '\0';
        CHECK_STATUS(IST_E_ARG, ist_mapping_import(&mapping, longest));
        assert_null(mapping);
    }
}

/* A token that differs from a real one is not found or no token; never a handle. */
static void check_worthless(const char *token)
{
    ist_mapping *mapping = (ist_mapping *)&mapping;
    ist_status status = ist_mapping_import(&mapping, token);
    if (status != IST_E_ARG && status != IST_E_NOT_FOUND)
        CHECK_FAIL("importing \"%s\" answers %s", token, ist_status_name(status));
    assert_null(mapping);
}

/* M11 A3 */
TEST(a_token_that_was_cut_or_lengthened_is_refused)
{
    char token[IST_TOKEN_SIZE];
    char part[IST_TOKEN_SIZE + 8];
    ist_mapping *again = NULL;
    ist_mapping *mapping = make();
    CHECK_OK(ist_mapping_export(mapping, ist_process_id(), IST_WRITE, token));
    for (size_t length = 0; length < strlen(token); length++) {
        memcpy(part, token, length);
        part[length] = '\0';
        check_worthless(part);
        check_worthless(token + strlen(token) - length);
    }
    static const char *const tails[] = {"0", "x", " ", "\n", ".", "-", "\xFF"};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        (void)snprintf(part, sizeof part, "%s%s", token, tails[i]);
        check_worthless(part);
        (void)snprintf(part, sizeof part, "%s%s", tails[i], token);
        check_worthless(part);
    }
    CHECK_OK(ist_mapping_import(&again, token));
    ist_mapping_close(again);
    ist_mapping_close(mapping);
}

static char other_character(char c, unsigned how)
{
    if (how == 0)
        return c >= '0' && c <= '8' ? (char)(c + 1) : c == '9' ? '0' : (c == 'x' ? 'y' : 'x');
    if (how == 1)
        return c == '-' ? '+' : '-';
    return c == ' ' ? '\t' : ' ';
}

/* M11 A3 */
TEST(a_token_with_one_character_changed_is_refused)
{
    char token[IST_TOKEN_SIZE];
    ist_mapping *again = NULL;
    ist_mapping *mapping = make();
    CHECK_OK(ist_mapping_export(mapping, ist_process_id(), IST_WRITE, token));
    for (size_t i = 0; i < strlen(token); i++) {
        for (unsigned how = 0; how < 3; how++) {
            char changed[IST_TOKEN_SIZE];
            memcpy(changed, token, sizeof changed);
            changed[i] = other_character(token[i], how);
            check_worthless(changed);
        }
    }
    CHECK_OK(ist_mapping_import(&again, token));
    ist_mapping_close(again);
    ist_mapping_close(mapping);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_token_for_no_process_is_refused),
        RUN(arguments_that_make_no_token_are_refused),
        RUN(what_is_no_token_is_refused),
        RUN(a_token_that_was_cut_or_lengthened_is_refused),
        RUN(a_token_with_one_character_changed_is_refused),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
