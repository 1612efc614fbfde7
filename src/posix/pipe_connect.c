/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Clients: how they find the instance that has listened longest. A client holds nothing of the pipe, and what it has
 * open of it while it looks is closed before it sleeps.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "posix/clock.h"
#include "posix/error.h"
#include "posix/gate.h"
#include "posix/hello.h"
#include "posix/pipe.h"

/* Sockets that are tried before the directory is read again for the next ones. */
#define AT_ONCE 64

/* One call. */
typedef struct connecting {
    const plat_name *name;
    registry_want want;
    ist_access access;
    uint64_t life;
    lives *lives;
    registry_entry entry; /* looked at, not held */
    pipe_view view;
    pipe_plan plan;
    DIR *directory;
    int socket;
    int memory;
    connection_shape shape; /* of the memory */
    int64_t nap;            /* of the last sleep without a life to watch, or 0 */
    pipe_socket_name server;
    pipe_socket_name sockets[AT_ONCE];
    size_t count;
    plat_error *error;
} connecting;

/* ---- the pipe ---- */

static ist_status check_access(const connecting *here)
{
    if (!pipe_plan_allows(&here->plan, here->access))
        return error_refuse(here->error, IST_E_ACCESS, "access", "%s", "the pipe has not that direction");
    if (pipe_is_only_read(&here->entry, geteuid()) && here->access != IST_READ)
        return error_refuse(here->error, IST_E_ACCESS, "access", "%s", "only for reading");
    return IST_OK;
}

static ist_status open_directory(connecting *here, int fd)
{
    here->directory = fdopendir(fd);
    if (here->directory != NULL)
        return IST_OK;
    descriptor_drop(fd);
    return error_from_errno(here->error, "fdopendir");
}

static ist_status look(connecting *here)
{
    int fd = -1;
    ist_status status = registry_look(&here->entry, here->name, &here->want, &fd, here->error);

    if (status == IST_OK)
        status = open_directory(here, fd);
    if (status == IST_OK)
        status = pipe_view_map(&here->entry, false, &here->view, here->error);
    if (status == IST_OK)
        status = pipe_plan_read(&here->view, &here->plan, here->error);
    return status == IST_OK ? check_access(here) : status;
}

/* Before it sleeps: nothing is left open that a forked process would have. */
static void close_all(connecting *here)
{
    if (here->directory != NULL)
        (void)closedir(here->directory);
    here->directory = NULL;
    descriptor_close(&here->entry.access);
    if (here->socket >= 0)
        descriptor_drop(here->socket);
    here->socket = -1;
    if (here->memory >= 0)
        descriptor_drop(here->memory);
    here->memory = -1;
}

static void forget(connecting *here)
{
    close_all(here);
    pipe_view_unmap(&here->view);
    registry_unlook(&here->entry);
}

/* ---- its sockets ---- */

static bool is_before(const pipe_socket_name *one, const pipe_socket_name *other)
{
    if (one->sequence != other->sequence)
        return one->sequence < other->sequence;
    return one->slot != other->slot ? one->slot < other->slot : one->again < other->again;
}

/* Keeps the first ones in their order. */
static void keep(connecting *here, const pipe_socket_name *name)
{
    size_t at = here->count;

    if (at == AT_ONCE && !is_before(name, &here->sockets[at - 1]))
        return;
    if (at == AT_ONCE)
        at--;
    else
        here->count++;
    for (; at > 0 && is_before(name, &here->sockets[at - 1]); at--)
        here->sockets[at] = here->sockets[at - 1];
    here->sockets[at] = *name;
}

/* Those behind `last`, or all. */
static void list(connecting *here, const pipe_socket_name *last)
{
    const struct dirent *each = NULL;
    pipe_socket_name name;

    here->count = 0;
    if (last != NULL)
        rewinddir(here->directory);
    while ((each = readdir(here->directory)) != NULL)
        if (pipe_socket_read_name(each->d_name, &name) && (last == NULL || is_before(last, &name)))
            keep(here, &name);
}

