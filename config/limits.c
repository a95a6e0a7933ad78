// SPDX-License-Identifier: MIT
// limits: resource limits of a job's processes, one row a key.
// The soft limits of jobs that say nothing are those that the kernel gives its first process: programs are written for them.

#include "config/limits.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config/duration.h"
#include "config/size.h"

#define NICE_LOWEST  (-20)
#define NICE_HIGHEST 19
#define NICE_BASE    20 /* the limit of nice level N is 20 - N */

_Static_assert(RLIM_NLIMITS <= LIMITS_MAX, "a limit has no room");

static const struct limit_row rows[] = {
        {"LimitCPU", RLIMIT_CPU, LIMIT_SECONDS, LIMIT_INFINITY},
        {"LimitFSIZE", RLIMIT_FSIZE, LIMIT_BYTES, LIMIT_INFINITY},
        {"LimitDATA", RLIMIT_DATA, LIMIT_BYTES, LIMIT_INFINITY},
        {"LimitSTACK", RLIMIT_STACK, LIMIT_BYTES, UINT64_C(8) << 20},
        {"LimitCORE", RLIMIT_CORE, LIMIT_BYTES, 0},
        {"LimitRSS", RLIMIT_RSS, LIMIT_BYTES, LIMIT_INFINITY},
        {"LimitNOFILE", RLIMIT_NOFILE, LIMIT_NUMBER, 1024},
        {"LimitAS", RLIMIT_AS, LIMIT_BYTES, LIMIT_INFINITY},
        {"LimitNPROC", RLIMIT_NPROC, LIMIT_NUMBER, LIMIT_INFINITY},
        {"LimitMEMLOCK", RLIMIT_MEMLOCK, LIMIT_BYTES, UINT64_C(8) << 20},
        {"LimitLOCKS", RLIMIT_LOCKS, LIMIT_NUMBER, LIMIT_INFINITY},
        {"LimitSIGPENDING", RLIMIT_SIGPENDING, LIMIT_NUMBER, LIMIT_INFINITY},
        {"LimitMSGQUEUE", RLIMIT_MSGQUEUE, LIMIT_BYTES, 819200},
        {"LimitNICE", RLIMIT_NICE, LIMIT_NICE, 0},
        {"LimitRTPRIO", RLIMIT_RTPRIO, LIMIT_NUMBER, 0},
        {"LimitRTTIME", RLIMIT_RTTIME, LIMIT_MICROSECONDS, LIMIT_INFINITY},
};

const struct limit_row *limit_rows(size_t *ret_n) {
        *ret_n = sizeof(rows) / sizeof(rows[0]);
        return rows;
}

const struct limit_row *limit_find(const char *key) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (strcmp(rows[i].key, key) == 0)
                        return &rows[i];
        return NULL;
}

static bool is_number(const char *text) {
        return *text && text[strspn(text, "0123456789")] == 0;
}

static int parse_number(const char *text, uint64_t *ret) {
        return is_number(text) ? size_parse(text, INT64_MAX, ret) : -EINVAL;
}

/* A level with its sign, or the limit itself. */
static int parse_nice(const char *text, uint64_t *ret) {
        bool is_level = *text == '+' || *text == '-';
        uint64_t n;

        if (parse_number(text + is_level, &n) < 0 || n > NICE_BASE - NICE_LOWEST)
                return -EINVAL;
        int level = *text == '-' ? -(int)n : (int)n;
        if (is_level && (level < NICE_LOWEST || level > NICE_HIGHEST))
                return -EINVAL;
        *ret = is_level ? (uint64_t)(NICE_BASE - level) : n;
        return 0;
}

/* A span, rounded up to whole units. */
static int parse_span(const char *text, int64_t unit_us, uint64_t *ret) {
        int64_t us;

        if (is_number(text))
                return parse_number(text, ret);
        if (duration_parse(text, &us, NULL) < 0)
                return -EINVAL;
        *ret = (uint64_t)(us / unit_us + (us % unit_us != 0));
        return 0;
}

static int parse_value(enum limit_unit unit, const char *text, uint64_t *ret) {
        if (strcmp(text, "infinity") == 0) {
                *ret = LIMIT_INFINITY;
                return 0;
        }
        switch (unit) {
        case LIMIT_SECONDS:
                return parse_span(text, USEC_PER_SEC, ret);
        case LIMIT_MICROSECONDS:
                return parse_span(text, 1, ret);
        case LIMIT_BYTES:
                return size_parse(text, INT64_MAX, ret);
        case LIMIT_NUMBER:
                return parse_number(text, ret);
        case LIMIT_NICE:
                return parse_nice(text, ret);
        }
        return -EINVAL;
}

static const char *what_is_right(enum limit_unit unit) {
        switch (unit) {
        case LIMIT_SECONDS:
                return "write seconds, a span such as 10min, or infinity";
        case LIMIT_MICROSECONDS:
                return "write microseconds, a span such as 500ms, or infinity";
        case LIMIT_BYTES:
                return "write bytes, a size such as 512M, or infinity";
        case LIMIT_NUMBER:
                return "write a number or infinity";
        case LIMIT_NICE:
                return "write a nice level with its sign, +10 or -5, or 0 to 40";
        }
        return "";
}

int limit_parse(const struct limit_row *row, const char *text, struct limit *ret, const char **ret_why, size_t *ret_at) {
        const char *colon = strchr(text, ':'), *hard = colon ? colon + 1 : text;
        char soft[64];
        struct limit limit;

        *ret_at = 0;
        *ret_why = what_is_right(row->unit);
        size_t size = colon ? (size_t)(colon - text) : strlen(text);
        if (size >= sizeof(soft))
                return -EINVAL;
        snprintf(soft, sizeof(soft), "%.*s", (int)size, text);
        if (parse_value(row->unit, soft, &limit.soft) < 0)
                return -EINVAL;
        *ret_at = (size_t)(hard - text);
        if (parse_value(row->unit, hard, &limit.hard) < 0)
                return -EINVAL;
        if (limit.soft > limit.hard) {
                *ret_why = "the soft limit, before the colon, is above the hard one";
                return -EINVAL;
        }
        *ret = limit;
        return 0;
}
