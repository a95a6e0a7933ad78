// SPDX-License-Identifier: MIT
// exit_status: what a program's exit status, or the signal that ended it, stands for: sets of them, by class, and their names.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/pack.h"

/* How a process has ended: it exited with 0..255, or the signal 1..64 ended it. */
struct exit_status {
        bool is_signal;
        int number;
};

enum exit_class {
        EXIT_CLASS_NONE, /* of none of the sets */
        EXIT_CLASS_SUCCESS,
        EXIT_CLASS_SKIP,   /* there was nothing to do */
        EXIT_CLASS_FINISH, /* the job is done for good */
        EXIT_CLASS_MAX
};

/* Which status is of which class; zeroed, none is. Plain data. */
struct exit_classes {
        struct {
                uint64_t statuses[4]; /* bit N % 64 of word N / 64 */
                uint64_t signals;     /* bit N - 1 */
        } of[EXIT_CLASS_MAX];
};

/* A signal by its name, with or without "SIG", in any case, also RTMIN+N. 0: there is none of that name. */
int exit_status_find_signal(const char *name);
/* Reads 0..255, the name of a signal, or one of systemd.exec(5) for an exit status ("TEMPFAIL"). False: it is none of them. */
bool exit_status_read(const char *text, struct exit_status *ret);

/* The class of a status. */
enum exit_class exit_classes_find(const struct exit_classes *classes, const struct exit_status *status);
/* Puts a status, which may be of this class already but of no other one, into a class. */
void exit_classes_add(struct exit_classes *classes, enum exit_class which, const struct exit_status *status);

void exit_classes_pack(const struct exit_classes *classes, struct pack *p);
/* A status in two classes makes the reader bad. */
void exit_classes_unpack(struct unpack *u, struct exit_classes *ret);
