// SPDX-License-Identifier: MIT
// control_words_internal: what the files of control_words share.
#pragma once

#include "daemon/scheduler/control_words.h"

/* Appends to a text of at most `size` bytes. */
void words_append(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Adds a sentence; beyond WORDS_SENTENCES none. */
void words_say(struct words_answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A span without its small parts. Prints into buf, returns it. */
char *words_about(int64_t us, char buf[static 96]);
/* "exit status 3", "killed by SIGSEGV", "working-directory: No such file or directory", "success"; buf holds it where it is not static. */
const char *words_how_it_ended(const struct run_end *end, char buf[static 160]);
/* Why a slot did not run, as the end of a sentence; static. */
const char *words_of_reason(enum slot_reason reason);

/* Only= and Except= leave nothing of the schedule. */
bool words_is_never_open(const struct words_facts *f);
/* A slot, a trigger or an attempt waits for its conditions. */
bool words_awaits_condition(const struct words_facts *f);
/* When it was last to start a condition did not hold, and it has not started since. */
bool words_is_refused(const struct words_facts *f);
/* What became of slots, who holds the job, and when it goes on. */
void words_say_slots(const struct words_facts *f, const struct book_range *range, struct words_answer *answer);
void words_say_hold(const struct words_facts *f, struct words_answer *answer);
void words_say_next(const struct words_facts *f, struct words_answer *answer);
