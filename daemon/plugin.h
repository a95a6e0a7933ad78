// SPDX-License-Identifier: MIT
// plugin: the interface between chimed and a plugin: a shared object that does the work of jobs with Plugin=.
// It needs nothing but the C library; chimed-plugin(3) is its manual.
//
// A plugin exports one symbol, `const struct chimed_plugin chimed_plugin`, and is called by chimed-host, a process that runs as
// the job's user within its limits. Each job that names the plugin is an instance of it with options and data of its own. All
// calls come from one thread, one after the other, and should return soon: jobs with the same PluginHost= share that thread. What
// takes time is waited for in the host's loop: a tick may be answered later, from a watch or a timer.
// No function below may be called from another thread or from a signal handler.
#ifndef CHIMED_PLUGIN_H
#define CHIMED_PLUGIN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A host loads plugins of this number only. Structures grow at their end without a new number: their sizes tell. */
#define CHIMED_PLUGIN_ABI 1

#define CHIMED_VALUE_MAX (60 * 1024) /* bytes of a value; CaptureMax= of the job may allow less */

/* What has come of a tick. */
enum chimed_result {
        CHIMED_SUCCESS = 0,
        CHIMED_SKIPPED = 1,  /* there was nothing to do; counts as good */
        CHIMED_FINISHED = 2, /* done, and the job has come to its end: no more ticks */
        CHIMED_FAILED = 3,
        CHIMED_LATER = 4, /* of tick() only: under way, chimed_answer() follows */
};

/* Why there is a tick. */
enum chimed_cause {
        CHIMED_CAUSE_SCHEDULE = 0,
        CHIMED_CAUSE_CATCH_UP = 1,
        CHIMED_CAUSE_BOOT = 2,
        CHIMED_CAUSE_TRIGGER = 3,
        CHIMED_CAUSE_RETRY = 4,
        CHIMED_CAUSE_WAKE = 5,
        CHIMED_CAUSE_CHAIN = 6, /* the end of another job's run */
        CHIMED_CAUSE_OTHER = 7  /* one that this header does not know */
};

/* How the value of an option is read. */
enum chimed_type {
        CHIMED_STRING = 0,
        CHIMED_INTEGER = 1,
        CHIMED_BOOL = 2,     /* yes, no, true, false, on, off, 1, 0 */
        CHIMED_DURATION = 3, /* "1min 30s", as Timeout=; microseconds */
        CHIMED_SIZE = 4,     /* "64K", "2G"; bytes */
        CHIMED_CHOICE = 5    /* one of the words in choices; its number there */
};

/* An option, Option.NAME= in the job. What has no default and is not required may be missing. */
struct chimed_option {
        const char *name; /* letters, digits, "-" and "_", at most 63 */
        uint32_t type;    /* enum chimed_type */
        uint32_t is_required;
        const char *default_value; /* as it would be written; NULL: none */
        /* Of an integer, duration or size; of a string its length in bytes. Both 0: an integer may be any, the others any that is
         * not negative. */
        int64_t min, max;
        const char *const *choices; /* ends with NULL */
        const char *help;           /* one sentence */
};

/* A job that has the plugin, and a tick of it: opaque and as given. */
struct chimed_job;

struct chimed_tick {
        uint32_t size;    /* of this structure */
        uint32_t cause;   /* enum chimed_cause */
        uint64_t run;     /* number of the run; names the tick in all calls below */
        int64_t slot_us;  /* nominal instant of the slot, of the trigger where there is none; microseconds since 1970 */
        uint64_t missed;  /* slots missed since the last run */
        uint32_t attempt; /* from 1 */
        uint32_t n_parameters;
        const char *const *parameters; /* of the trigger: n_parameters times NAME=VALUE, then NULL */
};

/* The plugin. Its functions get as data what load() has set. */
struct chimed_plugin {
        uint32_t abi;            /* CHIMED_PLUGIN_ABI */
        uint32_t size;           /* sizeof(struct chimed_plugin) */
        uint32_t option_size;    /* sizeof(struct chimed_option) */
        uint32_t n_options;      /* at most 64 */
        const char *name;        /* for people, at most 64 bytes; as all texts UTF-8 without control characters */
        const char *description; /* one sentence */
        const struct chimed_option *options;

