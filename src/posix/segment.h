/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The segment: the file that is an object. One page of header, then the data.
 *
 *   byte  size  field            written by
 *      0     4  magic            the maker, before publishing; so are all others but the life word
 *      4     4  layout           version of this table
 *      8     4  kind             segment_kind
 *     12     4  flags            SEGMENT_SPARSE, SEGMENT_FILE, SEGMENT_READ_ONLY
 *     16     4  audience         ist_audience
 *     20     4  name_length      bytes of the name, 0 for an unnamed object
 *     24     8  id               tells one object from another of the same name
 *     32     8  size             of the data, bytes
 *     40     8  file_device      the mapped file, or 0
 *     48     8  file_inode
 *     56     4  path_length      bytes of the file's path, or 0
 *     60     4  data_offset      segment_data_offset() of all processes of this machine
 *     64     4  life             any holder, by compare-and-swap only: docs/posix-registry.md. In all layouts here,
 *                                since a reaper needs it of objects that it does not understand. Where an audience
 *                                may only read, the word at byte 0 of the file `w` takes its place.
 *     68    60  reserved         0
 *    128   264  name             with its prefix, terminated
 *    392   120  reserved         0
 *    512  2048  words            of a mutex, semaphore, event or timer: posix/object.h; of a pipe: posix/instance.h; of
 *                                a mailslot: posix/mail.h; else 0
 *   2560  1536  reserved         0
 *   4096  4096  path             only for a file: absolute, terminated
 *  data_offset  data             only for memory
 *
 * What is read from a segment may have been written by a hostile peer: it is copied, then checked, then used.
 */
#ifndef ISTHMUS_POSIX_SEGMENT_H
#define ISTHMUS_POSIX_SEGMENT_H

#include <limits.h>
#include <sys/stat.h>

#include "core/plat.h"

#define SEGMENT_MAGIC UINT32_C(0x49535448)         /* read with the other byte order it is: */
#define SEGMENT_MAGIC_SWAPPED UINT32_C(0x48545349) /* a machine that shares no layout with us */
#define SEGMENT_LAYOUT UINT32_C(1)

#define SEGMENT_HEADER_SIZE 4096
#define SEGMENT_PATH_OFFSET 4096
#define SEGMENT_PATH_SIZE 4096

#define SEGMENT_SPARSE UINT32_C(1)
#define SEGMENT_FILE UINT32_C(2)
#define SEGMENT_READ_ONLY UINT32_C(4) /* made by a handle for reading: nobody writes, whatever the file's mode */

#define SEGMENT_WORDS_OFFSET 512
#define SEGMENT_WORDS_SIZE 2048

/* SEGMENT_LIVES and SEGMENT_CLAIMS are the library's own: posix/life.h, posix/claim.h. */
typedef enum segment_kind {
    SEGMENT_ANY = 0, /* to look for */
    SEGMENT_MAPPING = 1,
    SEGMENT_MUTEX = 2,
    SEGMENT_SEMAPHORE = 3,
    SEGMENT_EVENT = 4,
    SEGMENT_TIMER = 5,
    SEGMENT_LIVES = 6,
    SEGMENT_CLAIMS = 7,
    SEGMENT_PIPE = 8,
    SEGMENT_MAILSLOT = 9
} segment_kind;

typedef struct segment_header {
    uint32_t magic;
    uint32_t layout;
    uint32_t kind;
    uint32_t flags;
    uint32_t audience;
    uint32_t name_length;
    uint64_t id;
    uint64_t size;
    uint64_t file_device;
    uint64_t file_inode;
    uint32_t path_length;
    uint32_t data_offset;
    uint32_t life;
    uint32_t reserved[15];
    char name[264];
} segment_header;

_Static_assert(sizeof(segment_header) == 392, "the table above");
_Static_assert(offsetof(segment_header, audience) == 16, "the table above");
_Static_assert(offsetof(segment_header, id) == 24, "the table above");
_Static_assert(offsetof(segment_header, size) == 32, "the table above");
_Static_assert(offsetof(segment_header, file_inode) == 48, "the table above");
_Static_assert(offsetof(segment_header, path_length) == 56, "the table above");
_Static_assert(offsetof(segment_header, data_offset) == 60, "the table above");
_Static_assert(offsetof(segment_header, life) == 64, "the table above");
_Static_assert(offsetof(segment_header, name) == 128, "the table above");

/* Where a mapped life word lies, and how to unmap it. */
typedef struct segment_life {
    volatile uint32_t *word;
    void *page; /* of a segment, or of a `w` */
} segment_life;

/* Rounds a number of bytes up to what can be mapped. */
uint64_t segment_whole_pages(uint64_t bytes);

/* Where the data begins: behind the header, at a multiple of what can be mapped. */
uint32_t segment_data_offset(void);

/* What stands behind the header: the file's path, or the words, or neither. */
typedef struct segment_content {
    const char *path;  /* absolute, or NULL */
    const void *words; /* SEGMENT_WORDS_SIZE bytes, or NULL */
} segment_content;

/* Writes a new segment: takes the backing of all of it that is not sparse, maps its page, and writes the header and
   the content. *out stays mapped until segment_life_unmap, also on failure. */
ist_status segment_write(int fd, const segment_header *header, const segment_content *content, segment_life *out,
                         plat_error *error);

/* Opens the segment in an entry's directory for reading, following no link: -1 with errno, ENOENT if there is none. */
int segment_open(int scope_directory, const char *name);

/* Reads a header with a call that cannot fault, and checks it against the file's size: IST_E_CORRUPT, IST_E_LAYOUT. */
ist_status segment_read(int fd, const struct stat *facts, segment_header *out, plat_error *error);

/* The same from the segment's mapped page. */
ist_status segment_read_mapped(const segment_life *life, const struct stat *facts, segment_header *out,
                               plat_error *error);

/* Reads the path of the mapped file. */
ist_status segment_read_path(int fd, const segment_header *header, char out[SEGMENT_PATH_SIZE], plat_error *error);

/* Maps the page of a segment or of a `w` with the life word in it, until segment_life_unmap. */
ist_status segment_life_map(int fd, bool apart, segment_life *out, plat_error *error);
void segment_life_unmap(segment_life *life);

/* IST_E_SPACE: no file of this process may be so large. */
ist_status segment_check_end(uint64_t end, plat_error *error);

/* Takes backing for a range of a file, extending it: IST_E_SPACE. What an interrupted call took stays taken. */
ist_status segment_reserve(int fd, uint64_t offset, uint64_t length, plat_error *error);

/* The same for the holes inside a file, where nothing may be written: IST_E_UNSUPPORTED where only writing would do. */
ist_status segment_commit(int fd, uint64_t offset, uint64_t length, plat_error *error);

#endif
