/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The ledger's door: what the hub needs kept, without saying that it is SQLite. Core builds a
 * transaction (struct txn), hands it over, and is told from the loop when it is committed; the
 * store room implements it on its writer thread. All or nothing per transaction; transactions are
 * committed in the order in which they were handed over; several may share one fsync.
 *
 * L3: nothing is acknowledged to anybody before done(0).
 */

#include "core/driver.h"
#include "core/event.h"
#include "core/history.h"
#include "core/user.h"
#include "util/list.h"

/* A paired lock as it is kept. */
struct lock_record {
	char id[LOCK_ID_MAX];
	char name[LOCK_NAME_MAX];
	char slug[LOCK_SLUG_MAX];
	char driver[16];
	char address[RADIO_ADDRESS_MAX];
	bool is_random;
	uint32_t client_id;
	struct secret keys; /* encrypted in the database */
	wall_t paired_at;
	int64_t log_cursor; /* number of the last entry imported */
	/* Last known facts, of this or an earlier life; changed only when one of these changes. */
	enum lock_state state;
	wall_t state_at;
	struct battery_facts battery;
	wall_t battery_at;
	struct version_facts versions;
	struct config_facts config;
	wall_t config_at;
};

struct op_record {
	char id[OP_ID_MAX];
	char lock_id[LOCK_ID_MAX];
	enum act act;
	char actor[EVENT_USER_MAX]; /* who asked: "uid 1000 (anna)", "mqtt", "hub" */
	wall_t requested_at;
	/* outcome */
	bool is_finished;
	bool is_unknown; /* outcome unknown, state was read back */
	enum fault_code fault;
	wall_t finished_at;
};

enum txn_kind {
	TXN_LOCK_PUT,    /* insert or replace everything but the log cursor of an existing row */
	TXN_LOCK_KEYS,   /* only keys of an existing lock */
	TXN_LOCK_FACTS,  /* only state, battery, versions, config of an existing lock */
	TXN_LOCK_REMOVE, /* by id; its events stay */
	TXN_CURSOR,      /* log cursor of lock id to number, never backwards */
	TXN_INTENT,      /* op, not finished */
	TXN_OUTCOME,     /* op, finished */
	TXN_EVENT,       /* appended to the hash chain; event.seq is filled in before done() */
	TXN_SETTING,     /* key, value text; "" takes it away */
	/* The book (core/user.h); PUT inserts or replaces by the row's id. */
	TXN_USER_PUT,
	TXN_USER_REMOVE, /* by row; with its schedules and access */
	TXN_CREDENTIAL_PUT,
	TXN_CREDENTIAL_REMOVE, /* by row; with its placements */
	TXN_ACCESS_PUT,        /* by user and lock */
	TXN_ACCESS_REMOVE,
	TXN_SCHEDULE_PUT,
	TXN_SCHEDULE_REMOVE, /* by row */
	TXN_HOLIDAY_PUT,
	TXN_HOLIDAY_REMOVE, /* by row */
	TXN_PLACEMENT_PUT,  /* by lock and credential */
	TXN_PLACEMENT_REMOVE,
	TXN_SLOTS_CLEAR, /* the mirror of .slots.lock_id; .slots.at becomes its time */
	TXN_SLOT_PUT,    /* one more row of it */
	TXN_RULES_PUT,   /* of a lock */
	/* Health (core/history.h). Of a lock that is not there (any more) nothing is kept. */
	TXN_SAMPLE,  /* one more */
	TXN_DAY,     /* added to what that day of that lock has counted already */
	TXN_ATTEMPT, /* insert or replace by id */
	TXN_NOTE,    /* insert or replace by lock and key; a text of "" removes */
};

struct txn_item {
	struct list link;
	enum txn_kind kind;
	union {
		struct lock_record lock;
		struct op_record op;
		struct event event;
		struct {
			char lock_id[LOCK_ID_MAX];
			int64_t number;
		} cursor;
		struct {
			char key[32];
			char value[128];
			char *text; /* NULL, or of the heap and the item's: instead of .value */
		} setting;
		struct user user;
		struct credential credential;
		struct access access;
		struct schedule schedule;
		struct holiday holiday;
		struct placement placement;
		char row[ROW_ID_MAX]; /* the _REMOVE kinds by row */
		struct {
			char lock_id[LOCK_ID_MAX];
			wall_t at;
			struct slot slot; /* TXN_SLOT_PUT */
		} slots;
		struct {
			char lock_id[LOCK_ID_MAX];
			struct lock_rules rules;
		} rules;
		struct {
			char lock_id[LOCK_ID_MAX];
			struct sample sample;
		} sample;
		struct {
			char lock_id[LOCK_ID_MAX];
			struct lock_day day;
		} day;
		struct attempt attempt;
		struct note *note; /* of the heap, goes with the item: it is much longer than the
				      others */
	};
};

/*
 * EVENT items that come from a lock's log (lock_seq > 0) are dropped silently when (lock_id,
 * lock_seq) exists already, or the lock's cursor is at or above it (the row may have been taken
 * away by retention): their seq stays 0 then. That is what makes the import exactly-once; the
 * cursor must follow its entries in the txn.
 */
struct txn {
	struct list items; /* struct txn_item */
	/* From the loop, once. @fault NULL: committed. The txn is freed by the ledger afterwards.
	 */
	void (*done)(void *user, struct txn *txn, const struct fault *fault);
	void *user;
	struct list link; /* the ledger's own use */
};

struct txn *txn_new(
	void (*done)(void *user, struct txn *txn, const struct fault *fault), void *user);
struct txn *txn_free(struct txn *txn); /* wipes; takes NULL */
AUTO_DEFINE(struct txn *, txn_free);
/* A zeroed item at the end; NULL: no memory. */
struct txn_item *txn_add(struct txn *txn, enum txn_kind kind);

#define LOG_QUERY_MAX 10000
struct log_query {
	char lock_id[LOCK_ID_MAX]; /* "" all */
	wall_t since, until;       /* 0: open; by hub time, inclusive since, exclusive until */
	/* "" all; .user: exact name. Both: of that row of the book, or of that name and no row. */
	char user[EVENT_USER_MAX], user_id[ROW_ID_MAX];
	char word[32];                 /* event_word(); "" all */
	int64_t after_seq, before_seq; /* 0: open; exclusive */
	unsigned limit;                /* newest first; at most LOG_QUERY_MAX */
	bool is_oldest_first; /* order of the answer (the newest @limit rows are chosen unless
				 after_seq) */
};

struct log_verify {
	int64_t n_rows;
	int64_t first_seq, last_seq;
	int64_t bad_seq; /* 0: the chain holds */
	char reason[EVENT_TEXT_MAX];
};

struct ledger;
struct ledger_impl {
	/* Takes the txn in every case; done() follows from the loop, also on failure. */
	void (*commit)(struct ledger *ledger, struct txn *take_txn);
	/* Answers from the loop, once; the array is the ledger's, borrowed for the call. */
	void (*query)(struct ledger *ledger, const struct log_query *query,
		void (*done)(void *user, const struct event *events, size_t n,
			const struct fault *fault),
		void *user);
	void (*verify)(struct ledger *ledger,
		void (*done)(
			void *user, const struct log_verify *result, const struct fault *fault),
		void *user);
	/* As query(): what is kept of a lock's health. Empty with a fault, and for what is not
	 * there. */
	void (*history)(struct ledger *ledger, const struct history_query *query,
		void (*done)(void *user, const struct history *history, const struct fault *fault),
		void *user);
};

struct ledger {
	const struct ledger_impl *impl;
};
