// SPDX-License-Identifier: MIT
// What a re-executed runner is handed over: it is all there again, and what is damaged or of another version is refused.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/hash.h"
#include "daemon/core/util.h"
#include "daemon/runner/handover.h"
#include "tests/unit/run_suite.h"

#define NOW ((struct clock_sample){.rt_us = 1000, .bt_us = 10})

static struct runner *runner_new(void) {
        struct runner *runner = calloc(1, sizeof(*runner));

        ck_assert_ptr_nonnull(runner);
        run_table_init(&runner->runs);
        definitions_init(&runner->definitions);
        return runner;
}

static void texts_free(char **texts, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(texts[i]);
        free(texts);
}

/* Closes nothing: the descriptors are shared by two. */
static void runner_free(struct runner *runner) {
        for (struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run))
                run->pidfd = run->streams[0].fd = run->streams[1].fd = -1;
        run_table_done(&runner->runs);
        definitions_done(&runner->definitions);
        free(runner->members.list);
        group_list_done(&runner->groups);
        texts_free(runner->diags, runner->n_diags);
        texts_free(runner->zones, runner->n_zones);
        free(runner);
}

static struct hash128 hash_of(unsigned n) {
        return (struct hash128){.word = {n, ~(uint64_t)n}};
}

/* Another generation, in which the job "a" has the definition of that number. */
static void define(struct runner *runner, unsigned number, const char *program) {
        char *argv[] = {(char *)program, NULL};
        struct job_what what;
        struct pack p = {};
        struct definitions_delta delta;

        job_what_init(&what);
        what.argv = argv;
        job_what_encode(&what, &p);
        what.argv = NULL;
        job_what_done(&what);
        ck_assert_int_eq(pack_result(&p), 0);
        struct definition_text text = {.hash = hash_of(number),
                                       .name = "a",
                                       .file = "/etc/a.ini",
                                       .line = number,
                                       .when = "Every=1s\n",
                                       .when_size = 9,
                                       .what = p.data,
                                       .what_size = p.size};
        ck_assert_int_eq(definitions_add(&runner->definitions, &text), 0);
        ck_assert_int_eq(definitions_swap(&runner->definitions, NOW, &delta), 0);
        pack_done(&p);
}

static struct run *start(struct runner *runner, uint64_t number, unsigned definition) {
        struct wire_start order = {.run = number, .hash = hash_of(definition), .attempt = 1};
        struct run *run;

        ck_assert_int_eq(run_table_add(&runner->runs, &order, "a", &run), 0);
        run->phase = RUN_PHASE_RUNNING;
        run->pid = 1234;
        run->pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        run->definition = definitions_by_hash(&runner->definitions, &order.hash);
        ck_assert_ptr_nonnull(run->definition);
        run->definition->n_uses++;
        return run;
}

/* One that has a run in flight of a definition that is retired, one of what is in force, and one that has ended. */
static struct runner *make_runner(void) {
        struct runner *runner = runner_new();

        memset(runner->instance, 7, sizeof(runner->instance));
        runner->link.epoch = 5;
        runner->folder = (struct run_folder){.fd = open("/dev/null", O_RDONLY), .is_first_of_boot = true};
        runner->folder.lock_fd = open("/dev/null", O_RDONLY);
        runner->folder.listen_fd = open("/dev/null", O_RDONLY);
        runner->is_told = runner->is_ready_told = true;
        runner->commit = (struct wire_commit){.generation = 3, .n_jobs = 1, .max_running = 9};
        runner->settings.stop_wait_us = 17;
        strcpy(runner->settings.sendmail, "/bin/mail");
        struct group_text group = {
                .name = strdup("g"), .description = strdup(""), .file = strdup("/etc/g.ini"), .max_running = 2};
        ck_assert_int_eq(group_list_take(&runner->groups, &group), 0);
        runner->diags = calloc(1, sizeof(*runner->diags));
        runner->diags[runner->n_diags++] = strdup("<4>a warning");
        define(runner, 1, "/bin/old");
        start(runner, 10, 1);
        definitions_trail(&runner->definitions, definitions_by_name(&runner->definitions, "a"))->key = 77;
        define(runner, 2, "/bin/new");
        start(runner, 11, 2);
        struct run *run = start(runner, 12, 2);
        run->end.result = RUN_RESULT_SUCCESS;
        run->definition->n_uses--;
        run->definition = NULL;
        run_table_end(&runner->runs, run);
        return runner;
}

