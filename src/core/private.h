/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of this room share. Who does what:
 *
 *	hub.c      the collections, finding, start and stop, the due times
 *	request.c  the gate, the queue, recording of intents and outcomes
 *	runner.c   link, session, and one job at a time per lock
 *	care.c     what the hub does by itself: state, log, battery, configuration, clock
 *	facts.c    evidence into status, events and standing faults
 *	import.c   the lock's own log into the ledger, exactly once
 *	health.c   what was seen into samples and counts per day, and those to the ledger
 *	history.c  what is kept of a lock's health, for those who ask; attempts and notes
 *	timers.c   what a lock does by itself at a time of day: read, changed, read again
 *	timers-kept.c  what of them is to be put back into a lock that was reset
 *	settings.c what of a lock's configuration a person may choose: the same
 *	renew.c    a lock that has lost the hub's key is paired again as itself
 *	factor.c   the lock's mode, and the second factor of remote commands
 *	learn.c    what a lock learns while somebody presents it: cards, fingers
 *	enrol.c    scan, pair, unpair, rename
 *	people*.c  changes of the book: checked, committed, told (change.h)
 *	sync*.c    the locks made to agree with the book (sync.h says which does what)
 */

#include "core/hub.h"
#include "plan.h"

struct op_entry {
	struct op op;       /* the public part */
	struct list all;    /* hub->ops, oldest first */
	struct list queued; /* lock->queue while not finished */
	struct lock *lock;  /* NULL once finished */
	struct job job;
	mono_t deadline;      /* not started by then: expired */
	bool is_recorded;     /* acts that change nothing are not: no intent, no outcome row */
	bool is_committed;    /* the intent is on the disk (or need not be) */
	bool is_unrecordable; /* the disk is full and the act is LOCK: goes on without */
	bool is_doomed;       /* to be ended as soon as the session lets go of it: .doom */
	struct fault doom;
	bool is_attributed; /* the lock's own log entry about it has been seen */
	/* pairing and unpairing */
	bool is_forced;
	bool is_keeping; /* its work is done but for what the database is being asked to keep */
	struct secret pin;
	struct txn *intent; /* begun by the gate: what must be on the disk with it; NULL none */
	/* what the lock is to learn: whose it will be, and called what */
	char learner[ROW_ID_MAX];
	char label[64];
};

/* Jobs that the hub owes a lock without anybody asking: bits of lock->due. */
enum {
	CARE_STATE = 1 << 0,
	CARE_LOG = 1 << 2,
	CARE_CONFIG = 1 << 3,
	CARE_BATTERY = 1 << 4,
	CARE_TIME = 1 << 5,
	CARE_SYNC = 1 << 6,
	CARE_TIMERS = 1 << 7,
};

enum runner_state { RUNNER_IDLE, RUNNER_WANTING, RUNNER_UP };

#define STANDING_MAX 8

struct health; /* health.c */
struct sync;   /* sync.c */

struct lock {
	struct hub *hub;
	char id[LOCK_ID_MAX];
	char name[LOCK_NAME_MAX];
	char slug[LOCK_SLUG_MAX];
	char address[RADIO_ADDRESS_MAX];
	bool is_random;
	const struct driver *driver;
	uint32_t client_id;
	struct secret keys;
	wall_t paired_at;
	struct sighting sighting;   /* while pairing */
	struct heard_memory memory; /* of its advertisements, for the driver */
	bool is_provisional;        /* being paired: not in the hub's list, nobody hears of it */
	bool is_leaving;            /* being unpaired */
	struct lock *renewal; /* the provisional one by which it is being paired again; NULL */
	struct lock *renewed; /* of a provisional one: the lock that is paired again; NULL */

	struct lock_status status;
	struct fault standing[STANDING_MAX]; /* FAULT_NONE rows are free */
	struct event last_event;
	bool is_reachable;
	bool is_mute;            /* links come up, but it does not answer */
	unsigned n_motion_looks; /* reads in a row that found the motor running */
	unsigned n_failures;     /* link attempts failed in a row */
	mono_t contact;          /* last time it was heard or linked */

