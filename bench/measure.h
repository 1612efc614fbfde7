/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * Measuring one thing against another on a machine that does other things, too.
 *
 * Both run in short batches, one right after the other and taking turns at being first, so that whatever slows the
 * machine slows both. Each pair of batches gives one ratio; the median of the ratios is the result, and the quartiles
 * say how far to trust it. Times are kept for orientation only.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Does the measured thing once; false ends the measurement. */
typedef bool measure_once(void *context);

typedef struct measure_result {
    double ratio;       /* median of ours / raw */
    double ratio_low;   /* lower quartile */
    double ratio_high;  /* upper quartile */
    double raw_ns;      /* median for one, for orientation */
    double measured_ns; /* the same of what was measured against it */
} measure_result;

static int measure_order(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

/* The value that `part` of `count` sorted values are below. */
static double measure_quantile(const double *sorted, size_t count, double part)
{
    double at = part * (double)(count - 1);
    size_t below = (size_t)at;
    size_t above = below + 1 < count ? below + 1 : below;

    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

static double measure_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The time of one in a batch, below 0 on failure. */
static double measure_batch(measure_once *once, void *context, size_t batch)
{
    double begin_ns = measure_now_ns();

    for (size_t i = 0; i < batch; i++)
        if (!once(context))
            return -1;
    return (measure_now_ns() - begin_ns) / (double)batch;
}

static bool measure_pair(measure_once *raw, measure_once *ours, void *context, size_t batch, bool raw_first,
                         double times_ns[2])
{
    for (int turn = 0; turn < 2; turn++) {
        int which = raw_first ? turn : 1 - turn;

        times_ns[which] = measure_batch(which == 0 ? raw : ours, context, batch);
        if (times_ns[which] < 0)
            return false;
    }
    return true;
}

/* Compares `ours` with `raw` in `pairs` pairs of batches, after one pair that does not count. */
static inline bool measure_compare(measure_once *raw, measure_once *ours, void *context, size_t pairs, size_t batch,
                                   measure_result *out)
{
    double *values = malloc(3 * pairs * sizeof *values);
    double *ratios = values;
    double *raw_ns = values != NULL ? values + pairs : NULL;
    double *ours_ns = values != NULL ? values + 2 * pairs : NULL;
    double times_ns[2] = {0, 0};
    bool done = values != NULL && measure_pair(raw, ours, context, batch, true, times_ns);

    for (size_t i = 0; done && i < pairs; i++) {
        done = measure_pair(raw, ours, context, batch, i % 2 == 0, times_ns);
        raw_ns[i] = times_ns[0];
        ours_ns[i] = times_ns[1];
        ratios[i] = times_ns[1] / times_ns[0];
    }
    if (done) {
        qsort(ratios, pairs, sizeof *ratios, measure_order);
        qsort(raw_ns, pairs, sizeof *raw_ns, measure_order);
        qsort(ours_ns, pairs, sizeof *ours_ns, measure_order);
        *out = (measure_result){measure_quantile(ratios, pairs, 0.5), measure_quantile(ratios, pairs, 0.25),
                                measure_quantile(ratios, pairs, 0.75), measure_quantile(raw_ns, pairs, 0.5),
                                measure_quantile(ours_ns, pairs, 0.5)};
    }
    free(values);
    return done;
}

#endif
