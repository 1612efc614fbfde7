/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Reading. What a pending write has of a message larger than the buffer vanishes when it is cancelled, and the next
 * message would be taken for it. So nothing is ever left of such a message: it is taken whole, and what the caller has
 * no room for stays in the handle. To see it coming, messages are waited for by the watch, which takes none but empty
 * ones.
 */
#include <string.h>

#include "win32/error.h"
#include "win32/pipe.h"

static DWORD clip(size_t size)
{
    return size < MAXDWORD ? (DWORD)size : MAXDWORD;
}

size_t win32_pipe_room_in(const plat_pipe *pipe)
{
    return pipe->sort.server ? pipe->inbound_bytes : pipe->outbound_bytes;
}

/* ---- bytes ---- */

static ist_status bytes_read(plat_pipe *pipe, uint32_t disconnects, void *buffer, size_t size, win32_call *call,
                             DWORD *bytes, plat_error *error)
{
    DWORD code = ERROR_SUCCESS;
    ist_status status = IST_OK;

    AcquireSRWLockExclusive(&pipe->gate);
    status = win32_pipe_check(pipe, disconnects, error);
    if (status == IST_OK)
        win32_pipe_unwatch(pipe);
    if (status == IST_OK && !ReadFile(pipe->handle, buffer, clip(size), NULL, win32_call_overlapped(call)))
        code = GetLastError();
    ReleaseSRWLockExclusive(&pipe->gate);
    return status == IST_OK ? win32_call_finish(call, pipe->handle, code, "ReadFile", bytes, error) : status;
}

/* ---- messages; all inside the gate ---- */

static ist_status rest_give(plat_pipe *pipe, void *buffer, size_t size, size_t *got)
{
    size_t left = pipe->rest_size - pipe->rest_at;
    bool goes_on = pipe->rest_goes_on;

    *got = size < left ? size : left;
    memcpy(buffer, pipe->rest + pipe->rest_at, *got);
    pipe->rest_at += *got;
    if (pipe->rest_at < pipe->rest_size)
        return IST_MORE;
    win32_pipe_forget(pipe);
    return goes_on ? IST_MORE : IST_OK;
}

/* Something is there: a read need not wait, unless somebody with the same native handle was faster. */
static ist_status message_read(plat_pipe *pipe, void *buffer, size_t size, win32_call *call, DWORD *bytes,
                               plat_error *error)
{
    DWORD code = ERROR_SUCCESS;

    if (!ReadFile(pipe->handle, buffer, clip(size), NULL, win32_call_overlapped(call)))
        code = GetLastError();
    return win32_call_now(call, pipe->handle, code, "ReadFile", bytes, error);
}

static void rest_keep(plat_pipe *pipe, char *room, size_t size, bool goes_on)
{
    plat_memory_give(pipe->rest);
    pipe->rest = room;
    pipe->rest_size = size;
    pipe->rest_at = 0;
    pipe->rest_goes_on = goes_on;
}

/* Takes so many bytes, behind what is kept: IST_OK, IST_MORE where the message goes on, or a failure, with which it
   stays with the system. IST_EMPTY: the message is gone, and an empty one was there instead. */
static ist_status rest_take(plat_pipe *pipe, size_t size, win32_call *call)
{
    plat_error unused;
    DWORD bytes = 0;
    size_t kept = pipe->rest != NULL ? pipe->rest_size : 0;
    char *room = plat_memory_take(kept + size);
    ist_status status = IST_E_MEMORY;

    if (room != NULL)
        status = message_read(pipe, room + kept, size, call, &bytes, &unused);
    if ((status == IST_OK || status == IST_MORE) && bytes > 0) {
        if (kept > 0)
            memcpy(room, pipe->rest, kept);
        rest_keep(pipe, room, kept + bytes, status == IST_MORE);
        return status;
    }
    plat_memory_give(room);
    if (status == IST_OK) {
        win32_pipe_forget(pipe);
        pipe->empty_kept = true;
        status = IST_EMPTY;
    }
    return status;
}

