/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * How an object's directory goes.
 */
#include "posix/reap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/error.h"
#include "posix/name.h"

int reap_open_own(const scope *where, const char *name)
{
    struct stat facts;
    int fd = descriptor_open(where->directory, name, O_RDONLY | O_DIRECTORY, 0);

    if (fd >= 0 && (fstat(fd, &facts) != 0 || facts.st_uid != where->user)) {
        descriptor_drop(fd);
        fd = -1;
        errno = EPERM;
    }
    return fd;
}

/* Sockets of a dead pipe: nobody makes any in this directory any more. */
static void remove_sockets(int directory)
{
    int fd = descriptor_open(directory, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry = NULL;

    if (entries == NULL && fd >= 0)
        descriptor_drop(fd);
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (strncmp(entry->d_name, NAME_SOCKET_PREFIX, sizeof NAME_SOCKET_PREFIX - 1) == 0)
            (void)unlinkat(directory, entry->d_name, 0);
    if (entries != NULL)
        (void)closedir(entries);
}

/* Removes a directory that has lost its segment, and the sockets in it if there are any. */
static void remove_directory(const scope *where, const char *name, int directory)
{
    if (unlinkat(where->directory, name, AT_REMOVEDIR) == 0 || (errno != ENOTEMPTY && errno != EEXIST))
        return;
    remove_sockets(directory);
    (void)unlinkat(where->directory, name, AT_REMOVEDIR);
}

/* Within one directory there is only ever one `r`; a newer object of the name is another directory. */
ist_status reap_remove(const scope *where, const char *name, const descriptor *segment, plat_error *error)
{
    struct stat facts;
    bool removed = false;
    ist_status status = IST_OK;
    int directory = descriptor_open(where->directory, name, O_RDONLY | O_DIRECTORY, 0);

    if (directory < 0)
        return errno == ENOENT ? IST_OK : error_from_errno(error, "openat");
    if (fstatat(directory, "r", &facts, AT_SYMLINK_NOFOLLOW) == 0 && facts.st_ino == segment->inode &&
        facts.st_dev == segment->device) {
        mode_t mode = facts.st_mode & 0777;
        bool whole = mode == 0600 || mode == 0660 || mode == 0666; /* has no `w` */

        /* `w` first: what is without `r` is nothing, what is without `w` is dead. */
        if (!whole && unlinkat(directory, "w", 0) != 0 && errno != ENOENT)
            status = error_from_errno(error, "unlinkat");
        if (status == IST_OK && unlinkat(directory, "r", 0) != 0 && errno != ENOENT)
            status = error_from_errno(error, "unlinkat");
        removed = status == IST_OK;
    }
    if (removed)
        remove_directory(where, name, directory);
    else
        (void)unlinkat(where->directory, name, AT_REMOVEDIR);
    descriptor_drop(directory);
    return status;
}

void reap_discard(const scope *where, const char *name)
{
    int directory = reap_open_own(where, name);

    if (directory < 0)
        return;
    (void)unlinkat(directory, "w", 0);
    (void)unlinkat(directory, "r", 0);
    remove_directory(where, name, directory);
    descriptor_drop(directory);
}

void reap_clear_remains(const scope *where, const char *name)
{
    struct stat facts;
    int directory = reap_open_own(where, name);

    if (directory < 0)
        return;
    if (fstatat(directory, "r", &facts, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
        (void)unlinkat(directory, "w", 0);
        remove_directory(where, name, directory);
    }
    descriptor_drop(directory);
}

bool reap_is_obstructed(const scope *where, const char *name)
{
    struct stat facts;
    bool obstructed = false;
    int directory = descriptor_open(where->directory, name, O_RDONLY | O_DIRECTORY, 0);

    if (directory >= 0) {
        obstructed = fstatat(directory, "r", &facts, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT &&
                     fstat(directory, &facts) == 0 && facts.st_nlink != 0;
        descriptor_drop(directory);
    }
    return obstructed;
}
