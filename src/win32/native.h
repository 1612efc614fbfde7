/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The one way into <windows.h>, and the few facts that are looked up at run time. Only ntdll tells how large a section
 * is and what it stands on, what a handle's object is, is called and grants, and the state of an object without
 * changing it: the queries are documented and have kept their form since NT 4. The rest came with Windows 10.
 */
#ifndef ISTHMUS_WIN32_NATIVE_H
#define ISTHMUS_WIN32_NATIVE_H

/* Windows 10: unnamed sections keep a security descriptor only from 8.1 on, and that is what keeps a reader a reader.
   Nothing later is called. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef UNICODE
#define UNICODE
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a section is. */
typedef struct win32_section_facts {
    uint64_t size;  /* bytes, as the kernel keeps it: of memory a page multiple, of a file exact */
    bool over_file; /* its pages are a file's */
} win32_section_facts;

/* Asks about a section; the handle needs SECTION_QUERY. False when it may not be asked or is no section. */
bool win32_section_query(HANDLE section, win32_section_facts *out);

/* True if the handle is one of this process and its object is of this type, for example L"Section". */
bool win32_handle_is(HANDLE handle, const WCHAR *type);

/* True if the last part of the object's name in the kernel is `leaf`. Only for objects that are no files: to ask a
   file for its name may block. */
bool win32_handle_named(HANDLE handle, const WCHAR *leaf);

/* The rights that the handle grants; false when that is not to be learned. */
bool win32_handle_grants(HANDLE handle, DWORD *rights);

/* Whether two handles are of one object; false also where the system cannot tell. */
bool win32_handles_same(HANDLE left, HANDLE right);

/* Which question of ntdll's to ask about the state of an object. */
typedef enum win32_state_query {
    WIN32_QUERY_MUTANT,
    WIN32_QUERY_SEMAPHORE,
    WIN32_QUERY_EVENT,
    WIN32_QUERY_TIMER
} win32_state_query;

/* Asks, and gives the published form of the answer: `bytes` is its exact size. The handle needs the right to query.
   ERROR_SUCCESS, ERROR_CALL_NOT_IMPLEMENTED where there is no such question, or why not. */
DWORD win32_state_ask(HANDLE handle, win32_state_query which, void *out, size_t bytes);

/* What an end of a pipe is, in the published form. */
typedef struct win32_pipe_facts {
    ULONG type;   /* 1 messages */
    ULONG config; /* 0 inbound, 1 outbound, 2 duplex */
    ULONG instances_max;
    ULONG instances;
    ULONG inbound_quota;
    ULONG readable;
    ULONG outbound_quota;
    ULONG writable;
    ULONG state; /* 1 disconnected, 2 listening, 3 connected, 4 the peer is gone */
    ULONG end;   /* 1 the server's */
} win32_pipe_facts;

#define WIN32_PIPE_CONNECTED 3u

/* Asks about a pipe opened for overlapped I/O; the handle needs FILE_READ_ATTRIBUTES, which an instance for writing
   alone has not. False when it may not be asked. */
bool win32_pipe_ask(HANDLE pipe, win32_pipe_facts *out);

/* The clock of relative times, as of the last tick and as of this instant, in units of 100 ns and read in that order.
   False before Windows 10. */
bool win32_interrupt_times(uint64_t *coarse, uint64_t *precise);

#endif
