// SPDX-License-Identifier: MIT
// control_watch: runs whose output somebody wants.
#pragma once

#include "daemon/scheduler/control_internal.h"

/* Somebody wants the output of a run: the runner is told, unless its START will say so. 0 or a negative error. */
int control_watch_begin(struct control *c, uint32_t job, uint64_t run, bool is_start);
/* Whether anybody does. */
bool control_watch_is_wanted(const struct control *c, uint32_t job, uint64_t run);
/* A piece came; what is no text in it is replaced before it is handed on. */
void control_watch_output(struct control *c, struct clock_sample now, const struct wire_bytes *piece);
/* What was cut at the end of its output is handed on: nothing more comes. */
void control_watch_finish(struct control *c, struct clock_sample now, uint64_t run);
void control_watch_ended(struct control *c, uint64_t run);
/* Tells the runner of runs that nobody watches any more. 0 or a negative error. */
int control_watch_clean(struct control *c);
