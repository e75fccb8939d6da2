/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.lockhub1.User: the objects follow the rows of the book. */

#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What locks hold changes step by step while they are talked to: told together. */
#define SYNC_SOON_MS 200

static struct api_user *find_by_id(const struct api *api, const char *id) {
	struct api_user *shown;
	list_for_each(shown, &api->users.list, object.link) {
		if (strcmp(shown->id, id) == 0) {
			return shown;
		}
	}
	return NULL;
}

static int method_user(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	return people_ask(((struct api_user *) user)->object.api, message);
}

/* clang-format off */
#define TOLD SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define FIXED SD_BUS_VTABLE_PROPERTY_CONST
/* Long, and costly to make: only who asks for it gets it. */
#define LONG (SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION)
#define SECRETIVE (SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE)

const sd_bus_vtable user_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "s", user_get_text, 0, FIXED),
	SD_BUS_PROPERTY("Number", "u", user_get_number, 0, FIXED),
	SD_BUS_PROPERTY("Slug", "s", user_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Name", "s", user_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Type", "s", user_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Status", "s", user_get_text, 0, TOLD),
	SD_BUS_PROPERTY("ExpiringMinutes", "u", user_get_number, 0, TOLD),
	SD_BUS_PROPERTY("FirstUsed", "x", user_get_time, 0, TOLD),
	SD_BUS_PROPERTY("CreatedAt", "x", user_get_time, 0, FIXED),
	SD_BUS_PROPERTY("CreatedBy", "s", user_get_text, 0, FIXED),
	SD_BUS_PROPERTY("ModifiedBy", "s", user_get_text, 0, TOLD),
	SD_BUS_PROPERTY("HasCode", "b", user_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("HasTotp", "b", user_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("Locks", "as", user_get_locks, 0, TOLD),
	SD_BUS_PROPERTY("Credentials", "aa{sv}", user_get_credentials, 0, LONG),
	SD_BUS_PROPERTY("Schedules", "aa{sv}", user_get_schedules, 0, LONG),

	SD_BUS_METHOD_WITH_ARGS("Edit", SD_BUS_ARGS("a{sv}", changes), SD_BUS_RESULT("o", user),
		method_user, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_user, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("Grant", SD_BUS_ARGS("s", lock, "s", when), SD_BUS_NO_RESULT,
		method_user, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("Revoke", SD_BUS_ARGS("s", lock), SD_BUS_NO_RESULT,
		method_user, SECRETIVE),
	SD_BUS_VTABLE_END
};
/* clang-format on */

/* All that may change; the values of what is not long go along. */
static const char *const told[] = { "Slug", "Name", "Type", "Status", "ExpiringMinutes",
	"FirstUsed", "ModifiedBy", "HasCode", "HasTotp", "Locks", "Credentials", "Schedules",
	NULL };
static const char *const told_by_sync[] = { "Credentials", NULL };
static const char *const lock_told[] = { "Sync", "Rules", "Holidays", "Users", NULL };
static const char *const lock_told_by_sync[] = { "Sync", "Users", NULL };

const struct api_kind user_kind = {
	.prefix = API_USER_PREFIX,
	.interface = API_USER_INTERFACE,
	.vtable = user_vtable,
	.missing = FAULT_NO_SUCH_USER,
};

static void show_user(struct api *api, const struct user *user) {
	struct api_user *shown = calloc(1, sizeof(*shown));
	if (shown == NULL) {
		return; /* not shown; his codes work all the same */
	}
	text_copy(shown->id, sizeof(shown->id), user->id);
	object_show(&api->users, &shown->object, user->slug);
}

void users_load(struct api *api) {
	const struct book *book = hub_book(api->hub);
	for (size_t i = 0; i < book_user_count(book); i++) {
		show_user(api, book_user_at(book, i));
	}
}

static void user_changed(struct api *api, const char *id) {
	const struct user *user = book_user(hub_book(api->hub), id);
	struct api_user *shown = find_by_id(api, id);
	if (user == NULL && shown != NULL) {
		object_hide(&shown->object);
	} else if (user != NULL && shown == NULL) {
		show_user(api, user);
	} else if (user != NULL && !object_move(&shown->object, user->slug)) {
		object_emit(&shown->object, told);
	}
}

void users_changed(struct api *api, const struct book_change *change) {
	const struct api_lock *lock = NULL;
	if (change->user_id != NULL && change->user_id[0] != '\0') {
		user_changed(api, change->user_id);
	}
	if (change->lock_id != NULL && change->lock_id[0] != '\0') {
		lock = locks_by_id(api, change->lock_id);
	}
	if (lock != NULL) {
		object_emit(&lock->object, lock_told);
	}
}

void users_sync_changed(struct api *api, const struct lock *lock) {
	struct api_lock *shown = locks_by_id(api, lock_id(lock));
	if (shown == NULL) {
		return;
	}
	shown->is_sync_changed = true;
	if (!loop_timer_is_armed(api->sync_soon)) {
		loop_timer_arm(api->sync_soon, SYNC_SOON_MS);
	}
}

static bool has_news(const struct api *api, const char *lock_id) {
	const struct api_lock *shown = locks_by_id(api, lock_id);
	return shown != NULL && shown->is_sync_changed;
}

/* Whose credentials are at a lock with news; those that just left it are known from last time. */
static void mark_placed(struct api *api) {
	const struct book *book = hub_book(api->hub);
	const struct placement *placement;
	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		const struct credential *credential =
			has_news(api, placement->lock_id)
				? book_credential(book, placement->credential_id)
				: NULL;
		struct api_user *shown =
			credential != NULL ? find_by_id(api, credential->user_id) : NULL;
		if (shown != NULL) {
			shown->is_placed = true;
		}
	}
}

void users_tell_sync(struct api *api) {
	struct api_user *user;
	struct api_lock *lock;
	mark_placed(api);
	list_for_each(lock, &api->locks.list, object.link) {
		if (lock->is_sync_changed) {
			object_emit(&lock->object, lock_told_by_sync);
			lock->is_sync_changed = false;
		}
	}
	list_for_each(user, &api->users.list, object.link) {
		if (user->is_placed || user->was_placed) {
			object_emit(&user->object, told_by_sync);
		}
		user->was_placed = user->is_placed;
		user->is_placed = false;
	}
}
