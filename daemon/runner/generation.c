// SPDX-License-Identifier: MIT
// generation: readings of the job files and what is in force. A reading begins only when the one before was committed to by the
// scheduler, and is put into force only then, so at most one generation is retired at a time.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "daemon/runner/runner_internal.h"
#include "daemon/runner/zone_news.h"

#define RETRY_FIRST_US USEC_PER_SEC /* after a reading that failed, doubled up to */
#define RETRY_LAST_US  USEC_PER_MINUTE
#define CTIME_SLACK_S  2 /* of a file system's clock */

static void tell_trouble(struct runner *runner, const char *what, int error) {
        struct journal_record r = journal_begin(runner->journal, EVENT_DEGRADED);

        journal_field_i64(&r, "ERRNO", -error);
        /* a reader that has given up has said why in diagnostics of its own */
        journal_send(&r, "%s: %s", what, error == -ECHILD ? "the errors told beside this" : strerror(-error));
}

static void texts_free(char **list, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(list[i]);
        free(list);
}

static void note_watch(struct runner *runner, int r) {
        if (r >= 0 || runner->has_watch_trouble)
                return;
        runner->has_watch_trouble = true;
        tell_trouble(runner, "Changed files are not noticed, only SIGHUP reads them anew", r);
}

static void watch_all(struct runner *runner) {
        if (!runner->watch)
                return;
        for (char **folder = runner->folders; folder && *folder; folder++)
                note_watch(runner, watch_folder(runner->watch, *folder));
        note_watch(runner, watch_file(runner->watch, runner->settings_file));
}

/* Drop-in folders come and go; one that was not watched while it was read is read again. */
static void watch_drop_ins(struct runner *runner, const struct reading *reading) {
        for (size_t i = 0; runner->watch && i < reading->n_folders; i++) {
                int r = watch_folder(runner->watch, reading->folders[i]);
                note_watch(runner, r);
                if (r > 0)
                        runner->is_reload_wanted = true;
        }
}

/* One that has come or was changed since the reading began, before it was watched. */
static bool is_new(const char *path, int64_t since_rt_us) {
        struct stat st;

        return lstat(path, &st) == 0 && st.st_ctim.tv_sec >= since_rt_us / USEC_PER_SEC - CTIME_SLACK_S;
}

/* What the data of the time zones in use depend on. */
static void watch_places(struct runner *runner, const struct reading *reading) {
        for (size_t i = 0; runner->watch && i < reading->n_places; i++) {
                int r = watch_name(runner->watch, reading->places[i]);
                note_watch(runner, r);
                if (r > 0 && is_new(reading->places[i], runner->reading_rt_us))
                        runner->is_reload_wanted = true;
        }
}

/* Copies a list of texts in the place of another, as far as there is memory. */
static void take_texts(char **texts, size_t n_texts, char ***list, size_t *n) {
        texts_free(*list, *n);
        *n = 0;
        *list = calloc(n_texts + 1, sizeof(**list));
        for (size_t i = 0; *list && i < n_texts; i++)
                if (((*list)[*n] = strdup(texts[i])))
                        ++*n;
}

/* Compares the time zones with those of the reading before. Where one is found again, the scheduler is told all definitions: it may
 * have failed to find it, too. */
static void take_zones(struct runner *runner, const struct reading *reading) {
        struct definition *d;
        bool is_back = zone_news((const char *const *)runner->zones, runner->n_zones, (const char *const *)reading->zones,
                                 reading->n_zones, runner->commit.why);

        for (size_t cursor = 0; is_back && (d = definitions_walk(&runner->definitions, &cursor));)
                d->is_unsent = true;
        take_texts(reading->zones, reading->n_zones, &runner->zones, &runner->n_zones);
}

static bool has_same_diags(const struct runner *runner, const struct reading *reading) {
        if (runner->n_diags != reading->n_diags)
                return false;
        for (size_t i = 0; i < reading->n_diags; i++)
                if (strcmp(runner->diags[i], reading->diags[i]) != 0)
                        return false;
        return true;
}

/* The reader failed, not the files: it is told once, and tried again. */
static void retry(struct runner *runner, int error) {
        int64_t delay_us = 2 * runner->retry_delay_us;

        if (runner->retry_delay_us == 0 || runner->served.is_asked)
                tell_trouble(runner, "The job files could not be read, what was read before stays in force", error);
        runner->retry_delay_us = delay_us < RETRY_FIRST_US  ? RETRY_FIRST_US
                                 : delay_us > RETRY_LAST_US ? RETRY_LAST_US
                                                            : delay_us;
        loop_arm_timer(runner->retry_timer, clock_now().bt_us + runner->retry_delay_us);
}

