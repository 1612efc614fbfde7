/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Clients of an instance: how they are taken from the queue, waited for and thrown out.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "posix/clock.h"
#include "posix/error.h"
#include "posix/gate.h"
#include "posix/hello.h"
#include "posix/pipe.h"

/* ---- taking a client ---- */

static bool is_readable(const descriptor *file)
{
    struct pollfd asked = {.fd = file->fd, .events = POLLIN};

    return file->fd >= 0 && poll(&asked, 1, 0) > 0;
}

/* A client says hello right after it has connected; one that does not is put out after so long, for others. */
#define SILENCE_NS INT64_C(100000000)

static bool is_silent(const plat_pipe *pipe)
{
    return pipe->half.fd >= 0 && clock_steady() - pipe->half_since >= SILENCE_NS;
}

/* Also when something else is to be done than to wait. */
bool pipe_has_client(const plat_pipe *pipe)
{
    if (pipe->half.fd < 0 && pipe->listener.fd < 0)
        return true;
    return is_readable(pipe->half.fd >= 0 ? &pipe->half : &pipe->listener) || is_silent(pipe);
}

/* From here on nobody else gets in, and what is wrong with this client is his end. */
static ist_status take_half(plat_pipe *pipe, plat_error *error)
{
    ist_status status = IST_OK;
    int fd = -1;

    if (!descriptor_is_ours(&pipe->listener, NULL))
        return error_refuse(error, IST_E_BROKEN, "descriptor", "%s", "the program closed it");
    fd = pipe_socket_take(pipe->listener.fd);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EINTR))
        return errno == EINTR ? IST_TIMEOUT : error_from_errno(error, "accept4"); /* he waits in the queue */
    if (fd < 0)
        status = error_refuse(error, IST_E_BROKEN, "accept4", "%s", "another process took the client");
    else
        status = pipe_own(&pipe->half, fd, error);
    pipe->half_since = clock_steady();
    pipe_remove_file(pipe);
    if (status != IST_OK)
        descriptor_close(&pipe->listener);
    return status;
}

static ist_status check_client(const plat_pipe *pipe, const hello *says, uid_t user, plat_error *error)
{
    const pipe_plan *plan = &pipe->plan;

    if (says->shape.messages != (plan->type == IST_PIPE_MESSAGE) || says->shape.inbound_bytes != plan->inbound_bytes ||
        says->shape.outbound_bytes != plan->outbound_bytes)
        return error_refuse(error, IST_E_BROKEN, "hello", "%s", "of another pipe");
    if (!pipe_plan_allows(plan, says->access) ||
        (pipe_is_only_read(&pipe->object.entry, user) && says->access != IST_READ))
        return error_refuse(error, IST_E_BROKEN, "hello", "%s", "more than the client may");
    return IST_OK;
}

/* A client whose hello has come. */
static ist_status connect_half(plat_pipe *pipe, const hello *says, int memory, plat_error *error)
{
    connection_peer peer = {
        0, (uid_t)-1, pipe->lives, says->life_id, (says->access & IST_READ) != 0, (says->access & IST_WRITE) != 0};
    int fd = pipe->half.fd;
    ist_status status = IST_OK;

    (void)pipe_socket_peer(fd, &peer.process_id, &peer.user);
    status = check_client(pipe, says, peer.user, error);
    if (status != IST_OK) {
        descriptor_drop(memory);
        return status;
    }
    pipe->half = DESCRIPTOR_NONE;
    status = connection_open(fd, memory, &says->shape, true, pipe->sort.may_read, pipe->sort.may_write, &peer,
                             &pipe->connection, error);
    if (status == IST_E_CORRUPT || status == IST_E_LAYOUT)
        status = IST_E_BROKEN;
    if (status == IST_OK && connection_peer_is_gone(pipe->connection))
        status = error_refuse(error, IST_E_BROKEN, "pipe", "%s", "the client has come and gone");
    return status;
}

