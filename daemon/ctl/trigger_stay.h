// SPDX-License-Identifier: MIT
// trigger_stay: a trigger that stays until its runs have ended; and what both kinds of triggers share.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "daemon/ctl/names.h"
#include "daemon/ctl/session.h"

/* Triggers jobs and groups and follows each to the end of its last attempt. Returns the worst exit status of them all, as documented. */
int trigger_stay(struct session *s, const struct names *names);

/* The parameters of the call for a job, or a group. */
json_t *trigger_parameters(const struct session *s, const char *target);
/* Where words go: standard error where standard output is the job's; NULL: nowhere. */
FILE *trigger_out(struct session *s);
/* Says what does it; of a group, what does each member. */
void trigger_say_accepted(struct session *s, const char *target, const json_t *reply);
