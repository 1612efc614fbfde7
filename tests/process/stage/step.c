/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * PTRACE_SINGLESTEP, and the processor's breakpoints: a child of fork has its parent's addresses, so that a place means
 * the same in all of them.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "step.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shadow.h"
#include "stage.h"

#if defined(__linux__) && defined(__x86_64__)

#include <sys/ptrace.h>
#include <sys/user.h>

#define DEBUG_REGISTER(n) (offsetof(struct user, u_debugreg) + (n) * sizeof(((struct user *)NULL)->u_debugreg[0]))
#define BREAK_AT_FIRST 1u
#define SYSCALL_BYTES 0x050fu

static uint64_t place_of(pid_t pid)
{
    return (uint64_t)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), NULL);
}

static bool calls_system(pid_t pid, uint64_t place)
{
    return (ptrace(PTRACE_PEEKTEXT, pid, place, NULL) & 0xffff) == SYSCALL_BYTES;
}

/* Resumes until the next trap. A signal that is no mark is handed on. */
static bool resume(trace *child, bool step)
{
    uintptr_t deliver = 0;
    child->marked = false;
    for (;;) {
        int status = 0;
        if (step)
            ptrace(PTRACE_SINGLESTEP, child->pid, NULL, deliver);
        else
            ptrace(PTRACE_CONT, child->pid, NULL, deliver);
        while (waitpid(child->pid, &status, __WALL) < 0 && errno == EINTR) {}
        if (!WIFSTOPPED(status)) {
            child->ended = true;
            child->status = status;
            return false;
        }
        if (WSTOPSIG(status) == SIGTRAP)
            return true;
        if (WSTOPSIG(status) == TRACE_MARK_SIGNAL) {
            child->marked = true;
            return false;
        }
        deliver = (uintptr_t)WSTOPSIG(status);
    }
}

bool step_record(trace *child, step_path *out)
{
    shadow seen;
    bool calls = false;
    out->count = 0;
    out->place[0] = place_of(child->pid);
    out->notable[0] = true;
    shadow_begin(&seen);
    while (resume(child, true) && out->count < STEP_MOST - 1) {
        uint64_t place = place_of(child->pid);
        bool changed = shadow_changed(&seen);
        out->notable[out->count] = out->notable[out->count] || changed || calls;
        if (place == out->place[out->count])
            continue;
        out->count++;
        out->place[out->count] = place;
        calls = calls_system(child->pid, place);
        out->notable[out->count] = calls;
    }
    shadow_end(&seen);
    return child->marked;
}

static bool set_breakpoint(pid_t pid, uint64_t place)
{
    return ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(0), place) == 0 &&
           ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(7), (uintptr_t)BREAK_AT_FIRST) == 0;
}

bool step_to(trace *child, const step_path *path, unsigned n)
{
    uint64_t place = path->place[n];
    bool comes = true;
    if (!set_breakpoint(child->pid, place))
        return false;
    for (unsigned at = 1; at <= n && comes; at++)
        if (path->place[at] == place)
            comes = resume(child, false);
    if (!child->ended)
        ptrace(PTRACE_POKEUSER, child->pid, DEBUG_REGISTER(7), NULL);
    return comes;
}

bool step_works(const char **why)
{
    trace child;
    if (!trace_works(why))
        return false;
    pid_t pid = stage_fork();
    if (pid == 0) {
        trace_join();
        _exit(0);
    }
    trace_begin(&child, pid);
    bool works = set_breakpoint(pid, place_of(pid));
    trace_kill(&child);
    *why = works ? NULL : "this system has no breakpoints of the processor";
    return works;
}

#else

bool step_record(trace *child, step_path *out)
{
    (void)child;
    (void)out;
    return false;
}

bool step_to(trace *child, const step_path *path, unsigned n)
{
    (void)child;
    (void)path;
    (void)n;
    return false;
}

bool step_works(const char **why)
{
    *why = "instructions are stepped over on 64-bit x86 only";
    return false;
}

#endif
