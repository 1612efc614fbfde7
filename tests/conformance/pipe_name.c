/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names of pipes: N1, N2, N3, N9, P2.
 */
#include "support/pipe_peer.h"

static ist_status serve_first(ist_pipe **out, const char *name)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.flags = IST_PIPE_FIRST;
    return ist_pipe_serve(out, name, &options);
}

/* Serves one name and connects by another. */
static void check_meet(const char *name, const char *other)
{
    ist_pipe *server = NULL;
    ist_pipe *client = NULL;
    CHECK_ROW(name, IST_OK, serve_first(&server, name));
    CHECK_ROW(other, IST_OK, ist_pipe_connect(&client, other, IST_READ | IST_WRITE, 0));
    ist_pipe_close(client);
    ist_pipe_close(server);
    CHECK_ROW(name, IST_E_NOT_FOUND, ist_pipe_connect(&client, name, IST_READ, 0));
}

static void check_refused(const char *name)
{
    char reply[4];
    size_t got = 9;
    ist_pipe *pipe = (ist_pipe *)&pipe;
    CHECK_ROW(name, IST_E_NAME, ist_pipe_serve(&pipe, name, NULL));
    assert_null(pipe);
    pipe = (ist_pipe *)&pipe;
    CHECK_ROW(name, IST_E_NAME, ist_pipe_connect(&pipe, name, IST_READ, IST_FOREVER));
    assert_null(pipe);
    CHECK_ROW(name, IST_E_NAME, ist_pipe_call(name, IST_TRUST_OWNER, "", 0, reply, sizeof reply, IST_FOREVER, &got));
    assert_int_equal(got, 0);
}

