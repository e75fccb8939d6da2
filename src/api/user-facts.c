/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The properties of org.lockhub1.User. None of them ever holds a PIN or a key. */

#include "room.h"

#include <errno.h>
#include <string.h>

#include "core/schedule.h"

/* NULL: gone from the book, its object follows. */
static const struct user *row_of(const void *shown) {
	const struct api_user *user = shown;
	return book_user(hub_book(user->object.api->hub), user->id);
}

static const char *text_id(const struct user *user) {
	return user->id;
}
static const char *text_slug_of(const struct user *user) {
	return user->slug;
}
static const char *text_name(const struct user *user) {
	return user->name;
}
static const char *text_type(const struct user *user) {
	return user_type_name(user->type);
}
static const char *text_status(const struct user *user) {
	return user_status_name(user->status);
}
static const char *text_created_by(const struct user *user) {
	return user->created_by;
}
static const char *text_modified_by(const struct user *user) {
	return user->modified_by;
}

/* clang-format off */
static const struct {
	const char *property;
	const char *(*get)(const struct user *user);
} texts[] = {
	{ "Id",         text_id },
	{ "Slug",       text_slug_of },
	{ "Name",       text_name },
	{ "Type",       text_type },
	{ "Status",     text_status },
	{ "CreatedBy",  text_created_by },
	{ "ModifiedBy", text_modified_by },
};
/* clang-format on */

PROPERTY_GETTER(user_get_text) {
	const struct user *row = row_of(user);
	for (size_t i = 0; row != NULL && i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].property, property) == 0) {
			return value_text(reply, texts[i].get(row));
		}
	}
	return -ENOENT;
}

PROPERTY_GETTER(user_get_number) {
	const struct user *row = row_of(user);
	if (row == NULL) {
		return -ENOENT;
	}
	return sd_bus_message_append(
		reply, "u", strcmp(property, "Number") == 0 ? row->number : row->expiring_minutes);
}

PROPERTY_GETTER(user_get_time) {
	const struct user *row = row_of(user);
	if (row == NULL) {
		return -ENOENT;
	}
	return sd_bus_message_append(reply, "x",
		strcmp(property, "CreatedAt") == 0 ? row->created_at.s : row->first_used_at.s);
}

PROPERTY_GETTER(user_get_flag) {
	const struct user *row = row_of(user);
	if (row == NULL) {
		return -ENOENT;
	}
	return sd_bus_message_append(reply, "b",
		(int) (strcmp(property, "HasCode") == 0 ? row->code.len > 0 : row->totp.len > 0));
}

const char *slug_of(const struct api *api, const char *id) {
	const struct api_lock *shown = locks_by_id(api, id);
	return shown != NULL ? lock_slug(shown->lock) : id;
}

