/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The hello.
 */
#include "posix/hello.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "posix/descriptor.h"
#include "posix/error.h"
#include "posix/pipe_socket.h"

/* More descriptors than one are taken to be closed, as many as the room for one may hold. */
#define MOST_DESCRIPTORS 4

typedef union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

static bool is_buffer(uint32_t bytes)
{
    return bytes >= IST_PIPE_BUFFER_MIN && bytes <= IST_PIPE_BUFFER_MAX;
}

static bool is_sound(const hello_message *message)
{
    return message->access != 0 && (message->access & ~(uint32_t)(IST_READ | IST_WRITE)) == 0 &&
           message->messages <= 1 && is_buffer(message->inbound_bytes) && is_buffer(message->outbound_bytes) &&
           message->life_id >> LIFE_ID_BITS == 0;
}

ist_status hello_parse(const void *bytes, size_t size, hello *out)
{
    hello_message message;

    if (size != sizeof message)
        return IST_E_CORRUPT;
    memcpy(&message, bytes, sizeof message);
    if (message.magic != HELLO_MAGIC)
        return IST_E_CORRUPT;
    if (message.layout != HELLO_LAYOUT)
        return IST_E_LAYOUT;
    if (!is_sound(&message))
        return IST_E_CORRUPT;
    *out = (hello){(ist_access)message.access,
                   {message.messages == 1, message.inbound_bytes, message.outbound_bytes},
                   message.life_id};
    return IST_OK;
}

/* ---- send ---- */

ist_status hello_send(int socket, const hello *what, int memory, plat_error *error)
{
    hello_message message = {HELLO_MAGIC,
                             HELLO_LAYOUT,
                             (uint32_t)what->access,
                             what->shape.messages ? 1 : 0,
                             what->shape.inbound_bytes,
                             what->shape.outbound_bytes,
                             what->life_id};
    struct iovec bytes = {&message, sizeof message};
    control room;
    struct msghdr envelope = {.msg_iov = &bytes, .msg_iovlen = 1};
    struct cmsghdr *rights = NULL;
    ssize_t sent = 0;

    memset(&room, 0, sizeof room);
    envelope.msg_control = room.bytes;
    envelope.msg_controllen = sizeof room.bytes;
    rights = CMSG_FIRSTHDR(&envelope);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &memory, sizeof memory);
    do
        sent = sendmsg(socket, &envelope, MSG_DONTWAIT | PIPE_SOCKET_NO_SIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        ist_status status = error_from_errno(error, "sendmsg");

        return errno == EPIPE || errno == ECONNRESET ? IST_E_BROKEN : status;
    }
    return (size_t)sent == sizeof message ? IST_OK : error_refuse(error, IST_E_BROKEN, "sendmsg", "%s", "cut short");
}

/* ---- receive ---- */

/* The macro of some C libraries mixes signs. */
static struct cmsghdr *next_of(struct msghdr *envelope, struct cmsghdr *each)
{
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
    return CMSG_NXTHDR(envelope, each);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}

/* How many descriptors came; those beyond the room are counted by nobody. */
static size_t take_descriptors(struct msghdr *envelope, int out[MOST_DESCRIPTORS])
{
    size_t count = 0;

    for (struct cmsghdr *each = CMSG_FIRSTHDR(envelope); each != NULL; each = next_of(envelope, each)) {
        size_t bytes = each->cmsg_len - CMSG_LEN(0);

        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
            int fd = -1;

            memcpy(&fd, CMSG_DATA(each) + at, sizeof fd);
            if (count < MOST_DESCRIPTORS)
                out[count++] = fd;
            else
                descriptor_drop(fd);
        }
    }
    return count;
}

/* Where it is not so from the first. */
static void keep_from_programs(int fd)
{
    if (PIPE_SOCKET_CLOSES_RECEIVED == 0 && fd >= 0)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Keeps the one that came with a sound hello. */
static ist_status settle(const void *bytes, size_t size, bool cut, const int *came, size_t count, hello *out,
                         int *memory, plat_error *error)
{
    ist_status status = hello_parse(bytes, size, out);

    if (status == IST_OK && cut && count == 0)
        status = IST_E_LIMIT;
    else if (status == IST_OK && (cut || count != 1))
        status = IST_E_CORRUPT;
    for (size_t n = 0; n < count && status != IST_OK; n++)
        descriptor_drop(came[n]);
    if (status == IST_OK) {
        *memory = pipe_socket_above(came[0]);
        keep_from_programs(*memory);
        status = *memory >= 0 ? IST_OK : IST_E_LIMIT;
    }
    if (status == IST_OK)
        return IST_OK;
    if (status == IST_E_LIMIT)
        return error_refuse(error, IST_E_LIMIT, "hello", "%s", "no descriptor left for it");
    return error_refuse(error, IST_E_BROKEN, "hello", "%s", "not one of ours");
}

/* Linux gives copies of descriptors with a look: a hello that they were missing for stays for another try. */
#if defined(__linux__)
#define LOOK_FIRST MSG_PEEK
#else
#define LOOK_FIRST 0
#endif

static ist_status consume(int socket, ist_status status, plat_error *error)
{
    char buffer[sizeof(hello_message)];
    ssize_t size = 0;

    if (LOOK_FIRST == 0)
        return status == IST_E_LIMIT ? IST_E_BROKEN : status;
    if (status == IST_OK)
        size = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
    return size >= 0 ? status : error_from_errno(error, "recv");
}

ist_status hello_receive(int socket, hello *out, int *memory, plat_error *error)
{
    char buffer[sizeof(hello_message)];
    struct iovec bytes = {buffer, sizeof buffer};
    control room;
    struct msghdr envelope = {.msg_iov = &bytes, .msg_iovlen = 1};
    int came[MOST_DESCRIPTORS];
    ssize_t size = 0;
    size_t count = 0;
    bool has_memory = false;
    ist_status status = IST_OK;

    envelope.msg_control = room.bytes;
    envelope.msg_controllen = sizeof room.bytes;
    do
        size = recvmsg(socket, &envelope, MSG_DONTWAIT | PIPE_SOCKET_CLOSES_RECEIVED | LOOK_FIRST);
    while (size < 0 && errno == EINTR);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return IST_TIMEOUT;
    if (size <= 0)
        return error_refuse(error, IST_E_NOT_FOUND, "hello", "%s", "the client has gone");
    count = take_descriptors(&envelope, came);
    status = settle(buffer, (size_t)size, (envelope.msg_flags & MSG_CTRUNC) != 0, came, count, out, memory, error);
    has_memory = status == IST_OK;
    status = consume(socket, status, error);
    if (has_memory && status != IST_OK)
        descriptor_drop(*memory);
    return status;
}
