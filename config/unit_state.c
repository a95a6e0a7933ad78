// SPDX-License-Identifier: MIT
// unit_state: how a systemd unit is, as systemctl shows it. Its lines are the same since long, and for programs to read.

#include "config/unit_state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/job.h"

#define SHOWN_MAX 4096 /* bytes of its lines */

/* The value of a property, cut to its room with the NUL; "" where it is not shown. */
static void find(const char *text, const char *name, char *ret, size_t room) {
        size_t n = strlen(name);

        *ret = '\0';
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (strncmp(line, name, n) == 0 && line[n] == '=')
                        snprintf(ret, room, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
}

static long find_number(const char *text, const char *name) {
        char value[16];

        find(text, name, value, sizeof(value));
        return strtol(value, NULL, 10);
}

static bool is_shown(const char *text, const char *name, const char *value) {
        char found[16];

        find(text, name, found, sizeof(found));
        return strcmp(found, value) == 0;
}

void unit_state_parse(const char *text, struct unit_state *ret) {
        struct unit_state s = {
                .main_code = (int)find_number(text, "ExecMainCode"),
                .main_status = (int)find_number(text, "ExecMainStatus"),
                .stays = is_shown(text, "RemainAfterExit", "yes"),
                /* before they were asked the answer is "no", too */
                .lacks_condition =
                        is_shown(text, "ConditionResult", "no") && find_number(text, "ConditionTimestampMonotonic") > 0,
                .lacks_assertion = is_shown(text, "AssertResult", "no") && find_number(text, "AssertTimestampMonotonic") > 0,
        };

        find(text, "LoadState", s.load, sizeof(s.load));
        find(text, "ActiveState", s.active, sizeof(s.active));
        find(text, "Result", s.result, sizeof(s.result));
        find(text, "InvocationID", s.invocation, sizeof(s.invocation));
        *ret = s;
}

bool unit_state_is_over(const struct unit_state *state) {
        return strcmp(state->active, "inactive") == 0 || strcmp(state->active, "failed") == 0;
}

pid_t unit_systemctl(bool is_user, const char *const *words, int out) {
        const char *argv[16] = {"systemctl", is_user ? "--user" : "--system", "--no-ask-password", "--no-pager"};
        size_t n = 4;

        for (; *words && n < sizeof(argv) / sizeof(argv[0]) - 1; words++)
                argv[n++] = *words;
        pid_t pid = fork();
        if (pid != 0)
                return pid < 0 ? -errno : pid;
        sigset_t none;
        sigemptyset(&none);
        signal(SIGTERM, SIG_IGN); /* who signals a whole tree means our caller */
        signal(SIGINT, SIG_IGN);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (out >= 0 && dup2(out, STDOUT_FILENO) < 0)
                _exit(127);
        execvp(argv[0], (char *const *)(void *)argv);
        _exit(127);
}

/* What comes of fd until its end, or as much as fits. */
static void read_all(int fd, char *buf, size_t size) {
        size_t n = 0;
        ssize_t got;

        while (n < size - 1 && (got = read(fd, buf + n, size - 1 - n)) != 0)
                if (got > 0)
                        n += (size_t)got;
                else if (errno != EINTR)
                        break;
        buf[n] = '\0';
}

int unit_show(const char *unit, bool is_user, struct unit_state *ret) {
        static const char properties[] = "--property=LoadState,ActiveState,Result,InvocationID,ExecMainCode,ExecMainStatus,"
                                         "RemainAfterExit,ConditionResult,ConditionTimestampMonotonic,AssertResult,"
                                         "AssertTimestampMonotonic";
        const char *const words[] = {"show", properties, "--", unit, NULL};
        char text[SHOWN_MAX];
        int fds[2], status = 0;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        pid_t pid = unit_systemctl(is_user, words, fds[1]);
        close(fds[1]);
        if (pid > 0)
                read_all(fds[0], text, sizeof(text));
        close(fds[0]);
        if (pid < 0)
                return (int)pid;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        struct unit_state state;
        unit_state_parse(text, &state);
        if (status != 0 || !state.load[0] || !state.active[0])
                return -EHOSTDOWN;
        *ret = state;
        return 0;
}

int unit_look(const char *unit, bool is_user) {
        struct unit_state state;

        if (access("/run/systemd/system", F_OK) < 0 || unit_show(unit, is_user, &state) < 0)
                return EHOSTDOWN;
        return state.stays ? EALREADY : job_unit_load_error(state.load);
}
