/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * X3, hazards 13 to 16: which ends of a thread or process are a death of what it owned, and which are none.
 */
#include "support/check.h"
#include "support/peer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage/deputy.h"
#include "stage/props.h"
#include "stage/stage.h"

/* Each play is a process of its own. */
static void on_stage(int (*play)(void *), void *argument, const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("lives");
    assert_int_equal(stage_run(play, argument), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* ---- ends ---- */

static ist_status end_by_vanishing(unsigned ignored)
{
    (void)ignored;
    _exit(0);
}

static ist_status end_by_exit(unsigned ignored)
{
    (void)ignored;
    exit(0);
}

static ist_status end_by_abort(unsigned ignored)
{
    (void)ignored;
    signal(SIGABRT, SIG_DFL);
    abort();
}

static ist_status become_another(unsigned ignored)
{
    static char program[] = "/bin/sleep";
    static char time[] = "15";
    char *arguments[] = {program, time, NULL};
    (void)ignored;
    execv(program, arguments);
    return IST_E_OS;
}

static int dies_of(void *job)
{
    deputy *owner = props_deputy();
    deputy *waiter = props_deputy();
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    deputy_ask(owner, *(deputy_job **)job, 0);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    DEPUTY_IS(waiter, prop_look, 0, IST_EXISTED);
    DEPUTY_IS(waiter, prop_release, 0, IST_OK); /* the count of the dead is not its own */
    DEPUTY_IS(waiter, prop_acquire, 0, IST_OK);
    return 0;
}

/* X3 L9 */
TEST(every_end_of_the_owners_process_abandons)
{
    static deputy_job *const ends[] = {end_by_vanishing, end_by_exit, end_by_abort, become_another};
    for (size_t n = 0; n < COUNT_OF(ends); n++)
        on_stage(dies_of, (void *)(uintptr_t)&ends[n], "the owner's process ends");
}

static int another_program(void *argument)
{
    static const struct {
        bool thread_owns;
        bool thread_executes;
    } ways[] = {{false, true}, {true, true}, {true, false}, {false, false}};
    unsigned way = *(unsigned *)argument;
    deputy *process = props_deputy();
    deputy *thread = deputy_start_thread(process);
    deputy *waiter = props_deputy();
    DEPUTY_IS(ways[way].thread_owns ? thread : process, prop_acquire, 0, IST_OK);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    deputy_ask(ways[way].thread_executes ? thread : process, become_another, 0);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    STAGE_CHECK(kill(process->process, 0) == 0);
    deputy_kill(process);
    return 0;
}

/* X3, hazard 13 */
TEST(an_exec_by_any_thread_abandons_what_any_thread_owned)
{
    for (unsigned way = 0; way < 4; way++)
        on_stage(another_program, &way, "exec");
}

/* More than the kernel looks at, which is 2,048: ours, the first, is not among them. */
static ist_status lock_many(unsigned ignored)
{
    static pthread_mutex_t many[2060];
    pthread_mutexattr_t kind;
    (void)ignored;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    for (size_t n = 0; n < COUNT_OF(many); n++)
        if (pthread_mutex_init(&many[n], &kind) != 0 || pthread_mutex_lock(&many[n]) != 0)
            return IST_E_OS;
    return IST_OK;
}

static int unreported(void *argument)
{
    bool process_dies = *(bool *)argument;
    deputy *process = props_deputy();
    deputy *thread = deputy_start_thread(process);
    deputy *waiter = props_deputy();
    DEPUTY_IS(thread, prop_acquire, 0, IST_OK);
    DEPUTY_IS(thread, lock_many, 0, IST_OK);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    if (process_dies)
        deputy_kill(process);
    else
        deputy_end(thread);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    return 0;
}

/* X3, hazard 13 */
TEST(an_end_that_the_kernel_does_not_report_abandons)
{
    bool ways[] = {false, true};
    for (size_t n = 0; n < COUNT_OF(ways); n++)
        on_stage(unreported, &ways[n], "2,060 robust mutexes");
}

static int thread_ends(void *argument)
{
    deputy *process = props_deputy();
    deputy *thread = deputy_start_thread(process);
    deputy *waiter = props_deputy();
    deputy *beside = deputy_start_thread(waiter);
    (void)argument;
    DEPUTY_IS(thread, prop_acquire, 0, IST_OK);
    DEPUTY_IS(process, prop_try, 0, IST_TIMEOUT); /* X1: a thread owns, not its process */
    DEPUTY_IS(process, prop_release, 0, IST_E_NOT_OWNER);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    deputy_end(thread);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    deputy_ask(beside, prop_acquire, 0);
    deputy_await_sleep(beside);
    DEPUTY_IS(waiter, prop_release, 0, IST_OK);
    DEPUTY_ANSWERS(beside, IST_OK);
    deputy_end(beside);
    DEPUTY_IS(waiter, prop_acquire, 0, IST_ABANDONED); /* of its own process */
    return 0;
}

/* X1 X3 */
TEST(the_end_of_a_thread_abandons_and_its_process_goes_on)
{
    on_stage(thread_ends, NULL, "a thread ends");
}

/* ---- a slow exit ---- */

static unsigned *exiting; /* 1: an exit handler is at work; 2: it may go on */

static void exit_slowly(void)
{
    if (exiting == NULL || __atomic_load_n(exiting, __ATOMIC_ACQUIRE) != 0)
        return;
    __atomic_store_n(exiting, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(exiting, __ATOMIC_ACQUIRE) != 2)
        usleep(200);
}

/* Before the library's own constructor, so that the handler runs after its handler. */
__attribute__((constructor(101))) static void handle_exit(void)
{
    (void)atexit(exit_slowly);
}

static int exits_slowly(void *argument)
{
    (void)argument;
    exiting = stage_memory(sizeof *exiting);
    deputy *process = props_deputy();
    deputy *thread = deputy_start_thread(process);
    deputy *waiter = props_deputy();
    DEPUTY_IS(thread, prop_acquire, 0, IST_OK);
    deputy_ask(process, end_by_exit, 0);
    while (__atomic_load_n(exiting, __ATOMIC_ACQUIRE) != 1)
        usleep(200);
    DEPUTY_IS(waiter, prop_acquire_for_a_while, 0, IST_TIMEOUT);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    __atomic_store_n(exiting, 2, __ATOMIC_RELEASE);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    STAGE_CHECK(deputy_await_end(process) == 0);
    exiting = NULL;
    return 0;
}

/* X3: a process that is in its exit handlers has not ended, and its other threads run. */
TEST(a_thread_owns_until_the_exit_of_its_process_is_through)
{
    on_stage(exits_slowly, NULL, "a slow exit");
}

/* ---- no ends ---- */

static int stopped(void *argument)
{
    deputy *owner = props_deputy();
    deputy *waiter = props_restless_deputy();
    (void)argument;
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    kill(owner->process, SIGSTOP);
    DEPUTY_IS(waiter, prop_acquire_for_a_while, 0, IST_TIMEOUT);
    DEPUTY_IS(waiter, prop_look, 0, IST_TIMEOUT);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    kill(owner->process, SIGCONT);
    DEPUTY_IS(owner, prop_release, 0, IST_OK);
    DEPUTY_ANSWERS(waiter, IST_OK);
    return 0;
}

/* L8 X3 */
TEST(a_stopped_owner_is_not_dead_however_often_one_looks)
{
    on_stage(stopped, NULL, "a stopped owner");
}

static ist_status close_descriptors(unsigned ignored)
{
    (void)ignored;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    return IST_OK;
}

/* First calls of processes, which sweep. */
static void newcomers(void)
{
    for (unsigned n = 0; n < 3; n++)
        deputy_end(props_deputy());
}

static int loses_descriptors(void *argument)
{
    bool first = *(bool *)argument; /* loses them before it owns anything */
    deputy *owner = props_deputy();
    deputy *waiter = props_restless_deputy();
    if (first)
        DEPUTY_IS(owner, close_descriptors, 0, IST_OK);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    DEPUTY_IS(owner, close_descriptors, 0, IST_OK);
    newcomers();
    DEPUTY_IS(waiter, prop_acquire_for_a_while, 0, IST_TIMEOUT);
    DEPUTY_IS(owner, prop_release, 0, IST_OK);
    DEPUTY_IS(waiter, prop_try, 0, IST_OK);
    DEPUTY_IS(waiter, prop_release, 0, IST_OK);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    deputy_kill(owner);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    return 0;
}

/* Hazards 7, 13, 14 */
TEST(an_owner_that_closes_all_descriptors_goes_on_owning)
{
    bool ways[] = {false, true};
    for (size_t n = 0; n < COUNT_OF(ways); n++)
        on_stage(loses_descriptors, &ways[n], "closefrom");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(every_end_of_the_owners_process_abandons),
        RUN(an_exec_by_any_thread_abandons_what_any_thread_owned),
        RUN(an_end_that_the_kernel_does_not_report_abandons),
        RUN(the_end_of_a_thread_abandons_and_its_process_goes_on),
        RUN(a_thread_owns_until_the_exit_of_its_process_is_through),
        RUN(a_stopped_owner_is_not_dead_however_often_one_looks),
        RUN(an_owner_that_closes_all_descriptors_goes_on_owning),
    };
    return cmocka_run_group_tests_name("process.posix_lives", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
