/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The segment: written whole before anybody sees it, read with suspicion.
 */
#include "posix/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "posix/descriptor.h"
#include "posix/error.h"

#if !defined(MAP_POPULATE)
#define MAP_POPULATE 0
#endif

/* ---- reserve ---- */

/* Beyond this a signal that comes again and again could keep an uninterrupted call from ever ending. */
#define STEP (UINT64_C(1) << 20)

/* A file system that cannot reserve is made to by writing, but only past the end: inside, others may be writing. */
static int write_zeros(int fd, uint64_t offset, uint64_t length)
{
    static const char zeros[4096];
    struct stat facts;
    uint64_t end = offset + length;

    if (fstat(fd, &facts) != 0)
        return errno;
    if (offset < (uint64_t)facts.st_size)
        offset = (uint64_t)facts.st_size;
    while (offset < end) {
        size_t piece = end - offset < sizeof zeros ? (size_t)(end - offset) : sizeof zeros;
        ssize_t written = pwrite(fd, zeros, piece, (off_t)offset);

        if (written < 0 && errno != EINTR)
            return errno;
        offset += written > 0 ? (uint64_t)written : 0;
    }
    return 0;
}

/* Where the kernel cannot, glibc's posix_fallocate writes zeros into what others are writing: so not that one. */
static int reserve_natively(int fd, uint64_t offset, uint64_t length)
{
#if defined(__linux__)
    return fallocate(fd, 0, (off_t)offset, (off_t)length) == 0 ? 0 : errno;
#elif defined(__APPLE__) || defined(__OpenBSD__) /* have no such call */
    (void)fd, (void)offset, (void)length;
    return EOPNOTSUPP;
#else
    return posix_fallocate(fd, (off_t)offset, (off_t)length);
#endif
}

static bool is_unsupported(int code)
{
    return code == EOPNOTSUPP || code == ENOSYS || code == EINVAL || code == ENODEV;
}

static int reserve_step(int fd, uint64_t offset, uint64_t length)
{
    int code = reserve_natively(fd, offset, length);

    return is_unsupported(code) ? write_zeros(fd, offset, length) : code;
}

/* Going past RLIMIT_FSIZE would raise SIGXFSZ. */
ist_status segment_check_end(uint64_t end, plat_error *error)
{
    struct rlimit limit;

    if (end > (uint64_t)INT64_MAX)
        return error_refuse(error, IST_E_SPACE, "size", "%s", "larger than a file can be");
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < end)
        return error_refuse(error, IST_E_SPACE, "RLIMIT_FSIZE", "%s", "");
    return IST_OK;
}

/* Asking for more than there is would first fill the file system. */
static ist_status check_room(int fd, uint64_t offset, uint64_t length, plat_error *error)
{
    uint64_t end = offset + length < offset ? UINT64_MAX : offset + length;
    struct statvfs room;
    struct stat facts;
    ist_status status = segment_check_end(end, error);

    if (status == IST_OK && length > STEP && fstatvfs(fd, &room) == 0 && room.f_blocks != 0 && room.f_frsize != 0 &&
        room.f_bavail < length / room.f_frsize)
        status = error_refuse(error, IST_E_SPACE, "statvfs", "%s", "");
    /* What is there already needs no room. */
    return status != IST_OK && fstat(fd, &facts) == 0 && (uint64_t)facts.st_size >= end ? IST_OK : status;
}

static ist_status reserve_status(int code, plat_error *error)
{
    errno = code;
    return is_unsupported(code) ? error_from_errno(error, "fallocate"),
           IST_E_UNSUPPORTED    : error_from_errno(error, "fallocate");
}

