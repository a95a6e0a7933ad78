// SPDX-License-Identifier: MIT
// job_manner: the keys that say with which rights, priorities and limits a job runs. Values are those of systemd.exec(5).

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

#define UMASK_MAX 0777

enum { IO_CLASS_NONE, IO_CLASS_REALTIME, IO_CLASS_BEST_EFFORT, IO_CLASS_IDLE };
#define IO_LEVEL_DEFAULT 4

static const char *const policy_names[] = {"other", "batch", "idle", "fifo", "rr", NULL};
static const uint8_t policies[] = {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_FIFO, SCHED_RR};
static const char *const io_class_names[] = {"none", "realtime", "best-effort", "idle", NULL};

const char *job_cpu_policy_name(uint8_t policy) {
        size_t i = 0;

        while (policy_names[i] && policies[i] != policy)
                i++;
        return policy_names[i] ? policy_names[i] : "?";
}

const char *job_io_class_name(uint16_t io_priority) {
        unsigned io_class = io_priority >> JOB_IO_CLASS_SHIFT;

        return io_class <= IO_CLASS_IDLE ? io_class_names[io_class] : "?";
}

static int keep_group(struct job_draft *d, const struct job_setting *s, struct job_word *word) {
        struct job_mentions *groups = &d->job->groups;
        struct job_mention *mention;
        int r = draft_check_account(d, s, word->text, word->offset);

        if (r)
                return r;
        for (size_t i = 0; i < groups->n; i++)
                if (strcmp(groups->list[i].name, word->text) == 0)
                        return 0;
        if (groups->n == JOB_UNIX_GROUPS_MAX)
                return draft_error(d, s, word->offset, "more than %d groups", JOB_UNIX_GROUPS_MAX);
        return draft_mention(s, word->offset, word->text, groups, &mention);
}

int parse_supplementary_groups(struct job_draft *d, const struct job_setting *s) {
        return draft_each_word(d, s, keep_group);
}

int parse_root_directory(struct job_draft *d, const struct job_setting *s) {
        int r = draft_check_path(d, s, s->value);
        return r ? r : draft_copy(s->value, &d->job->what.root_directory);
}

int parse_umask(struct job_draft *d, const struct job_setting *s) {
        size_t size = strspn(s->value, "01234567");
        long mask = size > 0 && size <= 5 && !s->value[size] ? strtol(s->value, NULL, 8) : -1;

        if (mask < 0 || mask > UMASK_MAX)
                return draft_error(d, s, 0, "\"%.40s\" is no mask of rights; write it octal, from 0000 to 0777", s->value);
        d->job->what.umask = (uint16_t)mask;
        return 0;
}

int parse_nice(struct job_draft *d, const struct job_setting *s) {
        int32_t nice;
        int r = draft_integer(d, s, s->value, 0, JOB_NICE_MIN, JOB_NICE_MAX, &nice);

        if (r == 0)
                d->job->what.nice = (int8_t)nice;
        return r;
}

int parse_cpu_scheduling_policy(struct job_draft *d, const struct job_setting *s) {
        uint8_t which;
        int r = draft_choice(d, s, policy_names, &which);

        if (r == 0)
                d->job->what.cpu_policy = policies[which];
        return r;
}

int parse_cpu_scheduling_priority(struct job_draft *d, const struct job_setting *s) {
        uint32_t priority;
        int r = draft_count(d, s, 1, JOB_CPU_PRIORITY_MAX, &priority);

        if (r == 0)
                d->job->what.cpu_priority = (uint8_t)priority;
        return r;
}

int parse_io_scheduling_class(struct job_draft *d, const struct job_setting *s) {
        if (s->value[0] >= '0' && s->value[0] <= '0' + IO_CLASS_IDLE && !s->value[1]) {
                d->io_class = (uint8_t)(s->value[0] - '0');
                return 0;
        }
        return draft_choice(d, s, io_class_names, &d->io_class);
}

int parse_io_scheduling_priority(struct job_draft *d, const struct job_setting *s) {
        uint32_t level;
        int r = draft_count(d, s, 0, JOB_IO_LEVEL_MAX, &level);

        if (r == 0)
                d->io_level = (uint8_t)level;
        return r;
}

