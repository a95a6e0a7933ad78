// SPDX-License-Identifier: MIT
// http: the small parts of an HTTP check: which statuses are right, a text in a body that comes in pieces, a file of headers. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/plugins/text.h"

#define HTTP_RANGES_MAX 16
#define HTTP_FIND_MAX   1024

struct http_statuses {
        struct {
                int first, last;
        } ranges[HTTP_RANGES_MAX];
        size_t n;
};

/* Reads "200-299 304": up to HTTP_RANGES_MAX numbers 100 to 599 and ranges. -EINVAL. */
int http_parse_statuses(const char *text, struct http_statuses *ret);
bool http_has_status(const struct http_statuses *statuses, long status);

/* Looks for a text in pieces of any size. */
struct http_find {
        const char *text; /* borrowed; at most HTTP_FIND_MAX bytes */
        char tail[HTTP_FIND_MAX];
        size_t n_tail;
        bool is_found;
};
void http_find(struct http_find *find, const char *piece, size_t size);

/*
 * The next line of a file of headers ("Name: value"), moving *from behind it and closing it with a NUL; lines that are empty or
 * begin with # are passed over. NULL: no more. What has no name, or a control character, sets *ret_is_bad.
 */
char *http_next_header(char **from, bool *ret_is_bad);
