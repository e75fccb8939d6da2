/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kill -9 at random instants during a batch of 50 changes of codes: each one that was acknowledged
 * is there, once and whole; of those that were not, the first few in their order may be, as the
 * answer may have been lost and not the change. Nothing else has changed.
 */

#include "rig.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS 100
#define CHANGES 50
#define CODES 30
#define LOCK "aaaaaaaa"
#define ANNA "a0000001"

static uint64_t seed;

static uint64_t next_random(void) {
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

/* What the hub should know of each code: the number of the change that made it so. */
struct code {
	bool is_there;
	int64_t change;
	enum placement_state placed; /* 0: nowhere */
};

struct change {
	unsigned code;
	enum { CHANGE_PIN, CHANGE_REVOKE, CHANGE_PLACE, CHANGE_REMOVE, CHANGE_KINDS } kind;
};

/* The batch of a round: the same in the child, which makes it, and the parent, which checks it. */
static void make_batch(struct change changes[static CHANGES]) {
	for (size_t i = 0; i < CHANGES; i++) {
		changes[i].code = (unsigned) (next_random() % CODES);
		changes[i].kind = next_random() % CHANGE_KINDS;
	}
}

static void apply(struct code codes[static CODES], const struct change *change, int64_t number) {
	struct code *code = &codes[change->code];

	switch (change->kind) {
	case CHANGE_PIN:
	case CHANGE_REVOKE:
		code->is_there = true;
		code->change = number;
		break;
	case CHANGE_PLACE:
		code->placed = code->is_there ? PLACEMENT_SENT : code->placed;
		break;
	case CHANGE_REMOVE:
		*code = (struct code){ 0 };
		break;
	case CHANGE_KINDS:
		break;
	}
}

static void name_code(unsigned code, char out[static ROW_ID_MAX]) {
	snprintf(out, ROW_ID_MAX, "c%07u", code);
}

/* Each number makes another PIN. */
static void make_pin(int64_t number, struct secret *ret) {
	char text[PIN_LEN_MAX + 1];

	snprintf(text, sizeof(text), "%012lld", (long long) number * 7919);
	assert_int_equal(secret_set_text(ret, text), 0);
}

static void put_code(struct txn *txn, const struct change *change, int64_t number) {
	struct txn_item *item = txn_add(txn, TXN_CREDENTIAL_PUT);
	struct credential *row = &item->credential;

	name_code(change->code, row->id);
	strcpy(row->user_id, ANNA);
	row->type = CREDENTIAL_PIN;
	row->state = change->kind == CHANGE_REVOKE ? CREDENTIAL_REVOKED : CREDENTIAL_ACTIVE;
	make_pin(number, &row->pin);
	snprintf(row->label, sizeof(row->label), "change %lld", (long long) number);
}

/* What the child says when a change is committed. */
static int report_fd;

static void on_committed(void *user, struct txn *txn, const struct fault *fault) {
	int64_t number = (int64_t) (intptr_t) user;

	if (fault != NULL || write(report_fd, &number, sizeof(number)) != sizeof(number)) {
		_exit(3);
	}
}

/* The row, and the event that tells of it: one txn. */
static void hand_over(struct rig *rig, const struct code codes[static CODES],
	const struct change *change, int64_t number) {
	struct txn *txn = txn_new(on_committed, (void *) (intptr_t) number);
	struct txn_item *item;

	switch (change->kind) {
	case CHANGE_PIN:
	case CHANGE_REVOKE:
		put_code(txn, change, number);
		break;
	case CHANGE_PLACE:
		if (codes[change->code].is_there) {
			item = txn_add(txn, TXN_PLACEMENT_PUT);
			name_code(change->code, item->placement.credential_id);
			strcpy(item->placement.lock_id, LOCK);
			item->placement.state = PLACEMENT_SENT;
		}
		break;
	case CHANGE_REMOVE:
		item = txn_add(txn, TXN_CREDENTIAL_REMOVE);
		name_code(change->code, item->row);
		break;
	case CHANGE_KINDS:
		break;
	}
	struct event *event = rig_add_event(txn, LOCK, 0);
	event->kind = EVENT_LOCK_USER_CHANGE;
	event->data = LOCK_DATA_PIN;
	event->number = number;
	strcpy(event->user_id, ANNA);
	rig_commit(rig, txn);
}

static void child_main(struct rig *rig, const struct code known[static CODES],
	const struct change changes[static CHANGES], int64_t first, uint64_t burst) {
	struct code codes[CODES];
	struct fault fault;

	memcpy(codes, known, sizeof(codes));
	if (rig_try_open(rig, &fault) < 0) {
		_exit(2);
	}
	for (size_t i = 0; i < CHANGES; i++) {
		hand_over(rig, codes, &changes[i], first + (int64_t) i);
		apply(codes, &changes[i], first + (int64_t) i);
		if (i % burst == 0) {
			store_dispatch(rig->store);
			usleep(200);
		}
	}
	for (;;) {
		usleep(200);
		store_dispatch(rig->store);
	}
}

/* Kills the child some time after its @n_awaited-th answer. @return how many there were. */
static size_t kill_after(pid_t pid, int fd, size_t n_awaited, int64_t first) {
	int64_t number;
	size_t n = 0;
	int status;

	while (n < n_awaited) {
		assert_int_equal(read(fd, &number, sizeof(number)), sizeof(number));
		assert_int_equal(number, first + (int64_t) n);
		n++;
	}
	usleep((unsigned) (next_random() % 3000));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status)) {
		fail_msg("the child ended by itself: %d", WEXITSTATUS(status));
	}
	while (read(fd, &number, sizeof(number)) == sizeof(number)) {
		assert_int_equal(number, first + (int64_t) n);
		n++;
	}
	return n;
}

