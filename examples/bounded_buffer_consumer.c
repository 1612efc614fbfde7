/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Takes the numbers out of the buffer that bounded_buffer_producer puts them into, until the end comes. Either program
 * may start first.
 *
 * Who is killed may be followed by another, which goes on where it was. One thing that cannot mend: a semaphore does
 * not give back what the dead had taken from it, so that the buffer may have a place or a number less from then on.
 * What must not be lost is better guarded by a mutex alone, which tells of the death.
 */
#include <isthmus/isthmus.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PLACES 4u

/* What is in the mapping; bounded_buffer_producer has the same. New memory is zero, which is an empty buffer. */
typedef struct shared_buffer {
    uint32_t put;   /* how many have been put in, by the producer */
    uint32_t taken; /* how many have been taken out, by the consumer */
    uint32_t numbers[PLACES];
} shared_buffer;

#define THE_END 0u /* no number: nothing comes after it */

typedef struct channel {
    ist_mapping *memory;
    ist_view view;
    ist_semaphore *free_places;
    ist_semaphore *filled_places;
    ist_mutex *mutex;
} channel;

static int failed(const char *what, ist_status status)
{
    ist_detail detail;

    ist_error_detail(&detail);
    fprintf(stderr, "%s: %s (%s), %s: code %lu %s\n", what, ist_status_text(status), ist_status_name(status),
            detail.call, (unsigned long)detail.code, detail.note);
    return 1;
}

/* Creates what is not there yet, and opens the rest. */
static ist_status open_channel(channel *out)
{
    ist_semaphore_options all_free = IST_SEMAPHORE_OPTIONS_INIT;
    ist_status status = ist_mapping_create(&out->memory, "Local\\BoundedBuffer", sizeof(shared_buffer), NULL);

    all_free.initial = PLACES;
    if (status >= 0)
        status = ist_mapping_view(out->memory, IST_WRITE, 0, sizeof(shared_buffer), &out->view);
    if (status >= 0)
        status = ist_semaphore_create(&out->free_places, "Local\\BoundedBuffer.free", &all_free);
    if (status >= 0)
        status = ist_semaphore_create(&out->filled_places, "Local\\BoundedBuffer.filled", NULL);
    if (status >= 0)
        status = ist_mutex_create(&out->mutex, "Local\\BoundedBuffer.mutex", NULL);
    return status;
}

static void close_channel(channel *it)
{
    ist_mutex_close(it->mutex);
    ist_semaphore_close(it->filled_places);
    ist_semaphore_close(it->free_places);
    ist_view_unmap(&it->view);
    ist_mapping_close(it->memory);
}

/* The number is read before the count says that it is taken; an abandoned mutex (IST_ABANDONED) needs no repair. */
static ist_status take(channel *from, uint32_t *number)
{
    shared_buffer *buffer = from->view.data;
    ist_status status = ist_wait(ist_semaphore_waitable(from->filled_places), IST_FOREVER);

    if (status >= 0)
        status = ist_mutex_acquire(from->mutex, IST_FOREVER);
    if (status < 0)
        return status;
    if (status == IST_ABANDONED)
        printf("The producer was killed while it held the mutex; the buffer is sound.\n");
    *number = buffer->numbers[buffer->taken % PLACES];
    buffer->taken++;
    status = ist_mutex_release(from->mutex);
    return status >= 0 ? ist_semaphore_release(from->free_places, 1, NULL) : status;
}

static int consume(channel *from)
{
    unsigned long count = 0;
    uint64_t sum = 0;
    uint32_t number = 0;
    ist_status status = take(from, &number);

    while (status >= 0 && number != THE_END) {
        printf("Took %lu\n", (unsigned long)number);
        fflush(stdout);
        count++;
        sum += number;
        status = take(from, &number);
    }
    if (status < 0)
        return failed("Could not take a number out of the buffer", status);
    printf("%lu numbers, %" PRIu64 " in sum.\n", count, sum);
    return 0;
}

int main(void)
{
    channel from;
    ist_status status = IST_OK;
    int result = 0;

    memset(&from, 0, sizeof from);
    status = open_channel(&from);
    result = status < 0 ? failed("Could not open the buffer", status) : consume(&from);
    close_channel(&from);
    return result;
}
