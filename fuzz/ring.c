/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Both sides of a pipe's ring against a peer that writes anything into the words and the data, again and again between
 * their calls (A3). The input is a program: the first byte is the sort of ring; then each byte is a step, and what it
 * needs is in those that follow.
 */
#include <stdlib.h>
#include <string.h>

#include "posix/ring.h"

#define QUOTA_SMALL 64
#define QUOTA_USUAL 4096
#define BUFFER 16384

typedef struct input {
    const uint8_t *at;
    size_t left;
} input;

static ring_words words;
static ring_side sides[2];
static ring writer;
static ring reader;
static unsigned char *buffer;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* ---- input ---- */

static uint32_t next(input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static uint32_t next_size(input *in)
{
    uint32_t low = next(in);

    return (low | next(in) << 8) % BUFFER;
}

/* ---- the peer ---- */

static void change_word(input *in)
{
    uint64_t *at = (uint64_t *)&words + next(in) % (sizeof words / sizeof(uint64_t));
    uint32_t how = next(in);
    uint64_t value = 0;

    for (int n = 0; n < 8 && n < (int)(how % 9); n++)
        value = value << 8 | next(in);
    if (how >= 128)
        value += *at;
    memcpy(at, &value, sizeof value);
}

static void change_data(input *in)
{
    uint64_t at = next_size(in);
    uint32_t count = next(in) % 16;

    for (; count != 0; count--)
        writer.data[at++ % writer.capacity] = (unsigned char)next(in);
}

/* ---- this side ---- */

static void check(bool fact)
{
    if (!fact)
        abort();
}

static void check_status(ist_status status)
{
    check(status == IST_OK || status == IST_MORE || status == IST_TIMEOUT || status == IST_E_CORRUPT ||
          status == IST_E_BROKEN);
}

/* Into memory of exactly the size asked for. */
static void read_some(size_t size)
{
    unsigned char *out = malloc(size + 1);
    size_t got = 0;
    plat_error error;
    ist_status status = IST_OK;

    if (out == NULL)
        return;
    status = ring_read(&reader, out, size + 1, &got, &error);
    check_status(status);
    check(got <= size + 1);
    check(got == 0 || status == IST_OK || status == IST_MORE);
    free(out);
}

static void peek_some(size_t size, bool offers)
{
    unsigned char *out = malloc(size + 1);
    ist_pipe_peeked peeked = IST_PIPE_PEEKED_INIT;
    plat_error error;

    if (out == NULL)
        return;
    check_status(ring_peek(&reader, offers, out, size, &peeked, &error));
    check(peeked.copied_bytes <= size);
    check(peeked.available_bytes <= 2 * (uint64_t)RING_MESSAGE_MAX + reader.capacity);
    free(out);
}

static void write_some(size_t size)
{
    size_t put = 0;
    plat_error error;
    ist_status status = ring_resume(&writer, &error);

    check_status(status);
    if (writer.messages && size > writer.quota)
        size = writer.quota;
    if (status == IST_OK)
        check_status(ring_write(&writer, buffer, size, &put, &error));
    check(put <= size);
}

static size_t offered;

static void offer(size_t size)
{
    plat_error error;

    if (!writer.messages || ring_resume(&writer, &error) != IST_OK)
        return;
    size += writer.quota + 1;
    offered = size <= BUFFER && ring_offer(&writer, buffer, size, &error) == IST_OK ? size : 0;
}

static void send_more(void)
{
    bool moved = false;
    plat_error error;
    ist_status status = offered != 0 ? ring_send(&writer, buffer, offered, &moved, &error) : IST_TIMEOUT;

    check_status(status);
    if (status != IST_TIMEOUT) {
        (void)ring_withdraw(&writer);
        offered = 0;
    }
}

static void withdraw(void)
{
    (void)ring_withdraw(&writer);
    offered = 0;
}

static void look(void)
{
    plat_error error;

    (void)ring_has_data(&reader);
    (void)ring_has_offer(&reader);
    (void)ring_is_read(&writer, ring_place(&writer));
    check_status(ring_take(&reader, &error));
}

static void step(input *in)
{
    switch (next(in) % 9) {
    case 0:
        change_word(in);
        break;
    case 1:
        change_data(in);
        break;
    case 2:
        write_some(next_size(in));
        break;
    case 3:
        offer(next_size(in));
        break;
    case 4:
        send_more();
        break;
    case 5:
        withdraw();
        break;
    case 6:
        look();
        break;
    case 7:
        peek_some(next_size(in), (in->left & 1) != 0);
        break;
    default:
        read_some(next_size(in));
    }
}

/* ---- one input ---- */

static bool begin(uint32_t sort)
{
    uint32_t quota = (sort & 2) != 0 ? QUOTA_SMALL : QUOTA_USUAL;

    memset(&words, 0, sizeof words);
    memset(sides, 0, sizeof sides);
    offered = 0;
    writer = (ring){&words, NULL, ring_capacity(quota), quota, (sort & 1) != 0, &sides[0]};
    writer.data = calloc(1, (size_t)writer.capacity);
    reader = writer;
    reader.side = &sides[1];
    if (buffer == NULL)
        buffer = calloc(1, BUFFER);
    return writer.data != NULL && buffer != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input in = {bytes, size};

    if (begin(next(&in))) {
        /* As a program finds them that has inherited the end. */
        if (in.left != 0 && (*in.at & 0x80) != 0)
            for (size_t n = 0; n < sizeof words / sizeof(uint64_t); n++)
                change_word(&in);
        ring_begin_writer(&writer);
        ring_begin_reader(&reader);
        while (in.left != 0)
            step(&in);
    }
    free(writer.data);
    return 0;
}
