/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Runs.
 */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"
#include "stage.h"
#include "step.h"

/* Places of an operation that are tried besides the notable ones. */
#define OTHERS 500u

run_board *run_shared;
player run_keeper;
player run_rival;

static step_path *path;
static bool rival_owns;
static unsigned long runs;
static unsigned long points;
static unsigned most;

/* ---- the child ---- */

/* So that the thread has been an owner before. */
static void warm_up(void)
{
    ist_mutex_options owned = IST_MUTEX_OPTIONS_INIT;
    ist_mutex *own = NULL;
    owned.initially_owned = 1;
    STAGE_IS(ist_mutex_create(&own, NULL, &owned), IST_OK);
    ist_mutex_close(own);
}

static void be_child(const play *played)
{
    world_enter(false, false);
    if (!played->cold)
        warm_up();
    for (int n = 0; n < played->start.depth; n++)
        STAGE_IS(ist_mutex_acquire(here.mutex, 0), IST_OK);
    trace_join();
    run_shared->status = play_act(played, &run_shared->index);
    trace_mark();
    run_shared->releases = 0;
    while (ist_mutex_release(here.mutex) == IST_OK)
        run_shared->releases++;
    world_leave();
    exit(0);
}

/* ---- the others ---- */

static int enter(uintptr_t creates)
{
    world_enter(creates != 0, false);
    STAGE_IS(ist_mutex_acquire(here.mutex, IST_FOREVER), IST_OK);
    STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
    return 0;
}

static int leave(uintptr_t argument)
{
    (void)argument;
    world_leave();
    return 0;
}

static int hold_mutex(uintptr_t holds)
{
    if (holds)
        STAGE_IS(ist_mutex_acquire(here.mutex, 0), IST_OK);
    else
        STAGE_IS(ist_mutex_release(here.mutex), IST_OK);
    return 0;
}

static int prepare(uintptr_t argument)
{
    (void)argument;
    (void)world_drain();
    world_fill(&run_shared->next);
    return 0;
}

/* Looks, and uses everything. */
int run_look(uintptr_t argument)
{
    (void)argument;
    run_shared->found = world_drain();
    world_use(run_shared->found.owner == WORLD_RIVAL);
    return 0;
}

int run_look_and_fill(uintptr_t argument)
{
    run_look(argument);
    world_fill(&run_shared->next);
    return 0;
}

static int touch(uintptr_t argument)
{
    (void)argument;
    world_touch();
    return 0;
}

static int abandon(void *argument)
{
    (void)argument;
    world_enter(false, false);
    STAGE_IS(ist_mutex_acquire(here.mutex, 0), IST_OK);
    _exit(0);
}

static void raise_curtain(const play *played, trace *child)
{
    run_shared->next = played->start;
    player_ask(&run_keeper, prepare, 0);
    rival_owns = played->start.owner == WORLD_RIVAL;
    if (rival_owns)
        player_ask(&run_rival, hold_mutex, 1);
    if (played->start.owner == WORLD_ABANDONED)
        stage_run(abandon, NULL);
    pid_t pid = stage_fork();
    if (pid == 0)
        be_child(played);
    trace_begin(child, pid);
}

void run_release_rival(void)
{
    if (rival_owns)
        player_ask(&run_rival, hold_mutex, 0);
    rival_owns = false;
}

static size_t leftovers(void)
{
    char list[600];
    return stage_leftovers(list, sizeof list);
}

/* Without what the dead have left. */
static size_t usual_entries(void)
{
    for (int n = 0; n < 3; n++)
        player_ask(&run_keeper, touch, 0);
    return leftovers();
}

/* Nothing of the dead stays for long. */
static void check_swept(size_t usual)
{
    char list[600];
    for (size_t n = 0; n < 3 && leftovers() > usual; n++)
        player_ask(&run_keeper, touch, 0);
    if (stage_leftovers(list, sizeof list) > usual)
        stage_fail("the dead left something of%s", list);
}

