/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The book: users, credentials, schedules, access, holidays, placements and mirrored slots of all
 * locks, in memory, with the checks that make them consistent. Pure: the hub changes it when the
 * ledger has committed the change (core/people.h), tests directly. Rows are borrowed and valid
 * until the next change.
 */

#include "core/user.h"

struct book;

struct book *book_new(void);               /* NULL: no memory */
struct book *book_free(struct book *book); /* wipes */
AUTO_DEFINE(struct book *, book_free);

/*
 * Insert or replace by id (access: user and lock; placement: lock and credential). The row is
 * copied. -ENOMEM, -ENOSPC (the limits of core/user.h but those per user of credentials, which
 * core/people.h sees to). No other checks: that is book_check_*().
 */
int book_put_user(struct book *book, const struct user *user);
int book_put_credential(struct book *book, const struct credential *credential);
int book_put_access(struct book *book, const struct access *access);
int book_put_schedule(struct book *book, const struct schedule *schedule);
int book_put_holiday(struct book *book, const struct holiday *holiday);
int book_put_placement(struct book *book, const struct placement *placement);
/* Replaces the mirror of one lock. @at: when the lock told it. */
int book_put_slots(
	struct book *book, const char *lock_id, const struct slot *slots, size_t n, wall_t at);
int book_put_rules(struct book *book, const char *lock_id, const struct lock_rules *rules);

/* Nothing happens when there is no such row. A user takes schedules and access along, not its
 * credentials: those are revoked first and go when no placement is left. */
void book_remove_user(struct book *book, const char *id);
void book_remove_credential(struct book *book, const char *id);
void book_remove_access(struct book *book, const char *user_id, const char *lock_id);
void book_remove_schedule(struct book *book, const char *id);
void book_remove_holiday(struct book *book, const char *id);
void book_remove_placement(struct book *book, const char *lock_id, const char *credential_id);
/* Everything about a lock that left. */
void book_remove_lock(struct book *book, const char *lock_id);

size_t book_user_count(const struct book *book);
const struct user *book_user_at(const struct book *book, size_t i); /* by number */
const struct user *book_user(const struct book *book, const char *id);
/* By id, slug, number or name (any case); NULL. */
const struct user *book_find_user(const struct book *book, const char *word);
/* Iterators: @i counts over all rows; NULL after the last. */
const struct credential *book_credential_at(const struct book *book, size_t i);
const struct credential *book_credential(const struct book *book, const char *id);
const struct access *book_access_at(const struct book *book, size_t i);
bool book_has_access(const struct book *book, const char *user_id, const char *lock_id);
const struct schedule *book_schedule_at(const struct book *book, size_t i);
const struct schedule *book_schedule(const struct book *book, const char *id);
/* All of one user's, *ret_n in a row; NULL with 0 possible. */
const struct schedule *book_user_schedules(
	const struct book *book, const char *user_id, size_t *ret_n);
const struct holiday *book_holiday_at(const struct book *book, size_t i);
const struct placement *book_placement_at(const struct book *book, size_t i);
const struct placement *book_placement(
	const struct book *book, const char *lock_id, const char *credential_id);
/* The mirror; *ret_at: when it was read, 0 never. */
const struct slot *book_slots(
	const struct book *book, const char *lock_id, size_t *ret_n, wall_t *ret_at);
/* The credential that was put there as @type and @ref; NULL: foreign. */
const struct credential *book_credential_of_slot(
	const struct book *book, const char *lock_id, enum credential_type type, int64_t ref);
/* Of that lock, or the defaults. Never NULL. */
const struct lock_rules *book_rules(const struct book *book, const char *lock_id);

/* ------------------------------------------------------------------------- checks */

/* The lowest free number from 1; 0: the book is full. */
unsigned book_free_number(const struct book *book);
/* 0 or -EINVAL/-EEXIST/-ENOSPC with a fault: name empty, too long, no UTF-8, taken; type's needs.
 */
int book_check_user(const struct book *book, const struct user *user, struct fault *ret_fault);
/*
 * Whether the PIN may be used by @user_id at @lock_id ("": at all of the user's), as a credential's
 * or as a personal code; @self is the id of the credential or user that has it already, or NULL.
 * WEAK_CODE: fewer than @least digits, all the same, a sequence up or down, a repeated pattern,
 * nearly all the same, a well-known default, a date of birth. CODE_TAKEN: another credential's
 * (but the same user's at another lock), a user's personal code, a foreign code's at one of the
 * locks where it will count. BAD_ARGUMENT: no digits, too long. The fault never tells a digit.
 */
int book_check_pin(const struct book *book, const struct secret *pin, const char *user_id,
	const char *lock_id, const char *self, unsigned least, struct fault *ret_fault);

/*
 * Why these digits are among the first that are tried, whatever their number: one of the reasons of
 * WEAK_CODE, static; NULL: no such reason is known, or they are no digits. Never tells a digit.
 */
const char *pin_weakness(const struct secret *pin);

enum access_decision {
	ACCESS_ALLOW,
	ACCESS_NON_ACCESS, /* known, but opens nothing: event type 2 */
	ACCESS_DISABLED,   /* OperationError 2 */
	ACCESS_RESTRICTED, /* OperationError 3: outside its schedule, or time not trusted */
	ACCESS_MODE,       /* the lock's mode forbids it */
	ACCESS_NONE,       /* no access to this lock */
};
/*
 * May @user operate @lock_id now, remotely or at the lock? @zone: the
 * lock's. Schedules deny while the clock is not trusted (L8). Pure.
 */
enum access_decision book_decide(const struct book *book, const struct user *user,
	const char *lock_id, bool is_remote, const struct zone *zone, wall_t now, bool is_trusted);
/* The mode in force: a holiday's, else the rules'. */
enum operating_mode book_mode(const struct book *book, const char *lock_id, const struct zone *zone,
	wall_t now, bool is_trusted);
