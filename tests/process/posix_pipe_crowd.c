/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A server in one thread that watches a thousand instances with poll(), and a thousand clients at once that come, talk,
 * go, and are killed at random. Of each client's messages, which are numbered, the server gets the first, the second
 * and so on, whole; all of those whose write had returned, and at most one more.
 *
 * ISTHMUS_TEST_PEERS says how many clients there are at once, ISTHMUS_TEST_MESSAGES how many messages in all, at least,
 * and ISTHMUS_TEST_KILLS twice how many of them are killed.
 */
#include "support/check.h"
#include "support/peer.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stage/stage.h"

#define CROWD 1000
#define SECOND INT64_C(1000000000)
#define MOST 9000u
#define EACH 100u      /* messages of a client that is not killed */
#define DESCRIPTORS 8u /* of an instance, at most */

/* In front of a message. */
typedef struct head {
    uint32_t place;
    uint32_t life;
    uint32_t number; /* from 1 */
    uint32_t size;
    uint32_t sum;
} head;

/* What a client tells, in memory that is none of the library's. */
typedef struct account {
    volatile uint32_t life;    /* which client it is that stands in this place */
    volatile uint32_t written; /* messages whose write has returned */
    volatile uint32_t settled; /* the server has seen its end */
    volatile uint32_t through; /* it has ended well */
} account;

typedef struct board {
    volatile uint64_t messages;
    volatile uint64_t connections;
    volatile uint32_t ready;
    volatile uint32_t closing;
    account accounts[CROWD];
} board;

static board *shared;
static char name[STAGE_NAME_SIZE];

static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint32_t sum_of(const unsigned char *data, size_t size, uint32_t seed)
{
    uint32_t sum = seed;
    for (size_t n = 0; n < size; n++)
        sum = sum * 31 + data[n];
    return sum;
}

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

/* ---- the clients ---- */

static void say(ist_pipe *pipe, account *mine, uint32_t place, uint32_t number, uint64_t *random)
{
    static unsigned char message[MOST];
    size_t size = sizeof(head) + (size_t)(random_number(random) % (random_number(random) % 8 == 0 ? 8000 : 200));
    head first = {place, mine->life, number, (uint32_t)size, 0};
    memset(message + sizeof first, (int)(*random & 0xff), size - sizeof first);
    first.sum = sum_of(message + sizeof first, size - sizeof first, number);
    memcpy(message, &first, sizeof first);
    if (STAGE_IS(ist_pipe_write(pipe, message, size, IST_FOREVER, NULL), IST_OK))
        mine->written = number;
}

static void hear(ist_pipe *pipe, uint32_t number)
{
    uint32_t answer = 0;
    size_t got = 0;
    STAGE_IS(ist_pipe_read(pipe, &answer, sizeof answer, IST_FOREVER, &got), IST_OK);
    STAGE_CHECK(got == sizeof answer && answer == number);
}

static int client(uint32_t place, uint64_t random)
{
    account *mine = &shared->accounts[place];
    ist_pipe *pipe = NULL;
    alarm(10 * STAGE_DEADLINE_SECONDS);
    if (!STAGE_IS(ist_pipe_connect(&pipe, name, IST_READ | IST_WRITE, IST_FOREVER), IST_OK))
        return 1;
    for (uint32_t number = 1; number <= EACH; number++) {
        say(pipe, mine, place, number, &random);
        if (number % 8 == 0)
            hear(pipe, number);
    }
    if (random % 2 == 0)
        STAGE_IS(ist_pipe_flush(pipe, IST_FOREVER), IST_OK);
    ist_pipe_close(pipe);
    mine->through = 1;
    return 0;
}

/* ---- the server ---- */

typedef struct desk {
    ist_pipe *pipe;
    bool connected;
    bool known; /* has heard from it */
    uint32_t place;
    uint32_t life;
    uint32_t number; /* of the last message */
    size_t part;     /* bytes of a message that is larger than the buffer and has not come whole */
    unsigned char message[MOST];
} desk;

static desk desks[CROWD];
static struct pollfd watched[CROWD];

static void watch(unsigned n)
{
    intptr_t fd = -1;
    STAGE_IS(ist_pipe_native(desks[n].pipe, &fd), IST_OK);
    watched[n] = (struct pollfd){.fd = (int)fd, .events = POLLIN};
}

static void take_message(desk *at, const unsigned char *message, size_t size)
{
    head first;
    STAGE_CHECK(size >= sizeof first);
    memcpy(&first, message, sizeof first);
    if (!at->known) {
        at->known = true;
        at->place = first.place;
        at->life = first.life;
    }
    STAGE_CHECK(first.place == at->place && first.life == at->life);
    STAGE_CHECK(first.number == at->number + 1);
    STAGE_CHECK(first.size == size);
    STAGE_CHECK(first.sum == sum_of(message + sizeof first, size - sizeof first, first.number));
    at->number = first.number;
    shared->messages++;
    if (first.number % 8 == 0) {
        ist_status status = ist_pipe_write(at->pipe, &first.number, sizeof first.number, IST_FOREVER, NULL);
        STAGE_CHECK(status == IST_OK || status == IST_E_BROKEN);
    }
}

