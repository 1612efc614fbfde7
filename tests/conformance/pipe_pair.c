/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes without a name, within a process and between a process and its child: P5 to P13 in short, L9.
 */
#include "support/host.h"
#include "support/pipe_peer.h"

static void pair(pipe_ends *ends, ist_pipe_type type)
{
    ist_pipe_options options = pipe_options(type);
    CHECK_OK(ist_pipe_pair(&ends->server, &ends->client, &options));
}

/* P5 */
TEST(both_ends_of_a_pair_speak)
{
    for (int type = 0; type < 2; type++) {
        pipe_ends ends;
        pair(&ends, (ist_pipe_type)type);
        PIPE_PUT(ends.server, "ab");
        PIPE_PUT(ends.server, "cd");
        PIPE_PUT(ends.client, "back");
        PIPE_GET(ends.server, "back");
        PIPE_GET(ends.client, type == IST_PIPE_MESSAGE ? "ab" : "abcd");
        if (type == IST_PIPE_MESSAGE)
            PIPE_GET(ends.client, "cd");
        PIPE_GET_NOTHING(ends.client, IST_TIMEOUT);
        PIPE_GET_NOTHING(ends.server, IST_TIMEOUT);
        pipe_part(&ends);
    }
}

/* P1 P12 */
TEST(a_pair_tells_what_it_is)
{
    pipe_ends ends;
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    ist_pipe_peer_facts who = IST_PIPE_PEER_FACTS_INIT;
    pair(&ends, IST_PIPE_MESSAGE);
    CHECK_OK(ist_pipe_info(ends.server, &facts));
    assert_int_equal(facts.type, IST_PIPE_MESSAGE);
    assert_int_equal(facts.direction, IST_PIPE_DUPLEX);
    assert_int_equal(facts.server, 1);
    assert_int_equal(facts.connected, 1);
    CHECK_OK(ist_pipe_info(ends.client, &facts));
    assert_int_equal(facts.server, 0);
    assert_int_equal(facts.connected, 1);
    PIPE_PUT(ends.client, "x");
    PIPE_GET(ends.server, "x");
    CHECK_OK(ist_pipe_peer(ends.server, &who));
    assert_int_equal(who.process_id, ist_process_id());
    CHECK_OK(ist_pipe_peer(ends.client, &who));
    assert_int_equal(who.process_id, ist_process_id());
    pipe_part(&ends);
}

/* P1 */
TEST(a_pair_of_one_direction_has_that_one)
{
    for (int direction = IST_PIPE_INBOUND; direction <= IST_PIPE_OUTBOUND; direction++) {
        pipe_ends ends;
        ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
        options.direction = (ist_pipe_direction)direction;
        CHECK_OK(ist_pipe_pair(&ends.server, &ends.client, &options));
        ist_pipe *writer = direction == IST_PIPE_INBOUND ? ends.client : ends.server;
        ist_pipe *reader = direction == IST_PIPE_INBOUND ? ends.server : ends.client;
        CHECK_STATUS(IST_E_ACCESS, ist_pipe_write(reader, "x", 1, 0, NULL));
        PIPE_PUT(writer, "x");
        PIPE_GET(reader, "x");
        pipe_part(&ends);
    }
}

/* P7 P13 P10 P6 */
TEST(a_pair_is_a_pipe_in_everything_else)
{
    pipe_ends ends;
    char bytes[5000];
    size_t n = 9;
    pair(&ends, IST_PIPE_MESSAGE);
    CHECK_OK(ist_pipe_write(ends.server, bytes, 4096, 0, &n));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_write(ends.server, bytes, 5000, 0, &n));
    assert_int_equal(n, 0);
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_flush(ends.server, 0));
    PIPE_CHECK_PEEK(ends.client, 4096, 4096);
    CHECK_STATUS(IST_E_LIMIT, ist_pipe_transact(ends.client, "q", 1, bytes, 5000, 0, &n));
    CHECK_OK(ist_wait(ist_pipe_waitable(ends.client), 0));
    CHECK_OK(ist_pipe_read(ends.client, bytes, 5000, 0, &n));
    assert_int_equal(n, 4096);
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_pipe_waitable(ends.client), 0));
    CHECK_OK(ist_pipe_flush(ends.server, 0));
    PIPE_PUT(ends.client, "left");
    ist_pipe_close(ends.client);
    ends.client = NULL;
    PIPE_GET(ends.server, "left");
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    CHECK_STATUS(IST_E_BROKEN, ist_pipe_write(ends.server, bytes, 1, 0, &n));
    pipe_part(&ends);
}

