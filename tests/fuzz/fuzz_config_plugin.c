// SPDX-License-Identifier: MIT
// Fuzzes what a plugin says of itself, behind a first line that is given to each option as its value: what is read can be printed and
// reads back as the same, and a value is in its range.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/plugin_option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give(const struct plugin_option *option, const char *text) {
        char why[160] = "";
        int64_t value;

        if (plugin_option_parse(option, text, &value, why) < 0) {
                if (!why[0] || strlen(why) >= sizeof(why))
                        abort();
        } else if ((option->min != 0 || option->max != 0) && option->type != PLUGIN_OPTION_BOOL &&
                   option->type != PLUGIN_OPTION_CHOICE && (value < option->min || value > option->max))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t n = end ? (size_t)(end - data) : size, rest = end ? size - n - 1 : 0;
        struct plugin_description d = {}, back = {};
        char *value = malloc(n + 1), *text = NULL, *again = NULL;

        memcpy(value, data, n);
        value[n] = 0;
        if (plugin_description_parse(end ? (const char *)end + 1 : "", rest, &d) == 0) {
                for (size_t i = 0; i < d.n_options; i++)
                        give(&d.options[i], value);
                if (plugin_description_print(&d, &text) < 0)
                        abort();
                if (strlen(text) <= PLUGIN_DESCRIPTION_MAX && /* as what is read, but for \r and the like that become blanks */
                    (plugin_description_parse(text, strlen(text), &back) < 0 || plugin_description_print(&back, &again) < 0 ||
                     strcmp(text, again) != 0))
                        abort();
        }
        plugin_description_done(&d);
        plugin_description_done(&back);
        free(again);
        free(text);
        free(value);
        return 0;
}
