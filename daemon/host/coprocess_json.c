// SPDX-License-Identifier: MIT
// coprocess_json: the line to a coprocess is written by hand: it is short, its numbers are exact and its texts may be no UTF-8. The line
// back is read by jansson, which bounds how deep it nests.

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/timestamp.h"
#include "config/utf8.h"
#include "daemon/core/util.h"
#include "daemon/host/coprocess.h"

static void put_text(struct pack *p, const char *text) {
        pack_raw(p, text, strlen(text));
}

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
static void put_string(struct pack *p, const char *text, size_t size) {
        size_t good = utf8_find_bad(text, size);

        pack_u8(p, '"');
        for (size_t i = 0; i < size; i++) {
                unsigned char c = (unsigned char)text[i];
                char escape[8];
                if (i == good) {
                        put_text(p, "\\ufffd");
                        good = i + 1 + utf8_find_bad(text + i + 1, size - i - 1);
                } else if (c == '"' || c == '\\' || c < ' ' || c == 0x7f) {
                        snprintf(escape, sizeof(escape), "\\u%04x", c);
                        put_text(p, escape);
                } else
                        pack_u8(p, c);
        }
        pack_u8(p, '"');
}

__attribute__((format(printf, 2, 3))) static void put_format(struct pack *p, const char *format, ...) {
        char text[128];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        put_text(p, text);
}

void coprocess_put_question(struct pack *p, const char *job, const struct tick_run *run) {
        const struct wire_start *start = &run->start;
        const char *parameters = run->parameters;
        char slot[40];

        put_text(p, "{\"job\":");
        put_string(p, job, strlen(job));
        put_format(p, ",\"run\":%" PRIu64 ",\"slot\":\"%s\"", start->run, timestamp_print_utc(start->slot_rt_us, slot));
        put_format(p, ",\"slot_usec\":%" PRId64 ",\"cause\":\"%s\"", start->slot_rt_us, run_cause_to_string(start->cause));
        put_format(p, ",\"attempt\":%u,\"missed\":%" PRIu64 ",\"parameters\":{", start->attempt, start->missed);
        for (size_t at = 0; at < run->parameters_size; at += strlen(parameters + at) + 1) {
                const char *name = parameters + at;
                size_t n = strcspn(name, "=");
                if (at > 0)
                        pack_u8(p, ',');
                put_string(p, name, n);
                pack_u8(p, ':');
                put_string(p, name + n + 1, strlen(name + n + 1));
        }
        put_text(p, "}}\n");
}

void coprocess_answer_done(struct coprocess_answer *answer) {
        free(answer->value);
        free(answer->message);
        *answer = (struct coprocess_answer){};
}

/* A copy of bytes, with a NUL behind. */
static char *copy(const char *data, size_t size) {
        char *text = malloc(size + 1);

        if (text) {
                memcpy(text, data, size);
                text[size] = '\0';
        }
        return text;
}

static bool read_status(const json_t *status, enum run_result *ret) {
        static const enum run_result results[] = {RUN_RESULT_SUCCESS, RUN_RESULT_SKIPPED, RUN_RESULT_FINISHED,
                                                  RUN_RESULT_FAILED};

        *ret = RUN_RESULT_SUCCESS;
        if (!status)
                return true;
        for (size_t i = 0; json_is_string(status) && i < ARRAY_SIZE(results); i++)
                if (strcmp(json_string_value(status), run_result_to_string(results[i])) == 0) {
                        *ret = results[i];
                        return true;
                }
        return false;
}

/* A string is the value as it is; of anything else its JSON is. */
static int read_value(const json_t *value, struct coprocess_answer *ret) {
        if (json_is_string(value)) {
                ret->value_size = json_string_length(value);
                ret->value = copy(json_string_value(value), ret->value_size);
        } else {
                ret->value = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
                ret->value_size = ret->value ? strlen(ret->value) : 0;
        }
        return ret->value ? 0 : -ENOMEM;
}

static int read_object(const json_t *object, struct coprocess_answer *ret, const char **ret_why) {
        const json_t *value = json_object_get(object, "value"), *message = json_object_get(object, "message");
        struct coprocess_answer answer = {};
        int r = 0;

        if (!read_status(json_object_get(object, "status"), &answer.result)) {
                *ret_why = "its answer has an unknown status";
                return 1;
        }
        if (message && !json_is_string(message)) {
                *ret_why = "the message of its answer is no text";
                return 1;
        }
        if (value && !json_is_null(value))
                r = read_value(value, &answer);
        if (r == 0 && message) {
                answer.message = copy(json_string_value(message), json_string_length(message));
                r = answer.message ? 0 : -ENOMEM;
        }
        if (r < 0) {
                coprocess_answer_done(&answer);
                return r;
        }
        *ret = answer;
        return 0;
}

/* Whether an object has keys of an answer, and no others. */
static bool is_answer(const json_t *object) {
        static const char *const keys[] = {"status", "value", "message"};
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                n += json_object_get(object, keys[i]) != NULL;
        return n > 0 && n == json_object_size(object);
}

int coprocess_read_answer(const char *line, size_t size, struct coprocess_answer *ret, const char **ret_why) {
        size_t blanks = 0;
        int r = 1;

        while (blanks < size && (line[blanks] == ' ' || line[blanks] == '\t'))
                blanks++;
        json_t *object = blanks < size && line[blanks] == '{'
                                 ? json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL)
                                 : NULL;
        bool is_object = object && is_answer(object);
        if (is_object)
                r = read_object(object, ret, ret_why);
        json_decref(object);
        if (is_object)
                return r;
        char *value = copy(line, size);
        if (!value)
                return -ENOMEM;
        *ret = (struct coprocess_answer){.result = RUN_RESULT_SUCCESS, .value = value, .value_size = size};
        return 0;
}
