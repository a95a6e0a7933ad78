// SPDX-License-Identifier: MIT
// control_follow: triggers with `more`: what is told of the runs that they have made, up to the last attempt of each.
#pragma once

#include "daemon/scheduler/control_internal.h"

#define CONTROL_FOLLOW_MAX 256 /* runs of one call: members of a group */

/* A run that a trigger has made or joined. */
struct control_follow_run {
        uint32_t job;
        enum trigger_outcome outcome;
        uint64_t run;
};

/* The call waits until the runs are over, and is told of them; the list is by job, ascending. It was answered with what was accepted. 0 or a
 * negative error. */
int control_follow_begin(struct control_call *call, const struct control_follow_run *list, size_t n);
/* What the engine did. The wait may be over after it. */
void control_follow_action(struct control_wait *wait, struct clock_sample now, const struct action *a);
/* A piece of the output of a run; text is it as UTF-8. */
void control_follow_output(struct control_wait *wait, struct clock_sample now, uint32_t job, const struct wire_bytes *piece,
                           const char *text);
/* True if the output of a run is wanted; also of one that may be the next attempt of what is followed. */
bool control_follow_wants_output(const struct control_wait *wait, uint32_t job, uint64_t run);
/* Takes NULL. */
void control_follow_free(struct control_follow *follow);
