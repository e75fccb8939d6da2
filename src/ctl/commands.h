/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All commands, in the order of the table in ctl.c; each in the file cmd-NAME.c. */

#include "room.h"

extern const struct command cmd_battery;
extern const struct command cmd_calibrate;
extern const struct command cmd_cancel;
extern const struct command cmd_help;
extern const struct command cmd_list;
extern const struct command cmd_lock;
extern const struct command cmd_lock_n_go;
extern const struct command cmd_log;
extern const struct command cmd_log_verify;
extern const struct command cmd_monitor;
extern const struct command cmd_pair;
extern const struct command cmd_reboot;
extern const struct command cmd_record;
extern const struct command cmd_refresh;
extern const struct command cmd_rename;
extern const struct command cmd_scan;
extern const struct command cmd_set_pin;
extern const struct command cmd_show;
extern const struct command cmd_signal;
extern const struct command cmd_status;
extern const struct command cmd_sync_clock;
extern const struct command cmd_unlatch;
extern const struct command cmd_unlock;
extern const struct command cmd_unpair;
extern const struct command cmd_version;
