/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What the two sides of a ring have in common.
 */
#ifndef ISTHMUS_POSIX_RING_SIDE_H
#define ISTHMUS_POSIX_RING_SIDE_H

#include "posix/ring.h"

/* Bytes that the size of a message takes, at most. */
#define RING_SIZE_BYTES 5

/* Of a message larger than the ring this much is copied before the other side is told, so that both copy at a time. */
#define RING_PART UINT64_C(32768)

/* The word `large`, once what is offered with it is taken. */
static inline uint32_t ring_large_taken(uint32_t offered)
{
    return ((offered & ~RING_LARGE_STATE) | RING_TAKEN) ^ RING_LARGE_TURN;
}

/* Of two places of one side. What it shows goes forward only: who has the end too, but has not used it since somebody
   else began anew from the words, is behind. */
static inline bool ring_is_behind(uint64_t place, uint64_t other)
{
    return (int64_t)(other - place) > 0;
}

ist_status ring_damaged(plat_error *error, const char *what);

#endif
