/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots as the tests use them, numbered messages that show what was lost, doubled or torn, and the role of a second
 * process that reads or writes.
 *
 * The peer has eight slots, each with a handle. It does what the lines say and answers in names of statuses. NAME is a
 * peer_word; TEXT is a message without spaces, "-" one of 0 bytes; numbers are decimal; MS is milliseconds or
 * "forever".
 *
 *   slot N                       ok
 *   create NAME [OPTION...]      STATUS     options: message=N capacity=N
 *   open NAME                    STATUS     for writing
 *   close                        ok
 *   write TEXT                   STATUS
 *   read MS                      STATUS TEXT
 *   block MS                     "waiting", and then the answer to read
 *   await MS                     "waiting", and then the STATUS of a wait for the slot
 *   info                         STATUS NEXT WAITING     NEXT: bytes, or "none"
 *   pour WRITER COUNT            STATUS COUNT of writing so many numbered messages: while there is no room, it tries
 *                                again; any other failure ends it
 *   storm WRITER                 "storming", and then the same without end, until it is killed or STATUS COUNT
 *   drain COUNT                  STATUS of reading so many numbered messages, the sum of their numbers
 *   echo N ROUNDS                "echoing", and then the STATUS of reading a message and writing it to slot N, so
 * often, each time a little later fork                         "child": the child obeys from here on; "parent" when it
 * has ended heir                         as for a holder patient                      yes or no: is the re-check an
 * hour from here on? exit                         (nothing; exits with 0 and closes nothing) vanish (nothing; ends
 * without any clean-up)
 */
#ifndef ISTHMUS_TESTS_MAILSLOT_PEER_H
#define ISTHMUS_TESTS_MAILSLOT_PEER_H

#include "clock.h"
#include "peer.h"

extern const peer_role mailslot_roles[];
extern const size_t mailslot_role_count;

/* A peer in this role, one whose re-check is an hour (where that can be had), and one that has opened the slot. */
peer *mailslot_start(void);
peer *mailslot_start_patient(void);
peer *mailslot_start_writer(const char *name);

/* Has a peer begin to read or wait: "block forever". Its next answer is that of the call. When this returns, the call
   is about to begin and has had time to block. */
void mailslot_begin(peer *who, const char *line);

/* Hears what a peer that has begun has got. */
#define MAILSLOT_HEAR(who, answer) mailslot_hear_at(__FILE__, __LINE__, who, answer)
void mailslot_hear_at(const char *file, int line, peer *who, const char *answer);

/* What this process waits for as long as a test may take. */
int64_t mailslot_bound_ns(void);

/* ---- slots ---- */

/* A slot and a handle to write to it, both of this process. */
typedef struct mailslot_pair {
    char name[NAME_SIZE];
    ist_mailslot *reader;
    ist_mailslot *writer;
} mailslot_pair;

/* Makes them under a new name; 0 is the usual. */
void mailslot_make(mailslot_pair *pair, uint32_t message_max, uint32_t capacity_bytes);
void mailslot_close(mailslot_pair *pair);

/* One message, as text without its terminator. */
#define MAILSLOT_WRITE(slot, text) CHECK_OK(ist_mailslot_write(slot, text, strlen(text)))

/* The next message is there and is this text. */
#define MAILSLOT_READ(slot, text) mailslot_read_at(__FILE__, __LINE__, slot, text)
void mailslot_read_at(const char *file, int line, ist_mailslot *slot, const char *text);

/* Nothing is there. */
#define MAILSLOT_EMPTY(slot) mailslot_empty_at(__FILE__, __LINE__, slot)
void mailslot_empty_at(const char *file, int line, ist_mailslot *slot);

/* Nobody finds the name, and creating it gives an empty slot. */
void mailslot_check_gone(const char *name);

ist_mailslot_facts mailslot_facts_of(ist_mailslot *slot);

/* ---- numbered messages ---- */

/* Bytes of the longest. */
#define MAILSLOT_NUMBERED_MAX 600

/* Writes one, of a size and a content that follow from its numbers. */
ist_status mailslot_write_numbered(ist_mailslot *slot, uint32_t writer, uint32_t number);

/* Reads one that is whole and waits up to timeout_ns for it; any failure is the status, and one that is not whole is
   IST_E_CORRUPT. */
ist_status mailslot_read_numbered(ist_mailslot *slot, int64_t timeout_ns, uint32_t *writer, uint32_t *number);

#endif
