/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The inside of an end of a pipe. All handles are opened for overlapped I/O.
 */
#ifndef ISTHMUS_WIN32_PIPE_H
#define ISTHMUS_WIN32_PIPE_H

#include "core/plat.h"
#include "win32/channel.h"
#include "win32/overlapped.h"

#define WIN32_PIPE_PREFIX L"\\\\.\\pipe\\"

/* What an end is in the middle of. A client's end is connected from the beginning. */
typedef enum pipe_phase {
    PIPE_LISTENS,   /* an accept has not yet said that a client is there, which may be; the watch is for one */
    PIPE_CONNECTED, /* the watch is for something to read */
    PIPE_DISCONNECTED,
    PIPE_BROKEN, /* by us: the next accept comes after a disconnect */
    PIPE_CLOSED  /* kept by waits alone */
} pipe_phase;

/* Invariants: sort, named and the numbers asked for do not change. handle is open but of a client's end that we broke
   and of a closed one, where it is NULL; it changes under both locks. */
struct plat_pipe {
    plat_object object; /* what waits sleep on; first */
    SRWLOCK use;        /* shared by every call, also while it sleeps */
    HANDLE handle;
    win32_calls calls;
    plat_pipe_sort sort;
    bool named;
    uint32_t instances_max; /* as asked for */
    uint32_t inbound_bytes;
    uint32_t outbound_bytes;

    SRWLOCK gate; /* taken after `use`: what follows, and the beginning of every call that reads */
    pipe_phase phase;
    uint32_t disconnects; /* how many there have been */
    win32_watch watch;
    DWORD watch_code; /* of the last watch for something to read, when it began */
    char nothing;     /* where the watch reads 0 bytes to */
    bool empty_kept;  /* the watch took an empty message: it is the first of what is unread */
    char *rest; /* of a message too large for the buffer, which was taken whole: before all that is unread; or NULL */
    size_t rest_size;
    size_t rest_at;    /* what has been read of it */
    bool rest_goes_on; /* with the system, where there was no memory for all of it */
};

/* Memory for an end, without a handle; and the end of making one: it is handed over, or taken back. */
ist_status win32_pipe_take(plat_pipe **out, plat_error *error);
ist_status win32_pipe_settle(ist_status status, plat_pipe *pipe, plat_pipe **out);

/* Fills the sort and the numbers from what the system tells; false where it may not be asked. */
bool win32_pipe_learn(plat_pipe *pipe);

/* Makes a client's end of the handle in it: checks whose it is, reads by messages where it is a message pipe. */
ist_status win32_pipe_adopt(plat_pipe *pipe, bool trust_everyone, plat_error *error);

/* The rights to ask for as a client. Never that to make instances, which is a part of FILE_GENERIC_WRITE. */
DWORD win32_pipe_rights(ist_access access);

/* Opens a client's end by its name. IST_TIMEOUT: all instances are busy. */
ist_status win32_pipe_open(const WCHAR *name, ist_access access, bool trust_everyone, HANDLE *out, plat_error *error);

/* Begins and ends a call: it has the handle. Between begin and end the status may be any. IST_E_BROKEN: there is no
   handle. */
ist_status win32_pipe_enter(plat_pipe *pipe, int64_t timeout_ns, win32_call *call, plat_error *error);
ist_status win32_pipe_leave(plat_pipe *pipe, win32_call *call, ist_status status, plat_error *error);

/* Whether a client is there: IST_OK, IST_TIMEOUT while it listens, IST_E_BROKEN when one has come and gone. Inside the
   gate. */
ist_status win32_pipe_listen(plat_pipe *pipe, plat_error *error);

/* How many disconnects there have been: a call that began before the last one is not for the next client. */
uint32_t win32_pipe_disconnects(plat_pipe *pipe);

/* Throws an instance's client out; every call that began before is over. ERROR_SUCCESS, or why there was none. Inside
   the gate. */
DWORD win32_pipe_drop(plat_pipe *pipe, pipe_phase phase);

/* Whether somebody is there, or was. Inside the gate. */
bool win32_pipe_has_peer(plat_pipe *pipe);

/* The same for a call that began when there had been so many disconnects: it is for that client alone, whom nobody need
   have accepted. IST_E_BROKEN: he is not there. Inside the gate. */
ist_status win32_pipe_check(plat_pipe *pipe, uint32_t disconnects, plat_error *error);

/* Reads 0 bytes as soon as something is there: false if that is now, or if a read would tell why it never will be.
   Inside the gate. */
bool win32_pipe_watch(plat_pipe *pipe);

/* Takes the answer of such a watch if there is one. Inside the gate. */
void win32_pipe_look(plat_pipe *pipe);

/* Takes such a watch back, so that it takes nothing from the call that follows. Inside the gate. */
void win32_pipe_unwatch(plat_pipe *pipe);

/* Forgets what was taken from the system and not read. Inside the gate. */
void win32_pipe_forget(plat_pipe *pipe);

/* What is in the handle rather than with the system. Inside the gate. */
bool win32_pipe_keeps(const plat_pipe *pipe);

/* A read of messages, and a write of one, of a call that has begun when there had been so many disconnects. *torn: the
   write's time is over and its reader may have a part; break the connection when the call is over. With `alone`
   nothing is written while something is unread. */
ist_status win32_pipe_get(plat_pipe *pipe, uint32_t disconnects, void *buffer, size_t size, win32_call *call,
                          size_t *got, plat_error *error);
ist_status win32_pipe_put(plat_pipe *pipe, uint32_t disconnects, bool alone, const void *data, size_t size,
                          win32_call *call, size_t *written, bool *torn, plat_error *error);

/* Bytes of the buffer that this end reads from, and of that which it writes to. */
size_t win32_pipe_room_in(const plat_pipe *pipe);
size_t win32_pipe_room_out(const plat_pipe *pipe);

/* Says to other processes, for the life of this one, that its reads are pipe_read.c's; and whether another's are. */
void win32_pipe_reader_declare(void);
bool win32_pipe_reader_declared(ULONG process_id);

/* The process at the other end. */
bool win32_pipe_peer_process(const plat_pipe *pipe, ULONG *out);

/* Ends the connection for both sides, of an instance only that of the client who was there when there had been so many
   disconnects: IST_E_BROKEN. The caller is in no call. */
ist_status win32_pipe_break(plat_pipe *pipe, uint32_t disconnects, plat_error *error);

extern const win32_channel_face win32_pipe_face;

#endif
