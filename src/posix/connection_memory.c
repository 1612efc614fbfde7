/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The memory of a connection: a file without a name, in which pages are taken when they are first touched, and which
 * nobody can cut short once it is sealed. Where the system has no such files it is one whose name goes at once, and the
 * peer must be trusted not to cut it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

#include "posix/connection_end.h"
#include "posix/error.h"

#define FIRST_NUMBER 3
#define MOST_NAMES 100

/* ---- files ---- */

/* A filter may forbid what a system has. */
static bool is_missing(void)
{
    return errno == ENOSYS || errno == EPERM;
}

#if defined(__linux__) && defined(SYS_memfd_create)

/* As the kernel numbers them; not every C library comes with its headers. */
#define CLOSE_ON_EXEC 1U
#define ALLOW_SEALING 2U
#define NOT_EXECUTABLE 8U
#define ADD_SEALS 1033
#define GET_SEALS 1034
#define SEALS 7 /* against more seals, shrinking and growing */
#define TMPFS 0x01021994

/* Kernels since 6.3 may insist on NOT_EXECUTABLE, which earlier ones do not know. */
static int make_sealable(void)
{
    long fd = syscall(SYS_memfd_create, "isthmus", CLOSE_ON_EXEC | ALLOW_SEALING | NOT_EXECUTABLE);

    if (fd < 0 && errno == EINVAL)
        fd = syscall(SYS_memfd_create, "isthmus", CLOSE_ON_EXEC | ALLOW_SEALING);
    return (int)fd;
}

static bool can_seal(void)
{
    int fd = make_sealable();

    if (fd >= 0)
        descriptor_drop(fd);
    return fd >= 0 || !is_missing();
}

/* A file that was made by name has the seal against seals from the first. */
static bool seal(int fd)
{
    return fcntl(fd, ADD_SEALS, SEALS) == 0 || errno == EINVAL || (errno == EPERM && !can_seal());
}

/* Pages of another size could be taken away again and not be had a second time. */
static bool is_plain(int fd)
{
    struct statfs facts;

    return fstatfs(fd, &facts) == 0 && (uint32_t)facts.f_type == TMPFS;
}

/* Seals are asked for first: that asks no file system, and a peer's may never answer. */
bool connection_is_sealed(int fd)
{
    int seals = fcntl(fd, GET_SEALS);

    return seals >= 0 && ((seals & SEALS) == SEALS || !can_seal()) && is_plain(fd);
}

#else

static int make_sealable(void)
{
    errno = ENOSYS;
    return -1;
}

static bool seal(int fd)
{
    (void)fd;
    return true;
}

bool connection_is_sealed(int fd)
{
    (void)fd;
    return true;
}

#endif

static int make_named(void)
{
    char name[40];
    int fd = -1;

    for (int i = 0; i < MOST_NAMES && fd < 0; i++) {
        (void)snprintf(name, sizeof name, "/isthmus-%016" PRIx64, name_number());
        fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
        if (fd >= 0)
            (void)shm_unlink(name);
        else if (errno != EEXIST)
            return -1;
    }
    return fd;
}

static int above_standard(int fd)
{
    int moved = fd < FIRST_NUMBER ? fcntl(fd, F_DUPFD_CLOEXEC, FIRST_NUMBER) : fd;

    if (moved != fd)
        descriptor_drop(fd);
    return moved;
}

static ist_status make_file(int *fd, plat_error *error)
{
    *fd = make_sealable();
    if (*fd < 0 && is_missing())
        *fd = make_named();
    if (*fd >= 0)
        *fd = above_standard(*fd);
    return *fd >= 0 ? IST_OK : error_from_errno(error, "memfd_create");
}

/* ---- content ---- */

uint64_t connection_size(const connection_shape *shape)
{
    return CONNECTION_DATA + ring_capacity(shape->inbound_bytes) + ring_capacity(shape->outbound_bytes);
}

static bool is_shape(const connection_shape *shape)
{
    return shape->inbound_bytes != 0 && shape->inbound_bytes <= IST_PIPE_BUFFER_MAX && shape->outbound_bytes != 0 &&
           shape->outbound_bytes <= IST_PIPE_BUFFER_MAX;
}

static connection_words words_of(const connection_shape *shape)
{
    return (connection_words){
        .magic = CONNECTION_MAGIC,
        .layout = CONNECTION_LAYOUT,
        .messages = shape->messages ? 1 : 0,
        .inbound_bytes = shape->inbound_bytes,
        .outbound_bytes = shape->outbound_bytes,
        .inbound = {.bell = RING_ARMED},
        .outbound = {.bell = RING_ARMED},
    };
}

