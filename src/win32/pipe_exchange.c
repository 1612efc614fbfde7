/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Questions with answers, and waiting until all is read.
 */
#include "win32/error.h"
#include "win32/pipe.h"

/* ---- transact ---- */

/* A write and a read, and not the native call, which would read a part of an answer too large for the reply: what is
   unread of such a one vanishes when its writer's time is over (pipe_read.c). */
ist_status plat_pipe_transact(plat_pipe *pipe, const void *request, size_t request_size, void *reply, size_t reply_size,
                              int64_t timeout_ns, size_t *got, plat_error *error)
{
    uint32_t disconnects = win32_pipe_disconnects(pipe);
    win32_call call;
    size_t written = 0;
    bool torn = false;
    ist_status status = win32_pipe_enter(pipe, timeout_ns, &call, error);

    if (status != IST_OK)
        return status;
    status = win32_pipe_put(pipe, disconnects, true, request, request_size, &call, &written, &torn, error);
    if (status == IST_OK)
        status = win32_pipe_get(pipe, disconnects, reply, reply_size, &call, got, error);
    status = win32_pipe_leave(pipe, &call, status, error);
    return torn ? win32_pipe_break(pipe, disconnects, error) : status;
}

/* ---- flush ---- */

/* How long to wait between two tries to cancel a thread that may not have come to its call yet. */
#define AGAIN_MS 1

/* A flush blocks the thread that calls it, also on a handle for overlapped I/O. */
typedef struct flusher {
    HANDLE handle;
    HANDLE thread;
    DWORD code; /* the thread's until it has ended */
} flusher;

static DWORD WINAPI flush_run(void *context)
{
    flusher *self = context;

    self->code = FlushFileBuffers(self->handle) ? ERROR_SUCCESS : GetLastError();
    return 0;
}

static void flusher_stop(const flusher *self)
{
    do
        (void)CancelSynchronousIo(self->thread);
    while (WaitForSingleObject(self->thread, AGAIN_MS) == WAIT_TIMEOUT);
}

/* A flush that need not wait is never cancelled, so that even a timeout of 0 learns whether all is read. */
static ist_status flush_finish(const plat_pipe *pipe, const flusher *self, ist_status slept, plat_error *error)
{
    bool gone = self->code == ERROR_BROKEN_PIPE || self->code == ERROR_NO_DATA ||
                (self->code == ERROR_PIPE_NOT_CONNECTED && !pipe->sort.server);

    if (self->code == ERROR_SUCCESS || gone)
        return IST_OK;
    if (self->code == ERROR_OPERATION_ABORTED)
        return slept != IST_OK ? slept : IST_CANCELLED;
    return win32_error_put(error, "FlushFileBuffers", WIN32_STEP_HANDLE, self->code);
}

/* Wine takes an instance without a client for one that has nothing to flush. */
static bool is_alone(plat_pipe *pipe)
{
    bool alone = false;

    AcquireSRWLockExclusive(&pipe->gate);
    alone = !win32_pipe_has_peer(pipe);
    ReleaseSRWLockExclusive(&pipe->gate);
    return alone;
}

static ist_status flush_run_and_wait(plat_pipe *pipe, win32_call *call, plat_error *error)
{
    flusher self = {pipe->handle, NULL, ERROR_SUCCESS};
    ist_status slept = IST_OK;

    self.thread = CreateThread(NULL, 0, flush_run, &self, 0, NULL);
    if (self.thread == NULL)
        return win32_error_take(error, "CreateThread", WIN32_STEP_HANDLE);
    slept = win32_call_sleep(call, self.thread, error);
    if (slept != IST_OK)
        flusher_stop(&self);
    (void)CloseHandle(self.thread);
    return flush_finish(pipe, &self, slept, error);
}

ist_status plat_pipe_flush(plat_pipe *pipe, int64_t timeout_ns, plat_error *error)
{
    win32_call call;
    ist_status status = win32_pipe_enter(pipe, timeout_ns, &call, error);

    if (status != IST_OK)
        return status;
    if (is_alone(pipe))
        status = win32_error_refuse(error, IST_E_BROKEN, "a client");
    else
        status = flush_run_and_wait(pipe, &call, error);
    return win32_pipe_leave(pipe, &call, status, error);
}
