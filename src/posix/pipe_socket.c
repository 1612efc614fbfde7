/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Sockets with names.
 */
#include "posix/pipe_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "posix/descriptor.h"
#include "posix/error.h"
#include "posix/name.h"

/* ---- names ---- */

#define NAME_LENGTH 45
#define SLOT_AT (sizeof NAME_SOCKET_PREFIX - 1 + 17)
#define LIFE_AT (SLOT_AT + 5)
#define AGAIN_AT (LIFE_AT + 17)

_Static_assert(AGAIN_AT + 4 == NAME_LENGTH, "the name in the header");
_Static_assert(NAME_LENGTH < PIPE_SOCKET_NAME_SIZE, "the name in the header");

void pipe_socket_write_name(char out[PIPE_SOCKET_NAME_SIZE], const pipe_socket_name *name)
{
    (void)snprintf(out, PIPE_SOCKET_NAME_SIZE,
                   NAME_SOCKET_PREFIX "%016" PRIx64 ".%04" PRIx32 ".%016" PRIx64 ".%04" PRIx32, name->sequence,
                   name->slot & UINT32_C(0xffff), name->life, name->again & UINT32_C(0xffff));
}

static bool read_digits(const char *text, size_t count, uint64_t *out)
{
    *out = 0;
    for (size_t n = 0; n < count; n++) {
        const char digit = text[n];
        uint64_t value = 0;

        if (digit >= '0' && digit <= '9')
            value = (uint64_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            value = (uint64_t)(digit - 'a') + 10;
        else
            return false;
        *out = *out << 4 | value;
    }
    return true;
}

bool pipe_socket_read_name(const char *text, pipe_socket_name *out)
{
    uint64_t slot = 0;
    uint64_t again = 0;

    if (strlen(text) != NAME_LENGTH || strncmp(text, NAME_SOCKET_PREFIX, sizeof NAME_SOCKET_PREFIX - 1) != 0 ||
        text[SLOT_AT - 1] != '.' || text[LIFE_AT - 1] != '.' || text[AGAIN_AT - 1] != '.' ||
        !read_digits(text + sizeof NAME_SOCKET_PREFIX - 1, 16, &out->sequence) ||
        !read_digits(text + SLOT_AT, 4, &slot) || !read_digits(text + LIFE_AT, 16, &out->life) ||
        !read_digits(text + AGAIN_AT, 4, &again))
        return false;
    out->slot = (uint32_t)slot;
    out->again = (uint32_t)again;
    return true;
}

/* ---- addresses ---- */

/* Linux reaches it through the directory's descriptor, whatever the length of the pipe's name: the calling thread's,
   since a process whose first thread has ended shows none; then the process's, for a system that does not know
   threads there. */
#if defined(__linux__)
static const char *const tables[] = {"thread-self", "self"};
#else
static const char *const tables[] = {""};
#endif

static ist_status address_of(const char *table, int directory, const char *entry, const char *name,
                             struct sockaddr_un *out, plat_error *error)
{
    int length = 0;

    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
#if defined(__linux__)
    (void)entry;
    length = snprintf(out->sun_path, sizeof out->sun_path, "/proc/%s/fd/%d/%s", table, directory, name);
#else
    (void)table;
    (void)directory;
    length = snprintf(out->sun_path, sizeof out->sun_path, "%s/%s/%s", scope_global_path(), entry, name);
#endif
    if (length < 0 || (size_t)length >= sizeof out->sun_path)
        return error_refuse(error, IST_E_UNSUPPORTED, "address of a socket", "%s", "the pipe's name is too long");
    return IST_OK;
}

/* Calls bind or connect with its address: IST_E_OS is for errno. */
static ist_status reach(bool binds, int fd, int directory, const char *entry, const char *name, plat_error *error)
{
    for (size_t n = 0; n < sizeof tables / sizeof *tables; n++) {
        struct sockaddr_un address;
        const struct sockaddr *at = (const struct sockaddr *)&address;
        ist_status status = address_of(tables[n], directory, entry, name, &address, error);

        if (status != IST_OK)
            return status;
        if ((binds ? bind(fd, at, sizeof address) : connect(fd, at, sizeof address)) == 0)
            return IST_OK;
        if (errno != ENOENT)
            break;
    }
    return IST_E_OS;
}

/* ---- descriptors ---- */

int pipe_socket_above(int fd)
{
    int moved = fd;

    if (fd >= 0 && fd <= STDERR_FILENO) {
        moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        descriptor_drop(fd);
    }
    return moved;
}

/* What some systems do not set as they make it. */
static int prepare(int fd)
{
#if !defined(SOCK_CLOEXEC)
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
#endif
#if !defined(MSG_NOSIGNAL) && defined(SO_NOSIGPIPE)
    int on = 1;

    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    return pipe_socket_above(fd);
}

#if defined(SOCK_CLOEXEC)
#define SORT (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#else
#define SORT SOCK_STREAM
#endif

ist_status pipe_socket_make(int *fd, plat_error *error)
{
    *fd = prepare(socket(AF_UNIX, SORT, 0));
    return *fd >= 0 ? IST_OK : error_from_errno(error, "socket");
}

ist_status pipe_socket_pair(int fds[2], plat_error *error)
{
    if (socketpair(AF_UNIX, SORT, 0, fds) != 0)
        return error_from_errno(error, "socketpair");
    fds[0] = prepare(fds[0]);
    fds[1] = prepare(fds[1]);
    if (fds[0] >= 0 && fds[1] >= 0)
        return IST_OK;
    for (int n = 0; n < 2; n++)
        if (fds[n] >= 0)
            descriptor_drop(fds[n]);
    return error_from_errno(error, "fcntl");
}

/* ---- listening ---- */

/* A umask has a say in the mode of a new socket. Nobody can connect before it listens. */
static ist_status set_mode(int directory, const char *name, mode_t mode, plat_error *error)
{
    struct stat facts;

    if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return error_from_errno(error, "fstatat");
    if ((facts.st_mode & 0777) != mode && S_ISSOCK(facts.st_mode) && fchmodat(directory, name, mode, 0) != 0)
        return error_from_errno(error, "fchmodat");
    return IST_OK;
}

static ist_status listen_in(int directory, const char *entry, const char *name, mode_t mode, int fd, plat_error *error)
{
    ist_status status = IST_OK;

    (void)fchmod(fd, mode); /* where the system can: it never is wider */
    status = reach(true, fd, directory, entry, name, error);
    if (status == IST_E_UNSUPPORTED)
        return status;
    if (status != IST_OK) {
        status = error_from_errno(error, "bind");
        if (status == IST_E_NOT_FOUND)
            status = IST_E_UNSUPPORTED; /* the directory is there: its address is not */
        return errno == EADDRINUSE ? IST_TIMEOUT : status;
    }
    status = set_mode(directory, name, mode, error);
    if (status == IST_OK && listen(fd, 0) != 0)
        status = error_from_errno(error, "listen");
    if (status != IST_OK)
        (void)unlinkat(directory, name, 0);
    return status;
}

ist_status pipe_socket_listen(const scope *where, const char *entry, const pipe_socket_name *name, mode_t mode, int *fd,
                              plat_error *error)
{
    char text[PIPE_SOCKET_NAME_SIZE];
    int directory = descriptor_open(where->directory, entry, O_RDONLY | O_DIRECTORY, 0);
    ist_status status = IST_OK;

    *fd = -1;
    if (directory < 0)
        return error_from_errno(error, "openat");
    pipe_socket_write_name(text, name);
    status = pipe_socket_make(fd, error);
    if (status == IST_OK)
        status = listen_in(directory, entry, text, mode, *fd, error);
    if (status != IST_OK && *fd >= 0) {
        descriptor_drop(*fd);
        *fd = -1;
    }
    descriptor_drop(directory);
    return status;
}

int pipe_socket_take(int listener)
{
    int fd = -1;

    (void)shutdown(listener, SHUT_RD);
#if defined(SOCK_CLOEXEC)
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
    fd = accept(listener, NULL, NULL);
#endif
    return prepare(fd);
}

/* ---- connecting ---- */

ist_status pipe_socket_connect(int fd, int directory, const char *entry, const pipe_socket_name *name,
                               plat_error *error)
{
    char text[PIPE_SOCKET_NAME_SIZE];
    ist_status status = IST_OK;

    pipe_socket_write_name(text, name);
    status = reach(false, fd, directory, entry, text, error);
    if (status == IST_OK || status == IST_E_UNSUPPORTED)
        return status;
    status = error_from_errno(error, "connect");
    switch (errno) {
    case EAGAIN:
        return IST_TIMEOUT;
    case ECONNREFUSED:
    case ENOENT:
    case ENOTSOCK:
    case EPROTOTYPE:
        return IST_E_NOT_FOUND;
    default:
        return status;
    }
}

bool pipe_socket_peer(int fd, uint64_t *process_id, uid_t *user)
{
#if defined(SO_PEERCRED) && defined(__linux__)
    struct ucred peer = {0, (uid_t)-1, (gid_t)-1};
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer)
        return false;
    *process_id = peer.pid > 0 ? (uint64_t)peer.pid : 0;
    *user = peer.uid;
    return true;
#else
    gid_t group = 0;

    *process_id = 0;
#if defined(LOCAL_PEERPID)
    pid_t process = 0;
    socklen_t size = sizeof process;

    if (getsockopt(fd, 0, LOCAL_PEERPID, &process, &size) == 0 && process > 0)
        *process_id = (uint64_t)process;
#endif
    return getpeereid(fd, user, &group) == 0;
#endif
}
