// SPDX-License-Identifier: MIT
// host_internal: the host, its jobs, and what its parts call of each other.
//
// A tick is accepted (host_ticks.c), begun by its job (hosted.c) in a plugin (work_plugin.c) or a coprocess, and ended there; the
// answer is kept and sent (host_ticks.c). No more than one tick of a job is under way.
#pragma once

#include <stdarg.h>

#include "config/duration.h"
#include "config/job.h"
#include "daemon/core/channel.h"
#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/core/tick.h"
#include "daemon/host/guard.h"
#include "daemon/host/plugin_file.h"
#include "daemon/host/ticks.h"
#include "daemon/plugin.h"

#define HOST_QUEUE        (1024 * 1024)         /* bytes of records that wait for a scheduler that does not read */
#define HOST_LOAD_WAIT_US (10 * USEC_PER_SEC)   /* a tick waits so long for its definition */
#define HOST_DYING_US     (3 * USEC_PER_SEC)    /* what does not end when nobody is there any more */
#define HOST_LOOK_US      USEC_PER_SEC          /* a plugin's file is looked at no more often */
#define HOST_RETRY_US     USEC_PER_SEC          /* what could not be loaded is tried again no sooner */
#define HOST_TELL_US      (100 * USEC_PER_MSEC) /* that a tick is under way is told no sooner, since most are answered by then, */
#define HOST_TIMEOUT_MIN  (10 * HOST_TELL_US)   /* but at once where its time limit is shorter */
#define HOST_FLUSH_NOTES  (TICK_RING / 2)
#define HOST_TRUST        16   /* calls of a job's plugin after each of which the process is checked */
#define HOST_LINES_MAX    1000 /* that plugins log, a second */
#define MESSAGE_MAX       1000 /* bytes of a failed run's message */
#define WATCHES_MAX       1024 /* watches and timers of a job */

struct coprocess;

enum hosted_state {
        HOSTED_FRESH,
        HOSTED_READY,
        HOSTED_BROKEN, /* could not be loaded: why_broken says it until retry_bt_us */
};

/* A descriptor or timer that a plugin's code waits for. */
struct chimed_watch {
        struct chimed_job *job;
        struct chimed_watch *previous, *next;
        struct loop_source *source;
        int fd; /* -1: a timer */
        chimed_watch_fn on_events;
        chimed_timer_fn on_time;
        void *userdata;
};

struct hosted_value {
        const char *text; /* as written in the job or declared as default; NULL: not set */
        int64_t number;
        bool is_set;
};

/* A hosted job: a definition under its handle. */
struct chimed_job {
        struct host *host;
        struct chimed_job *next; /* in its slot of the host's table */
        uint32_t handle;
        uint32_t told; /* the resync that has told it last */
        struct hash128 hash;
        uid_t owner;
        char *name;
        struct job_what what;
        enum hosted_state state;
        bool is_leaving; /* UNLOAD was heard */
        bool is_listed;  /* in the host's list of those that have something to do */
        struct chimed_job *next_listed;
        int64_t retry_bt_us;
        size_t value_max;

        struct tick *current; /* under way */
        struct tick *waiting_first, *waiting_last;
        struct pack value;             /* of the tick under way */
        char message[MESSAGE_MAX + 1]; /* of the tick under way, or why it can't be loaded */
        char why_broken[MESSAGE_MAX + 1];
        unsigned n_stray; /* answers to no tick since that was told */
        int64_t stray_bt_us;

        /* a plugin */
        struct plugin_file *file;
        struct hosted_value *values; /* in the order of its options */
        void *data;
        struct chimed_tick tick;
        const char **parameters;
        unsigned n_untrusted; /* so many calls to come are followed by a check */
        bool is_in_tick, has_early;
        enum chimed_result early; /* answered while tick() had not returned */
        struct chimed_watch *watches;
        unsigned n_watches;

        struct coprocess *coprocess;
};

enum host_end {
        HOST_END_NONE,
        HOST_END_QUIT,  /* asked to: what is under way is answered */
        HOST_END_RENEW, /* the same, and ticks that wait are the next host's */
        HOST_END_DYING, /* nobody hears: what is under way is cancelled */
};

/* What is answered comes before what is open: of a job that is the order in which they were begun. */
enum resync_stage { RESYNC_NONE, RESYNC_HELLO, RESYNC_LOADED, RESYNC_ANSWERED, RESYNC_OPEN, RESYNC_SYNCED };

struct host {
        struct loop *loop;
        struct channel *ticks_channel, *orders_channel;
        struct tick_page *page;
        struct journal *journal; /* NULL: lines go to standard error */
        struct loop_source *signals, *timer;
        struct loop_source *tell_timer; /* for ticks under way that are not told; */
        bool is_tell_armed;             /* it will fire */
        struct guard guard;
        char instance[40]; /* before the number in CHIMED_RUN_ID; "": not known */

        struct chimed_job **jobs; /* by handle; a power of two of slots, or none */
        size_t n_jobs, n_slots;
        struct chimed_job *listed; /* have ticks that wait, or are to leave */
        struct plugin_files files;