/* The hello, and with it the connection. */
static ist_status meet(plat_pipe *pipe, plat_error *error)
{
    hello says;
    int memory = -1;
    ist_status status = hello_receive(pipe->half.fd, &says, &memory, error);

    return status == IST_OK ? connect_half(pipe, &says, memory, error) : status;
}

/* What comes from here on the kernel refuses, and the client goes elsewhere. A hello that was faster is that of a
   client thrown out. */
static void dismiss(plat_pipe *pipe)
{
    plat_error error;

    (void)shutdown(pipe->half.fd, SHUT_RD);
    (void)meet(pipe, &error);
    if (pipe->connection != NULL) {
        connection_drop(pipe->connection);
        pipe_retire(pipe);
    }
}

/* IST_TIMEOUT: it listens. */
static ist_status listen_on(plat_pipe *pipe, plat_error *error)
{
    ist_status status = pipe_listen_on(pipe, error);

    return status == IST_OK ? IST_TIMEOUT : status;
}

/* With a client out of the queue, or none that could be got. */
static ist_status meet_or_listen(plat_pipe *pipe, ist_status status, plat_error *error)
{
    if (status == IST_OK)
        status = meet(pipe, error);
    if (pipe->half.fd >= 0 && status == IST_TIMEOUT && is_silent(pipe)) {
        dismiss(pipe);
        return listen_on(pipe, error);
    }
    if (pipe->half.fd >= 0 && status == IST_E_NOT_FOUND)
        return listen_on(pipe, error);
    descriptor_close(&pipe->listener);
    if (pipe->half.fd >= 0 && (status == IST_TIMEOUT || status == IST_E_LIMIT))
        return status;
    descriptor_close(&pipe->half);
    pipe_move(pipe, PIPE_CONNECTED);
    return status;
}

ist_status pipe_take_client(plat_pipe *pipe, plat_error *error)
{
    ist_status status = IST_OK;

    if (pipe->half.fd < 0 && pipe->listener.fd < 0)
        return listen_on(pipe, error);
    if (!pipe_has_client(pipe))
        return IST_TIMEOUT;
    if (pipe->half.fd < 0)
        status = take_half(pipe, error);
    if (status != IST_OK && pipe->listener.fd >= 0)
        return status;
    return meet_or_listen(pipe, status, error);
}

/* A client that nobody will accept is taken all the same: only who has its memory can wake it. What it may still have
   to say it cannot say any more. */
void pipe_stop_listening(plat_pipe *pipe)
{
    plat_error error;

    if (pipe->half.fd < 0)
        (void)take_half(pipe, &error);
    if (descriptor_is_ours(&pipe->half, NULL)) {
        (void)shutdown(pipe->half.fd, SHUT_RD);
        (void)meet(pipe, &error);
    }
    pipe_remove_file(pipe);
    descriptor_close(&pipe->listener);
    descriptor_close(&pipe->half);
}

/* ---- accept ---- */

/* How long to look for a hello before looking at the rest. */
#define HELLO_SLICE_MS 10
#define MILLISECOND INT64_C(1000000)

typedef struct accepting {
    plat_pipe *pipe;
    patience until;
    uint64_t life;
    uint32_t listened; /* as it was when the call began to wait; */
    bool begun;        /* whether it has */
    word_watch bell;
    int half;
} accepting;

static bool is_over(const accepting *here)
{
    return here->until.deadline != CLOCK_NEVER && clock_steady() >= here->until.deadline;
}

/* After the bell was announced it looks again: who came before is seen, who comes after rings. */
static ist_status look_for_client(accepting *here, plat_error *error)
{
    plat_pipe *pipe = here->pipe;
    ist_status status = pipe_take_client(pipe, error);

    if (status != IST_TIMEOUT || is_over(here))
        return status;
    here->bell = bell_announce(instance_bell(&pipe->view, pipe->socket.sequence));
    status = pipe_take_client(pipe, error);
    here->half = pipe->half.fd;
    return status;
}

