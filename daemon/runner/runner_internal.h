// SPDX-License-Identifier: MIT
// runner_internal: what the runner's own files share: runner.c (life), runs.c (a run's life), run_environment.c (its variables),
// run_output.c (what it writes), leftovers.c (what it leaves behind), remains.c (what a runner before us left), link.c (what the
// scheduler says and is told), hosts.c (runs that are hosts), generation.c (readings), folder.c (the run folder), reexec.c (the program is executed anew), trial.c (one
// run, without a scheduler).
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/clock.h"
#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/core/notify.h"
#include "daemon/runner/cgroup_names.h"
#include "daemon/runner/definitions.h"
#include "daemon/runner/environment.h"
#include "daemon/runner/launch.h"
#include "daemon/runner/reader.h"
#include "daemon/runner/run_table.h"
#include "daemon/runner/runner.h"
#include "daemon/runner/successor.h"
#include "daemon/runner/tree.h"
#include "daemon/runner/upkeep.h"
#include "daemon/runner/watch.h"

enum link_phase {
        LINK_PHASE_DOWN,
        LINK_PHASE_HELLO, /* ours is sent */
        LINK_PHASE_SYNC,  /* theirs has come; it learns what there is */
        LINK_PHASE_UP,    /* it has committed to that */
        LINK_PHASE_MAX
};

/* What the scheduler is being told of a generation, in this order. */
enum feed_stage {
        FEED_NONE,
        FEED_DEFINE,
        FEED_REMOVE,
        FEED_GROUP,
        FEED_DIAG,
        FEED_HOSTS,
        FEED_RUNS,
        FEED_COMMIT,
        FEED_WAIT, /* for COMMITTED */
};

/* Who wants a reading. */
struct reload {
        bool is_asked;   /* somebody, not only a changed file: a COMMIT is the answer whatever comes of it */
        uint64_t number; /* of the latest RELOAD; 0: none of this connection */
};

struct link {
        enum link_phase phase;
        uint64_t epoch; /* the highest seen */
        enum feed_stage stage;
        bool is_full;                      /* all definitions and runs, not only what changed */
        bool is_sync_told;                 /* the HELLO said that the clock is synchronised */
        size_t cursor;                     /* of the stage */
        struct run *telling, *telling_end; /* runs with something to tell */
        struct pack pack;
};

enum stop_stage {
        STOP_NONE,
        STOP_WAIT,    /* nothing more starts, runs may end by themselves */
        STOP_END,     /* runs are being ended */
        STOP_DELIVER, /* results wait for their acknowledgement */
        STOP_LEAVE,   /* the scheduler is to exit */
        STOP_BURY,    /* it did not in time and was killed */
};

enum reexec_stage {
        REEXEC_NONE,
        REEXEC_PREPARING, /* the new program is asked; what only time can end is to end */
        REEXEC_ASKED,     /* the scheduler is to leave, what is under way is to end */
        REEXEC_FORCED,    /* the scheduler was killed */
};

/* How far it has come that the runner executes its program anew. */
struct reexec {
        enum reexec_stage stage;
        char program[PATH_MAX]; /* where it was executed from; "": not known */
        struct successor *successor;
        bool is_accepted; /* by that program */
        int lock_error;   /* of the run folder's lock, taken again; 0 or negative */
        struct loop_source *timer;
};

/* The run folder while it is ours. */
struct run_folder {
        int fd, lock_fd;
        int listen_fd; /* the control socket in it, or that of schedulers, which the service manager has made */
        bool is_given; /* that one */
        bool is_first_of_boot;
        bool is_lost; /* another one has the lock */
};

/* What was told of what runs leave behind. */
struct leftovers {
        int64_t minute_bt_us; /* when the minute began that is counted */
        unsigned n_told;      /* in it */
        uint64_t n_untold;    /* runs */
};

#define REMAINS_MAX 8 /* runners */

/* What runners before us have left, while it is being ended. */
struct remains {
        char dead[REMAINS_MAX * TREE_DEAD_LINE_MAX + 1]; /* as for tree_kill_dead; "": there is nothing to end */
        struct loop_source *timer;
        bool is_counted;
        unsigned n; /* processes there were at first */
        int64_t until_bt_us, look_interval_us;
};

