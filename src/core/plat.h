/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * THE contract between the core and a backend (src/posix, src/win32, and tests/fake for the core's unit tests).
 *
 * The core has checked every argument before it calls: pointers, names, access bits, flags, alignments and ranges are
 * what the comments say. A backend never calls up into the core. Every function that can fail returns one of the
 * statuses of the public call it serves and, when that is below 0, has filled *error; it owns nothing afterwards and
 * has changed nothing. No function blocks on another process. All may be called from several threads at once.
 */
#ifndef ISTHMUS_CORE_PLAT_H
#define ISTHMUS_CORE_PLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/mapping.h>
#include <isthmus/status.h>
#include <isthmus/traits.h>

/* Why a call failed. All zero means that no system call refused; `call` is a string literal. */
typedef struct plat_error {
    ist_code_space space;
    uint32_t code;
    const char *call;
    char note[IST_DETAIL_NOTE_SIZE];
} plat_error;

/* ---- memory of this process ---- */

/* Gives zeroed memory, or NULL when there is none. */
void *plat_memory_take(size_t bytes);

/* Takes it back; NULL does nothing. */
void plat_memory_give(void *memory);

/* ---- facts ---- */

/* Fills every field but struct_size. */
void plat_traits(ist_traits *traits);

uint64_t plat_process_id(void);

/* ---- names ---- */

/* A checked name of a named object: valid UTF-8, no backslash, not reserved. A NULL pointer to one is "no name". */
typedef struct plat_name {
    const char *text; /* without prefix, terminated */
    size_t length;    /* bytes in text, 1 to IST_NAME_MAX */
    bool global;      /* Global\ rather than Local\ */
} plat_name;

/* ---- mappings ---- */

/* A backend's half of a mapping handle. */
typedef struct plat_mapping plat_mapping;

typedef struct plat_mapping_request {
    uint64_t size;     /* bytes; a page multiple for memory; 0 only with a path, and means the file's size */
    const char *path;  /* valid UTF-8, not empty; NULL for memory */
    bool sparse;       /* only for memory */
    ist_access access; /* exactly IST_READ or IST_WRITE; IST_READ only with a path */
    ist_audience audience;
    bool trust_everyone;
} plat_mapping_request;

/* What the core wants to know of the object behind a handle. */
typedef struct plat_mapping_facts {
    uint64_t size;     /* bytes (M2) */
    ist_access access; /* exactly IST_READ or IST_WRITE */
} plat_mapping_facts;

/* Creates or joins (IST_EXISTED); name NULL is unnamed. Loops until the name is neither half-made nor half-gone (N8).
   When the object exists with the same kind, request's size and path are not looked at (N5). */
ist_status plat_mapping_create(const plat_name *name, const plat_mapping_request *request, plat_mapping **out,
                               plat_mapping_facts *facts, plat_error *error);

/* Opens what somebody holds; access is exactly IST_READ or IST_WRITE. */
ist_status plat_mapping_open(const plat_name *name, ist_access access, bool trust_everyone, plat_mapping **out,
                             plat_mapping_facts *facts, plat_error *error);

/* Makes a token for the process; access is no more than the handle's. token has IST_TOKEN_SIZE bytes. */
ist_status plat_mapping_export(plat_mapping *mapping, uint64_t process_id, ist_access access, char *token,
                               plat_error *error);

/* Redeems a token: any text of at most IST_TOKEN_SIZE - 1 bytes. */
ist_status plat_mapping_import(const char *token, plat_mapping **out, plat_mapping_facts *facts, plat_error *error);

/* Never fails; views outlive it. */
void plat_mapping_close(plat_mapping *mapping);

/* The native handle where there is one (Windows: HANDLE), else NULL. */
void *plat_mapping_native(const plat_mapping *mapping);

/* ---- views ---- */

/* A view as the backend knows it. The core keeps one for each view, at a stable address. */
typedef struct plat_view {
    void *data;
    size_t size;       /* bytes, more than 0 */
    ist_access access; /* exactly IST_READ, IST_WRITE or IST_COPY */
    bool file;         /* over a file: a flush is owed */
    intptr_t backing;  /* the backend's own, for commit and flush after the handle has gone */
} plat_view;

/* Maps length > 0 bytes at offset, both inside the mapping, offset a multiple of IST_GRANULARITY; access is one that
   the handle allows. Fills every field of *out. */
ist_status plat_view_map(plat_mapping *mapping, ist_access access, uint64_t offset, size_t length, plat_view *out,
                         plat_error *error);

/* Backs length > 0 bytes at offset, inside the view, which is for writing. */
ist_status plat_view_commit(const plat_view *view, size_t offset, size_t length, plat_error *error);

/* Only for a view of a file that is for writing. */
ist_status plat_view_flush(const plat_view *view, plat_error *error);

void plat_view_unmap(plat_view *view);

#endif
