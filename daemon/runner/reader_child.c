// SPDX-License-Identifier: MIT
// reader_child: the reading end: everything from the files to descriptor 3, a message when it is full, waiting for the runner
// where it is slower. With --check the diagnostics go to standard output instead.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <sys/stat.h>

#include "config/config_look.h"
#include "config/pack.h"
#include "daemon/core/channel.h"
#include "daemon/core/clock.h"
#include "daemon/core/helper.h"
#include "daemon/core/util.h"
#include "daemon/runner/cgroup.h"
#include "daemon/runner/reader.h"
#include "daemon/runner/reader_records.h"
#include "daemon/runner/zone_news.h"

#define READER_FD   3
#define QUEUE_LIMIT (4 * CHANNEL_MESSAGE_MAX)
#define SUFFIX      ".ini.d"

struct output {
        struct loop *loop;
        struct channel *channel;
        struct pack pack;
        bool is_closed;
};

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        (void)userdata, (void)type, (void)payload, (void)size;
        return -EBADMSG; /* the runner says nothing */
}

static int on_closed(void *userdata, int error) {
        struct output *o = userdata;

        o->is_closed = true;
        return error;
}

/* Waits until at most `most` bytes are left to be written. */
static int drain(struct output *o, size_t most) {
        int r = 0;

        while (r >= 0 && !o->is_closed && channel_queued(o->channel) > most)
                r = loop_run_once(o->loop, -1);
        return o->is_closed ? -EPIPE : r < 0 ? r : 0;
}

/* Sends what is in the writer as one record, and empties it. */
static int put(struct output *o, enum reader_record type) {
        int r = pack_result(&o->pack);

        if (r == 0)
                r = drain(o, QUEUE_LIMIT / 2);
        if (r == 0)
                r = channel_send(o->channel, (uint8_t)type, o->pack.data, o->pack.size);
        pack_clear(&o->pack);
        return r;
}

static int put_job(struct output *o, const struct job *job) {
        char *when;
        int r = job_when_print(&job->when, job->description, &when);

        if (r < 0)
                return r;
        pack_u64(&o->pack, job->hash.word[0]);
        pack_u64(&o->pack, job->hash.word[1]);
        pack_string(&o->pack, job->file);
        pack_u32(&o->pack, job->line);
        pack_string(&o->pack, job->name);
        pack_bytes(&o->pack, when, strlen(when));
        free(when);
        r = put(o, READER_RECORD_DEFINITION);
        if (r < 0)
                return r;
        job_what_encode(&job->what, &o->pack);
        return put(o, READER_RECORD_WHAT);
}

static int put_text(struct output *o, enum reader_record type, const char *text) {
        pack_string(&o->pack, text);
        return put(o, type);
}

static int put_diags(struct output *o, const struct diags *diags) {
        int r = 0;

        for (size_t i = 0; i < diags->n && r == 0; i++) {
                _cleanup_free_ char *text = diag_print(&diags->list[i]);
                _cleanup_free_ char *line = NULL;
                if (!text || asprintf(&line, "<%d>%s", diags->list[i].is_warning ? LOG_WARNING : LOG_ERR, text) < 0)
                        return -ENOMEM;
                r = put_text(o, READER_RECORD_DIAG, line);
        }
        return r;
}

/* The folders of drop-ins in one folder of jobs, so that the runner can watch them. */
static int put_drop_ins(struct output *o, const char *folder) {
        DIR *stream = opendir(folder);
        struct dirent *entry;
        int r = 0;

        while (stream && r == 0 && (entry = readdir(stream))) {
                size_t size = strlen(entry->d_name);
                char *path;
                if (size <= strlen(SUFFIX) || strcmp(entry->d_name + size - strlen(SUFFIX), SUFFIX) != 0)
                        continue;
                if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
                        r = -ENOMEM;
                else {
                        r = put_text(o, READER_RECORD_FOLDER, path);
                        free(path);
                }
        }
        if (stream)
                closedir(stream);
        return r;
}

