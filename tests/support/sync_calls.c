/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The commands of the role "sync" that call the library: each works on the current slot.
 */
#include "sync_calls.h"

#include "clock.h"
#include "kind.h"

#define SLOTS 16

typedef struct sync_slot {
    const kind *sort; /* NULL for a mapping */
    void *handle;
} sync_slot;

static sync_slot slots[SLOTS];
static size_t current;

/* ---- words ---- */

static uint64_t to_number(const char *word)
{
    return strtoull(word, NULL, 10);
}

static int64_t to_timeout(const char *word)
{
    return strcmp(word, "forever") == 0 ? IST_FOREVER : (int64_t)to_number(word) * CLOCK_MS;
}

static ist_access to_access(const char *word)
{
    return strcmp(word, "read") == 0 ? IST_READ : IST_WRITE;
}

static const kind *to_kind(const char *word)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, word) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static sync_slot *slot_of(const char *word)
{
    return &slots[(size_t)to_number(word) % SLOTS];
}

static const ist_waitable *waitable_of(const sync_slot *slot)
{
    return slot->sort != NULL ? slot->sort->waitable(slot->handle) : NULL;
}

static void answer_status(ist_status status)
{
    peer_answer("%s", ist_status_name(status));
}

/* ---- handles ---- */

static void do_slot(size_t count, char **words)
{
    (void)count;
    current = (size_t)(slot_of(words[0]) - slots);
    peer_answer("ok");
}

static void read_option(kind_options *options, const kind *sort, const char *word)
{
    const char *value = strchr(word, '=');
    uint32_t number = value != NULL ? (uint32_t)to_number(value + 1) : 1;
    if (sort == &kinds[KIND_MUTEX]) {
        options->mutex.initially_owned = number;
    } else if (sort == &kinds[KIND_SEMAPHORE] && word[0] == 'i') {
        options->semaphore.initial = number;
    } else if (sort == &kinds[KIND_SEMAPHORE]) {
        options->semaphore.maximum = number;
    } else if (sort == &kinds[KIND_EVENT] && word[0] == 's') {
        options->event.initially_set = number;
    } else if (sort == &kinds[KIND_EVENT]) {
        options->event.manual_reset = number;
    } else {
        options->timer.manual_reset = number;
    }
}

static void do_create(size_t count, char **words)
{
    sync_slot *slot = &slots[current];
    const char *name = peer_unword(words[1]);
    kind_options options;
    slot->sort = to_kind(words[0]);
    if (slot->sort == NULL) {
        ist_mapping *made = NULL;
        answer_status(ist_mapping_create(&made, name, 4096, NULL));
        slot->handle = made;
        return;
    }
    slot->sort->init(&options);
    for (size_t i = 2; i < count; i++) {
        read_option(&options, slot->sort, words[i]);
    }
    answer_status(slot->sort->create(&slot->handle, name, &options));
}

static void do_open(size_t count, char **words)
{
    (void)count;
    sync_slot *slot = &slots[current];
    const char *name = peer_unword(words[1]);
    slot->sort = to_kind(words[0]);
    if (slot->sort == NULL) {
        ist_mapping *made = NULL;
        answer_status(ist_mapping_open(&made, name, to_access(words[2])));
        slot->handle = made;
        return;
    }
    answer_status(slot->sort->open(&slot->handle, name, to_access(words[2])));
}

static void do_close(size_t count, char **words)
{
    (void)count;
    (void)words;
    sync_slot *slot = &slots[current];
    if (slot->sort == NULL) {
        ist_mapping_close(slot->handle);
    } else {
        slot->sort->close(slot->handle);
    }
    slot->handle = NULL;
    peer_answer("ok");
}

static void do_export(size_t count, char **words)
{
    (void)count;
    const sync_slot *slot = &slots[current];
    char token[IST_TOKEN_SIZE];
    uint64_t id = to_number(words[0]);
    ist_status status = slot->sort == NULL ? ist_mapping_export(slot->handle, id, to_access(words[1]), token)
                                           : slot->sort->export(slot->handle, id, to_access(words[1]), token);
    peer_answer("%s %s", ist_status_name(status), token);
}

static void do_import(size_t count, char **words)
{
    (void)count;
    sync_slot *slot = &slots[current];
    const char *token = peer_unword(words[1]);
    slot->sort = to_kind(words[0]);
    if (slot->sort == NULL) {
        ist_mapping *made = NULL;
        answer_status(ist_mapping_import(&made, token));
        slot->handle = made;
        return;
    }
    answer_status(slot->sort->import(&slot->handle, token));
}

/* ---- waits ---- */

static void answer_wait(ist_status status, const char *done)
{
    if (done != NULL && (status == IST_OK || status == IST_ABANDONED)) {
        (void)ist_semaphore_release(slot_of(done)->handle, 1, NULL);
    }
    answer_status(status);
}

static void do_wait(size_t count, char **words)
{
    (void)count;
    answer_status(ist_wait(waitable_of(&slots[current]), to_timeout(words[0])));
}

static void do_block(size_t count, char **words)
{
    const ist_waitable *item = waitable_of(&slots[current]);
    int64_t timeout_ns = to_timeout(words[0]);
    peer_answer("waiting");
    answer_wait(ist_wait(item, timeout_ns), count > 1 ? words[1] : NULL);
}

static void do_signal(size_t count, char **words)
{
    ist_status status =
        ist_signal_and_wait(waitable_of(slot_of(words[0])), waitable_of(&slots[current]), to_timeout(words[1]));
    answer_wait(status, count > 2 ? words[2] : NULL);
}

