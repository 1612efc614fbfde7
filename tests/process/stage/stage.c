/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The stage of the process tests. Everything that is Linux's own about it is here.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#endif

/* What all processes of a run share. */
struct stage_board {
    unsigned failures;
    pid_t run; /* the process that entered */
};

static struct stage_board *board;
static const char *shared_because = "this system has no private mount namespaces";
static char playing[240];

static void on_deadline(int signal_number)
{
    static const char text[] = "HANG: nothing happened for 20 seconds in: ";
    (void)signal_number;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    ignored += write(STDERR_FILENO, playing, strlen(playing));
    ignored += write(STDERR_FILENO, "\n", 1);
    __atomic_fetch_add(&board->failures, 1, __ATOMIC_RELAXED);
    _exit(ignored > 0 ? 98 : 99);
}

#if defined(__linux__)
static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return done;
}

/* A user namespace in which we are root; the way in where we are not. */
static bool become_namespace_root(void)
{
    char users[64];
    char groups[64];
    snprintf(users, sizeof users, "0 %lu 1", (unsigned long)geteuid());
    snprintf(groups, sizeof groups, "0 %lu 1", (unsigned long)getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

static void make_private(void)
{
    if (access("/dev/shm", F_OK) != 0)
        shared_because = "there is no /dev/shm";
    else if (geteuid() == 0 ? unshare(CLONE_NEWNS) != 0 : !become_namespace_root())
        shared_because = "this user may not have a mount namespace";
    else if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
             mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=256m") != 0)
        shared_because = "this user may not mount a tmpfs";
    else
        shared_because = NULL;
}
#else
static void make_private(void)
{
}
#endif

bool stage_mount(const char *options)
{
#if defined(__linux__)
    return shared_because == NULL && unshare(CLONE_NEWNS) == 0 &&
           mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
#else
    (void)options;
    return false;
#endif
}

void stage_enter(void)
{
    board = stage_memory(sizeof *board);
    board->run = getpid();
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, on_deadline);
    stage_case("the beginning");
    signal(SIGPIPE, SIG_IGN);
    if (getenv("ISTHMUS_TEST_SHARED") != NULL) /* for trying what else is done without */
        shared_because = "ISTHMUS_TEST_SHARED is set";
    else
        make_private();
}

const char *stage_shared_because(void)
{
    return shared_because;
}

static void die_with_parent(pid_t parent)
{
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 1);
#endif
    if (parent != 0 && getppid() != parent)
        _exit(97);
}

pid_t stage_fork(void)
{
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        abort();
    }
    if (pid == 0) {
        die_with_parent(parent);
        alarm(STAGE_DEADLINE_SECONDS);
    }
    return pid;
}

int stage_wait(pid_t pid)
{
    int status = 0;
    alarm(0); /* the child has a deadline of its own, which it may put off */
    while (waitpid(pid, &status, 0) != pid)
        if (errno != EINTR)
            return -1;
    alarm(STAGE_DEADLINE_SECONDS);
    return status;
}

void stage_kill(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        stage_wait(pid);
    }
}

int stage_run(int (*play)(void *argument), void *argument)
{
    pid_t pid = stage_fork();
    if (pid == 0) {
        int code = play(argument);
        fflush(NULL);
        _exit(code);
    }
    return stage_wait(pid);
}

#define SOMEBODY_ELSE 61000

static int try_to_become(void *argument)
{
    (void)argument;
    return setregid(SOMEBODY_ELSE, SOMEBODY_ELSE) == 0 && setreuid(SOMEBODY_ELSE, SOMEBODY_ELSE) == 0 ? 0 : 1;
}

const char *stage_one_user_because(void)
{
    if (shared_because != NULL)
        return shared_because;
    return geteuid() == 0 && stage_run(try_to_become, NULL) == 0 ? NULL : "only root can become several users";
}

void stage_become(uid_t uid, gid_t group)
{
    pid_t parent = getppid();
    if (setgroups(group != 0 ? 1 : 0, &group) != 0 || setregid((gid_t)uid, (gid_t)uid) != 0 ||
        setreuid(uid, uid) != 0) {
        stage_fail("cannot become user %lu", (unsigned long)uid);
        _exit(96);
    }
    die_with_parent(parent);
}

void *stage_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

void stage_fail(const char *format, ...)
{
    va_list arguments;
    char text[900];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (__atomic_fetch_add(&board->failures, 1, __ATOMIC_RELAXED) < 25)
        fprintf(stderr, "FAILED: %s\n    in: %s\n", text, playing);
}

bool stage_is(ist_status got, ist_status wanted, const char *call, const char *file, int line)
{
    if (got == wanted)
        return true;
    ist_detail detail = {0};
    ist_error_detail(&detail);
    stage_fail("%s:%d: %s is %s, wanted %s (last failure: %s %u in %s, %s)", file, line, call, ist_status_name(got),
               ist_status_name(wanted), ist_status_name(detail.status), (unsigned)detail.code,
               detail.call != NULL ? detail.call : "", detail.note);
    return false;
}

unsigned stage_failures(void)
{
    return __atomic_load_n(&board->failures, __ATOMIC_RELAXED);
}

void stage_case(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(playing, sizeof playing, format, arguments);
    va_end(arguments);
    alarm(STAGE_DEADLINE_SECONDS);
}

void stage_name(char out[STAGE_NAME_SIZE], const char *prefix, const char *what)
{
    snprintf(out, STAGE_NAME_SIZE, "%s%s-%ld", prefix, what, (long)board->run);
}

const char *stage_global_directory(void)
{
    return access("/dev/shm", F_OK) == 0 ? "/dev/shm" : "/tmp";
}

void stage_local_directory(char *out, size_t size)
{
    snprintf(out, size, "%s/isthmus-%lu", stage_global_directory(), (unsigned long)geteuid());
}

/* Adds a directory's entries to the list: those that begin with `prefix`, and on a shared stage are of this run. */
static size_t list_entries(const char *directory, const char *prefix, char *list, size_t size)
{
    char mine[32];
    size_t count = 0;
    snprintf(mine, sizeof mine, "-%ld", (long)board->run);
    DIR *stream = opendir(directory);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        if (shared_because != NULL && strstr(name, mine) == NULL)
            continue;
        count++;
        size_t length = strlen(list);
        snprintf(list + length, size - length, " %.80s", name);
    }
    if (stream != NULL)
        closedir(stream);
    return count;
}

size_t stage_leftovers(char *list, size_t size)
{
    char local[128];
    list[0] = '\0';
    stage_local_directory(local, sizeof local);
    return list_entries(local, "", list, size) + list_entries(STAGE_GLOBAL_DIRECTORY, "isthmus.", list, size);
}

void stage_check_empty(const char *when)
{
    char list[600];
    if (stage_leftovers(list, sizeof list) != 0)
        stage_fail("left behind %s:%s", when, list);
}

static void remove_tree(int parent, const char *name, int depth)
{
    int fd = depth < 6 ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_tree(dirfd(stream), entry->d_name, depth + 1);
    if (stream != NULL)
        closedir(stream);
    if (depth > 0 && unlinkat(parent, name, fd >= 0 ? AT_REMOVEDIR : 0) != 0 && fd < 0)
        unlinkat(parent, name, AT_REMOVEDIR);
}

void stage_clear(void)
{
    if (shared_because == NULL)
        remove_tree(AT_FDCWD, "/dev/shm", 0);
}

unsigned long stage_number(const char *variable, unsigned long otherwise)
{
    const char *text = getenv(variable);
    return text != NULL && *text != '\0' ? strtoul(text, NULL, 10) : otherwise;
}
