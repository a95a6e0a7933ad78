// SPDX-License-Identifier: MIT
// reply: what chimed answers, read without trust.

#include "daemon/ctl/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/text.h"

#define DEPTH_MAX 8 /* no reply of the interface is deeper */

const char *reply_text(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

const char *reply_text_or(const json_t *object, const char *name, const char *otherwise) {
        const char *text = reply_text(object, name);

        return text ? text : otherwise;
}

int64_t reply_int(const json_t *object, const char *name, int64_t otherwise) {
        const json_t *value = json_object_get(object, name);

        return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool reply_bool(const json_t *object, const char *name) {
        return json_is_true(json_object_get(object, name));
}

json_t *reply_object(const json_t *object, const char *name) {
        json_t *value = json_object_get(object, name);

        return json_is_object(value) ? value : NULL;
}

int reply_sort(json_t *array, int (*compare)(const void *a, const void *b)) {
        size_t n = json_array_size(array), i;
        json_t *member, **list = calloc(n + 1, sizeof(*list));

        if (!list)
                return -ENOMEM;
        json_array_foreach(array, i, member) {
                list[i] = json_incref(member);
        }
        qsort(list, n, sizeof(*list), compare);
        for (i = 0; i < n; i++)
                json_array_set_new(array, i, list[i]); /* takes it */
        free(list);
        return 0;
}

static int clean_text(json_t *value, const char *name, bool is_output_raw) {
        bool is_output = strcmp(name, "text") == 0 || strcmp(name, "value") == 0;

        if (is_output && is_output_raw)
                return 0;
        _cleanup_free_ char *copy = strdup(json_string_value(value));
        if (!copy)
                return -ENOMEM;
        text_clean(copy, is_output);
        return json_string_set_nocheck(value, copy) < 0 ? -ENOMEM : 0;
}

static int clean(json_t *value, const char *name, bool is_output_raw, int depth) {
        const char *key;
        json_t *member;
        size_t i;
        int r = 0;

        if (depth > DEPTH_MAX)
                return -EBADMSG;
        if (json_is_string(value))
                return clean_text(value, name, is_output_raw);
        json_object_foreach(value, key, member) {
                if (r == 0)
                        r = clean(member, key, is_output_raw, depth + 1);
        }
        json_array_foreach(value, i, member) {
                if (r == 0)
                        r = clean(member, name, is_output_raw, depth + 1);
        }
        return r;
}

int reply_clean(json_t *value, bool is_output_raw) {
        return clean(value, "", is_output_raw, 0);
}
