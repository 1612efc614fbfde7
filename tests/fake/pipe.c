/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes of the fake backend: ends that nothing connects. They remember what was asked, note what the core should have
 * refused, and answer as the test says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/inside.h"

struct plat_pipe {
    plat_object waitable;
    plat_pipe_sort sort;
};

static plat_pipe *newest;
static ist_pipe_type pretended_type;
static ist_pipe_direction pretended_direction;
static ist_status pretended_status;
static size_t pretended_bytes;

void fake_pipes_reset(void)
{
    newest = NULL;
    fake_pretend_sort(IST_PIPE_BYTE, IST_PIPE_DUPLEX);
    fake_pretend_transfer(IST_OK, 0);
}

void fake_pretend_sort(ist_pipe_type type, ist_pipe_direction direction)
{
    pretended_type = type;
    pretended_direction = direction;
}

void fake_pretend_transfer(ist_status status, size_t bytes)
{
    pretended_status = status;
    pretended_bytes = bytes;
}

plat_pipe *fake_newest_pipe(void)
{
    return newest;
}

void fake_note_channel(const plat_channel_name *name)
{
    fake_last.named = true;
    fake_last.global = false;
    fake_last.name_length = name->length;
    (void)snprintf(fake_last.name, sizeof fake_last.name, "%s", name->text);
}

ist_status fake_transfer(size_t *count, plat_error *error)
{
    ist_status status = fake_attempt(error);
    if (status != IST_OK)
        return status;
    if (count != NULL)
        *count = pretended_bytes;
    return pretended_status < 0 ? fake_refuse(pretended_status, error) : pretended_status;
}

/* ---- ends ---- */

static void give_end(plat_pipe_sort sort, plat_pipe **out)
{
    plat_pipe *pipe = calloc(1, sizeof *pipe);
    if (pipe == NULL)
        abort();
    pipe->sort = sort;
    fake_owned.pipes++;
    newest = pipe;
    *out = pipe;
}

static plat_pipe_sort server_of(const plat_pipe_request *request)
{
    return (plat_pipe_sort){request->type, request->direction, true, request->direction != IST_PIPE_OUTBOUND,
                            request->direction != IST_PIPE_INBOUND};
}

ist_status plat_pipe_serve(const plat_channel_name *name, const plat_pipe_request *request, plat_pipe **out,
                           plat_pipe_sort *sort, plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_note_channel(name);
    fake_last.pipe_request = *request;
    *sort = server_of(request);
    if (status == IST_OK)
        give_end(*sort, out);
    return status;
}

ist_status plat_pipe_connect(const plat_channel_name *name, ist_access access, bool trust_everyone, int64_t timeout_ns,
                             plat_pipe **out, plat_pipe_sort *sort, plat_error *error)
{
    ist_status status = fake_transfer(NULL, error);
    fake_note_channel(name);
    fake_last.access = access;
    fake_last.trust_everyone = trust_everyone;
    fake_last.timeout_ns = timeout_ns;
    *sort = (plat_pipe_sort){pretended_type, pretended_direction, false, (access & IST_READ) != 0,
                             (access & IST_WRITE) != 0};
    if (status == IST_OK)
        give_end(*sort, out);
    return status;
}

ist_status plat_pipe_pair(const plat_pipe_request *request, plat_pipe **first, plat_pipe **second,
                          plat_pipe_sort sorts[2], plat_error *error)
{
    ist_status status = fake_attempt(error);
    fake_last.pipe_request = *request;
    sorts[0] = server_of(request);
    sorts[1] = (plat_pipe_sort){request->type, request->direction, false, sorts[0].may_write, sorts[0].may_read};
    if (status == IST_OK) {
        give_end(sorts[0], first);
        give_end(sorts[1], second);
    }
    return status;
}

/* Remembers whose call it is. */
static void note(plat_pipe *pipe, bool allowed)
{
    fake_last.pipe = pipe;
    fake_owned.errors += !allowed;
}

ist_status plat_pipe_inherit(plat_pipe *pipe, char *token, plat_error *error)
{
    note(pipe, true);
    /* A careless backend scribbles first and fails then. */
    (void)snprintf(token, IST_TOKEN_SIZE, "inherited");
    return fake_attempt(error);
}

