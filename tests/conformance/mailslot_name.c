/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names of mailslots: N1, N2, N3, N9; and that nothing else has them.
 */
#include "support/host.h"
#include "support/mailslot_peer.h"

#define LONGEST IST_MAILSLOT_NAME_MAX
#define PREFIX "\\\\.\\mailslot\\"

/* Creates `name` here, writes to `there` from another process, and reads. */
static void check_shared(peer *other, const char *name, const char *there)
{
    ist_mailslot *slot = NULL;
    CHECK_ROW(name, IST_OK, ist_mailslot_create(&slot, name, NULL));
    PEER_ASK(other, "IST_OK", "open %s", peer_word(there));
    PEER_ASK(other, "IST_OK", "write hello");
    MAILSLOT_READ(slot, "hello");
    PEER_ASK(other, "ok", "close");
    ist_mailslot_close(slot);
    PEER_ASK(other, "IST_E_NOT_FOUND", "open %s", peer_word(there));
}

static void check_refused(peer *other, const char *name)
{
    ist_mailslot *slot = (ist_mailslot *)&other;
    CHECK_ROW(name, IST_E_NAME, ist_mailslot_create(&slot, name, NULL));
    assert_null(slot);
    slot = (ist_mailslot *)&other;
    CHECK_ROW(name, IST_E_NAME, ist_mailslot_open(&slot, name, IST_WRITE));
    assert_null(slot);
    if (name[0] != '\0')
        PEER_ASK(other, "IST_E_NAME", "open %s", peer_word(name));
}

/* N1 */
TEST(every_legal_name_is_a_slot_that_another_process_finds)
{
    static const char *const tails[] = {
        "",
        "a b",
        "..a",
        ".a",
        "%41",
        "%%",
        "%2F",
        "$HOME",
        "~",
        "#",
        "'",
        "a,b",
        "=",
        "+",
        "{}[]",
        "(1)",
        "@",
        "\xC3\xA4",
        "\xE2\x82\xAC",
        "Local",
        "Global",
        "\xF0\x9F\x98\x80",
        "x-s.0.1",
        "&;",
        "!",
        "a.b.c",
        "...x",
    };
    peer *other = mailslot_start();
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        char name[NAME_SIZE];
        char unique[NAME_SIZE];
        unique_name(unique, "", "name");
        (void)snprintf(name, sizeof name, "%.100s%s", unique, tails[i]);
        check_shared(other, name, name);
        (void)snprintf(name, sizeof name, "%s%.100s", tails[i], unique);
        check_shared(other, name, name);
    }
    peer_end(other);
}

/* N1: the system's own files know some of these as signs of their own */
TEST(signs_that_files_may_not_have_are_names_of_slots)
{
    static const char *const tails[] = {"*", "?", ":", "a:b", "<|>", "\"", "CON", "\x01", "\x1F", "\x7F"};
    peer *other = mailslot_start();
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        char name[NAME_SIZE];
        char unique[NAME_SIZE];
        unique_name(unique, "", "name");
        (void)snprintf(name, sizeof name, "%.100s%s", unique, tails[i]);
        check_shared(other, name, name);
    }
    peer_end(other);
}

/* A name of so many bytes that nobody else has. */
static void make_long(char *name, size_t length)
{
    char unique[NAME_SIZE];
    unique_name(unique, "", "long");
    memset(name, 'n', length);
    memcpy(name, unique, strlen(unique));
    name[length] = '\0';
}

/* N1 */
TEST(a_name_has_up_to_247_bytes_with_or_without_its_prefix)
{
    char name[sizeof PREFIX + LONGEST + 1] = PREFIX;
    char *bare = name + strlen(PREFIX);
    if (host_emulator() != NULL)
        SKIP(a_name_has_up_to_247_bytes_with_or_without_its_prefix, "Wine takes no mailslot's name of 246 bytes");
    peer *other = mailslot_start();
    for (size_t length = LONGEST - 1; length <= LONGEST; length++) {
        make_long(bare, length);
        check_shared(other, bare, bare);
        check_shared(other, name, bare);
        check_shared(other, bare, name);
    }
    make_long(bare, LONGEST + 1);
    check_refused(other, bare);
    check_refused(other, name);
    peer_end(other);
}

