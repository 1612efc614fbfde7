/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Timers: arithmetic on the clocks. Nobody has to be alive for a timer to become due.
 *
 * The state names one of the settings in the object's words, counts how often the timer was set, and how often what the
 * setting made due has been taken:
 *
 *     tag 1 | setting 3 | version 22 | taken 38
 *
 * A setting is written whole by who has claimed it, while it is not the current one, and becomes current by one swap of
 * the state. It can be claimed when its writer has said that he is through with it (WRITTEN) or has ended. Only who has
 * claimed it makes it current, so that a claimant who looks after his claim and finds it not current has it to himself.
 *
 * An absolute time is compared with the UTC clock until it has come; who finds that it has makes the setting a relative
 * one, so that a clock that is set back does not take back what has happened.
 */
#include "posix/timer.h"

#include <sched.h>

#include "posix/error.h"
#include "posix/offer.h"

#define TAKEN_BITS 38
#define TAKEN_MASK ((UINT64_C(1) << TAKEN_BITS) - 1)
#define VERSION_MASK ((UINT64_C(1) << 22) - 1)
#define SETTING_SHIFT 60

/* Set in a setting's writer: he does not write it any more. */
#define WRITTEN (UINT64_C(1) << 63)

/* What a setting says. */
#define NEVER 0u
#define STEADY 1u    /* due on the steady clock */
#define UTC 2u       /* due on the UTC clock */
#define SIGNALLED 3u /* was signalled when it was cancelled */

#define MILLISECOND INT64_C(1000000)
#define ROUNDING 100

/* A checked copy of the current setting, and what the clocks make of it. */
typedef struct reading {
    timer_setting setting;
    uint64_t fired; /* times by now, at most what `taken` can count */
    int64_t due;    /* of the next time, on the steady clock */
    int64_t since;  /* how long ago the first one was */
    int64_t now;    /* steady */
} reading;

static size_t setting_of(uint64_t state)
{
    return (size_t)(state >> SETTING_SHIFT) % TIMER_SETTINGS;
}

static uint64_t make_state(size_t setting, uint64_t version, uint64_t taken)
{
    return (uint64_t)setting << SETTING_SHIFT | (version & VERSION_MASK) << TAKEN_BITS | taken;
}

static uint64_t version_of(uint64_t state)
{
    return state >> TAKEN_BITS & VERSION_MASK;
}

/* Nobody writes a current setting: the copy is whole if the state is still the same after it. */
static bool copy_setting(const plat_object *timer, uint64_t state, timer_setting *out)
{
    uint64_t again = 0;
    const volatile timer_setting *from = &timer->words->settings[setting_of(state)];

    out->due = (int64_t)atomic_load_u64((const volatile uint64_t *)&from->due);
    out->period = (int64_t)atomic_load_u64((const volatile uint64_t *)&from->period);
    out->fired = atomic_load_u64(&from->fired);
    out->mode = atomic_load_u32(&from->mode);
    return object_peek(timer, &again) && (again & ~TAKEN_MASK) == (state & ~TAKEN_MASK);
}

/* How far the first due time lies ahead, or behind if it is negative. */
static int64_t ahead(const timer_setting *setting, int64_t steady)
{
    int64_t now = setting->mode == UTC ? clock_utc() : steady;

    return setting->due < 0 && now > INT64_MAX + setting->due ? INT64_MIN + 1 : setting->due - now;
}

static void evaluate(reading *out)
{
    const timer_setting *setting = &out->setting;
    int64_t left = 0;

    out->now = clock_steady();
    out->fired = setting->mode == SIGNALLED ? 1 : 0;
    out->due = CLOCK_NEVER;
    out->since = 0;
    if (setting->mode != STEADY && setting->mode != UTC)
        return;
    left = ahead(setting, out->now);
    if (left > 0) {
        out->due = clock_add(out->now, left);
    } else if (setting->period == 0) {
        out->fired = 1;
        out->since = -left;
    } else {
        uint64_t fired = (uint64_t)(-left / setting->period) + 1;

        out->fired = fired < TAKEN_MASK ? fired : TAKEN_MASK;
        out->since = -left;
        out->due = clock_add(out->now, setting->period - -left % setting->period);
    }
}

