// SPDX-License-Identifier: MIT
// link: the scheduler's end of the link to the runner: records to engine events, engine actions to records and to the story.
#pragma once

#include "daemon/core/channel.h"
#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/scheduler/engine.h"

#define LINK_QUEUE_MARK     (512 * 1024) /* bytes of orders that wait: beyond it no slot is looked at until the runner has read */
#define LINK_QUEUE_LIMIT    (16 * 1024 * 1024)   /* for what can't wait: answers, and what is due at a commit */
#define LINK_PACE_US        USEC_PER_MSEC        /* where ticks of hosts are many, those of so long travel together: */
#define LINK_PACE_WINDOW_US (10 * USEC_PER_MSEC) /* with LINK_PACE_TICKS in so long, until there are less than half of it */
#define LINK_PACE_TICKS     200
#define LINK_PATIENCE_US    (5 * USEC_PER_SEC) /* a runner that reads nothing for so long is told */

struct link;

/* What others hear of the link. All borrowed for the call, which may ask the engine but not change it. */
struct link_listener {
        /* Each action of the engine, after the story and the book have it; value as for story_tell(). */
        void (*on_action)(void *userdata, struct clock_sample now, const struct action *a, const void *value,
                          size_t value_size);
        /* A diagnostic of the reading that the next commit ends, as FILE:LINE:COLUMN: TEXT. */
        void (*on_diag)(void *userdata, bool is_error, const char *text);
        /* A generation is in force. The first one: commands may come. */
        void (*on_commit)(void *userdata, struct clock_sample now, const struct wire_commit *commit);
        void (*on_described)(void *userdata, const struct wire_described *described);
        void (*on_output)(void *userdata, const struct wire_bytes *piece);
        /* More of the ledger is durable. */
        void (*on_durable)(void *userdata, uint64_t number);
        /* Nothing more is started. */
        void (*on_stopping)(void *userdata);
        /* Whether somebody wants the output of a run of this job, which is about to start. */
        bool (*is_watched)(void *userdata, uint32_t job, uint64_t run);
};

/* Takes the descriptors of the link; hosts_fd, over which those of hosts come, may be -1: there are none. loop and journal are borrowed. The runner speaks first.
 * When the link ends the loop is ended: with status 0 where the runner closed it, 1 where it spoke nonsense. */
int link_new(struct loop *loop, struct journal *journal, int control_fd, int output_fd, int hosts_fd, struct link **ret);
/* Keeps a ledger in a folder; before the runner has spoken. 0 or a negative errno. */
int link_keep(struct link *link, const char *folder);
/* Something could not be done for lack of memory, and may have been done in part: what is not committed yet never is, so that the next scheduler
 * begins from before it. */
void link_give_up(struct link *link);
struct link *link_free(struct link *link);

/* Time has come, or the wall clock may have been set: hears the runner first (ends before slots), then does what is due, unless the
 * runner is behind with reading: then slots wait, and are late. 0, or a negative error. */
int link_advance(struct link *link);
/* Sends what the pass has batched, and looks whether the runner reads it. For the loop's flush hook. */
int link_flush(struct link *link);
/* Asks the runner to read the job files. *ret_number (may be NULL) is what `asked` of the COMMIT will at least be. 0; 1 where the link
 * is not up; a negative error. */
int link_reload(struct link *link, uint64_t *ret_number);
/* Asks for a job's command, user and place: on_described with this number. 0, 1 or a negative error as above. */
int link_describe(struct link *link, uint64_t number, const char *job);
/* Output of a run in flight is wanted, or no more. 0, 1 or a negative error as above. */
int link_watch(struct link *link, uint64_t run, bool is_on);

/* Who hears; copied, userdata borrowed. At most one, for the link's life. */
void link_set_listener(struct link *link, const struct link_listener *listener, void *userdata);
/* The engine, for views and commands; NULL before the first commit and after the end. */
struct engine *link_engine(struct link *link);
/* The agendas of this scheduler; borrowed. */
struct agendas *link_agendas(struct link *link);
/* What is remembered of jobs; NULL with the engine. */
struct book *link_book(struct link *link);
/* As hosts_explain(). */
void link_explain_host(const struct link *link, struct clock_sample now, const char *job, char *text, size_t size);
/* The ledger, for questions; NULL where none is kept. */
struct vault *link_vault(struct link *link);
/* Reads the clocks for a command: whoever gives the engine one asks here for its `now`, and calls link_settle() after it. 0 or negative. */
int link_now(struct link *link, struct clock_sample *ret);
/* Does what the engine has decided upon a command: the listener hears each action. 0 or negative. */
int link_settle(struct link *link, struct clock_sample now);
/* What the runner said of itself; both are valid with the engine. */
const uint8_t *link_instance(const struct link *link);
const char *link_files(const struct link *link);
/* The latest commit. */
const struct wire_commit *link_commit(const struct link *link);
/* When link_advance() wants to be called, by clock; INT64_MAX for never. To be asked after link_flush(). */
void link_next_wake(const struct link *link, int64_t *ret_bt_us, int64_t *ret_rt_us);

/* One record from the runner, as the channel hands it over; for the fuzzer too. */
int link_handle_record(void *link, uint8_t type, const void *payload, size_t size);
