// SPDX-License-Identifier: MIT
// job_condition: the keys that say what must hold when a run is to start: read, printed for people, and checked as the runner relies on it.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

#define LOAD_MILLI_MAX 1000000000

static const struct {
        enum job_key_index key;
        bool is_process;
} kinds[JOB_CONDITION_MAX] = {
        [JOB_CONDITION_PATH_EXISTS] = {KEY_CONDITION_PATH_EXISTS, false},
        [JOB_CONDITION_AC_POWER] = {KEY_CONDITION_AC_POWER, false},
        [JOB_CONDITION_LOAD_BELOW] = {KEY_CONDITION_LOAD_BELOW, false},
        [JOB_CONDITION_UNIT_ACTIVE] = {KEY_CONDITION_UNIT_ACTIVE, true},
        [JOB_CONDITION_EXEC] = {KEY_EXEC_CONDITION, true},
};

bool job_condition_is_process(const struct job_condition *condition) {
        return kinds[condition->kind].is_process;
}

void job_conditions_free(struct job_condition *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                strv_free(list[i].argv);
        free(list);
}

/* Adds it; its arguments are taken also on failure. */
static int add(struct job_draft *d, const struct job_setting *s, const struct job_condition *condition) {
        struct job_what *what = &d->job->what;
        struct job_condition *list = NULL;
        int r = 0;

        if (what->n_conditions >= JOB_CONDITIONS_MAX)
                r = draft_error(d, s, 0, "a job has at most %d conditions", JOB_CONDITIONS_MAX);
        else if (!(list = reallocarray(what->conditions, what->n_conditions + 1, sizeof(*list))))
                r = -ENOMEM;
        if (r) {
                strv_free(condition->argv);
                return r;
        }
        what->conditions = list;
        list[what->n_conditions++] = *condition;
        return 0;
}

/* A condition about one word. */
static int add_word(struct job_draft *d, const struct job_setting *s, struct job_condition condition, const char *word) {
        int r = strv_take(&condition.argv, 0, strdup(word));

        return r < 0 ? r : add(d, s, &condition);
}

int parse_condition_path_exists(struct job_draft *d, const struct job_setting *s) {
        bool is_negated = s->value[0] == '!';
        const char *path = s->value + is_negated;

        if (*s->value == '|' || *path == '|')
                return draft_error(d, s, is_negated,
                                   "all conditions must hold here, \"|\" is not known; alternatives fit into ExecCondition=");
        int r = draft_check_path(d, s, path);
        return r ? r
                 : add_word(d, s, (struct job_condition){.kind = JOB_CONDITION_PATH_EXISTS, .is_negated = is_negated}, path);
}

int parse_condition_ac_power(struct job_draft *d, const struct job_setting *s) {
        bool is_wanted;
        int r = draft_boolean(d, s, &is_wanted);

        return r ? r : add(d, s, &(struct job_condition){.kind = JOB_CONDITION_AC_POWER, .is_negated = !is_wanted});
}

/* "1.5" in thousandths, "80%" in those of a whole processor. */
int parse_condition_load_below(struct job_draft *d, const struct job_setting *s) {
        struct job_condition condition = {.kind = JOB_CONDITION_LOAD_BELOW};
        const char *p = s->value;
        uint64_t milli = 0;
        uint32_t step = 1000;

        for (; *p >= '0' && *p <= '9'; p++)
                if (milli <= LOAD_MILLI_MAX)
                        milli = milli * 10 + (uint64_t)(*p - '0') * 1000;
        bool has_digits = p > s->value;
        if (has_digits && *p == '.')
                for (p++; *p >= '0' && *p <= '9'; p++) {
                        step /= 10;
                        milli += (uint64_t)step * (uint64_t)(*p - '0');
                }
        condition.is_per_cpu = *p == '%';
        if (!has_digits || p[condition.is_per_cpu])
                return draft_error(d, s, 0, "\"%.60s\" is no load; write a number such as 1.5, or 80%% of the processors",
                                   s->value);
        if (condition.is_per_cpu)
                milli /= 100;
        if (milli == 0 || milli > LOAD_MILLI_MAX)
                return draft_error(d, s, 0, "the load must be above 0 and at most %d", LOAD_MILLI_MAX / 1000);
        condition.load_milli = (uint32_t)milli;
        return add(d, s, &condition);
}

