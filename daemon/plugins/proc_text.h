// SPDX-License-Identifier: MIT
// proc_text: numbers out of the texts of /proc and of cgroups. Pure; whatever the text, nothing is read beyond its end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROC_COMM_MAX 63 /* kernel threads have more than the 15 of others */

struct proc_stat {
        char comm[PROC_COMM_MAX + 1];
        char state;
        int64_t cpu_ticks; /* user and system, without children */
        int64_t threads, start_ticks, rss_pages;
};

/* Reads /proc/PID/stat. The name may hold blanks and brackets. -EBADMSG: it is none. */
int proc_parse_stat(const char *text, struct proc_stat *ret);

/* A number of at most 63 bits with blanks around it; a larger one becomes INT64_MAX. -EBADMSG: it is none. */
int proc_parse_number(const char *text, int64_t *ret);

/* The number of the line that begins with NAME and a colon or a blank. A "kB" behind it multiplies. -ENOENT: there is none. */
int proc_parse_field(const char *text, const char *name, int64_t *ret);

/* The sum of all " NAME=NUMBER" of the lines of io.stat; 0 where there is none. */
int64_t proc_sum_pairs(const char *text, const char *name);
