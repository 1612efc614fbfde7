/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes in tests: both ends at hand, and the role of a second process that serves or connects.
 *
 * The peer does what the lines say and answers in names of statuses. NAME, TEXT and TOKEN are peer_words, "-" is no
 * text; numbers are decimal; MS is milliseconds or "forever". There are eight slots, each with an end.
 *
 *   slot N                        ok
 *   serve NAME [OPTION...]        STATUS     options: message inbound outbound first trust instances=N in=N out=N
 *                                                     audience=N
 *   connect NAME ACCESS MS        STATUS     access: read write both; a leading + trusts everyone
 *   accept MS                     STATUS
 *   disconnect                    STATUS
 *   close                         ok
 *   write TEXT MS                 STATUS WRITTEN
 *   pour SIZE SEED MS             STATUS WRITTEN: the bytes of pipe_fill
 *   read SIZE MS                  STATUS GOT TEXT
 *   drink SIZE SEED OFFSET MS     STATUS GOT yes|no: are they the bytes of pipe_fill from there on?
 *   peek SIZE                     STATUS COPIED AVAILABLE MESSAGE
 *   flush MS                      STATUS
 *   transact TEXT SIZE MS         STATUS GOT TEXT
 *   call NAME TEXT SIZE MS        STATUS GOT TEXT
 *   echo ROUNDS                   STATUS of writing back what was read, so often
 *   info                          STATUS TYPE DIRECTION SERVER CONNECTED MAXIMUM
 *   peer                          STATUS PID SAME_USER
 *   wait MS                       STATUS of a wait for the end
 *   import TOKEN                  STATUS
 *   begin COMMAND...              "waiting", and then the command's answer
 *   later COMMAND...              the command's answer; the test has had time to block
 *   fork                          "child": the child obeys from here on; "parent" when it has ended
 *   patient                       yes or no: is the re-check an hour from here on?
 *   exit                          (nothing; exits with 0 and closes nothing)
 *   vanish                        (nothing; ends without any clean-up)
 */
#ifndef ISTHMUS_TESTS_PIPE_PEER_H
#define ISTHMUS_TESTS_PIPE_PEER_H

#include "peer.h"

#define PIPE_ROLE "pipe"

int pipe_run(int argc, char **argv);

/* A row of a test's table of roles. */
#define PIPE_ROLE_ROW                                                                                                  \
    {                                                                                                                  \
        PIPE_ROLE, pipe_run                                                                                            \
    }

/* ---- peers ---- */

/* A peer without ends. It does not look again by itself, where that can be had and deaths are reported: a wake-up that
   is lost is not healed. */
peer *pipe_start(void);

/* No re-check in this process either, on the same terms: the first test of a file's group. */
int pipe_be_patient(void **state);

/* The usual re-check again: for what nobody reports, such as the end of a process that inherited an end. */
void pipe_be_impatient(void);

/* A peer that is connected, for reading and writing. */
peer *pipe_start_client(const char *name);

/* A peer that serves; options as for "serve", or "". */
peer *pipe_start_server(const char *name, const char *options);

/* Has a peer begin a command that blocks; its next answer is that of the command. When this returns, the call is about
   to begin and has had time to block. */
void pipe_begin(peer *who, const char *command);

#define PIPE_HEAR(who, answer) pipe_hear_at(__FILE__, __LINE__, who, answer)
void pipe_hear_at(const char *file, int line, peer *who, const char *answer);

/* ---- ends ---- */

/* What this process waits for as long as a test may take. */
int64_t pipe_bound_ns(void);

/* Gives others time for what cannot be seen to have happened, such as falling asleep. No test depends on it. */
void pipe_pause(void);

ist_pipe_options pipe_options(ist_pipe_type type);

/* A duplex instance under a name that nobody else has. */
ist_pipe *pipe_serve(char name[NAME_SIZE], ist_pipe_type type);

/* Both ends of a connection in this process, accepted. */
typedef struct pipe_ends {
    ist_pipe *server;
    ist_pipe *client;
    char name[NAME_SIZE];
} pipe_ends;

void pipe_join(pipe_ends *ends, const ist_pipe_options *options);
void pipe_part(pipe_ends *ends);

/* An instance here, accepted, and a peer that is its client: in ends->server. */
peer *pipe_join_peer(pipe_ends *ends, ist_pipe_type type);

/* Writes a text, all of it and without its terminator; "" is a message of 0 bytes. */
#define PIPE_PUT(pipe, text) pipe_put_at(__FILE__, __LINE__, pipe, text)
void pipe_put_at(const char *file, int line, ist_pipe *pipe, const char *text);

/* Reads, and it is exactly this, with IST_OK. */
#define PIPE_GET(pipe, text) pipe_get_at(__FILE__, __LINE__, pipe, text)
void pipe_get_at(const char *file, int line, ist_pipe *pipe, const char *text);

/* Reads into `size` bytes and gets this text with this status. */
#define PIPE_GET_PART(pipe, size, status, text) pipe_get_part_at(__FILE__, __LINE__, pipe, size, status, text)
void pipe_get_part_at(const char *file, int line, ist_pipe *pipe, size_t size, ist_status status, const char *text);

/* Neither bytes nor an end of them: reading now is this status, with 0 bytes. */
#define PIPE_GET_NOTHING(pipe, status) pipe_get_nothing_at(__FILE__, __LINE__, pipe, status)
void pipe_get_nothing_at(const char *file, int line, ist_pipe *pipe, ist_status status);

/* What waits there: bytes in all, and of the first message. */
#define PIPE_CHECK_PEEK(pipe, available, message) pipe_check_peek_at(__FILE__, __LINE__, pipe, available, message)
void pipe_check_peek_at(const char *file, int line, ist_pipe *pipe, uint64_t available, uint64_t message);

/* Nobody serves the name, and it is free for a pipe of any sort. */
void pipe_check_gone(const char *name);

/* ---- data ---- */

/* Bytes that tell where they are from. */
void pipe_fill(void *bytes, size_t size, unsigned seed);

/* Whether these are what pipe_fill writes at this offset. */
bool pipe_is_filled(const void *bytes, size_t size, unsigned seed, size_t offset);

/* Memory that a test may rely on. */
void *pipe_memory(size_t size);

#endif
