// SPDX-License-Identifier: MIT
// conditions: what must hold before a job's program is executed.
// Those about the machine are read in a launching thread, paths are looked at by the launched child, as its user; others are processes
// of the run before its program.

#include "daemon/runner/conditions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/job_draft.h"
#include "daemon/core/util.h"

#define EXIT_OF_FAILURE 255 /* systemd's: the question can't be answered */
#define EXIT_NOT_ACTIVE 3   /* of systemctl is-active */
#define EXIT_NO_UNIT    4
#define DETAIL_MAX      64
#define ATTRIBUTE_MAX   32 /* bytes of a power supply's attribute */
#define SUPPLY_NAME_MAX 255

/* "ConditionACPower=yes (on battery)": what was asked for, cut so that what is behind it fits. */
static void tell(const struct job_condition *condition, const char *detail, char ret[static WIRE_CONDITION_MAX]) {
        char text[WIRE_CONDITION_MAX - DETAIL_MAX - 4];

        job_condition_print(condition, text, sizeof(text));
        snprintf(ret, WIRE_CONDITION_MAX, "%s (%.*s)", text, DETAIL_MAX, detail);
}

/* ---- the machine ---- */

/* An attribute's first word; "" where it can't be read. */
static void read_attribute(int folder, const char *supply, const char *name, char ret[static ATTRIBUTE_MAX]) {
        char path[SUPPLY_NAME_MAX + 16];
        ssize_t n = -1;

        snprintf(path, sizeof(path), "%s/%s", supply, name);
        _cleanup_close_ int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
                n = read(fd, ret, ATTRIBUTE_MAX - 1);
        ret[n > 0 ? n : 0] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
}

bool conditions_on_mains(const char *folder) {
        bool has_mains = false, is_online = false, is_discharging = false;
        char value[ATTRIBUTE_MAX];
        DIR *supplies = opendir(folder);
        const struct dirent *supply;

        while (supplies && (supply = readdir(supplies))) { // NOLINT(concurrency-mt-unsafe): a stream of its own
                if (supply->d_name[0] == '.')
                        continue;
                read_attribute(dirfd(supplies), supply->d_name, "scope", value);
                if (strcmp(value, "Device") == 0)
                        continue; /* of a mouse */
                read_attribute(dirfd(supplies), supply->d_name, "type", value);
                if (strcmp(value, "Battery") == 0) {
                        read_attribute(dirfd(supplies), supply->d_name, "status", value);
                        is_discharging |= strcmp(value, "Discharging") == 0;
                } else if (strcmp(value, "Mains") == 0 || strncmp(value, "USB", 3) == 0) {
                        read_attribute(dirfd(supplies), supply->d_name, "online", value);
                        has_mains |= *value != '\0';
                        is_online |= strcmp(value, "1") == 0;
                }
        }
        if (supplies)
                closedir(supplies);
        return is_online || (!has_mains && !is_discharging);
}

static bool is_load_below(const struct job_condition *condition, char detail[static DETAIL_MAX]) {
        double load, limit = condition->load_milli / 1000.0;

        if (getloadavg(&load, 1) != 1) {
                snprintf(detail, DETAIL_MAX, "the load can't be read");
                return false;
        }
        long n_processors = condition->is_per_cpu ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
        limit *= n_processors > 0 ? (double)n_processors : 1;
        snprintf(detail, DETAIL_MAX, "the load is %.2f", load);
        return load < limit;
}

bool conditions_hold_here(const struct job_what *what, char ret[static WIRE_CONDITION_MAX]) {
        for (size_t i = 0; i < what->n_conditions; i++) {
                const struct job_condition *condition = &what->conditions[i];
                char detail[DETAIL_MAX] = "";
                bool holds = true;
                if (condition->kind == JOB_CONDITION_AC_POWER) {
                        holds = conditions_on_mains(CONDITIONS_POWER_FOLDER) != condition->is_negated;
                        snprintf(detail, sizeof(detail), "%s", condition->is_negated ? "on mains power" : "on battery");
                } else if (condition->kind == JOB_CONDITION_LOAD_BELOW)
                        holds = is_load_below(condition, detail);
                if (holds)
                        continue;
                tell(condition, detail, ret);
                return false;
        }
        return true;
}

