/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

#define DAY_S 86400
#define ENTRIES_MAX 20000
#define ENTRY_MAX 4096

AUTO_DEFINE(sd_journal *, sd_journal_close);

static const struct {
	const char *unit, *identifier;
} sources[] = {
	{ "_SYSTEMD_UNIT=lockhubd.service", "SYSLOG_IDENTIFIER=lockhubd" },
	{ "_SYSTEMD_UNIT=bluetooth.service", "SYSLOG_IDENTIFIER=bluetoothd" },
};

/* LOCKHUB_JOURNAL: a folder with another machine's journal. */
static int open_journal(sd_journal **ret) {
	const char *folder = getenv("LOCKHUB_JOURNAL");
	return folder != NULL && folder[0] != '\0' ? sd_journal_open_directory(ret, folder, 0)
						   : sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY);
}

/* "" when the entry has none; returns out. */
static char *field(sd_journal *journal, const char *name, char *out, size_t size) {
	const void *data;
	size_t n, n_name = strlen(name) + 1;
	out[0] = '\0';
	if (sd_journal_get_data(journal, name, &data, &n) >= 0 && n > n_name) {
		n -= n_name;
		n = n < size - 1 ? n : size - 1;
		memcpy(out, (const char *) data + n_name, n);
		out[n] = '\0';
	}
	return out;
}

/* Whom the entry names is not to be named. */
static void learn(struct bundle *bundle, sd_journal *journal) {
	char value[256];
	if (field(journal, "LOCKHUB_USER", value, sizeof(value))[0] != '\0') {
		(void) redactor_add(bundle->redactor, REDACT_USER, value);
	}
	if (field(journal, "LOCKHUB_LOCK", value, sizeof(value))[0] != '\0') {
		(void) redactor_add(bundle->redactor, REDACT_LOCK, value);
	}
	if (field(journal, "_HOSTNAME", value, sizeof(value))[0] != '\0') {
		(void) redactor_add(bundle->redactor, REDACT_HOST, value);
	}
}

static void write_entry(sd_journal *journal, FILE *out) {
	static const char *const fields[] = { "LOCKHUB_FAULT", "LOCKHUB_EVENT", "LOCKHUB_OP",
		"BLUEZ_ERROR", "BLUEZ_TEXT", "ELAPSED_MS", "RSSI", "ATTEMPT" };
	char text[ENTRY_MAX], moment[MOMENT_TEXT_MAX];
	uint64_t us = 0;
	(void) sd_journal_get_realtime_usec(journal, &us);
	fprintf(out, "%s.%03u ", moment_format((int64_t) (us / 1000000), moment),
		(unsigned) (us / 1000 % 1000));
	fprintf(out, "<%s> ", field(journal, "PRIORITY", text, sizeof(text)));
	fputs(field(journal, "MESSAGE", text, sizeof(text)), out);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (field(journal, fields[i], text, sizeof(text))[0] != '\0') {
			fprintf(out, " %s=%s", fields[i], text);
		}
	}
	fputc('\n', out);
}

/* Back to the newest ENTRIES_MAX of the last day. */
static int seek(sd_journal *journal, int64_t since, size_t *ret_n) {
	int r = sd_journal_seek_tail(journal);
	size_t n = 0;
	while (r >= 0 && n < ENTRIES_MAX) {
		uint64_t us = 0;
		r = sd_journal_previous(journal);
		if (r <= 0 || sd_journal_get_realtime_usec(journal, &us) < 0) {
			break;
		}
		if ((int64_t) (us / 1000000) < since) {
			r = sd_journal_next(journal);
			break;
		}
		n++;
	}
	*ret_n = n;
	return r;
}

static int match(sd_journal *journal, size_t source) {
	sd_journal_flush_matches(journal);
	int r = sd_journal_add_match(journal, sources[source].unit, 0);
	if (r >= 0) {
		r = sd_journal_add_disjunction(journal);
	}
	return r < 0 ? r : sd_journal_add_match(journal, sources[source].identifier, 0);
}

static char *read_source(struct bundle *bundle, sd_journal *journal, size_t source) {
	char *text = NULL;
	size_t size = 0, n = 0;
	if (match(journal, source) < 0 || seek(journal, bundle->now - DAY_S, &n) < 0) {
		return NULL;
	}
	FILE *out = open_memstream(&text, &size);
	if (out == NULL) {
		return NULL;
	}
	fprintf(out, "# %zu entries of the last day: time, priority, message, fields\n", n);
	for (size_t i = 0; i < n; i++) {
		learn(bundle, journal);
		write_entry(journal, out);
		if (sd_journal_next(journal) <= 0) {
			break;
		}
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void bundle_read_journal(struct bundle *bundle) {
	AUTO(sd_journal_close) sd_journal *journal = NULL;
	int r = open_journal(&journal);
	if (r < 0) {
		snprintf(bundle->no_journal, sizeof(bundle->no_journal),
			"The journal cannot be read: %s. Members of group systemd-journal and root "
			"can.",
			strerror(-r));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		bundle->journals[i] = read_source(bundle, journal, i);
		if (bundle->journals[i] == NULL) {
			snprintf(bundle->no_journal, sizeof(bundle->no_journal),
				"The journal cannot be read.");
		}
	}
}
