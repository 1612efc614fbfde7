/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The plain Win32 programs beside the test, win32_*peer.exe, which have never heard of isthmus. Only on Windows.
 */
#ifndef ISTHMUS_TESTS_NATIVE_H
#define ISTHMUS_TESTS_NATIVE_H

#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include "support/peer.h"

#define NATIVE_PATH_UNITS 1024

typedef struct native {
    HANDLE process;
    HANDLE input; /* our ends */
    HANDLE output;
    bool failed;    /* it could not do what its command line says */
    char line[256]; /* the last it said */
} native;

/* Starts a program and hears whether it could do what its command line says. */
void native_start_program(native *who, const wchar_t *program, const wchar_t *arguments);

/* The same for win32_peer.exe. */
void native_start_wide(native *who, const wchar_t *arguments);

/* The name is ASCII here; `more` may be NULL. */
void native_start(native *who, const char *verb, const char *name, const char *more);

/* The same, and fails the test if it could not. */
void native_begin(native *who, const char *verb, const char *name, const char *more);

/* Says a line. */
void native_say(native *who, const char *question);

/* Hears a line and compares. */
void native_expect(native *who, const char *answer);

/* Both. */
void native_ask(native *who, const char *question, const char *answer);

void native_end(native *who);

/* The rights that an object's list grants one of the system's well-known groups; 0 when it has none. */
DWORD native_rights(HANDLE object, WELL_KNOWN_SID_TYPE which);

/* Our side: a mapping, and a view of all of it, or the test fails. */
ist_mapping *make_as(const char *name, uint64_t size, ist_audience audience);
ist_view view_as(ist_mapping *mapping, ist_access access);

#endif
