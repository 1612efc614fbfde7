/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends of pipes: their life, and how their calls begin and end.
 */
#include "win32/pipe.h"

#include <string.h>

#include "win32/error.h"

/* ---- life ---- */

ist_status win32_pipe_take(plat_pipe **out, plat_error *error)
{
    plat_pipe *pipe = plat_memory_take(sizeof *pipe);
    ist_status status = IST_OK;

    *out = NULL;
    if (pipe == NULL)
        return win32_error_refuse(error, IST_E_MEMORY, "memory for a handle");
    InitializeSRWLock(&pipe->use);
    InitializeSRWLock(&pipe->gate);
    InitializeSRWLock(&pipe->calls.lock);
    win32_pipe_reader_declare();
    status = win32_channel_begin(&pipe->object, &win32_pipe_face, error);
    if (status == IST_OK)
        *out = pipe;
    else
        plat_memory_give(pipe);
    return status;
}

ist_status win32_pipe_settle(ist_status status, plat_pipe *pipe, plat_pipe **out)
{
    if (status == IST_OK)
        *out = pipe;
    else
        plat_pipe_close(pipe);
    return status;
}

/* Both locks are the caller's. */
static void handle_close(plat_pipe *pipe, pipe_phase phase)
{
    DWORD bytes = 0;

    if (pipe->watch.pending)
        (void)win32_watch_stop(&pipe->watch, &pipe->object, pipe->handle, &bytes);
    if (pipe->handle != NULL)
        (void)CloseHandle(pipe->handle);
    pipe->handle = NULL;
    win32_pipe_forget(pipe);
    pipe->phase = phase;
}

static void pipe_shut(plat_pipe *pipe, pipe_phase phase)
{
    AcquireSRWLockExclusive(&pipe->use);
    AcquireSRWLockExclusive(&pipe->gate);
    handle_close(pipe, phase);
    ReleaseSRWLockExclusive(&pipe->gate);
    ReleaseSRWLockExclusive(&pipe->use);
}

/* What waits for it goes on, and nothing will signal it any more. */
void plat_pipe_close(plat_pipe *pipe)
{
    pipe_shut(pipe, PIPE_CLOSED);
    win32_calls_end(&pipe->calls);
    win32_object_let_go(&pipe->object);
}

/* The far side learns of it when the handle is closed, or of an instance disconnected. Calls of other threads are woken
   and leave first. */
ist_status win32_pipe_break(plat_pipe *pipe, uint32_t disconnects, plat_error *error)
{
    AcquireSRWLockExclusive(&pipe->gate);
    if (!pipe->sort.server)
        pipe->phase = PIPE_BROKEN;
    else if (pipe->disconnects == disconnects)
        (void)win32_pipe_drop(pipe, PIPE_BROKEN);
    ReleaseSRWLockExclusive(&pipe->gate);
    if (!pipe->sort.server) {
        win32_calls_cancel(&pipe->calls);
        pipe_shut(pipe, PIPE_BROKEN);
    }
    return win32_error_refuse(error, IST_E_BROKEN, "a message that was not read in part");
}

/* ---- calls ---- */

static pipe_phase phase_of(plat_pipe *pipe)
{
    pipe_phase phase = PIPE_CLOSED;

    AcquireSRWLockShared(&pipe->gate);
    phase = pipe->phase;
    ReleaseSRWLockShared(&pipe->gate);
    return phase;
}

/* A client's end that is being broken is looked at when the call is among those that are cancelled: it would keep the
   breaker out as long as the peer likes. */
ist_status win32_pipe_enter(plat_pipe *pipe, int64_t timeout_ns, win32_call *call, plat_error *error)
{
    ist_status status = IST_OK;

    AcquireSRWLockShared(&pipe->use);
    if (pipe->handle == NULL)
        status = win32_error_refuse(error, IST_E_BROKEN, "a connection");
    else
        status = win32_call_begin(call, &pipe->calls, timeout_ns, error);
    if (status == IST_OK && !pipe->sort.server && phase_of(pipe) == PIPE_BROKEN) {
        win32_call_end(call);
        status = win32_error_refuse(error, IST_E_BROKEN, "a connection");
    }
    if (status != IST_OK)
        ReleaseSRWLockShared(&pipe->use);
    return status;
}