/* Which places of the path are tried: before and after what others see, and some hundred others. */
static bool is_chosen(unsigned n, unsigned first, unsigned stride)
{
    unsigned others = path->count > OTHERS ? path->count / OTHERS : 1;
    bool notable = path->notable[n] || path->notable[n - 1];
    return (notable || n % others == 0) && (n + first) % stride == 0;
}

static void end(const play *played, const run_way *way, trace *child, unsigned n, run_tally *count)
{
    if (n == 0 && way->begin == NULL)
        trace_kill(child);
    else
        way->end(played, child, n, count);
    run_release_rival();
}

static void record(const play *played, const run_way *way)
{
    trace child;
    run_tally count = {0, 0, 0};
    stage_case("%s %s, to find its path", played->name, way->fate);
    raise_curtain(played, &child);
    if (way->begin != NULL)
        way->begin(played);
    if (!step_record(&child, path))
        stage_fail("%s took no path", played->name);
    end(played, way, &child, 0, &count);
    most = path->count > most ? path->count : most;
}

static void play_once(const play *played, unsigned n, const run_way *way, run_tally *count)
{
    trace child;
    raise_curtain(played, &child);
    if (way->begin != NULL)
        way->begin(played);
    bool comes = step_to(&child, path, n);
    end(played, way, &child, comes ? n : 0, count);
    count->tried += comes;
    runs++;
}

static void at_each_instruction(const play *played, const run_way *way, size_t usual)
{
    unsigned stride = (unsigned)stage_number("ISTHMUS_TEST_STRIDE", 1);
    unsigned first = (unsigned)(runs % stride);
    run_tally count = {0, 0, 0};
    for (unsigned n = 1; n < path->count && stage_failures() <= 20; n++)
        if (is_chosen(n, first, stride)) {
            stage_case("%s %s after instruction %u of %u", played->name, way->fate, n, path->count);
            play_once(played, n, way, &count);
            check_swept(usual);
        }
    points += count.tried;
    printf("%s %s at %u of %u instructions: before %u, after %u\n", played->name, way->fate, count.tried, path->count,
           count.before, count.after);
    if (stride == 1 && (count.before == 0 || count.after == 0))
        stage_fail("%s %s was never seen on both sides", played->name, way->fate);
}

static int come_last(void *argument)
{
    ist_mutex *mutex = NULL;
    (void)argument;
    STAGE_IS(ist_mutex_open(&mutex, "behind", IST_READ), IST_E_NOT_FOUND);
    return 0;
}

bool run_works(const char **why)
{
    const char *matrix = getenv("ISTHMUS_TEST_MATRIX");
    *why = "ISTHMUS_TEST_MATRIX asks for single stops only";
    return (matrix == NULL || strcmp(matrix, "single") != 0) && scene_works(why) && step_works(why);
}

void run_all(const play *played, const run_way *ways, size_t count)
{
    stage_case("%s", played->name);
    if (path == NULL) {
        path = stage_memory(sizeof *path);
        run_shared = stage_memory(sizeof *run_shared);
    }
    world_name();
    run_keeper = player_start();
    run_rival = player_start();
    player_ask(&run_keeper, enter, 1);
    player_ask(&run_rival, enter, 0);
    for (size_t n = 0; n < count; n++) {
        if (ways[n].enter != NULL)
            ways[n].enter();
        record(played, &ways[n]);
        at_each_instruction(played, &ways[n], usual_entries());
        if (ways[n].leave != NULL)
            ways[n].leave();
    }
    player_ask(&run_rival, leave, 0);
    player_ask(&run_keeper, leave, 0);
    player_dismiss(&run_rival);
    player_dismiss(&run_keeper);
    if (stage_run(come_last, NULL) != 0)
        stage_fail("the last one failed");
    stage_check_empty("in the end");
}

void run_sum_up(void)
{
    printf("%lu runs, %lu crash and stop points, the longest operation has %u instructions\n", runs, points, most);
}
