/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Serves the named pipe `\\.\pipe\SamplePipe`: five instances of message type, so that five clients are served at
 * once and more of them wait, all in one thread, which waits for any of the five. Each message of a client, a UTF-16
 * text, is answered with one. pipe_client is such a client; so is any Win32 program that opens the same name.
 *
 * usage: pipe_server [CLIENTS]    ends when so many clients have gone; without a number when it is killed
 */
#include <isthmus/isthmus.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME "\\\\.\\pipe\\SamplePipe"
#define RESPONSE "Default response from server"
#define INSTANCES 5
#define BUFFER_BYTES 1024
#define BUFFER_UNITS (BUFFER_BYTES / sizeof(ist_char16))
#define TEXT_BYTES (3 * BUFFER_UNITS) /* of UTF-8 for as many units */

/* An instance, and whether a client has it. */
typedef struct session {
    ist_pipe *pipe;
    bool connected;
} session;

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

/* What a client writes need not be a text. */
static void show_request(const ist_char16 *request, size_t bytes)
{
    char text[TEXT_BYTES];

    if (ist_utf16_read(text, sizeof text, request, bytes / sizeof *request, NULL) != IST_OK)
        printf("Receive %lu bytes from client, which are no text\n", (unsigned long)bytes);
    else
        printf("Receive %lu bytes from client: \"%s\"\n", (unsigned long)bytes, text);
}

/* A response fits the pipe's buffer, so that it need not wait unless the client does not read. */
static ist_status respond(ist_pipe *to)
{
    ist_char16 response[BUFFER_UNITS];
    size_t units = 0;
    ist_status status = ist_utf16_write(response, BUFFER_UNITS, RESPONSE, &units);

    if (status == IST_OK)
        status = ist_pipe_write(to, response, units * sizeof *response, 0, NULL);
    if (status == IST_TIMEOUT) {
        printf("A client does not read its responses.\n");
        return IST_E_BROKEN;
    }
    if (status == IST_OK)
        printf("Send %lu bytes to client: \"" RESPONSE "\"\n", (unsigned long)(units * sizeof *response));
    return status;
}

/* IST_TIMEOUT: there is no request. IST_E_BROKEN: the client has gone, or is to. */
static ist_status answer(session *it)
{
    ist_char16 request[BUFFER_UNITS];
    size_t bytes = 0;
    ist_status status = ist_pipe_read(it->pipe, request, sizeof request, 0, &bytes);

    if (status == IST_MORE) {
        printf("A request is longer than %d bytes.\n", BUFFER_BYTES);
        return IST_E_BROKEN;
    }
    if (status != IST_OK)
        return status;
    show_request(request, bytes);
    return respond(it->pipe);
}

/* IST_TIMEOUT: no client comes. IST_E_BROKEN: one has come and gone. */
static ist_status welcome(session *it)
{
    ist_status status = ist_pipe_accept(it->pipe, 0);

    if (status == IST_OK) {
        it->connected = true;
        printf("Client is connected.\n");
    }
    return status;
}

/* After that the instance can listen again. */
static ist_status part(session *it)
{
    if (it->connected)
        printf("Client has gone.\n");
    it->connected = false;
    return ist_pipe_disconnect(it->pipe);
}

/* Goes on with an instance as far as it can without waiting: IST_TIMEOUT. */
static ist_status go_on(session *it, unsigned long *gone)
{
    ist_status status = IST_OK;

    while (status == IST_OK) {
        status = it->connected ? answer(it) : welcome(it);
        if (status == IST_E_BROKEN) {
            ++*gone;
            status = part(it);
        }
    }
    fflush(stdout);
    return status;
}

static int serve(session *sessions, unsigned long clients)
{
    const ist_waitable *any[INSTANCES];
    unsigned long gone = 0;
    size_t which = 0;
    ist_status status = IST_OK;

    for (size_t n = 0; n < INSTANCES; n++)
        any[n] = ist_pipe_waitable(sessions[n].pipe);
    printf("Waiting for clients...\n");
    fflush(stdout);
    while (status >= 0 && (clients == 0 || gone < clients)) {
        status = ist_wait_any(any, INSTANCES, IST_FOREVER, &which);
        if (status >= 0)
            status = go_on(&sessions[which], &gone);
    }
    return status < 0 ? failed("Could not serve " NAME, status) : 0;
}

/* All instances listen from here on. */
static ist_status open_sessions(session *sessions)
{
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    ist_status status = IST_OK;

    options.type = IST_PIPE_MESSAGE;
    options.instances = INSTANCES;
    options.inbound_bytes = options.outbound_bytes = IST_PIPE_BUFFER_MIN;
    for (size_t n = 0; n < INSTANCES && status >= 0; n++) {
        options.flags = n == 0 ? IST_PIPE_FIRST : 0; /* nobody else serves this name */
        status = ist_pipe_serve(&sessions[n].pipe, NAME, &options);
    }
    return status;
}

int main(int argc, char **argv)
{
    session sessions[INSTANCES] = {{NULL, false}};
    unsigned long clients = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    ist_status status = IST_OK;
    int result = 0;

    if (argc > 2 || (argc == 2 && clients == 0)) {
        fprintf(stderr, "usage: pipe_server [CLIENTS]\n");
        return 2;
    }
    status = open_sessions(sessions);
    result = status < 0 ? failed("Could not create the named pipe " NAME, status) : serve(sessions, clients);
    for (size_t n = 0; n < INSTANCES; n++)
        ist_pipe_close(sessions[n].pipe);
    return result;
}
