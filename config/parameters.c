// SPDX-License-Identifier: MIT
// parameters: the one form of a set, and its check, which the runner does as root on what another process wrote.

#include "config/parameters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/utf8.h"

bool parameter_name_is_valid(const char *name, size_t size) {
        if (size == 0 || size > PARAMETER_NAME_MAX || (name[0] >= '0' && name[0] <= '9'))
                return false;
        for (size_t i = 0; i < size; i++) {
                bool is_letter = (name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= 'a' && name[i] <= 'z');
                if (!is_letter && name[i] != '_' && !(name[i] >= '0' && name[i] <= '9'))
                        return false;
        }
        return true;
}

bool parameters_next(const void *data, size_t size, size_t *at, struct parameter *ret) {
        if (*at >= size)
                return false;
        const char *text = (const char *)data + *at;
        ret->name = text;
        ret->name_size = strcspn(text, "=");
        ret->value = text + ret->name_size + 1;
        *at += strlen(text) + 1;
        return true;
}

/* By their names; of one that begins another the shorter is first. */
static int compare(const char *a, const char *b) {
        size_t a_size = strcspn(a, "="), b_size = strcspn(b, "=");
        int r = memcmp(a, b, a_size < b_size ? a_size : b_size);

        return r != 0 ? r : (a_size > b_size) - (a_size < b_size);
}

/* 0, -EINVAL or -EILSEQ. */
static int check_text(const char *text) {
        size_t name_size = strcspn(text, "="), size = strlen(text);

        if (!text[name_size] || !parameter_name_is_valid(text, name_size))
                return -EINVAL;
        return utf8_find_bad(text, size) == size ? 0 : -EILSEQ;
}

bool parameters_are_valid(const void *data, size_t size) {
        const char *text = data, *previous = NULL;
        size_t n = 0;

        if (size == 0) /* of which there may be no place */
                return true;
        if (size > PARAMETERS_MAX || text[size - 1])
                return false;
        for (const char *end = text + size; text < end; previous = text, text += strlen(text) + 1)
                if (++n > PARAMETERS_N_MAX || check_text(text) < 0 || (previous && compare(previous, text) >= 0))
                        return false;
        return true;
}

bool parameter_is_accepted(const struct parameter *parameter, char *const *accepted) {
        for (; accepted && *accepted; accepted++)
                if (strlen(*accepted) == parameter->name_size && memcmp(*accepted, parameter->name, parameter->name_size) == 0)
                        return true;
        return false;
}

static int compare_items(const void *a, const void *b) {
        return compare(*(const char *const *)a, *(const char *const *)b);
}

int parameters_make(const char *const *texts, size_t n, char **ret, size_t *ret_size, size_t *ret_bad) {
        const char *sorted[PARAMETERS_N_MAX];
        size_t size = 0, at = 0, i = 0;
        int r = n > PARAMETERS_N_MAX ? -E2BIG : 0;

        for (; r == 0 && i < n; i++) {
                r = check_text(texts[i]);
                for (size_t k = 0; r == 0 && k < i; k++)
                        r = compare(texts[k], texts[i]) == 0 ? -EEXIST : 0;
                size += strlen(texts[i]) + 1;
                if (r == 0 && size > PARAMETERS_MAX)
                        r = -E2BIG;
                sorted[i] = texts[i];
        }
        if (r < 0) {
                if (ret_bad)
                        *ret_bad = i > 0 ? i - 1 : 0;
                return r;
        }
        char *set = size > 0 ? malloc(size) : NULL;
        if (size > 0 && !set)
                return -ENOMEM;
        qsort(sorted, n, sizeof(*sorted), compare_items);
        for (i = 0; i < n; at += strlen(sorted[i++]) + 1)
                memcpy(set + at, sorted[i], strlen(sorted[i]) + 1);
        *ret = set;
        *ret_size = size;
        return 0;
}
