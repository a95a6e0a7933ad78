// SPDX-License-Identifier: MIT
// proc_text: numbers out of the texts of /proc and of cgroups. Pure; whatever the text, nothing is read beyond its end.

#include "daemon/plugins/proc_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Digits at *s; moves *s behind them. */
static int read_number(const char **s, int64_t *ret) {
        int64_t n = 0;

        if (**s < '0' || **s > '9')
                return -EBADMSG;
        for (; **s >= '0' && **s <= '9'; (*s)++)
                if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **s - '0', &n))
                        n = INT64_MAX;
        *ret = n;
        return 0;
}

static const char *skip_blanks(const char *s) {
        return s + strspn(s, " \t");
}

static int64_t add_up(int64_t a, int64_t b) {
        int64_t sum;

        return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* Fields of stat behind the name, counted as in proc(5). */
enum stat_field { STAT_STATE = 3, STAT_UTIME = 14, STAT_STIME = 15, STAT_THREADS = 20, STAT_START = 22, STAT_RSS = 24 };

int proc_parse_stat(const char *text, struct proc_stat *ret) {
        const char *open = strchr(text, '('), *close = strrchr(text, ')');
        struct proc_stat stat = {};
        int64_t fields[STAT_RSS + 1] = {};

        if (!open || !close || close < open)
                return -EBADMSG;
        snprintf(stat.comm, sizeof(stat.comm), "%.*s", (int)(close - open - 1), open + 1);
        const char *s = skip_blanks(close + 1);
        stat.state = *s;
        if (stat.state < 'A' || stat.state > 'z')
                return -EBADMSG;
        s++;
        for (int i = STAT_STATE + 1; i <= STAT_RSS; i++) {
                s = skip_blanks(s);
                if (*s == '-') /* a priority; a negative count is none */
                        s++;
                if (read_number(&s, &fields[i]) < 0)
                        return -EBADMSG;
        }
        stat.cpu_ticks = add_up(fields[STAT_UTIME], fields[STAT_STIME]);
        stat.threads = fields[STAT_THREADS];
        stat.start_ticks = fields[STAT_START];
        stat.rss_pages = fields[STAT_RSS];
        *ret = stat;
        return 0;
}

int proc_parse_number(const char *text, int64_t *ret) {
        const char *s = text + strspn(text, " \t\n");
        int64_t n;
        int r = read_number(&s, &n);

        if (r < 0 || s[strspn(s, " \t\n")] != '\0')
                return -EBADMSG;
        *ret = n;
        return 0;
}

int proc_parse_field(const char *text, const char *name, int64_t *ret) {
        size_t length = strlen(name);
        int64_t n;

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, name, length) != 0 || (line[length] != ':' && line[length] != ' '))
                        continue;
                const char *s = skip_blanks(line + length + 1);
                if (read_number(&s, &n) < 0)
                        return -ENOENT;
                if (strncmp(skip_blanks(s), "kB", 2) == 0 && __builtin_mul_overflow(n, 1024, &n))
                        n = INT64_MAX;
                *ret = n;
                return 0;
        }
        return -ENOENT;
}

int64_t proc_sum_pairs(const char *text, const char *name) {
        size_t length = strlen(name);
        int64_t sum = 0, n;

        for (const char *s = strchr(text, ' '); s; s = strchr(s, ' ')) {
                s++;
                if (strncmp(s, name, length) != 0 || s[length] != '=')
                        continue;
                s += length + 1;
                if (read_number(&s, &n) == 0)
                        sum = add_up(sum, n);
        }
        return sum;
}
