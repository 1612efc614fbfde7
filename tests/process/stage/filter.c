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
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* As the kernel has them; not every C library comes with its headers. */
typedef struct filter_line {
    uint16_t code;
    uint8_t if_so;
    uint8_t if_not;
    uint32_t value;
} filter_line;

typedef struct filter_program {
    unsigned short count;
    filter_line *lines;
} filter_program;

#define MODE_FILTER 2
#define ALLOW 0x7fff0000u
#define REFUSE 0x00050000u /* with the error in the lower half */
#define TRAP 0x00030000u

/* clang-format off */
#define LOAD_CALL {0x20, 0, 0, 0}
#define IF_CALL(number, then) {0x15, 0, 1, (number)}, {0x06, 0, 0, (then)}
#define ELSE(then) {0x06, 0, 0, (then)}
/* clang-format on */

static bool set(filter_line *lines, size_t count)
{
    filter_program program = {(unsigned short)count, lines};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, MODE_FILTER, &program) == 0;
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
    filter_line lines[] = {LOAD_CALL,
                           IF_CALL(SYS_write, ALLOW),
                           IF_CALL(SYS_writev, ALLOW),
                           IF_CALL(SYS_sigaltstack, ALLOW), /* a sanitizer asks for it at the end */
                           IF_CALL(SYS_exit, ALLOW),
                           IF_CALL(SYS_exit_group, ALLOW),
                           ELSE(TRAP)};
    struct sigaction action = {0};
    action.sa_sigaction = on_forbidden;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGSYS, &action, NULL) == 0 && set(lines, sizeof lines / sizeof *lines);
}

bool filter_refuse(unsigned call, unsigned error)
{
    filter_line lines[] = {LOAD_CALL, IF_CALL(call, REFUSE | error), ELSE(ALLOW)};
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
