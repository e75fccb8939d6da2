/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "matrix.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ble.h"

#define ROWS_MAX 32
#define PATIENCE_MS 25000
#define SLACK_MS 2500 /* of a busy machine */

static const struct {
	char letter;
	const char *text;
} matrix_reasons[] = {
	{ 'l', "there is no link that could be lost, nor anything to hang up" },
	{ 'p', "the step that the fault is about is over; the next want meets it, as in idle" },
	{ 'w', "no write is under way" },
	{ 'n', "nothing is subscribed, so no notification is sent" },
	{ 'o', "nobody searches: the device has an object" },
};

static const char *const columns[MX_STATES] = { "absent", "idle", "queued", "finding", "connecting",
	"resolving", "subscribing", "ready", "writing", "linger", "disconnecting", "backoff",
	"stuck" };

struct cell {
	const struct matrix_row *row;
	enum matrix_state state;
	char name[80];
	char outcome;
	enum fault_code fault;
};

static struct matrix matrix;
static bool is_made, is_new_bluez;
static unsigned n_rules, n_fds;
static size_t memory_first, memory_last;
static int64_t slowest_ms, slowest_again_ms;

/* ------------------------------------------------------------------ turning */

static void turn(struct matrix *m) {
	struct fake *fake = &m->scene.fake;

	scene_turn(&m->scene);
	if (!m->is_hidden && fake->sd != NULL && !fake->is_hung && !m->a->is_present &&
		fake->adapters[m->a->adapter].is_discovering) {
		m->a->rssi = -60;
		fake_device_show(m->a);
	}
}

void matrix_turn_for(struct matrix *m, int ms) {
	int64_t end = scene_now_ms() + ms;

	while (scene_now_ms() < end) {
		turn(m);
	}
}

#define MX_UNTIL(m, limit_ms, condition)                                                           \
	do {                                                                                       \
		int64_t end_ = scene_now_ms() + (limit_ms);                                        \
		while (!(condition)) {                                                             \
			if (scene_now_ms() > end_) {                                               \
				fail_msg("line %d: never: %s; the link is %s", __LINE__,           \
					#condition, state_name(m));                                \
			}                                                                          \
			turn(m);                                                                   \
		}                                                                                  \
	} while (0)
#define SOON(m, condition) MX_UNTIL(m, 8000, condition)

static const char *state_name(struct matrix *m) {
	struct radio_stats stats;

	if (m->scene.links[0] == NULL) {
		return "freed";
	}
	m->scene.radio->impl->link_stats(m->scene.links[0], &stats);
	return stats.state;
}

static bool is_in(struct matrix *m, const char *state) {
	return strcmp(state_name(m), state) == 0;
}

static void want(struct matrix *m, enum radio_need need, unsigned patience_ms) {
	scene_is_inside = true;
	m->scene.radio->impl->want(
		m->scene.links[0], need, patience_ms != 0 ? patience_ms : PATIENCE_MS);
	scene_is_inside = false;
}

/* ------------------------------------------------------------------ what could leak */

static bool is_link_left(struct matrix *m) {
	const struct radio_link *link;

	list_for_each(link, &m->scene.central->links, in_links) {
		if (link != m->scene.links[1]) {
			return true;
		}
	}
	return !list_is_empty(&m->scene.central->dead);
}

static void check_nothing_left(struct matrix *m) {
	SOON(m, !is_link_left(m));
	SOON(m, m->a->pending_connect == NULL && !m->a->is_connected);
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		assert_int_equal(m->scene.fake.adapters[i % 4].n_connecting, 0);
		assert_null(m->scene.central->adapters[i].rule_scan_added);
	}
	for (unsigned tries = 0; scene_count_rules(&m->scene) != n_rules && tries < 100; tries++) {
		matrix_turn_for(m, 10);
	}
	assert_int_equal(scene_count_rules(&m->scene), n_rules);
	assert_int_equal(scene_count_fds(), n_fds);
	assert_true(list_is_empty(&m->scene.central->events));
	memory_last = mallinfo2().uordblks;
	if (memory_first == 0) {
		memory_first = memory_last;
	}
}

