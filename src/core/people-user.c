/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of who and where: users and their access. */

#include <stdio.h>
#include <string.h>

#include "change.h"
#include "core/schedule.h"
#include "util/text.h"

#define CODE_LEAST 6
#define TOTP_KEY_LEAST 16 /* octets: RFC 4226 demands 128 bits */
#define TOTP_KEY_MOST 64

static bool is_slug_taken(const struct book *book, const struct user *self, const char *slug) {
	const struct user *user;

	for (size_t i = 0; (user = book_user_at(book, i)) != NULL; i++) {
		if (strcmp(user->slug, slug) == 0 && strcmp(user->id, self->id) != 0) {
			return true;
		}
	}
	return false;
}

static void make_slug(const struct book *book, struct user *user) {
	char base[LOCK_SLUG_MAX - 6];

	text_slug(user->name, base, sizeof(base));
	/* What text_slug() says of a name without a letter that it knows. */
	if (strcmp(base, "lock") == 0 && strcasecmp(user->name, "lock") != 0) {
		(void) text_copy(base, sizeof(base), "user");
	}
	(void) text_copy(user->slug, sizeof(user->slug), base);
	for (unsigned n = 2; is_slug_taken(book, user, user->slug); n++) {
		(void) snprintf(user->slug, sizeof(user->slug), "%s-%u", base, n);
	}
}

static int set_factors(const struct book *book, struct user *user, const struct user_edit *edit,
	struct fault *ret_fault) {
	if ((edit->set & USER_EDIT_CODE) != 0) {
		if (edit->code.len > 0) {
			int r = book_check_pin(
				book, &edit->code, user->id, "", user->id, CODE_LEAST, ret_fault);
			if (r < 0) {
				return r;
			}
		}
		user->code = edit->code;
	}
	if ((edit->set & USER_EDIT_TOTP) != 0) {
		if (edit->totp.len != 0 &&
			(edit->totp.len < TOTP_KEY_LEAST || edit->totp.len > TOTP_KEY_MOST)) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"a key for one-time passwords has %d to %d octets, not %zu",
				TOTP_KEY_LEAST, TOTP_KEY_MOST, edit->totp.len);
		}
		if (secret_equal(&user->totp, &edit->totp) == 0) {
			user->totp_step = 0;
		}
		user->totp = edit->totp;
	}
	return 0;
}

/* Everything but the name's slug and the number. */
static int set_fields(const struct book *book, struct user *user, const struct user_edit *edit,
	struct fault *ret_fault) {
	bool is_renewed = (edit->set & USER_EDIT_STATUS) != 0 &&
			  edit->status == USER_STATUS_OCCUPIED_ENABLED &&
			  user->status != USER_STATUS_OCCUPIED_ENABLED;

	if ((edit->set & USER_EDIT_NAME) != 0 &&
		!text_copy(user->name, sizeof(user->name), edit->name)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the name is too long");
	}
	if ((edit->set & USER_EDIT_TYPE) != 0) {
		is_renewed = is_renewed || user->type != edit->type;
		user->type = edit->type;
	}
	if ((edit->set & USER_EDIT_STATUS) != 0) {
		user->status = edit->status;
	}
	if ((edit->set & USER_EDIT_EXPIRING) != 0) {
		user->expiring_minutes = edit->expiring_minutes;
	}
	/* Whoever expired and is enabled again gets all the time again. */
	if (is_renewed && user->type == USER_EXPIRING) {
		user->first_used_at = (wall_t){ 0 };
	}
	return set_factors(book, user, edit, ret_fault);
}

