/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * From an object's name to the name of its directory entry, which no name can make leave its place or meet another's.
 */
#ifndef ISTHMUS_POSIX_NAME_H
#define ISTHMUS_POSIX_NAME_H

#include "core/plat.h"

/* The classes of entries in a scope, the letter after the scope's prefix. */
#define NAME_CLASS_NAMED 'n'
#define NAME_CLASS_HASHED 'h'
#define NAME_CLASS_UNNAMED 'u'
#define NAME_CLASS_PRIVATE 'p'
#define NAME_CLASS_DISCARDED 'd'
#define NAME_CLASS_TICKET 't'
#define NAME_CLASS_LIVES 'l'
#define NAME_CLASS_CLAIMS 'c'

/* Prefix, class, dot, escaped name, "/r", terminator. */
#define NAME_ENTRY_SIZE 232

/* Bytes of an escaped name; a longer one is hashed. */
#define NAME_ESCAPED_MAX 200

/* Writes the entry of a named object: prefix is the scope's. Two names have one entry only if their SHA-256 collide. */
void name_entry(char out[NAME_ENTRY_SIZE], const char *prefix, const plat_name *name);

/* Room for the name of a pipe or mailslot among those of `Global\`, where nobody else's has a backslash. */
#define NAME_CHANNEL_SIZE (IST_NAME_MAX + 1)

/* Makes `pipe\name` or `slot\name` of it, in `text`, with small letters for A to Z. */
void name_of_channel(plat_name *out, char text[NAME_CHANNEL_SIZE], const char *sort, const plat_channel_name *name);

/* Sockets that instances of a pipe listen on stand in the pipe's directory beside the segment and begin with this. */
#define NAME_SOCKET_PREFIX "s."

/* Writes an entry of a class with 24 hexadecimal digits that no other process or call uses. */
void name_unique(char out[NAME_ENTRY_SIZE], const char *prefix, char class_letter);

/* A number that no other process or call uses, never 0, below 2^62. */
uint64_t name_number(void);

#endif
