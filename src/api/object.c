/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What locks, users and operations have in common: coming, going and being found on the bus. */

#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void objects_init(struct api_objects *objects, struct api *api, const struct api_kind *kind) {
	objects->api = api;
	objects->kind = kind;
	list_init(&objects->list);
}

void objects_free(struct api_objects *objects) {
	struct api_object *object, *following;
	list_for_each_safe(object, following, &objects->list, link) {
		list_remove(&object->link);
		free(object);
	}
}

void *objects_find(const struct api_objects *objects, const char *path) {
	struct api_object *object;
	list_for_each(object, &objects->list, link) {
		if (strcmp(object->path, path) == 0) {
			return object;
		}
	}
	return NULL;
}

static int find(sd_bus *bus, const char *path, const char *interface, void *user, void **ret_found,
	sd_bus_error *ret_error) {
	const struct api_objects *objects = user;
	*ret_found = objects_find(objects, path);
	if (*ret_found == NULL && strlen(path) > strlen(objects->kind->prefix)) {
		const struct fault_row *row = fault_row(objects->kind->missing);
		return sd_bus_error_setf(ret_error, row->dbus, "%s (%s)", row->summary, path);
	}
	return *ret_found != NULL;
}

static int enumerate(
	sd_bus *bus, const char *prefix, void *user, char ***ret_nodes, sd_bus_error *ret_error) {
	const struct api_objects *objects = user;
	const struct api_object *object;
	size_t n = 0;
	list_for_each(object, &objects->list, link) {
		n++;
	}
	char **nodes = calloc(n + 1, sizeof(*nodes));
	if (nodes == NULL) {
		return -ENOMEM;
	}
	n = 0;
	list_for_each(object, &objects->list, link) {
		nodes[n] = strdup(object->path);
		if (nodes[n] == NULL) {
			break;
		}
		n++;
	}
	*ret_nodes = nodes;
	return 0;
}

int objects_register(struct api_objects *objects) {
	const struct api_kind *kind = objects->kind;
	sd_bus *bus = bus_sd(objects->api->bus);
	int r = sd_bus_add_fallback_vtable(
		bus, &objects->slot, kind->prefix, kind->interface, kind->vtable, find, objects);
	if (r >= 0) {
		r = sd_bus_add_node_enumerator(
			bus, &objects->nodes_slot, kind->prefix, enumerate, objects);
	}
	return r;
}

void objects_unregister(struct api_objects *objects) {
	objects->slot = sd_bus_slot_unref(objects->slot);
	objects->nodes_slot = sd_bus_slot_unref(objects->nodes_slot);
}

char *object_path(const struct api_kind *kind, const char *name, char out[static API_PATH_MAX]) {
	snprintf(out, API_PATH_MAX, "%s/%s", kind->prefix, name);
	for (char *p = out + strlen(kind->prefix) + 1; *p != '\0'; p++) {
		if (*p == '-') {
			*p = '_';
		}
	}
	return out;
}

static void emit_added(struct api_object *object) {
	struct api *api = object->api;
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_object_added(bus_sd(api->bus), object->path);
		bus_kick(api->bus);
	}
}

static void emit_removed(struct api_object *object) {
	struct api *api = object->api;
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_object_removed(bus_sd(api->bus), object->path);
		bus_kick(api->bus);
	}
}

void object_show(struct api_objects *objects, struct api_object *take_object, const char *name) {
	take_object->api = objects->api;
	take_object->kind = objects->kind;
	object_path(objects->kind, name, take_object->path);
	list_append(&objects->list, &take_object->link);
	emit_added(take_object);
}

void object_hide(struct api_object *take_object) {
	emit_removed(take_object);
	list_remove(&take_object->link);
	free(take_object);
}

bool object_move(struct api_object *object, const char *name) {
	char path[API_PATH_MAX];
	object_path(object->kind, name, path);
	if (strcmp(path, object->path) == 0) {
		return false;
	}
	emit_removed(object);
	text_copy(object->path, sizeof(object->path), path);
	emit_added(object);
	return true;
}

void object_emit(const struct api_object *object, const char *const *properties) {
	struct api *api = object->api;
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_properties_changed_strv(bus_sd(api->bus), object->path,
			object->kind->interface, (char **) properties);
		bus_kick(api->bus);
	}
}