void conditions_tell_path(const struct job_condition *condition, int error, char ret[static WIRE_CONDITION_MAX]) {
        bool is_missing = error == ENOENT || error == ENOTDIR;

        tell(condition, error == 0 ? "it is there" : is_missing ? "it is not there" : strerrordesc_np(error), ret);
}

/* ---- processes ---- */

unsigned conditions_n_processes(const struct job_what *what) {
        unsigned n = 0;

        for (size_t i = 0; i < what->n_conditions; i++)
                n += job_condition_is_process(&what->conditions[i]);
        return n;
}

unsigned conditions_n_units(const struct job_what *what) {
        unsigned n = 0;

        for (size_t i = 0; i < what->n_conditions; i++)
                n += what->conditions[i].kind == JOB_CONDITION_UNIT_ACTIVE;
        return n;
}

static struct job_condition *process_of(const struct job_what *what, unsigned n) {
        for (size_t i = 0; i < what->n_conditions; i++)
                if (job_condition_is_process(&what->conditions[i]) && n-- == 0)
                        return &what->conditions[i];
        return NULL;
}

/* As the runner's own user, who may always ask, with nothing of the job's. */
static int make_unit_question(struct job_what *what, const char *unit, bool is_user_manager) {
        const char *const words[] = {"systemctl", is_user_manager ? "--user" : "--system", "is-active", "--quiet", unit};
        struct job_what question;
        int r = 0;

        job_what_init(&question);
        for (size_t i = 0; i < ARRAY_SIZE(words) && r == 0; i++)
                r = strv_take(&question.argv, i, strdup(words[i]));
        if (r < 0) {
                job_what_done(&question);
                return r;
        }
        question.output.kind = question.error.kind = JOB_OUTPUT_NULL;
        question.timeout_us = what->timeout_us;
        question.kill_grace_us = what->kill_grace_us;
        question.kill_signal = what->kill_signal;
        question.capture_max = what->capture_max;
        job_what_done(what);
        *what = question;
        return 0;
}

int conditions_make_process(struct job_what *what, unsigned n, bool is_user_manager) {
        struct job_condition *condition = process_of(what, n);

        if (condition->kind == JOB_CONDITION_UNIT_ACTIVE)
                return make_unit_question(what, condition->argv[0], is_user_manager);
        char **argv = what->argv;
        what->argv = condition->argv;
        condition->argv = argv; /* each has one owner */
        return 0;
}

enum conditions_answer conditions_judge(const struct job_what *what, unsigned n, const struct run_end *end,
                                        char ret[static WIRE_CONDITION_MAX]) {
        const struct job_condition *condition = process_of(what, n);
        bool is_unit = condition->kind == JOB_CONDITION_UNIT_ACTIVE;
        char detail[DETAIL_MAX];

        if (end->exit_code == 0)
                return CONDITIONS_HOLD;
        if (is_unit && end->exit_code == EXIT_NOT_ACTIVE)
                snprintf(detail, sizeof(detail), "it is not active");
        else if (is_unit && end->exit_code == EXIT_NO_UNIT)
                snprintf(detail, sizeof(detail), "there is no such unit");
        else if (is_unit)
                snprintf(detail, sizeof(detail), "systemctl can't tell; is systemd running?");
        else if (end->exit_code > 0)
                snprintf(detail, sizeof(detail), "exit %d", end->exit_code);
        else if (end->signal > 0)
                snprintf(detail, sizeof(detail), "ended by signal %d", end->signal);
        else
                snprintf(detail, sizeof(detail), "%s", strerrordesc_np(end->error));
        tell(condition, detail, ret);
        bool is_answer = is_unit || (end->exit_code > 0 && end->exit_code < EXIT_OF_FAILURE);
        return is_answer ? CONDITIONS_DO_NOT_HOLD : CONDITIONS_FAILED;
}
