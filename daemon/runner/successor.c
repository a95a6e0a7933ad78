// SPDX-License-Identifier: MIT
// successor: asks a program what it can be handed over.
// It is started as a job is, so that a file system that hangs holds up nobody, and is watched by its pidfd. What it has printed is in its
// pipes when it has ended: more than they hold is no answer.

#include "daemon/runner/successor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/handover.h"

#define OUTPUT_MAX 4096

struct successor {
        struct loop *loop;
        struct launch_pool *pool;
        successor_fn on_answer;
        void *userdata;
        bool is_launching, is_dropped;
        pid_t pid;
        int pidfd, output_fd[2];
        struct loop_source *source;
};

int successor_new(struct loop *loop, struct launch_pool *pool, successor_fn on_answer, void *userdata, struct successor **ret) {
        struct successor *s = malloc(sizeof(*s));

        if (!s)
                return -ENOMEM;
        *s = (struct successor){
                .loop = loop, .pool = pool, .on_answer = on_answer, .userdata = userdata, .pidfd = -1, .output_fd = {-1, -1}};
        *ret = s;
        return 0;
}

/* Its process is not ours any more. */
static void forget(struct successor *s) {
        s->source = loop_source_free(s->source);
        s->pidfd = util_close(s->pidfd);
        for (size_t i = 0; i < ARRAY_SIZE(s->output_fd); i++)
                s->output_fd[i] = util_close(s->output_fd[i]);
        s->pid = 0;
}

struct successor *successor_free(struct successor *s) {
        if (!s)
                return NULL;
        forget(s);
        free(s);
        return NULL;
}

static void tell(struct successor *s, const char *why) {
        if (!s->is_dropped)
                s->on_answer(s->userdata, why);
}

/* What it has said to a stream, at most OUTPUT_MAX bytes of it. */
static void read_output(int fd, char text[static OUTPUT_MAX + 1]) {
        ssize_t n = fd >= 0 ? read(fd, text, OUTPUT_MAX) : -1;

        text[n > 0 ? n : 0] = '\0';
}

/* Whether one of the lines is this one. */
static bool has_line(const char *text, const char *line) {
        size_t size = strlen(line);

        for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
                if (strncmp(at, line, size) == 0 && (at[size] == '\n' || at[size] == '\0'))
                        return true;
        return false;
}

/* A program that has failed says why in its first line, mostly. */
static void print_failure(const siginfo_t *info, const char *said, char why[static SUCCESSOR_WHY_MAX]) {
        int size = (int)strcspn(said, "\n");

        snprintf(why, SUCCESSOR_WHY_MAX, "%s %d%s%.*s", info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status,
                 size > 0 ? ": " : "", size < 256 ? size : 256, said);
        for (char *at = why; *at; at++)
                if (*at < ' ' || *at >= 0x7f)
                        *at = '?';
}

static void judge(struct successor *s, const siginfo_t *info) {
        char text[OUTPUT_MAX + 1], forms[HANDOVER_FORMS_MAX], why[SUCCESSOR_WHY_MAX];

        if (info->si_code != CLD_EXITED || info->si_status != 0) {
                read_output(s->output_fd[1], text);
                print_failure(info, text, why);
                tell(s, why);
                return;
        }
        read_output(s->output_fd[0], text);
        handover_print_forms(forms);
        snprintf(why, sizeof(why), "it can't take over the runs, for it does not read \"%s\"; a restart ends them", forms);
        tell(s, has_line(text, forms) ? NULL : why);
}

static int on_exit_ready(void *userdata, uint32_t events) {
        struct successor *s = userdata;
        siginfo_t info = {};

        (void)events;
        if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)s->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
                return 0;
        judge(s, &info);
        forget(s);
        return 0;
}

static void end(const struct successor *s) {
        if (s->pidfd >= 0)
                syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0);
}

static void on_launched(void *userdata, struct launch *l) {
        struct successor *s = userdata;
        int error = l->error;

        s->is_launching = false;
        if (l->step == RUN_STEP_NONE) {
                s->pid = l->pid;
                s->pidfd = l->pidfd;
                memcpy(s->output_fd, l->output_fd, sizeof(s->output_fd));
                l->pidfd = l->output_fd[0] = l->output_fd[1] = -1; /* taken */
                error = -loop_add_io(s->loop, s->pidfd, EPOLLIN, on_exit_ready, s, &s->source);
        }
        launch_free(l);
        if (error > 0 || s->is_dropped)
                end(s);
        if (error > 0) {
                tell(s, strerror(error));
                forget(s); /* whoever reaps children that are nobody's has it */
        }
}

/* As an exec would have it: our own environment. */
static int make_order(struct successor *s, const char *program, struct launch *l) {
        struct job_what *what = &l->what;
        size_t n = 0;

        job_what_init(what);
        while (environ[n])
                n++;
        what->argv = calloc(3, sizeof(*what->argv));
        l->base = calloc(n + 1, sizeof(*l->base));
        if (!what->argv || !l->base || !(what->argv[0] = strdup(program)) || !(what->argv[1] = strdup("--version")))
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (!(l->base[i] = strdup(environ[i])))
                        return -ENOMEM;
        l->on_done = on_launched;
        l->userdata = s;
        return 0;
}

int successor_ask(struct successor *s, const char *program) {
        if (s->is_launching || s->pid > 0)
                return -EBUSY;
        struct launch *l = launch_new();
        int r = l ? make_order(s, program, l) : -ENOMEM;

        if (r == 0)
                r = launch_submit(s->pool, l);
        if (r < 0) {
                launch_free(l);
                return r;
        }
        s->is_launching = true;
        s->is_dropped = false;
        return 0;
}

void successor_drop(struct successor *s) {
        s->is_dropped = true;
        end(s);
}

bool successor_owns_pid(const struct successor *s, pid_t pid) {
        return s && s->pid == pid && pid > 0;
}
