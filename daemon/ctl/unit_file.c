// SPDX-License-Identifier: MIT
// unit_file: systemd's unit files.

#include "daemon/ctl/unit_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/core/util.h"

static char *strip(char *text) {
        text += strspn(text, " \t\r");
        for (size_t size = strlen(text); size > 0 && strchr(" \t\r", text[size - 1]);)
                text[--size] = '\0';
        return text;
}

static bool is_comment(const char *line) {
        line += strspn(line, " \t");
        return *line == '#' || *line == ';';
}

/* Takes the next line off; lines that end in a backslash are joined by a blank, with no comments between. */
static char *take_line(char **rest) {
        char *line = strsep(rest, "\n"), *to;

        if (!line || is_comment(line))
                return line;
        for (to = line + strlen(line); to > line && to[-1] == '\\' && *rest; to += strlen(to)) {
                char *more = strsep(rest, "\n");
                if (is_comment(more))
                        continue;
                to[-1] = ' ';
                memmove(to, more, strlen(more) + 1);
        }
        return line;
}

/* An empty value takes back those before it. */
static void take_back(struct unit_file *u, const char *section, const char *key) {
        size_t n = 0;

        for (size_t i = 0; i < u->n; i++)
                if (strcmp(u->list[i].section, section) != 0 || strcmp(u->list[i].key, key) != 0)
                        u->list[n++] = u->list[i];
        u->n = n;
}

static int add(struct unit_file *u, const char *section, char *line) {
        char *equals = strchr(line, '=');

        if (!equals)
                return 0;
        *equals = '\0';
        const char *key = strip(line), *value = strip(equals + 1);
        if (!*value) {
                take_back(u, section, key);
                return 0;
        }
        struct unit_setting *list = reallocarray(u->list, u->n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        u->list = list;
        u->list[u->n++] = (struct unit_setting){section, key, value};
        return 0;
}

int unit_file_parse(const char *text, struct unit_file *ret) {
        struct unit_file u = {.text = strdup(text)};
        const char *section = "";
        char *rest = u.text;
        int r = u.text ? 0 : -ENOMEM;

        while (r == 0 && rest) {
                char *line = strip(take_line(&rest));
                size_t size = strlen(line);
                if (size > 1 && *line == '[' && line[size - 1] == ']') {
                        line[size - 1] = '\0';
                        section = line + 1;
                } else if (!is_comment(line))
                        r = add(&u, section, line);
        }
        if (r == 0)
                *ret = u;
        else
                unit_file_done(&u);
        return r;
}

void unit_file_done(struct unit_file *u) {
        if (!u)
                return;
        free(u->text);
        free(u->list);
        *u = (struct unit_file){};
}

const char *unit_file_get(const struct unit_file *u, const char *section, const char *key) {
        for (size_t i = u->n; i > 0; i--)
                if (strcmp(u->list[i - 1].section, section) == 0 && strcmp(u->list[i - 1].key, key) == 0)
                        return u->list[i - 1].value;
        return NULL;
}

size_t unit_file_count(const struct unit_file *u, const char *section, const char *key) {
        size_t n = 0;

        for (size_t i = 0; i < u->n; i++)
                n += strcmp(u->list[i].section, section) == 0 && strcmp(u->list[i].key, key) == 0;
        return n;
}

bool unit_file_is(const struct unit_file *u, const char *section, const char *key) {
        static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};
        const char *value = unit_file_get(u, section, key);

        for (size_t i = 0; value && i < ARRAY_SIZE(yes); i++)
                if (strcasecmp(value, yes[i]) == 0)
                        return true;
        return false;
}
