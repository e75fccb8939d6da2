/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every payload parser: command (2, little-endian), generation (1), payload. What parses must print
 * back to something that parses to the same; of a kind that cannot grow, to the very octets, but
 * for what is behind a name's end mark.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nuki/facts.h"
#include "nuki/message.h"

static void check_facts(const struct nuki_message *message) {
	const struct nuki_setting setting = { .own_auth_id = 7, .now = { 1 } };
	struct config_facts config = { 0 };
	struct evidence evidence;
	struct log_entry entry;

	switch (message->kind->command) {
	case NUKI_STATES:
		nuki_facts_states(&message->states, &setting, &evidence);
		assert((evidence.bolt.state == LOCK_STATE_LOCKED) ==
			(message->states.lock_state == NUKI_LOCK_LOCKED));
		break;
	case NUKI_BATTERY_REPORT:
		nuki_facts_battery(&message->battery, &evidence);
		break;
	case NUKI_CONFIG:
		nuki_facts_config(&message->config, &config, &evidence);
		break;
	case NUKI_ADVANCED_CONFIG:
		nuki_facts_advanced(&message->advanced, &config, &evidence);
		break;
	case NUKI_LOG_ENTRY:
		nuki_facts_log(&message->log_entry, 7, &entry);
		assert(entry.seq == message->log_entry.index);
		assert(text_is_clean(entry.user, strlen(entry.user)));
		assert(text_is_clean(entry.text, strlen(entry.text)));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t once[NUKI_PAYLOAD_MAX], twice[NUKI_PAYLOAD_MAX];
	char text[NUKI_TEXT_MAX];
	struct nuki_message message, again;

	if (size < 3 || size - 3 > NUKI_PAYLOAD_MAX) {
		return 0;
	}
	const uint16_t command = (uint16_t) (data[0] | data[1] << 8);
	const enum nuki_generation generation =
		data[2] & 1 ? NUKI_GENERATION_5 : NUKI_GENERATION_1_TO_4;
	if (nuki_message_parse(&message, command, generation, data + 3, size - 3) < 0) {
		return 0;
	}
	ssize_t n = nuki_message_format(&message, generation, once, sizeof(once));
	assert(n >= 0 && (size_t) n <= size - 3);
	assert((message.kind->flags & NUKI_GROWS) != 0 || (size_t) n == size - 3);
	assert(nuki_message_parse(&again, command, generation, once, (size_t) n) == 0);
	assert(again.has == message.has);
	assert(nuki_message_format(&again, generation, twice, sizeof(twice)) == n);
	assert(memcmp(once, twice, (size_t) n) == 0);
	assert(strlen(nuki_message_text(&message, text)) < sizeof(text));
	check_facts(&message);
	nuki_message_wipe(&message);
	return 0;
}
