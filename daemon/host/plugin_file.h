// SPDX-License-Identifier: MIT
// plugin_file: a plugin's shared object: checked by its descriptor, loaded once, never unloaded.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/plugin_option.h"
#include "daemon/plugin.h"

#define PLUGIN_FILES_MAX 256 /* that one host has loaded, of use or not */
#define PLUGIN_WHY_MAX   400 /* bytes of a reason, with the end */

struct plugin_file {
        struct plugin_file *next;
        char *path; /* by which it was asked for */
        int fd;
        dev_t dev;
        ino_t ino;
        off_t size;
        int64_t mtime_ns;
        int64_t looked_bt_us; /* when it was looked at last */
        void *object;
        const struct chimed_plugin *plugin;
        char why[PLUGIN_WHY_MAX];              /* it can't be used although its code is loaded; "": it can */
        struct plugin_description description; /* texts are the plugin's, options and choices ours */
};

/* Zero-initialise. */
struct plugin_files {
        struct plugin_file *first;
        unsigned n;
};

/* The file at path, which must be regular, belong to root or owner, and be writable by nobody else, as its folder must; loaded if it
 * is not yet, which executes code of it. 0; -EINVAL: it can't be, and why says it in words that begin with the name; -ENOMEM. */
int plugin_files_open(struct plugin_files *files, const char *path, uid_t owner, struct plugin_file **ret,
                      char why[static PLUGIN_WHY_MAX]);
/* Whether there is another file, or other content, at its path now. One that has gone is none. */
bool plugin_file_has_changed(const struct plugin_file *file);
/* Whether what is at path now was something else when it was loaded: in this process it would be that still, or worse, both. */
bool plugin_files_is_outdated(const struct plugin_files *files, const char *path);
/* Frees what is known; the code stays where it is. */
void plugin_files_done(struct plugin_files *files);
