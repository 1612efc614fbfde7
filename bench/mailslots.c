/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Messages of 64 bytes through a mailslot, against a POSIX message queue and a datagram socket, each with the depth
 * that the system gives it: written and read by one process; many, read by another process; and there and back again
 * between two.
 *
 * Each of the three has a peer of its own, which sleeps while another is measured.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isthmus/isthmus.h>

#include "fail.h"
#include "options.h"
#include "peers.h"
#include "raw.h"
#include "table.h"

#define SIZE 64 /* of a message */
#define ALONE 100
#define MANY 2000 /* fewer bytes than a mailslot holds */

/* A way there and a way back. The peer reads `there` and writes `back`, this process the other way round. */
typedef enum way { THERE, BACK, WAYS } way;

typedef struct shared {
    raw_event listens; /* the peer has made its mailslot */
    uint32_t stop;     /* the next message is the last one */
} shared;

typedef struct stage {
    shared *both;
    ist_mailslot *readers[WAYS];
    ist_mailslot *writers[WAYS];
    mqd_t queues[WAYS];
    int sockets[WAYS][2]; /* to write, to read */
    char names[WAYS][64];
    size_t count; /* messages until the answer */
    size_t processor;
} stage;

/* Moves one message. */
typedef bool move_one(stage *all, way which);

static bool our_write(stage *all, way which)
{
    const char data[SIZE] = "";
    ist_status status = ist_mailslot_write(all->writers[which], data, sizeof data);

    return status == IST_OK || fail_library("ist_mailslot_write", status);
}

static bool our_read(stage *all, way which)
{
    char data[SIZE];
    size_t got = 0;
    ist_status status = ist_mailslot_read(all->readers[which], data, sizeof data, IST_FOREVER, &got);

    return status == IST_OK ? got == SIZE : fail_library("ist_mailslot_read", status);
}

static bool queue_write(stage *all, way which)
{
    const char data[SIZE] = "";

    return mq_send(all->queues[which], data, sizeof data, 0) == 0 || fail_system("mq_send");
}

static bool queue_read(stage *all, way which)
{
    char data[SIZE];
    ssize_t got = mq_receive(all->queues[which], data, sizeof data, NULL);

    return got >= 0 ? got == SIZE : fail_system("mq_receive");
}

static bool socket_write(stage *all, way which)
{
    const char data[SIZE] = "";

    return send(all->sockets[which][0], data, sizeof data, 0) == SIZE || fail_system("send");
}

static bool socket_read(stage *all, way which)
{
    char data[SIZE];
    ssize_t got = recv(all->sockets[which][1], data, sizeof data, 0);

    return got >= 0 ? got == SIZE : fail_system("recv");
}

/* ---- what is measured ---- */

static bool alone(stage *all, move_one *write_one, move_one *read_one)
{
    bool done = true;

    for (int n = 0; n < ALONE && done; n++)
        done = write_one(all, BACK) && read_one(all, BACK);
    return done;
}

static bool our_alone(void *context)
{
    return alone(context, our_write, our_read);
}

static bool queue_alone(void *context)
{
    return alone(context, queue_write, queue_read);
}

static bool socket_alone(void *context)
{
    return alone(context, socket_write, socket_read);
}

static bool send_and_wait(stage *all, move_one *write_one, move_one *read_one)
{
    bool done = true;

    for (size_t n = 0; n < all->count && done; n++)
        done = write_one(all, THERE);
    return done && read_one(all, BACK);
}

static bool our_once(void *context)
{
    return send_and_wait(context, our_write, our_read);
}

static bool queue_once(void *context)
{
    return send_and_wait(context, queue_write, queue_read);
}

static bool socket_once(void *context)
{
    return send_and_wait(context, socket_write, socket_read);
}

/* ---- the peers ---- */

static bool answer(stage *all, move_one *write_one, move_one *read_one)
{
    bool done = raw_stay(all->processor) && raw_yield_to_others();

    while (done) {
        for (size_t n = 0; n < all->count && done; n++) {
            done = read_one(all, THERE);
            if (done && __atomic_load_n(&all->both->stop, __ATOMIC_SEQ_CST) != 0)
                return true;
        }
        done = done && write_one(all, BACK);
    }
    return false;
}

static bool our_peer(void *context)
{
    stage *all = context;
    ist_status status = ist_mailslot_create(&all->readers[THERE], all->names[THERE], NULL);
    bool done = false;

    if (status != IST_OK)
        return fail_library("ist_mailslot_create", status);
    raw_set(&all->both->listens);
    done = answer(all, our_write, our_read);
    ist_mailslot_close(all->readers[THERE]);
    return done;
}

static bool queue_peer(void *context)
{
    return answer(context, queue_write, queue_read);
}

static bool socket_peer(void *context)
{
    return answer(context, socket_write, socket_read);
}

