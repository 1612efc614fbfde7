/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends of pipes: what all of them can do.
 */
#include "posix/pipe.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "posix/clock.h"
#include "posix/error.h"
#include "posix/gate.h"

/* ---- handles ---- */

plat_pipe *pipe_make(void)
{
    plat_pipe *pipe = plat_memory_take(sizeof *pipe);

    if (pipe == NULL)
        return NULL;
    pipe->object.kind = PLAT_CHANNEL;
    pipe->object.channel = &pipe_face;
    pipe->object.references = 1;
    pipe->object.entry.hold = DESCRIPTOR_NONE;
    pipe->object.entry.access = DESCRIPTOR_NONE;
    pipe->listener = DESCRIPTOR_NONE;
    pipe->half = DESCRIPTOR_NONE;
    pipe->state = PIPE_CONNECTED;
    return pipe;
}

void pipe_unmake(plat_pipe *pipe)
{
    plat_memory_give(pipe);
}

static void release_retired(plat_pipe *pipe)
{
    while (pipe->retired != NULL) {
        pipe_retired *first = pipe->retired;

        pipe->retired = first->next;
        connection_release(first->connection);
        plat_memory_give(first);
    }
}

void pipe_free(plat_object *object)
{
    plat_pipe *pipe = (plat_pipe *)(void *)object;

    release_retired(pipe);
    if (pipe->connection != NULL)
        connection_release(pipe->connection);
    pipe_view_unmap(&pipe->view);
    segment_life_unmap(&object->entry.life);
    pipe_unmake(pipe);
}

void plat_pipe_close(plat_pipe *pipe)
{
    int entered = gate_enter();

    pipe_enter(pipe);
    if (pipe->connection != NULL)
        connection_close(pipe->connection);
    if (pipe->named)
        pipe_end_instance(pipe);
    pipe_leave(pipe);
    gate_leave(entered);
    object_release(&pipe->object);
}

/* ---- turns and states ---- */

void pipe_enter(plat_pipe *pipe)
{
    turn_take_shortly(&pipe->turn);
}

void pipe_leave(plat_pipe *pipe)
{
    turn_give(&pipe->turn);
}

/* The state changes before the words move, so that who looked at the former one does not go to sleep. */
void pipe_move(plat_pipe *pipe, pipe_state to)
{
    pipe->state = to;
    if (pipe->named)
        bell_ring(instance_bell(&pipe->view, pipe->socket.sequence));
    bell_ring(&pipe->changed);
}

/* In turn: those that nobody reads, writes or sleeps on any more. */
void pipe_release_unused(plat_pipe *pipe)
{
    pipe_retired **at = &pipe->retired;

    while (*at != NULL) {
        pipe_retired *one = *at;

        if (!connection_is_unused(one->connection)) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        connection_release(one->connection);
        plat_memory_give(one);
    }
}

/* Who sleeps on it has a reference, which rest() finds here. Without memory for the list the connection is never let
   go. */
void pipe_retire(plat_pipe *pipe)
{
    pipe_retired *kept = plat_memory_take(sizeof *kept);

    if (kept != NULL) {
        *kept = (pipe_retired){pipe->retired, pipe->connection};
        pipe->retired = kept;
    }
    pipe->connection = NULL;
    pipe_release_unused(pipe);
}

patience pipe_patience(const plat_pipe *pipe, int64_t timeout_ns)
{
    int64_t deadline = 0;

    if (timeout_ns == IST_FOREVER)
        deadline = CLOCK_NEVER;
    else if (timeout_ns != 0)
        deadline = clock_add(clock_steady(), timeout_ns);
    return (patience){deadline, &pipe->stop, atomic_load_u32(&pipe->stop)};
}

uint64_t pipe_own_life(lives **of)
{
    plat_error error;
    scope where;
    uint64_t id = 0;

    if (*of == NULL) {
        int entered = gate_enter();

        if (scope_use(true, &where, &error) == IST_OK)
            *of = lives_of(&where);
        gate_leave(entered);
    }
    return *of != NULL && life_own(*of, &id, &error) == IST_OK ? id : 0;
}

/* ---- the connection ---- */

ist_status pipe_no_client(plat_error *error)
{
    return error_refuse(error, IST_E_BROKEN, "pipe", "%s", "no client");
}

/* As a server reads before it has accepted. */
static ist_status take_quietly(plat_pipe *pipe, plat_error *error)
{
    int entered = gate_enter();
    ist_status status = IST_OK;

    pipe_enter(pipe);
    if (pipe->state == PIPE_LISTENING)
        status = pipe_take_client(pipe, error);
    pipe_leave(pipe);
    gate_leave(entered);
    return status == IST_TIMEOUT ? pipe_no_client(error) : status;
}

