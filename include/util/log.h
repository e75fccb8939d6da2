/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The journal (R9). Inner rooms return, edges log, once, with the lock as a field. Lines go to
 * journald with their fields when standard error is connected to it, else to standard error as
 * text. Thread-safe. Nothing that is secret may be passed in: there is no filter that would find
 * it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

struct fault;

enum log_blame { BLAME_LOCKHUB, BLAME_FIRMWARE, BLAME_BLUEZ, BLAME_SETUP, BLAME_RADIO };

/* One journal field besides MESSAGE and PRIORITY; value NULL leaves it out. Names in upper case. */
struct log_field {
	const char *name;
	const char *value;
};

/* @program names us in text lines; @max_priority as in syslog, e.g. LOG_INFO. */
void log_setup(const char *program, int max_priority);
bool log_wants(int priority);
/* What is logged from now on. @return what was until now. */
int log_set_priority(int max_priority);

void log_line(int priority, const char *lock, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* @message_id NULL for none. @lock is the slug, NULL for none. */
void log_entry(int priority, const char *message_id, const char *lock,
	const struct log_field *fields, size_t n_fields, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* The fault's row gives priority, message id and hint; @lock and @op may be NULL. */
void log_fault(const struct fault *fault, const char *lock, const char *op);
/*
 * Odd behaviour of something outside: says who is to blame. Rate-limited per (blame, lock, format):
 * the same one at most once a minute, with the number of those left out.
 */
void log_blame(enum log_blame blame, const char *lock, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, NULL, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, NULL, __VA_ARGS__)
