// SPDX-License-Identifier: MIT
// The runner under a scheduler that lies. This program is all three: the test, the scheduler that the runner starts (its name says
// what it does; it writes down what it sees), and the reader.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/channel.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "daemon/runner/runner.h"
#include "tests/unit/run_suite.h"

#define LIMIT_MS 10000

/* ---- the scheduler ---- */

struct fake {
        struct loop *loop;
        struct channel *control, *output;
        struct pack pack;
        const char *mode;
        char folder[128];
        int n_lives; /* with this one */
        struct wire_hello hello;
        struct hash128 hash; /* of the job "mark", or "talk" */
        uint64_t run;
        int n_commits, n_ended;
};

static void note(const struct fake *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(const struct fake *f, const char *format, ...) {
        char path[160], text[256];
        va_list arguments;

        snprintf(path, sizeof(path), "%s/log", f->folder);
        va_start(arguments, format);
        int n = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (write(fd, text, (size_t)n) < 0)
                _exit(1);
        close(fd);
}

static int put(struct fake *f, enum wire_type type) {
        int r = pack_result(&f->pack);

        if (r == 0)
                r = channel_send(f->control, (uint8_t)type, f->pack.data, f->pack.size);
        pack_clear(&f->pack);
        return r == 0 ? channel_flush(f->control) : r;
}

static bool is_mode(const struct fake *f, const char *mode) {
        return strcmp(f->mode, mode) == 0;
}

/* Bytes that are no message of the link. */
static void send_raw(const void *data, size_t size) {
        if (send(3, data, size, MSG_NOSIGNAL) < 0)
                _exit(1);
}

static void send_random(struct fake *f) {
        uint8_t data[4096];

        srand((unsigned)f->n_lives);
        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t)rand();
        send_raw(data, sizeof(data));
}

/* A descriptor that must not reach the runner. */
static void send_descriptor(void) {
        uint8_t data[16] = {0};
        struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(int))];
        } control = {0};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        int fd = 0;

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        if (sendmsg(3, &message, MSG_NOSIGNAL) < 0)
                _exit(1);
}

static int send_hello(struct fake *f, uint16_t version, uint64_t epoch) {
        struct wire_hello hello = f->hello;

        hello.version = version;
        hello.epoch = epoch;
        wire_put_hello(&f->pack, &hello);
        return put(f, WIRE_HELLO);
}

static int send_start(struct fake *f, uint64_t run, struct hash128 hash) {
        wire_put_start(&f->pack, &(struct wire_start){.run = run, .hash = hash, .attempt = 1, .cause = RUN_CAUSE_SCHEDULE});
        return put(f, WIRE_START);
}

static int send_reload(struct fake *f, uint64_t number) {
        wire_put_number(&f->pack, number);
        return put(f, WIRE_RELOAD);
}

static int send_watch(struct fake *f, bool is_on) {
        wire_put_watch(&f->pack, &(struct wire_watch_run){.run = f->run, .is_on = is_on});
        return put(f, WIRE_WATCH);
}

static int send_describe(struct fake *f, uint64_t number, const char *name) {
        wire_put_describe(&f->pack, &(struct wire_describe){.number = number, .name = name});
        return put(f, WIRE_DESCRIBE);
}

