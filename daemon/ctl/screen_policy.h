// SPDX-License-Identifier: MIT
// screen_policy: the lines of a job's screen that say by which rules it runs.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "daemon/ctl/view.h"

/* Of a reply of ShowJob, which is borrowed: policy, conditions, groups with their places, what it follows and what follows it, mail. What is
 * not there is left out. */
void screen_policy(const struct view *v, const json_t *job, FILE *out);
