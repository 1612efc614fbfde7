/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * X1, L7, hazards 14 to 16: who the owner is. Children of a fork, children of the bare system call, processes that get
 * a dead owner's number, and threads by the thousand, none of which is ever taken for another.
 */
#include "support/check.h"
#include "support/peer.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/object.h"
#include "posix/object.h"
#include "stage/deputy.h"
#include "stage/props.h"
#include "stage/stage.h"

/* Each play is a process of its own. */
static void on_stage(int (*play)(void *), void *argument, const char *what)
{
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("ids");
    assert_int_equal(stage_run(play, argument), 0);
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* ---- children ---- */

static int child_of_an_owner(void *argument)
{
    bool raw = *(bool *)argument;
    deputy *owner = props_deputy();
    deputy *waiter = props_deputy();
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    deputy *child = deputy_start_child(owner, raw);
    DEPUTY_IS(child, prop_look, 0, IST_TIMEOUT);
    DEPUTY_IS(child, prop_release, 0, IST_E_NOT_OWNER);
    DEPUTY_IS(child, prop_try, 0, IST_TIMEOUT);
    DEPUTY_IS(child, prop_acquire, 1, IST_OK);
    DEPUTY_IS(child, prop_release, 1, IST_OK);
    DEPUTY_IS(owner, prop_look, 0, IST_EXISTED);
    deputy_kill(child);
    DEPUTY_IS(waiter, prop_acquire_for_a_while, 0, IST_TIMEOUT);
    DEPUTY_IS(owner, prop_release, 0, IST_OK);
    DEPUTY_IS(waiter, prop_try, 0, IST_OK);
    return 0;
}

static int child_outlives_an_owner(void *argument)
{
    bool raw = *(bool *)argument;
    deputy *owner = props_deputy();
    deputy *waiter = props_deputy();
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    deputy *child = deputy_start_child(owner, raw);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    deputy_kill(owner);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    DEPUTY_IS(child, prop_release, 0, IST_E_NOT_OWNER);
    deputy_ask(child, prop_acquire, 0);
    deputy_await_sleep(child);
    DEPUTY_IS(waiter, prop_release, 0, IST_OK);
    DEPUTY_ANSWERS(child, IST_OK);
    deputy_ask(waiter, prop_acquire, 0);
    deputy_await_sleep(waiter);
    deputy_kill(child);
    DEPUTY_ANSWERS(waiter, IST_ABANDONED);
    return 0;
}

/* L7, hazard 14 */
TEST(a_forked_child_owns_nothing)
{
    bool raw = false;
    on_stage(child_of_an_owner, &raw, "a child");
    on_stage(child_outlives_an_owner, &raw, "a child that outlives its parent");
}

/* Hazard 15 */
TEST(a_child_that_no_fork_handler_saw_owns_nothing)
{
    bool raw = true;
    on_stage(child_of_an_owner, &raw, "a raw child");
    on_stage(child_outlives_an_owner, &raw, "a raw child that outlives its parent");
}

/* ---- the same number again ---- */

/* The next process or thread gets this number, in a name space of numbers that nobody else uses. */
static bool choose_next_number(pid_t number)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%ld", (long)number - 1);
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, (size_t)length) == length;
    if (fd >= 0)
        close(fd);
    return done;
}

typedef struct first_process {
    int (*play)(void);
} first_process;

