/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How well lock and hub are protected: against the neighbour, the network and the light-fingered.
 */

#include "judge.h"

#include "util/text.h"

#define ALARM_DAYS 14
/* Ours, as the alarm is (core/import.c): so many in the lock's log within so long. */
#define WRONG_CODES 5
#define WRONG_CODES_S (10 * 60)
/* People mistype; not so often within a day. */
#define WRONG_CODES_DAY 15
/* A keypad that refuses codes does so for minutes; by whoever reads it later it takes them again.
 */
#define KEYPAD_LOCKED_S (30 * 60)
#define RECKONED 85 /* the keypad has not said it itself */
#define PIN_OLD_DAYS 730

/* What somebody knows and has agreed to is told where it is asked for, and is nothing new else. */
static enum check_result judge_consent(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	char since[WALL_TEXT_MAX];

	if (lock->weak_by[0] == '\0') {
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 },
			"weak, and it is not known that anybody has agreed to rely on it");
		accuse(judge, FAULT_PROTOCOL_WEAK, 90);
		return CHECK_BAD;
	}
	(void) wall_to_text(lock->weak_since, since);
	proof(judge, EVIDENCE_STORED, lock->weak_since,
		"weak; %s has agreed to rely on it all the same, on %.10s", lock->weak_by, since);
	return hint(judge, FAULT_PROTOCOL_WEAK, 90);
}

static enum check_result check_protocol(struct judge *judge) {
	const struct protocol *protocol = judge->lock->protocol;
	const enum protocol_class class = protocol_class(protocol);

	if (protocol == NULL) {
		return CHECK_UNKNOWN;
	}
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "class %s: %s, made of %s",
		protocol_class_name(class), protocol->name, protocol->cipher);
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 },
		"both sides prove who they are: %s; a changed command is refused: %s",
		protocol_trait_name(protocol->is_mutual),
		protocol_trait_name(protocol->is_tamper_proof));
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 },
		"a repeated command does nothing: %s; fresh nonces of both sides: %s",
		protocol_trait_name(protocol->is_replay_safe),
		protocol_trait_name(protocol->has_fresh_nonces));
	if (protocol->weakness[0] != '\0') {
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "%s", protocol->weakness);
	}
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "by: %s", protocol->source);
	switch (class) {
	case PROTOCOL_CLASS_UNKNOWN:
		return CHECK_UNKNOWN;
	case PROTOCOL_CLASS_A:
	case PROTOCOL_CLASS_B:
		return CHECK_OK;
	case PROTOCOL_CLASS_C:
		break;
	}
	return judge_consent(judge);
}

static enum check_result check_factor(struct judge *judge) {
	switch (judge->lock->has_factor) {
	case FLAG_UNKNOWN:
		return CHECK_UNKNOWN;
	case FLAG_NO:
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 },
			"remote opening asks for no personal code or one-time password");
		return hint(judge, FAULT_FACTOR_MISSING, SURE);
	case FLAG_YES:
		break;
	}
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "remote opening asks for a second factor");
	return CHECK_OK;
}

static bool is_tampering(enum alarm_code alarm) {
	switch (alarm) {
	case ALARM_ESCUTCHEON_REMOVED:
	case ALARM_DOOR_FORCED_OPEN:
	case ALARM_FACTORY_RESET:
	case ALARM_FORCED_USER:
		return true;
	case ALARM_LOCK_JAMMED:
	case ALARM_RADIO_POWER_CYCLED:
	case ALARM_WRONG_CODE_LIMIT:
	case ALARM_DOOR_AJAR:
	case ALARM_NONE:
		break;
	}
	return false;
}

static enum check_result check_tamper(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	wall_t seen = remedied_at(judge, FAULT_TAMPERED);
	unsigned n = 0;

	for (size_t i = 0; i < lock->n_events; i++) {
		const struct event *event = &lock->events[i];
		if (event->kind == EVENT_ALARM && is_tampering(event->alarm) &&
			event->time.s > seen.s &&
			judge->now.s - event->time.s <= INT64_C(86400) * ALARM_DAYS) {
			proof(judge, EVIDENCE_LOGGED, event->time, "alarm: %s",
				alarm_code_name(event->alarm));
			n++;
		}
	}
	if (n > 0) {
		accuse(judge, FAULT_TAMPERED, 90);
		return CHECK_BAD;
	}
	return lock->n_events > 0 ? CHECK_OK : CHECK_UNKNOWN;
}

