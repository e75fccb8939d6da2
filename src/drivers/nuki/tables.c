/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists whose length is announced: keypad codes, authorisations and time control. What is not
 * complete must not be taken for what the lock holds, or credentials that are there would count as
 * gone: so a table counts when as many different ids have come as the lock said, and else the job
 * fails.
 *
 * A table may come in several pages, which are asked for as long as each brings something new. Its
 * end is COMPLETE; some firmware may not send that here (docs/protocols/nuki.md 8), so a while of
 * silence after the last row that was announced is an end too.
 */

#include "machine.h"

#include "slots.h"
#include "util/auto.h"

void nuki_table_open(struct nuki_session *session) {
	session->table.n = 0;
	session->table.total = 0;
	session->table.has_total = false;
}

void nuki_table_page(struct nuki_session *session) {
	session->table.n_before = session->table.n;
}

void nuki_fill_range(const struct nuki_session *session, struct nuki_message *message) {
	message->request.offset = (uint16_t) session->table.n;
	message->request.count = NUKI_TABLE_PAGE;
}

static bool is_whole(const struct nuki_table *table) {
	return table->has_total && table->n >= table->total;
}

static const char *rows_name(const struct nuki_session *session) {
	switch (session->step->answer) {
	case NUKI_CODE:
		return "keypad codes";
	case NUKI_TIME_CONTROL_ENTRY:
		return "timers";
	}
	return "authorisations";
}

/* The lock talks: the rest, or the end, has its time. */
static void wait_for_more(struct nuki_session *session) {
	nuki_wait(session, PHASE_TABLE, is_whole(&session->table) ? NUKI_TAIL_MS : NUKI_LIST_MS);
}

static unsigned total_of(const struct nuki_message *message) {
	return message->kind->command == NUKI_TIME_CONTROL_COUNT ? message->reply.count8
								 : message->reply.count;
}

void nuki_on_total(struct nuki_session *session, const struct nuki_message *message) {
	struct nuki_table *table = &session->table;
	const bool is_first = !table->has_total;

	table->total = total_of(message);
	table->has_total = true;
	if (session->n_given - table->n + table->total > SLOTS_PER_LOCK_MAX) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR,
			"the lock announces %u %s: more than %d entries are not read", table->total,
			rows_name(session), SLOTS_PER_LOCK_MAX);
		return;
	}
	if (is_first) {
		wait_for_more(session);
	} else {
		nuki_wait_again(session);
	}
}

static uint32_t id_of(const struct nuki_message *message) {
	return message->kind->command == NUKI_CODE ? message->code.code_id : message->auth.auth_id;
}

static bool is_known(const struct nuki_table *table, uint32_t id) {
	for (size_t i = 0; i < table->n; i++) {
		if (table->ids[i] == id) {
			return true;
		}
	}
	return false;
}

static void give(struct nuki_session *session, const struct nuki_message *message) {
	struct lock_timer timer;
	struct slot slot;

	if (message->kind->command == NUKI_TIME_CONTROL_ENTRY) {
		nuki_timer_from(&message->time_control, &timer);
		session_timers(&session->base, &timer, 1);
		return;
	}
	if (message->kind->command == NUKI_CODE) {
		nuki_slot_from_code(&message->code, &slot);
	} else {
		nuki_slot_from_auth(&message->auth, session->keys.auth_id, &slot);
	}
	session_slots(&session->base, &slot, 1);
	wipe(&slot, sizeof(slot));
}

void nuki_on_row(struct nuki_session *session, const struct nuki_message *message) {
	struct nuki_table *table = &session->table;
	const uint32_t id = id_of(message);

	if (is_known(table, id)) {
		session_trace(&session->base, "ignored: the same entry again");
		return;
	}
	if (session->n_given == SLOTS_PER_LOCK_MAX) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR,
			"more than %d entries are not read", SLOTS_PER_LOCK_MAX);
		return;
	}
	table->ids[table->n++] = id;
	session->n_given++;
	give(session, message);
	wait_for_more(session);
}

void nuki_on_table_end(struct nuki_session *session, const struct nuki_message *message) {
	const struct nuki_table *table = &session->table;
	const bool is_going_on =
		(session->step->flags & STEP_PAGES) != 0 && table->n > table->n_before;

	nuki_pin_accepted(session);
	if (table->has_total && table->n == table->total) {
		nuki_step_go(session, session->i_step + 1);
	} else if (table->has_total && table->n < table->total && is_going_on) {
		session->n_fresh = 0;
		nuki_step_begin(session);
	} else if (table->has_total) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR,
			"the lock announced %u %s and told %zu", table->total, rows_name(session),
			table->n);
	} else {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR,
			"the lock did not say how many %s it has", rows_name(session));
	}
}

void nuki_on_table_silence(struct nuki_session *session, const struct nuki_message *message) {
	const struct nuki_table *table = &session->table;

	if (is_whole(table)) {
		nuki_on_table_end(session, message);
	} else {
		session_fail(&session->base, FAULT_LOCK_SILENT,
			"%zu of %u %s came, then %u ms nothing", table->n, table->total,
			rows_name(session), session->wait_ms);
	}
}