static int add_user(struct change *change, struct user *user, struct fault *ret_fault) {
	const struct book *book = change->hub->book;
	const struct user_edit *edit = &change->edit;
	int r;

	(void) text_copy(user->id, sizeof(user->id), change->id);
	(void) text_copy(user->created_by, sizeof(user->created_by), change->actor);
	user->created_at = clock_wall(change->hub->config.clock);
	user->status = USER_STATUS_OCCUPIED_ENABLED;
	user->number = (edit->set & USER_EDIT_NUMBER) != 0 ? edit->number : book_free_number(book);
	if (user->number == 0 && (edit->set & USER_EDIT_NUMBER) == 0) {
		return fault_set(ret_fault, FAULT_HUB_FULL, "%d users", USERS_MAX);
	}
	r = set_fields(book, user, edit, ret_fault);
	if (r < 0) {
		return r;
	}
	make_slug(book, user);
	r = book_check_user(book, user, ret_fault);
	if (r >= 0) {
		r = change_put_user(change, user, ret_fault);
	}
	return r < 0 ? r
		     : change_tell(change, LOCK_DATA_USER_INDEX, DATA_ADD, user, NULL, ret_fault,
			       "user %u, %s", user->number, user_type_name(user->type));
}

static int run_user_add(struct change *change, struct fault *ret_fault) {
	struct user user = { .number = 0 };
	int r = add_user(change, &user, ret_fault);

	wipe(&user, sizeof(user));
	return r;
}

int hub_user_add(struct hub *hub, const struct user_edit *edit, const struct people_by *by,
	char ret_id[static ROW_ID_MAX], people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change = change_new(hub, run_user_add, by, done, user, ret_fault);
	char id[ROW_ID_MAX];
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	change_make_id(hub, id);
	memcpy(change->id, id, sizeof(change->id));
	change->edit = *edit;
	change->edit.set |= USER_EDIT_NAME;
	r = change_submit(change, ret_fault);
	if (r >= 0) {
		memcpy(ret_id, id, sizeof(id));
	}
	return r;
}

static void name_changes(const struct user *old, const struct user *user, char *out, size_t size) {
	const struct {
		bool is_other;
		const char *name;
	} fields[] = {
		{ strcmp(old->name, user->name) != 0, "name" },
		{ old->type != user->type, user_type_name(user->type) },
		{ old->status != user->status, user_status_name(user->status) },
		{ old->expiring_minutes != user->expiring_minutes, "minutes" },
		{ secret_equal(&old->code, &user->code) == 0, "personal code" },
		{ secret_equal(&old->totp, &user->totp) == 0, "one-time passwords" },
	};
	size_t n = 0;

	(void) text_copy(out, size, "nothing new");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].is_other) {
			n += (size_t) snprintf(
				out + n, size - n, "%s%s", n > 0 ? ", " : "", fields[i].name);
		}
	}
}

