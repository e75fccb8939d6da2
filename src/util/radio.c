/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/radio.h"

#include <strings.h>

const struct advert_part *advert_manufacturer(const struct advert *advert, uint16_t company) {
	for (size_t i = 0; i < advert->n_parts && i < ADVERT_PARTS_MAX; i++) {
		const struct advert_part *part = &advert->parts[i];
		if (!part->is_service && part->company == company) {
			return part;
		}
	}
	return NULL;
}

const struct advert_part *advert_service(const struct advert *advert, const char *uuid) {
	for (size_t i = 0; i < advert->n_parts && i < ADVERT_PARTS_MAX; i++) {
		const struct advert_part *part = &advert->parts[i];
		if (part->is_service && strcasecmp(part->uuid, uuid) == 0) {
			return part;
		}
	}
	return NULL;
}

int radio_success_percent(const struct radio_stats *stats) {
	uint64_t n = (uint64_t) stats->connects + stats->failures;

	return n == 0 ? -1 : (int) (UINT64_C(100) * stats->connects / n);
}

const char *radio_quality_of_dbm(int dbm) {
	if (dbm == 0) {
		return "unknown";
	}
	return dbm >= RADIO_GOOD_DBM ? "good" : dbm >= RADIO_POOR_DBM ? "fair" : "poor";
}

const char *radio_quality(const struct radio_stats *stats) {
	struct tally_spread strengths = tally_strengths(&stats->tally);
	int dbm = strengths.n > 0 ? (int) strengths.median : stats->rssi;
	int success = radio_success_percent(stats);

	if (success >= 0 && 100 - success > RADIO_POOR_FAILURE_PERCENT) {
		return "poor";
	}
	/* Also when the strength is not known (0). */
	if (success >= 0 && 100 - success > RADIO_GOOD_FAILURE_PERCENT && dbm >= RADIO_GOOD_DBM) {
		return "fair";
	}
	return radio_quality_of_dbm(dbm);
}
