/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hub itself knows, and what the history says, as facts (diag/facts.h). Asks nobody.
 */
#include <string.h>

#include "forecast.h"
#include "room.h"
#include "util/text.h"

#define HEARD_LATELY_MS 300000
#define DAY_S 86400
#define CODE_DIGITS_GOOD 6
#define CODE_OLD_S (2 * 365 * (int64_t) DAY_S)

static void gather_adapter(
	const struct radio_stats *stats, const struct hub_facts *hub, struct adapter_facts *ret) {
	(void) text_copy(ret->name, sizeof(ret->name), stats->name);
	(void) text_copy(ret->address, sizeof(ret->address), stats->adapter);
	ret->stats = *stats;
	if (stats->state != NULL) {
		bool is_on = strcmp(stats->state, "on") == 0;

		ret->is_powered = is_on ? FLAG_YES : FLAG_NO;
		if (is_on) {
			ret->is_blocked = FLAG_NO;
		} else if (hub->radio.fault.code == FAULT_ADAPTER_BLOCKED) {
			ret->is_blocked = FLAG_YES;
		}
	}
}

/* A source knows an adapter by its name, as the kernel does; BlueZ by its address, too. */
static struct adapter_facts *adapter_row(struct hub_facts *facts, const struct radio_stats *stats) {
	for (size_t i = 0; i < facts->n_adapters; i++) {
		const struct adapter_facts *row = &facts->adapters[i];

		if (text_equal(row->address, stats->adapter) ||
			(stats->name[0] != '\0' && text_equal(row->name, stats->name))) {
			return &facts->adapters[i];
		}
	}
	if (facts->n_adapters >= DIAG_ADAPTERS_MAX) {
		return NULL;
	}
	return &facts->adapters[facts->n_adapters++];
}

void gather_hub(const struct diag *diag, struct hub_facts *facts) {
	struct radio_stats stats;
	mono_t now = clock_mono(diag->clock);

	facts->now = clock_wall(diag->clock);
	const struct zone *zone = hub_lock_zone(diag->hub, "");
	if (zone != NULL && facts->now.s > 0) {
		facts->zone_offset_minutes =
			(int) ((zone_local(zone, facts->now) - facts->now.s) / 60);
	}
	facts->is_clock_trusted = clock_is_trusted(diag->clock) ? FLAG_YES : FLAG_NO;
	hub_radio_status(diag->hub, &facts->radio);
	facts->ledger = *hub_ledger_fault(diag->hub);
	facts->n_locks = (unsigned) hub_lock_count(diag->hub);
	facts->n_locks_reachable = 0;
	for (size_t i = 0; i < hub_lock_count(diag->hub); i++) {
		facts->n_locks_reachable += lock_is_reachable(hub_lock_at(diag->hub, i));
	}
	for (unsigned i = 0; hub_adapter_stats(diag->hub, i, &stats); i++) {
		struct adapter_facts *row = adapter_row(facts, &stats);

		if (row != NULL) {
			gather_adapter(&stats, facts, row);
		}
		if (stats.heard_ms != INT64_MIN && now.ms - stats.heard_ms < HEARD_LATELY_MS) {
			facts->is_anything_heard = FLAG_YES;
		}
	}
	(void) text_copy(facts->host.version, sizeof(facts->host.version), diag->version);
}

