/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The file behind a mapping (M9).
 */
#ifndef ISTHMUS_WIN32_FILE_H
#define ISTHMUS_WIN32_FILE_H

#include "core/plat.h"
#include "win32/native.h"

/* Opens the file, and refuses what no mapping of this size can be made of. size 0 means the file's. */
ist_status win32_file_open(const char *path, ist_access access, uint64_t size, HANDLE *out, plat_error *error);

#endif
