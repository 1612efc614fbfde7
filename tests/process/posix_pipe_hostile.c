/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A program that is none of ours connects to an instance and says anything; and programs that have no descriptors left.
 * The server gives statuses, loses no descriptor, and serves the next client.
 */
#include "support/check.h"
#include "support/peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage/stage.h"

#define MS INT64_C(1000000)
#define MOST_FDS 200

static char name[STAGE_NAME_SIZE];

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *list = opendir("/proc/self/fd");
    while (list != NULL && readdir(list) != NULL)
        count++;
    if (list != NULL)
        closedir(list);
    return count;
}

/* The one socket that an instance listens on. */
static bool find_socket(char path[300])
{
    DIR *scopes = opendir(STAGE_GLOBAL_DIRECTORY);
    const struct dirent *entry = NULL;
    bool found = false;
    while (scopes != NULL && !found && (entry = readdir(scopes)) != NULL) {
        char directory[300];
        snprintf(directory, sizeof directory, "%s/%.150s", STAGE_GLOBAL_DIRECTORY, entry->d_name);
        DIR *pipes = entry->d_name[0] != '.' ? opendir(directory) : NULL;
        const struct dirent *file = NULL;
        while (pipes != NULL && !found && (file = readdir(pipes)) != NULL)
            if (strncmp(file->d_name, "s.", 2) == 0)
                found = snprintf(path, 300, "%.200s/%.80s", directory, file->d_name) > 0;
        if (pipes != NULL)
            closedir(pipes);
    }
    if (scopes != NULL)
        closedir(scopes);
    return found;
}

static int connect_raw(void)
{
    char path[300] = "";
    char link[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!find_socket(path)) {
        stage_fail("no instance listens");
        return -1;
    }
    char *file = strrchr(path, '/');
    *file++ = '\0';
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    snprintf(address.sun_path, sizeof address.sun_path, "%.40s/%.60s", link, file);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        stage_fail("connect: %s", strerror(errno));
    close(directory);
    return fd;
}

static void send_with(int fd, const void *bytes, size_t size, const int *fds, unsigned count)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * MOST_FDS)];
    } control;
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    memset(&control, 0, sizeof control);
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *first = CMSG_FIRSTHDR(&message);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(first), fds, sizeof(int) * count);
    }
    STAGE_CHECK(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)size);
}

