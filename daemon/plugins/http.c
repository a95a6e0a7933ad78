// SPDX-License-Identifier: MIT
// http: the small parts of an HTTP check: which statuses are right, a text in a body that comes in pieces, a file of headers. Pure.

#include "daemon/plugins/http.h"

#include <errno.h>
#include <string.h>

#define STATUS_MIN 100
#define STATUS_MAX 599

/* Three digits at *s; moves behind them. -1: none. */
static int read_status(const char **s) {
        int n = 0;

        for (int i = 0; i < 3; i++, (*s)++) {
                if (**s < '0' || **s > '9')
                        return -1;
                n = n * 10 + **s - '0';
        }
        return n >= STATUS_MIN && n <= STATUS_MAX ? n : -1;
}

int http_parse_statuses(const char *text, struct http_statuses *ret) {
        struct http_statuses statuses = {};

        for (const char *s = text + strspn(text, " ,"); *s; s += strspn(s, " ,")) {
                if (statuses.n == HTTP_RANGES_MAX)
                        return -EINVAL;
                int first = read_status(&s), last = first;
                if (*s == '-') {
                        s++;
                        last = read_status(&s);
                }
                if (first < 0 || last < first || (*s && !strchr(" ,", *s)))
                        return -EINVAL;
                statuses.ranges[statuses.n].first = first;
                statuses.ranges[statuses.n++].last = last;
        }
        if (statuses.n == 0)
                return -EINVAL;
        *ret = statuses;
        return 0;
}

bool http_has_status(const struct http_statuses *statuses, long status) {
        for (size_t i = 0; i < statuses->n; i++)
                if (status >= statuses->ranges[i].first && status <= statuses->ranges[i].last)
                        return true;
        return false;
}

void http_find(struct http_find *find, const char *piece, size_t size) {
        size_t length = strlen(find->text), n_kept = length ? length - 1 : 0;
        char seam[2 * HTTP_FIND_MAX];

        if (find->is_found || size == 0)
                return;
        /* what began in an earlier piece ends within the first length - 1 bytes of this one */
        size_t n = size < n_kept ? size : n_kept;
        memcpy(seam, find->tail, find->n_tail);
        memcpy(seam + find->n_tail, piece, n);
        find->is_found = memmem(seam, find->n_tail + n, find->text, length) || memmem(piece, size, find->text, length);
        if (size >= n_kept) {
                memcpy(find->tail, piece + size - n_kept, n_kept);
                find->n_tail = n_kept;
        } else {
                size_t total = find->n_tail + n, keep = total < n_kept ? total : n_kept;
                memcpy(find->tail, seam + total - keep, keep);
                find->n_tail = keep;
        }
}

char *http_next_header(char **from, bool *ret_is_bad) {
        while (**from) {
                char *line = *from, *end = line + strcspn(line, "\n");
                *from = *end ? end + 1 : end;
                if (end > line && end[-1] == '\r')
                        end--;
                *end = '\0';
                if (*line == '\0' || *line == '#')
                        continue;
                size_t name = strcspn(line, ": \t");
                bool is_bad = name == 0 || line[name] != ':';
                for (const char *s = line; *s; s++)
                        is_bad |= ((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f;
                *ret_is_bad = is_bad;
                return line;
        }
        return NULL;
}
