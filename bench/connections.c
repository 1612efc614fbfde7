/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a connection costs besides the data: to come and go, against a stream socket with a path, in one process and
 * with a server in another, and against sockets over which memory is shared (sharing.h); and the memory of one on which
 * nothing happens, against that of a socket pair.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "options.h"
#include "peers.h"
#include "raw.h"
#include "sharing.h"
#include "table.h"
#include "usage.h"

#define IDLE 500     /* connections */
#define HELLO 64     /* bytes: what a connection that was used has carried, once in each direction */
#define SHARED 28672 /* bytes: as much as a pipe with its smallest buffers */
#define GOAL 1.5

typedef struct shared {
    raw_event listens; /* the peer has made its pipe */
    uint32_t stop;     /* whom it throws out next is the last one */
} shared;

typedef struct stage {
    shared *both;
    char name[64];
    char remote_name[64]; /* the peer's */
    ist_pipe *pipe;
    struct sockaddr_un path;
    struct sockaddr_un remote_path;
    struct sockaddr_un shared_path;
    int listener;
    int remote_listener; /* made here, used by the peer */
    size_t processor;
} stage;

/* ---- in one process ---- */

static bool raw_listen(struct sockaddr_un *path, const char *name, int *out)
{
    path->sun_family = AF_UNIX;
    (void)snprintf(path->sun_path, sizeof path->sun_path, "/dev/shm/%s", name);
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return (*out >= 0 && bind(*out, (const struct sockaddr *)path, sizeof *path) == 0 && listen(*out, 1) == 0) ||
           fail_system("listen");
}

static int raw_connect(const struct sockaddr_un *path)
{
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (client < 0 || connect(client, (const struct sockaddr *)path, sizeof *path) != 0)
        return fail_system("connect"), -1;
    return client;
}

static bool raw_alone(void *context)
{
    const stage *all = context;
    int client = raw_connect(&all->path);
    int server = client >= 0 ? accept4(all->listener, NULL, NULL, SOCK_CLOEXEC) : -1;

    if (server < 0)
        return fail_system("accept4");
    return close(client) == 0 && close(server) == 0;
}

static bool raw_sharing(void *context)
{
    const stage *all = context;

    return sharing_once(&all->shared_path, SHARED);
}

/* The instance listens already. */
static bool our_alone(void *context)
{
    const stage *all = context;
    ist_pipe *client = NULL;
    ist_status status = ist_pipe_connect(&client, all->name, IST_READ | IST_WRITE, 0);

    if (status == IST_OK)
        status = ist_pipe_accept(all->pipe, 0);
    ist_pipe_close(client);
    if (status == IST_OK)
        status = ist_pipe_disconnect(all->pipe);
    if (status == IST_OK)
        status = ist_pipe_accept(all->pipe, 0);
    return status == IST_TIMEOUT || fail_library("ist_pipe_connect, ist_pipe_accept", status);
}

/* ---- with a server elsewhere, which throws out who comes ---- */

static bool raw_client(void *context)
{
    const stage *all = context;
    int client = raw_connect(&all->remote_path);
    char byte = 0;

    if (client < 0 || recv(client, &byte, 1, 0) != 0)
        return fail_say("recv", "not the end");
    return close(client) == 0;
}