int parse_oom_score_adjust(struct job_draft *d, const struct job_setting *s) {
        int32_t score;
        int r = draft_integer(d, s, s->value, 0, -JOB_OOM_SCORE_MAX, JOB_OOM_SCORE_MAX, &score);

        if (r == 0)
                d->job->what.oom_score = (int16_t)score;
        return r;
}

static int parse_amount(struct job_draft *d, const struct job_setting *s, bool is_size, struct amount *ret) {
        int r = amount_parse(s->value, is_size, ret);

        if (r == -ERANGE)
                return draft_error(d, s, 0, "%s=%.40s is out of range; no limit is infinity", s->key, s->value);
        if (r < 0)
                return draft_error(d, s, 0, "\"%.40s\": write %s, a share of the machine's such as 10%%, or infinity", s->value,
                                   is_size ? "bytes, a size such as 512M" : "a number");
        return 0;
}

int parse_memory_max(struct job_draft *d, const struct job_setting *s) {
        return parse_amount(d, s, true, &d->job->what.memory_max);
}

int parse_tasks_max(struct job_draft *d, const struct job_setting *s) {
        return parse_amount(d, s, false, &d->job->what.tasks_max);
}

int parse_cpu_quota(struct job_draft *d, const struct job_setting *s) {
        uint64_t parts = 0;
        int r = strcmp(s->value, "infinity") == 0 ? 0 : amount_parse_share(s->value, JOB_CPU_QUOTA_MAX, &parts);

        if (r == -ERANGE)
                return draft_error(d, s, 0, "%s=%.40s is out of range; one whole processor is 100%%", s->key, s->value);
        if (r < 0)
                return draft_error(d, s, 0, "\"%.40s\": write a share of one processor such as 50%%, or infinity", s->value);
        d->job->what.cpu_quota = (uint32_t)parts;
        return 0;
}

int parse_limit(struct job_draft *d, const struct job_setting *s) {
        const struct limit_row *row = limit_find(s->key);
        struct job_what *what = &d->job->what;
        struct limit limit;
        const char *why;
        size_t at;

        if (limit_parse(row, s->value, &limit, &why, &at) < 0)
                return draft_error(d, s, at, "\"%.60s\": %s", s->value + at, why);
        if (!what->limits)
                what->limits = calloc(1, sizeof(*what->limits));
        if (!what->limits)
                return -ENOMEM;
        what->limits->set |= UINT32_C(1) << row->resource;
        what->limits->of[row->resource] = limit;
        return 0;
}

int parse_no_new_privileges(struct job_draft *d, const struct job_setting *s) {
        return draft_boolean(d, s, &d->job->what.has_no_new_privs);
}

/* A default that does not fit the job is passed over. */
static void tell_meaningless(struct job_draft *d, enum job_key_index key, const char *with) {
        if (!d->set[key]->is_default)
                draft_warn(d, d->set[key], 0, "%s= means nothing without %s", d->set[key]->key, with);
}

static void finish_cpu(struct job_draft *d) {
        struct job_what *what = &d->job->what;
        bool is_realtime = what->cpu_policy == SCHED_FIFO || what->cpu_policy == SCHED_RR;

        if (is_realtime && what->cpu_priority == 0)
                what->cpu_priority = 1;
        if (is_realtime || !d->set[KEY_CPU_SCHEDULING_PRIORITY])
                return;
        tell_meaningless(d, KEY_CPU_SCHEDULING_PRIORITY, "CPUSchedulingPolicy=fifo or rr");
        what->cpu_priority = 0;
}

static void finish_io(struct job_draft *d) {
        bool has_class = d->set[KEY_IO_SCHEDULING_CLASS], has_level = d->set[KEY_IO_SCHEDULING_PRIORITY];
        unsigned io_class = has_class ? d->io_class : IO_CLASS_BEST_EFFORT, level = has_level ? d->io_level : IO_LEVEL_DEFAULT;

        if (!has_class && !has_level)
                return;
        if (io_class == IO_CLASS_NONE || io_class == IO_CLASS_IDLE) {
                if (has_level)
                        tell_meaningless(d, KEY_IO_SCHEDULING_PRIORITY, "IOSchedulingClass=best-effort or realtime");
                level = 0;
        }
        d->job->what.io_priority = (uint16_t)(io_class << JOB_IO_CLASS_SHIFT | level);
}

void draft_finish_manner(struct job_draft *d) {
        finish_cpu(d);
        finish_io(d);
}
