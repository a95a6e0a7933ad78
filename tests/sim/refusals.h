// SPDX-License-Identifier: MIT
// refusals: what becomes of runs that are not executed, for a condition did not hold: each slot waits and is asked again in its time, or
// comes to its one end, and never is anything told of it twice.
#pragma once

#include "tests/sim/world.h"

/* A condition of the run in flight does not hold. */
bool refusals_are_refused(const struct world_job *job);
/* The run in flight will not be executed. */
bool refusals_are_next(const struct world_job *job);
/* It is a start for what waits for its conditions. */
bool refusals_have(const struct world_job *job, const struct wire_start *start);
/* A run begins: its conditions are asked if there are any, and in their time; what waited for it waits no more. */
void refusals_check_start(struct world *w, struct world_job *job, const struct wire_start *start);
/* The engine undoes a start. */
void refusals_note(struct world *w, struct world_job *job, const struct action *a);
/* Slots have an outcome: what waits of them waits no more, and for a condition only a refused one is left out. */
void refusals_check_outcome(struct world *w, struct world_job *job, const struct action *a);
/* A trigger, or the next attempt, will not come. */
void refusals_drop_trigger(struct world_job *job);
void refusals_drop_attempt(struct world_job *job, const struct job_retry *retry);
/* True while something waits to be asked again; it must not do so for too long. The job is idle. */
bool refusals_are_awaited(struct world *w, const struct world_job *job);
/* What waits by the ledger. */
void refusals_recall(struct world *w, struct world_job *job, const struct job_image *image);
/* The runner has a run for it that the ledger has not heard of. */
void refusals_adopt(struct world_job *job, const struct wire_start *start);
/* All that waits is forgotten. */
void refusals_forget(struct world_job *job);
