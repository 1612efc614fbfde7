/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Instances. A client gets no right to make instances from an audience: with it, it could serve the name itself.
 */
#include <wchar.h>

#include "win32/access.h"
#include "win32/error.h"
#include "win32/pipe.h"

/* What an audience needs: the attributes to choose reading by messages. */
#define READER_RIGHTS (FILE_GENERIC_READ | FILE_WRITE_ATTRIBUTES)
#define WRITER_RIGHTS (READER_RIGHTS | FILE_WRITE_DATA | FILE_WRITE_EA)

/* Milliseconds that native clients wait which leave that to us. */
#define DEFAULT_WAIT_MS 50

static ist_status guard_for(const plat_pipe_request *request, win32_guard *guard, plat_error *error)
{
    const win32_rights rights = {FILE_ALL_ACCESS, READER_RIGHTS, WRITER_RIGHTS, false};

    return win32_guard_named(guard, &rights, request->audience, error);
}

static DWORD open_mode(const plat_pipe_request *request, bool first)
{
    static const DWORD directions[] = {PIPE_ACCESS_DUPLEX, PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND};

    return directions[request->direction] | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0);
}

static DWORD type_mode(ist_pipe_type type)
{
    DWORD mode = PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;

    return type == IST_PIPE_MESSAGE ? mode | PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE : mode;
}

static DWORD native_make(const WCHAR *name, const plat_pipe_request *request, ist_pipe_type type, win32_guard *guard,
                         HANDLE *out)
{
    DWORD instances = request->instances != 0 ? request->instances : PIPE_UNLIMITED_INSTANCES;

    *out = CreateNamedPipeW(name, open_mode(request, request->first), type_mode(type), instances,
                            request->outbound_bytes, request->inbound_bytes, DEFAULT_WAIT_MS, &guard->attributes);
    if (*out != INVALID_HANDLE_VALUE)
        return ERROR_SUCCESS;
    *out = NULL;
    return GetLastError();
}

/* A later instance that would read by messages where the type is bytes is refused for its arguments. */
static ist_status instance_make(const WCHAR *name, const plat_pipe_request *request, ist_pipe_type type,
                                plat_pipe *pipe, plat_error *error)
{
    win32_guard guard;
    DWORD code = ERROR_SUCCESS;
    ist_status status = guard_for(request, &guard, error);

    if (status != IST_OK)
        return status;
    code = native_make(name, request, type, &guard, &pipe->handle);
    if (code == ERROR_INVALID_PARAMETER && type == IST_PIPE_MESSAGE)
        code = native_make(name, request, IST_PIPE_BYTE, &guard, &pipe->handle);
    if (code == ERROR_PIPE_BUSY && request->first)
        code = ERROR_ACCESS_DENIED; /* the limit of who was first is looked at before the flag */
    return code == ERROR_SUCCESS ? IST_OK : win32_error_put(error, "CreateNamedPipeW", WIN32_STEP_CREATE, code);
}

static void handle_drop(plat_pipe *pipe)
{
    if (pipe->handle != NULL)
        (void)CloseHandle(pipe->handle);
    pipe->handle = NULL;
}

/* The first instance's type counts. Where the system may not be asked, an instance for writing alone, it may be set to
   read by messages if that is what it is made of. */
static void instance_learn(plat_pipe *pipe)
{
    DWORD mode = PIPE_READMODE_MESSAGE;

    if (!win32_pipe_learn(pipe))
        pipe->sort.type = SetNamedPipeHandleState(pipe->handle, &mode, NULL, NULL) ? IST_PIPE_MESSAGE : IST_PIPE_BYTE;
}

static void instance_describe(plat_pipe *pipe, const plat_pipe_request *request)
{
    pipe->sort.server = true;
    pipe->sort.type = request->type;
    pipe->sort.direction = request->direction;
    pipe->sort.may_read = request->direction != IST_PIPE_OUTBOUND;
    pipe->sort.may_write = request->direction != IST_PIPE_INBOUND;
    pipe->instances_max = request->instances;
    pipe->inbound_bytes = request->inbound_bytes;
    pipe->outbound_bytes = request->outbound_bytes;
}

/* Makes an instance in the end. One whose type turned out to be another has to be made so: what it reads by is said
   then. */
static ist_status instance_serve(const WCHAR *name, const plat_pipe_request *request, plat_pipe *pipe,
                                 plat_error *error)
{
    ist_status status = instance_make(name, request, request->type, pipe, error);

    instance_describe(pipe, request);
    if (status == IST_OK)
        instance_learn(pipe);
    if (status == IST_OK && pipe->sort.type != request->type) {
        handle_drop(pipe);
        status = instance_make(name, request, pipe->sort.type, pipe, error);
    }
    if (status == IST_OK && !request->trust_everyone)
        status = win32_owner_check(pipe->handle, error);
    return status;
}

