// SPDX-License-Identifier: MIT
// plugin_option: see the header. What is printed comes from a plugin, so what is read is judged as a whole before it is given.

#include "config/plugin_option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "config/pack.h"
#include "config/size.h"
#include "config/utf8.h"

static const char *const type_names[PLUGIN_OPTION_TYPE_MAX] = {
        [PLUGIN_OPTION_STRING] = "string",     [PLUGIN_OPTION_INTEGER] = "integer", [PLUGIN_OPTION_BOOL] = "bool",
        [PLUGIN_OPTION_DURATION] = "duration", [PLUGIN_OPTION_SIZE] = "size",       [PLUGIN_OPTION_CHOICE] = "choice",
};

const char *plugin_option_type_to_string(enum plugin_option_type type) {
        return (size_t)type < PLUGIN_OPTION_TYPE_MAX ? type_names[type] : "invalid";
}

void plugin_description_done(struct plugin_description *d) {
        if (!d)
                return;
        for (size_t i = 0; i < d->n_options; i++) {
                free((char *)d->options[i].name);
                free((char *)d->options[i].choices);
                free((char *)d->options[i].default_text);
                free((char *)d->options[i].help);
        }
        free(d->options);
        free((char *)d->name);
        free((char *)d->description);
        *d = (struct plugin_description){};
}

bool plugin_option_name_is_valid(const char *name) {
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
        return n > 0 && n <= PLUGIN_OPTION_NAME_MAX && name[n] == '\0';
}

static int parse_bool(const char *text, int64_t *ret) {
        static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                for (int64_t value = 0; value < 2; value++)
                        if (strcasecmp(text, words[i][value]) == 0) {
                                *ret = value;
                                return 0;
                        }
        return -EINVAL;
}

static int parse_integer(const char *text, int64_t *ret) {
        bool is_negative = *text == '-';
        int64_t value = 0;

        text += *text == '-' || *text == '+';
        if (!*text || text[strspn(text, "0123456789")])
                return -EINVAL;
        for (; *text; text++) {
                int64_t digit = *text - '0';
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, is_negative ? -digit : digit, &value))
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

/* The place of a word among words with a blank between; -1: it is not there. */
static int64_t find_word(const char *words, const char *word) {
        size_t size = strlen(word);
        int64_t place = 0;

        for (const char *at = words; *at && size > 0; place++) {
                size_t n = strcspn(at, " ");
                if (n == size && memcmp(at, word, n) == 0)
                        return place;
                at += n;
                at += *at == ' ';
        }
        return -1;
}

static int parse_number(enum plugin_option_type type, const char *text, int64_t *ret) {
        uint64_t size = 0;
        int r;

        if (type == PLUGIN_OPTION_DURATION)
                return duration_parse(text, ret, NULL);
        if (type == PLUGIN_OPTION_INTEGER)
                return parse_integer(text, ret);
        r = size_parse(text, INT64_MAX, &size);
        if (r == 0)
                *ret = (int64_t)size;
        return r;
}

/* A bound as it would be written. */
static void print_bound(enum plugin_option_type type, int64_t bound, char buf[static 96]) {
        if (type == PLUGIN_OPTION_DURATION)
                duration_print(bound, buf);
        else
                snprintf(buf, 96, "%" PRId64, bound);
}

static int check_bounds(const struct plugin_option *option, int64_t value, char why[static 160]) {
        bool is_bounded = option->min != 0 || option->max != 0;
        int64_t min = is_bounded ? option->min : option->type == PLUGIN_OPTION_INTEGER ? INT64_MIN : 0;
        int64_t max = is_bounded ? option->max : INT64_MAX;
        char low[96], high[96];

        if (value >= min && value <= max)
                return 0;
        print_bound(option->type, min, low);
        print_bound(option->type, max, high);
        if (option->type == PLUGIN_OPTION_STRING)
                snprintf(why, 160, "has %" PRId64 " bytes, give %.40s to %.40s", value, low, high);
        else
                snprintf(why, 160, "give %.60s to %.60s", low, high);
        return -EINVAL;
}

