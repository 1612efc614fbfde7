/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Peers, the part that is the same on every system: lines, the list of those that live, and the main of every test.
 */
#include "peer.h"

#include "holder.h"
#include "peer_os.h"

#define PEERS_MAX 512
#define ARGUMENTS_MAX 12
#define PEER_FLAG "--peer"

struct peer {
    peer_os os;
    char heard[PEER_LINE_SIZE]; /* bytes that no line has been made of */
    size_t heard_size;
    size_t place; /* in the list */
};

static peer *all_peers[PEERS_MAX];

/* ---- the test's side ---- */

static peer *peer_new(void)
{
    for (size_t place = 0; place < PEERS_MAX; place++) {
        if (all_peers[place] == NULL) {
            peer *who = calloc(1, sizeof *who);
            assert_non_null(who);
            who->place = place;
            who->os.input = -1;
            who->os.output = -1;
            all_peers[place] = who;
            return who;
        }
    }
    CHECK_FAIL("more than %d peers", PEERS_MAX);
    return NULL;
}

void peer_forget(peer *who)
{
    peer_os_close_input(&who->os);
    peer_os_close_output(&who->os);
    all_peers[who->place] = NULL;
    free(who);
}

static peer *start(bool inherits, const char *role, va_list arguments)
{
    const char *words[ARGUMENTS_MAX + 3] = {PEER_FLAG, role};
    size_t count = 2;
    for (const char *word = va_arg(arguments, const char *); word != NULL; word = va_arg(arguments, const char *)) {
        assert_true(count < ARGUMENTS_MAX + 2);
        assert_null(strpbrk(word, " \"\t\n"));
        words[count++] = word;
    }
    peer *who = peer_new();
    who->os.inherits = inherits;
    if (!peer_os_start(&who->os, words)) {
        peer_forget(who);
        CHECK_FAIL("no peer in the role %s could be started", role);
    }
    return who;
}

peer *peer_start(const char *role, ...)
{
    va_list arguments;
    va_start(arguments, role);
    peer *who = start(false, role, arguments);
    va_end(arguments);
    return who;
}

peer *peer_start_inheriting(const char *role, ...)
{
    va_list arguments;
    va_start(arguments, role);
    peer *who = start(true, role, arguments);
    va_end(arguments);
    return who;
}

peer *peer_start_holder(void)
{
    return peer_start(HOLDER_ROLE, (const char *)NULL);
}

uint64_t peer_id(const peer *who)
{
    return who->os.id;
}

static void say(peer *who, const char *format, va_list arguments)
{
    char line[PEER_LINE_SIZE];
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    assert_true(length >= 0 && (size_t)length < sizeof line - 1);
    line[length] = '\n';
    if (!peer_os_write(&who->os, line, (size_t)length + 1)) {
        line[length] = '\0';
        CHECK_FAIL("peer %llu no longer hears \"%s\"", (unsigned long long)who->os.id, line);
    }
}

void peer_say(peer *who, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(who, format, arguments);
    va_end(arguments);
}

/* Takes a line out of what was heard. */
static bool take_line(peer *who, char line[PEER_LINE_SIZE])
{
    const char *end = memchr(who->heard, '\n', who->heard_size);
    if (end == NULL) {
        return false;
    }
    size_t length = (size_t)(end - who->heard);
    memcpy(line, who->heard, length);
    line[length] = '\0';
    who->heard_size -= length + 1;
    memmove(who->heard, end + 1, who->heard_size);
    return true;
}

void peer_hear(peer *who, char line[PEER_LINE_SIZE])
{
    while (!take_line(who, line)) {
        size_t room = sizeof who->heard - who->heard_size;
        int got = room == 0 ? 0 : peer_os_read(&who->os, who->heard + who->heard_size, room, check_bound_ms());
        if (got < 0) {
            CHECK_FAIL("peer %llu hangs", (unsigned long long)who->os.id);
        }
        if (got == 0) {
            CHECK_FAIL("peer %llu has ended, or says more than a line holds", (unsigned long long)who->os.id);
        }
        who->heard_size += (size_t)got;
    }
}

