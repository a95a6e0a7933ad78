// SPDX-License-Identifier: MIT
// vault: the ledger as the link uses it: what it had when it was opened, the keeper that fills it, and what waits for a commit:
// acknowledgements and claims.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/scheduler/book.h"
#include "daemon/scheduler/engine.h"
#include "daemon/scheduler/ledger.h"

#define VAULT_OPEN_US  (5 * USEC_PER_SEC) /* scheduling waits so long for a ledger that may open yet, then begins without one */
#define VAULT_CLOSE_US (2 * USEC_PER_SEC) /* and the end so long for the last commit */
#define VAULT_ASK_MAX  64                 /* open questions */
#define VAULT_ASK_US   (1 * USEC_PER_SEC) /* a question waits so long for the commit of what it may be about */

struct vault;

/* Opens the ledger in a folder. on_change is called by the loop when the ledger has opened or given up, and when a commit is durable.
 * loop, journal and agendas are borrowed. 0 or a negative errno. */
int vault_new(struct loop *loop, struct journal *journal, struct agendas *agendas, const char *folder,
              int (*on_change)(void *userdata), void *userdata, struct vault **ret);
/* Writes what is left and closes. engine and book may be NULL: nothing is left. Takes NULL, returns NULL. */
struct vault *vault_free(struct vault *v, struct engine *e, const struct book *b, struct clock_sample now);

/* How many bytes the ledger's rows may take. */
void vault_set_size(struct vault *v, uint64_t bytes);
/* Whether the ledger has opened, or given up: HELLO can be answered. */
bool vault_is_settled(const struct vault *v);
/* Restores jobs into a new engine and book, for this runner. The vault is in use from then on, if it has opened. 0 or -ENOMEM. */
int vault_begin(struct vault *v, struct engine *e, struct book *b, struct clock_sample now, const struct wire_hello *hello);
/* Whether results wait for a commit before they are acknowledged. */
bool vault_is_on(const struct vault *v);

/* An action, after the book has it; and, for an end, its acknowledgement waits. 0 or -ENOMEM. */
int vault_note(struct vault *v, struct engine *e, const struct book *b, struct clock_sample now, const struct action *a,
               const void *value, size_t value_size);
/* Writes what is due. To be called when all actions are taken. 0; -ENOMEM where engine or rows have lost something: nothing that was decided
 * since the last commit is written then, and the process is to end, so that another one begins from there. */
int vault_flush(struct vault *v, struct engine *e, const struct book *b, struct clock_sample now);
/* When vault_flush() wants to be called (BOOTTIME), INT64_MAX for never. */
int64_t vault_next_flush(const struct vault *v);
/* Something was decided in part only: nothing that has no commit yet is written any more. Takes NULL. */
void vault_give_up(struct vault *v);
/* Nothing starts any more: no slot that passes until vault_free() may have been started. From now on every result is committed at once, for
 * there is little time. */
void vault_hurry(struct vault *v, struct clock_sample now);
/* A run that may be acknowledged to the runner now; false where there is none. */
bool vault_next_ack(struct vault *v, uint64_t *ret_run);
/* The same for hosts: what was noted until the first had risen to a number (asked behind each vault_flush()) is durable when the second has
 * come to that. */
uint64_t vault_era(const struct vault *v);
uint64_t vault_kept_era(struct vault *v);
/* The latest commit that is not durable yet, 0: all is; and the latest that is. */
uint64_t vault_pending(const struct vault *v);
uint64_t vault_committed(const struct vault *v);
/* A horizon that is durable now; false where there is none. */
bool vault_next_claim(struct vault *v, struct clock_sample *ret);

/* Asks the ledger, as ledger_ask(), when what was decided until now is committed; where that takes longer than VAULT_ASK_US, without
 * it. Questions make at most one commit in KEEPER_RESULT_US. has_asked: one that follows from an answer; what is committed already
 * is enough for it. 0; -ENOTCONN: it did not open, and is not in use; -EBUSY; -ENOMEM. */
int vault_ask(struct vault *v, struct clock_sample now, const struct ledger_query *query, bool has_asked, ledger_answer_fn fn,
              void *userdata, uint64_t *ret_ticket);
/* The answer is no longer wanted. */
void vault_forget(struct vault *v, uint64_t ticket);
