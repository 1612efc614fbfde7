/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Waiting: for a mutex, a semaphore, an event or a timer, for any of several, for all of several at one instant.
 *
 * What an object is when it is *signalled*, and what a wait takes from it:
 *
 *     mutex                  free, or its owner has ended    the calling thread owns it
 *     semaphore              its count is above 0            one of the count
 *     automatic event        set                             the set
 *     synchronization timer  due since the last take         the due time
 *     manual-reset event     set                             nothing; a reset that follows a set at once does not take
 *     manual-reset timer     due                             the release from whoever was blocked when it came
 *
 * Blocking: a blocked thread sleeps in the kernel and uses no processor time, except that on POSIX it looks again each
 * `recheck_ns` (isthmus/traits.h: at most 100 ms; some tens of microseconds of work). That heals what no system
 * reports: a process that was stopped or killed between changing an object and waking those who wait for it, a clock
 * that was set.
 *
 * Fairness: nobody is promised to be next. A release wakes all who wait, and the first to come takes it.
 *
 * Timeouts are relative nanoseconds; IST_FOREVER waits without end, 0 only tries, other negative ones are IST_E_ARG. A
 * timeout is never early, and late only by the scheduler and the system's tick. Time spent in a suspended system does
 * not count on Linux.
 *
 * Signals: a signal handler runs and the wait goes on; it ends no wait. Cancelling a thread does not end one either.
 *
 * fork: the child owns nothing: the mutexes stay the parent's. It holds the objects as the parent does.
 *
 * exit, kill, exec: the mutexes of a thread or process that has ended are abandoned. A blocked waiter learns it at once
 * where the kernel reports the death (isthmus/traits.h: abandon_at_once), else within `recheck_ns`. Nothing that a
 * killed waiter had not yet taken is lost, and nobody else is stranded. A stopped process is not a dead one.
 *
 * Closing the handles while a wait is blocked leaves the wait and the object as they are; only the name goes.
 */
#ifndef ISTHMUS_WAIT_H
#define ISTHMUS_WAIT_H

#include <stddef.h>
#include <stdint.h>

#include <isthmus/export.h>
#include <isthmus/status.h>

IST_BEGIN_DECLS

/* A timeout that never comes. */
#define IST_FOREVER ((int64_t)-1)

/* Objects in one wait, at most. */
#define IST_WAIT_MAX 64

/* Something to wait for, borrowed from its handle: ist_mutex_waitable() and its like give it. */
typedef struct ist_waitable ist_waitable;

/**
 * Waits for one object, and takes it.
 * Shape:    timeout_ns relative nanoseconds; IST_FOREVER; 0 only tries.
 * Owns:     what the wait took: see above.
 * Errors:   IST_ABANDONED (not an error: a mutex whose owner ended; it is owned), IST_TIMEOUT, IST_E_ARG, IST_E_ACCESS
 * (a handle for reading, of what a wait takes), IST_E_LIMIT, IST_E_CORRUPT, IST_E_MEMORY, IST_E_SPACE, IST_E_OS.
 * Blocking: until the object is signalled or the time is over.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: no system call when it is signalled, after the thread's first acquisition in a scope.
 * Source:   Win32 WaitForSingleObject.                                                                   Since: 0.2
 */
IST_API ist_status ist_wait(const ist_waitable *item, int64_t timeout_ns);

/**
 * Waits until one of several objects is signalled, and takes exactly one: the first in the array of those that are.
 * Shape:    count 1 to IST_WAIT_MAX, any mixture of kinds; timeout_ns as for ist_wait(). index may be NULL.
 * Owns:     on IST_OK and IST_ABANDONED *index says which object was taken; the others are untouched. Otherwise *index
 *           is left as it is.
 * Errors:   IST_ABANDONED (not an error), IST_TIMEOUT, IST_E_ARG, IST_E_ACCESS (a handle for reading, of what a wait
 *           takes), IST_E_LIMIT, IST_E_CORRUPT, IST_E_MEMORY, IST_E_SPACE, IST_E_OS.
 * Blocking: until one is signalled or the time is over.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: none that can be seen.
 * Source:   Win32 WaitForMultipleObjects.                                                                Since: 0.2
 */
IST_API ist_status ist_wait_any(const ist_waitable *const *items, size_t count, int64_t timeout_ns, size_t *index);

/**
 * Waits until all of several objects are signalled at one instant, and takes them all at that instant: no other process
 * ever sees a part taken, and nothing is taken from any object before, however the wait ends.
 * Shape:    count 1 to IST_WAIT_MAX, any mixture of kinds, no object twice, be it by two handles; timeout_ns as for
 *           ist_wait(). The caller's own mutexes count as free.
 * Owns:     on IST_OK and IST_ABANDONED what the wait took from each.
 * Errors:   IST_ABANDONED (not an error: at least one mutex was abandoned; all are owned), IST_TIMEOUT, IST_E_ARG (an
 *           object twice), IST_E_ACCESS (a handle for reading, of what a wait takes), IST_E_UNSUPPORTED (POSIX:
 *           objects of different scope, owner or audience), IST_E_LIMIT (POSIX: too many others at it at once),
 *           IST_E_CORRUPT, IST_E_MEMORY, IST_E_SPACE, IST_E_OS.
 * Blocking: until all are signalled together or the time is over; a set that is reset before the others come releases
 *           nobody here.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: POSIX: of one scope, owner and audience only (isthmus/traits.h: wait_all_mixed).
 * Source:   Win32 WaitForMultipleObjects.                                                                Since: 0.2
 */
IST_API ist_status ist_wait_all(const ist_waitable *const *items, size_t count, int64_t timeout_ns);

/**
 * Signals one object - releases a mutex once or a semaphore by 1, sets an event - and waits for another.
 * Shape:    both not NULL; timeout_ns as for ist_wait(); `item` may be the same object as `signal`.
 * Owns:     what the wait took from `item`.
 * Errors:   those of ist_wait() for `item`, and IST_E_NOT_OWNER (a mutex of another's), IST_E_LIMIT (a semaphore at its
 *           maximum), IST_E_ACCESS (`signal` is a handle for reading), IST_E_ARG (`signal` is a timer). When the signal
 *           fails nothing is waited for. After IST_TIMEOUT the signal has been given.
 * Blocking: until `item` is signalled or the time is over.
 * Threads:  any thread; not a signal handler; not a vfork() child.
 * Platform: the two are not one instant: others may act on the signal before this thread waits. What no other thread
 *           can do on POSIX is to slip in between unseen: this thread counts as blocked for `item` from before the
 *           signal, so that a manual-reset event that is set and reset in answer to it releases it. Windows promises
 *           neither.
 * Source:   Win32 SignalObjectAndWait.                                                                   Since: 0.2
 */
IST_API ist_status ist_signal_and_wait(const ist_waitable *signal, const ist_waitable *item, int64_t timeout_ns);

IST_END_DECLS

#endif
