/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tokens that are used as they are meant: M11, and what L1, L9 and M5 say of them.
 */
#include "support/host.h"
#include "support/peer.h"

static ist_mapping *make(const char *name)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    CHECK_OK(ist_mapping_create(&mapping, name, 4096, NULL));
    CHECK_OK(ist_mapping_view(mapping, IST_WRITE, 0, 4096, &view));
    ((unsigned char *)view.data)[0] = 42;
    ist_view_unmap(&view);
    return mapping;
}

static void export_to(ist_mapping *mapping, const peer *who, ist_access access, char token[IST_TOKEN_SIZE])
{
    CHECK_OK(ist_mapping_export(mapping, peer_id(who), access, token));
}

/* M11 */
TEST(an_unnamed_mapping_reaches_another_process_by_token)
{
    char token[IST_TOKEN_SIZE];
    ist_view view = IST_VIEW_INIT;
    peer *other = peer_start_holder();
    ist_mapping *mapping = make(NULL);
    export_to(mapping, other, IST_WRITE, token);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    PEER_ASK(other, "42", "peek 0");
    PEER_ASK(other, "ok", "poke 1 43");
    CHECK_OK(ist_mapping_view(mapping, IST_READ, 0, 4096, &view));
    assert_int_equal(((volatile unsigned char *)view.data)[1], 43);
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    PEER_ASK(other, "42", "peek 0");
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    peer_end(other);
}

/* M11 */
TEST(a_token_is_a_printable_word_of_at_most_128_bytes)
{
    char token[IST_TOKEN_SIZE];
    ist_mapping *mapping = make(NULL);
    memset(token, 0x7F, sizeof token);
    CHECK_OK(ist_mapping_export(mapping, ist_process_id(), IST_WRITE, token));
    assert_non_null(memchr(token, '\0', sizeof token));
    assert_true(strlen(token) > 0);
    for (const char *at = token; *at != '\0'; at++)
        assert_in_range(*at, 0x21, 0x7E);
    ist_mapping_close(mapping);
}

/* M11 */
TEST(a_token_serves_once)
{
    char token[IST_TOKEN_SIZE];
    peer *other = peer_start_holder();
    ist_mapping *mapping = make(NULL);
    export_to(mapping, other, IST_WRITE, token);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    PEER_ASK(other, "ok", "slot 1");
    PEER_ASK(other, "IST_E_ARG", "import %s", peer_word(token));
    PEER_ASK(other, "ok", "slot 0");
    PEER_ASK(other, "ok", "close");
    PEER_ASK(other, "IST_E_ARG", "import %s", peer_word(token));
    ist_mapping_close(mapping);
    PEER_ASK(other, "IST_E_ARG", "import %s", peer_word(token));
    peer_end(other);
}

/* M11 */
TEST(a_token_is_worthless_elsewhere)
{
    char token[IST_TOKEN_SIZE];
    ist_mapping *stolen = (ist_mapping *)&stolen;
    peer *target = peer_start_holder();
    peer *thief = peer_start_holder();
    ist_mapping *mapping = make(NULL);
    export_to(mapping, target, IST_WRITE, token);
    PEER_ASK(thief, "IST_E_ARG", "import %s", peer_word(token));
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(&stolen, token));
    assert_null(stolen);
    PEER_ASK(target, "IST_OK", "import %s", peer_word(token));
    ist_mapping_close(mapping);
    peer_end(target);
    peer_end(thief);
}

/* M11 */
TEST(a_token_for_oneself_works_like_any_other)
{
    char token[IST_TOKEN_SIZE];
    ist_mapping *again = NULL;
    ist_mapping *third = NULL;
    ist_view view = IST_VIEW_INIT;
    ist_mapping *mapping = make(NULL);
    CHECK_OK(ist_mapping_export(mapping, ist_process_id(), IST_WRITE, token));
    CHECK_OK(ist_mapping_import(&again, token));
    CHECK_STATUS(IST_E_ARG, ist_mapping_import(&third, token));
    ist_mapping_close(mapping);
    CHECK_OK(ist_mapping_view(again, IST_WRITE, 0, 4096, &view));
    assert_int_equal(((unsigned char *)view.data)[0], 42);
    ist_view_unmap(&view);
    ist_mapping_close(again);
}

