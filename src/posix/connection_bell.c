/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The bell: one byte on the socket says to an event loop that there is something in the ring. It is armed in new memory
 * and rung once; it is armed again by reads that find nothing, once somebody has asked for the socket. Nothing else is
 * sent on the socket after the hello.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "posix/clock.h"
#include "posix/connection_end.h"

#if !defined(MSG_NOSIGNAL)
#define MSG_NOSIGNAL 0 /* the socket's own option keeps the signal away there */
#endif

/* A peer that sends more than this in one go leaves the socket readable. */
#define MOST_RECEIVED 64

/* ---- the peer ---- */

/* So long the socket's word that the peer is there is not asked for again. */
#define STAYS UINT64_C(1000000)

/* A number that is not ours any more says nothing until connection_doubt() finds it out, or that somebody else's peer
   is gone: then ours can hardly be reached. */
bool connection_peer_is_gone(const connection *of)
{
    connection *end = (connection *)(uintptr_t)of;
    int64_t begun = clock_steady();
    struct pollfd asked = {-1, 0, 0};
    int found = -1;
    bool gone = false;

    turn_take_shortly(&end->socket_lock);
    asked.fd = of->socket.fd;
    do
        found = asked.fd >= 0 ? poll(&asked, 1, 0) : 0;
    while (found < 0 && errno == EINTR);
    turn_give(&end->socket_lock);
    gone = asked.fd < 0 || (found > 0 && (asked.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0);
    if (!gone && found >= 0)
        atomic_store_u64(&end->seen_there, (uint64_t)begun);
    return gone;
}

/* Edge: the sleeper says that he sleeps, then looks here; its partner says that it parts, and then moves the word that
   he sleeps on. An end that was killed is seen by its life. */
bool connection_peer_may_be_gone(const connection *of)
{
    return atomic_load_u32(&of->words->parted) != 0 ||
           (uint64_t)clock_steady() - atomic_load_u64(&of->seen_there) >= STAYS;
}

void connection_doubt(connection *of)
{
    turn_take_shortly(&of->socket_lock);
    if (!descriptor_is_ours(&of->socket, NULL))
        of->socket = DESCRIPTOR_NONE;
    turn_give(&of->socket_lock);
}

/* ---- ringing ---- */

/* It is said to be ringing before it sounds: a process that has the end too, and finds it so, rings again, since who
   said so may have been killed. It is said to be rung only where nobody has armed it meanwhile: a reader who had heard
   it would then wait for a bell that is said to be rung. */
void connection_ring_bell(connection *of)
{
    volatile uint32_t *bell = &of->out.words->bell;
    uint32_t seen = atomic_load_u32(bell);

    if (seen != RING_RINGING && seen != RING_ARMED)
        return;
    turn_take_shortly(&of->socket_lock);
    if (seen == RING_RINGING || atomic_swap_u32(bell, &seen, RING_RINGING)) {
        if (descriptor_is_ours(&of->socket, NULL))
            (void)send(of->socket.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        seen = RING_RINGING;
        (void)atomic_swap_u32(bell, &seen, RING_RUNG);
    }
    turn_give(&of->socket_lock);
}

/* Edge: the bytes are taken and the bell is armed, then the ring is looked at again; its partner is the writer's, who
   moves head and then looks at the bell. */
void connection_arm_bell(connection *of)
{
    char bytes[256];
    ssize_t got = (ssize_t)sizeof bytes;

    turn_take_shortly(&of->socket_lock);
    if (descriptor_is_ours(&of->socket, NULL))
        for (int i = 0; i < MOST_RECEIVED && got == (ssize_t)sizeof bytes; i++)
            got = recv(of->socket.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    turn_give(&of->socket_lock);
    atomic_store_u32(&of->in.words->bell, RING_ARMED);
}
