/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots: one reader, who makes the slot, and any number of writers, in any process of the machine. Messages arrive
 * first in, first out, whole or not at all; nobody answers.
 *
 * Names are as those of pipes (isthmus/pipe.h), with `\\.\mailslot\` that may stand before, and a set of their own.
 *
 * A write never waits. A writer that is killed in the middle of it leaves the whole message or nothing; one that is
 * stopped there delays nobody. The slot and its unread messages vanish with the reader's last handle.
 *
 * fork: the child has the handle as well; of the reader's handle both may read, but not at the same time.
 */
#ifndef ISTHMUS_MAILSLOT_H
#define ISTHMUS_MAILSLOT_H

#include <stddef.h>
#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/status.h>
#include <isthmus/wait.h>

IST_BEGIN_DECLS

/* Bytes in the longest name, without `\\.\mailslot\` and terminator. */
#define IST_MAILSLOT_NAME_MAX 247

/* Bytes that a slot holds unless it is told otherwise, and no more than which can be asked for. */
#define IST_MAILSLOT_CAPACITY UINT32_C(1048576)
#define IST_MAILSLOT_CAPACITY_MAX UINT32_C(1073741824)

/* In ist_mailslot_facts: no message waits. */
#define IST_MAILSLOT_NONE UINT64_MAX

/* A handle to a mailslot: the reader's, or a writer's. Any thread may use it, several at once; only the close must be
   the last. */
typedef struct ist_mailslot ist_mailslot;

typedef struct ist_mailslot_options {
    uint32_t struct_size;    /* sizeof(ist_mailslot_options), as IST_MAILSLOT_OPTIONS_INIT sets it */
    uint32_t flags;          /* 0 */
    uint32_t message_max;    /* bytes of the largest message; 0 any that fits */
    uint32_t capacity_bytes; /* what can wait: of each message its size and up to 256 bytes more; 0 is
                                IST_MAILSLOT_CAPACITY. Windows: ignored, the system's memory is the limit */
    ist_audience audience;   /* who else may write: IST_AUDIENCE_OWNER or one of those for writing */
    ist_trust trust;         /* IST_TRUST_OWNER or IST_TRUST_EVERYONE: nothing depends on it */
} ist_mailslot_options;

#define IST_MAILSLOT_OPTIONS_INIT                                                                                      \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_mailslot_options), 0, 0, 0, IST_AUDIENCE_OWNER, IST_TRUST_OWNER                           \
    }

/* What the reader can know. */
typedef struct ist_mailslot_facts {
    uint32_t struct_size;    /* in: sizeof(ist_mailslot_facts), as IST_MAILSLOT_FACTS_INIT sets it */
    uint32_t message_max;    /* bytes; 0 any that fits */
    uint64_t next_bytes;     /* of the message that the next read takes, or IST_MAILSLOT_NONE */
    uint64_t waiting;        /* messages */
    uint64_t capacity_bytes; /* 0 where nothing but memory is the limit */
} ist_mailslot_facts;

#define IST_MAILSLOT_FACTS_INIT                                                                                        \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_mailslot_facts), 0, 0, 0, 0                                                               \
    }

/**
 * Makes a mailslot; the caller is its reader.
 * Shape:    name as above, not NULL; options may be NULL.
 * Owns:     on IST_OK *out is yours until ist_mailslot_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG (also: an audience for reading; a message_max that the capacity cannot hold), IST_E_NAME,
 *           IST_E_EXISTS, IST_E_ACCESS (the name is another user's), IST_E_SPACE, IST_E_LIMIT, IST_E_MEMORY,
 *           IST_E_CORRUPT, IST_E_LAYOUT, IST_E_OS.
 * Blocking: never; lost races are retried a bounded number of times.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 CreateMailslotW.                                                                       Since: 0.3
 */
IST_API ist_status ist_mailslot_create(ist_mailslot **out, const char *name, const ist_mailslot_options *options);

/**
 * Opens a mailslot for writing.
 * Shape:    name as above; access IST_WRITE, with IST_TRUST_EVERYONE or-ed in to accept another user's slot.
 * Owns:     on IST_OK *out is yours until ist_mailslot_close(); otherwise *out is NULL. It does not hold the slot.
 * Errors:   IST_E_ARG, IST_E_NAME, IST_E_NOT_FOUND, IST_E_ACCESS, IST_E_CORRUPT, IST_E_LAYOUT, IST_E_LIMIT,
 *           IST_E_MEMORY, IST_E_SPACE (the system's), IST_E_OS.
 * Blocking: never; lost races are retried a bounded number of times.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: Windows: whose the slot of a program without isthmus is, nobody tells: IST_E_ACCESS but with
 *           IST_TRUST_EVERYONE.
 * Source:   Win32 CreateFileW.                                                                           Since: 0.3
 */
IST_API ist_status ist_mailslot_open(ist_mailslot **out, const char *name, ist_access access);

/**
 * Writes a message, whole or not at all.
 * Shape:    size in bytes; 0 is a message, too, and then data may be NULL.
 * Owns:     data is the caller's.
 * Errors:   IST_E_SIZE (above the largest message, or more than an empty slot holds), IST_E_SPACE (no room until the
 *           reader has read), IST_E_BROKEN (the reader is gone), IST_E_ARG (also: the reader's handle), IST_E_CORRUPT,
 *           IST_E_LIMIT, IST_E_MEMORY, IST_E_OS.
 * Blocking: never; a stopped or killed process delays it by nothing.
 * Threads:  any thread; not a signal handler.
 * Platform: POSIX: no system call when the reader does not wait, after the thread's first write, but for one look at
 *           the reader in each re-check; one each time once the thread that made the slot has ended. A death of the
 *           reader that the kernel does not report is noticed within the re-check (isthmus/traits.h). Windows: there
 *           is no room when the system's memory is used up; who writes more than the largest message may get another
 *           failure.
 * Source:   Win32 WriteFile.                                                                             Since: 0.3
 */
IST_API ist_status ist_mailslot_write(ist_mailslot *slot, const void *data, size_t size);

/**
 * Takes the next message.
 * Shape:    timeout_ns relative nanoseconds; IST_FOREVER; 0 only looks. buffer may be NULL with size 0, for messages of
 *           0 bytes.
 * Owns:     buffer is the caller's; *got says how much of it was written, and with IST_E_SIZE how much is needed;
 *           else it is 0.
 * Errors:   IST_TIMEOUT, IST_CANCELLED (both not errors), IST_E_SIZE (the buffer is too small: the message stays),
 *           IST_E_ARG (also: a writer's handle), IST_E_CORRUPT, IST_E_MEMORY, IST_E_OS.
 * Blocking: until a message is there or the time is over.
 * Threads:  any thread; not a signal handler.
 * Platform: POSIX: no system call when a message is there.
 * Source:   Win32 ReadFile.                                                                              Since: 0.3
 */
IST_API ist_status ist_mailslot_read(ist_mailslot *slot, void *buffer, size_t size, int64_t timeout_ns, size_t *got);

/**
 * Copies the next message and leaves it there.
 * Shape:    as ist_mailslot_read() with a timeout of 0.
 * Owns:     buffer is the caller's; *got says how much of it was written, and with IST_E_SIZE how much is needed;
 *           else it is 0.
 * Errors:   IST_EMPTY (not an error: no message waits), IST_E_SIZE, IST_E_ARG (also: a writer's handle), IST_E_CORRUPT,
 *           IST_E_MEMORY, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: Windows has no such call: the message is read and kept in this handle.
 * Source:   isthmus.                                                                                     Since: 0.3
 */
IST_API ist_status ist_mailslot_peek(ist_mailslot *slot, void *buffer, size_t size, size_t *got);

/**
 * Tells what waits.
 * Shape:    out->struct_size says how much the caller knows; no more than that is written.
 * Owns:     a copy, yours.
 * Errors:   IST_E_ARG (also: a writer's handle), IST_E_CORRUPT, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 GetMailslotInfo.                                                                       Since: 0.3
 */
IST_API ist_status ist_mailslot_info(ist_mailslot *slot, ist_mailslot_facts *out);

/**
 * Ends the reads that other threads are blocked in: they are IST_CANCELLED.
 * Shape:    reads that begin later are not concerned; nor are waits for the slot's waitable.
 * Owns:     nothing.
 * Errors:   IST_E_ARG.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 CancelIoEx.                                                                            Since: 0.3
 */
IST_API ist_status ist_mailslot_cancel(ist_mailslot *slot);

/**
 * Gives the reader's slot as one of several objects to wait for: it is signalled while a message waits. A wait takes
 * nothing.
 * Shape:    NULL and a writer's handle give NULL. Not for ist_wait_all() with others: IST_E_UNSUPPORTED.
 * Owns:     the slot's: valid until ist_mailslot_close().
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.3
 */
IST_API const ist_waitable *ist_mailslot_waitable(const ist_mailslot *slot);

/**
 * Lets the handle go. With the reader's last one the slot and its messages vanish.
 * Shape:    NULL does nothing.
 * Owns:     the handle is gone, whatever happens.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; not a signal handler. No other thread may be in a call with the handle: cancel those first. A
 *           wait for its waitable may.
 * Platform: none that can be seen.
 * Source:   Win32 CloseHandle.                                                                           Since: 0.3
 */
IST_API void ist_mailslot_close(ist_mailslot *slot);

IST_END_DECLS

#endif
