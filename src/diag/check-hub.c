/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The computer that the hub runs on. */

#include "judge.h"

/* What a journal and a backup of a large database need together, with something to spare. */
#define DISK_LOW_BYTES (INT64_C(200) * 1024 * 1024)
#define DISK_LOW_PERCENT 5
/* Backups are made every day; the third that is missing is no accident. */
#define BACKUP_OLD_DAYS 3
/* systemd gives up at the fifth within a short time; once is an update. */
#define RESTARTS_MANY 3

static enum check_result check_clock(struct judge *judge) {
	switch (judge->hub->is_clock_trusted) {
	case FLAG_UNKNOWN:
		return CHECK_UNKNOWN;
	case FLAG_NO:
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 },
			"no time server has been reached since the start");
		accuse(judge, FAULT_HUB_CLOCK, SURE);
		return CHECK_BAD;
	case FLAG_YES:
		break;
	}
	return CHECK_OK;
}

static enum check_result check_disk(struct judge *judge) {
	int64_t free = judge->hub->host.disk_free;
	int64_t size = judge->hub->host.disk_size;

	if (free < 0) {
		return CHECK_UNKNOWN;
	}
	proof_value(judge, (double) free / (1024.0 * 1024), "MiB", EVIDENCE_ANSWERED, (wall_t){ 0 },
		"free on the disk of the database");
	if (size > 0) {
		proof_value(judge, 100.0 * (double) free / (double) size, "%", EVIDENCE_ANSWERED,
			(wall_t){ 0 }, "of it free");
	}
	if (free < DISK_LOW_BYTES &&
		(size <= 0 || free * 100 < size * DISK_LOW_PERCENT || free < DISK_LOW_BYTES / 4)) {
		accuse(judge, FAULT_DISK_LOW, SURE);
		return CHECK_BAD;
	}
	return CHECK_OK;
}

static enum check_result check_database(struct judge *judge) {
	const struct fault *fault = &judge->hub->ledger;

	switch (fault->code) { /* RULE R3: all others are not of the database */
	case FAULT_DATABASE_NEWER:
	case FAULT_DATABASE_CORRUPT:
	case FAULT_DATABASE_IN_USE:
	case FAULT_DATABASE_FULL:
	case FAULT_DATABASE_IO:
	case FAULT_DATABASE_OPEN:
	case FAULT_KEY_MISSING:
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s%s%s",
			fault_row(fault->code)->summary, fault->detail[0] != '\0' ? ": " : "",
			fault->detail);
		accuse(judge, fault->code, SURE);
		return CHECK_BAD;
	default:
		break;
	}
	if (judge->hub->host.database_size < 0) {
		return CHECK_UNKNOWN;
	}
	proof_value(judge, (double) judge->hub->host.database_size / (1024.0 * 1024), "MiB",
		EVIDENCE_ANSWERED, (wall_t){ 0 }, "size of the database");
	return CHECK_OK;
}

static enum check_result check_power_supply(struct judge *judge) {
	switch (judge->hub->host.is_undervolted) {
	case FLAG_UNKNOWN:
		return CHECK_UNKNOWN;
	case FLAG_YES:
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 },
			"the board reports too low a supply voltage since it was started");
		accuse(judge, FAULT_UNDERVOLTAGE, SURE);
		return CHECK_BAD;
	case FLAG_NO:
		break;
	}
	return CHECK_OK;
}

static enum check_result check_last_stop(struct judge *judge) {
	switch (judge->hub->host.was_clean_stop) {
	case FLAG_UNKNOWN:
		return CHECK_UNKNOWN;
	case FLAG_NO:
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "lockhubd was not ended in order");
		accuse(judge, FAULT_UNCLEAN_STOP, 90);
		return CHECK_BAD;
	case FLAG_YES:
		break;
	}
	return CHECK_OK;
}

static enum check_result check_restarts(struct judge *judge) {
	int n = judge->hub->host.n_restarts;

	if (n < 0) {
		return CHECK_UNKNOWN;
	}
	proof_value(judge, n, "", EVIDENCE_STORED, (wall_t){ 0 }, "starts of lockhubd in a day");
	if (n >= RESTARTS_MANY) {
		accuse(judge, FAULT_HUB_RESTARTING, confidence(n - RESTARTS_MANY, 5, 70, 92));
		return CHECK_BAD;
	}
	return CHECK_OK;
}

static enum check_result check_backup(struct judge *judge) {
	const struct hub_facts *hub = judge->hub;
	int64_t age = hub->now.s - hub->host.backup_at.s;

	if (hub->host.backup.code != FAULT_NONE) {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s%s%s",
			fault_row(hub->host.backup.code)->summary,
			hub->host.backup.detail[0] != '\0' ? ": " : "", hub->host.backup.detail);
		accuse(judge, FAULT_BACKUP_FAILED, SURE);
	}
	if (hub->host.backup_at.s > 0) {
		proof_value(judge, (double) age / 86400, "days", EVIDENCE_STORED,
			hub->host.backup_at, "age of the newest backup");
		if (age > INT64_C(86400) * BACKUP_OLD_DAYS) {
			accuse(judge, FAULT_BACKUP_OLD, 90);
		}
	} else if (hub->host.backup_at.s == 0 && judge->lock != NULL &&
		   judge->lock->paired_at.s > 0 &&
		   hub->now.s - judge->lock->paired_at.s > INT64_C(86400) * BACKUP_OLD_DAYS) {
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "there is no backup at all");
		accuse(judge, FAULT_BACKUP_OLD, 90);
	}
	if (is_accused(judge, FAULT_BACKUP_FAILED) || is_accused(judge, FAULT_BACKUP_OLD)) {
		return CHECK_BAD;
	}
	return hub->host.backup_at.s > 0 ? CHECK_OK : CHECK_UNKNOWN;
}

/* clang-format off */
const struct check hub_checks[] = {
	{ "power-supply", "Supply voltage of the computer", TOPIC_HUB, .run = check_power_supply },
	{ "hub-clock", "The hub's clock is synchronised", TOPIC_HUB, .run = check_clock },
	{ "disk", "Room on the disk", TOPIC_HUB, .run = check_disk },
	{ "database", "The database can be read and written", TOPIC_HUB, .run = check_database },
	{ "backup", "There is a recent backup", TOPIC_HUB, .run = check_backup },
	{ "last-stop", "The hub was stopped in order", TOPIC_HUB, .run = check_last_stop },
	{ "restarts", "lockhubd keeps running", TOPIC_HUB, .run = check_restarts },
	{ .name = NULL },
};
/* clang-format on */