static void touch(const struct fake *f, const char *name) {
        char path[160];

        snprintf(path, sizeof(path), "%s/%s", f->folder, name);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static int on_hello(struct fake *f) {
        f->run = f->hello.next_run;
        note(f, "life %d\n", f->n_lives);
        if (is_mode(f, "random") && f->n_lives < 3)
                send_random(f);
        else if (is_mode(f, "descriptor") && f->n_lives < 2)
                send_descriptor();
        else if (is_mode(f, "version") && f->n_lives < 2)
                return send_hello(f, WIRE_VERSION + 1, f->hello.epoch + 1);
        else if (is_mode(f, "epoch") && f->n_lives == 2)
                return send_hello(f, WIRE_VERSION, f->hello.epoch);
        else if (is_mode(f, "early") && f->n_lives < 2)
                return send_start(f, f->run, f->hash);
        else
                return send_hello(f, WIRE_VERSION, f->hello.epoch + 1);
        return 0;
}

/* What the mode does once it may start runs. */
static int on_commit(struct fake *f) {
        struct hash128 unknown = {.word = {1, 2}};

        note(f, "up %d\n", f->n_lives);
        if (is_mode(f, "epoch") && f->n_lives == 1)
                _exit(0);
        if (is_mode(f, "unknown"))
                return send_start(f, f->run, unknown);
        if (is_mode(f, "short") && f->n_lives < 2) {
                pack_u32(&f->pack, 1);
                return put(f, WIRE_START);
        }
        if (is_mode(f, "type") && f->n_lives < 2) {
                pack_u32(&f->pack, 1);
                return put(f, WIRE_DEFINE);
        }
        if (is_mode(f, "kill")) {
                int r = send_start(f, f->run, f->hash);
                wire_put_kill(&f->pack, &(struct wire_kill_run){.run = f->run, .how = WIRE_KILL_FORCE});
                return r < 0 ? r : put(f, WIRE_KILL);
        }
        if (is_mode(f, "huge") && f->n_lives < 2)
                return send_start(f, UINT64_MAX - 1, f->hash);
        if (is_mode(f, "last-words") && f->n_lives < 2) {
                send_start(f, f->run, f->hash);
                kill(getpid(), SIGKILL);
        }
        if (is_mode(f, "replay") && f->n_lives < 2)
                return send_start(f, f->run, f->hash);
        if (is_mode(f, "watch"))
                return send_start(f, f->run, f->hash);
        if (is_mode(f, "trigger") && f->n_lives < 2) {
                wire_put_start(&f->pack,
                               &(struct wire_start){.run = f->run, .hash = f->hash, .attempt = 1, .segment = 3, .key = 7});
                return put(f, WIRE_START);
        }
        if (is_mode(f, "describe")) {
                int r = send_describe(f, 5, "other");
                if (r == 0)
                        r = send_describe(f, 6, "absent");
                return r < 0 ? r : send_describe(f, 7, "mark");
        }
        if (is_mode(f, "reload") && f->n_commits == 1) {
                int r = send_reload(f, 1); /* begins a reading at once, so it is not the second one's */
                return r < 0 ? r : send_reload(f, 2);
        }
        if (is_mode(f, "reload-fails") && f->n_commits == 1) {
                touch(f, "reader-fails");
                return send_reload(f, 1);
        }
        if (is_mode(f, "reload-dies") && f->n_lives < 2) {
                send_reload(f, 7);
                kill(getpid(), SIGKILL);
        }
        return 0;
}

static int on_described(struct fake *f, const void *payload, size_t size) {
        struct wire_described d;

        if (wire_get_described(payload, size, &d) < 0)
                return -EBADMSG;
        note(f, "described %llu: %s line %u %.30s user '%s' in %s\n", (unsigned long long)d.number,
             d.is_known ? "known" : "unknown", d.line, d.command, d.user, *d.file ? d.file + strlen(f->folder) : "-");
        wire_described_done(&d);
        return 0;
}

static int on_files(struct fake *f, const void *payload, size_t size) {
        char *text = NULL;

        if (f->n_commits > 0 || wire_get_text(payload, size, &text) < 0)
                return -EBADMSG;
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                note(f, "file %s\n", line + strlen(f->folder));
        free(text);
        return 0;
}

/* The run of "talk": its output is wanted from here on. */
static int on_started(struct fake *f) {
        note(f, "started\n");
        if (!is_mode(f, "watch"))
                return 0;
        int r = send_watch(f, true);
        touch(f, "go-two");
        return r;
}

/* And after its first word no more. */
static int on_output(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct fake *f = userdata;
        struct wire_bytes piece;

        if (type != WIRE_OUTPUT || wire_get_bytes(payload, size, &piece) < 0)
                return -EBADMSG;
        note(f, "output %.*s", (int)piece.size, (const char *)piece.data);
        int r = send_watch(f, false);
        touch(f, "go-three");
        return r;
}

static int on_ended(struct fake *f, const struct wire_ended *ended) {
        note(f, "ended %s %s %s\n", run_result_to_string(ended->end.result), run_step_to_string(ended->end.step),
             ended->end.error > 0 ? strerrorname_np(ended->end.error) : "-");
        if (is_mode(f, "replay") && f->n_lives < 2)
                return send_start(f, ended->run, f->hash);
        wire_put_number(&f->pack, ended->run);
        int r = put(f, WIRE_ACK);
        if (r < 0 || !is_mode(f, "trigger"))
                return r;
        if (f->n_ended++ == 1)
                _exit(0);
        wire_put_start(&f->pack, &(struct wire_start){.run = ended->run + 1,
                                                      .hash = f->hash,
                                                      .attempt = 1,
                                                      .item = WIRE_ITEM_TRIGGER,
                                                      .cause = RUN_CAUSE_TRIGGER,
                                                      .slot_us = 5,
                                                      .slot_rt_us = 1763694000000000});
        return put(f, WIRE_START);
}

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct fake *f = userdata;
        struct wire_define define;
        struct wire_commit commit;
        struct wire_ended ended;

        switch (type) {
        case WIRE_HELLO:
                return wire_get_hello(payload, size, &f->hello) < 0 ? -EBADMSG : on_hello(f);
        case WIRE_DEFINE:
                if (wire_get_define(payload, size, &define) < 0)
                        return -EBADMSG;
                if (strcmp(define.name, is_mode(f, "watch") ? "talk" : "mark") == 0) {
                        f->hash = define.hash;
                        note(f, "known\n");
                }
                if (define.has_trail)
                        note(f, "trail %u %lld run %llu %s\n", define.trail.segment, (long long)define.trail.key,
                             (unsigned long long)define.trail.run, run_result_to_string(define.trail.last_result));
                wire_define_done(&define);
                return 0;
        case WIRE_COMMIT:
                if (wire_get_commit(payload, size, &commit) < 0)
                        return -EBADMSG;
                f->n_commits++;
                note(f, "asked %llu, %u jobs\n", (unsigned long long)commit.asked, commit.n_jobs);
                wire_put_number(&f->pack, commit.generation);
                return put(f, WIRE_COMMITTED) < 0 ? -EPIPE : on_commit(f);
        case WIRE_RUN:
                note(f, "run\n");
                return 0;
        case WIRE_STARTED:
                return on_started(f);
        case WIRE_FILES:
                return on_files(f, payload, size);
        case WIRE_DESCRIBED:
                return on_described(f, payload, size);
        case WIRE_ENDED:
                return wire_get_ended(payload, size, &ended) < 0 ? -EBADMSG : on_ended(f, &ended);
        }
        return 0;
}