PROPERTY_GETTER(user_get_locks) {
	const struct api_user *shown = user;
	const struct book *book = hub_book(shown->object.api->hub);
	const struct access *access;
	int r = sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; r >= 0 && (access = book_access_at(book, i)) != NULL; i++) {
		if (strcmp(access->user_id, shown->id) == 0) {
			r = value_text(reply, slug_of(shown->object.api, access->lock_id));
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int put_placement(sd_bus_message *reply, const struct placement *placement) {
	int r = put_text(reply, "state", placement_state_name(placement->state));
	if (r >= 0 && placement->fault != FAULT_NONE) {
		const struct fault fault = { .code = placement->fault };
		r = put_fault(reply, "fault", &fault, NULL);
	}
	if (r >= 0) {
		r = put_number(reply, "tries", placement->n_tries);
	}
	if (r >= 0 && placement->since.s != 0) {
		r = put_number(reply, "since", placement->since.s);
	}
	if (r >= 0 && placement->confirmed_at.s != 0) {
		r = put_number(reply, "confirmed_at", placement->confirmed_at.s);
	}
	if (r >= 0 && placement->ref != 0) {
		r = put_number(reply, "ref", placement->ref);
	}
	return r;
}

/*
 * What became of it at a lock. Without a placement it is not there, and either the lock has not
 * been asked since it was made ("pending") or it is not to be there now ("absent").
 */
static int value_at_lock(sd_bus_message *reply, const struct api *api,
	const struct credential *credential, const struct lock *lock,
	const struct placement *placement) {
	struct sync_status status = { 0 };
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0) {
		r = put_text(reply, "lock", lock_slug(lock));
	}
	if (r >= 0) {
		r = put_text(reply, "lock_id", lock_id(lock));
	}
	if (r >= 0 && placement != NULL) {
		r = put_placement(reply, placement);
	} else if (r >= 0) {
		hub_sync_status(api->hub, lock_id(lock), &status);
		bool is_pending = status.read_at.s == 0 || status.is_running ||
				  status.n_pending > 0 ||
				  status.read_at.s < credential->created_at.s;
		r = put_text(reply, "state",
			!status.is_supported ? "unsupported"
			: is_pending         ? "pending"
					     : "absent");
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int put_at_locks(
	sd_bus_message *reply, const struct api *api, const struct credential *credential) {
	const struct book *book = hub_book(api->hub);
	bool is_in_locks = credential->type < CREDENTIAL_MECHANICAL_KEY;
	int r = sd_bus_message_open_container(reply, 'e', "sv");
	if (r >= 0) {
		r = sd_bus_message_append(reply, "s", "locks");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(reply, 'v', "aa{sv}");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	}
	for (size_t i = 0; r >= 0 && is_in_locks && i < hub_lock_count(api->hub); i++) {
		const struct lock *lock = hub_lock_at(api->hub, i);
		const struct placement *placement =
			book_placement(book, lock_id(lock), credential->id);
		bool is_bound_elsewhere = credential->lock_id[0] != '\0' &&
					  strcmp(credential->lock_id, lock_id(lock)) != 0;
		bool counts = credential->state == CREDENTIAL_ACTIVE && !is_bound_elsewhere &&
			      book_has_access(book, credential->user_id, lock_id(lock));
		if (placement != NULL || counts) {
			r = value_at_lock(reply, api, credential, lock, placement);
		}
	}
	for (unsigned i = 0; r >= 0 && i < 3; i++) {
		r = sd_bus_message_close_container(reply);
	}
	return r;
}

static int value_credential(
	sd_bus_message *reply, const struct api *api, const struct credential *credential) {
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0) {
		r = put_text(reply, "id", credential->id);
	}
	if (r >= 0) {
		r = put_text(reply, "type", credential_type_name(credential->type));
	}
	if (r >= 0) {
		r = put_text(reply, "label", credential->label);
	}
	if (r >= 0) {
		r = put_text(reply, "lock",
			credential->lock_id[0] != '\0' ? slug_of(api, credential->lock_id) : "");
	}
	if (r >= 0) {
		r = put_text(reply, "state",
			credential->state == CREDENTIAL_REVOKED ? "revoked"
			: credential->is_expired                ? "expired"
								: "active");
	}
	if (r >= 0) {
		r = put_flag(reply, "once", credential->is_once);
	}
	if (r >= 0 && credential->valid_until.s != 0) {
		r = put_number(reply, "valid_until", credential->valid_until.s);
	}
	if (r >= 0) {
		r = put_flag(reply, "revealable", credential->pin.len > 0);
	}
	if (r >= 0) {
		r = put_number(reply, "created_at", credential->created_at.s);
	}
	if (r >= 0) {
		r = put_text(reply, "created_by", credential->created_by);
	}
	if (r >= 0) {
		r = put_at_locks(reply, api, credential);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(user_get_credentials) {
	const struct api_user *shown = user;
	const struct book *book = hub_book(shown->object.api->hub);
	const struct credential *credential;
	int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && (credential = book_credential_at(book, i)) != NULL; i++) {
		if (strcmp(credential->user_id, shown->id) == 0) {
			r = value_credential(reply, shown->object.api, credential);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(user_get_schedules) {
	const struct api_user *shown = user;
	const struct book *book = hub_book(shown->object.api->hub);
	const struct schedule *schedule;
	char text[SCHEDULE_TEXT_MAX];
	int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && (schedule = book_schedule_at(book, i)) != NULL; i++) {
		if (strcmp(schedule->user_id, shown->id) == 0) {
			r = sd_bus_message_append(reply, "a{sv}", 3, "id", "s", schedule->id,
				"lock", "s",
				schedule->lock_id[0] != '\0'
					? slug_of(shown->object.api, schedule->lock_id)
					: "",
				"text", "s", schedule_text(schedule, text));
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}