/* In turn, inside the gate. */
static ist_status accept_once(accepting *here, plat_error *error)
{
    plat_pipe *pipe = here->pipe;
    ist_status status = IST_OK;

    if (!here->begun && pipe->state == PIPE_DISCONNECTED)
        status = pipe_listen(pipe, here->life, error);
    if (!here->begun)
        here->listened = pipe->listened;
    if (status != IST_OK)
        return status;
    here->begun = true;
    if (here->listened != pipe->listened || pipe->state == PIPE_DISCONNECTED)
        return error_refuse(error, IST_E_BROKEN, "pipe", "%s", "disconnected by another thread");
    if (pipe->state == PIPE_LISTENING)
        return look_for_client(here, error);
    if (pipe->connection == NULL || connection_peer_is_gone(pipe->connection))
        return error_refuse(error, IST_E_BROKEN, "pipe", "%s", "the client has come and gone");
    return IST_OK;
}

static int slice_of(const accepting *here)
{
    int64_t left = here->until.deadline == CLOCK_NEVER ? INT64_MAX : here->until.deadline - clock_steady();

    return left >= HELLO_SLICE_MS * MILLISECOND ? HELLO_SLICE_MS : (int)(left / MILLISECOND) + 1;
}

static void sleep_for_client(const accepting *here)
{
    int64_t until = clock_next_recheck();

    if (here->half >= 0) {
        struct pollfd asked = {.fd = here->half, .events = POLLIN};

        (void)poll(&asked, 1, slice_of(here));
        return;
    }
    word_sleep(&here->bell, 1, until < here->until.deadline ? until : here->until.deadline);
}

static ist_status accept_looped(accepting *here, plat_error *error)
{
    ist_status status = IST_TIMEOUT;

    while (status == IST_TIMEOUT) {
        int entered = gate_enter();

        here->half = -1;
        pipe_enter(here->pipe);
        status = accept_once(here, error);
        pipe_leave(here->pipe);
        gate_leave(entered);
        if (status != IST_TIMEOUT)
            break;
        if (atomic_load_u32(here->until.stop) != here->until.seen)
            return IST_CANCELLED;
        if (is_over(here))
            break;
        sleep_for_client(here);
    }
    return status;
}

/* One of a pair is connected as long as there is the other, and never again. */
static ist_status accept_in_pair(plat_pipe *pipe, plat_error *error)
{
    bool gone = false;

    pipe_enter(pipe);
    gone = pipe->connection == NULL || connection_peer_is_gone(pipe->connection);
    pipe_leave(pipe);
    return gone ? error_refuse(error, IST_E_BROKEN, "pipe", "%s", "the other end has gone") : IST_OK;
}

ist_status plat_pipe_accept(plat_pipe *pipe, int64_t timeout_ns, plat_error *error)
{
    accepting here = {.pipe = pipe, .until = pipe_patience(pipe, timeout_ns)};
    int cancel_state = 0;
    ist_status status = IST_OK;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    if (pipe->named)
        here.life = pipe_own_life(&pipe->lives);
    status = pipe->named ? accept_looped(&here, error) : accept_in_pair(pipe, error);
    (void)pthread_setcancelstate(cancel_state, NULL);
    return status;
}

/* ---- disconnect ---- */

ist_status plat_pipe_disconnect(plat_pipe *pipe, plat_error *error)
{
    int entered = gate_enter();

    (void)error;
    pipe_enter(pipe);
    if (pipe->state == PIPE_LISTENING)
        pipe_stop_listening(pipe);
    if (pipe->connection != NULL) {
        connection_drop(pipe->connection);
        pipe_retire(pipe);
    }
    pipe->listened++;
    pipe_move(pipe, PIPE_DISCONNECTED);
    pipe_leave(pipe);
    gate_leave(entered);
    return IST_OK;
}
