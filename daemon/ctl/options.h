// SPDX-License-Identifier: MIT
// options: the one table of chimectl's options, and the command line read by it. Parser, help, manual check and completion walk it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/parameters.h"

#define OPTIONS_FOLDERS_MAX 64

enum ctl_option {
        OPTION_SOCKET, /* the first ones are for every verb */
        OPTION_USER,
        OPTION_JSON,
        OPTION_QUIET,
        OPTION_NO_LEGEND,
        OPTION_NO_PAGER,
        OPTION_HELP,
        OPTION_VERSION,
        OPTION_GLOBAL_END, /* the rest: for the verbs that name them */
        OPTION_AT = OPTION_GLOBAL_END,
        OPTION_NUMBER,
        OPTION_FROM,
        OPTION_SINCE,
        OPTION_UNTIL,
        OPTION_MISSED,
        OPTION_FAILED,
        OPTION_WAIT,
        OPTION_FOLLOW,
        OPTION_IF_RUNNING,
        OPTION_SCHEDULE,
        OPTION_FORCE,
        OPTION_TIMEOUT,
        OPTION_RUN,
        OPTION_REASON,
        OPTION_FOR,
        OPTION_RUNS,
        OPTION_SUCCESSES,
        OPTION_FINISHED,
        OPTION_KINDS,
        OPTION_RESET,
        OPTION_CONFIG,
        OPTION_JOBS,
        OPTION_CRON,
        OPTION_ZONE,
        OPTION_GAP,
        OPTION_FOLD,
        OPTION_SYSTEM,
        OPTION_OUTPUT,
        OPTION_TO,
        OPTION_TOOK,
        OPTION_TIMELINE,
        OPTION_SVG,
        OPTION_GROUPS,
        OPTION_EXPORT,
        OPTION_SET,
        OPTION_MAX
};

/* For sets of options. */
#define OPTION_BIT(option) (UINT64_C(1) << (option))

enum option_shape {
        OPTION_FLAG,
        OPTION_TEXT,
        OPTION_SPAN,           /* number: microseconds, 0 or more */
        OPTION_INSTANT,        /* number: microseconds since 1970 */
        OPTION_COUNT,          /* number: 1 or more */
        OPTION_COUNT_OPTIONAL, /* the same, but the number may be left out: 0 */
        OPTION_WORD,           /* number: which of `words`, from 0 */
        OPTION_WORD_OPTIONAL,  /* the same; left out: 0 */
        OPTION_FOLDERS,        /* may be repeated */
        OPTION_PARAMETERS,     /* NAME=VALUE, may be repeated, with another name */
};

struct option_row {
        const char *name;
        char letter; /* '\0': none */
        enum option_shape shape;
        const char *argument; /* as the help calls it; NULL: none */
        const char *words;    /* separated by a blank; NULL: not of that shape */
        const char *help;
};

enum json_form { JSON_FORM_PRETTY, JSON_FORM_SHORT, JSON_FORM_OFF };

struct option_value {
        bool is_set;
        const char *text; /* as it was given, NULL where nothing was; borrowed from argv */
        int64_t number;
};

struct options {
        struct option_value values[OPTION_MAX];
        const char *folders[OPTIONS_FOLDERS_MAX];
        size_t n_folders;
        const char *sets[PARAMETERS_N_MAX];
        size_t n_sets;
        char **words; /* what is no option: verb and names; borrowed from argv, which is put into order */
        size_t n_words;
};

const struct option_row *option_row(enum ctl_option option);
/* "--name=ARGUMENT" as the help has it. Returns buf. */
char *option_synopsis(enum ctl_option option, char buf[static 96]);
/* Reads the command line. 0, or 1 where it is wrong (told on standard error). */
int options_parse(int argc, char **argv, struct options *ret);
/* The first option that was given and is neither for every verb nor in `allowed`; OPTION_MAX: none. */
enum ctl_option options_find_other(const struct options *o, uint64_t allowed);