/* ------------------------------------------------------------------ the scene */

static void scene_destroy(void) {
	struct scene *t = &matrix.scene;

	if (!is_made) {
		return;
	}
	is_made = false;
	scene_is_inside = false;
	void *state = t;
	scene_teardown(&state);
}

static void scene_make(struct matrix *m, bool is_new) {
	struct scene *t = &m->scene;
	struct central_config config = {
		.slots = 1, .linger_ms = 20000, .time_percent = MX_PERCENT
	};

	memset(m, 0, sizeof(*m));
	fake_bus_start(&t->fake);
	is_made = true;
	is_new_bluez = t->fake.is_new = is_new;
	t->loop = loop_new();
	assert_non_null(t->loop);
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	m->a = fake_device_add(&t->fake, 0, A);
	m->b = fake_device_add(&t->fake, 0, B);
	t->central = central_new(t->loop, t->fake.address, &config);
	assert_non_null(t->central);
	t->radio = central_radio(t->central);
	scene_link_new(t, 1, B, false);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 1, "idle"));
	matrix_turn_for(m, 20);
	n_rules = scene_count_rules(&m->scene);
	n_fds = scene_count_fds();
}

/* Everything works again; what the test knows of BlueZ stays. */
static void mend(struct matrix *m, const struct matrix_row *row) {
	struct fake *fake = &m->scene.fake;
	struct fake_device *a = m->a;

	fake->is_hung = false;
	if (row != NULL && row->mend != NULL) {
		row->mend(m);
	}
	a->connect = CONNECT_QUIET;
	a->write = WRITE_ECHO;
	a->has_usdio = true;
	a->n_fail_connects = 0;
	a->is_resolve_withheld = a->is_disconnect_swallowed = a->is_notify_withheld = false;
	a->error_name = a->notify_error_name = NULL;
	a->disconnect_ms = 20;
	a->gatt_delay_ms = 0;
	m->is_hidden = false;
	if (m->b->is_connected) {
		fake_device_drop(m->b);
	}
	if (!a->is_present) {
		fake_device_show(a);
	}
	if (m->state == MX_STUCK && a->is_connected) {
		fake_device_drop(a);
	}
	SOON(m, scene_is_ready(&m->scene));
}

/* ------------------------------------------------------------------ into the state */

static void bring_up(struct matrix *m) {
	unsigned n_ups = m->scene.users[0].n_ups;

	want(m, RADIO_NEED_LOCK, 0);
	SOON(m, m->scene.users[0].n_ups > n_ups);
}

static void hang_up(struct matrix *m) {
	scene_drop(&m->scene, 0);
	SOON(m, m->scene.users[0].n_downs > 0);
	memset(&m->scene.users[0], 0, sizeof(m->scene.users[0]));
}

static void reach_linked(struct matrix *m) {
	struct fake_device *a = m->a;

	a->write = m->state == MX_WRITING ? WRITE_STALL : WRITE_ECHO;
	a->disconnect_ms = m->state == MX_DISCONNECTING ? 60 : 20;
	bring_up(m);
	switch (m->state) {
	case MX_WRITING:
		assert_int_equal(scene_write_text(&m->scene, 0, "unlock"), 0);
		SOON(m, a->held_write != NULL);
		break;
	case MX_LINGER:
		scene_release(&m->scene, 0);
		assert_true(is_in(m, "linger"));
		break;
	case MX_DISCONNECTING:
		hang_up(m);
		break;
	case MX_STUCK:
		a->is_disconnect_swallowed = true;
		hang_up(m);
		SOON(m, is_in(m, "stuck"));
		break;
	default:
		break;
	}
}

