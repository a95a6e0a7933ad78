// SPDX-License-Identifier: MIT
// simulation_json: rows of a simulation as Run and Missed of the interface, without the members that nobody knows.
#pragma once

#include <jansson.h>

#include "daemon/scheduler/simulation.h"

/* Given to the caller; NULL without memory. */
json_t *simulation_json(const struct simulation_row *row);
