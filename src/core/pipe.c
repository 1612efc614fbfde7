/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes: what a call asks for is checked here.
 */
#include <isthmus/pipe.h>

#include <string.h>

#include "core/channel.h"
#include "core/detail.h"
#include "core/object.h"
#include "core/options.h"

struct ist_pipe {
    ist_waitable waitable;
    plat_pipe *plat;
    plat_pipe_sort sort;
};

static const plat_error no_error = {IST_CODES_NONE, 0, NULL, {0}};

/* ---- handles ---- */

static ist_status take(ist_pipe **out)
{
    *out = plat_memory_take(sizeof **out);
    return *out != NULL ? IST_OK : detail_refuse(IST_E_MEMORY, "memory for a handle");
}

static ist_pipe *ready(ist_pipe *pipe)
{
    pipe->waitable = (ist_waitable){plat_pipe_waitable(pipe->plat), PLAT_CHANNEL};
    return pipe;
}

/* Gives the handle to the caller, or the memory back. */
static ist_status settle(ist_status status, const plat_error *error, ist_pipe *pipe, ist_pipe **out)
{
    if (status == IST_OK)
        *out = ready(pipe);
    else
        plat_memory_give(pipe);
    return detail_from_backend(status, error);
}

/* ---- what is asked for ---- */

static bool is_buffer(uint32_t bytes)
{
    return bytes == 0 || (bytes >= IST_PIPE_BUFFER_MIN && bytes <= IST_PIPE_BUFFER_MAX);
}

static ist_status check_options(const ist_pipe_options *ours)
{
    if ((ours->flags & ~IST_PIPE_FIRST) != 0)
        return detail_refuse(IST_E_ARG, "flags");
    /* The enumerations may be signed or not: compare as numbers. */
    if ((uint32_t)ours->type > IST_PIPE_MESSAGE || (uint32_t)ours->direction > IST_PIPE_OUTBOUND)
        return detail_refuse(IST_E_ARG, "type and direction");
    if (ours->instances > IST_PIPE_INSTANCES_MAX)
        return detail_refuse(IST_E_ARG, "instances");
    if (!is_buffer(ours->inbound_bytes) || !is_buffer(ours->outbound_bytes))
        return detail_refuse(IST_E_ARG, "inbound_bytes and outbound_bytes");
    return options_check_common(ours->audience, ours->trust);
}

static ist_status read_request(const ist_pipe_options *options, plat_pipe_request *request)
{
    ist_pipe_options ours;
    ist_status status = options_copy(&ours, sizeof ours, sizeof ours, options);

    if (status == IST_OK)
        status = check_options(&ours);
    if (status == IST_OK) {
        request->first = (ours.flags & IST_PIPE_FIRST) != 0;
        request->type = ours.type;
        request->direction = ours.direction;
        request->instances = ours.instances;
        request->inbound_bytes = ours.inbound_bytes != 0 ? ours.inbound_bytes : IST_PIPE_BUFFER_MIN;
        request->outbound_bytes = ours.outbound_bytes != 0 ? ours.outbound_bytes : IST_PIPE_BUFFER_MIN;
        request->audience = ours.audience;
        request->trust_everyone = ours.trust == IST_TRUST_EVERYONE;
    }
    return status;
}

/* ---- ends ---- */

ist_status ist_pipe_serve(ist_pipe **out, const char *name, const ist_pipe_options *options)
{
    plat_error error = no_error;
    plat_channel_name parsed;
    plat_pipe_request request;
    ist_pipe *pipe = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (name == NULL)
        return detail_refuse(IST_E_ARG, "name");
    status = read_request(options, &request);
    if (status == IST_OK)
        status = channel_name_parse(name, "pipe", &parsed);
    if (status == IST_OK)
        status = take(&pipe);
    if (status != IST_OK)
        return status;
    return settle(plat_pipe_serve(&parsed, &request, &pipe->plat, &pipe->sort, &error), &error, pipe, out);
}

