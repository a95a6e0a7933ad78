// SPDX-License-Identifier: MIT
// chimed-simulate, the program that chimectl simulate runs: job files in, the ledger that they would make out, a JSON object a line.
// How long runs of a job took is on standard input: "MICROSECONDS NAME" lines.

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/simulation_json.h"
#include "daemon/simulator/simulate.h"

#define FOLDERS_MAX 64

static const char help[] = "Usage: chimed-simulate [OPTION]... [JOB]...\n"
                           "Print what the jobs would do in a period. See: chimectl simulate.\n"
                           "\n"
                           "  --from=USEC, --to=USEC  the period\n"
                           "  --took=USEC             of runs whose job is not on standard input\n"
                           "  --rows=N                end after so many lines, with 3\n"
                           "  --names                 first a line with the name of each job\n"
                           "  --config=FILE, --jobs=DIR\n"
                           "  --help, --version\n";

struct program {
        struct config_paths paths;
        const char *folders[FOLDERS_MAX];
        int64_t from_us, to_us, took_us, rows_max, n_rows;
        char **names; /* patterns; of these jobs the rows are printed */
        size_t n_names;
        bool is_naming;
        struct config *config;
        int64_t *took; /* by the number of the job; -1: not told */
};

static int compare_names(const void *name, const void *job) {
        return strcmp(name, (*(struct job *const *)job)->name);
}

/* The number of a job, or n_jobs. */
static size_t find_job(const struct program *p, const char *name) {
        struct job **found = p->config->n_jobs == 0 ? NULL
                                                    : bsearch(name, p->config->jobs, p->config->n_jobs,
                                                              sizeof(*p->config->jobs), compare_names);

        return found ? (size_t)(found - p->config->jobs) : p->config->n_jobs;
}

static int64_t took(void *userdata, const char *job) {
        const struct program *p = userdata;
        size_t i = find_job(p, job);

        return i < p->config->n_jobs && p->took[i] >= 0 ? p->took[i] : p->took_us;
}

static bool is_wanted(const struct program *p, const char *job) {
        for (size_t i = 0; i < p->n_names; i++)
                if (fnmatch(p->names[i], job, 0) == 0)
                        return true;
        return p->n_names == 0;
}

/* Takes the object. */
static int print_line(json_t *o) {
        int r = o ? json_dumpf(o, stdout, JSON_COMPACT) : -1;

        json_decref(o);
        return r < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static int print_row(void *userdata, const struct simulation_row *row) {
        struct program *p = userdata;

        if (!is_wanted(p, row->job))
                return 0;
        if (p->rows_max > 0 && p->n_rows++ == p->rows_max)
                return -E2BIG;
        return print_line(simulation_json(row));
}

static int print_names(const struct program *p) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < p->config->n_jobs; i++)
                if (is_wanted(p, p->config->jobs[i]->name))
                        r = print_line(json_pack("{s:s}", "job", p->config->jobs[i]->name));
        return r;
}

static bool read_number(const char *text, int64_t *ret) {
        char *end;

        errno = 0;
        *ret = strtoll(text, &end, 10);
        return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* 0 to go on, else the exit status plus one. */
static int parse(int argc, char **argv, struct program *p) {
        enum { FROM = 256, TO, TOOK, ROWS, CONFIG, JOBS, NAMES, HELP, VERSION };
        static const struct option options[] = {
                {"from", required_argument, NULL, FROM},     {"to", required_argument, NULL, TO},
                {"took", required_argument, NULL, TOOK},     {"rows", required_argument, NULL, ROWS},
                {"config", required_argument, NULL, CONFIG}, {"jobs", required_argument, NULL, JOBS},
                {"names", no_argument, NULL, NAMES},         {"help", no_argument, NULL, HELP},
                {"version", no_argument, NULL, VERSION},     {0},
        };
        int64_t *const numbers[] = {&p->from_us, &p->to_us, &p->took_us, &p->rows_max};

        for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                bool is_good = c <= ROWS ? c >= FROM && read_number(optarg, numbers[c - FROM])
                                         : c != JOBS || p->paths.n_folders < FOLDERS_MAX;
                if (c == HELP || c == VERSION)
                        return (c == HELP ? fputs(help, stdout) : puts("chimed-simulate " CHIMED_VERSION)) < 0 ? 2 : 1;
                if (!is_good) {
                        fputs("Try 'chimed-simulate --help'.\n", stderr);
                        return 3;
                }
                if (c == CONFIG)
                        p->paths.settings_file = optarg;
                else if (c == JOBS)
                        p->folders[p->paths.n_folders++] = optarg;
                else if (c == NAMES)
                        p->is_naming = true;
        }
        p->names = argv + optind;
        p->n_names = (size_t)(argc - optind);
        return 0;
}

static void read_durations(struct program *p) {
        char name[JOB_NAME_MAX + 1];
        int64_t us;

        while (scanf("%" SCNd64 " %64s", &us, name) == 2) { /* JOB_NAME_MAX */
                size_t i = find_job(p, name);
                if (i < p->config->n_jobs && us >= 0)
                        p->took[i] = us;
        }
}

/* What is wrong with the files goes to standard error; those jobs are left out. */
static int load(struct program *p) {
        struct diags diags = {};
        int r = config_load(&p->paths, &diags, &p->config);

        for (size_t i = 0; i < diags.n; i++) {
                _cleanup_free_ char *text = diags.list[i].is_warning ? NULL : diag_print(&diags.list[i]);
                if (text)
                        fprintf(stderr, "%s\n", text);
        }
        diags_done(&diags);
        if (r < 0)
                return r;
        p->took = calloc(p->config->n_jobs + 1, sizeof(*p->took));
        if (!p->took)
                return -ENOMEM;
        for (size_t i = 0; i < p->config->n_jobs; i++)
                p->took[i] = -1;
        read_durations(p);
        return 0;
}

/* Whether each name means a job; what means none is told. */
static bool are_jobs(const struct program *p) {
        bool is_good = true;

        for (size_t i = 0; i < p->n_names; i++) {
                size_t k = 0;
                while (k < p->config->n_jobs && fnmatch(p->names[i], p->config->jobs[k]->name, 0) != 0)
                        k++;
                if (k == p->config->n_jobs)
                        fprintf(stderr, "chimed-simulate: no file has a job \"%s\"\n", p->names[i]);
                is_good = is_good && k < p->config->n_jobs;
        }
        return is_good;
}

int main(int argc, char **argv) {
        struct program p = {};
        int r = parse(argc, argv, &p);

        if (r > 0)
                return r - 1;
        p.paths.folders = p.folders;
        r = load(&p);
        bool is_good = r < 0 || are_jobs(&p);
        if (r == 0 && is_good && p.is_naming)
                r = print_names(&p);
        if (r == 0 && is_good)
                r = simulate(p.config,
                             &(struct simulate_wish){
                                     .from_us = p.from_us, .to_us = p.to_us, .took = took, .row = print_row, .userdata = &p});
        free(p.took);
        config_free(p.config);
        if (r != -E2BIG && (r < 0 || fflush(stdout) != 0)) {
                fprintf(stderr, "chimed-simulate: %s\n", strerror(r < 0 ? -r : errno));
                return 1;
        }
        return r == -E2BIG ? 3 : is_good ? 0 : 4;
}
