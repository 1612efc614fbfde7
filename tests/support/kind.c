/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The table of kinds: each row hands on to the functions of its kind.
 */
#include "kind.h"

#define KIND(noun, INIT)                                                                                               \
    static void noun##_init(kind_options *options)                                                                     \
    {                                                                                                                  \
        const ist_##noun##_options initial = INIT;                                                                     \
        memset(options, 0, sizeof *options);                                                                           \
        options->noun = initial;                                                                                       \
    }                                                                                                                  \
    static void noun##_admit(kind_options *options, ist_audience audience, ist_trust trust)                            \
    {                                                                                                                  \
        options->noun.audience = audience;                                                                             \
        options->noun.trust = trust;                                                                                   \
    }                                                                                                                  \
    static ist_status noun##_create(void **out, const char *name, const kind_options *options)                         \
    {                                                                                                                  \
        ist_##noun *made = out != NULL ? *out : NULL;                                                                  \
        ist_status status =                                                                                            \
            ist_##noun##_create(out != NULL ? &made : NULL, name, options != NULL ? &options->noun : NULL);            \
        if (out != NULL)                                                                                               \
            *out = made;                                                                                               \
        return status;                                                                                                 \
    }                                                                                                                  \
    static ist_status noun##_open(void **out, const char *name, ist_access access)                                     \
    {                                                                                                                  \
        ist_##noun *made = out != NULL ? *out : NULL;                                                                  \
        ist_status status = ist_##noun##_open(out != NULL ? &made : NULL, name, access);                               \
        if (out != NULL)                                                                                               \
            *out = made;                                                                                               \
        return status;                                                                                                 \
    }                                                                                                                  \
    static ist_status noun##_export(void *handle, uint64_t process_id, ist_access access, char *token)                 \
    {                                                                                                                  \
        return ist_##noun##_export(handle, process_id, access, token);                                                 \
    }                                                                                                                  \
    static ist_status noun##_import(void **out, const char *token)                                                     \
    {                                                                                                                  \
        ist_##noun *made = out != NULL ? *out : NULL;                                                                  \
        ist_status status = ist_##noun##_import(out != NULL ? &made : NULL, token);                                    \
        if (out != NULL)                                                                                               \
            *out = made;                                                                                               \
        return status;                                                                                                 \
    }                                                                                                                  \
    static ist_status noun##_query(const void *handle, kind_state *out)                                                \
    {                                                                                                                  \
        return ist_##noun##_query(handle, out != NULL ? &out->noun : NULL);                                            \
    }                                                                                                                  \
    static const ist_waitable *noun##_waitable(const void *handle)                                                     \
    {                                                                                                                  \
        return ist_##noun##_waitable(handle);                                                                          \
    }                                                                                                                  \
    static void noun##_close(void *handle)                                                                             \
    {                                                                                                                  \
        ist_##noun##_close(handle);                                                                                    \
    }

KIND(mutex, IST_MUTEX_OPTIONS_INIT)
KIND(semaphore, IST_SEMAPHORE_OPTIONS_INIT)
KIND(event, IST_EVENT_OPTIONS_INIT)
KIND(timer, IST_TIMER_OPTIONS_INIT)

#define ROW(noun)                                                                                                      \
    {                                                                                                                  \
#noun, (uint32_t)sizeof(ist_##noun##_options), (uint32_t)sizeof(ist_##noun##_state), noun##_init,              \
            noun##_admit, noun##_create, noun##_open, noun##_export, noun##_import, noun##_query, noun##_waitable,     \
            noun##_close                                                                                               \
    }

const kind kinds[KINDS] = {ROW(mutex), ROW(semaphore), ROW(event), ROW(timer)};