ist_status ist_pipe_connect(ist_pipe **out, const char *name, ist_access access, int64_t timeout_ns)
{
    plat_error error = no_error;
    plat_channel_name parsed;
    ist_access rights = access & ~IST_TRUST_EVERYONE;
    bool trust_everyone = (access & IST_TRUST_EVERYONE) != 0;
    ist_pipe *pipe = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (name == NULL)
        return detail_refuse(IST_E_ARG, "name");
    if (rights == 0 || (rights & ~(IST_READ | IST_WRITE)) != 0)
        return detail_refuse(IST_E_ARG, "access");
    status = channel_check_timeout(timeout_ns);
    if (status == IST_OK)
        status = channel_name_parse(name, "pipe", &parsed);
    if (status == IST_OK)
        status = take(&pipe);
    if (status != IST_OK)
        return status;
    status = plat_pipe_connect(&parsed, rights, trust_everyone, timeout_ns, &pipe->plat, &pipe->sort, &error);
    return settle(status, &error, pipe, out);
}

ist_status ist_pipe_pair(ist_pipe **first, ist_pipe **second, const ist_pipe_options *options)
{
    plat_error error = no_error;
    plat_pipe_request request;
    plat_pipe_sort sorts[2];
    ist_pipe *ends[2] = {NULL, NULL};
    ist_status status = IST_OK;

    if (first != NULL)
        *first = NULL;
    if (second != NULL)
        *second = NULL;
    if (first == NULL || second == NULL)
        return detail_refuse(IST_E_ARG, "first and second");
    status = read_request(options, &request);
    if (status == IST_OK)
        status = take(&ends[0]);
    if (status == IST_OK)
        status = take(&ends[1]);
    if (status == IST_OK)
        status = detail_from_backend(plat_pipe_pair(&request, &ends[0]->plat, &ends[1]->plat, sorts, &error), &error);
    if (status != IST_OK) {
        plat_memory_give(ends[0]);
        plat_memory_give(ends[1]);
        return status;
    }
    ends[0]->sort = sorts[0];
    ends[1]->sort = sorts[1];
    *first = ready(ends[0]);
    *second = ready(ends[1]);
    return IST_OK;
}

ist_status ist_pipe_inherit(ist_pipe *pipe, char token[IST_TOKEN_SIZE])
{
    plat_error error = no_error;
    ist_status status = IST_OK;

    if (token == NULL)
        return detail_refuse(IST_E_ARG, "token");
    token[0] = '\0';
    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    status = plat_pipe_inherit(pipe->plat, token, &error);
    if (status < 0)
        token[0] = '\0';
    return detail_from_backend(status, &error);
}

ist_status ist_pipe_import(ist_pipe **out, const char *token)
{
    plat_error error = no_error;
    ist_pipe *pipe = NULL;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = NULL;
    if (token == NULL || memchr(token, '\0', IST_TOKEN_SIZE) == NULL)
        return detail_refuse(IST_E_ARG, "token");
    status = take(&pipe);
    if (status != IST_OK)
        return status;
    return settle(plat_pipe_import(token, &pipe->plat, &pipe->sort, &error), &error, pipe, out);
}

void ist_pipe_close(ist_pipe *pipe)
{
    if (pipe != NULL) {
        plat_pipe_close(pipe->plat);
        plat_memory_give(pipe);
    }
}

/* ---- connections ---- */

static ist_status check_server(const ist_pipe *pipe)
{
    return pipe != NULL && pipe->sort.server ? IST_OK : detail_refuse(IST_E_ARG, "an instance");
}

ist_status ist_pipe_accept(ist_pipe *pipe, int64_t timeout_ns)
{
    plat_error error = no_error;
    ist_status status = check_server(pipe);

    if (status == IST_OK)
        status = channel_check_timeout(timeout_ns);
    return status == IST_OK ? detail_from_backend(plat_pipe_accept(pipe->plat, timeout_ns, &error), &error) : status;
}

ist_status ist_pipe_disconnect(ist_pipe *pipe)
{
    plat_error error = no_error;
    ist_status status = check_server(pipe);

    return status == IST_OK ? detail_from_backend(plat_pipe_disconnect(pipe->plat, &error), &error) : status;
}

