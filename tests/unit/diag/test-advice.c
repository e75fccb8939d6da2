/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tables of advice: complete, reachable, and no promise that a command does not keep. */

#include "diag/advice.h"

#include "facts-make.h"
#include "judge.h"
#include "test.h"
#include "util/text.h"

static void every_row_is_whole(void **state) {
	(void) state;
	size_t n = 0;
	const struct advice *rows = advice_rows(&n);
	for (size_t i = 0; i < n; i++) {
		const char *name = fault_name(rows[i].fault);
		size_t n_meaning = strlen(rows[i].meaning);
		if (advice_for(rows[i].fault) != &rows[i]) {
			fail_msg("%s has two rows", name);
		}
		if (n_meaning < 40 || rows[i].meaning[n_meaning - 1] != '.' ||
			!text_is_clean(rows[i].meaning, n_meaning)) {
			fail_msg("%s: its meaning is no sentence", name);
		}
		size_t k = 0;
		int effort = -1;
		while (k <= REMEDIES_PER_FAULT_MAX && rows[i].remedies[k] != NULL) {
			const struct remedy *remedy = remedy_find(rows[i].remedies[k]);
			if (remedy == NULL) {
				fail_msg("%s: no remedy %s", name, rows[i].remedies[k]);
			}
			for (size_t j = 0; j < k; j++) {
				assert_string_not_equal(rows[i].remedies[j], rows[i].remedies[k]);
			}
			effort = remedy->effort_min;
			k++;
		}
		(void) effort;
		if (k < 2 || k > REMEDIES_PER_FAULT_MAX ||
			!text_equal(rows[i].remedies[k - 1], "contact-support")) {
			fail_msg("%s: a way out and then support, not %zu remedies", name, k);
		}
		/* Whatever loses data comes after everything that does not. */
		bool is_last = false;
		for (size_t j = 0; j + 1 < k; j++) {
			const struct remedy *remedy = remedy_find(rows[i].remedies[j]);
			if (is_last && !remedy->is_last_resort) {
				fail_msg("%s: %s after a last resort", name, remedy->name);
			}
			is_last = remedy->is_last_resort;
		}
	}
}

/* A walk up the table of who explains whom must end. */
static bool leads_back(enum fault_code from, enum fault_code to, int depth) {
	const struct advice *advice = advice_for(from);

	assert_true(depth < 40);
	for (size_t i = 0; advice != NULL && i < ARRAY_SIZE(advice->explains) &&
			   advice->explains[i] != FAULT_NONE;
		i++) {
		if (advice->explains[i] == to || leads_back(advice->explains[i], to, depth + 1)) {
			return true;
		}
	}
	return false;
}

static void nobody_is_his_own_cause(void **state) {
	(void) state;
	size_t n = 0;
	const struct advice *rows = advice_rows(&n);
	for (size_t i = 0; i < n; i++) {
		if (leads_back(rows[i].fault, rows[i].fault, 0)) {
			fail_msg("%s explains itself", fault_name(rows[i].fault));
		}
		/* An end mark fits in; what is explained exists. */
		assert_int_equal(rows[i].explains[ARRAY_SIZE(rows[i].explains) - 1], FAULT_NONE);
	}
}

