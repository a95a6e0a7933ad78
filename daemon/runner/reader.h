// SPDX-License-Identifier: MIT
// reader: job files are read by a short-lived process of our own binary, which may block and may crash; this is both ends of it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "daemon/core/loop.h"
#include "daemon/runner/definitions.h"
#include "daemon/runner/group_list.h"
#include "daemon/runner/launch.h"

#define READER_TIME_US (60 * USEC_PER_SEC) /* then it is killed */

/* Where to read from: as on the command line; NULL and 0: the defaults. */
struct reader_paths {
        const char *settings_file;
        const char *const *folders;
        size_t n_folders;
        bool is_user;
        int controllers; /* that runs have, see cgroups_controllers(); -1: it is not known */
};

/* The child's end, as the main program: reads and writes everything to descriptor 3; or, to check, prints the diagnostics and a last
 * line to standard output. Returns the exit status. */
int reader_main(const struct reader_paths *paths, bool is_check);

/* What came of a reading beside the definitions, which went to the store's next generation. */
struct reading {
        int error; /* 0: complete. Negative: it failed, the next generation is to be abandoned */
        struct config_settings settings;
        uint32_t n_files, n_errors, n_warnings;
        struct group_list groups;
        char **diags; /* printed, as many as are kept */
        size_t n_diags;
        char **folders; /* of drop-ins, to be watched */
        size_t n_folders;
        char **zones; /* that were asked for, see zone_news.h */
        size_t n_zones;
        char **places; /* files and links on which their data depend, to be watched */
        size_t n_places;
};

struct reader;

/* Borrows the reading for the call; the reader may be freed inside. */
typedef void (*reader_fn)(void *userdata, const struct reading *reading);

/* Starts a reading into the store's next generation (which must be empty). on_done is called once, by the loop. */
int reader_new(struct loop *loop, struct launch_pool *pool, struct definitions *definitions, const struct reader_paths *paths,
               reader_fn on_done, void *userdata, struct reader **ret);
/* Kills it where it still runs. Not before its launch was given back, see reader_is_launching(), or the loop is over. */
struct reader *reader_free(struct reader *reader);
bool reader_is_launching(const struct reader *reader);
/* Whether pid is the reader's, whose exit status it takes itself. */
bool reader_owns_pid(const struct reader *reader, int32_t pid);

/* One record of the child; for tests. 0 or a negative error. */
int reader_handle(void *reader, uint8_t type, const void *payload, size_t size);
