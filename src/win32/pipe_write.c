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

static ist_status write_once(plat_pipe *pipe, const void *data, size_t size, win32_call *call, size_t *written,
                             plat_error *error)
{
    DWORD code = ERROR_SUCCESS;
    DWORD bytes = 0;
    ist_status status = IST_OK;

    if (!WriteFile(pipe->handle, data, (DWORD)size, NULL, win32_call_overlapped(call)))
        code = GetLastError();
    status = win32_call_finish(call, pipe->handle, code, "WriteFile", &bytes, error);
    *written += bytes;
    return status;
}

static ist_status write_bytes(plat_pipe *pipe, const char *data, size_t size, win32_call *call, size_t *written,
                              plat_error *error)
{
    size_t room = win32_pipe_room_out(pipe);
    ist_status status = IST_OK;

    while (*written < size && status == IST_OK) {
        size_t left = size - *written;

        status = write_once(pipe, data + *written, left < room ? left : room, call, written, error);
    }
    return status;
}

static bool is_read_whole(const plat_pipe *pipe)
{
    ULONG process_id = 0;

    return win32_pipe_peer_process(pipe, &process_id) && win32_pipe_reader_declared(process_id);
}

/* Reports in *torn whether its reader may have a part of it. */
static ist_status write_message(plat_pipe *pipe, const void *data, size_t size, win32_call *call, size_t *written,
                                bool *torn, plat_error *error)
{
    bool fits = size <= win32_pipe_room_out(pipe);
    bool whole = fits || is_read_whole(pipe);
    ist_status status = write_once(pipe, data, size, call, written, error);

    if (status != IST_OK)
        *written = 0;
    *torn = !whole && (status == IST_TIMEOUT || status == IST_CANCELLED);
    return status;
}

ist_status plat_pipe_write(plat_pipe *pipe, const void *data, size_t size, int64_t timeout_ns, size_t *written,
                           plat_error *error)
{
    win32_call call;
    bool torn = false;
    ist_status status = win32_pipe_enter(pipe, timeout_ns, &call, error);

    if (status != IST_OK)
        return status;
    status = pipe->sort.type == IST_PIPE_MESSAGE ? write_message(pipe, data, size, &call, written, &torn, error)
                                                 : write_bytes(pipe, data, size, &call, written, error);
    status = win32_pipe_leave(pipe, &call, status, error);
    if (torn) {
        win32_pipe_break(pipe);
        status = win32_error_refuse(error, IST_E_BROKEN, "a message that was not read in part");
    }
    return status;
}
