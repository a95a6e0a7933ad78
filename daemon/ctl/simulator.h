// SPDX-License-Identifier: MIT
// simulator: rows of what jobs would do: from chimed-simulate, which has the engine and reads the job files, or from a running chimed.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/ctl/session.h"

#define SIMULATOR_MANY 3 /* an exit status: there are more rows */

struct simulator_wish {
        int64_t from_us, to_us; /* chimed begins with now */
        int64_t rows_max;       /* 0: no bound */
        bool with_names;        /* first a row for each job that has its name only */
        /* Borrows a row. 0, or a negative errno that ends it. NULL: they go to standard output as they are, one a line. */
        int (*row)(void *userdata, json_t *row);
        void *userdata;
};

/* Runs the period as if all began anew with it, with the files that the options mean. *ret_has_durations: a running chimed knows how long
 * runs take. An exit status, or SIMULATOR_MANY; failures are told. */
int simulator_run(struct session *s, const struct simulator_wish *wish, bool *ret_has_durations);
/* The same, but as the running chimed would go on from now, with its state; wish->row is not NULL. */
int simulator_ask(struct session *s, const struct simulator_wish *wish, bool *ret_has_durations);
