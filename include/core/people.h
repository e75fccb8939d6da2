/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the edges (api, mqtt) may do to the book. Every change is checked, committed, put into the
 * book, told by signals and an event (LockUserChange), and then the locks are made to agree
 * (src/core/sync.c). Loop thread only.
 *
 * All of them: 0 when the change was handed to the ledger: done() follows from the loop, once, with
 * NULL or the fault that kept it from being recorded (nothing changed then). Else a fault at once:
 * BAD_ARGUMENT, DENIED (by->role below ROLE_MANAGE), NO_SUCH_USER, NO_SUCH_LOCK, NO_SUCH_CODE,
 * NAME_TAKEN, HUB_FULL, WEAK_CODE, CODE_TAKEN, NOT_SUPPORTED, DATABASE_..., and done() is not
 * called. done may be NULL.
 */

#include "core/book.h"
#include "core/hub.h"

struct people_by {
	const char *actor; /* for the log, like struct request */
	enum role role;
};
typedef void people_done_fn(void *user, const struct fault *fault);

const struct book *hub_book(const struct hub *hub);
const struct zone *hub_lock_zone(const struct hub *hub, const char *lock_id);

enum { /* struct user_edit.set */
	USER_EDIT_NAME = 1 << 0,
	USER_EDIT_TYPE = 1 << 1,
	USER_EDIT_STATUS = 1 << 2,
	USER_EDIT_EXPIRING = 1 << 3,
	USER_EDIT_CODE = 1 << 4,   /* the personal code of the second factor; empty takes it away */
	USER_EDIT_TOTP = 1 << 5,   /* likewise */
	USER_EDIT_NUMBER = 1 << 6, /* hub_user_add() only: this one, NAME_TAKEN when it is in use */
};
struct user_edit {
	unsigned set;
	char name[LOCK_NAME_MAX];
	enum user_type type;
	enum user_status status;
	unsigned expiring_minutes;
	struct secret code;
	struct secret totp;
	unsigned number; /* 1..USERS_MAX; not set: the lowest free one */
};

/* Needs a name; the rest as Matter: unrestricted, enabled. */
int hub_user_add(struct hub *hub, const struct user_edit *edit, const struct people_by *by,
	char ret_id[static ROW_ID_MAX], people_done_fn *done, void *user, struct fault *ret_fault);
int hub_user_edit(struct hub *hub, const char *word, const struct user_edit *edit,
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault);
/* Revokes all credentials first; the row stays, disabled, until every lock has confirmed. */
int hub_user_remove(struct hub *hub, const char *word, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault);

/* One access, with the lock's own schedules for it replaced: @when NULL keeps, "" clears them. */
int hub_access_grant(struct hub *hub, const char *user_word, const char *lock_word,
	const char *when, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault);
/* @lock_word "": everywhere. */
int hub_access_revoke(struct hub *hub, const char *user_word, const char *lock_word,
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault);

struct code_add {
	char user[LOCK_NAME_MAX];  /* any word that finds the user */
	char lock[LOCK_NAME_MAX];  /* "" at all of the user's locks; else access is granted too */
	enum credential_type type; /* CREDENTIAL_PIN; or one that is only noted (mechanical key) */
	struct secret pin;         /* empty with .generate */
	bool generate;
	unsigned digits; /* 0: as the locks take it, at least 6 */
	char label[64];
	char when[256]; /* schedule_parse(); "" no window */
	char until[64]; /* schedule_parse_until(); "" no end */
	bool is_once;
};
/* *ret_pin: what was generated or given, to be shown once after done(NULL). */
int hub_code_add(struct hub *hub, const struct code_add *add, const struct people_by *by,
	char ret_id[static ROW_ID_MAX], struct secret *ret_pin, people_done_fn *done, void *user,
	struct fault *ret_fault);
/* @pin empty: generated. */
int hub_code_change(struct hub *hub, const char *id, const struct secret *pin,
	const struct people_by *by, struct secret *ret_pin, people_done_fn *done, void *user,
	struct fault *ret_fault);
int hub_code_revoke(struct hub *hub, const char *id, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault);
/* Recorded as an event first: *ret_pin may be shown after done(NULL). */
int hub_code_reveal(struct hub *hub, const char *id, const struct people_by *by,
	struct secret *ret_pin, people_done_fn *done, void *user, struct fault *ret_fault);
/* A foreign credential becomes this user's. */
int hub_code_adopt(struct hub *hub, const char *lock_word, enum credential_type type, int64_t ref,
	const char *user_word, const struct people_by *by, char ret_id[static ROW_ID_MAX],
	people_done_fn *done, void *user, struct fault *ret_fault);
/* Asks for a removal of a foreign credential from the lock. */
int hub_code_remove_foreign(struct hub *hub, const char *lock_word, enum credential_type type,
	int64_t ref, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault);
/* Read the lock's list now and make it agree; @lock_word "": all. Refused ones are tried again. */
int hub_code_sync(struct hub *hub, const char *lock_word, const struct people_by *by,
	struct fault *ret_fault);

/* @lock_word "": everywhere. Adds rows; the user becomes SCHEDULE_RESTRICTED if it was
 * UNRESTRICTED. */
int hub_schedule_add(struct hub *hub, const char *user_word, const char *lock_word,
	const char *when, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault);
int hub_schedule_remove(struct hub *hub, const char *id, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault);
int hub_holiday_add(struct hub *hub, const char *lock_word, const char *when,
	enum operating_mode mode, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault);
int hub_holiday_remove(struct hub *hub, const char *id, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault);
int hub_rules_set(struct hub *hub, const char *lock_word, const struct lock_rules *rules,
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault);

/* How a lock and the book agree. */
struct sync_status {
	bool is_supported; /* the lock keeps credentials that the hub can manage */
	unsigned n_present, n_pending, n_leaving, n_refused, n_foreign;
	wall_t read_at; /* the last complete list; 0 never */
	bool is_running;
	bool is_broken; /* the breaker is open: see fault; opened anew by hub_code_sync() */
	struct fault fault;
	wall_t next_edge; /* when a schedule that the hub enforces changes; 0 none */
};
void hub_sync_status(const struct hub *hub, const char *lock_id, struct sync_status *ret);

/* Start-up, before hub_start(), in any order; copies. -ENOMEM, -ENOSPC. */
struct book *hub_load_book(struct hub *hub); /* to be filled by the daemon */
/*
 * The database was restored: what the locks do not hold of it, or hold otherwise, is not put there
 * until somebody asks for it (hub_code_sync()), as it may have been revoked since the backup was
 * made (L4); FAULT_CODES_HELD stands meanwhile. Start-up, after the locks; lasts over restarts.
 */
void hub_hold_codes(struct hub *hub);
/*
 * Start-up, after the locks and before hub_start(): a setting that the hub had the ledger keep
 * (TXN_SETTING). Keys that are not the hub's are ignored.
 */
void hub_load_setting(struct hub *hub, const char *key, const char *value);
