// SPDX-License-Identifier: MIT
// coprocess: pipes to and from a child in a process group of its own. Its end is heard from a pidfd, since a plugin of the same
// host may wait for children of its own; what it had written before is read first. While it is not there a tick waits for its
// restart, which the back-off puts off.

#include "daemon/host/coprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/host/host_internal.h"

enum coprocess_phase {
        COPROCESS_GONE, /* the next tick starts it, after the back-off */
        COPROCESS_UP,
        COPROCESS_DEAF,    /* it has closed its input: it may be about to end, and its end says more */
        COPROCESS_LEAVING, /* we have closed its input */
        COPROCESS_ASKED,   /* it got KillSignal= */
        COPROCESS_KILLED,  /* it got KILL */
};

#define STATUS_LOST (-1) /* neither an exit nor a signal */

struct coprocess {
        struct chimed_job *job;
        enum coprocess_phase phase;
        pid_t pid;
        int pidfd, in_fd, out_fd; /* its input and output */
        struct loop_source *pid_source, *in_source, *out_source, *timer;
        struct pack questions; /* not written yet */
        size_t n_written;      /* of them */
        bool awaits_room;      /* for more of them */
        char line[COPROCESS_LINE_MAX];
        size_t n_line;
        bool is_skipping; /* up to the end of a line that was too long */
        bool is_finished; /* it exited with 0: the next tick says so */
        int64_t start_bt_us, not_before_bt_us, backoff_us;
};

static int on_pid(void *userdata, uint32_t events);
static int on_output(void *userdata, uint32_t events);
static int on_input(void *userdata, uint32_t events);
static void read_rest(struct coprocess *c);

bool coprocess_is_there(const struct coprocess *c) {
        return c->phase != COPROCESS_GONE;
}

static void close_input(struct coprocess *c) {
        c->in_source = loop_source_free(c->in_source);
        c->in_fd = util_close(c->in_fd);
        pack_clear(&c->questions);
        c->n_written = 0;
        c->awaits_room = false;
}

static void close_all(struct coprocess *c) {
        close_input(c);
        c->out_source = loop_source_free(c->out_source);
        c->out_fd = util_close(c->out_fd);
        c->pid_source = loop_source_free(c->pid_source);
        c->pidfd = util_close(c->pidfd);
        c->n_line = 0;
        c->is_skipping = false;
}

/* Whether it has ended. What has been waited for by others has, too: *ret_is_lost. */
static bool has_ended(const struct coprocess *c, bool *ret_is_lost) {
        siginfo_t info = {};
        int r = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT);

        *ret_is_lost = r < 0 && errno == ECHILD;
        return *ret_is_lost || (r == 0 && info.si_pid != 0);
}

/* To all that is left of its group; its number is taken as long as nobody has waited for it. */
static void signal_group(const struct coprocess *c, int signal) {
        bool is_lost;

        (void)has_ended(c, &is_lost);
        if (!is_lost && kill(-c->pid, signal) < 0 && errno == ESRCH)
                (void)kill(c->pid, signal); /* not in its group yet */
}

/* KILL, and the end at once. *ret_status stays where another has waited for it. */
static void reap(struct coprocess *c, int *ret_status) {
        signal_group(c, SIGKILL);
        while (waitpid(c->pid, ret_status, 0) < 0 && errno == EINTR)
                ;
        c->phase = COPROCESS_GONE;
        c->pid = 0;
}

struct coprocess *coprocess_free(struct coprocess *c) {
        int status;

        if (!c)
                return NULL;
        if (c->phase != COPROCESS_GONE)
                reap(c, &status);
        close_all(c);
        loop_source_free(c->timer);
        pack_done(&c->questions);
        free(c);
        return NULL;
}

/* Whether the process was asked for the tick under way: else what it says is no answer to it. */
static bool is_asked(const struct coprocess *c) {
        return c->job->current && c->job->current->is_begun;
}

