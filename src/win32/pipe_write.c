/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Writing. What the system tells after a cancellation is exact where what was written fits the buffer: such a write is
 * over as soon as its first byte is read. So bytes go in pieces. A message that does not fit and is cancelled was not
 * begun to be read by a reader of ours (pipe_read.c); any other may have begun, which nobody tells a writer. Then its
 * rest has vanished and the next message would be taken for it, so the connection is broken for both.
 */
#include "win32/error.h"
#include "win32/pipe.h"

size_t win32_pipe_room_out(const plat_pipe *pipe)
{
    return pipe->sort.server ? pipe->outbound_bytes : pipe->inbound_bytes;
}

/* What is to be written, by a call that has begun when there had been so many disconnects. */
typedef struct writing {
    uint32_t disconnects;
    bool alone; /* not while something is unread, which would be taken for the answer */
    const char *data;
    size_t size;
} writing;

/* An empty message that is unread is told by the watch, which takes it. Inside the gate. */
static ist_status unread_check(plat_pipe *pipe, uint32_t disconnects, plat_error *error)
{
    DWORD available = 0;
    ist_status status = win32_pipe_check(pipe, disconnects, error);

    if (status != IST_OK)
        return status;
    win32_pipe_look(pipe);
    if (!win32_pipe_keeps(pipe) && !pipe->watch.pending)
        (void)win32_pipe_watch(pipe);
    if (!win32_pipe_keeps(pipe) && !PeekNamedPipe(pipe->handle, NULL, 0, NULL, &available, NULL))
        return win32_error_take(error, "PeekNamedPipe", WIN32_STEP_HANDLE);
    return win32_pipe_keeps(pipe) || available > 0 ? win32_error_refuse(error, IST_E_LIMIT, "nothing unread") : IST_OK;
}

/* What was begun for one client is not for the next. Inside the gate. */
static ist_status write_begin(plat_pipe *pipe, const writing *what, win32_call *call, DWORD *code, plat_error *error)
{
    ist_status status = IST_OK;

    *code = ERROR_SUCCESS;
    if (pipe->disconnects != what->disconnects || pipe->phase == PIPE_BROKEN)
        return win32_error_refuse(error, IST_E_BROKEN, "a client");
    if (what->alone)
        status = unread_check(pipe, what->disconnects, error);
    if (status == IST_OK && !WriteFile(pipe->handle, what->data, (DWORD)what->size, NULL, win32_call_overlapped(call)))
        *code = GetLastError();
    return status;
}

static ist_status write_once(plat_pipe *pipe, const writing *what, win32_call *call, size_t *written, plat_error *error)
{
    DWORD code = ERROR_SUCCESS;
    DWORD bytes = 0;
    ist_status status = IST_OK;

    AcquireSRWLockExclusive(&pipe->gate);
    status = write_begin(pipe, what, call, &code, error);
    ReleaseSRWLockExclusive(&pipe->gate);
    if (status == IST_OK)
        status = win32_call_finish(call, pipe->handle, code, "WriteFile", &bytes, error);
    *written += bytes;
    return status;
}

/* A native server's buffer may be 0 bytes. */
static ist_status write_bytes(plat_pipe *pipe, uint32_t disconnects, const char *data, size_t size, win32_call *call,
                              size_t *written, plat_error *error)
{
    size_t room = win32_pipe_room_out(pipe) > 0 ? win32_pipe_room_out(pipe) : 1;
    ist_status status = IST_OK;

    while (*written < size && status == IST_OK) {
        size_t left = size - *written;
        writing what = {disconnects, false, data + *written, left < room ? left : room};

        status = write_once(pipe, &what, call, written, error);
    }
    return status;
}

static bool is_read_whole(const plat_pipe *pipe)
{
    ULONG process_id = 0;

    return win32_pipe_peer_process(pipe, &process_id) && win32_pipe_reader_declared(process_id);
}

ist_status win32_pipe_put(plat_pipe *pipe, uint32_t disconnects, bool alone, const void *data, size_t size,
                          win32_call *call, size_t *written, bool *torn, plat_error *error)
{
    writing what = {disconnects, alone, data, size};
    bool fits = size <= win32_pipe_room_out(pipe);
    bool whole = fits || is_read_whole(pipe);
    ist_status status = write_once(pipe, &what, call, written, error);

    if (status != IST_OK)
        *written = 0;
    *torn = !whole && (status == IST_TIMEOUT || status == IST_CANCELLED);
    return status;
}

ist_status plat_pipe_write(plat_pipe *pipe, const void *data, size_t size, int64_t timeout_ns, size_t *written,
                           plat_error *error)
{
    uint32_t disconnects = win32_pipe_disconnects(pipe);
    win32_call call;
    bool torn = false;
    ist_status status = win32_pipe_enter(pipe, timeout_ns, &call, error);

    if (status != IST_OK)
        return status;
    status = pipe->sort.type == IST_PIPE_MESSAGE
                 ? win32_pipe_put(pipe, disconnects, false, data, size, &call, written, &torn, error)
                 : write_bytes(pipe, disconnects, data, size, &call, written, error);
    status = win32_pipe_leave(pipe, &call, status, error);
    return torn ? win32_pipe_break(pipe, disconnects, error) : status;
}
