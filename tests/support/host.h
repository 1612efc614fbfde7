/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What tests need of the system besides the library: threads, files, and whether the system is an emulator.
 * host_posix.c and host_win32.c implement it.
 */
#ifndef ISTHMUS_TESTS_HOST_H
#define ISTHMUS_TESTS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs body(context, 0) to body(context, count - 1), each in a thread of its own, and waits for all of them. cmocka's
   assertions belong to the main thread: a body notes what it saw, and the test asserts afterwards. */
#define HOST_THREADS_MAX 64
void host_threads(size_t count, void (*body)(void *context, size_t index), void *context);

/* "Wine 8.0" or the like where the system is emulated and its known defects are to be skipped; else NULL. */
const char *host_emulator(void);

/* 32 or 64. */
unsigned host_address_bits(void);

/* Files: the path is UTF-8, relative to the working directory or absolute. */
bool host_file_write(const char *path, const void *bytes, size_t size);
bool host_file_read(const char *path, uint64_t offset, void *bytes, size_t size);
/* Bytes in the file, or UINT64_MAX where there is none. */
uint64_t host_file_size(const char *path);
bool host_file_remove(const char *path);
bool host_file_rename(const char *from, const char *to);

/* Makes an existing file read-only for everybody, or writable again. */
bool host_file_protect(const char *path, bool read_only);

/* Whether this process may write an existing file: root may, in spite of a protection. */
bool host_file_writable(const char *path);

bool host_folder_make(const char *path);
bool host_folder_remove(const char *path);

#endif
