/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Named pipes: a server offers instances under a name, clients connect, and each connection carries bytes or messages
 * between two processes of one machine.
 *
 * Names: 1 to 247 bytes of UTF-8 without `\` and `/`, not ending in a dot or a space; `\\.\pipe\` may stand before.
 * The case of A to Z does not count. All users share the names, as they do on Windows; nothing else has these names.
 *
 * An instance listens from its creation on, and again from each ist_pipe_accept() after an ist_pipe_disconnect(). A
 * client gets the instance that has listened longest, in whichever process it is, and is connected at once: the server
 * need not have called ist_pipe_accept(). When the last instance of a name goes, the name is free.
 *
 * Messages: a pipe of IST_PIPE_MESSAGE keeps the boundaries of what was written, messages of 0 bytes included; who
 * reads into a buffer that is too small gets IST_MORE and the rest with the next read. Up to 64 KiB always go, larger
 * ones below 4 GiB as memory allows.
 *
 * Buffers: what fits the free buffer (the sizes in the options, at least IST_PIPE_BUFFER_MIN) is written without a
 * reader; more waits for one.
 *
 * The end of a peer: what it had written can still be read, then each call is IST_E_BROKEN. ist_pipe_disconnect() is
 * harder: unread data are gone at once, on both sides.
 *
 * Timeouts are as in isthmus/wait.h. What times out or is cancelled has changed nothing, but for a write: of bytes it
 * says how many went, and a message that the reader had begun to read because it is larger than the buffer breaks the
 * connection, for both.
 *
 * fork: the child has the end as well, and the connection lives until both have closed it. Both may use it, but not at
 * the same time.
 */
#ifndef ISTHMUS_PIPE_H
#define ISTHMUS_PIPE_H

#include <stddef.h>
#include <stdint.h>

#include <isthmus/access.h>
#include <isthmus/export.h>
#include <isthmus/status.h>
#include <isthmus/wait.h>

IST_BEGIN_DECLS

/* Bytes in the longest name, without `\\.\pipe\` and terminator. */
#define IST_PIPE_NAME_MAX 247

/* Bytes of a buffer: no less and no more can be asked for. */
#define IST_PIPE_BUFFER_MIN UINT32_C(4096)
#define IST_PIPE_BUFFER_MAX UINT32_C(67108864)

/* Instances that can be asked for; 0 asks for any number. */
#define IST_PIPE_INSTANCES_MAX UINT32_C(254)

/* Flags of an instance. */
#define IST_PIPE_FIRST 0x1u /* IST_E_ACCESS unless it is the first of its name: nobody has come before */

/* One end of a pipe: an instance, or a client's end. Any thread may use it, several at once; only the close must be
   the last. */
typedef struct ist_pipe ist_pipe;

typedef enum ist_pipe_type { IST_PIPE_BYTE = 0, IST_PIPE_MESSAGE = 1 } ist_pipe_type;

/* As the server sees it. */
typedef enum ist_pipe_direction {
    IST_PIPE_DUPLEX = 0,
    IST_PIPE_INBOUND = 1, /* the client writes, the server reads */
    IST_PIPE_OUTBOUND = 2 /* the server writes, the client reads */
} ist_pipe_direction;

typedef struct ist_pipe_options {
    uint32_t struct_size;         /* sizeof(ist_pipe_options), as IST_PIPE_OPTIONS_INIT sets it */
    uint32_t flags;               /* IST_PIPE_FIRST or 0 */
    ist_pipe_type type;           /* the first instance's counts */
    ist_pipe_direction direction; /* of all instances the same, else IST_E_ACCESS */
    uint32_t instances;           /* at most so many at a time, to IST_PIPE_INSTANCES_MAX; 0 any number. The first
                                     instance's counts */
    uint32_t inbound_bytes;       /* buffer from client to server; 0 is IST_PIPE_BUFFER_MIN. POSIX: the first
                                     instance's counts */
    uint32_t outbound_bytes;      /* buffer from server to client; the same */
    ist_audience audience;        /* who else may connect: for reading only, or as the direction allows. The first
                                     instance's counts */
    ist_trust trust;              /* whose pipe is joined if the name is taken; 0 only this user's. Another user's
                                     lets nobody else serve: IST_E_ACCESS, mostly */
} ist_pipe_options;

#define IST_PIPE_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_pipe_options), 0, IST_PIPE_BYTE, IST_PIPE_DUPLEX, 0, 0, 0, IST_AUDIENCE_OWNER,            \
            IST_TRUST_OWNER                                                                                            \
    }

/* What waits to be read. */
typedef struct ist_pipe_peeked {
    uint32_t struct_size;     /* in: sizeof(ist_pipe_peeked), as IST_PIPE_PEEKED_INIT sets it */
    uint32_t copied_bytes;    /* what was copied into the buffer */
    uint64_t available_bytes; /* in all */
    uint64_t message_bytes;   /* what is left of the first message; of a byte pipe 0 */
} ist_pipe_peeked;

#define IST_PIPE_PEEKED_INIT                                                                                           \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_pipe_peeked), 0, 0, 0                                                                     \
    }

/* What an end is. */
typedef struct ist_pipe_facts {
    uint32_t struct_size; /* in: sizeof(ist_pipe_facts), as IST_PIPE_FACTS_INIT sets it */
    ist_pipe_type type;
    ist_pipe_direction direction;
    uint32_t server;         /* 1 an instance (of a pair: the first end), 0 a client's end */
    uint32_t connected;      /* 1 while somebody is at the other end, or what he wrote has not been read */
    uint32_t instances_max;  /* 0 any number */
    uint32_t instances;      /* that there are; 0 where that cannot be told */
    uint32_t inbound_bytes;  /* as the server sees it; what the system made of what was asked for */
    uint32_t outbound_bytes; /* the same */
} ist_pipe_facts;

#define IST_PIPE_FACTS_INIT                                                                                            \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_pipe_facts), IST_PIPE_BYTE, IST_PIPE_DUPLEX, 0, 0, 0, 0, 0, 0                             \
    }

/* Bytes of a user's name in ist_pipe_peer_facts, terminator included. */
#define IST_USER_SIZE 192

/* Who is at the other end, as the system vouches for it. */
typedef struct ist_pipe_peer_facts {
    uint32_t struct_size;     /* in: sizeof(ist_pipe_peer_facts), as IST_PIPE_PEER_FACTS_INIT sets it */
    uint32_t same_user;       /* 1: the user of this process, as far as the user was to be learned */
    uint64_t process_id;      /* as of connecting; of a pair: the process that made it */
    char user[IST_USER_SIZE]; /* POSIX: the effective user's number in decimal; Windows: the SID as text */
} ist_pipe_peer_facts;

#define IST_PIPE_PEER_FACTS_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(ist_pipe_peer_facts), 0, 0, ""                                                                \
    }

/**
 * Makes an instance of a pipe, which listens at once; the first of a name makes the pipe.
 * Shape:    name as above, not NULL; options may be NULL: a duplex byte pipe of any number of instances.
 * Owns:     on IST_OK *out is yours until ist_pipe_close(); otherwise *out is NULL.
 * Errors:   IST_E_ARG, IST_E_NAME, IST_E_LIMIT (as many instances as the first allowed; descriptors), IST_E_ACCESS
 *           (another direction; IST_PIPE_FIRST and it is not; another user's name), IST_E_SPACE, IST_E_MEMORY,
 *           IST_E_CORRUPT, IST_E_LAYOUT, IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: never on another process.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: the limit of instances is not kept over `flock` (isthmus/traits.h: stop_exact is 0). Windows: the
 *           limit counts what the system counts.
 * Source:   Win32 CreateNamedPipeW; POSIX.1-2017 socket, bind, listen.                                   Since: 0.3
 */
IST_API ist_status ist_pipe_serve(ist_pipe **out, const char *name, const ist_pipe_options *options);

/**
 * Waits until a client is connected to this instance; after an ist_pipe_disconnect() it first listens again.
 * Shape:    timeout_ns relative nanoseconds; IST_FOREVER; 0 only looks. A client that came before the call, or is
 *           still there from an earlier one, is success.
 * Owns:     nothing.
 * Errors:   IST_TIMEOUT, IST_CANCELLED (both not errors), IST_E_BROKEN (a client has come and gone: what it wrote can
 *           be read, and ist_pipe_disconnect() comes before the next accept; or another thread disconnected), IST_E_ARG
 *           (a client's end), IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE, IST_E_OS.
 * Blocking: until a client comes or the time is over.
 * Threads:  any thread; not a signal handler.
 * Platform: POSIX: a process that connects without this library and says nothing is put out by an accept after about
 *           100 ms, and IST_TIMEOUT tells nothing of it.
 * Source:   Win32 ConnectNamedPipe; POSIX.1-2017 accept.                                                 Since: 0.3
 */
IST_API ist_status ist_pipe_accept(ist_pipe *pipe, int64_t timeout_ns);

/**
 * Throws the client out: what is unread on either side is dropped, and its calls are IST_E_BROKEN from now on.
 * Shape:    without a client the instance stops listening. It listens again from the next ist_pipe_accept() on.
 * Owns:     nothing.
 * Errors:   IST_E_ARG (a client's end), IST_E_OS.
 * Blocking: never. Calls of other threads that are blocked on this end are IST_E_BROKEN.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 DisconnectNamedPipe.                                                                   Since: 0.3
 */
IST_API ist_status ist_pipe_disconnect(ist_pipe *pipe);

/**
 * Connects to the pipe of that name: to the instance that has listened longest.
 * Shape:    name as above; access IST_READ, IST_WRITE or both or-ed: here the two directions are apart, and writing
 *           does not include reading. IST_TRUST_EVERYONE or-ed in accepts another user's pipe. timeout_ns is for the
 *           case that all instances are busy.
 * Owns:     on IST_OK *out is yours until ist_pipe_close(); otherwise *out is NULL.
 * Errors:   IST_TIMEOUT (not an error: all instances are busy), IST_E_ARG, IST_E_NAME, IST_E_NOT_FOUND (no such pipe,
 *           also when its last instance goes meanwhile), IST_E_ACCESS (the pipe has not that direction; not for this
 *           user; another user's), IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE, IST_E_CORRUPT, IST_E_LAYOUT,
 *           IST_E_UNSUPPORTED, IST_E_OS.
 * Blocking: until an instance listens or the time is over; never for the server to call anything.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: the other side can see who this process is but not act as it.
 * Source:   Win32 CreateFileW, WaitNamedPipeW; POSIX.1-2017 connect.                                     Since: 0.3
 */
IST_API ist_status ist_pipe_connect(ist_pipe **out, const char *name, ist_access access, int64_t timeout_ns);

/**
 * Makes both ends of a pipe without a name, connected, for the threads of a process or for a child.
 * Shape:    of the options type, direction and the buffers count; the first end is the server's. NULL: duplex, bytes.
 * Owns:     on IST_OK *first and *second are yours until ist_pipe_close(); otherwise both are NULL.
 * Errors:   IST_E_ARG, IST_E_LIMIT, IST_E_MEMORY, IST_E_SPACE, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 CreatePipe; POSIX.1-2017 socketpair.                                                   Since: 0.3
 */
IST_API ist_status ist_pipe_pair(ist_pipe **first, ist_pipe **second, const ist_pipe_options *options);

/**
 * Lets the programs that this process starts from now on inherit an end of a pair, or a client's end, and says how they
 * get at it.
 * Shape:    token has IST_TOKEN_SIZE bytes and gets a printable ASCII text without spaces, for the command line or the
 *           environment of the child. Start the child, then close this end and do not use it any more: the child goes
 *           on where it was, and the other side learns of the child's end only when nobody else has it.
 * Owns:     token is the caller's buffer; an empty string after a failure.
 * Errors:   IST_E_ARG (also: an instance with a name), IST_E_BROKEN, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler. A child that another thread starts meanwhile inherits it as well.
 * Platform: Windows: the child is to be made with bInheritHandles. POSIX: by fork and exec, posix_spawn and the like.
 * Source:   Win32 SetHandleInformation; POSIX.1-2017 fcntl F_SETFD.                                      Since: 0.3
 */
IST_API ist_status ist_pipe_inherit(ist_pipe *pipe, char token[IST_TOKEN_SIZE]);

/**
 * Takes the end that this program has inherited.
 * Shape:    token as ist_pipe_inherit() wrote it in the process that started this one.
 * Owns:     on IST_OK *out is yours until ist_pipe_close(); otherwise *out is NULL. No child inherits it from here on.
 * Errors:   IST_E_ARG (no token, or nothing was inherited by it, or it was taken before), IST_E_LIMIT, IST_E_MEMORY,
 *           IST_E_LAYOUT, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 GetStdHandle and its like.                                                             Since: 0.3
 */
IST_API ist_status ist_pipe_import(ist_pipe **out, const char *token);

/**
 * Reads what is there: of a byte pipe up to size bytes, of a message pipe one message or what is left of it.
 * Shape:    size in bytes, not 0; timeout_ns is for the case that nothing is there. *got may be 0 with IST_OK: that is
 *           a message of 0 bytes, and not the end. A read that was cut short by its time inside a message larger than
 *           the pipe's buffer is IST_MORE.
 * Owns:     buffer is the caller's; *got says how much of it was written, 0 on failure.
 * Errors:   IST_MORE (not an error: the message's rest stays for the next read, in any thread), IST_TIMEOUT,
 *           IST_CANCELLED (both not errors; nothing was taken), IST_E_BROKEN (the peer is gone and all is read, or
 *           there is no client), IST_E_ARG, IST_E_ACCESS (an end for writing), IST_E_SPACE, IST_E_MEMORY,
 *           IST_E_CORRUPT, IST_E_OS.
 * Blocking: until something is there or the time is over.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 ReadFile.                                                                              Since: 0.3
 */
IST_API ist_status ist_pipe_read(ist_pipe *pipe, void *buffer, size_t size, int64_t timeout_ns, size_t *got);

/**
 * Writes bytes, or one message.
 * Shape:    size in bytes, below 4 GiB; 0 is a message of 0 bytes, and does nothing to a byte pipe. timeout_ns is for
 *           the case that the buffer has no room. written may be NULL.
 * Owns:     data is the caller's; *written says how much went: all with IST_OK, of a byte pipe also a part with
 *           IST_TIMEOUT and IST_CANCELLED, else 0.
 * Errors:   IST_TIMEOUT, IST_CANCELLED (both not errors), IST_E_BROKEN (no peer; or a message that is larger than the
 *           buffer had been read in part when the time was over), IST_E_ARG, IST_E_ACCESS (an end for reading),
 *           IST_E_SPACE, IST_E_MEMORY, IST_E_OS.
 * Blocking: until there is room or the time is over; more than the buffer waits for the reader.
 * Threads:  any thread; not a signal handler. Messages of several threads stay whole.
 * Platform: none that can be seen.
 * Source:   Win32 WriteFile.                                                                             Since: 0.3
 */
IST_API ist_status ist_pipe_write(ist_pipe *pipe, const void *data, size_t size, int64_t timeout_ns, size_t *written);

/**
 * Looks at what waits to be read, and leaves it there.
 * Shape:    copies up to size bytes of the first message, or of all bytes, into buffer, which may be NULL with size 0.
 *           out->struct_size says how much the caller knows; no more than that is written. An empty message that waits
 *           is not told from nothing.
 * Owns:     copies, yours.
 * Errors:   IST_E_BROKEN (the peer is gone and all is read, or there is no client), IST_E_ARG, IST_E_ACCESS (an end
 *           for writing), IST_E_SPACE, IST_E_MEMORY, IST_E_CORRUPT, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 PeekNamedPipe.                                                                         Since: 0.3
 */
IST_API ist_status ist_pipe_peek(ist_pipe *pipe, void *buffer, size_t size, ist_pipe_peeked *out);

/**
 * Waits until the peer has read everything that was written to it.
 * Shape:    IST_OK also when the peer is gone: which of the two is not told.
 * Owns:     nothing.
 * Errors:   IST_TIMEOUT, IST_CANCELLED (both not errors), IST_E_BROKEN (there is no client), IST_E_ARG, IST_E_ACCESS
 *           (an end for reading), IST_E_SPACE, IST_E_MEMORY, IST_E_OS.
 * Blocking: until all is read or the peer is gone or the time is over.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 FlushFileBuffers.                                                                      Since: 0.3
 */
IST_API ist_status ist_pipe_flush(ist_pipe *pipe, int64_t timeout_ns);

/**
 * Writes a message and reads the answer.
 * Shape:    of a duplex message pipe; timeout_ns covers both. IST_MORE: the answer is larger than reply, and the rest
 *           stays for a read.
 * Owns:     the buffers are the caller's; *got says how much of reply was written.
 * Errors:   IST_MORE, IST_TIMEOUT, IST_CANCELLED (not errors; with the last two the message may have been sent: close
 *           the connection), IST_E_LIMIT (something is unread; nothing was sent), IST_E_ARG (also: not a duplex message
 *           pipe), IST_E_ACCESS (an end that does not both read and write), IST_E_BROKEN, IST_E_SPACE, IST_E_MEMORY,
 *           IST_E_CORRUPT, IST_E_OS.
 * Blocking: until the answer is there or the time is over.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 TransactNamedPipe.                                                                     Since: 0.3
 */
IST_API ist_status ist_pipe_transact(ist_pipe *pipe, const void *request, size_t request_size, void *reply,
                                     size_t reply_size, int64_t timeout_ns, size_t *got);

/**
 * Connects, writes a message, reads the answer and closes.
 * Shape:    name as for ist_pipe_connect(); trust IST_TRUST_OWNER or IST_TRUST_EVERYONE; timeout_ns covers everything.
 *           IST_MORE: the answer was larger than reply, and the rest is lost.
 * Owns:     the buffers are the caller's; *got says how much of reply was written.
 * Errors:   IST_MORE, IST_TIMEOUT (not errors), those of ist_pipe_connect() and ist_pipe_transact().
 * Blocking: until the answer is there or the time is over.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 CallNamedPipeW.                                                                        Since: 0.3
 */
IST_API ist_status ist_pipe_call(const char *name, ist_trust trust, const void *request, size_t request_size,
                                 void *reply, size_t reply_size, int64_t timeout_ns, size_t *got);

/**
 * Tells what an end is.
 * Shape:    out->struct_size says how much the caller knows; no more than that is written.
 * Owns:     a copy, yours.
 * Errors:   IST_E_ARG, IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 GetNamedPipeInfo, GetNamedPipeHandleStateW.                                            Since: 0.3
 */
IST_API ist_status ist_pipe_info(ist_pipe *pipe, ist_pipe_facts *out);

/**
 * Tells who is at the other end, as the system vouches for it: never what the peer says.
 * Shape:    out->struct_size says how much the caller knows; no more than that is written. The process is that of the
 *           time of connecting; it may have ended.
 * Owns:     a copy, yours.
 * Errors:   IST_E_BROKEN (there is no client), IST_E_ARG, IST_E_ACCESS (the system does not let this process ask for
 *           the user: process_id is written all the same; a server may ask after its first read), IST_E_UNSUPPORTED,
 *           IST_E_OS.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 GetNamedPipeClientProcessId, GetNamedPipeServerProcessId; Linux SO_PEERCRED.           Since: 0.3
 */
IST_API ist_status ist_pipe_peer(ist_pipe *pipe, ist_pipe_peer_facts *out);

/**
 * Ends the calls that other threads are blocked in on this end: they are IST_CANCELLED.
 * Shape:    calls that begin later are not concerned; nor are waits for the end's waitable.
 * Owns:     nothing.
 * Errors:   IST_E_ARG.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: none that can be seen.
 * Source:   Win32 CancelIoEx.                                                                            Since: 0.3
 */
IST_API ist_status ist_pipe_cancel(ist_pipe *pipe);

/**
 * Gives what an event loop watches.
 * Shape:    POSIX: a descriptor for poll, epoll or kqueue. It is readable when a read, or of a listening instance an
 *           accept, would not block, or the peer is gone; now and then also when nothing is there. So call with a
 *           timeout of 0 until IST_TIMEOUT, which is what makes it wait anew, and begin so.
 *           Windows: the HANDLE, opened for overlapped I/O.
 * Owns:     the end's: valid until the next accept, disconnect or close of it. Take it anew after each accept, whatever
 *           that returned, and register it anew. It is for watching: nobody else reads, writes or closes it.
 * Errors:   IST_E_ARG, IST_E_BROKEN (POSIX: a disconnected instance), IST_E_OS. *out is -1 then.
 * Blocking: never.
 * Threads:  any thread; not a signal handler.
 * Platform: it tells nothing of room to write.
 * Source:   POSIX.1-2017 poll; Win32 overlapped I/O.                                                     Since: 0.3
 */
IST_API ist_status ist_pipe_native(ist_pipe *pipe, intptr_t *out);

/**
 * Gives the end as one of several objects to wait for: it is signalled while a read, or of a listening instance an
 * accept, would not block. A wait takes nothing.
 * Shape:    NULL gives NULL. Not for ist_wait_all() with others: IST_E_UNSUPPORTED.
 * Owns:     the end's: valid until ist_pipe_close().
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; safe in a signal handler.
 * Platform: none that can be seen.
 * Source:   isthmus.                                                                                     Since: 0.3
 */
IST_API const ist_waitable *ist_pipe_waitable(const ist_pipe *pipe);

/**
 * Lets the end go. What was written and not yet read stays readable for the peer.
 * Shape:    NULL does nothing.
 * Owns:     the handle is gone, whatever happens.
 * Errors:   none.
 * Blocking: never.
 * Threads:  any thread; not a signal handler. No other thread may be in a call with the handle: cancel those first. A
 *           wait for its waitable may.
 * Platform: none that can be seen.
 * Source:   Win32 CloseHandle; POSIX.1-2017 close.                                                       Since: 0.3
 */
IST_API void ist_pipe_close(ist_pipe *pipe);

IST_END_DECLS

#endif