/* A socket is bound before it listens, and stays for an instant after it took its client: the slot tells. */
static void remove_if_stale(const connecting *here, const pipe_socket_name *name)
{
    char text[PIPE_SOCKET_NAME_SIZE];

    if (geteuid() != here->entry.owner || instance_has_slot(here->entry.access.fd, name->slot))
        return;
    pipe_socket_write_name(text, name);
    (void)unlinkat(dirfd(here->directory), text, 0);
}

/* IST_TIMEOUT: none of those listed takes a client. */
static ist_status try_listed(connecting *here)
{
    ist_status status = IST_TIMEOUT;

    for (size_t n = 0; n < here->count; n++) {
        here->server = here->sockets[n];
        status =
            pipe_socket_connect(here->socket, dirfd(here->directory), here->entry.name, &here->server, here->error);
        if (status == IST_E_NOT_FOUND)
            remove_if_stale(here, &here->server);
        else if (status != IST_TIMEOUT)
            return status;
    }
    return IST_TIMEOUT;
}

static ist_status try_all(connecting *here)
{
    ist_status status = IST_TIMEOUT;

    list(here, NULL);
    for (;;) {
        pipe_socket_name last = {0, 0, 0, 0};

        status = try_listed(here);
        if (status != IST_TIMEOUT || here->count < AT_ONCE)
            return status;
        last = here->sockets[AT_ONCE - 1];
        list(here, &last);
    }
}

/* ---- the connection ---- */

static bool is_same_shape(const connection_shape *one, const connection_shape *other)
{
    return one->messages == other->messages && one->inbound_bytes == other->inbound_bytes &&
           one->outbound_bytes == other->outbound_bytes;
}

/* Whatever can fail for want of something fails before a server is bothered. */
static ist_status prepare(connecting *here)
{
    const connection_shape shape = {here->plan.type == IST_PIPE_MESSAGE, here->plan.inbound_bytes,
                                    here->plan.outbound_bytes};
    ist_status status = IST_OK;

    if (here->memory >= 0 && !is_same_shape(&shape, &here->shape)) {
        descriptor_drop(here->memory);
        here->memory = -1;
    }
    here->shape = shape;
    if (here->memory < 0)
        status = connection_memory(&shape, &here->memory, here->error);
    if (status != IST_OK)
        here->memory = -1;
    else if (here->socket < 0)
        status = pipe_socket_make(&here->socket, here->error);
    return status;
}

/* Who can make a socket in the owner's directory: the owner, and root. */
static ist_status check_server(const connecting *here, connection_peer *peer)
{
    *peer = (connection_peer){0,
                              (uid_t)-1,
                              here->lives,
                              here->server.life,
                              here->plan.direction != IST_PIPE_OUTBOUND,
                              here->plan.direction != IST_PIPE_INBOUND};
    if (!pipe_socket_peer(here->socket, &peer->process_id, &peer->user))
        return error_from_errno(here->error, "SO_PEERCRED");
    if (peer->user != here->entry.owner && peer->user != 0)
        return error_refuse(here->error, IST_E_ACCESS, "server", "uid %lu", (unsigned long)peer->user);
    return IST_OK;
}

static ist_status greet(connecting *here, connection **out)
{
    const hello says = {here->access, here->shape, here->life};
    connection_peer peer;
    int fd = here->socket;
    int memory = here->memory;
    ist_status status = check_server(here, &peer);

    if (status == IST_OK)
        status = hello_send(fd, &says, memory, here->error);
    if (status != IST_OK)
        return status;
    bell_ring(instance_bell(&here->view, here->server.sequence));
    here->socket = -1;
    here->memory = -1;
    return connection_open(fd, memory, &here->shape, false, (here->access & IST_READ) != 0,
                           (here->access & IST_WRITE) != 0, &peer, out, here->error);
}

/* An instance may go, or its process, between the connect and the hello: then it was another's turn. */
#define MOST_BROKEN 100

