/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Tracing over Linux's ptrace: the number of a call comes from PTRACE_GET_SYSCALL_INFO, which knows every machine.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#if defined(__linux__)

#include <sys/ptrace.h>
#include <sys/syscall.h>

/* The kernel's structure, as far as it is needed; the C libraries disagree about its name. */
struct call_info {
    uint8_t op; /* 1 entry, 2 exit */
    uint8_t pad[3];
    uint32_t arch;
    uint64_t instruction_pointer;
    uint64_t stack_pointer;
    uint64_t number;
    uint64_t arguments[6];
    uint64_t more[2];
};

#define GET_SYSCALL_INFO 0x420e

static _Thread_local bool joined;

void trace_mark(void)
{
    if (joined)
        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), TRACE_MARK_SIGNAL);
}

void trace_join(void)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(95);
    joined = true;
    trace_mark();
}

/* Resumes and waits for the next stop; a signal that is no mark is handed on. */
static void resume(trace *child, bool to_call)
{
    uintptr_t deliver = 0;
    child->marked = false;
    for (;;) {
        ptrace(to_call ? PTRACE_SYSCALL : PTRACE_CONT, child->pid, NULL, deliver);
        int status = 0;
        while (waitpid(child->pid, &status, __WALL) < 0 && errno == EINTR) {}
        if (!WIFSTOPPED(status)) {
            child->ended = true;
            child->status = status;
            return;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            return;
        if (WSTOPSIG(status) == TRACE_MARK_SIGNAL) {
            child->marked = true;
            child->stops = 0;
            return;
        }
        deliver = (uintptr_t)WSTOPSIG(status);
    }
}

void trace_begin(trace *child, pid_t pid)
{
    memset(child, 0, sizeof *child);
    child->pid = pid;
    child->entry = false;
    child->call = -1;
    int status = 0;
    /* A thread of another process is nobody to wait for until it has asked to be traced. */
    while (waitpid(pid, &status, __WALL) < 0 && (errno == EINTR || (errno == ECHILD && kill(pid, 0) == 0)))
        usleep(50);
    if (!WIFSTOPPED(status)) {
        child->ended = true;
        child->status = status;
        return;
    }
    ptrace(PTRACE_SETOPTIONS, pid, NULL, (uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    child->marked = true;
}

bool trace_to_mark(trace *child)
{
    if (!child->ended)
        resume(child, false);
    return child->marked && !child->ended;
}

/* One stop further; a mark's own call is no stop. */
static bool step(trace *child)
{
    struct call_info info = {0};
    resume(child, true);
    if (child->ended || child->marked)
        return false;
    if (ptrace(GET_SYSCALL_INFO, child->pid, (uintptr_t)sizeof info, &info) <= 0)
        return true;
    child->entry = info.op == 1;
    if (!child->entry)
        return true;
    child->call = (long)info.number;
    if (info.number == SYS_tgkill && info.arguments[2] == TRACE_MARK_SIGNAL) {
        resume(child, false);
        return false;
    }
    return true;
}

bool trace_steps(trace *child, unsigned stops)
{
    for (unsigned n = 0; n < stops; n++) {
        if (child->ended || !step(child))
            return false;
        child->stops++;
    }
    return !child->ended;
}

int trace_finish(trace *child)
{
    while (!child->ended)
        resume(child, false);
    child->pid = 0;
    return child->status;
}

void trace_let_go(trace *child)
{
    /* One that has died meanwhile is its tracer's to reap: a thread's process cannot be waited for before. */
    if (!child->ended && ptrace(PTRACE_DETACH, child->pid, NULL, NULL) != 0)
        while (waitpid(child->pid, NULL, __WALL) < 0 && errno == EINTR) {}
    child->pid = 0;
}

void trace_kill(trace *child)
{
    if (child->pid == 0 || child->ended)
        return;
    kill(child->pid, SIGKILL);
    child->status = stage_wait(child->pid);
    child->ended = true;
    child->pid = 0;
}

bool trace_works(const char **why)
{
    struct call_info info = {0};
    trace child;
    pid_t pid = stage_fork();
    if (pid == 0) {
        trace_join();
        _exit(0);
    }
    trace_begin(&child, pid);
    bool works = !child.ended;
    if (works) {
        resume(&child, true);
        works = !child.ended && ptrace(GET_SYSCALL_INFO, pid, (uintptr_t)sizeof info, &info) > 0 && info.op == 1;
        trace_kill(&child);
    }
    *why = works ? NULL : "this system does not let a process be traced by its calls";
    return works;
}

#else

void trace_join(void)
{
    _exit(95);
}

void trace_mark(void)
{
}

void trace_begin(trace *child, pid_t pid)
{
    memset(child, 0, sizeof *child);
    child->pid = pid;
}

bool trace_to_mark(trace *child)
{
    (void)child;
    return false;
}

bool trace_steps(trace *child, unsigned stops)
{
    (void)child;
    (void)stops;
    return false;
}

int trace_finish(trace *child)
{
    return stage_wait(child->pid);
}

void trace_let_go(trace *child)
{
    (void)child;
}

void trace_kill(trace *child)
{
    stage_kill(child->pid);
}

bool trace_works(const char **why)
{
    *why = "only Linux's ptrace is known here";
    return false;
}

#endif