/* Wine makes a second instance in spite of FILE_FLAG_FIRST_PIPE_INSTANCE. Where the flag counts, this look says nothing
   that it would not. */
static ist_status first_check(const WCHAR *name, plat_error *error)
{
    bool there = WaitNamedPipeW(name, 1) || GetLastError() == ERROR_SEM_TIMEOUT;

    return there ? win32_error_refuse(error, IST_E_ACCESS, "the first instance") : IST_OK;
}

ist_status plat_pipe_serve(const plat_channel_name *name, const plat_pipe_request *request, plat_pipe **out,
                           plat_pipe_sort *sort, plat_error *error)
{
    WCHAR wide[WIN32_CHANNEL_NAME_UNITS];
    plat_pipe *pipe = NULL;
    ist_status status = win32_pipe_take(&pipe, error);

    if (status != IST_OK)
        return status;
    pipe->named = true;
    win32_channel_name_widen(WIN32_PIPE_PREFIX, name, wide);
    if (request->first)
        status = first_check(wide, error);
    if (status == IST_OK)
        status = instance_serve(wide, request, pipe, error);
    *sort = pipe->sort;
    return win32_pipe_settle(status, pipe, out);
}

/* ---- pairs ---- */

#define PAIR_TRIES 16

/* Nobody else is to come first: the counter of the processor makes the name hard to foresee. */
static void pair_name(WCHAR out[WIN32_CHANNEL_NAME_UNITS])
{
    static volatile LONG number; /* any thread counts on */
    LARGE_INTEGER count;

    (void)QueryPerformanceCounter(&count);
    (void)swprintf(out, WIN32_CHANNEL_NAME_UNITS, WIN32_PIPE_PREFIX L"isthmus.%lu.%ld.%llx",
                   (unsigned long)GetCurrentProcessId(), (long)InterlockedIncrement(&number),
                   (unsigned long long)count.QuadPart);
}

static bool pair_is_ours(const plat_pipe *server, const plat_pipe *client)
{
    ULONG theirs = 0;
    ULONG ours = 0;

    return GetNamedPipeClientProcessId(server->handle, &theirs) && theirs == GetCurrentProcessId() &&
           GetNamedPipeServerProcessId(client->handle, &ours) && ours == theirs;
}

/* What access a client needs for the other direction. */
static ist_access pair_access(ist_pipe_direction direction)
{
    static const ist_access accesses[] = {IST_READ | IST_WRITE, IST_WRITE, IST_READ};

    return accesses[direction];
}

static ist_status pair_connect(const plat_pipe_request *request, plat_pipe *server, plat_pipe *client,
                               plat_error *error)
{
    WCHAR name[WIN32_CHANNEL_NAME_UNITS];
    ist_status status = IST_OK;

    pair_name(name);
    status = instance_serve(name, request, server, error);
    if (status == IST_OK)
        status = win32_pipe_open(name, pair_access(request->direction), false, &client->handle, error);
    if (status == IST_OK)
        status = win32_pipe_adopt(client, false, error);
    if (status == IST_OK && !pair_is_ours(server, client))
        status = win32_error_refuse(error, IST_E_ACCESS, "both ends are this process's");
    if (status == IST_OK)
        status = plat_pipe_accept(server, 0, error);
    if (status != IST_OK) {
        handle_drop(server);
        handle_drop(client);
    }
    return status;
}

/* Who connects to the instance before we do, or has made the name, costs a try. */
ist_status plat_pipe_pair(const plat_pipe_request *request, plat_pipe **first, plat_pipe **second,
                          plat_pipe_sort sorts[2], plat_error *error)
{
    plat_pipe_request alone = *request;
    plat_pipe *ends[2] = {NULL, NULL};
    ist_status status = win32_pipe_take(&ends[0], error);
    int tries = 0;

    alone.first = true;
    alone.instances = 1;
    alone.audience = IST_AUDIENCE_OWNER;
    alone.trust_everyone = false;
    if (status == IST_OK)
        status = win32_pipe_take(&ends[1], error);
    if (status == IST_OK)
        do
            status = pair_connect(&alone, ends[0], ends[1], error);
        while ((status == IST_E_ACCESS || status == IST_TIMEOUT) && ++tries < PAIR_TRIES);
    if (status == IST_TIMEOUT)
        status = IST_E_OS;
    if (status != IST_OK) {
        if (ends[0] != NULL)
            plat_pipe_close(ends[0]);
        if (ends[1] != NULL)
            plat_pipe_close(ends[1]);
        return status;
    }
    sorts[0] = ends[0]->sort;
    sorts[1] = ends[1]->sort;
    *first = ends[0];
    *second = ends[1];
    return IST_OK;
}
