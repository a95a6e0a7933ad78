// SPDX-License-Identifier: MIT
// config_plugins: the plugins that jobs name: where their files are, whether their options are right, and who shares a host; for config.c only.
#pragma once

#include <stddef.h>

#include "config/config_ties.h"
#include "config/plugin_option.h"

#define PLUGINS_LOOK_TIME_MS 20000 /* for all of a reading together */

/* What is known of a file; described is false where it could not be loaded. */
struct known_plugin {
        char *path;
        bool is_described;
        struct plugin_description description;
};

/* Each file is looked at once in a reading. Zero-initialise; config_plugins_done() frees. */
struct config_plugins {
        bool warns;         /* of a plugin that can't be loaded; it may be there when the job starts */
        const char *host;   /* the program that describes plugins, borrowed; NULL: options are not looked at */
        const char *folder; /* with their files, borrowed; "": JOB_PLUGIN_FOLDER */
        struct known_plugin *list;
        size_t n;
        int64_t spent_ms; /* in looking, of PLUGINS_LOOK_TIME_MS; then no more are looked at, */
        bool is_told;     /* of which the first is told */
};

void config_plugins_done(struct config_plugins *plugins);
/* Puts the file of a job's plugin into the folder, and looks at its options. A plugin that can't be loaded is no error. Jobs without one
 * are left alone. 0, 1 (told), -ENOMEM. */
int config_plugins_check(struct config_plugins *plugins, struct job *job, struct diags *diags);
/* Jobs of one PluginHost= that differ in what belongs to the process: all but those like the first are refused (told). The list is sorted by
 * name. 0, -ENOMEM. */
int config_plugins_settle(struct declared *list, size_t n, struct diags *diags);
