/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * UTF-16 strings in shared memory, as Win32 programs write them. The far side may be hostile or in the middle of a
 * write: every unit is read once, within the bounds given, and checked.
 */
#ifndef ISTHMUS_TEXT_H
#define ISTHMUS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <isthmus/export.h>
#include <isthmus/status.h>

IST_BEGIN_DECLS

/* One UTF-16 unit in the byte order of the machine: what Win32 calls WCHAR. */
typedef uint16_t ist_char16;

/**
 * Writes UTF-8 text as UTF-16 with its terminator.
 * Shape:    out has room for `capacity` units; text is UTF-8, terminated; *units, when not NULL, gets the units
 *           written or, with IST_E_SIZE, needed, the terminator counted in both.
 * Owns:     nothing; out is the caller's.
 * Errors:   IST_E_ARG (out or text NULL, or malformed UTF-8), IST_E_SIZE (capacity too small: nothing was written).
 * Blocking: never.
 * Threads:  any thread; not a signal handler; two writers of one place are the caller's concern.
 * Platform: none that can be seen.
 * Source:   Win32 MultiByteToWideChar; RFC 3629, RFC 2781.                                               Since: 0.1
 */
IST_API ist_status ist_utf16_write(ist_char16 *out, size_t capacity, const char *text, size_t *units);

/**
 * Reads a terminated UTF-16 string as UTF-8.
 * Shape:    text holds at most `units` units, terminator included; out has room for `capacity` bytes; *bytes, when
 *           not NULL, gets the bytes written or, with IST_E_SIZE, needed, the terminator counted in both.
 * Owns:     nothing; out is the caller's, and an empty string after a failure if capacity is not 0.
 * Errors:   IST_E_ARG (text NULL, or out NULL with a capacity), IST_E_SIZE (capacity too small), IST_E_CORRUPT (no
 *           terminator within `units`, or an unpaired surrogate).
 * Blocking: never.
 * Threads:  any thread; not a signal handler; text may change meanwhile, which gives old or new units.
 * Platform: none that can be seen.
 * Source:   Win32 WideCharToMultiByte; RFC 3629, RFC 2781.                                               Since: 0.1
 */
IST_API ist_status ist_utf16_read(char *out, size_t capacity, const volatile ist_char16 *text, size_t units,
                                  size_t *bytes);

IST_END_DECLS

#endif
