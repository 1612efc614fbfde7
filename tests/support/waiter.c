/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The role "waiter", and the sets it waits for. waiter.h has the commands.
 */
#include "waiter.h"

#include "clock.h"

#define SLOTS 64
#define WORDS_MAX 72
#define HOUR_NS INT64_C(3600000000000)

#if defined(ISTHMUS_STATIC)
/* A seam of core/plat.h: the shared library does not show it. */
bool plat_seam_recheck(int64_t interval_ns);
#endif

typedef struct waiter_slot {
    const kind *sort;
    void *handle;
} waiter_slot;

typedef struct waiter_command {
    const char *verb;
    size_t least_words; /* behind the verb */
    void (*run)(size_t count, char **words);
} waiter_command;

static waiter_slot slots[SLOTS];

/* ---- words ---- */

static uint64_t to_number(const char *word)
{
    return strtoull(word, NULL, 10);
}

static int64_t to_timeout(const char *word)
{
    return strcmp(word, "forever") == 0 ? IST_FOREVER : (int64_t)to_number(word) * CLOCK_MS;
}

static waiter_slot *slot_of(const char *word)
{
    return &slots[(size_t)to_number(word) % SLOTS];
}

static const ist_waitable *waitable_of(const waiter_slot *slot)
{
    return slot->sort != NULL ? slot->sort->waitable(slot->handle) : NULL;
}

static void answer_status(ist_status status)
{
    peer_answer("%s", ist_status_name(status));
}

/* ---- commands ---- */

static void do_open(size_t count, char **words)
{
    (void)count;
    waiter_slot *slot = slot_of(words[0]);
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, words[1]) == 0)
            slot->sort = &kinds[i];
    const char *name = peer_unword(words[2]);
    answer_status(slot->sort->open(&slot->handle, name, strcmp(words[3], "read") == 0 ? IST_READ : IST_WRITE));
}

static void do_close(size_t count, char **words)
{
    (void)count;
    waiter_slot *slot = slot_of(words[0]);
    slot->sort->close(slot->handle);
    slot->handle = NULL;
    peer_answer("ok");
}

static void gather(const ist_waitable **items, size_t count, char **words)
{
    for (size_t i = 0; i < count; i++)
        items[i] = waitable_of(slot_of(words[i]));
}

static void do_any(size_t count, char **words)
{
    const ist_waitable *items[WORDS_MAX];
    size_t index = SIZE_MAX;
    gather(items, count - 1, words + 1);
    ist_status status = ist_wait_any(items, count - 1, to_timeout(words[0]), &index);
    if (index != SIZE_MAX)
        peer_answer("%s %u", ist_status_name(status), (unsigned)index);
    else
        peer_answer("%s -", ist_status_name(status));
}

static void do_all(size_t count, char **words)
{
    const ist_waitable *items[WORDS_MAX];
    gather(items, count - 1, words + 1);
    answer_status(ist_wait_all(items, count - 1, to_timeout(words[0])));
}

static void do_spin(size_t count, char **words)
{
    const ist_waitable *items[WORDS_MAX];
    gather(items, count, words);
    peer_answer("spinning");
    for (;;)
        (void)ist_wait_all(items, count, 0);
}

static void do_swap(size_t count, char **words)
{
    (void)count;
    answer_status(
        ist_signal_and_wait(waitable_of(slot_of(words[0])), waitable_of(slot_of(words[1])), to_timeout(words[2])));
}

static void do_release(size_t count, char **words)
{
    const waiter_slot *slot = slot_of(words[0]);
    if (slot->sort == &kinds[KIND_MUTEX])
        answer_status(ist_mutex_release(slot->handle));
    else
        answer_status(ist_semaphore_release(slot->handle, count > 1 ? (uint32_t)to_number(words[1]) : 1, NULL));
}

static void do_set(size_t count, char **words)
{
    (void)count;
    answer_status(ist_event_set(slot_of(words[0])->handle));
}

static void do_reset(size_t count, char **words)
{
    (void)count;
    answer_status(ist_event_reset(slot_of(words[0])->handle));
}

static void do_arm(size_t count, char **words)
{
    (void)count;
    ist_timer_clock clock = strcmp(words[1], "utc") == 0 ? IST_TIMER_UTC : IST_TIMER_RELATIVE;
    answer_status(
        ist_timer_set(slot_of(words[0])->handle, clock, (int64_t)to_number(words[2]), (uint32_t)to_number(words[3])));
}

static void do_cancel(size_t count, char **words)
{
    (void)count;
    answer_status(ist_timer_cancel(slot_of(words[0])->handle));
}

/* The first number behind the size, or -1. */
static long state_of(const kind *sort, const void *handle)
{
    kind_state state;
    uint32_t first = 0;
    memset(&state, 0, sizeof state);
    state.struct_size = sort->state_size;
    if (sort->query(handle, &state) != IST_OK)
        return -1;
    memcpy(&first, state.bytes + sizeof(uint32_t), sizeof first);
    return (long)first;
}

static void do_state(size_t count, char **words)
{
    (void)count;
    peer_answer("%ld", state_of(slot_of(words[0])->sort, slot_of(words[0])->handle));
}

static void do_patient(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_answer("%s", waiter_be_patient() ? "yes" : "no");
}

static void do_begin(size_t count, char **words);

