/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The hub: all locks, all operations, and the signals by which the edges (mqtt, api, journal) hear
 * of them. No I/O in here: a clock, a radio and a ledger are handed in. Loop thread only.
 *
 *	edges ── hub_request() ──► policy ─► op ─► ledger (intent) ─► runner ─► session ─► radio
 *	edges ◄── signals ── status ◄─ evidence ◄─ session ◄─ radio;  event ─► ledger ─► signals
 */

#include "core/ledger.h"
#include "core/lock.h"
#include "core/op.h"
#include "core/policy.h"
#include "util/radio.h"
#include "util/signal.h"
#include "util/zone.h"

#define LOCKS_MAX 1000
#define DISCOVERED_MAX 64

struct hub;

struct hub_config {
	const struct clock *clock;
	struct radio *radio;
	struct ledger *ledger;
	struct zone_source *zones;           /* NULL: everything is UTC */
	const struct driver *const *drivers; /* NULL-terminated; usually lock_drivers */
	struct policy policy;
	char client_name[33];   /* the name under which we appear at locks; default "lockhub" */
	int64_t unreachable_ms; /* silent for so long: unreachable (default 15 min) */
	int64_t poll_ms;        /* state of locks that do not announce changes (default 30 min) */
	int64_t battery_ms;     /* battery report at most this often (default 24 h) */
	bool import_log;        /* default true */
	bool set_clocks; /* default true: set a lock's clock when it is off by more than 60 s */
};

void hub_config_defaults(struct hub_config *config);

/* @config is copied; what it points to must outlive the hub. NULL: no memory. */
struct hub *hub_new(const struct hub_config *config);
struct hub *hub_free(struct hub *hub);
AUTO_DEFINE(struct hub *, hub_free);

/*
 * Start-up: the records from the database, before hub_start(). Copies. -EEXIST, -ENOSPC, -ENOMEM,
 * -ENOENT (no such driver built in: the record is kept in the database, the lock is not served).
 */
int hub_load_lock(struct hub *hub, const struct lock_record *record);
/* An intent without outcome from the former life: becomes an INTERRUPTED outcome, state is read. */
void hub_load_interrupted(struct hub *hub, const struct op_record *op);
/* Records EVENT_HUB_STARTED and begins to read every lock's state. */
void hub_start(struct hub *hub);
/*
 * Orderly stop: no new requests, operations that have not sent anything are cancelled, the running
 * ones get up to 20 s. @done from the loop.
 */
void hub_stop(struct hub *hub, void (*done)(void *user), void *user);

/* What is due next; call hub_run_due() then. MONO_NEVER: nothing. */
mono_t hub_next_due(const struct hub *hub);
void hub_run_due(struct hub *hub);

/* Locks in the order of pairing. */
size_t hub_lock_count(const struct hub *hub);
struct lock *hub_lock_at(const struct hub *hub, size_t index);
/* By id, slug, name (case-insensitive) or address; NULL. */
struct lock *hub_find_lock(const struct hub *hub, const char *word);
/* Like hub_find_lock(), with a fault that names the nearest one. */
int hub_get_lock(
	const struct hub *hub, const char *word, struct lock **ret, struct fault *ret_fault);

/*
 * Asks for an operation. 0 and *ret_op (borrowed), or a fault: nothing happened then, and a refusal
 * worth knowing (retained, expired, denied) has been recorded. Never finishes inside the call.
 */
int hub_request(struct hub *hub, const struct request *request, struct op **ret_op,
	struct fault *ret_fault);
struct op *hub_find_op(const struct hub *hub, const char *id);
/* Only before anything was sent, or while a lock waits to learn. -ENOENT, -EALREADY. */
int hub_cancel(struct hub *hub, const char *op_id, struct fault *ret_fault);
size_t hub_op_count(const struct hub *hub);
struct op *hub_op_at(const struct hub *hub, size_t index); /* oldest first */

/* Enrolment. Sightings come by the discovered signal and stay listed for 10 min. */
int hub_scan(struct hub *hub, unsigned ms, struct fault *ret_fault);
void hub_scan_stop(struct hub *hub);
bool hub_is_scanning(const struct hub *hub);
/*
 * Somebody wants to hear the locks live, by the signal .heard; counted, so each on has its off. The
 * radio listens without a pause meanwhile. 0, or the radio's fault when there is none to listen.
 */
int hub_listen(struct hub *hub, struct fault *ret_fault);
void hub_listen_stop(struct hub *hub);
size_t hub_discovered_count(const struct hub *hub);
const struct sighting *hub_discovered_at(const struct hub *hub, size_t index);

struct pair_request {
	char address[RADIO_ADDRESS_MAX]; /* must have been discovered */
	char name[LOCK_NAME_MAX];        /* "" : from the sighting */
	/*
	 * "", or a lock of the hub by id, slug or name, which this is, having lost the hub's key:
	 * it keeps its id, name, users, codes and history, and what it had is put into it again.
	 */
	char replaces[LOCK_NAME_MAX];
	struct secret pin; /* optional for some */
	struct secret key; /* for a lock with sighting.needs_key; empty else */
	bool as_app;       /* not as bridge */
	/* A person agrees to rely on a protocol of class C (core/driver.h). Kept as LOCK_NOTE_WEAK.
	 */
	bool accepts_weak;
	enum request_origin origin;
	enum role role;
	char actor[EVENT_USER_MAX];
};
/*
 * The op's lock_id is the id the lock will have; op->lock_slug its slug. With .replaces also:
 * NO_SUCH_LOCK, WRONG_LOCK (brand or serial number), LOCK_BUSY (operations wait).
 */
