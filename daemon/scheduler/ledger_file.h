// SPDX-License-Identifier: MIT
// ledger_file: finds, checks and opens the file of the ledger, or puts it aside and begins a new one.
// Blocks; called by the writer thread only.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define LEDGER_PATH_MAX  4096
#define LEDGER_ASIDE_MAX 5                 /* damaged files that are kept; the oldest goes */
#define LEDGER_CHECK_MAX (4 * 1024 * 1024) /* bytes of a file that is checked as a whole when it is opened */

/* What is known of a file before it is used. */
struct ledger_file {
        sqlite3 *db; /* WAL, FULL, own checkpoints */
        int lock_fd; /* where db is: the folder, locked against a second scheduler */
        bool is_new;
        bool is_volatile; /* in memory: a reboot forgets it */
        char aside[64];   /* what was put aside, "" for nothing */
        uint8_t uuid[16];
        int64_t seq; /* commits so far */
};

/* Opens the file in a folder, made if missing. A damaged one, and a write-ahead log of another file or time, is put aside.
 * 0; -EBUSY while another process writes there; -ENOTSUP where a newer chimed made it (it stays as it is); -EPERM where the folder is not the caller's alone; or a negative errno. */
int ledger_file_open(const char *folder, int64_t now_rt_us, struct ledger_file *ret);
/* Renames the file, which nobody may have open for writing, to ledger.db.corrupt-TIME; what belongs to it goes with it. */
int ledger_file_put_aside(const char *folder, int64_t now_rt_us, char ret_name[static 64]);
/* Sets what each connection of ours has; busy_ms is how long it waits for another's lock. 0 or a negative errno. */
int ledger_file_configure(sqlite3 *db, int busy_ms);
/* True where the path no longer leads to the file that is open. */
bool ledger_file_has_moved(sqlite3 *db);
