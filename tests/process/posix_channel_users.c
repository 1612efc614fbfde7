/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes and mailslots among several users: who may come in, who came first, and what is left when somebody is killed.
 * As root, whose children become users that need not exist.
 */
#include "support/check.h"
#include "support/peer.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/player.h"
#include "stage/stage.h"

#define ANNA 61001
#define BERT 61002
#define CARL 61003

static char name[STAGE_NAME_SIZE];

/* ---- what a user does; each is a player_act ---- */

static ist_pipe *pipe_end;
static ist_mailslot *slot;

static int become(uintptr_t user)
{
    stage_become((uid_t)user, 0);
    return 0;
}

/* Also one of ANNA's group. */
static int become_bert_of_annas(uintptr_t unused)
{
    (void)unused;
    stage_become(BERT, ANNA);
    return 0;
}

static int mask(uintptr_t bits)
{
    umask((mode_t)bits);
    return 0;
}

static int serve(uintptr_t audience)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.type = IST_PIPE_MESSAGE;
    options.audience = (ist_audience)audience;
    return ist_pipe_serve(&pipe_end, name, &options);
}

static int serve_with_trust(uintptr_t audience)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.type = IST_PIPE_MESSAGE;
    options.audience = (ist_audience)audience;
    options.trust = IST_TRUST_EVERYONE;
    return ist_pipe_serve(&pipe_end, name, &options);
}

static int connect_as(uintptr_t access)
{
    return ist_pipe_connect(&pipe_end, name, (ist_access)access, 0);
}

static int accept_one(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_accept(pipe_end, 0);
}

static int say(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_write(pipe_end, "hello", 5, 0, NULL);
}

static int hear(uintptr_t unused)
{
    char got[16];
    size_t size = 0;
    (void)unused;
    ist_status status = ist_pipe_read(pipe_end, got, sizeof got, 0, &size);
    return status == IST_OK && (size != 5 || memcmp(got, "hello", 5) != 0) ? IST_E_CORRUPT : status;
}

/* The peer's user, and whether it is the same; -1 on failure. */
static int peer_user(uintptr_t unused)
{
    ist_pipe_peer_facts facts = IST_PIPE_PEER_FACTS_INIT;
    (void)unused;
    if (ist_pipe_peer(pipe_end, &facts) != IST_OK || facts.process_id == 0)
        return -1;
    return atoi(facts.user) * 2 + (int)facts.same_user;
}

static int disconnect(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_disconnect(pipe_end);
}

static int make_slot(uintptr_t audience)
{
    ist_mailslot_options options = IST_MAILSLOT_OPTIONS_INIT;
    options.audience = (ist_audience)audience;
    return ist_mailslot_create(&slot, name, &options);
}

static int open_slot(uintptr_t trust)
{
    return ist_mailslot_open(&slot, name, IST_WRITE | (ist_access)trust);
}

static int write_slot(uintptr_t unused)
{
    (void)unused;
    return ist_mailslot_write(slot, "hello", 5);
}

static int read_slot(uintptr_t unused)
{
    char got[16];
    size_t size = 0;
    (void)unused;
    ist_status status = ist_mailslot_read(slot, got, sizeof got, 0, &size);
    return status == IST_OK && (size != 5 || memcmp(got, "hello", 5) != 0) ? IST_E_CORRUPT : status;
}

static int let_go(uintptr_t unused)
{
    (void)unused;
    ist_pipe_close(pipe_end);
    pipe_end = NULL;
    ist_mailslot_close(slot);
    slot = NULL;
    return IST_OK;
}

/* ---- the tests ---- */

static player user(uid_t number)
{
    player who = player_start();
    player_ask(&who, become, number);
    return who;
}

#define ASK(who, wanted, act, argument) STAGE_IS((ist_status)player_ask(&(who), act, (uintptr_t)(argument)), wanted)

static unsigned failures_before;

static void begin(const char *what)
{
    stage_clear();
    stage_case("%s", what);
    stage_name(name, "", "users");
    failures_before = stage_failures();
}

