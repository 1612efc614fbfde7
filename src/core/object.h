/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * What mutexes, semaphores, events and timers have in common as handles. A handle of any of these kinds is a waitable
 * and nothing more; each kind's file gives it its type.
 */
#ifndef ISTHMUS_CORE_OBJECT_H
#define ISTHMUS_CORE_OBJECT_H

#include "core/detail.h"
#include "core/plat.h"

struct ist_waitable {
    plat_object *plat;
    plat_kind kind;
};

/* The statements of each public call, but for the options: every argument is checked. out may be NULL (IST_E_ARG). */
ist_status object_create(ist_waitable **out, const char *name, const plat_object_request *request);
ist_status object_open(ist_waitable **out, const char *name, plat_kind kind, ist_access access);
ist_status object_export(ist_waitable *object, uint64_t process_id, ist_access access, char *token);
ist_status object_import(ist_waitable **out, const char *token, plat_kind kind);
void object_close(ist_waitable *object);

/* Checks the caller's struct for an answer, which begins with its size. */
ist_status object_check_answer(const void *theirs);

/* The same, and asks. */
ist_status object_query(const ist_waitable *object, const void *theirs, plat_object_state *out);

/* Writes as much of an answer as the caller's struct has room for; both begin with their size. */
void object_answer(void *theirs, void *ours, size_t known);

/* NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared cannot stand in parentheses. */

/* The type of a kind's handles, and the public calls that are the same for every kind. The file that uses it says in
   read_request() what the options ask for. */
#define OBJECT_HANDLE(noun, number)                                                                                    \
    struct ist_##noun {                                                                                                \
        ist_waitable waitable;                                                                                         \
    };                                                                                                                 \
                                                                                                                       \
    static ist_##noun *of(ist_waitable *waitable)                                                                      \
    {                                                                                                                  \
        return (ist_##noun *)(void *)waitable;                                                                         \
    }                                                                                                                  \
                                                                                                                       \
    static ist_waitable *waitable_of(ist_##noun *noun)                                                                 \
    {                                                                                                                  \
        return (noun) != NULL ? &(noun)->waitable : NULL;                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static ist_status read_request(const ist_##noun##_options *options, plat_object_request *request);                 \
                                                                                                                       \
    ist_status ist_##noun##_create(ist_##noun **out, const char *name, const ist_##noun##_options *options)            \
    {                                                                                                                  \
        plat_object_request request = {.kind = (number)};                                                              \
        ist_waitable *made = NULL;                                                                                     \
        ist_status status = IST_OK;                                                                                    \
                                                                                                                       \
        if (out == NULL)                                                                                               \
            return detail_refuse(IST_E_ARG, "out");                                                                    \
        status = read_request(options, &request);                                                                      \
        if (status == IST_OK)                                                                                          \
            status = object_create(&made, name, &request);                                                             \
        *out = of(made);                                                                                               \
        return status;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    ist_status ist_##noun##_open(ist_##noun **out, const char *name, ist_access access)                                \
    {                                                                                                                  \
        ist_waitable *made = NULL;                                                                                     \
        ist_status status = IST_OK;                                                                                    \
                                                                                                                       \
        if (out == NULL)                                                                                               \
            return detail_refuse(IST_E_ARG, "out");                                                                    \
        status = object_open(&made, name, number, access);                                                             \
        *out = of(made);                                                                                               \
        return status;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    ist_status ist_##noun##_export(ist_##noun *noun, uint64_t process_id, ist_access access,                           \
                                   char token[IST_TOKEN_SIZE])                                                         \
    {                                                                                                                  \
        return object_export(waitable_of(noun), process_id, access, token);                                            \
    }                                                                                                                  \
                                                                                                                       \
    ist_status ist_##noun##_import(ist_##noun **out, const char *token)                                                \
    {                                                                                                                  \
        ist_waitable *made = NULL;                                                                                     \
        ist_status status = IST_OK;                                                                                    \
                                                                                                                       \
        if (out == NULL)                                                                                               \
            return detail_refuse(IST_E_ARG, "out");                                                                    \
        status = object_import(&made, token, number);                                                                  \
        *out = of(made);                                                                                               \
        return status;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    const ist_waitable *ist_##noun##_waitable(const ist_##noun *noun)                                                  \
    {                                                                                                                  \
        return (noun) != NULL ? &(noun)->waitable : NULL;                                                              \
    }                                                                                                                  \
                                                                                                                       \
    void ist_##noun##_close(ist_##noun *noun)                                                                          \
    {                                                                                                                  \
        object_close(waitable_of(noun));                                                                               \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

#endif
