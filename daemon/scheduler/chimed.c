// SPDX-License-Identifier: MIT
// chimed: two timers, one a clock; each pass of the loop ends with what it decided on its way and both timers armed anew.

#include "daemon/scheduler/chimed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/core/loop.h"
#include "daemon/core/notify.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/control.h"
#include "daemon/scheduler/link.h"

struct chimed {
        struct loop *loop;
        struct journal *journal;
        struct link *link;
        struct control *control; /* NULL: no control socket was handed over */
        struct notify *notify;
        bool is_ready_told;
        struct loop_source *boot_timer, *real_timer, *signals;
        int64_t boot_us, real_us; /* what the timers are armed for */
};

static int on_timer(void *userdata, bool is_clock_change) {
        struct chimed *c = userdata;
        (void)is_clock_change;                /* the link compares the clocks itself */
        c->boot_us = c->real_us = LOOP_NEVER; /* one shot: whichever fired, arm both anew */
        int r = link_advance(c->link);
        return r == 0 && c->control ? control_advance(c->control, clock_now()) : r;
}

static int on_signal(void *userdata, const struct signalfd_siginfo *info) {
        struct chimed *c = userdata;
        if (info->ssi_signo == SIGHUP) {
                int r = link_reload(c->link, NULL);
                return r < 0 ? r : 0;
        }
        loop_exit(c->loop, 0);
        return 0;
}

static int arm(struct loop_source *timer, int64_t *armed_us, int64_t at_us) {
        if (*armed_us == at_us)
                return 0;
        *armed_us = at_us;
        return loop_arm_timer(timer, at_us);
}

static int on_pass_end(void *userdata) {
        struct chimed *c = userdata;
        int64_t boot_us, real_us;
        int r = link_flush(c->link); /* slots that have started do not wait for what clients ask */
        if (r == 0 && c->control)
                r = control_flush(c->control);
        if (r == 0)
                r = link_flush(c->link);
        if (r < 0)
                return r;
        link_next_wake(c->link, &boot_us, &real_us);
        if (c->control && control_next_wake(c->control) < boot_us)
                boot_us = control_next_wake(c->control);
        r = arm(c->boot_timer, &c->boot_us, boot_us);
        if (r == 0)
                r = arm(c->real_timer, &c->real_us, real_us);
        if (r == 0 && !c->is_ready_told && link_engine(c->link)) { /* only now slots are looked for */
                c->is_ready_told = true;
                notify_ready(c->notify);
        }
        return r;
}

/* "312 jobs, 4 running, next backup 2026-11-22 02:30:00" */
static void print_status(void *userdata, char text[static NOTIFY_STATUS_MAX]) {
        const struct chimed *c = userdata;
        const struct engine *e = link_engine(c->link);
        struct engine_pool all;
        int64_t next_rt_us;
        char when[32];
        if (!e) {
                snprintf(text, NOTIFY_STATUS_MAX, "Waiting for the runner");
                return;
        }
        engine_view_pool(e, INDEX_NONE, &all);
        uint32_t job = engine_next_job(e, clock_now(), &next_rt_us);
        int n = snprintf(text, NOTIFY_STATUS_MAX, "%u job%s, %u running", link_commit(c->link)->n_jobs,
                         link_commit(c->link)->n_jobs == 1 ? "" : "s", all.n_running);
        time_t second = job != INDEX_NONE ? (time_t)(next_rt_us / USEC_PER_SEC) : 0;
        struct tm local;
        if (job == INDEX_NONE || !localtime_r(&second, &local))
                return;
        strftime(when, sizeof(when), "%F %T", &local);
        snprintf(text + n, NOTIFY_STATUS_MAX - (size_t)n, ", next %s %s", engine_job_name(e, job), when);
}

static int start_control(struct chimed *c, int listen_fd, gid_t admin_gid) {
        struct control_settings settings = {.listen_fd = listen_fd, .admin_gid = admin_gid};
        int is_listening = 0;
        socklen_t size = sizeof(is_listening);
        if (getsockopt(listen_fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) < 0 || !is_listening)
                return 0;
        return control_new(c->loop, c->journal, c->link, &settings, &c->control);
}

static int start(struct chimed *c, const struct chimed_ends *ends, enum journal_target target, gid_t admin_gid,
                 const char *state) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGHUP);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGINT, SIG_IGN); /* the terminal's goes to the runner, which ends us in order */
        prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);

        int r = loop_new(&c->loop);
        if (r == 0)
                r = journal_new(c->loop, target, "chimed", NULL, &c->journal);
        if (r == 0)
                r = loop_add_signals(c->loop, &set, on_signal, c, &c->signals);
        if (r == 0)
                r = loop_add_timer(c->loop, LOOP_CLOCK_BOOT, on_timer, c, &c->boot_timer);
        if (r == 0)
                r = loop_add_timer(c->loop, LOOP_CLOCK_REAL, on_timer, c, &c->real_timer);
        if (r == 0)
                r = loop_arm_timer(c->real_timer, LOOP_NEVER); /* it hears clock changes even so */
        if (r == 0)
                r = link_new(c->loop, c->journal, ends->control_fd, ends->output_fd, ends->hosts_fd, &c->link);
        if (r == 0)
                r = state ? link_keep(c->link, state) : 0;
        if (r == 0)
                r = start_control(c, ends->listen_fd, admin_gid);
        if (r == 0)
                r = notify_new(c->loop, print_status, c, &c->notify);
        if (r == 0)
                loop_set_flush(c->loop, on_pass_end, c);
        return r;
}

int chimed_run(const struct chimed_ends *ends, enum journal_target target, gid_t admin_gid, const char *state) {
        struct chimed c = {.boot_us = LOOP_NEVER, .real_us = LOOP_NEVER};
        int r = start(&c, ends, target, admin_gid, state);
        if (r == 0)
                r = loop_run(c.loop);
        if (r < 0)
                fprintf(stderr, "chimed: %s\n", strerror(-r));
        if (r == -ENOMEM && c.link)
                link_give_up(c.link);
        notify_stopping(c.notify);
        control_free(c.control);
        link_free(c.link);
        notify_free(c.notify);
        journal_free(c.journal);
        loop_free(c.loop);
        return r < 0 ? 1 : r;
}
