/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Clients.
 */
#include "win32/access.h"
#include "win32/error.h"
#include "win32/pipe.h"

/* The server sees who we are and cannot act as us (P16). */
#define CLIENT_FLAGS (FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION)

/* How long to wait for an instance before looking whether the pipe is there still: not every system ends a wait for a
   pipe that goes. */
#define LOOK_MS 100

DWORD win32_pipe_rights(ist_access access)
{
    DWORD rights = SYNCHRONIZE | READ_CONTROL | FILE_READ_ATTRIBUTES;

    if ((access & IST_READ) != 0)
        rights |= FILE_READ_DATA | FILE_WRITE_ATTRIBUTES;
    if ((access & IST_WRITE) != 0)
        rights |= FILE_WRITE_DATA;
    return rights;
}

/* What a native server's list may leave out goes last. The owner's sight is for those who do not trust everyone. */
ist_status win32_pipe_open(const WCHAR *name, ist_access access, bool trust_everyone, HANDLE *out, plat_error *error)
{
    DWORD rights = win32_pipe_rights(access);
    DWORD wishes[2] = {rights, rights & ~(DWORD)FILE_WRITE_ATTRIBUTES};
    ist_status status = IST_E_ACCESS;
    size_t at = 0;

    if (trust_everyone) {
        wishes[0] &= ~(DWORD)READ_CONTROL;
        wishes[1] &= ~(DWORD)READ_CONTROL;
    }
    for (at = 0; at < 2 && status == IST_E_ACCESS; ++at) {
        *out = CreateFileW(name, wishes[at], 0, NULL, OPEN_EXISTING, CLIENT_FLAGS, NULL);
        status = *out != INVALID_HANDLE_VALUE ? IST_OK : win32_error_take(error, "CreateFileW", WIN32_STEP_OPEN);
    }
    if (status != IST_OK)
        *out = NULL;
    return status;
}

/* Windows has refused such a client before, and Wine has not. */
static ist_status direction_check(const plat_pipe *pipe, plat_error *error)
{
    bool fits = (!pipe->sort.may_read || pipe->sort.direction != IST_PIPE_INBOUND) &&
                (!pipe->sort.may_write || pipe->sort.direction != IST_PIPE_OUTBOUND);

    return fits ? IST_OK : win32_error_refuse(error, IST_E_ACCESS, "the pipe's direction");
}

/* P17 */
static ist_status messages_choose(const plat_pipe *pipe, plat_error *error)
{
    DWORD mode = PIPE_READMODE_MESSAGE;

    if (pipe->sort.type != IST_PIPE_MESSAGE || !pipe->sort.may_read)
        return IST_OK;
    return SetNamedPipeHandleState(pipe->handle, &mode, NULL, NULL)
               ? IST_OK
               : win32_error_take(error, "SetNamedPipeHandleState", WIN32_STEP_HANDLE);
}

ist_status win32_pipe_adopt(plat_pipe *pipe, bool trust_everyone, plat_error *error)
{
    DWORD granted = 0;
    ist_status status = IST_OK;

    pipe->phase = PIPE_CONNECTED;
    if (!win32_pipe_learn(pipe) || !win32_handle_grants(pipe->handle, &granted))
        return win32_error_refuse(error, IST_E_UNSUPPORTED, "what the system tells of a pipe");
    pipe->sort.server = false;
    pipe->sort.may_read = (granted & FILE_READ_DATA) != 0;
    pipe->sort.may_write = (granted & FILE_WRITE_DATA) != 0;
    status = direction_check(pipe, error);
    if (status == IST_OK && !trust_everyone)
        status = win32_owner_check(pipe->handle, error);
    return status == IST_OK ? messages_choose(pipe, error) : status;
}

/* Sleeps until an instance listens or it is time to look, which the next open tells. */
static void instance_await(const WCHAR *name, const win32_deadline *deadline)
{
    DWORD ms = win32_deadline_ms(deadline);

    if (ms > 0) /* 0 would be the server's own idea of a timeout */
        (void)WaitNamedPipeW(name, ms < LOOK_MS ? ms : LOOK_MS);
}

static ist_status client_open(const WCHAR *name, ist_access access, bool trust_everyone, int64_t timeout_ns,
                              HANDLE *out, plat_error *error)
{
    win32_deadline deadline = win32_deadline_in(timeout_ns);
    ist_status status = win32_pipe_open(name, access, trust_everyone, out, error);

    while (status == IST_TIMEOUT && win32_deadline_left(&deadline) > 0) {
        instance_await(name, &deadline);
        status = win32_pipe_open(name, access, trust_everyone, out, error);
    }
    return status;
}

ist_status plat_pipe_connect(const plat_channel_name *name, ist_access access, bool trust_everyone, int64_t timeout_ns,
                             plat_pipe **out, plat_pipe_sort *sort, plat_error *error)
{
    WCHAR wide[WIN32_CHANNEL_NAME_UNITS];
    plat_pipe *pipe = NULL;
    ist_status status = win32_pipe_take(&pipe, error);

    if (status != IST_OK)
        return status;
    pipe->named = true;
    win32_channel_name_widen(WIN32_PIPE_PREFIX, name, wide);
    status = client_open(wide, access, trust_everyone, timeout_ns, &pipe->handle, error);
    if (status == IST_OK)
        status = win32_pipe_adopt(pipe, trust_everyone, error);
    *sort = pipe->sort;
    return win32_pipe_settle(status, pipe, out);
}
