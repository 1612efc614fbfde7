/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What differs between systems, as data: a program asks instead of guessing with #if.
 */
#ifndef ISTHMUS_TRAITS_H
#define ISTHMUS_TRAITS_H

#include <stdint.h>

#include <isthmus/export.h>

IST_BEGIN_DECLS

typedef struct ist_traits {
    uint32_t struct_size; /* in: sizeof(ist_traits), as IST_TRAITS_INIT sets it */
    uint32_t granularity; /* bytes; offsets of views are multiples of it: 65,536 everywhere */
    uint64_t page_size;   /* bytes; sizes of memory mappings are multiples of it */
    const char *backend;  /* "posix" or "win32" */
    uint32_t has_fork;    /* 1 where a process can fork and both halves then hold the object (L7) */
    uint32_t stop_exact;  /* 1 where a process stopped in the middle of a call delays nobody's create or open (L8) */
    uint32_t one_scope;   /* 1 where `Local\X` and `Global\X` are one object (Windows' session 0, N7) */
    uint32_t token_holds; /* 1 where a token that nobody imports holds the object until the target ends, even after
                             the exporter's end (M11); 0 where it goes with the exporter */
    uint32_t abandon_at_once;     /* 1 where a blocked waiter learns at once of an owner's end (X3) */
    uint32_t wait_all_mixed;      /* 1 where a wait for all may mix scopes, owners and audiences (W3) */
    uint64_t recheck_ns;          /* what no system reports is found within this; 0 where there is no such thing */
    uint64_t timer_resolution_ns; /* a timer is early by no more than this (T1) */
    uint64_t wait_tick_ns;        /* the system's tick, by which a timeout may be late (W5) */
} ist_traits;

#define IST_TRAITS_INIT                                                                                                \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_traits), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0                                               \
    }

/**
 * Tells what this system does and does not keep.
 * Shape:    traits->struct_size says how much the caller knows; no more than that is written. NULL does nothing.
 * Owns:     a copy, yours; the text behind `backend` is the library's.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: that is what it tells.
 * Source:   isthmus.                                                                                     Since: 0.1
 */
IST_API void ist_traits_get(ist_traits *traits);

IST_END_DECLS

#endif