	/* runner */
	struct radio_link *link;
	bool is_link_watched; /* as the link was made */
	enum runner_state state;
	enum radio_need need; /* as asked of the radio */
	struct session *session;
	struct list queue;       /* struct op_entry, in order of urgency */
	bool is_busy;            /* the session has a job */
	struct job job;          /* it */
	struct op_entry *job_op; /* NULL: care */
	unsigned job_care;       /* its bit when care */
	bool has_result;         /* done() was called; taken up after the input function returned */
	struct job_result result;
	bool has_bolt_evidence; /* since the job began */
	bool is_gate_waiting;
	bool is_dropping;    /* drop was asked; down() is to come */
	bool is_drop_wanted; /* drop when the session's input function has returned */
	bool is_settling;
	int write_error; /* of a write that could not even be begun; for settle */
	mono_t timer;    /* the session's */
	mono_t kick;     /* look for work then */
	mono_t retry;    /* care rests until then */

	/* care */
	unsigned due;
	mono_t next_poll;
	mono_t next_battery;
	mono_t quiet_until;    /* the changed mark is stale until then, or until seen clear */
	int64_t clock_drift_s; /* lock's clock minus ours when last read */
	int64_t config_seen;   /* the configuration's version as states told it; -1: not yet */
	bool is_state_wanted_by_event; /* CARE_STATE is urgent */
	mono_t next_mark;              /* no look because of a mark before then */
	int64_t mark_pause_ms;         /* grows while marks turn out to mean nothing */
	bool is_mark_read;             /* the state is being read because of a mark */
	bool has_late_mark;            /* a mark was heard that has not been looked at yet */
	bool has_passing_mark;         /* the same, and it may be gone from the air by then */
	bool is_heard_clear;           /* the last beacon was without the mark */
	/*
	 * Something about bolt, door or battery was different since a mark was judged last. What
	 * came over a link that was there counts: it has set the mark as well.
	 */
	bool has_news;
	bool is_back; /* just heard after a silence, or for the first time */

	/* import */
	int64_t log_base;    /* what the hub adds to the lock's own numbers */
	bool is_base_open;   /* paired again: whether it counts anew shows at its first entry */
	int64_t log_cursor;  /* committed */
	int64_t log_pending; /* handed to the ledger */
	bool is_first_import;
	bool is_importing;  /* a transaction is under way */
	struct txn *import; /* being filled */
	unsigned n_wrong_codes;
	wall_t wrong_codes_since; /* by the lock's clock */

	/* transcript; fn NULL: none */
	hub_record_fn *record_fn;
	void *record_user;
	mono_t record_since;

	/* second factor: wrong ones in a row, and how often that was too many */
	unsigned n_wrong_factors, n_lock_outs;
	mono_t locked_out_until;

	/* the door, as long as it is open */
	mono_t door_open_since; /* MONO_NEVER: it is not, as far as is known */
	bool is_ajar_told;
	bool is_forced_told;

	/* timers, as read last; the list that is being read */
	struct lock_timer *timers, *listing;
	size_t n_timers, n_listing;
	wall_t timers_at;
	bool is_listing_short; /* no memory for it */
	/* the same, as they are on the disk; from before it was paired again, and not in it yet */
	struct lock_timer *timers_kept, *timers_wanted;
	size_t n_timers_kept, n_timers_wanted;

	/* settings, as read last; at 0 s: in an earlier life of the hub, or never */
	struct setting *settings;
	size_t n_settings;
	wall_t settings_at;
	/* from before it was paired again, and not in the lock yet */
	struct setting *wanted;
	size_t n_wanted;

	/* facts to store */
	bool is_facts_dirty;
	mono_t facts_at;

	struct health *health; /* never NULL */
	struct sync *sync;     /* never NULL */
};

struct discovered {
	struct sighting sighting;
	mono_t at;
};

struct change; /* change.h */

/* people.c */
struct people {
	struct list waiting;    /* struct change */
	struct change *running; /* with the ledger */
	bool is_sweep_wanted;   /* revoked credentials may have left the last lock */
	wall_t next_until;      /* the earliest end of a credential; INT64_MAX s: none */
	struct {
		char user_id[ROW_ID_MAX];
		mono_t until;
	} expiring[USERS_MAX]; /* in use since their first time: until then and no longer */
	size_t n_expiring;
	mono_t rest_until; /* the disk would not take what the hub itself changes */
	mono_t next_look;  /* wall clocks jump: what waits for one is looked at now and then */
};