/* Bytes of the message that is next, so far as it has not been read. */
static DWORD left_of_message(plat_pipe *pipe)
{
    DWORD left = 0;

    return PeekNamedPipe(pipe->handle, NULL, 0, NULL, NULL, &left) ? left : 0;
}

/* All of a message that is too large for the buffer, or has turned out to be. False: it is gone, since its writer's
   time was over. */
static bool rest_take_all(plat_pipe *pipe, size_t left, win32_call *call)
{
    ist_status status = rest_take(pipe, left, call);

    while (status == IST_MORE) {
        left = left_of_message(pipe);
        if (left == 0)
            win32_pipe_forget(pipe);
        status = left > 0 ? rest_take(pipe, left, call) : IST_EMPTY;
    }
    return status != IST_EMPTY;
}

/* IST_TIMEOUT: what was there is gone, to somebody with the same native handle or to its writer. */
static ist_status message_read_now(plat_pipe *pipe, void *buffer, size_t size, size_t left, win32_call *call,
                                   size_t *got, plat_error *error)
{
    DWORD bytes = 0;
    ist_status status = IST_OK;

    if (left > size && left > win32_pipe_room_in(pipe) && !rest_take_all(pipe, left, call))
        return IST_TIMEOUT;
    if (pipe->rest != NULL)
        return rest_give(pipe, buffer, size, got);
    status = message_read(pipe, buffer, size, call, &bytes, error);
    left = status == IST_MORE ? left_of_message(pipe) : 0;
    if (status == IST_MORE && left == 0)
        return IST_TIMEOUT;
    if (bytes + left > win32_pipe_room_in(pipe) && left > 0 && !rest_take_all(pipe, left, call))
        return IST_TIMEOUT;
    *got = bytes;
    return status;
}

static ist_status message_take(plat_pipe *pipe, void *buffer, size_t size, win32_call *call, size_t *got,
                               plat_error *error)
{
    ist_status status = IST_TIMEOUT;

    while (status == IST_TIMEOUT) {
        DWORD available = 0;
        DWORD left = 0;

        if (pipe->empty_kept)
            return IST_EMPTY;
        if (!PeekNamedPipe(pipe->handle, NULL, 0, NULL, &available, &left))
            return win32_error_take(error, "PeekNamedPipe", WIN32_STEP_HANDLE);
        if (available > 0)
            status = message_read_now(pipe, buffer, size, left, call, got, error);
        else if (win32_pipe_watch(pipe))
            return IST_TIMEOUT;
        else if (!pipe->empty_kept && pipe->watch_code != ERROR_MORE_DATA)
            return win32_error_put(error, "ReadFile", WIN32_STEP_COMMIT, pipe->watch_code);
    }
    return status;
}

/* P8: when the server has thrown the client out, what the client's handle keeps is gone as well. A server that has
   closed its end leaves it. Inside the gate. */
static void kept_check(plat_pipe *pipe)
{
    if (win32_pipe_keeps(pipe) && !PeekNamedPipe(pipe->handle, NULL, 0, NULL, NULL, NULL) &&
        GetLastError() == ERROR_PIPE_NOT_CONNECTED)
        win32_pipe_forget(pipe);
}

/* IST_TIMEOUT: nothing is there, and the watch waits for it. */
static ist_status message_try(plat_pipe *pipe, uint32_t disconnects, void *buffer, size_t size, win32_call *call,
                              size_t *got, plat_error *error)
{
    ist_status status = win32_pipe_check(pipe, disconnects, error);

    if (status != IST_OK)
        return status;
    win32_pipe_look(pipe);
    kept_check(pipe);
    if (pipe->rest != NULL)
        return rest_give(pipe, buffer, size, got);
    status = IST_TIMEOUT;
    if (!pipe->empty_kept && !pipe->watch.pending)
        status = message_take(pipe, buffer, size, call, got, error);
    if (pipe->empty_kept) {
        pipe->empty_kept = false;
        *got = 0;
        status = IST_OK;
    }
    return status;
}