int plugin_option_parse(const struct plugin_option *option, const char *text, int64_t *ret, char why[static 160]) {
        size_t length = strlen(text);
        int64_t value = 0;
        int r = 0;

        if (length > PLUGIN_VALUE_MAX) {
                snprintf(why, 160, "has more than %d bytes", PLUGIN_VALUE_MAX);
                return -EINVAL;
        }
        switch (option->type) {
        case PLUGIN_OPTION_STRING:
                value = (int64_t)length;
                break;
        case PLUGIN_OPTION_INTEGER:
        case PLUGIN_OPTION_DURATION:
        case PLUGIN_OPTION_SIZE:
                r = parse_number(option->type, text, &value);
                if (r < 0)
                        snprintf(why, 160, r == -ERANGE ? "is out of range of a %s" : "is not of type %s",
                                 plugin_option_type_to_string(option->type));
                break;
        case PLUGIN_OPTION_BOOL:
                r = parse_bool(text, &value);
                if (r < 0)
                        snprintf(why, 160, "is neither yes nor no");
                break;
        case PLUGIN_OPTION_CHOICE:
                value = find_word(option->choices, text);
                r = value < 0 ? -EINVAL : 0;
                if (r < 0)
                        snprintf(why, 160, "give one of: %.*s", utf8_fit(option->choices, 120), option->choices);
                break;
        case PLUGIN_OPTION_TYPE_MAX:
                r = -EINVAL;
        }
        bool has_bounds = option->type != PLUGIN_OPTION_BOOL && option->type != PLUGIN_OPTION_CHOICE;
        if (r == 0 && has_bounds)
                r = check_bounds(option, value, why);
        if (r < 0)
                return -EINVAL;
        *ret = value;
        return 0;
}

const struct plugin_option *plugin_option_find(const struct plugin_description *d, const char *name) {
        for (size_t i = 0; i < d->n_options; i++)
                if (strcmp(d->options[i].name, name) == 0)
                        return &d->options[i];
        return NULL;
}

static bool is_text(const char *text) {
        size_t size = strlen(text);

        if (utf8_find_bad(text, size) < size)
                return false;
        while (*text && !utf8_is_control(text))
                text++;
        return !*text;
}

#define NO_TEXT "its texts are not UTF-8 without control characters"

static int check_option(const struct plugin_description *d, const struct plugin_option *option, char why[static 160]) {
        char reason[160];
        int64_t value;

        if (!plugin_option_name_is_valid(option->name))
                snprintf(why, 160, "an option has a name that can't be: \"%.63s\"", option->name);
        else if ((unsigned)option->type >= PLUGIN_OPTION_TYPE_MAX)
                snprintf(why, 160, "option %s has an unknown type", option->name);
        else if (plugin_option_find(d, option->name) != option)
                snprintf(why, 160, "option %s is declared twice", option->name);
        else if ((option->type == PLUGIN_OPTION_CHOICE) != (option->choices[0] != '\0'))
                snprintf(why, 160, "option %s: choices go with the type choice", option->name);
        else if (option->min > option->max)
                snprintf(why, 160, "option %s: min is above max", option->name);
        else if (!is_text(option->choices) || !is_text(option->default_text) || !is_text(option->help))
                snprintf(why, 160, "option %s: " NO_TEXT, option->name);
        else if (option->default_text[0] && plugin_option_parse(option, option->default_text, &value, reason) < 0)
                snprintf(why, 160, "option %s: its default %.60s", option->name, reason);
        else
                return 0;
        return -EINVAL;
}