        /* Before the first tick of a job. Returns 0, or anything else where the plugin can't work with these options (say why with
         * chimed_fail(job, 0, ...)): then its runs end as start-failed, and it is tried again. *ret_data is NULL before.
         * May be NULL. */
        int (*load)(struct chimed_job *job, void **ret_data);
        /* Does the work of a tick. Returns an enum chimed_result; anything else has failed. tick is valid until it is answered. A
         * job has one tick at a time. */
        int (*tick)(struct chimed_job *job, const struct chimed_tick *tick, void *data);
        /* A tick that is under way shall end, since its time is over or it was cancelled: answer it, now or soon; where that takes
         * longer than KillGrace= the host is killed. Whatever the answer, the run ends as timed out or cancelled. Where this is
         * NULL the tick ends at once, and what is answered later is thrown away. */
        void (*cancel)(struct chimed_job *job, const struct chimed_tick *tick, void *data);
        /* No more ticks: free what load() made. Watches and timers that are left are freed after it. Not called where load()
         * failed. May be NULL. */
        void (*unload)(struct chimed_job *job, void *data);
};

/* What the host looks for. */
__attribute__((visibility("default"))) extern const struct chimed_plugin chimed_plugin;

/* The job's name. */
const char *chimed_job_name(const struct chimed_job *job);

/* Values of options, as they were declared; valid as long as the job. Asking for an option that was not declared, or as another
 * type, gives NULL, 0 or -1, and is told in the journal. */

/* 1 where the job sets it, 0 where it has its default or none. */
int chimed_option_is_set(const struct chimed_job *job, const char *name);
/* Of any type, as written; NULL: not set. */
const char *chimed_option_string(const struct chimed_job *job, const char *name);
/* Of an integer, duration or size; 0: not set. */
int64_t chimed_option_integer(const struct chimed_job *job, const char *name);
/* 0 or 1. */
int chimed_option_bool(const struct chimed_job *job, const char *name);
/* Its number in choices; -1: not set. */
int chimed_option_choice(const struct chimed_job *job, const char *name);

/* The value of parameter NAME= of a tick, NULL where it was not given. */
const char *chimed_parameter(const struct chimed_tick *tick, const char *name);

/* Sets the value that run yields (copied; the last one counts). 0; -EMSGSIZE: longer than allowed, it is cut; -ESTALE: run is not
 * under way; -ENOMEM. */
int chimed_value(struct chimed_job *job, uint64_t run, const void *value, size_t size);
int chimed_value_printf(struct chimed_job *job, uint64_t run, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sets the message of a run that fails, one line of UTF-8, at most 1,000 bytes (longer ones are cut), or in load(), with run 0, why
 * that failed. Returns CHIMED_FAILED, so that tick() can end with `return chimed_fail(...)`. */
int chimed_fail(struct chimed_job *job, uint64_t run, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Answers a run for which tick() has returned CHIMED_LATER (or is about to): result is not CHIMED_LATER. 0; -ESTALE: it is not
 * under way, or was answered (told in the journal); -EINVAL. */
int chimed_answer(struct chimed_job *job, uint64_t run, enum chimed_result result);

/* Writes a line to the journal, under the job's name with its run; priority as in syslog(3), 0..7. Floods are cut. */
void chimed_log(struct chimed_job *job, int priority, const char *format, ...) __attribute__((format(printf, 3, 4)));
void chimed_logv(struct chimed_job *job, int priority, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));

/* A descriptor or an instant that the job waits for. */
struct chimed_watch;
struct chimed_timer;
#define CHIMED_NEVER INT64_MAX

/* Called by the loop with the events of epoll(7) that are there. May free its own and any other watch or timer of the job. */
typedef void (*chimed_watch_fn)(struct chimed_job *job, int fd, uint32_t events, void *userdata);
/* Called once for each time that the timer was set. */
typedef void (*chimed_timer_fn)(struct chimed_job *job, void *userdata);

/* Watches fd, which stays the caller's, for events (EPOLLIN, EPOLLOUT; level-triggered; EPOLLHUP and EPOLLERR always).
 * 0 or a negative errno: -ENOSPC over 1,024 watches and timers of a job. */
int chimed_watch_add(struct chimed_job *job, int fd, uint32_t events, chimed_watch_fn fn, void *userdata,
                     struct chimed_watch **ret);
int chimed_watch_set(struct chimed_watch *watch, uint32_t events);
/* Frees it; to be done before its descriptor is closed. Takes NULL, returns NULL. */
struct chimed_watch *chimed_watch_free(struct chimed_watch *watch);

/* A timer, not set. 0 or a negative errno. */
int chimed_timer_add(struct chimed_job *job, chimed_timer_fn fn, void *userdata, struct chimed_timer **ret);
/* Sets it for an instant of chimed_now() (one that is over: at once) or CHIMED_NEVER. 0 or a negative errno. */
int chimed_timer_set(struct chimed_timer *timer, int64_t at_us);
/* Takes NULL, returns NULL. */
struct chimed_timer *chimed_timer_free(struct chimed_timer *timer);
/* Microseconds since boot, suspend included: never goes back. */
int64_t chimed_now(void);

#ifdef __cplusplus
}
#endif

#endif