int parse_condition_unit_active(struct job_draft *d, const struct job_setting *s) {
        if (!job_unit_name_is_valid(s->value))
                return draft_error(d, s, 0, "\"%.60s\" is no name of a systemd unit", s->value);
        return add_word(d, s, (struct job_condition){.kind = JOB_CONDITION_UNIT_ACTIVE}, s->value);
}

int parse_exec_condition(struct job_draft *d, const struct job_setting *s) {
        struct job_condition condition = {.kind = JOB_CONDITION_EXEC};
        int r = draft_command(d, s, &condition.argv);

        return r ? r : add(d, s, &condition);
}

int parse_condition_wait(struct job_draft *d, const struct job_setting *s) {
        /* in a when-text it stands for the conditions, which are in the other half */
        d->job->when.has_conditions = d->is_canonical;
        return draft_span(d, s, false, &d->job->when.condition_wait_us);
}

bool print_condition_wait(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->has_conditions && print_span(when->condition_wait_us, -1, buf);
}

void draft_finish_conditions(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        const struct job_setting *wait = d->set[KEY_CONDITION_WAIT];

        if (d->is_canonical)
                return;
        when->has_conditions = d->job->what.n_conditions > 0;
        if (!wait || when->has_conditions)
                return;
        when->condition_wait_us = 0;
        if (!wait->is_default)
                draft_warn(d, wait, 0, "ConditionWait= means nothing without a condition");
}

static void print_load(const struct job_condition *condition, char *buf, size_t size) {
        unsigned milli = condition->load_milli * (condition->is_per_cpu ? 100 : 1);
        int n = snprintf(buf, size, "%u.%03u", milli / 1000, milli % 1000);

        while (n > 0 && buf[n - 1] == '0')
                n--;
        n -= n > 0 && buf[n - 1] == '.';
        snprintf(buf + n, size - (size_t)n, "%s", condition->is_per_cpu ? "%" : "");
}

void job_condition_print(const struct job_condition *condition, char *buf, size_t size) {
        size_t n_keys, max = size - 1;
        const char *name = job_keys(&n_keys)[kinds[condition->kind].key].name;
        char value[32], *words = NULL;

        switch (condition->kind) {
        case JOB_CONDITION_PATH_EXISTS:
        case JOB_CONDITION_UNIT_ACTIVE:
                snprintf(buf, size, "%s=%s%s", name, condition->is_negated ? "!" : "", condition->argv[0]);
                return;
        case JOB_CONDITION_AC_POWER:
                snprintf(buf, size, "%s=%s", name, condition->is_negated ? "no" : "yes");
                return;
        case JOB_CONDITION_LOAD_BELOW:
                print_load(condition, value, sizeof(value));
                snprintf(buf, size, "%s=%s", name, value);
                return;
        case JOB_CONDITION_EXEC:
                max -= strlen(name) + 1;
                if (job_command_print(condition->argv, max, &words) < 0)
                        words = NULL;
                snprintf(buf, size, "%s=%s", name, words ? words : condition->argv[0]);
                free(words);
                return;
        case JOB_CONDITION_MAX:
                return;
        }
}

bool job_condition_is_sane(const struct job_condition *condition) {
        size_t n_words = strv_count(condition->argv);
        const char *word = n_words > 0 ? condition->argv[0] : "";

        switch (condition->kind) {
        case JOB_CONDITION_PATH_EXISTS:
                return n_words == 1 && word[0] == '/';
        case JOB_CONDITION_AC_POWER:
                return n_words == 0;
        case JOB_CONDITION_LOAD_BELOW:
                return n_words == 0 && condition->load_milli > 0 && condition->load_milli <= LOAD_MILLI_MAX;
        case JOB_CONDITION_UNIT_ACTIVE:
                return n_words == 1 && job_unit_name_is_valid(word) && !condition->is_negated;
        case JOB_CONDITION_EXEC:
                return n_words > 0 && *word && (word[0] == '/' || !strchr(word, '/'));
        case JOB_CONDITION_MAX:
                return false;
        }
        return false;
}