/* The most wrong codes within WRONG_CODES_S that the events tell of. */
static unsigned worst_burst(const struct judge *judge, wall_t seen) {
	const struct lock_facts *lock = judge->lock;
	unsigned worst = 0;

	for (size_t i = 0; i < lock->n_events; i++) {
		unsigned n = 0;
		if (lock->events[i].time.s <= seen.s ||
			judge->now.s - lock->events[i].time.s > INT64_C(86400) * ALARM_DAYS) {
			continue;
		}
		for (size_t k = i; k < lock->n_events &&
				   lock->events[i].time.s - lock->events[k].time.s <= WRONG_CODES_S;
			k++) {
			n += lock->events[k].kind == EVENT_LOCK_OPERATION_ERROR &&
			     lock->events[k].error == OPERATION_ERROR_INVALID_CREDENTIAL;
		}
		worst = n > worst ? n : worst;
	}
	return worst;
}

/*
 * When the keypad has blocked itself last, reckoned from the lock's log: it does so after so many
 * wrong codes in a row, and says nothing itself (Nuki). A right one ends the row. 0: it has not.
 */
static wall_t blocked_at(const struct judge *judge, wall_t seen) {
	const struct lock_facts *lock = judge->lock;
	wall_t at = { 0 }, first = { 0 };
	unsigned n = 0;

	for (size_t i = lock->n_events; i-- > 0 && lock->wrong_most > 0;) { /* the oldest first */
		const struct event *event = &lock->events[i];

		if (event->time.s <= seen.s) {
			continue;
		}
		if (event->kind == EVENT_LOCK_OPERATION && event->source == SOURCE_KEYPAD) {
			n = 0;
		} else if (event->kind == EVENT_LOCK_OPERATION_ERROR &&
			   event->error == OPERATION_ERROR_INVALID_CREDENTIAL) {
			n = event->time.s - first.s > WRONG_CODES_S ? 0 : n;
			first = n == 0 ? event->time : first;
			n++;
		}
		if (n == lock->wrong_most) {
			at = event->time;
			n = 0;
		}
	}
	return at;
}

/* The entry of the lock's log that says so, or what follows from the entries before it. */
static bool is_keypad_blocked(struct judge *judge, const struct event *locked, wall_t seen) {
	wall_t at = locked != NULL ? locked->time : blocked_at(judge, seen);

	if (at.s == 0) {
		return false;
	}
	if (locked != NULL) {
		proof(judge, EVIDENCE_LOGGED, at, "the keypad took no more codes for a while");
	} else {
		proof_value(judge, judge->lock->wrong_most, "", EVIDENCE_LOGGED, at,
			"wrong codes in a row; after so many the keypad takes none for %u s",
			judge->lock->wrong_disable_s);
	}
	if (judge->now.s - at.s <= KEYPAD_LOCKED_S) {
		accuse(judge, FAULT_KEYPAD_LOCKED, locked != NULL ? SURE : RECKONED);
	}
	return true;
}

static enum check_result check_guessing(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	wall_t seen = remedied_at(judge, FAULT_CODE_GUESSING);
	uint64_t today = days_sum_since(judge, 2, DAY_WRONG_CODES, seen);
	unsigned burst = worst_burst(judge, seen);
	const struct event *locked = NULL;
	bool is_limit = false;

	for (size_t i = 0; i < lock->n_events; i++) {
		const struct event *event = &lock->events[i];

		if (event->time.s <= seen.s ||
			judge->now.s - event->time.s > INT64_C(86400) * ALARM_DAYS) {
			continue;
		}
		is_limit |= event->kind == EVENT_ALARM && event->alarm == ALARM_WRONG_CODE_LIMIT;
		/* It is an entry of the lock's log that tells; the newest comes first. */
		if (event->fault == FAULT_KEYPAD_LOCKED && locked == NULL) {
			locked = event;
		}
	}
	is_limit |= is_keypad_blocked(judge, locked, seen);
	if (burst > 0) {
		proof_value(judge, burst, "", EVIDENCE_LOGGED, (wall_t){ 0 },
			"wrong codes within ten minutes, at most");
	}
	if (today > 0) {
		proof_value(judge, (double) today, "", EVIDENCE_LOGGED, (wall_t){ 0 },
			"wrong codes since yesterday");
	}
	if (burst >= WRONG_CODES || today >= WRONG_CODES_DAY || is_limit) {
		accuse(judge, FAULT_CODE_GUESSING,
			confidence((double) burst - WRONG_CODES, 10, 72, 90));
		return CHECK_BAD;
	}
	return lock->n_events > 0 || lock->history.n_days > 0 ? CHECK_OK : CHECK_UNKNOWN;
}

