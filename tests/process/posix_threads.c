/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * L10: many threads of one process in the library at once, for ThreadSanitizer above all; and an exit in their midst.
 * ISTHMUS_TEST_ROUNDS says how often each thread goes round.
 */
#include "support/check.h"
#include "support/peer.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage/stage.h"

#define THREADS 8

static char name[STAGE_NAME_SIZE];
static unsigned long rounds;
static ist_mapping *common; /* one handle for all threads */

typedef struct worker {
    unsigned number;
    void (*round)(unsigned number, unsigned long round);
} worker;

static void *work(void *argument)
{
    const worker *me = argument;
    for (unsigned long n = 0; n < rounds; n++)
        me->round(me->number, n);
    return NULL;
}

static void with_threads(void (*round)(unsigned number, unsigned long round))
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (unsigned n = 0; n < THREADS; n++) {
        workers[n] = (worker){n, round};
        STAGE_CHECK(pthread_create(&threads[n], NULL, work, &workers[n]) == 0);
    }
    for (unsigned n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
}

/* ---- what the threads do ---- */

static void own_name(unsigned number, unsigned long round)
{
    char own[STAGE_NAME_SIZE + 24];
    ist_mapping *made = NULL;
    ist_mapping *opened = NULL;
    ist_view first = IST_VIEW_INIT;
    ist_view second = IST_VIEW_INIT;
    snprintf(own, sizeof own, "%s%s-%u", round % 2 != 0 ? "Global\\" : "", name, number);
    STAGE_IS(ist_mapping_create(&made, own, 4096, NULL), IST_OK);
    STAGE_IS(ist_mapping_open(&opened, own, IST_READ), IST_OK);
    STAGE_IS(ist_mapping_view(made, IST_WRITE, 0, 0, &first), IST_OK);
    STAGE_IS(ist_mapping_view(opened, IST_READ, 0, 0, &second), IST_OK);
    if (first.data != NULL && second.data != NULL) {
        STAGE_CHECK(*(uint64_t *)second.data == 0);
        *(uint64_t *)first.data = round + 1;
        STAGE_CHECK(*(uint64_t *)second.data == round + 1);
    }
    ist_mapping_close(made);
    ist_view_unmap(&first);
    ist_mapping_close(opened);
    ist_view_unmap(&second);
    STAGE_IS(ist_mapping_open(&opened, own, IST_READ), IST_E_NOT_FOUND);
}

static void same_name(unsigned number, unsigned long round)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    bool creates = (number + round) % 2 == 0;
    ist_status status =
        creates ? ist_mapping_create(&mapping, name, 4096, NULL) : ist_mapping_open(&mapping, name, IST_WRITE);
    if (!creates && status == IST_E_NOT_FOUND)
        return;
    if (status != IST_OK && !(creates && status == IST_EXISTED))
        STAGE_IS(status, IST_OK);
    else if (STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK))
        __atomic_fetch_add((uint64_t *)view.data, 1, __ATOMIC_RELAXED);
    ist_mapping_close(mapping);
    ist_view_unmap(&view);
}

static void common_handle(unsigned number, unsigned long round)
{
    ist_view view = IST_VIEW_INIT;
    ist_mapping *imported = NULL;
    char token[IST_TOKEN_SIZE];
    STAGE_IS(ist_mapping_view(common, IST_WRITE, 0, 0, &view), IST_OK);
    if (view.data != NULL)
        __atomic_fetch_add((uint64_t *)view.data + number, 1, __ATOMIC_RELAXED);
    ist_view_unmap(&view);
    STAGE_CHECK(ist_mapping_size(common) == 4096 || ist_page_size() != 4096);
    if (round % 4 != 0)
        return;
    STAGE_IS(ist_mapping_export(common, ist_process_id(), IST_WRITE, token), IST_OK);
    STAGE_IS(ist_mapping_import(&imported, token), IST_OK);
    STAGE_IS(ist_mapping_view(imported, IST_READ, 0, 0, &view), IST_OK);
    ist_view_unmap(&view);
    ist_mapping_close(imported);
    STAGE_IS(ist_mapping_import(&imported, token), IST_E_ARG);
}

static void failing_calls(unsigned number, unsigned long round)
{
    ist_mapping *mapping = NULL;
    ist_detail detail = {0};
    (void)round;
    if (number % 2 == 0) {
        STAGE_IS(ist_mapping_create(&mapping, "Local", 4096, NULL), IST_E_NAME);
        ist_error_detail(&detail);
        STAGE_CHECK(detail.status == IST_E_NAME);
    } else {
        STAGE_IS(ist_mapping_open(&mapping, "not there", IST_READ), IST_E_NOT_FOUND);
        ist_error_detail(&detail);
        STAGE_CHECK(detail.status == IST_E_NOT_FOUND);
    }
}

