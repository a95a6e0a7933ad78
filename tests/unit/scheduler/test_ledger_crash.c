// SPDX-License-Identifier: MIT
// ST3, ST4, ST6: what was acknowledged is there after a kill -9, a failed sync and a full disk, whole batches only and each once.
// CHIMED_KILLS=300 makes it longer.

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/unit/scheduler/ledger_rig.h"

/* ---- the sync, which SQLite takes from here ---- */

static atomic_int n_syncs, n_failing_syncs, sync_delay_us;

static int sync_or_fail(int fd, long call) {
        atomic_fetch_add(&n_syncs, 1);
        if (atomic_load(&sync_delay_us) > 0)
                usleep((useconds_t)atomic_load(&sync_delay_us));
        if (atomic_load(&n_failing_syncs) > 0 && atomic_fetch_sub(&n_failing_syncs, 1) > 0) {
                errno = EIO;
                return -1;
        }
        return (int)syscall(call, fd);
}

int fdatasync(int fd) {
        return sync_or_fail(fd, SYS_fdatasync);
}

int fsync(int fd) {
        return sync_or_fail(fd, SYS_fsync);
}

/* ---- kill -9 ---- */

#define PER_BATCH 3

/* Batch k: runs 3k-2..3k, slot k, and a count of k. */
static uint64_t put_batch(uint64_t k) {
        for (uint64_t run = PER_BATCH * (k - 1) + 1; run <= PER_BATCH * k; run++)
                rig_put_run("a", run, RUN_RESULT_SUCCESS, "some value");
        rig_put_range("a", SLOT_RAN, (int64_t)k, 1);
        ledger_put_job(rig.ledger, &(struct ledger_job){.name = "a", .when = "Every=1s\n", .counts.runs = k});
        return ledger_commit(rig.ledger);
}

static struct ledger_limits everything(void) {
        struct ledger_limits l = rig_limits;
        l.runs = 10000000;
        return l;
}

static int report_fd;
static uint64_t first_batch;

static void report(void *userdata, uint64_t number) {
        (void)userdata;
        uint64_t batch = first_batch + number - 1;
        if (write(report_fd, &batch, sizeof(batch)) != sizeof(batch))
                _exit(1);
}

/* Writes batches as fast as they are acknowledged, some ahead, until it is killed. */
static void write_for_ever(uint64_t first) {
        struct ledger_callbacks callbacks = rig_callbacks;
        struct ledger_limits l = everything();
        first_batch = first;
        callbacks.on_committed = report;
        if (loop_new(&rig.loop) < 0 || ledger_new_limited(rig.loop, rig.folder, &l, &callbacks, NULL, &rig.ledger) < 0)
                _exit(1);
        for (uint64_t k = first;; k++) {
                uint64_t number = put_batch(k);
                while (number > ledger_committed(rig.ledger) + 5)
                        (void)loop_run_once(rig.loop, -1);
                (void)loop_run_once(rig.loop, 0);
        }
}

/* The latest batch that a killed child reported. */
static uint64_t kill_child(pid_t child, int fd, useconds_t after_us) {
        uint64_t batch = 0, latest = 0;
        if (read(fd, &latest, sizeof(latest)) != sizeof(latest)) /* from then on it is at work */
                ck_abort_msg("the child wrote nothing");
        usleep(after_us);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(fd, &batch, sizeof(batch)) == sizeof(batch))
                latest = batch;
        close(fd);
        return latest;
}

static uint64_t check_after_kill(int kill_number, uint64_t acknowledged) {
        struct ledger_limits l = everything();
        rig_begin(&l);
        rig_until(rig.is_open);
        ck_assert_str_eq(rig.state.aside, "");
        ck_assert_uint_eq(rig.n_jobs, 1);
        uint64_t k = rig.jobs[0].counts.runs;
        ck_assert_msg(k >= acknowledged, "kill %d: %lu batches are there, %lu were acknowledged", kill_number, (unsigned long)k,
                      (unsigned long)acknowledged);
        rig_close();
        ck_assert_uint_eq((uint64_t)rig_sql("SELECT count(*) FROM run"), PER_BATCH * k);
        ck_assert_uint_eq((uint64_t)rig_sql("SELECT max(run) FROM run"), PER_BATCH * k);
        ck_assert_uint_eq((uint64_t)rig_sql("SELECT sum(n) FROM slots"), k);
        ck_assert_uint_eq((uint64_t)rig_sql("SELECT count(*) FROM value"), 1);
        return k;
}

START_TEST(acknowledged_batches_survive_a_kill) {
        const char *text = getenv("CHIMED_KILLS");
        int n = text ? atoi(text) : 20;
        uint64_t next = 1;
        srandom((unsigned)getpid());
        for (int k = 0; k < n; k++) {
                int fds[2];
                ck_assert_int_eq(pipe(fds), 0);
                pid_t child = fork();
                if (child == 0) {
                        close(fds[0]);
                        report_fd = fds[1];
                        write_for_ever(next);
                }
                close(fds[1]);
                uint64_t acknowledged = kill_child(child, fds[0], (useconds_t)(random() % 20000));
                next = check_after_kill(k, acknowledged) + 1;
        }
        ck_assert_int_eq(rig_count_files("corrupt"), 0);
}
END_TEST

/* ---- the disk ---- */

