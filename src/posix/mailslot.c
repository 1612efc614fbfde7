/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mailslots: an object of the registry that only its reader holds, with the queue (posix/mail.h) in its data. Writers
 * look at it, map it, and watch the reader's life.
 *
 * A reader that waits says so in the queue's wake word, looks again and sleeps, as in posix/wait.c; who has published
 * looks at that word then. The turn is only for the instant of a look or a copy: nobody sleeps with it.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "posix/clock.h"
#include "posix/error.h"
#include "posix/gate.h"
#include "posix/mail.h"
#include "posix/name.h"
#include "posix/object.h"
#include "posix/reap.h"
#include "posix/turn.h"

struct plat_mailslot {
    plat_object object; /* also a writer's, for its entry */
    mail queue;
    turn turn; /* of the reader's threads */
    volatile uint32_t cancels;
    mail_writer writer;
    life_watch watch;             /* on the thread that made it */
    volatile uint32_t watch_over; /* that thread has ended; whether its process has is asked at each write */
    volatile uint32_t asked;      /* when, last: in_ticks() */
    volatile uint32_t broken;
};

static ist_status take(plat_mailslot **out, ist_access access, plat_error *error)
{
    plat_mailslot *slot = plat_memory_take(sizeof *slot);

    if (slot == NULL) {
        (void)error_refuse(error, IST_E_MEMORY, "memory for a handle", "%s", "");
        return IST_E_MEMORY;
    }
    slot->object.kind = PLAT_CHANNEL;
    slot->object.access = access;
    slot->object.references = 1;
    slot->object.entry.hold = DESCRIPTOR_NONE;
    slot->object.entry.access = DESCRIPTOR_NONE;
    *out = slot;
    return IST_OK;
}

static void free_slot(plat_mailslot *slot)
{
    mail_unmap(&slot->queue);
    if (slot->queue.place != NULL)
        (void)munmap((void *)(uintptr_t)slot->queue.place, MAIL_PLACE_WORDS * sizeof *slot->queue.place);
    plat_memory_give(slot);
}

/* ---- the reader's end as something to wait for ---- */

static plat_mailslot *slot_of(plat_object *channel)
{
    return (plat_mailslot *)(void *)channel;
}

/* Damage is something to read, too: the read says so. */
static ist_status look(plat_object *channel, life_watch *watch, plat_error *error)
{
    (void)error;
    if (watch != NULL)
        *watch = (life_watch){{NULL, 0}, NULL};
    return mail_look(&slot_of(channel)->queue, NULL) == MAIL_NONE ? IST_TIMEOUT : IST_OK;
}

static word_watch announce(plat_object *channel)
{
    volatile uint32_t *wake = &slot_of(channel)->queue.tops->wake;
    uint32_t seen = atomic_load_u32(wake);

    while ((seen & 1) == 0 && !atomic_swap_u32(wake, &seen, seen | 1))
        continue;
    return (word_watch){wake, seen | 1};
}

static void free_channel(plat_object *channel)
{
    free_slot(slot_of(channel));
}

static const channel_face face = {look, announce, free_channel};

/* The word moves before the wake, so that who is on the way to sleep does not. */
static void wake_sleepers(const mail *queue)
{
    volatile uint32_t *wake = &queue->tops->wake;
    uint32_t seen = atomic_load_u32(wake);

    (void)atomic_swap_u32(wake, &seen, (seen + 2) & ~UINT32_C(1));
    word_wake(wake);
}

/* ---- create ---- */

/* 0 where it can have none: writers ask the system now and then, instead. */
static uint64_t reader_life(void)
{
    scope where;
    plat_error ignored;
    lives *of = NULL;
    uint64_t me = 0;
    int entered = gate_enter();

    if (scope_use(true, &where, &ignored) == IST_OK)
        of = lives_of(&where);
    gate_leave(entered);
    return of != NULL && life_own(of, &me, &ignored) == IST_OK ? me : 0;
}

static ist_status make(plat_mailslot *slot, const plat_name *name, const mail_words *words, ist_audience audience,
                       plat_error *error)
{
    const registry_want want = {SEGMENT_MAILSLOT, IST_WRITE, false, 0, true};
    const registry_plan plan = {
        .size = mail_data_size(words->cells), .audience = audience, .content = {.words = words}};
    ist_status status = registry_create(&slot->object.entry, name, &want, &plan, error);

    if (status == IST_EXISTED)
        status = error_refuse(error, IST_E_EXISTS, "name", "%s", "");
    return status;
}

