// SPDX-License-Identifier: MIT
// verbs: the one table of what chimectl can do.

#include "daemon/ctl/verbs.h"

#include <string.h>

#include "config/nearest.h"
#include "daemon/core/util.h"

#define O(name) OPTION_BIT(OPTION_##name)
#define M(name) OPTION_BIT(API_##name)

#define EXPRESSION_OPTIONS (O(CRON) | O(ZONE) | O(GAP) | O(FOLD))

/* Verbs that take patterns look at the list of jobs, as does the hint for a job that there is not: ListJobs is not named for it. */
static const struct verb rows[] = {
        {"list", NULL, "[JOB...]", 0, VERB_NAMES_ANY, O(GROUPS), M(GET_STATUS) | M(LIST_JOBS) | M(LIST_GROUPS),
         "jobs: when next, how last; what needs you first (default)", verb_list},
        {"show", "status", "JOB...", 1, VERB_NAMES_ANY, 0, M(SHOW_JOB), "one job: schedule, latest runs, counts, output",
         verb_show},
        {"why", NULL, "JOB...", 1, VERB_NAMES_ANY, O(AT), M(WHY), "why it does not run, or what became of a slot", verb_why},
        {"next", NULL, "[JOB...]", 0, VERB_NAMES_ANY, O(NUMBER) | O(FROM) | EXPRESSION_OPTIONS, M(NEXT),
         "the next slots, of jobs or of expressions", verb_next},
        {"history", NULL, "[JOB...]", 0, VERB_NAMES_ANY, O(SINCE) | O(UNTIL) | O(MISSED) | O(FAILED) | O(NUMBER),
         M(LIST_RUNS) | M(LIST_MISSED), "runs, and slots that did not run, newest last", verb_history},
        {"log", NULL, "JOB", 1, 1, O(RUN) | O(FOLLOW) | O(NUMBER) | O(SINCE) | O(UNTIL), M(LIST_RUNS) | M(GET_STATUS),
         "what it wrote, from the journal", verb_log},
        {"watch", NULL, "[JOB...]", 0, VERB_NAMES_ANY, O(KINDS), M(SUBSCRIBE), "what happens, live", verb_watch},
        {"trigger", NULL, "JOB...", 1, VERB_NAMES_ANY,
         O(WAIT) | O(FOLLOW) | O(IF_RUNNING) | O(SCHEDULE) | O(FORCE) | O(TIMEOUT) | O(SET), M(TRIGGER), "run it now",
         verb_trigger},
        {"cancel", "stop", "JOB...", 1, VERB_NAMES_ANY, O(RUN) | O(REASON), M(CANCEL),
         "stop its schedule and end its run, until start", verb_cancel},
        {"start", NULL, "JOB...", 1, VERB_NAMES_ANY, 0, M(START), "arm it again after cancel", verb_start},
        {"pause", NULL, "JOB...", 1, VERB_NAMES_ANY, O(FOR) | O(REASON), M(PAUSE), "stop its schedule, let its run finish",
         verb_pause},
        {"resume", NULL, "JOB...", 1, VERB_NAMES_ANY, 0, M(RESUME), "go on after pause, at the next slot", verb_resume},
        {"wait", NULL, "JOB", 1, 1, O(NUMBER) | O(RUNS) | O(SUCCESSES) | O(FINISHED) | O(TIMEOUT), M(WAIT),
         "wait until runs of it have ended", verb_wait},
        {"set-interval", NULL, "JOB SPAN", 1, 2, O(RESET), M(SET_INTERVAL), "another interval, until its definition changes",
         verb_set_interval},
        {"audit", NULL, "[JOB...]", 0, VERB_NAMES_ANY, O(SINCE), M(AUDIT), "check that the ledger has each slot once",
         verb_audit},
        {"check", NULL, "", 0, 0, O(CONFIG) | O(JOBS), M(GET_STATUS),
         "read the job files and tell what is wrong; needs no chimed", verb_check},
        {"reload", NULL, "", 0, 0, 0, M(RELOAD), "have the job files read now, tell what is wrong", verb_reload},
        {"cat", NULL, "JOB...", 1, VERB_NAMES_ANY, O(CONFIG) | O(JOBS), M(GET_STATUS), "its settings and where they come from",
         verb_cat},
        {"try", NULL, "JOB", 1, 1, O(CONFIG) | O(JOBS) | O(SET), M(GET_STATUS),
         "run it in this terminal, as chimed would; needs no chimed", verb_try},
        {"env", NULL, "JOB", 1, 1, O(CONFIG) | O(JOBS) | O(EXPORT), M(GET_STATUS),
         "what its run would get: variables, rights, limits", verb_env},
        {"explain", NULL, "EXPR...", 1, VERB_NAMES_ANY, O(NUMBER) | O(FROM) | EXPRESSION_OPTIONS, 0,
         "what an expression means, and when it comes", verb_explain},
        {"simulate", NULL, "[JOB...]", 0, VERB_NAMES_ANY,
         O(FROM) | O(TO) | O(TOOK) | O(TIMELINE) | O(SVG) | O(CONFIG) | O(JOBS),
         M(SIMULATE) | M(GET_STATUS) | M(LIST_JOBS) | M(LIST_RUNS) | M(LIST_MISSED), "what the jobs would do in a period",
         verb_simulate},
        {"import", NULL, "WHAT FILE", 2, VERB_NAMES_ANY, O(SYSTEM) | O(OUTPUT), 0,
         "job files made of a crontab, or a timer (WHAT)", verb_import},
        {"help", NULL, "[VERB]", 0, 1, 0, 0, "print this, or the options of a verb", NULL},
};

