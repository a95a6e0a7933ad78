// SPDX-License-Identifier: MIT
// job_what: the keys that say what a job runs, as whom and with which surroundings.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/job_draft.h"

#define ACCOUNT_NAME_MAX 255
#define PATH_BYTES_MAX   4095

void job_what_init(struct job_what *what) {
        memset(what, 0, sizeof(*what));
        what->timeout_us = DURATION_INFINITY;
        what->kill_grace_us = 10 * USEC_PER_SEC;
        what->kill_signal = SIGTERM;
        what->capture_max = JOB_CAPTURE_DEFAULT;
        what->umask = 0022;
}

void job_what_done(struct job_what *what) {
        if (!what)
                return;
        strv_free(what->argv);
        strv_free(what->options);
        free(what->host);
        free(what->user);
        free(what->group);
        free(what->groups);
        free(what->login_name);
        free(what->home);
        free(what->login_shell);
        free(what->working_directory);
        free(what->root_directory);
        free(what->limits);
        free(what->stop_path);
        job_conditions_free(what->conditions, what->n_conditions);
        strv_free(what->passed);
        strv_free(what->environment);
        strv_free(what->environment_files);
        strv_free(what->accepted);
        free(what->output.path);
        free(what->error.path);
        memset(what, 0, sizeof(*what));
}

/* What a shell, cron or systemd would not take literally. Quoted words are meant as they stand. */
static void warn_literal(struct job_draft *d, const struct job_setting *s, const struct job_word *word) {
        static const char *const operators[] = {";",  "|",  "||",  "&",    "&&",         ">",           ">>", "<",
                                                "<<", "2>", "2>>", "2>&1", ">/dev/null", "2>/dev/null", "&>", "&>/dev/null"};
        const char *found = NULL, *dollar = strchr(word->text, '$'), *percent = strchr(word->text, '%');

        if (word->is_quoted)
                return;
        for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
                if (strcmp(word->text, operators[i]) == 0)
                        found = operators[i];
        if (dollar && dollar[1])
                found = "$";
        else if (percent && percent[1] && word->text[0] != '+')
                found = "%"; /* "+%F" is date's */
        if (found)
                draft_warn(d, s, word->offset, "%s is passed literally; Script= has a shell (quote it if it is meant so)",
                           found);
}

static int check_program(struct job_draft *d, const struct job_setting *s, const struct job_word *word) {
        const char *name = word->text;

        if (!*name)
                return draft_error(d, s, word->offset, "the program's name is empty");
        bool has_prefix = !word->is_quoted && strchr("@-:+!", *name);
        if (*name != '/' && strchr(name, '/'))
                return draft_error(d, s, word->offset,
                                   has_prefix ? "\"%.100s\": prefixes such as %c are passed literally here; begin with the path"
                                              : "\"%.100s\" is neither an absolute path nor a bare name",
                                   name, *name);
        if (has_prefix)
                draft_warn(d, s, word->offset, "the prefix %c is passed literally, as part of the program's name", *name);
        return 0;
}

int draft_command(struct job_draft *d, const struct job_setting *s, char ***ret_argv) {
        struct job_word *words;
        size_t n;
        int r = draft_split(d, s, &words, &n);

        if (r)
                return r;
        r = n == 0 ? draft_error(d, s, 0, "the command is empty") : check_program(d, s, &words[0]);
        char **argv = r == 0 ? calloc(n + 1, sizeof(*argv)) : NULL;
        if (argv) {
                for (size_t i = 0; i < n; i++) {
                        warn_literal(d, s, &words[i]);
                        argv[i] = words[i].text;
                        words[i].text = NULL;
                }
                *ret_argv = argv;
        } else if (r == 0)
                r = -ENOMEM;
        words_free(words, n);
        return r;
}

int parse_command(struct job_draft *d, const struct job_setting *s) {
        char **argv;
        int r = draft_command(d, s, &argv);

        if (r)
                return r;
        strv_free(d->command);
        d->command = argv;
        return 0;
}