/* What core, ble, store and mqtt raise as lasting conditions. */
static void every_fault_that_can_stand_has_advice(void **state) {
	(void) state;
	static const enum fault_code standing[] = { FAULT_LOCK_NOT_HEARD, FAULT_LOCK_UNREACHABLE,
		FAULT_LINK_LOST, FAULT_LOCK_SILENT, FAULT_RADIO_BUSY, FAULT_GATT_MISMATCH,
		FAULT_LINK_STUCK, FAULT_ADAPTER_MISSING, FAULT_ADAPTER_OFF, FAULT_ADAPTER_BLOCKED,
		FAULT_BLUEZ_MISSING, FAULT_BLUEZ_HUNG, FAULT_BLUEZ_DENIED, FAULT_ADAPTER_FAILING,
		FAULT_RESTART_DENIED, FAULT_BUS_LOST, FAULT_NOT_AUTHORIZED, FAULT_BAD_PIN,
		FAULT_PIN_BLOCKED, FAULT_PROTOCOL_ERROR, FAULT_KEY_DISABLED, FAULT_JAMMED,
		FAULT_NOT_CALIBRATED, FAULT_MOTOR_LOW_VOLTAGE, FAULT_FIRMWARE_UPDATE_NEEDED,
		FAULT_WRONG_LOCK, FAULT_REVOCATION_PENDING, FAULT_SYNC_BROKEN, FAULT_BATTERY_LOW,
		FAULT_BATTERY_CRITICAL, FAULT_CLOCK_WRONG, FAULT_LOG_GAP, FAULT_DATABASE_NEWER,
		FAULT_DATABASE_CORRUPT, FAULT_DATABASE_IN_USE, FAULT_DATABASE_FULL,
		FAULT_DATABASE_IO, FAULT_DATABASE_OPEN, FAULT_KEY_MISSING, FAULT_LOG_BROKEN,
		FAULT_BROKER_UNREACHABLE, FAULT_BROKER_REFUSED, FAULT_BROKER_TLS,
		FAULT_BROKER_DENIED, FAULT_CONFIG_INVALID, FAULT_SECRET_EXPOSED, FAULT_NO_MEMORY,
		FAULT_INTERNAL };
	for (size_t i = 0; i < ARRAY_SIZE(standing); i++) {
		if (advice_for(standing[i]) == NULL) {
			fail_msg("%s has no advice", fault_name(standing[i]));
		}
	}
	assert_null(advice_for(FAULT_NONE));
	assert_null(advice_for(FAULT_EXPIRED));
	assert_null(advice_for(FAULT_COUNT_));
}

static bool is_check(const char *name) {
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)) != NULL; i++) {
		if (text_equal(check->name, name)) {
			return true;
		}
	}
	return false;
}

static void every_remedy_is_reachable_and_can_be_verified(void **state) {
	(void) state;
	size_t n = 0;
	size_t n_advice = 0;
	const struct remedy *rows = remedy_rows(&n);
	const struct advice *advice = advice_rows(&n_advice);
	for (size_t i = 0; i < n; i++) {
		const struct remedy *remedy = &rows[i];
		bool is_used = false;
		assert_ptr_equal(remedy_find(remedy->name), remedy);
		assert_true(strlen(remedy->name) < ATTEMPT_WORD_MAX);
		for (size_t a = 0; a < n_advice; a++) {
			for (size_t k = 0; advice[a].remedies[k] != NULL; k++) {
				is_used |= text_equal(advice[a].remedies[k], remedy->name);
			}
		}
		if (!is_used) {
			fail_msg("%s helps against nothing", remedy->name);
		}
		if (remedy->title[0] == '\0' || remedy->title[strlen(remedy->title) - 1] == '.') {
			fail_msg("%s: title", remedy->name);
		}
		if (remedy->verify[0] != '\0' ? !is_check(remedy->verify)
					      : !text_equal(remedy->name, "contact-support") &&
							!text_equal(remedy->name, "report-bug")) {
			fail_msg("%s: is verified by no check: \"%s\"", remedy->name,
				remedy->verify);
		}
		bool is_told_how = remedy->steps[0] != NULL || remedy->model_steps != STEPS_NONE ||
				   remedy->command[0] != '\0';
		if (!is_told_how && remedy->act == REMEDY_BY_PERSON) {
			fail_msg("%s: nobody is told how", remedy->name);
		}
		if (remedy->risk >= RISK_MIDDLE && remedy->confirm[0] == '\0' &&
			remedy->act != REMEDY_BY_PERSON) {
			fail_msg("%s: risky, and nobody is asked", remedy->name);
		}
		/* A backup precedes it. */
		if (remedy->is_last_resort &&
			(remedy->confirm[0] == '\0' || strstr(remedy->confirm, "backup") == NULL)) {
			fail_msg("%s: a last resort without a word of the backup", remedy->name);
		}
		assert_non_null(remedy->confirm);
	}
	assert_null(remedy_find("no-such-thing"));
}