/* N1 N2 */
TEST(what_is_no_name_is_refused)
{
    static const char *const wrong[] = {
        "",
        PREFIX,
        "\\\\.\\mailslot",
        "\\\\.\\pipe\\x",
        "\\\\.\\x",
        "\\\\server\\mailslot\\x",
        "a\\b",
        "a/b",
        "/",
        "\\",
        "\\x",
        "Local\\x",
        "Global\\x",
        "Session\\1\\x",
        "x.",
        "x ",
        ".",
        "..",
        " ",
        "\xC3",
        "\xA4",
        "\xC0\xAF",
        "\xED\xA0\x80",
        "\xF4\x90\x80\x80",
        "\\\\.\\mailslot\\a\\b",
        "\\\\.\\mailslot\\x.",
        "\\\\.\\mailslot\\\\\\.\\mailslot\\x",
    };
    peer *other = mailslot_start();
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        check_refused(other, wrong[i]);
    peer_end(other);
}

/* N2: the prefix, in whatever case, is no part of the name */
TEST(a_name_with_and_without_its_prefix_is_one_slot)
{
    static const char *const prefixes[] = {"\\\\.\\mailslot\\", "\\\\.\\MAILSLOT\\", "\\\\.\\MailSlot\\"};
    peer *other = mailslot_start();
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        char name[NAME_SIZE];
        char whole[NAME_SIZE];
        unique_name(name, "", "prefix");
        (void)snprintf(whole, sizeof whole, "%s%.200s", prefixes[i], name);
        check_shared(other, whole, name);
        check_shared(other, name, whole);
    }
    peer_end(other);
}

/* N3 */
TEST(the_case_of_a_to_z_does_not_count)
{
    char name[NAME_SIZE];
    char other_case[NAME_SIZE];
    ist_mailslot *slot = NULL;
    ist_mailslot *second = NULL;
    peer *other = mailslot_start();
    unique_name(name, "abcxyz", "mixed");
    (void)snprintf(other_case, sizeof other_case, "ABcXyZMiXed%.200s", name + strlen("abcxyzmixed"));
    check_shared(other, name, other_case);
    check_shared(other, other_case, name);
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    CHECK_STATUS(IST_E_EXISTS, ist_mailslot_create(&second, other_case, NULL));
    PEER_ASK(other, "IST_E_EXISTS", "create %s", other_case);
    ist_mailslot_close(slot);
    peer_end(other);
}

/* N3: signs beside the letters, which a careless fold would make one */
TEST(only_letters_have_a_case)
{
    static const char *const pairs[][2] = {{"@", "`"}, {"[", "{"}, {"]", "}"}, {"^", "~"}, {"0", "P"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char unique[NAME_SIZE];
        char names[2][NAME_SIZE];
        ist_mailslot *slots[2] = {NULL, NULL};
        unique_name(unique, "", "fold");
        for (size_t j = 0; j < 2; j++) {
            (void)snprintf(names[j], sizeof names[j], "%.200s%s", unique, pairs[i][j]);
            CHECK_ROW(names[j], IST_OK, ist_mailslot_create(&slots[j], names[j], NULL));
        }
        ist_mailslot_close(slots[0]);
        ist_mailslot_close(slots[1]);
    }
}

/* N4: named objects have a set of names of their own */
TEST(an_object_of_the_same_name_is_in_nobodys_way)
{
    char name[NAME_SIZE];
    char global[NAME_SIZE];
    ist_mailslot *slot = NULL;
    ist_event *event = NULL;
    ist_mapping *mapping = NULL;
    unique_name(name, "", "apart");
    (void)snprintf(global, sizeof global, "Global\\%.200s", name);
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_event_open(&event, name, IST_READ));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_event_open(&event, global, IST_READ));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, global, IST_READ));
    CHECK_OK(ist_event_create(&event, name, NULL));
    ist_mailslot_close(slot);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mailslot_open(&slot, name, IST_WRITE));
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    ist_mailslot_close(slot);
    ist_event_close(event);
}