static int put_broken(struct output *o, const struct config_broken *broken) {
        char mailer[JOB_NAME_MAX + sizeof(CONFIG_MAIL_SUFFIX)];

        pack_u64(&o->pack, broken->name ? definitions_name_key(broken->name) : definitions_file_key(broken->file));
        int r = put(o, READER_RECORD_BROKEN);
        if (r < 0 || !broken->name)
                return r;
        snprintf(mailer, sizeof(mailer), "%s" CONFIG_MAIL_SUFFIX,
                 broken->name); /* it stays with the one whose mails it sends */
        pack_u64(&o->pack, definitions_name_key(mailer));
        return put(o, READER_RECORD_BROKEN);
}

static int put_group(struct output *o, const struct config_group *group) {
        pack_string(&o->pack, group->name);
        pack_string(&o->pack, group->description);
        pack_string(&o->pack, group->file);
        pack_u32(&o->pack, group->max_running);
        pack_u8(&o->pack, group->is_broken);
        return put(o, READER_RECORD_GROUP);
}

static int put_done(struct output *o, const struct config *config, const struct diags *diags) {
        pack_i64(&o->pack, config->settings.stop_wait_us);
        pack_i64(&o->pack, config->settings.time_sync_wait_us);
        pack_u8(&o->pack, config->settings.on_ledger_failure);
        pack_u64(&o->pack, config->settings.ledger_max_size);
        pack_u32(&o->pack, config->settings.max_running);
        pack_u32(&o->pack, (uint32_t)config->n_files);
        pack_u32(&o->pack, (uint32_t)diags->n_errors);
        pack_u32(&o->pack, (uint32_t)diags->n_warnings);
        return put(o, READER_RECORD_DONE);
}

static int put_place(void *output, const char *path) {
        return put_text(output, READER_RECORD_PLACE, path);
}

/* The zones that jobs asked for, and where their data are, so that the runner can watch them. */
static int put_zones(struct output *o, const struct zones *zones) {
        char line[ZONE_LINE_MAX];
        int r = 0;

        for (size_t i = 0; i < zones->n && r == 0; i++) {
                const struct zone *zone;
                const char *name = zones_get(zones, i, &zone);
                zone_line_print(name, zone, line);
                r = put_text(o, READER_RECORD_ZONE, line);
                if (r == 0)
                        r = zone_trace(zones->folder, name, put_place, o);
                if (r == -EINVAL || r == -ENAMETOOLONG || r == -ELOOP) /* no name of a file */
                        r = 0;
        }
        return r;
}

static int put_all(struct output *o, const struct config_paths *paths, const struct config *config, const struct diags *diags) {
        int r = put_diags(o, diags);

        for (size_t i = 0; i < paths->n_folders && r == 0; i++)
                r = put_drop_ins(o, paths->folders[i]);
        for (size_t i = 0; config && i < config->n_jobs && r == 0; i++)
                r = put_job(o, config->jobs[i]);
        for (size_t i = 0; config && i < config->n_broken && r == 0; i++)
                r = put_broken(o, &config->broken[i]);
        for (size_t i = 0; config && i < config->n_groups && r == 0; i++)
                r = put_group(o, &config->groups[i]);
        if (config && r == 0)
                r = put_zones(o, &config->zones);
        if (config && r == 0)
                r = put_done(o, config, diags);
        return r;
}

static int write_everything(const struct config_paths *paths, const struct config *config, const struct diags *diags) {
        static const struct channel_callbacks callbacks = {.on_record = on_record, .on_closed = on_closed};
        struct output o = {};
        int r = loop_new(&o.loop);

        if (r == 0)
                r = channel_new(o.loop, READER_FD, QUEUE_LIMIT, &callbacks, &o, &o.channel);
        if (r == 0)
                r = put_all(&o, paths, config, diags);
        if (r == 0)
                r = channel_flush(o.channel);
        if (r == 0)
                r = drain(&o, 0);
        channel_free(o.channel);
        loop_free(o.loop);
        pack_done(&o.pack);
        return r;
}

static const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