/* The first call of a process removes what the killed have left (L3). */
static int look_round(void *unused)
{
    ist_mapping *mapping = NULL;
    (void)unused;
    STAGE_IS(ist_mapping_create(&mapping, "Global\\isthmus-look-round", 1, NULL), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

static void check_empty(const char *when)
{
    STAGE_CHECK(stage_run(look_round, NULL) == 0);
    stage_check_empty(when);
}

static ist_pipe *serve(void)
{
    ist_pipe *pipe = NULL;
    ist_pipe_options options = IST_PIPE_OPTIONS_INIT;
    options.type = IST_PIPE_MESSAGE;
    STAGE_IS(ist_pipe_serve(&pipe, name, &options), IST_OK);
    return pipe;
}

/* Whatever the stranger was: he is one who has come and gone, or who never was, and the instance serves the next. */
static void expect_gone_and_serve(ist_pipe *pipe, int fd)
{
    unsigned char got[64];
    size_t size = 0;
    ist_status status = ist_pipe_accept(pipe, 100 * MS);
    STAGE_CHECK(status == IST_E_BROKEN || status == IST_TIMEOUT);
    close(fd);
    if (status == IST_TIMEOUT)
        STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
    STAGE_IS(ist_pipe_read(pipe, got, sizeof got, 0, &size), IST_E_BROKEN);
    STAGE_IS(ist_pipe_disconnect(pipe), IST_OK);
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
    ist_pipe *client = NULL;
    if (STAGE_IS(ist_pipe_connect(&client, name, IST_READ | IST_WRITE, 0), IST_OK)) {
        STAGE_IS(ist_pipe_accept(pipe, 0), IST_OK);
        STAGE_IS(ist_pipe_write(client, "hello", 5, 0, NULL), IST_OK);
        STAGE_IS(ist_pipe_read(pipe, got, sizeof got, 0, &size), IST_OK);
        STAGE_CHECK(size == 5);
        ist_pipe_close(client);
    }
    STAGE_IS(ist_pipe_disconnect(pipe), IST_OK);
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
}

static uint64_t random_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void begin(const char *what)
{
    stage_case("%s", what);
    stage_name(name, "", "hostile");
}

/* In a child, so that the look behind it is another process's. */
static void in_child(int (*play)(void *unused), const char *what)
{
    unsigned before = stage_failures();
    begin(what);
    assert_int_equal(stage_run(play, NULL), 0);
    check_empty(what);
    assert_int_equal(stage_failures(), before);
}

static int say_anything(void *unused)
{
    unsigned before = stage_failures();
    unsigned char bytes[600];
    uint64_t random = 0x9e3779b97f4a7c15u;
    (void)unused;
    ist_pipe *pipe = serve();
    expect_gone_and_serve(pipe, connect_raw()); /* so that what a first call keeps is there */
    unsigned descriptors = count_descriptors();
    for (int n = 0; n < 200 && stage_failures() == before; n++) {
        size_t size = n < 2 ? (size_t)n : (size_t)(random_number(&random) % sizeof bytes) + 1;
        for (size_t at = 0; at < size; at++)
            bytes[at] = (unsigned char)random_number(&random);
        int fd = connect_raw();
        if (size > 0)
            send_with(fd, bytes, size, NULL, 0);
        expect_gone_and_serve(pipe, fd);
    }
    STAGE_CHECK(count_descriptors() == descriptors);
    ist_pipe_close(pipe);
    return 0;
}

/* A3, P4 */
TEST(a_stranger_who_says_nothing_or_anything_harms_nobody)
{
    in_child(say_anything, "a stranger who says anything");
}

static int send_descriptors(void *unused)
{
    unsigned before = stage_failures();
    unsigned char bytes[64] = {0};
    int fds[MOST_FDS];
    (void)unused;
    ist_pipe *pipe = serve();
    int file = memfd_create("stranger", MFD_CLOEXEC);
    STAGE_CHECK(file >= 0 && ftruncate(file, 100000) == 0);
    for (unsigned n = 0; n < MOST_FDS; n++)
        fds[n] = file;
    expect_gone_and_serve(pipe, connect_raw());
    unsigned descriptors = count_descriptors();
    for (unsigned count = 1; count <= MOST_FDS && stage_failures() == before; count = count * 2 + 1)
        for (size_t size = 1; size <= sizeof bytes; size++) {
            int fd = connect_raw();
            send_with(fd, bytes, size, fds, count);
            expect_gone_and_serve(pipe, fd);
        }
    STAGE_CHECK(count_descriptors() == descriptors);
    close(file);
    ist_pipe_close(pipe);
    return 0;
}

/* A3 */
TEST(descriptors_that_a_stranger_sends_are_closed)
{
    in_child(send_descriptors, "a stranger who sends descriptors");
}

/* ---- descriptors ---- */

static void allow(rlim_t count)
{
    struct rlimit limit;
    STAGE_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = count;
    STAGE_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

typedef ist_status attempt(void);

static ist_pipe *server;
static ist_pipe *ends[2];
static ist_mailslot *slots[2];

static ist_status try_serve(void)
{
    ist_status status = ist_pipe_serve(&ends[0], name, NULL);
    STAGE_CHECK((status == IST_OK) == (ends[0] != NULL));
    return status;
}

static ist_status try_connect(void)
{
    return ist_pipe_connect(&ends[0], name, IST_READ | IST_WRITE, 0);
}

/* A failed accept has not lost the client. */
static ist_status try_accept(void)
{
    if (ends[0] == NULL) {
        allow(1000);
        STAGE_IS(ist_pipe_connect(&ends[0], name, IST_READ | IST_WRITE, 0), IST_OK);
        allow(3);
    }
    return ist_pipe_accept(server, 0);
}

static ist_status try_pair(void)
{
    return ist_pipe_pair(&ends[0], &ends[1], NULL);
}

static ist_status try_create_mailslot(void)
{
    return ist_mailslot_create(&slots[0], name, NULL);
}

static ist_status try_open_mailslot(void)
{
    return ist_mailslot_open(&slots[1], name, IST_WRITE);
}

/* With one descriptor more each time, until it works; in a child, whose library begins anew. */
static int exhaust(void *argument)
{
    attempt *tried = NULL;
    ist_status status = IST_E_LIMIT;
    memcpy(&tried, argument, sizeof tried);
    if (tried != try_create_mailslot && tried != try_pair && tried != try_open_mailslot && tried != try_serve)
        STAGE_IS(ist_pipe_serve(&server, name, NULL), IST_OK);
    if (tried == try_open_mailslot)
        STAGE_IS(ist_mailslot_create(&slots[0], name, NULL), IST_OK);
    unsigned refused = 0;
    for (rlim_t count = 3; count < 100 && status == IST_E_LIMIT; count++) {
        if (tried == try_accept && ends[0] == NULL)
            (void)try_accept();
        allow(1000);
        unsigned had = count_descriptors();
        allow(count);
        status = tried();
        allow(1000);
        if (status == IST_E_LIMIT) {
            refused++;
            if (count_descriptors() > had + 4) /* what the library keeps for good: scopes, lives */
                stage_fail("descriptors are lost: %u after %u", count_descriptors(), had);
        }
    }
    STAGE_IS(status, IST_OK);
    STAGE_CHECK(refused > 0);
    ist_pipe_close(ends[0]);
    ist_pipe_close(ends[1]);
    ist_pipe_close(server);
    ist_mailslot_close(slots[0]);
    ist_mailslot_close(slots[1]);
    return 0;
}

/* Hazard 8: no descriptor is a status, and what failed has left nothing. */
TEST(without_descriptors_each_call_is_a_limit_and_works_when_there_are_some)
{
    static attempt *const tries[] = {try_serve, try_connect,         try_accept,
                                     try_pair,  try_create_mailslot, try_open_mailslot};
    unsigned before = stage_failures();
    for (size_t n = 0; n < COUNT_OF(tries); n++) {
        attempt *tried = tries[n];
        begin("without descriptors");
        stage_case("without descriptors, attempt %zu", n);
        assert_int_equal(stage_run(exhaust, &tried), 0);
        check_empty("behind who had no descriptors");
    }
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_stranger_who_says_nothing_or_anything_harms_nobody),
        RUN(descriptors_that_a_stranger_sends_are_closed),
        RUN(without_descriptors_each_call_is_a_limit_and_works_when_there_are_some),
    };
    return cmocka_run_group_tests_name("process.posix_pipe_hostile", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