/* False: the state has changed meanwhile. */
static bool read_setting(const plat_object *timer, uint64_t state, reading *out, ist_status *status, plat_error *error)
{
    *status = IST_OK;
    *out = (reading){.due = CLOCK_NEVER};
    if (!copy_setting(timer, state, &out->setting))
        return false;
    if (out->setting.mode > SIGNALLED || out->setting.period < 0 ||
        out->setting.period > (int64_t)IST_TIMER_PERIOD_MAX * MILLISECOND)
        *status = error_refuse(error, IST_E_CORRUPT, "timer", "%s", "");
    else
        evaluate(out);
    return true;
}

/* ---- writing ---- */

static bool is_current(const plat_object *timer, size_t index)
{
    uint64_t state = 0;

    return !object_peek(timer, &state) || setting_of(state) == index;
}

static bool claim_setting(plat_object *timer, size_t index, uint64_t me)
{
    volatile timer_setting *setting = &timer->words->settings[index];
    uint64_t writer = atomic_load_u64(&setting->writer);
    uint64_t mine = me;

    if (writer != 0 && (writer & WRITTEN) == 0 && writer != me &&
        !life_has_ended(timer->lives, writer, &timer->entry, NULL))
        return false;
    if (is_current(timer, index) || !atomic_swap_u64(&setting->writer, &writer, me))
        return false;
    if (!is_current(timer, index))
        return true;
    (void)atomic_swap_u64(&setting->writer, &mine, me | WRITTEN);
    return false;
}

/* Times that all settings may be in the hands of others, before it is because they are stopped. */
#define MOST_ROUNDS 1000

static ist_status find_setting(plat_object *timer, uint64_t me, size_t *index, plat_error *error)
{
    uint64_t state = 0;
    ist_status status = object_state(timer, &state, error);

    if (status != IST_OK)
        return status;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        for (size_t n = 1; n < TIMER_SETTINGS; n++) {
            *index = (setting_of(state) + n) % TIMER_SETTINGS;
            if (claim_setting(timer, *index, me))
                return IST_OK;
        }
        (void)sched_yield();
    }
    return error_refuse(error, IST_E_LIMIT, "settings", "%s", "as many threads were stopped while they set the timer");
}

static void write_setting(volatile timer_setting *out, const timer_setting *from)
{
    atomic_store_u64((volatile uint64_t *)&out->due, (uint64_t)from->due);
    atomic_store_u64((volatile uint64_t *)&out->period, (uint64_t)from->period);
    atomic_store_u64(&out->fired, from->fired);
    atomic_store_u32(&out->mode, from->mode);
}

/* What is made of the setting that is current. */
typedef void revision(const plat_object *timer, uint64_t state, const reading *current, timer_setting *out,
                      uint64_t *taken);

/* Replaces the current setting by what `revise` makes of it. With `only` not 0, only while that is the state. */
static ist_status replace(plat_object *timer, revision *revise, const timer_setting *wanted, uint64_t only,
                          plat_error *error)
{
    uint64_t me = 0;
    size_t index = 0;
    uint64_t state = 0;
    ist_status status = life_own(timer->lives, &me, error);

    if (status == IST_OK)
        status = find_setting(timer, me, &index, error);
    if (status != IST_OK)
        return status;
    for (;;) {
        timer_setting revised = *wanted;
        uint64_t taken = 0;
        reading current;

        status = object_state(timer, &state, error);
        if (status != IST_OK || (only != 0 && state != only))
            break;
        if (!read_setting(timer, state, &current, &status, error))
            continue;
        if (status != IST_OK)
            break;
        revise(timer, state, &current, &revised, &taken);
        write_setting(&timer->words->settings[index], &revised);
        if (atomic_swap_u64(&timer->words->state, &state, make_state(index, version_of(state) + 1, taken)))
            break;
    }
    atomic_store_u64(&timer->words->settings[index].writer, me | WRITTEN);
    return status;
}

/* ---- offers ---- */

/* From a due time that has come, mostly on the UTC clock, to one that came then on the steady one: the last of a
   period's, since those that were missed count as one. */
static void latch(const plat_object *timer, uint64_t state, const reading *current, timer_setting *out, uint64_t *taken)
{
    (void)timer;
    int64_t period = current->setting.period;

    *out = current->setting;
    *taken = state & TAKEN_MASK;
    if (current->fired != 0) {
        out->mode = STEADY;
        out->due = current->now - (period != 0 ? current->since % period : current->since);
        *taken = current->fired > *taken ? 0 : 1;
    }
}

static uint64_t sets_of(const reading *now)
{
    return now->setting.fired + (now->fired != 0 ? 1 : 0);
}

