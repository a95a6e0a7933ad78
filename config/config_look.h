// SPDX-License-Identifier: MIT
// config_look: whether what jobs name is there on this machine, for the user that each of them runs as; for those who check files.
#pragma once

#include "config/config.h"

/* Looks for each job's program, WorkingDirectory= and RootDirectory=, as its user, and adds a warning for each that is not there or may not be
 * used; the warnings are in place. Units are asked for of
 * systemd, of the user's own where is_user. Processes do it, one for each user and root: where one hangs, on a dead network file system, that is
 * told after seconds, and its other jobs are passed over. For programs with one thread. 0, or a negative error where no process can be made. */
int config_look(const struct config *config, bool is_user, struct diags *diags);