struct seen {
	const struct code *codes;
	size_t n_codes, n_placements;
};

static const struct code *find_code(const struct seen *seen, const char *id) {
	unsigned code = (unsigned) strtoul(id + 1, NULL, 10);

	assert_true(id[0] == 'c' && code < CODES);
	assert_true(seen->codes[code].is_there);
	return &seen->codes[code];
}

static void see_credential(void *user, const struct credential *row, const struct fault *fault) {
	struct seen *seen = user;
	const struct code *code = find_code(seen, row->id);
	struct secret pin = { 0 };
	char label[64];

	assert_null(fault);
	make_pin(code->change, &pin);
	assert_true(secret_equal(&pin, &row->pin));
	snprintf(label, sizeof(label), "change %lld", (long long) code->change);
	assert_string_equal(row->label, label);
	seen->n_codes++;
}

static void see_placement(void *user, const struct placement *row) {
	struct seen *seen = user;

	assert_int_equal(find_code(seen, row->credential_id)->placed, row->state);
	seen->n_placements++;
}

static int64_t count(struct rig *rig, const char *what, int64_t first, int64_t last) {
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(%s) FROM event WHERE number BETWEEN %lld AND %lld",
		what, (long long) first, (long long) last);
	return rig_number(rig->path, sql);
}

/* The first few of the batch, each once. */
static size_t count_applied(struct rig *rig, int64_t first) {
	int64_t n = count(rig, "*", first, first + CHANGES - 1);

	assert_int_equal(count(rig, "*", first, first + n - 1), n);
	assert_int_equal(count(rig, "DISTINCT number", first, first + n - 1), n);
	return (size_t) n;
}

static void expect_codes(struct rig *rig, const struct code codes[static CODES]) {
	static const struct store_visitor visitor = { .credential = see_credential,
		.placement = see_placement };
	struct seen seen = { .codes = codes };
	struct log_verify found;
	size_t n_codes = 0;
	size_t n_placements = 0;

	for (size_t i = 0; i < CODES; i++) {
		n_codes += codes[i].is_there;
		n_placements += codes[i].placed != 0;
	}
	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
	assert_int_equal(store_load(rig->store, &visitor, &seen, NULL), 0);
	assert_int_equal(seen.n_codes, n_codes);
	assert_int_equal(seen.n_placements, n_placements);
	assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
	assert_int_equal(found.bad_seq, 0);
	rig_close(rig);
}

/* In memory, if there is such a place: what a kill leaves behind does not depend on the disk. */
static void move_to_memory(struct rig *rig) {
	char folder[] = "/dev/shm/lockhub-store-XXXXXX";

	if (mkdtemp(folder) == NULL) {
		return;
	}
	(void) rmdir(rig->folder);
	snprintf(rig->folder, sizeof(rig->folder), "%s", folder);
	snprintf(rig->path, sizeof(rig->path), "%s/lockhub.db", folder);
}

static void make_house(struct rig *rig) {
	struct waiting waiting;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, LOCK, "front-door");
	struct user *user = &txn_add(txn, TXN_USER_PUT)->user;
	strcpy(user->id, ANNA);
	user->number = 1;
	strcpy(user->slug, "anna");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	rig_close(rig);
}

static void acknowledged_changes_happen_once(void **state) {
	struct rig *rig = *state;
	struct code codes[CODES] = { 0 };
	struct change changes[CHANGES];
	size_t n_acknowledged = 0;
	size_t n_in_doubt = 0;

	seed = (uint64_t) time(NULL);
	print_message("# seed %llu\n", (unsigned long long) seed);
	move_to_memory(rig);
	make_house(rig);
	for (int64_t round = 1; round <= KILLS; round++) {
		int64_t first = round * 1000;
		uint64_t burst = 1 + next_random() % 12;
		int fds[2];
		make_batch(changes);
		assert_int_equal(pipe(fds), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void) close(fds[0]);
			report_fd = fds[1];
			child_main(rig, codes, changes, first, burst);
		}
		(void) close(fds[1]);
		size_t n = kill_after(pid, fds[0], next_random() % (CHANGES + 1), first);
		(void) close(fds[0]);
		size_t n_applied = count_applied(rig, first);
		assert_true(n_applied >= n);
		for (size_t i = 0; i < n_applied; i++) {
			apply(codes, &changes[i], first + (int64_t) i);
		}
		expect_codes(rig, codes);
		n_acknowledged += n;
		n_in_doubt += n_applied - n;
	}
	print_message("# %zu changes acknowledged, %zu answers lost\n", n_acknowledged, n_in_doubt);
	assert_true(n_acknowledged > KILLS);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			acknowledged_changes_happen_once, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