struct runner {
        const struct runner_options *options;
        struct loop *loop;
        struct journal *journal;
        struct launch_pool *pool;
        struct cgroups *cgroups; /* NULL: none were given to us */
        struct cgroup_names cgroup_names;
        struct tree *tree;
        struct tree_members members; /* that were handed over, until the tree is there */
        struct upkeep *upkeep;
        struct notify *notify;
        struct watch *watch;
        struct loop_source *signals, *child_signal, *run_timer, *stop_timer, *reap_timer, *sync_timer;
        int64_t run_timer_bt_us; /* what it is armed for */
        bool is_reap_armed;
        bool is_synchronised; /* the wall clock was in step with a time server once in this boot */
        struct run_folder folder;
        int64_t boot_bt_us; /* when this boot began */
        uint8_t boot_id[16], instance[16], secret[16];
        char instance_text[33];
        char *own_name, *own_home, *own_shell;
        const char *lang;

        struct definitions definitions;
        struct group_list groups; /* of the generation in force */
        struct run_table runs;
        struct link link;

        /* the generation in force */
        struct reader *reader; /* a reading is under way, or waits to be put into force */
        const struct reading *held;
        bool is_reload_wanted;         /* one more */
        struct reload served, waiting; /* by the reading that has begun, and by the one after it */
        int64_t reading_rt_us;         /* when the latest reading began */
        char **zones;                  /* that jobs ask for, see zone_news.h */
        size_t n_zones;
        struct loop_source *retry_timer;
        int64_t retry_delay_us; /* after a reading that failed; 0: the last one did not */
        struct wire_commit commit;
        bool is_told; /* a scheduler has committed to it */
        char **diags;
        size_t n_diags;
        struct config_settings settings;
        char **folders; /* of jobs */
        char *settings_file;
        bool has_watch_trouble;

        enum stop_stage stop;
        int64_t stop_bt_us; /* when its stage is over */
        struct reexec reexec;
        bool is_ready_told;
        int64_t restart_told_bt_us, refusal_told_bt_us;
        unsigned n_restarts;
        uint64_t n_tails_dropped_told;
        size_t n_handed_over; /* runs in flight */
        size_t n_host_loads;  /* that wait, of all hosts */
        struct leftovers leftovers;
        struct remains remains;
        struct trial *trial;       /* NULL: a scheduler decides */
        struct terminal *terminal; /* in a trial output goes there, not to the journal */
        char buffer[OUTPUT_READ_MAX];
};

/* Whether we go on with what was handed over to us. */
static inline bool runner_is_resumed(const struct runner *runner) {
        return runner->options->resume_fd > 0;
}

/* ---- runner.c ---- */

/* Makes this process one that can be the parent of runs, before its first thread. NULL without memory. */
struct runner *runner_begin(const struct runner_options *options);
/* The parts by which runs are started, watched and ended, on its loop; set: the signals that fn is told of, not CHLD. 0 or a negative error. */
int runner_begin_runs(struct runner *runner, const sigset_t *set, loop_signal_fn fn);
/* Takes NULL and what was half begun, returns NULL. */
struct runner *runner_end(struct runner *runner);

/* Something has ended or was acknowledged: a stop may go on. */
void runner_check_stop(struct runner *runner);
/* The scheduler has committed to a generation. */
void runner_on_committed(struct runner *runner);
/* Whether what may come often is to be told now: once a minute. *told_bt_us: when it was, 0: never. */
bool runner_may_tell(int64_t *told_bt_us);
/* Looks for a synchronised clock, for as long as jobs may wait for one. */
void runner_await_sync(struct runner *runner);

/* ---- reexec.c ---- */

/* Remembers where the program lies. 0 or a negative error. */
int reexec_prepare(struct runner *runner);
/* Behind the parts that it needs. 0 or a negative error. */
int reexec_new(struct runner *runner);
void reexec_done(struct runner *runner);
/* Executes the program anew, as soon as nothing is under way that would be lost. */
void reexec_begin(struct runner *runner);
/* The end of a pass of the loop: does it if that can be done now. */
void reexec_step(struct runner *runner);
/* A stop has come between. */
void reexec_cancel(struct runner *runner);
/* The new program: goes on from what was handed over through fd. Where that can't be read, does as if the runner before had died: ends all
 * its processes, and begins anew. 0, or a negative error after which nothing is left to do. */
