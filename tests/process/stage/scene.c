/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The stage manager: who runs how far, who dies, and what the rules allow afterwards.
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"

static actor_names names;
static actor_report *reports; /* of H, A, B */
static actor cast[3];

#define HOLDER (&cast[0])
#define ACTOR_A (&cast[1])
#define ACTOR_B (&cast[2])

bool scene_works(const char **why)
{
    ist_traits traits = IST_TRAITS_INIT;
    ist_traits_get(&traits);
    *why = "the trait stop_exact is 0: a stopped process may be in the way";
    return traits.stop_exact != 0 && trace_works(why);
}

void scene_prepare(scene_flavour flavour)
{
    static char name[STAGE_NAME_SIZE];
    static char other[STAGE_NAME_SIZE];
    char what[32];
    const char *prefix = flavour == SCENE_LOCAL ? "" : "Global\\";
    snprintf(what, sizeof what, "scene-%ld", (long)getpid());
    stage_name(name, prefix, what);
    stage_name(other, prefix, "other");
    if (reports == NULL)
        reports = stage_memory(3 * sizeof *reports);
    names.name = name;
    names.other = other;
    names.audience = flavour == SCENE_LOCAL ? IST_AUDIENCE_OWNER : IST_AUDIENCE_EVERYONE_READ;
    names.token = reports[0].token;
    names.old_generation = 0x01d0000000000000u + (uint64_t)getpid();
    names.new_generation = names.old_generation + 0x1000000000000000u;
}

void scene_announce(const scene *played)
{
    static const char *const ops[] = {"nothing", "create",       "open",   "close",
                                      "sweep",   "first create", "export", "import"};
    static const char *const holders[] = {"nobody",    "dead",         "alive",      "dies early",
                                          "dies late", "closes early", "closes late"};
    static const char *const fates[] = {"B goes on, then A", "A goes on, then B", "A dies", "B dies", "both die"};
    stage_case("A: %s at stop %d; B: %s at stop %d; holder: %s; %s", ops[played->a], (int)played->a_stops,
               ops[played->b], (int)played->b_stops, holders[played->holder], fates[played->fate]);
}

static bool alive(const actor *who)
{
    return who->trace.pid != 0 && !who->trace.ended;
}

static bool holds(const actor *who)
{
    return alive(who) && who->report->holds;
}

/* A call of an actor that may end in a handle to what H made, or that has one. */
static bool joins(scene_op op)
{
    return op != SCENE_SWEEP && op != SCENE_NOTHING;
}

static void raise_curtain(const scene *played)
{
    memset(cast, 0, sizeof cast);
    for (unsigned n = 0; n < 3; n++) {
        cast[n].slot = n + 1;
        cast[n].report = &reports[n];
        reports[n].target = 0;
    }
    HOLDER->op = played->holder == SCENE_NOBODY ? SCENE_NOTHING : SCENE_CREATE;
    ACTOR_A->op = played->a;
    ACTOR_B->op = played->b;
    for (unsigned n = 1; n < 3; n++)
        if (cast[n].op != SCENE_NOTHING) {
            actor_start(&cast[n], &names);
            actor_to_marks(&cast[n], ACTOR_WARM);
        }
    if (HOLDER->op != SCENE_NOTHING) {
        reports[0].target = played->a == SCENE_IMPORT ? (uint64_t)ACTOR_A->trace.pid : 0;
        actor_start(HOLDER, &names);
        actor_to_marks(HOLDER, ACTOR_LOOKED);
        STAGE_CHECK(reports[0].status == IST_OK);
        if (played->holder == SCENE_DEAD)
            trace_kill(&HOLDER->trace);
    }
    for (unsigned n = 1; n < 3; n++)
        if (cast[n].op != SCENE_NOTHING)
            actor_to_marks(&cast[n], ACTOR_READY - ACTOR_WARM);
}

/* Lets an actor take its stops. True when it stands within its operation. */
static bool advance(actor *who, unsigned stops)
{
    if (who->op == SCENE_NOTHING)
        return false;
    if (stops == SCENE_THROUGH)
        actor_to_marks(who, 1);
    else if (trace_steps(&who->trace, stops))
        return true;
    if (who->trace.ended)
        stage_fail("an actor ended in its operation: status %#x", (unsigned)who->trace.status);
    else
        actor_to_marks(who, ACTOR_LOOKED - ACTOR_DID);
    return false;
}

static void end_holder(const scene *played, scene_holder dies, scene_holder closes)
{
    if (played->holder == dies)
        trace_kill(&HOLDER->trace);
    else if (played->holder == closes)
        actor_to_marks(HOLDER, ACTOR_CLOSED - ACTOR_LOOKED);
}

/* Lets one that was stopped in its operation finish it and look. */
static void conclude(actor *who, bool stopped)
{
    if (stopped && alive(who))
        actor_to_marks(who, ACTOR_LOOKED - ACTOR_READY);
}

