// SPDX-License-Identifier: MIT
// loop: the only place that waits upon the kernel: descriptors, two clocks' timers, signals, children.
// Level-triggered epoll; a callback may add and free any source, also its own.
#pragma once

#include <signal.h>
#include <sys/signalfd.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_source;

/* Called with the epoll events that are ready. Returns 0 to go on or a negative error, which ends loop_run() with it. */
typedef int (*loop_io_fn)(void *userdata, uint32_t events);
/* Called when the timer's instant has come (is_clock_change: or the wall clock was set or the machine resumed, also before it). */
typedef int (*loop_timer_fn)(void *userdata, bool is_clock_change);
/* Called once for each signal that arrived. */
typedef int (*loop_signal_fn)(void *userdata, const struct signalfd_siginfo *info);

enum loop_clock {
        LOOP_CLOCK_BOOT, /* CLOCK_BOOTTIME */
        LOOP_CLOCK_REAL, /* CLOCK_REALTIME with cancel-on-set */
};

#define LOOP_NEVER INT64_MAX

/* A new loop. Returns 0, or a negative errno (EMFILE, ENOMEM). */
int loop_new(struct loop **ret);
/* Frees the loop and every source that is left, without closing their descriptors. Takes NULL, returns NULL. */
struct loop *loop_free(struct loop *loop);

/* Watches fd (borrowed: the caller closes it, after loop_source_free()) for EPOLLIN/EPOLLOUT. */
int loop_add_io(struct loop *loop, int fd, uint32_t events, loop_io_fn fn, void *userdata, struct loop_source **ret);
/* Changes what is watched for; 0 waits for hang-up only. */
int loop_set_events(struct loop_source *source, uint32_t events);
/* A disarmed timer with a timerfd of its own. */
int loop_add_timer(struct loop *loop, enum loop_clock clock, loop_timer_fn fn, void *userdata, struct loop_source **ret);
/* Arms it for an absolute instant in microseconds of its clock (a passed one is due at once), or LOOP_NEVER.
 * A real-time timer hears clock changes also when armed with LOOP_NEVER. One shot: due once per arming. */
int loop_arm_timer(struct loop_source *timer, int64_t at_us);
/* Blocks the set for the calling thread and delivers it here instead. The mask stays blocked after the source is freed. */
int loop_add_signals(struct loop *loop, const sigset_t *set, loop_signal_fn fn, void *userdata, struct loop_source **ret);
/* Stops and frees a source (its own descriptor, if it has one, is closed; never the caller's). Takes NULL, returns NULL. */
struct loop_source *loop_source_free(struct loop_source *source);

/* Sets a function that runs at the end of every pass, before the loop waits (to flush what the callbacks batched). */
void loop_set_flush(struct loop *loop, int (*fn)(void *userdata), void *userdata);

/* One pass: waits at most timeout_us (-1: without limit, 0: not at all) and calls what is ready.
 * Returns 0 where nothing was ready, 1 where something was, a negative error of the kernel or a callback,
 * -ELOOP from the runaway guard: one timer fired LOOP_RUNAWAY_LIMIT times in a second for an instant that did not advance. */
int loop_run_once(struct loop *loop, int64_t timeout_us);
#define LOOP_RUNAWAY_LIMIT 10000
/* Passes until loop_exit() or an error; returns the status given, or the error. */
int loop_run(struct loop *loop);
/* Ends loop_run() after the current pass with status (>= 0). */
void loop_exit(struct loop *loop, int status);