/* P8: what a pair cannot, it says */
TEST(the_second_end_of_a_pair_neither_accepts_nor_disconnects)
{
    pipe_ends ends;
    pair(&ends, IST_PIPE_BYTE);
    CHECK_STATUS(IST_E_ARG, ist_pipe_accept(ends.client, 0));
    CHECK_STATUS(IST_E_ARG, ist_pipe_disconnect(ends.client));
    CHECK_OK(ist_pipe_accept(ends.server, 0));
    pipe_part(&ends);
}

/* P8 */
TEST(a_disconnect_of_the_first_end_breaks_a_pair)
{
    pipe_ends ends;
    pair(&ends, IST_PIPE_BYTE);
    PIPE_PUT(ends.server, "lost");
    CHECK_OK(ist_pipe_disconnect(ends.server));
    PIPE_GET_NOTHING(ends.client, IST_E_BROKEN);
    PIPE_GET_NOTHING(ends.server, IST_E_BROKEN);
    pipe_part(&ends);
}

/* L3 */
TEST(hundreds_of_pairs_come_and_go)
{
    for (int i = 0; i < 1500; i++) {
        pipe_ends ends;
        pair(&ends, i % 2 == 0 ? IST_PIPE_BYTE : IST_PIPE_MESSAGE);
        PIPE_PUT(ends.server, "x");
        PIPE_GET(ends.client, "x");
        pipe_part(&ends);
    }
}

/* ---- children ---- */

/* A child that has taken an end which it inherited; this process has let go of it. */
static peer *give(ist_pipe **end)
{
    char token[IST_TOKEN_SIZE];
    CHECK_OK(ist_pipe_inherit(*end, token));
    assert_true(strlen(token) > 0);
    assert_null(strpbrk(token, " \t\n\"'"));
    peer *child = peer_start_inheriting(PIPE_ROLE, (const char *)NULL);
    PEER_ASK(child, "IST_OK", "import %s", peer_word(token));
    ist_pipe_close(*end);
    *end = NULL;
    char answer[PEER_LINE_SIZE];
    peer_query(child, answer, "patient");
    return child;
}

/* L9 P5 */
TEST(a_child_speaks_through_the_end_it_inherited)
{
    for (int type = 0; type < 2; type++) {
        for (int first = 0; first < 2; first++) {
            pipe_ends ends;
            pair(&ends, (ist_pipe_type)type);
            peer *child = give(first ? &ends.server : &ends.client);
            ist_pipe *ours = first ? ends.client : ends.server;
            PEER_ASK(child, "IST_OK 2", "write up 0");
            PIPE_GET(ours, "up");
            pipe_begin(child, "read 10 forever");
            PIPE_PUT(ours, "down");
            PIPE_HEAR(child, "IST_OK 4 down");
            peer_say(child, "pour 100000 3 forever");
            for (size_t done = 0; done < 100000;) {
                char bytes[9000];
                size_t got = 0;
                ist_status status = ist_pipe_read(ours, bytes, sizeof bytes, pipe_bound_ns(), &got);
                assert_true(status == IST_OK || status == IST_MORE);
                assert_true(pipe_is_filled(bytes, got, 3, done));
                done += got;
            }
            PIPE_HEAR(child, "IST_OK 100000");
            peer_end(child);
            PIPE_GET_NOTHING(ours, IST_E_BROKEN);
            pipe_part(&ends);
        }
    }
}

/* L9 P7 */
TEST(the_end_of_a_child_is_noticed_however_it_ends)
{
    for (int way = 0; way < 3; way++) {
        pipe_ends ends;
        pair(&ends, IST_PIPE_MESSAGE);
        peer *child = give(&ends.client);
        PEER_ASK(child, "IST_OK 4", "write left 0");
        if (way == 0) {
            peer_end(child);
        } else if (way == 1) {
            peer_kill(child);
            peer_forget(child);
        } else {
            pipe_be_impatient();
            peer_say(child, "later vanish");
        }
        PIPE_GET(ends.server, "left");
        char bytes[8];
        size_t got = 9;
        CHECK_STATUS(IST_E_BROKEN, ist_pipe_read(ends.server, bytes, sizeof bytes, IST_FOREVER, &got));
        if (way == 2)
            assert_true(peer_ended_well(child));
        pipe_part(&ends);
    }
    (void)pipe_be_patient(NULL);
}

/* L9: and the child notices ours */
TEST(a_child_notices_the_end_of_the_other_side)
{
    pipe_ends ends;
    pair(&ends, IST_PIPE_BYTE);
    peer *child = give(&ends.client);
    pipe_begin(child, "read 10 forever");
    ist_pipe_close(ends.server);
    ends.server = NULL;
    PIPE_HEAR(child, "IST_E_BROKEN 0 -");
    peer_end(child);
    pipe_part(&ends);
}