/* A reference to the connection that the end has. */
static ist_status find(plat_pipe *pipe, connection **out, plat_error *error)
{
    bool listens = false;

    for (int i = 0; i < 2; i++) {
        pipe_enter(pipe);
        *out = pipe->connection;
        listens = pipe->state == PIPE_LISTENING;
        if (*out != NULL)
            connection_reference(*out);
        pipe_leave(pipe);
        if (*out != NULL)
            return IST_OK;
        if (listens && i == 0) {
            ist_status status = take_quietly(pipe, error);

            if (status != IST_OK && status != IST_E_BROKEN)
                return status;
        }
    }
    return pipe_no_client(error);
}

/* A call as long as it runs: not cancelled, and with its connection. */
typedef struct pipe_call {
    connection *connection;
    int cancel_state;
} pipe_call;

static ist_status begin(plat_pipe *pipe, pipe_call *call, plat_error *error)
{
    ist_status status = IST_OK;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &call->cancel_state);
    status = find(pipe, &call->connection, error);
    if (status != IST_OK)
        (void)pthread_setcancelstate(call->cancel_state, NULL);
    return status;
}

static ist_status end(pipe_call *call, ist_status status)
{
    connection_release(call->connection);
    (void)pthread_setcancelstate(call->cancel_state, NULL);
    return status;
}

ist_status plat_pipe_read(plat_pipe *pipe, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                          plat_error *error)
{
    const patience until = pipe_patience(pipe, timeout_ns);
    pipe_call call;
    ist_status status = begin(pipe, &call, error);

    return status == IST_OK ? end(&call, connection_read(call.connection, buffer, size, &until, got, error)) : status;
}

ist_status plat_pipe_write(plat_pipe *pipe, const void *data, size_t size, int64_t timeout_ns, size_t *written,
                           plat_error *error)
{
    const patience until = pipe_patience(pipe, timeout_ns);
    pipe_call call;
    ist_status status = begin(pipe, &call, error);

    return status == IST_OK ? end(&call, connection_write(call.connection, data, size, &until, written, error))
                            : status;
}

ist_status plat_pipe_peek(plat_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error)
{
    pipe_call call;
    ist_status status = begin(pipe, &call, error);

    return status == IST_OK ? end(&call, connection_peek(call.connection, buffer, size, out, error)) : status;
}

ist_status plat_pipe_flush(plat_pipe *pipe, int64_t timeout_ns, plat_error *error)
{
    const patience until = pipe_patience(pipe, timeout_ns);
    pipe_call call;
    ist_status status = begin(pipe, &call, error);

    return status == IST_OK ? end(&call, connection_flush(call.connection, &until, error)) : status;
}

ist_status plat_pipe_transact(plat_pipe *pipe, const void *request, size_t request_size, void *reply, size_t reply_size,
                              int64_t timeout_ns, size_t *got, plat_error *error)
{
    const patience until = pipe_patience(pipe, timeout_ns);
    pipe_call call;
    size_t written = 0;
    ist_status status = begin(pipe, &call, error);

    if (status != IST_OK)
        return status;
    if (connection_has_data(call.connection))
        status = error_refuse(error, IST_E_LIMIT, "pipe", "%s", "something is unread");
    if (status == IST_OK)
        status = connection_write(call.connection, request, request_size, &until, &written, error);
    if (status == IST_OK)
        status = connection_read(call.connection, reply, reply_size, &until, got, error);
    return end(&call, status);
}

/* ---- facts ---- */

ist_status plat_pipe_info(plat_pipe *pipe, ist_pipe_facts *out, plat_error *error)
{
    pipe_call call;
    ist_status status = begin(pipe, &call, error);

    out->inbound_bytes = pipe->plan.inbound_bytes;
    out->outbound_bytes = pipe->plan.outbound_bytes;
    out->instances_max = pipe->plan.instances_max;
    out->instances = pipe->named ? instance_count(&pipe->object.entry, &pipe->view, pipe->plan.instances_max) : 0;
    out->connected = 0;
    if (status == IST_OK) {
        out->connected = !connection_peer_is_gone(call.connection) || connection_has_data(call.connection) ? 1 : 0;
        (void)end(&call, IST_OK);
    }
    return IST_OK;
}

ist_status plat_pipe_peer(plat_pipe *pipe, ist_pipe_peer_facts *out, plat_error *error)
{
    const connection_peer *peer = NULL;
    pipe_call call;
    ist_status status = begin(pipe, &call, error);

    if (status != IST_OK)
        return status;
    peer = connection_of_peer(call.connection);
    out->process_id = peer->process_id;
    out->same_user = peer->user == geteuid() ? 1 : 0;
    (void)snprintf(out->user, sizeof out->user, "%lu", (unsigned long)peer->user);
    return end(&call, IST_OK);
}

/* ---- cancel ---- */

void plat_pipe_cancel(plat_pipe *pipe)
{
    connection *connected = NULL;

    (void)atomic_add_u32(&pipe->stop, 1);
    pipe_enter(pipe);
    connected = pipe->connection;
    if (connected != NULL)
        connection_reference(connected);
    if (pipe->named)
        bell_ring(instance_bell(&pipe->view, pipe->socket.sequence));
    pipe_leave(pipe);
    if (connected != NULL) {
        connection_stir(connected);
        connection_release(connected);
    }
}