static int on_closed(void *userdata, int error) {
        (void)userdata, (void)error;
        _exit(0);
}

/* How often we were started: the log tells. */
static int count_lives(const char *folder) {
        char path[160], line[256];
        int n = 0;

        snprintf(path, sizeof(path), "%s/log", folder);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                n += strncmp(line, "life", 4) == 0;
        if (file)
                fclose(file);
        return n;
}

static int be_scheduler(const char *name) {
        static const struct channel_callbacks callbacks = {.on_record = on_record, .on_closed = on_closed};
        static const struct channel_callbacks output = {.on_record = on_output, .on_closed = on_closed};
        static struct fake f;
        const char *slash = strrchr(name, '/');

        f.mode = slash + 1;
        snprintf(f.folder, sizeof(f.folder), "%.*s", (int)(slash - name), name);
        f.n_lives = count_lives(f.folder) + 1;
        if (loop_new(&f.loop) < 0 || channel_new(f.loop, dup(3), CHANNEL_MESSAGE_MAX, &callbacks, &f, &f.control) < 0 ||
            channel_new(f.loop, dup(4), CHANNEL_MESSAGE_MAX, &output, &f, &f.output) < 0)
                return 1;
        return loop_run(f.loop) < 0;
}

/* ---- the reader ---- */