static bool start(stage *all, peers *both)
{
    ist_status status = IST_OK;

    *all->both = (shared){.stop = 0};
    if (!peers_start(both, our_peer, all) || !peers_start(both, queue_peer, all) ||
        !peers_start(both, socket_peer, all))
        return false;
    raw_wait(&all->both->listens, RAW_FOREVER);
    status = ist_mailslot_open(&all->writers[THERE], all->names[THERE], IST_WRITE);
    return status == IST_OK || fail_library("ist_mailslot_open", status);
}

static bool stop(stage *all, peers *both)
{
    bool done = false;

    __atomic_store_n(&all->both->stop, 1, __ATOMIC_SEQ_CST);
    done = our_write(all, THERE) && queue_write(all, THERE) && socket_write(all, THERE);
    ist_mailslot_close(all->writers[THERE]);
    all->writers[THERE] = NULL;
    return done && peers_join(both);
}

/* ---- the table ---- */

#define GOAL 0.2

typedef struct against {
    const char *what;
    measure_once *alone;
    measure_once *once;
} against;

static const against others[] = {
    {"a message queue", queue_alone, queue_once},
    {"a datagram socket", socket_alone, socket_once},
};
#define OTHERS (sizeof others / sizeof others[0])

static bool measure_alone(stage *all, const options *how)
{
    measure_result result;

    for (size_t n = 0; n < OTHERS; n++) {
        if (!measure_compare(others[n].alone, our_alone, all, how->pairs, how->batch, &result))
            return false;
        table_row("write and read, one process", others[n].what, &result, ALONE, GOAL);
    }
    return true;
}

static bool measure_apart(stage *all, size_t count, bool apart, const options *how)
{
    const char *where = apart ? "two processors" : "one processor";
    char what[128];
    peers both = {{0}, 0};
    measure_result result;

    all->count = count;
    all->processor = apart ? 1 : 0;
    if (!raw_stay(0) || !start(all, &both))
        return false;
    for (size_t n = 0; n < OTHERS; n++) {
        if (!measure_compare(others[n].once, our_once, all, how->pairs, how->batch, &result))
            return false;
        if (count > 1)
            (void)snprintf(what, sizeof what, "%zu to another process, each of them, %s", count, where);
        else
            (void)snprintf(what, sizeof what, "to another process and back, %s", where);
        table_row(what, others[n].what, &result, (double)count, count > 1 ? GOAL : TABLE_NO_GOAL);
    }
    return stop(all, &both) && raw_roam();
}

static bool measure_all(stage *all, const options *how)
{
    char title[128];

    (void)snprintf(title, sizeof title, "Mailslots, messages of %d bytes: medians over %zu pairs of batches of %zu",
                   SIZE, how->pairs, how->batch);
    table_begin(title);
    if (!measure_alone(all, how))
        return false;
    for (int apart = 0; apart < (raw_processors() > 1 ? 2 : 1); apart++)
        if (!measure_apart(all, MANY, apart != 0, how) || !measure_apart(all, 1, apart != 0, how))
            return false;
    return true;
}

/* ---- the run ---- */

static bool make_others(stage *all)
{
    struct mq_attr depth = {.mq_maxmsg = 10, .mq_msgsize = SIZE}; /* 10 is what Linux gives everybody */
    char name[80];

    for (int n = 0; n < WAYS; n++) {
        (void)snprintf(name, sizeof name, "/%s", all->names[n]);
        all->queues[n] = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &depth);
        if (all->queues[n] < 0 || mq_unlink(name) != 0)
            return fail_system("mq_open");
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, all->sockets[n]) != 0)
            return fail_system("socketpair");
    }
    return true;
}

static bool make(stage *all)
{
    ist_status status = IST_OK;

    for (int n = 0; n < WAYS; n++)
        (void)snprintf(all->names[n], sizeof all->names[n], "bench-%ld-%d", (long)getpid(), n);
    all->both = raw_memory(sizeof *all->both);
    if (all->both == NULL)
        return fail_system("mmap");
    status = ist_mailslot_create(&all->readers[BACK], all->names[BACK], NULL);
    if (status == IST_OK)
        status = ist_mailslot_open(&all->writers[BACK], all->names[BACK], IST_WRITE);
    return (status == IST_OK || fail_library("ist_mailslot_create", status)) && make_others(all);
}

static void unmake(stage *all)
{
    ist_mailslot_close(all->writers[BACK]);
    ist_mailslot_close(all->readers[BACK]);
    if (all->both != NULL)
        (void)munmap(all->both, sizeof *all->both);
}

int main(int argc, char **argv)
{
    options how = {400, 1};
    static stage all;
    bool done = options_read(argc, argv, &how) && make(&all) && measure_all(&all, &how);

    unmake(&all);
    return done ? 0 : 1;
}