/* P12: of a pair it is the process that made it */
TEST(a_child_is_told_the_process_that_made_the_pair)
{
    pipe_ends ends;
    char expected[64];
    pair(&ends, IST_PIPE_BYTE);
    peer *child = give(&ends.client);
    PIPE_PUT(ends.server, "x");
    PEER_ASK(child, "IST_OK 1 x", "read 10 10000");
    (void)snprintf(expected, sizeof expected, "IST_OK %llu 1", (unsigned long long)ist_process_id());
    PEER_ASK(child, expected, "peer");
    peer_end(child);
    pipe_part(&ends);
}

/* L9 */
TEST(a_clients_end_is_inherited_as_well)
{
    char name[NAME_SIZE];
    ist_pipe *client = NULL;
    ist_pipe *server = pipe_serve(name, IST_PIPE_MESSAGE);
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0));
    CHECK_OK(ist_pipe_accept(server, 0));
    PIPE_PUT(server, "before");
    peer *child = give(&client);
    PEER_ASK(child, "IST_OK 6 before", "read 10 10000");
    PEER_ASK(child, "IST_OK 2", "write up 0");
    PIPE_GET(server, "up");
    peer_end(child);
    PIPE_GET_NOTHING(server, IST_E_BROKEN);
    ist_pipe_close(server);
}

/* L9: what was read and written before the child took over counts */
TEST(a_child_goes_on_where_its_parent_was)
{
    pipe_ends ends;
    pair(&ends, IST_PIPE_MESSAGE);
    PIPE_PUT(ends.server, "abcdef");
    PIPE_PUT(ends.server, "next");
    PIPE_PUT(ends.client, "ours");
    PIPE_GET_PART(ends.client, 2, IST_MORE, "ab");
    peer *child = give(&ends.client);
    PEER_ASK(child, "IST_OK 4 cdef", "read 10 10000");
    PEER_ASK(child, "IST_OK 4 next", "read 10 10000");
    PEER_ASK(child, "IST_OK 6", "write theirs 0");
    PIPE_GET(ends.server, "ours");
    PIPE_GET(ends.server, "theirs");
    peer_end(child);
    pipe_part(&ends);
}

/* L9 */
TEST(a_token_is_taken_once_and_only_by_who_inherited_it)
{
    static const char *const wrong[] = {
        "", "x", "-", "0", "pipe:0:0", "99999999999999999999", "p 1 2 3", "\x80\xFF", "isthmus-pipe-1-2"};
    pipe_ends ends;
    char token[IST_TOKEN_SIZE];
    char endless[IST_TOKEN_SIZE];
    ist_pipe *pipe = (ist_pipe *)&pipe;
    pair(&ends, IST_PIPE_BYTE);
    peer *stranger = pipe_start();
    CHECK_OK(ist_pipe_inherit(ends.client, token));
    PEER_ASK(stranger, "IST_E_ARG", "import %s", peer_word(token));
    peer *child = peer_start_inheriting(PIPE_ROLE, (const char *)NULL);
    PEER_ASK(child, "IST_OK", "import %s", peer_word(token));
    PEER_ASK(child, "ok", "slot 1");
    PEER_ASK(child, "IST_E_ARG", "import %s", peer_word(token));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        CHECK_STATUS(IST_E_ARG, ist_pipe_import(&pipe, wrong[i]));
        assert_null(pipe);
    }
    memset(endless, 'x', sizeof endless);
    CHECK_STATUS(IST_E_ARG, ist_pipe_import(&pipe, endless));
    peer_end(stranger);
    peer_end(child);
    pipe_part(&ends);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(both_ends_of_a_pair_speak),
        RUN(a_pair_tells_what_it_is),
        RUN(a_pair_of_one_direction_has_that_one),
        RUN(a_pair_is_a_pipe_in_everything_else),
        RUN(the_second_end_of_a_pair_neither_accepts_nor_disconnects),
        RUN(a_disconnect_of_the_first_end_breaks_a_pair),
        RUN(hundreds_of_pairs_come_and_go),
        RUN(a_child_speaks_through_the_end_it_inherited),
        RUN(the_end_of_a_child_is_noticed_however_it_ends),
        RUN(a_child_notices_the_end_of_the_other_side),
        RUN(a_child_is_told_the_process_that_made_the_pair),
        RUN(a_clients_end_is_inherited_as_well),
        RUN(a_child_goes_on_where_its_parent_was),
        RUN(a_token_is_taken_once_and_only_by_who_inherited_it),
    };
    return cmocka_run_group_tests_name("pipe_pair", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