static int be_reader(int argc, char **argv) {
        const char *folder = NULL, *settings = NULL;

        for (int i = 1; i < argc; i++) {
                if (strncmp(argv[i], "--jobs=", 7) == 0)
                        folder = argv[i] + 7;
                if (strncmp(argv[i], "--config=", 9) == 0)
                        settings = argv[i] + 9;
        }
        char failing[160];
        snprintf(failing, sizeof(failing), "%s/../reader-fails", folder ? folder : "");
        if (unlink(failing) == 0)
                return 1;
        return reader_main(&(struct reader_paths){.settings_file = settings, .folders = &folder, .n_folders = 1}, false);
}

/* ---- the test ---- */

static char folder[64], own[256];

static const char *path_of(const char *name) {
        static char paths[8][128];
        static int next;
        char *path = paths[next++ % 8];
        snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
        return path;
}

static void begin(void) {
        strcpy(folder, "/tmp/test-link-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        ck_assert_int_eq(mkdir(path_of("jobs"), 0755), 0);
        FILE *file = fopen(path_of("jobs/a.ini"), "w");
        ck_assert_ptr_nonnull(file);
        fprintf(file,
                "[job mark]\nEvery=1h\nScript=echo ran >> %s/marks; echo cause $CHIMED_CAUSE $CHIMED_SLOT_USEC >> %s/log; "
                "sleep 0.05\n"
                "[job other]\nEvery=1h\nCommand=/bin/true\n"
                "[job talk]\nEvery=1h\nScript=for word in two three; do\n"
                "  until [ -e %s/go-$word ]; do sleep 0.01; done\n  echo $word\n  done\n",
                folder, folder, folder);
        fclose(file);
        ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
        ck_assert_int_gt(n, 0);
        own[n] = '\0';
}

static void end(void) {
        char command[128];

        snprintf(command, sizeof(command), "rm -rf %s", folder);
        ck_assert_int_eq(system(command), 0);
}

static const char *read_file(const char *name) {
        static char text[8192];
        int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

        text[n > 0 ? n : 0] = '\0';
        util_close(fd);
        return text;
}

static int count(const char *text, const char *what) {
        int n = 0;

        for (; (text = strstr(text, what)); text += strlen(what))
                n++;
        return n;
}

static pid_t start_runner(const char *mode) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid > 0)
                return pid;
        const char *folders[] = {path_of("jobs")};
        int fd = open(path_of("stderr"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        dup2(fd, 2);
        _exit(runner_run(&(struct runner_options){
                .scheduler = path_of(mode),
                .run_folder = path_of("run"),
                .log = JOURNAL_LOGFMT,
                .paths = {.settings_file = path_of("conf"), .folders = folders, .n_folders = 1},
        }));
}

/* Each row: what the scheduler does, and after which words in its log all is said; what is in the log then, and how often. */
static const struct {
        const char *mode, *until;
        struct {
                const char *text;
                int n;
        } seen[4];
        int n_marks; /* how often the job ran */
} rows[] = {
        {"quiet", "up 1\n", {{"life", 1}}, 0},
        {"unknown", "ended", {{"life", 1}, {"ended start-failed definition ENOENT", 1}, {"started", 0}}, 0},
        {"kill", "ended", {{"life", 1}, {"ended cancelled none -", 1}}, -1},
        {"replay", "up 2\n", {{"life", 2}, {"started", 2}, {"run\n", 1}, {"ended success none -", 2}}, 1},
        {"last-words", "ended", {{"life", 2}, {"run\n", 1}, {"ended success none -", 1}}, 1},
        {"random", "up 3\n", {{"life", 3}}, 0},
        {"descriptor", "up 2\n", {{"life", 2}}, 0},
        {"short", "up 2\n", {{"life", 2}, {"ended", 0}}, 0},
        {"type", "up 2\n", {{"life", 2}}, 0},
        {"version", "up 2\n", {{"life", 2}, {"up 1", 0}}, 0},
        {"early", "up 2\n", {{"life", 2}, {"up 1", 0}}, 0},
        {"epoch", "up 3\n", {{"life", 3}, {"up 2", 0}}, 0},
        {"huge", "up 2\n", {{"life", 2}, {"ended", 0}}, 0},
        {"trigger", "up 2\n", {{"life", 2}, {"trail 3 7 run 2 success", 1}, {"cause trigger 1763694000000000\n", 1}}, 2},
        {"watch", "ended", {{"life", 1}, {"output two\n", 1}, {"three", 0}, {"ended success", 1}}, 0},
        {"describe",
         "described 7",
         {{"described 5: known line 4 /bin/true user '' in /jobs/a.ini\n", 1},
          {"described 6: unknown line 0  user '' in -\n", 1},
          {"described 7: known line 1 /bin/sh -c \"echo ran >>", 1},
          {"file /conf\nfile /jobs\n", 1}},
         0},
        {"reload", "asked 2, 3 jobs", {{"life", 1}, {"asked 0, 3 jobs", 1}, {"asked 1, 3 jobs", 1}}, 0},
        {"reload-fails", "asked 1, 3 jobs", {{"life", 1}, {"asked 0, 3 jobs", 1}}, 0},
        {"reload-dies", "up 2\n", {{"life", 2}, {"asked 7", 0}}, 0},
};

START_TEST(a_lying_scheduler_starts_nothing_and_is_replaced) {
        int status;

        ck_assert_int_eq(symlink(own, path_of(rows[_i].mode)), 0);
        pid_t pid = start_runner(rows[_i].mode);
        for (int ms = 0; !strstr(read_file("log"), rows[_i].until); ms += 5) {
                ck_assert_msg(ms < LIMIT_MS, "%s: in vain; log:\n%s", rows[_i].mode, read_file("log"));
                ck_assert_msg(waitpid(pid, &status, WNOHANG) == 0, "%s: the runner has ended", rows[_i].mode);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x\n%s", rows[_i].mode, (unsigned)status,
                      read_file("stderr"));
        for (size_t i = 0; i < ARRAY_SIZE(rows[0].seen) && rows[_i].seen[i].text; i++)
                ck_assert_msg(count(read_file("log"), rows[_i].seen[i].text) == rows[_i].seen[i].n,
                              "%s: not %d times %s in:\n%s", rows[_i].mode, rows[_i].seen[i].n, rows[_i].seen[i].text,
                              read_file("log"));
        ck_assert_msg(rows[_i].n_marks < 0 || count(read_file("marks"), "ran") == rows[_i].n_marks, "%s: the job ran %d times",
                      rows[_i].mode, count(read_file("marks"), "ran"));
}
END_TEST

START_TEST(a_second_runner_on_the_same_folder_says_so_and_leaves) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("quiet")), 0);
        pid_t first = start_runner("quiet");
        for (int ms = 0; !strstr(read_file("log"), "up 1"); ms += 5) {
                ck_assert_int_lt(ms, LIMIT_MS);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(unlink(path_of("stderr")), 0);
        pid_t second = start_runner("quiet");
        ck_assert_int_eq(waitpid(second, &status, 0), second);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        char expected[128];
        snprintf(expected, sizeof(expected), "chimed: another instance uses %s (pid %d)\n", path_of("run"), (int)first);
        ck_assert_str_eq(read_file("stderr"), expected);
        ck_assert_int_eq(kill(first, SIGTERM), 0);
        ck_assert_int_eq(waitpid(first, &status, 0), first);
        ck_assert_str_eq(read_file("run/lock"), "");
}
END_TEST

