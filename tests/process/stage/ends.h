/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Two ends of a connection: the test has the server's, and a player the client's, which is told what to do by the acts
 * here and by the test's own. Neither looks again by itself: the re-check is an hour away.
 */
#ifndef ISTHMUS_TESTS_PROCESS_ENDS_H
#define ISTHMUS_TESTS_PROCESS_ENDS_H

#include "posix/connection.h"

#include "player.h"

#define ENDS_QUOTA 4096
#define ENDS_LARGEST ((size_t)64 << 20)

/* What test and player share. */
typedef struct ends_desk {
    uint64_t life; /* of the player's thread */
    size_t size;
    uint32_t seed;
    int64_t deadline;
    size_t moved; /* by the player's last call */
} ends_desk;

extern ends_desk *ends_told;
extern player ends_client;
extern connection *ends_here; /* each process's end */
extern int ends_memory;
extern connection_shape ends_shape;
extern plat_error ends_error;

/* ENDS_LARGEST bytes each. */
extern unsigned char *ends_source;
extern unsigned char *ends_sink;

extern volatile uint32_t ends_no_stop;
extern const patience ends_forever;
extern const patience ends_once; /* only try */

/* Of each test, for cmocka. */
int ends_setup(void **state);
int ends_teardown(void **state);

/* Makes both ends, and the player; lets both go, and fails the test if either process has seen a failure. */
void ends_connect(bool messages);
void ends_part(void);

/* Calls on the process's own end, of the first bytes of ends_source and ends_sink. */
ist_status ends_put(size_t size);
ist_status ends_get(size_t *got);
ist_status ends_try_get(size_t *got);
ist_status ends_get_for(int64_t length_ns, size_t *got);
void ends_get_whole(size_t size);

/* Acts of the player. */
int ends_client_puts(uintptr_t size);
int ends_client_gets(uintptr_t size);
int ends_client_gets_rest(uintptr_t size);
int ends_client_closes(uintptr_t drops);

uint32_t ends_random(uint32_t *seed);

/* Messages of ENDS_MESSAGE_MAX bytes at most, of which each can be told from what is none. */
#define ENDS_MESSAGE_MAX 20000
size_t ends_make_message(uint32_t *seed, unsigned char *out);
bool ends_is_message(const unsigned char *data, size_t size);

#endif
