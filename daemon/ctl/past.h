// SPDX-License-Identifier: MIT
// past: what the ledger of a running chimed has of a period, to be drawn beside what is to come.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/ctl/session.h"

#define PAST_NONE 256 /* an exit status: there is no ledger */

struct past_wish {
        int64_t from_us, until_us;
        bool is_drawn;     /* also runs that may reach into it, and slots that ran whose runs are no longer kept */
        bool with_flights; /* also runs in flight */
        /* Borrows a row: Run or Missed. 0, or a negative errno that ends it. */
        int (*row)(void *userdata, json_t *row);
        void *userdata;
};

/* Of the jobs that the session names, or of all. *ret_is_cut: there is more than can be taken. An exit status, or PAST_NONE; failures are
 * told. */
int past_take(struct session *s, const struct past_wish *wish, bool *ret_is_cut);
