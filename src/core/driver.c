/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/driver.h"

#include <errno.h>

enum protocol_class protocol_class(const struct protocol *protocol) {
	if (protocol == NULL) {
		return PROTOCOL_CLASS_UNKNOWN;
	}
	const enum protocol_trait needed[] = { protocol->is_mutual, protocol->is_tamper_proof,
		protocol->is_replay_safe };
	bool is_known = true;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (needed[i] == PROTOCOL_NO) {
			return PROTOCOL_CLASS_C;
		}
		is_known = is_known && needed[i] == PROTOCOL_YES;
	}
	if (!is_known) {
		return PROTOCOL_CLASS_UNKNOWN;
	}
	return protocol->has_fresh_nonces == PROTOCOL_YES && protocol->weakness[0] == '\0'
		       ? PROTOCOL_CLASS_A
		       : PROTOCOL_CLASS_B;
}

const char *protocol_class_name(enum protocol_class class) {
	switch (class) {
	case PROTOCOL_CLASS_A:
		return "A";
	case PROTOCOL_CLASS_B:
		return "B";
	case PROTOCOL_CLASS_C:
		return "C";
	case PROTOCOL_CLASS_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *protocol_trait_name(enum protocol_trait trait) {
	switch (trait) {
	case PROTOCOL_NO:
		return "no";
	case PROTOCOL_YES:
		return "yes";
	case PROTOCOL_UNKNOWN:
		break;
	}
	return "unknown";
}

enum fault_code driver_write_fault(int error) {
	switch (error) {
	case -ENOENT:
		return FAULT_GATT_MISMATCH;
	case -ETIMEDOUT:
		return FAULT_LOCK_SILENT;
	case -EBUSY:
		return FAULT_RADIO_BUSY;
	}
	return FAULT_LINK_LOST;
}
