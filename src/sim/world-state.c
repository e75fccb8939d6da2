/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

/* --state FILE: the locks' memories survive the simulator. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *dump(struct world *world) {
	json_auto_t *root = json_object();
	json_t *locks = json_object();
	json_object_set_new(root, "lockhub-sim", json_integer(1));
	json_object_set_new(root, "drawn", json_integer((json_int_t) world->drawn));
	json_object_set_new(root, "locks", locks);
	for (size_t i = 0; i < world->n_stations; i++) {
		struct sim_lock *lock = world->stations[i]->lock;
		if (lock != NULL) {
			json_object_set_new(locks, lock->name,
				json_pack("{s:s, s:o}", "model", lock->model, "memory",
					lock->impl->save(lock)));
		}
	}
	return json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS);
}

static int write_file(const char *path, const char *text) {
	char temporary[4096];
	int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	if (n < 0 || (size_t) n >= sizeof(temporary)) {
		return -ENAMETOOLONG;
	}
	/* mkstemp: 0600, for there are keys in it. Renamed into place, so that it is never half. */
	int fd = mkstemp(temporary);
	if (fd < 0) {
		return -errno;
	}
	int r = 0;
	for (size_t at = 0, left = strlen(text); left > 0 && r == 0;) {
		ssize_t written = write(fd, text + at, left);
		if (written < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		at += (size_t) written;
		left -= (size_t) written;
	}
	if (close(fd) < 0 && r == 0) {
		r = -errno;
	}
	if (r == 0 && rename(temporary, path) < 0) {
		r = -errno;
	}
	if (r < 0) {
		unlink(temporary);
	}
	return r;
}

int world_save(struct world *world, const char *path) {
	char *text = dump(world);
	if (text == NULL) {
		return -ENOMEM;
	}
	if (world->saved != NULL && strcmp(world->saved, text) == 0) {
		free(text);
		return 0;
	}
	int r = write_file(path, text);
	free(world->saved);
	world->saved = r == 0 ? text : NULL;
	if (r < 0) {
		free(text);
	}
	return r;
}

int world_load(struct world *world, const char *path, char *why) {
	if (access(path, F_OK) < 0) {
		return 0; /* the first time there is none */
	}
	json_error_t error;
	json_auto_t *root = json_load_file(path, 0, &error);
	if (root == NULL) {
		snprintf(why, SIM_TEXT_MAX, "%s:%d: %s", path, error.line, error.text);
		return -EINVAL;
	}
	const json_t *locks = json_object_get(root, "locks");
	if (json_integer_value(json_object_get(root, "lockhub-sim")) != 1 ||
		!json_is_object(locks)) {
		snprintf(why, SIM_TEXT_MAX, "%s: not a state file of this lockhub-sim", path);
		return -EINVAL;
	}
	world->drawn = (uint64_t) json_integer_value(json_object_get(root, "drawn"));
	for (size_t i = 0; i < world->n_stations; i++) {
		struct sim_lock *lock = world->stations[i]->lock;
		const json_t *saved = lock == NULL ? NULL : json_object_get(locks, lock->name);
		if (saved == NULL) {
			continue;
		}
		const char *model = json_string_value(json_object_get(saved, "model"));
		if (model == NULL || strcmp(model, lock->model) != 0 ||
			lock->impl->load(lock, json_object_get(saved, "memory")) < 0) {
			snprintf(why, SIM_TEXT_MAX, "%s: what it says of lock %s does not fit a %s",
				path, lock->name, lock->model);
			return -EINVAL;
		}
		sim_lock_due_changed(lock);
	}
	return 0;
}
