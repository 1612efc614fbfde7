/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The words of a pipe.
 */
#include "posix/instance.h"

#include <string.h>
#include <sys/mman.h>

#include "posix/access.h"
#include "posix/clock.h"
#include "posix/error.h"
#include "posix/lock.h"

/* ---- words ---- */

void pipe_words_fill(const plat_pipe_request *request, pipe_words *out)
{
    memset(out, 0, sizeof *out);
    out->type = (uint32_t)request->type;
    out->direction = (uint32_t)request->direction;
    out->instances_max = request->instances;
    out->inbound_bytes = request->inbound_bytes;
    out->outbound_bytes = request->outbound_bytes;
    out->next = 1;
    out->made = clock_steady();
}

ist_status pipe_view_map(const registry_entry *entry, bool writable, pipe_view *out, plat_error *error)
{
    char *life_page = entry->life.page;
    void *page = life_page;

    *out = (pipe_view){NULL, NULL, NULL};
    if (access_modes_of((ist_audience)entry->header.audience).life != 0) {
        page = mmap(NULL, SEGMENT_HEADER_SIZE, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                    entry->access.fd, 0);
        if (page == MAP_FAILED)
            return error_from_errno(error, "mmap");
        out->page = page;
    }
    out->words = (volatile pipe_words *)(void *)((char *)page + SEGMENT_WORDS_OFFSET);
    out->bells = ((volatile pipe_words *)(void *)(life_page + SEGMENT_WORDS_OFFSET))->bells;
    return IST_OK;
}

void pipe_view_unmap(pipe_view *view)
{
    if (view->page != NULL)
        (void)munmap(view->page, SEGMENT_HEADER_SIZE);
    *view = (pipe_view){NULL, NULL, NULL};
}

static bool is_buffer(uint32_t bytes)
{
    return bytes >= IST_PIPE_BUFFER_MIN && bytes <= IST_PIPE_BUFFER_MAX;
}

ist_status pipe_plan_read(const pipe_view *view, pipe_plan *out, plat_error *error)
{
    uint32_t type = view->words->type;
    uint32_t direction = view->words->direction;

    *out = (pipe_plan){(ist_pipe_type)type, (ist_pipe_direction)direction, view->words->instances_max,
                       view->words->inbound_bytes, view->words->outbound_bytes};
    if (type > IST_PIPE_MESSAGE || direction > IST_PIPE_OUTBOUND || out->instances_max > IST_PIPE_INSTANCES_MAX ||
        !is_buffer(out->inbound_bytes) || !is_buffer(out->outbound_bytes))
        return error_refuse(error, IST_E_CORRUPT, "words of a pipe", "%s", "");
    return IST_OK;
}

bool pipe_plan_allows(const pipe_plan *plan, ist_access access)
{
    return !((access & IST_READ) != 0 && plan->direction == IST_PIPE_INBOUND) &&
           !((access & IST_WRITE) != 0 && plan->direction == IST_PIPE_OUTBOUND);
}

bool pipe_is_only_read(const registry_entry *entry, uid_t user)
{
    return user != 0 && user != entry->owner && access_modes_of((ist_audience)entry->header.audience).life != 0;
}

/* ---- slots ---- */

static uint64_t byte_of(uint32_t slot)
{
    return LOCK_HANDLE + 1 + slot;
}

static uint32_t most_of(uint32_t instances_max)
{
    return instances_max != 0 ? instances_max : INSTANCE_MOST;
}

static ist_status taken(const pipe_view *view, uint32_t slot)
{
    uint32_t slots = atomic_load_u32(&view->words->slots);

    while (slots <= slot && !atomic_swap_u32(&view->words->slots, &slots, slot + 1))
        continue;
    atomic_store_u32(&view->words->hint, slot + 1);
    return IST_OK;
}

/* A maker that was killed before it had its slot must not keep it for good; one that was only stopped takes another. */
#define MAKER_NS INT64_C(1000000000)

