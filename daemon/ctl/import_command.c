// SPDX-License-Identifier: MIT
// import_command: what a command line of a crontab or a unit is: what it may be called, and whether it needs a shell.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/import.h"
#include "daemon/ctl/text.h"

/* Words that stand before what is really run; `n_skipped` of their own arguments follow. */
static const struct helper {
        const char *name;
        size_t n_skipped;
        char end; /* skip to the word that ends with it, or to && or ||; '\0': don't */
} helpers[] = {
        {"[", 0, ']'},        {"[[", 0, ']'},       {"test", 0, '&'},     {"cd", 0, '&'},         {"if", 0, '\0'},
        {"then", 0, '\0'},    {"while", 0, '\0'},   {"do", 0, '\0'},      {"nice", 0, '\0'},      {"ionice", 0, '\0'},
        {"chrt", 0, '\0'},    {"taskset", 1, '\0'}, {"env", 0, '\0'},     {"sudo", 0, '\0'},      {"exec", 0, '\0'},
        {"command", 0, '\0'}, {"time", 0, '\0'},    {"timeout", 1, '\0'}, {"nohup", 0, '\0'},     {"setsid", 0, '\0'},
        {"chronic", 0, '\0'}, {"flock", 1, '\0'},   {"sleep", 0, '&'},    {"sh", 0, '\0'},        {"bash", 0, '\0'},
        {"dash", 0, '\0'},    {"perl", 0, '\0'},    {"python", 0, '\0'},  {"python3", 0, '\0'},   {"php", 0, '\0'},
        {"ruby", 0, '\0'},    {"node", 0, '\0'},    {".", 0, '&'},        {"source", 0, '&'},     {"export", 0, '&'},
        {"umask", 0, '&'},    {"ulimit", 0, '&'},   {"set", 0, '&'},      {"run-parts", 0, '\0'},
};

/* Words of a shell that are no programs, or others than the program of that name. */
static const char *const builtins[] = {
        ".",    "alias", "bg",   "break", "case",   "cd",    "command",  "continue", "eval", "exec",  "exit",   "export",
        "fg",   "for",   "if",   "jobs",  "local",  "read",  "readonly", "return",   "set",  "shift", "source", "test",
        "time", "times", "trap", "type",  "ulimit", "umask", "unset",    "until",    "wait", "while", "{",
};

static const struct helper *find_helper(const char *word) {
        for (size_t i = 0; i < ARRAY_SIZE(helpers); i++)
                if (strcmp(helpers[i].name, word) == 0)
                        return &helpers[i];
        return NULL;
}

static bool is_operator(const char *word) {
        return word[strspn(word, ";&|(){}!<>\"'`\\")] == '\0';
}

static bool is_assignment(const char *word) {
        size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

        return n > 0 && word[n] == '=';
}

/* The last part of a path, without the ending of a script and without quotes and brackets around it; in place. */
static char *base(char *word) {
        static const char *const endings[] = {".sh", ".py", ".pl", ".rb", ".php", ".js"};
        char *slash, *name = word + strspn(word, "(){}\"'`");

        name[strcspn(name, "\"'`;)}&|<>")] = '\0';
        slash = strrchr(name, '/');
        if (slash && slash[1])
                name = slash + 1;
        size_t size = strlen(name);
        for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
                size_t n = strlen(endings[i]);
                if (size > n && strcmp(name + size - n, endings[i]) == 0)
                        name[size - n] = '\0';
        }
        return name;
}

static bool is_end(const char *word, char end) {
        size_t size = strlen(word);

        return word[size - 1] == end || word[size - 1] == ';' || strcmp(word, "&&") == 0 || strcmp(word, "||") == 0;
}

char *import_command_name(const char *command) {
        _cleanup_free_ char *copy = strdup(command);
        char *rest = copy, until = '\0';
        size_t n_skipped = 0;

        if (!copy)
                return NULL;
        for (char *word; (word = strsep(&rest, " \t\n"));) {
                if (!*word)
                        continue;
                if (until) {
                        until = is_end(word, until) ? '\0' : until;
                        continue;
                }
                if (is_operator(word) || is_assignment(word) || *word == '-')
                        continue;
                if (n_skipped > 0 || isdigit((unsigned char)*word)) {
                        n_skipped -= n_skipped > 0;
                        continue;
                }
                char *name = base(word);
                const struct helper *helper = find_helper(name);
                if (!helper)
                        return strdup(name);
                n_skipped = helper->n_skipped;
                until = helper->end;
        }
        return strdup("job");
}

bool import_command_is_plain(const char *command) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 \t_./:@,+=-";
        size_t size = strcspn(command, " \t");
        _cleanup_free_ char *first = strndup(command, size);

        if (!first || command[strspn(command, plain)] || strchr(first, '=') || (*first != '/' && strchr(first, '/')))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
                if (strcmp(builtins[i], first) == 0)
                        return false;
        return isalnum((unsigned char)*first) || *first == '/';
}

bool import_is_clean(const char *text) {
        _cleanup_free_ char *copy = strdup(text);

        if (!copy)
                return false;
        text_clean(copy, true);
        return strcmp(copy, text) == 0;
}
