/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way to the MQTT broker, told apart by where it ends. */

#include "judge.h"

#include <string.h>

/* In what OpenSSL and the resolver of the C library say; their texts, lower case. */
static const char *const expired_words[] = { "expired", "not yet valid" };
static const char *const name_words[] = { "hostname mismatch", "host name", "ip address mismatch",
	"subject", "does not match" };
static const char *const resolver_words[] = { "name or service not known", "name resolution",
	"no address associated", "lookup error", "nodename nor servname" };

static bool has_word(const char *text, const char *const *words, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (strcasestr(text, words[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static void prove_broker(struct judge *judge) {
	const struct fault *fault = &judge->hub->broker.fault;

	proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s%s%s", judge->hub->broker.broker,
		judge->hub->broker.broker[0] != '\0' ? ": " : "",
		fault->detail[0] != '\0' ? fault->detail : fault_row(fault->code)->summary);
}

/* What keeps all checks of the broker from saying anything. */
static bool is_wanted(const struct judge *judge, enum check_result *ret) {
	if (judge->hub->broker.is_wanted == FLAG_NO) {
		*ret = CHECK_SKIPPED;
		return false;
	}
	if (judge->hub->broker.is_wanted == FLAG_UNKNOWN ||
		(judge->hub->broker.is_connected == FLAG_UNKNOWN &&
			judge->hub->broker.fault.code == FAULT_NONE)) {
		*ret = CHECK_UNKNOWN;
		return false;
	}
	return true;
}

static enum check_result check_broker(struct judge *judge) {
	const struct fault *fault = &judge->hub->broker.fault;
	enum check_result result = CHECK_OK;

	if (!is_wanted(judge, &result)) {
		return result;
	}
	if (fault->code == FAULT_BROKER_UNREACHABLE || fault->code == FAULT_BROKER_NAME) {
		bool is_name = fault->code == FAULT_BROKER_NAME ||
			       has_word(fault->detail, resolver_words, ARRAY_SIZE(resolver_words));
		prove_broker(judge);
		accuse(judge, is_name ? FAULT_BROKER_NAME : FAULT_BROKER_UNREACHABLE, SURE);
		return CHECK_BAD;
	}
	if (judge->hub->broker.is_connected == FLAG_YES) {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "connected to %s",
			judge->hub->broker.broker);
		if (judge->hub->broker.lost_events > 0) {
			proof_value(judge, (double) judge->hub->broker.lost_events, "",
				EVIDENCE_STORED, (wall_t){ 0 }, "events that could not be sent");
		}
		return CHECK_OK;
	}
	/* Not connected, and the reason lies further up: TLS, login. */
	return fault->code != FAULT_NONE ? CHECK_OK : CHECK_UNKNOWN;
}

static enum check_result check_broker_tls(struct judge *judge) {
	const struct fault *fault = &judge->hub->broker.fault;
	enum check_result result = CHECK_OK;

	if (!is_wanted(judge, &result)) {
		return result;
	}
	bool is_expired = fault->code == FAULT_BROKER_EXPIRED;
	bool is_name = fault->code == FAULT_BROKER_WRONG_NAME;
	if (fault->code != FAULT_BROKER_TLS && !is_expired && !is_name) {
		return judge->hub->broker.is_tls == FLAG_NO ? CHECK_SKIPPED
		       : judge->hub->broker.is_connected == FLAG_YES ||
				       fault->code == FAULT_BROKER_REFUSED ||
				       fault->code == FAULT_BROKER_DENIED
			       ? CHECK_OK
			       : CHECK_UNKNOWN;
	}
	prove_broker(judge);
	if (is_expired || has_word(fault->detail, expired_words, ARRAY_SIZE(expired_words))) {
		/* By a clock that is not set nothing is expired. */
		accuse(judge, FAULT_BROKER_EXPIRED,
			judge->hub->is_clock_trusted == FLAG_NO ? 50 : NEARLY_SURE);
	} else if (is_name || has_word(fault->detail, name_words, ARRAY_SIZE(name_words))) {
		accuse(judge, FAULT_BROKER_WRONG_NAME, NEARLY_SURE);
	} else {
		accuse(judge, FAULT_BROKER_TLS, NEARLY_SURE);
	}
	return CHECK_BAD;
}

static enum check_result check_broker_login(struct judge *judge) {
	const struct fault *fault = &judge->hub->broker.fault;
	enum check_result result = CHECK_OK;

	if (!is_wanted(judge, &result)) {
		return result;
	}
	if (fault->code == FAULT_BROKER_REFUSED || fault->code == FAULT_BROKER_DENIED) {
		prove_broker(judge);
		accuse(judge, fault->code, SURE);
		return CHECK_BAD;
	}
	return judge->hub->broker.is_connected == FLAG_YES ? CHECK_OK : CHECK_UNKNOWN;
}

/* clang-format off */
const struct check network_checks[] = {
	{ "broker", "The MQTT broker can be reached", TOPIC_NETWORK, .run = check_broker },
	{ "broker-tls", "The MQTT broker proves who it is", TOPIC_NETWORK, .after = { "broker" }, .run = check_broker_tls },
	{ "broker-login", "The MQTT broker lets lockhub work", TOPIC_NETWORK, .after = { "broker" }, .run = check_broker_login },
	{ .name = NULL },
};
/* clang-format on */