static void do_volley(size_t count, char **words)
{
    (void)count;
    ist_status status = IST_OK;
    const ist_waitable *item = waitable_of(&slots[current]);
    const ist_waitable *other = waitable_of(slot_of(words[0]));
    for (uint64_t rounds = to_number(words[1]); status == IST_OK && rounds > 0; rounds--) {
        status = ist_signal_and_wait(other, item, IST_FOREVER);
    }
    answer_status(status);
}

/* Polls rather than sleeps, so that nothing but its own delay, another each time, lies between signal and answer. */
static void do_answer(size_t count, char **words)
{
    (void)count;
    const ist_waitable *item = waitable_of(&slots[current]);
    const sync_slot *other = slot_of(words[0]);
    ist_status status = IST_OK;
    for (uint64_t rounds = to_number(words[1]); status == IST_OK && rounds > 0; rounds--) {
        do {
            status = ist_wait(item, 0);
        } while (status == IST_TIMEOUT);
        for (volatile uint64_t delay = rounds * 7 % 1000; delay > 0; delay--) {}
        if (status == IST_OK) {
            status = other->sort == &kinds[KIND_EVENT] ? ist_event_set(other->handle)
                                                       : ist_semaphore_release(other->handle, 1, NULL);
        }
    }
    answer_status(status);
}

/* ---- changes ---- */

static void do_release(size_t count, char **words)
{
    const sync_slot *slot = &slots[current];
    uint32_t previous = 0;
    if (slot->sort == &kinds[KIND_MUTEX]) {
        answer_status(ist_mutex_release(slot->handle));
        return;
    }
    uint32_t by = count > 0 ? (uint32_t)to_number(words[0]) : 1;
    ist_status status = ist_semaphore_release(slot->handle, by, &previous);
    peer_answer("%s %u", ist_status_name(status), (unsigned)previous);
}

static void do_set(size_t count, char **words)
{
    (void)count;
    (void)words;
    answer_status(ist_event_set(slots[current].handle));
}

static void do_reset(size_t count, char **words)
{
    (void)count;
    (void)words;
    answer_status(ist_event_reset(slots[current].handle));
}

static void do_due(size_t count, char **words)
{
    (void)count;
    answer_status(ist_timer_set(slots[current].handle, IST_TIMER_RELATIVE, to_timeout(words[0]), 0));
}

static void do_query(size_t count, char **words)
{
    (void)count;
    (void)words;
    const sync_slot *slot = &slots[current];
    kind_state state = {0};
    char text[80];
    if (slot->sort == NULL) {
        peer_answer("what?");
        return;
    }
    state.struct_size = slot->sort->state_size;
    ist_status status = slot->sort->query(slot->handle, &state);
    int length = snprintf(text, sizeof text, "%s", ist_status_name(status));
    /* Every field of every state is a uint32_t. */
    for (size_t at = sizeof(uint32_t); at < slot->sort->state_size; at += sizeof(uint32_t)) {
        uint32_t field = 0;
        memcpy(&field, state.bytes + at, sizeof field);
        length += snprintf(text + length, sizeof text - (size_t)length, " %u", (unsigned)field);
    }
    peer_answer("%s", text);
}

static void do_pour(size_t count, char **words)
{
    (void)count;
    unsigned long long times = 0;
    unsigned long long sum = 0;
    for (uint64_t rounds = to_number(words[0]); rounds > 0; rounds--) {
        uint32_t previous = 0;
        if (ist_semaphore_release(slots[current].handle, 1, &previous) == IST_OK) {
            times++;
            sum += previous;
        }
    }
    peer_answer("%llu %llu", times, sum);
}

static void do_drain(size_t count, char **words)
{
    (void)count;
    unsigned long long times = 0;
    for (uint64_t rounds = to_number(words[0]); rounds > 0; rounds--) {
        times += ist_wait(waitable_of(&slots[current]), 0) == IST_OK;
    }
    peer_answer("%llu", times);
}

/* Adds by reading and writing: two at once would lose one. */
static ist_status count_once(volatile uint32_t *number)
{
    ist_status status = ist_mutex_acquire(slots[current].handle, IST_FOREVER);
    if (status == IST_OK) {
        uint32_t before = *number;
        *number = before + 1;
        status = ist_mutex_release(slots[current].handle);
    }
    return status;
}

static void do_count(size_t count, char **words)
{
    (void)count;
    ist_mapping *mapping = NULL;
    ist_view view = IST_VIEW_INIT;
    ist_status status = ist_mapping_open(&mapping, peer_unword(words[0]), IST_WRITE);
    if (status == IST_OK) {
        status = ist_mapping_view(mapping, IST_WRITE, 0, 0, &view);
    }
    for (uint64_t rounds = to_number(words[1]); status == IST_OK && rounds > 0; rounds--) {
        status = count_once(view.data);
    }
    ist_view_unmap(&view);
    ist_mapping_close(mapping);
    answer_status(status);
}

const sync_command sync_calls[] = {
    {"slot", 1, do_slot},     {"create", 2, do_create}, {"open", 3, do_open},     {"close", 0, do_close},
    {"export", 2, do_export}, {"import", 2, do_import}, {"wait", 1, do_wait},     {"block", 1, do_block},
    {"signal", 2, do_signal}, {"volley", 2, do_volley}, {"answer", 2, do_answer}, {"release", 0, do_release},
    {"set", 0, do_set},       {"reset", 0, do_reset},   {"due", 1, do_due},       {"query", 0, do_query},
    {"pour", 1, do_pour},     {"drain", 1, do_drain},   {"count", 2, do_count},
};
const size_t sync_calls_count = COUNT_OF(sync_calls);
