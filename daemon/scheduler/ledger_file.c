// SPDX-License-Identifier: MIT
// ledger_file: SQLite itself finds a file that is cut short or not a database. What it can't find is a write-ahead log that belongs to
// another file or to an older copy of this one: it would be read into it. So the main file is first read alone, and then
// with its log: identity and count of commits must agree. An integrity check of a large file takes minutes: only small ones get it;
// damage that is met later is dealt with then.

#include "daemon/scheduler/ledger_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/ledger.h"
#include "daemon/scheduler/ledger_schema.h"

#define BUSY_MS              250
#define HEADER_SIZE          100 /* of the file format: "1.3. The Database Header" */
#define HEADER_APPID         68
#define HEADER_WRITE_VERSION 18 /* over 2: read-only for all that know no more than that */

static const char magic[16] = "SQLite format 3";

/* ---- the folder ---- */

/* Opens and locks it: a scheduler whose runner has died still writes what it knows when the next one comes. The lock is that of the
 * descriptor. */
static int open_folder(const char *folder) {
        struct stat st;

        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                return -errno;
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = fstat(fd, &st) < 0 ? -errno : 0;
        if (r >= 0 && (st.st_uid != geteuid() || (st.st_mode & 022) != 0))
                r = -EPERM;
        if (r >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) /* some file systems have no locks */
                r = -EBUSY;
        if (r < 0) {
                util_close(fd);
                return r;
        }
        return fd;
}

/* Size of a file of the folder; -1: there is none, or it is not a regular file of ours. */
static int64_t size_of(int folder_fd, const char *name) {
        struct stat st;
        bool is_file = fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid();
        return is_file ? st.st_size : -1;
}

