/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Arguments of pipes at and beyond their limits, what a question writes, and what an end may not do.
 */
#include "support/host.h"
#include "support/pipe_peer.h"

/* Serves and pairs with these options, which are wrong, and sees that nothing was made. */
static void check_refused(const char *row, const ist_pipe_options *options)
{
    char name[NAME_SIZE];
    ist_pipe *pipe = (ist_pipe *)&pipe;
    ist_pipe *second = (ist_pipe *)&pipe;
    unique_name(name, "", "args");
    CHECK_ROW(row, IST_E_ARG, ist_pipe_serve(&pipe, name, options));
    assert_null(pipe);
    CHECK_ROW(row, IST_E_NOT_FOUND, ist_pipe_connect(&pipe, name, IST_READ, 0));
    pipe = (ist_pipe *)&pipe;
    CHECK_ROW(row, IST_E_ARG, ist_pipe_pair(&pipe, &second, options));
    assert_null(pipe);
    assert_null(second);
}

/* ---- making and connecting ---- */

TEST(options_of_an_impossible_size_are_refused)
{
    const uint32_t size = (uint32_t)sizeof(ist_pipe_options);
    const uint32_t sizes[] = {0, 1, 4, 8, size - 1, 5000, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.struct_size = sizes[i];
        check_refused("struct_size", &options);
    }
}

TEST(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero)
{
    struct {
        ist_pipe_options known;
        unsigned char unknown[16];
    } options;
    ist_pipe *pipe = NULL;
    char name[NAME_SIZE];
    const ist_pipe_options usual = IST_PIPE_OPTIONS_INIT;
    memset(&options, 0, sizeof options);
    options.known = usual;
    options.known.struct_size = (uint32_t)sizeof options;
    unique_name(name, "", "args");
    CHECK_OK(ist_pipe_serve(&pipe, name, &options.known));
    ist_pipe_close(pipe);
    for (size_t i = 0; i < sizeof options.unknown; i++) {
        options.unknown[i] = 1;
        check_refused("unknown", &options.known);
        options.unknown[i] = 0;
    }
}

TEST(flags_types_and_directions_that_are_none_are_refused)
{
    static const int numbers[] = {-1, 3, 100, INT32_MAX, INT32_MIN};
    static const uint32_t flags[] = {2, 3, 4, 0x100, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.flags = flags[i];
        check_refused("flags", &options);
    }
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        /* Through memory: the enumeration itself need not hold such a value. */
        memcpy(&options.type, &numbers[i], sizeof options.type);
        check_refused("type", &options);
        options = pipe_options(IST_PIPE_MESSAGE);
        memcpy(&options.direction, &numbers[i], sizeof options.direction);
        check_refused("direction", &options);
    }
}

TEST(an_audience_or_a_trust_that_is_none_is_refused)
{
    static const int audiences[] = {-1, 5, 100, INT32_MAX, INT32_MIN};
    static const ist_trust trusts[] = {1, 2, 0x101, 0x200, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        memcpy(&options.audience, &audiences[i], sizeof options.audience);
        check_refused("audience", &options);
    }
    for (size_t i = 0; i < COUNT_OF(trusts); i++) {
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.trust = trusts[i];
        check_refused("trust", &options);
    }
}

/* P1 P13 */
TEST(instances_and_buffers_beyond_their_limits_are_refused)
{
    static const uint32_t counts[] = {255, 256, 0x80000000u, UINT32_MAX};
    static const uint32_t sizes[] = {1, 4095, IST_PIPE_BUFFER_MAX + 1, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.instances = counts[i];
        check_refused("instances", &options);
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.inbound_bytes = sizes[i];
        check_refused("inbound_bytes", &options);
        options = pipe_options(IST_PIPE_MESSAGE);
        options.outbound_bytes = sizes[i];
        check_refused("outbound_bytes", &options);
    }
}