static void end_tick(struct coprocess *c, enum run_result result, const char *message) {
        struct tick_answer answer = {.result = result, .exit_code = -1};

        if (message)
                hosted_set_message(c->job, message, strlen(message));
        hosted_end(c->job, &answer);
}

/* Variables that are of the host's own run, or of no tick. */
static bool is_of_run(const char *variable) {
        static const char *const names[] = {"CHIMED_SLOT=",   "CHIMED_SLOT_USEC=",   "CHIMED_CAUSE=", "CHIMED_ATTEMPT=",
                                            "CHIMED_MISSED=", "CHIMED_LAST_RESULT=", "CHIMED_JOB="};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strncmp(variable, names[i], strlen(names[i])) == 0)
                        return true;
        return false;
}

/* Our environment with the job's name; its texts are borrowed but for the first, which is job_text. */
static char **make_environment(char *job_text) {
        size_t n = 0, n_kept = 0;

        while (environ[n])
                n++;
        char **list = calloc(n + 2, sizeof(*list));
        if (!list)
                return NULL;
        list[n_kept++] = job_text;
        for (size_t i = 0; i < n; i++)
                if (!is_of_run(environ[i]))
                        list[n_kept++] = environ[i];
        return list;
}

/* In the child: becomes the program, or tells why not. */
__attribute__((noreturn)) static void execute(const struct coprocess *c, char **environment, const int fds[2], int tell_fd) {
        sigset_t none;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        for (int signal_number = 1; signal_number < NSIG; signal_number++)
                (void)signal(signal_number, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (dup2(fds[0], STDIN_FILENO) >= 0 && dup2(fds[1], STDOUT_FILENO) >= 0)
                execvpe(c->job->what.argv[0], c->job->what.argv, environment);
        int error = errno;
        (void)!write(tell_fd, &error, sizeof(error));
        _exit(127);
}

/* Forks; 0, or what kept the program from being executed, which tell[0] hears. Closes tell[1]. */
static int spawn(struct coprocess *c, char **environment, const int fds[2], int tell[2]) {
        int error = 0;
        ssize_t n;
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                execute(c, environment, fds, tell[1]);
        (void)setpgid(pid, pid); /* so that it is, whoever comes first */
        tell[1] = util_close(tell[1]);
        do
                n = read(tell[0], &error, sizeof(error));
        while (n < 0 && errno == EINTR);
        c->pid = pid;
        if (n == sizeof(error)) {
                int status;
                reap(c, &status);
                return error > 0 ? -error : -ENOEXEC;
        }
        return 0;
}

static int watch(struct coprocess *c) {
        struct loop *loop = c->job->host->loop;
        int r = 0;

        c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
        if (c->pidfd < 0)
                return -errno;
        (void)fcntl(c->pidfd, F_SETFD, FD_CLOEXEC);
        if (fcntl(c->in_fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(c->out_fd, F_SETFL, O_NONBLOCK) < 0)
                r = -errno;
        if (r == 0)
                r = loop_add_io(loop, c->pidfd, EPOLLIN, on_pid, c, &c->pid_source);
        if (r == 0)
                r = loop_add_io(loop, c->out_fd, EPOLLIN, on_output, c, &c->out_source);
        if (r == 0)
                r = loop_add_io(loop, c->in_fd, 0, on_input, c, &c->in_source);
        return r;
}

/* Its three pipes: input, output, and the one that tells of exec. */
static int start_with(struct coprocess *c, char **environment) {
        int in[2] = {-1, -1}, out[2] = {-1, -1}, tell[2] = {-1, -1};
        int r = 0;

        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(tell, O_CLOEXEC) < 0)
                r = -errno;
        else
                r = spawn(c, environment, (const int[]){in[0], out[1]}, tell);
        util_close(in[0]);
        util_close(out[1]);
        util_close(tell[0]);
        util_close(tell[1]);
        c->in_fd = in[1];
        c->out_fd = out[0];
        return r;
}

static int start(struct coprocess *c) {
        char name[JOB_NAME_MAX + sizeof("CHIMED_JOB=")];
        int status;

        snprintf(name, sizeof(name), "CHIMED_JOB=%s", c->job->name);
        char **environment = make_environment(name);
        if (!environment)
                return -ENOMEM;
        int r = start_with(c, environment);
        free(environment);
        if (r == 0) {
                c->phase = COPROCESS_UP;
                c->start_bt_us = host_now(c->job->host);
                r = watch(c);
                if (r < 0)
                        reap(c, &status);
        }
        if (r < 0)
                close_all(c);
        return r;
}

/* The next start is put off: at first not at all, then 1 s and twice as long each time. */
static void note_death(struct coprocess *c) {
        int64_t now = host_now(c->job->host);

        if (now - c->start_bt_us >= COPROCESS_SETTLED_US)
                c->backoff_us = 0;
        c->not_before_bt_us = now + c->backoff_us;
        c->backoff_us = c->backoff_us == 0 ? COPROCESS_BACKOFF_MIN : duration_lower(2 * c->backoff_us, COPROCESS_BACKOFF_MAX);
}

/* Writes what the pipe takes. */
static void write_on(struct coprocess *c) {
        while (c->n_written < c->questions.size) {
                ssize_t n = write(c->in_fd, c->questions.data + c->n_written, c->questions.size - c->n_written);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN) {
                        c->awaits_room = loop_set_events(c->in_source, EPOLLOUT) == 0;
                        return;
                }
                if (n < 0) { /* it reads no more: its answer or its end will come */
                        close_input(c);
                        return;
                }
                c->n_written += (size_t)n;
        }
        pack_clear(&c->questions);
        c->n_written = 0;
        if (c->awaits_room)
                (void)loop_set_events(c->in_source, 0);
        c->awaits_room = false;
}

