/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Descriptors in a program that may close what is not its own: each remembers which file it is and when its number was
 * last taken, and is compared before it is used. All are close-on-exec and above the standard three, where a stray
 * write could hit them.
 */
#ifndef ISTHMUS_POSIX_DESCRIPTOR_H
#define ISTHMUS_POSIX_DESCRIPTOR_H

#include <sys/stat.h>

#include "core/plat.h"

typedef struct descriptor {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
    uint32_t turn; /* of the number: a later one of ours that got it after the program had closed it has another */
} descriptor;

#define DESCRIPTOR_NONE ((descriptor){-1, 0, 0, 0})

/* Opens relative to a directory, never through a symbolic link as the last part, and without waiting for a FIFO that
   somebody put there. Returns the descriptor, or -1 with errno. */
int descriptor_open(int directory, const char *path, int flags, mode_t mode);

/* Remembers which file the number stands for; what had the number before has lost it. */
void descriptor_own(descriptor *out, int fd, dev_t device, ino_t inode);

/* Whether the number still stands for that file; *facts, when not NULL, gets the file's. */
bool descriptor_is_ours(const descriptor *file, struct stat *facts);

/* Closes it if it is still ours, and forgets it. */
void descriptor_close(descriptor *file);

/* Closes a number just opened, keeping errno; no thread is cancelled in it. */
void descriptor_drop(int fd);

/* In a forked child: no other thread's hand is in the table of turns. */
void descriptor_reset_after_fork(void);

#endif
