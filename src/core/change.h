/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A change of the book on its way (people*.c). One is with the ledger at a time, and none while any
 * other transaction is: so each is checked against rows that are on the disk, and two clients that
 * change the same thing at once cannot mix what they wanted. Those that have to wait are checked
 * when it is their turn.
 */

#include "core/people.h"
#include "private.h"

#define CHANGES_MAX 64 /* waiting for their turn; then QUEUE_FULL */
#define WHEN_TEXT_MAX 256

struct change {
	struct list link;
	struct hub *hub;
	/* Checks, and adds rows and one event to ->txn. 0, or a fault: nothing is changed then. */
	int (*run)(struct change *change, struct fault *ret_fault);
	people_done_fn *done;
	void *user;
	struct txn *txn;

	char actor[EVENT_USER_MAX];
	/* What was asked, as each needs it. */
	char id[ROW_ID_MAX]; /* of the row to be made, changed or removed */
	char word[LOCK_NAME_MAX];
	char lock[LOCK_NAME_MAX];
	char when[WHEN_TEXT_MAX];
	bool has_when;
	struct secret pin;
	enum credential_type type;
	int64_t ref;
	enum operating_mode mode;
	struct lock_rules rules, rules_before;
	struct user_edit edit;
	struct code_add add;
	char op_id[OP_ID_MAX]; /* the operation that waits for it (learn.c); "" none */
};

/* NULL: no memory, *ret_fault says so. */
struct change *change_new(struct hub *hub, int (*run)(struct change *, struct fault *),
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault);
struct change *change_free(struct change *change); /* wipes */
/* What to return when change_new() gave NULL. */
static inline int change_refused(const struct people_by *by) {
	return fault_errno(by->role < ROLE_MANAGE ? FAULT_DENIED : FAULT_NO_MEMORY);
}
/* Frees it and returns @r. */
int change_drop(struct change *take_change, int r);
/* Runs it now or puts it into the queue. */
int change_submit(struct change *take_change, struct fault *ret_fault);
/* Only while people_is_quiet(). 1: nothing was to be changed; < 0: refused. The caller frees then.
 */
int change_start(struct change *change, struct fault *ret_fault);
/* Nothing is with the ledger and no log is being read: what the book says is on the disk. */
bool people_is_quiet(const struct hub *hub);
void people_run_waiting(struct hub *hub);
/* Looks anew at what the rows of the book wait for. */
void people_watch(struct hub *hub);

void change_fill_event(struct event *event, enum lock_data_type data, enum data_operation operation,
	const struct user *user);

/* What a lock has learnt at the hub's request (learn.c), listed by then as nobody's. */
struct learnt {
	enum credential_type type;
	int64_t ref;
	const char *op_id, *actor, *user_id, *lock_id, *label;
};
/* It becomes the user's: learn_kept() follows, unless a fault is returned here. */
int people_take_learnt(struct hub *hub, const struct learnt *learnt, struct fault *ret_fault);

/* A new id that no row of the book has. */
void change_make_id(const struct hub *hub, char out[static ROW_ID_MAX]);
/* A text argument that must fit. */
int change_set_text(
	char *out, size_t size, const char *text, const char *what, struct fault *ret_fault);

/* All of these: 0 or a fault. */
int change_find_user(
	struct change *change, const char *word, struct user *ret, struct fault *ret_fault);
int people_get_user(
	const struct book *book, const char *word, struct user *ret, struct fault *ret_fault);
/* Room for one more credential. */
int people_check_room(const struct book *book, const struct user *user, struct fault *ret_fault);
int change_find_credential(struct change *change, const char *id, const struct credential **ret,
	struct fault *ret_fault);
/* An item; NULL and a fault when there is no memory. */
struct txn_item *change_add(struct change *change, enum txn_kind kind, struct fault *ret_fault);
int change_put_user(struct change *change, const struct user *user, struct fault *ret_fault);
int change_put_credential(
	struct change *change, const struct credential *credential, struct fault *ret_fault);
int change_remove_row(
	struct change *change, enum txn_kind kind, const char *id, struct fault *ret_fault);
/* LockUserChange; @user and @lock may be NULL. */
int change_tell(struct change *change, enum lock_data_type data, enum data_operation operation,
	const struct user *user, const struct lock *lock, struct fault *ret_fault,
	const char *format, ...) __attribute__((format(printf, 7, 8)));

/* people-time.c: rows made of words, for @lock_id ("" everywhere); how many. */
int change_add_schedules(struct change *change, struct user *user, const char *lock_id,
	const char *when, struct fault *ret_fault);
/* A window that is always open. */
int change_add_daily(struct change *change, const struct user *user, const char *lock_id,
	struct fault *ret_fault);
/* people-user.c: access, if it is not there; nothing else. */
int change_grant(struct change *change, const struct user *user, const char *lock_id,
	struct fault *ret_fault);