int hub_pair(struct hub *hub, const struct pair_request *request, struct op **ret_op,
	struct fault *ret_fault);
/* What the lock has now is right: nothing is to be put back any more. NO_SUCH_LOCK. */
int hub_settings_accept(struct hub *hub, const char *lock, struct fault *ret_fault);
/*
 * Removes the lock from the hub (and our authorisation from the lock when it can be reached and the
 * brand can; @is_forced does not even try). The op finishes when the database has forgotten it.
 */
int hub_unpair(struct hub *hub, const char *lock, bool is_forced, const char *actor, enum role role,
	struct op **ret_op, struct fault *ret_fault);
/*
 * The new name shows, and @done (may be NULL) is called from the loop, when the database has it;
 * with a fault when it could not be kept and the old one stays. Not called when a fault is returned
 * here.
 */
int hub_rename(struct hub *hub, const char *lock, const char *name, const char *actor,
	enum role role, void (*done)(void *user, const struct fault *fault), void *user,
	struct fault *ret_fault);

/*
 * A transcript of what is said to a lock and what it answers, line by line and without end mark:
 *	MS = up MTU | down FAULT | start ACT | start read-log CURSOR MOST | done FAULT
 *	MS > CHARACTERISTIC HEX		to the lock
 *	MS < CHARACTERISTIC HEX		from it
 * CHARACTERISTIC is the first eight digits of its UUID, HEX the message in clear with keys, PINs,
 * nonces, ids and names blanked by the driver. @line NULL: the lock is gone, and so the recording.
 * It is called while the lock is being talked to: it must not call back.
 */
#define HUB_RECORD_LINE_MAX 1400
typedef void hub_record_fn(void *user, const char *line);
/* One at a time for each lock: a fault when another one is under way. */
int hub_record_start(
	struct hub *hub, const char *lock, hub_record_fn *fn, void *user, struct fault *ret_fault);
/* No call comes after it; nothing happens when @user records nothing. */
void hub_record_stop(struct hub *hub, const void *user);

/* The log; see struct ledger_impl for the rules. */
void hub_query_log(struct hub *hub, const struct log_query *query,
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault),
	void *user);
void hub_verify_log(struct hub *hub,
	void (*done)(void *user, const struct log_verify *result, const struct fault *fault),
	void *user);

/*
 * Records something about the hub itself that core does not see: @text for people, no secrets.
 * @forget: the key of a setting that becomes "" with it, or NULL. @done (may be NULL) is called
 * from the loop when the database has it, or with a fault; not when one is returned here
 * (NO_MEMORY).
 */
int hub_remark(struct hub *hub, enum event_kind kind, enum fault_code code, const char *text,
	const char *forget, void (*done)(void *user, const struct fault *fault), void *user,
	struct fault *ret_fault);

void hub_radio_status(const struct hub *hub, struct radio_status *ret);
/* Numbers of the @i-th adapter; false beyond the last. */
bool hub_adapter_stats(const struct hub *hub, unsigned i, struct radio_stats *ret);
/* Emits radio_changed when the radio's condition is another one than at the last call. Cheap. */
void hub_check_radio(struct hub *hub);
/* FAULT_NONE, or why nothing can be recorded at the moment. */
const struct fault *hub_ledger_fault(const struct hub *hub);
const struct clock *hub_clock(const struct hub *hub);

struct lock_change {
	struct lock *lock;
	unsigned what; /* FACT_ bits */
};

struct hub_heard {
	struct lock *lock;
	int rssi;            /* dBm; 0: not known */
	const char *adapter; /* its address */
};

/* Data of each signal in the remark. */
struct hub_signals {
	struct signal lock_added;    /* struct lock */
	struct signal lock_removed;  /* struct lock; gone after the emission */
	struct signal lock_changed;  /* struct lock_change */
	struct signal event;         /* const struct event: recorded, numbered */
	struct signal op_changed;    /* struct op: not for background ones */
	struct signal op_finished;   /* struct op: its outcome is committed */
	struct signal heard;         /* const struct hub_heard: an advertisement of a lock */
	struct signal discovered;    /* const struct sighting */
	struct signal scan_ended;    /* const struct fault or NULL */
	struct signal radio_changed; /* NULL; the radio's or the ledger's condition */
	struct signal refused;       /* const struct refusal */
	struct signal book_changed;  /* struct book_change: committed */
	struct signal sync_changed;  /* struct lock: hub_sync_status() differs */
};
struct book_change {
	const char *user_id; /* "" not about one user */
	const char *lock_id; /* "" not about one lock */
	bool is_user_added, is_user_removed;
};
/* A request that did not pass the gate: for the journal. */
struct refusal {
	const struct request *request;
	struct fault fault;
};
struct hub_signals *hub_signals(struct hub *hub);
