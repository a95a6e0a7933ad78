// SPDX-License-Identifier: MIT
// holds: what the world knows of the pauses of groups: who is paused by one, since when, and until when.
#pragma once

#include "tests/sim/world.h"

/* The engine may pause jobs now that are members of a group that is held. */
void holds_foresee(struct world *w);
/* Who is paused by now: by itself or by a group. Who is not any more went on at an instant. */
void holds_settle(struct world *w, int64_t since_bt_us);
/* A hold of a job or a group has ended at an instant. */
void holds_expired(struct world *w, int64_t until_us);
/* What the engine says of a group. */
void holds_take_action(struct world *w, const struct action *a);
/* A new engine: what is durable of the groups, or nothing, is what it knows. */
void holds_begin_anew(struct world *w);
/* True if a group is held that the policy names. */
bool holds_are_on(const struct world *w, const struct job_when *when);
/* When the last of a job's holds ends. */
int64_t holds_end(const struct world *w, const struct world_job *job);
