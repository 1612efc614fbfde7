/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * A writer's handle: whether the reader is still there, and the write.
 */
#include "posix/mailslot.h"

#include <errno.h>
#include <sys/stat.h>

#include "core/atomic.h"
#include "posix/clock.h"
#include "posix/error.h"
#include "posix/gate.h"
#include "posix/reap.h"

/* ---- is there a reader? ---- */

/* About milliseconds: what several threads share has 32 bits. */
static uint32_t in_ticks(int64_t ns)
{
    return (uint32_t)((uint64_t)ns >> 20);
}

/* A handle whose descriptors the program has closed can still ask by name. A doubt is a yes; that another object has
   the name, or none, is none: what somebody holds keeps its name. */
static bool is_held_by_name(const registry_entry *entry)
{
    registry_entry named = *entry;
    struct stat facts;
    plat_error ignored;
    bool held = true;

    if (scope_again(&entry->where, &named.where, &ignored) != IST_OK || named.where.turn != entry->where.turn)
        return true;
    named.access.fd = segment_open(named.where.directory, named.name);
    if (named.access.fd < 0)
        return errno != ENOENT;
    if (fstat(named.access.fd, &facts) == 0)
        held = facts.st_ino == entry->access.inode && facts.st_dev == entry->access.device && reap_is_held(&named);
    descriptor_drop(named.access.fd);
    return held;
}

static bool ask_for_reader(const plat_mailslot *slot)
{
    const registry_entry *entry = &slot->object.entry;
    int entered = gate_enter();
    bool held = descriptor_is_ours(&entry->access, NULL) ? reap_is_held(entry) : is_held_by_name(entry);

    gate_leave(entered);
    return held;
}

/* That the thread has ended which made the slot does not say that its process has, nor a child that holds it, too. */
static bool is_to_ask(plat_mailslot *slot)
{
    const word_watch *word = &slot->watch.word;
    uint32_t now = 0;

    if (word->word != NULL && atomic_load_u32(word->word) != word->value)
        atomic_store_u32(&slot->watch_over, 1);
    if (atomic_load_u32(&slot->watch_over) != 0)
        return true;
    now = in_ticks(clock_steady());
    if (now - atomic_load_u32(&slot->asked) <= in_ticks(clock_recheck()))
        return false;
    atomic_store_u32(&slot->asked, now);
    return true;
}

/* Once it is gone it never comes back: another slot of the name is another object. */
static bool has_reader(plat_mailslot *slot)
{
    if (atomic_load_u32(&slot->broken) != 0)
        return false;
    if (atomic_load_u32(slot->object.entry.life.word) != 0 && (!is_to_ask(slot) || ask_for_reader(slot)))
        return true;
    atomic_store_u32(&slot->broken, 1);
    return false;
}

/* ---- write ---- */

/* Edge: publish, then the wake word; its partner announces, then looks. Both are full barriers. */
ist_status plat_mailslot_write(plat_mailslot *slot, const void *data, size_t size, plat_error *error)
{
    const mail *queue = &slot->queue;
    ist_status status = IST_OK;

    if (!has_reader(slot))
        return error_refuse(error, IST_E_BROKEN, "reader", "%s", "gone");
    if (size > mail_limit(queue))
        return error_refuse(error, IST_E_SIZE, "size", "at most %lu", (unsigned long)mail_limit(queue));
    status = mail_write(queue, &slot->writer, data, size, error);
    if (status == IST_OK && (atomic_load_u32(&queue->tops->wake) & 1) != 0)
        mailslot_wake(queue);
    return status;
}
