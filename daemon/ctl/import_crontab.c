// SPDX-License-Identifier: MIT
// import_crontab: crontabs, line by line as cron reads them: variables are for the lines below them, "%" ends the command and is a line
// end in its input, a command is for a shell. What cron does and chimed does not is told where it stands.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/cron.h"
#include "config/pattern_field.h"
#include "daemon/core/util.h"
#include "daemon/ctl/import.h"

#define TIME_FIELDS   5
#define VARIABLES_MAX 100
#define LINE_MAX_SIZE 8192 /* cron's is 1000 */
#define NAME_MAX_SIZE 100  /* bytes of a variable's name, without the end */

struct variable {
        char *name, *value; /* owned */
};

struct crontab {
        struct import *i;
        const struct import_crontab *how;
        struct variable variables[VARIABLES_MAX];
        size_t n;
};

/* ---- variables ---- */

/* Takes both texts. */
static void set_variable(struct crontab *c, char *name, char *value) {
        size_t i = 0;

        while (i < c->n && strcmp(c->variables[i].name, name) != 0)
                i++;
        if (i == VARIABLES_MAX) {
                import_lose(c->i, "%s=%s: more than %d variables", name, value, VARIABLES_MAX);
                free(name);
                free(value);
                return;
        }
        if (i < c->n) {
                free(c->variables[i].name);
                free(c->variables[i].value);
        } else
                c->n++;
        c->variables[i] = (struct variable){name, value};
}

/* A part of a line without blanks and quotes around it, given to the caller. */
static char *unquote(const char *text, size_t size) {
        while (size > 0 && strchr(" \t", text[size - 1]))
                size--;
        for (; size > 0 && strchr(" \t", *text); size--)
                text++;
        if (size > 1 && (*text == '"' || *text == '\'') && text[size - 1] == *text) {
                text++;
                size -= 2;
        }
        return strndup(text, size);
}

static bool is_name(const char *name) {
        static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

        return *name && !isdigit((unsigned char)*name) && name[strspn(name, more)] == '\0' && strlen(name) <= NAME_MAX_SIZE;
}

/* What cron itself does with variables that chimed does otherwise, or not. */
static const struct answer {
        const char *name, *text;
} answers[] = {
        {"MAILFROM", "the sender is the mail system's to say"},
        {"CONTENT_TYPE", "chimed's mails are text in UTF-8"},
        {"CONTENT_TRANSFER_ENCODING", "chimed's mails are text in UTF-8"},
        {"LOGNAME", "the name is that of User=, as with cron"},
        {"USER", "the name is that of User=, as with cron"},
        {"START_HOURS_RANGE", "is anacron's"},
        {"CRON_WITHIN", "is not carried over; see StartDeadline="},
};

static const char *find_answer(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
                if (strcmp(answers[i].name, name) == 0)
                        return answers[i].text;
        return NULL;
}

/* Reads "NAME = value". False: the line is none. */
static bool read_variable(struct crontab *c, const char *line) {
        const char *equals = strchr(line, '=');
        char *name = equals ? unquote(line, (size_t)(equals - line)) : NULL;

        if (!name || !is_name(name)) {
                free(name);
                return false;
        }
        char *value = unquote(equals + 1, strlen(equals + 1));
        if (!value) {
                free(name);
                c->i->has_failed = true;
                return true;
        }
        const char *why = strncmp(name, "CHIMED_", 7) == 0 ? "such names are chimed's own" : find_answer(name);
        if (!why) {
                set_variable(c, name, value);
                return true;
        }
        import_comment(c->i, "%s=%s: %s", name, value, why);
        free(name);
        free(value);
        return true;
}

static const char *value_of(const struct crontab *c, const char *name) {
        for (size_t i = 0; i < c->n; i++)
                if (strcmp(c->variables[i].name, name) == 0)
                        return c->variables[i].value;
        return NULL;
}

/* Those that say when. */
static void print_when(struct crontab *c) {
        const char *zone = value_of(c, "CRON_TZ"), *delay = value_of(c, "RANDOM_DELAY");

        if (zone)
                import_key(c->i, "TimeZone", "%s", zone);
        if (delay && *delay && delay[strspn(delay, "0123456789")] == '\0')
                import_key(c->i, "RandomizedDelay", "%smin", delay);
        else if (delay)
                import_lose(c->i, "not imported: RANDOM_DELAY=%s: no number of minutes", delay);
}

/* cron mails what a command puts out, and tells nobody of a failure. */
static void print_mail(struct crontab *c) {
        const char *to = value_of(c, "MAILTO");

        if (!to || !*to)
                return;
        import_key(c->i, "MailTo", "%s", to);
        import_key(c->i, "MailOn", "output");
}

