// SPDX-License-Identifier: MIT
// history: what the ledger of a running chimed has, page by page.
#pragma once

#include "daemon/ctl/session.h"

/* Appends up to `max` rows of ListRuns or ListMissed, newest first; terms (an object, borrowed) says which. trimmed (NULL: not asked
 * for) becomes greater by what is no longer kept. is_quiet: failures are not told. An exit status. */
int history_add(struct session *s, enum api_method method, const json_t *terms, size_t max, bool is_quiet, json_t *rows,
                int64_t *trimmed);
