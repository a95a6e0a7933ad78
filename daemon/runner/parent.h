// SPDX-License-Identifier: MIT
// parent: what a run of a chain hears of the job that it follows: CHIMED_PARENT_* of its environment.
#pragma once

#include "daemon/core/wire.h"
#include "daemon/runner/environment.h"

/* Sets them all, empty where something does not apply; nothing where the run has no parent. The instance is the runner's, as run ids begin with it.
 * The output becomes text without NUL. 0, -ENOMEM, -E2BIG. */
int parent_set(struct environment *e, const char *instance, const struct wire_start *start);
