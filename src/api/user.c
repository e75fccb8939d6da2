/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.lockhub1.User: the objects follow the rows of the book. */

#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What locks hold changes step by step while they are talked to: told together. */
#define SYNC_SOON_MS 200

static struct api_user *find_by_path(const struct api *api, const char *path) {
	struct api_user *shown;
	list_for_each(shown, &api->users, link) {
		if (strcmp(shown->path, path) == 0) {
			return shown;
		}
	}
	return NULL;
}

static struct api_user *find_by_id(const struct api *api, const char *id) {
	struct api_user *shown;
	list_for_each(shown, &api->users, link) {
		if (strcmp(shown->id, id) == 0) {
			return shown;
		}
	}
	return NULL;
}

char *user_path(const char *slug, char out[static API_PATH_MAX]) {
	snprintf(out, API_PATH_MAX, "%s/%s", API_USER_PREFIX, slug);
	for (char *p = out + strlen(API_USER_PREFIX) + 1; *p != '\0'; p++) {
		if (*p == '-') {
			*p = '_';
		}
	}
	return out;
}

static int method_user(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	return people_ask(((struct api_user *) user)->api, message);
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

static int find_user(sd_bus *bus, const char *path, const char *interface, void *user,
	void **ret_found, sd_bus_error *ret_error) {
	struct api_user *shown = find_by_path(user, path);
	*ret_found = shown;
	if (shown == NULL && strlen(path) > strlen(API_USER_PREFIX)) {
		return sd_bus_error_setf(ret_error, fault_row(FAULT_NO_SUCH_USER)->dbus, "%s (%s)",
			fault_row(FAULT_NO_SUCH_USER)->summary, path);
	}
	return shown != NULL;
}

static int list_users(
	sd_bus *bus, const char *prefix, void *user, char ***ret_nodes, sd_bus_error *ret_error) {
	const struct api *api = user;
	const struct api_user *shown;
	size_t n = 0;
	char **nodes = calloc(USERS_MAX + 1, sizeof(*nodes));
	if (nodes == NULL) {
		return -ENOMEM;
	}
	list_for_each(shown, &api->users, link) {
		nodes[n] = n < USERS_MAX ? strdup(shown->path) : NULL;
		if (nodes[n] == NULL) {
			break;
		}
		n++;
	}
	*ret_nodes = nodes;
	return 0;
}

int users_register(struct api *api) {
	sd_bus *bus = bus_sd(api->bus);
	int r = sd_bus_add_fallback_vtable(bus, &api->user_slot, API_USER_PREFIX,
		API_USER_INTERFACE, user_vtable, find_user, api);
	if (r >= 0) {
		r = sd_bus_add_node_enumerator(
			bus, &api->user_nodes_slot, API_USER_PREFIX, list_users, api);
	}
	return r;
}

void users_free(struct api *api) {
	struct api_user *shown, *following;
	list_for_each_safe(shown, following, &api->users, link) {
		list_remove(&shown->link);
		free(shown);
	}
}

static void emit(
	struct api *api, const char *path, const char *interface, const char *const *properties) {
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_properties_changed_strv(
			bus_sd(api->bus), path, interface, (char **) properties);
		bus_kick(api->bus);
	}
}

static void show_user(struct api *api, const struct user *user) {
	struct api_user *shown = calloc(1, sizeof(*shown));
	if (shown == NULL) {
		return; /* not shown; his codes work all the same */
	}
	shown->api = api;
	text_copy(shown->id, sizeof(shown->id), user->id);
	user_path(user->slug, shown->path);
	list_append(&api->users, &shown->link);
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_object_added(bus_sd(api->bus), shown->path);
		bus_kick(api->bus);
	}
}

static void hide_user(struct api *api, struct api_user *take_shown) {
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_object_removed(bus_sd(api->bus), take_shown->path);
		bus_kick(api->bus);
	}
	list_remove(&take_shown->link);
	free(take_shown);
}

void users_load(struct api *api) {
	const struct book *book = hub_book(api->hub);
	for (size_t i = 0; i < book_user_count(book); i++) {
		show_user(api, book_user_at(book, i));
	}
}

/* The path hangs on the slug: another slug is another object. */
static bool moved(struct api *api, struct api_user *shown, const struct user *user) {
	char path[API_PATH_MAX];
	user_path(user->slug, path);
	if (strcmp(path, shown->path) == 0) {
		return false;
	}
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_object_removed(bus_sd(api->bus), shown->path);
	}
	text_copy(shown->path, sizeof(shown->path), path);
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_object_added(bus_sd(api->bus), shown->path);
		bus_kick(api->bus);
	}
	return true;
}

static void user_changed(struct api *api, const char *id) {
	const struct user *user = book_user(hub_book(api->hub), id);
	struct api_user *shown = find_by_id(api, id);
	if (user == NULL && shown != NULL) {
		hide_user(api, shown);
	} else if (user != NULL && shown == NULL) {
		show_user(api, user);
	} else if (user != NULL && !moved(api, shown, user)) {
		emit(api, shown->path, API_USER_INTERFACE, told);
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
		emit(api, lock->path, API_LOCK_INTERFACE, lock_told);
	}
}

void users_sync_changed(struct api *api, const struct lock *lock) {
	struct api_lock *shown = (struct api_lock *) locks_by_id(api, lock_id(lock));
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
	list_for_each(lock, &api->locks, link) {
		if (lock->is_sync_changed) {
			emit(api, lock->path, API_LOCK_INTERFACE, lock_told_by_sync);
			lock->is_sync_changed = false;
		}
	}
	list_for_each(user, &api->users, link) {
		if (user->is_placed || user->was_placed) {
			emit(api, user->path, API_USER_INTERFACE, told_by_sync);
		}
		user->was_placed = user->is_placed;
		user->is_placed = false;
	}
}
