/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One end of a pipe killed, and stopped, at each system call of each operation, one run for each. Killed: the other end
 * reads whole messages and then IST_E_BROKEN; the instance serves the next client; a pipe whose only server is dead has
 * a free name; nothing is left. Stopped: another instance of the same pipe serves another client meanwhile, and the
 * stopped one ends its operation as if nothing had been.
 *
 * ISTHMUS_TEST_STRIDE=n tries only every nth stop of each operation, beginning at another one in each.
 */
#include "support/check.h"
#include "support/peer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage/player.h"
#include "stage/stage.h"
#include "stage/trace.h"

#define MS INT64_C(1000000)
#define SECOND (INT64_C(1000) * MS)
#define LARGE 100000u
#define SMALL 100u

static char name[STAGE_NAME_SIZE];
static unsigned char text[LARGE];

static ist_pipe *mine; /* this process's end */

/* The first call of a process removes what the killed have left (L3). */
static int look_round(void *unused)
{
    ist_mapping *mapping = NULL;
    (void)unused;
    STAGE_IS(ist_mapping_create(&mapping, "Global\\isthmus-look-round", 1, NULL), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

static void check_empty(const char *when)
{
    STAGE_CHECK(stage_run(look_round, NULL) == 0);
    stage_check_empty(when);
}

/* ---- what both sides can do; each is a player_act ---- */

static bool is_allowed(ist_status status, const ist_status *allowed, size_t count)
{
    for (size_t n = 0; n < count; n++)
        if (status == allowed[n])
            return true;
    return false;
}
#define ALLOWED(status, ...)                                                                                           \
    is_allowed(status, (const ist_status[]){__VA_ARGS__}, sizeof((ist_status[]){__VA_ARGS__}) / sizeof(ist_status))

static void fill(void)
{
    for (size_t n = 0; n < LARGE; n++)
        text[n] = (unsigned char)(n * 7 + n / 251);
}

static bool is_whole(const unsigned char *message, size_t size)
{
    return (size == 0 || size == SMALL || size == LARGE) && memcmp(message, text, size) == 0;
}

static int serve(uintptr_t flags)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.type = IST_PIPE_MESSAGE;
    options.flags = (uint32_t)flags;
    return ist_pipe_serve(&mine, name, &options);
}

static int accept_now(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_accept(mine, 0);
}

static int accept_for_a_while(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_accept(mine, 10 * MS);
}

static int connect_now(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_connect(&mine, name, IST_READ | IST_WRITE, 0);
}

static int connect_for_a_while(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_connect(&mine, name, IST_READ | IST_WRITE, 10 * MS);
}

static int write_message(uintptr_t size)
{
    return ist_pipe_write(mine, text, size, size > SMALL ? 5 * SECOND : 0, NULL);
}

static int write_small(uintptr_t unused)
{
    (void)unused;
    return write_message(SMALL);
}

static int write_for_a_while(uintptr_t size)
{
    return ist_pipe_write(mine, text, size, 10 * MS, NULL);
}

/* A message, which must be whole; or the first part of one that nobody will end. */
static ist_status read_one(int64_t timeout_ns)
{
    static unsigned char got[LARGE];
    size_t size = 0;
    ist_status status = ist_pipe_read(mine, got, sizeof got, timeout_ns, &size);
    if (status == IST_OK && !is_whole(got, size))
        stage_fail("a torn message of %zu bytes", size);
    if (status == IST_MORE && STAGE_IS(ist_pipe_read(mine, got, 1, timeout_ns, &size), IST_E_BROKEN))
        status = IST_E_BROKEN;
    return status;
}

static int read_now(uintptr_t unused)
{
    (void)unused;
    return read_one(0);
}

static int read_for_a_while(uintptr_t unused)
{
    (void)unused;
    return read_one(10 * MS);
}

static int read_in_parts(uintptr_t unused)
{
    unsigned char got[SMALL / 4];
    size_t size = 0;
    (void)unused;
    return ist_pipe_read(mine, got, sizeof got, 0, &size);
}

/* Everything up to the end of the peer. */
static int read_to_the_end(uintptr_t unused)
{
    ist_status status = IST_OK;
    (void)unused;
    while (status == IST_OK)
        status = read_one(5 * SECOND);
    return status;
}

static int flush_for_a_while(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_flush(mine, 10 * MS);
}

static int disconnect(uintptr_t unused)
{
    (void)unused;
    return ist_pipe_disconnect(mine);
}

static int let_go(uintptr_t unused)
{
    (void)unused;
    ist_pipe_close(mine);
    mine = NULL;
    return IST_OK;
}

/* Makes an instance that a client may have died at listen anew, with nobody there. */
static int recover(uintptr_t unused)
{
    ist_status status = IST_OK;
    (void)unused;
    for (int tries = 0; status != IST_TIMEOUT && tries < 4; tries++) {
        status = ist_pipe_accept(mine, 0);
        if (ALLOWED(status, IST_OK, IST_E_BROKEN)) {
            ist_status last = read_to_the_end(0);
            if (!ALLOWED(last, IST_E_BROKEN))
                stage_fail("the end of a dead client: %s", ist_status_name(last));
            STAGE_IS(ist_pipe_disconnect(mine), IST_OK);
        }
    }
    return status;
}

/* ---- the plays ---- */

typedef struct play {
    const char *title;
    bool serves; /* the child is the server */
    /* Before the operation: the child's preparation while nobody else is there, what the other does then, and what the
       child does behind that. NULL: nothing. */
    player_act *prepare;
    uintptr_t prepare_with;
    player_act *other;
    player_act *prepare_more;
    player_act *other_more;
    uintptr_t other_with;
    /* The operation, and what the other does meanwhile, which ends with the child. */
    player_act *op;
    uintptr_t with;
    player_act *meanwhile;
    ist_status allowed[4];
} play;

static player other;
static player third;
static unsigned long runs;
static unsigned long points;

static void child(const play *played)
{
    trace_join();
    if (played->prepare != NULL)
        played->prepare(played->prepare_with);
    trace_mark();
    if (played->prepare_more != NULL)
        played->prepare_more(0);
    trace_mark();
    ist_status status = (ist_status)played->op(played->with);
    trace_mark();
    if (!ALLOWED(status, played->allowed[0], played->allowed[1], played->allowed[2], played->allowed[3]))
        stage_fail("%s: it ended with %s", played->title, ist_status_name(status));
    ist_pipe_close(mine);
    _exit(0);
}

static bool begin(const play *played, trace *traced)
{
    stage_name(name, "", "stops");
    if (!played->serves) {
        other = player_start();
        STAGE_IS(player_ask(&other, serve, 0), IST_OK);
    }
    pid_t pid = stage_fork();
    if (pid == 0)
        child(played);
    trace_begin(traced, pid);
    bool sound = trace_to_mark(traced);
    if (played->serves)
        other = player_start();
    if (played->other != NULL)
        STAGE_IS(player_ask(&other, played->other, 0), IST_OK);
    sound = sound && trace_to_mark(traced);
    if (played->other_more != NULL)
        player_ask(&other, played->other_more, played->other_with);
    if (!sound)
        stage_fail("%s: the child did not get so far", played->title);
    return sound;
}

/* A client and a server that have not been there before. */
static void talk(const player *server, const player *client)
{
    STAGE_IS(player_ask(client, connect_now, 0), IST_OK);
    STAGE_IS(player_ask(client, write_message, SMALL), IST_OK);
    STAGE_IS(player_ask(server, accept_now, 0), IST_OK);
    STAGE_IS(player_ask(server, read_now, 0), IST_OK);
    STAGE_IS(player_ask(server, write_message, 0), IST_OK);
    STAGE_IS(player_ask(client, read_now, 0), IST_OK);
    player_ask(client, let_go, 0);
    STAGE_IS(player_ask(server, read_now, 0), IST_E_BROKEN);
}

static void check_killed(const play *played)
{
    if (played->meanwhile != NULL) {
        ist_status status = (ist_status)player_end(&other);
        if (!ALLOWED(status, IST_E_BROKEN, IST_OK))
            stage_fail("%s: the other one's call ended with %s", played->title, ist_status_name(status));
    }
    third = player_start();
    if (played->serves) {
        bool had_end = played->other == connect_now;
        if (had_end)
            STAGE_IS(player_ask(&other, read_to_the_end, 0), IST_E_BROKEN);
        player_ask(&other, let_go, 0);
        STAGE_IS(player_ask(&other, serve, IST_PIPE_FIRST), IST_OK);
    } else {
        STAGE_IS(player_ask(&other, recover, 0), IST_TIMEOUT);
    }
    talk(&other, &third);
    player_ask(&other, let_go, 0);
    player_dismiss(&third);
    player_dismiss(&other);
}

/* Another instance, by another server: who connects gets the one or the other. */
static void pass_by(void)
{
    player server = player_start();
    player clients[2] = {player_start(), player_start()};
    STAGE_IS(player_ask(&server, serve, 0), IST_OK);
    ist_status accepted = IST_TIMEOUT;
    for (int n = 0; n < 2 && accepted == IST_TIMEOUT; n++) {
        ist_status status = (ist_status)player_ask(&clients[n], connect_now, 0);
        STAGE_IS(status, IST_OK);
        accepted = (ist_status)player_ask(&server, accept_now, 0);
    }
    STAGE_IS(accepted, IST_OK);
    for (int n = 0; n < 2; n++) {
        player_ask(&clients[n], let_go, 0);
        player_dismiss(&clients[n]);
    }
    player_ask(&server, let_go, 0);
    player_dismiss(&server);
}

static void check_stopped(const play *played, trace *traced)
{
    pass_by();
    if (trace_finish(traced) != 0)
        stage_fail("%s: the stopped child failed", played->title);
    if (played->meanwhile != NULL)
        STAGE_IS((ist_status)player_end(&other), IST_E_BROKEN);
    player_ask(&other, let_go, 0);
    player_dismiss(&other);
}

/* False: the operation has no more stops. */
static bool run(const play *played, unsigned n, bool kill)
{
    trace traced;
    stage_case("%s, %s at stop %u", played->title, kill ? "killed" : "stopped", n);
    runs++;
    if (!begin(played, &traced))
        return false;
    if (played->meanwhile != NULL)
        player_begin(&other, played->meanwhile, 0);
    bool stopped = trace_steps(&traced, n);
    if (kill) {
        trace_kill(&traced);
        check_killed(played);
    } else {
        check_stopped(played, &traced);
    }
    check_empty("behind the play");
    points += stopped;
    return stopped && stage_failures() < 20;
}

static void at_each_stop(const play *played)
{
    unsigned before = stage_failures();
    unsigned stride = (unsigned)stage_number("ISTHMUS_TEST_STRIDE", 1);
    const char *why = NULL;
    if (!trace_works(&why))
        SKIP(a_pipe_killed_or_stopped_at_each_call, why);
    for (int kill = 0; kill < 2; kill++) {
        unsigned n = (unsigned)(runs % stride);
        while (run(played, n, kill != 0))
            n += stride;
    }
    assert_int_equal(stage_failures(), before);
}

#define PLAY(title_, ...)                                                                                              \
    TEST(title_)                                                                                                       \
    {                                                                                                                  \
        static const play played = {.title = #title_, __VA_ARGS__};                                                    \
        at_each_stop(&played);                                                                                         \
    }

/* L1 L3 L8, P3 P4 P5 P7 P8 P9 P11 P13. Where the list of what is allowed is short, the rest is IST_OK. */
PLAY(a_serve, .serves = true, .op = serve)
PLAY(an_accept_of_a_client_that_is_there, .serves = true, .prepare = serve, .other = connect_now, .op = accept_now)
PLAY(an_accept_that_sleeps, .serves = true, .prepare = serve, .op = accept_for_a_while,
     .allowed = {IST_TIMEOUT, IST_E_BROKEN})
PLAY(an_accept_after_a_disconnect, .serves = true, .prepare = serve, .prepare_more = disconnect,
     .op = accept_for_a_while, .allowed = {IST_TIMEOUT, IST_E_BROKEN})
PLAY(a_servers_read, .serves = true, .prepare = serve, .other = connect_now, .prepare_more = accept_now,
     .other_more = write_message, .other_with = SMALL, .op = read_now)
PLAY(a_servers_read_in_parts, .serves = true, .prepare = serve, .other = connect_now, .prepare_more = accept_now,
     .other_more = write_message, .other_with = SMALL, .op = read_in_parts, .allowed = {IST_MORE})
PLAY(a_servers_read_that_sleeps, .serves = true, .prepare = serve, .other = connect_now, .prepare_more = accept_now,
     .op = read_for_a_while, .allowed = {IST_TIMEOUT})
PLAY(a_servers_write, .serves = true, .prepare = serve, .other = connect_now, .prepare_more = accept_now,
     .op = write_message, .with = SMALL)
PLAY(a_servers_disconnect, .serves = true, .prepare = serve, .other = connect_now, .prepare_more = accept_now,
     .op = disconnect)
PLAY(a_servers_close, .serves = true, .prepare = serve, .other = connect_now, .prepare_more = accept_now, .op = let_go)
PLAY(a_close_of_a_listening_instance, .serves = true, .prepare = serve, .op = let_go)
PLAY(a_connect, .op = connect_now, .allowed = {IST_TIMEOUT})
PLAY(a_connect_that_sleeps, .prepare = connect_now, .op = connect_for_a_while, .allowed = {IST_TIMEOUT})
PLAY(a_clients_write, .prepare = connect_now, .other = accept_now, .op = write_message, .with = SMALL)
PLAY(a_clients_write_of_nothing, .prepare = connect_now, .other = accept_now, .op = write_message)
PLAY(a_large_write_that_is_read, .prepare = connect_now, .other = accept_now, .op = write_message, .with = LARGE,
     .meanwhile = read_to_the_end)
PLAY(a_large_write_that_nobody_reads, .prepare = connect_now, .other = accept_now, .op = write_for_a_while,
     .with = LARGE, .allowed = {IST_TIMEOUT})
PLAY(a_clients_read, .prepare = connect_now, .other = accept_now, .other_more = write_message, .other_with = SMALL,
     .op = read_now)
PLAY(a_clients_read_that_sleeps, .prepare = connect_now, .other = accept_now, .op = read_for_a_while,
     .allowed = {IST_TIMEOUT})
PLAY(a_flush_that_sleeps, .prepare = connect_now, .other = accept_now, .prepare_more = write_small,
     .op = flush_for_a_while, .allowed = {IST_TIMEOUT})
PLAY(a_clients_close, .prepare = connect_now, .other = accept_now, .op = let_go)

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_serve),
        RUN(an_accept_of_a_client_that_is_there),
        RUN(an_accept_that_sleeps),
        RUN(an_accept_after_a_disconnect),
        RUN(a_servers_read),
        RUN(a_servers_read_in_parts),
        RUN(a_servers_read_that_sleeps),
        RUN(a_servers_write),
        RUN(a_servers_disconnect),
        RUN(a_servers_close),
        RUN(a_close_of_a_listening_instance),
        RUN(a_connect),
        RUN(a_connect_that_sleeps),
        RUN(a_clients_write),
        RUN(a_clients_write_of_nothing),
        RUN(a_large_write_that_is_read),
        RUN(a_large_write_that_nobody_reads),
        RUN(a_clients_read),
        RUN(a_clients_read_that_sleeps),
        RUN(a_flush_that_sleeps),
        RUN(a_clients_close),
    };
    int failed = cmocka_run_group_tests_name("process.posix_pipe_stops", tests, NULL, NULL);
    printf("%lu runs, %lu crash and stop points\n", runs, points);
    return failed;
}

int main(int argc, char **argv)
{
    stage_enter();
    fill();
    return peer_main(argc, argv, NULL, 0, suite);
}
