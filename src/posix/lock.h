/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Who holds a segment, told by locks that the kernel drops with the last descriptor of an open file description.
 *
 * A handle locks byte LOCK_HANDLE of the segment. A token that waits to be imported locks the byte whose offset is
 * its ticket's number. Only shared locks are taken of what several may hold, so none is ever refused or
 * waited for; what is one process's alone (posix/life.h) it locks exclusively.
 *
 * With flock (ISTHMUS_POSIX_FLOCK, or no F_OFD_SETLK) there are no bytes, and to ask is to try to take it exclusively
 * for an instant; a process stopped in that instant looks like a holder.
 */
#ifndef ISTHMUS_POSIX_LOCK_H
#define ISTHMUS_POSIX_LOCK_H

#include <fcntl.h>

#include "core/plat.h"

#if defined(F_OFD_SETLK) && !defined(ISTHMUS_POSIX_FLOCK)
#define LOCK_ASKS_WITHOUT_TAKING 1
#else
#define LOCK_ASKS_WITHOUT_TAKING 0
#endif

#define LOCK_HANDLE ((uint64_t)0)

/* Takes the shared lock of one byte through a description that nothing else is done with. IST_TIMEOUT: an asker is in
   the way for an instant (flock only): try again. */
ist_status lock_take(int fd, uint64_t byte, plat_error *error);

/* Takes it exclusively, so that who may only read the file cannot pretend to be its holder. */
ist_status lock_take_alone(int fd, uint64_t byte, plat_error *error);

/* The same of a byte that somebody else may have: IST_TIMEOUT then. Through a description that is open for writing.
   With flock it does nothing. */
ist_status lock_try_alone(int fd, uint64_t byte, plat_error *error);

/* Whether anybody locks one byte exclusively. A doubt is a yes. */
bool lock_is_held_alone(int fd, uint64_t byte);

/* Tells the ticket whose lock it found: does it still count? */
typedef bool lock_counts(void *context, uint64_t byte);

/* Asks through a description that holds no lock whether any other one does, be it a handle or a ticket that counts.
   An answer that cannot be had is "yes": nothing may be reaped on a doubt. */
bool lock_is_held(int fd, lock_counts *counts, void *context);

/* Whether anybody locks one byte; with flock, whether anybody locks the file. A doubt is a yes. */
bool lock_byte_is_held(int fd, uint64_t byte);

#endif
