/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The words of an object: written by its maker, mapped and checked by whoever joins it.
 */
#include "posix/words.h"

#include <string.h>
#include <sys/mman.h>

#include "posix/access.h"
#include "posix/error.h"

bool words_are_taken(plat_kind kind, bool manual)
{
    return kind == PLAT_MUTEX || kind == PLAT_SEMAPHORE || !manual;
}

static uint64_t first_state(const plat_object_request *request, uint64_t me)
{
    switch (request->kind) {
    case PLAT_MUTEX:
        return me;
    case PLAT_SEMAPHORE:
        return request->initial;
    case PLAT_EVENT:
        return request->initially ? 1 : 0;
    default:
        return 0;
    }
}

void words_fill(const plat_object_request *request, bool global, uint64_t me, const claims *table, object_words *out)
{
    memset(out, 0, sizeof *out);
    out->state = first_state(request, me);
    out->claims = table != NULL ? claims_id(table) : 0;
    out->maximum = request->maximum;
    out->sort = request->manual_reset ? OBJECT_MANUAL : 0;
    if (global && access_modes_of(request->audience).life != 0) { /* who may only read */
        out->sort |= OBJECT_ALWAYS_WAKES;
        out->wake = 1;
    }
}

ist_status words_map(plat_object *object, plat_error *error)
{
    void *page = object->entry.life.page;

    if (access_modes_of((ist_audience)object->entry.header.audience).life != 0) {
        page = mmap(NULL, SEGMENT_HEADER_SIZE, object->access == IST_WRITE ? PROT_READ | PROT_WRITE : PROT_READ,
                    MAP_SHARED, object->entry.access.fd, 0);
        if (page == MAP_FAILED)
            return error_from_errno(error, "mmap");
        object->page = page;
    }
    object->words = (volatile object_words *)(void *)((char *)page + SEGMENT_WORDS_OFFSET);
    return IST_OK;
}

ist_status words_read(plat_object *object, uint64_t *table, plat_error *error)
{
    uint32_t sort = object->words->sort;
    bool sound = (sort & ~(OBJECT_MANUAL | OBJECT_ALWAYS_WAKES)) == 0;

    object->manual = (sort & OBJECT_MANUAL) != 0;
    object->always_wakes = (sort & OBJECT_ALWAYS_WAKES) != 0;
    object->maximum = object->words->maximum;
    *table = object->words->claims;
    if (object->kind == PLAT_SEMAPHORE)
        sound = sound && object->maximum >= 1 && object->maximum <= IST_SEMAPHORE_MAX;
    if (words_are_taken(object->kind, object->manual) != (*table != 0))
        sound = false;
    return sound ? IST_OK : error_refuse(error, IST_E_CORRUPT, "words", "%s", "");
}
