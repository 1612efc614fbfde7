/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a child does on the stage.
 */
#include "actor.h"

#include <string.h>
#include <unistd.h>

uint64_t actor_slot_value(unsigned slot, const actor_names *names)
{
    return names->new_generation * 16 + slot;
}

ist_status actor_create(ist_mapping **out, const actor_names *names)
{
    ist_mapping_options options = IST_MAPPING_OPTIONS_INIT;
    options.audience = names->audience;
    return ist_mapping_create(out, names->name, 1, &options);
}

/* A creator finds zeros, stamps its generation and fills in the pattern. */
static void stamp(volatile uint64_t *words, uint64_t generation)
{
    for (unsigned n = 0; n < ACTOR_BYTES / sizeof *words; n += n == 0 ? ACTOR_PATTERN_FROM : 1)
        if (words[n] != 0) {
            stage_fail("a new object is not zero: word %u is %#llx", n, (unsigned long long)words[n]);
            break;
        }
    words[0] = generation;
    for (unsigned n = ACTOR_PATTERN_FROM; n < ACTOR_BYTES / sizeof *words; n++)
        words[n] = generation;
}

static void look(const actor *me, ist_mapping *mapping, bool created, const actor_names *names)
{
    ist_view view = IST_VIEW_INIT;
    uint64_t generation = me->slot == 1 ? names->old_generation : names->new_generation + me->slot;
    if (!STAGE_IS(ist_mapping_view(mapping, IST_WRITE, 0, 0, &view), IST_OK))
        return;
    volatile uint64_t *words = view.data;
    STAGE_CHECK(view.size == ist_page_size());
    if (created)
        stamp(words, generation);
    for (unsigned n = ACTOR_PATTERN_FROM; n < ACTOR_BYTES / sizeof *words; n++)
        if (words[n] == names->old_generation)
            me->report->saw_old = true;
    words[me->slot] = actor_slot_value(me->slot, names);
    me->report->holds = true;
    ist_view_unmap(&view);
}

static ist_status operate(const actor *me, ist_mapping **mapping, const actor_names *names)
{
    char token[IST_TOKEN_SIZE];
    ist_mapping *unused = NULL;
    switch (me->op) {
    case SCENE_CREATE:
    case SCENE_FIRST:
        return actor_create(mapping, names);
    case SCENE_OPEN:
        return ist_mapping_open(mapping, names->name, IST_WRITE);
    case SCENE_SWEEP:
        return ist_mapping_open(&unused, names->other, IST_READ);
    case SCENE_EXPORT:
        return ist_mapping_export(*mapping, (uint64_t)getppid(), IST_WRITE, token);
    case SCENE_IMPORT:
        return ist_mapping_import(mapping, names->token);
    case SCENE_CLOSE:
        ist_mapping_close(*mapping);
        *mapping = NULL;
        me->report->holds = false;
        break;
    case SCENE_NOTHING:
        break;
    }
    return IST_OK;
}

static void play(const actor *me, const actor_names *names)
{
    ist_mapping *mapping = NULL;
    ist_mapping *unused = NULL;
    actor_report *report = me->report;
    trace_join();
    if (me->op != SCENE_SWEEP && me->op != SCENE_FIRST)
        STAGE_IS(ist_mapping_open(&unused, names->other, IST_READ), IST_E_NOT_FOUND);
    trace_mark();
    if (me->op == SCENE_CLOSE || me->op == SCENE_EXPORT) {
        ist_status status = actor_create(&mapping, names);
        if (status == IST_OK || STAGE_IS(status, IST_EXISTED))
            look(me, mapping, status == IST_OK, names);
    }
    trace_mark();
    report->status = operate(me, &mapping, names);
    report->did = true;
    trace_mark();
    if (mapping != NULL && me->op != SCENE_EXPORT)
        look(me, mapping, (me->op == SCENE_CREATE || me->op == SCENE_FIRST) && report->status == IST_OK, names);
    if (report->target != 0)
        STAGE_IS(ist_mapping_export(mapping, report->target, IST_WRITE, report->token), IST_OK);
    trace_mark();
    ist_mapping_close(mapping);
    report->holds = false;
    trace_mark();
    _exit(0);
}

void actor_start(actor *who, const actor_names *names)
{
    actor_report *report = who->report;
    uint64_t target = report->target;
    memset(report, 0, sizeof *report);
    report->target = target;
    pid_t pid = stage_fork();
    if (pid == 0)
        play(who, names);
    trace_begin(&who->trace, pid);
}

bool actor_to_marks(actor *who, unsigned marks)
{
    while (marks-- > 0)
        if (!trace_to_mark(&who->trace)) {
            stage_fail("an actor ended by itself: status %#x", (unsigned)who->trace.status);
            return false;
        }
    return true;
}