/* N1 P2 */
TEST(a_name_that_is_none_is_refused)
{
    static const char *const names[] = {
        "",
        "\\",
        "/",
        "a\\b",
        "a/b",
        "\\a",
        "a\\",
        "/a",
        "a/",
        ".",
        "..",
        " ",
        "a.",
        "a ",
        "a. ",
        "a .",
        "Local\\a",
        "Global\\a",
        "Session\\1\\a",
        "\\\\.\\pipe",
        "\\\\.\\pipe\\",
        "\\\\.\\pipe\\\\a",
        "\\\\.\\pipe\\a\\b",
        "\\\\.\\pipe\\a/b",
        "\\\\.\\pipe\\a.",
        "\\\\.\\pipe\\a ",
        "\\\\.\\pipe\\\\\\.\\pipe\\a",
        "\\\\.\\mailslot\\a",
        "\\\\.\\pip\\a",
        "\\\\.\\pipes\\a",
        "\\\\.\\a",
        "\\\\?\\pipe\\a",
        "\\\\server\\pipe\\a",
        "//./pipe/a",
        "\\.\\pipe\\a",
        "pipe\\a",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        check_refused(names[i]);
}

/* N1 */
TEST(a_name_that_is_not_utf8_is_refused)
{
    static const char *const names[] = {
        "\x80",
        "a\xBF",
        "\xC3",
        "a\xC3(",
        "\xC0\xAF",
        "\xC1\xBF",
        "\xE2\x82",
        "\xE0\x80\xAF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x9F\x98",
        "\xF0\x80\x80\xAF",
        "\xF4\x90\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "a\xFF",
        "\\\\.\\pipe\\\xC3",
        "\xC3\xA4\xC3",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        check_refused(names[i]);
}

/* N1 */
TEST(a_name_of_247_bytes_is_one_and_of_248_is_none)
{
    char name[NAME_SIZE + 16];
    char prefixed[NAME_SIZE + 32];
    unique_name(name, "", "long");
    memset(name + strlen(name), 'x', sizeof name - strlen(name));
    name[IST_PIPE_NAME_MAX] = '\0';
    (void)snprintf(prefixed, sizeof prefixed, "\\\\.\\pipe\\%s", name);
    check_meet(name, name);
    check_meet(name, prefixed);
    check_meet(prefixed, name);
    name[IST_PIPE_NAME_MAX] = 'x';
    name[IST_PIPE_NAME_MAX + 1] = '\0';
    (void)snprintf(prefixed, sizeof prefixed, "\\\\.\\pipe\\%s", name);
    check_refused(name);
    check_refused(prefixed);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    check_refused(name);
}

/* N1: bytes, not characters */
TEST(a_name_of_247_bytes_may_be_of_few_characters)
{
    static const char *const letters[] = {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        char name[NAME_SIZE];
        unique_name(name, "", "wide");
        size_t length = strlen(name);
        for (; length + strlen(letters[i]) <= IST_PIPE_NAME_MAX; length += strlen(letters[i]))
            memcpy(name + length, letters[i], strlen(letters[i]) + 1);
        memset(name + length, 'e', IST_PIPE_NAME_MAX - length);
        name[IST_PIPE_NAME_MAX] = '\0';
        check_meet(name, name);
    }
}

/* N1: others may have the same idea, so the first that is free is tried */
TEST(a_name_of_one_byte_is_one)
{
    static const char letters[] = "~!$%&()+,-;=@[]^_`{}#'0123456789abcdefghijklmnopqrstuvwxyz";
    ist_pipe *server = NULL;
    ist_status status = IST_E_ACCESS;
    char name[2] = "";
    for (size_t i = 0; i < sizeof letters - 1 && status == IST_E_ACCESS; i++) {
        name[0] = letters[i];
        status = serve_first(&server, name);
    }
    CHECK_ROW(name, IST_OK, status);
    ist_pipe *client = NULL;
    CHECK_ROW(name, IST_OK, ist_pipe_connect(&client, name, IST_READ, 0));
    ist_pipe_close(client);
    ist_pipe_close(server);
}

/* N2 P2 */
TEST(every_character_but_slashes_is_legal)
{
    for (int letter = 1; letter < 128; letter++) {
        char name[NAME_SIZE];
        if (letter == '\\' || letter == '/')
            continue;
        unique_name(name, "", "char");
        size_t length = strlen(name);
        (void)snprintf(name + length, sizeof name - length, "%cz", letter);
        check_meet(name, name);
    }
}

/* N2 P2 */
TEST(a_name_that_looks_like_something_else_is_only_a_name)
{
    static const char *const looks[] = {".",
                                        "..",
                                        "...a",
                                        "*",
                                        "?",
                                        "a:b",
                                        "s.0000",
                                        "%2F",
                                        "%00",
                                        "$(x)",
                                        "con",
                                        "nul",
                                        "a..b",
                                        "a b",
                                        "\"a\"",
                                        "<a>|b",
                                        "#a;b=c,d",
                                        "~",
                                        "\xC3\xA4\xE2\x82\xAC"};
    for (size_t i = 0; i < COUNT_OF(looks); i++) {
        char name[NAME_SIZE * 2];
        char end[NAME_SIZE];
        unique_name(end, "", "look");
        (void)snprintf(name, sizeof name, "%s%s", looks[i], end);
        check_meet(name, name);
        (void)snprintf(name, sizeof name, "%s%sz", end, looks[i]);
        check_meet(name, name);
    }
}

/* N2: those are words of named objects */
TEST(words_reserved_for_named_objects_are_legal)
{
    static const char *const words[] = {"Session", "Restricted", "AppContainerNamedObjects"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        ist_pipe *pipe = NULL;
        ist_status status = ist_pipe_connect(&pipe, words[i], IST_READ, 0);
        assert_true(status != IST_E_NAME && status != IST_E_ARG);
        ist_pipe_close(pipe);
    }
}

/* N1 N3 P2 */
TEST(the_prefix_may_stand_before_in_any_case)
{
    static const char *const prefixes[] = {"\\\\.\\pipe\\", "\\\\.\\PIPE\\", "\\\\.\\Pipe\\", "\\\\.\\pIpE\\", ""};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        for (size_t k = 0; k < COUNT_OF(prefixes); k++) {
            char bare[NAME_SIZE];
            char name[NAME_SIZE + 16];
            char other[NAME_SIZE + 16];
            unique_name(bare, "", "prefix");
            (void)snprintf(name, sizeof name, "%s%s", prefixes[i], bare);
            (void)snprintf(other, sizeof other, "%s%s", prefixes[k], bare);
            check_meet(name, other);
        }
    }
}

/* N3 */
TEST(the_case_of_a_to_z_does_not_count)
{
    char name[NAME_SIZE];
    char other[NAME_SIZE];
    unique_name(name, "", "AbCdEfGhIjKlMnOpQrStUvWxYz-zYxWvUtSrQpOnMlKjIhGfEdCbA");
    memcpy(other, name, sizeof other);
    for (char *at = other; *at != '\0'; at++)
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    check_meet(name, other);
    check_meet(other, name);
}

/* N3: neighbours of letters are not letters */
TEST(nothing_but_letters_has_a_case)
{
    static const char *const pairs[][2] = {{"@", "`"}, {"[", "{"}, {"]", "}"}, {"^", "~"}, {"1", "!"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        ist_pipe *server = NULL;
        ist_pipe *client = NULL;
        char base[NAME_SIZE];
        char name[NAME_SIZE * 2];
        unique_name(base, "", "case");
        (void)snprintf(name, sizeof name, "%s%s", base, pairs[i][0]);
        CHECK_OK(serve_first(&server, name));
        (void)snprintf(name, sizeof name, "%s%s", base, pairs[i][1]);
        CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_connect(&client, name, IST_READ, 0));
        ist_pipe_close(server);
    }
}

/* N3 */
TEST(instances_of_names_that_differ_in_case_are_of_one_pipe)
{
    char name[NAME_SIZE];
    char other[NAME_SIZE * 2];
    ist_pipe *first = NULL;
    ist_pipe *second = NULL;
    unique_name(name, "", "one-PIPE");
    (void)snprintf(other, sizeof other, "\\\\.\\PIPE\\ONE-pipe%s", name + strlen("one-PIPE"));
    CHECK_OK(serve_first(&first, name));
    CHECK_STATUS(IST_E_ACCESS, serve_first(&second, other));
    CHECK_OK(ist_pipe_serve(&second, other, NULL));
    ist_pipe_close(first);
    CHECK_STATUS(IST_E_ACCESS, serve_first(&first, name));
    ist_pipe_close(second);
    CHECK_OK(serve_first(&first, name));
    ist_pipe_close(first);
}

/* N1 N2 N3 */
TEST(two_processes_mean_the_same_by_a_name)
{
    static const char *const ends[] = {"", "*:?", "\xC3\xA4 \xE2\x82\xAC-\xF0\x9F\x98\x80", "%2Fz", "a.b.c"};
    peer *other = pipe_start();
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        ist_pipe *server = NULL;
        char base[NAME_SIZE];
        char name[NAME_SIZE * 2];
        unique_name(base, "", "two");
        (void)snprintf(name, sizeof name, "%s%s", base, ends[i]);
        CHECK_OK(serve_first(&server, name));
        (void)snprintf(name, sizeof name, "\\\\.\\pipe\\TWO%s%s", base + 3, ends[i]);
        PEER_ASK(other, "IST_OK", "connect %s both 0", peer_word(name));
        PEER_ASK(other, "ok", "close");
        PEER_ASK(other, "IST_E_NAME", "connect %s%%5C both 0", peer_word(name));
        ist_pipe_close(server);
        PEER_ASK(other, "IST_E_NOT_FOUND", "connect %s both 0", peer_word(name));
    }
    peer_end(other);
}