void peer_ask_at(const char *file, int line, peer *who, const char *answer, const char *format, ...)
{
    char heard[PEER_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    say(who, format, arguments);
    va_end(arguments);
    peer_hear(who, heard);
    if (strcmp(heard, answer) != 0) {
        char asked[256];
        va_start(arguments, format);
        (void)vsnprintf(asked, sizeof asked, format, arguments);
        va_end(arguments);
        check_fail_at(file, line, "the peer was asked \"%s\"\n  expected \"%s\", got \"%s\"", asked, answer, heard);
    }
}

void peer_query(peer *who, char answer[PEER_LINE_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(who, format, arguments);
    va_end(arguments);
    peer_hear(who, answer);
}

void peer_kill(peer *who)
{
    peer_os_kill(&who->os);
    if (!peer_os_wait(&who->os, check_bound_ms())) {
        CHECK_FAIL("peer %llu was killed and does not end", (unsigned long long)who->os.id);
    }
}

void peer_stop(peer *who)
{
    peer_os_stop(&who->os);
}

void peer_go(peer *who)
{
    peer_os_go(&who->os);
}

/* Hears the peer out, then waits for its end. */
static int exit_code(peer *who)
{
    char rest[256];
    int got;
    do {
        got = peer_os_read(&who->os, rest, sizeof rest, check_bound_ms());
    } while (got > 0);
    if (got < 0 || !peer_os_wait(&who->os, check_bound_ms())) {
        CHECK_FAIL("peer %llu should end and hangs", (unsigned long long)who->os.id);
    }
    int code = who->os.exit_code;
    peer_forget(who);
    return code;
}

void peer_end(peer *who)
{
    unsigned long long id = who->os.id;
    peer_os_close_input(&who->os);
    int code = exit_code(who);
    if (code != 0) {
        CHECK_FAIL("peer %llu ended with code %d", id, code);
    }
}

bool peer_ended_well(peer *who)
{
    return exit_code(who) == 0;
}

void peer_kill_all(void)
{
    for (size_t place = 0; place < PEERS_MAX; place++) {
        peer *who = all_peers[place];
        if (who != NULL) {
            peer_os_kill(&who->os);
            (void)peer_os_wait(&who->os, check_bound_ms());
            peer_forget(who);
        }
    }
}

/* ---- words ---- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '\\' || c == '_' ||
           c == '-' || c == '.';
}

const char *peer_word(const char *name)
{
    static char words[8][3 * 512 + 1];
    static unsigned next;
    if (name == NULL) {
        return "-";
    }
    char *word = words[next++ % 8];
    size_t at = 0;
    bool only_dash = strcmp(name, "-") == 0;
    for (; *name != '\0' && at + 3 < sizeof words[0]; name++) {
        if (is_plain(*name) && !only_dash) {
            word[at++] = *name;
        } else {
            at += (size_t)snprintf(word + at, 4, "%%%02X", (unsigned)(unsigned char)*name);
        }
    }
    assert_int_equal(*name, '\0');
    word[at] = '\0';
    return word;
}

char *peer_unword(char *word)
{
    if (strcmp(word, "-") == 0) {
        return NULL;
    }
    char *to = word;
    for (const char *from = word; *from != '\0'; from++) {
        if (*from == '%') {
            char digits[3] = {from[1], from[2], '\0'};
            *to++ = (char)(unsigned char)strtoul(digits, NULL, 16);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return word;
}

/* ---- the peer's side ---- */

bool peer_listen(char line[PEER_LINE_SIZE])
{
    size_t length = 0;
    /* One byte at a time: what comes behind the line may be for an heir. */
    while (length < PEER_LINE_SIZE && peer_os_listen(line + length, 1) == 1) {
        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
        length++;
    }
    return false;
}

void peer_answer(const char *format, ...)
{
    char line[PEER_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line - 1) {
        exit(3);
    }
    line[length] = '\n';
    if (!peer_os_answer(line, (size_t)length + 1)) {
        exit(2);
    }
}

void peer_leave_heir(const char *role)
{
    const char *words[] = {PEER_FLAG, role, NULL};
    if (!peer_os_leave_heir(words)) {
        peer_answer("no heir");
    }
}

peer_half peer_fork(void)
{
    switch (peer_os_fork()) {
    case 0:
        return PEER_CHILD;
    case 1:
        return PEER_PARENT;
    default:
        return PEER_NO_FORK;
    }
}

void peer_become(const char *role)
{
    const char *words[] = {PEER_FLAG, role, NULL};
    peer_os_become(words);
}

void peer_vanish(void)
{
    peer_os_vanish();
}

/* ---- main ---- */

static int run_role(const peer_role *roles, size_t role_count, int argc, char **argv)
{
    peer_os_settle();
    for (size_t i = 0; i < role_count; i++) {
        if (strcmp(roles[i].name, argv[0]) == 0) {
            return roles[i].run(argc - 1, argv + 1);
        }
    }
    for (size_t i = 0; i < holder_role_count; i++) {
        if (strcmp(holder_roles[i].name, argv[0]) == 0) {
            return holder_roles[i].run(argc - 1, argv + 1);
        }
    }
    (void)fprintf(stderr, "no role %s in this binary\n", argv[0]);
    return 4;
}

int peer_main(int argc, char **argv, const peer_role *roles, size_t role_count, int (*run_all)(void))
{
    peer_os_prepare(argv[0]);
    if (argc > 2 && strcmp(argv[1], PEER_FLAG) == 0) {
        return run_role(roles, role_count, argc - 2, argv + 2);
    }
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return run_all();
}
