// SPDX-License-Identifier: MIT
// options: the one table of chimectl's options, and the command line read by it.
// Options may come before and after the verb, so they are all read before it is known; which verb takes which is checked later.

#include "daemon/ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/ctl/times.h"

#define LONG_BASE 256 /* getopt's values of options: beyond letters */

static const struct option_row rows[OPTION_MAX] = {
        [OPTION_SOCKET] = {"socket", 0, OPTION_TEXT, "PATH", NULL, "the socket of chimed (else $CHIMED_SOCKET)"},
        [OPTION_USER] = {"user", 0, OPTION_FLAG, NULL, NULL, "your own instance of chimed, not the system's"},
        [OPTION_JSON] = {"json", 0, OPTION_WORD_OPTIONAL, "FORM", "pretty short off",
                         "the answer as JSON: pretty (default), short or off"},
        [OPTION_QUIET] = {"quiet", 'q', OPTION_FLAG, NULL, NULL, "say nothing of what was done"},
        [OPTION_NO_LEGEND] = {"no-legend", 0, OPTION_FLAG, NULL, NULL, "no headers, no summary"},
        [OPTION_NO_PAGER] = {"no-pager", 0, OPTION_FLAG, NULL, NULL, "no pager for long screens"},
        [OPTION_HELP] = {"help", 'h', OPTION_FLAG, NULL, NULL, "print this, or with a verb its options"},
        [OPTION_VERSION] = {"version", 0, OPTION_FLAG, NULL, NULL, "print the version"},
        [OPTION_AT] = {"at", 0, OPTION_INSTANT, "TIME", NULL, "the slot of this instant"},
        [OPTION_NUMBER] = {"number", 'n', OPTION_COUNT, "N", NULL, "how many"},
        [OPTION_FROM] = {"from", 0, OPTION_INSTANT, "TIME", NULL, "after this instant instead of now"},
        [OPTION_SINCE] = {"since", 0, OPTION_INSTANT, "TIME", NULL, "not what was before this instant"},
        [OPTION_UNTIL] = {"until", 0, OPTION_INSTANT, "TIME", NULL, "not what was after this instant"},
        [OPTION_MISSED] = {"missed", 0, OPTION_FLAG, NULL, NULL, "only slots that did not run by themselves"},
        [OPTION_FAILED] = {"failed", 0, OPTION_FLAG, NULL, NULL, "only runs that failed"},
        [OPTION_WAIT] = {"wait", 0, OPTION_FLAG, NULL, NULL, "wait for the end of the run and exit as it did"},
        [OPTION_FOLLOW] = {"follow", 'f', OPTION_FLAG, NULL, NULL, "its output as it comes; trigger: up to its end"},
        [OPTION_IF_RUNNING] = {"if-running", 0, OPTION_WORD, "HOW", "join queue reject replace parallel",
                               "if one runs: join queue reject replace parallel"},
        [OPTION_SCHEDULE] = {"schedule", 0, OPTION_WORD, "HOW", "keep rebase",
                             "keep planned times (default), or rebase: count from now"},
        [OPTION_FORCE] = {"force", 0, OPTION_FLAG, NULL, NULL, "also if it is cancelled or disabled"},
        [OPTION_TIMEOUT] = {"timeout", 0, OPTION_SPAN, "SPAN", NULL, "wait no longer than this; then exit with 124"},
        [OPTION_RUN] = {"run", 0, OPTION_COUNT_OPTIONAL, "ID", NULL, "only this run; cancel without ID: the one in flight"},
        [OPTION_REASON] = {"reason", 0, OPTION_TEXT, "TEXT", NULL, "why, for those who look later"},
        [OPTION_FOR] = {"for", 0, OPTION_SPAN, "SPAN", NULL, "go on by itself after this"},
        [OPTION_RUNS] = {"runs", 0, OPTION_COUNT, "N", NULL, "until its count of runs is so high"},
        [OPTION_SUCCESSES] = {"successes", 0, OPTION_COUNT, "N", NULL, "until its count of good runs is so high"},
        [OPTION_FINISHED] = {"finished", 0, OPTION_FLAG, NULL, NULL, "until nothing of it is in flight or waits"},
        [OPTION_KINDS] = {"kinds", 0, OPTION_TEXT, "KIND,...", NULL, "only these kinds of events"},
        [OPTION_RESET] = {"reset", 0, OPTION_FLAG, NULL, NULL, "back to the interval of its definition"},
        [OPTION_CONFIG] = {"config", 0, OPTION_TEXT, "FILE", NULL, "the settings file"},
        [OPTION_JOBS] = {"jobs", 0, OPTION_FOLDERS, "DIR", NULL, "a folder with job files; may be repeated"},
        [OPTION_CRON] = {"cron", 0, OPTION_FLAG, NULL, NULL, "read it as a cron expression in any case"},
        [OPTION_ZONE] = {"zone", 0, OPTION_TEXT, "ZONE", NULL, "the time zone where none is named (else the machine's)"},
        [OPTION_GAP] = {"gap", 0, OPTION_WORD, "HOW", "run-after skip",
                        "times that the clock skips: run-after (default), skip"},
        [OPTION_FOLD] = {"fold", 0, OPTION_WORD, "HOW", "first second both",
                         "times that come twice: first (default), second, both"},
        [OPTION_SYSTEM] = {"system", 0, OPTION_FLAG, NULL, NULL, "crontab: lines name a user (default: it is found out)"},
        [OPTION_OUTPUT] = {"output", 0, OPTION_TEXT, "DIR", NULL, "a file for each job, into this folder"},
        [OPTION_TO] = {"to", 0, OPTION_INSTANT, "TIME", NULL, "up to this instant (default: a day later)"},
        [OPTION_TOOK] = {"took", 0, OPTION_SPAN, "SPAN", NULL, "how long each run takes (default: as its latest one)"},
        [OPTION_TIMELINE] = {"timeline", 0, OPTION_FLAG, NULL, NULL, "draw a row a job, with what was before now"},
        [OPTION_GROUPS] = {"groups", 0, OPTION_FLAG, NULL, NULL, "the groups, instead of jobs"},
        [OPTION_EXPORT] = {"export", 0, OPTION_FLAG, NULL, NULL, "only the variables, as a shell reads them"},
        [OPTION_SET] = {"set", 0, OPTION_PARAMETERS, "NAME=VALUE", NULL, "a parameter for the run; may be repeated"},
        [OPTION_SVG] = {"svg", 0, OPTION_TEXT, "FILE", NULL, "the same as a picture (FILE - is standard output)"},
};