int reexec_resume(struct runner *runner, int fd);
/* Tells that it was done. */
void reexec_tell(struct runner *runner);

/* ---- runs.c ---- */

/* What CHIMED_RUN_ID says. */
void runs_print_id(const struct runner *runner, const struct run *run, char id[static TREE_RUN_ID_MAX]);
/* The runs that were handed over are watched from now on. */
void runs_resume(struct runner *runner);

/* Starts the run, or ends it as start-failed. 0; a negative error where the START is to be refused with its sender. */
int runs_start(struct runner *runner, const struct wire_start *start);
/* Ends a run and all its processes: asks (grace: at most max_grace_us), or kills. Result: timeout or cancelled. */
void runs_stop(struct runner *runner, struct run *run, enum run_result result, bool is_forced, int64_t max_grace_us);
void runs_stop_all(struct runner *runner, bool is_forced, int64_t max_grace_us);
/* The scheduler has the result. */
void runs_acknowledge(struct runner *runner, uint64_t number);
/* For the tree. */
void runs_on_tree(void *runner, uint64_t number, uint32_t n, const char *names);
int runs_on_time(void *runner, bool is_clock_change);

/* ---- orphans.c: children that are nobody's ---- */

/* For the tree. */
void orphans_on_zombie(void *runner, pid_t pid);
/* Reaps children that nobody waits for. */
int orphans_on_time(void *runner, bool is_clock_change);
/* Does so soon. */
void orphans_reap_later(struct runner *runner);
/* A child has ended: the signal's source rests until then. */
int orphans_on_child(void *runner, const struct signalfd_siginfo *info);

/* ---- run_cgroups.c: the cgroups of runs ---- */

/* Prints the error. 0, also where there is none to have; a negative error where the one asked for can't be had. */
int run_cgroups_begin(struct runner *runner);
void run_cgroups_done(struct runner *runner);
/* The run gets a cgroup, and the launch begins in it. 0, -ENOMEM. */
int run_cgroups_take(struct runner *runner, struct run *run, struct launch *l);
/* The launch is back: what it made is kept. */
void run_cgroups_on_launched(struct runner *runner, struct run *run, struct launch *l);
/* The folder of the cgroup of a run that was launched, borrowed; -1: it has none. */
int run_cgroups_folder(const struct runner *runner, const struct run *run);
/* Its main process has ended: whether others of it may be there. */
bool run_cgroups_has_left(const struct runner *runner, const struct run *run);
/* What all its processes have used goes to the result. */
void run_cgroups_measure(struct runner *runner, struct run *run, struct run_end *end);
/* The run is over. */
void run_cgroups_give(struct runner *runner, struct run *run);
/* A generation is in force: the cgroups of jobs that are gone go. */
void run_cgroups_forget_jobs(struct runner *runner);

/* ---- hosts.c ---- */

/* The run is that of a host of its definition, whose what half the launch has: makes the program of it, and what it shares with the scheduler
 * and us. 0 or a negative error. */
int hosts_prepare(const struct runner *runner, struct run *run, struct launch *l);
/* A definition that a host is to have; what can't be done is told. */
void hosts_load(struct runner *runner, const struct wire_host_load *load);
/* What the scheduler that is gone has asked for, as far as no host has it. */
void hosts_forget_loads(struct runner *runner);
/* The run is over, whatever it was: it is told nothing more. */
void hosts_end(struct runner *runner, struct run *run);

/* ---- run_environment.c ---- */

/* Both of environment_build(), for a run of a job that says this. They are empty before, and the caller's in any case. 0, -ENOMEM, -E2BIG. */
int run_environment_make(const struct runner *runner, const struct run *run, const struct job_what *what,
                         struct environment *base, struct environment *fixed);

/* ---- run_output.c ---- */

/* Takes a descriptor of ours, -1 for none, and reads it from then on. 0, or a negative error: it is the stream's all the same. */
int run_output_watch(struct runner *runner, struct output_stream *stream, int fd);
/* Reads what is there, and no more: what the run left behind may hold the pipe open for ever. Nothing is read after it. */
void run_output_drain(struct runner *runner, struct run *run);

/* ---- trial.c ---- */

/* What the run would get, to standard output. 0, -ENOMEM, or an error of an EnvironmentFile=. */
int trial_show(struct runner *runner, const struct run *run, const struct job_what *what);
/* What goes to the journal by any way comes here. */
void trial_change(struct job_what *what);

