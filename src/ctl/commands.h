/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All commands, in the order of the table in ctl.c; each in the file cmd-NAME.c. */

#include "room.h"

extern const struct command cmd_access_grant;
extern const struct command cmd_access_revoke;
extern const struct command cmd_access_show;
/* cmd-backup.c */
extern const struct command cmd_backup;
extern const struct command cmd_backup_list;
extern const struct command cmd_backup_verify;
extern const struct command cmd_battery;
extern const struct command cmd_calibrate;
extern const struct command cmd_cancel;
extern const struct command cmd_care;
extern const struct command cmd_care_batteries;
extern const struct command cmd_care_firmware;
extern const struct command cmd_care_install;
extern const struct command cmd_care_key;
extern const struct command cmd_care_restart;
extern const struct command cmd_code_add;
extern const struct command cmd_code_adopt;
extern const struct command cmd_code_change;
extern const struct command cmd_code_learn;
extern const struct command cmd_code_list;
extern const struct command cmd_code_reveal;
extern const struct command cmd_code_revoke;
extern const struct command cmd_code_sync;
extern const struct command cmd_doctor;
extern const struct command cmd_doctor_security;
extern const struct command cmd_fix;
extern const struct command cmd_help;
extern const struct command cmd_holiday_add;
extern const struct command cmd_holiday_list;
extern const struct command cmd_holiday_remove;
extern const struct command cmd_list;
extern const struct command cmd_lock;
extern const struct command cmd_lock_n_go;
extern const struct command cmd_log;
extern const struct command cmd_log_export;
extern const struct command cmd_log_verify;
extern const struct command cmd_monitor;
extern const struct command cmd_pair;
extern const struct command cmd_reboot;
extern const struct command cmd_record;
extern const struct command cmd_refresh;
extern const struct command cmd_rename;
extern const struct command cmd_restore;
extern const struct command cmd_report;
extern const struct command cmd_reset;
extern const struct command cmd_rules;
extern const struct command cmd_scan;
extern const struct command cmd_schedule_add;
extern const struct command cmd_schedule_list;
extern const struct command cmd_schedule_remove;
extern const struct command cmd_set_pin;
extern const struct command cmd_settings;
extern const struct command cmd_show;
extern const struct command cmd_signal;
extern const struct command cmd_status;
extern const struct command cmd_support_bundle;
extern const struct command cmd_sync_clock;
/* cmd-timer.c: they share what they print */
extern const struct command cmd_timer_add;
extern const struct command cmd_timer_change;
extern const struct command cmd_timer_list;
extern const struct command cmd_timer_remove;
extern const struct command cmd_unlatch;
extern const struct command cmd_unlock;
extern const struct command cmd_unpair;
extern const struct command cmd_user_add;
extern const struct command cmd_user_edit;
extern const struct command cmd_user_export;
extern const struct command cmd_user_import;
extern const struct command cmd_user_list;
extern const struct command cmd_user_remove;
extern const struct command cmd_user_show;
extern const struct command cmd_version;
