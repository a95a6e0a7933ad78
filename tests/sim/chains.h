// SPDX-License-Identifier: MIT
// chains: what the world knows of jobs that follow others: each end makes one slot of each of them, once, whatever dies.
#pragma once

#include "tests/sim/world.h"

/* What the engine has said of a job; before the rest of the world takes it. */
void chains_note(struct world *w, const struct world_job *job, const struct action *a);
/* All actions are taken, and a commit was made since the scheduler began: what has ended has its slots. */
void chains_check(struct world *w);
/* More of the ledger is durable: with the end of a parent what became of its children is. is_cut: the rest is lost. */
void chains_check_durable(struct world *w, bool is_cut);
