/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Wait on words, wake a word: the one place where a thread blocks on another process. Words lie in memory that
 * processes share; to wait it may be mapped for reading only.
 *
 * word_linux.c is futex and futex_waitv, word_darwin.c and word_freebsd.c are those systems' own address waits,
 * word_poll.c looks again and again and needs nothing from the system.
 */
#ifndef ISTHMUS_POSIX_WORD_H
#define ISTHMUS_POSIX_WORD_H

#include "core/plat.h"

/* Two for each item of a wait: its own word and its owner's life. */
#define WORD_WATCH_MAX (2 * IST_WAIT_MAX)

typedef struct word_watch {
    const volatile uint32_t *word;
    uint32_t value; /* sleep only while the word is this */
} word_watch;

/* Sleeps until a word is not what was seen, or is woken, or until the steady clock says until_ns, or for no reason.
   count may be 0. */
void word_sleep(const word_watch *watches, size_t count, int64_t until_ns);

/* Wakes everybody who sleeps on the word. */
void word_wake(const volatile uint32_t *word);

/* Whether several words can be slept on at once, so that an owner's death is reported. */
bool word_waits_for_several(void);

/* The polling variant, which the others fall back to. */
void word_poll(const word_watch *watches, size_t count, int64_t until_ns);

#endif