static const waiter_command commands[] = {
    {"open", 4, do_open},   {"close", 1, do_close},     {"any", 2, do_any},         {"all", 2, do_all},
    {"swap", 3, do_swap},   {"begin", 3, do_begin},     {"release", 1, do_release}, {"set", 1, do_set},
    {"reset", 1, do_reset}, {"arm", 4, do_arm},         {"cancel", 1, do_cancel},   {"state", 1, do_state},
    {"spin", 1, do_spin},   {"patient", 0, do_patient},
};

static void obey(size_t count, char **words)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (count > 0 && strcmp(words[0], commands[i].verb) == 0 && count > commands[i].least_words) {
            commands[i].run(count - 1, words + 1);
            return;
        }
    }
    peer_answer("what?");
}

static void do_begin(size_t count, char **words)
{
    peer_answer("waiting");
    obey(count, words);
}

int waiter_run(int argc, char **argv)
{
    char line[PEER_LINE_SIZE];
    (void)argc;
    (void)argv;
    while (peer_listen(line)) {
        char *words[WORDS_MAX];
        size_t count = 0;
        for (char *at = line; count < WORDS_MAX && *at != '\0';) {
            words[count++] = at;
            at += strcspn(at, " ");
            if (*at == ' ')
                *at++ = '\0';
        }
        obey(count, words);
    }
    return 0;
}

/* ---- the test's side ---- */

static ist_status make(waiter_set *set, const char *word)
{
    size_t place = set->count;
    const bool manual = strncmp(word, "manual", 6) == 0;
    kind_options options;
    kind_number sort = KIND_EVENT;
    if (strcmp(word, "mutex") == 0 || strcmp(word, "owned") == 0)
        sort = KIND_MUTEX;
    else if (strstr(word, "timer") != NULL)
        sort = KIND_TIMER;
    else if (word[0] >= '0' && word[0] <= '9')
        sort = KIND_SEMAPHORE;
    kinds[sort].init(&options);
    if (sort == KIND_MUTEX)
        options.mutex.initially_owned = strcmp(word, "owned") == 0;
    if (sort == KIND_SEMAPHORE)
        options.semaphore.initial = (uint32_t)to_number(word);
    if (sort == KIND_TIMER)
        options.timer.manual_reset = manual;
    if (sort == KIND_EVENT) {
        options.event.manual_reset = manual;
        options.event.initially_set = strstr(word, "set") != NULL;
    }
    set->sorts[place] = sort;
    unique_name(set->names[place], "", "wait");
    return kinds[sort].create(&set->handles[place], set->names[place], &options);
}

void waiter_make(waiter_set *set, ...)
{
    va_list words;
    memset(set, 0, sizeof *set);
    va_start(words, set);
    for (const char *word = va_arg(words, const char *); word != NULL; word = va_arg(words, const char *)) {
        assert_true(set->count < IST_WAIT_MAX);
        CHECK_ROW(word, IST_OK, make(set, word));
        set->items[set->count] = kinds[set->sorts[set->count]].waitable(set->handles[set->count]);
        set->count++;
    }
    va_end(words);
}

void waiter_close(waiter_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        kinds[set->sorts[i]].close(set->handles[i]);
    set->count = 0;
}

peer *waiter_start(const waiter_set *set)
{
    peer *who = peer_start(WAITER_ROLE, (const char *)NULL);
    for (size_t i = 0; i < set->count; i++)
        PEER_ASK(who, "IST_OK", "open %u %s %s write", (unsigned)i, kinds[set->sorts[i]].name,
                 peer_word(set->names[i]));
    return who;
}

peer *waiter_start_patient(const waiter_set *set)
{
    char answer[PEER_LINE_SIZE];
    peer *who = waiter_start(set);
    peer_query(who, answer, "patient");
    return who;
}

void waiter_begin(peer *who, const char *wait)
{
    PEER_ASK(who, "waiting", "begin %s", wait);
    waiter_rest(20 * CLOCK_MS);
}

void waiter_check_at(const char *file, int line, const waiter_set *set, const char *states)
{
    char text[IST_WAIT_MAX * 12] = "";
    size_t length = 0;
    for (size_t i = 0; i < set->count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%ld", i == 0 ? "" : " ",
                                   state_of(&kinds[set->sorts[i]], set->handles[i]));
    if (strcmp(text, states) != 0)
        check_fail_at(file, line, "the objects should be \"%s\" and are \"%s\"", states, text);
}

void waiter_hear_at(const char *file, int line, peer *who, const char *answer)
{
    char heard[PEER_LINE_SIZE];
    peer_hear(who, heard);
    if (strcmp(heard, answer) != 0)
        check_fail_at(file, line, "peer %llu should have said \"%s\" and said \"%s\"", (unsigned long long)peer_id(who),
                      answer, heard);
}

void waiter_abandon(const waiter_set *set, size_t place)
{
    peer *who = waiter_start(set);
    PEER_ASK(who, "IST_OK 0", "any 0 %u", (unsigned)place);
    peer_kill(who);
    peer_forget(who);
}

void waiter_rest(int64_t time_ns)
{
    ist_event *never = NULL;
    CHECK_OK(ist_event_create(&never, NULL, NULL));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(never), time_ns));
    ist_event_close(never);
}

int64_t waiter_bound_ns(void)
{
    return (int64_t)check_bound_ms() * CLOCK_MS;
}

bool waiter_be_patient(void)
{
#if defined(ISTHMUS_STATIC)
    return plat_seam_recheck(HOUR_NS);
#else
    return false;
#endif
}