/* ---- data ---- */

static ist_status check_read(const ist_pipe *pipe)
{
    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    return pipe->sort.may_read ? IST_OK : detail_refuse(IST_E_ACCESS, "an end for reading");
}

static ist_status check_write(const ist_pipe *pipe)
{
    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    return pipe->sort.may_write ? IST_OK : detail_refuse(IST_E_ACCESS, "an end for writing");
}

/* A message has less than 4 GiB. */
static ist_status check_data(const void *data, size_t size)
{
    if (data == NULL && size != 0)
        return detail_refuse(IST_E_ARG, "data");
    return size <= UINT32_MAX ? IST_OK : detail_refuse(IST_E_ARG, "size below 4 GiB");
}

ist_status ist_pipe_read(ist_pipe *pipe, void *buffer, size_t size, int64_t timeout_ns, size_t *got)
{
    plat_error error = no_error;
    ist_status status = IST_OK;

    if (got == NULL)
        return detail_refuse(IST_E_ARG, "got");
    *got = 0;
    if (buffer == NULL || size == 0)
        return detail_refuse(IST_E_ARG, "buffer and size");
    status = channel_check_timeout(timeout_ns);
    if (status == IST_OK)
        status = check_read(pipe);
    if (status != IST_OK)
        return status;
    return detail_from_backend(plat_pipe_read(pipe->plat, buffer, size, timeout_ns, got, &error), &error);
}

ist_status ist_pipe_write(ist_pipe *pipe, const void *data, size_t size, int64_t timeout_ns, size_t *written)
{
    plat_error error = no_error;
    size_t went = 0;
    ist_status status = check_data(data, size);

    if (written != NULL)
        *written = 0;
    if (status == IST_OK)
        status = channel_check_timeout(timeout_ns);
    if (status == IST_OK)
        status = check_write(pipe);
    if (status != IST_OK || (size == 0 && pipe->sort.type == IST_PIPE_BYTE))
        return status;
    status = plat_pipe_write(pipe->plat, data, size, timeout_ns, &went, &error);
    if (written != NULL)
        *written = went;
    return detail_from_backend(status, &error);
}

ist_status ist_pipe_peek(ist_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out)
{
    plat_error error = no_error;
    ist_pipe_peeked ours = IST_PIPE_PEEKED_INIT;
    ist_status status = object_check_answer(out);

    if (status == IST_OK && buffer == NULL && size != 0)
        status = detail_refuse(IST_E_ARG, "buffer");
    if (status == IST_OK)
        status = check_read(pipe);
    if (status == IST_OK)
        status = detail_from_backend(plat_pipe_peek(pipe->plat, buffer, size, &ours, &error), &error);
    if (status == IST_OK)
        object_answer(out, &ours, sizeof ours);
    return status;
}

ist_status ist_pipe_flush(ist_pipe *pipe, int64_t timeout_ns)
{
    plat_error error = no_error;
    ist_status status = channel_check_timeout(timeout_ns);

    if (status == IST_OK)
        status = check_write(pipe);
    return status == IST_OK ? detail_from_backend(plat_pipe_flush(pipe->plat, timeout_ns, &error), &error) : status;
}

/* ---- questions and answers ---- */

static ist_status check_exchange(const void *request, size_t request_size, const void *reply, size_t reply_size,
                                 int64_t timeout_ns, size_t *got)
{
    ist_status status = IST_OK;

    if (got == NULL)
        return detail_refuse(IST_E_ARG, "got");
    *got = 0;
    status = check_data(request, request_size);
    if (status == IST_OK && (reply == NULL || reply_size == 0))
        status = detail_refuse(IST_E_ARG, "reply and reply_size");
    return status == IST_OK ? channel_check_timeout(timeout_ns) : status;
}

/* P10: the type is looked at before the access. */
static ist_status check_transact(const ist_pipe *pipe)
{
    if (pipe->sort.type != IST_PIPE_MESSAGE || pipe->sort.direction != IST_PIPE_DUPLEX)
        return detail_refuse(IST_E_ARG, "a duplex message pipe");
    return pipe->sort.may_read && pipe->sort.may_write ? IST_OK
                                                       : detail_refuse(IST_E_ACCESS, "an end for reading and writing");
}