static int edit_user(struct change *change, struct user *user, struct fault *ret_fault) {
	const struct book *book = change->hub->book;
	const struct user *old;
	char text[EVENT_TEXT_MAX];
	int r = change_find_user(change, change->word, user, ret_fault);

	if (r >= 0) {
		r = set_fields(book, user, &change->edit, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	old = book_user(book, user->id);
	if (strcmp(old->name, user->name) != 0) {
		make_slug(book, user);
	}
	r = book_check_user(book, user, ret_fault);
	if (r >= 0) {
		r = change_put_user(change, user, ret_fault);
	}
	name_changes(old, user, text, sizeof(text));
	return r < 0 ? r
		     : change_tell(change, LOCK_DATA_USER_INDEX, DATA_MODIFY, user, NULL, ret_fault,
			       "%s", text);
}

static int run_user_edit(struct change *change, struct fault *ret_fault) {
	struct user user;
	int r = edit_user(change, &user, ret_fault);

	wipe(&user, sizeof(user));
	return r;
}

int hub_user_edit(struct hub *hub, const char *word, const struct user_edit *edit,
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change = change_new(hub, run_user_edit, by, done, user, ret_fault);
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	change->edit = *edit;
	r = change_set_text(change->word, sizeof(change->word), word, "a user", ret_fault);
	if (r >= 0 && (edit->set & USER_EDIT_NUMBER) != 0) {
		r = fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a user keeps the number");
	}
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}

static int remove_user(struct change *change, struct user *user, struct fault *ret_fault) {
	const struct credential *credential;
	unsigned n = 0;
	int r = change_find_user(change, change->word, user, ret_fault);

	if (r < 0) {
		return r;
	}
	for (size_t i = 0;
		r >= 0 && (credential = book_credential_at(change->hub->book, i)) != NULL; i++) {
		struct credential row = *credential;

		if (strcmp(row.user_id, user->id) == 0 && row.state == CREDENTIAL_ACTIVE) {
			row.state = CREDENTIAL_REVOKED;
			n++;
			r = change_put_credential(change, &row, ret_fault);
		}
		wipe(&row, sizeof(row));
	}
	user->status = USER_STATUS_LEAVING;
	secret_wipe(&user->code);
	secret_wipe(&user->totp);
	if (r >= 0) {
		r = change_put_user(change, user, ret_fault);
	}
	return r < 0 ? r
		     : change_tell(change, LOCK_DATA_USER_INDEX, DATA_CLEAR, user, NULL, ret_fault,
			       "user %u, %u codes revoked", user->number, n);
}

static int run_user_remove(struct change *change, struct fault *ret_fault) {
	struct user user;
	int r = remove_user(change, &user, ret_fault);

	wipe(&user, sizeof(user));
	return r;
}

int hub_user_remove(struct hub *hub, const char *word, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change = change_new(hub, run_user_remove, by, done, user, ret_fault);
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	r = change_set_text(change->word, sizeof(change->word), word, "a user", ret_fault);
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}

/* ---- access ---- */

int change_grant(struct change *change, const struct user *user, const char *lock_id,
	struct fault *ret_fault) {
	struct txn_item *item;

	if (book_has_access(change->hub->book, user->id, lock_id)) {
		return 0;
	}
	item = change_add(change, TXN_ACCESS_PUT, ret_fault);
	if (item == NULL) {
		return fault_errno(FAULT_NO_MEMORY);
	}
	item->access.granted_at = clock_wall(change->hub->config.clock);
	(void) text_copy(item->access.user_id, sizeof(item->access.user_id), user->id);
	(void) text_copy(item->access.lock_id, sizeof(item->access.lock_id), lock_id);
	(void) text_copy(item->access.granted_by, sizeof(item->access.granted_by), change->actor);
	return 0;
}

/* The user's schedules that are for this lock alone. */
static int clear_schedules(struct change *change, const struct user *user, const char *lock_id,
	struct fault *ret_fault) {
	size_t n;
	const struct schedule *rows = book_user_schedules(change->hub->book, user->id, &n);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (strcmp(rows[i].lock_id, lock_id) == 0) {
			r = change_remove_row(change, TXN_SCHEDULE_REMOVE, rows[i].id, ret_fault);
		}
	}
	return r;
}

/* Whether any schedule will count at this lock when @change has been made. */
static bool has_schedule(const struct change *change, const struct user *user, const char *lock_id,
	bool is_cleared) {
	const struct txn_item *item;
	size_t n;
	const struct schedule *rows = book_user_schedules(change->hub->book, user->id, &n);

	for (size_t i = 0; i < n; i++) {
		if (rows[i].lock_id[0] == '\0' ||
			(!is_cleared && strcmp(rows[i].lock_id, lock_id) == 0)) {
			return true;
		}
	}
	list_for_each(item, &change->txn->items, link) {
		if (item->kind == TXN_SCHEDULE_PUT &&
			strcmp(item->schedule.lock_id, lock_id) == 0) {
			return true;
		}
	}
	return false;
}

static int grant(struct change *change, struct user *user, const struct lock *lock,
	struct fault *ret_fault) {
	int r = change_grant(change, user, lock->id, ret_fault);

	if (r >= 0 && change->has_when) {
		r = clear_schedules(change, user, lock->id, ret_fault);
	}
	if (r >= 0 && change->when[0] != '\0') {
		r = change_add_schedules(change, user, lock->id, change->when, ret_fault);
	}
	/* Access without hours, to somebody who has hours elsewhere only: always, here. */
	if (r >= 0 && user->type == USER_SCHEDULE_RESTRICTED &&
		!has_schedule(change, user, lock->id, change->has_when)) {
		r = change_add_daily(change, user, lock->id, ret_fault);
	}
	return r < 0 ? r
		     : change_tell(change, LOCK_DATA_USER_INDEX, DATA_MODIFY, user, lock, ret_fault,
			       "may enter%s%s", change->when[0] != '\0' ? " " : "", change->when);
}

static int run_grant(struct change *change, struct fault *ret_fault) {
	struct user user;
	struct lock *lock;
	int r = change_find_user(change, change->word, &user, ret_fault);

	if (r >= 0) {
		r = hub_get_lock(change->hub, change->lock, &lock, ret_fault);
	}
	if (r >= 0) {
		r = grant(change, &user, lock, ret_fault);
	}
	wipe(&user, sizeof(user));
	return r;
}

static int set_words(struct change *change, const char *user_word, const char *lock_word,
	struct fault *ret_fault) {
	int r = change_set_text(change->word, sizeof(change->word), user_word, "a user", ret_fault);

	return r < 0 ? r
		     : change_set_text(
			       change->lock, sizeof(change->lock), lock_word, "a lock", ret_fault);
}

int hub_access_grant(struct hub *hub, const char *user_word, const char *lock_word,
	const char *when, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run_grant, by, done, user, ret_fault);
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	r = set_words(change, user_word, lock_word, ret_fault);
	change->has_when = when != NULL;
	if (r >= 0 && when != NULL) {
		r = change_set_text(
			change->when, sizeof(change->when), when, "a window", ret_fault);
	}
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}

