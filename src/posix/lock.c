/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Locks on open file descriptions.
 */
#include "posix/lock.h"

#include <errno.h>
#include <sched.h>
#include <sys/file.h>

#include "posix/error.h"

#if LOCK_ASKS_WITHOUT_TAKING

static ist_status take(int fd, short type, uint64_t byte, plat_error *error)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return IST_OK;
    /* Nobody of ours locks exclusively: this is a foreign program with the right to write. */
    if (errno == EAGAIN || errno == EACCES)
        return error_refuse(error, IST_E_CORRUPT, "F_OFD_SETLK", "another program locks the segment");
    return error_from_errno(error, "F_OFD_SETLK");
}

ist_status lock_take(int fd, uint64_t byte, plat_error *error)
{
    return take(fd, F_RDLCK, byte, error);
}

ist_status lock_take_alone(int fd, uint64_t byte, plat_error *error)
{
    return take(fd, F_WRLCK, byte, error);
}

ist_status lock_try_alone(int fd, uint64_t byte, plat_error *error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return IST_OK;
    return errno == EAGAIN || errno == EACCES ? IST_TIMEOUT : error_from_errno(error, "F_OFD_SETLK");
}

/* A shared lock conflicts with exclusive ones only. */
bool lock_is_held_alone(int fd, uint64_t byte)
{
    struct flock found = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

    return fcntl(fd, F_OFD_GETLK, &found) != 0 || found.l_type != F_UNLCK;
}

/* Any lock in [from, to), to 0 for the end. The lock found replaces *found; false if there is none. */
static bool find_lock(int fd, uint64_t from, uint64_t to, struct flock *found)
{
    *found = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)from};
    found->l_len = to == 0 ? 0 : (off_t)(to - from);
    if (fcntl(fd, F_OFD_GETLK, found) != 0)
        found->l_start = (off_t)LOCK_HANDLE; /* a doubt is a yes */
    return found->l_type != F_UNLCK;
}

/* Locks whose tickets no longer count linger until their exporter's next call, a few at most. This bounds the work
   that a hostile peer can make with thousands of locks: beyond it the object counts as held. */
#define MOST_VOID_TICKETS 1000

bool lock_is_held(int fd, lock_counts *counts, void *context)
{
    struct flock found;
    uint64_t from = LOCK_HANDLE + 1;
    uint64_t to = 0;

    if (!find_lock(fd, LOCK_HANDLE, 0, &found))
        return false;
    if ((uint64_t)found.l_start == LOCK_HANDLE || find_lock(fd, LOCK_HANDLE, LOCK_HANDLE + 1, &found))
        return true;
    /* The kernel reports any conflict, not the first one: narrow down to the lowest before moving past it. */
    for (int i = 0; i < MOST_VOID_TICKETS; i++) {
        if (from == to || !find_lock(fd, from, to, &found)) {
            if (to == 0)
                return false;
            from = to + 1;
            to = 0;
        } else if (found.l_len != 1 || found.l_type != F_RDLCK || counts(context, (uint64_t)found.l_start)) {
            return true;
        } else if ((uint64_t)found.l_start == from) {
            from++;
        } else {
            to = (uint64_t)found.l_start;
        }
    }
    return true;
}

bool lock_byte_is_held(int fd, uint64_t byte)
{
    struct flock found;

    return find_lock(fd, byte, byte + 1, &found);
}

#else

static ist_status take(int fd, int type, plat_error *error)
{
    if (flock(fd, type | LOCK_NB) == 0)
        return IST_OK;
    return errno == EWOULDBLOCK ? IST_TIMEOUT : error_from_errno(error, "flock");
}

ist_status lock_take(int fd, uint64_t byte, plat_error *error)
{
    (void)byte;
    return take(fd, LOCK_SH, error);
}

ist_status lock_take_alone(int fd, uint64_t byte, plat_error *error)
{
    (void)byte;
    return take(fd, LOCK_EX, error);
}

ist_status lock_try_alone(int fd, uint64_t byte, plat_error *error)
{
    (void)fd;
    (void)byte;
    (void)error;
    return IST_OK;
}

bool lock_is_held_alone(int fd, uint64_t byte)
{
    (void)byte;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        return true;
    (void)flock(fd, LOCK_UN);
    return false;
}

/* Two askers can take each other for holders: ask often enough that one of them gets through. */
#define ASKS 64

bool lock_is_held(int fd, lock_counts *counts, void *context)
{
    (void)counts;
    (void)context;
    for (int i = 0; i < ASKS; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            (void)flock(fd, LOCK_UN);
            return false;
        }
        if (errno != EWOULDBLOCK)
            return true;
        (void)sched_yield();
    }
    return true;
}

bool lock_byte_is_held(int fd, uint64_t byte)
{
    (void)byte;
    return lock_is_held(fd, NULL, NULL);
}

#endif