/* In a name space of numbers whose first process plays. 0: played; 1: this system does not let one be had. */
static int with_own_numbers(void *argument)
{
    const first_process *what = argument;
    fflush(NULL);
    if (unshare(CLONE_NEWPID) != 0)
        return 1;
    pid_t first = fork();
    if (first == 0) {
        alarm(STAGE_DEADLINE_SECONDS);
        _exit(choose_next_number(100) ? what->play() : 1);
    }
    int status = stage_wait(first);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static bool play_with_own_numbers(int (*play)(void), const char *what)
{
    first_process first = {play};
    unsigned before = stage_failures();
    stage_case("%s", what);
    props_begin("numbers");
    int status = stage_run(with_own_numbers, &first);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
        return false;
    stage_clear();
    assert_int_equal(status, 0);
    assert_int_equal(stage_failures(), before);
    return true;
}

#define NUMBER 300

/* Deputies know themselves as others do only where /proc is of the same name space. */
static deputy *owner_with_number(pid_t number)
{
    STAGE_CHECK(choose_next_number(number));
    deputy *owner = props_deputy();
    STAGE_CHECK(owner->process == number && owner->thread == number);
    return owner;
}

static void kill_and_reap(deputy *who)
{
    stage_kill(who->process);
    who->process = 0;
}

static int same_number(void)
{
    STAGE_IS(props_open(0), IST_OK);
    deputy *owner = owner_with_number(NUMBER);
    DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
    DEPUTY_IS(owner, prop_acquire, 1, IST_OK);
    kill_and_reap(owner);
    deputy *other = owner_with_number(NUMBER);
    DEPUTY_IS(other, prop_look, 0, IST_ABANDONED);
    DEPUTY_IS(other, prop_release, 0, IST_E_NOT_OWNER);
    DEPUTY_IS(other, prop_acquire, 2, IST_OK);
    DEPUTY_IS(other, prop_look, 0, IST_ABANDONED);
    DEPUTY_IS(other, prop_release, 0, IST_E_NOT_OWNER);
    STAGE_IS(prop_try(0), IST_ABANDONED);
    STAGE_IS(prop_release(0), IST_OK);
    DEPUTY_IS(other, prop_try, 1, IST_ABANDONED);
    STAGE_IS(prop_try(1), IST_TIMEOUT);
    kill_and_reap(other);
    return 0;
}

/* Hazard 15 */
TEST(a_process_with_a_dead_owners_number_is_not_the_owner)
{
    if (!play_with_own_numbers(same_number, "the number of a dead owner"))
        SKIP(a_process_with_a_dead_owners_number_is_not_the_owner, "this user may not choose process ids");
}

/* Numbers that stand in a robust mutex of one C library or another before it is locked or beside its lock. */
static int numbers_in_mutexes(void)
{
    static const pid_t numbers[] = {16, 128, 132, 144, 145, 256, 4096};
    plat_seam_recheck(PROP_HOUR_NS);
    STAGE_IS(props_open(0), IST_OK);
    for (size_t n = 0; n < COUNT_OF(numbers); n++) {
        ist_status wanted = IST_ABANDONED;
        deputy *owner = owner_with_number(numbers[n]);
        DEPUTY_IS(owner, prop_acquire, 0, IST_OK);
        pid_t killer = fork();
        if (killer == 0) {
            usleep(50000);
            kill(numbers[n], SIGKILL);
            _exit(0);
        }
        stage_case("an owner with the number %ld", (long)numbers[n]);
        STAGE_IS(prop_acquire(0), wanted);
        STAGE_IS(prop_release(0), IST_OK);
        stage_wait(killer);
        stage_wait(numbers[n]);
    }
    return 0;
}

/* Hazard 16 */
TEST(no_threads_number_hides_its_lock_word)
{
    ist_traits traits = {.struct_size = sizeof traits};
    ist_traits_get(&traits);
    if (!traits.abandon_at_once)
        SKIP(no_threads_number_hides_its_lock_word, "deaths are found by looking again");
    if (!play_with_own_numbers(numbers_in_mutexes, "numbers that stand in mutexes"))
        SKIP(no_threads_number_hides_its_lock_word, "this user may not choose process ids");
}

/* ---- thousands ---- */

/* More than one block has room for: 64 slots of 256 uses. */
#define THREADS 20000u

static uint64_t ids[THREADS];

/* White box: the mutex's word is its owner's id. */
static uint64_t id_of_owner(void)
{
    return ist_mutex_waitable(prop_mutex[0])->plat->words->state;
}

static void *own_once(void *argument)
{
    if (!STAGE_IS(prop_acquire(0), IST_OK))
        return NULL;
    *(uint64_t *)argument = id_of_owner();
    STAGE_IS(prop_release(0), IST_OK);
    return NULL;
}

static size_t count_entries(const char *directory, const char *prefix)
{
    size_t count = 0;
    DIR *stream = opendir(directory);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 ? 1 : 0;
    if (stream != NULL)
        closedir(stream);
    return count;
}

static size_t count_blocks(void)
{
    char local[128];
    stage_local_directory(local, sizeof local);
    return count_entries(local, "l.");
}

static size_t count_maps(void)
{
    size_t count = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, "/l.") != NULL ? 1 : 0;
    if (maps != NULL)
        fclose(maps);
    return count;
}

