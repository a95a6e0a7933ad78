// SPDX-License-Identifier: MIT
// remains: what the runs of a runner have left that was killed: ended before a scheduler is there that could start more.
// A file in the run folder has the id of each runner whose runs may be there still, and the cgroup where they are. It is written before
// the first start, and taken away when we leave with no run in flight. That an id is random keeps other instances' processes apart from
// ours, and the cgroup what a run has had started elsewhere, with its environment: that is not the run's.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/runner/runner_internal.h"

#define FILE_NAME     "runners"
#define ID_LENGTH     32 /* of a runner's id */
#define DEAD_SIZE     sizeof(((struct remains *)NULL)->dead)
#define PATIENCE_US   (10 * USEC_PER_SEC) /* what is not gone by then can't be ended */
#define LOOK_FIRST_US (10 * USEC_PER_MSEC)
#define LOOK_LAST_US  (250 * USEC_PER_MSEC) /* doubled up to this */

void remains_tell(struct runner *runner, unsigned n, const char *rest) {
        struct journal_record r = journal_begin(runner->journal, EVENT_DEGRADED);

        journal_field(&r, "CHIMED_COUNT", "%u", n);
        if (*rest)
                journal_send(&r, "A runner before this one left %u processes of jobs behind; %s", n, rest);
        else
                journal_send(&r, "A runner before this one left %u processes of jobs behind: they were killed", n);
}

/* Keeps the lines that name runners. */
static void read_dead(const struct runner *runner, char dead[static DEAD_SIZE]) {
        char text[DEAD_SIZE], *rest = text;
        size_t size = 0;

        folder_read(runner->folder.fd, FILE_NAME, text, sizeof(text));
        for (const char *line; (line = strsep(&rest, "\n"));)
                if (strspn(line, "0123456789abcdef") == ID_LENGTH &&
                    (!line[ID_LENGTH] || strncmp(line + ID_LENGTH, " /", 2) == 0) && strlen(line) < TREE_DEAD_LINE_MAX)
                        size += (size_t)sprintf(dead + size, "%s\n", line);
        dead[size] = '\0';
}

/* Our id, and the cgroup that ours is and all of our runs' are below. */
static void name_own(const struct runner *runner, char line[static TREE_DEAD_LINE_MAX]) {
        char path[TREE_DEAD_LINE_MAX - ID_LENGTH - 2];
        int r = cgroups_own(runner->cgroups, path, sizeof(path));

        snprintf(line, TREE_DEAD_LINE_MAX, r < 0 ? "%s\n" : "%s %s\n", runner->instance_text, path);
}

/* Those whose runs may be there: we, and behind us the dead. */
static void write_file(struct runner *runner, const char *dead) {
        char text[TREE_DEAD_LINE_MAX + DEAD_SIZE];

        name_own(runner, text);
        for (size_t n = 1; *dead && n < REMAINS_MAX; n++) { /* the oldest goes */
                const char *end = strchr(dead, '\n') + 1;
                strncat(text, dead, (size_t)(end - dead));
                dead = end;
        }
        int r = folder_write(runner->folder.fd, FILE_NAME, text);
        if (r == 0)
                return;
        struct journal_record record = journal_begin(runner->journal, EVENT_DEGRADED);
        journal_field_i64(&record, "ERRNO", -r);
        journal_send(&record,
                     "%s/" FILE_NAME " can't be written (%s): if the runner is killed, the next one may not end its runs",
                     runner->options->run_folder, strerror(-r));
}

/* All are gone, or as good as can be; rest: what is not. */
static void finish(struct runner *runner, const char *rest) {
        struct remains *remains = &runner->remains;

        if (remains->n > 0 || *rest)
                remains_tell(runner, remains->n, rest);
        write_file(runner, *rest ? remains->dead : "");
        remains->dead[0] = '\0';
        remains->timer = loop_source_free(remains->timer);
        upkeep_release(runner->upkeep);
}

static void look(struct runner *runner) {
        struct remains *remains = &runner->remains;

        bool is_asked = tree_kill_dead(runner->tree, remains->dead) == 0; /* without memory: again */
        loop_arm_timer(remains->timer, is_asked ? remains->until_bt_us : clock_now().bt_us + remains->look_interval_us);
}

static int on_time(void *userdata, bool is_clock_change) {
        struct runner *runner = userdata;

        (void)is_clock_change;
        if (clock_now().bt_us >= runner->remains.until_bt_us)
                finish(runner, "/proc does not say in time which are still there");
        else
                look(runner);
        return 0;
}

void remains_on_dead(void *userdata, uint32_t n, const char *names) {
        struct runner *runner = userdata;
        struct remains *remains = &runner->remains;
        int64_t now_bt_us = clock_now().bt_us;
        char rest[TREE_NAMES_MAX + 32] = "";

        if (!remains->dead[0])
                return; /* it was given up */
        if (!remains->is_counted)
                remains->n = n;
        remains->is_counted = true;
        if (n > 0 && now_bt_us < remains->until_bt_us) {
                loop_arm_timer(remains->timer, now_bt_us + remains->look_interval_us);
                remains->look_interval_us =
                        2 * remains->look_interval_us < LOOK_LAST_US ? 2 * remains->look_interval_us : LOOK_LAST_US;
                return;
        }
        if (n > 0)
                snprintf(rest, sizeof(rest), "%u can't be killed: %s", (unsigned)n, names);
        finish(runner, rest);
}

int remains_begin(struct runner *runner) {
        struct remains *remains = &runner->remains;

        if (runner_is_resumed(runner))
                return 0; /* they are ours, and known */
        if (!runner->folder.is_first_of_boot)
                read_dead(runner, remains->dead);
        if (!remains->dead[0]) {
                write_file(runner, "");
                return 0;
        }
        int r = loop_add_timer(runner->loop, LOOP_CLOCK_BOOT, on_time, runner, &remains->timer);
        if (r < 0)
                return r;
        upkeep_hold(runner->upkeep);
        remains->until_bt_us = clock_now().bt_us + PATIENCE_US;
        remains->look_interval_us = LOOK_FIRST_US;
        look(runner);
        return 0;
}

void remains_done(struct runner *runner) {
        bool is_done = !runner->remains.dead[0] && runner->runs.n_in_flight == 0 && !runner->folder.is_lost;

        if (is_done && unlinkat(runner->folder.fd, FILE_NAME, 0) < 0 && errno != ENOENT)
                fprintf(stderr, "chimed-runner: " FILE_NAME ": %s\n", strerror(errno));
}
