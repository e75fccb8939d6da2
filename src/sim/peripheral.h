/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One virtual lock over the air: a GATT application and an advertisement that a real bluetoothd is
 * given, on one of its adapters. What bluetoothd does not tell an application, and what is made of
 * it:
 *
 *  - The link. It is one of the lock's from the first reading or writing on, and ends with the
 *    device's Connected.
 *  - The ATT MTU. It comes with each reading and writing; the lock's messages are cut by it, since
 *    bluetoothd silently cuts a value that is too long.
 *  - Who listens. StartNotify names nobody, and a Value goes to everybody who listens.
 */

#include <systemd/sd-bus.h>

#include "loop/bus.h"
#include "world.h"

#define PERIPHERAL_PATH "/org/lockhub1/sim"
#define PERIPHERAL_GATT_PATH PERIPHERAL_PATH "/gatt"
#define PERIPHERAL_ADVERT_PATH PERIPHERAL_PATH "/advert"
#define PERIPHERAL_PATH_MAX 128
#define PERIPHERAL_VALUE_MAX 512 /* Core specification 3.F.3.2.9 */
#define PERIPHERAL_CHARS_MAX 24
#define PERIPHERAL_SERVICES_MAX 8
#define PERIPHERAL_HELD_MAX 64

struct peripheral;

struct peripheral_service {
	struct peripheral *peripheral;
	char path[PERIPHERAL_PATH_MAX];
	const char *uuid;
};

struct peripheral_char {
	struct peripheral *peripheral;
	const struct peripheral_service *service;
	char path[PERIPHERAL_PATH_MAX];
	const char *uuid;
	unsigned flags; /* enum sim_flag */
	unsigned chr;   /* the lock's number */
	bool is_notifying;
	uint8_t value[PERIPHERAL_VALUE_MAX]; /* what was written last: a long write may come in
						parts */
	size_t n_value;
};

struct peripheral_link {
	bool is_up;
	char device[PERIPHERAL_PATH_MAX];
};

/* Something the lock has said, as a signal to bluetoothd. */
struct peripheral_value {
	sd_bus_message *m;
	bool is_confirmed; /* bluetoothd will call Confirm */
};

enum peripheral_step {
	STEP_OUT,     /* nothing of ours is there, or nothing should be */
	STEP_ASKED,   /* bluetoothd has been asked to take it, or to let it go */
	STEP_OFFERED, /* bluetoothd has it */
};

struct peripheral_options {
	const char *bus_address;
	const char *adapter; /* hci0 */
};

struct peripheral {
	struct world *world;
	struct peripheral_options options;
	struct station *station;
	char adapter[PERIPHERAL_PATH_MAX]; /* its path */
	struct bus *bus;
	struct loop_timer *retry;
	char complaint[160]; /* the last one, not to be repeated */
	enum peripheral_step application, advertising;
	struct sim_advert advert; /* as it was told last */
	struct peripheral_service services[PERIPHERAL_SERVICES_MAX];
	size_t n_services;
	struct peripheral_char chars[PERIPHERAL_CHARS_MAX];
	size_t n_chars;
	struct peripheral_link links[SIM_LINKS_MAX];       /* by the lock's number */
	struct peripheral_value held[PERIPHERAL_HELD_MAX]; /* what is to be said, oldest first */
	size_t n_held;
	bool is_writing; /* a write is not answered yet: what is said comes after that */
	struct loop_timer *patience; /* armed: an indication is not confirmed yet */
	sd_bus_slot *slots[PERIPHERAL_CHARS_MAX + PERIPHERAL_SERVICES_MAX + 8];
	size_t n_slots;
	sd_bus_slot *look_call, *application_call, *advert_call; /* at most one of each under way */
	bool is_told;
	void (*ready)(void *user);
	void *user;
};

/* peripheral.c: bluetoothd's coming and going. @world has exactly one lock. NULL: no memory. */
struct peripheral *peripheral_new(struct world *world, const struct peripheral_options *options,
	void (*ready)(void *user), void *user);
struct peripheral *peripheral_free(struct peripheral *peripheral);
AUTO_DEFINE(struct peripheral *, peripheral_free);
int peripheral_start(struct peripheral *peripheral);
/* Says it once, and tries again soon. */
void peripheral_complain(struct peripheral *peripheral, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Both are offered: whoever waits for that is told. */
void peripheral_settled(struct peripheral *peripheral);

/* peripheral-advert.c */
int advert_export(struct peripheral *peripheral, sd_bus *sd);
/* Offers, changes or withdraws the advertisement, as the lock wants it now. */
void advert_settle(struct peripheral *peripheral);

/* peripheral-gatt.c */
int gatt_tree_build(struct peripheral *peripheral);
int gatt_tree_export(struct peripheral *peripheral, sd_bus *sd);
void gatt_tree_send(struct peripheral *peripheral, unsigned chr, const uint8_t *value, size_t n);
/* Sends what may be sent now. */
void gatt_tree_pump(struct peripheral *peripheral);
void gatt_tree_forget_values(struct peripheral *peripheral);
/* Asks bluetoothd to end this link. */
void gatt_tree_hang_up(struct peripheral *peripheral, int link);
/* The device has no link any more; NULL: no device has. */
void gatt_tree_link_lost(struct peripheral *peripheral, const char *device);
