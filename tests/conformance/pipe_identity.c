/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Who is at the other end (P12, P16), and who may come in, as far as one user can tell (A1, A2).
 */
#include "support/pipe_peer.h"

static void check_peer(ist_pipe *pipe, uint64_t process_id)
{
    ist_pipe_peer_facts facts = IST_PIPE_PEER_FACTS_INIT;
    CHECK_OK(ist_pipe_peer(pipe, &facts));
    assert_int_equal(facts.process_id, process_id);
    assert_int_equal(facts.same_user, 1);
    assert_true(strlen(facts.user) > 0);
    assert_non_null(memchr(facts.user, '\0', sizeof facts.user));
}

/* P12 */
TEST(each_side_learns_the_others_process_and_user)
{
    pipe_ends ends;
    char expected[64];
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    PEER_ASK(client, "IST_OK 1", "write x 0");
    PIPE_GET(ends.server, "x");
    check_peer(ends.server, peer_id(client));
    (void)snprintf(expected, sizeof expected, "IST_OK %llu 1", (unsigned long long)ist_process_id());
    PEER_ASK(client, expected, "peer");
    peer_end(client);
    pipe_part(&ends);
}

/* P12 */
TEST(both_sides_in_one_process_are_of_one_user)
{
    pipe_ends ends;
    ist_pipe_peer_facts first = IST_PIPE_PEER_FACTS_INIT;
    ist_pipe_peer_facts second = IST_PIPE_PEER_FACTS_INIT;
    pipe_join(&ends, NULL);
    PIPE_PUT(ends.client, "x");
    PIPE_GET(ends.server, "x");
    check_peer(ends.server, ist_process_id());
    check_peer(ends.client, ist_process_id());
    CHECK_OK(ist_pipe_peer(ends.server, &first));
    CHECK_OK(ist_pipe_peer(ends.client, &second));
    assert_string_equal(first.user, second.user);
    pipe_part(&ends);
}

/* P12: as of connecting */
TEST(the_process_of_a_client_that_is_gone_is_still_told)
{
    pipe_ends ends;
    ist_pipe_peer_facts facts = IST_PIPE_PEER_FACTS_INIT;
    peer *client = pipe_join_peer(&ends, IST_PIPE_MESSAGE);
    uint64_t id = peer_id(client);
    PEER_ASK(client, "IST_OK 4", "write left 0");
    peer_kill(client);
    ist_status status = ist_pipe_peer(ends.server, &facts);
    assert_true(status == IST_OK || status == IST_E_ACCESS);
    assert_int_equal(facts.process_id, id);
    PIPE_GET(ends.server, "left");
    peer_forget(client);
    pipe_part(&ends);
}

/* P12 */
TEST(each_client_of_an_instance_is_told_by_its_own_process)
{
    char name[NAME_SIZE];
    ist_pipe *server = pipe_serve(name, IST_PIPE_BYTE);
    for (int i = 0; i < 4; i++) {
        peer *client = pipe_start_client(name);
        CHECK_OK(ist_pipe_accept(server, pipe_bound_ns()));
        PEER_ASK(client, "IST_OK 1", "write x 0");
        PIPE_GET(server, "x");
        check_peer(server, peer_id(client));
        CHECK_OK(ist_pipe_disconnect(server));
        CHECK_STATUS(IST_TIMEOUT, ist_pipe_accept(server, 0));
        peer_end(client);
    }
    ist_pipe_close(server);
}

/* P12: a client that cannot write is asked for all the same */
TEST(a_client_for_reading_is_told_as_well)
{
    char name[NAME_SIZE];
    ist_pipe *server = NULL;
    ist_pipe *client = NULL;
    ist_pipe_peer_facts facts = IST_PIPE_PEER_FACTS_INIT;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.direction = IST_PIPE_OUTBOUND;
    unique_name(name, "", "who");
    CHECK_OK(ist_pipe_serve(&server, name, &options));
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ, 0));
    CHECK_OK(ist_pipe_accept(server, 0));
    ist_status status = ist_pipe_peer(server, &facts);
    assert_true(status == IST_OK || status == IST_E_ACCESS);
    assert_int_equal(facts.process_id, ist_process_id());
    ist_pipe_close(client);
    ist_pipe_close(server);
}