static bool is_in_memory(int folder_fd) {
        struct statfs fs;
        return fstatfs(folder_fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static bool is_there(int folder_fd, const char *name) {
        struct stat st;
        return fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- putting aside ---- */

static int is_aside(const struct dirent *entry) {
        return strncmp(entry->d_name, LEDGER_FILE ".corrupt-", strlen(LEDGER_FILE ".corrupt-")) == 0 &&
               !strstr(entry->d_name, "-wal");
}

/* A disk that damages the file again and again must not be filled by what is put aside. */
static void remove_oldest(int folder_fd) {
        struct dirent **entries = NULL;
        int n = scandirat(folder_fd, ".", &entries, is_aside, alphasort);
        for (int k = 0; k < n; k++) {
                char wal[300];
                if (k + LEDGER_ASIDE_MAX < n) {
                        snprintf(wal, sizeof(wal), "%s-wal", entries[k]->d_name);
                        (void)unlinkat(folder_fd, entries[k]->d_name, 0);
                        (void)unlinkat(folder_fd, wal, 0);
                }
                free(entries[k]);
        }
        free(entries);
}

static int put_aside(int folder_fd, int64_t now_rt_us, bool is_wal_only, char ret_name[static 64]) {
        time_t now = (time_t)(now_rt_us / USEC_PER_SEC);
        struct tm tm = {};
        char name[64], wal[80];
        size_t length = 0;

        gmtime_r(&now, &tm);
        length = strftime(name, sizeof(name), LEDGER_FILE ".corrupt-%Y%m%dT%H%M%SZ", &tm);
        snprintf(wal, sizeof(wal), "%s-wal", name);
        for (int k = 2; is_there(folder_fd, name) || is_there(folder_fd, wal); k++) {
                if (k > 99)
                        return -EEXIST;
                snprintf(name + length, sizeof(name) - length, "-%d", k);
                snprintf(wal, sizeof(wal), "%s-wal", name);
        }
        if (!is_wal_only && renameat(folder_fd, LEDGER_FILE, folder_fd, name) < 0 && errno != ENOENT)
                return -errno;
        if (renameat(folder_fd, LEDGER_FILE "-wal", folder_fd, wal) < 0 && errno != ENOENT)
                return -errno;
        (void)unlinkat(folder_fd, LEDGER_FILE "-shm", 0);
        (void)fsync(folder_fd);
        remove_oldest(folder_fd);
        snprintf(ret_name, 64, "%.63s", is_wal_only ? wal : name);
        return 0;
}

int ledger_file_put_aside(const char *folder, int64_t now_rt_us, char ret_name[static 64]) {
        _cleanup_close_ int fd = open_folder(folder);
        return fd < 0 ? fd : put_aside(fd, now_rt_us, false, ret_name);
}

/* ---- looking at it ---- */

/* Read through SQLite: a process loses its locks on a file with any descriptor of it that it closes. */
static int check_header(sqlite3 *db) {
        uint8_t header[HEADER_SIZE];
        sqlite3_file *file = NULL;
        if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods)
                return -EIO;
        int r = file->pMethods->xRead(file, header, sizeof(header), 0);
        if (r != SQLITE_OK)
                return r == SQLITE_IOERR_SHORT_READ ? -EUCLEAN : -EIO;
        if (memcmp(header, magic, sizeof(magic)) != 0 || header[HEADER_WRITE_VERSION] > 2)
                return -EUCLEAN;
        const uint8_t *id = header + HEADER_APPID;
        uint32_t application = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
        return application == LEDGER_APPLICATION ? 0 : -EUCLEAN;
}

/* Whose file it is, and how far. 0, -EUCLEAN, or another negative errno. */
static int read_identity(sqlite3 *db, uint8_t ret_uuid[static 16], int64_t *ret_seq) {
        sqlite3_stmt *statement = NULL;
        int r = sqlite3_prepare_v2(db, "SELECT uuid, seq FROM meta", -1, &statement, NULL) == SQLITE_OK ? 0 : ledger_errno(db);
        if (r >= 0 && (sqlite3_step(statement) != SQLITE_ROW || sqlite3_column_bytes(statement, 0) != 16))
                r = ledger_damage(db);
        if (r >= 0) {
                memcpy(ret_uuid, sqlite3_column_blob(statement, 0), 16);
                *ret_seq = sqlite3_column_int64(statement, 1);
        }
        sqlite3_finalize(statement);
        return r;
}

/* The path as an URI: what could end it is written as a number. */
static int make_uri(const char *path, const char *options, char ret[static LEDGER_PATH_MAX]) {
        size_t n = 0;
        FILE *f = fmemopen(ret, LEDGER_PATH_MAX, "w");
        if (!f)
                return -errno;
        n += (size_t)fprintf(f, "file:");
        for (const char *c = path; *c; c++)
                n += (size_t)(strchr("%?#", *c) ? fprintf(f, "%%%02x", *c) : fprintf(f, "%c", *c));
        n += (size_t)fprintf(f, "?%s", options);
        return fclose(f) == 0 && n < LEDGER_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The identity in the main file, whatever its log says. 1; 0 where it can't be told; or a negative errno: it is no ledger. */
static int read_main_file(const char *path, uint8_t ret_uuid[static 16], int64_t *ret_seq) {
        char uri[LEDGER_PATH_MAX];
        sqlite3 *db = NULL;

        int r = make_uri(path, "mode=ro&immutable=1", uri);
        if (r < 0)
                return r;
        int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
        if (sqlite3_open_v2(uri, &db, flags, NULL) == SQLITE_OK)
                r = check_header(db);
        else
                r = db ? ledger_errno(db) : -ENOMEM;
        if (r >= 0)
                r = read_identity(db, ret_uuid, ret_seq) >= 0;
        sqlite3_close(db);
        return r;
}

/* Small files as a whole; of large ones that each table can be read at both ends. */
static int check_content(sqlite3 *db) {
        static const char ends[] =
                "SELECT count(*) FROM (SELECT run FROM run ORDER BY run LIMIT 8), (SELECT run FROM run ORDER BY run DESC LIMIT "
                "8),"
                " (SELECT id FROM job LIMIT 8), (SELECT id FROM job ORDER BY id DESC LIMIT 8), (SELECT id FROM slots ORDER"
                " BY id DESC LIMIT 8), (SELECT id FROM segment ORDER BY id DESC LIMIT 8), (SELECT id FROM clock ORDER BY id"
                " DESC LIMIT 8), (SELECT run FROM value LIMIT 1), (SELECT id FROM policy LIMIT 1)";
        int64_t pages = 0, page_size = 0;
        sqlite3_stmt *statement = NULL;

        int r = ledger_pragma(db, "page_count", &pages);
        if (r >= 0)
                r = ledger_pragma(db, "page_size", &page_size);
        if (r < 0)
                return r;
        const char *sql = pages * page_size <= LEDGER_CHECK_MAX ? "PRAGMA integrity_check(1)" : ends;
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW)
                r = ledger_damage(db);
        else if (sql != ends) {
                const char *text = (const char *)sqlite3_column_text(statement, 0);
                if (!text || strcmp(text, "ok") != 0)
                        r = ledger_damage(db);
        }
        sqlite3_finalize(statement);
        return r;
}

/* ---- opening ---- */

int ledger_file_configure(sqlite3 *db, int busy_ms) {
        (void)sqlite3_extended_result_codes(db, 1);
        (void)sqlite3_busy_timeout(db, busy_ms);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        return ledger_exec(
                db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096");
}

bool ledger_file_has_moved(sqlite3 *db) {
        int has_moved = 0;
        return sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) == SQLITE_OK && has_moved;
}

/* Closes without reading the log into the file. */
static sqlite3 *close_as_it_is(sqlite3 *db) {
        if (db)
                (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_close(db);
        return NULL;
}

static int set_up(sqlite3 *db, struct ledger_file *ret) {
        size_t n;
        const char *const *steps = ledger_schema_steps(&n);
        int r = ledger_file_configure(db, BUSY_MS);
        if (r >= 0)
                r = ledger_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                                    " PRAGMA journal_size_limit = 16777216");
        if (r >= 0)
                r = ledger_schema_migrate(db, steps, n);
        bool is_changed = r == 0;
        if (r >= 0)
                r = read_identity(db, ret->uuid, &ret->seq);
        if (r >= 0)
                r = check_content(db);
        if (r >= 0)
                r = ledger_schema_views(db);
        if (r >= 0 && is_changed) /* so that the main file alone says whose it is */
                r = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK ? 0
                                                                                                             : ledger_errno(db);
        return r;
}

static int open_path(const char *path, struct ledger_file *ret) {
        sqlite3 *db = NULL;
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
        int r = sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK ? 0 : db ? ledger_errno(db) : -ENOMEM;
        if (r >= 0)
                r = set_up(db, ret);
        if (r < 0) {
                close_as_it_is(db);
                return r;
        }
        ret->db = db;
        return 0;
}

static int make_file(int folder_fd) {
        _cleanup_close_ int fd = openat(folder_fd, LEDGER_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        return fd < 0 ? -errno : 0;
}

/* Opens a file that is there. 1 where its log is not its own, or spoils it. */
static int open_old(const char *path, int folder_fd, struct ledger_file *ret) {
        uint8_t uuid[16];
        int64_t seq = 0;
        int r = read_main_file(path, uuid, &seq);
        if (r < 0)
                return r;
        bool is_known = r == 1;
        bool has_wal = size_of(folder_fd, LEDGER_FILE "-wal") > 0;
        r = open_path(path, ret);
        if (!has_wal || !is_known)
                return r;
        if (r >= 0 && (memcmp(uuid, ret->uuid, 16) != 0 || ret->seq < seq)) {
                ret->db = close_as_it_is(ret->db);
                return 1;
        }
        return r == -EUCLEAN ? 1 : r;
}

static int begin_new(const char *path, int folder_fd, struct ledger_file *ret) {
        int r = make_file(folder_fd);
        if (r >= 0)
                r = open_path(path, ret);
        if (r >= 0)
                ret->is_new = true;
        return r;
}

int ledger_file_open(const char *folder, int64_t now_rt_us, struct ledger_file *ret) {
        struct ledger_file file = {};
        char path[LEDGER_PATH_MAX / 2];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, LEDGER_FILE) >= sizeof(path))
                return -ENAMETOOLONG;
        _cleanup_close_ int folder_fd = open_folder(folder);
        if (folder_fd < 0)
                return folder_fd;
        bool is_empty = size_of(folder_fd, LEDGER_FILE) == 0 || !is_there(folder_fd, LEDGER_FILE);
        int r = is_empty && size_of(folder_fd, LEDGER_FILE "-wal") <= 0 ? begin_new(path, folder_fd, &file)
                : size_of(folder_fd, LEDGER_FILE) <= 0                  ? -EUCLEAN
                                                                        : open_old(path, folder_fd, &file);
        if (r == 1) {
                r = put_aside(folder_fd, now_rt_us, true, file.aside);
                if (r >= 0)
                        r = open_old(path, folder_fd, &file);
        }
        if (r == -EUCLEAN) {
                r = put_aside(folder_fd, now_rt_us, false, file.aside);
                if (r >= 0)
                        r = begin_new(path, folder_fd, &file);
        }
        if (r < 0)
                return r;
        file.is_volatile = is_in_memory(folder_fd);
        file.lock_fd = folder_fd;
        folder_fd = -1;
        *ret = file;
        return 0;
}