static int write_it(const struct runner *runner) {
        int fd = -1;

        ck_assert_int_eq(handover_write(runner, &fd), 0);
        return fd;
}

START_TEST(what_is_handed_over_is_there_again) {
        struct runner *old = make_runner(), *new = runner_new();
        struct job_what what;
        int fd = write_it(old);

        ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
        ck_assert_int_eq(handover_read(new, fd), 0);
        ck_assert_mem_eq(new->instance, old->instance, sizeof(old->instance));
        ck_assert_uint_eq(new->link.epoch, 5);
        ck_assert_mem_eq(&new->folder, &old->folder, sizeof(old->folder));
        ck_assert_int_eq(fcntl(new->folder.lock_fd, F_GETFD), FD_CLOEXEC);
        ck_assert(new->is_told &&new->is_ready_told);
        ck_assert_uint_eq(new->commit.generation, 3);
        ck_assert_uint_eq(new->commit.max_running, 9);
        ck_assert_int_eq(new->settings.stop_wait_us, 17);
        ck_assert_str_eq(new->settings.sendmail, "/bin/mail");
        ck_assert_uint_eq(new->groups.n, 1);
        ck_assert_uint_eq(new->groups.list[0].max_running, 2);
        ck_assert_str_eq(new->diags[0], "<4>a warning");
        ck_assert_uint_eq(new->runs.n, 3);
        ck_assert_uint_eq(new->runs.n_in_flight, 2);
        const struct definition *in_force = definitions_by_name(&new->definitions, "a");
        ck_assert_ptr_eq(run_table_find(&new->runs, 11)->definition, in_force);
        ck_assert_ptr_null(run_table_find(&new->runs, 12)->definition);
        ck_assert_int_eq(in_force->trail->key, 77);
        ck_assert_int_eq(in_force->since_rt_us, NOW.rt_us);
        ck_assert_str_eq(definition_file(in_force), "/etc/a.ini");
        ck_assert_uint_eq(in_force->n_uses, 1);
        ck_assert_int_eq(definition_decode_what(run_table_find(&new->runs, 10)->definition, &what), 0);
        ck_assert_str_eq(what.argv[0], "/bin/old");
        job_what_done(&what);
        /* the retired one is kept for its run, and goes after it */
        definitions_purge(&new->definitions);
        ck_assert_uint_eq(new->definitions.n_retired, 1);
        run_table_find(&new->runs, 10)->definition->n_uses--;
        definitions_purge(&new->definitions);
        ck_assert_uint_eq(new->definitions.n_retired, 0);
        close(fd);
        runner_free(old);
        runner_free(new);
}
END_TEST

/* Reads a copy in which size bytes at `at` are others. */
static int read_changed(int fd, size_t at, const void *bytes, size_t size, size_t cut) {
        struct runner *runner = runner_new();
        struct stat st;
        int copy = memfd_create("copy", MFD_CLOEXEC);

        ck_assert_int_eq(fstat(fd, &st), 0);
        _cleanup_free_ uint8_t *data = malloc((size_t)st.st_size);
        ck_assert_int_eq(pread(fd, data, (size_t)st.st_size, 0), st.st_size);
        memcpy(data + at, bytes, size);
        ck_assert_int_eq(write(copy, data, (size_t)st.st_size - cut), st.st_size - (ssize_t)cut);
        int r = handover_read(runner, copy);
        close(copy);
        runner_free(runner);
        return r;
}

START_TEST(damage_is_found_wherever_it_is) {
        struct runner *old = make_runner();
        int fd = write_it(old);
        struct stat st;

        ck_assert_int_eq(fstat(fd, &st), 0);
        for (size_t at = 0; at < (size_t)st.st_size; at++) {
                uint8_t byte;
                ck_assert_int_eq(pread(fd, &byte, 1, (off_t)at), 1);
                byte ^= 0x10;
                int r = read_changed(fd, at, &byte, 1, 0);
                ck_assert_msg(r == -EBADMSG, "byte %zu: %d", at, r);
        }
        for (size_t cut = 1; cut <= (size_t)st.st_size; cut++) {
                int r = read_changed(fd, 0, "", 0, cut);
                ck_assert_msg(r == -EBADMSG, "cut by %zu: %d", cut, r);
        }
        close(fd);
        runner_free(old);
}
END_TEST

