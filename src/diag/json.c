/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A judgement as JSON, exactly as docs/diagnosis.md has it. What is not known is left out. Nothing
 * in here holds a secret: the facts have none, and of a serial number only its end is told.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "room.h"
#include "util/text.h"

#define STEP_TEXT_MAX 512
#define SERIAL_HINT 4
#define TRIED_MAX 3

/* All of these take @take_value and cope with NULL: a failure shows at the end, in the dump. */
static void put(json_t *object, const char *key, json_t *take_value) {
	(void) json_object_set_new(object, key, take_value);
}

static void put_text(json_t *object, const char *key, const char *text) {
	if (text != NULL && text[0] != '\0') {
		put(object, key, json_string(text));
	}
}

static void put_always(json_t *object, const char *key, const char *text) {
	put(object, key, json_string(text != NULL ? text : ""));
}

static void put_time(json_t *object, const char *key, wall_t at) {
	char text[WALL_TEXT_MAX];

	if (at.s > 0) {
		put(object, key, json_string(wall_to_text(at, text)));
	}
}

static void put_flag(json_t *object, const char *key, enum known_flag flag) {
	if (flag != FLAG_UNKNOWN) {
		put(object, key, json_boolean(flag == FLAG_YES));
	}
}

/* Whole numbers without a point, others with two digits behind it. */
static json_t *number(double value) {
	if (!isfinite(value)) {
		return NULL;
	}
	if (fabs(value) < 1e15 && value == floor(value)) {
		return json_integer((json_int_t) value);
	}
	return json_real(round(value * 100) / 100);
}

/* ---- proofs ---- */

char *proof_reading(const struct proof *proof, char *out, size_t size) {
	if (!proof->has_value || !isfinite(proof->value)) {
		out[0] = '\0';
		return out;
	}
	(void) snprintf(out, size, "%.*f%s%s", proof->value == floor(proof->value) ? 0 : 2,
		proof->value, proof->unit != NULL && proof->unit[0] != '\0' ? " " : "",
		proof->unit != NULL ? proof->unit : "");
	return out;
}

char *proofs_text(const struct proof *proofs, size_t n, char *out, size_t size) {
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && used + 1 < size; i++) {
		char value[64];

		(void) proof_reading(&proofs[i], value, sizeof(value));
		(void) snprintf(out + used, size - used, "%s%s%s%s", used > 0 ? "; " : "",
			proofs[i].text, value[0] != '\0' ? ": " : "", value);
		used = strlen(out);
	}
	/* A cut may go through a character. */
	out[text_cut(out, size - 1)] = '\0';
	return out;
}

static json_t *json_proofs(const struct proof *proofs, size_t n, wall_t now) {
	json_t *result = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_object();

		put_always(row, "text", proofs[i].text);
		if (proofs[i].has_value) {
			put(row, "value", number(proofs[i].value));
			put_text(row, "unit", proofs[i].unit);
		}
		put_time(row, "at", proofs[i].at.s > 0 ? proofs[i].at : now);
		if (proofs[i].how != EVIDENCE_NONE) {
			put_always(row, "how", evidence_how_name(proofs[i].how));
		}
		(void) json_array_append_new(result, row);
	}
	return result;
}

static json_t *json_check(const struct check_row *check, wall_t now) {
	json_t *row = json_object();

	put_always(row, "name", check->name);
	put_always(row, "title", check->title);
	put_always(row, "topic", diag_topic_name(check->topic));
	put_always(row, "result", check_result_name(check->result));
	put(row, "proof", json_proofs(check->proofs, check->n_proofs, now));
	return row;
}

/* ---- remedies ---- */

static json_t *json_tried(const struct target *target, const char *fault, const char *remedy) {
	json_t *result = json_array();

	for (size_t i = target->n_attempts; i > 0 && json_array_size(result) < TRIED_MAX; i--) {
		const struct attempt *attempt = &target->attempts[i - 1];
		json_t *row;

		if (strcmp(attempt->fault, fault) != 0 || strcmp(attempt->remedy, remedy) != 0) {
			continue;
		}
		row = json_object();
		put_time(row, "at", attempt->begun_at);
		put_text(row, "by", attempt->by);
		put_always(row, "outcome", attempt_outcome_name(attempt->outcome));
		put_text(row, "before", attempt->before);
		put_text(row, "after", attempt->after);
		(void) json_array_append_new(result, row);
	}
	return result;
}

