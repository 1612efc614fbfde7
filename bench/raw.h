/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What a program without the library would write on Linux: a word to set and to wait for, several of them, a robust
 * mutex; and where a process runs.
 */
#ifndef ISTHMUS_BENCH_RAW_H
#define ISTHMUS_BENCH_RAW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_FOREVER INT64_C(-1)

/* An automatic event: 1 set, 0 not. In a line of its own. */
typedef struct raw_event {
    _Alignas(64) uint32_t word;
} raw_event;

/* Zeroed memory that forked processes share; NULL on failure. */
void *raw_memory(size_t size);

void raw_set(raw_event *event);

/* Looks again each timeout; RAW_FOREVER. */
void raw_wait(raw_event *event, int64_t timeout_ns);

/* Wakes everybody who sleeps on the word; sleeps while it has the value, at most so long. */
void raw_wake_all(uint32_t *word);
void raw_sleep(uint32_t *word, uint32_t value, int64_t timeout_ns);

/* Waits for one of several adjacent events, takes it, and tells which. False where the system has no such call. */
bool raw_wait_any(raw_event *events, size_t count, size_t *index);

/* Robust and shared by processes. */
bool raw_mutex_make(pthread_mutex_t *mutex);

/* How many processors this process may use; to stay on the n-th of them; to use them all again. */
size_t raw_processors(void);
bool raw_stay(size_t processor);
bool raw_roam(void);

/* From here on the process preempts nobody whom it shares a processor with: it runs when they sleep. */
bool raw_yield_to_others(void);

#endif
