// SPDX-License-Identifier: MIT
// inherited: what the runner was started with and its jobs are not to have: limits, priorities, groups, capabilities, keyring.
#pragma once

#include "daemon/runner/launch.h"

/* Looks once, before the first thread, so that a start takes only the calls that there is a reason for. What the runner has no right to give
 * back stays. Raises the runner's own limit of descriptors. */
void inherited_find(struct launch_settings *settings);
/* Whether we may start programs as other users. */
bool inherited_may_change_user(void);
/* Where we have the right to: another process is to die before us where memory is short, and before the scheduler. Before
 * inherited_find(). */
void inherited_lower_oom_score(void);
