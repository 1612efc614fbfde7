/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Messages between two processes, through a pipe and over a stream socket on which they are framed by hand (frames.h):
 * one there and one back, and many there before one comes back.
 *
 * Each of the two has a peer of its own, which sleeps while the other is measured. The pipe's buffers are as large as
 * what the system gives a socket.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "frames.h"
#include "options.h"
#include "peers.h"
#include "raw.h"
#include "table.h"

#define LARGEST 1048576
#define SHORT_ANSWER 1

typedef struct stage {
    raw_event *listens; /* the peer has made its pipe */
    char name[64];
    ist_pipe *pipe; /* this process is the client */
    int ends[2];    /* of the socket: ours and the peer's */
    uint32_t buffer_bytes;
    uint32_t size;   /* of a message */
    size_t count;    /* messages until the answer */
    uint32_t answer; /* its size */
    size_t processor;
    char *memory;
} stage;

/* ---- over a socket ---- */

static bool raw_once(void *context)
{
    const stage *all = context;
    frames_result result = FRAMES_OK;

    for (size_t n = 0; n < all->count && result == FRAMES_OK; n++)
        result = frames_send(all->ends[0], all->memory, all->size);
    if (result == FRAMES_OK)
        result = frames_receive(all->ends[0], all->memory, all->answer);
    return result == FRAMES_OK || fail_say("the peer over the socket", "is gone");
}

static bool raw_peer(void *context)
{
    const stage *all = context;
    frames_result result = FRAMES_OK;

    if (!raw_stay(all->processor) || !raw_yield_to_others())
        return false;
    while (result == FRAMES_OK) {
        for (size_t n = 0; n < all->count && result == FRAMES_OK; n++)
            result = frames_receive(all->ends[1], all->memory, all->size);
        if (result == FRAMES_OK)
            result = frames_send(all->ends[1], all->memory, all->answer);
    }
    return result == FRAMES_ENDED;
}

/* ---- through a pipe ---- */

static ist_status send_all(ist_pipe *pipe, const stage *all, size_t count, uint32_t size)
{
    ist_status status = IST_OK;

    for (size_t n = 0; n < count && status == IST_OK; n++)
        status = ist_pipe_write(pipe, all->memory, size, IST_FOREVER, NULL);
    return status;
}

static ist_status receive_all(ist_pipe *pipe, const stage *all, size_t count, uint32_t size)
{
    ist_status status = IST_OK;
    size_t got = 0;

    for (size_t n = 0; n < count && status == IST_OK; n++) {
        status = ist_pipe_read(pipe, all->memory, LARGEST, IST_FOREVER, &got);
        if (status == IST_OK && got != size)
            status = IST_E_SIZE;
    }
    return status;
}

static bool our_once(void *context)
{
    const stage *all = context;
    ist_status status = send_all(all->pipe, all, all->count, all->size);

    if (status == IST_OK)
        status = receive_all(all->pipe, all, 1, all->answer);
    return status == IST_OK || fail_library("ist_pipe_write, ist_pipe_read", status);
}

static ist_status serve(stage *all)
{
    ist_pipe_options asked = IST_PIPE_OPTIONS_INIT;
    ist_status status = IST_OK;

    asked.type = IST_PIPE_MESSAGE;
    asked.inbound_bytes = all->buffer_bytes;
    asked.outbound_bytes = all->buffer_bytes;
    status = ist_pipe_serve(&all->pipe, all->name, &asked);
    if (status == IST_OK) {
        raw_set(all->listens);
        status = ist_pipe_accept(all->pipe, IST_FOREVER);
    }
    return status;
}

static bool our_peer(void *context)
{
    stage *all = context;
    ist_status status = IST_OK;

    if (!raw_stay(all->processor) || !raw_yield_to_others())
        return false;
    status = serve(all);
    while (status == IST_OK) {
        status = receive_all(all->pipe, all, all->count, all->size);
        if (status == IST_OK)
            status = send_all(all->pipe, all, 1, all->answer);
    }
    ist_pipe_close(all->pipe);
    return status == IST_E_BROKEN || fail_library("the peer's pipe", status);
}

/* ---- the table ---- */

