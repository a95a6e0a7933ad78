// SPDX-License-Identifier: MIT
// ledger_fold: what is left of batches when there are too many of them: the newest of each job, its slots as counts.
// Pure; takes tens of milliseconds for a full queue, so the reader thread does it.
#pragma once

#include "daemon/scheduler/ledger_store.h"

/* Makes one batch of a list (borrowed). Kept are of each job its newest state, its latest, latest good and latest failed run, how many
 * other runs ended, and a range for each segment, outcome and reason, whose n is then the sum; all segments and clock rows; the
 * newest of the rest. *ret_n_runs is how many runs became a count. 0, -ENOMEM. */
int ledger_fold(const struct ledger_batch *batches, struct ledger_batch **ret, uint64_t *ret_n_runs);