/* ---- leftovers.c ---- */

/* The main process of a run has ended by itself, and n of its processes have not. */
void leftovers_tell(struct runner *runner, const struct run *run, uint32_t n, const char *names);

/* ---- remains.c ---- */

/* Ends what runs of runners before us have left, if they were killed; no scheduler is started before. 0 or a negative error. */
int remains_begin(struct runner *runner);
/* Tells that n processes were left; rest: what can't be ended of them, "" where all were. */
void remains_tell(struct runner *runner, unsigned n, const char *rest);
/* We leave in order. */
void remains_done(struct runner *runner);
/* For the tree. */
void remains_on_dead(void *runner, uint32_t n, const char *names);

/* ---- link.c ---- */

/* A new scheduler is there. */
void link_begin(struct runner *runner);
/* It is gone. */
void link_end(struct runner *runner);
/* One record from it: 0 or a negative error, upon which it is to be replaced. */
int link_handle(void *runner, uint8_t type, const void *payload, size_t size);
/* Something about the run is to be told. */
void link_tell_run(struct runner *runner, struct run *run);
/* The run is about to be forgotten. */
void link_forget_run(struct runner *runner, struct run *run);
/* Tells what the channel takes now. */
void link_pump(struct runner *runner);
/* A generation has been swapped in: tells its difference, or all to a scheduler that knows nothing yet. */
void link_tell_generation(struct runner *runner);
void link_tell_stopping(struct runner *runner);
/* A host does not get a definition; error is negative. */
void link_tell_unloaded(struct runner *runner, uint64_t run, uint32_t handle, int error);
void link_tell_synced(struct runner *runner);
/* A piece of a watched run's output; dropped and counted where there is no room. */
void link_output(struct runner *runner, struct run *run, uint8_t stream, const void *data, size_t size);

/* ---- generation.c ---- */

int generation_begin(struct runner *runner);
/* Reads the files, now or as soon as the reading before has been committed to; number: as in struct reload. */
void generation_reload(struct runner *runner, bool is_asked, uint64_t number);
/* The numbers of a connection that is over mean nothing to the next. */
void generation_forget_numbers(struct runner *runner);
/* What was held back may go on. */
void generation_continue(struct runner *runner);
/* Gives up a reading that is under way; it begins anew with generation_continue(). Not while its reader is being launched. */
void generation_interrupt(struct runner *runner);
void generation_done(struct runner *runner);

/* ---- state.c ---- */

/* Makes the folder of the ledger where it is missing, for a user with the folders above, and gives it to the scheduler; so it does with an
 * empty one that is root's, as a new volume of a container. What else is there is the scheduler's to judge. Prints the error. 0 or negative. */
int state_prepare(const struct upkeep_settings *settings, bool is_user);

/* ---- folder.c ---- */

/* Makes, checks and locks the run folder, says whether we are the first there in this boot, and makes the control socket, to which
 * everybody may connect; where listen_fd is not -1 it is taken, in the control socket's place. Prints the error. 0 or negative. */
int folder_enter(const char *path, const char *boot_id, int listen_fd, struct run_folder *ret);
/* A small file in it: what it says, with a NUL; "" where it is not there. */
void folder_read(int folder_fd, const char *name, char *text, size_t size);
/* Puts text into it, whole or not at all; only its owner may read it. 0 or a negative error. */
int folder_write(int folder_fd, const char *name, const char *text);
/* Whether its descriptors stay open when another program is executed; the lock is held as long as they are. 0, -EBADF. */
int folder_keep(const struct run_folder *folder, bool is_kept);
/* Takes the lock once more in the program executed anew: a kernel before 5.11 takes it away from a program with threads. 0, or a negative
 * error: another one has the folder now. */
int folder_lock_again(struct run_folder *folder);
/* A re-execution begins, or is over: who waits for it sees the lock's file touched, and finds why it was refused in FOLDER_REFUSAL, which is
 * not there where it was not. */
void folder_begin_re_execution(const struct run_folder *folder);
void folder_end_re_execution(const struct run_folder *folder, const char *refusal);
#define FOLDER_REFUSAL "refused"
/* Takes the socket and the lock away, where they are ours. */
void folder_leave(struct run_folder *folder);