/* P1 P13 */
TEST(instances_and_buffers_at_their_limits_are_fine)
{
    static const uint32_t sizes[] = {0, IST_PIPE_BUFFER_MIN, IST_PIPE_BUFFER_MIN + 1, 100000, IST_PIPE_BUFFER_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        pipe_ends ends;
        ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.instances = i % 2 == 0 ? IST_PIPE_INSTANCES_MAX : 1;
        options.inbound_bytes = sizes[i];
        pipe_join(&ends, &options);
        CHECK_OK(ist_pipe_info(ends.server, &facts));
        assert_int_equal(facts.instances_max, options.instances);
        assert_true(facts.inbound_bytes >= sizes[i] && facts.inbound_bytes >= IST_PIPE_BUFFER_MIN);
        assert_true(facts.outbound_bytes >= IST_PIPE_BUFFER_MIN);
        PIPE_PUT(ends.client, "in");
        PIPE_GET(ends.server, "in");
        pipe_part(&ends);
    }
}

TEST(an_access_that_is_none_is_refused)
{
    static const ist_access accesses[] = {0,
                                          IST_COPY,
                                          IST_COPY | IST_READ,
                                          8,
                                          IST_READ | 0x200,
                                          IST_WRITE | 0x80000000u,
                                          IST_TRUST_EVERYONE,
                                          IST_TRUST_EVERYONE | IST_COPY,
                                          UINT32_MAX};
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        ist_pipe *client = (ist_pipe *)&client;
        CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&client, name, accesses[i], 0));
        assert_null(client);
    }
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    ist_pipe_close(server);
}