static int on_input(void *userdata, uint32_t events) {
        struct coprocess *c = userdata;

        if (events & (EPOLLERR | EPOLLHUP))
                close_input(c);
        else
                write_on(c);
        return 0;
}

/* Throws away what has come before the question. */
static void drop_stray(struct coprocess *c) {
        read_rest(c);
        if (c->n_line == 0)
                return;
        c->n_line = 0;
        c->is_skipping = true;
}

static void ask(struct coprocess *c, const struct tick_run *run) {
        struct tick *tick = c->job->current;

        tick->begin_bt_us = host_now(c->job->host);
        coprocess_put_question(&c->questions, c->job->name, run);
        if (c->in_fd >= 0 && pack_result(&c->questions) == 0) {
                host_tell_begun(c->job->host, tick); /* before anybody can have read it */
                write_on(c);
                return;
        }
        pack_clear(&c->questions);
        if (c->in_fd < 0) {
                c->phase = COPROCESS_DEAF;
                (void)loop_arm_timer(c->timer, tick->begin_bt_us + COPROCESS_LEAVE_US);
                return;
        }
        end_tick(c, RUN_RESULT_FAILED, "it does not read its questions");
        coprocess_cancel(c);
}

/* Starts it and puts the question of the tick under way. */
static void start_and_ask(struct coprocess *c) {
        struct tick *tick = c->job->current;
        int r = start(c);

        if (r < 0) {
                struct tick_answer answer = {
                        .result = RUN_RESULT_START_FAILED, .exit_code = -1, .step = RUN_STEP_EXEC, .error = (uint32_t)-r};
                note_death(c);
                hosted_end(c->job, &answer);
                return;
        }
        struct tick_run run = tick_read(tick);
        ask(c, &run);
}

static int on_timer(void *userdata, bool is_clock_change) {
        struct coprocess *c = userdata;

        (void)is_clock_change;
        switch (c->phase) {
        case COPROCESS_GONE:
                if (c->job->current)
                        start_and_ask(c);
                break;
        case COPROCESS_DEAF:
                if (c->job->current)
                        end_tick(c, RUN_RESULT_FAILED, "it has closed its input");
                coprocess_cancel(c);
                break;
        case COPROCESS_LEAVING:
                coprocess_cancel(c);
                break;
        case COPROCESS_ASKED:
                c->phase = COPROCESS_KILLED;
                signal_group(c, SIGKILL);
                break;
        case COPROCESS_UP:
        case COPROCESS_KILLED:
                break;
        }
        return 0;
}