static void reach(struct matrix *m, const struct matrix_row *row) {
	struct fake_device *a = m->a;
	unsigned patience_ms = row->patience_ms;

	switch (m->state) {
	case MX_ABSENT:
	case MX_FINDING:
		fake_device_hide(a);
		SOON(m, is_in(m, "absent"));
		if (m->state == MX_FINDING) {
			m->is_hidden = true;
			want(m, RADIO_NEED_UNLOCK, patience_ms);
			SOON(m, is_in(m, "finding") &&
					m->scene.fake.adapters[a->adapter].is_discovering);
			m->is_hidden = false;
		}
		break;
	case MX_QUEUED:
		m->b->is_connected = true;
		fake_device_show(m->b);
		SOON(m, m->scene.links[1]->peers[m->b->adapter].is_connected);
		want(m, RADIO_NEED_UNLOCK, patience_ms);
		break;
	case MX_CONNECTING:
		a->connect = CONNECT_PENDING;
		want(m, RADIO_NEED_UNLOCK, patience_ms);
		SOON(m, a->pending_connect != NULL);
		break;
	case MX_RESOLVING:
		a->is_resolve_withheld = true;
		want(m, RADIO_NEED_UNLOCK, patience_ms);
		SOON(m, is_in(m, "resolving"));
		break;
	case MX_SUBSCRIBING:
		a->is_notify_withheld = true;
		want(m, RADIO_NEED_UNLOCK, patience_ms);
		SOON(m, a->held_notify != NULL);
		break;
	case MX_BACKOFF:
		a->connect = CONNECT_ERROR;
		a->error_name = "org.freedesktop.DBus.Error.UnknownObject";
		a->error_text = "no such object";
		want(m, RADIO_NEED_BACKGROUND, patience_ms);
		SOON(m, is_in(m, "backoff"));
		a->connect = CONNECT_QUIET;
		break;
	case MX_READY:
	case MX_WRITING:
	case MX_LINGER:
	case MX_DISCONNECTING:
	case MX_STUCK:
		reach_linked(m);
		break;
	case MX_IDLE:
	case MX_STATES:
		break;
	}
	if (m->state == MX_DISCONNECTING) {
		want(m, RADIO_NEED_UNLOCK, patience_ms);
	}
	if (m->state != MX_WRITING) {
		assert_true(is_in(m, columns[m->state]));
	}
}

void matrix_let_go(struct matrix *m) {
	struct fake_device *a = m->a;

	if (m->state == MX_QUEUED && m->b->is_connected) {
		fake_device_drop(m->b);
	} else if (m->state == MX_CONNECTING && a->connect == CONNECT_PENDING) {
		a->connect = CONNECT_QUIET;
		fake_device_connect(a);
	} else if (m->state == MX_RESOLVING) {
		fake_device_resolve(a);
	} else if (m->state == MX_SUBSCRIBING || m->state == MX_WRITING) {
		a->is_notify_withheld = false;
		fake_device_answer_held(a);
	}
}

/* ------------------------------------------------------------------ how it ends */

static void note_fault(struct cell *cell, const struct scene_user *user, bool is_wanted) {
	cell->fault = user->fault.code;
	if (!is_wanted) {
		assert_int_equal(cell->fault, FAULT_NONE);
		return;
	}
	for (size_t i = 0; i < MX_FAULTS_MAX && cell->row->faults[i] != FAULT_NONE; i++) {
		if (cell->row->faults[i] == cell->fault) {
			return;
		}
	}
	fail_msg("the fault is %s: %s", fault_name(cell->fault), user->fault.detail);
}

/* Whatever happens, a want ends within 60 s. */
static char want_ends(struct matrix *m, struct cell *cell, unsigned n_ups) {
	struct scene_user *user = &m->scene.users[0];
	int64_t began = scene_now_ms();

	MX_UNTIL(m, 60000 * MX_PERCENT / 100 + SLACK_MS, user->n_ups > n_ups || user->n_downs > 0);
	int64_t took = scene_now_ms() - began;
	slowest_ms = took > slowest_ms ? took : slowest_ms;
	if (user->n_downs > 0) {
		note_fault(cell, user, true);
		return 'D';
	}
	assert_true(is_in(m, "ready"));
	return 'U';
}

