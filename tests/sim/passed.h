// SPDX-License-Identifier: MIT
// passed: the oracle's account of parameters: a run that a trigger was told of has those of the trigger, and so have its further attempts.
#pragma once

#include "tests/sim/world.h"

/* Parameters for a trigger at this instant, mostly none; drawn by themselves, so that the same seeds do the same with the rest. */
void passed_draw(const struct world *w, struct engine_trigger *trigger);
/* A START with its parameters, as the runner gets them; before anything is noted of it. */
struct wire_start passed_check_start(struct world *w, const struct world_job *job, uint32_t number,
                                     const struct wire_start *start);
/* A run was undone and is asked for again under another number. */
void passed_note_refused(struct world *w, const struct world_job *job, const struct action *a);
/* What a trigger was told. */
void passed_check_trigger(struct world *w, const struct world_job *job, const struct engine_trigger *trigger, int outcome,
                          uint64_t run);
/* True if the run that a trigger was promised has others than a run: it takes no attempt of that along. */
bool passed_clash(struct world *w, const struct world_job *job, uint64_t run);
/* Promises end with their scheduler. */
void passed_crash(struct world *w);