static void gather_codes(
	const struct diag *diag, const struct lock *lock, struct lock_facts *facts, wall_t now) {
	const struct book *book = hub_book(diag->hub);
	const struct credential_limits *limits = lock_credentials(lock);
	const bool takes_long = limits != NULL && limits->pin_most >= CODE_DIGITS_GOOD;
	const struct credential *row;

	facts->n_codes = facts->n_codes_short = facts->n_codes_weak = facts->n_codes_old = 0;

	for (size_t i = 0; (row = book_credential_at(book, i)) != NULL; i++) {
		if (row->type != CREDENTIAL_PIN || row->state != CREDENTIAL_ACTIVE ||
			book_placement(book, facts->id, row->id) == NULL) {
			continue;
		}
		/* One from before this was kept: at the least not older than itself. */
		wall_t since = row->pin_set_at.s > 0 ? row->pin_set_at : row->created_at;

		facts->n_codes++;
		facts->n_codes_short +=
			takes_long && row->pin.len > 0 && row->pin.len < CODE_DIGITS_GOOD;
		facts->n_codes_weak += pin_weakness(&row->pin) != NULL;
		facts->n_codes_old += since.s > 0 && now.s - since.s > CODE_OLD_S;
	}
	facts->wrong_most = limits != NULL ? limits->wrong_most : 0;
	facts->wrong_disable_s = limits != NULL ? limits->wrong_disable_s : 0;
	facts->has_factor = book_rules(book, facts->id)->factor != FACTOR_NONE ? FLAG_YES : FLAG_NO;
}

void gather_lock(const struct diag *diag, const struct lock *lock, struct lock_facts *facts) {
	struct sync_status sync = { 0 };
	mono_t now = clock_mono(diag->clock);

	(void) text_copy(facts->id, sizeof(facts->id), lock_id(lock));
	(void) text_copy(facts->slug, sizeof(facts->slug), lock_slug(lock));
	(void) text_copy(facts->name, sizeof(facts->name), lock_name(lock));
	(void) text_copy(facts->brand, sizeof(facts->brand), lock_driver(lock)->brand);
	facts->status = *lock_status(lock);
	facts->model = models_find(diag->models, lock_driver(lock)->name,
		facts->status.versions.firmware, facts->status.versions.model);
	lock_radio_stats(lock, &facts->radio);
	facts->is_reachable = lock_is_reachable(lock);
	facts->is_linked = lock_is_linked(lock);
	facts->is_announcing = lock_is_announcing(lock);
	facts->has_pin = lock_has_pin(lock);
	facts->acts = lock_acts(lock);
	facts->n_standing = 0;
	for (size_t i = 0; i < ARRAY_SIZE(facts->standing); i++) {
		const struct fault *fault = lock_fault_at(lock, i);

		if (fault == NULL) {
			break;
		}
		facts->standing[facts->n_standing++] = *fault;
	}
	hub_sync_status(diag->hub, lock_id(lock), &sync);
	facts->n_sync_pending = sync.n_pending + sync.n_leaving;
	facts->n_revocations_pending = sync.n_leaving;
	facts->paired_at = lock_paired_at(lock);
	facts->unheard_s = -1;
	if (facts->status.heard.how != EVIDENCE_NONE &&
		facts->status.heard.how != EVIDENCE_STORED) {
		facts->unheard_s = (int) (mono_since(facts->status.heard.at, now) / 1000);
	}
	facts->pin = lock_pin_judge(lock, &facts->pin_weakness);
	facts->protocol = lock_protocol(lock);
	gather_codes(diag, lock, facts, clock_wall(diag->clock));
}

void gather_history(
	const struct diag *diag, const struct history *history, struct lock_facts *facts) {
	const struct forecast_input input = {
		.samples = history->samples,
		.n_samples = history->n_samples,
		.days = history->days,
		.n_days = history->n_days,
		.now = clock_wall(diag->clock),
		.empty_percent = facts->model->warn_percent,
		.life_days = facts->model->life_days,
		.is_life_assumed = facts->model->is_life_assumed == FLAG_YES,
	};

	facts->history = *history;
	facts->pin_set_at = (wall_t){ 0 };
	facts->weak_by[0] = '\0';
	for (size_t i = 0; i < history->n_notes; i++) {
		const struct note *note = &history->notes[i];

		if (text_equal(note->key, LOCK_NOTE_PIN)) {
			facts->pin_set_at = note->at;
		} else if (text_equal(note->key, LOCK_NOTE_WEAK)) {
			(void) text_copy(facts->weak_by, sizeof(facts->weak_by), note->text);
			facts->weak_since = note->at;
		}
	}
	forecast_make(&input, &facts->forecast);
}
