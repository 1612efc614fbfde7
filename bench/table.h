/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * One comparison, one row.
 */
#ifndef ISTHMUS_BENCH_TABLE_H
#define ISTHMUS_BENCH_TABLE_H

#include "measure.h"

#define TABLE_NO_GOAL 0.0

void table_begin(const char *title);

/* `times` is what one measured round did so often. */
void table_row(const char *what, const char *against, const measure_result *result, double times, double goal);

/* "met" or "**missed**", for a row of another shape. */
const char *table_verdict(double value, double goal);

#endif
