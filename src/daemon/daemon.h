/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The wiring: makes every room's object, hands each what it needs, runs the loop, takes everything
 * down again. No logic of its own (docs/architecture.md, Rooms).
 */

#include "conf.h"

struct daemon_options {
	const char *state_dir;
	const char *bus_address; /* NULL: the system bus */
	const char *config;      /* the file's path, for a diagnosis of who may write it */
	const char *models;      /* folders of model data, separated by ':' */
	const char *root;        /* before /sys and /proc; "" but for tests */
	const struct conf *conf;
};

/* Runs until SIGTERM or SIGINT. @return the exit status; faults at start are logged here. */
int daemon_run(const struct daemon_options *options);