int plugin_description_check(const struct plugin_description *d, char why[static 160]) {
        const char *wrong = !d->name[0]                                     ? "it has no name"
                            : strlen(d->name) > PLUGIN_SAID_NAME_MAX        ? "its name is too long"
                            : !is_text(d->name) || !is_text(d->description) ? NO_TEXT
                            : d->n_options > PLUGIN_OPTIONS_MAX             ? "it has too many options"
                                                                            : NULL;
        if (wrong) {
                snprintf(why, 160, "%s", wrong);
                return -EINVAL;
        }
        for (size_t i = 0; i < d->n_options; i++) {
                int r = check_option(d, &d->options[i], why);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void print_field(struct pack *p, const char *text) {
        pack_u8(p, '\t');
        for (; *text; text++)
                pack_u8(p, (uint8_t)*text < ' ' || *text == 0x7f ? ' ' : (uint8_t)*text);
}

static void print_integer(struct pack *p, int64_t value) {
        char buf[32];

        snprintf(buf, sizeof(buf), "%" PRId64, value);
        print_field(p, buf);
}

int plugin_description_print(const struct plugin_description *d, char **ret) {
        struct pack p = {};

        pack_raw(&p, "plugin", strlen("plugin"));
        print_field(&p, d->name);
        print_field(&p, d->description);
        for (size_t i = 0; i < d->n_options; i++) {
                const struct plugin_option *option = &d->options[i];
                pack_raw(&p, "\noption", strlen("\noption"));
                print_field(&p, option->name);
                print_field(&p, plugin_option_type_to_string(option->type));
                print_field(&p, option->is_required ? "required" : "optional");
                print_integer(&p, option->min);
                print_integer(&p, option->max);
                print_field(&p, option->choices);
                print_field(&p, option->default_text);
                print_field(&p, option->help);
        }
        pack_raw(&p, "\n", 2);
        if (pack_result(&p) < 0) {
                int r = pack_result(&p);
                pack_done(&p);
                return r;
        }
        *ret = (char *)p.data; /* given */
        return 0;
}

/* Cuts a line into exactly n fields. */
static bool split(char *line, char **fields, size_t n) {
        for (size_t i = 0; i < n; i++) {
                fields[i] = strsep(&line, "\t");
                if (!fields[i])
                        return false;
        }
        return !line;
}

static int read_type(const char *name, enum plugin_option_type *ret) {
        for (int type = 0; type < PLUGIN_OPTION_TYPE_MAX; type++)
                if (strcmp(name, type_names[type]) == 0) {
                        *ret = type;
                        return 0;
                }
        return -EBADMSG;
}

static int read_option(char *line, struct plugin_option *ret) {
        enum { WORD, NAME, TYPE, REQUIRED, MIN, MAX, CHOICES, DEFAULT, HELP, N };
        char *fields[N];

        if (!split(line, fields, N) || strcmp(fields[WORD], "option") != 0 || read_type(fields[TYPE], &ret->type) < 0 ||
            parse_integer(fields[MIN], &ret->min) < 0 || parse_integer(fields[MAX], &ret->max) < 0)
                return -EBADMSG;
        ret->is_required = strcmp(fields[REQUIRED], "required") == 0;
        ret->name = strdup(fields[NAME]);
        ret->choices = strdup(fields[CHOICES]);
        ret->default_text = strdup(fields[DEFAULT]);
        ret->help = strdup(fields[HELP]);
        return ret->name && ret->choices && ret->default_text && ret->help ? 0 : -ENOMEM;
}

static int read_head(char *line, struct plugin_description *ret) {
        char *fields[3];

        if (!split(line, fields, 3) || strcmp(fields[0], "plugin") != 0)
                return -EBADMSG;
        ret->name = strdup(fields[1]);
        ret->description = strdup(fields[2]);
        return ret->name && ret->description ? 0 : -ENOMEM;
}

int plugin_description_parse(const char *text, size_t size, struct plugin_description *ret) {
        struct plugin_description d = {};
        char why[160];
        int r = -EBADMSG;

        if (size > PLUGIN_DESCRIPTION_MAX || memchr(text, 0, size))
                return r;
        char *copy = strndup(text, size), *rest = copy;
        d.options = calloc(PLUGIN_OPTIONS_MAX, sizeof(*d.options));
        if (!copy || !d.options)
                r = -ENOMEM;
        else
                r = read_head(strsep(&rest, "\n"), &d);
        for (char *line; r == 0 && (line = strsep(&rest, "\n")) && *line;)
                r = d.n_options < PLUGIN_OPTIONS_MAX ? read_option(line, &d.options[d.n_options++]) : -EBADMSG;
        if (r == 0 && plugin_description_check(&d, why) < 0)
                r = -EBADMSG;
        free(copy);
        if (r < 0) {
                plugin_description_done(&d);
                return r;
        }
        *ret = d;
        return 0;
}