struct hub {
	struct hub_config config;
	struct hub_signals signals;
	struct policy_seen seen;
	struct lock **locks;
	size_t n_locks;
	size_t n_locks_room;
	struct book *book;
	struct people people;
	struct lock *provisional; /* the lock being paired; NULL */
	struct list ops;          /* struct op_entry */
	size_t n_finished;
	size_t n_closing; /* unrecorded ones that wait for hub_run_due() to close them */
	struct discovered discovered[DISCOVERED_MAX];
	size_t n_discovered;
	unsigned n_listening; /* hub_listen() */
	bool is_scanning;
	struct fault ledger_fault;
	enum fault_code radio_fault; /* as at the last hub_check_radio() */
	bool is_radio_ready;
	unsigned n_adapters;
	unsigned n_commits; /* transactions that the ledger has not answered */
	/* health.c, history.c */
	mono_t samples_due, days_due; /* to be written then; MONO_NEVER: nothing is */
	unsigned n_health_writes;     /* of n_commits: samples and counts */
	struct list history_asks;     /* struct history_ask */
	unsigned n_history_asked;     /* of these: with the ledger */
	bool is_started;
	bool is_stopping;
	bool is_stop_recorded;
	mono_t stop_deadline;
	void (*stopped)(void *user);
	void *stopped_user;
};

static inline mono_t hub_now(const struct hub *hub) {
	return clock_mono(hub->config.clock);
}

/* hub.c */
void hub_lock_changed(struct lock *lock, unsigned what);
struct lock *hub_lock_by_id(const struct hub *hub, const char *id);
int hub_add_lock(struct hub *hub, struct lock *lock); /* -ENOMEM, -ENOSPC */
void hub_take_lock_out(struct hub *hub, struct lock *lock);
/* A free slug for @name; @self keeps its own. */
void hub_make_slug(const struct hub *hub, const char *name, const struct lock *self,
	char out[static LOCK_SLUG_MAX]);
/* Commits; the fault state of the ledger is kept up to date. A NULL txn is no memory. */
struct txn *hub_txn_new(struct hub *hub);
void hub_txn_done(void *user, struct txn *txn, const struct fault *fault); /* user: the hub */
void hub_commit(struct hub *hub, struct txn *take_txn);
/* Adds an event about @lock (NULL: the hub itself) to @txn; NULL: no memory. Borrowed. */
struct event *txn_add_event(
	struct txn *txn, const struct hub *hub, const struct lock *lock, enum event_kind kind);
/* One event alone. */
void hub_record(struct hub *hub, const struct event *event);

/* lock.c */
struct lock *lock_new(struct hub *hub, const struct driver *driver);
struct lock *lock_free(struct lock *lock);
void lock_to_record(const struct lock *lock, struct lock_record *ret);
/* The hub was given the PIN that it has now: from here on its age counts. */
void lock_pin_given(struct lock *lock);
/* A person has agreed to a weak protocol: noted for whoever asks later. */
void lock_weak_accepted(struct lock *lock, const char *actor);
/* Whether @keys hold a PIN, and another one than the lock's keys do. */
bool lock_pin_differs(const struct lock *lock, const struct secret *keys);
/* An event about @lock, of now. */
void lock_event_init(struct event *event, const struct lock *lock, enum event_kind kind);

/* request.c */
struct op_entry *op_new(struct hub *hub, struct lock *lock, enum act act, const char *actor);
void op_enqueue(struct op_entry *entry);
/* Records the intent (if the act is recorded) and lets it be worked on. */
void op_accept(struct op_entry *entry);
void op_finish(struct op_entry *entry, enum op_outcome outcome, const struct fault *fault);
void op_changed(struct op_entry *entry);
void op_intent_done(struct hub *hub, const char *id, const struct fault *fault);
void op_outcome_done(struct hub *hub, const char *id);
void op_close_due(struct hub *hub);
void op_free_all(struct hub *hub);
enum radio_need op_need(const struct op_entry *entry);
void op_run_due(struct lock *lock, mono_t now);
mono_t op_next_due(const struct lock *lock);

/* Who it was, as far as is known, into an event about the operation. */
void op_attribute(const struct op *op, struct event *event);

/* timers.c */
bool timers_is_change(enum act act);
/* 0, or BAD_ARGUMENT: what the request's act cannot be done with. */
int timers_check(const struct request *request, struct fault *ret_fault);
/* "timer 3: Mon-Fri 22:30 lock", for the log; returns out. */
char *timers_text(const struct op_entry *entry, char *out, size_t size);
/* ACT_READ_TIMERS: begins, gives rows, ends; no memory for them becomes the result's fault. */
void timers_begin(struct lock *lock);
void timers_take(struct lock *lock, const struct lock_timer *timers, size_t n);
void timers_end(struct lock *lock, struct job_result *result);
/* The job of a change has ended. false: nothing was changed; as with any other operation then. */
bool timers_job_done(struct op_entry *entry, const struct job_result *result);
/* The list cannot be read any more after a change: finishes the operation. */
void timers_give_up(struct op_entry *entry);
void timers_free(struct lock *lock);