static int print_everything(const struct config *config, const struct diags *diags) {
        bool is_whole = !diags->out_of_memory;

        for (size_t i = 0; i < diags->n; i++) {
                _cleanup_free_ char *text = diag_print(&diags->list[i]);
                is_whole = text && is_whole;
                if (text)
                        puts(text);
        }
        if (diags->n_errors + diags->n_warnings > diags->n)
                printf("... and %zu more\n", diags->n_errors + diags->n_warnings - diags->n);
        if (diags->n_errors == 0 && config) {
                printf("%zu job%s, no errors", config->n_jobs, plural(config->n_jobs));
                if (diags->n_warnings > 0)
                        printf(", %zu warning%s", diags->n_warnings, plural(diags->n_warnings));
                puts(".");
        } else
                printf("%zu error%s, %zu warning%s.\n", diags->n_errors, plural(diags->n_errors), diags->n_warnings,
                       plural(diags->n_warnings));
        if (!is_whole)
                fputs("chimed-runner: there is not enough memory to say all\n", stderr);
        return fflush(stdout) == 0 && is_whole && diags->n_errors == 0 && config ? 0 : 1;
}

/* A limit that nobody enforces is worse than none: each is told once, at the first job that has it. */
static void warn_of_limits(struct diags *diags, const struct config *config, unsigned controllers) {
        static const struct {
                const char *key, *controller;
                enum cgroup_controller needs;
        } rows[] = {{"MemoryMax", "memory", CGROUP_MEMORY}, {"TasksMax", "pids", CGROUP_PIDS}, {"CPUQuota", "cpu", CGROUP_CPU}};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct job *first = NULL;
                size_t n = 0;
                for (size_t k = 0; k < config->n_jobs && !(controllers & rows[i].needs); k++) {
                        const struct job_what *what = &config->jobs[k]->what;
                        const uint64_t set[] = {what->memory_max.n, what->tasks_max.n, what->cpu_quota};
                        if (set[i] > 0 && n++ == 0)
                                first = config->jobs[k];
                }
                if (n > 0)
                        diags_add(diags, true, first->file, first->line, 0,
                                  "%s= is not enforced, for job %s and %zu other%s: it needs a delegated cgroup with the %s "
                                  "controller, see chimed(8)",
                                  rows[i].key, first->name, n - 1, plural(n - 1), rows[i].controller);
        }
}

int reader_main(const struct reader_paths *given, bool is_check) {
        _cleanup_free_ char *settings_file = NULL;
        char **folders = NULL, own[PATH_MAX], host[PATH_MAX];
        struct diags diags = {};
        struct config *config = NULL;
        int r = config_default_paths(given->is_user, &settings_file, &folders);

        if (r < 0) {
                fprintf(stderr, "chimed-runner: no folders to read from: %s\n", strerror(-r));
                return 1;
        }
        struct config_paths paths = {
                .settings_file = given->settings_file ? given->settings_file : settings_file,
                .folders = given->n_folders > 0 ? given->folders : (const char *const *)folders,
                .n_folders = given->n_folders,
                .plugin_host = helper_own_path(own) == 0 ? helper_path(own, "chimed-host", host) : NULL,
                .warns_of_plugins = is_check,
                .now_rt_us = clock_now().rt_us,
        };
        while (given->n_folders == 0 && folders[paths.n_folders])
                paths.n_folders++;
        r = config_load(&paths, &diags, &config);
        for (size_t i = 0; i < given->n_folders; i++)
                if (access(given->folders[i], F_OK) < 0 && errno == ENOENT)
                        diags_add(&diags, false, given->folders[i], 0, 0, "there is no such folder");
        if (r >= 0)
                warn_of_limits(&diags, config, given->controllers < 0 ? cgroups_possible() : (unsigned)given->controllers);
        diags_sort(&diags);
        int looked = is_check && r >= 0 ? config_look(config, given->is_user, &diags) : 0;
        int status = is_check ? print_everything(r < 0 ? NULL : config, &diags)
                              : write_everything(&paths, r < 0 ? NULL : config, &diags) < 0 || r < 0;
        if (r < 0 && diags.n_errors == 0)
                fprintf(stderr, "chimed-runner: the configuration can't be read: %s\n", strerror(-r));
        if (looked < 0) {
                fprintf(stderr, "chimed-runner: programs and folders could not be looked for: %s\n", strerror(-looked));
                status = 1;
        }
        config_free(config);
        diags_done(&diags);
        for (char **folder = folders; *folder; folder++)
                free(*folder);
        free(folders);
        return status;
}