/* Who was woken by a break has not been cancelled. */
ist_status win32_pipe_leave(plat_pipe *pipe, win32_call *call, ist_status status, plat_error *error)
{
    win32_call_end(call);
    if (status == IST_CANCELLED && phase_of(pipe) == PIPE_BROKEN)
        status = win32_error_refuse(error, IST_E_BROKEN, "a connection");
    ReleaseSRWLockShared(&pipe->use);
    return status;
}

void plat_pipe_cancel(plat_pipe *pipe)
{
    win32_calls_cancel(&pipe->calls);
}

ist_status plat_pipe_native(plat_pipe *pipe, intptr_t *out, plat_error *error)
{
    ist_status status = IST_OK;

    AcquireSRWLockShared(&pipe->use);
    *out = (intptr_t)pipe->handle;
    if (pipe->handle == NULL)
        status = win32_error_refuse(error, IST_E_BROKEN, "a connection");
    ReleaseSRWLockShared(&pipe->use);
    return status;
}

/* ---- what is waited for ---- */

plat_object *plat_pipe_waitable(plat_pipe *pipe)
{
    return &pipe->object;
}

/* The answer of a watch for something to read. On a message pipe, 0 bytes without an error are an empty message, which
   the watch has taken. */
static void watch_answer(plat_pipe *pipe, DWORD code)
{
    if (code == ERROR_SUCCESS && pipe->sort.type == IST_PIPE_MESSAGE)
        pipe->empty_kept = true;
}

void win32_pipe_look(plat_pipe *pipe)
{
    DWORD bytes = 0;

    if (pipe->watch.pending && pipe->phase == PIPE_CONNECTED)
        watch_answer(pipe, win32_watch_settle(&pipe->watch, &pipe->object, pipe->handle, &bytes));
}

void win32_pipe_unwatch(plat_pipe *pipe)
{
    DWORD bytes = 0;

    if (pipe->watch.pending && pipe->phase == PIPE_CONNECTED)
        watch_answer(pipe, win32_watch_stop(&pipe->watch, &pipe->object, pipe->handle, &bytes));
}

bool win32_pipe_watch(plat_pipe *pipe)
{
    DWORD code = ERROR_SUCCESS;

    if (!ReadFile(pipe->handle, &pipe->nothing, 0, NULL, win32_watch_begin(&pipe->watch, &pipe->object)))
        code = GetLastError();
    win32_watch_begun(&pipe->watch, &pipe->object, code);
    pipe->watch_code = code;
    watch_answer(pipe, code);
    return pipe->watch.pending;
}

void win32_pipe_forget(plat_pipe *pipe)
{
    pipe->empty_kept = false;
    plat_memory_give(pipe->rest);
    pipe->rest = NULL;
}

bool win32_pipe_keeps(const plat_pipe *pipe)
{
    return pipe->empty_kept || pipe->rest != NULL;
}

static bool is_readable(plat_pipe *pipe)
{
    DWORD available = 0;

    win32_pipe_look(pipe);
    if (win32_pipe_keeps(pipe))
        return true;
    if (pipe->watch.pending || !pipe->sort.may_read)
        return false;
    return !PeekNamedPipe(pipe->handle, NULL, 0, NULL, &available, NULL) || available > 0 || !win32_pipe_watch(pipe);
}

/* A read of an end without a client would not block. */
static ist_status pipe_arm(plat_object *object, bool *ready, plat_error *error)
{
    plat_pipe *pipe = (plat_pipe *)object;
    ist_status status = IST_OK;

    AcquireSRWLockExclusive(&pipe->gate);
    if (pipe->phase == PIPE_LISTENS) {
        status = win32_pipe_listen(pipe, error);
        *ready = status != IST_TIMEOUT;
        status = status == IST_TIMEOUT || status == IST_E_BROKEN ? IST_OK : status;
    } else if (pipe->phase == PIPE_CONNECTED) {
        *ready = is_readable(pipe);
    } else {
        *ready = pipe->phase != PIPE_CLOSED;
    }
    if (*ready)
        (void)SetEvent(object->handle);
    else if (!pipe->watch.pending)
        (void)ResetEvent(object->handle);
    ReleaseSRWLockExclusive(&pipe->gate);
    return status;
}

const win32_channel_face win32_pipe_face = {pipe_arm};
