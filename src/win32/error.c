/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The one table of codes (SEMANTICS, "What the native calls need"). The first row that fits the code and the step
 * counts; a code that no row names is IST_E_OS, and the detail tells it.
 */
#include "win32/error.h"

#define STEPS_NAME (WIN32_STEP_OPEN | WIN32_STEP_CREATE)
#define STEPS_TAKING (WIN32_STEP_CREATE | WIN32_STEP_COMMIT)
#define STEPS_ALL 0xFFu

typedef struct error_row {
    DWORD code;
    unsigned steps;
    ist_status status;
} error_row;

static const error_row error_rows[] = {
    {ERROR_FILE_NOT_FOUND, STEPS_ALL, IST_E_NOT_FOUND},             /* 2 */
    {ERROR_PATH_NOT_FOUND, STEPS_ALL, IST_E_NOT_FOUND},             /* 3 */
    {ERROR_TOO_MANY_OPEN_FILES, STEPS_ALL, IST_E_LIMIT},            /* 4 */
    {ERROR_ACCESS_DENIED, STEPS_ALL, IST_E_ACCESS},                 /* 5 */
    {ERROR_INVALID_HANDLE, STEPS_NAME, IST_E_KIND},                 /* 6: another kind has the name */
    {ERROR_INVALID_HANDLE, WIN32_STEP_WAIT, IST_E_ARG},             /* 6: nothing to wait for */
    {ERROR_INVALID_HANDLE, STEPS_ALL, IST_E_BROKEN},                /* 6: the program closed it */
    {ERROR_NOT_ENOUGH_MEMORY, STEPS_TAKING, IST_E_SPACE},           /* 8 */
    {ERROR_NOT_ENOUGH_MEMORY, STEPS_ALL, IST_E_MEMORY},             /* 8 */
    {ERROR_OUTOFMEMORY, STEPS_TAKING, IST_E_SPACE},                 /* 14 */
    {ERROR_OUTOFMEMORY, STEPS_ALL, IST_E_MEMORY},                   /* 14 */
    {ERROR_INVALID_DRIVE, WIN32_STEP_FILE, IST_E_NOT_FOUND},        /* 15 */
    {ERROR_WRITE_PROTECT, STEPS_ALL, IST_E_ACCESS},                 /* 19 */
    {ERROR_NOT_READY, WIN32_STEP_FILE, IST_E_NOT_FOUND},            /* 21 */
    {ERROR_SHARING_VIOLATION, STEPS_ALL, IST_E_ACCESS},             /* 32 */
    {ERROR_LOCK_VIOLATION, STEPS_ALL, IST_E_ACCESS},                /* 33 */
    {ERROR_HANDLE_DISK_FULL, STEPS_ALL, IST_E_SPACE},               /* 39 */
    {ERROR_BAD_NETPATH, WIN32_STEP_FILE, IST_E_NOT_FOUND},          /* 53 */
    {ERROR_BAD_NET_NAME, WIN32_STEP_FILE, IST_E_NOT_FOUND},         /* 67 */
    {ERROR_FILE_EXISTS, WIN32_STEP_CREATE, IST_E_EXISTS},           /* 80: a mailslot */
    {ERROR_INVALID_PARAMETER, WIN32_STEP_CREATE, IST_E_SPACE},      /* 87: no other argument is left than the size */
    {ERROR_INVALID_PARAMETER, WIN32_STEP_VIEW, IST_E_MEMORY},       /* 87: likewise */
    {ERROR_INVALID_PARAMETER, WIN32_STEP_PROCESS, IST_E_ARG},       /* 87: no such process */
    {ERROR_INVALID_PARAMETER, WIN32_STEP_WAIT, IST_E_ARG},          /* 87: an object twice */
    {ERROR_BROKEN_PIPE, STEPS_ALL, IST_E_BROKEN},                   /* 109 */
    {ERROR_DISK_FULL, STEPS_ALL, IST_E_SPACE},                      /* 112 */
    {ERROR_CALL_NOT_IMPLEMENTED, STEPS_ALL, IST_E_UNSUPPORTED},     /* 120 */
    {ERROR_SEM_TIMEOUT, STEPS_ALL, IST_TIMEOUT},                    /* 121 */
    {ERROR_INSUFFICIENT_BUFFER, STEPS_ALL, IST_E_SIZE},             /* 122 */
    {ERROR_INVALID_NAME, WIN32_STEP_FILE, IST_E_NOT_FOUND},         /* 123 */
    {ERROR_INVALID_NAME, STEPS_NAME, IST_E_NAME},                   /* 123 */
    {ERROR_BAD_PATHNAME, WIN32_STEP_FILE, IST_E_NOT_FOUND},         /* 161 */
    {ERROR_BAD_PATHNAME, STEPS_NAME, IST_E_NAME},                   /* 161 */
    {ERROR_ALREADY_EXISTS, WIN32_STEP_CREATE, IST_E_EXISTS},        /* 183: a mailslot */
    {ERROR_FILENAME_EXCED_RANGE, WIN32_STEP_FILE, IST_E_NOT_FOUND}, /* 206 */
    {ERROR_FILENAME_EXCED_RANGE, STEPS_NAME, IST_E_NAME},           /* 206 */
    {ERROR_FILE_TOO_LARGE, STEPS_ALL, IST_E_SPACE},                 /* 223 */
    {ERROR_BAD_PIPE, STEPS_ALL, IST_E_BROKEN},                      /* 230: nobody is connected */
    {ERROR_PIPE_BUSY, WIN32_STEP_OPEN, IST_TIMEOUT},                /* 231: no instance listens */
    {ERROR_PIPE_BUSY, STEPS_ALL, IST_E_LIMIT},                      /* 231: all instances are there; or data unread */
    {ERROR_NO_DATA, STEPS_ALL, IST_E_BROKEN},                       /* 232 */
    {ERROR_PIPE_NOT_CONNECTED, STEPS_ALL, IST_E_BROKEN},            /* 233 */
    {ERROR_MORE_DATA, STEPS_ALL, IST_MORE},                         /* 234 */
    {ERROR_NOT_OWNER, STEPS_ALL, IST_E_NOT_OWNER},                  /* 288 */
    {ERROR_TOO_MANY_POSTS, STEPS_ALL, IST_E_LIMIT},                 /* 298 */
    {ERROR_INVALID_ADDRESS, WIN32_STEP_COMMIT, IST_E_SPACE},        /* 487 */
    {ERROR_INVALID_ADDRESS, STEPS_ALL, IST_E_MEMORY},               /* 487 */
    {ERROR_PIPE_LISTENING, STEPS_ALL, IST_E_BROKEN},                /* 536 */
    {587, STEPS_ALL, IST_E_LIMIT},                       /* ERROR_MUTANT_LIMIT_EXCEEDED, which some kits lack */
    {676, STEPS_ALL, IST_E_NOT_FOUND},                   /* Wine, where nobody listens on a pipe */
    {ERROR_OPERATION_ABORTED, STEPS_ALL, IST_CANCELLED}, /* 995 */
    {ERROR_FILE_INVALID, WIN32_STEP_CREATE, IST_E_SIZE}, /* 1006: an empty file */
    {ERROR_FILE_INVALID, STEPS_ALL, IST_E_BROKEN},       /* 1006: the volume is gone */
    {ERROR_PRIVILEGE_NOT_HELD, STEPS_ALL, IST_E_ACCESS}, /* 1314 */
    {ERROR_NO_SYSTEM_RESOURCES, STEPS_ALL, IST_E_SPACE}, /* 1450 */
    {ERROR_CANNOT_IMPERSONATE, STEPS_ALL, IST_E_ACCESS}, /* 1368: nothing was read yet */
    {ERROR_WORKING_SET_QUOTA, STEPS_ALL, IST_E_SPACE},   /* 1453 */
    {ERROR_COMMITMENT_LIMIT, STEPS_ALL, IST_E_SPACE},    /* 1455 */
    {ERROR_INVALID_USER_BUFFER, STEPS_ALL, IST_E_SPACE}, /* 1784: too many calls are pending */
    {ERROR_NOT_ENOUGH_QUOTA, STEPS_ALL, IST_E_SPACE},    /* 1816 */
};

static ist_status error_status(DWORD code, win32_step step)
{
    size_t count = sizeof error_rows / sizeof error_rows[0];
    size_t at = 0;

    while (at < count && (error_rows[at].code != code || (error_rows[at].steps & (unsigned)step) == 0))
        ++at;
    return at < count ? error_rows[at].status : IST_E_OS;
}

ist_status win32_error_put(plat_error *error, const char *call, win32_step step, DWORD code)
{
    error->space = IST_CODES_WIN32;
    error->code = code;
    error->call = call;
    error->note[0] = '\0';
    return error_status(code, step);
}

ist_status win32_error_take(plat_error *error, const char *call, win32_step step)
{
    return win32_error_put(error, call, step, GetLastError());
}

ist_status win32_error_refuse(plat_error *error, ist_status status, const char *check)
{
    error->space = IST_CODES_NONE;
    error->code = 0;
    error->call = check;
    error->note[0] = '\0';
    return status;
}
