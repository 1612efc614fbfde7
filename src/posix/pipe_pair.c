/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends without a name: pairs, and what a program inherits.
 *
 * A token says which numbers socket and memory have, and what the end is. They are not close-on-exec from the export to
 * the import, which is how the import knows that nobody has taken them, and it carries a number of the program that
 * made it, which cannot import what it has.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/error.h"
#include "posix/gate.h"
#include "posix/pipe.h"

/* Socket, memory, type, direction, server, may read, may write, buffers, instances, program. */
#define TOKEN_FORMAT "p1:%d:%d:%u:%u:%u:%u:%u:%" PRIu32 ":%" PRIu32 ":%" PRIu32 ":%016" PRIx64
#define TOKEN_SCAN "p1:%9d:%9d:%1u:%1u:%1u:%1u:%1u:%9" SCNu32 ":%9" SCNu32 ":%3" SCNu32 ":%16" SCNx64
#define TOKEN_FIELDS 11

typedef struct end_token {
    int socket;
    int memory;
    plat_pipe_sort sort;
    pipe_plan plan;
    uint64_t program;
} end_token;

static connection_shape shape_of(const pipe_plan *plan)
{
    return (connection_shape){plan->type == IST_PIPE_MESSAGE, plan->inbound_bytes, plan->outbound_bytes};
}

/* ---- pairs ---- */

static plat_pipe_sort sort_of(const pipe_plan *plan, bool server)
{
    bool inbound = plan->direction != IST_PIPE_OUTBOUND;
    bool outbound = plan->direction != IST_PIPE_INBOUND;

    return (plat_pipe_sort){plan->type, plan->direction, server, server ? inbound : outbound,
                            server ? outbound : inbound};
}

/* Takes over socket and memory, also on failure. */
static ist_status open_end(plat_pipe *pipe, const pipe_plan *plan, const plat_pipe_sort *sort, int socket, int memory,
                           plat_error *error)
{
    const connection_shape shape = shape_of(plan);
    const plat_pipe_sort other = sort_of(plan, !sort->server);
    connection_peer peer = {0, (uid_t)-1, NULL, 0, other.may_read, other.may_write};

    (void)pipe_socket_peer(socket, &peer.process_id, &peer.user);
    pipe->plan = *plan;
    pipe->sort = *sort;
    return connection_open(socket, memory, &shape, sort->server, sort->may_read, sort->may_write, &peer,
                           &pipe->connection, error);
}

static void close_number(int fd)
{
    if (fd >= 0)
        descriptor_drop(fd);
}

