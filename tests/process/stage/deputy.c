/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Deputies. Both sides look again and again: nothing that is under test lets them meet.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "deputy.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#define LOOK_AGAIN_US 200

static unsigned read_number(const unsigned *number)
{
    return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

static void write_number(unsigned *number, unsigned value)
{
    __atomic_store_n(number, value, __ATOMIC_RELEASE);
}

/* ---- on its side ---- */

static void serve(deputy *me)
{
    me->thread = (pid_t)syscall(SYS_gettid);
    write_number(&me->answered, 1);
    for (unsigned done = 1;; done++) {
        while (read_number(&me->asked) == done)
            usleep(LOOK_AGAIN_US);
        if (me->job == NULL)
            return;
        me->status = me->job(me->number);
        write_number(&me->answered, done + 1);
    }
}

static void *serve_as_thread(void *argument)
{
    serve(argument);
    return NULL;
}

/* ---- on the test's ---- */

/* Mapped before the first fork, so that all have them at one place. */
#define POOL 4096
static deputy *pool;
static unsigned used;

static deputy *make(void)
{
    if (pool == NULL)
        pool = stage_memory(POOL * sizeof *pool);
    deputy *made = &pool[used++ % POOL];
    memset(made, 0, sizeof *made);
    made->asked = 1;
    return made;
}

deputy *deputy_start(void)
{
    deputy *made = make();
    pid_t pid = stage_fork();
    if (pid == 0) {
        alarm(0); /* who asks has a deadline, and it dies with him */
        serve(made);
        exit(0);
    }
    made->process = pid;
    (void)deputy_answer(made);
    return made;
}

static ist_status begin_thread(unsigned newcomer)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve_as_thread, &pool[newcomer]) != 0)
        return IST_E_OS;
    (void)pthread_detach(thread);
    return IST_OK;
}

deputy *deputy_start_thread(deputy *host)
{
    deputy *made = make();
    made->process = host->process;
    STAGE_IS(deputy_do(host, begin_thread, (unsigned)(made - pool)), IST_OK);
    (void)deputy_answer(made);
    return made;
}

static void serve_as_child(deputy *me)
{
    alarm(5 * STAGE_DEADLINE_SECONDS); /* it does not die with who asks */
    me->process = (pid_t)syscall(SYS_getpid);
    serve(me);
}

static ist_status begin_child(unsigned newcomer)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid > 0 ? IST_OK : IST_E_OS;
    serve_as_child(&pool[newcomer]);
    exit(0);
}

static ist_status begin_raw_child(unsigned newcomer)
{
    long pid = syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
    if (pid != 0)
        return pid > 0 ? IST_OK : IST_E_OS;
    serve_as_child(&pool[newcomer]);
    _exit(0);
}

deputy *deputy_start_child(deputy *host, bool raw)
{
    deputy *made = make();
    STAGE_IS(deputy_do(host, raw ? begin_raw_child : begin_child, (unsigned)(made - pool)), IST_OK);
    (void)deputy_answer(made);
    return made;
}

void deputy_ask(deputy *who, deputy_job *job, unsigned number)
{
    who->job = job;
    who->number = number;
    write_number(&who->asked, who->asked + 1);
}

bool deputy_has_answered(const deputy *who)
{
    return read_number(&who->answered) == read_number(&who->asked);
}

ist_status deputy_answer(deputy *who)
{
    alarm(STAGE_DEADLINE_SECONDS);
    while (!deputy_has_answered(who))
        usleep(LOOK_AGAIN_US); /* or the deadline comes */
    return who->status;
}

ist_status deputy_do(deputy *who, deputy_job *job, unsigned number)
{
    deputy_ask(who, job, number);
    return deputy_answer(who);
}

/* ---- how it fares ---- */

static bool read_file(const deputy *who, const char *file, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/%s", (long)who->process, (long)who->thread, file);
    FILE *stream = fopen(path, "r");
    size_t length = stream != NULL ? fread(out, 1, size - 1, stream) : 0;
    out[length] = '\0';
    if (stream != NULL)
        fclose(stream);
    return length > 0;
}

unsigned long deputy_sleeps(const deputy *who)
{
    static const char field[] = "\nvoluntary_ctxt_switches:";
    char text[4096];
    const char *found = read_file(who, "status", text, sizeof text) ? strstr(text, field) : NULL;
    return found != NULL ? strtoul(found + sizeof field - 1, NULL, 10) : 0;
}

/* '\0' when there is no such task. */
static char state_of(const deputy *who)
{
    char text[512];
    const char *found = read_file(who, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;
    return found != NULL && found[1] == ' ' ? found[2] : '\0';
}

static bool has_ended(const deputy *who)
{
    char state = state_of(who);
    return state == '\0' || state == 'Z' || state == 'X';
}

/* Between its jobs it sleeps too, but not for long: what sleeps and has not slept anew for some milliseconds blocks. A
   layer that polls is never still for so long, so that there is an end to this. */
void deputy_await_sleep(const deputy *who)
{
    unsigned still = 0;
    unsigned long sleeps = 0;
    for (unsigned look = 0; look < 60 && still < 5 && !deputy_has_answered(who); look++) {
        unsigned long before = sleeps;
        sleeps = deputy_sleeps(who);
        still = state_of(who) == 'S' && sleeps == before ? still + 1 : 0;
        usleep(5 * LOOK_AGAIN_US);
    }
}

void deputy_ask_asleep(deputy *who, deputy_job *job, unsigned number)
{
    deputy_ask(who, job, number);
    deputy_await_sleep(who);
}

/* ---- its end ---- */

/* A deputy's child is not ours to reap. */
void deputy_kill(deputy *who)
{
    stage_kill(who->process);
    who->thread = who->process;
    while (!has_ended(who))
        usleep(LOOK_AGAIN_US);
    who->process = 0;
}

int deputy_await_end(deputy *who)
{
    int status = stage_wait(who->process);
    who->process = 0;
    return status;
}

void deputy_end(deputy *who)
{
    deputy_ask(who, NULL, 0);
    if (who->thread == who->process)
        STAGE_CHECK(deputy_await_end(who) == 0);
    else
        while (!has_ended(who))
            usleep(LOOK_AGAIN_US);
}
