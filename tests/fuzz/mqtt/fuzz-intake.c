/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Command payloads: whatever comes, it is taken whole or refused with a reason. */

#include <assert.h>
#include <string.h>

#include "intake.h"
#include "topics.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct topics topics = { .base = "lockhub", .prefix = "homeassistant" };
	struct intake intake;
	struct fault fault;
	char topic[TOPIC_MAX];
	char id[LOCK_ID_MAX];

	if (intake_parse(data, size, &intake, &fault) == 0) {
		assert(size <= INTAKE_PAYLOAD_MAX);
		assert(act_moves_motor(intake.act) && intake_word(intake.act) != NULL);
		assert(intake.code.len <= INTAKE_CODE_MAX);
		assert(intake.sent_at_ms >= 0);
		assert(text_is_clean(intake.id, strlen(intake.id)));
		intake_wipe(&intake);
	} else {
		assert(fault.code == FAULT_BAD_COMMAND && fault.detail[0] != '\0');
		assert(text_is_clean(fault.detail, strlen(fault.detail)));
	}
	/* The same octets as a topic. */
	size_t n = size < sizeof(topic) - 1 ? size : sizeof(topic) - 1;
	if (n > 0) {
		memcpy(topic, data, n);
	}
	topic[n] = '\0';
	if (topic_is_command(&topics, topic, id)) {
		assert(id[0] == '\0' || strlen(id) == LOCK_ID_MAX - 1);
	}
	return 0;
}
