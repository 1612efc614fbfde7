/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Ends.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "ends.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/clock.h"
#include "posix/gate.h"
#include "posix/registry.h"
#include "support/check.h"

#include "stage.h"

ends_desk *ends_told;
static int sockets[2];
int ends_memory = -1;
connection_shape ends_shape;
static lives *our_lives;
static uint64_t our_life;
player ends_client;
connection *ends_here; /* each process's end */
unsigned char *ends_source;
unsigned char *ends_sink;
plat_error ends_error;

volatile uint32_t ends_no_stop;
const patience ends_forever = {CLOCK_NEVER, &ends_no_stop, 0};
const patience ends_once = {0, &ends_no_stop, 0};

/* ---- ends ---- */

static lives *find_lives(void)
{
    scope where;
    lives *of = NULL;
    int entered = gate_enter();
    if (scope_use(true, &where, &ends_error) == IST_OK)
        of = lives_of(&where);
    gate_leave(entered);
    return of;
}

static void drop_end(void)
{
    if (ends_here != NULL)
        connection_release(ends_here);
    ends_here = NULL;
}

static ist_status open_end(bool server, uint64_t life)
{
    const connection_peer other_end = {
        (uint64_t)(server ? ends_client.pid : getppid()), geteuid(), our_lives, life, true, true};
    (void)close(sockets[server ? 1 : 0]);
    return connection_open(sockets[server ? 0 : 1], ends_memory, &ends_shape, server, true, true, &other_end,
                           &ends_here, &ends_error);
}

static int open_client(uintptr_t argument)
{
    (void)argument;
    (void)plat_seam_recheck(INT64_C(3600000000000));
    STAGE_IS(life_own(our_lives, &ends_told->life, &ends_error), IST_OK);
    STAGE_IS(open_end(false, our_life), IST_OK);
    return 0;
}

void ends_connect(bool messages)
{
    ends_shape = (connection_shape){messages, ENDS_QUOTA, ENDS_QUOTA};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    assert_int_equal(connection_memory(&ends_shape, &ends_memory, &ends_error), IST_OK);
    ends_client = player_start();
    player_ask(&ends_client, open_client, 0);
    assert_int_equal(open_end(true, ends_told->life), IST_OK);
}

void ends_part(void)
{
    drop_end();
    if (ends_client.pid != 0)
        player_kill(&ends_client);
    assert_int_equal(stage_failures(), 0);
}

int ends_setup(void **state)
{
    (void)state;
    (void)plat_seam_recheck(INT64_C(3600000000000));
    if (ends_told != NULL)
        return 0;
    ends_told = mmap(NULL, sizeof *ends_told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ends_source = malloc(ENDS_LARGEST + 1);
    ends_sink = malloc(ENDS_LARGEST + 1);
    our_lives = find_lives();
    if (ends_told == MAP_FAILED || ends_source == NULL || ends_sink == NULL || our_lives == NULL)
        return -1;
    for (size_t n = 0; n <= ENDS_LARGEST; n++)
        ends_source[n] = (unsigned char)(n % 251 + n / 65536);
    return life_own(our_lives, &our_life, &ends_error) == IST_OK ? 0 : -1;
}

int ends_teardown(void **state)
{
    (void)state;
    drop_end();
    if (ends_client.pid != 0)
        player_kill(&ends_client);
    return check_teardown(NULL);
}

/* ---- what both do ---- */

ist_status ends_put(size_t size)
{
    size_t written = 0;
    return connection_write(ends_here, ends_source, size, &ends_forever, &written, &ends_error);
}

ist_status ends_get(size_t *got)
{
    return connection_read(ends_here, ends_sink, ENDS_LARGEST, &ends_forever, got, &ends_error);
}

ist_status ends_try_get(size_t *got)
{
    return connection_read(ends_here, ends_sink, ENDS_LARGEST, &ends_once, got, &ends_error);
}

int ends_client_puts(uintptr_t size)
{
    return (int)ends_put((size_t)size);
}

int ends_client_gets(uintptr_t size)
{
    ist_status status =
        connection_read(ends_here, ends_sink, (size_t)size, &ends_forever, &ends_told->moved, &ends_error);
    STAGE_CHECK(memcmp(ends_sink, ends_source, ends_told->moved) == 0);
    return (int)status;
}

int ends_client_gets_rest(uintptr_t size)
{
    return (int)connection_read(ends_here, ends_sink, (size_t)size, &ends_forever, &ends_told->moved, &ends_error);
}

int ends_client_closes(uintptr_t drops)
{
    if (drops != 0)
        connection_drop(ends_here);
    else
        connection_close(ends_here);
    return 0;
}

void ends_get_whole(size_t size)
{
    size_t got = 1;
    assert_int_equal(ends_get(&got), IST_OK);
    assert_int_equal(got, size);
    assert_memory_equal(ends_sink, ends_source, size);
}

/* ---- messages at random ---- */

uint32_t ends_random(uint32_t *seed)
{
    *seed = *seed * UINT32_C(1664525) + UINT32_C(1013904223);
    return *seed >> 8;
}

/* Its first four bytes are its sum. */
size_t ends_make_message(uint32_t *seed, unsigned char *out)
{
    size_t size = ends_random(seed) % (ends_random(seed) % 200 == 0 ? ENDS_MESSAGE_MAX : 300);
    uint32_t sum = 0;
    if (size < 4)
        return size;
    for (size_t n = 4; n < size; n++) {
        out[n] = (unsigned char)ends_random(seed);
        sum = sum * 31 + out[n];
    }
    memcpy(out, &sum, 4);
    return size;
}

bool ends_is_message(const unsigned char *data, size_t size)
{
    uint32_t sum = 0;
    if (size < 4)
        return true;
    for (size_t n = 4; n < size; n++)
        sum = sum * 31 + data[n];
    return memcmp(data, &sum, 4) == 0;
}
ist_status ends_get_for(int64_t length, size_t *got)
{
    const patience until = {clock_steady() + length, &ends_no_stop, 0};
    return connection_read(ends_here, ends_sink, ENDS_LARGEST, &until, got, &ends_error);
}