static bool raw_server(void *context)
{
    const stage *all = context;
    int server = -1;

    if (!raw_stay(all->processor) || !raw_yield_to_others())
        return false;
    while ((server = accept4(all->remote_listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        (void)close(server);
    return true; /* shut down */
}

static bool our_client(void *context)
{
    const stage *all = context;
    ist_pipe *client = NULL;
    char byte = 0;
    size_t got = 0;
    ist_status status = ist_pipe_connect(&client, all->remote_name, IST_READ | IST_WRITE, IST_FOREVER);

    if (status == IST_OK)
        status = ist_pipe_read(client, &byte, 1, IST_FOREVER, &got);
    ist_pipe_close(client);
    return status == IST_E_BROKEN || fail_library("ist_pipe_connect, ist_pipe_read", status);
}

static bool our_server(void *context)
{
    const stage *all = context;
    ist_pipe *pipe = NULL;
    ist_status status = IST_OK;

    if (!raw_stay(all->processor) || !raw_yield_to_others())
        return false;
    status = ist_pipe_serve(&pipe, all->remote_name, NULL);
    raw_set(&all->both->listens);
    while (status == IST_OK && __atomic_load_n(&all->both->stop, __ATOMIC_SEQ_CST) == 0) {
        status = ist_pipe_accept(pipe, IST_FOREVER);
        if (status == IST_OK)
            status = ist_pipe_disconnect(pipe);
    }
    ist_pipe_close(pipe);
    return status == IST_OK || fail_library("ist_pipe_serve, ist_pipe_accept", status);
}

static bool start(stage *all, peers *both)
{
    all->both = raw_memory(sizeof *all->both);
    if (all->both == NULL)
        return fail_system("mmap");
    if (!raw_listen(&all->remote_path, all->remote_name, &all->remote_listener) ||
        !peers_start(both, raw_server, all) || !peers_start(both, our_server, all))
        return false;
    raw_wait(&all->both->listens, RAW_FOREVER);
    return true;
}

static bool stop(stage *all, peers *both)
{
    (void)shutdown(all->remote_listener, SHUT_RDWR);
    (void)close(all->remote_listener);
    (void)unlink(all->remote_path.sun_path);
    __atomic_store_n(&all->both->stop, 1, __ATOMIC_SEQ_CST);
    if (!our_client(all) || !peers_join(both))
        return false;
    return munmap(all->both, sizeof *all->both) == 0;
}

/* ---- the table of times ---- */

static bool measure_apart(stage *all, bool apart, const options *how)
{
    peers both = {{0}, 0};
    measure_result result;

    all->processor = apart ? 1 : 0;
    if (!raw_stay(0) || !start(all, &both) ||
        !measure_compare(raw_client, our_client, all, how->pairs, how->batch, &result))
        return false;
    table_row(apart ? "connect, be thrown out, close: server on another processor"
                    : "connect, be thrown out, close: server on the same processor",
              "a socket", &result, 1, GOAL);
    return stop(all, &both) && raw_roam();
}

static bool measure_times(stage *all, const options *how)
{
    char title[128];
    measure_result result;

    (void)snprintf(title, sizeof title, "Connections: medians over %zu pairs of batches of %zu", how->pairs,
                   how->batch);
    table_begin(title);
    if (!measure_compare(raw_alone, our_alone, all, how->pairs, how->batch, &result))
        return false;
    table_row("connect, accept, close, disconnect, in one process", "a socket", &result, 1, GOAL);
    if (!measure_compare(raw_sharing, our_alone, all, how->pairs, how->batch, &result))
        return false;
    table_row("the same", "sockets that share memory", &result, 1, GOAL);
    for (int apart = 0; apart < (raw_processors() > 1 ? 2 : 1); apart++)
        if (!measure_apart(all, apart != 0, how))
            return false;
    return true;
}

/* ---- memory ---- */

typedef struct ends {
    ist_pipe *servers[IDLE];
    ist_pipe *clients[IDLE];
    int pairs[IDLE][2];
    size_t count;
} ends;

static bool our_one(const stage *all, ends *of)
{
    ist_pipe_options asked = IST_PIPE_OPTIONS_INIT;
    ist_status status = IST_OK;

    asked.type = IST_PIPE_MESSAGE;
    status = ist_pipe_serve(&of->servers[of->count], all->remote_name, &asked);
    if (status == IST_OK)
        status = ist_pipe_connect(&of->clients[of->count], all->remote_name, IST_READ | IST_WRITE, 0);
    if (status == IST_OK)
        status = ist_pipe_accept(of->servers[of->count], 0);
    of->count++;
    return status == IST_OK || fail_library("ist_pipe_serve, ist_pipe_connect", status);
}

static bool raw_one(const stage *all, ends *of)
{
    (void)all;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, of->pairs[of->count++]) == 0 || fail_system("socketpair");
}

static bool our_hello(const ends *of, size_t n)
{
    char data[HELLO] = "";
    size_t got = 0;
    ist_status status = ist_pipe_write(of->clients[n], data, sizeof data, 0, NULL);

    if (status == IST_OK)
        status = ist_pipe_read(of->servers[n], data, sizeof data, 0, &got);
    if (status == IST_OK)
        status = ist_pipe_write(of->servers[n], data, sizeof data, 0, NULL);
    if (status == IST_OK)
        status = ist_pipe_read(of->clients[n], data, sizeof data, 0, &got);
    return status == IST_OK || fail_library("ist_pipe_write, ist_pipe_read", status);
}

static bool raw_hello(const ends *of, size_t n)
{
    char data[HELLO] = "";

    for (int from = 0; from < 2; from++)
        if (send(of->pairs[n][from], data, sizeof data, 0) != HELLO ||
            recv(of->pairs[n][1 - from], data, sizeof data, 0) != HELLO)
            return fail_system("send, recv");
    return true;
}

static void our_close(ends *of)
{
    while (of->count > 0) {
        ist_pipe_close(of->clients[--of->count]);
        ist_pipe_close(of->servers[of->count]);
    }
}

static void raw_close(ends *of)
{
    while (of->count > 0) {
        (void)close(of->pairs[--of->count][0]);
        (void)close(of->pairs[of->count][1]);
    }
}

static void print_usage(const char *what, const char *when, const usage *before, const usage *after)
{
    (void)printf("| %s | %s | %.1f | %.1f | %.2f | %.2f |\n", what, when,
                 (double)(after->rss_kib - before->rss_kib) / IDLE, (double)(after->pss_kib - before->pss_kib) / IDLE,
                 (double)(after->descriptors - before->descriptors) / IDLE,
                 (double)(after->regions - before->regions) / IDLE);
    (void)fflush(stdout);
}

typedef struct sort {
    const char *what;
    bool (*one)(const stage *all, ends *of);
    bool (*hello)(const ends *of, size_t n);
    void (*close)(ends *of);
} sort;

static const sort sorts[] = {
    {"a pipe, both ends", our_one, our_hello, our_close},
    {"a socket pair", raw_one, raw_hello, raw_close},
};

static bool measure_memory_of(const stage *all, const sort *which)
{
    static ends of;
    usage before;
    usage after;
    usage used;
    bool done = usage_read(&before);

    done = done && usage_read(&before); /* the first took what reading takes */
    for (size_t n = 0; n < IDLE && done; n++)
        done = which->one(all, &of);
    done = done && usage_read(&after);
    for (size_t n = 0; n < IDLE && done; n++)
        done = which->hello(&of, n);
    done = done && usage_read(&used);
    if (done) {
        print_usage(which->what, "never used", &before, &after);
        print_usage(which->what, "after a message each way", &before, &used);
    }
    which->close(&of);
    return done;
}

static bool measure_memory(const stage *all)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    (void)printf("\n# Memory of each of %d idle connections\n\n"
                 "| connection | | RSS KiB | PSS KiB | descriptors | regions |\n|---|---|---:|---:|---:|---:|\n",
                 IDLE);
    for (size_t n = 0; n < sizeof sorts / sizeof sorts[0]; n++)
        if (!measure_memory_of(all, &sorts[n]))
            return false;
    return true;
}

/* ---- the run ---- */

static bool make(stage *all)
{
    ist_status status = IST_OK;

    (void)snprintf(all->name, sizeof all->name, "bench-%ld", (long)getpid());
    (void)snprintf(all->remote_name, sizeof all->remote_name, "bench-%ld-remote", (long)getpid());
    all->shared_path.sun_family = AF_UNIX;
    (void)snprintf(all->shared_path.sun_path, sizeof all->shared_path.sun_path, "/dev/shm/%s-shared", all->name);
    status = ist_pipe_serve(&all->pipe, all->name, NULL);
    return (status == IST_OK || fail_library("ist_pipe_serve", status)) &&
           raw_listen(&all->path, all->name, &all->listener);
}

static void unmake(stage *all)
{
    ist_pipe_close(all->pipe);
    if (all->listener >= 0) {
        (void)close(all->listener);
        (void)unlink(all->path.sun_path);
    }
}

int main(int argc, char **argv)
{
    options how = {1000, 4};
    static stage all = {.listener = -1};
    bool done = options_read(argc, argv, &how) && make(&all) && measure_times(&all, &how) && measure_memory(&all);

    unmake(&all);
    return done ? 0 : 1;
}
