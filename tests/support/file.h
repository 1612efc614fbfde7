/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The file of a test, and mappings over it.
 */
#ifndef ISTHMUS_TESTS_FILE_H
#define ISTHMUS_TESTS_FILE_H

#include "check.h"

/* Of the file that file_make() has made. */
extern char file_path[NAME_SIZE];

/* Makes the test's file: `size` bytes, the byte at i being i % 251. */
void file_make(size_t size);

void file_remove(void);

ist_status file_map(ist_mapping **out, const char *name, uint64_t size, ist_access access);

#endif