/* Inside the gate. IST_TIMEOUT: all are busy; *seen is what the vacancy was before. */
static ist_status connect_once(connecting *here, connection **out, uint32_t *seen)
{
    ist_status status = look(here);

    if (status == IST_OK) {
        *seen = atomic_load_u32(&here->view.words->vacancy);
        status = prepare(here);
    }
    if (status == IST_OK)
        status = try_all(here);
    if (status == IST_OK)
        status = greet(here, out);
    return status;
}

/* The lives of a process end before it lets go of the pipe: without one that lasts it is asked again and again, with
   pauses that grow, since another thread may serve for as long as it likes. */
#define FIRST_NAP INT64_C(1000000)

static int64_t nap_until(connecting *here, bool watches, int64_t latest)
{
    int64_t end = 0;

    here->nap = watches ? 0 : here->nap == 0 ? FIRST_NAP : clock_add(here->nap, here->nap);
    end = watches ? latest : clock_add(clock_steady(), here->nap);
    return end < latest ? end : latest;
}

/* Also wakes when somebody who serves has ended. */
static void sleep_for_vacancy(connecting *here, uint32_t seen, int64_t deadline)
{
    word_watch watches[2] = {{&here->view.words->vacancy, seen}, {NULL, 0}};
    int64_t until = clock_next_recheck();
    life_watch life;
    size_t count = 1;

    instance_watch(&here->view, &here->entry, here->lives, &life);
    if (life.word.word != NULL)
        watches[count++] = life.word;
    word_sleep(watches, count, nap_until(here, life.word.word != NULL, until < deadline ? until : deadline));
    life_unwatch(&life);
}

static ist_status connect_looped(connecting *here, int64_t deadline, connection **out)
{
    ist_status status = IST_TIMEOUT;
    uint32_t seen = 0;

    for (int broken = 0; status == IST_TIMEOUT;) {
        int entered = gate_enter();

        status = connect_once(here, out, &seen);
        if (status != IST_OK)
            close_all(here);
        gate_leave(entered);
        if (status == IST_E_BROKEN) {
            status = broken++ < MOST_BROKEN ? IST_TIMEOUT : IST_E_OS;
        } else if (status == IST_TIMEOUT) {
            if (deadline != CLOCK_NEVER && clock_steady() >= deadline)
                break;
            sleep_for_vacancy(here, seen, deadline);
        }
        entered = gate_enter();
        forget(here);
        gate_leave(entered);
    }
    return status;
}

/* ---- the call ---- */

ist_status plat_pipe_connect(const plat_channel_name *name, ist_access access, bool trust_everyone, int64_t timeout_ns,
                             plat_pipe **out, plat_pipe_sort *sort, plat_error *error)
{
    char text[NAME_CHANNEL_SIZE];
    plat_name full;
    connecting here = {.name = &full, .access = access, .socket = -1, .memory = -1, .error = error};
    plat_pipe *pipe = pipe_make();
    int cancel_state = 0;
    ist_status status = IST_OK;
    int64_t deadline = timeout_ns == 0             ? 0
                       : timeout_ns == IST_FOREVER ? CLOCK_NEVER
                                                   : clock_add(clock_steady(), timeout_ns);

    if (pipe == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for a handle", "%s", "");
    here.want = (registry_want){SEGMENT_PIPE, IST_READ, trust_everyone, 0, false};
    name_of_channel(&full, text, "pipe", name);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    here.life = pipe_own_life(&here.lives);
    status = connect_looped(&here, deadline, &pipe->connection);
    (void)pthread_setcancelstate(cancel_state, NULL);
    if (status != IST_OK) {
        pipe_unmake(pipe);
        return status;
    }
    pipe->plan = here.plan;
    pipe->sort = (plat_pipe_sort){here.plan.type, here.plan.direction, false, (access & IST_READ) != 0,
                                  (access & IST_WRITE) != 0};
    *sort = pipe->sort;
    *out = pipe;
    return IST_OK;
}
