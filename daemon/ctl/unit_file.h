// SPDX-License-Identifier: MIT
// unit_file: systemd's unit files, read into a list of settings.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct unit_setting {
        const char *section, *key, *value; /* into the text of the file */
};

struct unit_file {
        char *text;
        struct unit_setting *list; /* in order */
        size_t n;
};

/* Reads a unit and the drop-ins behind it, as "systemctl cat" prints them. Lines that are no settings are passed over, as are values that
 * an empty one takes back. Returns 0 or -ENOMEM; unit_file_done() takes it. */
int unit_file_parse(const char *text, struct unit_file *ret);
/* Takes NULL and a zeroed one. */
void unit_file_done(struct unit_file *u);
/* The last value of a key, NULL: there is none. Borrowed. */
const char *unit_file_get(const struct unit_file *u, const char *section, const char *key);
/* How many values a key has. */
size_t unit_file_count(const struct unit_file *u, const char *section, const char *key);
/* Whether a boolean is on. */
bool unit_file_is(const struct unit_file *u, const char *section, const char *key);
