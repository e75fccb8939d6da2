/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What stands and no other check has taken up: nothing that the hub knows may be lost on the way.
 */

#include "judge.h"

static enum check_result check_reported(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	enum check_result result = CHECK_OK;

	for (size_t i = 0; i < lock->n_standing; i++) {
		enum fault_code code = lock->standing[i].code;
		if (code == FAULT_NONE || advice_for(code) == NULL || is_accused(judge, code)) {
			continue;
		}
		/* The lock was measured just now, and contradicts the old news. */
		if ((code == FAULT_LOCK_NOT_HEARD || code == FAULT_LOCK_UNREACHABLE ||
			    code == FAULT_LOCK_SILENT) &&
			lock->is_linked) {
			continue;
		}
		if (code == FAULT_CLOCK_WRONG && is_accused(judge, FAULT_CLOCK_LOST)) {
			continue;
		}
		(void) is_told(judge, code);
		accuse(judge, code, 80);
		result = CHECK_BAD;
	}
	return result;
}

/* clang-format off */
const struct check reported_checks[] = {
	{ "reported", "What the hub has noticed besides", TOPIC_SETUP, .is_of_lock = true, .run = check_reported },
	{ .name = NULL },
};
/* clang-format on */