static const char *slug_of(const struct target *target) {
	return target->facts->lock != NULL ? target->facts->lock->slug : NULL;
}

static json_t *json_steps(const struct target *target, const struct remedy *remedy) {
	const struct model *model = target->facts->lock != NULL ? target->facts->lock->model : NULL;
	const char *steps[MODEL_STEPS_MAX + 8] = { NULL };
	json_t *result = json_array();
	size_t n = remedy_steps(remedy, model, steps);

	for (size_t i = 0; i < n; i++) {
		char text[STEP_TEXT_MAX];

		(void) text_fill_lock(steps[i], slug_of(target), text, sizeof(text));
		(void) json_array_append_new(result, json_string(text));
	}
	return result;
}

static const char *risk_name(enum remedy_risk risk) {
	static const char *const names[] = { "none", "low", "middle", "high" };

	return names[risk];
}

/* What the hub could do but may not, as it is set up, is left to the person. */
static bool is_by_hub(const struct target *target, const struct remedy *remedy) {
	const struct lock_facts *facts = target->facts->lock;
	const struct lock *lock =
		facts != NULL ? hub_find_lock(target->diag->hub, facts->id) : NULL;

	return remedy->act != REMEDY_BY_PERSON && diag_can(target->diag, remedy->act, lock);
}

static json_t *json_remedy(
	const struct target *target, const struct remedy *remedy, const char *fault) {
	json_t *row = json_object();
	char text[STEP_TEXT_MAX];

	put_always(row, "name", remedy->name);
	(void) text_fill_lock(remedy->title, slug_of(target), text, sizeof(text));
	put_always(row, "title", text);
	put(row, "effort_min", json_integer(remedy->effort_min));
	put_always(row, "risk", risk_name(remedy->risk));
	put_always(row, "by", is_by_hub(target, remedy) ? "hub" : "person");
	put_always(row, "confirm", remedy->confirm);
	(void) text_fill_lock(remedy->command != NULL ? remedy->command : "", slug_of(target), text,
		sizeof(text));
	put_always(row, "command", text);
	put(row, "steps", json_steps(target, remedy));
	put_always(row, "verify", remedy->verify);
	put(row, "last_resort", json_boolean(remedy->is_last_resort));
	put(row, "tried", json_tried(target, fault, remedy->name));
	return row;
}

static json_t *json_remedies(const struct target *target, enum fault_code fault) {
	const struct advice *advice = advice_for(fault);
	json_t *result = json_array();

	for (size_t i = 0; advice != NULL && advice->remedies[i] != NULL; i++) {
		const struct remedy *remedy = remedy_find(advice->remedies[i]);

		if (remedy != NULL) {
			(void) json_array_append_new(
				result, json_remedy(target, remedy, fault_name(fault)));
		}
	}
	return result;
}

static json_t *json_finding(const struct target *target, const struct finding *finding) {
	const struct advice *advice = advice_for(finding->fault);
	const char *name = fault_name(finding->fault);
	char text[FAULT_TEXT_MAX];
	json_t *row = json_object();

	put_always(row, "fault", name);
	put_always(row, "summary", fault_row(finding->fault)->summary);
	put_always(row, "hint", fault_hint(finding->fault, slug_of(target), text));
	put_always(row, "check", finding->check);
	put_always(row, "topic", diag_topic_name(finding->topic));
	put_always(row, "severity", severity_name(finding->severity));
	put(row, "confidence", json_integer(finding->confidence));
	put_always(row, "because_of",
		finding->because_of != FAULT_NONE ? fault_name(finding->because_of) : "");
	put_always(row, "meaning", advice != NULL ? advice->meaning : "");
	(void) snprintf(text, sizeof(text), "docs/troubleshooting/%s.md", name);
	put_always(row, "page", text);
	put(row, "proof", json_proofs(finding->proofs, finding->n_proofs, target->facts->hub.now));
	put(row, "remedies", json_remedies(target, finding->fault));
	return row;
}

/* ---- targets ---- */

