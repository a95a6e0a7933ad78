// SPDX-License-Identifier: MIT
// config_loader: what one reading of all files holds until its snapshot is made. Only for config.c and config_finish.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/config_calendars.h"
#include "config/config_files.h"
#include "config/config_groups.h"
#include "config/config_origins.h"
#include "config/config_plugins.h"
#include "config/config_ties.h"
#include "config/config_unit.h"
#include "config/identity.h"

/* A unit that is not forgotten: groups, or members of some, stand in it. */
struct kept {
        struct kept *next;
        struct unit unit;
        struct config_files drop_ins;
};

/* A job that is built once all groups are known. */
struct member {
        size_t declared; /* which */
        const struct section *section;
        struct job_setting *layers; /* owned; without those of groups */
        size_t n_layers;
};

struct loader {
        const struct config_paths *paths;
        struct diags *diags;
        struct config *config;
        struct unit settings; /* the settings file: its [defaults] are for all jobs */
        struct config_files files, drop_ins;
        struct declared *declared;
        size_t n_declared, declared_allocated;
        size_t broken_allocated;
        struct job_setting *layers; /* the settings of the job at hand */
        size_t layers_allocated;
        struct identity_cache identities;
        struct calendars calendars;
        struct config_groups groups;
        struct config_plugins plugins;
        struct kept *kept;
        struct member *members;
        size_t n_members, members_allocated;
        size_t n_settings_layers;       /* of the settings file: those of groups come behind them */
        struct config_origins *origins; /* wanted of one job, or NULL */
};

/* Makes room for an item at n. 0 or -ENOMEM: the list is as before. */
int loader_grow(void **list, size_t n, size_t *allocated, size_t item);
/* Notes that a file, or its job of this name, is not taken; name NULL: what jobs it has is not known. 0 or -ENOMEM. Copies both. */
int loader_add_broken(struct loader *l, const char *file, const char *name);
/* Whether this is the job whose settings' origins are wanted. */
bool loader_traces(const struct loader *l, const char *job);

/* What holds between the jobs, once each was built for itself: calendars, ties, plugins, the jobs that send mails. Errors go to the
 * diagnostics, and the job is broken. 0 or -errno. */
int loader_finish_jobs(struct loader *l);
/* Gives the snapshot its jobs: what is declared twice is not taken, and broken. 0 or -ENOMEM. */
int loader_settle_jobs(struct loader *l);
