/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * L7, hazard 1: a fork while other threads are inside a call. What they were in the middle of must not be held by the
 * child, the fork must not wait for ever, and neither half may hang. ISTHMUS_TEST_ROUNDS says how many forks there are
 * among threads that go round.
 */
#include "support/check.h"
#include "support/peer.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage/stage.h"
#include "stage/trace.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOCATOR_SURVIVES_FORK false
#endif
#endif
#if !defined(ALLOCATOR_SURVIVES_FORK)
#define ALLOCATOR_SURVIVES_FORK true
#endif

static char name[STAGE_NAME_SIZE];

static int newcomer_misses(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_E_NOT_FOUND);
    stage_check_empty("when nobody holds");
    return 0;
}

static void check_dead(void)
{
    STAGE_CHECK(stage_run(newcomer_misses, NULL) == 0);
}

static int newcomer_finds(void *argument)
{
    ist_mapping *mapping = NULL;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, name, IST_READ), IST_OK);
    ist_mapping_close(mapping);
    return 0;
}

#define LOOPERS 6

static int looping;

static void *loop_create(void *argument)
{
    char own[STAGE_NAME_SIZE + 8];
    snprintf(own, sizeof own, "%s-%d", name, *(int *)argument % 3);
    while (__atomic_load_n(&looping, __ATOMIC_RELAXED)) {
        ist_mapping *mapping = NULL;
        ist_status status = ist_mapping_create(&mapping, own, 4096, NULL);
        if (status != IST_OK)
            STAGE_IS(status, IST_EXISTED);
        ist_mapping_close(mapping);
    }
    return NULL;
}

/* The child has no such threads; what they were in the middle of must not be held by it. */
static int fork_among_threads(void *argument)
{
    pthread_t threads[LOOPERS];
    int numbers[LOOPERS];
    unsigned long rounds = stage_number("ISTHMUS_TEST_ROUNDS", 60);
    (void)argument;
    looping = 1;
    for (int n = 0; n < LOOPERS; n++) {
        numbers[n] = n;
        pthread_create(&threads[n], NULL, loop_create, &numbers[n]);
    }
    for (unsigned long round = 0; round < rounds; round++) {
        stage_case("fork %lu among threads that create", round);
        pid_t child = stage_fork();
        if (child == 0) {
            ist_mapping *mapping = NULL;
            ist_status status = ist_mapping_create(&mapping, name, 4096, NULL);
            STAGE_CHECK(status == IST_OK);
            ist_mapping_close(mapping);
            exit(0);
        }
        STAGE_CHECK(stage_wait(child) == 0);
    }
    __atomic_store_n(&looping, 0, __ATOMIC_RELAXED);
    for (int n = 0; n < LOOPERS; n++)
        pthread_join(threads[n], NULL);
    stage_check_empty("after the threads have ended");
    check_dead();
    return 0;
}

/* L7, hazard 1 */
TEST(a_fork_among_threads_that_create_takes_no_hold_along_for_ever)
{
    unsigned before = stage_failures();
    if (!ALLOCATOR_SURVIVES_FORK)
        SKIP(a_fork_among_threads_that_create_takes_no_hold_along_for_ever,
             "in a child this sanitizer's allocator waits for threads of the parent");
    stage_name(name, "", "fork");
    assert_int_equal(stage_run(fork_among_threads, NULL), 0);
    assert_int_equal(stage_failures(), before);
}

/* What the tracer and the traced process share. */
typedef struct thread_play {
    pid_t thread;
    int stopped; /* 1: the thread stands in its create; fork now. 2: go on. */
} thread_play;

static void *traced_create(void *argument)
{
    thread_play *shared = argument;
    ist_mapping *mapping = NULL;
    /* A sanitizer's allocator is not safe across a fork: let it have what it will want before the first stop. */
    if (STAGE_IS(ist_mapping_create(&mapping, "warm", 4096, NULL), IST_OK))
        ist_mapping_close(mapping);
    __atomic_store_n(&shared->thread, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    trace_join();
    ist_status status = ist_mapping_create(&mapping, name, 4096, NULL);
    trace_mark();
    STAGE_CHECK(status == IST_OK || status == IST_EXISTED);
    return mapping;
}

static int fork_beside_stopped_thread(thread_play *shared)
{
    ist_mapping *mapping = NULL;
    pthread_t thread;
    STAGE_IS(ist_mapping_open(&mapping, "not there", IST_READ), IST_E_NOT_FOUND);
    pthread_create(&thread, NULL, traced_create, shared);
    while (__atomic_load_n(&shared->stopped, __ATOMIC_ACQUIRE) == 0)
        usleep(50);
    pid_t child = stage_fork(); /* waits until the thread is through */
    if (child == 0) {
        ist_status status = ist_mapping_create(&mapping, name, 4096, NULL);
        STAGE_CHECK(status == IST_EXISTED || status == IST_OK); /* before its first registry call it delays no fork */
        ist_mapping_close(mapping);
        exit(0);
    }
    STAGE_CHECK(stage_wait(child) == 0);
    void *made = NULL;
    pthread_join(thread, &made);
    STAGE_CHECK(stage_run(newcomer_finds, NULL) == 0);
    ist_mapping_close(made);
    stage_check_empty("after the maker has closed");
    return 0;
}

/* Stops the thread at its n-th stop, has the process fork, meanwhile another process creates; then all go on. */
static bool play_thread_stop(unsigned stops)
{
    thread_play *shared = stage_memory(sizeof *shared);
    trace thread;
    stage_case("fork while a thread stands at stop %u of create", stops);
    pid_t process = stage_fork();
    if (process == 0)
        _exit(fork_beside_stopped_thread(shared));
    while (__atomic_load_n(&shared->thread, __ATOMIC_ACQUIRE) == 0)
        usleep(50);
    trace_begin(&thread, shared->thread);
    bool stands = trace_steps(&thread, stops);
    __atomic_store_n(&shared->stopped, 1, __ATOMIC_RELEASE);
    usleep(500); /* the fork begins, most likely; nothing depends on it */
    if (!stands || trace_to_mark(&thread))
        trace_let_go(&thread);
    STAGE_CHECK(stage_wait(process) == 0);
    check_dead();
    return stands;
}

/* L7, hazard 1 */
TEST(a_fork_at_any_call_of_another_threads_create_harms_neither)
{
    const char *why = NULL;
    unsigned before = stage_failures();
    if (!trace_works(&why))
        SKIP(a_fork_at_any_call_of_another_threads_create_harms_neither, why);
    stage_name(name, "", "fork");
    for (unsigned stops = 1; play_thread_stop(stops) && stage_failures() == before; stops++) {}
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_fork_among_threads_that_create_takes_no_hold_along_for_ever),
        RUN(a_fork_at_any_call_of_another_threads_create_harms_neither),
    };
    return cmocka_run_group_tests_name("process.posix_fork_threads", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
