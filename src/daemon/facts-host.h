/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a diagnosis wants to know of the machine: files, disk, kernel, adapters as the kernel has
 * them, the network. Read on a pool thread, when somebody asks and never else; who manages the
 * network is then asked by D-Bus (loop/wifi.h). Inside the unit's sandbox some of it cannot be
 * seen: what cannot be read is unknown, and nothing here is an error.
 */

#include "diag/diag.h"
#include "loop/loop.h"

struct host_config {
	const char *root;       /* before /sys, /proc and /etc/os-release; "" but for tests */
	const char *state_dir;  /* database and key */
	const char *config;     /* lockhubd.conf */
	const char *secrets[4]; /* files with secrets elsewhere; NULL or "" none */
	/* Where NetworkManager and wpa_supplicant are; NULL: the system bus. */
	const char *bus_address;
	/* The adapters on the bus are this machine's. */
	bool has_adapters;
};

struct host;

/* @config is copied. NULL: no memory. */
struct host *host_new(struct loop *loop, const struct host_config *config);
/* What is under way still answers, at the latest from loop_free(). */
struct host *host_free(struct host *host);
/* As struct diag_source wants it; the user is a struct host. */
void host_gather(
	void *user, struct hub_facts *facts, void (*done)(void *done_user), void *done_user);

/* The reading itself, blocking: for the pool thread, and for tests. */
void host_read(const struct host_config *config, struct hub_facts *ret);