static void end(void)
{
    stage_check_empty("behind the users");
    stage_clear();
    assert_int_equal(stage_failures(), failures_before);
}

#define USERS_TEST(test)                                                                                               \
    static void test##_play(void);                                                                                     \
    TEST(test)                                                                                                         \
    {                                                                                                                  \
        if (stage_one_user_because() != NULL)                                                                          \
            SKIP(test, stage_one_user_because());                                                                      \
        begin(#test);                                                                                                  \
        test##_play();                                                                                                 \
        end();                                                                                                         \
    }                                                                                                                  \
    static void test##_play(void)

/* A2 */
USERS_TEST(a_pipe_of_a_user_who_came_first_is_refused_unless_trusted)
{
    player anna = user(ANNA);
    player bert = user(BERT);
    ASK(bert, IST_OK, serve, IST_AUDIENCE_EVERYONE_WRITE);
    ASK(anna, IST_E_ACCESS, serve, IST_AUDIENCE_OWNER);
    ASK(anna, IST_E_ACCESS, serve_with_trust, IST_AUDIENCE_OWNER);
    ASK(anna, IST_E_ACCESS, connect_as, IST_READ | IST_WRITE);
    ASK(anna, IST_OK, connect_as, IST_READ | IST_WRITE | IST_TRUST_EVERYONE);
    ASK(anna, IST_OK, say, 0);
    ASK(bert, IST_OK, accept_one, 0);
    ASK(bert, IST_OK, hear, 0);
    STAGE_CHECK(player_ask(&bert, peer_user, 0) == ANNA * 2);
    STAGE_CHECK(player_ask(&anna, peer_user, 0) == BERT * 2);
    ASK(anna, IST_OK, let_go, 0);
    ASK(bert, IST_OK, let_go, 0);
    ASK(anna, IST_OK, serve, IST_AUDIENCE_OWNER);
    ASK(bert, IST_E_ACCESS, connect_as, IST_READ | IST_WRITE | IST_TRUST_EVERYONE);
    ASK(anna, IST_OK, let_go, 0);
    player_dismiss(&anna);
    player_dismiss(&bert);
}

typedef struct admission {
    ist_audience audience;
    bool in_group;
    ist_status read;
    ist_status both;
} admission;

/* A1: a umask takes nothing from an audience. */
USERS_TEST(an_audience_says_who_may_connect_and_for_what)
{
    static const admission rows[] = {
        {IST_AUDIENCE_OWNER, true, IST_E_ACCESS, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_READ, false, IST_E_ACCESS, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_READ, true, IST_OK, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_WRITE, false, IST_E_ACCESS, IST_E_ACCESS},
        {IST_AUDIENCE_GROUP_WRITE, true, IST_OK, IST_OK},
        {IST_AUDIENCE_EVERYONE_READ, false, IST_OK, IST_E_ACCESS},
        {IST_AUDIENCE_EVERYONE_WRITE, false, IST_OK, IST_OK},
    };
    for (size_t n = 0; n < COUNT_OF(rows); n++) {
        stage_case("audience %d, %s the group", (int)rows[n].audience, rows[n].in_group ? "of" : "not of");
        player anna = user(ANNA);
        player bert = player_start();
        player_ask(&bert, rows[n].in_group ? become_bert_of_annas : become, BERT);
        player_ask(&anna, mask, 0777);
        ASK(anna, IST_OK, serve, rows[n].audience);
        ASK(bert, rows[n].both, connect_as, IST_READ | IST_WRITE | IST_TRUST_EVERYONE);
        if (rows[n].both == IST_OK) {
            ASK(anna, IST_OK, accept_one, 0);
            ASK(bert, IST_OK, say, 0);
            ASK(anna, IST_OK, hear, 0);
            ASK(bert, IST_OK, let_go, 0);
            ASK(anna, IST_OK, disconnect, 0);
            ASK(anna, IST_TIMEOUT, accept_one, 0);
        }
        ASK(bert, rows[n].read, connect_as, IST_READ | IST_TRUST_EVERYONE);
        if (rows[n].read == IST_OK) {
            ASK(anna, IST_OK, accept_one, 0);
            ASK(anna, IST_OK, say, 0);
            ASK(bert, IST_OK, hear, 0);
            ASK(bert, IST_E_ACCESS, say, 0);
        }
        ASK(bert, IST_OK, let_go, 0);
        ASK(anna, IST_OK, let_go, 0);
        player_dismiss(&anna);
        player_dismiss(&bert);
    }
}

/* L1, L3: what another user's killed server has left. */
USERS_TEST(a_killed_servers_pipe_is_not_found_by_another_user_and_removed_by_its_own)
{
    player anna = user(ANNA);
    player bert = user(BERT);
    ASK(bert, IST_OK, serve, IST_AUDIENCE_EVERYONE_WRITE);
    player_kill(&bert);
    ASK(anna, IST_E_NOT_FOUND, connect_as, IST_READ | IST_TRUST_EVERYONE);
    ASK(anna, IST_E_ACCESS, serve, IST_AUDIENCE_OWNER);
    bert = user(BERT);
    ASK(bert, IST_OK, serve, IST_AUDIENCE_OWNER);
    ASK(bert, IST_OK, let_go, 0);
    ASK(anna, IST_OK, serve, IST_AUDIENCE_OWNER);
    ASK(anna, IST_OK, let_go, 0);
    player_dismiss(&anna);
    player_dismiss(&bert);
}

/* A1, A2, B1 */
USERS_TEST(a_mailslot_takes_messages_of_its_audience_and_a_name_is_the_first_users)
{
    player anna = user(ANNA);
    player bert = user(BERT);
    player carl = user(CARL);
    ASK(anna, IST_OK, make_slot, IST_AUDIENCE_EVERYONE_WRITE);
    ASK(bert, IST_E_ACCESS, make_slot, IST_AUDIENCE_OWNER);
    ASK(anna, IST_E_EXISTS, make_slot, IST_AUDIENCE_OWNER);
    player_dismiss(&anna);
    anna = user(ANNA);
    ASK(anna, IST_OK, make_slot, IST_AUDIENCE_EVERYONE_WRITE);
    ASK(bert, IST_E_ACCESS, open_slot, 0);
    ASK(bert, IST_OK, open_slot, IST_TRUST_EVERYONE);
    ASK(carl, IST_OK, open_slot, IST_TRUST_EVERYONE);
    ASK(bert, IST_OK, write_slot, 0);
    ASK(carl, IST_OK, write_slot, 0);
    ASK(anna, IST_OK, read_slot, 0);
    ASK(anna, IST_OK, read_slot, 0);
    ASK(anna, IST_TIMEOUT, read_slot, 0);
    player_kill(&anna);
    ASK(bert, IST_E_BROKEN, write_slot, 0);
    player_dismiss(&bert);
    bert = user(BERT);
    ASK(bert, IST_E_ACCESS, make_slot, IST_AUDIENCE_OWNER);
    ASK(carl, IST_OK, let_go, 0);
    ASK(carl, IST_E_NOT_FOUND, open_slot, IST_TRUST_EVERYONE);
    anna = user(ANNA);
    ASK(anna, IST_OK, make_slot, IST_AUDIENCE_OWNER);
    ASK(bert, IST_E_ACCESS, open_slot, IST_TRUST_EVERYONE);
    ASK(anna, IST_OK, let_go, 0);
    player_dismiss(&anna);
    player_dismiss(&bert);
    player_dismiss(&carl);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_pipe_of_a_user_who_came_first_is_refused_unless_trusted),
        RUN(an_audience_says_who_may_connect_and_for_what),
        RUN(a_killed_servers_pipe_is_not_found_by_another_user_and_removed_by_its_own),
        RUN(a_mailslot_takes_messages_of_its_audience_and_a_name_is_the_first_users),
    };
    return cmocka_run_group_tests_name("process.posix_channel_users", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
