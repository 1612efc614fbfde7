/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * An instance and its clients. One ConnectNamedPipe is kept pending for all who accept and all who wait; what it ends
 * with only says when to ask again.
 */
#include "win32/error.h"
#include "win32/pipe.h"

ist_status win32_pipe_listen(plat_pipe *pipe, plat_error *error)
{
    DWORD bytes = 0;
    DWORD code = ERROR_SUCCESS;

    if (pipe->watch.pending)
        (void)win32_watch_settle(&pipe->watch, &pipe->object, pipe->handle, &bytes);
    if (pipe->watch.pending)
        return IST_TIMEOUT;
    if (!ConnectNamedPipe(pipe->handle, win32_watch_begin(&pipe->watch, &pipe->object)))
        code = GetLastError();
    win32_watch_begun(&pipe->watch, &pipe->object, code);
    if (pipe->watch.pending)
        return IST_TIMEOUT;
    return code == ERROR_SUCCESS || code == ERROR_PIPE_CONNECTED
               ? IST_OK
               : win32_error_put(error, "ConnectNamedPipe", WIN32_STEP_HANDLE, code);
}

/* Whoever looks whether a client is there has been waiting for that; from now on the event is about something to read.
 */
static void client_is_there(plat_pipe *pipe)
{
    if (pipe->phase == PIPE_LISTENS)
        win32_calls_nudge(&pipe->calls);
    pipe->phase = PIPE_CONNECTED;
}

/* One look of an accept that began when there had been so many disconnects. */
static ist_status accept_try(plat_pipe *pipe, uint32_t disconnects, plat_error *error)
{
    ist_status status = IST_OK;

    AcquireSRWLockExclusive(&pipe->gate);
    if (pipe->phase == PIPE_BROKEN || pipe->disconnects != disconnects) {
        status = win32_error_refuse(error, IST_E_BROKEN, "no disconnect");
    } else {
        if (pipe->phase == PIPE_CONNECTED)
            win32_pipe_unwatch(pipe);
        else
            pipe->phase = PIPE_LISTENS;
        status = win32_pipe_listen(pipe, error);
        if (status == IST_OK || status == IST_E_BROKEN)
            client_is_there(pipe);
    }
    ReleaseSRWLockExclusive(&pipe->gate);
    return status;
}

bool win32_pipe_has_peer(plat_pipe *pipe)
{
    plat_error unused;
    ist_status status = IST_E_OS;

    if (pipe->phase == PIPE_LISTENS)
        status = win32_pipe_listen(pipe, &unused);
    return pipe->phase == PIPE_CONNECTED || status == IST_OK || status == IST_E_BROKEN;
}

ist_status win32_pipe_check(plat_pipe *pipe, uint32_t disconnects, plat_error *error)
{
    if (pipe->disconnects != disconnects || !win32_pipe_has_peer(pipe))
        return win32_error_refuse(error, IST_E_BROKEN, "a client");
    client_is_there(pipe);
    return IST_OK;
}

uint32_t win32_pipe_disconnects(plat_pipe *pipe)
{
    uint32_t disconnects = 0;

    AcquireSRWLockShared(&pipe->gate);
    disconnects = pipe->disconnects;
    ReleaseSRWLockShared(&pipe->gate);
    return disconnects;
}

ist_status plat_pipe_accept(plat_pipe *pipe, int64_t timeout_ns, plat_error *error)
{
    win32_call call;
    uint32_t disconnects = win32_pipe_disconnects(pipe);
    ist_status slept = IST_OK;
    ist_status status = win32_pipe_enter(pipe, timeout_ns, &call, error);

    if (status != IST_OK)
        return status;
    win32_call_looks(&call);
    do {
        status = accept_try(pipe, disconnects, error);
        if (status == IST_TIMEOUT)
            slept = win32_call_look(&call, pipe->object.handle, error);
    } while (status == IST_TIMEOUT && slept == IST_OK);
    if (status == IST_TIMEOUT)
        status = slept;
    return win32_pipe_leave(pipe, &call, status, error);
}

DWORD win32_pipe_drop(plat_pipe *pipe, pipe_phase phase)
{
    DWORD bytes = 0;
    DWORD code = DisconnectNamedPipe(pipe->handle) ? ERROR_SUCCESS : GetLastError();

    if (pipe->watch.pending)
        (void)win32_watch_stop(&pipe->watch, &pipe->object, pipe->handle, &bytes);
    win32_pipe_forget(pipe);
    pipe->phase = phase;
    ++pipe->disconnects;
    win32_calls_nudge(&pipe->calls);
    (void)SetEvent(pipe->object.handle);
    return code;
}

/* Wine does not disconnect what listens. */
ist_status plat_pipe_disconnect(plat_pipe *pipe, plat_error *error)
{
    DWORD code = ERROR_SUCCESS;

    AcquireSRWLockExclusive(&pipe->gate);
    code = win32_pipe_drop(pipe, PIPE_DISCONNECTED);
    ReleaseSRWLockExclusive(&pipe->gate);
    return code == ERROR_SUCCESS || code == ERROR_PIPE_NOT_CONNECTED || code == ERROR_PIPE_LISTENING
               ? IST_OK
               : win32_error_put(error, "DisconnectNamedPipe", WIN32_STEP_HANDLE, code);
}