/* M11 */
TEST(each_export_is_a_token_of_its_own)
{
    char first[IST_TOKEN_SIZE];
    char second[IST_TOKEN_SIZE];
    peer *other = peer_start_holder();
    ist_mapping *mapping = make(NULL);
    export_to(mapping, other, IST_WRITE, first);
    export_to(mapping, other, IST_READ, second);
    assert_string_not_equal(first, second);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(second));
    PEER_ASK(other, "ok", "slot 1");
    PEER_ASK(other, "IST_OK", "import %s", peer_word(first));
    ist_mapping_close(mapping);
    peer_end(other);
}

/* M11 M5 */
TEST(a_token_gives_the_access_that_it_was_made_with)
{
    char token[IST_TOKEN_SIZE];
    peer *other = peer_start_holder();
    ist_mapping *mapping = make(NULL);
    export_to(mapping, other, IST_READ, token);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    PEER_ASK(other, "IST_E_ACCESS 0", "view write 0 4096");
    PEER_ASK(other, "IST_OK 4096", "view read 0 4096");
    PEER_ASK(other, "IST_E_ACCESS ", "export %llu write", (unsigned long long)ist_process_id());
    char answer[PEER_LINE_SIZE];
    peer_query(other, answer, "export %llu read", (unsigned long long)ist_process_id());
    assert_memory_equal(answer, "IST_OK ", 7);
    ist_mapping *back = NULL;
    ist_view view = IST_VIEW_INIT;
    CHECK_OK(ist_mapping_import(&back, answer + 7));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_view(back, IST_WRITE, 0, 4096, &view));
    ist_mapping_close(back);
    ist_mapping_close(mapping);
    peer_end(other);
}

/* M11 M5 */
TEST(a_handle_for_reading_makes_no_token_for_writing)
{
    char name[NAME_SIZE];
    char token[IST_TOKEN_SIZE] = "x";
    ist_mapping *reader = NULL;
    unique_name(name, "", "export");
    ist_mapping *mapping = make(name);
    CHECK_OK(ist_mapping_open(&reader, name, IST_READ));
    CHECK_STATUS(IST_E_ACCESS, ist_mapping_export(reader, ist_process_id(), IST_WRITE, token));
    assert_string_equal(token, "");
    CHECK_OK(ist_mapping_export(reader, ist_process_id(), IST_READ, token));
    ist_mapping_close(reader);
    ist_mapping_close(mapping);
}

/* M11 */
TEST(the_exporter_may_close_at_once)
{
    char token[IST_TOKEN_SIZE];
    peer *other = peer_start_holder();
    ist_mapping *mapping = make(NULL);
    export_to(mapping, other, IST_WRITE, token);
    ist_mapping_close(mapping);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    PEER_ASK(other, "IST_OK 4096", "view write 0 4096");
    PEER_ASK(other, "42", "peek 0");
    peer_end(other);
}

/* M11 L1 */
TEST(a_token_of_a_named_object_holds_the_name_until_it_is_imported_and_let_go)
{
    char name[NAME_SIZE];
    char token[IST_TOKEN_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "export");
    peer *other = peer_start_holder();
    mapping = make(name);
    export_to(mapping, other, IST_WRITE, token);
    ist_mapping_close(mapping);
    CHECK_OK(ist_mapping_open(&mapping, name, IST_READ));
    ist_mapping_close(mapping);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    CHECK_OK(ist_mapping_open(&mapping, name, IST_READ));
    ist_mapping_close(mapping);
    PEER_ASK(other, "ok", "close");
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    peer_end(other);
}

/* M11 */
TEST(a_token_that_nobody_imports_dies_with_its_target)
{
    char name[NAME_SIZE];
    char token[IST_TOKEN_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "export");
    peer *other = peer_start_holder();
    mapping = make(name);
    export_to(mapping, other, IST_WRITE, token);
    ist_mapping_close(mapping);
    peer_kill(other);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    CHECK_OK(ist_mapping_create(&mapping, name, 1, NULL));
    ist_mapping_close(mapping);
    peer_forget(other);
}