/* What starts us may ignore SIGCHLD, and that is inherited: the kernel would then keep no child's result. */
START_TEST(children_are_ours_to_reap_whatever_was_inherited) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("last-words")), 0);
        signal(SIGCHLD, SIG_IGN);
        pid_t pid = start_runner("last-words");
        signal(SIGCHLD, SIG_DFL);
        for (int ms = 0; !strstr(read_file("log"), "ended success none -"); ms += 5) {
                ck_assert_msg(ms < LIMIT_MS, "in vain; log:\n%s", read_file("log"));
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* The first reading may fail for want of processes or memory: that leaves no daemon without jobs. */
START_TEST(a_reading_that_failed_is_tried_again) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("quiet")), 0);
        ck_assert_int_eq(symlink("nowhere", path_of("reader-fails")), 0);
        pid_t pid = start_runner("quiet");
        for (int ms = 0; !strstr(read_file("log"), "known\n"); ms += 5) {
                ck_assert_msg(ms < LIMIT_MS, "in vain; log:\n%s", read_file("log"));
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_lt(access(path_of("reader-fails"), F_OK), 0);
        ck_assert_int_eq(count(read_file("stderr"), "could not be read"), 1);
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}
END_TEST

/* Who can open the lock file can lock it, and keep us from starting. */
START_TEST(the_lock_is_closed_to_others) {
        struct stat st;
        int status;

        ck_assert_int_eq(symlink(own, path_of("quiet")), 0);
        ck_assert_int_eq(mkdir(path_of("run"), 0755), 0);
        int fd = open(path_of("run/lock"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644); /* of an older version */
        close(fd);
        pid_t pid = start_runner("quiet");
        for (int ms = 0; !strstr(read_file("log"), "up 1"); ms += 5) {
                ck_assert_int_lt(ms, LIMIT_MS);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(stat(path_of("run/lock"), &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}
END_TEST

START_TEST(a_run_folder_that_is_a_link_is_refused) {
        int status;

        ck_assert_int_eq(mkdir(path_of("elsewhere"), 0755), 0);
        ck_assert_int_eq(symlink(path_of("elsewhere"), path_of("run")), 0);
        pid_t pid = start_runner("quiet");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        ck_assert_int_lt(access(path_of("elsewhere/lock"), F_OK), 0);
}
END_TEST

START_TEST(a_run_folder_that_others_can_write_is_refused) {
        int status;

        ck_assert_int_eq(mkdir(path_of("run"), 0777), 0);
        ck_assert_int_eq(chmod(path_of("run"), 0777), 0);
        pid_t pid = start_runner("quiet");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        ck_assert_ptr_nonnull(strstr(read_file("stderr"), "others can write there"));
}
END_TEST

START_TEST(a_scheduler_that_is_not_there_is_an_error_at_once) {
        int status;

        pid_t pid = start_runner("absent");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        ck_assert_ptr_nonnull(strstr(read_file("stderr"), "/absent: No such file or directory"));
}
END_TEST

/* The scheduler dies with a result on its way and the runner is told to stop: the next one still gets it. */
START_TEST(a_result_is_not_lost_when_the_scheduler_dies_before_a_stop) {
        int status;

        ck_assert_int_eq(symlink(own, path_of("last-words")), 0);
        pid_t pid = start_runner("last-words");
        for (int ms = 0; !strstr(read_file("marks"), "ran"); ms += 5) {
                ck_assert_int_lt(ms, LIMIT_MS);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_msg(count(read_file("log"), "ended ") == 1, "%s", read_file("log"));
}
END_TEST

int main(int argc, char **argv) {
        if (argc > 1 && strcmp(argv[1], "--scheduler") == 0)
                return be_scheduler(argv[0]);
        if (argc > 1 && strcmp(argv[1], "--read") == 0)
                return be_reader(argc, argv);
        Suite *suite = suite_create("link");
        TCase *tcase = tcase_create("link");

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_loop_test(tcase, a_lying_scheduler_starts_nothing_and_is_replaced, 0, ARRAY_SIZE(rows));
        tcase_add_test(tcase, a_second_runner_on_the_same_folder_says_so_and_leaves);
        tcase_add_test(tcase, a_scheduler_that_is_not_there_is_an_error_at_once);
        tcase_add_test(tcase, a_result_is_not_lost_when_the_scheduler_dies_before_a_stop);
        tcase_add_test(tcase, children_are_ours_to_reap_whatever_was_inherited);
        tcase_add_test(tcase, a_reading_that_failed_is_tried_again);
        tcase_add_test(tcase, the_lock_is_closed_to_others);
        tcase_add_test(tcase, a_run_folder_that_is_a_link_is_refused);
        tcase_add_test(tcase, a_run_folder_that_others_can_write_is_refused);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
