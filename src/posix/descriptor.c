/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Descriptors in a program that may close what is not its own.
 */
#include "posix/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
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

/* ---- turns ---- */

/* By number: how often it was taken. Without memory for it 0 is answered, which is compared with nothing. */
static pthread_mutex_t turns_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t *turns;
static size_t turns_size;

/* A fork may come at any line: what is reached is always whole, and what is not is lost at worst. */
static bool make_room(size_t number)
{
    size_t size = (number + 64) * 2;
    uint32_t *old = turns;
    uint32_t *larger = number < turns_size ? NULL : plat_memory_take(size * sizeof *larger);

    if (number < turns_size || larger == NULL)
        return number < turns_size;
    if (old != NULL)
        memcpy(larger, old, turns_size * sizeof *larger);
    turns = larger;
    turns_size = size;
    plat_memory_give(old);
    return true;
}

static uint32_t take_turn(int fd)
{
    uint32_t turn = 0;

    (void)pthread_mutex_lock(&turns_mutex);
    if (make_room((size_t)fd)) {
        turn = turns[fd] == UINT32_MAX ? 1 : turns[fd] + 1;
        turns[fd] = turn;
    }
    (void)pthread_mutex_unlock(&turns_mutex);
    return turn;
}

static bool has_turn(const descriptor *file)
{
    bool has = true;

    (void)pthread_mutex_lock(&turns_mutex);
    if (file->turn != 0 && (size_t)file->fd < turns_size)
        has = turns[file->fd] == file->turn;
    (void)pthread_mutex_unlock(&turns_mutex);
    return has;
}

void descriptor_reset_after_fork(void)
{
    (void)pthread_mutex_init(&turns_mutex, NULL);
}

/* ---- what is ours ---- */

void descriptor_own(descriptor *out, int fd, dev_t device, ino_t inode)
{
    *out = (descriptor){fd, device, inode, take_turn(fd)};
}

bool descriptor_is_ours(const descriptor *file, struct stat *facts)
{
    struct stat own;
    struct stat *read = facts != NULL ? facts : &own;

    return file->fd >= 0 && has_turn(file) && fstat(file->fd, read) == 0 && read->st_dev == file->device &&
           read->st_ino == file->inode;
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
    int cancel_state = 0;

    /* EINTR leaves it closed on the systems we know; a second close could hit somebody else's. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    (void)close(fd);
    (void)pthread_setcancelstate(cancel_state, NULL);
    errno = kept;
}