/* timers-kept.c */
/* They do the same at the same times; whatever the lock calls them. */
bool timers_are_alike(const struct lock_timer *a, const struct lock_timer *b);
/* The list was read: on the disk, and what it has is no longer to be put back. */
void timers_keep(struct lock *lock);
/* Start-up: false when the row of the database is none of timers. */
bool timers_load(struct hub *hub, const char *key, const char *value);
/* The lock goes: its rows with it. */
void timers_forget(const struct lock *lock, struct txn *txn);
void timers_drop_kept(struct lock *lock);
/* It is paired again: what it had is to be put back. false: no memory. */
bool timers_keep_wanted(const struct lock *lock, struct txn *txn);
void timers_renewed(struct lock *lock);
/* Nothing is to be put back any more. */
void timers_accept(struct lock *lock);

/* settings.c */
bool settings_is_change(enum act act);
/* 0 and the canonical form, or BAD_ARGUMENT, NOT_SUPPORTED, PIN_REQUIRED. */
int settings_check(const struct lock *lock, const struct request *request, struct setting *ret,
	struct fault *ret_fault);
/* "AutoRelockTime=300", for the log; returns out. */
char *settings_text(const struct op_entry *entry, char *out, size_t size);
/* The lock told some: kept, and an event for each that was changed without us. */
void settings_take(struct lock *lock, const struct setting *settings, size_t n);
/* The job of a change has ended. false: nothing was changed; as with any other operation then. */
bool settings_job_done(struct op_entry *entry, const struct job_result *result);
/* They cannot be read any more after a change: finishes the operation. */
void settings_give_up(struct op_entry *entry);
/* Start-up: false when the row of the database is none of settings. */
bool settings_load(struct hub *hub, const char *key, const char *value);
/* The lock goes: its rows with it. */
void settings_forget(const struct lock *lock, struct txn *txn);
/* It is paired again: what it had is to be put back. false: no memory. */
bool settings_keep_wanted(const struct lock *lock, struct txn *txn);
void settings_renewed(struct lock *lock);
void settings_free(struct lock *lock);

/* renew.c */
/* 0 and the lock that @request replaces; @sighting may be NULL. Or a fault. */
int renew_check(struct hub *hub, const struct pair_request *request,
	const struct sighting *sighting, struct lock **ret, struct fault *ret_fault);
/* From here on @provisional stands in for @lock, until failed or take. */
void renew_begin(struct lock *lock, struct lock *provisional);
/* The pairing came to nothing: the lock goes on as before. Of any other provisional lock: nothing.
 */
void renew_failed(struct lock *provisional);
/* All that must be on the disk with the new keys; false: no memory. */
bool renew_keep(struct lock *provisional, struct txn *txn);
/*
 * It is on the disk: the keys and the operation move into the lock, which is returned, without a
 * link. @provisional is freed.
 */
struct lock *renew_take(struct lock *provisional, struct op_entry *entry);
/* Start-up: false when the row of the database is none of renew's. */
bool renew_load(struct hub *hub, const char *key, const char *value);
void renew_forget(const struct lock *lock, struct txn *txn);
/* The first entry of the log since the lock was paired again, by its own number. */
void renew_log_begins(struct lock *lock, int64_t seq, struct txn *txn);

/* factor.c */
struct passed {
	char user_id[ROW_ID_MAX]; /* "" no factor was given */
	char user[EVENT_USER_MAX];
	struct txn *txn; /* to be committed with the intent; NULL none */
};
/*
 * Mode and second factor: 0, or MODE_FORBIDS, FACTOR_REQUIRED, FACTOR_WRONG, LOCKED_OUT,
 * USER_DISABLED, USER_RESTRICTED, NO_ACCESS; what is worth knowing has been recorded then.
 */
int factor_gate(struct lock *lock, const struct request *request, struct passed *ret,
	struct fault *ret_fault);

/* runner.c */
int runner_make_link(struct lock *lock);
void runner_kick(struct lock *lock);      /* now; may call the radio and the session */
void runner_kick_soon(struct lock *lock); /* from hub_run_due() */
void runner_drop(struct lock *lock);
void runner_gate_opened(struct lock *lock);
void runner_run_due(struct lock *lock, mono_t now);
mono_t runner_next_due(const struct lock *lock);
void runner_forget(struct lock *lock); /* link and session away, no callbacks any more */

