/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A handle to a mailslot from the inside.
 */
#ifndef ISTHMUS_POSIX_MAILSLOT_H
#define ISTHMUS_POSIX_MAILSLOT_H

#include "posix/mail.h"
#include "posix/object.h"
#include "posix/turn.h"

struct plat_mailslot {
    plat_object object; /* also a writer's, for its entry */
    mail queue;
    turn turn; /* of the reader's threads */
    volatile uint32_t cancels;
    mail_writer writer;
    life_watch watch;             /* on the thread that made it */
    volatile uint32_t watch_over; /* that thread has ended; whether its process has is asked at each write */
    volatile uint32_t asked;      /* when, last: in_ticks() */
    volatile uint32_t broken;
};

/* What a wait needs of the reader's handle. */
IST_HIDDEN extern const channel_face mailslot_face;

/* Wakes the reader's sleepers. The word moves before the wake, so that who is on the way to sleep does not. */
void mailslot_wake(const mail *queue);

/* Unmaps the queue and gives the memory back: the entry is closed already. */
void mailslot_free(plat_mailslot *slot);

#endif
