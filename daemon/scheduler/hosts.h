// SPDX-License-Identifier: MIT
// hosts: runs of plugins and coprocesses. Their work is done in host processes, which the runner starts; each run of such a job is a tick,
// which goes to its host directly, over a socket of its own. All that a host says is taken as hostile.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/clock.h"
#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/core/wire.h"

#define HOSTS_QUEUE_LIMIT  (4 * 1024 * 1024) /* bytes that wait for a host that does not read */
#define HOSTS_SYNC_US      (2 * USEC_PER_SEC) /* for what a host of before knows is waited so long; what it says later is too late */
#define HOSTS_BUSY_US      (200 * USEC_PER_MSEC) /* for one that says that a plugin's code is being executed, only so long */
#define HOSTS_LOOK_US      (20 * USEC_PER_MSEC)  /* time limits of ticks are looked at so often at most */
#define HOSTS_BACKOFF_US   (1 * USEC_PER_SEC)    /* between the second death in a row and the next start, doubled each time */
#define HOSTS_BACKOFF_MAX  (60 * USEC_PER_SEC)
#define HOSTS_GOOD_LIFE_US (10 * USEC_PER_SEC) /* a host that lived so long begins anew with that */
#define HOSTS_QUIT_US      (10 * USEC_PER_SEC) /* a host that has nothing more to do leaves in so long, or is killed */
#define HOSTS_LATE_US                                                                                                          \
        (60 * USEC_PER_SEC)                /* a host of before is killed that has still not said what it knows; and one that was
                                                   * killed and whose end is not told is given up */
#define HOSTS_CLOSED_US (1 * USEC_PER_SEC) /* a host that has closed its end and is not dead is killed */
#define HOSTS_TELL_US   (60 * USEC_PER_SEC) /* deaths of one host are told so often at most */
#define HOSTS_PACED_MAX 16                  /* hosts that are looked at in turn */
#define HOSTS_SENDS_MAX 3                   /* a tick that was not begun is given to so many hosts, one after the other */

struct hosts;

/* What hosts ask for and tell; each is called from within calls of this module or by the loop. Results as of the function that
 * called: 0, or a negative error that the loop ends with. */
struct hosts_shell {
        /* Something has come from a host: what time it is for all that it says. */
        int (*read_clock)(void *userdata, struct clock_sample *ret);
        /* To the runner: start a host, tell it of a definition, kill it. -ENOBUFS: there is no room. */
        int (*start)(void *userdata, const struct wire_start *start);
        int (*load)(void *userdata, const struct wire_host_load *load);
        int (*kill)(void *userdata, uint64_t run);
        /* A number for a host's run. */
        uint64_t (*take_run)(void *userdata);
        /* A tick of an earlier scheduler; before anything else is told of it. */
        int (*on_known)(void *userdata, struct clock_sample now, const struct wire_run *run);
        /* A tick is under way for longer; and has ended, with its value. */
        int (*on_begun)(void *userdata, struct clock_sample now, const struct wire_started *started);
        int (*on_ended)(void *userdata, struct clock_sample now, const struct wire_ended *ended, const void *value,
                        size_t value_size);
        /* All hosts of before have said what they know, or were given up. */
        int (*on_synced)(void *userdata);
};

/* loop and journal are borrowed, the shell is copied. 0, -ENOMEM. */
int hosts_new(struct loop *loop, struct journal *journal, const struct hosts_shell *shell, void *userdata, struct hosts **ret);
/* Hosts live on. Takes NULL, returns NULL. */
struct hosts *hosts_free(struct hosts *hosts);

/* For hosts of before: the scheduler's number, and what ticks are sealed with, which is the same for all schedulers of a runner. */
void hosts_set_epoch(struct hosts *hosts, uint64_t epoch, const uint8_t secret[static 16]);
/* A definition, hosted or not: takes the place of what was known under its name with the commit. 0, -ENOMEM. */
int hosts_define(struct hosts *hosts, const struct wire_define *define);
int hosts_remove(struct hosts *hosts, const char *name);
void hosts_commit(struct hosts *hosts);
/* The job is not to be done for now: what its host has of it is forgotten, behind its tick. */
void hosts_unload(struct hosts *hosts, const char *name);

/* Whether runs of this definition are ticks. */
bool hosts_has(const struct hosts *hosts, const struct hash128 *definition);
/* Begins one; job is a small number that no other job has at the time. It has ended before this returns where it could not be kept. 0 or the
 * shell's error; 1: runs of this definition are no ticks. */
int hosts_tick(struct hosts *hosts, struct clock_sample now, uint32_t job, const struct wire_start *start);
/* Ends one: it is told by on_ended. 1: no tick has this number. */
int hosts_cancel(struct hosts *hosts, struct clock_sample now, uint64_t run);

/* ---- what the runner says ---- */

/* Whether the number is that of a host's run. */
bool hosts_owns(const struct hosts *hosts, uint64_t run);
/* A host of before. 0, -ENOMEM. */
int hosts_on_run(struct hosts *hosts, const struct wire_run *run);
/* A host's descriptors: of ticks, and its page; both are taken. 0, or a negative error. */
int hosts_on_descriptors(struct hosts *hosts, struct clock_sample now, uint64_t run, const struct hash128 *host_hash,
                         int ticks_fd, int page_fd);
/* It could not be told of a definition. */
int hosts_on_unloaded(struct hosts *hosts, struct clock_sample now, const struct wire_host_unloaded *unloaded);
/* It is dead. 0, or the shell's error. */
int hosts_on_ended(struct hosts *hosts, struct clock_sample now, const struct wire_ended *ended);
/* All that the runner knows was told. True if all hosts have said what they know; else on_synced will be called. */
bool hosts_sync(struct hosts *hosts, struct clock_sample now);

/* The jobs whose hosts have: their names, one after the other; *cursor begins at 0. NULL at the end. */
const char *hosts_walk_known(const struct hosts *hosts, size_t *cursor);

/* ---- time, and what is durable ---- */

/* What is due: time limits, starts. 0 or the shell's error. */
int hosts_advance(struct hosts *hosts, struct clock_sample now);
/* Where ticks are many it costs less to look what hosts have answered at set times than to be woken by each answer: from now on
 * hosts_take() is called so often, or no more. With more hosts than HOSTS_PACED_MAX nothing changes. */
void hosts_pace(struct hosts *hosts, bool is_paced);
/* Handles what hosts that are paced have said. 0 or the shell's error. */
int hosts_take(struct hosts *hosts);
/* How many ticks were sent so far, and whether one is in flight. */
uint64_t hosts_sent(const struct hosts *hosts);
bool hosts_is_busy(const struct hosts *hosts);
/* When hosts_advance() wants to be called (BOOTTIME), INT64_MAX for never. */
int64_t hosts_next_wake(const struct hosts *hosts);
/* Sends what was batched. */
int hosts_flush(struct hosts *hosts);
/* All ends told so far are of an era of the vault; those up to one are durable. */
void hosts_mark(struct hosts *hosts, uint64_t era);
void hosts_acknowledge(struct hosts *hosts, uint64_t kept_era);
/* Nothing more is started: hosts leave when their ticks have ended. */
void hosts_quit(struct hosts *hosts);

/* Why ticks of a job wait for their host, in a sentence; "" where they do not. */
void hosts_explain(const struct hosts *hosts, struct clock_sample now, const char *job, char *text, size_t size);
