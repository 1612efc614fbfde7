/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Processes by their id, and when they were created.
 */
#include "win32/process.h"

#include "win32/error.h"

bool win32_process_ended(HANDLE process)
{
    return WaitForSingleObject(process, 0) == WAIT_OBJECT_0;
}

/* The system ignores the two lowest bits of an id and would open a neighbour for a wrong one. */
static ist_status process_check(HANDLE process, uint64_t id, plat_error *error)
{
    return GetProcessId(process) == id && !win32_process_ended(process)
               ? IST_OK
               : win32_error_refuse(error, IST_E_ARG, "no such process");
}

ist_status win32_process_open(uint64_t id, HANDLE *out, plat_error *error)
{
    const DWORD rights = PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    HANDLE process = NULL;
    ist_status status = IST_OK;

    *out = NULL;
    if (id > UINT32_MAX)
        return win32_error_refuse(error, IST_E_ARG, "no such process");
    process = OpenProcess(rights, FALSE, (DWORD)id);
    if (process == NULL)
        return win32_error_take(error, "OpenProcess", WIN32_STEP_PROCESS);
    status = process_check(process, id, error);
    if (status == IST_OK)
        *out = process;
    else
        (void)CloseHandle(process);
    return status;
}

ist_status win32_process_birth(HANDLE process, uint64_t *out, plat_error *error)
{
    FILETIME created = {0, 0};
    FILETIME exited = {0, 0};
    FILETIME in_kernel = {0, 0};
    FILETIME in_user = {0, 0};

    if (!GetProcessTimes(process, &created, &exited, &in_kernel, &in_user))
        return win32_error_take(error, "GetProcessTimes", WIN32_STEP_PROCESS);
    *out = (uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime;
    return IST_OK;
}
