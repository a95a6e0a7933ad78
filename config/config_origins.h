// SPDX-License-Identifier: MIT
// config_origins: the settings of one job that are in force, each with the place that it comes from.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

struct config_origin {
        char *key, *value, *file; /* owned */
        char *group;              /* from which; NULL: from none; owned */
        unsigned line;
        bool is_default; /* from a [defaults] or a group */
};

/* In the order of the key table; of lists each item that was not cleared. Zero-initialise. */
struct config_origins {
        const char *job; /* whose; borrowed */
        struct config_origin *list;
        size_t n;
        bool is_found;  /* some file has this job */
        bool is_broken; /* and says things of it that can't be used */
};

/* Reads all files as config_load() does and gives the origins of one job, for config_origins_done(). Keys that nobody knows are
 * left out (told in diags). 0, also where there is no such job; a negative error of config_load(). */
int config_load_origins(const struct config_paths *paths, const char *job, struct diags *diags, struct config_origins *ret);
void config_origins_done(struct config_origins *origins);
/* For config.c: takes over what is in force of a job's settings, the later ones winning. 0, -ENOMEM. */
int config_origins_take(struct config_origins *origins, const struct job_setting *settings, size_t n);
