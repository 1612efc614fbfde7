/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * An end as something to wait for: by an event loop, and among other objects. Who sleeps on a connection's word keeps
 * the connection until he has slept, also when the end is connected to another client by then.
 */
#include "posix/pipe.h"

ist_status plat_pipe_native(plat_pipe *pipe, intptr_t *out, plat_error *error)
{
    ist_status status = IST_OK;

    pipe_enter(pipe);
    if (pipe->connection != NULL)
        *out = connection_socket(pipe->connection);
    else if (pipe->state == PIPE_LISTENING && (pipe->half.fd >= 0 || pipe->listener.fd >= 0))
        *out = pipe->half.fd >= 0 ? pipe->half.fd : pipe->listener.fd;
    else
        status = pipe_no_client(error);
    pipe_leave(pipe);
    return status;
}

plat_object *plat_pipe_waitable(plat_pipe *pipe)
{
    return &pipe->object;
}

static ist_status look(plat_object *channel, life_watch *watch, plat_error *error)
{
    plat_pipe *pipe = (plat_pipe *)(void *)channel;
    connection *connected = NULL;
    ist_status status = IST_OK;

    if (watch != NULL)
        *watch = (life_watch){{NULL, 0}, NULL};
    pipe_enter(pipe);
    connected = pipe->connection;
    if (connected != NULL)
        connection_reference(connected);
    else if (pipe->state == PIPE_LISTENING && !pipe_has_client(pipe))
        status = IST_TIMEOUT;
    pipe_leave(pipe);
    if (connected != NULL) {
        status = connection_look(connected, watch, error);
        connection_release(connected);
    }
    return status;
}

static word_watch announce(plat_object *channel)
{
    plat_pipe *pipe = (plat_pipe *)(void *)channel;
    word_watch word = {NULL, 0};

    pipe_enter(pipe);
    if (pipe->connection != NULL) {
        connection_reference(pipe->connection);
        word = connection_announce(pipe->connection);
    } else if (pipe->state == PIPE_LISTENING) {
        word = bell_announce(instance_bell(&pipe->view, pipe->socket.sequence));
    } else {
        word = bell_announce(&pipe->changed);
    }
    pipe_leave(pipe);
    return word;
}

/* The connection that was announced, wherever it is by now. */
static connection *find_slept_on(plat_pipe *pipe, const volatile uint32_t *word)
{
    if (pipe->connection != NULL && connection_is_word(pipe->connection, word))
        return pipe->connection;
    for (const pipe_retired *one = pipe->retired; one != NULL; one = one->next)
        if (connection_is_word(one->connection, word))
            return one->connection;
    return NULL;
}

static void rest(plat_object *channel, const volatile uint32_t *word)
{
    plat_pipe *pipe = (plat_pipe *)(void *)channel;
    connection *slept_on = NULL;

    pipe_enter(pipe);
    slept_on = find_slept_on(pipe, word);
    if (slept_on != NULL) {
        connection_release(slept_on);
        pipe_release_unused(pipe);
    }
    pipe_leave(pipe);
}

const channel_face pipe_face = {look, announce, rest, pipe_free};
