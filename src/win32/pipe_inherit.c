/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends on their way to a child: the handle keeps its number there. The token says which it is, and the flag that lets
 * it be inherited says that nobody has taken it yet.
 *
 *     ip1.<process that exported>.<handle>.<server's process>.<facts, below>        all hexadecimal
 */
#include <stdio.h>
#include <string.h>

#include "win32/error.h"
#include "win32/pipe.h"

#define FACT_SERVER 0x1u
#define FACT_EMPTY_KEPT 0x2u
#define FACT_MAY_READ 0x4u
#define FACT_MAY_WRITE 0x8u
#define FACT_MESSAGE 0x10u
#define FACT_DIRECTION_SHIFT 8

typedef struct pipe_token {
    unsigned long exporter;
    unsigned long long handle;
    unsigned long server;
    unsigned facts;
    unsigned long inbound_bytes;
    unsigned long outbound_bytes;
} pipe_token;

#define TOKEN_FORMAT "ip1.%lx.%llx.%lx.%x.%lx.%lx"

static unsigned facts_of(const plat_pipe *pipe)
{
    return (pipe->sort.server ? FACT_SERVER : 0) | (pipe->empty_kept ? FACT_EMPTY_KEPT : 0) |
           (pipe->sort.may_read ? FACT_MAY_READ : 0) | (pipe->sort.may_write ? FACT_MAY_WRITE : 0) |
           (pipe->sort.type == IST_PIPE_MESSAGE ? FACT_MESSAGE : 0) |
           (unsigned)pipe->sort.direction << FACT_DIRECTION_SHIFT;
}

/* What the watch has taken goes along: the child reads it first. */
ist_status plat_pipe_inherit(plat_pipe *pipe, char *token, plat_error *error)
{
    ULONG server = 0;
    win32_call call;
    ist_status status = IST_OK;

    if (pipe->sort.server && pipe->named)
        return win32_error_refuse(error, IST_E_ARG, "an end of a pair, or a client's");
    status = win32_pipe_enter(pipe, 0, &call, error);
    if (status != IST_OK)
        return status;
    AcquireSRWLockExclusive(&pipe->gate);
    win32_pipe_unwatch(pipe);
    if (pipe->rest != NULL)
        status = win32_error_refuse(error, IST_E_ARG, "no message read in part");
    else if (!GetNamedPipeServerProcessId(pipe->handle, &server) ||
             !SetHandleInformation(pipe->handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        status = win32_error_take(error, "SetHandleInformation", WIN32_STEP_HANDLE);
    else
        (void)snprintf(token, IST_TOKEN_SIZE, TOKEN_FORMAT, (unsigned long)GetCurrentProcessId(),
                       (unsigned long long)(uintptr_t)pipe->handle, (unsigned long)server, facts_of(pipe),
                       (unsigned long)pipe->inbound_bytes, (unsigned long)pipe->outbound_bytes);
    ReleaseSRWLockExclusive(&pipe->gate);
    return win32_pipe_leave(pipe, &call, status, error);
}

/* Reads a token; only one that we would write in the same way is one. */
static bool token_read(const char *text, pipe_token *out)
{
    char again[IST_TOKEN_SIZE];

    memset(out, 0, sizeof *out);
    if (sscanf(text, TOKEN_FORMAT, &out->exporter, &out->handle, &out->server, &out->facts, &out->inbound_bytes,
               &out->outbound_bytes) != 6)
        return false;
    (void)snprintf(again, sizeof again, TOKEN_FORMAT, out->exporter, out->handle, out->server, out->facts,
                   out->inbound_bytes, out->outbound_bytes);
    return strcmp(again, text) == 0 && out->facts >> FACT_DIRECTION_SHIFT <= IST_PIPE_OUTBOUND &&
           out->exporter != GetCurrentProcessId();
}

/* Of one import among several at once, one takes it. */
static bool handle_claim(HANDLE handle, ULONG expected)
{
    static SRWLOCK one = SRWLOCK_INIT; /* looking at the flag and taking it */
    ULONG server = 0;
    DWORD flags = 0;
    bool taken = false;

    AcquireSRWLockExclusive(&one);
    taken = GetHandleInformation(handle, &flags) && (flags & HANDLE_FLAG_INHERIT) != 0 &&
            GetFileType(handle) == FILE_TYPE_PIPE && GetNamedPipeServerProcessId(handle, &server) &&
            server == expected && SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0);
    ReleaseSRWLockExclusive(&one);
    return taken;
}

static void pipe_describe(plat_pipe *pipe, const pipe_token *token)
{
    pipe->sort.server = (token->facts & FACT_SERVER) != 0;
    pipe->sort.may_read = (token->facts & FACT_MAY_READ) != 0;
    pipe->sort.may_write = (token->facts & FACT_MAY_WRITE) != 0;
    pipe->sort.type = (token->facts & FACT_MESSAGE) != 0 ? IST_PIPE_MESSAGE : IST_PIPE_BYTE;
    pipe->sort.direction = (ist_pipe_direction)(token->facts >> FACT_DIRECTION_SHIFT);
    pipe->inbound_bytes = (uint32_t)token->inbound_bytes;
    pipe->outbound_bytes = (uint32_t)token->outbound_bytes;
    pipe->instances_max = 1;
    pipe->empty_kept = (token->facts & FACT_EMPTY_KEPT) != 0;
    pipe->phase = PIPE_CONNECTED;
    (void)win32_pipe_learn(pipe);
}

ist_status plat_pipe_import(const char *token, plat_pipe **out, plat_pipe_sort *sort, plat_error *error)
{
    pipe_token read;
    plat_pipe *pipe = NULL;
    ist_status status = IST_OK;

    if (!token_read(token, &read))
        return win32_error_refuse(error, IST_E_ARG, "a token of a pipe");
    status = win32_pipe_take(&pipe, error);
    if (status != IST_OK)
        return status;
    if (handle_claim((HANDLE)(uintptr_t)read.handle, (ULONG)read.server)) {
        pipe->handle = (HANDLE)(uintptr_t)read.handle;
        pipe_describe(pipe, &read);
    } else {
        status = win32_error_refuse(error, IST_E_ARG, "an end that was inherited");
    }
    *sort = pipe->sort;
    return win32_pipe_settle(status, pipe, out);
}