/* Who may only read leaves the latch to others. The count of due times is not let come to its end. */
static bool wants_latch(const plat_object *timer, const reading *now)
{
    bool comes = now->setting.mode == UTC && now->fired != 0;

    return (comes || now->fired > TAKEN_MASK / 2) && object_may_write(timer);
}

static void make_offer(const plat_object *timer, uint64_t state, const reading *now, const offer_asker *asker,
                       offer *out)
{
    if (timer->manual) {
        out->signalled = now->fired != 0 || (asker->counts_sets && sets_of(now) != asker->sets);
        out->after = state;
    } else {
        out->signalled = now->fired > (state & TAKEN_MASK);
        out->after = (state & ~TAKEN_MASK) | now->fired;
    }
    out->due = out->signalled ? CLOCK_NEVER : now->due;
}

ist_status timer_offer(plat_object *timer, uint64_t state, const offer_asker *asker, offer *out, plat_error *error)
{
    static const timer_setting nothing = {0};
    reading now;
    ist_status status = IST_OK;

    if (!read_setting(timer, state, &now, &status, error) || status != IST_OK)
        return status; /* out says: not signalled; who took it for that looks again, since the state has changed */
    if (wants_latch(timer, &now))
        (void)replace(timer, latch, &nothing, state, error);
    make_offer(timer, state, &now, asker, out);
    return IST_OK;
}

ist_status timer_sets(plat_object *timer, uint64_t state, uint64_t *sets, plat_error *error)
{
    reading now;
    ist_status status = IST_OK;

    while (!read_setting(timer, state, &now, &status, error)) {
        status = object_state(timer, &state, error);
        if (status != IST_OK)
            return status;
    }
    *sets = status == IST_OK ? sets_of(&now) : 0;
    return status;
}

ist_status timer_query(plat_object *timer, uint32_t *signalled, plat_error *error)
{
    uint64_t state = 0;
    static const offer_asker nobody = {0, 0, false, NULL};
    static const timer_setting nothing = {0};
    reading now;
    offer found = {false, false, 0, CLOCK_NEVER};
    ist_status status = IST_OK;

    do
        if (!object_peek(timer, &state))
            return error_refuse(error, IST_E_CORRUPT, "state word", "%s", "");
    while (!read_setting(timer, state, &now, &status, error));
    if (status != IST_OK)
        return status;
    if (wants_latch(timer, &now))
        (void)replace(timer, latch, &nothing, state, error);
    make_offer(timer, state, &now, &nobody, &found);
    *signalled = found.signalled ? 1 : 0;
    return IST_OK;
}

/* ---- set, cancel ---- */

/* A setting that never comes is told from one that is very late by its mode only. */
static int64_t round_up(int64_t ns)
{
    int64_t rest = ns % ROUNDING;

    if (rest <= 0)
        return ns - rest;
    return clock_add(ns, ROUNDING - rest);
}

static void set(const plat_object *timer, uint64_t state, const reading *current, timer_setting *out, uint64_t *taken)
{
    (void)timer;
    (void)state;
    out->fired = sets_of(current);
    *taken = 0;
}

ist_status plat_timer_set(plat_object *timer, bool absolute, int64_t due_ns, uint32_t period_ms, plat_error *error)
{
    int64_t due = round_up(due_ns);
    timer_setting wanted = {.due = absolute ? due : clock_add(clock_steady(), due),
                            .period = (int64_t)period_ms * MILLISECOND,
                            .mode = absolute ? UTC : STEADY};
    ist_status status = object_check_writable(timer, error);

    if (status == IST_OK)
        status = replace(timer, set, &wanted, 0, error);
    if (status == IST_OK)
        object_wake(timer); /* who sleeps, sleeps until it was due before */
    return status;
}

static void cancel(const plat_object *timer, uint64_t state, const reading *current, timer_setting *out,
                   uint64_t *taken)
{
    bool signalled = timer->manual ? current->fired != 0 : current->fired > (state & TAKEN_MASK);

    /* What a manual-reset timer shows by its mode has not fired once more. */
    out->fired = current->setting.fired;
    out->mode = signalled ? SIGNALLED : NEVER;
    *taken = 0;
}

ist_status plat_timer_cancel(plat_object *timer, plat_error *error)
{
    static const timer_setting nothing = {0};
    ist_status status = object_check_writable(timer, error);

    return status == IST_OK ? replace(timer, cancel, &nothing, 0, error) : status;
}