static char write_ends(struct matrix *m, struct cell *cell, char good) {
	struct scene_user *user = &m->scene.users[0];
	int64_t limit = 60000 * MX_PERCENT / 100 + SLACK_MS;

	MX_UNTIL(m, limit, user->n_written > 0);
	if (user->written_error == 0) {
		matrix_turn_for(m, 20);
		assert_int_equal(user->n_downs, 0);
		assert_true(is_in(m, "ready"));
		return good;
	}
	if (user->written_error == -EBUSY) {
		matrix_turn_for(m, 20);
		assert_int_equal(user->n_downs, 0);
		assert_int_equal(user->written_sent, RADIO_NOT_SENT);
		return 'E';
	}
	MX_UNTIL(m, limit, user->n_downs > 0);
	note_fault(cell, user, true);
	return user->written_sent == RADIO_MAYBE_SENT ? 'M' : 'S';
}

static char linked_ends(struct matrix *m, struct cell *cell) {
	struct scene_user *user = &m->scene.users[0];

	if (user->n_downs > 0) {
		note_fault(cell, user, m->state == MX_READY);
		return m->state == MX_READY ? 'D' : 'N';
	}
	if (m->state == MX_LINGER) {
		unsigned n_ups = user->n_ups;
		want(m, RADIO_NEED_UNLOCK, cell->row->patience_ms);
		return want_ends(m, cell, n_ups);
	}
	assert_int_equal(scene_write_text(&m->scene, 0, "unlock"), 0);
	return write_ends(m, cell, 'U');
}

static char stuck_ends(struct matrix *m, struct cell *cell) {
	struct scene_user *user = &m->scene.users[0];

	if (!is_in(m, "stuck")) {
		return 'F';
	}
	want(m, RADIO_NEED_UNLOCK, 0);
	SOON(m, user->n_downs > 0);
	cell->fault = user->fault.code;
	assert_int_equal(cell->fault, FAULT_LINK_STUCK);
	return 'D';
}

static char cell_ends(struct matrix *m, struct cell *cell) {
	const struct matrix_row *row = cell->row;
	unsigned n_ups = m->scene.users[0].n_ups;

	row->strike(m);
	if (m->state == MX_ABSENT || m->state == MX_IDLE) {
		matrix_turn_for(m, 10);
		want(m, RADIO_NEED_UNLOCK, row->patience_ms);
		return want_ends(m, cell, n_ups);
	}
	if (!row->is_holding) {
		matrix_turn_for(m, 10);
		matrix_let_go(m);
	}
	switch (m->state) {
	case MX_WRITING:
		return write_ends(m, cell, 'W');
	case MX_READY:
	case MX_LINGER:
		matrix_turn_for(m, 20);
		return linked_ends(m, cell);
	case MX_STUCK:
		matrix_turn_for(m, 20);
		return stuck_ends(m, cell);
	default:
		return want_ends(m, cell, n_ups);
	}
}

/* A new want comes up and can be written, and what may have been sent was not sent again. */
static void works_again(struct matrix *m) {
	struct scene_user *user = &m->scene.users[0];
	bool was_written = m->state == MX_WRITING || m->state == MX_READY;
	int64_t began = scene_now_ms();

	assert_true(m->a->n_writes <= (was_written ? 1 : 0));
	assert_true(m->state != MX_WRITING || m->a->n_writes == 1);
	if (is_in(m, "ready") || is_in(m, "linger")) {
		scene_drop(&m->scene, 0);
	}
	for (;;) {
		unsigned n_downs = user->n_downs, n_ups = user->n_ups;
		SOON(m, is_in(m, "idle") || is_in(m, "absent") || is_in(m, "disconnecting"));
		want(m, RADIO_NEED_UNLOCK, 0);
		SOON(m, user->n_ups > n_ups || user->n_downs > n_downs);
		if (user->n_ups > n_ups) {
			break;
		}
		if (scene_now_ms() - began > 60000 * MX_PERCENT / 100 + SLACK_MS) {
			fail_msg("not up again: %s", user->fault.detail);
		}
	}
	int64_t took = scene_now_ms() - began;
	slowest_again_ms = took > slowest_again_ms ? took : slowest_again_ms;
	unsigned n_written = user->n_written, n_writes = m->a->n_writes;
	assert_int_equal(scene_write_text(&m->scene, 0, "state?"), 0);
	SOON(m, user->n_written > n_written);
	assert_int_equal(user->written_error, 0);
	assert_int_equal(m->a->n_writes, n_writes + 1);
}