START_TEST(another_version_is_refused_by_name) {
        static const uint8_t key[16] = "chimed handover";
        struct runner *old = make_runner();
        int fd = write_it(old);
        uint64_t head[2];

        /* size and hash, magic, version */
        ck_assert_int_eq(pread(fd, head, sizeof(head), 0), sizeof(head));
        _cleanup_free_ uint8_t *chunk = malloc(sizeof(head) + head[0]);
        ck_assert_int_eq(pread(fd, chunk, sizeof(head) + head[0], 0), (ssize_t)(sizeof(head) + head[0]));
        chunk[sizeof(head) + sizeof(uint64_t)]++;
        head[1] = hash_64(key, chunk + sizeof(head), head[0]);
        memcpy(chunk, head, sizeof(head));
        ck_assert_int_eq(read_changed(fd, 0, chunk, sizeof(head) + head[0], 0), -EPROTONOSUPPORT);
        close(fd);
        runner_free(old);
}
END_TEST

START_TEST(a_run_that_is_being_launched_holds_it_up) {
        struct runner *runner = make_runner();
        int fd = -1;

        run_table_find(&runner->runs, 10)->phase = RUN_PHASE_LAUNCHING;
        ck_assert_int_eq(handover_write(runner, &fd), -EBUSY);
        ck_assert_int_eq(fd, -1);
        runner_free(runner);
}
END_TEST

START_TEST(a_descriptor_that_is_not_there_is_damage_too) {
        struct runner *old = make_runner(), *new = runner_new();
        int fd = write_it(old);

        close(run_table_find(&old->runs, 11)->pidfd);
        ck_assert_int_eq(handover_read(new, fd), -EBADF);
        close(fd);
        runner_free(old);
        runner_free(new);
}
END_TEST

START_TEST(what_a_job_runs_in_another_form_waits_for_the_files) {
        struct runner *old = make_runner(), *new = runner_new();
        struct definition *d = definitions_by_name(&old->definitions, "a");

        d->manner->data[0]++; /* the version */
        int fd = write_it(old);
        d->manner->data[0]--;
        ck_assert_int_eq(handover_read(new, fd), 0);
        ck_assert_uint_eq(new->commit.generation, 0); /* nothing is told yet */
        ck_assert_uint_eq(new->runs.n_in_flight, 2);
        ck_assert_int_eq(definitions_by_name(&new->definitions, "a")->trail->key, 77);
        close(fd);
        runner_free(old);
        runner_free(new);
}
END_TEST

START_TEST(processes_that_are_known_to_be_of_a_run_are_known_again) {
        static const struct tree_callbacks callbacks = {};
        struct runner *old = make_runner(), *new = runner_new();
        struct tree_members members = {.list = calloc(2, sizeof(*members.list)), .n = 2, .allocated = 2};
        struct loop *loop;

        members.list[0] = (struct tree_member){.run = 10, .start_time = UINT64_MAX, .pid = 17};
        members.list[1] = (struct tree_member){.run = UINT64_MAX, .start_time = 3, .pid = 4194304};
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(tree_new(loop, NULL, &callbacks, NULL, &old->tree), 0);
        tree_remember(old->tree, &members);
        ck_assert_ptr_null(members.list);
        int fd = write_it(old);
        ck_assert_int_eq(handover_read(new, fd), 0);
        ck_assert_uint_eq(new->members.n, 2);
        for (size_t i = 0; i < 2; i++) {
                const struct tree_member *a = &tree_members(old->tree)->list[i], *b = &new->members.list[i];
                ck_assert(a->run == b->run && a->start_time == b->start_time && a->pid == b->pid);
        }
        close(fd);
        tree_free(old->tree);
        loop_free(loop);
        runner_free(old);
        runner_free(new);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("handover");
        TCase *tcase = tcase_create("handover");

        tcase_add_test(tcase, what_is_handed_over_is_there_again);
        tcase_add_test(tcase, damage_is_found_wherever_it_is);
        tcase_add_test(tcase, processes_that_are_known_to_be_of_a_run_are_known_again);
        tcase_add_test(tcase, another_version_is_refused_by_name);
        tcase_add_test(tcase, a_run_that_is_being_launched_holds_it_up);
        tcase_add_test(tcase, a_descriptor_that_is_not_there_is_damage_too);
        tcase_add_test(tcase, what_a_job_runs_in_another_form_waits_for_the_files);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