static enum check_result check_log_chain(struct judge *judge) {
	const char *why = judge->hub->ledger.code == FAULT_LOG_BROKEN ? judge->hub->ledger.detail
								      : judge->hub->host.log_reason;

	if (judge->hub->ledger.code == FAULT_LOG_BROKEN ||
		judge->hub->host.is_log_whole == FLAG_NO) {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 },
			"the chain of the event log is broken%s%s", why[0] != '\0' ? ": " : "",
			why);
		accuse(judge, FAULT_LOG_BROKEN, SURE);
		return CHECK_BAD;
	}
	return judge->hub->host.is_log_whole == FLAG_YES ? CHECK_OK : CHECK_UNKNOWN;
}

static enum check_result check_default_pin(struct judge *judge) {
	switch (judge->lock->pin) {
	case LOCK_PIN_UNKNOWN:
		return CHECK_UNKNOWN;
	case LOCK_PIN_DEFAULT:
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 },
			"the security PIN is the one of the factory, or none was ever set");
		accuse(judge, FAULT_PIN_DEFAULT, SURE);
		return CHECK_BAD;
	case LOCK_PIN_WEAK:
	case LOCK_PIN_GOOD:
		break;
	}
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "the security PIN is not the factory's");
	return CHECK_OK;
}

static enum check_result check_pin_strength(struct judge *judge) {
	switch (judge->lock->pin) {
	case LOCK_PIN_UNKNOWN:
	case LOCK_PIN_DEFAULT:
		return CHECK_UNKNOWN;
	case LOCK_PIN_WEAK:
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "the security PIN: %s",
			judge->lock->pin_weakness);
		return hint(judge, FAULT_PIN_WEAK, SURE);
	case LOCK_PIN_GOOD:
		break;
	}
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 },
		"the security PIN is none of those that are tried first");
	return CHECK_OK;
}

/* The lock itself does not tell; what counts is since when the hub knows this one. */
static enum check_result check_pin_age(struct judge *judge) {
	wall_t since = judge->lock->pin_set_at;
	int64_t days = (judge->now.s - since.s) / 86400;

	if (since.s <= 0 || since.s > judge->now.s || !judge->lock->has_pin) {
		return CHECK_UNKNOWN;
	}
	proof_value(judge, (double) days, "days", EVIDENCE_STORED, since,
		"the security PIN has been the same");
	return days > PIN_OLD_DAYS ? hint(judge, FAULT_PIN_OLD, 85) : CHECK_OK;
}

static enum check_result check_pairing_open(struct judge *judge) {
	const struct lock_status *status = &judge->lock->status;

	if (status->config_known.how == EVIDENCE_NONE) {
		return CHECK_UNKNOWN;
	}
	proof(judge, status->config_known.how, status->config_known.wall, "pairing by button is %s",
		status->config.is_pairing_enabled ? "allowed" : "off");
	return status->config.is_pairing_enabled ? hint(judge, FAULT_PAIRING_OPEN, SURE) : CHECK_OK;
}

static enum check_result check_broker_protection(struct judge *judge) {
	const struct hub_facts *hub = judge->hub;

	if (hub->broker.is_wanted == FLAG_NO) {
		return CHECK_SKIPPED;
	}
	if (hub->broker.is_wanted == FLAG_UNKNOWN) {
		return CHECK_UNKNOWN;
	}
	bool is_open = hub->broker.is_anonymous_ok == FLAG_YES;
	bool is_clear = hub->broker.is_local == FLAG_NO && hub->broker.is_tls == FLAG_NO;
	bool is_nameless = hub->broker.is_local == FLAG_NO && hub->broker.has_password == FLAG_NO &&
			   hub->broker.is_connected == FLAG_YES;
	if (is_open) {
		proof(judge, EVIDENCE_ANSWERED, hub->broker.anonymous_at,
			"it lets anybody in without a name");
	} else if (hub->broker.is_anonymous_ok == FLAG_NO) {
		proof(judge, EVIDENCE_ANSWERED, hub->broker.anonymous_at,
			"it refuses whoever gives no name");
	}
	if (is_clear) {
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 },
			"it is another computer, and the way to it is not encrypted");
	}
	if (is_nameless) {
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "it asks the hub for no password");
	}
	if (is_open || is_clear || is_nameless) {
		accuse(judge, FAULT_BROKER_UNPROTECTED, is_open ? SURE : 85);
		return CHECK_BAD;
	}
	return hub->broker.is_local == FLAG_UNKNOWN || hub->broker.is_anonymous_ok == FLAG_UNKNOWN
		       ? CHECK_UNKNOWN
		       : CHECK_OK;
}