/* ---- who may come in ---- */

/* A1: the own user may come in whatever the audience, and in the same way */
TEST(every_audience_admits_its_own_user_for_everything)
{
    for (int audience = IST_AUDIENCE_OWNER; audience <= IST_AUDIENCE_EVERYONE_WRITE; audience++) {
        char name[NAME_SIZE];
        ist_pipe *server = NULL;
        ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
        options.audience = (ist_audience)audience;
        unique_name(name, "", "audience");
        CHECK_OK(ist_pipe_serve(&server, name, &options));
        peer *client = pipe_start_client(name);
        CHECK_OK(ist_pipe_accept(server, 0));
        PEER_ASK(client, "IST_OK 2", "write in 0");
        PIPE_GET(server, "in");
        PIPE_PUT(server, "out");
        PEER_ASK(client, "IST_OK 3 out", "read 10 0");
        peer_end(client);
        ist_pipe_close(server);
        pipe_check_gone(name);
    }
}

/* A1 P1: what a later instance asks is ignored */
TEST(an_instance_of_another_audience_is_one_of_the_first_ones)
{
    char name[NAME_SIZE];
    ist_pipe *first = NULL;
    ist_pipe *second = NULL;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    unique_name(name, "", "audience");
    options.audience = IST_AUDIENCE_EVERYONE_READ;
    CHECK_OK(ist_pipe_serve(&first, name, &options));
    options.audience = IST_AUDIENCE_OWNER;
    CHECK_OK(ist_pipe_serve(&second, name, &options));
    ist_pipe_close(first);
    ist_pipe_close(second);
}

/* A2 */
TEST(who_trusts_everyone_trusts_himself)
{
    char name[NAME_SIZE];
    ist_pipe *first = NULL;
    ist_pipe *second = NULL;
    ist_pipe *client = NULL;
    char answer[8];
    size_t got = 0;
    ist_pipe_options options = pipe_options(IST_PIPE_MESSAGE);
    unique_name(name, "", "trust");
    options.trust = IST_TRUST_EVERYONE;
    CHECK_OK(ist_pipe_serve(&first, name, &options));
    CHECK_OK(ist_pipe_serve(&second, name, &options));
    CHECK_OK(ist_pipe_connect(&client, name, IST_READ | IST_WRITE | IST_TRUST_EVERYONE, 0));
    CHECK_STATUS(IST_TIMEOUT, ist_pipe_call(name, IST_TRUST_EVERYONE, "q", 1, answer, sizeof answer, 1, &got));
    PIPE_PUT(client, "x");
    PIPE_GET(first, "x");
    ist_pipe_close(client);
    ist_pipe_close(second);
    ist_pipe_close(first);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        RUN(each_side_learns_the_others_process_and_user),
        RUN(both_sides_in_one_process_are_of_one_user),
        RUN(the_process_of_a_client_that_is_gone_is_still_told),
        RUN(each_client_of_an_instance_is_told_by_its_own_process),
        RUN(a_client_for_reading_is_told_as_well),
        RUN(every_audience_admits_its_own_user_for_everything),
        RUN(an_instance_of_another_audience_is_one_of_the_first_ones),
        RUN(who_trusts_everyone_trusts_himself),
    };
    return cmocka_run_group_tests_name("pipe_identity", tests, pipe_be_patient, NULL);
}

int main(int argc, char **argv)
{
    static const peer_role roles[] = {PIPE_ROLE_ROW};
    return peer_main(argc, argv, roles, COUNT_OF(roles), run_all);
}