static json_t *json_adapter(const struct adapter_facts *adapter) {
	json_t *row = json_object();

	put_text(row, "name", adapter->name);
	put_text(row, "address", adapter->address);
	put_flag(row, "powered", adapter->is_powered);
	put_flag(row, "blocked", adapter->is_blocked);
	put_flag(row, "usb", adapter->is_usb);
	put_flag(row, "onboard", adapter->is_onboard);
	put_flag(row, "usb3_port", adapter->is_usb3_port);
	put_flag(row, "autosuspend", adapter->is_autosuspending);
	put_text(row, "chip", adapter->chip);
	put(row, "attempts", json_integer(adapter->stats.attempts));
	put(row, "failures", json_integer(adapter->stats.failures));
	return row;
}

static json_t *json_hub_facts(const struct hub_facts *hub) {
	json_t *row = json_object();
	json_t *adapters = json_array();

	put_text(row, "bluez", hub->radio.bluez_version);
	put_text(row, "os", hub->host.os);
	put_text(row, "kernel", hub->host.kernel);
	put_text(row, "board", hub->host.board);
	put_text(row, "lockhub", hub->host.version);
	put_text(row, "broker", hub->broker.broker);
	put_flag(row, "broker_connected", hub->broker.is_connected);
	put_flag(row, "broker_tls", hub->broker.is_tls);
	if (hub->host.disk_free >= 0) {
		put(row, "disk_free", json_integer(hub->host.disk_free));
	}
	if (hub->host.database_size >= 0) {
		put(row, "database_size", json_integer(hub->host.database_size));
	}
	put_text(row, "wifi_security", hub->host.wifi_security);
	put_flag(row, "wifi", hub->host.is_wifi);
	put_flag(row, "wifi_24ghz", hub->host.is_wifi_24ghz);
	put_time(row, "backup_at", hub->host.backup_at);
	for (size_t i = 0; i < hub->n_adapters; i++) {
		(void) json_array_append_new(adapters, json_adapter(&hub->adapters[i]));
	}
	put(row, "adapters", adapters);
	return row;
}

static json_t *json_radio(const struct lock_facts *lock) {
	const struct radio_stats *radio = &lock->radio;
	struct tally_spread strengths = tally_strengths(&radio->tally);
	int success = radio_success_percent(radio);
	json_t *row = json_object();

	if (radio->rssi != 0) {
		put(row, "rssi", json_integer(radio->rssi));
	}
	if (strengths.n > 0) {
		put(row, "rssi_median", json_integer(strengths.median));
	}
	put(row, "attempts", json_integer(radio->attempts));
	put(row, "failures", json_integer(radio->failures));
	put(row, "losses", json_integer(radio->losses));
	if (success >= 0) {
		put(row, "success_percent", json_integer(success));
	}
	put_always(row, "quality", radio_quality(radio));
	return row;
}

static json_t *json_probes(const struct lock_facts *lock) {
	json_t *result = json_array();

	for (size_t i = 0; i < lock->n_probes; i++) {
		const struct probe *probe = &lock->probes[i];
		json_t *row;

		if (!probe->was_tried) {
			continue;
		}
		row = json_object();
		put_always(row, "act", act_name(probe->act));
		put(row, "done", json_boolean(probe->is_done));
		put(row, "took_ms", json_integer(probe->took_ms));
		if (!probe->is_done) {
			char text[FAULT_TEXT_MAX];

			put_always(row, "fault", fault_name(probe->fault.code));
			(void) fault_text(&probe->fault, text);
			text_sanitize(text);
			put_always(row, "message", text);
		}
		(void) json_array_append_new(result, row);
	}
	return result;
}

static json_t *json_protocol(const struct protocol *protocol) {
	json_t *row = json_object();

	put_always(row, "class", protocol_class_name(protocol_class(protocol)));
	put_always(row, "name", protocol->name);
	put_always(row, "cipher", protocol->cipher);
	put_always(row, "mutual", protocol_trait_name(protocol->is_mutual));
	put_always(row, "tamper_proof", protocol_trait_name(protocol->is_tamper_proof));
	put_always(row, "replay_safe", protocol_trait_name(protocol->is_replay_safe));
	put_always(row, "fresh_nonces", protocol_trait_name(protocol->has_fresh_nonces));
	put_text(row, "weakness", protocol->weakness);
	put_always(row, "source", protocol->source);
	return row;
}

