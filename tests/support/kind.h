/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Mutexes, semaphores, events and timers as rows of a table, for what holds for all four. A handle is a void * here.
 */
#ifndef ISTHMUS_TESTS_KIND_H
#define ISTHMUS_TESTS_KIND_H

#include "check.h"

typedef enum kind_number { KIND_MUTEX, KIND_SEMAPHORE, KIND_EVENT, KIND_TIMER, KINDS } kind_number;

/* The options of any kind, made ready by kind.init: common are only the fields that all have. */
typedef union kind_options {
    uint32_t struct_size;
    ist_mutex_options mutex;
    ist_semaphore_options semaphore;
    ist_event_options event;
    ist_timer_options timer;
    unsigned char bytes[64];
} kind_options;

typedef union kind_state {
    uint32_t struct_size;
    ist_mutex_state mutex;
    ist_semaphore_state semaphore;
    ist_event_state event;
    ist_timer_state timer;
    unsigned char bytes[64];
} kind_state;

typedef struct kind {
    const char *name;
    uint32_t options_size;
    uint32_t state_size;
    void (*init)(kind_options *options);
    void (*admit)(kind_options *options, ist_audience audience, ist_trust trust);
    /* A NULL out or options is handed on as such. */
    ist_status (*create)(void **out, const char *name, const kind_options *options);
    ist_status (*open)(void **out, const char *name, ist_access access);
    ist_status (*export)(void *handle, uint64_t process_id, ist_access access, char *token);
    ist_status (*import)(void **out, const char *token);
    ist_status (*query)(const void *handle, kind_state *out);
    const ist_waitable *(*waitable)(const void *handle);
    void (*close)(void *handle);
} kind;

extern const kind kinds[KINDS];

#endif
