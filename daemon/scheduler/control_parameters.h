// SPDX-License-Identifier: MIT
// control_parameters: the parameters of a Trigger, and what a job says of them.
#pragma once

#include "daemon/scheduler/control_internal.h"

/* The set that a call passes to a job, or to each member of a group, for the caller; NULL where it passes none. False where the call is
 * answered: a job does not accept one, or together they are too many. */
bool control_get_parameters(const struct control_call *call, char **ret, size_t *ret_size);
/* The names that a job accepts. */
json_t *control_json_accepted(const struct engine *e, uint32_t job);