static void check_actor(const scene *played, const actor *who)
{
    const actor_report *report = who->report;
    bool must_exist = played->holder == SCENE_ALIVE;
    bool may_see_old = played->holder != SCENE_NOBODY && played->holder != SCENE_DEAD;
    if (who->op == SCENE_NOTHING || !report->did)
        return;
    /* H went before B came: B sees its data only where A, or B itself, was or became a holder before that. */
    if (who == ACTOR_B && (played->holder == SCENE_DIES_EARLY || played->holder == SCENE_CLOSES_EARLY))
        may_see_old = joins(played->a) || played->b == SCENE_CLOSE;
    if (report->saw_old && !may_see_old)
        stage_fail("actor %u saw the data of a dead object", who->slot);
    if (must_exist && report->holds && !report->saw_old)
        stage_fail("actor %u has another object than the one that is alive", who->slot);
    ist_status status = report->status;
    bool expected = status == IST_OK;
    if (who->op == SCENE_CREATE || who->op == SCENE_FIRST)
        expected = status == IST_EXISTED || (status == IST_OK && !must_exist);
    else if (who->op == SCENE_OPEN)
        expected = status == IST_OK || (status == IST_E_NOT_FOUND && !must_exist);
    else if (who->op == SCENE_IMPORT)
        expected = status == IST_OK || (status == IST_E_ARG && !must_exist);
    else if (who->op == SCENE_SWEEP)
        expected = status == IST_E_NOT_FOUND;
    if (!expected)
        stage_fail("actor %u got %s", who->slot, ist_status_name(status));
}

/* While somebody holds: a newcomer reaches the one object of all holders. Runs in a child. */
static int meet_holders(void *argument)
{
    ist_mapping *opened = NULL;
    ist_mapping *created = NULL;
    ist_view view = IST_VIEW_INIT;
    bool *saw_old = argument;
    STAGE_IS(ist_mapping_open(&opened, names.name, IST_WRITE), IST_OK);
    STAGE_IS(actor_create(&created, &names), IST_EXISTED);
    if (created != NULL && STAGE_IS(ist_mapping_view(created, IST_WRITE, 0, 0, &view), IST_OK)) {
        volatile uint64_t *words = view.data;
        for (unsigned n = 0; n < 3; n++)
            if (holds(&cast[n]) && words[n + 1] != actor_slot_value(n + 1, &names))
                stage_fail("a newcomer has another object than actor %u", n + 1);
        if ((words[ACTOR_PATTERN_FROM] == names.old_generation) != *saw_old)
            stage_fail("the data of the living object are not intact");
    }
    ist_mapping_close(created);
    ist_mapping_close(opened);
    ist_view_unmap(&view);
    return 0;
}

static void check_holders(void)
{
    bool saw_old = false;
    bool held = false;
    for (unsigned n = 0; n < 3; n++)
        if (holds(&cast[n])) {
            if (held && saw_old != reports[n].saw_old)
                stage_fail("actor %u has another object than those before it", n + 1);
            saw_old = reports[n].saw_old;
            held = true;
        }
    if (held && stage_run(meet_holders, &saw_old) != 0)
        stage_fail("the newcomer crashed");
}

/* When nobody holds any more: the name is free, what comes is zero, nothing is left. Runs in a child. */
static int come_alone(void *argument)
{
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    (void)argument;
    STAGE_IS(ist_mapping_open(&mapping, names.name, IST_READ), IST_E_NOT_FOUND);
    stage_check_empty("after a newcomer's first call");
    STAGE_IS(actor_create(&mapping, &names), IST_OK);
    if (mapping != NULL && STAGE_IS(ist_mapping_view(mapping, IST_READ, 0, 0, &view), IST_OK)) {
        const volatile uint64_t *words = view.data;
        for (unsigned n = 0; n < ACTOR_BYTES / sizeof *words; n++)
            if (words[n] != 0) {
                stage_fail("a newcomer's object is not zero: word %u is %#llx", n, (unsigned long long)words[n]);
                break;
            }
    }
    ist_mapping_close(mapping);
    ist_view_unmap(&view);
    stage_check_empty("after the last close");
    return 0;
}

static void lower_curtain(const scene *played)
{
    bool tidy = played->fate <= SCENE_A_FINISHES && played->holder != SCENE_DEAD &&
                played->holder != SCENE_DIES_EARLY && played->holder != SCENE_DIES_LATE && played->a != SCENE_EXPORT &&
                played->a != SCENE_IMPORT;
    for (unsigned n = 0; n < 3; n++) {
        actor *who = &cast[(n + 1) % 3];
        if (!alive(who))
            continue;
        int status = trace_finish(&who->trace);
        if (status != 0)
            stage_fail("actor %u ended with status %#x", who->slot, (unsigned)status);
    }
    if (tidy)
        stage_check_empty("after everybody has closed");
    if (stage_run(come_alone, NULL) != 0)
        stage_fail("the last newcomer crashed");
    char list[200];
    if (stage_leftovers(list, sizeof list) != 0)
        stage_clear();
}

scene_reach scene_play(const scene *played)
{
    scene_reach reach = {false, false};
    raise_curtain(played);
    reach.a_stopped = advance(ACTOR_A, played->a_stops);
    end_holder(played, SCENE_DIES_EARLY, SCENE_CLOSES_EARLY);
    reach.b_stopped = advance(ACTOR_B, played->b_stops);
    end_holder(played, SCENE_DIES_LATE, SCENE_CLOSES_LATE);
    if (played->fate == SCENE_A_DIES || played->fate == SCENE_BOTH_DIE)
        trace_kill(&ACTOR_A->trace);
    if (played->fate == SCENE_B_DIES || played->fate == SCENE_BOTH_DIE)
        trace_kill(&ACTOR_B->trace);
    if (played->fate == SCENE_A_FINISHES)
        conclude(ACTOR_A, reach.a_stopped);
    conclude(ACTOR_B, reach.b_stopped);
    if (played->fate != SCENE_A_FINISHES)
        conclude(ACTOR_A, reach.a_stopped);
    check_actor(played, ACTOR_A);
    check_actor(played, ACTOR_B);
    check_holders();
    lower_curtain(played);
    return reach;
}
