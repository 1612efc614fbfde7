/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The file behind a mapping of a file.
 */
#include "posix/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "posix/error.h"

static int open_path(const char *path, ist_access access)
{
    int fd = -1;

    do
        fd = open(path, (access == IST_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && fd <= 2) {
        int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        descriptor_drop(fd);
        fd = moved;
    }
    return fd;
}

static ist_status fit_size(const plat_mapping_request *request, int fd, uint64_t length, uint64_t *size,
                           plat_error *error)
{
    *size = request->size != 0 ? request->size : length;
    if (*size == 0)
        return error_refuse(error, IST_E_SIZE, "file size", "%s", "the file is empty");
    if (request->access == IST_READ)
        return *size <= length ? IST_OK : error_refuse(error, IST_E_ACCESS, "file size", "%s", "the file is smaller");
    return segment_reserve(fd, 0, *size, error);
}

static ist_status refuse_path(plat_error *error)
{
    int code = errno;
    ist_status status = error_from_errno(error, "open");

    if (code == EISDIR)
        status = IST_E_ACCESS;
    else if (code == ENXIO || code == EOPNOTSUPP) /* a socket */
        status = IST_E_ARG;
    return status;
}

ist_status file_open(const plat_mapping_request *request, descriptor *out, char *absolute, uint64_t *size,
                     plat_error *error)
{
    char *real = NULL;
    struct stat facts;
    ist_status status = IST_OK;
    int fd = open_path(request->path, request->access);

    if (fd < 0)
        return refuse_path(error);
    if (fstat(fd, &facts) != 0)
        status = error_from_errno(error, "fstat");
    else if (!S_ISREG(facts.st_mode))
        status =
            error_refuse(error, S_ISDIR(facts.st_mode) ? IST_E_ACCESS : IST_E_ARG, "path", "%s", "no regular file");
    if (status == IST_OK && ((real = realpath(request->path, NULL)) == NULL || strlen(real) >= SEGMENT_PATH_SIZE)) {
        errno = real == NULL ? errno : ENAMETOOLONG;
        status = error_from_errno(error, "realpath");
    }
    if (status == IST_OK)
        status = fit_size(request, fd, (uint64_t)facts.st_size, size, error);
    if (status == IST_OK && real != NULL) {
        memcpy(absolute, real, strlen(real) + 1);
        descriptor_own(out, fd, facts.st_dev, facts.st_ino);
    } else {
        descriptor_drop(fd);
    }
    free(real);
    return status;
}

static bool is_file_of(const registry_entry *entry, const struct stat *facts)
{
    return S_ISREG(facts->st_mode) && (uint64_t)facts->st_dev == entry->header.file_device &&
           (uint64_t)facts->st_ino == entry->header.file_inode;
}

ist_status file_reopen(const registry_entry *entry, ist_access access, descriptor *out, plat_error *error)
{
    char path[SEGMENT_PATH_SIZE];
    struct stat facts;
    ist_status status = segment_read_path(entry->access.fd, &entry->header, path, error);
    int fd = -1;

    if (status != IST_OK)
        return status;
    /* Looked at before it is opened: opening a device can do things. */
    if (stat(path, &facts) != 0)
        return errno == ENOENT || errno == ENOTDIR ? error_from_errno(error, "stat"),
               IST_E_BROKEN                        : error_from_errno(error, "stat");
    if (!is_file_of(entry, &facts))
        return error_refuse(error, IST_E_BROKEN, "file", "%s", "another file has its place");
    /* Or a stranger could have us write into a file of ours, or of anybody who lets us. */
    if (entry->owner != entry->where.user && facts.st_uid != entry->owner)
        return error_refuse(error, IST_E_ACCESS, "file", "%s", "not the file of who made the mapping");
    fd = open_path(path, access);
    if (fd < 0)
        return error_from_errno(error, "open");
    if (fstat(fd, &facts) != 0 || !is_file_of(entry, &facts)) {
        descriptor_drop(fd);
        return error_refuse(error, IST_E_BROKEN, "file", "%s", "another file has its place");
    }
    descriptor_own(out, fd, facts.st_dev, facts.st_ino);
    return IST_OK;
}
