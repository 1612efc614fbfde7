/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends: how they come and go. connection_read.c and connection_write.c use them.
 */
#include "posix/connection.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "posix/connection_end.h"
#include "posix/error.h"

/* ---- open ---- */

static ist_status own_descriptor(descriptor *out, int fd, struct stat *facts, plat_error *error)
{
    if (fstat(fd, facts) != 0)
        return error_from_errno(error, "fstat");
    descriptor_own(out, fd, facts->st_dev, facts->st_ino);
    return IST_OK;
}

/* Where a send cannot be told to raise no signal the socket can. */
static void keep_signals_away(int fd)
{
#if defined(SO_NOSIGPIPE)
    int on = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
    (void)fd;
#endif
}

/* *size is the memory's. */
static ist_status own_both(connection *of, int socket, int memory, off_t *size, plat_error *error)
{
    struct stat facts;
    ist_status status = own_descriptor(&of->socket, socket, &facts, error);

    if (status != IST_OK) {
        descriptor_drop(socket);
        descriptor_drop(memory);
        return status;
    }
    /* Before anything that a file system answers, and before its size, which is for good then. */
    if (!connection_is_sealed(memory))
        status = error_refuse(error, IST_E_CORRUPT, "seals of a pipe's memory", "%s", "");
    else
        status = own_descriptor(&of->memory, memory, &facts, error);
    *size = facts.st_size;
    if (status != IST_OK)
        descriptor_drop(memory);
    return status;
}

static void give(connection *of)
{
    descriptor_close(&of->socket);
    descriptor_close(&of->memory);
    connection_unmap(of);
    life_unwatch(&of->life);
    plat_memory_give(of);
}

ist_status connection_open(int socket, int memory, const connection_shape *shape, bool server, bool may_read,
                           bool may_write, const connection_peer *peer, connection **out, plat_error *error)
{
    connection *of = plat_memory_take(sizeof *of);
    off_t size = 0;
    ist_status status = IST_OK;

    *out = NULL;
    if (of == NULL) {
        descriptor_drop(socket);
        descriptor_drop(memory);
        return error_refuse(error, IST_E_MEMORY, "memory for an end", "%s", "");
    }
    of->socket = DESCRIPTOR_NONE;
    of->memory = DESCRIPTOR_NONE;
    of->references = 1;
    of->may_read = may_read;
    of->may_write = may_write;
    of->peer = *peer;
    of->believed.owner = peer->user;
    status = own_both(of, socket, memory, &size, error);
    if (status == IST_OK)
        status = connection_map(of, shape, server, size, error);
    if (status != IST_OK) {
        give(of);
        return status;
    }
    keep_signals_away(socket);
    *out = of;
    return IST_OK;
}

void connection_reference(connection *of)
{
    (void)atomic_add_u32(&of->references, 1);
}

void connection_release(connection *of)
{
    if (atomic_add_u32(&of->references, UINT32_MAX) != 1)
        return;
    connection_close(of);
    give(of);
}

bool connection_is_unused(const connection *of)
{
    return atomic_load_u32(&of->references) == 1;
}

bool connection_is_word(const connection *of, const volatile uint32_t *word)
{
    return word == &of->in.words->data_wake;
}

/* ---- close ---- */

/* The peer's and our own, in whatever call: they look, and find the end closed or the socket hung up. */
static void wake_everybody(const connection *of)
{
    connection_wake_all(&of->in.words->data_wake);
    connection_wake_all(&of->in.words->room_wake);
    connection_wake_all(&of->out.words->data_wake);
    connection_wake_all(&of->out.words->room_wake);
}

void connection_break(connection *of)
{
    atomic_store_u32(&of->words->dropped, 1);
    wake_everybody(of);
    connection_ring_bell(of);
}

/* An offer that a thread of this process will not go through with is taken back, or a peer could begin to read it. In
   a forked child it is the parent's, who may well. */
static void withdraw(connection *of)
{
    if (!turn_is_taken(&of->writing))
        return;
    turn_take_shortly(&of->out_lock);
    (void)ring_withdraw(&of->out);
    turn_give(&of->out_lock);
}

/* False where another thread has. */
static bool say_closed(connection *of)
{
    uint32_t open = 0;

    return atomic_swap_u32(&of->closed, &open, 1);
}

static void close_up(connection *of)
{
    withdraw(of);
    atomic_store_u32(&of->words->parted, 1);
    turn_take_shortly(&of->socket_lock);
    descriptor_close(&of->socket);
    descriptor_close(&of->memory);
    turn_give(&of->socket_lock);
    wake_everybody(of);
}

void connection_close(connection *of)
{
    if (say_closed(of))
        close_up(of);
}

/* Whoever else has the socket by fork. */
static void hang_up(connection *of)
{
    turn_take_shortly(&of->socket_lock);
    if (descriptor_is_ours(&of->socket, NULL))
        (void)shutdown(of->socket.fd, SHUT_RDWR);
    turn_give(&of->socket_lock);
}

/* Closed first: a call that finds it dropped and not closed takes that for the peer's. */
void connection_drop(connection *of)
{
    bool first = say_closed(of);

    atomic_store_u32(&of->words->dropped, 1);
    hang_up(of);
    if (first)
        close_up(of);
}

void connection_stir(connection *of)
{
    connection_wake_all(&of->in.words->data_wake);
    connection_wake_all(&of->out.words->room_wake);
    turn_stir(&of->reading);
    turn_stir(&of->writing);
}

/* ---- facts ---- */

const connection_peer *connection_of_peer(const connection *of)
{
    return &of->peer;
}

int connection_socket(connection *of)
{
    int fd = -1;

    atomic_store_u32(&of->side->watched, 1);
    turn_take_shortly(&of->socket_lock);
    fd = of->socket.fd;
    turn_give(&of->socket_lock);
    return fd;
}

static bool stays_open(int fd)
{
    return fcntl(fd, F_SETFD, 0) == 0;
}

static ist_status inherit(const connection *of, int *socket, int *memory, plat_error *error)
{
    if (!descriptor_is_ours(&of->socket, NULL) || !descriptor_is_ours(&of->memory, NULL))
        return connection_is_broken(error);
    if (!stays_open(of->socket.fd) || !stays_open(of->memory.fd))
        return error_from_errno(error, "fcntl F_SETFD");
    *socket = of->socket.fd;
    *memory = of->memory.fd;
    return IST_OK;
}

ist_status connection_inherit(connection *of, int *socket, int *memory, plat_error *error)
{
    ist_status status = connection_check(of, error);

    if (status != IST_OK)
        return status;
    turn_take_shortly(&of->socket_lock);
    status = inherit(of, socket, memory, error);
    turn_give(&of->socket_lock);
    return status;
}