/* The client is gone: what it had written has come. */
static void settle(desk *at)
{
    if (at->known) {
        account *its = &shared->accounts[at->place];
        uint32_t written = its->life == at->life ? its->written : 0; /* who had not told of any is not waited for */
        STAGE_CHECK(at->number >= written && at->number <= written + 1);
        if (its->life == at->life)
            its->settled = 1;
    }
    at->known = false;
    at->connected = false;
    at->number = 0;
    at->part = 0;
    STAGE_IS(ist_pipe_disconnect(at->pipe), IST_OK);
    shared->connections++;
}

/* Up to where nothing is there any more, or the client is gone. */
static ist_status read_all(desk *at)
{
    size_t got = 0;
    ist_status status = IST_OK;
    do {
        status = ist_pipe_read(at->pipe, at->message + at->part, MOST - at->part, 0, &got);
        at->part += got;
        if (status == IST_OK) {
            take_message(at, at->message, at->part);
            at->part = 0;
        }
    } while (status == IST_OK || status == IST_MORE);
    return status;
}

/* One client after the other, until there is nothing to do. */
static void attend(unsigned n)
{
    desk *at = &desks[n];
    ist_status status = IST_OK;
    while (status != IST_TIMEOUT && stage_failures() == 0) {
        if (!at->connected)
            status = ist_pipe_accept(at->pipe, 0);
        STAGE_CHECK(status == IST_OK || status == IST_TIMEOUT || status == IST_E_BROKEN);
        if (status == IST_TIMEOUT)
            break;
        at->connected = true;
        status = read_all(at);
        STAGE_CHECK(status == IST_TIMEOUT || status == IST_E_BROKEN);
        if (status == IST_E_BROKEN)
            settle(at);
    }
    watch(n);
}

static int server(unsigned count)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.type = IST_PIPE_MESSAGE;
    for (unsigned n = 0; n < count; n++) {
        stage_case("%u of %u instances", n, count);
        if (!STAGE_IS(ist_pipe_serve(&desks[n].pipe, name, &options), IST_OK))
            return 1;
        watch(n);
    }
    shared->ready = 1;
    while (shared->closing == 0) {
        int due = poll(watched, count, 100);
        stage_case("%d of %u instances have something to do", due, count);
        for (unsigned n = 0; n < count && due > 0; n++)
            if (watched[n].revents != 0)
                attend(n);
        if (stage_failures() != 0)
            return 1;
    }
    for (unsigned n = 0; n < count; n++)
        ist_pipe_close(desks[n].pipe);
    return 0;
}

/* ---- the crowd ---- */

static pid_t hire(unsigned place, uint64_t random)
{
    account *its = &shared->accounts[place];
    *its = (account){.life = its->life + 1};
    pid_t pid = stage_fork();
    if (pid == 0)
        _exit(client(place, random | 1));
    return pid;
}

static void play(unsigned count, uint64_t messages, unsigned long least_kills)
{
    pid_t crowd[CROWD];
    uint64_t random = 0x9e3779b97f4a7c15u;
    unsigned long kills = 0;
    unsigned long ended = 0;
    unsigned before = stage_failures();
    stage_name(name, "", "crowd");
    memset(shared, 0, sizeof *shared);
    pid_t serving = stage_fork();
    if (serving == 0)
        _exit(server(count));
    while (shared->ready == 0 && stage_failures() == before)
        usleep(1000);
    for (unsigned n = 0; n < count; n++) {
        stage_case("%u of %u have come", n, count);
        crowd[n] = hire(n, random_number(&random));
    }
    while ((shared->messages < messages || kills < least_kills) && stage_failures() == before) {
        stage_case("a crowd of %u, %lu killed, %lu through", count, kills, ended);
        unsigned place = (unsigned)(random_number(&random) % count);
        if (shared->accounts[place].through != 0) {
            STAGE_CHECK(stage_wait(crowd[place]) == 0);
            ended++;
        } else {
            stage_kill(crowd[place]);
            kills++;
        }
        /* Not before the server has settled with the dead: its account is kept here. */
        while (shared->accounts[place].written != 0 && shared->accounts[place].settled == 0 &&
               stage_failures() == before)
            usleep(1000);
        crowd[place] = hire(place, random_number(&random));
    }
    for (unsigned n = 0; n < count; n++)
        stage_kill(crowd[n]);
    shared->closing = 1;
    STAGE_CHECK(stage_wait(serving) == 0);
    check_empty("behind the crowd");
    printf("%llu messages over %llu connections of %u at once; %lu killed, %lu went\n",
           (unsigned long long)shared->messages, (unsigned long long)shared->connections, count, kills, ended);
    assert_int_equal(stage_failures(), before);
}

/* As many as descriptors allow. */
static unsigned affordable(unsigned count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / DESCRIPTORS < count)
            count = (unsigned)(limit.rlim_cur / DESCRIPTORS);
    }
    return count;
}

/* P2 P4 P5 P7 P8, L1 L3. */
TEST(a_thousand_clients_that_are_killed_at_random_lose_double_tear_and_reorder_nothing)
{
    bool slow = stage_number("ISTHMUS_TEST_SLOW", 0) != 0;
    play(affordable((unsigned)crowd_size(CROWD)), stage_number("ISTHMUS_TEST_MESSAGES", slow ? 20000 : 100000),
         stage_number("ISTHMUS_TEST_KILLS", slow ? 200 : 1000) / 2);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_thousand_clients_that_are_killed_at_random_lose_double_tear_and_reorder_nothing),
    };
    return cmocka_run_group_tests_name("process.posix_pipe_crowd", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    shared = stage_memory(sizeof *shared);
    return peer_main(argc, argv, NULL, 0, suite);
}
