/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages of the pin_code dialect: taken whole or refused with a reason. First octet: which topic.
 */

#include <assert.h>
#include <string.h>

#include "pin-intake.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct pin_intake intake;
	struct fault fault;
	bool is_get = size > 0 && data[0] == 'g';

	if (size == 0) {
		return 0;
	}
	if (pin_intake_parse(data + 1, size - 1, is_get, &intake, &fault) < 0) {
		assert(fault.code == FAULT_BAD_COMMAND && fault.detail[0] != '\0');
		assert(text_is_clean(fault.detail, strlen(fault.detail)));
		return 0;
	}
	assert(is_get == (intake.wish == PIN_WISH_GET));
	assert(intake.user <= USERS_MAX);
	assert((intake.wish == PIN_WISH_ACT) == (intake.act != ACT_NONE));
	assert((intake.wish != PIN_WISH_SET && intake.wish != PIN_WISH_CLEAR) || intake.user > 0);
	assert(intake.pin.len <= PIN_LEN_MAX);
	assert(intake.wish != PIN_WISH_SET || intake.pin.len > 0);
	pin_intake_wipe(&intake);
	return 0;
}
