// SPDX-License-Identifier: MIT
// config_settings: the section [chimed] of chimed.conf, for config.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/* Reads the keys of one [chimed] section. A wrong one is told in diags, and the value that was there stays. */
void config_settings_read(struct config_settings *settings, const struct job_setting *list, size_t n, struct diags *diags);
/* MaxRunning=, from least to CONFIG_MAX_RUNNING. False: *ret_why says what is wrong. */
bool config_settings_read_max_running(const char *value, uint32_t least, uint32_t *ret, const char **ret_why);