/* N4: names of pipes are a set of their own */
TEST(a_named_object_of_the_same_name_is_another_matter)
{
    char name[NAME_SIZE];
    ist_mutex *mutex = NULL;
    ist_mapping *mapping = NULL;
    ist_pipe *pipe = pipe_serve(name, IST_PIPE_BYTE);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mapping_open(&mapping, name, IST_READ));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_mutex_open(&mutex, name, IST_WRITE));
    CHECK_OK(ist_mutex_create(&mutex, name, NULL));
    ist_pipe_close(pipe);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_READ, 0));
    CHECK_OK(serve_first(&pipe, name));
    ist_mutex_close(mutex);
    ist_pipe_close(pipe);
}

/* N6 P3 */
TEST(connecting_to_nobody_finds_nothing_at_once_whatever_the_timeout)
{
    char name[NAME_SIZE];
    char reply[4];
    size_t got = 9;
    ist_pipe *pipe = (ist_pipe *)&pipe;
    unique_name(name, "", "nobody");
    CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_READ | IST_WRITE, 0));
    assert_null(pipe);
    CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_READ, IST_FOREVER));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_WRITE | IST_TRUST_EVERYONE, IST_FOREVER));
    CHECK_STATUS(IST_E_NOT_FOUND, ist_pipe_call(name, IST_TRUST_OWNER, "", 0, reply, sizeof reply, IST_FOREVER, &got));
}

/* N9 */
TEST(of_several_faults_the_argument_is_told_first_and_then_the_name)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    ist_pipe *pipe = NULL;
    char reply[4];
    size_t got = 9;
    options.instances = 255;
    CHECK_STATUS(IST_E_ARG, ist_pipe_serve(&pipe, "a/b", &options));
    CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&pipe, "a/b", 0, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&pipe, "a/b", IST_READ, -2));
    CHECK_STATUS(IST_E_ARG, ist_pipe_call("a/b", 1, "", 0, reply, sizeof reply, 0, &got));
    CHECK_STATUS(IST_E_ARG, ist_pipe_call("a/b", IST_TRUST_OWNER, "", 0, reply, 0, 0, &got));
    CHECK_STATUS(IST_E_ARG, ist_pipe_call("a/b", IST_TRUST_OWNER, "", 0, reply, sizeof reply, -2, &got));
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_name_that_is_none_is_refused),
        RUN(a_name_that_is_not_utf8_is_refused),
        RUN(a_name_of_247_bytes_is_one_and_of_248_is_none),
        RUN(a_name_of_247_bytes_may_be_of_few_characters),
        RUN(a_name_of_one_byte_is_one),
        RUN(every_character_but_slashes_is_legal),
        RUN(a_name_that_looks_like_something_else_is_only_a_name),
        RUN(words_reserved_for_named_objects_are_legal),
        RUN(the_prefix_may_stand_before_in_any_case),
        RUN(the_case_of_a_to_z_does_not_count),
        RUN(nothing_but_letters_has_a_case),
        RUN(instances_of_names_that_differ_in_case_are_of_one_pipe),
        RUN(two_processes_mean_the_same_by_a_name),
        RUN(a_named_object_of_the_same_name_is_another_matter),
        RUN(connecting_to_nobody_finds_nothing_at_once_whatever_the_timeout),
        RUN(of_several_faults_the_argument_is_told_first_and_then_the_name),
    };
    return cmocka_run_group_tests_name("pipe_name", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
