/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Instances: how one comes to be, listens and goes. pipe_accept.c takes the clients.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "posix/error.h"
#include "posix/gate.h"
#include "posix/lock.h"
#include "posix/pipe.h"

/* ---- sockets that nobody listens on ---- */

/* With each instance that comes so many are asked about. Those of a slot that it takes go at once, and clients remove
   what they meet. */
#define MOST_ASKED 16

static void remove_if_stale(const plat_pipe *pipe, int directory, const char *text, int *asked)
{
    pipe_socket_name name;

    if (!pipe_socket_read_name(text, &name))
        return;
    if (name.slot == pipe->slot ||
        ((*asked)++ < MOST_ASKED && !instance_has_slot(pipe->object.entry.access.fd, name.slot)))
        (void)unlinkat(directory, text, 0);
}

static void sweep_sockets(const plat_pipe *pipe)
{
    const registry_entry *entry = &pipe->object.entry;
    const struct dirent *each = NULL;
    int asked = 0;
    int fd = descriptor_open(entry->where.directory, entry->name, O_RDONLY | O_DIRECTORY, 0);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

    if (list == NULL && fd >= 0)
        descriptor_drop(fd);
    while (list != NULL && (each = readdir(list)) != NULL)
        remove_if_stale(pipe, fd, each->d_name, &asked);
    if (list != NULL)
        (void)closedir(list);
}

/* ---- listening ---- */

static mode_t mode_of(uint32_t audience)
{
    switch (audience) {
    case IST_AUDIENCE_OWNER:
        return 0600;
    case IST_AUDIENCE_GROUP_READ:
    case IST_AUDIENCE_GROUP_WRITE:
        return 0660;
    default:
        return 0666;
    }
}

ist_status pipe_own(descriptor *out, int fd, plat_error *error)
{
    struct stat facts;
    ist_status status = IST_OK;

    if (fstat(fd, &facts) == 0) {
        descriptor_own(out, fd, facts.st_dev, facts.st_ino);
    } else {
        status = error_from_errno(error, "fstat");
        descriptor_drop(fd);
    }
    return status;
}

/* Sequences that somebody has used already, in a row: only who writes into the words can bring that about. */
#define MOST_TRIES 8

/* Of a name taken the part that is counted on: `again`, or the sequence. */
static void next_name(const plat_pipe *pipe, bool again, pipe_socket_name *name)
{
    if (again)
        name->again++;
    else
        name->sequence = instance_next(&pipe->view);
}

static ist_status make_listener(plat_pipe *pipe, pipe_socket_name name, bool again, plat_error *error)
{
    const registry_entry *entry = &pipe->object.entry;
    scope where;
    ist_status status = IST_OK;
    int fd = -1;

    if (!descriptor_is_ours(&entry->hold, NULL))
        return error_refuse(error, IST_E_BROKEN, "descriptor", "%s", "the program closed it");
    status = scope_again(&entry->where, &where, error);
    if (status == IST_OK)
        status = IST_TIMEOUT;
    for (int i = 0; i < MOST_TRIES && status == IST_TIMEOUT; i++) {
        next_name(pipe, again, &name);
        status = pipe_socket_listen(&where, entry->name, &name, mode_of(entry->header.audience), &fd, error);
    }
    if (status == IST_TIMEOUT)
        return error_refuse(error, IST_E_CORRUPT, "words of a pipe", "%s", "the sequence");
    if (status != IST_OK)
        return status;
    pipe->socket = name;
    pipe->has_file = true;
    status = pipe_own(&pipe->listener, fd, error);
    if (status != IST_OK)
        pipe_remove_file(pipe);
    return status;
}

ist_status pipe_listen(plat_pipe *pipe, uint64_t life, plat_error *error)
{
    ist_status status = make_listener(pipe, (pipe_socket_name){0, pipe->slot, life, 0}, false, error);

    if (status != IST_OK)
        return status;
    pipe_move(pipe, PIPE_LISTENING);
    atomic_store_u64(&pipe->view.words->lives[pipe->slot % INSTANCE_LIVES], life);
    instance_tell(&pipe->view);
    return IST_OK;
}

ist_status pipe_listen_on(plat_pipe *pipe, plat_error *error)
{
    descriptor old[2] = {pipe->listener, pipe->half};
    ist_status status = IST_OK;

    pipe_remove_file(pipe);
    pipe->listener = DESCRIPTOR_NONE;
    pipe->half = DESCRIPTOR_NONE;
    status = make_listener(pipe, pipe->socket, true, error);
    descriptor_close(&old[0]);
    descriptor_close(&old[1]);
    if (status == IST_OK)
        instance_tell(&pipe->view);
    return status;
}

void pipe_remove_file(plat_pipe *pipe)
{
    const registry_entry *entry = &pipe->object.entry;
    char name[PIPE_SOCKET_NAME_SIZE];
    char path[NAME_ENTRY_SIZE + PIPE_SOCKET_NAME_SIZE];
    scope where;
    plat_error error;

    pipe_socket_write_name(name, &pipe->socket);
    (void)snprintf(path, sizeof path, "%s/%s", entry->name, name);
    if (pipe->has_file && scope_again(&entry->where, &where, &error) == IST_OK)
        (void)unlinkat(where.directory, path, 0);
    pipe->has_file = false;
}

/* ---- serve ---- */

static ist_status no_memory(plat_error *error)
{
    return error_refuse(error, IST_E_MEMORY, "memory for a handle", "%s", "");
}