ist_status plat_pipe_import(const char *token, plat_pipe **out, plat_pipe_sort *sort, plat_error *error)
{
    ist_status status = fake_attempt(error);
    (void)snprintf(fake_last.token, sizeof fake_last.token, "%s", token);
    *sort = (plat_pipe_sort){pretended_type, pretended_direction, false, true, true};
    if (status == IST_OK)
        give_end(*sort, out);
    return status;
}

void plat_pipe_close(plat_pipe *pipe)
{
    fake_owned.errors += fake_owned.pipes == 0;
    fake_owned.pipes--;
    free(pipe);
}

/* ---- connections and data ---- */

ist_status plat_pipe_accept(plat_pipe *pipe, int64_t timeout_ns, plat_error *error)
{
    note(pipe, pipe->sort.server);
    fake_last.timeout_ns = timeout_ns;
    return fake_transfer(NULL, error);
}

ist_status plat_pipe_disconnect(plat_pipe *pipe, plat_error *error)
{
    note(pipe, pipe->sort.server);
    return fake_attempt(error);
}

ist_status plat_pipe_read(plat_pipe *pipe, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                          plat_error *error)
{
    note(pipe, pipe->sort.may_read && size != 0 && *got == 0);
    fake_last.buffer = buffer;
    fake_last.buffer_size = size;
    fake_last.timeout_ns = timeout_ns;
    return fake_transfer(got, error);
}

ist_status plat_pipe_write(plat_pipe *pipe, const void *data, size_t size, int64_t timeout_ns, size_t *written,
                           plat_error *error)
{
    note(pipe, pipe->sort.may_write && (size != 0 || pipe->sort.type == IST_PIPE_MESSAGE) && *written == 0);
    fake_last.data = data;
    fake_last.data_size = size;
    fake_last.timeout_ns = timeout_ns;
    return fake_transfer(written, error);
}

ist_status plat_pipe_peek(plat_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error)
{
    note(pipe, pipe->sort.may_read);
    fake_last.buffer = buffer;
    fake_last.buffer_size = size;
    out->copied_bytes = FAKE_TOLD;
    out->available_bytes = FAKE_TOLD;
    out->message_bytes = FAKE_TOLD;
    return fake_attempt(error);
}

ist_status plat_pipe_flush(plat_pipe *pipe, int64_t timeout_ns, plat_error *error)
{
    note(pipe, pipe->sort.may_write);
    fake_last.timeout_ns = timeout_ns;
    return fake_transfer(NULL, error);
}

ist_status plat_pipe_transact(plat_pipe *pipe, const void *request, size_t request_size, void *reply, size_t reply_size,
                              int64_t timeout_ns, size_t *got, plat_error *error)
{
    note(pipe, pipe->sort.may_read && pipe->sort.may_write && pipe->sort.type == IST_PIPE_MESSAGE && reply_size != 0 &&
                   *got == 0);
    fake_last.data = request;
    fake_last.data_size = request_size;
    fake_last.buffer = reply;
    fake_last.buffer_size = reply_size;
    fake_last.timeout_ns = timeout_ns;
    return fake_transfer(got, error);
}

/* ---- facts ---- */

ist_status plat_pipe_info(plat_pipe *pipe, ist_pipe_facts *out, plat_error *error)
{
    note(pipe, true);
    out->connected = 1;
    out->instances_max = FAKE_TOLD;
    out->instances = FAKE_TOLD;
    out->inbound_bytes = FAKE_TOLD;
    out->outbound_bytes = FAKE_TOLD;
    return fake_attempt(error);
}

ist_status plat_pipe_peer(plat_pipe *pipe, ist_pipe_peer_facts *out, plat_error *error)
{
    note(pipe, true);
    out->same_user = 1;
    out->process_id = FAKE_PROCESS;
    (void)snprintf(out->user, sizeof out->user, "somebody");
    return fake_attempt(error);
}

void plat_pipe_cancel(plat_pipe *pipe)
{
    note(pipe, true);
    fake_last.cancels++;
}

ist_status plat_pipe_native(plat_pipe *pipe, intptr_t *out, plat_error *error)
{
    note(pipe, true);
    *out = FAKE_TOLD;
    return fake_attempt(error);
}

plat_object *plat_pipe_waitable(plat_pipe *pipe)
{
    return &pipe->waitable;
}