/* care.c */
void care_start(struct lock *lock);
void care_want(struct lock *lock, unsigned bits);
bool care_next(struct lock *lock, struct job *ret, unsigned *ret_bit);
bool care_is_waiting(const struct lock *lock, mono_t now);
enum radio_need care_need(const struct lock *lock);
void care_done(
	struct lock *lock, unsigned bit, const struct job *job, const struct job_result *result);
void care_failed(struct lock *lock); /* a link attempt for care failed */
/* What its advertisement says of there being something to be read. */
void care_heard(struct lock *lock, const struct evidence *evidence);
void care_after_op(struct lock *lock, const struct op_entry *entry);
void care_run_due(struct lock *lock, mono_t now);
mono_t care_next_due(const struct lock *lock);

/* facts.c */
void facts_take(struct lock *lock, const struct evidence *evidence);
void facts_raise(struct lock *lock, const struct fault *fault);
void facts_clear(struct lock *lock, enum fault_code code);
bool facts_has(const struct lock *lock, enum fault_code code);
/*
 * It was heard, or (@is_linked) a link was made. One that cannot be connected counts as out of
 * reach even if it is heard, until a link comes up or it comes back after a silence.
 */
void facts_contact(struct lock *lock, bool is_linked);
void facts_answered(struct lock *lock); /* it answered a job */
/* Links come up, but the lock does not answer what it is asked. */
void facts_mute(struct lock *lock, const struct fault *why);
void facts_lost_contact(struct lock *lock, const struct fault *why);
void facts_run_due(struct lock *lock, mono_t now);
mono_t facts_next_due(const struct lock *lock);
/* Faults that a job's end raises or clears: pairing lost, PIN refused and so on. */
void facts_job_ended(struct lock *lock, const struct job *job, const struct job_result *result);
/* Whether the lock itself answered so: then the outcome is definite. */
bool fault_is_answer(enum fault_code code);

/* health.c: see core/history.h for when it is written */
struct health *health_new(void);
struct health *health_free(struct health *health); /* takes NULL */
void health_link_made(struct lock *lock);          /* the radio counts from 0 */
void health_heard(struct lock *lock, int16_t dbm);
/* Counts what the radio has counted since the last call. */
void health_count_radio(struct lock *lock);
/* What differs from @before: FACT_ bits of @changed. */
void health_facts(struct lock *lock, const struct lock_status *before, unsigned changed);
void health_motor_starts(struct lock *lock); /* its command goes out now */
void health_motor_ended(struct lock *lock, enum act act, bool is_done);
void health_op_ended(struct lock *lock, const struct op *op);
/* A job, or an attempt to get a link, ended so. */
void health_fault(struct lock *lock, enum fault_code code);
void health_event(struct lock *lock, const struct event *event); /* committed just now */
void health_battery_changed(struct lock *lock, int how);
void health_load(struct lock *lock, const struct sample *sample);
/* What is held and not written yet; times and days as they are reckoned now. */
size_t health_held_samples(const struct lock *lock, struct sample ret[static SAMPLE_COUNT_]);
size_t health_n_days(const struct lock *lock);
void health_held_day(const struct lock *lock, size_t i, struct lock_day *ret);
void health_run_due(struct hub *hub, mono_t now);
mono_t health_next_due(const struct hub *hub);
void health_stop(struct hub *hub); /* all that is held is written */

/* history.c */
void history_ask_waiting(struct hub *hub); /* nothing of health.c is with the ledger any more */
void history_finish(struct hub *hub);

/* record.c: nothing happens while nobody records */
void record_line(struct lock *lock, const char *format, ...) __attribute__((format(printf, 2, 3)));
void record_frame(
	struct lock *lock, bool is_out, const char *characteristic, const uint8_t *plain, size_t n);
void record_end(struct lock *lock); /* the lock goes */

/* import.c */
bool import_is_possible(const struct lock *lock);
void import_entries(struct lock *lock, const struct log_entry *entries, size_t n);
void import_job_ended(struct lock *lock);
void import_committed(struct lock *lock, int64_t cursor, const struct fault *fault);

/* people.c */
/*
 * The lock's log told that @credential opened the lock: what follows from it (first use, one-time
 * and disposable codes, the alarm of a forced user) is added to @txn, the import's. @at: by the
 * lock's clock. The same use may come again after a restart: a second time it changes nothing.
 */
