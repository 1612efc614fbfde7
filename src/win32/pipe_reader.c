/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which processes read as pipe_read.c does. A writer whose large message timed out has to know whether it may have been
 * read in part, and the system does not tell. A process that never reads in part says so by a sign whose name is its
 * id, for as long as it lives; of no other process anything is assumed.
 */
#include <wchar.h>

#include "win32/pipe.h"
#include "win32/sign.h"

static void reader_name(ULONG process_id, WCHAR out[WIN32_SIGN_UNITS])
{
    (void)swprintf(out, WIN32_SIGN_UNITS, L"Global\\isthmus.pipe.reader.%lx", (unsigned long)process_id);
}

/* Where it cannot be said, connections are broken that need not be. */
void win32_pipe_reader_declare(void)
{
    static PVOID volatile said; /* the sign, for the life of the process; any thread may make it */
    WCHAR name[WIN32_SIGN_UNITS];
    HANDLE made = NULL;

    if (InterlockedCompareExchangePointer(&said, NULL, NULL) != NULL)
        return;
    reader_name(GetCurrentProcessId(), name);
    made = win32_sign_make(name);
    if (made != NULL && InterlockedCompareExchangePointer(&said, made, NULL) != NULL)
        (void)CloseHandle(made);
}

bool win32_pipe_reader_declared(ULONG process_id)
{
    WCHAR name[WIN32_SIGN_UNITS];

    reader_name(process_id, name);
    return win32_sign_is_there(name);
}
