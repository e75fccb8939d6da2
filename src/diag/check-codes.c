/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Codes: whether the lock holds what it should, and no more; and how good they are. */

#include "judge.h"

static enum check_result check_sync(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;

	if (is_told(judge, FAULT_SYNC_BROKEN)) {
		accuse(judge, FAULT_SYNC_BROKEN, SURE);
		return CHECK_BAD;
	}
	if (is_told(judge, FAULT_CODES_HELD)) {
		accuse(judge, FAULT_CODES_HELD, SURE);
		return CHECK_BAD;
	}
	if (lock->n_sync_pending > 0) {
		proof_value(judge, (double) lock->n_sync_pending, "", EVIDENCE_STORED,
			(wall_t){ 0 }, "changes that the lock has not confirmed");
		accuse(judge, FAULT_SYNC_PENDING, SURE);
		return CHECK_BAD;
	}
	return lock->id[0] != '\0' ? CHECK_OK : CHECK_UNKNOWN;
}

static enum check_result check_revocation(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	bool is_standing = is_told(judge, FAULT_REVOCATION_PENDING);

	if (lock->n_revocations_pending > 0) {
		proof_value(judge, (double) lock->n_revocations_pending, "", EVIDENCE_STORED,
			(wall_t){ 0 }, "revoked codes that the lock may still hold");
	}
	if (is_standing || lock->n_revocations_pending > 0) {
		accuse(judge, FAULT_REVOCATION_PENDING, SURE);
		return CHECK_BAD;
	}
	return lock->id[0] != '\0' ? CHECK_OK : CHECK_UNKNOWN;
}

static enum check_result check_strength(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;

	if (lock->n_codes == 0) {
		return CHECK_SKIPPED;
	}
	proof_value(judge, lock->n_codes_short, "", EVIDENCE_STORED, (wall_t){ 0 },
		"of %u codes shorter than six digits", lock->n_codes);
	return lock->n_codes_short > 0 ? hint(judge, FAULT_CODES_SHORT, SURE) : CHECK_OK;
}

static enum check_result check_guessable(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;

	if (lock->n_codes == 0) {
		return CHECK_SKIPPED;
	}
	proof_value(judge, lock->n_codes_weak, "", EVIDENCE_STORED, (wall_t){ 0 },
		"of %u codes are a sequence, a pattern or a date", lock->n_codes);
	return lock->n_codes_weak > 0 ? hint(judge, FAULT_CODES_WEAK, SURE) : CHECK_OK;
}

static enum check_result check_age(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;

	if (lock->n_codes == 0) {
		return CHECK_SKIPPED;
	}
	proof_value(judge, lock->n_codes_old, "", EVIDENCE_STORED, (wall_t){ 0 },
		"of %u codes unchanged for two years", lock->n_codes);
	return lock->n_codes_old > 0 ? hint(judge, FAULT_CODES_OLD, 90) : CHECK_OK;
}

/* clang-format off */
const struct check codes_checks[] = {
	{ "revocation", "Revoked codes are gone", TOPIC_CODES, .is_of_lock = true, .run = check_revocation },
	{ "codes-sync", "The lock holds the codes that it should", TOPIC_CODES, .is_of_lock = true, .run = check_sync },
	{ "code-strength", "Codes are long enough", TOPIC_CODES, .is_of_lock = true, .run = check_strength },
	{ "code-guessable", "Codes are hard to guess", TOPIC_CODES, .is_of_lock = true, .run = check_guessable },
	{ "code-age", "Codes are changed now and then", TOPIC_CODES, .is_of_lock = true, .run = check_age },
	{ .name = NULL },
};
/* clang-format on */