static int by_number(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static int own_by_thousands(void *argument)
{
    (void)argument;
    STAGE_IS(props_open(0), IST_OK);
    own_once(&ids[0]);
    size_t files = count_entries("/proc/self/fd", "");
    for (size_t n = 0; n < THREADS; n++) {
        pthread_t thread;
        if (n % 1000 == 0)
            stage_case("thread %u", (unsigned)n);
        if (pthread_create(&thread, NULL, own_once, &ids[n]) != 0 || pthread_join(thread, NULL) != 0)
            return 1;
    }
    STAGE_CHECK(count_entries("/proc/self/fd", "") <= files + 2);
    if (stage_shared_because() == NULL)
        STAGE_CHECK(count_blocks() <= 2);
    STAGE_CHECK(count_maps() <= 6);
    qsort(ids, THREADS, sizeof ids[0], by_number);
    for (size_t n = 1; n < THREADS; n++)
        if (ids[n] == ids[n - 1])
            return 2;
    STAGE_CHECK(ids[0] != 0);
    return 0;
}

/* Hazard 15 */
TEST(threads_by_the_thousand_use_few_slots_and_no_id_twice)
{
    on_stage(own_by_thousands, NULL, "thousands of threads");
}

#define PROCESSES 150

/* How a process of many ends: it has handed the mutex back, or not. */
static int meet_many_processes(void *argument)
{
    bool release = *(bool *)argument;
    STAGE_IS(props_open(0), IST_OK);
    STAGE_IS(prop_acquire(1), IST_OK);
    STAGE_IS(prop_release(1), IST_OK);
    for (unsigned n = 0; n < PROCESSES; n++) {
        stage_case("process %u", n);
        deputy *other = props_deputy();
        DEPUTY_IS(other, prop_acquire, 0, IST_OK);
        STAGE_IS(prop_try(0), IST_TIMEOUT);
        if (release)
            DEPUTY_IS(other, prop_release, 0, IST_OK);
        if (release)
            deputy_end(other);
        else
            deputy_kill(other);
        STAGE_IS(prop_acquire(0), release ? IST_OK : IST_ABANDONED);
        STAGE_IS(prop_release(0), IST_OK);
    }
    STAGE_CHECK(count_maps() <= PROCESSES / 3);
    if (stage_shared_because() == NULL)
        STAGE_CHECK(count_blocks() <= 3);
    return 0;
}

/* L3: what this process looked at goes some time after its owner. */
TEST(processes_that_come_and_go_do_not_pile_up_in_who_met_them)
{
    bool ways[] = {true, false};
    for (size_t n = 0; n < COUNT_OF(ways); n++)
        on_stage(meet_many_processes, &ways[n], ways[n] ? "processes that exit" : "processes that are killed");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_forked_child_owns_nothing),
        RUN(a_child_that_no_fork_handler_saw_owns_nothing),
        RUN(a_process_with_a_dead_owners_number_is_not_the_owner),
        RUN(no_threads_number_hides_its_lock_word),
        RUN(threads_by_the_thousand_use_few_slots_and_no_id_twice),
        RUN(processes_that_come_and_go_do_not_pile_up_in_who_met_them),
    };
    return cmocka_run_group_tests_name("process.posix_ids", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
