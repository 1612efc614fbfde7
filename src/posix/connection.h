/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One end of a connection between a client and an instance of a pipe.
 *
 * Two things join the ends. A socket, whose hang-up is the kernel's word that nobody has the other end any more, which
 * vouches for who connected, and which an event loop can watch. And memory without a name, which the client makes,
 * seals against being cut short where the system can, and sends along: two rings (posix/ring.h), one for each
 * direction, and the words that wake who sleeps. Data go through the rings, and no system call is needed while nobody
 * waits, but one for each write: the question whether the peer is still there.
 *
 * A peer may write any bytes into that memory. Each end keeps what it alone moves on where the peer does not reach, in
 * memory of its own that a forked child shares; what it reads of the peer's it copies, checks and then uses.
 *
 * A sleeper announces himself in a wake word, looks again, and sleeps on that word and on the life of a thread of the
 * peer (posix/life.h), whose end says: ask the socket. Each sleep ends with the re-check.
 */
#ifndef ISTHMUS_POSIX_CONNECTION_H
#define ISTHMUS_POSIX_CONNECTION_H

#include <sys/types.h>

#include "core/plat.h"
#include "posix/life.h"
#include "posix/turn.h"

typedef struct connection connection;

/* What both ends know before they have a connection. */
typedef struct connection_shape {
    bool messages;
    uint32_t inbound_bytes; /* from client to server */
    uint32_t outbound_bytes;
} connection_shape;

/* Who is at the other end. */
typedef struct connection_peer {
    uint64_t process_id;
    uid_t user;
    lives *lives;     /* in whose scope, or NULL: nothing is known of its life */
    uint64_t life_id; /* of a thread of it; 0: not known */
    bool reads;       /* it may; else what is written stays unread */
    bool writes;      /* it may; else nothing that stands in the ring came from a call of this library */
} connection_peer;

/* Makes the memory of a connection: *fd is the caller's, close-on-exec and above the standard three. */
ist_status connection_memory(const connection_shape *shape, int *fd, plat_error *error);

/* Makes an end of a socket and the memory, both close-on-exec, which it takes over, also on failure. Nothing that the
   peer says is believed: IST_E_CORRUPT where the memory is not what connection_memory() makes of this shape, or could
   be cut short by the peer although the system can forbid that. One reference. */
ist_status connection_open(int socket, int memory, const connection_shape *shape, bool server, bool may_read,
                           bool may_write, const connection_peer *peer, connection **out, plat_error *error);

void connection_reference(connection *of);

/* The last reference closes the end. */
void connection_release(connection *of);

/* Closes the descriptors, so that the peer learns of it when no forked process has the socket either, and wakes who
   sleeps there; blocked calls of this process end with IST_E_BROKEN. What was written stays readable for the peer. The
   mapping lasts as long as the references: who waits reads its words. */
void connection_close(connection *of);

/* The same, and what is unread on either side is gone (P8); the peer learns of it whoever has the socket. */
void connection_drop(connection *of);

/* Wakes the threads of this process that sleep in a call, to look at their `stop`. */
void connection_stir(connection *of);

/* As the calls of plat.h. IST_E_BROKEN: the peer is gone, or the end was closed or dropped. */
ist_status connection_read(connection *of, void *buffer, size_t size, const patience *until, size_t *got,
                           plat_error *error);
ist_status connection_write(connection *of, const void *data, size_t size, const patience *until, size_t *written,
                            plat_error *error);
ist_status connection_peek(connection *of, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error);
ist_status connection_flush(connection *of, const patience *until, plat_error *error);

/* Whether nobody has the other end any more: the kernel's word. */
bool connection_peer_is_gone(const connection *of);

/* Whether there is anything to read, empty messages included. */
bool connection_has_data(connection *of);

/* For a wait (posix/object.h): whether a read would not block; and where it shows when one would not. */
ist_status connection_look(connection *of, life_watch *watch, plat_error *error);
word_watch connection_announce(connection *of);

/* Whether this is the word; whether nobody has a reference but the caller. */
bool connection_is_word(const connection *of, const volatile uint32_t *word);
bool connection_is_unused(const connection *of);

const connection_peer *connection_of_peer(const connection *of);

/* The socket, from now on readable when there is something to read or the peer is gone. */
int connection_socket(connection *of);

/* Lets the programs that this process starts inherit socket and memory: their numbers. */
ist_status connection_inherit(connection *of, int *socket, int *memory, plat_error *error);

#endif
