/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * THE contract between the core and a backend (src/posix, src/win32, and tests/fake for the core's unit tests).
 *
 * The core has checked every argument before it calls: pointers, names, access bits, flags, alignments and ranges are
 * what the comments say. A backend never calls up into the core. Every function that can fail returns one of the
 * statuses of the public call it serves and, when that is below 0, has filled *error; it owns nothing afterwards and
 * has changed nothing. No function blocks on another process but plat_wait and those that are given a timeout. All may
 * be called from several threads at once.
 */
#ifndef ISTHMUS_CORE_PLAT_H
#define ISTHMUS_CORE_PLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/mailslot.h>
#include <isthmus/mapping.h>
#include <isthmus/pipe.h>
#include <isthmus/semaphore.h>
#include <isthmus/status.h>
#include <isthmus/timer.h>
#include <isthmus/traits.h>
#include <isthmus/wait.h>

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

/* Nanoseconds on a clock that is never set; only the difference of two means something. */
int64_t plat_clock(void);

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

/* ---- mutexes, semaphores, events, timers ---- */

typedef enum plat_kind {
    PLAT_MUTEX,
    PLAT_SEMAPHORE,
    PLAT_EVENT,
    PLAT_TIMER,
    PLAT_FOREIGN, /* a wrapped native handle of any other sort: only to wait for */
    PLAT_CHANNEL, /* an end of a pipe, the reader of a mailslot: only to wait for, and a wait takes nothing */
} plat_kind;

/* A backend's half of a handle to one of them. */
typedef struct plat_object plat_object;

typedef struct plat_object_request {
    plat_kind kind;    /* not PLAT_FOREIGN, PLAT_CHANNEL */
    bool manual_reset; /* event, timer */
    bool initially;    /* mutex: owned by the calling thread; event: set. Only if this call creates it (X4) */
    uint32_t initial;  /* semaphore: at most maximum */
    uint32_t maximum;  /* semaphore: 1 to IST_SEMAPHORE_MAX */
    ist_audience audience;
    bool trust_everyone;
} plat_object_request;

/* Creates or joins (IST_EXISTED); name NULL is unnamed. The handle is for everything. When the object exists with the
   same kind, nothing else that the request asks for is looked at (N5). */
ist_status plat_object_create(const plat_name *name, const plat_object_request *request, plat_object **out,
                              plat_error *error);

/* Opens what somebody holds; access is exactly IST_READ or IST_WRITE. */
ist_status plat_object_open(const plat_name *name, plat_kind kind, ist_access access, bool trust_everyone,
                            plat_object **out, plat_error *error);

/* Makes a token for the process: token has IST_TOKEN_SIZE bytes. IST_E_ACCESS: IST_WRITE from a handle for reading. */
ist_status plat_object_export(plat_object *object, uint64_t process_id, ist_access access, char *token,
                              plat_error *error);

/* Redeems a token: any text of at most IST_TOKEN_SIZE - 1 bytes. IST_E_KIND: it is another kind's. */
ist_status plat_object_import(const char *token, plat_kind kind, plat_object **out, plat_error *error);

/* Never fails. A wait that is blocked on the object goes on (L5). */
void plat_object_close(plat_object *object);

/* The native handle where there is one (Windows: HANDLE), else NULL. */
void *plat_object_native(const plat_object *object);

/* Makes an object of PLAT_FOREIGN of a native handle: IST_E_UNSUPPORTED where there are none. */
ist_status plat_object_wrap(void *native, plat_object **out, plat_error *error);

/* What an object was at one instant. Fields that its kind does not have are 0. */
typedef struct plat_object_state {
    uint32_t count;    /* semaphore; event: set; timer: signalled; mutex: owned by a living thread */
    uint32_t maximum;  /* semaphore */
    bool manual_reset; /* event */
    bool owned_here;   /* mutex: by the calling thread */
    bool abandoned;    /* mutex */
} plat_object_state;

/* A handle for reading suffices. */
ist_status plat_object_query(plat_object *object, plat_object_state *out, plat_error *error);

/* The object is of the kind that the name says. IST_E_ACCESS: the handle is for reading. */
ist_status plat_mutex_release(plat_object *mutex, plat_error *error);
ist_status plat_semaphore_release(plat_object *semaphore, uint32_t count, uint32_t *previous, plat_error *error);
ist_status plat_event_set(plat_object *event, plat_error *error);
ist_status plat_event_reset(plat_object *event, plat_error *error);

/* due_ns is relative (0 or more) or, when absolute, nanoseconds since 1970 UTC; the backend rounds up to 100. period_ms
   is 0 or 1 to IST_TIMER_PERIOD_MAX. */
ist_status plat_timer_set(plat_object *timer, bool absolute, int64_t due_ns, uint32_t period_ms, plat_error *error);
ist_status plat_timer_cancel(plat_object *timer, plat_error *error);

typedef struct plat_wait_request {
    plat_object *const *items;
    size_t count; /* 1 to IST_WAIT_MAX */
    bool all;
    int64_t timeout_ns;  /* 0 or more, or IST_FOREVER */
    plat_object *signal; /* a mutex, semaphore or event to signal first (IST_E_ACCESS, IST_E_NOT_OWNER, IST_E_LIMIT end
                            the call), or NULL; then count is 1 */
} plat_wait_request;

/* The usual acquisition and release of a mutex, which nothing stands in the way of. Everything else ends in a call of
   `otherwise`: the core's own way, through plat_wait and plat_mutex_release. It is the one place where a backend calls
   back, so that neither side needs a frame: that is a third of the time. timeout_ns is for `otherwise` alone. */
typedef ist_status plat_otherwise(plat_object *mutex, int64_t timeout_ns);
ist_status plat_mutex_acquire(plat_object *mutex, int64_t timeout_ns, plat_otherwise *otherwise);
ist_status plat_mutex_release_quickly(plat_object *mutex, plat_otherwise *otherwise);

/* Takes one object if that is a matter of its memory alone. False says nothing: plat_wait is to be asked. It is what
   keeps the usual acquisition as short as it can be. */
bool plat_wait_quickly(plat_object *object);

/* Waits: IST_OK, IST_ABANDONED, IST_TIMEOUT or a failure. *index is written on the first two, when all is false.
   The backend finds the same object twice in a wait for all (IST_E_ARG), and handles that may not wait
   (IST_E_ACCESS). */
ist_status plat_wait(const plat_wait_request *request, size_t *index, plat_error *error);

/* ---- pipes ---- */

/* A backend's half of an end. Calls that are blocked on it are over before it is closed. */
typedef struct plat_pipe plat_pipe;

/* A checked name of a pipe or mailslot: valid UTF-8 without `\` and `/`. The case of A to Z does not count, which is
   for the backend to see to. */
typedef struct plat_channel_name {
    const char *text; /* without `\\.\pipe\`, terminated */
    size_t length;    /* bytes in text, 1 to 247 */
} plat_channel_name;

/* A letter as names of pipes and mailslots are compared: they ignore the case of A to Z (N3). */
static inline char plat_channel_small(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

typedef struct plat_pipe_request {
    bool first; /* IST_PIPE_FIRST */
    ist_pipe_type type;
    ist_pipe_direction direction;
    uint32_t instances; /* 1 to IST_PIPE_INSTANCES_MAX, or 0 */
    uint32_t inbound_bytes;
    uint32_t outbound_bytes; /* both IST_PIPE_BUFFER_MIN to IST_PIPE_BUFFER_MAX */
    ist_audience audience;
    bool trust_everyone;
} plat_pipe_request;

/* What the core wants to know of an end, as it is and stays. */
typedef struct plat_pipe_sort {
    ist_pipe_type type;
    ist_pipe_direction direction;
    bool server;
    bool may_read;
    bool may_write;
} plat_pipe_sort;

/* Makes an instance, which listens. Of a later instance *sort says what the first one's type is. */
ist_status plat_pipe_serve(const plat_channel_name *name, const plat_pipe_request *request, plat_pipe **out,
                           plat_pipe_sort *sort, plat_error *error);

/* access is IST_READ, IST_WRITE or both or-ed, without trust. IST_TIMEOUT: *out is NULL. */
ist_status plat_pipe_connect(const plat_channel_name *name, ist_access access, bool trust_everyone, int64_t timeout_ns,
                             plat_pipe **out, plat_pipe_sort *sort, plat_error *error);

/* sorts are those of *first and *second. */
ist_status plat_pipe_pair(const plat_pipe_request *request, plat_pipe **first, plat_pipe **second,
                          plat_pipe_sort sorts[2], plat_error *error);

/* token has IST_TOKEN_SIZE bytes. IST_E_ARG: an instance with a name. */
ist_status plat_pipe_inherit(plat_pipe *pipe, char *token, plat_error *error);

/* token: any text of at most IST_TOKEN_SIZE - 1 bytes. */
ist_status plat_pipe_import(const char *token, plat_pipe **out, plat_pipe_sort *sort, plat_error *error);

/* Only of an instance. */
ist_status plat_pipe_accept(plat_pipe *pipe, int64_t timeout_ns, plat_error *error);
ist_status plat_pipe_disconnect(plat_pipe *pipe, plat_error *error);

/* Only of an end that may; size > 0. *got and *written are 0 before the call. */
ist_status plat_pipe_read(plat_pipe *pipe, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                          plat_error *error);

/* Only of an end that may. size is below 4 GiB, and of a byte pipe not 0. */
ist_status plat_pipe_write(plat_pipe *pipe, const void *data, size_t size, int64_t timeout_ns, size_t *written,
                           plat_error *error);

/* Only of an end that may read. Fills every field but struct_size; buffer has room for size bytes. */
ist_status plat_pipe_peek(plat_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out, plat_error *error);

/* Only of an end that may write. */
ist_status plat_pipe_flush(plat_pipe *pipe, int64_t timeout_ns, plat_error *error);

/* Only of an end of a message pipe that may do both; reply_size > 0. */
ist_status plat_pipe_transact(plat_pipe *pipe, const void *request, size_t request_size, void *reply, size_t reply_size,
                              int64_t timeout_ns, size_t *got, plat_error *error);

/* Fills connected, instances_max, instances, inbound_bytes and outbound_bytes. */
ist_status plat_pipe_info(plat_pipe *pipe, ist_pipe_facts *out, plat_error *error);

/* Fills every field but struct_size; also on IST_E_ACCESS, but for the user. */
ist_status plat_pipe_peer(plat_pipe *pipe, ist_pipe_peer_facts *out, plat_error *error);

void plat_pipe_cancel(plat_pipe *pipe);

/* A descriptor or a HANDLE. */
ist_status plat_pipe_native(plat_pipe *pipe, intptr_t *out, plat_error *error);

/* The end as an object of PLAT_CHANNEL: valid until the close. */
plat_object *plat_pipe_waitable(plat_pipe *pipe);

/* Never fails. Waits for its waitable may be blocked meanwhile and go on. */
void plat_pipe_close(plat_pipe *pipe);

/* ---- mailslots ---- */

/* A backend's half of a handle. Calls that are blocked on it are over before it is closed. */
typedef struct plat_mailslot plat_mailslot;

typedef struct plat_mailslot_request {
    uint32_t message_max;    /* at most capacity_bytes; 0: any that fits */
    uint32_t capacity_bytes; /* 1 to IST_MAILSLOT_CAPACITY_MAX */
    ist_audience audience;   /* IST_AUDIENCE_OWNER or one of those for writing */
} plat_mailslot_request;

/* Never joins: IST_E_EXISTS. */
ist_status plat_mailslot_create(const plat_channel_name *name, const plat_mailslot_request *request,
                                plat_mailslot **out, plat_error *error);

/* For writing. */
ist_status plat_mailslot_open(const plat_channel_name *name, bool trust_everyone, plat_mailslot **out,
                              plat_error *error);

/* Only of a writer's handle. */
ist_status plat_mailslot_write(plat_mailslot *slot, const void *data, size_t size, plat_error *error);

/* The rest only of the reader's. *got is 0 before the call. peek does not wait: IST_EMPTY. */
ist_status plat_mailslot_read(plat_mailslot *slot, void *buffer, size_t size, int64_t timeout_ns, size_t *got,
                              plat_error *error);
ist_status plat_mailslot_peek(plat_mailslot *slot, void *buffer, size_t size, size_t *got, plat_error *error);

/* Fills every field but struct_size. */
ist_status plat_mailslot_info(plat_mailslot *slot, ist_mailslot_facts *out, plat_error *error);

void plat_mailslot_cancel(plat_mailslot *slot);

/* The native handle where there is one (Windows: HANDLE), else NULL; also of a writer's handle. */
void *plat_mailslot_native(const plat_mailslot *slot);

/* The reader's handle as an object of PLAT_CHANNEL: valid until the close. */
plat_object *plat_mailslot_waitable(plat_mailslot *slot);

/* Never fails. Waits for its waitable may be blocked meanwhile and go on. */
void plat_mailslot_close(plat_mailslot *slot);

/* ---- seams, for tests: the library never sets them ---- */

/* Adds *offset_ns to the UTC clock as the backend reads it; NULL for nothing. False where the system's own timers do
   not let that be done. */
bool plat_seam_utc(const volatile int64_t *offset_ns);

/* Replaces the re-check interval; 0 for the usual one. False where there is none. */
bool plat_seam_recheck(int64_t interval_ns);

#endif
