/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A connection whose ends share memory, as a program without the library would write it: the server listens anew for
 * each client, so that it takes one and no more; the client sends sealed memory along, and both map it.
 */
#ifndef ISTHMUS_BENCH_SHARING_H
#define ISTHMUS_BENCH_SHARING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

/* Listens, connects, shares so much memory, and lets go of it all. */
bool sharing_once(const struct sockaddr_un *path, size_t bytes);

#endif
