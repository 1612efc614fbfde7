/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Filters over Linux's seccomp.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "filter.h"

#include "stage.h"

#if defined(__linux__)

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD_CALL BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define IF_CALL(number, then) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, (then))
#define ELSE(then) BPF_STMT(BPF_RET | BPF_K, (then))

static bool set(struct sock_filter *lines, size_t count)
{
    struct sock_fprog program = {(unsigned short)count, lines};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void on_forbidden(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    stage_fail("a system call was made, number %d", info->si_syscall);
    _exit(94);
}

bool filter_forbid_all(void)
{
    struct sock_filter lines[] = {LOAD_CALL,
                                  IF_CALL(SYS_write, SECCOMP_RET_ALLOW),
                                  IF_CALL(SYS_writev, SECCOMP_RET_ALLOW),
                                  IF_CALL(SYS_exit, SECCOMP_RET_ALLOW),
                                  IF_CALL(SYS_exit_group, SECCOMP_RET_ALLOW),
                                  ELSE(SECCOMP_RET_TRAP)};
    struct sigaction action = {0};
    action.sa_sigaction = on_forbidden;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGSYS, &action, NULL) == 0 && set(lines, sizeof lines / sizeof *lines);
}

bool filter_refuse(unsigned call, unsigned error)
{
    struct sock_filter lines[] = {LOAD_CALL, IF_CALL(call, SECCOMP_RET_ERRNO | error), ELSE(SECCOMP_RET_ALLOW)};
    return set(lines, sizeof lines / sizeof *lines);
}

static int try_to_refuse(void *argument)
{
    (void)argument;
    return filter_refuse(SYS_getppid, EDOM) && syscall(SYS_getppid) == -1 && errno == EDOM ? 0 : 1;
}

bool filter_works(const char **why)
{
    bool works = stage_run(try_to_refuse, NULL) == 0;
    *why = works ? NULL : "this system does not let calls be filtered";
    return works;
}

#else

bool filter_forbid_all(void)
{
    return false;
}

bool filter_refuse(unsigned call, unsigned error)
{
    (void)call;
    (void)error;
    return false;
}

bool filter_works(const char **why)
{
    *why = "only Linux's seccomp is known here";
    return false;
}

#endif
