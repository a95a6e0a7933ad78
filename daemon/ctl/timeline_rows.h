// SPDX-License-Identifier: MIT
// timeline_rows: Run and Missed of the interface as spans of a timeline.
#pragma once

#include <jansson.h>

#include "daemon/ctl/timeline.h"

/* Adds a row, which is borrowed; one that is neither only names a job. A run in flight goes on until open_us. 0, -ENOMEM. */
int timeline_add_row(struct timeline *t, const json_t *row, int64_t open_us);