static int revoke_one(struct change *change, const struct user *user, const struct access *access,
	struct fault *ret_fault) {
	const struct lock *lock = hub_lock_by_id(change->hub, access->lock_id);
	struct txn_item *item = change_add(change, TXN_ACCESS_REMOVE, ret_fault);
	int r;

	if (item == NULL) {
		return fault_errno(FAULT_NO_MEMORY);
	}
	item->access = *access;
	r = clear_schedules(change, user, access->lock_id, ret_fault);
	return r < 0 ? r
		     : change_tell(change, LOCK_DATA_USER_INDEX, DATA_MODIFY, user, lock, ret_fault,
			       "may not enter any more");
}

static int run_revoke(struct change *change, struct fault *ret_fault) {
	const struct access *access;
	struct lock *lock = NULL;
	struct user user;
	unsigned n = 0;
	int r = change_find_user(change, change->word, &user, ret_fault);

	if (r >= 0 && change->lock[0] != '\0') {
		r = hub_get_lock(change->hub, change->lock, &lock, ret_fault);
	}
	for (size_t i = 0; r >= 0 && (access = book_access_at(change->hub->book, i)) != NULL; i++) {
		if (strcmp(access->user_id, user.id) == 0 &&
			(lock == NULL || strcmp(access->lock_id, lock->id) == 0)) {
			n++;
			r = revoke_one(change, &user, access, ret_fault);
		}
	}
	if (r >= 0 && n == 0) {
		r = fault_set(ret_fault, FAULT_NO_ACCESS, "%s has none to %s anyway", user.name,
			lock != NULL ? lock->slug : "any lock");
	}
	wipe(&user, sizeof(user));
	return r;
}

int hub_access_revoke(struct hub *hub, const char *user_word, const char *lock_word,
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change = change_new(hub, run_revoke, by, done, user, ret_fault);
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	r = set_words(change, user_word, lock_word, ret_fault);
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}
