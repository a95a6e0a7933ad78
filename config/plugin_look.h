// SPDX-License-Identifier: MIT
// plugin_look: what a plugin's file is, and what the plugin says of itself, asked of chimed-host: a process without rights loads it.
#pragma once

#include "config/plugin_option.h"

#define PLUGIN_LOOK_WHY 256 /* bytes of a reason with the NUL */

/* Looks at the file and has the program at host describe it, for at most time_ms. 0 and *ret for plugin_description_done(); 1: a run
 * could not load it, or it could not be looked at, or that took too long, and why says which; -ENOMEM. Nothing is left of the process
 * and its group. */
int plugin_look(const char *host, const char *path, int time_ms, struct plugin_description *ret,
                char why[static PLUGIN_LOOK_WHY]);
