/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests to the hub: taken whole or refused with a reason. The first two octets: which keys the
 * request takes, and which of these it needs.
 */

#include <assert.h>
#include <string.h>

#include "intake.h"
#include "request-intake.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size) {
	assert(memchr(text, '\0', size) != NULL);
	assert(text_is_clean(text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct request_intake intake;
	struct fault fault;

	if (size < 2) {
		return 0;
	}
	unsigned takes = data[0] & REQUEST_KEYS_ALL;
	unsigned needs = data[1] & takes;
	int r = request_intake_parse(data + 2, size - 2, takes, needs, &intake, &fault);
	check_text(intake.transaction, sizeof(intake.transaction));
	if (r < 0) {
		assert(fault.code == FAULT_BAD_COMMAND && fault.detail[0] != '\0');
		assert(text_is_clean(fault.detail, strlen(fault.detail)));
		assert(intake.has == 0 && intake.n_options == 0 && intake.lock[0] == '\0');
		return 0;
	}
	assert(size - 2 <= INTAKE_PAYLOAD_MAX);
	assert((intake.has & ~takes) == 0 && (needs & ~intake.has) == 0);
	check_text(intake.lock, sizeof(intake.lock));
	check_text(intake.to, sizeof(intake.to));
	check_text(intake.level, sizeof(intake.level));
	assert((intake.lock[0] != '\0') == ((intake.has & 1U << REQUEST_KEY_LOCK) != 0));
	assert(intake.seconds <= REQUEST_TIME_MOST && intake.minutes <= REQUEST_MINUTES_MOST);
	assert(intake.start <= REQUEST_START_MOST);
	assert(intake.n_options <= REQUEST_OPTIONS_MAX);
	assert((intake.n_options > 0) == ((intake.has & 1U << REQUEST_KEY_OPTIONS) != 0));
	for (size_t i = 0; i < intake.n_options; i++) {
		check_text(intake.options[i].key, sizeof(intake.options[i].key));
		check_text(intake.options[i].value, sizeof(intake.options[i].value));
		assert(intake.options[i].key[0] != '\0');
	}
	return 0;
}
