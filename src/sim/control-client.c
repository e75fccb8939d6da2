/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control.h"

/* lockhub-sim ctl: one call, its output, an exit status. May block: it is a program of its own. */

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

enum { EXIT_USAGE = 2 };

static void control_help(FILE *out) {
	fputs("Usage: lockhub-sim ctl [--bus-address=ADDRESS] COMMAND ...\n"
	      "\n"
	      "Does something to a running lockhub-sim. The bus is that of --bus-address, or\n"
	      "$LOCKHUB_SIM_BUS, or $DBUS_SYSTEM_BUS_ADDRESS. With --json, list, show, log and\n"
	      "counters print JSON.\n"
	      "\n"
	      "Commands:\n",
		out);
	for (size_t i = 0; i < n_commands; i++) {
		char usage[96];
		snprintf(usage, sizeof(usage), "%s %s", commands[i].name, commands[i].args);
		if (strlen(usage) > 32) {
			fprintf(out, "  %s\n  %-33s%s\n", usage, "", commands[i].blurb);
		} else {
			fprintf(out, "  %-33s%s\n", usage, commands[i].blurb);
		}
	}
	fputs("\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
		out);
}

static int usage(const char *text) {
	fprintf(stderr, "lockhub-sim: %s\nTry: lockhub-sim ctl --help\n", text);
	return EXIT_USAGE;
}

static sd_bus *open_bus(const char *address) {
	sd_bus *bus = NULL;
	const char *env = getenv("LOCKHUB_SIM_BUS");
	address = address != NULL ? address : env != NULL ? env : getenv("DBUS_SYSTEM_BUS_ADDRESS");
	int r = sd_bus_new(&bus);
	r = r < 0 ? r
		  : sd_bus_set_address(bus,
			    address == NULL ? "unix:path=/run/dbus/system_bus_socket" : address);
	r = r < 0 ? r : sd_bus_set_bus_client(bus, true);
	r = r < 0 ? r : sd_bus_start(bus);
	if (r < 0) {
		fprintf(stderr, "lockhub-sim: cannot reach the bus: %s\n", strerror(-r));
		return sd_bus_unref(bus);
	}
	return bus;
}

static int call(sd_bus *bus, char **words) {
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	const char *output = "";
	int status = EXIT_SUCCESS;
	int r = sd_bus_message_new_method_call(
		bus, &m, CONTROL_NAME, CONTROL_PATH, CONTROL_NAME, "Run");
	r = r < 0 ? r : sd_bus_message_append_strv(m, words);
	r = r < 0 ? r : sd_bus_call(bus, m, 0, &error, &reply);
	r = r < 0 ? r : sd_bus_message_read(reply, "s", &output);
	if (r >= 0) {
		fputs(output, stdout);
	} else {
		bool is_absent = sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN);
		fprintf(stderr, "lockhub-sim: %s\n",
			is_absent               ? "no lockhub-sim is running on this bus"
			: error.message != NULL ? error.message
						: strerror(-r));
		status = text_equal(error.name, CONTROL_ERROR_USAGE) ? EXIT_USAGE : EXIT_FAILURE;
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(m);
	return status;
}

int control_client(int argc, char **argv) {
	const char *address = NULL;
	int at = 0;
	/* Options stand before the command, for values such as -85 look like options behind it. */
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (text_equal(argv[at], "--help") || text_equal(argv[at], "-h")) {
			control_help(stdout);
			return EXIT_SUCCESS;
		}
		if (strncmp(argv[at], "--bus-address=", strlen("--bus-address=")) == 0) {
			address = argv[at] + strlen("--bus-address=");
		} else if (!text_equal(argv[at], "--json")) {
			char text[256];
			snprintf(text, sizeof(text), "unknown option %s", argv[at]);
			return usage(text);
		} else {
			break;
		}
	}
	if (at == argc) {
		return usage("a command is needed");
	}
	sd_bus *bus = open_bus(address);
	if (bus == NULL) {
		return EXIT_FAILURE;
	}
	int status = call(bus, argv + at);
	sd_bus_flush_close_unref(bus);
	return status;
}
