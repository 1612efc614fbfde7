/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Processes that die in the middle of a wait for all, each with the last handle to what it waited for: many more than
 * the table in which they noted their claims has slots. Somebody holds that table all the time, and must not find it
 * used up.
 */
#include "support/check.h"
#include "support/peer.h"

#include <unistd.h>

#include "stage/player.h"
#include "stage/run.h"
#include "stage/step.h"

#define DEATHS 300u /* of 64 slots */

static step_path *path;
static ist_semaphore *semaphore;
static ist_event *event;

static void make(void)
{
    ist_semaphore_options counted = IST_SEMAPHORE_OPTIONS_INIT;
    ist_event_options set = IST_EVENT_OPTIONS_INIT;
    counted.initial = 1;
    set.initially_set = 1;
    STAGE_IS(ist_semaphore_create(&semaphore, NULL, &counted), IST_OK);
    STAGE_IS(ist_event_create(&event, NULL, &set), IST_OK);
}

static ist_status take_both(void)
{
    const ist_waitable *items[] = {ist_semaphore_waitable(semaphore), ist_event_waitable(event)};
    return ist_wait_all(items, 2, 0);
}

/* With new objects each time, or with those that it has. */
static int take_again(uintptr_t argument)
{
    (void)argument;
    if (semaphore == NULL)
        make();
    else {
        STAGE_IS(ist_semaphore_release(semaphore, 1, NULL), IST_OK);
        STAGE_IS(ist_event_set(event), IST_OK);
    }
    STAGE_IS(take_both(), IST_OK);
    return 0;
}

static void begin_child(trace *child)
{
    pid_t pid = stage_fork();
    if (pid == 0) {
        make();
        STAGE_IS(take_both(), IST_OK);
        STAGE_IS(ist_semaphore_release(semaphore, 1, NULL), IST_OK);
        STAGE_IS(ist_event_set(event), IST_OK);
        trace_join();
        STAGE_IS(take_both(), IST_OK);
        trace_mark();
        _exit(0);
    }
    trace_begin(child, pid);
}

/* The places of the path that change what others see, one after the other, again and again. */
static unsigned next_place(unsigned after)
{
    unsigned n = after;
    do
        n = n + 1 < path->count ? n + 1 : 1;
    while (!path->notable[n] && n != after);
    return n;
}

/* W3 L1 L3 */
TEST(who_dies_in_a_wait_for_all_together_with_its_objects_uses_nothing_up)
{
    trace child;
    const char *why = NULL;
    unsigned before = stage_failures();
    unsigned place = 1;
    if (!run_works(&why))
        SKIP(stopped_after_each_instruction, why);
    path = stage_memory(sizeof *path);
    player keeper = player_start();
    player_ask(&keeper, take_again, 0);
    begin_child(&child);
    assert_true(step_record(&child, path));
    trace_kill(&child);
    for (unsigned n = 0; n < DEATHS && stage_failures() == before; n++) {
        stage_case("after %u deaths", n);
        place = next_place(place);
        begin_child(&child);
        (void)step_to(&child, path, place);
        trace_kill(&child);
        player_ask(&keeper, take_again, 0);
    }
    player_kill(&keeper);
    assert_int_equal(stage_failures(), before);
}

/* ---- a table that was lost ---- */

static int can_be_opened(void *argument)
{
    ist_mutex *mutex = NULL;
    STAGE_IS(ist_mutex_open(&mutex, "made with another table", IST_WRITE), IST_OK);
    STAGE_IS(ist_mutex_acquire(mutex, 0), IST_OK);
    STAGE_IS(ist_mutex_release(mutex), IST_OK);
    ist_mutex_close(mutex);
    (void)argument;
    return 0;
}

static int make_without_the_first_table(void *argument)
{
    ist_mutex *kept = NULL;
    ist_mutex *mutex = NULL;
    STAGE_IS(ist_mutex_create(&kept, "made before", NULL), IST_OK);
    for (int fd = 3; fd < 256; fd++)
        (void)close(fd);
    STAGE_IS(ist_mutex_create(&mutex, "made with another table", NULL), IST_OK);
    STAGE_IS((ist_status)stage_run(can_be_opened, NULL), IST_OK);
    ist_mutex_close(mutex);
    ist_mutex_close(kept);
    (void)argument;
    return 0;
}

/* HAZARD 7: others find only tables that somebody holds */
TEST(what_is_made_after_all_descriptors_were_closed_can_be_opened_by_others)
{
    unsigned before = stage_failures();
    assert_int_equal(stage_run(make_without_the_first_table, NULL), 0);
    assert_int_equal(stage_failures(), before);
}

static int suite(void)
{
    const struct CMUnitTest tests[] = {
        RUN(who_dies_in_a_wait_for_all_together_with_its_objects_uses_nothing_up),
        RUN(what_is_made_after_all_descriptors_were_closed_can_be_opened_by_others),
    };
    return cmocka_run_group_tests_name("process.posix_claims", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    stage_enter();
    return peer_main(argc, argv, NULL, 0, suite);
}
