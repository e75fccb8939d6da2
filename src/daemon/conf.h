/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The configuration (R22): one table of keys, from which the parser, the sample file and the
 * defaults come. An unknown key, a bad value or a key given twice is an error with file, line and
 * the nearest name. Read once at start, before the loop runs.
 */

#include <stdbool.h>
#include <stdio.h>

#include "util/fault.h"

#define CONF_TEXT_MAX 256
#define CONF_FILE_DEFAULT "/etc/lockhub/lockhubd.conf"

struct conf {
	struct {
		char name[CONF_TEXT_MAX];
		unsigned unreachable_min;
		unsigned poll_min;
		unsigned battery_h;
		bool import_log;
		bool set_clocks;
		char time_zone[CONF_TEXT_MAX];
	} hub;
	struct {
		char adapter[CONF_TEXT_MAX];
		unsigned slots;
		unsigned linger_ms;
		unsigned watch_ms;
		unsigned watch_every_ms;
		bool sole_user;
		bool restart_service;
		unsigned time_percent;
	} ble;
	struct {
		char host[CONF_TEXT_MAX];
		unsigned port;
		char username[CONF_TEXT_MAX];
		char password_file[CONF_TEXT_MAX];
		bool tls;
		bool insecure;
		char ca_file[CONF_TEXT_MAX];
		char cert_file[CONF_TEXT_MAX];
		char key_file[CONF_TEXT_MAX];
		char base[CONF_TEXT_MAX];
		char discovery[CONF_TEXT_MAX];
		char discovery_prefix[CONF_TEXT_MAX];
		char ha_status_topic[CONF_TEXT_MAX];
		char protocol[CONF_TEXT_MAX];
		unsigned keepalive_s;
		bool clear_retained;
		bool commands;
		bool publish_users;
		bool keep_discovery;
		bool user_switches;
		bool maintenance;
		char requests[CONF_TEXT_MAX];
		bool settings;
		char pin_code_base[CONF_TEXT_MAX];
	} mqtt;
	struct {
		bool mqtt_unlock;
		unsigned max_age_s;
	} policy;
	struct {
		unsigned keep_days;
	} log;
	struct {
		bool daily;
		unsigned keep;
		char folder[CONF_TEXT_MAX];
	} backup;
	struct {
		char group[CONF_TEXT_MAX];
	} api;
};

void conf_defaults(struct conf *conf);

/*
 * Reads @path and then every *.conf of the folder @path + ".d" in the order of their names. A file
 * that does not exist is fine when @is_optional. Every error is printed to @errors as
 * "file:line: what is wrong; what would be right", so that all of them can be mended at once.
 * 0, or CONFIG_INVALID with the first error; *conf is not to be used then.
 */
int conf_read(struct conf *conf, const char *path, bool is_optional, FILE *errors,
	struct fault *ret_fault);
/* The sample file: every key with its default and what it means. */
void conf_print(FILE *out);