typedef struct comparison {
    const char *what;
    uint32_t size;
    size_t count;   /* messages until the answer; 1 is a ping-pong, and the answer is as large */
    size_t less_by; /* so many times fewer in a batch */
    double goal;
} comparison;

static const comparison comparisons[] = {
    {"ping-pong of 64 bytes", 64, 1, 1, 1.1},   {"ping-pong of 4 KiB", 4096, 1, 1, 1.1},
    {"ping-pong of 1 MiB", LARGEST, 1, 8, 1.1}, {"stream of 64 bytes", 64, 4096, 8, 1.1},
    {"stream of 4 KiB", 4096, 256, 4, 1.1},     {"stream of 1 MiB", LARGEST, 4, 8, 1.1},
};
#define COMPARISONS (sizeof comparisons / sizeof comparisons[0])

static bool start(stage *all, peers *both)
{
    ist_status status = IST_OK;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, all->ends) != 0)
        return fail_system("socketpair");
    if (!peers_start(both, raw_peer, all) || !peers_start(both, our_peer, all))
        return false;
    raw_wait(all->listens, RAW_FOREVER);
    status = ist_pipe_connect(&all->pipe, all->name, IST_READ | IST_WRITE, IST_FOREVER);
    return status == IST_OK || fail_library("ist_pipe_connect", status);
}

/* The peers end when nobody is at the other end; that of the socket has both ends itself. */
static bool stop(stage *all, peers *both)
{
    ist_pipe_close(all->pipe);
    all->pipe = NULL;
    (void)shutdown(all->ends[0], SHUT_RDWR);
    (void)close(all->ends[0]);
    (void)close(all->ends[1]);
    return peers_join(both);
}

static void print_one(const comparison *one, bool apart, const measure_result *result)
{
    char what[128];

    (void)snprintf(what, sizeof what, "%s, %s", one->what, apart ? "two processors" : "one processor");
    table_row(what, "a socket", result, (double)one->count, one->goal);
}

/* The peers are on the next processor, or the same. */
static bool measure_one(stage *all, const comparison *one, bool apart, const options *how)
{
    peers both = {{0}, 0};
    measure_result result;
    size_t batch = how->batch > one->less_by ? how->batch / one->less_by : 1;
    bool done = false;

    all->size = one->size;
    all->count = one->count;
    all->answer = one->count == 1 ? one->size : SHORT_ANSWER;
    all->processor = apart ? 1 : 0;
    done = raw_stay(0) && start(all, &both) && measure_compare(raw_once, our_once, all, how->pairs, batch, &result);
    if (!done)
        return false;
    print_one(one, apart, &result);
    return stop(all, &both) && raw_roam();
}

static bool measure_all(stage *all, const options *how)
{
    char title[192];

    (void)snprintf(title, sizeof title, "Messages to another process, buffers of %u bytes: medians over %zu pairs",
                   all->buffer_bytes, how->pairs);
    table_begin(title);
    for (size_t i = 0; i < COMPARISONS; i++)
        for (int apart = 0; apart < (raw_processors() > 1 ? 2 : 1); apart++)
            if (!measure_one(all, &comparisons[i], apart != 0, how))
                return false;
    return true;
}

/* What the system gives a socket. */
static bool learn_buffer(uint32_t *out)
{
    int ends[2] = {-1, -1};
    int bytes = 0;
    socklen_t size = sizeof bytes;
    bool known = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
                 getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, &size) == 0;

    (void)close(ends[0]);
    (void)close(ends[1]);
    *out = (uint32_t)bytes;
    return known || fail_system("SO_SNDBUF");
}

int main(int argc, char **argv)
{
    options how = {400, 8};
    static stage all;
    bool done = options_read(argc, argv, &how) && learn_buffer(&all.buffer_bytes);

    (void)snprintf(all.name, sizeof all.name, "bench-%ld", (long)getpid());
    all.listens = raw_memory(sizeof *all.listens);
    all.memory = malloc(LARGEST);
    if (all.listens == NULL || all.memory == NULL)
        return fail_system("mmap"), 1;
    memset(all.memory, 'm', LARGEST);
    done = done && measure_all(&all, &how);
    free(all.memory);
    (void)munmap(all.listens, sizeof *all.listens);
    return done ? 0 : 1;
}
