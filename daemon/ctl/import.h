// SPDX-License-Identifier: MIT
// import: job files made from crontabs and from systemd's timers. Nothing here reads files or asks anybody.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/job.h"
#include "daemon/ctl/unit_file.h"

#define IMPORT_JOBS_MAX 10000
#define IMPORT_TEXT_MAX (1024 * 1024) /* bytes of a crontab or unit */

/* One job of the result: its text is from begin, with the comments before it, to where the next one begins. */
struct import_job {
        char name[JOB_NAME_MAX + 1];
        size_t begin;
};

/* What has been made so far. import_begin() and import_done() are its ends. */
struct import {
        FILE *out;
        char *text; /* set by import_finish() */
        size_t size;
        struct import_job *jobs;
        size_t n;
        size_t end;    /* where the latest job ended */
        size_t n_lost; /* what could not be carried over and changes when, what or as whom something runs */
        bool has_failed;
};

/* 0, -ENOMEM. */
int import_begin(struct import *i);
/* The text is whole. 0, -ENOMEM, -E2BIG (more than IMPORT_JOBS_MAX jobs). */
int import_finish(struct import *i);
/* Takes a zeroed one. */
void import_done(struct import *i);

/* Whether a text is UTF-8 without control characters but tabs and line ends. */
bool import_is_clean(const char *text);
/* A comment; what is not for a terminal or a job file in it becomes ".". */
void import_comment(struct import *i, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of something that is lost. */
void import_lose(struct import *i, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An empty line, if there is none. */
void import_gap(struct import *i);
/* The header of a job, whose name is made from this one: valid, and unlike all others. */
void import_section(struct import *i, const char *name);
/* The job is whole: what comes is the next one's. */
void import_end(struct import *i);
/* A setting; further lines of the value continue it. The value is fit for a job file, see import_is_clean(). */
void import_key(struct import *i, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A setting of words: single blanks between them. */
void import_words(struct import *i, const char *key, const char *value);
/* "Environment=" with one variable, quoted. */
void import_variable(struct import *i, const char *name, const char *value);

/* A name for what a command line runs: its program without folder and ending, behind shells, tests and helpers such as nice. Given
 * to the caller; NULL without memory. */
char *import_command_name(const char *command);
/* Whether a command is only words, so that it needs no shell. */
bool import_command_is_plain(const char *command);

struct import_crontab {
        const char *origin; /* of the text, for a comment */
        const char *user;   /* whose it is; NULL: not known, or the lines say it */
        bool has_users;     /* each line has a user */
};

enum import_users {
        IMPORT_USERS_NONE,
        IMPORT_USERS_ALL,
        IMPORT_USERS_UNSURE, /* some lines name an account, and the others nothing that could be run */
};

/* Whether the lines of a crontab have users: a comment names the column, or each line has the name of an account there that is no
 * program's. */
enum import_users import_crontab_find_users(const char *text, bool (*is_account)(const char *name),
                                            bool (*is_program)(const char *name));
/* Adds the jobs of a crontab, which is read as cron reads it. */
void import_crontab(struct import *i, const char *text, const struct import_crontab *how);

/* Adds the job of a timer of this name; service: what it starts, NULL: not known. */
void import_timer(struct import *i, const char *name, const struct unit_file *timer, const struct unit_file *service);
/* The unit that a timer starts, given to the caller; NULL without memory. */
char *import_timer_starts(const char *name, const struct unit_file *timer);
