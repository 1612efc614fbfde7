/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Shared memory by name. A mapping is created under a name by one process and opened by others; each maps views of it
 * and reads and writes them as plain memory. When the last handle in any process is gone - closed, exited or killed -
 * the name is free; views that are still mapped stay usable.
 */
#ifndef ISTHMUS_MAPPING_H
#define ISTHMUS_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/name.h>
#include <isthmus/status.h>

IST_BEGIN_DECLS

/* Offsets of views are multiples of this many bytes, on every system. */
#define IST_GRANULARITY 65536

/* A handle to a mapping. Any thread may use it, several at once; only the close must be the last. */
typedef struct ist_mapping ist_mapping;

/* A mapped view. `data` and `size` are for the caller to read; the struct may be copied, but unmapped once. */
typedef struct ist_view {
    void *data;     /* the first byte */
    size_t size;    /* bytes: the length asked for, or what remained */
    void *reserved; /* the library's */
} ist_view;

#define IST_VIEW_INIT                                                                                                  \
    {                                                                                                                  \
        0, 0, 0                                                                                                        \
    }

/* Flags of a mapping. */
#define IST_MAPPING_SPARSE 0x1u /* reserve only: a page may be touched once ist_view_commit() has taken it */

typedef struct ist_mapping_options {
    uint32_t struct_size;  /* sizeof(ist_mapping_options), as IST_MAPPING_OPTIONS_INIT sets it */
    uint32_t flags;        /* IST_MAPPING_SPARSE or 0 */
    const char *path;      /* UTF-8 path of a file to map, which must exist; NULL maps memory */
    ist_access access;     /* of the handle: IST_WRITE (0 means that) or IST_READ */
    ist_audience audience; /* who else may open it; 0 nobody but this user */
    ist_trust trust;       /* whose object is accepted if the name is taken; 0 only this user's */
} ist_mapping_options;

#define IST_MAPPING_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_mapping_options), 0, 0, 0, IST_AUDIENCE_OWNER, IST_TRUST_OWNER                            \
    }

/**
 * Creates a mapping under `name`, or opens the one that is there.
 * Shape:    name as in SEMANTICS N1-N2, NULL for an unnamed one; size in bytes, rounded up to ist_page_size() for
 *           memory, exact for a file, where 0 takes the file's; options may be NULL. Memory is zero-filled. All
 *           backing is taken before the call returns, unless IST_MAPPING_SPARSE asks to reserve only.
 * Owns:     on IST_OK and IST_EXISTED *out is yours until ist_mapping_close(); otherwise *out is NULL.
 * Errors:   IST_EXISTED (not an error: the object was there; size and path were checked and ignored), IST_E_ARG (size
 *           0 for memory, unknown flags, sparse over a file, a read-only handle to new memory), IST_E_NAME,
 *           IST_E_NOT_FOUND (no such file), IST_E_KIND, IST_E_ACCESS (also: a read-only mapping larger than its file;
 *           a name taken by a user who is not trusted), IST_E_SIZE (an empty file with size 0), IST_E_SPACE,
 *           IST_E_MEMORY, IST_E_LIMIT, IST_E_BROKEN, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: never on another process; reserving much memory or extending a file takes its time.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: `Local\` is the effective user's, so an audience widens only `Global\`; closing a mapping of a
 *           file drops the process's own fcntl() locks on that file; IST_E_SPACE may leave a file longer than it was,
 *           and of two creators each in the other's way both may get it. Windows: `Global\` may need a privilege.
 * Source:   Win32 CreateFileMappingW; POSIX.1-2017 mmap, posix_fallocate.                                Since: 0.1
 */
IST_API ist_status ist_mapping_create(ist_mapping **out, const char *name, uint64_t size,
                                      const ist_mapping_options *options);

/**
 * Opens the mapping that another handle holds under `name`.
 * Shape:    name as in SEMANTICS N1-N2, not NULL; access IST_READ or IST_WRITE (which includes reading), with
 *           IST_TRUST_EVERYONE or-ed in to accept another user's object.
 * Owns:     on IST_OK *out is yours until ist_mapping_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG, IST_E_NAME, IST_E_NOT_FOUND, IST_E_KIND, IST_E_ACCESS, IST_E_BROKEN (the file behind it was
 *           moved or removed), IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE (the system's),
 *           IST_E_OS.
 * Blocking: never; lost races are retried a bounded number of times.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: another user's mapping of a file is opened only if the file is that user's own.
 * Source:   Win32 OpenFileMappingW; POSIX.1-2017 open, mmap.                                             Since: 0.1
 */
IST_API ist_status ist_mapping_open(ist_mapping **out, const char *name, ist_access access);

/**
 * Tells the mapping's size, the same in every process.
 * Shape:    in bytes; 0 for NULL.
 * Owns:     nothing.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 NtQuerySection.                                                                        Since: 0.1
 */
IST_API uint64_t ist_mapping_size(const ist_mapping *mapping);

