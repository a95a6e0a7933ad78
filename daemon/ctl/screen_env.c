// SPDX-License-Identifier: MIT
// screen_env: what a run of a job would get: its variables as a shell reads them, and above them the rest.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/text.h"

#define COMMAND_MAX 2000 /* bytes of it that are shown */
#define LABEL_WIDTH 25
#define BARE        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,=-"

/* Whether a terminal might obey it, or it is no character at all. */
static bool is_strange(const char *value) {
        char *clean = strdup(value);
        bool is_changed = true;

        if (clean) {
                text_clean(clean, false);
                is_changed = strcmp(clean, value) != 0;
        }
        free(clean);
        return is_changed;
}

/* With the quotes that it needs: none, or single ones; $'' where it must not be shown as it is. */
static void print_quoted(const char *value, FILE *out) {
        bool is_escaped = is_strange(value);

        if (*value && value[strspn(value, BARE)] == '\0') {
                fputs(value, out);
                return;
        }
        fputs(is_escaped ? "$'" : "'", out);
        for (const char *c = value; *c; c++)
                if (is_escaped && ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f))
                        fprintf(out, "\\%03o", (unsigned char)*c);
                else if (is_escaped && (*c == '\'' || *c == '\\'))
                        fprintf(out, "\\%c", *c);
                else if (*c == '\'')
                        fputs("'\\''", out);
                else
                        fputc(*c, out);
        fputc('\'', out);
}

static bool is_of_each_run(const json_t *env, const char *name) {
        size_t i;
        json_t *own;

        json_array_foreach(json_object_get(env, "ofEachRun"), i, own) {
                if (strcmp(json_string_value(own), name) == 0)
                        return true;
        }
        return false;
}

static void print_line(const struct view *v, FILE *out, const char *label, const char *text) {
        fprintf(out, "  %-*s", LABEL_WIDTH - 2, label);
        text_wrap(out, text, LABEL_WIDTH, LABEL_WIDTH, v->width);
}

static int print_command(const struct view *v, const json_t *env, FILE *out) {
        const json_t *command = json_object_get(env, "command");
        size_t n = json_array_size(command);
        char *text, **argv = calloc(n + 1, sizeof(*argv));

        if (!argv)
                return -ENOMEM;
        if (n == 0) { /* it is a unit */
                free(argv);
                return 0;
        }
        for (size_t i = 0; i < n; i++)
                argv[i] = (char *)json_string_value(json_array_get(command, i)); /* borrowed */
        int r = job_command_print(argv, COMMAND_MAX, &text);
        free(argv);
        if (r < 0)
                return r;
        print_line(v, out, "Command", text);
        free(text);
        return 0;
}

/* All values of a key that stands at i are one line. Returns how many, or -ENOMEM. */
static int print_setting(const struct view *v, const json_t *settings, size_t i, FILE *out) {
        const char *key = reply_text_or(json_array_get(settings, i), "key", "?");
        _cleanup_free_ char *text = NULL;
        size_t size;
        int n = 0;
        FILE *line = memory_stream_open(&text, &size);

        if (!line)
                return -ENOMEM;
        for (const json_t *one; (one = json_array_get(settings, i)) && strcmp(reply_text_or(one, "key", ""), key) == 0; i++)
                fprintf(line, "%s%s", n++ > 0 ? " " : "", reply_text_or(one, "value", ""));
        if (!memory_stream_finish(line, &text))
                return -ENOMEM;
        text_clean(text, false);
        print_line(v, out, key, text);
        return n > 0 ? n : 1;
}

static int print_settings(const struct view *v, const json_t *env, FILE *out) {
        const json_t *settings = json_object_get(env, "settings");
        int r = print_command(v, env, out);

        for (size_t i = 0; r >= 0 && i < json_array_size(settings); i += (size_t)r)
                r = print_setting(v, settings, i, out);
        return r < 0 ? r : 0;
}

int screen_env(const struct view *v, const json_t *env, bool is_export, FILE *out) {
        const char *name;
        json_t *value;
        int r = is_export ? 0 : print_settings(v, env, out);

        if (r == 0 && !is_export && v->has_legend && json_object_size(json_object_get(env, "environment")) > 0)
                fprintf(out, "\nIts variables, with # where each run has another value:\n");
        json_object_foreach(json_object_get(env, "environment"), name, value) {
                fprintf(out, "%s=", name);
                print_quoted(json_string_value(value), out);
                fputs(!is_export && is_of_each_run(env, name) ? "  #\n" : "\n", out);
        }
        return r;
}
