// SPDX-License-Identifier: MIT
// config_unit: the sections and settings of one job file with its drop-ins, or of the settings file; for config_*.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/job.h"

enum section_kind {
        SECTION_OTHER, /* refused (told); its keys are passed over */
        SECTION_JOB,
        SECTION_DEFAULTS,
        SECTION_CALENDAR,
        SECTION_GROUP,
        SECTION_CHIMED,
};

struct section {
        enum section_kind kind;
        const char *name, *file; /* in the arena, borrowed from the caller */
        unsigned line;
        size_t first, n; /* its settings */
        bool is_broken;
        bool is_drop_in;
};

struct arena_block;

struct unit {
        struct agendas *agendas; /* for values of [defaults] and groups */
        struct diags *diags;
        const char *file; /* the one being read; borrowed, as are the sections' */
        bool is_settings_file;
        bool is_drop_in;
        bool has_broken_header; /* jobs may be missing */
        bool is_untrusted;      /* a part that concerns all of its jobs is broken: none can be taken */
        int error;
        struct section *sections;
        size_t n_sections, sections_allocated;
        struct job_setting *settings;
        size_t n_settings, settings_allocated;
        struct arena_block *arena;
        unsigned lines[SECTION_CHIMED + 1]; /* by kind: where the file at hand has that section, or 0 */
        unsigned *
                seen; /* by row of the table of jobs' keys, and behind them by row of the section's own: the line that has it in the section at hand, or 0 */
        size_t n_seen;
};

/* Frees what it holds and zeroes it. */
void unit_done(struct unit *unit);
/* Adds a file's sections; text is borrowed for the call, file until unit_done(). 0 or -ENOMEM. */
int unit_read(struct unit *unit, const char *file, const char *text, size_t size);
/* The sections of one kind by name, those in files before those in drop-ins, given to the caller. 0, -ENOMEM. */
int unit_sort_sections(const struct unit *unit, enum section_kind kind, const struct section ***ret, size_t *ret_n);
/* How many of such a list, from its beginning on, are of one name, and how many of those are in files. n is at least 1. */
size_t unit_count_same(const struct section *const *sections, size_t n, size_t *ret_n_main);