/* A forked child goes on where its parent is. */
static ist_status take_place(mail *queue, plat_error *error)
{
    void *at =
        mmap(NULL, MAIL_PLACE_WORDS * sizeof *queue->place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return error_from_errno(error, "mmap");
    queue->place = at;
    return IST_OK;
}

static ist_status create(plat_mailslot *slot, const plat_name *name, const mail_words *words, ist_audience audience,
                         plat_error *error)
{
    uint64_t reader = 0;
    ist_status status = take_place(&slot->queue, error);

    if (status == IST_OK)
        status = make(slot, name, words, audience, error);
    if (status == IST_OK)
        status = mail_map(&slot->queue, &slot->object.entry, &reader, error);
    if (status != IST_OK)
        registry_close(&slot->object.entry);
    return status;
}

ist_status plat_mailslot_create(const plat_channel_name *name, const plat_mailslot_request *request,
                                plat_mailslot **out, plat_error *error)
{
    char text[NAME_CHANNEL_SIZE];
    plat_name full;
    mail_words words;
    plat_mailslot *slot = NULL;
    int entered = 0;
    ist_status status = IST_OK;

    if (request->message_max > request->capacity_bytes)
        return error_refuse(error, IST_E_ARG, "message_max", "%s", "more than the capacity");
    status = take(&slot, IST_WRITE, error);
    if (status != IST_OK)
        return status;
    memset(&words, 0, sizeof words);
    words.layout = MAIL_LAYOUT;
    words.message_max = request->message_max;
    words.capacity = request->capacity_bytes;
    words.cells = mail_cells_for(request->capacity_bytes);
    words.reader = reader_life();
    name_of_channel(&full, text, "slot", name);
    entered = gate_enter();
    status = create(slot, &full, &words, request->audience, error);
    slot->object.channel = &face;
    if (status != IST_OK)
        free_slot(slot);
    else
        *out = slot;
    gate_leave(entered);
    return status;
}

/* ---- open ---- */

static void watch_reader(plat_mailslot *slot, uint64_t reader)
{
    const registry_entry *entry = &slot->object.entry;

    if (reader != 0 && life_has_ended(slot->writer.lives, reader, entry, &slot->watch))
        slot->watch_over = 1;
}

/* Writers begin at different cells. */
static void begin_writer(plat_mailslot *slot)
{
    slot->writer.entry = &slot->object.entry;
    slot->writer.hint = (uint32_t)(name_number() % slot->queue.cell_count);
}

static ist_status open_slot(plat_mailslot *slot, const plat_name *name, bool trust_everyone, plat_error *error)
{
    const registry_want want = {SEGMENT_MAILSLOT, IST_WRITE, trust_everyone, 0, false};
    registry_entry *entry = &slot->object.entry;
    uint64_t reader = 0;
    int directory = -1;
    ist_status status = registry_look(entry, name, &want, &directory, error);

    if (status != IST_OK)
        return status;
    descriptor_drop(directory);
    status = mail_map(&slot->queue, entry, &reader, error);
    if (status == IST_OK && (slot->writer.lives = lives_of(&entry->where)) == NULL)
        status = error_refuse(error, IST_E_MEMORY, "memory for lives", "%s", "");
    if (status == IST_OK) {
        begin_writer(slot);
        watch_reader(slot, reader);
    } else {
        registry_unlook(entry);
    }
    return status;
}

ist_status plat_mailslot_open(const plat_channel_name *name, bool trust_everyone, plat_mailslot **out,
                              plat_error *error)
{
    char text[NAME_CHANNEL_SIZE];
    plat_name full;
    plat_mailslot *slot = NULL;
    int entered = 0;
    ist_status status = take(&slot, IST_WRITE, error);

    if (status != IST_OK)
        return status;
    name_of_channel(&full, text, "slot", name);
    entered = gate_enter();
    status = open_slot(slot, &full, trust_everyone, error);
    if (status != IST_OK)
        free_slot(slot);
    else
        *out = slot;
    gate_leave(entered);
    return status;
}

/* ---- write ---- */

/* About milliseconds: what several threads share has 32 bits. */
static uint32_t in_ticks(int64_t ns)
{
    return (uint32_t)((uint64_t)ns >> 20);
}

static bool ask_for_reader(plat_mailslot *slot)
{
    const registry_entry *entry = &slot->object.entry;
    int entered = gate_enter();
    bool held =
        atomic_load_u32(entry->life.word) != 0 && (!descriptor_is_ours(&entry->access, NULL) || reap_is_held(entry));

    gate_leave(entered);
    return held;
}

/* That the thread has ended which made the slot does not say that its process has, nor a child that holds it, too. */
static bool is_to_ask(plat_mailslot *slot)
{
    const word_watch *word = &slot->watch.word;
    uint32_t now = 0;

    if (word->word != NULL && atomic_load_u32(word->word) != word->value)
        atomic_store_u32(&slot->watch_over, 1);
    if (atomic_load_u32(&slot->watch_over) != 0)
        return true;
    now = in_ticks(clock_steady());
    if (now - atomic_load_u32(&slot->asked) <= in_ticks(clock_recheck()))
        return false;
    atomic_store_u32(&slot->asked, now);
    return true;
}

/* Once it is gone it never comes back: another slot of the name is another object. */
static bool has_reader(plat_mailslot *slot)
{
    if (atomic_load_u32(&slot->broken) != 0)
        return false;
    if (atomic_load_u32(slot->object.entry.life.word) != 0 && (!is_to_ask(slot) || ask_for_reader(slot)))
        return true;
    atomic_store_u32(&slot->broken, 1);
    return false;
}

/* Edge: publish, then the wake word; its partner announces, then looks. Both are full barriers. */
ist_status plat_mailslot_write(plat_mailslot *slot, const void *data, size_t size, plat_error *error)
{
    const mail *queue = &slot->queue;
    ist_status status = IST_OK;

    if (!has_reader(slot))
        return error_refuse(error, IST_E_BROKEN, "reader", "%s", "gone");
    if (size > mail_limit(queue))
        return error_refuse(error, IST_E_SIZE, "size", "at most %lu", (unsigned long)mail_limit(queue));
    status = mail_write(queue, &slot->writer, data, size, error);
    if (status == IST_OK && (atomic_load_u32(&queue->tops->wake) & 1) != 0)
        wake_sleepers(queue);
    return status;
}

/* ---- read ---- */

/* It is never long in coming: nobody sleeps with it. */
static void take_turn(plat_mailslot *slot)
{
    static const volatile uint32_t never = 0;
    const patience until = {CLOCK_NEVER, &never, 0};

    (void)turn_take(&slot->turn, &until);
}

static ist_status read_once(plat_mailslot *slot, void *buffer, size_t size, bool stays, size_t *got, plat_error *error)
{
    ist_status status = IST_OK;

    take_turn(slot);
    status = mail_read(&slot->queue, buffer, size, stays, got, error);
    turn_give(&slot->turn);
    return status;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Who was woken reads before he announces himself again, and costs the next write no needless call. */
static ist_status read_patiently(plat_mailslot *slot, void *buffer, size_t size, const patience *until, size_t *got,
                                 plat_error *error)
{
    ist_status status = IST_TIMEOUT;

    while (status == IST_TIMEOUT) {
        bool over = until->deadline != CLOCK_NEVER && clock_steady() >= until->deadline;
        word_watch announced = announce(&slot->object);

        status = read_once(slot, buffer, size, false, got, error);
        if (status == IST_TIMEOUT && atomic_load_u32(until->stop) != until->seen)
            return IST_CANCELLED;
        if (status != IST_TIMEOUT || over)
            break;
        word_sleep(&announced, 1, sooner(until->deadline, clock_next_recheck()));
        if (atomic_load_u32(announced.word) != announced.value)
            status = read_once(slot, buffer, size, false, got, error);
    }
    return status;
}

ist_status plat_mailslot_read(plat_mailslot *slot, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                              plat_error *error)
{
    patience until = {CLOCK_NEVER, &slot->cancels, atomic_load_u32(&slot->cancels)};
    int cancel_state = 0;
    ist_status status = read_once(slot, buffer, size, false, got, error);

    if (status != IST_TIMEOUT || timeout_ns == 0)
        return status;
    if (timeout_ns != IST_FOREVER)
        until.deadline = clock_add(clock_steady(), timeout_ns);
    /* Some of the sleeps are points where a thread can be cancelled. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    status = read_patiently(slot, buffer, size, &until, got, error);
    (void)pthread_setcancelstate(cancel_state, NULL);
    return status;
}

ist_status plat_mailslot_peek(plat_mailslot *slot, void *buffer, size_t size, size_t *got, plat_error *error)
{
    ist_status status = read_once(slot, buffer, size, true, got, error);

    return status == IST_TIMEOUT ? IST_EMPTY : status;
}

ist_status plat_mailslot_info(plat_mailslot *slot, ist_mailslot_facts *out, plat_error *error)
{
    ist_status status = IST_OK;

    out->message_max = slot->queue.message_max;
    out->capacity_bytes = slot->queue.capacity;
    take_turn(slot);
    status = mail_count(&slot->queue, &out->waiting, &out->next_bytes, error);
    turn_give(&slot->turn);
    return status;
}

/* The wake word moves, too, so that who is on the way to sleep on it alone does not. */
void plat_mailslot_cancel(plat_mailslot *slot)
{
    (void)atomic_add_u32(&slot->cancels, 1);
    wake_sleepers(&slot->queue);
}

void *plat_mailslot_native(const plat_mailslot *slot)
{
    (void)slot;
    return NULL;
}

plat_object *plat_mailslot_waitable(plat_mailslot *slot)
{
    return &slot->object;
}

/* ---- close ---- */

void plat_mailslot_close(plat_mailslot *slot)
{
    bool reader = slot->object.channel != NULL;
    int entered = gate_enter();

    if (reader) {
        registry_close(&slot->object.entry);
    } else {
        life_unwatch(&slot->watch);
        registry_unlook(&slot->object.entry);
        free_slot(slot);
    }
    gate_leave(entered);
    if (reader)
        object_release(&slot->object);
}
