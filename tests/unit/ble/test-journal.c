/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the journal gets of a link: each step, with all that is needed to understand it later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#include "journal.h"
#include "scene.h"
#include "util/log.h"

/* The n-th step of a link since @since; NULL behind the last. */
static const char *step_at(size_t since, size_t n) {
	for (size_t i = since; i < journal_size(); i++) {
		if (journal_field(journal_entry(i), "LINK_GEN") != NULL && n-- == 0) {
			return journal_entry(i);
		}
	}
	return NULL;
}

static size_t count_steps(size_t since) {
	size_t n = 0;

	while (step_at(since, n) != NULL) {
		n++;
	}
	return n;
}

static bool has(const char *entry, const char *name, const char *value) {
	const char *found = journal_field(entry, name);

	return found != NULL && (value == NULL || strcmp(found, value) == 0);
}

/* The first step from @from to @to since @since; fails when there is none. */
static const char *step_of(size_t since, const char *from, const char *to) {
	for (size_t i = 0; i < count_steps(since); i++) {
		const char *entry = step_at(since, i);
		if (has(entry, "FROM", from) && has(entry, "TO", to)) {
			return entry;
		}
	}
	fail_msg("no step from %s to %s", from, to);
	return "";
}

static void label(struct scene *t, const char *lock_id, const char *op_id) {
	t->radio->impl->label(t->links[0], lock_id, op_id);
}

static void every_step_is_written_down(void **state) {
	static const char *const fields[] = { "LOCK_ID", "OP_ID", "FROM", "TO", "CAUSE",
		"BLUEZ_ERROR", "ELAPSED_MS", "RSSI", "ATTEMPT", "LINK_GEN", "PEER" };
	struct scene *t = *state;
	size_t since = journal_size();

	label(t, "1a2b3c4d", "00ff00ff");
	fake_device_advertise(&t->fake.devices[0], -61, 0xc0);
	UNTIL(t, t->users[0].n_heard == 1);
	scene_up(t, 0);
	scene_drop(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	const char *chain[] = { "idle", "queued", "connecting", "resolving", "subscribing", "ready",
		"disconnecting", "idle" };
	size_t n_steps = count_steps(since);
	assert_int_equal(n_steps, 7);
	for (size_t i = 0; i < n_steps; i++) {
		const char *entry = step_at(since, i);
		for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
			if (!has(entry, fields[k], NULL)) {
				fail_msg("step %zu has no %s", i, fields[k]);
			}
		}
		assert_true(has(entry, "FROM", chain[i]) && has(entry, "TO", chain[i + 1]));
		assert_true(has(entry, "LOCK_ID", "1a2b3c4d"));
		assert_true(has(entry, "OP_ID", "00ff00ff"));
		assert_true(has(entry, "PEER", A));
		assert_true(has(entry, "RSSI", "-61"));
		/* As wished: only for who asks for it. */
		assert_true(has(entry, "PRIORITY", "7"));
		/* The adapter from the moment when one is chosen. */
		assert_int_equal(has(entry, "ADAPTER", HCI), i >= 1);
		assert_true(has(entry, "LINK_GEN", i < 2 ? "0" : "1"));
	}
}

static void a_failed_attempt_says_why(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].n_fail_connects = 1;
	size_t since = journal_size();
	label(t, "1a2b3c4d", "");
	scene_up(t, 0);
	const char *entry = step_of(since, "connecting", "disconnecting");
	assert_true(has(entry, "CAUSE", "failed"));
	assert_true(has(entry, "BLUEZ_ERROR", "aborted"));
	assert_true(has(entry, "BLUEZ_TEXT", "le-connection-abort-by-local"));
	assert_true(has(entry, "ATTEMPT", "1"));
	assert_true(has(entry, "LINK_GEN", "1"));
	assert_true(has(entry, "PRIORITY", "6"));
	/* The hub's own work has no operation. */
	assert_false(has(entry, "OP_ID", NULL));
	assert_true(has(entry, "LOCK_ID", "1a2b3c4d"));
	assert_true(has(step_of(since, "connecting", "resolving"), "ATTEMPT", "2"));
}

static void a_lost_link_is_in_every_journal(void **state) {
	struct scene *t = *state;

	log_setup("test", LOG_INFO);
	scene_up(t, 0);
	size_t since = journal_size();
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(count_steps(since), 1);
	const char *entry = step_of(since, "ready", "idle");
	assert_true(has(entry, "CAUSE", "closed"));
	assert_true(has(entry, "ADAPTER", HCI));
	/* And one that was to end is not. */
	scene_up(t, 0);
	scene_drop(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_int_equal(count_steps(since), 1);
	log_setup("test", LOG_DEBUG);
}

/* What is written is no secret: no octet of what was said. */
static void no_payload_is_written(void **state) {
	struct scene *t = *state;
	size_t since = journal_size();

	scene_up(t, 0);
	assert_int_equal(scene_write_text(t, 0, "SESAME-SESAME"), 0);
	UNTIL(t, t->users[0].n_bytes == 1);
	scene_drop(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_true(count_steps(since) > 0);
	assert_int_equal(journal_count("SESAME"), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		ONE(every_step_is_written_down),
		ONE(a_failed_attempt_says_why),
		ONE(a_lost_link_is_in_every_journal),
		ONE(no_payload_is_written),
	};

	scene_prepare();
	journal_catch();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
