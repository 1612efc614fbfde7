/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Puts numbers into a buffer of four places that bounded_buffer_consumer takes them out of: a file mapping, a semaphore
 * that counts the free places, one that counts the filled ones, and a mutex. Either program may start first; whichever
 * does makes the four objects.
 *
 * usage: bounded_buffer_producer [HOW_MANY]
 */
#include <isthmus/isthmus.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 4u
#define USUAL 20
#define MOST 1000000

/* What is in the mapping; bounded_buffer_consumer has the same. New memory is zero, which is an empty buffer. */
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

/* The count is what publishes the number: who is killed in between has put nothing. That is why an abandoned mutex
   (status IST_ABANDONED) needs no repair here. */
static ist_status put(channel *to, uint32_t number)
{
    shared_buffer *buffer = to->view.data;
    ist_status status = ist_wait(ist_semaphore_waitable(to->free_places), IST_FOREVER);

    if (status >= 0)
        status = ist_mutex_acquire(to->mutex, IST_FOREVER);
    if (status < 0)
        return status;
    if (status == IST_ABANDONED)
        printf("The consumer was killed while it held the mutex; the buffer is sound.\n");
    buffer->numbers[buffer->put % PLACES] = number;
    buffer->put++;
    status = ist_mutex_release(to->mutex);
    return status >= 0 ? ist_semaphore_release(to->filled_places, 1, NULL) : status;
}

static int produce(channel *to, uint32_t count)
{
    ist_status status = IST_OK;

    for (uint32_t number = 1; number <= count && status >= 0; number++) {
        status = put(to, number);
        if (status >= 0) {
            printf("Put %lu\n", (unsigned long)number);
            fflush(stdout);
        }
    }
    if (status >= 0)
        status = put(to, THE_END);
    if (status < 0)
        return failed("Could not put a number into the buffer", status);
    printf("Put the end.\n");
    return 0;
}

int main(int argc, char **argv)
{
    channel to;
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : USUAL;
    ist_status status = IST_OK;
    int result = 0;

    if (argc > 2 || count < 1 || count > MOST) {
        fprintf(stderr, "usage: bounded_buffer_producer [HOW_MANY], 1 to %d\n", MOST);
        return 2;
    }
    memset(&to, 0, sizeof to);
    status = open_channel(&to);
    result = status < 0 ? failed("Could not open the buffer", status) : produce(&to, (uint32_t)count);
    close_channel(&to);
    return result;
}
