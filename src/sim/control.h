/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The control channel: org.lockhub1.Sim on the simulator's bus, and the commands behind it. */

#include <stdio.h>

#include "bluez.h"
#include "vhci.h"

#define CONTROL_NAME "org.lockhub1.Sim"
#define CONTROL_PATH "/org/lockhub1/Sim"
#define CONTROL_ERROR_USAGE "org.lockhub1.Sim.Error.Usage"
#define CONTROL_ERROR_FAILED "org.lockhub1.Sim.Error.Failed"

struct control {
	struct world *world;
	struct bluez *bluez;    /* one of the two faces; */
	struct vhci_port *port; /* the other is NULL */
	const char *state_path; /* NULL: nothing is kept */
	struct bus *bus;
	sd_bus_slot *slots[4];
	size_t n_slots;
	sd_bus_slot *manager; /* NULL: there is no service manager */
	void (*ready)(void *user);
	void *user;
};

/* One command as a person types it. */
struct command {
	const char *name;
	const char *args;
	const char *blurb;
	size_t least, most; /* arguments behind the name */
	/* @args: NULL-terminated. -EINVAL is a usage error; @why (SIM_TEXT_MAX) says what. */
	int (*run)(struct control *control, char **args, bool is_json, FILE *out, char *why);
};
extern const struct command commands[];
extern const size_t n_commands;

struct control *control_new(struct world *world, struct bluez *bluez, struct vhci_port *port,
	const char *bus_address, void (*ready)(void *user), void *user);
struct control *control_free(struct control *control);
AUTO_DEFINE(struct control *, control_free);
int control_start(struct control *control);

/* control-manager.c: whether somebody answers RestartUnit for bluetooth.service. */
int control_manage(struct control *control, bool is_on);

/* control-client.c: "lockhub-sim ctl". @return the exit status. */
int control_client(int argc, char **argv);
