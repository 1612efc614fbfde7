/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Pipes where a process, a thread or a client is in an unusual state: cancelled, without its first thread, connected
 * and silent, come and gone without a word, gone while its thread lives on.
 */
#include "support/check.h"
#include "support/peer.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/plat.h"
#include "stage/stage.h"

#define MS INT64_C(1000000)
#define BOTH (IST_READ | IST_WRITE)

static char name[STAGE_NAME_SIZE];

static void in_child(int (*play)(void *unused), const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    stage_name(name, "", "mended");
    assert_int_equal(stage_run(play, NULL), 0);
    assert_int_equal(stage_failures(), before);
}

static void sleep_ms(unsigned count)
{
    (void)usleep(count * 1000u);
}

/* Connects to a socket in a directory, if one is there, and says nothing: -1 where none takes it. */
static int connect_in(const char *path)
{
    DIR *list = opendir(path);
    const struct dirent *each = NULL;
    int fd = -1;
    while (list != NULL && fd < 0 && (each = readdir(list)) != NULL) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strncmp(each->d_name, "s.", 2) != 0)
            continue;
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/thread-self/fd/%d/%.60s", dirfd(list), each->d_name);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
            close(fd);
            fd = -1;
        }
    }
    if (list != NULL)
        closedir(list);
    return fd;
}

static int connect_silently(void)
{
    DIR *list = opendir(STAGE_GLOBAL_DIRECTORY);
    const struct dirent *each = NULL;
    int fd = -1;
    while (list != NULL && fd < 0 && (each = readdir(list)) != NULL) {
        char path[300];
        snprintf(path, sizeof path, "%s/%.150s", STAGE_GLOBAL_DIRECTORY, each->d_name);
        if (each->d_name[0] != '.')
            fd = connect_in(path);
    }
    if (list != NULL)
        closedir(list);
    STAGE_CHECK(fd >= 0);
    return fd;
}

/* ---- cancelled ---- */

static ist_pipe *ends[2];

static void *accept_cancelled(void *unused)
{
    (void)unused;
    pthread_cancel(pthread_self());
    (void)ist_pipe_accept(ends[0], 0);
    return NULL;
}

static int cancel_an_accept(void *unused)
{
    ist_pipe_facts facts = IST_PIPE_FACTS_INIT;
    pthread_t thread;
    (void)unused;
    STAGE_IS(ist_pipe_pair(&ends[0], &ends[1], NULL), IST_OK);
    STAGE_CHECK(pthread_create(&thread, NULL, accept_cancelled, NULL) == 0);
    pthread_join(thread, NULL);
    alarm(5);
    STAGE_IS(ist_pipe_info(ends[0], &facts), IST_OK);
    STAGE_IS(ist_pipe_write(ends[0], "x", 1, 0, NULL), IST_OK);
    ist_pipe_close(ends[0]);
    ist_pipe_close(ends[1]);
    return 0;
}

TEST(a_thread_cancelled_in_the_accept_of_a_pair_has_no_turn)
{
    in_child(cancel_an_accept, "a cancelled accept");
}

/* ---- without its first thread ---- */

static void *serve_and_connect(void *unused)
{
    (void)unused;
    sleep_ms(50);
    STAGE_IS(ist_pipe_serve(&ends[0], name, NULL), IST_OK);
    STAGE_IS(ist_pipe_connect(&ends[1], name, BOTH, 0), IST_OK);
    STAGE_IS(ist_pipe_accept(ends[0], 0), IST_OK);
    ist_pipe_close(ends[1]);
    ist_pipe_close(ends[0]);
    _exit(0);
}

static int end_the_first_thread(void *unused)
{
    pthread_t thread;
    (void)unused;
    alarm(5);
    STAGE_CHECK(pthread_create(&thread, NULL, serve_and_connect, NULL) == 0);
    pthread_exit(NULL);
}

TEST(a_process_without_its_first_thread_has_pipes)
{
    in_child(end_the_first_thread, "the first thread has ended");
}

/* ---- clients that say nothing ---- */

static void expect_service(ist_pipe *pipe)
{
    ist_pipe *client = NULL;
    if (!STAGE_IS(ist_pipe_connect(&client, name, BOTH, 0), IST_OK))
        return;
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_OK);
    ist_pipe_close(client);
}

static int hang_up(void *unused)
{
    ist_pipe *pipe = NULL;
    intptr_t native[2] = {-1, -1};
    (void)unused;
    STAGE_IS(ist_pipe_serve(&pipe, name, NULL), IST_OK);
    STAGE_IS(ist_pipe_native(pipe, &native[0]), IST_OK);
    close(connect_silently());
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
    STAGE_IS(ist_pipe_native(pipe, &native[1]), IST_OK);
    STAGE_CHECK(native[0] != native[1]);
    expect_service(pipe);
    ist_pipe_close(pipe);
    return 0;
}

/* P4 */
TEST(a_client_that_went_without_a_word_never_was)
{
    in_child(hang_up, "a client that hangs up");
}

static void *connect_honestly(void *unused)
{
    (void)unused;
    STAGE_IS(ist_pipe_connect(&ends[1], name, BOTH, 5000 * MS), IST_OK);
    return NULL;
}