/* What was found by a judgement: marks the remedies that it offers. */
static void mark_offered(struct made *made, bool *offered) {
	static struct judgement judgement;
	size_t n = 0;
	const struct remedy *rows = remedy_rows(&n);

	diag_judge(&made->facts, &judgement);
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t k = 0; k < judgement.n_findings; k++) {
			const struct advice *advice = advice_for(judgement.findings[k].fault);
			assert_non_null(advice);
			for (size_t j = 0; advice->remedies[j] != NULL; j++) {
				offered[remedy_find(advice->remedies[j]) - rows] = true;
			}
		}
		diag_judge_security(&made->facts, &judgement);
	}
}

/* By injected faults, by what can stand for a lock, and by what stands for hub and radio. */
static void every_remedy_is_offered_by_some_judgement(void **state) {
	(void) state;
	static struct made made;
	size_t n = 0;
	const struct injection *rows = injections(&n);
	static bool offered[256];
	size_t n_remedies = 0;
	const struct remedy *remedies = remedy_rows(&n_remedies);

	assert_true(n_remedies <= ARRAY_SIZE(offered));
	for (size_t i = 0; i < n; i++) {
		make_healthy(&made, (uint32_t) i);
		rows[i].inject(&made);
		mark_offered(&made, offered);
	}
	size_t n_advice = 0;
	const struct advice *advice = advice_rows(&n_advice);
	for (size_t i = 0; i < n_advice; i++) {
		make_healthy(&made, 3);
		(void) fault_set(&made.facts.hub.ledger, advice[i].fault, "%s", "as it stands");
		(void) fault_set(
			&made.facts.hub.radio.fault, advice[i].fault, "%s", "as it stands");
		made.lock.n_standing = 1;
		made.lock.standing[0] = made.facts.hub.ledger;
		made.lock.has_factor = FLAG_NO;
		made.lock.n_codes = made.lock.n_codes_short = 1;
		mark_offered(&made, offered);
	}
	for (size_t i = 0; i < n_remedies; i++) {
		if (!offered[i]) {
			fail_msg("%s is never offered", remedies[i].name);
		}
	}
}

/* Each accuse(judge, FAULT_X of the sources has advice: read in the sources themselves. */
static void every_fault_that_a_check_can_raise_has_advice(void **state) {
	(void) state;
	static const char *const files[] = { "battery", "codes", "connection", "firmware", "hub",
		"mechanics", "network", "radio", "security", "setup" };
	unsigned n_seen = 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/src/diag/check-%s.c",
			getenv("LOCKHUB_SOURCE_ROOT"), files[i]);
		FILE *file = fopen(path, "re");
		assert_non_null(file);
		char line[400];
		while (fgets(line, sizeof(line), file) != NULL) {
			for (const char *at = line; (at = strstr(at, "FAULT_")) != NULL; at += 6) {
				char name[64] = "";
				size_t n = strspn(at + 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
				assert_true(n < sizeof(name));
				for (size_t k = 0; k < n; k++) {
					char c = at[6 + k];
					name[k] = (char) (c == '_' ? '-' : c | 0x20);
				}
				enum fault_code code = FAULT_NONE;
				if (n == 0 || fault_from_name(name, &code) < 0 ||
					code == FAULT_NONE) {
					continue;
				}
				n_seen++;
				if (advice_for(code) == NULL) {
					fail_msg("%s: %s has no advice", files[i], name);
				}
			}
		}
		fclose(file);
	}
	assert_true(n_seen > 100);
}

