// SPDX-License-Identifier: MIT
// ledger_schema: the tables of the ledger, the way from an older schema to this one, and the views for people.
#pragma once

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_APPLICATION 0x43484d44 /* "CHMD", in the file's header: no other program's file is taken for a ledger */

/* step k leads from schema k to k + 1; schema 0 is an empty file. Static. */
const char *const *ledger_schema_steps(size_t *ret_n);

/* Brings the file to schema n in one transaction. 0 done, 1 nothing was to be done, -ENOTSUP where the file's schema is newer than n, or
 * another negative errno. */
int ledger_schema_migrate(sqlite3 *db, const char *const *steps, size_t n);
/* Makes the views `runs` and `missed` what they are in this version. 0 or a negative errno. */
int ledger_schema_views(sqlite3 *db);

/* The number in the file that PRAGMA name gives. 0 or a negative errno. */
int ledger_pragma(sqlite3 *db, const char *name, int64_t *ret);
/* Runs SQL that gives no rows. 0 or a negative errno. */
int ledger_exec(sqlite3 *db, const char *sql);
/* The negative errno of the connection's last error: -EUCLEAN for a damaged or foreign file, -ENOSPC, -EBUSY, -EROFS, -EIO and so on. */
int ledger_errno(sqlite3 *db);
/* The same where what was read makes no sense: -EUCLEAN, but for an error that explains it. */
int ledger_damage(sqlite3 *db);