/* What the first instance laid down, and whether this one may join it. */
static ist_status check_join(const plat_pipe *pipe, const plat_pipe_request *request, plat_error *error)
{
    if (request->first)
        return error_refuse(error, IST_E_ACCESS, "IST_PIPE_FIRST", "%s", "it is not the first");
    if (pipe->plan.direction != request->direction)
        return error_refuse(error, IST_E_ACCESS, "direction", "%s", "another than that of the pipe");
    return IST_OK;
}

static ist_status settle(plat_pipe *pipe, const plat_pipe_request *request, bool maker, uint64_t life,
                         plat_error *error)
{
    registry_entry *entry = &pipe->object.entry;
    ist_status status = pipe_view_map(entry, true, &pipe->view, error);

    if (status == IST_OK)
        status = pipe_plan_read(&pipe->view, &pipe->plan, error);
    if (status == IST_OK && !maker)
        status = check_join(pipe, request, error);
    if (status == IST_OK)
        status = instance_take_slot(entry, &pipe->view, pipe->plan.instances_max, maker, &pipe->slot, error);
    if (status != IST_OK)
        return status;
    if (!maker && LOCK_ASKS_WITHOUT_TAKING)
        sweep_sockets(pipe);
    status = pipe_listen(pipe, life, error);
    if (status != IST_OK)
        instance_give_slot(&pipe->view, pipe->slot);
    return status;
}

/* Others than its owner serve a pipe only if they are root. */
static ist_status serve(plat_pipe *pipe, const plat_name *name, const plat_pipe_request *request, uint64_t life,
                        plat_error *error)
{
    const registry_want want = {SEGMENT_PIPE, IST_WRITE, request->trust_everyone && geteuid() == 0, 0, true};
    pipe_words words;
    const registry_plan plan = {.audience = request->audience, .content = {NULL, &words}};
    ist_status made = IST_OK;
    ist_status status = IST_OK;

    pipe_words_fill(request, &words);
    made = registry_create(&pipe->object.entry, name, &want, &plan, error);
    if (made < 0)
        return made;
    status = settle(pipe, request, made == IST_OK, life, error);
    if (status != IST_OK) {
        registry_leave(&pipe->object.entry);
        if (pipe->view.words != NULL) /* the last of the others may have gone meanwhile */
            instance_tell(&pipe->view);
        pipe_view_unmap(&pipe->view);
        segment_life_unmap(&pipe->object.entry.life);
    }
    return status;
}

ist_status plat_pipe_serve(const plat_channel_name *name, const plat_pipe_request *request, plat_pipe **out,
                           plat_pipe_sort *sort, plat_error *error)
{
    char text[NAME_CHANNEL_SIZE];
    plat_name full;
    uint64_t life = 0;
    int entered = 0;
    plat_pipe *pipe = pipe_make();
    ist_status status = IST_OK;

    if (pipe == NULL)
        return no_memory(error);
    name_of_channel(&full, text, "pipe", name);
    pipe->state = PIPE_DISCONNECTED;
    pipe->named = true;
    life = pipe_own_life(&pipe->lives);
    entered = gate_enter();
    status = serve(pipe, &full, request, life, error);
    gate_leave(entered);
    if (status != IST_OK) {
        pipe_unmake(pipe);
        return status;
    }
    pipe->sort = (plat_pipe_sort){pipe->plan.type, pipe->plan.direction, true,
                                  pipe->plan.direction != IST_PIPE_OUTBOUND, pipe->plan.direction != IST_PIPE_INBOUND};
    *sort = pipe->sort;
    *out = pipe;
    return IST_OK;
}

/* ---- the end ---- */

/* Whether a forked process may listen on the socket still: then it has the slot. */
static bool is_shared(const plat_pipe *pipe, const descriptor *segment)
{
    const registry_entry *entry = &pipe->object.entry;
    scope where;
    struct stat facts;
    plat_error error;
    bool shared = false;
    int fd = -1;

    if (scope_again(&entry->where, &where, &error) != IST_OK)
        return true;
    fd = segment_open(where.directory, entry->name);
    if (fd < 0)
        return errno != ENOENT;
    shared = fstat(fd, &facts) != 0 ||
             (facts.st_ino == segment->inode && facts.st_dev == segment->device && instance_has_slot(fd, pipe->slot));
    descriptor_drop(fd);
    return shared;
}

void pipe_end_instance(plat_pipe *pipe)
{
    const descriptor segment = pipe->object.entry.access;
    bool shared = false;

    instance_give_slot(&pipe->view, pipe->slot);
    registry_leave(&pipe->object.entry);
    shared = is_shared(pipe, &segment);
    if (!shared)
        instance_forget_life(&pipe->view, pipe->slot, pipe->socket.life);
    if (pipe->state == PIPE_LISTENING && !shared) {
        pipe_stop_listening(pipe);
        if (pipe->connection != NULL)
            connection_close(pipe->connection);
    }
    descriptor_close(&pipe->listener);
    descriptor_close(&pipe->half);
    pipe->has_file = false;
    pipe->listened++;
    instance_tell(&pipe->view);
    pipe_move(pipe, pipe->connection != NULL ? PIPE_CONNECTED : PIPE_DISCONNECTED);
}

void pipe_exit(registry_entry *entry)
{
    plat_pipe *pipe = (plat_pipe *)(void *)((char *)entry - offsetof(plat_pipe, object.entry));

    if (pipe->has_file && !is_shared(pipe, &entry->access))
        pipe_remove_file(pipe);
}
