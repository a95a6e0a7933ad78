// SPDX-License-Identifier: MIT
// A plugin that does on demand what a plugin should not: Option.do= says what, Option.in= where.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/plugin.h"

enum what {
        NOTHING,
        SKIP,
        FINISH,
        FAIL,
        COUNT,
        ECHO,
        LATER,
        NEVER,
        TWICE,
        EARLY,
        CRASH,
        ABORT,
        EXIT,
        EXIT_NOW,
        LOOP,
        DEADLOCK,
        CLOSE,
        UMASK,
        CHDIR,
        MASK,
        LOCALE,
        USER,
        FORK,
        PRINT,
        LEAK,
        LOG,
        BIG,
        BAD_RESULT,
        STATE,
        SIGNALS,
        STOP,
        WAIT,
};
static const char *const whats[] = {"nothing",    "skip",  "finish",  "fail", "count", "echo",  "later",    "never", "twice",
                                    "early",      "crash", "abort",   "exit", "_exit", "loop",  "deadlock", "close", "umask",
                                    "chdir",      "mask",  "locale",  "user", "fork",  "print", "leak",     "log",   "big",
                                    "bad-result", "state", "signals", "stop", "wait",  NULL};

enum where { IN_LOAD, IN_TICK, IN_CANCEL, IN_UNLOAD, IN_EXIT };
static const char *const wheres[] = {"load", "tick", "cancel", "unload", "exit", NULL};

static const struct chimed_option options[] = {
        {.name = "do", .type = CHIMED_CHOICE, .choices = whats, .default_value = "nothing", .help = "What to do."},
        {.name = "in", .type = CHIMED_CHOICE, .choices = wheres, .default_value = "tick", .help = "Where to do it."},
        {.name = "delay", .type = CHIMED_DURATION, .default_value = "10ms", .max = 60000000, .help = "Of later."},
        {.name = "text", .type = CHIMED_STRING, .help = "To say."},
        {.name = "n", .type = CHIMED_INTEGER, .min = -5, .max = 1000000000, .help = "How often."},
        {.name = "needed", .type = CHIMED_STRING, .default_value = "", .help = "Not needed."},
};

struct state {
        struct chimed_job *job;
        enum what what;
        enum where where;
        uint64_t n_ticks, run;
        struct chimed_timer *timer;
};

static struct state *at_exit; /* what the destructor does */

static void lock_for_ever(void) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

        pthread_mutex_lock(&mutex);
        pthread_mutex_lock(&mutex);
}

static void set_mask(void) {
        sigset_t set;

        sigfillset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
}

static void write_log(struct chimed_job *job) {
        int64_t n = chimed_option_integer(job, "n");

        for (int64_t i = 0; i < n; i++)
                chimed_log(job, 5, "line %" PRId64 " of %s", i, chimed_job_name(job));
}

/* Does it, wherever it is called; what only tick() can do is not here. */
static void do_it(struct chimed_job *job, enum what what) {
        volatile char *nowhere = NULL;

        switch ((int)what) {
        case CRASH:
                signal(SIGSEGV, SIG_DFL); /* a sanitizer's own handler would exit */
                *nowhere = 1;
                break;
        case ABORT:
                signal(SIGABRT, SIG_DFL);
                abort();
        case EXIT:
                exit(0);
        case EXIT_NOW:
                _exit(3);
        case LOOP:
                for (;;)
                        __asm__ volatile("" ::: "memory");
        case DEADLOCK:
                lock_for_ever();
                break;
        case CLOSE:
                for (int fd = 3; fd < 1024; fd++)
                        close(fd);
                break;
        case UMASK:
                umask(0777);
                break;
        case CHDIR:
                (void)!chdir("/proc");
                break;
        case MASK:
                set_mask();
                break;
        case LOCALE:
                setlocale(LC_ALL, "C.UTF-8");
                break;
        case USER:
                (void)!setresuid(65534, 65534, 65534);
                break;
        case FORK:
                if (fork() == 0)
                        chimed_log(job, 5, "a child");
                break;
        case PRINT:
                printf("printed by %s\n", chimed_job_name(job));
                fflush(stdout);
                fprintf(stderr, "told by %s\n", chimed_job_name(job));
                break;
        case LEAK:
                nowhere = malloc(1000);
                if (nowhere)
                        *nowhere = 0;
                break;
        case LOG:
                write_log(job);
                break;
        case SIGNALS:
                signal(SIGCHLD, SIG_IGN);
                signal(SIGPIPE, SIG_DFL);
                break;
        case STOP:
                raise(SIGSTOP);
                break;
        case WAIT:
                while (wait(NULL) > 0)
                        ;
                break;
        }
}

static int load(struct chimed_job *job, void **ret_data) {
        struct state *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->job = job;
        s->what = (enum what)chimed_option_choice(job, "do");
        s->where = (enum where)chimed_option_choice(job, "in");
        if (s->where == IN_EXIT)
                at_exit = s;
        if (s->where == IN_LOAD)
                do_it(job, s->what);
        if (s->where == IN_LOAD && s->what == FAIL) {
                free(s);
                return chimed_fail(job, 0, "load says %s", chimed_option_string(job, "text"));
        }
        *ret_data = s;
        return 0;
}

