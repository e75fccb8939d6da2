/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/text.h"

#define WORDS_MAX 32

static const struct command *find_command(const char *name, char *why) {
	const char *names[64];
	for (size_t i = 0; i < n_commands; i++) {
		if (text_equal(commands[i].name, name)) {
			return &commands[i];
		}
		names[i] = commands[i].name;
	}
	const char *near = text_nearest(name, names, n_commands);
	snprintf(why, SIM_TEXT_MAX, "no command %s%s%s", name,
		near == NULL ? " (lockhub-sim ctl --help lists them)" : "; did you mean ",
		near == NULL ? "" : near);
	return NULL;
}

/* Runs words; the output is the caller's to free. */
static int control_run(struct control *control, char **words, char **ret_output, char *why) {
	char *args[WORDS_MAX + 1] = { NULL };
	size_t n = 0, size = 0;
	bool is_json = false;
	why[0] = '\0';
	for (size_t i = 0; words[i] != NULL && n < WORDS_MAX; i++) {
		if (text_equal(words[i], "--json")) {
			is_json = true;
		} else {
			args[n++] = words[i];
		}
	}
	if (n == 0) {
		snprintf(why, SIM_TEXT_MAX,
			"a command is needed (lockhub-sim ctl --help lists them)");
		return -EINVAL;
	}
	const struct command *command = find_command(args[0], why);
	if (command == NULL) {
		return -EINVAL;
	}
	if (n - 1 < command->least || n - 1 > command->most) {
		snprintf(why, SIM_TEXT_MAX, "usage: lockhub-sim ctl %s %s", command->name,
			command->args);
		return -EINVAL;
	}
	FILE *out = open_memstream(ret_output, &size);
	if (out == NULL) {
		return -errno;
	}
	world_now(control->world);
	int r = command->run(control, args + 1, is_json, out, why);
	/* What a person did may have begun something, and nobody else would wake the lock for it.
	 */
	for (size_t i = 0; i < control->world->n_stations; i++) {
		if (control->world->stations[i]->lock != NULL) {
			sim_lock_due_changed(control->world->stations[i]->lock);
		}
	}
	if (fclose(out) != 0 && r == 0) {
		r = -EIO;
	}
	world_rearm(control->world);
	if (r < 0) {
		free(*ret_output);
		*ret_output = NULL;
		if (why[0] == '\0') {
			snprintf(why, SIM_TEXT_MAX, "%s", strerror(-r));
		}
	}
	return r;
}

/* ---- the interface ---- */

static int reply_run(struct control *control, sd_bus_message *m, char **words) {
	char why[SIM_TEXT_MAX];
	char *output = NULL;
	int r = control_run(control, words, &output, why);
	if (r < 0) {
		return sd_bus_reply_method_errorf(
			m, r == -EINVAL ? CONTROL_ERROR_USAGE : CONTROL_ERROR_FAILED, "%s", why);
	}
	r = sd_bus_reply_method_return(m, "s", output);
	free(output);
	return r;
}

static int method_run(sd_bus_message *m, void *user, sd_bus_error *error) {
	char **words = NULL;
	int r = sd_bus_message_read_strv(m, &words);
	if (r < 0) {
		return r;
	}
	char *none[] = { NULL };
	r = reply_run(user, m, words == NULL ? none : words);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		free(words[i]);
	}
	free(words);
	return r;
}

static int method_show(sd_bus_message *m, void *user, sd_bus_error *error) {
	char *name = NULL;
	char show[] = "show", json[] = "--json";
	int r = sd_bus_message_read(m, "s", &name);
	char *words[] = { show, name, json, NULL };
	return r < 0 ? r : reply_run(user, m, words);
}

static int method_list(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct control *control = user;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);
	r = r < 0 ? r : sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; r >= 0 && i < control->world->n_stations; i++) {
		struct sim_lock *lock = control->world->stations[i]->lock;
		if (lock != NULL) {
			r = sd_bus_message_append(reply, "s", lock->name);
		}
	}
	r = r < 0 ? r : sd_bus_message_close_container(reply);
	r = r < 0 ? r : sd_bus_send(sd_bus_message_get_bus(m), reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int get_speed(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	struct control *control = user;
	return sd_bus_message_append(reply, "d", sched_speed(control->world->sched));
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	return sd_bus_message_append(reply, "s", LOCKHUB_VERSION);
}

/* clang-format off */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Run", SD_BUS_ARGS("as", words), SD_BUS_RESULT("s", output),
		method_run, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Show", SD_BUS_ARGS("s", lock), SD_BUS_RESULT("s", json),
		method_show, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_NO_ARGS, SD_BUS_RESULT("as", locks),
		method_list, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Speed", "d", get_speed, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END
};
/* clang-format on */

static int on_name(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct control *control = user;
	uint32_t code = 0;
	if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "u", &code) < 0 ||
		code != 1) {
		log_error("cannot own " CONTROL_NAME ": is another lockhub-sim on this bus?");
		loop_stop(control->world->loop, 1);
		return 0;
	}
	control->ready(control->user);
	return 0;
}

static void on_up(void *user) {
	struct control *control = user;
	sd_bus *sd = bus_sd(control->bus);
	int r = sd_bus_add_object_vtable(sd, &control->slots[control->n_slots++], CONTROL_PATH,
		CONTROL_NAME, vtable, control);
	r = r < 0 ? r
		  : sd_bus_call_method_async(sd, &control->slots[control->n_slots++],
			    "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			    "RequestName", on_name, control, "su", CONTROL_NAME, (uint32_t) 4);
	if (r < 0) {
		log_error("cannot set up " CONTROL_NAME ": %s", strerror(-r));
		loop_stop(control->world->loop, 1);
	}
}

static void forget(struct control *control) {
	control->manager = sd_bus_slot_unref(control->manager);
	while (control->n_slots > 0) {
		control->n_slots--;
		control->slots[control->n_slots] =
			sd_bus_slot_unref(control->slots[control->n_slots]);
	}
}

static void on_down(void *user, int error) {
	struct control *control = user;
	log_error("the bus is gone: %s", strerror(-error));
	forget(control);
	loop_stop(control->world->loop, 1);
}

static const struct bus_user bus_user = { .up = on_up, .down = on_down };

struct control *control_new(struct world *world, struct bluez *bluez, struct vhci_port *port,
	const char *bus_address, void (*ready)(void *user), void *user) {
	AUTO(control_free) struct control *control = calloc(1, sizeof(*control));
	if (control == NULL) {
		return NULL;
	}
	control->world = world;
	control->bluez = bluez;
	control->port = port;
	control->ready = ready;
	control->user = user;
	control->bus = bus_new(world->loop, CONTROL_NAME, bus_address, &bus_user, control);
	return control->bus == NULL ? NULL : STEAL(control);
}

int control_start(struct control *control) {
	return bus_open(control->bus);
}

struct control *control_free(struct control *control) {
	if (control != NULL) {
		forget(control);
		bus_free(control->bus);
		free(control);
	}
	return NULL;
}