void people_used(
	struct lock *lock, const struct credential *credential, wall_t at, struct txn *txn);
/* The same for a user who was told by a second factor, without a credential of the lock. */
void people_user_used(struct lock *lock, const char *user_id, wall_t at, struct txn *txn,
	enum attribution attribution);
/* The row as it will be when what is with the ledger has been committed. NULL: none. */
const struct user *people_newest_user(const struct hub *hub, const char *id);
/*
 * Before a commit: a row of a user that was made some time ago (a log was being read) must not
 * overtake the one-time password that was used since, or after a kill it would count once more.
 */
void people_keep_steps(const struct hub *hub, struct txn *txn);
int people_init(struct hub *hub); /* -ENOMEM */
void people_finish(struct hub *hub);
void people_start(struct hub *hub); /* the book is complete */
/* Rows of a committed transaction into the book; then, behind its events, who has to know. */
void people_apply(struct hub *hub, const struct txn *txn);
void people_tell(struct hub *hub, const struct txn *txn);
void people_stop(struct hub *hub); /* those that wait end with CANCELLED */
void people_run_due(struct hub *hub, mono_t now);
mono_t people_next_due(const struct hub *hub);
/* No lock holds it any more as far as that lock is concerned: its last placement may be gone. */
void people_credential_gone(struct hub *hub, const char *credential_id);

/* sync.c */
struct sync *sync_new(void);
struct sync *sync_free(struct sync *sync); /* wipes */
/* The book is complete and the lock begins to be served; or what it can do has become known. */
void sync_start(struct lock *lock);
/*
 * Something was committed that may matter to what @lock should hold; NULL: to all locks. Call it
 * after the book has been changed. Placements are this file's business alone, but for the PRESENT
 * one of an adopted credential and the LEAVING one of a foreign credential that is to go: whoever
 * commits such a row lets hub_txn_done() put it into the book and calls this.
 */
void sync_book_changed(struct hub *hub, struct lock *lock);
/* A placement was committed: into the book with it. Any kind of item may be passed. */
void sync_item_committed(struct hub *hub, const struct txn_item *item);
/* The list is to be read anew: with the next link that is made anyway, or @is_urgent now. */
void sync_want_list(struct lock *lock, bool is_urgent);
/* CARE_SYNC: the next job for the session; false: nothing at the moment. */
bool sync_next_job(struct lock *lock, struct job *ret);
void sync_slots(struct lock *lock, const struct slot *slots, size_t n);
void sync_job_done(struct lock *lock, const struct job *job, const struct job_result *result);
void sync_linked(struct lock *lock, bool is_up);
/* Whether the setting is one of its (sync-held.c). */
bool sync_load_held(struct hub *hub, const char *key, const char *value);
bool sync_is_urgent(const struct lock *lock); /* a revocation waits */
void sync_run_due(struct lock *lock, mono_t now);
mono_t sync_next_due(const struct lock *lock);

/* learn.c */
/* As an operation; sync's own puts are none. */
bool learn_is_one(enum act act);
/* 0 and what the job needs, or BAD_ARGUMENT, NOT_SUPPORTED, NO_SUCH_USER, HUB_FULL. */
int learn_check(const struct lock *lock, const struct request *request, struct user *ret_user,
	struct job *ret_job, struct fault *ret_fault);
/* "rfid for Ada", for the log; returns out. */
char *learn_text(const struct op_entry *entry, char *out, size_t size);
/* The lock waits, and has had it so often. */
void learn_presenting(struct lock *lock, unsigned n, unsigned n_all);
/* The job has ended. false: nothing was sent; as with any other operation then. */
bool learn_job_done(struct op_entry *entry, const struct job_result *result);
/* The book has it, or could not take it. */
void learn_kept(
	struct hub *hub, const char *op_id, const char *credential_id, const struct fault *fault);
/* Whoever waits at the lock for a card waits no longer; nothing happens when nobody does. */
void learn_stop(struct lock *lock, const char *why);

/* enrol.c */
void enrol_job_done(struct op_entry *entry, const struct job_result *result);
void enrol_lock_kept(struct hub *hub, const char *id, const struct fault *fault);
void enrol_lock_gone(struct hub *hub, const char *id, const struct fault *fault);
void enrol_run_due(struct hub *hub, mono_t now);
mono_t enrol_next_due(const struct hub *hub);
bool enrol_is_own_kind(enum act act);
