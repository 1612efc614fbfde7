/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Processes as the targets of tokens. An id comes back for other processes; id and time of creation together do not.
 */
#ifndef ISTHMUS_WIN32_PROCESS_H
#define ISTHMUS_WIN32_PROCESS_H

#include "core/plat.h"
#include "win32/native.h"

/* Opens a living process so that handles can be put into it. IST_E_ARG: there is none; IST_E_ACCESS: out of reach. */
ist_status win32_process_open(uint64_t id, HANDLE *out, plat_error *error);

/* When the process was created, in units that only equality means something for. */
ist_status win32_process_birth(HANDLE process, uint64_t *out, plat_error *error);

/* A process whose handles are still about may have ended long ago. */
bool win32_process_ended(HANDLE process);

#endif
