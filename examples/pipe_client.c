/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A client of the named pipe `\\.\pipe\SamplePipe`: writes a UTF-16 text as one message, reads the response, and goes.
 * pipe_server serves the pipe; so may any Win32 program that creates the same name with message type.
 *
 * usage: pipe_client
 */
#include <isthmus/isthmus.h>

#include <inttypes.h>
#include <stdio.h>

#define NAME "\\\\.\\pipe\\SamplePipe"
#define REQUEST "Default request from client"
#define BUFFER_BYTES 1024
#define BUFFER_UNITS (BUFFER_BYTES / sizeof(ist_char16))
#define TEXT_BYTES (3 * BUFFER_UNITS) /* of UTF-8 for as many units */
#define PATIENCE_NS INT64_C(5000000000)

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

/* The process is the one that the system names, whatever the server says. */
static void show_server(ist_pipe *pipe)
{
    ist_pipe_peer_facts server = IST_PIPE_PEER_FACTS_INIT;

    if (ist_pipe_peer(pipe, &server) >= 0)
        printf("The named pipe " NAME " is connected; process %" PRIu64 " serves it.\n", server.process_id);
}

static int show_response(const ist_char16 *response, size_t bytes)
{
    char text[TEXT_BYTES];
    ist_status status = ist_utf16_read(text, sizeof text, response, bytes / sizeof *response, NULL);

    if (status < 0)
        return failed("The response is no text", status);
    printf("Receive %lu bytes from server: \"%s\"\n", (unsigned long)bytes, text);
    return 0;
}

static int ask(ist_pipe *pipe)
{
    ist_char16 request[BUFFER_UNITS];
    ist_char16 response[BUFFER_UNITS];
    size_t units = 0;
    size_t bytes = 0;
    ist_status status = ist_utf16_write(request, BUFFER_UNITS, REQUEST, &units);

    if (status == IST_OK) {
        printf("Send %lu bytes to server: \"" REQUEST "\"\n", (unsigned long)(units * sizeof *request));
        status =
            ist_pipe_transact(pipe, request, units * sizeof *request, response, sizeof response, IST_FOREVER, &bytes);
    }
    if (status != IST_OK) /* IST_MORE, too: a response that is longer than the buffer */
        return failed("Could not get a response of at most 1024 bytes", status);
    return show_response(response, bytes);
}

int main(void)
{
    ist_pipe *pipe = NULL;
    ist_status status = ist_pipe_connect(&pipe, NAME, IST_READ | IST_WRITE, PATIENCE_NS);
    int result = 0;

    if (status == IST_E_NOT_FOUND) {
        fprintf(stderr, "Nobody serves " NAME ".\n");
        return 1;
    }
    if (status == IST_TIMEOUT) {
        fprintf(stderr, "All instances of " NAME " are busy.\n");
        return 1;
    }
    if (status < 0)
        return failed("Could not connect to " NAME, status);
    show_server(pipe);
    result = ask(pipe);
    ist_pipe_close(pipe);
    return result;
}
