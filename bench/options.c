/* SPDX-License-Identifier: MIT
 * Copyright (c) The isthmus authors
 *
 * The command line.
 */
#include "options.h"

#include <stdlib.h>
#include <unistd.h>

#include "fail.h"

static size_t positive(const char *text)
{
    long value = strtol(text, NULL, 10);

    return value > 0 && value < 1000000 ? (size_t)value : 1;
}

bool options_read(int argc, char **argv, options *out)
{
    int option = 0;

    while ((option = getopt(argc, argv, "p:b:")) != -1) {
        if (option == 'p')
            out->pairs = positive(optarg);
        else if (option == 'b')
            out->batch = positive(optarg);
        else
            return fail_say("usage", "[-p pairs] [-b batch]");
    }
    return true;
}