/* Of src/ctl/ctl.c: the table of lockhubctl's commands. */
struct command;
const struct command *command_find(const char *name);

/* @text: what follows "lockhubctl "; two words, "log verify", or one. */
static bool is_command(const char *text) {
	static const char ends[] = " .,:;()";
	char both[80];
	size_t n_first = strcspn(text, ends);
	size_t n_gap = strspn(text + n_first, " ");
	size_t n_both = n_first + n_gap + strcspn(text + n_first + n_gap, ends);

	if (n_first == 0 || n_both >= sizeof(both)) {
		return false;
	}
	memcpy(both, text, n_both);
	both[n_both] = '\0';
	if (command_find(both) != NULL) {
		return true;
	}
	both[n_first] = '\0';
	return command_find(both) != NULL;
}

/* "lockhubctl does not need it" is no command: such words may follow the name. */
static bool is_prose(const char *text) {
	static const char *const words[] = { "works", "work", "and", "shows" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strncmp(text, words[i], strlen(words[i])) == 0) {
			return true;
		}
	}
	return false;
}

static unsigned commands_are_real(const char *where, const char *text) {
	static const char name[] = "lockhubctl ";
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, name)) != NULL;) {
		at += strlen(name);
		if (!is_prose(at) && !is_command(at)) {
			fail_msg("%s: no such command: lockhubctl %.40s", where, at);
		}
		n++;
	}
	return n;
}

/* In remedies, meanings and hints: whatever people are told to type exists. */
static void every_command_is_one_of_lockhubctl(void **state) {
	(void) state;
	size_t n = 0;
	unsigned n_seen = 0;
	const struct remedy *rows = remedy_rows(&n);
	for (size_t i = 0; i < n; i++) {
		n_seen += commands_are_real(rows[i].name, rows[i].command);
		if (rows[i].command[0] != '\0' &&
			strncmp(rows[i].command, "lockhubctl ", strlen("lockhubctl ")) != 0) {
			fail_msg("%s: %s", rows[i].name, rows[i].command);
		}
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].steps) && rows[i].steps[k] != NULL; k++) {
			n_seen += commands_are_real(rows[i].name, rows[i].steps[k]);
		}
	}
	const struct advice *advice = advice_rows(&n);
	for (size_t i = 0; i < n; i++) {
		n_seen += commands_are_real(fault_name(advice[i].fault), advice[i].meaning);
	}
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		n_seen += commands_are_real(
			fault_name((enum fault_code) i), fault_row((enum fault_code) i)->hint);
	}
	assert_true(n_seen > 60);
	assert_false(is_command("no-such-thing LOCK"));
}

static void steps_of_row_and_model_come_together(void **state) {
	(void) state;
	struct model model = model_unknown;
	const char *steps[MODEL_STEPS_MAX + 8];
	const struct remedy *remedy = remedy_find("change-batteries");
	size_t n_own = remedy_steps(remedy, NULL, steps);
	assert_int_equal(remedy_steps(remedy, &model, steps), n_own);
	for (size_t i = 0; i < MODEL_STEPS_MAX; i++) {
		model.battery_change[i] = "a step";
	}
	assert_int_equal(remedy_steps(remedy, &model, steps), n_own + MODEL_STEPS_MAX);
	assert_string_equal(steps[n_own], "a step");
	assert_string_equal(steps[0], "Change all at once: same kind, make and age.");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(nobody_is_his_own_cause),
		cmocka_unit_test(every_fault_that_can_stand_has_advice),
		cmocka_unit_test(every_fault_that_a_check_can_raise_has_advice),
		cmocka_unit_test(every_remedy_is_reachable_and_can_be_verified),
		cmocka_unit_test(every_command_is_one_of_lockhubctl),
		cmocka_unit_test(every_remedy_is_offered_by_some_judgement),
		cmocka_unit_test(steps_of_row_and_model_come_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