/* ------------------------------------------------------------------ the cases */

static bool is_cell_over;

static void cell_case(void **state) {
	struct cell *cell = *state;
	struct matrix *m = &matrix;

	is_cell_over = false;
	if (is_made && is_new_bluez != cell->row->is_new_bluez) {
		scene_destroy();
	}
	if (!is_made) {
		scene_make(m, cell->row->is_new_bluez);
	}
	m->state = cell->state;
	memset(&m->scene.users[0], 0, sizeof(m->scene.users[0]));
	m->a->n_writes = 0;
	mend(m, NULL);
	scene_link_new(&m->scene, 0, A, false);
	SOON(m, is_in(m, "idle"));
	reach(m, cell->row);
	cell->outcome = cell_ends(m, cell);
	mend(m, cell->row);
	works_again(m);
	scene_link_free(&m->scene, 0);
	check_nothing_left(m);
	char wanted = cell->row->cells[cell->state];
	if (cell->outcome != wanted && getenv("LOCKHUB_MATRIX_LEARN") == NULL) {
		fail_msg("ends as %c (%s), not as %c", cell->outcome, fault_name(cell->fault),
			wanted);
	}
	assert_int_equal(m->scene.fake.n_connecting_most, 1);
	is_cell_over = true;
}

static int cell_teardown(void **state) {
	(void) state;
	if (!is_cell_over) {
		scene_destroy();
	}
	return 0;
}

static void print_matrix(
	const struct matrix_row *rows, size_t n, const struct cell *cells, size_t n_cells) {
	size_t k = 0;

	printf("# %-36s", "");
	for (unsigned s = 0; s < MX_STATES; s++) {
		printf(" %.4s", columns[s]);
	}
	printf("\n");
	for (size_t i = 0; i < n; i++) {
		printf("# %-36s", rows[i].name);
		for (unsigned s = 0; s < MX_STATES; s++) {
			char letter = rows[i].cells[s];
			bool is_case = k < n_cells && cells[k].row == &rows[i] &&
				       cells[k].state == (enum matrix_state) s;
			letter = is_case ? cells[k++].outcome : letter;
			printf("    %c", letter != '\0' ? letter : '!');
		}
		printf("\n");
	}
	for (size_t i = 0; i < sizeof(matrix_reasons) / sizeof(matrix_reasons[0]); i++) {
		printf("# %c: %s\n", matrix_reasons[i].letter, matrix_reasons[i].text);
	}
	printf("# %zu cells; a want ended after %lld s at most, a new one was up after %lld s\n",
		n_cells, (long long) slowest_ms * 100 / MX_PERCENT / 1000,
		(long long) slowest_again_ms * 100 / MX_PERCENT / 1000);
	printf("# heap in use after the first cell %zu, after the last %zu octets; fds %u, match "
	       "rules %u throughout\n",
		memory_first, memory_last, n_fds, n_rules);
	fflush(stdout);
}

int matrix_run(const struct matrix_row *rows, size_t n) {
	static struct cell cells[ROWS_MAX * MX_STATES];
	static struct CMUnitTest tests[ROWS_MAX * MX_STATES];
	size_t n_cells = 0;

	scene_prepare();
	for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
		for (unsigned s = 0; s < MX_STATES; s++) {
			char letter = rows[i].cells[s];
			if (letter >= 'a' && letter <= 'z') {
				continue;
			}
			struct cell *cell = &cells[n_cells];
			cell->row = &rows[i];
			cell->state = (enum matrix_state) s;
			snprintf(
				cell->name, sizeof(cell->name), "%s, %s", rows[i].name, columns[s]);
			tests[n_cells++] = (struct CMUnitTest){ cell->name, cell_case, NULL,
				cell_teardown, cell };
		}
	}
	int r = _cmocka_run_group_tests("matrix", tests, n_cells, NULL, NULL);
	scene_destroy();
	print_matrix(rows, n, cells, n_cells);
	return r;
}