static void put_lock(json_t *row, const struct lock_facts *lock) {
	const struct version_facts *versions = &lock->status.versions;
	const char *serial = versions->serial;
	size_t n = strlen(serial);
	char hint[16];

	put_always(row, "lock", lock->slug);
	put_always(row, "id", lock->id);
	put_always(row, "name", lock->name);
	put_text(row, "brand", lock->brand);
	put_text(row, "model", versions->model);
	put_text(row, "model_file", lock->model->file);
	put_text(row, "firmware", versions->firmware);
	if (n > SERIAL_HINT) {
		(void) snprintf(hint, sizeof(hint), "…%s", serial + n - SERIAL_HINT);
		put_text(row, "serial_hint", hint);
	}
	put_text(row, "support", lock->model->support);
	put_flag(row, "mechanical_key", lock->model->has_mechanical_key);
	if (lock->protocol != NULL) {
		put(row, "protocol", json_protocol(lock->protocol));
	}
}

const char *judgement_worst(const struct judgement *judgement) {
	for (size_t i = 0; i < judgement->n_findings; i++) {
		if (judgement->findings[i].severity > SEVERITY_INFO) {
			return "findings";
		}
	}
	return judgement->is_unchecked ? "unchecked" : "healthy";
}

json_t *json_target(const struct target *target) {
	const struct judgement *judgement = target->judgement;
	const struct lock_facts *lock = target->facts->lock;
	json_t *row = json_object();
	json_t *checks = json_array();
	json_t *findings = json_array();

	put_always(row, "kind", lock != NULL ? "lock" : "hub");
	if (lock != NULL) {
		put_lock(row, lock);
	}
	put_always(row, "worst", judgement_worst(judgement));
	put_always(row, "verdict", judgement->verdict);
	for (size_t i = 0; i < judgement->n_checks; i++) {
		(void) json_array_append_new(
			checks, json_check(&judgement->checks[i], target->facts->hub.now));
	}
	put(row, "checks", checks);
	for (size_t i = 0; i < judgement->n_findings; i++) {
		(void) json_array_append_new(
			findings, json_finding(target, &judgement->findings[i]));
	}
	put(row, "findings", findings);
	if (lock != NULL) {
		put(row, "radio", json_radio(lock));
		put(row, "probes", json_probes(lock));
	} else {
		put(row, "facts", json_hub_facts(&target->facts->hub));
	}
	return row;
}

/* ---- the whole ---- */

static const char *text_in(const json_t *object, const char *key) {
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* Of all targets: what is worst, and how many are. */
static const char *worst_of(const json_t *targets, size_t *ret_n) {
	static const char *const order[] = { "findings", "unchecked" };

	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		size_t i;
		size_t n = 0;
		const json_t *target;

		json_array_foreach((json_t *) targets, i, target) {
			n += strcmp(text_in(target, "worst"), order[k]) == 0;
		}
		if (n > 0) {
			*ret_n = n;
			return order[k];
		}
	}
	*ret_n = 0;
	return "healthy";
}

static const json_t *first_of(const json_t *targets, const char *worst) {
	size_t i;
	const json_t *target;

	json_array_foreach((json_t *) targets, i, target) {
		if (strcmp(text_in(target, "worst"), worst) == 0) {
			return target;
		}
	}
	return NULL;
}

/* "Front door: The batteries are nearly empty." */
static void verdict_of(const json_t *target, char *out, size_t size) {
	const char *name = text_in(target, "name");

	(void) snprintf(
		out, size, "%s%s%s", name, name[0] != '\0' ? ": " : "", text_in(target, "verdict"));
}

json_t *json_diagnosis(const struct diag *diag, wall_t now, json_t *take_targets) {
	json_t *result = json_object();
	size_t n = 0;
	size_t n_locks = 0;
	const char *worst = worst_of(take_targets, &n);
	const json_t *first = first_of(take_targets, worst);
	char verdict[400] = "";
	size_t i;
	const json_t *target;

	json_array_foreach(take_targets, i, target) {
		n_locks += strcmp(text_in(target, "kind"), "lock") == 0;
	}
	if (n == 0 && n_locks != 1) {
		(void) snprintf(verdict, sizeof(verdict),
			n_locks > 0 ? "The hub and all %zu locks are healthy."
				    : "The hub is healthy.",
			n_locks);
	} else if (first != NULL) {
		/* One healthy lock among healthy others speaks for all. */
		if (n == 0) {
			json_array_foreach(take_targets, i, target) {
				first = strcmp(text_in(target, "kind"), "lock") == 0 ? target
										     : first;
			}
		}
		verdict_of(first, verdict, sizeof(verdict));
		if (n > 1 && n_locks > 1) {
			size_t used = strlen(verdict);

			(void) snprintf(verdict + used, sizeof(verdict) - used,
				" There is more: %zu in all need a look.", n);
		}
	}
	put(result, "format", json_integer(1));
	put_time(result, "at", now);
	put_text(result, "version", diag->version);
	put_always(result, "worst", worst);
	put_always(result, "verdict", verdict);
	put(result, "targets", take_targets);
	return result;
}