TEST(nothing_where_something_must_be_is_refused)
{
    char token[IST_TOKEN_SIZE] = "x";
    char bytes[4];
    size_t n = 9;
    intptr_t native = 5;
    ist_pipe *pipe = (ist_pipe *)&pipe;
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    ist_pipe_peer_facts peer_facts = IST_PIPE_PEER_FACTS_INIT;
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    CHECK_STATUS(IST_E_ARG, ist_pipe_serve(NULL, "x", NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_serve(&pipe, NULL, NULL));
    assert_null(pipe);
    CHECK_STATUS(IST_E_ARG, ist_pipe_connect(NULL, "x", IST_READ, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&pipe, NULL, IST_READ, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_pair(NULL, &pipe, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_pair(&pipe, NULL, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_inherit(NULL, token));
    assert_string_equal(token, "");
    CHECK_STATUS(IST_E_ARG, ist_pipe_import(NULL, "x"));
    CHECK_STATUS(IST_E_ARG, ist_pipe_import(&pipe, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_accept(NULL, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_disconnect(NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(NULL, bytes, 1, 0, &n));
    assert_int_equal(n, 0);
    n = 9;
    CHECK_STATUS(IST_E_ARG, ist_pipe_write(NULL, bytes, 1, 0, &n));
    assert_int_equal(n, 0);
    CHECK_STATUS(IST_E_ARG, ist_pipe_peek(NULL, NULL, 0, &peeked));
    CHECK_STATUS(IST_E_ARG, ist_pipe_flush(NULL, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(NULL, bytes, 1, bytes, 1, 0, &n));
    CHECK_STATUS(IST_E_ARG, ist_pipe_call(NULL, IST_TRUST_OWNER, bytes, 1, bytes, 1, 0, &n));
    CHECK_STATUS(IST_E_ARG, ist_pipe_info(NULL, &facts));
    CHECK_STATUS(IST_E_ARG, ist_pipe_peer(NULL, &peer_facts));
    CHECK_STATUS(IST_E_ARG, ist_pipe_cancel(NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_native(NULL, &native));
    assert_int_equal(native, -1);
    assert_null(ist_pipe_waitable(NULL));
    ist_pipe_close(NULL);
}

/* ---- data ---- */

TEST(buffers_that_are_none_are_refused)
{
    pipe_ends ends;
    char bytes[4] = "abc";
    size_t n = 9;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    pipe_join(&ends, &options);
    PIPE_PUT(ends.server, "there");
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(ends.client, bytes, 1, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(ends.client, NULL, 1, 0, &n));
    assert_int_equal(n, 0);
    CHECK_STATUS(IST_E_ARG, ist_pipe_read(ends.client, bytes, 0, 0, &n));
    CHECK_STATUS(IST_E_ARG, ist_pipe_peek(ends.client, NULL, 1, &peeked));
    CHECK_STATUS(IST_E_ARG, ist_pipe_peek(ends.client, bytes, 1, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(ends.client, NULL, 1, bytes, 1, 0, &n));
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(ends.client, bytes, 1, NULL, 1, 0, &n));
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(ends.client, bytes, 1, bytes, 0, 0, &n));
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(ends.client, bytes, 1, bytes, 1, 0, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_info(ends.client, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_peer(ends.client, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_native(ends.client, NULL));
    CHECK_STATUS(IST_E_ARG, ist_pipe_inherit(ends.client, NULL));
    n = 9;
    CHECK_STATUS(IST_E_ARG, ist_pipe_write(ends.client, NULL, 1, 0, &n));
    assert_int_equal(n, 0);
    CHECK_OK(ist_pipe_write(ends.client, NULL, 0, 0, NULL));
    PIPE_GET(ends.server, "");
    PIPE_GET(ends.client, "there");
    pipe_part(&ends);
}

/* P5 */
TEST(a_write_of_4_gib_is_refused)
{
#if SIZE_MAX > 0xFFFFFFFFu
    pipe_ends ends;
    char bytes[1] = "";
    size_t n = 9;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    pipe_join(&ends, &options);
    CHECK_STATUS(IST_E_ARG, ist_pipe_write(ends.client, bytes, (size_t)1 << 32, 0, &n));
    assert_int_equal(n, 0);
    CHECK_STATUS(IST_E_ARG, ist_pipe_transact(ends.client, bytes, (size_t)1 << 32, bytes, 1, 0, &n));
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    pipe_part(&ends);
#endif
}

/* W5 P11 */
TEST(a_timeout_below_zero_that_is_not_forever_is_refused)
{
    static const int64_t timeouts[] = {-2, -1000, INT64_MIN, INT64_MIN + 1};
    pipe_ends ends;
    ist_pipe *more = NULL;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    pipe_join(&ends, &options);
    PIPE_PUT(ends.server, "there");
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        char bytes[4] = "";
        size_t n = 9;
        CHECK_STATUS(IST_E_ARG, ist_pipe_accept(ends.server, timeouts[i]));
        CHECK_STATUS(IST_E_ARG, ist_pipe_connect(&more, ends.name, IST_READ, timeouts[i]));
        CHECK_STATUS(IST_E_ARG, ist_pipe_read(ends.client, bytes, 1, timeouts[i], &n));
        CHECK_STATUS(IST_E_ARG, ist_pipe_write(ends.client, bytes, 1, timeouts[i], &n));
        CHECK_STATUS(IST_E_ARG, ist_pipe_flush(ends.server, timeouts[i]));
        CHECK_STATUS(IST_E_ARG, ist_pipe_transact(ends.client, bytes, 1, bytes, 1, timeouts[i], &n));
        CHECK_STATUS(IST_E_ARG, ist_pipe_call(ends.name, IST_TRUST_OWNER, bytes, 1, bytes, 1, timeouts[i], &n));
        CHECK_STATUS(IST_E_ARG, ist_wait(ist_pipe_waitable(ends.client), timeouts[i]));
    }
    PIPE_GET(ends.client, "there");
    PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
    pipe_part(&ends);
}

/* W5 */
TEST(the_longest_timeout_is_one)
{
    static const int64_t timeouts[] = {1, INT64_MAX - 1, INT64_MAX, IST_FOREVER};
    pipe_ends ends;
    pipe_join(&ends, NULL);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        char bytes[4] = "";
        size_t n = 9;
        CHECK_OK(ist_pipe_write(ends.client, "x", 1, timeouts[i], &n));
        CHECK_OK(ist_pipe_read(ends.server, bytes, 4, timeouts[i], &n));
        assert_int_equal(n, 1);
        CHECK_OK(ist_pipe_flush(ends.client, timeouts[i]));
        CHECK_OK(ist_pipe_accept(ends.server, timeouts[i]));
    }
    pipe_part(&ends);
}

/* ---- what an end may not ---- */

/* P1 P10 */
TEST(an_end_for_one_direction_is_refused_the_other)
{
    for (int i = 0; i < 2; i++) {
        pipe_ends ends;
        char bytes[4] = "";
        size_t n = 9;
        ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
        ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
        options.direction = i == 0 ? IST_PIPE_INBOUND : IST_PIPE_OUTBOUND;
        pipe_join(&ends, &options);
        ist_pipe *reader = i == 0 ? ends.server : ends.client;
        ist_pipe *writer = i == 0 ? ends.client : ends.server;
        CHECK_STATUS(IST_E_ACCESS, ist_pipe_write(reader, bytes, 1, 0, &n));
        assert_int_equal(n, 0);
        CHECK_STATUS(IST_E_ACCESS, ist_pipe_write(reader, NULL, 0, 0, NULL));
        CHECK_STATUS(IST_E_ACCESS, ist_pipe_flush(reader, 0));
        n = 9;
        CHECK_STATUS(IST_E_ACCESS, ist_pipe_read(writer, bytes, 1, 0, &n));
        assert_int_equal(n, 0);
        CHECK_STATUS(IST_E_ACCESS, ist_pipe_peek(writer, NULL, 0, &peeked));
        CHECK_STATUS(IST_E_ARG, ist_pipe_transact(reader, bytes, 1, bytes, 1, 0, &n));
        CHECK_STATUS(IST_E_ARG, ist_pipe_transact(writer, bytes, 1, bytes, 1, 0, &n));
        PIPE_PUT(writer, "so");
        PIPE_GET(reader, "so");
        pipe_part(&ends);
    }
}

/* P1 P10 */
TEST(a_client_that_asked_for_one_direction_of_two_has_that_one)
{
    ist_pipe *server = NULL;
    ist_pipe *client = NULL;
    char name[NAME_SIZE];
    char bytes[4] = "";
    size_t n = 9;
    server = pipe_serve(name, IST_PIPE_MESSAGE);
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ, 0));
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_write(client, bytes, 1, 0, NULL));
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_transact(client, bytes, 1, bytes, 1, 0, &n));
    PIPE_PUT(server, "so");
    PIPE_GET(client, "so");
    ist_pipe_close(client);
    CHECK_OK(ist_pipe_disconnect(server));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
    CHECK_OK(ist_pipe_connect(&client, name, IST_WRITE, 0));
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_read(client, bytes, 1, 0, &n));
    CHECK_STATUS(IST_E_ACCESS, ist_pipe_transact(client, bytes, 1, bytes, 1, 0, &n));
    PIPE_PUT(client, "so");
    PIPE_GET(server, "so");
    ist_pipe_close(client);
    ist_pipe_close(server);
}

TEST(what_only_an_instance_can_do_is_refused_to_a_client)
{
    pipe_ends ends;
    char token[IST_TOKEN_SIZE] = "x";
    pipe_join(&ends, NULL);
    CHECK_STATUS(IST_E_ARG, ist_pipe_accept(ends.client, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_accept(ends.client, IST_FOREVER));
    CHECK_STATUS(IST_E_ARG, ist_pipe_disconnect(ends.client));
    CHECK_STATUS(IST_E_ARG, ist_pipe_inherit(ends.server, token));
    assert_string_equal(token, "");
    PIPE_PUT(ends.client, "still");
    PIPE_GET(ends.server, "still");
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(options_of_an_impossible_size_are_refused),
        RUN(newer_options_are_fine_as_long_as_what_is_new_in_them_is_zero),
        RUN(flags_types_and_directions_that_are_none_are_refused),
        RUN(an_audience_or_a_trust_that_is_none_is_refused),
        RUN(instances_and_buffers_beyond_their_limits_are_refused),
        RUN(instances_and_buffers_at_their_limits_are_fine),
        RUN(an_access_that_is_none_is_refused),
        RUN(nothing_where_something_must_be_is_refused),
        RUN(buffers_that_are_none_are_refused),
        RUN(a_write_of_4_gib_is_refused),
        RUN(a_timeout_below_zero_that_is_not_forever_is_refused),
        RUN(the_longest_timeout_is_one),
        RUN(an_end_for_one_direction_is_refused_the_other),
        RUN(a_client_that_asked_for_one_direction_of_two_has_that_one),
        RUN(what_only_an_instance_can_do_is_refused_to_a_client),
    };
    return cmocka_run_group_tests_name("pipe_argument", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