/* Has `exporter` make a named object and a token of it for `target`, and kills it. */
static void leave_token(peer *target, const char *name, char token[PEER_LINE_SIZE])
{
    char answer[PEER_LINE_SIZE];
    peer *exporter = peer_start_holder();
    PEER_ASK(exporter, "IST_OK", "create %s 4096", name);
    peer_query(exporter, answer, "export %llu write", (unsigned long long)peer_id(target));
    assert_memory_equal(answer, "IST_OK ", 7);
    (void)snprintf(token, PEER_LINE_SIZE, "%s", answer + 7);
    peer_kill(exporter);
    peer_forget(exporter);
}

/* M11: the trait token_holds says which */
TEST(a_token_outlives_its_exporter_where_the_trait_says_so)
{
    char name[NAME_SIZE];
    char token[PEER_LINE_SIZE];
    ist_mapping *mapping = NULL;
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    unique_name(name, "", "export");
    peer *target = peer_start_holder();
    leave_token(target, name, token);
    PEER_ASK(target, traits.token_holds ? "IST_OK" : "IST_E_ARG", "import %s", peer_word(token));
    if (traits.token_holds)
        PEER_ASK(target, "ok", "close");
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    leave_token(target, name, token);
    CHECK_STATUS(traits.token_holds ? IST_OK : IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    ist_mapping_close(mapping);
    peer_end(target);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
}

/* M11 M9 */
TEST(a_mapping_of_a_file_is_exported_too)
{
    char path[NAME_SIZE];
    char token[IST_TOKEN_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    unique_name(path, "isthmus-", "export.tmp");
    assert_true(host_file_write(path, "abc", 3));
    options.path = path;
    peer *other = peer_start_holder();
    CHECK_OK(ist_mapping_create(&mapping, NULL, 0, &options));
    export_to(mapping, other, IST_WRITE, token);
    ist_mapping_close(mapping);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    PEER_ASK(other, "IST_OK 3", "view write 0 0");
    PEER_ASK(other, "98", "peek 1");
    peer_end(other);
    assert_true(host_file_remove(path));
}

/* M11 M3 */
TEST(a_sparse_mapping_is_exported_too)
{
    char token[IST_TOKEN_SIZE];
    ist_mapping *mapping = NULL;
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.flags = IST_MAPPING_SPARSE;
    peer *other = peer_start_holder();
    CHECK_OK(ist_mapping_create(&mapping, NULL, 4 * IST_GRANULARITY, &options));
    export_to(mapping, other, IST_WRITE, token);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    PEER_ASK(other, "IST_OK 65536", "view write 131072 65536");
    PEER_ASK(other, "IST_OK", "commit 0 0");
    PEER_ASK(other, "ok", "poke 65535 1");
    peer_end(other);
    ist_mapping_close(mapping);
}

/* L9 L1: what was exported to a process that is killed with it is gone */
TEST(an_imported_object_dies_with_its_last_holder)
{
    char name[NAME_SIZE];
    char token[IST_TOKEN_SIZE];
    ist_mapping *mapping = NULL;
    unique_name(name, "", "export");
    peer *other = peer_start_holder();
    mapping = make(name);
    export_to(mapping, other, IST_WRITE, token);
    PEER_ASK(other, "IST_OK", "import %s", peer_word(token));
    ist_mapping_close(mapping);
    CHECK_OK(ist_mapping_open(&mapping, name, IST_READ));
    ist_mapping_close(mapping);
    peer_kill(other);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    peer_forget(other);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_unnamed_mapping_reaches_another_process_by_token),
        RUN(a_token_is_a_printable_word_of_at_most_128_bytes),
        RUN(a_token_serves_once),
        RUN(a_token_is_worthless_elsewhere),
        RUN(a_token_for_oneself_works_like_any_other),
        RUN(each_export_is_a_token_of_its_own),
        RUN(a_token_gives_the_access_that_it_was_made_with),
        RUN(a_handle_for_reading_makes_no_token_for_writing),
        RUN(the_exporter_may_close_at_once),
        RUN(a_token_of_a_named_object_holds_the_name_until_it_is_imported_and_let_go),
        RUN(a_token_that_nobody_imports_dies_with_its_target),
        RUN(a_token_outlives_its_exporter_where_the_trait_says_so),
        RUN(a_mapping_of_a_file_is_exported_too),
        RUN(a_sparse_mapping_is_exported_too),
        RUN(an_imported_object_dies_with_its_last_holder),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, NULL, 0, run_all);
}
