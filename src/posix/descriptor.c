/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Descriptors in a program that may close what is not its own.
 */
#include "posix/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FIRST_NUMBER 3

static int above_standard(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_NUMBER);

    descriptor_drop(fd);
    return moved;
}

int descriptor_open(int directory, const char *path, int flags, mode_t mode)
{
    int fd = -1;

    do
        fd = openat(directory, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode);
    while (fd < 0 && errno == EINTR);
    return fd >= 0 && fd < FIRST_NUMBER ? above_standard(fd) : fd;
}

void descriptor_own(descriptor *out, int fd, const struct stat *facts)
{
    *out = (descriptor){fd, facts->st_dev, facts->st_ino};
}

bool descriptor_is_ours(const descriptor *file, struct stat *facts)
{
    struct stat own;
    struct stat *read = facts != NULL ? facts : &own;

    return file->fd >= 0 && fstat(file->fd, read) == 0 && read->st_dev == file->device && read->st_ino == file->inode;
}

void descriptor_close(descriptor *file)
{
    if (descriptor_is_ours(file, NULL))
        descriptor_drop(file->fd);
    *file = DESCRIPTOR_NONE;
}

void descriptor_drop(int fd)
{
    int kept = errno;

    /* EINTR leaves it closed on the systems we know; a second close could hit somebody else's. */
    (void)close(fd);
    errno = kept;
}