/*
 * What keeps nobody out. WEP falls within minutes (Tews, Weinmann, Pyshkin 2007); WPA with TKIP was
 * taken out of Wi-Fi certification in 2014, after attacks that forge packets (Beck, Tews 2008).
 */
static const struct {
	const char *kind, *why;
} weak_wifi[] = {
	{ "open", "without a password and without encryption: everybody nearby is in it" },
	{ "wep", "WEP, which anybody nearby breaks within minutes" },
	{ "wpa", "the first WPA with TKIP, which has been given up since packets can be forged" },
};

static enum check_result check_wifi_protection(struct judge *judge) {
	const char *kind = judge->hub->host.wifi_security;

	if (kind[0] == '\0') {
		/* By cable there is none to protect. */
		return judge->hub->host.is_wifi == FLAG_NO ? CHECK_SKIPPED : CHECK_UNKNOWN;
	}
	proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "the hub's Wi-Fi: %s", kind);
	for (size_t i = 0; i < ARRAY_SIZE(weak_wifi); i++) {
		if (text_equal(kind, weak_wifi[i].kind)) {
			proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s", weak_wifi[i].why);
			accuse(judge, FAULT_WIFI_UNPROTECTED, SURE);
			return CHECK_BAD;
		}
	}
	return CHECK_OK;
}

static enum check_result check_exposure(struct judge *judge) {
	if (judge->hub->host.n_exposed == 0) {
		/* A source that looked knows how the last stop was, too. */
		return judge->hub->host.was_clean_stop == FLAG_UNKNOWN ? CHECK_UNKNOWN : CHECK_OK;
	}
	for (size_t i = 0; i < judge->hub->host.n_exposed && i < DIAG_EXPOSED_MAX; i++) {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s can be read by others",
			judge->hub->host.exposed[i]);
	}
	accuse(judge, FAULT_SECRET_EXPOSED, SURE);
	return CHECK_BAD;
}

/* clang-format off */
const struct check security_checks[] = {
	{ "exposure", "Secret files are not readable for others", TOPIC_SECURITY, .run = check_exposure },
	{ "log-chain", "The event log is whole", TOPIC_SECURITY, .run = check_log_chain },
	{ "broker-protection", "The MQTT broker is protected", TOPIC_SECURITY, .run = check_broker_protection },
	{ "wifi-protection", "The hub's Wi-Fi is protected", TOPIC_SECURITY, .run = check_wifi_protection },
	{ "protocol", "How secure the lock's radio protocol is", TOPIC_SECURITY, .is_of_lock = true, .run = check_protocol },
	{ "second-factor", "A second factor for remote opening", TOPIC_SECURITY, .is_of_lock = true, .run = check_factor },
	{ "tamper", "Alarms of the lock", TOPIC_SECURITY, .is_of_lock = true, .run = check_tamper },
	{ "code-guessing", "Wrong codes at the keypad", TOPIC_SECURITY, .is_of_lock = true, .run = check_guessing },
	{ "default-pin", "The security PIN is your own", TOPIC_SECURITY, .is_of_lock = true, .run = check_default_pin },
	{ "pin-strength", "The security PIN is hard to guess", TOPIC_SECURITY, .is_of_lock = true, .after = { "default-pin" }, .run = check_pin_strength },
	{ "pin-age", "Age of the security PIN", TOPIC_SECURITY, .is_of_lock = true, .run = check_pin_age },
	{ "pairing-open", "Pairing is closed", TOPIC_SECURITY, .is_of_lock = true, .run = check_pairing_open },
	{ .name = NULL },
};
/* clang-format on */
