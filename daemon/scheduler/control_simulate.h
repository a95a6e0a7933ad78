// SPDX-License-Identifier: MIT
// control_simulate: Simulate: what the engine would do from now on.
#pragma once

#include "daemon/scheduler/control_internal.h"

#define CONTROL_SIMULATE_JOBS   10000               /* of a simulation; */
#define CONTROL_SIMULATE_ROWS   500000              /* rows of a stream, */
#define CONTROL_SIMULATE_REPLY  1000                /* and of a single reply */
#define CONTROL_SIMULATE_US     (30 * USEC_PER_SEC) /* how long one may take: what it has by then is the answer */
#define CONTROL_SIMULATIONS     4                   /* at a time, */
#define CONTROL_SIMULATIONS_ANY 2                   /* as long as they are no more, also for who is no admin */

int control_do_simulate(struct control_call *call);
/* False while it waits for the ledger. */
bool control_simulate_has_turn(const struct control_wait *wait);
/* It goes on, as long as the pass has time. */
void control_simulate_room(struct control_wait *wait);
/* It has taken too long: what there is is the answer. */
void control_simulate_cut(struct control_wait *wait);
/* Takes NULL, returns NULL. */
struct control_simulate *control_simulate_free(struct control_simulate *m);