/* Inside the gate. */
static ist_status open_pair(plat_pipe *ends[2], const pipe_plan *plan, const plat_pipe_sort sorts[2], plat_error *error)
{
    const connection_shape shape = shape_of(plan);
    int sockets[2] = {-1, -1};
    int memories[2] = {-1, -1};
    ist_status status = connection_memory(&shape, &memories[0], error);

    if (status != IST_OK)
        return status;
    memories[1] = fcntl(memories[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (memories[1] < 0)
        status = error_from_errno(error, "fcntl");
    if (status == IST_OK)
        status = pipe_socket_pair(sockets, error);
    if (status != IST_OK) {
        close_number(memories[0]);
        close_number(memories[1]);
        return status;
    }
    status = open_end(ends[0], plan, &sorts[0], sockets[0], memories[0], error);
    if (status == IST_OK)
        return open_end(ends[1], plan, &sorts[1], sockets[1], memories[1], error);
    close_number(sockets[1]);
    close_number(memories[1]);
    return status;
}

static void unmake(plat_pipe *pipe)
{
    if (pipe != NULL && pipe->connection != NULL)
        connection_release(pipe->connection);
    if (pipe != NULL)
        pipe_unmake(pipe);
}

ist_status plat_pipe_pair(const plat_pipe_request *request, plat_pipe **first, plat_pipe **second,
                          plat_pipe_sort sorts[2], plat_error *error)
{
    const pipe_plan plan = {request->type, request->direction, 1, request->inbound_bytes, request->outbound_bytes};
    plat_pipe *ends[2] = {pipe_make(), pipe_make()};
    int entered = gate_enter();
    ist_status status = error_refuse(error, IST_E_MEMORY, "memory for a handle", "%s", "");

    sorts[0] = sort_of(&plan, true);
    sorts[1] = sort_of(&plan, false);
    if (ends[0] != NULL && ends[1] != NULL)
        status = open_pair(ends, &plan, sorts, error);
    if (status == IST_OK) {
        *first = ends[0];
        *second = ends[1];
    } else {
        unmake(ends[0]);
        unmake(ends[1]);
    }
    gate_leave(entered);
    return status;
}

/* ---- tokens ---- */

static pthread_mutex_t program_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Of what was loaded into this process by its last exec: a forked child has the same, and the ends as well. */
static uint64_t this_program(void)
{
    static uint64_t number;
    uint64_t result = 0;

    (void)pthread_mutex_lock(&program_mutex);
    if (number == 0)
        number = name_number();
    result = number;
    (void)pthread_mutex_unlock(&program_mutex);
    return result;
}

static int write_token(char out[IST_TOKEN_SIZE], const end_token *what)
{
    const plat_pipe_sort *sort = &what->sort;

    return snprintf(out, IST_TOKEN_SIZE, TOKEN_FORMAT, what->socket, what->memory, (unsigned)sort->type,
                    (unsigned)sort->direction, sort->server ? 1U : 0U, sort->may_read ? 1U : 0U,
                    sort->may_write ? 1U : 0U, what->plan.inbound_bytes, what->plan.outbound_bytes,
                    what->plan.instances_max, what->program);
}

static bool is_sound(const end_token *what)
{
    const pipe_plan *plan = &what->plan;

    return what->socket > STDERR_FILENO && what->memory > STDERR_FILENO && what->socket != what->memory &&
           plan->inbound_bytes >= IST_PIPE_BUFFER_MIN && plan->inbound_bytes <= IST_PIPE_BUFFER_MAX &&
           plan->outbound_bytes >= IST_PIPE_BUFFER_MIN && plan->outbound_bytes <= IST_PIPE_BUFFER_MAX &&
           plan->instances_max <= IST_PIPE_INSTANCES_MAX;
}

/* What it reads it writes again: only what comes out the same was one. */
static bool read_token(const char *text, end_token *out)
{
    unsigned flags[5] = {0};
    char again[IST_TOKEN_SIZE];

    memset(out, 0, sizeof *out);
    if (sscanf(text, TOKEN_SCAN, &out->socket, &out->memory, &flags[0], &flags[1], &flags[2], &flags[3], &flags[4],
               &out->plan.inbound_bytes, &out->plan.outbound_bytes, &out->plan.instances_max,
               &out->program) != TOKEN_FIELDS)
        return false;
    if (flags[0] > IST_PIPE_MESSAGE || flags[1] > IST_PIPE_OUTBOUND || flags[2] > 1 || flags[3] > 1 || flags[4] > 1)
        return false;
    out->sort = (plat_pipe_sort){(ist_pipe_type)flags[0], (ist_pipe_direction)flags[1], flags[2] == 1, flags[3] == 1,
                                 flags[4] == 1};
    out->plan.type = out->sort.type;
    out->plan.direction = out->sort.direction;
    (void)write_token(again, out);
    return is_sound(out) && strcmp(again, text) == 0;
}

/* ---- inherit ---- */

ist_status plat_pipe_inherit(plat_pipe *pipe, char *token, plat_error *error)
{
    end_token made = {-1, -1, pipe->sort, pipe->plan, this_program()};
    int entered = 0;
    ist_status status = IST_OK;

    if (pipe->named)
        return error_refuse(error, IST_E_ARG, "pipe", "%s", "an instance with a name");
    entered = gate_enter();
    pipe_enter(pipe);
    status = pipe->connection != NULL ? connection_inherit(pipe->connection, &made.socket, &made.memory, error)
                                      : error_refuse(error, IST_E_BROKEN, "pipe", "%s", "disconnected");
    pipe_leave(pipe);
    gate_leave(entered);
    if (status == IST_OK)
        (void)write_token(token, &made);
    return status;
}

/* ---- import ---- */

static ist_status refuse(plat_error *error, const char *why)
{
    return error_refuse(error, IST_E_ARG, "token", "%s", why);
}

static bool is_inherited(int fd, mode_t sort)
{
    struct stat facts;
    int flags = fcntl(fd, F_GETFD);

    return flags >= 0 && (flags & FD_CLOEXEC) == 0 && fstat(fd, &facts) == 0 && (facts.st_mode & S_IFMT) == sort;
}

/* Inside the gate. The numbers of the token are closed when everything else has succeeded: they could be anything. */
static ist_status import(plat_pipe *pipe, const end_token *found, plat_error *error)
{
    int socket = -1;
    int memory = -1;
    ist_status status = IST_OK;

    if (!is_inherited(found->socket, S_IFSOCK) || !is_inherited(found->memory, S_IFREG))
        return refuse(error, "nothing was inherited by it");
    socket = fcntl(found->socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    memory = socket >= 0 ? fcntl(found->memory, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;
    if (memory < 0) {
        status = error_from_errno(error, "fcntl");
        close_number(socket);
        return status;
    }
    status = open_end(pipe, &found->plan, &found->sort, socket, memory, error);
    if (status == IST_E_CORRUPT)
        return refuse(error, "nothing was inherited by it");
    if (status == IST_OK) {
        descriptor_drop(found->socket);
        descriptor_drop(found->memory);
    }
    return status;
}

ist_status plat_pipe_import(const char *token, plat_pipe **out, plat_pipe_sort *sort, plat_error *error)
{
    end_token found;
    plat_pipe *pipe = NULL;
    int entered = 0;
    ist_status status = IST_OK;

    if (!read_token(token, &found))
        return refuse(error, "not one");
    if (found.program == this_program())
        return refuse(error, "of this program");
    pipe = pipe_make();
    if (pipe == NULL)
        return error_refuse(error, IST_E_MEMORY, "memory for a handle", "%s", "");
    entered = gate_enter();
    status = import(pipe, &found, error);
    gate_leave(entered);
    if (status != IST_OK) {
        unmake(pipe);
        return status;
    }
    *sort = pipe->sort;
    *out = pipe;
    return IST_OK;
}
