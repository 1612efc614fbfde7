/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which processes read as pipe_read.c does. A writer whose large message timed out has to know whether it may have been
 * read in part, and the system does not tell. A process that never reads in part says so by an event whose name is its
 * id, for as long as it lives. Nobody sets it, and of no other process anything is assumed.
 */
#include "win32/pipe.h"

#include <wchar.h>

#include "win32/access.h"

#define READER_NAME_UNITS 48

static void reader_name(ULONG process_id, WCHAR out[READER_NAME_UNITS])
{
    (void)swprintf(out, READER_NAME_UNITS, L"Global\\isthmus.pipe.reader.%lx", (unsigned long)process_id);
}

static HANDLE reader_make(void)
{
    const win32_rights rights = {EVENT_ALL_ACCESS, SYNCHRONIZE, SYNCHRONIZE, false};
    WCHAR name[READER_NAME_UNITS];
    plat_error unused;
    win32_guard guard;

    reader_name(GetCurrentProcessId(), name);
    return win32_guard_named(&guard, &rights, IST_AUDIENCE_EVERYONE_READ, &unused) == IST_OK
               ? CreateEventW(&guard.attributes, TRUE, FALSE, name)
               : NULL;
}

/* Where it cannot be said, connections are broken that need not be. */
void win32_pipe_reader_declare(void)
{
    static PVOID volatile said; /* the event, for the life of the process; any thread may make it */
    HANDLE made = NULL;

    if (InterlockedCompareExchangePointer(&said, NULL, NULL) != NULL)
        return;
    made = reader_make();
    if (made != NULL && InterlockedCompareExchangePointer(&said, made, NULL) != NULL)
        (void)CloseHandle(made);
}

/* Anybody can make an event of that name: only our user's says something. */
bool win32_pipe_reader_declared(ULONG process_id)
{
    WCHAR name[READER_NAME_UNITS];
    plat_error unused;
    HANDLE event = NULL;
    bool declared = false;

    reader_name(process_id, name);
    event = OpenEventW(SYNCHRONIZE | READ_CONTROL, FALSE, name);
    if (event == NULL)
        return false;
    declared = win32_owner_check(event, &unused) == IST_OK;
    (void)CloseHandle(event);
    return declared;
}
