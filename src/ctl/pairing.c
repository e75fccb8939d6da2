/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

/* What pairing needs of a person, whichever command pairs. */

#include <stdio.h>
#include <string.h>

void pairing_wipe(struct pairing *pairing) {
	secret_wipe(&pairing->pin);
	secret_wipe(&pairing->key);
}

bool pairing_is_address(const char *text) {
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		bool is_fine = i % 3 == 2 ? text[i] == ':'
					  : strchr("0123456789abcdefABCDEF", text[i]) != NULL;
		if (!is_fine) {
			return false;
		}
	}
	return n == 17;
}

/* A lock whose protocol is weak is taken by somebody who knows that it is. */
static int accept_weak(struct ctl *ctl, const json_t *sighting) {
	if (strcmp(facts_text(sighting, "protocol_class"), "C") != 0 ||
		ctl->opt.is_accepting_weak) {
		return CTL_DONE;
	}
	if (!ctl->is_asking) {
		return usage_error(ctl,
			"the radio protocol of this lock is weak: %s. Say "
			"--accept-weak to pair it all the same",
			facts_text(sighting, "weakness"));
	}
	fprintf(ctl->err, "The radio protocol of this lock is weak: %s.\n",
		facts_text(sighting, "weakness"));
	if (!prompt_yes(ctl, "Pair it all the same?")) {
		complain(ctl, "nothing was done");
		return CTL_FAILED;
	}
	ctl->opt.is_accepting_weak = true;
	return CTL_DONE;
}

/* The key that its maker has for this lock: of --key-file, or typed. */
static int read_key(struct ctl *ctl, const json_t *sighting, struct secret *ret_key) {
	if (!facts_flag(sighting, "needs_key")) {
		return ctl->opt.key_file == NULL
			       ? CTL_DONE
			       : usage_error(ctl, "a lock of %s makes its key while it is paired",
					 facts_text(sighting, "brand"));
	}
	if (ctl->opt.key_file != NULL) {
		return key_file_read(ctl, ctl->opt.key_file, sighting, ret_key);
	}
	if (!ctl->is_asking) {
		return usage_error(ctl, "this lock wants %s, give it with --key-file FILE. %s",
			facts_text(sighting, "key_form"), facts_text(sighting, "key_source"));
	}
	fprintf(ctl->err, "%s\n", facts_text(sighting, "key_source"));
	char what[LINE_TEXT_MAX];
	snprintf(what, sizeof(what), "key (%s)", facts_text(sighting, "key_form"));
	return prompt_secret(ctl, what, false, ret_key);
}

int pairing_agree(struct ctl *ctl, const json_t *sighting, struct pairing *pairing) {
	const int r = accept_weak(ctl, sighting);

	return r == CTL_DONE ? read_key(ctl, sighting, &pairing->key) : r;
}

int pairing_call(struct ctl *ctl, const json_t *sighting, const struct pairing *pairing,
	sd_bus_message **ret) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	int r = talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "Pair", &call);
	if (r < 0) {
		return r;
	}
	sd_bus_message_sensitive(call);
	r = sd_bus_message_append(call, "ss", facts_text(sighting, "address"), pairing->name);
	if (r >= 0) {
		r = sd_bus_message_open_container(call, 'a', "{sv}");
	}
	if (r >= 0 && pairing->replaces != NULL) {
		r = sd_bus_message_append(call, "{sv}", "replaces", "s", pairing->replaces);
	}
	if (r >= 0 && pairing->pin.len > 0) {
		r = sd_bus_message_append(
			call, "{sv}", "pin", "s", (const char *) pairing->pin.bytes);
	}
	if (r >= 0 && pairing->key.len > 0) {
		r = sd_bus_message_append(
			call, "{sv}", "key", "s", (const char *) pairing->key.bytes);
	}
	if (r >= 0 && ctl->opt.is_accepting_weak) {
		r = sd_bus_message_append(call, "{sv}", "accept_weak", "b", 1);
	}
	if (r >= 0 && ctl->opt.as_app) {
		r = sd_bus_message_append(call, "{sv}", "app", "b", 1);
	}
	if (r >= 0) {
		r = sd_bus_message_close_container(call);
	}
	if (r < 0) {
		complain(ctl, "the request cannot be made: %s", strerror(-r));
		return r;
	}
	*ret = STEAL(call);
	return 0;
}
