/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "util/auto.h"
#include "util/fault.h"
#include "util/text.h"

#define MESSAGE_MAX 1024
#define FIELDS_MAX 24
#define FIELD_MAX 600
#define PROGRAM_MAX 32

#define BLAME_ROWS 32 /* different oddities remembered at a time */
#define BLAME_PERIOD_MS 60000

static char log_program[PROGRAM_MAX] = "lockhub";
static atomic_int log_max_priority = LOG_INFO;
static atomic_bool log_is_journal;

static const struct name_row priority_names[] = {
	{ LOG_EMERG, "emergency" },
	{ LOG_ALERT, "alert" },
	{ LOG_CRIT, "critical" },
	{ LOG_ERR, "error" },
	{ LOG_WARNING, "warning" },
	{ LOG_NOTICE, "notice" },
	{ LOG_INFO, "info" },
	{ LOG_DEBUG, "debug" },
};

static const struct name_row blame_names[] = {
	{ BLAME_LOCKHUB, "lockhub" },
	{ BLAME_FIRMWARE, "firmware" },
	{ BLAME_BLUEZ, "bluez" },
	{ BLAME_SETUP, "setup" },
	{ BLAME_RADIO, "radio" },
};

/* JOURNAL_STREAM names the stream we were started with; it says nothing if that was redirected. */
static bool stderr_is_journal(void) {
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev;
	unsigned long long inode;
	struct stat st;
	if (stream == NULL || sscanf(stream, "%llu:%llu", &dev, &inode) != 2 ||
		fstat(STDERR_FILENO, &st) < 0) {
		return false;
	}
	return (unsigned long long) st.st_dev == dev && (unsigned long long) st.st_ino == inode;
}

void log_setup(const char *program, int max_priority) {
	text_copy(log_program, sizeof(log_program), program);
	atomic_store(&log_max_priority, max_priority);
	atomic_store(&log_is_journal, stderr_is_journal());
}

bool log_wants(int priority) {
	return priority <= atomic_load_explicit(&log_max_priority, memory_order_relaxed);
}

int log_set_priority(int max_priority) {
	return atomic_exchange(&log_max_priority, max_priority);
}

/* One entry on its way: fields as journald wants them, in one buffer each. */
struct entry {
	size_t n;
	struct iovec fields[FIELDS_MAX];
	char texts[FIELDS_MAX][FIELD_MAX];
};

