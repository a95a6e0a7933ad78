// SPDX-License-Identifier: MIT
// launch: starts programs on threads of its own, so that a start that hangs on a dead file system holds up no other and
// never the loop. Jobs, the reader and the scheduler all start here.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/job.h"
#include "daemon/core/loop.h"
#include "daemon/core/run.h"
#include "daemon/core/wire.h"
#include "daemon/runner/cgroup.h"

#define LAUNCH_PASS_MAX    4 /* descriptors for a program of ours */
#define LAUNCH_THREADS_MIN 2
#define LAUNCH_THREADS_MAX 8
#define LAUNCH_STUCK_US    (500 * USEC_PER_MSEC) /* all threads busy for so long: one more */
#define LAUNCH_TIME_US     (30 * USEC_PER_SEC)   /* no exec after so long: start-failed; the default */

struct launch_pool;
struct launch;

/* Gives the launch back, which the callback takes and frees. */
typedef void (*launch_fn)(void *userdata, struct launch *launch);

/* One start: the order, then its result. */
struct launch {
        /* set by the caller; all is owned */
        launch_fn on_done;
        void *userdata;
        uint64_t run;                  /* of a job; 0 for our own programs */
        struct job_what what;          /* argv, identity, surroundings */
        char **base, **fixed;          /* see environment_build(); NULL-terminated lists on the heap */
        int pass[LAUNCH_PASS_MAX];     /* become descriptors 3, 4, 5 and 6 of a program of ours; -1: none from here on */
        bool is_own_program;           /* keeps our stderr, for stdout too; working directory / */
        char *program;                 /* of ours, executed whatever argv[0] says and wherever the root is; NULL: argv[0] */
        const struct cgroups *cgroups; /* borrowed; NULL: it begins where we are */
        char cgroup[CGROUP_NAME_MAX];  /* of these: where it begins */
        struct cgroup cgroup_open;     /* taken from the caller, and given back */
        bool is_cgroup_fresh;          /* it is made anew */
        bool asks_machine;             /* conditions about the whole machine must hold, */
        bool asks_paths;               /* those of paths */

        /* the result: exec was reached where step is RUN_STEP_NONE */
        enum run_step step;
        int error;        /* positive errno; 0 where is_finished or is_refused */
        bool is_finished; /* it was not executed: what StopWhenPathExists= names is there */
        bool is_refused;  /* it was not executed: a condition does not hold: */
        char condition[WIRE_CONDITION_MAX];
        pid_t pid;
        int pidfd;
        int output_fd[2]; /* our ends of the pipes, non-blocking; -1: none */
        int64_t start_rt_us, start_bt_us;

        /* the pool's */
        struct launch *next;
        int64_t asked_bt_us;
        bool is_abandoned;
};

/* What the runner was started with and jobs are not to have: bits, each a step of a start. */
enum launch_reset {
        LAUNCH_RESET_OOM_SCORE = 1 << 0,
        LAUNCH_RESET_CPU_POLICY = 1 << 1,
        LAUNCH_RESET_NICE = 1 << 2,
        LAUNCH_RESET_IO_PRIORITY = 1 << 3,
        LAUNCH_RESET_PERSONALITY = 1 << 4,
        LAUNCH_RESET_GROUPS = 1 << 5,
        LAUNCH_RESET_SECUREBITS = 1 << 6,   /* these also for our own programs */
        LAUNCH_RESET_CAPABILITIES = 1 << 7, /* inheritable ones */
        LAUNCH_RESET_KEYRING = 1 << 8,
};

struct launch_settings {
        struct limits limits; /* that jobs get, where the runner's are others; our own programs only that of descriptors */
        unsigned resets;      /* enum launch_reset */
        int64_t time_us;      /* for a start; 0: LAUNCH_TIME_US */
};

/* Ignored signals, if any, must be set before: what is started gets the defaults. 0 or a negative error. */
int launch_pool_new(struct loop *loop, const struct launch_settings *settings, struct launch_pool **ret);
/* Drops what waits. Threads that still hang in a start after two seconds are left behind, and the pool with them: the process is about to end. */
struct launch_pool *launch_pool_free(struct launch_pool *pool);

/* A zeroed order with nothing set; NULL without memory. */
struct launch *launch_new(void);
/* Closes and frees all that is still in it. Takes NULL, returns NULL. */
struct launch *launch_free(struct launch *launch);

/* Takes the launch; on_done is called by the loop, later. 0; -ENOMEM or -EAGAIN (no thread): nothing is taken. */
int launch_submit(struct launch_pool *pool, struct launch *launch);
/* Whether pid was cloned by a thread and its launch was not given back yet: its exit status is not to be taken. */
bool launch_owns_pid(struct launch_pool *pool, pid_t pid);
/* Whether no start is under way: none waits, is on a thread, or is to be given back. */
bool launch_is_idle(struct launch_pool *pool);
/* Whether a start that was given up has still not come back: its child may be on its way to exec, in memory shared with us. */
bool launch_hangs(struct launch_pool *pool);
unsigned launch_n_threads(struct launch_pool *pool);

/* Why a child ends before exec without having failed. */
enum launch_verdict {
        LAUNCH_GOES_ON,
        LAUNCH_FINISHED,
        LAUNCH_REFUSED,
};

/* The child's side (launch_child.c): from clone to exec, in memory shared with the thread that waits for it. */
struct launch_child {
        const struct launch *launch;
        const struct launch_settings *settings;
        const uint64_t *ignored; /* bit N-1: signal N is ignored here */
        char **environment;
        char **programs; /* paths to try in order */
        int program_fd;  /* of a program of ours, opened with our rights: its folders may be closed to whom it runs as; or -1 */
        int output_fd[2];
        int null_fd;                 /* /dev/null from outside a RootDirectory=, or -1 */
        char oom_score[8];           /* as the kernel reads it */
        int procs_fd;                /* of the cgroup that the child is to enter itself; -1: it is where it should be */
        volatile enum run_step step; /* the latest begun */
        volatile int error;          /* it failed so */
        volatile enum launch_verdict verdict;
        volatile size_t condition; /* LAUNCH_REFUSED: which one, error says how its path could be looked at */
};

/* Where the program begins, if that is there; borrowed. */
const char *launch_directory(const struct job_what *what);
/* For clone(). Never returns. */
int launch_child_main(void *child);
