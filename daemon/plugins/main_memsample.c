// SPDX-License-Identifier: MIT
// memsample: a plugin that samples what a process, all of a name, or a cgroup uses, as the value and as a line of a CSV file.

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/plugin.h"
#include "daemon/plugins/csv_file.h"
#include "daemon/plugins/sample.h"

#define CGROUPS "/sys/fs/cgroup"

enum { FORMAT_JSON, FORMAT_PAIRS };
static const char *const formats[] = {[FORMAT_JSON] = "json", [FORMAT_PAIRS] = "pairs", NULL};
enum { MISSING_FAIL, MISSING_SKIP };
static const char *const missing[] = {[MISSING_FAIL] = "fail", [MISSING_SKIP] = "skip", NULL};

static const char *const targets[] = {"pid", "pid-file", "name", "exe", "cgroup"}; /* of these a job has one */

static const struct chimed_option options[] = {
        {.name = "pid", .type = CHIMED_INTEGER, .min = 1, .max = 1 << 22, .help = "The process with this number."},
        {.name = "pid-file",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 1,
         .help = "The process whose number is in this file."},
        {.name = "name", .type = CHIMED_STRING, .min = 1, .max = 255, .help = "All processes with this name, together."},
        {.name = "exe",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 1,
         .help = "All processes that run this file, together."},
        {.name = "cgroup",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 1,
         .help = "A cgroup, as system.slice/nginx.service."},
        {.name = "pss",
         .type = CHIMED_BOOL,
         .default_value = "yes",
         .help = "Read PSS and swap, which is dear for large processes."},
        {.name = "missing",
         .type = CHIMED_CHOICE,
         .choices = missing,
         .default_value = "fail",
         .help = "What the run comes to while there is nothing to sample: fail or skip."},
        {.name = "file",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 16,
         .help = "The CSV file that gets a line for each sample."},
        {.name = "max-size",
         .type = CHIMED_SIZE,
         .min = CSV_SIZE_MIN,
         .max = INT64_C(1) << 40,
         .default_value = "10M",
         .help = "The size at which the file is renamed to FILE.1 and begun anew."},
        {.name = "keep",
         .type = CHIMED_INTEGER,
         .max = CSV_KEEP_MAX,
         .default_value = "5",
         .help = "How many old files are kept."},
        {.name = "format",
         .type = CHIMED_CHOICE,
         .choices = formats,
         .default_value = "json",
         .help = "How the value is written: json, or pairs of NAME=VALUE."},
};

struct memsample {
        struct sample_of of;
        const char *what; /* the option that says it, as written */
        const char *pid_file;
        char *cgroup;
        struct csv_file csv; /* path NULL: none */
        char header[256];
        bool is_skipped_when_missing;
        int format;
};

static void memsample_unload(struct chimed_job *job, void *data) {
        struct memsample *m = data;

        (void)job;
        free(m->cgroup);
        free(m);
}

/* Where a cgroup is: an absolute path as it is, another one below the root of version 2, which is a folder deeper on hybrid systems. */
static char *cgroup_path(const char *name) {
        char *path;
        struct sample probe;
        const char *root = sample_cgroup(CGROUPS "/unified", &probe) == 0 ? CGROUPS "/unified/" : CGROUPS "/";

        return asprintf(&path, "%s%s", *name == '/' ? "" : root, name) < 0 ? NULL : path;
}

static int memsample_load(struct chimed_job *job, void **ret_data) {
        const char *what = NULL, *cgroup = chimed_option_string(job, "cgroup");
        struct memsample *m;
        size_t n = 0;

        for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
                const char *value = chimed_option_string(job, targets[i]);
                what = value ? value : what;
                n += value != NULL;
        }
        if (n != 1)
                return chimed_fail(job, 0, "exactly one of the options pid, pid-file, name, exe and cgroup is needed");
        m = calloc(1, sizeof(*m));
        if (!m)
                return chimed_fail(job, 0, "no memory");
        m->of = (struct sample_of){
                .pid = (pid_t)chimed_option_integer(job, "pid"),
                .name = chimed_option_string(job, "name"),
                .exe = chimed_option_string(job, "exe"),
                .with_pss = chimed_option_bool(job, "pss") == 1,
        };
        m->what = what;
        m->pid_file = chimed_option_string(job, "pid-file");
        if (cgroup) {
                m->cgroup = cgroup_path(cgroup);
                if (!m->cgroup) {
                        memsample_unload(job, m);
                        return chimed_fail(job, 0, "no memory");
                }
        }
        m->csv = (struct csv_file){
                .path = chimed_option_string(job, "file"),
                .header = m->header,
                .size_max = chimed_option_integer(job, "max-size"),
                .keep = (int)chimed_option_integer(job, "keep"),
        };
        struct text header = TEXT_IN(m->header);
        sample_header(m->cgroup != NULL, &header);
        m->is_skipped_when_missing = chimed_option_choice(job, "missing") == MISSING_SKIP;
        m->format = chimed_option_choice(job, "format");
        *ret_data = m;
        return 0;
}

/* 0; -ENOENT: there is nothing to sample; or another negative errno. */
static int take(struct memsample *m, struct sample *ret) {
        struct sample_of of = m->of;
        int r = 0;

        if (m->cgroup)
                return sample_cgroup(m->cgroup, ret);
        if (m->pid_file)
                r = sample_pid_file(m->pid_file, &of.pid);
        if (r == 0)
                r = sample_processes("/proc", &of, ret);
        return r < 0 ? r : ret->values[SAMPLE_PROCESSES] == 0 ? -ENOENT : 0;
}

static const char *why(const struct memsample *m, int r) {
        switch (r) {
        case -ENOENT:
                return m->cgroup ? "there is no such cgroup" : "there is no such process";
        case -ENOTTY:
                return "this is no cgroup of version 2";
        case -EBADMSG:
                return m->pid_file ? "there is no process number in it" : "/proc says what is not understood";
        default:
                return strerror(-r);
        }
}

static int memsample_tick(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        struct memsample *m = data;
        struct sample sample;
        char memory[1024];
        struct text text = TEXT_IN(memory);
        enum csv_step step;
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        int r = take(m, &sample);
        if (r == -ENOENT && m->is_skipped_when_missing)
                return CHIMED_SKIPPED;
        if (r < 0)
                return chimed_fail(job, tick->run, "%s: %s", m->what, why(m, r));
        if (m->csv.path) {
                sample_line(&sample, now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000, &text);
                r = csv_append(&m->csv, text.to, &step);
                if (r < 0)
                        return chimed_fail(job, tick->run, "%s %s: %s", m->csv.path, csv_step_to_string(step), strerror(-r));
                text = TEXT_IN(memory);
        }
        (m->format == FORMAT_JSON ? sample_json : sample_pairs)(&sample, &text);
        (void)chimed_value(job, tick->run, text.to, text.used);
        return CHIMED_SUCCESS;
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .n_options = sizeof(options) / sizeof(*options),
        .name = "memsample",
        .description = "Samples what a process or a cgroup uses, into a CSV file.",
        .options = options,
        .load = memsample_load,
        .tick = memsample_tick,
        .unload = memsample_unload,
};