/* The others. */
static void print_environment(struct crontab *c, bool has_script, bool has_user) {
        static const char *const own[] = {"SHELL", "CRON_TZ", "RANDOM_DELAY", "MAILTO"};
        const char *shell = value_of(c, "SHELL"), *home = value_of(c, "HOME");

        if (has_script && shell && *shell == '/' && strcmp(shell, "/bin/sh") != 0)
                import_key(c->i, "Shell", "%s", shell);
        if (home && *home == '/')
                import_key(c->i, "WorkingDirectory", "%s", home);
        else if (!has_user)
                import_key(c->i, "WorkingDirectory", "~");
        for (size_t i = 0; i < c->n; i++) {
                size_t k = 0;
                while (k < ARRAY_SIZE(own) && strcmp(own[k], c->variables[i].name) != 0)
                        k++;
                if (k == ARRAY_SIZE(own))
                        import_variable(c->i, c->variables[i].name, c->variables[i].value);
        }
}

/* ---- entries ---- */

struct entry {
        char *times, *user, *command, *input; /* owned; user and input may be NULL */
        bool is_quiet;                        /* "-" before it, of SUSE: nothing in the system's log */
        bool is_reboot;
};

static void entry_done(struct entry *e) {
        free(e->times);
        free(e->user);
        free(e->command);
        free(e->input);
}

/* Cuts a command at its first "%", which begins its input; others are line ends there. "\%" is a "%". */
static int split_input(const char *text, struct entry *e) {
        char *out = e->command = malloc(strlen(text) + 1), *input = NULL;

        if (!out)
                return -1;
        for (; *text; text++) {
                if (*text == '\\' && text[1] == '%')
                        *out++ = *++text;
                else if (*text == '\\' && text[1] && !input) { /* of two backslashes the second hides nothing */
                        *out++ = *text;
                        *out++ = *++text;
                } else if (*text != '%')
                        *out++ = *text;
                else if (input)
                        *out++ = '\n';
                else {
                        *out++ = '\0';
                        input = out;
                }
        }
        *out = '\0';
        if (input)
                e->input = strdup(input);
        return input && !e->input ? -1 : 0;
}

/* Cuts a line into fields. False: it is no entry. */
static bool read_entry(struct crontab *c, const char *line, struct entry *e) {
        const char *words[TIME_FIELDS + 3];
        size_t n_times = 0, n;

        e->is_quiet = *line == '-' && line[1];
        line += e->is_quiet;
        n_times = *line == '@' ? 1 : TIME_FIELDS;
        n = words_split(line, n_times + 1 + c->how->has_users, words);
        if (n <= n_times + c->how->has_users)
                return false;
        const char *end = words[n_times - 1] + word_size(words[n_times - 1]);
        e->times = strndup(line, (size_t)(end - line));
        if (c->how->has_users)
                e->user = strndup(words[n_times], word_size(words[n_times]));
        else if (c->how->user)
                e->user = strdup(c->how->user);
        if (!e->times || split_input(words[n_times + c->how->has_users], e) < 0)
                c->i->has_failed = true;
        return !c->i->has_failed;
}

/* A script with its input in a here-document, whose end is no line of it. */
static void print_script(struct crontab *c, const struct entry *e) {
        char end[16] = "END";

        if (!e->input || !*e->input) {
                import_key(c->i, "Script", "%s", e->command);
                return;
        }
        size_t size = strlen(e->input);
        size -= e->input[size - 1] == '\n'; /* the here-document ends its last line */
        while (strlen(end) < sizeof(end) - 2 && strstr(e->input, end))
                strcat(end, "_");
        import_key(c->i, "Script", "exec <<'%s'\n%.*s\n%s\n%s", end, (int)size, e->input, end, e->command);
}

/* What is wrong with the times, or NULL; they are those of chimed afterwards. */
static const char *check_times(struct entry *e, struct pattern_error *error) {
        struct pattern *p = NULL;

        e->is_reboot = strcasecmp(e->times, "@reboot") == 0;
        if (e->is_reboot)
                return NULL;
        if (strcasecmp(e->times, "@every_minute") == 0) { /* FreeBSD's */
                free(e->times);
                e->times = strdup("* * * * *");
                if (!e->times)
                        return "not enough memory";
        }
        int r = cron_parse(e->times, false, &p, error);
        pattern_free(p);
        return r == 0 ? NULL : r < 0 && error->text[0] ? error->text : "not enough memory";
}

static void print_entry(struct crontab *c, const struct entry *e) {
        bool is_script = (e->input && *e->input) || !import_command_is_plain(e->command);
        _cleanup_free_ char *name = import_command_name(e->command);

        import_section(c->i, name ? name : "job");
        if (e->is_reboot) {
                import_comment(c->i, "@reboot: cron runs it when cron starts, chimed once a boot");
                import_key(c->i, "OnBoot", "yes");
        } else {
                import_words(c->i, "Cron", e->times);
                print_when(c);
                import_key(c->i, "CatchUp", "none");
        }
        if (is_script)
                print_script(c, e);
        else
                import_key(c->i, "Command", "%s", e->command);
        if (e->user)
                import_key(c->i, "User", "%s", e->user);
        if (e->is_quiet)
                import_key(c->i, "Log", "failures");
        print_mail(c);
        print_environment(c, is_script, e->user != NULL);
        import_end(c->i);
}