/* Pipes, too. */
TEST(a_pipe_of_the_same_name_is_in_nobodys_way)
{
    char name[NAME_SIZE];
    ist_mailslot *slot = NULL;
    ist_pipe *pipe = NULL;
    unique_name(name, "", "apart");
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_WRITE, 0));
    CHECK_OK(ist_pipe_serve(&pipe, name, NULL));
    ist_mailslot_close(slot);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mailslot_open(&slot, name, IST_WRITE));
    CHECK_OK(ist_mailslot_create(&slot, name, NULL));
    ist_mailslot_close(slot);
    ist_pipe_close(pipe);
}

/* N9 */
TEST(an_argument_is_told_before_a_name_and_a_name_before_what_is_not_there)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    ist_mailslot *slot = NULL;
    options.flags = 1;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_create(&slot, "a\\b", &options));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_open(&slot, "a\\b", IST_READ));
    CHECK_STATUS(IST_E_NAME, ist_mailslot_open(&slot, "no\\body", IST_WRITE));
}

/* N9: also of a name that is taken */
TEST(an_argument_is_told_before_the_slot_that_is_there)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    ist_mailslot *slot = NULL;
    mailslot_pair pair;
    mailslot_make(&pair, 0, 0);
    options.audience = IST_AUDIENCE_EVERYONE_READ;
    CHECK_STATUS(IST_E_ARG, ist_mailslot_create(&slot, pair.name, &options));
    CHECK_STATUS(IST_E_ARG, ist_mailslot_open(&slot, pair.name, IST_READ | IST_WRITE));
    mailslot_close(&pair);
}

/* N8 */
TEST(of_many_who_create_a_name_at_once_one_makes_it)
{
    enum { CROWD = 24 };
    peer *crowd[CROWD];
    size_t count = crowd_size(CROWD);
    for (size_t i = 0; i < count; i++)
        crowd[i] = mailslot_start();
    for (int round = 0; round < 10; round++) {
        char name[NAME_SIZE];
        size_t made = 0;
        unique_name(name, "", "race");
        for (size_t i = 0; i < count; i++)
            peer_say(crowd[i], "create %s", name);
        for (size_t i = 0; i < count; i++) {
            char answer[PEER_LINE_SIZE];
            peer_hear(crowd[i], answer);
            made += strcmp(answer, "IST_OK") == 0;
            if (strcmp(answer, "IST_OK") != 0)
                assert_string_equal(answer, "IST_E_EXISTS");
        }
        assert_int_equal(made, 1);
        for (size_t i = 0; i < count; i++)
            PEER_ASK(crowd[i], "ok", "close");
        mailslot_check_gone(name);
    }
    for (size_t i = 0; i < count; i++)
        peer_end(crowd[i]);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(every_legal_name_is_a_slot_that_another_process_finds),
        RUN(signs_that_files_may_not_have_are_names_of_slots),
        RUN(a_name_has_up_to_247_bytes_with_or_without_its_prefix),
        RUN(what_is_no_name_is_refused),
        RUN(a_name_with_and_without_its_prefix_is_one_slot),
        RUN(the_case_of_a_to_z_does_not_count),
        RUN(only_letters_have_a_case),
        RUN(an_object_of_the_same_name_is_in_nobodys_way),
        RUN(a_pipe_of_the_same_name_is_in_nobodys_way),
        RUN(an_argument_is_told_before_a_name_and_a_name_before_what_is_not_there),
        RUN(an_argument_is_told_before_the_slot_that_is_there),
        RUN(of_many_who_create_a_name_at_once_one_makes_it),
    };
    return cmocka_run_group_tests_name("mailslot_name", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return peer_main(argc, argv, mailslot_roles, mailslot_role_count, run_all);
}