static void entry_add(struct entry *entry, const char *name, const char *value) {
	if (value == NULL || entry->n == FIELDS_MAX) {
		return;
	}
	char *text = entry->texts[entry->n];
	int n = snprintf(text, FIELD_MAX, "%s=", name);
	if (n < 0 || n >= FIELD_MAX) {
		return;
	}
	text_copy(text + n, FIELD_MAX - (size_t) n, value);
	text_sanitize(text + n);
	entry->fields[entry->n++] = (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
}

static void send_journal(int priority, const char *message_id, const char *lock,
	const struct log_field *fields, size_t n_fields, const char *message) {
	struct entry entry;
	entry.n = 0;

	char line[sizeof("MESSAGE=") + MESSAGE_MAX];
	snprintf(line, sizeof(line), "MESSAGE=%s", message);
	entry.fields[entry.n++] = (struct iovec){ .iov_base = line, .iov_len = strlen(line) };

	char digit[2] = { (char) ('0' + (priority & LOG_PRIMASK)), '\0' };
	entry_add(&entry, "PRIORITY", digit);
	entry_add(&entry, "SYSLOG_IDENTIFIER", log_program);
	entry_add(&entry, "MESSAGE_ID", message_id);
	entry_add(&entry, "LOCKHUB_LOCK", lock);
	for (size_t i = 0; i < n_fields; i++) {
		entry_add(&entry, fields[i].name, fields[i].value);
	}
	/* Where a journal that is gone leaves us nothing better to do. */
	(void) sd_journal_sendv(entry.fields, (int) entry.n);
}

/* One write per line, so that lines of several threads do not mix. */
static void send_text(int priority, const char *message) {
	char line[PROGRAM_MAX + MESSAGE_MAX + 64];
	int n = snprintf(line, sizeof(line), "%s[%s]: %s\n", log_program,
		name_of(priority_names, ARRAY_SIZE(priority_names), priority & LOG_PRIMASK),
		message);
	if (n > 0) {
		ssize_t written;
		do {
			written = write(STDERR_FILENO, line, (size_t) n);
		} while (written < 0 && errno == EINTR);
	}
}

/* @hint: further text for those who cannot ask `journalctl -x`; NULL for none. */
__attribute__((format(printf, 7, 0))) static void entryv(int priority, const char *message_id,
	const char *lock, const struct log_field *fields, size_t n_fields, const char *hint,
	const char *format, va_list args) {
	if (!log_wants(priority)) {
		return;
	}
	int saved_errno = errno;

	char message[MESSAGE_MAX];
	int n = lock != NULL ? snprintf(message, sizeof(message), "%.128s: ", lock) : 0;
	size_t used = n > 0 ? (size_t) n : 0;
	if (vsnprintf(message + used, sizeof(message) - used, format, args) < 0) {
		message[used] = '\0';
	}

	bool is_journal = atomic_load(&log_is_journal);
	if (hint != NULL && hint[0] != '\0' && !is_journal) {
		used = strlen(message);
		snprintf(message + used, sizeof(message) - used, ". %s", hint);
	}
	/* What came from outside must not make lines of its own. */
	text_sanitize(message);

	if (is_journal) {
		send_journal(priority, message_id, lock, fields, n_fields, message);
	} else {
		send_text(priority, message);
	}
	errno = saved_errno;
}

void log_line(int priority, const char *lock, const char *format, ...) {
	va_list args;
	va_start(args, format);
	entryv(priority, NULL, lock, NULL, 0, NULL, format, args);
	va_end(args);
}

void log_entry(int priority, const char *message_id, const char *lock,
	const struct log_field *fields, size_t n_fields, const char *format, ...) {
	va_list args;
	va_start(args, format);
	entryv(priority, message_id, lock, fields, n_fields, NULL, format, args);
	va_end(args);
}

__attribute__((format(printf, 7, 8))) static void entry_with_hint(int priority,
	const char *message_id, const char *lock, const struct log_field *fields, size_t n_fields,
	const char *hint, const char *format, ...) {
	va_list args;
	va_start(args, format);
	entryv(priority, message_id, lock, fields, n_fields, hint, format, args);
	va_end(args);
}

void log_fault(const struct fault *fault, const char *lock, const char *op) {
	const struct fault_row *row = fault_row(fault->code);
	char text[FAULT_TEXT_MAX];
	char hint[FAULT_TEXT_MAX];
	fault_text(fault, text);
	fault_hint(fault->code, lock, hint);

	const struct log_field fields[] = {
		{ "LOCKHUB_FAULT", row->name },
		{ "LOCKHUB_OP", op },
		{ "LOCKHUB_HINT", hint[0] != '\0' ? hint : NULL },
	};
	entry_with_hint(row->priority, row->message_id[0] != '\0' ? row->message_id : NULL, lock,
		fields, ARRAY_SIZE(fields), hint, "%s", text);
}

/* What was said when, for the rate limit; key 0 = free. */
struct blame_row {
	uint64_t key;
	int64_t said_ms;
	unsigned n_left_out;
};

static pthread_mutex_t blame_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct blame_row blame_rows[BLAME_ROWS];

/*
 * RULE R5: the log reads the clock by itself, as its lines must be limited in threads and rooms
 * that are handed no clock; nothing but the limit hangs on it.
 */
static int64_t blame_now_ms(void) {
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* FNV-1a; a collision costs one line in a minute. */
static uint64_t blame_hash(uint64_t hash, const char *text) {
	for (; *text != '\0'; text++) {
		hash = (hash ^ (uint8_t) *text) * UINT64_C(0x100000001b3);
	}
	return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Whether it may be said now; *ret_left_out: how many were swallowed since it was said last. */
static bool blame_admit(
	enum log_blame blame, const char *lock, const char *format, unsigned *ret_left_out) {
	uint64_t key = blame_hash(UINT64_C(0xcbf29ce484222325) + (uint64_t) blame, format);
	key = blame_hash(key, lock != NULL ? lock : "");
	key |= key == 0;
	int64_t now = blame_now_ms();
	bool is_admitted = true;

	pthread_mutex_lock(&blame_mutex);
	struct blame_row *row = &blame_rows[0];
	for (size_t i = 0; i < BLAME_ROWS; i++) {
		if (blame_rows[i].key == key) {
			row = &blame_rows[i];
			break;
		}
		/* Else the free or oldest one is taken. */
		if (row->key != 0 &&
			(blame_rows[i].key == 0 || blame_rows[i].said_ms < row->said_ms)) {
			row = &blame_rows[i];
		}
	}
	if (row->key != key) {
		*row = (struct blame_row){ .key = key, .said_ms = now };
		*ret_left_out = 0;
	} else if (now - row->said_ms >= BLAME_PERIOD_MS) {
		*ret_left_out = row->n_left_out;
		row->said_ms = now;
		row->n_left_out = 0;
	} else {
		row->n_left_out++;
		is_admitted = false;
	}
	pthread_mutex_unlock(&blame_mutex);
	return is_admitted;
}

void log_blame(enum log_blame blame, const char *lock, const char *format, ...) {
	unsigned n_left_out = 0;
	if (!log_wants(LOG_WARNING) || !blame_admit(blame, lock, format, &n_left_out)) {
		return;
	}

	char text[MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);

	const char *who = name_of(blame_names, ARRAY_SIZE(blame_names), (int) blame);
	const char *bug = blame == BLAME_SETUP || blame == BLAME_RADIO ? "problem" : "bug";
	const struct log_field fields[] = { { "LOCKHUB_BLAME", who } };
	if (n_left_out > 0) {
		log_entry(LOG_WARNING, NULL, lock, fields, 1, "%s %s: %s (%u more left out)", who,
			bug, text, n_left_out);
	} else {
		log_entry(LOG_WARNING, NULL, lock, fields, 1, "%s %s: %s", who, bug, text);
	}
}