ist_status ist_pipe_transact(ist_pipe *pipe, const void *request, size_t request_size, void *reply, size_t reply_size,
                             int64_t timeout_ns, size_t *got)
{
    plat_error error = no_error;
    ist_status status = check_exchange(request, request_size, reply, reply_size, timeout_ns, got);

    if (status != IST_OK)
        return status;
    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    status = check_transact(pipe);
    if (status != IST_OK)
        return status;
    status = plat_pipe_transact(pipe->plat, request, request_size, reply, reply_size, timeout_ns, got, &error);
    return detail_from_backend(status, &error);
}

/* What is left of a timeout that began when the clock showed `since`. */
static int64_t rest_of(int64_t timeout_ns, int64_t since)
{
    int64_t passed = timeout_ns > 0 ? plat_clock() - since : 0;

    return timeout_ns <= 0 || passed < 0 ? timeout_ns : passed < timeout_ns ? timeout_ns - passed : 0;
}

ist_status ist_pipe_call(const char *name, ist_trust trust, const void *request, size_t request_size, void *reply,
                         size_t reply_size, int64_t timeout_ns, size_t *got)
{
    int64_t since = plat_clock();
    ist_pipe *pipe = NULL;
    ist_status status = check_exchange(request, request_size, reply, reply_size, timeout_ns, got);

    if (status == IST_OK)
        status = options_check_common(IST_AUDIENCE_OWNER, trust);
    if (status == IST_OK)
        status = ist_pipe_connect(&pipe, name, IST_READ | IST_WRITE | trust, timeout_ns);
    if (status == IST_OK) {
        status = ist_pipe_transact(pipe, request, request_size, reply, reply_size, rest_of(timeout_ns, since), got);
        ist_pipe_close(pipe);
    }
    return status;
}

/* ---- facts ---- */

ist_status ist_pipe_info(ist_pipe *pipe, ist_pipe_facts *out)
{
    plat_error error = no_error;
    ist_pipe_facts ours = IST_PIPE_FACTS_INIT;
    ist_status status = IST_OK;

    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    status = object_check_answer(out);
    if (status == IST_OK)
        status = detail_from_backend(plat_pipe_info(pipe->plat, &ours, &error), &error);
    if (status != IST_OK)
        return status;
    ours.type = pipe->sort.type;
    ours.direction = pipe->sort.direction;
    ours.server = pipe->sort.server ? 1 : 0;
    object_answer(out, &ours, sizeof ours);
    return IST_OK;
}

ist_status ist_pipe_peer(ist_pipe *pipe, ist_pipe_peer_facts *out)
{
    plat_error error = no_error;
    ist_pipe_peer_facts ours = IST_PIPE_PEER_FACTS_INIT;
    ist_status status = IST_OK;

    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    status = object_check_answer(out);
    if (status != IST_OK)
        return status;
    status = detail_from_backend(plat_pipe_peer(pipe->plat, &ours, &error), &error);
    if (status == IST_OK || status == IST_E_ACCESS)
        object_answer(out, &ours, sizeof ours);
    return status;
}

ist_status ist_pipe_cancel(ist_pipe *pipe)
{
    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    plat_pipe_cancel(pipe->plat);
    return IST_OK;
}

ist_status ist_pipe_native(ist_pipe *pipe, intptr_t *out)
{
    plat_error error = no_error;
    ist_status status = IST_OK;

    if (out == NULL)
        return detail_refuse(IST_E_ARG, "out");
    *out = -1;
    if (pipe == NULL)
        return detail_refuse(IST_E_ARG, "pipe");
    status = plat_pipe_native(pipe->plat, out, &error);
    if (status < 0)
        *out = -1;
    return detail_from_backend(status, &error);
}

const ist_waitable *ist_pipe_waitable(const ist_pipe *pipe)
{
    return pipe != NULL ? &pipe->waitable : NULL;
}
