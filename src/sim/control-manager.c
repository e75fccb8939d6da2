/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The service manager's part of a world in which bluetoothd is virtual: org.freedesktop.systemd1 on
 * the simulator's bus, of which there is just RestartUnit for bluetooth.service. For private buses:
 * on the system's one the name is taken.
 */

#include "control.h"

#include "util/log.h"
#include "util/text.h"

#define MANAGER_NAME "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT "bluetooth.service"
#define RESTART_MS 1000

static int method_restart(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct control *control = user;
	const char *unit = NULL, *mode = NULL;
	int r = sd_bus_message_read(m, "ss", &unit, &mode);
	if (r < 0) {
		return r;
	}
	if (!text_equal(unit, UNIT)) {
		return sd_bus_reply_method_errorf(
			m, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.", unit);
	}
	/* Whatever it hung in is gone with the process. */
	control->bluez->is_hung = false;
	bluez_kill(control->bluez, RESTART_MS);
	return sd_bus_reply_method_return(m, "o", MANAGER_PATH "/job/1");
}

/* clang-format off */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("RestartUnit", SD_BUS_ARGS("s", name, "s", mode),
		SD_BUS_RESULT("o", job), method_restart, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};
/* clang-format on */

static int on_name(sd_bus_message *m, void *user, sd_bus_error *error) {
	if (sd_bus_message_is_method_error(m, NULL)) {
		log_error("cannot own " MANAGER_NAME ": there is a service manager on this bus");
	}
	return 0;
}

int control_manage(struct control *control, bool is_on) {
	sd_bus *sd = bus_sd(control->bus);
	int r = 0;
	control->manager = sd_bus_slot_unref(control->manager);
	if (is_on) {
		r = sd_bus_add_object_vtable(
			sd, &control->manager, MANAGER_PATH, MANAGER_INTERFACE, vtable, control);
	}
	/* Nobody waits for the answer: what is asked for next comes after it on the same bus. */
	return r < 0   ? r
	       : is_on ? sd_bus_request_name_async(sd, NULL, MANAGER_NAME, 0, on_name, NULL)
		       : sd_bus_release_name_async(sd, NULL, MANAGER_NAME, on_name, NULL);
}