const struct verb *verbs(size_t *ret_n) {
        *ret_n = ARRAY_SIZE(rows);
        return rows;
}

const struct verb *verb_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].name, name) == 0 || (rows[i].alias && strcmp(rows[i].alias, name) == 0))
                        return &rows[i];
        return NULL;
}

const char *verb_nearest(const char *name) {
        struct nearest nearest = nearest_begin(name);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                nearest_offer(&nearest, rows[i].name);
                if (rows[i].alias)
                        nearest_offer(&nearest, rows[i].alias);
        }
        return nearest.found;
}

static void print_option(FILE *out, enum ctl_option option) {
        char synopsis[96];

        fprintf(out, "  %-22s%s\n", option_synopsis(option, synopsis), option_row(option)->help);
}

static void print_globals(FILE *out) {
        for (int i = 0; i < OPTION_GLOBAL_END; i++)
                print_option(out, (enum ctl_option)i);
}

void verbs_help(FILE *out) {
        fputs("Usage: chimectl [OPTION]... [VERB] [JOB]...\n"
              "See and control the jobs of chimed.\n\n",
              out);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                fprintf(out, "  %-13s%-10s%s\n", rows[i].name, rows[i].arguments, rows[i].help);
        fputs("\nJOB may be a pattern, such as 'db-*', or a group: @NAME. Options for every verb:\n", out);
        print_globals(out);
        fputs("\nThe options of a verb: chimectl help VERB. See chimectl(1).\n", out);
}

void verb_help(FILE *out, const struct verb *verb) {
        fprintf(out, "Usage: chimectl %s [OPTION]...%s%s\n", verb->name, *verb->arguments ? " " : "", verb->arguments);
        fprintf(out, "%c%s.\n", verb->help[0] - 'a' + 'A', verb->help + 1);
        if (verb->alias)
                fprintf(out, "Also: chimectl %s\n", verb->alias);
        fputc('\n', out);
        for (int i = OPTION_GLOBAL_END; i < OPTION_MAX; i++)
                if (verb->options & OPTION_BIT(i))
                        print_option(out, (enum ctl_option)i);
        print_globals(out);
}