int coprocess_new(struct chimed_job *job, struct coprocess **ret) {
        struct coprocess *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->job = job;
        c->pidfd = c->in_fd = c->out_fd = -1;
        c->questions.limit = COPROCESS_QUEUE_MAX;
        r = loop_add_timer(job->host->loop, LOOP_CLOCK_BOOT, on_timer, c, &c->timer);
        if (r < 0) {
                free(c);
                return r;
        }
        *ret = c;
        return 0;
}

void coprocess_begin(struct coprocess *c, const struct tick_run *run) {
        if (c->is_finished) {
                c->is_finished = false;
                end_tick(c, RUN_RESULT_FINISHED, NULL);
        } else if (c->phase == COPROCESS_UP) {
                drop_stray(c);
                ask(c, run);
        } else if (c->phase == COPROCESS_GONE && host_now(c->job->host) >= c->not_before_bt_us)
                start_and_ask(c);
        else { /* it waits for the end of the old one, or for the back-off */
                c->job->current->begin_bt_us = 0;
                if (c->phase == COPROCESS_GONE)
                        (void)loop_arm_timer(c->timer, c->not_before_bt_us);
        }
}

void coprocess_cancel(struct coprocess *c) {
        if (c->job->current && !is_asked(c)) /* it waits for a restart */
                end_tick(c, RUN_RESULT_CANCELLED, NULL);
        switch (c->phase) {
        case COPROCESS_GONE:
                (void)loop_arm_timer(c->timer, LOOP_NEVER);
                break;
        case COPROCESS_UP:
        case COPROCESS_DEAF:
        case COPROCESS_LEAVING:
                c->phase = COPROCESS_ASKED;
                signal_group(c, c->job->what.kill_signal);
                if (c->job->what.kill_grace_us == 0) {
                        c->phase = COPROCESS_KILLED;
                        signal_group(c, SIGKILL);
                } else if (c->job->what.kill_grace_us != DURATION_INFINITY)
                        (void)loop_arm_timer(c->timer, host_now(c->job->host) + c->job->what.kill_grace_us);
                break;
        case COPROCESS_ASKED:
        case COPROCESS_KILLED:
                break;
        }
}

void coprocess_stop(struct coprocess *c, bool is_urgent) {
        if ((c->phase == COPROCESS_LEAVING || c->phase == COPROCESS_DEAF) && is_urgent)
                coprocess_cancel(c);
        if (c->phase != COPROCESS_UP)
                return;
        close_input(c);
        if (is_urgent) {
                coprocess_cancel(c);
                return;
        }
        c->phase = COPROCESS_LEAVING;
        (void)loop_arm_timer(c->timer, host_now(c->job->host) + COPROCESS_LEAVE_US);
}

/* One line of it, without its end. */
static void take_line(struct coprocess *c, const char *line, size_t size) {
        struct chimed_job *job = c->job;
        struct coprocess_answer said;
        const char *why = NULL;

        if (!is_asked(c)) {
                hosted_tell_stray(job);
                return;
        }
        int r = coprocess_read_answer(line, size, &said, &why);
        if (r != 0) {
                end_tick(c, RUN_RESULT_FAILED, r < 0 ? strerror(-r) : why);
                return;
        }
        (void)hosted_set_value(job, said.value, said.value_size);
        end_tick(c, said.result, said.message);
        coprocess_answer_done(&said);
}

