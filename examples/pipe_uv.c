/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Serves the named pipe `\\.\pipe\SamplePipe` as pipe_server does, in the event loop of libuv, which a program may
 * have for other reasons: what libuv watches is the descriptor that ist_pipe_native() gives. (POSIX; on Windows an
 * ist_pipe is an overlapped HANDLE, which libuv's own pipes are, too.)
 *
 * Three things are to be kept in mind. The descriptor tells of the next thing after a call that came back with
 * IST_TIMEOUT, so calls go on until then, also in the beginning. It changes with each accept and disconnect, so before
 * those libuv has let it go. And it tells nothing of room to write.
 *
 * usage: pipe_uv [CLIENTS]    ends when so many clients have gone; without a number on Ctrl-C
 */
#include <isthmus/isthmus.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define NAME "\\\\.\\pipe\\SamplePipe"
#define RESPONSE "Default response from server"
#define INSTANCES 5
#define BUFFER_BYTES 1024
#define BUFFER_UNITS (BUFFER_BYTES / sizeof(ist_char16))
#define TEXT_BYTES (3 * BUFFER_UNITS) /* of UTF-8 for as many units */

typedef struct server server;

/* An instance, whether a client has it, and the watch of its descriptor. */
typedef struct session {
    uv_poll_t poll;
    ist_pipe *pipe;
    server *server;
    bool connected;
} session;

struct server {
    uv_loop_t loop;
    uv_signal_t interrupt;
    session sessions[INSTANCES];
    unsigned long clients; /* that it serves; 0 any number */
    unsigned long gone;    /* of them */
    bool over;
    int result;
};

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

static int uv_failed(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, uv_strerror(error));
    return 1;
}

/* IST_TIMEOUT, so the client does not read its responses, is its end. */
static ist_status respond(ist_pipe *to)
{
    ist_char16 response[BUFFER_UNITS];
    size_t units = 0;
    ist_status status = ist_utf16_write(response, BUFFER_UNITS, RESPONSE, &units);

    if (status == IST_OK)
        status = ist_pipe_write(to, response, units * sizeof *response, 0, NULL);
    return status == IST_TIMEOUT ? IST_E_BROKEN : status;
}

/* IST_TIMEOUT: there is no request. IST_E_BROKEN: the client has gone, or is to. */
static ist_status answer(session *it)
{
    ist_char16 request[BUFFER_UNITS];
    char text[TEXT_BYTES];
    size_t bytes = 0;
    ist_status status = ist_pipe_read(it->pipe, request, sizeof request, 0, &bytes);

    if (status == IST_MORE) /* longer than the buffer */
        return IST_E_BROKEN;
    if (status != IST_OK)
        return status;
    if (ist_utf16_read(text, sizeof text, request, bytes / sizeof *request, NULL) == IST_OK)
        printf("Request: \"%s\"\n", text);
    return respond(it->pipe);
}

static ist_status welcome(session *it)
{
    ist_status status = ist_pipe_accept(it->pipe, 0);

    it->connected = status == IST_OK;
    return status;
}

static ist_status part(session *it)
{
    it->connected = false;
    it->server->gone++;
    return ist_pipe_disconnect(it->pipe);
}

/* Goes on with an instance that nobody watches as far as it can without waiting: IST_TIMEOUT. */
static ist_status go_on(session *it)
{
    ist_status status = IST_OK;

    while (status == IST_OK) {
        status = it->connected ? answer(it) : welcome(it);
        if (status == IST_E_BROKEN)
            status = part(it);
    }
    fflush(stdout);
    return status;
}

static void let_go(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* The loop ends when nothing is watched any more. */
static void end(server *it, int result)
{
    it->over = true;
    it->result = result;
    uv_walk(&it->loop, let_go, NULL);
}

static void on_ready(uv_poll_t *poll, int error, int events);

static int watch(session *it)
{
    intptr_t descriptor = -1;
    ist_status status = ist_pipe_native(it->pipe, &descriptor);
    int error = 0;

    if (status < 0)
        return failed("Could not get a descriptor", status);
    error = uv_poll_init(&it->server->loop, &it->poll, (int)descriptor);
    if (error < 0)
        return uv_failed("Could not watch a descriptor", error);
    it->poll.data = it;
    error = uv_poll_start(&it->poll, UV_READABLE, on_ready);
    return error < 0 ? uv_failed("Could not watch a descriptor", error) : 0;
}

/* Goes on with an instance that nobody watches, then watches it. */
static void turn(session *it)
{
    ist_status status = go_on(it);

    if (status < 0)
        end(it->server, failed("Could not serve " NAME, status));
    else if (it->server->clients != 0 && it->server->gone >= it->server->clients)
        end(it->server, 0);
    else if (watch(it) != 0)
        end(it->server, 1);
}

static void on_unwatched(uv_handle_t *handle)
{
    session *it = handle->data;

    if (!it->server->over)
        turn(it);
}

/* A client's requests are answered under the watch; for whatever else comes the descriptor changes. */
static void on_ready(uv_poll_t *poll, int error, int events)
{
    session *it = poll->data;
    ist_status status = error == 0 && it->connected ? IST_OK : IST_E_BROKEN;

    (void)events;
    while (status == IST_OK)
        status = answer(it);
    fflush(stdout);
    if (status != IST_TIMEOUT)
        uv_close((uv_handle_t *)poll, on_unwatched);
}

static void on_interrupt(uv_signal_t *signal, int number)
{
    (void)number;
    end(signal->data, 0);
}

static ist_status open_sessions(server *it)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    ist_status status = IST_OK;

    options.type = IST_PIPE_MESSAGE;
    options.instances = INSTANCES;
    for (size_t n = 0; n < INSTANCES && status >= 0; n++) {
        options.flags = n == 0 ? IST_PIPE_FIRST : 0; /* nobody else serves this name */
        it->sessions[n].server = it;
        status = ist_pipe_serve(&it->sessions[n].pipe, NAME, &options);
    }
    return status;
}

static int serve(server *it)
{
    int error = uv_signal_init(&it->loop, &it->interrupt);

    if (error < 0)
        return uv_failed("Could not watch for a signal", error);
    it->interrupt.data = it;
    error = uv_signal_start(&it->interrupt, on_interrupt, SIGINT);
    if (error < 0)
        end(it, uv_failed("Could not watch for a signal", error));
    for (size_t n = 0; n < INSTANCES && !it->over; n++)
        turn(&it->sessions[n]);
    printf("Waiting for clients...\n");
    fflush(stdout);
    (void)uv_run(&it->loop, UV_RUN_DEFAULT);
    return it->result;
}

int main(int argc, char **argv)
{
    static server it;
    ist_status status = IST_OK;
    int error = 0;

    it.clients = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (argc > 2 || (argc == 2 && it.clients == 0)) {
        fprintf(stderr, "usage: pipe_uv [CLIENTS]\n");
        return 2;
    }
    error = uv_loop_init(&it.loop);
    if (error < 0)
        return uv_failed("Could not make a loop", error);
    status = open_sessions(&it);
    it.result = status < 0 ? failed("Could not create the named pipe " NAME, status) : serve(&it);
    for (size_t n = 0; n < INSTANCES; n++)
        ist_pipe_close(it.sessions[n].pipe);
    (void)uv_loop_close(&it.loop);
    return it.result;
}