const struct option_row *option_row(enum ctl_option option) {
        return &rows[option];
}

static bool is_optional(enum option_shape shape) {
        return shape == OPTION_WORD_OPTIONAL || shape == OPTION_COUNT_OPTIONAL;
}

char *option_synopsis(enum ctl_option option, char buf[static 96]) {
        const struct option_row *row = &rows[option];
        char letter[] = {'-', row->letter, ',', ' ', '\0'};

        snprintf(buf, 96, "%s--%s%s%s%s", row->letter ? letter : "", row->name,
                 is_optional(row->shape) ? "[="
                 : row->argument         ? "="
                                         : "",
                 row->argument ? row->argument : "", is_optional(row->shape) ? "]" : "");
        return buf;
}

/* Which of the words it is, or -1. */
static int find_word(const char *words, const char *text) {
        size_t size = strlen(text);

        for (int i = 0; *words; i++) {
                size_t length = strcspn(words, " ");
                if (length == size && memcmp(words, text, size) == 0)
                        return i;
                words += length + strspn(words + length, " ");
        }
        return -1;
}

static int read_count(const char *text, int64_t *ret, const char **ret_why) {
        char *end;

        errno = 0;
        long long n = strtoll(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end || errno || n < 1) {
                *ret_why = "give a whole number from 1";
                return -EINVAL;
        }
        *ret = n;
        return 0;
}

static int read_span(const char *text, int64_t *ret, const char **ret_why) {
        int64_t us;
        int r = duration_parse(text, &us, ret_why);

        if (r < 0)
                return r;
        if (us == DURATION_INFINITY) {
                *ret_why = "give an end, or leave the option out";
                return -EINVAL;
        }
        *ret = us;
        return 0;
}

static int read_value(const struct option_row *row, const char *text, int64_t *ret, const char **ret_why) {
        switch (row->shape) {
        case OPTION_SPAN:
                return read_span(text, ret, ret_why);
        case OPTION_INSTANT:
                return times_parse(text, clock_now().rt_us, ret, ret_why);
        case OPTION_COUNT:
        case OPTION_COUNT_OPTIONAL:
                return read_count(text, ret, ret_why);
        case OPTION_WORD:
        case OPTION_WORD_OPTIONAL:
                *ret = find_word(row->words, text);
                *ret_why = NULL;
                return *ret < 0 ? -EINVAL : 0;
        case OPTION_FLAG:
        case OPTION_TEXT:
        case OPTION_FOLDERS:
        case OPTION_PARAMETERS:
                break;
        }
        return 0;
}

