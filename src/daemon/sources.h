/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon's rooms tell a diagnosis of themselves, and what they do for a remedy: the broker
 * (mqtt), the database (store, core's log), backups, the radio (ble). The machine is facts-host.c.
 */

#include "conf.h"
#include "diag/diag.h"

struct backups;
struct central;
struct mqtt;
struct store;

struct sources {
	const struct conf *conf;
	struct hub *hub;
	struct store *store;
	struct central *central;
	struct mqtt *mqtt; /* NULL: off */
	bool has_password; /* for the broker */
	struct backups *backups;
	/* What the broker does with strangers, as tried out on the connection of that number. */
	struct {
		enum known_flag is_let_in;
		mono_t at;
		wall_t wall;
		uint64_t connects;
		bool is_asking;
	} stranger;
	/* The event log, read from end to end; see gather_store(). */
	struct {
		mono_t at; /* 0: never yet */
		bool is_whole;
		char reason[96];
	} verified;
};

/* @sources must outlive @diag. */
void sources_add(struct sources *sources, struct diag *diag);