int parse_script(struct job_draft *d, const struct job_setting *s) {
        return draft_copy(s->value, &d->script);
}

int draft_check_path(struct job_draft *d, const struct job_setting *s, const char *path) {
        if (*path != '/')
                return draft_error(d, s, (size_t)(path - s->value), "\"%.100s\" is no absolute path", path);
        if (strlen(path) > PATH_BYTES_MAX)
                return draft_error(d, s, (size_t)(path - s->value), "the path is longer than %d bytes", PATH_BYTES_MAX);
        return 0;
}

int parse_shell(struct job_draft *d, const struct job_setting *s) {
        int r = draft_check_path(d, s, s->value);
        return r ? r : draft_copy(s->value, &d->shell);
}

int parse_stop_path(struct job_draft *d, const struct job_setting *s) {
        int r = draft_check_path(d, s, s->value);
        return r ? r : draft_copy(s->value, &d->job->what.stop_path);
}

int parse_timeout(struct job_draft *d, const struct job_setting *s) {
        int64_t timeout_us;
        int r = draft_span(d, s, true, &timeout_us);

        if (r)
                return r;
        if (timeout_us == 0)
                return draft_error(d, s, 0, "a time limit of 0 would end each run at once; no limit is infinity");
        d->job->what.timeout_us = timeout_us;
        return 0;
}

int parse_kill_signal(struct job_draft *d, const struct job_setting *s) {
        bool is_number = draft_is_number(s->value) && strlen(s->value) <= 2;
        int number = is_number ? atoi(s->value) : exit_status_find_signal(s->value);

        if (number < 1 || number > SIGRTMAX)
                return draft_error(d, s, 0, "\"%.40s\" is no signal; write TERM, INT, HUP or a number to %d", s->value,
                                   SIGRTMAX);
        d->job->what.kill_signal = number;
        return 0;
}

static int parse_exit_status(struct job_draft *d, const struct job_setting *s, enum exit_class which) {
        static const enum job_key_index keys[EXIT_CLASS_MAX] = {[EXIT_CLASS_SUCCESS] = KEY_SUCCESS_EXIT_STATUS,
                                                                [EXIT_CLASS_SKIP] = KEY_SKIP_EXIT_STATUS,
                                                                [EXIT_CLASS_FINISH] = KEY_FINISH_EXIT_STATUS};
        struct exit_classes *classes = &d->job->what.exits;
        struct job_word *words;
        size_t n;
        int r = draft_split(d, s, &words, &n);

        if (r)
                return r;
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct exit_status status;
                bool is_status = exit_status_read(words[i].text, &status);
                enum exit_class other = is_status ? exit_classes_find(classes, &status) : EXIT_CLASS_NONE;
                if (!is_status)
                        r = draft_error(d, s, words[i].offset,
                                        "\"%.40s\" is no exit status; write 0 to 255, a signal such as TERM, or a name such as "
                                        "TEMPFAIL",
                                        words[i].text);
                else if (other != EXIT_CLASS_NONE && other != which)
                        r = draft_error(d, s, words[i].offset, "%.40s is in %s= (%s:%u), too", words[i].text,
                                        d->set[keys[other]]->key, d->set[keys[other]]->file, d->set[keys[other]]->line);
                else
                        exit_classes_add(classes, which, &status);
        }
        words_free(words, n);
        return r;
}

int parse_success_exit_status(struct job_draft *d, const struct job_setting *s) {
        return parse_exit_status(d, s, EXIT_CLASS_SUCCESS);
}

int parse_skip_exit_status(struct job_draft *d, const struct job_setting *s) {
        return parse_exit_status(d, s, EXIT_CLASS_SKIP);
}

int parse_finish_exit_status(struct job_draft *d, const struct job_setting *s) {
        return parse_exit_status(d, s, EXIT_CLASS_FINISH);
}