static ist_status reserve_in_steps(int (*step)(int, uint64_t, uint64_t), int fd, uint64_t offset, uint64_t length,
                                   plat_error *error)
{
    uint64_t end = offset + length;
    ist_status status = check_room(fd, offset, length, error);
    uint64_t piece = length;

    while (status == IST_OK && offset < end) {
        int code = step(fd, offset, piece);

        if (code == 0)
            offset += piece;
        else if (code != EINTR)
            status = reserve_status(code, error);
        piece = code == EINTR || piece == STEP ? STEP : piece;
        if (piece > end - offset)
            piece = end - offset;
    }
    return status;
}

ist_status segment_reserve(int fd, uint64_t offset, uint64_t length, plat_error *error)
{
    return reserve_in_steps(reserve_step, fd, offset, length, error);
}

ist_status segment_commit(int fd, uint64_t offset, uint64_t length, plat_error *error)
{
    return reserve_in_steps(reserve_natively, fd, offset, length, error);
}

/* ---- write ---- */

uint64_t segment_whole_pages(uint64_t bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    return (bytes + page - 1) / page * page;
}

uint32_t segment_data_offset(void)
{
    long page = sysconf(_SC_PAGESIZE);

    return page > SEGMENT_HEADER_SIZE ? (uint32_t)page : SEGMENT_HEADER_SIZE;
}

/* The size that the file must have for this header; UINT64_MAX: there is none. */
static uint64_t expected_size(const segment_header *header)
{
    if ((header->flags & SEGMENT_FILE) != 0)
        return SEGMENT_PATH_OFFSET + SEGMENT_PATH_SIZE;
    return header->size > UINT64_MAX - header->data_offset ? UINT64_MAX : header->data_offset + header->size;
}

static ist_status extend(int fd, uint64_t end, plat_error *error)
{
    ist_status status = segment_check_end(end, error);

    if (status == IST_OK && ftruncate(fd, (off_t)end) != 0)
        status = errno == EINVAL ? error_from_errno(error, "ftruncate"),
        IST_E_SPACE              : error_from_errno(error, "ftruncate");
    return status;
}

static ist_status take_room(int fd, const segment_header *header, plat_error *error)
{
    uint64_t end = expected_size(header);
    ist_status status = IST_OK;

    if ((header->flags & SEGMENT_SPARSE) == 0)
        return segment_reserve(fd, 0, end, error);
    status = segment_reserve(fd, 0, SEGMENT_HEADER_SIZE, error);
    return status == IST_OK ? extend(fd, end, error) : status;
}

static ist_status write_path(int fd, const char *path, size_t length, plat_error *error)
{
    ssize_t written = 0;

    do
        written = pwrite(fd, path, length, SEGMENT_PATH_OFFSET);
    while (written < 0 && errno == EINTR);
    if (written >= 0 && (size_t)written != length) {
        errno = ENOSPC; /* a short write to a file means that its next byte found no room */
        written = -1;
    }
    return written < 0 ? error_from_errno(error, "pwrite") : IST_OK;
}

ist_status segment_write(int fd, const segment_header *header, const segment_content *content, segment_life *out,
                         plat_error *error)
{
    ist_status status = take_room(fd, header, error);

    if (status == IST_OK)
        status = segment_life_map(fd, false, out, error);
    if (status == IST_OK)
        memcpy(out->page, header, sizeof *header);
    if (status == IST_OK && content->words != NULL)
        memcpy((char *)out->page + SEGMENT_WORDS_OFFSET, content->words, SEGMENT_WORDS_SIZE);
    if (status == IST_OK && content->path != NULL)
        status = write_path(fd, content->path, header->path_length, error);
    return status;
}

/* ---- read ---- */

int segment_open(int scope_directory, const char *name)
{
    int fd = -1;
    int directory = descriptor_open(scope_directory, name, O_RDONLY | O_DIRECTORY, 0);

    if (directory < 0)
        return -1;
    fd = descriptor_open(directory, "r", O_RDONLY, 0);
    descriptor_drop(directory);
    return fd;
}

static bool is_terminated(const char *text, size_t size, uint32_t length)
{
    return length < size && memchr(text, '\0', size) == text + length;
}

