/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Memory that a client hands to a server.
 */
#include "sharing.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"

#define SORT (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define HELLO 32 /* bytes that come with it */

typedef union control {
    struct cmsghdr first;
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

static int listen_anew(const struct sockaddr_un *path)
{
    int fd = socket(AF_UNIX, SORT, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)path, sizeof *path) != 0 || listen(fd, 0) != 0)
        return fail_system("listen"), -1;
    return fd;
}

static int make_memory(size_t bytes)
{
    int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        return fail_system("memfd_create"), -1;
    return fd;
}

static bool send_memory(int socket, int memory)
{
    char hello[HELLO] = "";
    struct iovec data = {hello, sizeof hello};
    control room = {.bytes = ""};
    struct msghdr what = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};

    room.first = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&room.first), &memory, sizeof memory);
    return sendmsg(socket, &what, MSG_NOSIGNAL) == HELLO || fail_system("sendmsg");
}

static int receive_memory(int socket)
{
    char hello[HELLO];
    struct iovec data = {hello, sizeof hello};
    control room = {.bytes = ""};
    struct msghdr what = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};
    int memory = -1;

    if (recvmsg(socket, &what, MSG_CMSG_CLOEXEC) != HELLO || CMSG_FIRSTHDR(&what) == NULL)
        return fail_system("recvmsg"), -1;
    memcpy(&memory, CMSG_DATA(&room.first), sizeof memory);
    return memory;
}

/* Maps, touches, unmaps and closes. */
static bool use(int memory, size_t bytes)
{
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);

    if (at == MAP_FAILED)
        return fail_system("mmap");
    *(volatile char *)at = 1;
    return munmap(at, bytes) == 0 && close(memory) == 0;
}

bool sharing_once(const struct sockaddr_un *path, size_t bytes)
{
    int listener = listen_anew(path);
    int client = socket(AF_UNIX, SORT, 0);
    int memory = make_memory(bytes);
    int server = -1;
    bool done = listener >= 0 && memory >= 0;

    done = done && connect(client, (const struct sockaddr *)path, sizeof *path) == 0 && send_memory(client, memory) &&
           use(memory, bytes);
    server = done ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    if (server < 0 || unlink(path->sun_path) != 0 || close(listener) != 0)
        return fail_system("accept4");
    return use(receive_memory(server), bytes) && close(client) == 0 && close(server) == 0;
}
