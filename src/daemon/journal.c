/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"

#define RADIO_TROUBLE_MS 2000

static void say_event(struct hub *hub, const struct event *event) {
	const struct event_row *row = event_row(event->kind);
	struct lock *lock = hub_find_lock(hub, event->lock_id);
	const char *slug = lock != NULL ? lock_slug(lock) : NULL;
	const struct fault_row *fault = fault_row(event->fault);
	char line[EVENT_LINE_MAX];
	char hint[FAULT_TEXT_MAX];
	char seq[24];
	struct log_field fields[] = {
		{ "LOCKHUB_EVENT", event_word(event) },
		{ "LOCKHUB_SEQ", seq },
		{ "LOCKHUB_LOCK_ID", event->lock_id[0] != '\0' ? event->lock_id : NULL },
		{ "LOCKHUB_OP", event->op_id[0] != '\0' ? event->op_id : NULL },
		{ "LOCKHUB_FAULT", event->fault != FAULT_NONE ? fault->name : NULL },
		{ "LOCKHUB_USER", event->user[0] != '\0' ? event->user : NULL },
		{ "LOCKHUB_SOURCE", operation_source_name(event->source) },
	};
	int priority = row->priority;

	(void) snprintf(seq, sizeof(seq), "%lld", (long long) event->seq);
	event_line(event, line);
	if (event->fault == FAULT_NONE) {
		log_entry(priority, row->message_id, slug, fields, ARRAY_SIZE(fields), "%s", line);
		return;
	}
	if (event->kind != EVENT_FAULT_CLEARED && fault->priority < priority) {
		priority = fault->priority;
	}
	fault_hint(event->fault, slug, hint);
	log_entry(priority, row->message_id, slug, fields, ARRAY_SIZE(fields), "%s%s%s", line,
		event->kind != EVENT_FAULT_CLEARED ? ". " : "",
		event->kind != EVENT_FAULT_CLEARED ? hint : "");
}

static void on_event(struct listener *listener, void *data) {
	struct journal *journal = container_of(listener, struct journal, event);

	say_event(journal->hub, data);
}

static void on_refused(struct listener *listener, void *data) {
	struct journal *journal = container_of(listener, struct journal, refused);
	const struct refusal *refusal = data;
	struct lock *lock = hub_find_lock(journal->hub, refusal->request->lock);
	struct fault fault = refusal->fault;
	char detail[FAULT_DETAIL_MAX];

	(void) snprintf(detail, sizeof(detail), "%s asked by %.48s: %.90s",
		act_name(refusal->request->act), refusal->request->actor, refusal->fault.detail);
	memcpy(fault.detail, detail, sizeof(fault.detail));
	log_fault(&fault, lock != NULL ? lock_slug(lock) : NULL, NULL);
}

static void on_condition(struct listener *listener, void *data) {
	struct journal *journal = container_of(listener, struct journal, condition);
	const struct fault *fault = hub_ledger_fault(journal->hub);

	(void) data;
	if (fault->code == journal->ledger_fault) {
		return;
	}
	if (fault->code == FAULT_NONE) {
		log_notice("the database can be written again");
	} else {
		log_fault(fault, NULL, NULL);
	}
	journal->ledger_fault = fault->code;
}

bool journal_check_radio(struct journal *journal, int64_t *ret_again_ms) {
	mono_t now = clock_mono(hub_clock(journal->hub));
	struct radio_status status;

	hub_radio_status(journal->hub, &status);
	if (journal->is_radio_said && status.fault.code == journal->radio_said) {
		journal->radio_seen = status.fault.code;
		return false;
	}
	if (status.fault.code == FAULT_NONE && !status.is_ready) {
		return false; /* still finding out */
	}
	if (status.fault.code != FAULT_NONE) {
		if (status.fault.code != journal->radio_seen) {
			journal->radio_seen = status.fault.code;
			journal->radio_since = now;
		}
		if (mono_since(journal->radio_since, now) < RADIO_TROUBLE_MS) {
			*ret_again_ms = RADIO_TROUBLE_MS;
			return false;
		}
		log_fault(&status.fault, NULL, NULL);
	} else {
		log_info("Bluetooth is ready: %u adapter%s%s%s", status.n_adapters,
			status.n_adapters == 1 ? "" : "s",
			status.bluez_version[0] != '\0' ? ", BlueZ " : "", status.bluez_version);
	}
	journal->is_radio_said = true;
	journal->radio_said = status.fault.code;
	journal->radio_seen = status.fault.code;
	return true;
}

void journal_init(struct journal *journal, struct hub *hub) {
	struct hub_signals *signals = hub_signals(hub);

	*journal = (struct journal){ .hub = hub };
	signal_add(&signals->event, &journal->event, on_event);
	signal_add(&signals->refused, &journal->refused, on_refused);
	signal_add(&signals->radio_changed, &journal->condition, on_condition);
}

void journal_finish(struct journal *journal) {
	listener_remove(&journal->event);
	listener_remove(&journal->refused);
	listener_remove(&journal->condition);
}
