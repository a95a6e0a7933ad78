// SPDX-License-Identifier: MIT
// job_pass: PassEnvironment=: which variables of chimed's own environment a job gets. A pattern takes what the job would not have
// otherwise; only a whole name takes PATH or HOME from what chimed sets.

#include <string.h>

#include "config/job_draft.h"

/* What the service manager says to chimed alone. */
static const char *const own[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC",    "WATCHDOG_PID",          "LISTEN_FDS",
                                  "LISTEN_PID",    "LISTEN_FDNAMES",   "INVOCATION_ID",         "JOURNAL_STREAM",
                                  "MANAGERPID",    "SYSTEMD_EXEC_PID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE"};

static bool is_own(const char *name, size_t size) {
        if (strncmp(name, "CHIMED_", strlen("CHIMED_")) == 0)
                return true;
        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
                if (strlen(own[i]) == size && memcmp(name, own[i], size) == 0)
                        return true;
        return false;
}

bool job_pass_is_valid(const char *word) {
        static const char of_names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
        size_t size = strspn(word, of_names);
        bool is_pattern = word[size] == '*';

        return word[size + is_pattern] == '\0' && size + is_pattern > 0 && (*word < '0' || *word > '9');
}

enum job_pass job_pass_find(char *const *words, const char *variable) {
        enum job_pass found = JOB_PASS_NOT;
        size_t size = strcspn(variable, "=");

        for (; !is_own(variable, size) && words && *words; words++) {
                size_t length = strlen(*words), is_pattern = (*words)[length - 1] == '*';
                if (!is_pattern && length == size && memcmp(*words, variable, size) == 0)
                        return JOB_PASS_NAME;
                if (is_pattern && length - 1 <= size && memcmp(*words, variable, length - 1) == 0)
                        found = JOB_PASS_PATTERN;
        }
        return found;
}

static int take_word(struct job_draft *d, const struct job_setting *s, struct job_word *word) {
        if (strchr(word->text, '='))
                return draft_error(d, s, word->offset,
                                   "\"%.60s\": only names stand here; a value is set by Environment=", word->text);
        if (!job_pass_is_valid(word->text))
                return draft_error(d, s, word->offset,
                                   "\"%.60s\" is no name of a variable, nor the beginning of one with * behind it", word->text);
        if (is_own(word->text, strlen(word->text)))
                return draft_error(d, s, word->offset, "%.60s is chimed's own; jobs never have it from there", word->text);
        int r = strv_take(&d->job->what.passed, d->n_passed, word->text);
        word->text = NULL;
        d->n_passed += r == 0;
        return r;
}

int parse_pass_environment(struct job_draft *d, const struct job_setting *s) {
        return draft_each_word(d, s, take_word);
}