/**
 * Maps a view: plain memory, without a call or a check on access.
 * Shape:    access IST_READ, IST_WRITE or IST_COPY; offset a multiple of IST_GRANULARITY; length in bytes, 0 for all
 *           that remains. A view for reading faults on writing; a copy starts from what is there when first touched
 *           and its writes reach nobody.
 * Owns:     on IST_OK *out is yours until ist_view_unmap(), also after ist_mapping_close(); otherwise it is empty.
 * Errors:   IST_E_ARG, IST_E_RANGE, IST_E_ACCESS (a writable view of a handle for reading), IST_E_SPACE (a copy),
 *           IST_E_MEMORY (no room in the address space), IST_E_LIMIT, IST_E_BROKEN (the program closed the descriptor
 *           under the handle), IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: touching a view of a file that has since been cut short may fault.
 * Source:   Win32 MapViewOfFile; POSIX.1-2017 mmap.                                                      Since: 0.1
 */
IST_API ist_status ist_mapping_view(ist_mapping *mapping, ist_access access, uint64_t offset, size_t length,
                                    ist_view *out);

/**
 * Makes what a view of a file wrote durable; for memory it does nothing.
 * Shape:    view is mapped.
 * Owns:     nothing.
 * Errors:   IST_E_ARG, IST_E_ACCESS, IST_E_BROKEN, IST_E_SPACE, IST_E_OS.
 * Blocking: until the file system has it.
 * Threads:  any thread; not a signal handler.
 * Platform: Windows: where the mapping was opened by name or imported, the pages are handed to the file system, which
 *           decides when they reach the disk.
 * Source:   Win32 FlushViewOfFile, FlushFileBuffers; POSIX.1-2017 msync.                                 Since: 0.1
 */
IST_API ist_status ist_view_flush(const ist_view *view);

/**
 * Takes backing for pages of a sparse mapping, for all processes, until the object goes.
 * Shape:    view is for writing; offset and length in bytes, any alignment, widened to whole pages; length 0 is to
 *           the end of the view. What is backed already stays as it is, so of a mapping that is not sparse
 *           everything does.
 * Owns:     nothing.
 * Errors:   IST_E_ARG, IST_E_RANGE, IST_E_ACCESS (the view is not for writing), IST_E_SPACE (then part of it may be
 *           taken), IST_E_BROKEN, IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: never on another process; taking much memory takes its time.
 * Threads:  any thread; not a signal handler.
 * Platform: IST_E_UNSUPPORTED on macOS and OpenBSD, and where a file system cannot reserve: nothing was taken there.
 * Source:   Win32 VirtualAlloc (MEM_COMMIT); POSIX.1-2017 posix_fallocate.                               Since: 0.1
 */
IST_API ist_status ist_view_commit(const ist_view *view, size_t offset, size_t length);

/**
 * Unmaps a view and empties the struct.
 * Shape:    NULL and an empty view do nothing.
 * Owns:     takes what ist_mapping_view() gave.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; not a signal handler; nobody may touch the view any more.
 * Platform: none that can be seen.
 * Source:   Win32 UnmapViewOfFile; POSIX.1-2017 munmap.                                                  Since: 0.1
 */
IST_API void ist_view_unmap(ist_view *view);

/**
 * Makes a token with which one other process can open this object, named or not, once.
 * Shape:    process_id names a living process (a child, or a peer that told its ist_process_id()); access IST_READ or
 *           IST_WRITE, no more than the handle's; token has room for IST_TOKEN_SIZE bytes and gets a printable
 *           ASCII text without spaces. Bring it there by any means: it is no secret, elsewhere it is worthless.
 * Owns:     token is the caller's buffer; an empty string after a failure.
 * Errors:   IST_E_ARG (also: no such process), IST_E_ACCESS (more than the handle allows; a process that the caller
 *           may not reach), IST_E_SPACE, IST_E_LIMIT, IST_E_MEMORY, IST_E_BROKEN, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: a token that is not imported holds the object: on Windows until the target ends, on POSIX until the
 *           exporter or the target does. POSIX: only a process of the same effective user can be reached.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.1
 */
IST_API ist_status ist_mapping_export(ist_mapping *mapping, uint64_t process_id, ist_access access,
                                      char token[IST_TOKEN_SIZE]);

/**
 * Opens the object that a token of ist_mapping_export() stands for. A token serves once.
 * Shape:    token as it was made, for this process.
 * Owns:     on IST_OK *out is yours until ist_mapping_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG (not a token, not for this process, used before, or its exporter has ended and took the object
 *           along), IST_E_KIND, IST_E_ACCESS, IST_E_BROKEN, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT, IST_E_MEMORY,
 *           IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 DuplicateHandle.                                                                       Since: 0.1
 */
IST_API ist_status ist_mapping_import(ist_mapping **out, const char *token);

/**
 * Lets the handle go. With the last one in any process the object and its name vanish; views stay usable.
 * Shape:    NULL does nothing.
 * Owns:     takes what create, open or import gave.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; not a signal handler; no other thread may use the handle any more.
 * Platform: none that can be seen.
 * Source:   Win32 CloseHandle; POSIX.1-2017 close, unlink.                                               Since: 0.1
 */
IST_API void ist_mapping_close(ist_mapping *mapping);

/**
 * Tells the page size: sizes of memory mappings are rounded up to it, and it is what ist_view_commit() takes at a time.
 * Shape:    in bytes, a power of two.
 * Owns:     nothing.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   POSIX sysconf(_SC_PAGESIZE); Win32 GetSystemInfo.                                            Since: 0.1
 */
IST_API uint64_t ist_page_size(void);

IST_END_DECLS

#endif
