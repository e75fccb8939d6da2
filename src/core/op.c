/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/op.h"

#include "util/auto.h"
#include "util/text.h"

static const struct name_row states[] = {
	{ OP_RECORDING, "recording" },
	{ OP_QUEUED, "queued" },
	{ OP_RUNNING, "running" },
	{ OP_READING_BACK, "reading-back" },
	{ OP_CLOSING, "closing" },
	{ OP_FINISHED, "finished" },
};

static const struct name_row outcomes[] = {
	{ OP_PENDING, "pending" },
	{ OP_DONE, "done" },
	{ OP_FAILED, "failed" },
	{ OP_UNKNOWN, "unknown" },
};

const char *op_state_name(enum op_state state) {
	return name_of(states, ARRAY_SIZE(states), (int) state);
}

const char *op_outcome_name(enum op_outcome outcome) {
	return name_of(outcomes, ARRAY_SIZE(outcomes), (int) outcome);
}
