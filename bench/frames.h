/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Messages over a stream socket, as a program without the library would write them: 4 bytes that say how long, then the
 * message; one sendmsg() for both, and as many recv() as it takes.
 */
#ifndef ISTHMUS_BENCH_FRAMES_H
#define ISTHMUS_BENCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum frames_result { FRAMES_OK, FRAMES_ENDED, FRAMES_FAILED } frames_result;

frames_result frames_send(int socket, const void *data, uint32_t size);

/* A message of just this size. FRAMES_ENDED: the peer is gone, and everything is read. */
frames_result frames_receive(int socket, void *buffer, uint32_t size);

#endif
