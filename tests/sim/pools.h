// SPDX-License-Identifier: MIT
// pools: what the world knows of MaxRunning=: who runs where, who waits, and that both are by the rules.
#pragma once

#include "tests/sim/world.h"

/* The groups that are defined now, for the next commit. */
void pools_tell(struct world *w);
/* They are in force. */
void pools_put_in_force(struct world *w);
/* Both, for a new scheduler: who waited for how long is another clock's. */
void pools_begin_anew(struct world *w);
/* A run has just started: there was a place for it, and nobody stood before it. */
void pools_check_start(struct world *w, const struct world_job *job);
/* Nobody waits whose places are free; notes who waits, since when. */
void pools_check_waiting(struct world *w);
/* True while the job waits for a place. */
bool pools_are_awaited(const struct world *w, const char *name);
