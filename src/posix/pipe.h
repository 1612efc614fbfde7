/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * An end of a pipe as the process that has it knows it: an instance with a name, a client's end, or one of a pair.
 *
 * An instance listens, is connected or is disconnected; every other end is connected from its beginning on. Its fields
 * change only inside the gate and in its turn, taken in this order: a forked child finds them whole. Who only wants the
 * connection takes the turn alone, and a reference.
 *
 * Who waits for an end sleeps on the bell of its listening, on the connection, or on `changed`, whichever the state
 * says; with each change of the state the word of the former one moves. So a connection stays mapped while anybody
 * waits: `retired`.
 */
#ifndef ISTHMUS_POSIX_PIPE_H
#define ISTHMUS_POSIX_PIPE_H

#include "posix/connection.h"
#include "posix/instance.h"
#include "posix/object.h"
#include "posix/pipe_socket.h"

typedef enum pipe_state {
    PIPE_LISTENING,
    PIPE_CONNECTED, /* also to a client that has come and gone */
    PIPE_DISCONNECTED
} pipe_state;

/* A connection that somebody may sleep on still. */
typedef struct pipe_retired {
    struct pipe_retired *next;
    connection *connection;
} pipe_retired;

struct plat_pipe {
    plat_object object; /* its entry is the pipe's, of an instance with a name */
    plat_pipe_sort sort;
    pipe_plan plan;
    bool named; /* an instance with a name */
    turn turn;
    volatile uint32_t stop;    /* moved on by a cancel */
    volatile uint32_t changed; /* moved on by each change of the state */
    pipe_state state;
    connection *connection; /* when connected; NULL where it came to none */
    pipe_retired *retired;

    /* of an instance with a name */
    pipe_view view;
    uint32_t slot;
    uint32_t listened; /* how often it has stopped listening or thrown a client out */
    lives *lives;      /* of `Global\` */
    pipe_socket_name socket;
    bool has_file;       /* the socket's name is there */
    descriptor listener; /* while listening, until a client is taken from it; */
    descriptor half;     /* then this: a client whose hello has not come, */
    int64_t half_since;  /* taken then */
};

/* Makes the end of a sort; NULL where there is no memory. */
plat_pipe *pipe_make(void);

/* Gives one back that has nothing. */
void pipe_unmake(plat_pipe *pipe);

/* Waits for the turn as long as it takes: it is never held across a wait. */
void pipe_enter(plat_pipe *pipe);
void pipe_leave(plat_pipe *pipe);

/* What is over at the time, or when the end is cancelled from here on. */
patience pipe_patience(const plat_pipe *pipe, int64_t timeout_ns);

/* In turn: moves to a state, and wakes who waits. */
void pipe_move(plat_pipe *pipe, pipe_state to);

/* In turn: takes the client that is there. IST_TIMEOUT: there is none; one that went before it had said anything, or
   says nothing for long, never was. IST_E_BROKEN: it has gone, and the end is connected to nobody. Inside the gate. */
ist_status pipe_take_client(plat_pipe *pipe, plat_error *error);

/* In turn: whether a client is there, as far as can be told without taking it. */
bool pipe_has_client(const plat_pipe *pipe);

/* In turn: lets the socket's name and the descriptors of listening go. Inside the gate. */
void pipe_stop_listening(plat_pipe *pipe);

/* In turn: listens, whatever the state was. Inside the gate. */
ist_status pipe_listen(plat_pipe *pipe, uint64_t life, plat_error *error);

/* In turn: listens on another socket at the same place in the order. Neither has the number of the other. Inside the
   gate. */
ist_status pipe_listen_on(plat_pipe *pipe, plat_error *error);

/* In turn: removes the socket's name. Inside the gate. */
void pipe_remove_file(plat_pipe *pipe);

/* Remembers a number just opened, or closes it. */
ist_status pipe_own(descriptor *out, int fd, plat_error *error);

/* In turn: lets the connection go, when nobody sleeps on it any more; and those that have been waiting for that. */
void pipe_retire(plat_pipe *pipe);
void pipe_release_unused(plat_pipe *pipe);

ist_status pipe_no_client(plat_error *error);

/* ---- pipe_wait.c ---- */

extern const channel_face pipe_face;

/* The last reference to the object is gone. */
void pipe_free(plat_object *object);

/* The calling thread's life in `Global\`, 0 where it has none; *of may become NULL. Outside the gate. */
uint64_t pipe_own_life(lives **of);

/* The rest of a close for an instance with a name. */
void pipe_end_instance(plat_pipe *pipe);

/* At the normal exit, when the entry of an instance has been let go. */
void pipe_exit(registry_entry *entry);

#endif
