/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.freedesktop.systemd1 on the private bus: RestartUnit, allowed or not. */
#include "fake-objects.h"

static int on_message(sd_bus_message *call, void *user, sd_bus_error *ret_error) {
	struct fake *fake = user;
	const char *unit, *mode;

	(void) ret_error;
	if (!sd_bus_message_is_method_call(
		    call, "org.freedesktop.systemd1.Manager", "RestartUnit")) {
		return 0;
	}
	CHECK(sd_bus_message_read(call, "ss", &unit, &mode));
	fake->n_restarts++;
	snprintf(fake->restarted, sizeof(fake->restarted), "%s %s", unit, mode);
	if (fake->restart_error != NULL) {
		CHECK(sd_bus_reply_method_errorf(
			call, fake->restart_error, "%s", "Interactive authentication required."));
		return 1;
	}
	CHECK(sd_bus_reply_method_return(call, "o", "/org/freedesktop/systemd1/job/1"));
	return 1;
}

void fake_systemd_start(struct fake *fake) {
	CHECK(sd_bus_new(&fake->systemd));
	CHECK(sd_bus_set_address(fake->systemd, fake->address));
	CHECK(sd_bus_set_bus_client(fake->systemd, true));
	CHECK(sd_bus_start(fake->systemd));
	CHECK(sd_bus_add_filter(fake->systemd, NULL, on_message, fake));
	CHECK(sd_bus_request_name(fake->systemd, "org.freedesktop.systemd1", 0));
}
