// SPDX-License-Identifier: MIT
// plugin_option: an option that a plugin declares, the lines in which chimed-host --describe tells of it, and whether a text is a
// value of it. The host that calls the plugin and the reader of job files, which never loads one, judge by the same.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_SAID_NAME_MAX   64 /* bytes */
#define PLUGIN_OPTIONS_MAX     64
#define PLUGIN_OPTION_NAME_MAX 63   /* bytes; letters, digits, "-" and "_" */
#define PLUGIN_CHOICES_MAX     32   /* words of an option */
#define PLUGIN_VALUE_MAX       4096 /* bytes of a value */
#define PLUGIN_DESCRIPTION_MAX (64 * 1024)

/* In the order of enum chimed_type. */
enum plugin_option_type {
        PLUGIN_OPTION_STRING,
        PLUGIN_OPTION_INTEGER,
        PLUGIN_OPTION_BOOL,
        PLUGIN_OPTION_DURATION,
        PLUGIN_OPTION_SIZE,
        PLUGIN_OPTION_CHOICE,
        PLUGIN_OPTION_TYPE_MAX
};

/* Pointers are borrowed; those that plugin_description_parse() gives are freed by plugin_description_done(). */
struct plugin_option {
        const char *name;
        enum plugin_option_type type;
        bool is_required;
        int64_t min, max;         /* as in struct chimed_option */
        const char *choices;      /* words with a blank between; "": none */
        const char *default_text; /* "": none */
        const char *help;
};

/* What a plugin says of itself. */
struct plugin_description {
        const char *name, *description;
        struct plugin_option *options;
        size_t n_options;
};

void plugin_description_done(struct plugin_description *d);

/* "string", "integer" ... */
const char *plugin_option_type_to_string(enum plugin_option_type type);

/* True if name may name an option. */
bool plugin_option_name_is_valid(const char *name);

/* Reads text as a value. 0 and *ret: the number, 0 or 1, microseconds, bytes, or the place among the choices; of a string its length.
 * -EINVAL: it is none, and why (at most 160 bytes with the NUL) says what is wrong, to follow "Option.NAME=TEXT: ". */
int plugin_option_parse(const struct plugin_option *option, const char *text, int64_t *ret, char why[static 160]);

/* The option of this name, or NULL. */
const struct plugin_option *plugin_option_find(const struct plugin_description *d, const char *name);

/* Whether what it says can be: names that are valid and differ, words as choices, a default that is a value, and no text that could do
 * something to a terminal. 0; -EINVAL and why. */
int plugin_description_check(const struct plugin_description *d, char why[static 160]);

/* Lines of fields with a tab between: "plugin", its name, its description; then for each "option", name, type, "required" or "optional",
 * min, max, choices, default, help. Tabs and the like become blanks. Given to the caller. 0, -ENOMEM. */
int plugin_description_print(const struct plugin_description *d, char **ret);
/* Reads them back; nothing that a plugin can print makes one that plugin_description_check() does not hold for. 0; -EBADMSG; -ENOMEM. */
int plugin_description_parse(const char *text, size_t size, struct plugin_description *ret);