/* Puts the reading into force. Returns whether there is anything to tell of it. */
static bool swap(struct runner *runner, const struct reading *reading) {
        struct definitions_delta delta = {};
        struct wire_commit before = runner->commit;
        bool is_failing = runner->retry_delay_us > 0, has_other_groups = false;
        int r = reading->error;

        if (r == 0)
                r = group_list_swap(&runner->groups, &reading->groups, &runner->definitions, &has_other_groups);
        if (r == 0)
                r = definitions_swap(&runner->definitions, clock_now(), &delta);
        if (r < 0) {
                definitions_abandon(&runner->definitions);
                retry(runner, r);
                if (is_failing && !runner->served.is_asked)
                        return false;
        } else {
                runner->settings = reading->settings;
                runner->retry_delay_us = 0;
        }
        runner->commit = (struct wire_commit){
                .generation = before.generation + 1,
                .ledger_max_size = runner->settings.ledger_max_size,
                .asked = runner->served.number,
                .n_jobs = (uint32_t)runner->definitions.current.n,
                .n_files = r < 0 ? before.n_files : reading->n_files,
                .n_errors = r < 0 ? (uint32_t)reading->n_diags : reading->n_errors,
                .n_warnings = r < 0 ? 0 : reading->n_warnings,
                .n_added = delta.n_added,
                .n_changed = delta.n_changed,
                .n_removed = delta.n_removed,
                .max_running = runner->settings.max_running,
                .holds_slots = runner->settings.on_ledger_failure == CONFIG_LEDGER_FAILURE_HOLD,
                .time_sync_wait_us = runner->settings.time_sync_wait_us,
        };
        if (r == 0)
                take_zones(runner, reading);
        bool has_same_settings = runner->commit.holds_slots == before.holds_slots &&
                                 runner->commit.time_sync_wait_us == before.time_sync_wait_us &&
                                 runner->commit.ledger_max_size == before.ledger_max_size &&
                                 runner->commit.max_running == before.max_running && !has_other_groups;
        runner_await_sync(runner);
        if (before.generation > 0 && !runner->served.is_asked && r == 0 && has_same_settings &&
            delta.n_added + delta.n_changed + delta.n_removed == 0 && has_same_diags(runner, reading)) {
                runner->commit.generation = before.generation;
                runner->commit.n_added = before.n_added;
                runner->commit.n_changed = before.n_changed;
                runner->commit.n_removed = before.n_removed;
                return false;
        }
        return true;
}

static void apply(struct runner *runner, const struct reading *reading) {
        bool is_news = swap(runner, reading);

        runner->served = (struct reload){};
        if (is_news) {
                take_texts(reading->diags, reading->n_diags, &runner->diags, &runner->n_diags);
                runner->is_told = false;
        }
        watch_drop_ins(runner, reading);
        watch_places(runner, reading);
        runner->held = NULL;
        runner->reader = reader_free(runner->reader);
        if (is_news)
                link_tell_generation(runner);
        generation_continue(runner);
}

static void on_read(void *userdata, const struct reading *reading) {
        struct runner *runner = userdata;

        if (runner->link.stage == FEED_NONE && runner->reexec.stage == REEXEC_NONE)
                apply(runner, reading);
        else
                runner->held = reading;
}

static void on_change(void *userdata) {
        generation_reload(userdata, false, 0);
}

static void start_reading(struct runner *runner) {
        struct reader_paths paths = runner->options->paths;

        paths.controllers = (int)cgroups_controllers(runner->cgroups);
        runner->is_reload_wanted = false;
        runner->served = runner->waiting;
        runner->waiting = (struct reload){};
        runner->reading_rt_us = clock_now().rt_us;
        watch_all(runner);
        int r = reader_new(runner->loop, runner->pool, &runner->definitions, &paths, on_read, runner, &runner->reader);
        if (r < 0)
                apply(runner, &(struct reading){.error = r});
}

static int on_retry(void *userdata, bool is_clock_change) {
        (void)is_clock_change;
        generation_reload(userdata, false, 0);
        return 0;
}

void generation_continue(struct runner *runner) {
        if (runner->link.stage != FEED_NONE || runner->stop != STOP_NONE || runner->reexec.stage != REEXEC_NONE)
                return;
        if (runner->held)
                apply(runner, runner->held);
        else if (!runner->reader && runner->is_reload_wanted)
                start_reading(runner);
}

void generation_reload(struct runner *runner, bool is_asked, uint64_t number) {
        runner->is_reload_wanted = true;
        runner->waiting.is_asked |= is_asked;
        if (number > runner->waiting.number)
                runner->waiting.number = number;
        generation_continue(runner);
}

void generation_interrupt(struct runner *runner) {
        if (!runner->reader)
                return;
        runner->held = NULL;
        runner->reader = reader_free(runner->reader);
        definitions_abandon(&runner->definitions);
        runner->is_reload_wanted = true;
        runner->waiting.is_asked |= runner->served.is_asked;
        runner->served = (struct reload){};
}

void generation_forget_numbers(struct runner *runner) {
        runner->served.number = runner->waiting.number = runner->commit.asked = 0;
}

int generation_begin(struct runner *runner) {
        const struct reader_paths *paths = &runner->options->paths;
        int r = config_default_paths(paths->is_user, &runner->settings_file, &runner->folders);

        if (r == 0 && paths->settings_file) {
                free(runner->settings_file);
                runner->settings_file = strdup(paths->settings_file);
        }
        if (r == 0 && paths->n_folders > 0) {
                for (char **folder = runner->folders; *folder; folder++)
                        free(*folder);
                free(runner->folders);
                runner->folders = calloc(paths->n_folders + 1, sizeof(*runner->folders));
                for (size_t i = 0; runner->folders && i < paths->n_folders; i++)
                        runner->folders[i] = strdup(paths->folders[i]);
        }
        if (r == 0 && (!runner->folders || !runner->settings_file))
                r = -ENOMEM;
        if (r == 0)
                note_watch(runner, watch_new(runner->loop, WATCH_SETTLE_US, on_change, runner, &runner->watch));
        if (r == 0)
                r = loop_add_timer(runner->loop, LOOP_CLOCK_BOOT, on_retry, runner, &runner->retry_timer);
        if (r == 0)
                start_reading(runner);
        return r;
}

void generation_done(struct runner *runner) {
        reader_free(runner->reader);
        watch_free(runner->watch);
        loop_source_free(runner->retry_timer);
        group_list_done(&runner->groups);
        texts_free(runner->diags, runner->n_diags);
        texts_free(runner->zones, runner->n_zones);
        for (char **folder = runner->folders; folder && *folder; folder++)
                free(*folder);
        free(runner->folders);
        free(runner->settings_file);
}