static int keep_silent(void *unused)
{
    pthread_t thread;
    (void)unused;
    STAGE_IS(ist_pipe_serve(&ends[0], name, NULL), IST_OK);
    int fd = connect_silently();
    STAGE_CHECK(pthread_create(&thread, NULL, connect_honestly, NULL) == 0);
    STAGE_IS(ist_pipe_accept(ends[0], 5000 * MS), IST_OK);
    pthread_join(thread, NULL);
    close(fd);
    ist_pipe_close(ends[1]);
    ist_pipe_close(ends[0]);
    return 0;
}

/* P4 */
TEST(a_silent_client_does_not_keep_the_instance)
{
    in_child(keep_silent, "a silent client");
}

static int watch_a_silent_client(void *unused)
{
    ist_pipe *pipe = NULL;
    intptr_t native[2] = {-1, -1};
    (void)unused;
    STAGE_IS(ist_pipe_serve(&pipe, name, NULL), IST_OK);
    STAGE_IS(ist_pipe_native(pipe, &native[0]), IST_OK);
    int fd = connect_silently();
    struct pollfd watched = {.fd = (int)native[0], .events = POLLIN};
    STAGE_CHECK(poll(&watched, 1, 1000) == 1);
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
    STAGE_IS(ist_pipe_native(pipe, &native[1]), IST_OK);
    STAGE_CHECK(native[0] != native[1]);
    watched.fd = (int)native[1];
    STAGE_CHECK(poll(&watched, 1, 0) == 0);
    sleep_ms(150);
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
    expect_service(pipe);
    close(fd);
    ist_pipe_close(pipe);
    return 0;
}

/* P4, for an event loop: each stage has a number of its own. */
TEST(a_silent_client_has_a_number_of_its_own)
{
    in_child(watch_a_silent_client, "a silent client in an event loop");
}

/* A wait does not outlast it, either. */
static int wait_for_a_silent_client(void *unused)
{
    ist_pipe *pipe = NULL;
    (void)unused;
    STAGE_IS(ist_pipe_serve(&pipe, name, NULL), IST_OK);
    int fd = connect_silently();
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
    STAGE_IS(ist_wait(ist_pipe_waitable(pipe), 2000 * MS), IST_OK);
    STAGE_IS(ist_pipe_accept(pipe, 0), IST_TIMEOUT);
    STAGE_IS(ist_wait(ist_pipe_waitable(pipe), 0), IST_TIMEOUT);
    expect_service(pipe);
    close(fd);
    ist_pipe_close(pipe);
    return 0;
}

TEST(a_wait_tells_of_a_silent_client_that_is_to_go)
{
    in_child(wait_for_a_silent_client, "a wait beside a silent client");
}

/* ---- the lives of those who serve ---- */

/* Serves behind its parent, until it is killed. */
static pid_t start_successor(ist_pipe *inherited, int tells)
{
    pid_t successor = stage_fork();
    ist_pipe *pipe = NULL;
    if (successor != 0)
        return successor;
    ist_pipe_close(inherited);
    STAGE_IS(ist_pipe_serve(&pipe, name, NULL), IST_OK);
    STAGE_CHECK(write(tells, "s", 1) == 1);
    for (;;)
        (void)pause();
}

static int hand_over(void *unused)
{
    ist_pipe *mine = NULL;
    ist_pipe *client = NULL;
    ist_pipe *late = NULL;
    int tells[2];
    char byte = 0;
    (void)unused;
    STAGE_CHECK(plat_seam_recheck(INT64_C(3600000000000)) && pipe(tells) == 0);
    STAGE_IS(ist_pipe_serve(&mine, name, NULL), IST_OK);
    pid_t successor = start_successor(mine, tells[1]);
    STAGE_CHECK(read(tells[0], &byte, 1) == 1);
    ist_pipe_close(mine);
    STAGE_IS(ist_pipe_connect(&client, name, BOTH, 0), IST_OK);
    pid_t killer = stage_fork();
    if (killer == 0) {
        sleep_ms(300);
        kill(successor, SIGKILL);
        _exit(0);
    }
    time_t began = time(NULL);
    STAGE_IS(ist_pipe_connect(&late, name, BOTH, 5000 * MS), IST_E_NOT_FOUND);
    STAGE_CHECK(time(NULL) - began < 4); /* at its deadline it would look again, too */
    stage_wait(killer);
    stage_wait(successor);
    ist_pipe_close(client);
    return 0;
}

/* P3 */
TEST(a_client_watches_one_who_serves_still)
{
    in_child(hand_over, "one who served and lives on");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_thread_cancelled_in_the_accept_of_a_pair_has_no_turn),
        RUN(a_process_without_its_first_thread_has_pipes),
        RUN(a_client_that_went_without_a_word_never_was),
        RUN(a_silent_client_does_not_keep_the_instance),
        RUN(a_silent_client_has_a_number_of_its_own),
        RUN(a_wait_tells_of_a_silent_client_that_is_to_go),
        RUN(a_client_watches_one_who_serves_still),
    };
    return cmocka_run_group_tests_name("process.posix_pipe_mended", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