/* What consists of words has no data. */
static bool has_sound_size(const segment_header *header)
{
    bool words = (header->kind >= SEGMENT_MUTEX && header->kind <= SEGMENT_TIMER) || header->kind == SEGMENT_PIPE;

    return words == (header->size == 0);
}

static bool is_sound(const segment_header *header, uint64_t file_size)
{
    bool file = (header->flags & SEGMENT_FILE) != 0;

    return (header->flags & ~(SEGMENT_SPARSE | SEGMENT_FILE | SEGMENT_READ_ONLY)) == 0 && has_sound_size(header) &&
           header->audience <= IST_AUDIENCE_EVERYONE_WRITE &&
           is_terminated(header->name, sizeof header->name, header->name_length) &&
           (file ? header->path_length > 0 && header->path_length < SEGMENT_PATH_SIZE : header->path_length == 0) &&
           header->data_offset == segment_data_offset() && expected_size(header) == file_size;
}

static ist_status check(const segment_header *header, const struct stat *facts, plat_error *error)
{
    if (header->magic == SEGMENT_MAGIC_SWAPPED)
        return error_refuse(error, IST_E_LAYOUT, "segment magic", "%s", "made by a machine of the other byte order");
    if (header->magic != SEGMENT_MAGIC)
        return error_refuse(error, IST_E_CORRUPT, "segment magic", "%s", "");
    if (header->layout != SEGMENT_LAYOUT)
        return error_refuse(error, IST_E_LAYOUT, "segment layout", "version %u", (unsigned)header->layout);
    return is_sound(header, (uint64_t)facts->st_size) ? IST_OK
                                                      : error_refuse(error, IST_E_CORRUPT, "segment header", "%s", "");
}

ist_status segment_read(int fd, const struct stat *facts, segment_header *out, plat_error *error)
{
    ssize_t length = 0;

    do
        length = pread(fd, out, sizeof *out, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return error_from_errno(error, "pread");
    if ((size_t)length != sizeof *out || facts->st_size < SEGMENT_HEADER_SIZE)
        return error_refuse(error, IST_E_CORRUPT, "segment size", "%s", "");
    return check(out, facts, error);
}

ist_status segment_read_mapped(const segment_life *life, const struct stat *facts, segment_header *out,
                               plat_error *error)
{
    const volatile uint64_t *from = life->page;
    uint64_t words[sizeof *out / sizeof *from];

    /* Each byte is read once: what is checked is what is used. */
    for (size_t n = 0; n < sizeof words / sizeof *words; n++)
        words[n] = from[n];
    memcpy(out, words, sizeof *out);
    return check(out, facts, error);
}

ist_status segment_read_path(int fd, const segment_header *header, char out[SEGMENT_PATH_SIZE], plat_error *error)
{
    ssize_t length = 0;

    do
        length = pread(fd, out, SEGMENT_PATH_SIZE, SEGMENT_PATH_OFFSET);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return error_from_errno(error, "pread");
    return length == SEGMENT_PATH_SIZE && out[0] == '/' && is_terminated(out, SEGMENT_PATH_SIZE, header->path_length)
               ? IST_OK
               : error_refuse(error, IST_E_CORRUPT, "segment path", "%s", "");
}

/* ---- life word ---- */

ist_status segment_life_map(int fd, bool apart, segment_life *out, plat_error *error)
{
    size_t word_offset = apart ? 0 : offsetof(segment_header, life);
    void *page = mmap(NULL, SEGMENT_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

    if (page == MAP_FAILED)
        return errno == EAGAIN ? error_from_errno(error, "mmap"), IST_E_MEMORY : error_from_errno(error, "mmap");
    out->page = page;
    out->word = (volatile uint32_t *)(void *)((char *)page + word_offset);
    return IST_OK;
}

void segment_life_unmap(segment_life *life)
{
    if (life->page != NULL)
        (void)munmap(life->page, SEGMENT_HEADER_SIZE);
    *life = (segment_life){NULL, NULL};
}