int parse_kill_grace(struct job_draft *d, const struct job_setting *s) {
        return draft_span(d, s, false, &d->job->what.kill_grace_us);
}

int draft_check_account(struct job_draft *d, const struct job_setting *s, const char *name, size_t offset) {
        size_t bad = strcspn(name, " \t:/,\"'\\");

        if (!*name || name[bad])
                return draft_error(d, s, offset + bad, "%s= is one name or number", s->key);
        if (strlen(name) > ACCOUNT_NAME_MAX)
                return draft_error(d, s, offset, "the name is longer than %d bytes", ACCOUNT_NAME_MAX);
        return 0;
}

int parse_user(struct job_draft *d, const struct job_setting *s) {
        int r = draft_check_account(d, s, s->value, 0);
        return r ? r : draft_copy(s->value, &d->job->what.user);
}

int parse_group(struct job_draft *d, const struct job_setting *s) {
        int r = draft_check_account(d, s, s->value, 0);
        return r ? r : draft_copy(s->value, &d->job->what.group);
}

int parse_working_directory(struct job_draft *d, const struct job_setting *s) {
        bool is_optional = s->value[0] == '-';
        const char *path = s->value + is_optional;
        int r = strcmp(path, "~") == 0 ? 0 : draft_check_path(d, s, path);

        if (r == 0)
                r = draft_copy(path, &d->job->what.working_directory);
        if (r == 0)
                d->job->what.is_working_directory_optional = is_optional;
        return r;
}

/* NAME=VALUE with a name that shells can use and that chimed does not set itself. */
static int take_variable(struct job_draft *d, const struct job_setting *s, struct job_word *word) {
        static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
        static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
        size_t size = strspn(word->text, more);

        if (size == 0 || word->text[size] != '=' || !strchr(first, word->text[0]))
                return draft_error(d, s, word->offset,
                                   "\"%.60s\" is not NAME=VALUE; quote a value that has blanks: \"NAME=a b\"", word->text);
        if (strncmp(word->text, "CHIMED_", 7) == 0)
                return draft_error(d, s, word->offset, "%.*s is one of the names that chimed sets itself", (int)size,
                                   word->text);
        int r = strv_take(&d->job->what.environment, d->n_environment, word->text);
        word->text = NULL;
        d->n_environment += r == 0;
        return r;
}

int parse_environment(struct job_draft *d, const struct job_setting *s) {
        return draft_each_word(d, s, take_variable);
}

int parse_environment_file(struct job_draft *d, const struct job_setting *s) {
        int r = draft_check_path(d, s, s->value + (s->value[0] == '-'));

        if (r)
                return r;
        r = strv_take(&d->job->what.environment_files, d->n_environment_files, strdup(s->value));
        d->n_environment_files += r == 0;
        return r;
}

static int accept_parameter(struct job_draft *d, const struct job_setting *s, struct job_word *word) {
        struct parameter parameter = {.name = word->text, .name_size = strlen(word->text)};

        if (!parameter_name_is_valid(parameter.name, parameter.name_size))
                return draft_error(
                        d, s, word->offset,
                        "\"%.80s\" is no name of a parameter; write letters, digits and _, no digit first, at most %d",
                        word->text, PARAMETER_NAME_MAX);
        if (parameter_is_accepted(&parameter, d->job->what.accepted))
                return 0;
        if (d->n_accepted == PARAMETERS_N_MAX)
                return draft_error(d, s, word->offset, "a job accepts at most %d parameters", PARAMETERS_N_MAX);
        int r = strv_take(&d->job->what.accepted, d->n_accepted, word->text);
        word->text = NULL;
        d->n_accepted += r == 0;
        return r;
}

int parse_accept_parameters(struct job_draft *d, const struct job_setting *s) {
        return draft_each_word(d, s, accept_parameter);
}