static void read_entry_line(struct crontab *c, const char *line) {
        struct pattern_error error = {};
        struct entry e = {};
        const char *why = "there are too few fields";

        if (read_entry(c, line, &e))
                why = check_times(&e, &error);
        if (!why)
                print_entry(c, &e);
        else {
                import_lose(c->i, "not imported: %s: %s", line, why);
                import_gap(c->i);
        }
        entry_done(&e);
}

static void read_line(struct crontab *c, const char *line) {
        line += strspn(line, " \t");
        if (!*line)
                import_gap(c->i);
        else if (strlen(line) > LINE_MAX_SIZE)
                import_lose(c->i, "not imported, it is longer than %d bytes: %.60s", LINE_MAX_SIZE, line);
        else if (!import_is_clean(line))
                import_lose(c->i, "not imported, it has bytes that a job file may not hold: %s", line);
        else if (*line == '#') {
                line += strspn(line, "#");
                import_comment(c->i, "%s", line + (*line == ' '));
        } else if (!read_variable(c, line))
                read_entry_line(c, line);
}

static void print_head(struct import *i, const struct import_crontab *how) {
        import_comment(i, "Imported by chimectl from %s%s.", how->origin, how->has_users ? ", where each line has a user" : "");
        import_comment(i, "Take the lines out there, or both will run them.\n\n"
                          "What is otherwise than with cron: a run that is still going is not doubled,\n"
                          "its slot is recorded as missed; output goes to the journal, and into mail only\n"
                          "by MailTo=, which sends a mail of each failure, too.\n"
                          "As with cron: a fixed time that the clock skips runs right after, one that\n"
                          "comes twice runs once; and CatchUp=none: without it the latest slot that\n"
                          "passed while the machine was off runs late.");
        if (!how->has_users && !how->user)
                import_comment(i, "\nWhose crontab it is is not known: the jobs need User=, unless they are for an\n"
                                  "instance of your own.");
        import_gap(i);
}

void import_crontab(struct import *i, const char *text, const struct import_crontab *how) {
        struct crontab c = {.i = i, .how = how};
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;

        i->has_failed = i->has_failed || !copy;
        print_head(i, how);
        for (char *line; rest && (line = strsep(&rest, "\n"));) {
                size_t size = strlen(line);
                if (size > 0 && line[size - 1] == '\r')
                        line[size - 1] = '\0';
                read_line(&c, line);
        }
        for (size_t k = 0; k < c.n; k++) {
                free(c.variables[k].name);
                free(c.variables[k].value);
        }
}

/* ---- users or not ---- */

/* A comment such as "# m h dom mon dow user command". */
static bool names_the_column(const char *line) {
        return *line == '#' && strstr(line, "dow") && strstr(line, " user");
}

/* What the first word behind the times of a line is. */
enum first_word {
        FIRST_NOTHING, /* which says nothing */
        FIRST_COMMAND,
        FIRST_ACCOUNT,
        FIRST_UNKNOWN, /* neither a program nor an account of this machine */
};

static enum first_word look_at_first(const char *line, bool (*is_account)(const char *name),
                                     bool (*is_program)(const char *name)) {
        const char *words[TIME_FIELDS + 3];

        line += *line == '-';
        if (!isdigit((unsigned char)*line) && *line != '*' && *line != '@')
                return FIRST_NOTHING;
        size_t n_times = *line == '@' ? 1 : TIME_FIELDS, n = words_split(line, n_times + 2, words);
        if (n < n_times + 2)
                return n == n_times + 1 ? FIRST_COMMAND : FIRST_NOTHING;
        _cleanup_free_ char *word = strndup(words[n_times], word_size(words[n_times]));
        if (!word)
                return FIRST_NOTHING;
        if (is_account(word))
                return is_program(word) ? FIRST_NOTHING : FIRST_ACCOUNT;
        return strchr(word, '/') || !import_command_is_plain(word) || is_program(word) ? FIRST_COMMAND : FIRST_UNKNOWN;
}

enum import_users import_crontab_find_users(const char *text, bool (*is_account)(const char *name),
                                            bool (*is_program)(const char *name)) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;
        size_t n[FIRST_UNKNOWN + 1] = {};

        for (char *line; rest && (line = strsep(&rest, "\n"));) {
                line += strspn(line, " \t");
                if (names_the_column(line))
                        return IMPORT_USERS_ALL;
                enum first_word first = look_at_first(line, is_account, is_program);
                if (first == FIRST_COMMAND)
                        return IMPORT_USERS_NONE;
                n[first]++;
        }
        if (n[FIRST_ACCOUNT] == 0)
                return IMPORT_USERS_NONE;
        return n[FIRST_UNKNOWN] > 0 ? IMPORT_USERS_UNSURE : IMPORT_USERS_ALL;
}