START_TEST(failed_syncs_lose_and_double_nothing) {
        struct ledger_limits l = everything();
        rig_begin(&l);
        rig_until(rig.is_open);
        for (uint64_t k = 1; k <= 12; k++) {
                if (k % 3 == 0)
                        atomic_store(&n_failing_syncs, (int)(k / 3)); /* once, twice, three and four times in a row */
                uint64_t number = put_batch(k);
                rig_until(ledger_committed(rig.ledger) >= number);
                ck_assert_int_eq(atomic_load(&n_failing_syncs) > 0, 0);
                ck_assert_int_eq(rig_sql("SELECT sum(n) FROM slots"), (int64_t)k);
                ck_assert_int_eq(rig_sql("SELECT count(*) FROM run"), (int64_t)(PER_BATCH * k));
        }
        rig_until(rig.n_troubles[0] > 1);
        ck_assert_int_eq(rig.n_lost, 0);
        rig_close();
        ck_assert_uint_eq(check_after_kill(0, 0), 12);
}
END_TEST

/* Whether somebody holds SQLite's lock of a reader, as another process sees it. */
static bool is_locked(void) {
        pid_t child = fork();
        if (child == 0) {
                struct flock shared = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
                int fd = open(rig.file, O_RDWR | O_CLOEXEC);
                _exit(fd < 0 || fcntl(fd, F_GETLK, &shared) < 0 ? 2 : shared.l_type != F_UNLCK);
        }
        int status = 0;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        return WEXITSTATUS(status) == 1;
}

/* Who closes the file last takes its log away; a process loses its locks with any descriptor that it closes. */
START_TEST(the_file_stays_locked_when_it_is_opened_anew) {
        rig_open();
        for (uint64_t k = 1; k <= 3; k++) {
                atomic_store(&n_failing_syncs, k > 1);
                uint64_t number = put_batch(k);
                rig_until(ledger_committed(rig.ledger) >= number);
                ck_assert(is_locked());
                rig_ask((struct ledger_query){.question = LEDGER_RUNS});
                ck_assert(is_locked());
        }
}
END_TEST

START_TEST(commits_behind_a_slow_sync_are_one) {
        rig_open();
        put_batch(1);
        rig_commit();
        atomic_store(&sync_delay_us, 100000);
        int before = atomic_load(&n_syncs);
        int64_t worst_us = 0;
        uint64_t number = 0;
        for (uint64_t k = 2; k <= 500; k++) {
                int64_t began_us = clock_awake_us();
                number = put_batch(k);
                (void)loop_run_once(rig.loop, 0);
                began_us = clock_awake_us() - began_us;
                worst_us = began_us > worst_us ? began_us : worst_us;
        }
        rig_until(ledger_committed(rig.ledger) == number);
        int n = atomic_load(&n_syncs) - before;
        atomic_store(&sync_delay_us, 0);
        ck_assert_msg(n <= 10, "%d syncs", n);
        ck_assert_int_lt(worst_us, 50000); /* the loop did not wait for any of them */
}
END_TEST

START_TEST(full_disk_is_waited_out) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", rig.folder, "tmpfs", 0, "size=640k,mode=0700") < 0) {
                printf("skip: no mount of our own here: %s\n", strerror(errno));
                return;
        }
        struct ledger_limits l = everything();
        rig_begin(&l);
        rig_until(rig.is_open);
        uint64_t k = 0, number = 0;
        while (rig.trouble != -ENOSPC) {
                ck_assert_uint_lt(++k, 20000);
                number = put_batch(k);
                while (number > ledger_committed(rig.ledger) + 20 && rig.trouble != -ENOSPC)
                        (void)loop_run_once(rig.loop, 100000);
                (void)loop_run_once(rig.loop, 0);
        }
        ck_assert_uint_gt(number, ledger_committed(rig.ledger));
        ck_assert_int_eq(mount("tmpfs", rig.folder, "tmpfs", MS_REMOUNT, "size=64m,mode=0700"), 0);
        rig_until(ledger_committed(rig.ledger) == number);
        rig_until(rig.trouble == 0);
        ck_assert_int_eq(rig.n_lost, 0);
        rig_close();
        ck_assert_uint_eq(check_after_kill(0, k), k);
        ck_assert_int_eq(umount(rig.folder), 0);
}
END_TEST

START_TEST(end_does_not_wait_longer_than_told) {
        rig_open();
        put_batch(1);
        rig_commit();
        atomic_store(&sync_delay_us, 3000000);
        put_batch(2);
        int64_t began_us = clock_awake_us();
        rig.ledger = ledger_free(rig.ledger, 100000);
        ck_assert_int_lt(clock_awake_us() - began_us, 2 * USEC_PER_SEC);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ledger-crash");
        TCase *tcase = tcase_create("crash");
        suite_add_tcase(suite, tcase);
        tcase_set_timeout(tcase, 300);
        tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
        tcase_add_test(tcase, acknowledged_batches_survive_a_kill);
        tcase_add_test(tcase, failed_syncs_lose_and_double_nothing);
        tcase_add_test(tcase, the_file_stays_locked_when_it_is_opened_anew);
        tcase_add_test(tcase, commits_behind_a_slow_sync_are_one);
        tcase_add_test(tcase, full_disk_is_waited_out);
        tcase_add_test(tcase, end_does_not_wait_longer_than_told);
        return run_suite(suite);
}
