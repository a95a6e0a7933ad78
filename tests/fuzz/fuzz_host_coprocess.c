// SPDX-License-Identifier: MIT
// Whatever a coprocess answers and a plugin says of itself, it is read or refused; and a value's parameters make one line of JSON.

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/plugin_option.h"
#include "daemon/host/coprocess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const uint8_t *data, size_t size) {
        struct tick_run run = {.handle = 1, .start = {.run = 1, .attempt = 1}};
        struct pack record = {}, line = {};

        run.parameters = data;
        run.parameters_size = size;
        tick_put_run(&record, &run);
        if (tick_get_run(record.data, record.size, &run) == 0) {
                coprocess_put_question(&line, "job", &run);
                json_t *json = json_loadb((const char *)line.data, line.size, JSON_ALLOW_NUL, NULL);
                if (!json || memchr(line.data, '\n', line.size) != line.data + line.size - 1)
                        abort();
                json_decref(json);
        }
        pack_done(&record);
        pack_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct plugin_description description;
        struct coprocess_answer answer = {};
        const char *why = NULL;
        char *text = NULL;

        if (size > COPROCESS_LINE_MAX)
                return 0;
        if (coprocess_read_answer((const char *)data, size, &answer, &why) == 1 && !why)
                abort();
        coprocess_answer_done(&answer);
        ask(data, size);
        if (plugin_description_parse((const char *)data, size, &description) == 0) {
                struct plugin_description again;
                if (plugin_description_print(&description, &text) < 0 ||
                    plugin_description_parse(text, strlen(text), &again) < 0)
                        abort();
                plugin_description_done(&again);
                plugin_description_done(&description);
                free(text);
        }
        return 0;
}
