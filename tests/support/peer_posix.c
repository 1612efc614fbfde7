/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Peers on POSIX: posix_spawn of this binary with two pipes as its standard input and output.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "peer_os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char self_path[PATH_MAX];

void peer_os_prepare(const char *self)
{
    /* Under an emulator /proc/self/exe may be the emulator; a path with a slash in argv[0] is ours for certain. */
    if (strchr(self, '/') == NULL || realpath(self, self_path) == NULL) {
        ssize_t length = readlink("/proc/self/exe", self_path, sizeof self_path - 1);
        self_path[length < 0 ? 0 : length] = '\0';
    }
    (void)signal(SIGPIPE, SIG_IGN);
}

void peer_os_settle(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGPIPE, SIG_DFL);
}

/* A pipe whose ends are above 2 and are not inherited. */
static bool make_pipe(int ends[2])
{
    if (pipe(ends) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        int high = fcntl(ends[i], F_DUPFD_CLOEXEC, 3);
        (void)close(ends[i]);
        ends[i] = high;
    }
    return ends[0] >= 0 && ends[1] >= 0;
}

#define WORDS_MAX 24

/* The words that run this binary: its runner if it has one, its path, and what is behind. */
static void make_command(const char *words[WORDS_MAX], const char *const *argv)
{
    size_t count = 0;
    const char *runner = getenv("ISTHMUS_TEST_RUNNER");
    if (runner != NULL && *runner != '\0') {
        words[count++] = runner;
    }
    words[count++] = self_path;
    while (*argv != NULL && count < WORDS_MAX - 1) {
        words[count++] = *argv++;
    }
    words[count] = NULL;
}

static bool spawn(pid_t *pid, const char *const *argv, const posix_spawn_file_actions_t *actions)
{
    const char *words[WORDS_MAX];
    make_command(words, argv);
    /* posix_spawn promises not to change the words. */
    return posix_spawnp(pid, words[0], actions, NULL, (char *const *)(uintptr_t)words, environ) == 0;
}

bool peer_os_start(peer_os *os, const char *const *argv)
{
    int input[2];
    int output[2];
    if (!make_pipe(input) || !make_pipe(output)) {
        return false;
    }
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    (void)posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    pid_t pid = -1;
    bool started = spawn(&pid, argv, &actions);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(input[0]);
    (void)close(output[1]);
    os->input = input[1];
    os->output = output[0];
    os->process = pid;
    os->id = (uint64_t)pid;
    os->over = !started;
    return started;
}

bool peer_os_write(peer_os *os, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = os->input < 0 ? -1 : write((int)os->input, bytes, size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

int peer_os_read(peer_os *os, char *bytes, size_t size, unsigned bound_ms)
{
    struct pollfd item = {(int)os->output, POLLIN, 0};
    int ready;
    do {
        ready = poll(&item, 1, (int)bound_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        return -1;
    }
    ssize_t got;
    do {
        got = read((int)os->output, bytes, size);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? 0 : (int)got;
}

static void close_end(intptr_t *end)
{
    if (*end >= 0) {
        (void)close((int)*end);
        *end = -1;
    }
}

void peer_os_close_input(peer_os *os)
{
    close_end(&os->input);
}

void peer_os_close_output(peer_os *os)
{
    close_end(&os->output);
}

static void send_signal(const peer_os *os, int number)
{
    if (!os->over) {
        (void)kill((pid_t)os->process, number);
    }
}

void peer_os_kill(peer_os *os)
{
    send_signal(os, SIGKILL);
}

void peer_os_stop(peer_os *os)
{
    int status;
    send_signal(os, SIGSTOP);
    (void)waitpid((pid_t)os->process, &status, WUNTRACED);
}

void peer_os_go(peer_os *os)
{
    send_signal(os, SIGCONT);
}

/* The caller has killed the peer or read the end of its output: the wait is for the kernel alone. */
bool peer_os_wait(peer_os *os, unsigned bound_ms)
{
    (void)bound_ms;
    if (os->over) {
        return true;
    }
    int status = 0;
    pid_t ended;
    do {
        ended = waitpid((pid_t)os->process, &status, 0);
    } while (ended < 0 && errno == EINTR);
    os->over = true;
    os->exit_code = ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return true;
}

int peer_os_listen(char *bytes, size_t size)
{
    ssize_t got;
    do {
        got = read(0, bytes, size);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? 0 : (int)got;
}

bool peer_os_answer(const char *bytes, size_t size)
{
    peer_os self = {0, 0, 1, -1, false, 0, false};
    return peer_os_write(&self, bytes, size);
}

static void await(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
}

bool peer_os_leave_heir(const char *const *argv)
{
    pid_t pid = -1;
    if (!spawn(&pid, argv, NULL)) {
        return false;
    }
    await(pid);
    return true;
}

int peer_os_fork(void)
{
    pid_t pid = fork();
    if (pid > 0) {
        await(pid);
    }
    return pid < 0 ? -1 : pid > 0;
}

void peer_os_become(const char *const *argv)
{
    const char *words[WORDS_MAX];
    make_command(words, argv);
    (void)execvp(words[0], (char *const *)(uintptr_t)words);
}

void peer_os_vanish(void)
{
    _exit(0);
}
