// SPDX-License-Identifier: MIT
// config_settings: the section [chimed] of chimed.conf, for config.c.
#pragma once

#include <stddef.h>

#include "config/config.h"

/* Reads the keys of one [chimed] section. A wrong one is told in diags, and the value that was there stays. */
void config_settings_read(struct config_settings *settings, const struct job_setting *list, size_t n, struct diags *diags);