static void on_time(struct chimed_job *job, void *userdata) {
        struct state *s = userdata;

        chimed_value_printf(job, s->run, "later %" PRIu64, s->n_ticks);
        s->timer = chimed_timer_free(s->timer);
        chimed_answer(job, s->run, CHIMED_SUCCESS);
        if (s->what == TWICE)
                chimed_answer(job, s->run, CHIMED_FAILED);
}

static int answer_later(struct state *s) {
        if (chimed_timer_add(s->job, on_time, s, &s->timer) < 0)
                return chimed_fail(s->job, s->run, "no timer");
        chimed_timer_set(s->timer, chimed_now() + chimed_option_integer(s->job, "delay"));
        return CHIMED_LATER;
}

static int is_ignored(int number) {
        struct sigaction action;

        return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* What the process is like. */
static void tell_state(struct state *s) {
        char folder[256] = "";
        sigset_t mask;
        mode_t old = umask(022);
        int n_blocked = 0;

        umask(old);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        for (int i = 1; i < 32; i++)
                n_blocked += sigismember(&mask, i);
        chimed_value_printf(s->job, s->run, "umask %03o, blocked %d, children %s, pipes %s, folder %s, locale %s",
                            (unsigned)old, n_blocked, is_ignored(SIGCHLD) ? "ignored" : "heard",
                            is_ignored(SIGPIPE) ? "ignored" : "deadly", getcwd(folder, sizeof(folder)) ? folder : "?",
                            setlocale(LC_ALL, NULL));
}

static void tell_tick(struct state *s, const struct chimed_tick *tick) {
        const char *text = chimed_option_string(s->job, "text"), *a = chimed_parameter(tick, "A");

        chimed_value_printf(s->job, tick->run,
                            "job %s run %" PRIu64 " cause %u slot %" PRId64 " missed %" PRIu64 " attempt %u text %s n %" PRId64
                            " set %d parameters %u A %s",
                            chimed_job_name(s->job), tick->run, tick->cause, tick->slot_us, tick->missed, tick->attempt,
                            text ? text : "-", chimed_option_integer(s->job, "n"), chimed_option_is_set(s->job, "n"),
                            tick->n_parameters, a ? a : "-");
}

static int big_value(struct state *s) {
        static char big[100000];

        memset(big, 'x', sizeof(big));
        return chimed_value(s->job, s->run, big, sizeof(big)) == -EMSGSIZE ? CHIMED_SUCCESS : CHIMED_FAILED;
}

static int do_tick(struct state *s, const struct chimed_tick *tick) {
        const char *text = chimed_option_string(s->job, "text");

        switch ((int)s->what) {
        case SKIP:
                return CHIMED_SKIPPED;
        case FINISH:
                return s->n_ticks >= 3 ? CHIMED_FINISHED : CHIMED_SUCCESS;
        case FAIL:
                return chimed_fail(s->job, s->run, "%s", text ? text : "it failed");
        case COUNT:
                chimed_value_printf(s->job, s->run, "%" PRIu64, s->n_ticks);
                break;
        case ECHO:
                tell_tick(s, tick);
                break;
        case LATER:
        case TWICE:
                return answer_later(s);
        case NEVER:
                return CHIMED_LATER;
        case EARLY:
                chimed_value(s->job, s->run, "early", 5);
                chimed_answer(s->job, s->run, CHIMED_SUCCESS);
                return CHIMED_LATER;
        case BIG:
                return big_value(s);
        case BAD_RESULT:
                return 77;
        case STATE:
                tell_state(s);
                break;
        default:
                do_it(s->job, s->what);
        }
        return CHIMED_SUCCESS;
}

static int tick(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        struct state *s = data;

        (void)job;
        s->n_ticks++;
        s->run = tick->run;
        if (s->where == IN_CANCEL)
                return CHIMED_LATER;
        return s->where == IN_TICK ? do_tick(s, tick) : CHIMED_SUCCESS;
}

static void cancel(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        struct state *s = data;

        if (s->what == NEVER)
                return;
        s->timer = chimed_timer_free(s->timer);
        if (s->where == IN_CANCEL)
                do_it(job, s->what);
        chimed_answer(job, tick->run, CHIMED_SUCCESS);
}

static void unload(struct chimed_job *job, void *data) {
        struct state *s = data;

        if (s->where == IN_UNLOAD)
                do_it(job, s->what);
        if (s != at_exit)
                free(s);
}

__attribute__((destructor)) static void leave(void) {
        if (at_exit)
                do_it(at_exit->job, at_exit->what);
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .n_options = sizeof(options) / sizeof(options[0]),
        .name = "hostile",
        .description = "Do what a plugin should not.",
        .options = options,
        .load = load,
        .tick = tick,
        .cancel = cancel,
        .unload = unload,
};
