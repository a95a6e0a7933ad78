// SPDX-License-Identifier: MIT
// control_policy: by which rules a job runs, as objects of the interface: its policy, its pools, what it follows and what follows it.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "daemon/scheduler/engine.h"

/* The members of ShowJob that tell of them. *object as of control_put(). */
void control_put_policy(json_t **object, const struct engine *e, uint32_t job);