static int take_folder(struct options *o, const char *name, const char *text) {
        if (o->n_folders == OPTIONS_FOLDERS_MAX) {
                fprintf(stderr, "chimectl: more than %d --%s\n", OPTIONS_FOLDERS_MAX, name);
                return 1;
        }
        o->folders[o->n_folders++] = text;
        return 0;
}

/* Why a set of parameters is none. */
static const char *parameters_error(int error) {
        switch (error) {
        case -EINVAL:
                return "give NAME=VALUE, the name of letters, digits and _, no digit first, at most 64 bytes";
        case -EILSEQ:
                return "the value is no UTF-8 text";
        case -EEXIST:
                return "the name was given before";
        case -E2BIG:
                return "all together are more than 16 KiB";
        }
        return strerror(-error);
}

static int take_parameter(struct options *o, const char *name, const char *text) {
        size_t size;

        if (o->n_sets == PARAMETERS_N_MAX) {
                fprintf(stderr, "chimectl: more than %d --%s\n", PARAMETERS_N_MAX, name);
                return 1;
        }
        o->sets[o->n_sets++] = text;
        _cleanup_free_ char *set = NULL;
        int r = parameters_make(o->sets, o->n_sets, &set, &size, NULL);
        if (r < 0)
                fprintf(stderr, "chimectl: --%s=%.80s: %s\n", name, text, parameters_error(r));
        return r < 0;
}

/* Takes over an option with its argument. 0 or 1 (told). */
static int take(struct options *o, enum ctl_option option, const char *text) {
        const struct option_row *row = &rows[option];
        struct option_value value = {.is_set = true, .text = text};
        const char *why = NULL;

        if (text && read_value(row, text, &value.number, &why) < 0) {
                fprintf(stderr, "chimectl: --%s=%s: %s%s\n", row->name, text,
                        why ? why : "give one of: ", why ? "" : row->words);
                return 1;
        }
        o->values[option] = value;
        return row->shape == OPTION_FOLDERS      ? take_folder(o, row->name, text)
               : row->shape == OPTION_PARAMETERS ? take_parameter(o, row->name, text)
                                                 : 0;
}

/* The table in getopt's form. */
static void make_getopt(struct option list[static OPTION_MAX + 1], char letters[static 2 * OPTION_MAX + 1]) {
        size_t n = 0;

        for (int i = 0; i < OPTION_MAX; i++) {
                int has_argument = !rows[i].argument            ? no_argument
                                   : is_optional(rows[i].shape) ? optional_argument
                                                                : required_argument;
                list[i] = (struct option){rows[i].name, has_argument, NULL, LONG_BASE + i};
                if (rows[i].letter)
                        letters[n++] = rows[i].letter;
                if (rows[i].letter && has_argument == required_argument)
                        letters[n++] = ':';
        }
        list[OPTION_MAX] = (struct option){};
        letters[n] = '\0';
}

static enum ctl_option find_letter(int letter) {
        int i = 0;

        while (i < OPTION_MAX && rows[i].letter != letter)
                i++;
        return (enum ctl_option)i;
}

int options_parse(int argc, char **argv, struct options *ret) {
        struct option list[OPTION_MAX + 1];
        char letters[2 * OPTION_MAX + 1];
        struct options o = {};
        int c;

        make_getopt(list, letters);
        optind = 0; /* from the beginning, also where a test calls again */
        while ((c = getopt_long(argc, argv, letters, list, NULL)) >= 0) {
                enum ctl_option option = c >= LONG_BASE ? (enum ctl_option)(c - LONG_BASE) : find_letter(c);
                if (option == OPTION_MAX) {
                        fputs("Try 'chimectl --help'.\n", stderr);
                        return 1;
                }
                if (take(&o, option, optarg) != 0)
                        return 1;
        }
        o.words = argv + optind;
        o.n_words = (size_t)(argc - optind);
        *ret = o;
        return 0;
}

enum ctl_option options_find_other(const struct options *o, uint64_t allowed) {
        int i = OPTION_GLOBAL_END;

        while (i < OPTION_MAX && (!o->values[i].is_set || (allowed & OPTION_BIT(i))))
                i++;
        return (enum ctl_option)i;
}
