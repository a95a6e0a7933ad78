// SPDX-License-Identifier: MIT
// ledger_query: a question as SQL, and its rows.
// Blocks; called by the reader thread only.
#pragma once

#include <sqlite3.h>

#include "config/pack.h"
#include "daemon/scheduler/ledger.h"

/* What was found; rows are ledger_row records, owned. */
struct ledger_found {
        struct pack rows;
        size_t n;
        bool is_known; /* the job that was asked for is */
        uint64_t cursor, n_trimmed;
};

/* Asks. 0 or a negative errno (-EUCLEAN: the file is damaged; -EBADMSG: a row of it; -ETIME: interrupted). */
int ledger_query_run(sqlite3 *db, const struct ledger_query *query, struct ledger_found *ret);
