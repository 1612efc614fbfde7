/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The role "sync". sync.h has all the commands.
 */
#include "sync.h"

#include "clock.h"
#include "host.h"
#include "sync_calls.h"

#define SYNC_ROLE "sync"
#define WORDS_MAX 10
#define HOUR_NS INT64_C(3600000000000)

#if defined(ISTHMUS_STATIC)
/* A seam of core/plat.h: the shared library does not show it. */
bool plat_seam_recheck(int64_t interval_ns);
#endif

static void obey(char *line);
static void obey_lines(void);

/* ---- threads and processes ---- */

static void obey_copy(void *context, size_t index)
{
    char line[PEER_LINE_SIZE];
    (void)index;
    (void)snprintf(line, sizeof line, "%s", (const char *)context);
    obey(line);
}

static void do_threads(size_t count, char **words)
{
    char line[PEER_LINE_SIZE] = "";
    size_t length = 0;
    for (size_t i = 1; i < count; i++) {
        length += (size_t)snprintf(line + length, sizeof line - length, i > 1 ? " %s" : "%s", words[i]);
    }
    host_threads((size_t)strtoul(words[0], NULL, 10), obey_copy, line);
}

static void enter(void *context, size_t index)
{
    (void)context;
    (void)index;
    peer_answer("in");
    obey_lines();
}

static void do_enter(size_t count, char **words)
{
    (void)count;
    (void)words;
    host_threads(1, enter, NULL);
    peer_answer("out");
}

static void do_fork(size_t count, char **words)
{
    (void)count;
    (void)words;
    switch (peer_fork()) {
    case PEER_CHILD:
        peer_answer("child");
        break;
    case PEER_PARENT:
        peer_answer("parent");
        break;
    default:
        peer_answer("no fork");
    }
}

static void do_become(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_become(SYNC_ROLE "-again");
    peer_answer("no");
}

static void do_heir(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_leave_heir("heir");
}

static void do_patient(size_t count, char **words)
{
    (void)count;
    (void)words;
#if defined(ISTHMUS_STATIC)
    peer_answer("%s", plat_seam_recheck(HOUR_NS) ? "yes" : "no");
#else
    peer_answer("no");
#endif
}

static void do_exit(size_t count, char **words)
{
    (void)count;
    (void)words;
    exit(0);
}

static void do_vanish(size_t count, char **words)
{
    (void)count;
    (void)words;
    peer_vanish();
}

/* ---- the role ---- */

static const sync_command commands[] = {
    {"threads", 2, do_threads}, {"enter", 0, do_enter}, {"fork", 0, do_fork},     {"become", 0, do_become},
    {"heir", 0, do_heir},       {"exit", 0, do_exit},   {"vanish", 0, do_vanish}, {"patient", 0, do_patient},
};

static size_t split(char *line, char **words)
{
    size_t count = 0;
    char *at = line;
    while (count < WORDS_MAX && *at != '\0') {
        words[count++] = at;
        at += strcspn(at, " ");
        if (*at == ' ') {
            *at++ = '\0';
        }
    }
    return count;
}

static bool obey_one(const sync_command *list, size_t length, size_t count, char **words)
{
    for (size_t i = 0; i < length; i++) {
        if (count > list[i].least_words && strcmp(words[0], list[i].verb) == 0) {
            list[i].run(count - 1, words + 1);
            return true;
        }
    }
    return false;
}

static void obey(char *line)
{
    char *words[WORDS_MAX];
    size_t count = split(line, words);
    if (!obey_one(sync_calls, sync_calls_count, count, words) &&
        !obey_one(commands, COUNT_OF(commands), count, words)) {
        peer_answer("what?");
    }
}

static void obey_lines(void)
{
    char line[PEER_LINE_SIZE];
    while (peer_listen(line) && strcmp(line, "leave") != 0) {
        obey(line);
    }
}

static int run_sync(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    obey_lines();
    return 0;
}

static int run_again(int argc, char **argv)
{
    peer_answer("again");
    return run_sync(argc, argv);
}

const peer_role sync_roles[] = {{SYNC_ROLE, run_sync}, {SYNC_ROLE "-again", run_again}};
const size_t sync_role_count = COUNT_OF(sync_roles);

/* ---- the test's side ---- */

peer *sync_start(void)
{
    return peer_start(SYNC_ROLE, (const char *)NULL);
}

peer *sync_start_patient(void)
{
    char answer[PEER_LINE_SIZE];
    peer *who = sync_start();
    peer_query(who, answer, "patient");
    return who;
}

void sync_block(peer *who)
{
    PEER_ASK(who, "waiting", "block forever");
    sync_pause();
}

void sync_pause(void)
{
    ist_event *never = NULL;
    CHECK_OK(ist_event_create(&never, NULL, NULL));
    CHECK_STATUS(IST_TIMEOUT, ist_wait(ist_event_waitable(never), 20 * CLOCK_MS));
    ist_event_close(never);
}

int64_t sync_bound_ns(void)
{
    return (int64_t)check_bound_ms() * CLOCK_MS;
}

void sync_hear_at(const char *file, int line, peer *who, const char *answer)
{
    char heard[PEER_LINE_SIZE];
    peer_hear(who, heard);
    if (strcmp(heard, answer) != 0) {
        check_fail_at(file, line, "peer %llu should have said \"%s\" and said \"%s\"", (unsigned long long)peer_id(who),
                      answer, heard);
    }
}

bool sync_hears(peer *who, const char *answer, const char *otherwise)
{
    char heard[PEER_LINE_SIZE];
    peer_hear(who, heard);
    if (strcmp(heard, answer) == 0) {
        return true;
    }
    assert_string_equal(heard, otherwise);
    return false;
}
