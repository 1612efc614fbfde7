/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Sockets that instances listen on: their names in the pipe's directory, and how they are made and reached. A name is
 * s.<sequence>.<slot>.<life>.<again>, all hexadecimal, of 16, 4, 16 and 4 digits: they stand in the order of their
 * listening.
 */
#ifndef ISTHMUS_POSIX_PIPE_SOCKET_H
#define ISTHMUS_POSIX_PIPE_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include "posix/scope.h"

/* Terminator included. */
#define PIPE_SOCKET_NAME_SIZE 48

#if defined(MSG_NOSIGNAL)
#define PIPE_SOCKET_NO_SIGNAL MSG_NOSIGNAL
#else
#define PIPE_SOCKET_NO_SIGNAL 0 /* the socket has SO_NOSIGPIPE */
#endif

#if defined(MSG_CMSG_CLOEXEC)
#define PIPE_SOCKET_CLOSES_RECEIVED MSG_CMSG_CLOEXEC
#else
#define PIPE_SOCKET_CLOSES_RECEIVED 0
#endif

typedef struct pipe_socket_name {
    uint64_t sequence;
    uint32_t slot;
    uint64_t life;  /* of the thread that began to listen, 0 where it has none */
    uint32_t again; /* how often it has listened anew at the same place in the order */
} pipe_socket_name;

void pipe_socket_write_name(char out[PIPE_SOCKET_NAME_SIZE], const pipe_socket_name *name);

/* False of what is not written so. */
bool pipe_socket_read_name(const char *text, pipe_socket_name *out);

/* Listens in a pipe's directory, of which `entry` is the name in the scope; exactly one client gets into the queue.
   mode is that of the socket, whatever the umask says. *fd is the caller's: close-on-exec, above the standard three and
   never blocking. IST_TIMEOUT: the name is taken. */
ist_status pipe_socket_listen(const scope *where, const char *entry, const pipe_socket_name *name, mode_t mode, int *fd,
                              plat_error *error);

/* A socket to connect with, as above. */
ist_status pipe_socket_make(int *fd, plat_error *error);

/* Connects: IST_OK; IST_TIMEOUT: there is a client in the queue; IST_E_NOT_FOUND: nobody listens there. */
ist_status pipe_socket_connect(int fd, int directory, const char *entry, const pipe_socket_name *name,
                               plat_error *error);

/* Lets nobody else into the queue and takes who is there: -1 with errno. */
int pipe_socket_take(int listener);

/* Both ends of a connection. */
ist_status pipe_socket_pair(int fds[2], plat_error *error);

/* Who connected or, to a client, who listens. False where the system does not tell. process_id 0 is not known. */
bool pipe_socket_peer(int fd, uint64_t *process_id, uid_t *user);

/* Moves a number just opened above the standard three: -1 with errno, and it is closed. */
int pipe_socket_above(int fd);

#endif