/* ---- both ---- */

ist_status win32_pipe_get(plat_pipe *pipe, uint32_t disconnects, void *buffer, size_t size, win32_call *call,
                          size_t *got, plat_error *error)
{
    ist_status slept = IST_OK;
    ist_status status = IST_OK;

    win32_call_looks(call);
    do {
        AcquireSRWLockExclusive(&pipe->gate);
        status = message_try(pipe, disconnects, buffer, size, call, got, error);
        ReleaseSRWLockExclusive(&pipe->gate);
        if (status == IST_TIMEOUT)
            slept = win32_call_look(call, pipe->object.handle, error);
    } while (status == IST_TIMEOUT && slept == IST_OK);
    return status == IST_TIMEOUT ? slept : status;
}

/* Of a byte pipe, 0 bytes are what a native program wrote by writing nothing. */
ist_status plat_pipe_read(plat_pipe *pipe, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                          plat_error *error)
{
    uint32_t disconnects = win32_pipe_disconnects(pipe);
    win32_call call;
    DWORD bytes = 0;
    ist_status status = win32_pipe_enter(pipe, timeout_ns, &call, error);

    if (status != IST_OK)
        return status;
    if (pipe->sort.type == IST_PIPE_MESSAGE) {
        status = win32_pipe_get(pipe, disconnects, buffer, size, &call, got, error);
    } else {
        do
            status = bytes_read(pipe, disconnects, buffer, size, &call, &bytes, error);
        while (status == IST_OK && bytes == 0);
        *got = bytes;
    }
    return win32_pipe_leave(pipe, &call, status, error);
}

/* ---- looking ---- */

/* The system takes as much memory as the buffer has, for the time of the call. */
#define PEEK_WHOLE 65536

/* What a peek may ask for, which is not more than there is. */
static DWORD peek_size(plat_pipe *pipe, size_t size)
{
    DWORD available = 0;

    if (size <= PEEK_WHOLE || !PeekNamedPipe(pipe->handle, NULL, 0, NULL, &available, NULL))
        return clip(size);
    return available < size ? available : clip(size);
}

/* Inside the gate. */
static ist_status peek_natively(plat_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error)
{
    DWORD copied = 0;
    DWORD available = 0;
    DWORD left = 0;

    if (!PeekNamedPipe(pipe->handle, buffer, peek_size(pipe, size), &copied, &available, &left))
        return win32_error_take(error, "PeekNamedPipe", WIN32_STEP_HANDLE);
    out->copied_bytes = copied;
    out->available_bytes = available;
    out->message_bytes = pipe->sort.type == IST_PIPE_MESSAGE ? (uint64_t)copied + left : 0;
    return IST_OK;
}

/* What is in the handle is the first message, and of what is behind it only the amount is told. Inside the gate. */
static void peek_kept(plat_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out)
{
    plat_error unused;
    size_t left = pipe->rest != NULL ? pipe->rest_size - pipe->rest_at : 0;
    size_t copied = size < left ? size : left;

    (void)peek_natively(pipe, NULL, 0, out, &unused);
    if (copied > 0)
        memcpy(buffer, pipe->rest + pipe->rest_at, copied);
    out->copied_bytes = (uint32_t)copied;
    out->available_bytes += left;
    out->message_bytes = left + (pipe->rest != NULL && pipe->rest_goes_on ? out->message_bytes : 0);
}

ist_status plat_pipe_peek(plat_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error)
{
    win32_call call;
    ist_status status = win32_pipe_enter(pipe, 0, &call, error);

    if (status != IST_OK)
        return status;
    AcquireSRWLockExclusive(&pipe->gate);
    win32_pipe_look(pipe);
    kept_check(pipe);
    if (win32_pipe_keeps(pipe))
        peek_kept(pipe, buffer, size, out);
    else
        status = peek_natively(pipe, buffer, size, out, error);
    ReleaseSRWLockExclusive(&pipe->gate);
    return win32_pipe_leave(pipe, &call, status, error);
}
