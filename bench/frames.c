/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Messages over a stream socket.
 */
#include "frames.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fail.h"

static frames_result failed(const char *call)
{
    if (errno == EPIPE || errno == ECONNRESET)
        return FRAMES_ENDED;
    (void)fail_system(call);
    return FRAMES_FAILED;
}

/* Takes what was sent off the front. */
static void advance(struct msghdr *what, size_t sent)
{
    while (what->msg_iovlen > 0 && sent >= what->msg_iov->iov_len) {
        sent -= what->msg_iov->iov_len;
        what->msg_iov++;
        what->msg_iovlen--;
    }
    if (what->msg_iovlen > 0) {
        what->msg_iov->iov_base = (char *)what->msg_iov->iov_base + sent;
        what->msg_iov->iov_len -= sent;
    }
}

frames_result frames_send(int socket, const void *data, uint32_t size)
{
    struct iovec parts[2] = {{&size, sizeof size}, {(void *)(uintptr_t)data, size}};
    struct msghdr what = {.msg_iov = parts, .msg_iovlen = 2};

    while (what.msg_iovlen > 0) {
        ssize_t sent = sendmsg(socket, &what, MSG_NOSIGNAL);

        if (sent >= 0)
            advance(&what, (size_t)sent);
        else if (errno != EINTR)
            return failed("sendmsg");
    }
    return FRAMES_OK;
}

static frames_result receive_all(int socket, void *buffer, size_t size)
{
    size_t got = 0;

    while (got < size) {
        ssize_t now = recv(socket, (char *)buffer + got, size - got, MSG_WAITALL);

        if (now == 0)
            return FRAMES_ENDED;
        if (now > 0)
            got += (size_t)now;
        else if (errno != EINTR)
            return failed("recv");
    }
    return FRAMES_OK;
}

frames_result frames_receive(int socket, void *buffer, uint32_t size)
{
    uint32_t said = 0;
    frames_result result = receive_all(socket, &said, sizeof said);

    if (result == FRAMES_OK && said != size) {
        (void)fail_say("recv", "a message of another size");
        return FRAMES_FAILED;
    }
    return result == FRAMES_OK ? receive_all(socket, buffer, size) : result;
}