        struct ticks ticks;
        struct tick *homeless_first, *homeless_last; /* wait for their definition; by begin_bt_us */
        struct tick *unsent;                         /* the first answer that has not gone out; NULL: all have */
        bool is_behind;                              /* the scheduler does not read: no tick begins */
        enum resync_stage resync;
        uint32_t n_resync;
        uint64_t epoch;
        unsigned n_notes;             /* since the last flush */
        int64_t now_us;               /* 0: the clock is to be read */
        struct chimed_job *unchecked; /* the last whose code ran since the process was checked; NULL: none */
        bool is_deserted;             /* nobody reads any more */

        enum host_end end;
        int64_t line_second;
        unsigned n_lines;      /* of plugins in that second */
        uint64_t n_lines_lost; /* over HOST_LINES_MAX, and not told yet */
        struct pack record;    /* for encoding */
};

/* host.c */
/* The BOOTTIME clock, read once between two pieces of foreign code. */
int64_t host_now(struct host *h);
struct chimed_job *host_find_job(const struct host *h, uint32_t handle);
/* Brackets foreign code: run, or 0, is what it works for. leave() may end the process. It is judge() and rest(): what is noted of a
 * run between the two is noted before the page ceases to name it. */
void host_enter(struct host *h, enum tick_phase phase, struct chimed_job *job);
void host_leave(struct host *h, struct chimed_job *job);
void host_judge(struct host *h, struct chimed_job *job);
void host_rest(struct host *h);
/* The job has something to do at the end of this pass. */
void host_list(struct chimed_job *job);
/* Begins the end; a stronger one than before counts. */
void host_begin_end(struct host *h, enum host_end end);
/* A line to the journal, of a job (NULL: of the host). */
void host_log(struct host *h, const struct chimed_job *job, int priority, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void host_logv(struct host *h, const struct chimed_job *job, int priority, const char *format, va_list arguments)
        __attribute__((format(printf, 4, 0)));

/* host_ticks.c */
int host_on_tick_record(void *userdata, uint8_t type, const void *payload, size_t size);
int host_on_room(void *userdata);
/* Sends what is to be sent: a resync, answers that could not go out. */
void host_send_on(struct host *h);
/* Answers a tick; answer's run is set by it. Its job has let go of it. */
void host_answer(struct host *h, struct tick *tick, struct tick_answer *answer);
/* The tick is under way, and will be answered later. */
void host_tell_begun(struct host *h, struct tick *tick);
/* Tells of those that have been under way for long enough. */
int host_on_tell_time(void *host, bool is_clock_change);
/* Gives ticks that waited for a definition to it, and ends those that have waited too long. */
void host_settle_homeless(struct host *h);
void host_cancel_homeless(struct host *h);

/* hosted.c */
int hosted_new(struct host *h, const struct order_load *order, struct chimed_job **ret);
/* No tick of it is under way. */
struct chimed_job *hosted_free(struct chimed_job *job);
/* Begins a tick, now or when those before it have ended. run is what its record says; its parameters are those of the record. */
void hosted_take(struct chimed_job *job, struct tick *tick, const struct tick_run *run);
/* Begins the ticks that wait, as far as they can. */
void hosted_go_on(struct chimed_job *job);
/* The scheduler wants it to end so. */
void hosted_cancel(struct chimed_job *job, struct tick *tick, enum run_result wish);
/* Cancels all that waits, and what is under way if that is asked for. */
void hosted_cancel_all(struct chimed_job *job, bool with_current);
/* Ends the process of a coprocess as soon as no tick of it is under way. */
void hosted_stop_work(struct chimed_job *job);
/* Whether nothing of it is under way, and no process of it is there. */
bool hosted_is_idle(const struct chimed_job *job);
/* Ends the tick under way: result, exit code, signal, step and error are answer's; the value is job's, or its message. */
void hosted_end(struct chimed_job *job, struct tick_answer *answer);
/* An answer that belongs to no tick. */
void hosted_tell_stray(struct chimed_job *job);
/* Puts bytes into the value of the tick under way. 0; -EMSGSIZE: cut; -ENOMEM. */
int hosted_set_value(struct chimed_job *job, const void *value, size_t size);
/* Makes one line of UTF-8 of it. */
void hosted_set_message(struct chimed_job *job, const char *text, size_t size);

/* work_plugin.c */
/* Loads the plugin for a job. 0; 1: it can't be, message says why; -ENOMEM. */
int work_plugin_load(struct chimed_job *job);
/* Calls it for the tick under way. */
void work_plugin_begin(struct chimed_job *job, const struct tick_run *run);
void work_plugin_cancel(struct chimed_job *job);
/* Ends the tick under way with what the plugin has given back, which may be any number. */
void work_plugin_end(struct chimed_job *job, int result);
/* Calls unload() if it is loaded, and frees what there is of it. */
void work_plugin_unload(struct chimed_job *job);
/* Frees a watch or timer. */
struct chimed_watch *work_plugin_free_watch(struct chimed_watch *watch);
/* True where its file is another one than what was loaded of it; looked at once in a while. */
bool work_plugin_is_outdated(struct chimed_job *job);
