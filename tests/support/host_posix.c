/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What tests need of a POSIX system.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct host_thread {
    void (*body)(void *context, size_t index);
    void *context;
    size_t index;
    pthread_t thread;
} host_thread;

static void *run_thread(void *argument)
{
    host_thread *self = argument;
    self->body(self->context, self->index);
    return NULL;
}

void host_threads(size_t count, void (*body)(void *context, size_t index), void *context)
{
    host_thread threads[HOST_THREADS_MAX];
    for (size_t i = 0; i < count; i++) {
        threads[i].body = body;
        threads[i].context = context;
        threads[i].index = i;
        if (pthread_create(&threads[i].thread, NULL, run_thread, &threads[i]) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(threads[i].thread, NULL);
    }
}

unsigned host_address_bits(void)
{
    return (unsigned)sizeof(size_t) * 8;
}

const char *host_emulator(void)
{
    return NULL;
}

bool host_file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    bool done = size == 0 || fwrite(bytes, 1, size, file) == size;
    return fclose(file) == 0 && done;
}

bool host_file_read(const char *path, uint64_t offset, void *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    bool done = fseeko(file, (off_t)offset, SEEK_SET) == 0 && fread(bytes, 1, size, file) == size;
    (void)fclose(file);
    return done;
}

uint64_t host_file_size(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? (uint64_t)facts.st_size : UINT64_MAX;
}

bool host_file_remove(const char *path)
{
    return unlink(path) == 0;
}

bool host_file_rename(const char *from, const char *to)
{
    return rename(from, to) == 0;
}

bool host_file_protect(const char *path, bool read_only)
{
    return chmod(path, read_only ? 0400 : 0600) == 0;
}

bool host_file_writable(const char *path)
{
    return access(path, W_OK) == 0;
}

bool host_folder_make(const char *path)
{
    return mkdir(path, 0700) == 0;
}

bool host_folder_remove(const char *path)
{
    return rmdir(path) == 0;
}
