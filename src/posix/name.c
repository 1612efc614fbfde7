/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Names of directory entries.
 */
#include "posix/name.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "posix/sha256.h"

/* Letters that stand for themselves. Capitals do not: some file systems do not tell them from small ones; nor does
   anything past ASCII: some normalise it. */
static bool is_plain(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

static size_t escaped_length(const plat_name *name)
{
    size_t length = 0;

    for (size_t i = 0; i < name->length; i++)
        length += is_plain(name->text[i]) ? 1 : 3;
    return length;
}

static void escape(char *out, const plat_name *name)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < name->length; i++) {
        unsigned char byte = (unsigned char)name->text[i];

        if (is_plain((char)byte)) {
            *out++ = (char)byte;
        } else {
            *out++ = '%';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        }
    }
    *out = '\0';
}

void name_entry(char out[NAME_ENTRY_SIZE], const char *prefix, const plat_name *name)
{
    bool fits = escaped_length(name) <= NAME_ESCAPED_MAX;
    int used = snprintf(out, NAME_ENTRY_SIZE, "%s%c.", prefix, fits ? NAME_CLASS_NAMED : NAME_CLASS_HASHED);

    if (fits)
        escape(out + used, name);
    else
        sha256_hex(name->text, name->length, out + used);
}

void name_of_channel(plat_name *out, char text[NAME_CHANNEL_SIZE], const char *sort, const plat_channel_name *name)
{
    int used = snprintf(text, NAME_CHANNEL_SIZE, "%s\\%s", sort, name->text);

    for (int i = 0; i < used; i++)
        text[i] = plat_channel_small(text[i]);
    *out = (plat_name){text, (size_t)used, true};
}

/* ---- numbers ---- */

/* A child made by a raw clone runs no fork handler and would repeat its parent's numbers: the pid tells. */
static struct {
    pthread_mutex_t mutex;
    pid_t process;
    uint64_t random;
    uint32_t count;
} numbers = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0};

static uint64_t random_number(void)
{
    uint64_t number = 0;
    struct timespec now = {0, 0};

    if (getentropy(&number, sizeof number) == 0)
        return number;
    /* Only uniqueness is needed, and every use is exclusive and retried. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 32;
}

static void next_number(uint64_t *random, uint32_t *count)
{
    pid_t process = getpid();

    (void)pthread_mutex_lock(&numbers.mutex);
    if (numbers.process != process) {
        numbers.process = process;
        numbers.random = random_number();
        numbers.count = 0;
    }
    numbers.count++;
    *random = numbers.random;
    *count = numbers.count;
    (void)pthread_mutex_unlock(&numbers.mutex);
}

void name_unique(char out[NAME_ENTRY_SIZE], const char *prefix, char class_letter)
{
    uint64_t random = 0;
    uint32_t count = 0;

    next_number(&random, &count);
    (void)snprintf(out, NAME_ENTRY_SIZE, "%s%c.%016" PRIx64 "%08" PRIx32, prefix, class_letter, random, count);
}

uint64_t name_number(void)
{
    uint64_t random = 0;
    uint32_t count = 0;
    uint64_t number = 0;

    next_number(&random, &count);
    /* An odd factor keeps different counts different. */
    number = (random + count * 0x9E3779B97F4A7C15u) & ((UINT64_C(1) << 62) - 1);
    return number != 0 ? number : 1;
}