/* NULL with errno; without a file it is memory that forked children share. */
static void *map(int fd, uint64_t size)
{
    int flags = fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANON;
    void *at = MAP_FAILED;

    if (size > SIZE_MAX)
        errno = ENOMEM;
    else
        at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, flags, fd, 0);
    return at != MAP_FAILED ? at : NULL;
}

/* Some systems map such files only. */
static ist_status put_words(int fd, const connection_words *words, plat_error *error)
{
    void *at = NULL;

    if (pwrite(fd, words, sizeof *words, 0) == (ssize_t)sizeof *words)
        return IST_OK;
    if (errno == ENOSPC || errno == ENOMEM)
        return error_from_errno(error, "pwrite");
    at = map(fd, sizeof *words);
    if (at == NULL)
        return error_from_errno(error, "mmap");
    memcpy(at, words, sizeof *words);
    (void)munmap(at, sizeof *words);
    return IST_OK;
}

static ist_status fill(int fd, const connection_shape *shape, plat_error *error)
{
    const connection_words words = words_of(shape);
    ist_status status = segment_check_end(connection_size(shape), error);

    if (status != IST_OK)
        return status;
    if (ftruncate(fd, (off_t)connection_size(shape)) != 0)
        return error_from_errno(error, "ftruncate");
    status = put_words(fd, &words, error);
    if (status != IST_OK)
        return status;
    return seal(fd) ? IST_OK : error_from_errno(error, "fcntl F_ADD_SEALS");
}

ist_status connection_memory(const connection_shape *shape, int *fd, plat_error *error)
{
    ist_status status = IST_OK;

    *fd = -1;
    if (!is_shape(shape))
        return error_refuse(error, IST_E_CORRUPT, "buffers of a pipe", "%s", "");
    status = make_file(fd, error);
    if (status == IST_OK)
        status = fill(*fd, shape, error);
    if (status != IST_OK && *fd >= 0) {
        descriptor_drop(*fd);
        *fd = -1;
    }
    return status;
}

/* ---- mapping ---- */

static ist_status check_file(const connection_shape *shape, off_t size, plat_error *error)
{
    if (!is_shape(shape) || size < 0 || (uint64_t)size < connection_size(shape))
        return error_refuse(error, IST_E_CORRUPT, "size of a pipe's memory", "%s", "");
    return IST_OK;
}

static ist_status check_words(const volatile connection_words *words, const connection_shape *shape, plat_error *error)
{
    if (words->magic != CONNECTION_MAGIC || words->layout != CONNECTION_LAYOUT ||
        words->messages != (shape->messages ? 1U : 0U) || words->inbound_bytes != shape->inbound_bytes ||
        words->outbound_bytes != shape->outbound_bytes)
        return error_refuse(error, IST_E_CORRUPT, "header of a pipe's memory", "%s", "");
    return IST_OK;
}

static void set_rings(connection *of, const connection_shape *shape, bool server)
{
    uint64_t capacity = ring_capacity(shape->inbound_bytes);
    unsigned char *data = (unsigned char *)(uintptr_t)of->words + CONNECTION_DATA;
    ring inbound = {&of->words->inbound, data, capacity, shape->inbound_bytes, shape->messages, &of->side->ring};
    ring outbound = {&of->words->outbound,  data + capacity, ring_capacity(shape->outbound_bytes),
                     shape->outbound_bytes, shape->messages, &of->side->ring};

    of->in = server ? inbound : outbound;
    of->out = server ? outbound : inbound;
    ring_begin_reader(&of->in);
    ring_begin_writer(&of->out);
}

/* Memory that may not be written is not what we make. */
static ist_status refuse_mapping(plat_error *error)
{
    ist_status status = error_from_errno(error, "mmap");

    return status == IST_E_ACCESS ? IST_E_CORRUPT : status;
}

ist_status connection_map(connection *of, const connection_shape *shape, bool server, off_t size, plat_error *error)
{
    ist_status status = check_file(shape, size, error);

    if (status != IST_OK)
        return status;
    of->size = connection_size(shape);
    of->words = map(of->memory.fd, of->size);
    if (of->words != NULL)
        of->side = map(-1, sizeof *of->side);
    if (of->words == NULL || of->side == NULL)
        return refuse_mapping(error);
    status = check_words(of->words, shape, error);
    if (status == IST_OK)
        set_rings(of, shape, server);
    return status;
}

void connection_unmap(connection *of)
{
    if (of->words != NULL)
        (void)munmap((void *)(uintptr_t)of->words, (size_t)of->size);
    if (of->side != NULL)
        (void)munmap(of->side, sizeof *of->side);
}