/* Cuts what was read into lines; the rest stays. */
static void take_lines(struct coprocess *c) {
        char *at = c->line, *end = c->line + c->n_line, *newline;

        while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
                if (c->is_skipping)
                        c->is_skipping = false;
                else
                        take_line(c, at, (size_t)(newline - at));
                at = newline + 1;
        }
        c->n_line = (size_t)(end - at);
        if (c->is_skipping)
                c->n_line = 0;
        memmove(c->line, at, c->n_line);
        if (c->n_line < sizeof(c->line))
                return;
        c->n_line = 0;
        c->is_skipping = true;
        if (is_asked(c))
                end_tick(c, RUN_RESULT_FAILED, "its answer is longer than 64 KiB");
        else
                hosted_tell_stray(c->job);
}

/* Reads once. False: there is no more for now, or ever. */
static bool read_some(struct coprocess *c) {
        ssize_t n;

        if (c->out_fd < 0)
                return false;
        do
                n = read(c->out_fd, c->line + c->n_line, sizeof(c->line) - c->n_line);
        while (n < 0 && errno == EINTR);
        if (n > 0) {
                c->n_line += (size_t)n;
                take_lines(c);
                return true;
        }
        if (n == 0 || errno != EAGAIN) { /* its end is told by the pidfd */
                c->out_source = loop_source_free(c->out_source);
                c->out_fd = util_close(c->out_fd);
        }
        return false;
}

/* Reads what is there, and no more than a pipe holds. */
static void read_rest(struct coprocess *c) {
        for (unsigned i = 0; i < 16 && read_some(c); i++)
                ;
}

static int on_output(void *userdata, uint32_t events) {
        (void)events;
        (void)read_some(userdata); /* so much a pass; the rest keeps it ready */
        return 0;
}

/* What its exit means for the tick under way. */
static void end_by_status(struct coprocess *c, int status) {
        struct chimed_job *job = c->job;
        struct exit_status exit = {WIFSIGNALED(status), WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)};
        enum exit_class class = exit_classes_find(&job->what.exits, &exit);
        struct tick_answer answer = {.exit_code = (int16_t)(exit.is_signal ? -1 : exit.number),
                                     .signal = (uint8_t)(exit.is_signal ? exit.number : 0)};

        if (class == EXIT_CLASS_SKIP)
                answer.result = RUN_RESULT_SKIPPED;
        else if (class != EXIT_CLASS_NONE || (!exit.is_signal && exit.number == 0))
                answer.result = RUN_RESULT_FINISHED;
        else
                answer.result = exit.is_signal ? RUN_RESULT_SIGNAL : RUN_RESULT_FAILED;
        hosted_end(job, &answer);
}

/* It has ended, and all it said was read. */
static void on_end(struct coprocess *c, bool is_good, bool was_asked, int status) {
        struct chimed_job *job = c->job;

        (void)loop_arm_timer(c->timer, LOOP_NEVER);
        if (was_asked) {
                c->not_before_bt_us = 0;
                if (job->current && !is_asked(c)) {
                        start_and_ask(c); /* the tick came while the one before was being killed */
                        return;
                }
        } else
                note_death(c);
        if (job->current && status == STATUS_LOST)
                end_tick(c, RUN_RESULT_FAILED, "its process has ended, and a plugin of its host has taken the status away");
        else if (job->current)
                end_by_status(c, status);
        else if (is_good)
                c->is_finished = true;
        else if (!was_asked && status == STATUS_LOST)
                host_log(job->host, job, 4, "%s: the coprocess has ended between two ticks", job->name);
        else if (!was_asked)
                host_log(job->host, job, 4, "%s: the coprocess has ended with %s %d between two ticks", job->name,
                         WIFSIGNALED(status) ? "signal" : "status",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        if (job->is_leaving || job->host->end != HOST_END_NONE)
                host_list(job);
}

static int on_pid(void *userdata, uint32_t events) {
        struct coprocess *c = userdata;
        int status = STATUS_LOST;
        bool is_lost;

        (void)events;
        if (!has_ended(c, &is_lost))
                return 0;
        read_rest(c);
        bool was_asked = c->phase != COPROCESS_UP && c->phase != COPROCESS_DEAF;
        reap(c, &status);
        bool is_good = !was_asked && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        close_all(c);
        on_end(c, is_good, was_asked, status);
        return 0;
}