static bool is_opened(const pipe_view *view)
{
    int64_t age = clock_steady() - view->words->made;

    return atomic_load_u32(&view->words->opened) != 0 || age < 0 || age > MAKER_NS;
}

ist_status instance_take_slot(const registry_entry *entry, const pipe_view *view, uint32_t instances_max, bool maker,
                              uint32_t *slot, plat_error *error)
{
    uint32_t most = most_of(instances_max);
    uint32_t begin = maker ? 0 : atomic_load_u32(&view->words->hint) % most;
    bool opened = maker || is_opened(view);

    for (uint32_t n = 0; n < most; n++) {
        ist_status status = IST_TIMEOUT;

        *slot = (begin + n) % most;
        if (*slot != 0 || opened)
            status = lock_try_alone(entry->hold.fd, byte_of(*slot), error);
        if (status == IST_OK && maker)
            atomic_store_u32(&view->words->opened, 1);
        if (status != IST_TIMEOUT)
            return status == IST_OK ? taken(view, *slot) : status;
    }
    return error_refuse(error, IST_E_LIMIT, "instances", "there are %u", (unsigned)most);
}

void instance_give_slot(const pipe_view *view, uint32_t slot)
{
    uint32_t hint = atomic_load_u32(&view->words->hint);

    while (hint > slot && !atomic_swap_u32(&view->words->hint, &hint, slot))
        continue;
}

bool instance_has_slot(int fd, uint32_t slot)
{
    return lock_byte_is_held(fd, byte_of(slot));
}

uint32_t instance_count(const registry_entry *entry, const pipe_view *view, uint32_t instances_max)
{
    uint32_t slots = atomic_load_u32(&view->words->slots);
    uint32_t count = 0;

    if (!LOCK_ASKS_WITHOUT_TAKING)
        return 0;
    if (slots > most_of(instances_max))
        slots = most_of(instances_max);
    for (uint32_t slot = 0; slot < slots; slot++)
        count += instance_has_slot(entry->access.fd, slot) ? 1 : 0;
    return count;
}

/* ---- listening ---- */

uint64_t instance_next(const pipe_view *view)
{
    uint64_t next = atomic_load_u64(&view->words->next);

    while (!atomic_swap_u64(&view->words->next, &next, next + 1))
        continue;
    return next;
}

void instance_forget_life(const pipe_view *view, uint32_t slot, uint64_t life)
{
    uint64_t seen = life;

    (void)atomic_swap_u64(&view->words->lives[slot % INSTANCE_LIVES], &seen, 0);
}

/* Clients may only be able to read: they sleep without saying so. */
void instance_tell(const pipe_view *view)
{
    (void)atomic_add_u32(&view->words->vacancy, 1);
    word_wake(&view->words->vacancy);
}

void instance_watch(const pipe_view *view, const registry_entry *entry, lives *of, life_watch *watch)
{
    *watch = (life_watch){{NULL, 0}, NULL};
    for (size_t n = 0; n < INSTANCE_LIVES && of != NULL && watch->word.word == NULL; n++) {
        uint64_t id = atomic_load_u64(&view->words->lives[n]);

        if (id != 0 && id >> LIFE_ID_BITS == 0)
            (void)life_has_ended(of, id, entry, watch);
    }
}

/* ---- bells ---- */

word_watch bell_announce(volatile uint32_t *bell)
{
    uint32_t seen = atomic_load_u32(bell);

    while ((seen & 1) == 0 && !atomic_swap_u32(bell, &seen, seen | 1))
        continue;
    return (word_watch){bell, seen | 1};
}

/* Where the swap fails somebody else is at it, who may die before he wakes anybody. */
void bell_ring(volatile uint32_t *bell)
{
    uint32_t seen = atomic_load_u32(bell);

    if ((seen & 1) != 0) {
        (void)atomic_swap_u32(bell, &seen, (seen + 2) & ~UINT32_C(1));
        word_wake(bell);
    }
}
