/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Which symbols leave the library, and how C++ sees them.
 */
#ifndef ISTHMUS_EXPORT_H
#define ISTHMUS_EXPORT_H

/* ISTHMUS_STATIC is defined for those who link the static library, ISTHMUS_BUILD while the library itself is built;
   the CMake targets and pkg-config set them. */
#if defined(ISTHMUS_STATIC)
#define IST_API
#elif defined(_WIN32)
#if defined(ISTHMUS_BUILD)
#define IST_API __declspec(dllexport)
#else
#define IST_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define IST_API __attribute__((visibility("default")))
#else
#define IST_API
#endif

#ifdef __cplusplus
#define IST_BEGIN_DECLS extern "C" {
#define IST_END_DECLS }
#else
#define IST_BEGIN_DECLS
#define IST_END_DECLS
#endif

#endif