/* ---- the history ---- */

static json_t *json_samples(const struct history *history) {
	json_t *result = json_object();

	for (size_t i = 0; i < history->n_samples; i++) {
		const struct sample *sample = &history->samples[i];
		const char *name = sample_kind_name(sample->kind);
		json_t *row = json_object_get(result, name);

		if (row == NULL) {
			row = json_array();
			put(result, name, row);
		}
		(void) json_array_append_new(
			row, json_pack("[I, i]", (json_int_t) sample->at.s, (int) sample->value));
	}
	return result;
}

static json_t *json_days(const struct history *history) {
	json_t *result = json_array();

	for (size_t i = 0; i < history->n_days; i++) {
		const struct lock_day *day = &history->days[i];
		struct civil civil = wall_to_civil((wall_t){ (int64_t) day->day * 86400 });
		json_t *row = json_object();
		char text[32];

		(void) snprintf(
			text, sizeof(text), "%04d-%02d-%02d", civil.year, civil.month, civil.day);
		put_always(row, "day", text);
		for (unsigned key = 0; key < DAY_COUNT_; key++) {
			if (day->counts[key] > 0) {
				put(row, day_key_name((enum day_key) key),
					json_integer(day->counts[key]));
			}
		}
		(void) json_array_append_new(result, row);
	}
	return result;
}

static json_t *json_attempts(const struct history *history) {
	json_t *result = json_array();

	for (size_t i = 0; i < history->n_attempts; i++) {
		const struct attempt *attempt = &history->attempts[i];
		json_t *row = json_object();

		put_always(row, "id", attempt->id);
		put_always(row, "fault", attempt->fault);
		put_always(row, "remedy", attempt->remedy);
		put_text(row, "by", attempt->by);
		put_time(row, "begun", attempt->begun_at);
		put_time(row, "ended", attempt->ended_at);
		put_always(row, "outcome", attempt_outcome_name(attempt->outcome));
		put_text(row, "before", attempt->before);
		put_text(row, "after", attempt->after);
		(void) json_array_append_new(result, row);
	}
	return result;
}

static json_t *json_notes(const struct history *history) {
	json_t *result = json_object();

	for (size_t i = 0; i < history->n_notes; i++) {
		const struct note *note = &history->notes[i];
		json_t *row = json_object();

		put_time(row, "at", note->at);
		put_always(row, "text", note->text);
		put(result, note->key, row);
	}
	return result;
}

static json_t *json_forecast(const struct forecast *forecast) {
	json_t *row = json_object();

	put(row, "known", json_boolean(forecast->is_known));
	if (!forecast->is_known) {
		put_text(row, "reason", forecast->reason);
		put_time(row, "since", forecast->since);
		return row;
	}
	put(row, "days", json_integer((json_int_t) forecast->days));
	put(row, "least", json_integer((json_int_t) forecast->days_least));
	put(row, "most", json_integer((json_int_t) forecast->days_most));
	put(row, "percent_per_day", number(forecast->percent_per_day));
	if (forecast->percent_per_move >= 0) {
		put(row, "percent_per_move", number(forecast->percent_per_move));
	}
	if (forecast->normal_per_day >= 0) {
		put(row, "normal_per_day", number(forecast->normal_per_day));
	}
	put_time(row, "since", forecast->since);
	put_time(row, "until", forecast->until);
	return row;
}

json_t *json_history(const char *lock_id, const char *slug, wall_t since,
	const struct history *history, const struct forecast *forecast) {
	json_t *result = json_object();

	put(result, "format", json_integer(1));
	put_text(result, "lock", slug);
	put_text(result, "id", lock_id);
	put_time(result, "since", since);
	put(result, "samples", json_samples(history));
	put(result, "days", json_days(history));
	put(result, "attempts", json_attempts(history));
	put(result, "notes", json_notes(history));
	put(result, "forecast", json_forecast(forecast));
	return result;
}
