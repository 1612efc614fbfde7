/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The names that mappings, mutexes, semaphores, events, timers and channels share.
 *
 * A name is UTF-8, 1 to 255 bytes with its prefix. `Local\X` is shared by the processes of one user (on Windows: of
 * one session), `Global\X` by the machine; no prefix means `Local\`. Any other backslash is refused, every other
 * character is legal, case counts, nothing is normalised. NULL means an object without a name.
 */
#ifndef ISTHMUS_NAME_H
#define ISTHMUS_NAME_H

#include <isthmus/export.h>
#include <isthmus/status.h>

IST_BEGIN_DECLS

/* Bytes in the longest name, prefix included, terminator not. */
#define IST_NAME_MAX 255

/**
 * Checks a name as every create and open does, without touching any object.
 * Shape:    name as in SEMANTICS N1-N2, at most IST_NAME_MAX bytes; NULL (an unnamed object) is well-formed.
 * Owns:     nothing.
 * Errors:   IST_E_NAME.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 object names and kernel object namespaces.                                             Since: 0.1
 */
IST_API ist_status ist_name_check(const char *name);

IST_END_DECLS

#endif
