/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What an end is, and who is at the other.
 */
#include "win32/pipe.h"

#include <sddl.h>

#include "win32/access.h"
#include "win32/error.h"

/* ---- what it is ---- */

static ist_pipe_direction direction_of(ULONG config)
{
    static const ist_pipe_direction directions[] = {IST_PIPE_INBOUND, IST_PIPE_OUTBOUND};

    return config < 2 ? directions[config] : IST_PIPE_DUPLEX;
}

static uint32_t limit_of(ULONG instances)
{
    return instances <= IST_PIPE_INSTANCES_MAX ? (uint32_t)instances : 0;
}

bool win32_pipe_learn(plat_pipe *pipe)
{
    win32_pipe_facts facts;

    if (!win32_pipe_ask(pipe->handle, &facts))
        return false;
    pipe->sort.type = facts.type == 1 ? IST_PIPE_MESSAGE : IST_PIPE_BYTE;
    pipe->sort.direction = direction_of(facts.config);
    pipe->instances_max = limit_of(facts.instances_max);
    pipe->inbound_bytes = facts.inbound_quota;
    pipe->outbound_bytes = facts.outbound_quota;
    return true;
}

/* An instance that may neither peek nor be asked is asked whether it could accept, unless it does not listen. Inside
   the gate. */
static bool connected_look(plat_pipe *pipe, const win32_pipe_facts *facts)
{
    plat_error unused;
    DWORD available = 0;

    if (pipe->sort.may_read)
        return win32_pipe_keeps(pipe) || PeekNamedPipe(pipe->handle, NULL, 0, NULL, &available, NULL);
    if (facts != NULL || !pipe->sort.server)
        return facts != NULL && facts->state == WIN32_PIPE_CONNECTED;
    return (pipe->phase == PIPE_LISTENS || pipe->phase == PIPE_CONNECTED) && win32_pipe_listen(pipe, &unused) == IST_OK;
}

/* Inside the gate. */
static void info_fill(plat_pipe *pipe, ist_pipe_facts *out)
{
    win32_pipe_facts facts;
    bool told = win32_pipe_ask(pipe->handle, &facts);

    win32_pipe_look(pipe);
    out->connected = connected_look(pipe, told ? &facts : NULL) ? 1 : 0;
    out->instances = told ? facts.instances : 0;
}

ist_status plat_pipe_info(plat_pipe *pipe, ist_pipe_facts *out, plat_error *error)
{
    (void)error;
    AcquireSRWLockExclusive(&pipe->gate);
    if (pipe->handle != NULL)
        info_fill(pipe, out);
    ReleaseSRWLockExclusive(&pipe->gate);
    out->instances_max = pipe->instances_max;
    out->inbound_bytes = pipe->inbound_bytes;
    out->outbound_bytes = pipe->outbound_bytes;
    return IST_OK;
}

/* ---- who is there ---- */

static ist_status user_of(HANDLE token, win32_identity *out, plat_error *error)
{
    DWORD bytes = 0;

    return GetTokenInformation(token, TokenUser, out, (DWORD)sizeof *out, &bytes)
               ? IST_OK
               : win32_error_take(error, "GetTokenInformation", WIN32_STEP_HANDLE);
}

static ist_status user_of_process(HANDLE process, win32_identity *out, plat_error *error)
{
    HANDLE token = NULL;
    ist_status status = IST_OK;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return win32_error_take(error, "OpenProcessToken", WIN32_STEP_PROCESS);
    status = user_of(token, out, error);
    (void)CloseHandle(token);
    return status;
}

static ist_status user_of_server(DWORD process_id, win32_identity *out, plat_error *error)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);
    ist_status status = IST_OK;

    if (process == NULL)
        return win32_error_take(error, "OpenProcess", WIN32_STEP_PROCESS);
    status = user_of_process(process, out, error);
    (void)CloseHandle(process);
    return status;
}

static ist_status user_of_thread(win32_identity *out, plat_error *error)
{
    HANDLE token = NULL;
    ist_status status = IST_OK;

    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token))
        return win32_error_take(error, "OpenThreadToken", WIN32_STEP_HANDLE);
    status = user_of(token, out, error);
    (void)CloseHandle(token);
    return status;
}

/* The thread acts as the client for as long as it takes to read who that is, and then as before. */
static ist_status user_of_client(HANDLE pipe, win32_identity *out, plat_error *error)
{
    HANDLE before = NULL;
    ist_status status = IST_OK;

    if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE, TRUE, &before) && GetLastError() != ERROR_NO_TOKEN)
        return win32_error_take(error, "OpenThreadToken", WIN32_STEP_HANDLE);
    if (ImpersonateNamedPipeClient(pipe)) {
        status = user_of_thread(out, error);
        if (!SetThreadToken(NULL, before)) {
            status = win32_error_take(error, "SetThreadToken", WIN32_STEP_HANDLE);
            (void)RevertToSelf();
        }
    } else {
        status = win32_error_take(error, "ImpersonateNamedPipeClient", WIN32_STEP_HANDLE);
    }
    if (before != NULL)
        (void)CloseHandle(before);
    return status;
}

static ist_status user_tell(const win32_identity *user, ist_pipe_peer_facts *out, plat_error *error)
{
    win32_identity self;
    WCHAR *text = NULL;
    size_t at = 0;
    ist_status status = user_of_process(GetCurrentProcess(), &self, error);

    if (status != IST_OK)
        return status;
    if (!ConvertSidToStringSidW(user->user.User.Sid, &text))
        return win32_error_take(error, "ConvertSidToStringSidW", WIN32_STEP_HANDLE);
    for (at = 0; text[at] != L'\0' && at < sizeof out->user - 1; ++at)
        out->user[at] = (char)text[at];
    out->user[at] = '\0';
    (void)LocalFree(text);
    out->same_user = EqualSid(user->user.User.Sid, self.user.User.Sid) ? 1 : 0;
    return IST_OK;
}

/* Whatever stands in the way of the user, the process has been told. */
static ist_status peer_user(plat_pipe *pipe, DWORD process_id, ist_pipe_peer_facts *out, plat_error *error)
{
    win32_identity user;
    ist_status status =
        pipe->sort.server ? user_of_client(pipe->handle, &user, error) : user_of_server(process_id, &user, error);

    if (status == IST_OK)
        status = user_tell(&user, out, error);
    return status == IST_OK ? IST_OK : IST_E_ACCESS;
}

bool win32_pipe_peer_process(const plat_pipe *pipe, ULONG *out)
{
    return pipe->sort.server ? GetNamedPipeClientProcessId(pipe->handle, out)
                             : GetNamedPipeServerProcessId(pipe->handle, out);
}

/* The id of a client from before the last disconnect is none. */
ist_status plat_pipe_peer(plat_pipe *pipe, ist_pipe_peer_facts *out, plat_error *error)
{
    ULONG process_id = 0;
    win32_call call;
    bool there = false;
    ist_status status = win32_pipe_enter(pipe, 0, &call, error);

    if (status != IST_OK)
        return status;
    AcquireSRWLockExclusive(&pipe->gate);
    there = win32_pipe_has_peer(pipe);
    ReleaseSRWLockExclusive(&pipe->gate);
    if (!there)
        status = win32_error_refuse(error, IST_E_BROKEN, "a client");
    else if (!win32_pipe_peer_process(pipe, &process_id))
        status = win32_error_take(error, "GetNamedPipeClientProcessId", WIN32_STEP_HANDLE);
    out->process_id = process_id;
    if (status == IST_OK)
        status = peer_user(pipe, process_id, out, error);
    return win32_pipe_leave(pipe, &call, status, error);
}