/* ---- the plays, each a process ---- */

static int play_own(void *argument)
{
    (void)argument;
    with_threads(own_name);
    stage_check_empty("after the threads");
    return 0;
}

static int play_same(void *argument)
{
    (void)argument;
    with_threads(same_name);
    stage_check_empty("after the threads");
    return 0;
}

static int play_common(void *argument)
{
    ist_view view = IST_VIEW_INIT;
    (void)argument;
    STAGE_IS(ist_mapping_create(&common, NULL, 4096, NULL), IST_OK);
    with_threads(common_handle);
    STAGE_IS(ist_mapping_view(common, IST_READ, 0, 0, &view), IST_OK);
    for (unsigned n = 0; view.data != NULL && n < THREADS; n++)
        STAGE_CHECK(((uint64_t *)view.data)[n] == rounds);
    ist_view_unmap(&view);
    ist_mapping_close(common);
    stage_check_empty("after the threads");
    return 0;
}

static int play_failing(void *argument)
{
    (void)argument;
    with_threads(failing_calls);
    return 0;
}

static void *work_for_ever(void *argument)
{
    const worker *me = argument;
    for (unsigned long n = 0;; n++)
        same_name(me->number, n);
    return NULL;
}

/* L3: whatever the threads were doing, a normal exit leaves nothing, at once. */
static int exit_in_the_midst(void *argument)
{
    static worker workers[THREADS];
    (void)argument;
    for (unsigned n = 0; n < THREADS; n++) {
        pthread_t thread;
        workers[n] = (worker){n, NULL};
        STAGE_CHECK(pthread_create(&thread, NULL, work_for_ever, &workers[n]) == 0);
    }
    usleep(2000);
    exit(0);
}

static int cancelled_reached;

static void *call_once_cancelled(void *argument)
{
    ist_mapping **out = argument;
    pthread_cancel(pthread_self()); /* pending: the next cancellation point takes it */
    ist_status status = ist_mapping_create(out, name, 4096, NULL);
    STAGE_CHECK(status == IST_OK);
    __atomic_store_n(&cancelled_reached, 1, __ATOMIC_RELEASE);
    pthread_testcancel();
    stage_fail("a pending cancellation was lost");
    return NULL;
}

static int play_cancelled(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_mapping *again = NULL;
    pthread_t thread;
    void *result = NULL;
    (void)argument;
    STAGE_CHECK(pthread_create(&thread, NULL, call_once_cancelled, &mapping) == 0);
    pthread_join(thread, &result);
    STAGE_CHECK(result == PTHREAD_CANCELED && cancelled_reached != 0 && mapping != NULL);
    STAGE_IS(ist_mapping_create(&again, name, 4096, NULL), IST_EXISTED);
    ist_mapping_close(again);
    ist_mapping_close(mapping);
    stage_check_empty("after a cancelled thread's object was closed");
    return 0;
}

static void on_stage(int (*play)(void *), const char *what)
{
    unsigned before = stage_failures();
    rounds = stage_number("ISTHMUS_TEST_ROUNDS", 300);
    stage_name(name, "", "threads");
    stage_case("%s", what);
    assert_int_equal(stage_run(play, NULL), 0);
    stage_check_empty("after the process");
    stage_clear();
    assert_int_equal(stage_failures(), before);
}

/* L10 */
TEST(threads_make_and_open_objects_of_their_own)
{
    on_stage(play_own, "own names");
}

/* L10, N8 */
TEST(threads_make_and_open_one_object)
{
    on_stage(play_same, "one name");
}

/* L10, M11 */
TEST(threads_view_export_and_import_by_one_handle)
{
    on_stage(play_common, "one handle");
}

/* L10 */
TEST(each_thread_has_its_own_error_detail)
{
    on_stage(play_failing, "failing calls");
}

/* L3, L10 */
TEST(an_exit_while_threads_are_inside_leaves_nothing)
{
    for (unsigned round = 0; round < 20; round++)
        on_stage(exit_in_the_midst, "an exit in the midst");
}

/* Hazard 10 */
TEST(a_cancelled_thread_is_not_cancelled_inside_a_call)
{
    on_stage(play_cancelled, "a cancelled thread");
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(threads_make_and_open_objects_of_their_own),      RUN(threads_make_and_open_one_object),
        RUN(threads_view_export_and_import_by_one_handle),    RUN(each_thread_has_its_own_error_detail),
        RUN(an_exit_while_threads_are_inside_leaves_nothing), RUN(a_cancelled_thread_is_not_cancelled_inside_a_call),
    };
    return cmocka_run_group_tests_name("process.posix_threads", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
