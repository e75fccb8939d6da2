/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/bus.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private-bus.h"
#include "test.h"

#define WAIT_MS 60000

struct side {
	struct bus *bus;
	sd_bus_slot *slots[4];
	int n_up;
	int n_down;
	int down_error;
	int n_replies;
	int n_errors;
	char error_name[128];
	int n_signals;
	bool frees_when_up;
	bool frees_when_down;
	bool frees_on_reply;
};

struct world {
	struct private_bus *daemon;
	struct loop *loop;
	struct side a;
	struct side b;
};

static void side_free(struct side *side) {
	for (size_t i = 0; i < ARRAY_SIZE(side->slots); i++) {
		side->slots[i] = sd_bus_slot_unref(side->slots[i]);
	}
	side->bus = bus_free(side->bus);
}

static void on_up(void *user) {
	struct side *side = user;
	const char *name = NULL;
	side->n_up++;
	assert_non_null(bus_sd(side->bus));
	assert_true(sd_bus_get_unique_name(bus_sd(side->bus), &name) >= 0);
	assert_int_equal(name[0], ':');
	if (side->frees_when_up) {
		side_free(side);
	}
}

static void on_down(void *user, int error) {
	struct side *side = user;
	side->n_down++;
	side->down_error = error;
	assert_null(bus_sd(side->bus));
	for (size_t i = 0; i < ARRAY_SIZE(side->slots); i++) {
		side->slots[i] = sd_bus_slot_unref(side->slots[i]);
	}
	if (side->frees_when_down) {
		side_free(side);
	}
}

static const struct bus_user side_user = { .up = on_up, .down = on_down };

static int setup(void **state) {
	struct world *world = calloc(1, sizeof(*world));
	if (world == NULL || (world->daemon = private_bus_new()) == NULL ||
		(world->loop = loop_new()) == NULL) {
		return -1;
	}
	*state = world;
	return private_bus_start(world->daemon) ? 0 : -1;
}

static int teardown(void **state) {
	struct world *world = *state;
	side_free(&world->a);
	side_free(&world->b);
	loop_free(world->loop);
	private_bus_free(world->daemon);
	free(world);
	return 0;
}

static void side_new(struct world *world, struct side *side) {
	side->bus =
		bus_new(world->loop, "test", private_bus_address(world->daemon), &side_user, side);
	assert_non_null(side->bus);
	assert_null(bus_sd(side->bus));
}

/* Turns until *n is as wanted. */
static void turn_until(struct world *world, const int *n, int wanted) {
	const struct clock *clock = loop_clock(world->loop);
	mono_t give_up = mono_after(clock_mono(clock), WAIT_MS);
	while (*n < wanted && !mono_is_due(give_up, clock_mono(clock))) {
		loop_turn(world->loop, 100);
	}
	assert_int_equal(*n, wanted);
}

static void side_open(struct world *world, struct side *side) {
	side_new(world, side);
	assert_int_equal(bus_open(side->bus), 0);
	assert_int_equal(side->n_up, 0); /* never from inside the call */
	turn_until(world, &side->n_up, 1);
}

static int on_reply(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct side *side = user;
	(void) ret_error;
	const sd_bus_error *error = sd_bus_message_get_error(message);
	if (error != NULL) {
		side->n_errors++;
		snprintf(side->error_name, sizeof(side->error_name), "%s", error->name);
	} else {
		side->n_replies++;
	}
	if (side->frees_on_reply) {
		side_free(side);
	}
	return 0;
}

static void side_ask(struct side *side, sd_bus_slot **ret_slot) {
	int r = sd_bus_call_method_async(bus_sd(side->bus), ret_slot, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", on_reply, side, NULL);
	assert_true(r >= 0);
	bus_kick(side->bus);
}

static int on_test_signal(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct side *side = user;
	(void) message;
	(void) ret_error;
	side->n_signals++;
	return 0;
}

static int on_match_added(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct side *side = user;
	(void) ret_error;
	assert_null(sd_bus_message_get_error(message));
	side->n_replies++;
	return 0;
}

static void side_listen(struct world *world, struct side *side) {
	int n = side->n_replies;
	assert_true(sd_bus_add_match_async(bus_sd(side->bus), &side->slots[0],
			    "type='signal',interface='org.lockhub1.Test',path='/test'",
			    on_test_signal, on_match_added, side) >= 0);
	bus_kick(side->bus);
	turn_until(world, &side->n_replies, n + 1);
}

static void side_emit(struct side *side, const char *payload) {
	assert_true(sd_bus_emit_signal(bus_sd(side->bus), "/test", "org.lockhub1.Test", "Changed",
			    "s", payload) >= 0);
	bus_kick(side->bus);
}

static int count_in(const char *buf, size_t n, const char *text) {
	int n_found = 0;
	const char *at = buf;
	while ((at = memmem(at, n - (size_t) (at - buf), text, strlen(text))) != NULL) {
		n_found++;
		at += strlen(text);
	}
	return n_found;
}

/* Until so many signals and answers lie in the socket; nobody reads them. */
static void lies_in_socket(struct side *side, int n_signals, int n_answers) {
	static char buf[1024 * 1024];
	for (int ms = 0; ms < WAIT_MS; ms++) {
		ssize_t n = recv(sd_bus_get_fd(bus_sd(side->bus)), buf, sizeof(buf),
			MSG_PEEK | MSG_DONTWAIT);
		size_t n_buf = n > 0 ? (size_t) n : 0;
		/* The daemon is the sender of answers, and sender and interface of its signal. */
		int n_daemon = count_in(buf, n_buf, "org.freedesktop.DBus") -
			       2 * count_in(buf, n_buf, "NameAcquired");
		if (count_in(buf, n_buf, "Changed") >= n_signals && n_daemon >= n_answers) {
			return;
		}
		usleep(1000);
	}
	fail_msg("the daemon has not passed it on");
}

static void call_is_answered(void **state) {
	struct world *world = *state;
	side_open(world, &world->a);
	side_ask(&world->a, NULL);
	turn_until(world, &world->a.n_replies, 1);
	assert_int_equal(world->a.n_errors, 0);
	assert_true(bus_messages(world->a.bus) > 0);
	/* GATT notifications come as file descriptors. */
	assert_int_equal(sd_bus_can_send(bus_sd(world->a.bus), SD_BUS_TYPE_UNIX_FD), 1);
	uint64_t timeout = 0;
	assert_true(sd_bus_get_method_call_timeout(bus_sd(world->a.bus), &timeout) >= 0);
	assert_true(timeout == 30000000);
}

static void signal_reaches_the_listener(void **state) {
	struct world *world = *state;
	side_open(world, &world->a);
	side_open(world, &world->b);
	side_listen(world, &world->a);
	side_emit(&world->b, "x");
	turn_until(world, &world->a.n_signals, 1);
	assert_int_equal(world->b.n_signals, 0);
}

static void idle_connection_does_not_wake(void **state) {
	struct world *world = *state;
	side_open(world, &world->a);
	side_listen(world, &world->a);
	for (int i = 0; i < 3; i++) {
		loop_turn(world->loop, 20); /* what is still under way */
	}
	uint64_t turns = loop_turns(world->loop);
	uint64_t messages = bus_messages(world->a.bus);
	loop_turn(world->loop, 300);
	assert_true(loop_turns(world->loop) - turns <= 1);
	assert_true(bus_messages(world->a.bus) == messages);
}

/* No answer comes and the socket stays quiet: only the time-out can wake the pump. */
static void library_timeout_fires_on_a_quiet_socket(void **state) {
	struct world *world = *state;
	side_open(world, &world->a);
	private_bus_freeze(world->daemon, true);
	sd_bus_message *message = NULL;
	assert_true(sd_bus_message_new_method_call(bus_sd(world->a.bus), &message,
			    "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			    "GetId") >= 0);
	mono_t start = clock_mono(loop_clock(world->loop));
	assert_true(sd_bus_call_async(
			    bus_sd(world->a.bus), NULL, message, on_reply, &world->a, 150000) >= 0);
	sd_bus_message_unref(message);
	bus_kick(world->a.bus);
	turn_until(world, &world->a.n_errors, 1);
	assert_string_equal(world->a.error_name, "org.freedesktop.DBus.Error.NoReply");
	int64_t took = mono_since(start, clock_mono(loop_clock(world->loop)));
	assert_in_range(took, 149, WAIT_MS);
	private_bus_freeze(world->daemon, false);
	assert_int_equal(world->a.n_down, 0);
}

static void killed_bus_is_noticed_and_reopened(void **state) {
	struct world *world = *state;
	side_open(world, &world->a);
	side_listen(world, &world->a);
	private_bus_freeze(world->daemon, true);
	side_ask(&world->a, &world->a.slots[1]); /* pending when it dies */
	loop_turn(world->loop, 20);
	private_bus_kill(world->daemon);
	turn_until(world, &world->a.n_down, 1);
	assert_int_equal(world->a.n_errors, 1); /* before down() */
	assert_string_equal(world->a.error_name, "org.freedesktop.DBus.Error.NoReply");
	assert_int_equal(world->a.down_error, -ECONNRESET);
	assert_null(bus_sd(world->a.bus));
	assert_false(bus_drain(world->a.bus));
	bus_kick(world->a.bus); /* harmless */

	/* While it is away, tries fail quietly. */
	for (int i = 0; i < 13; i++) {
		loop_turn(world->loop, 100);
	}
	assert_int_equal(world->a.n_up, 1);
	assert_int_equal(world->a.n_down, 1);

	assert_true(private_bus_start(world->daemon));
	turn_until(world, &world->a.n_up, 2);
	side_ask(&world->a, NULL);
	turn_until(world, &world->a.n_replies, 2); /* the first was the match rule */
	assert_int_equal(world->a.n_down, 1);
}

static void opens_when_the_bus_comes_later(void **state) {
	struct world *world = *state;
	private_bus_kill(world->daemon);
	side_new(world, &world->a);
	assert_int_equal(bus_open(world->a.bus), -ENOENT);
	loop_turn(world->loop, 20);
	assert_true(private_bus_start(world->daemon));
	turn_until(world, &world->a.n_up, 1);
	assert_int_equal(world->a.n_down, 0);
}

static void every_address_gets_its_turn(void **state) {
	struct world *world = *state;
	char address[256];
	snprintf(address, sizeof(address), "unix:path=/nonexistent/lockhub;%s;",
		private_bus_address(world->daemon));
	world->a.bus = bus_new(world->loop, "test", address, &side_user, &world->a);
	assert_true(bus_open(world->a.bus) < 0);
	turn_until(world, &world->a.n_up, 1);
}

static void drain_finds_what_has_arrived(void **state) {
	struct world *world = *state;
	side_open(world, &world->a);
	side_ask(&world->a, NULL);
	lies_in_socket(&world->a, 0, 1); /* the daemon answers while nobody looks */
	assert_int_equal(world->a.n_replies, 0);
	assert_true(bus_drain(world->a.bus));
	assert_int_equal(world->a.n_replies, 1);
}

/* More than the pump takes in one turn lies before the answer. */
static void drain_goes_to_the_bottom(void **state) {
	enum { N = 150 }; /* what surely fits into the socket */
	struct world *world = *state;
	side_open(world, &world->a);
	side_listen(world, &world->a);
	for (int i = 0; i < N; i++) {
		side_emit(&world->a, "x");
	}
	side_ask(&world->a, NULL);
	lies_in_socket(&world->a, N, 1);
	int n_replies = world->a.n_replies;
	assert_true(bus_drain(world->a.bus));
	assert_int_equal(world->a.n_signals, N);
	assert_int_equal(world->a.n_replies, n_replies + 1);
}

struct deadline {
	struct side *side;
	int n_fired;
	int n_replies;
};

static void on_deadline(void *user) {
	struct deadline *deadline = user;
	deadline->n_fired++;
	deadline->n_replies = deadline->side->n_replies;
}

/* The loop stalls; meanwhile the answer arrives and the deadline passes. */
static void answer_before_the_deadline_is_heard_before_it(void **state) {
	struct world *world = *state;
	struct deadline deadline = { .side = &world->a };
	side_open(world, &world->a);
	struct loop_timer *timer = loop_timer_new(world->loop, on_deadline, &deadline);
	private_bus_freeze(world->daemon, true);
	side_ask(&world->a, NULL);
	loop_turn(world->loop, 0); /* no timer of the pump is left that could hide the order */
	assert_int_equal(world->a.n_replies, 0);
	loop_timer_arm(timer, 30);
	private_bus_freeze(world->daemon, false);
	lies_in_socket(&world->a, 0, 1);
	usleep(40000);
	turn_until(world, &deadline.n_fired, 1);
	assert_int_equal(deadline.n_replies, 1);
	loop_timer_free(timer);
}

struct ticker {
	struct loop_timer *timer;
	struct bus *bus;
	uint64_t messages;
	uint64_t largest;
	int n;
};

static void on_tick(void *user) {
	struct ticker *ticker = user;
	uint64_t messages = bus_messages(ticker->bus);
	if (messages - ticker->messages > ticker->largest) {
		ticker->largest = messages - ticker->messages;
	}
	ticker->messages = messages;
	ticker->n++;
	loop_timer_arm(ticker->timer, 0);
}

static void flood_does_not_starve_the_loop(void **state) {
	enum { N = 1000 };
	struct world *world = *state;
	side_open(world, &world->a);
	side_open(world, &world->b);
	side_listen(world, &world->a);
	for (int i = 0; i < N; i++) {
		side_emit(&world->b, "x");
	}
	lies_in_socket(&world->a, 100, 0); /* the daemon passes on what fits */
	struct ticker ticker = { .bus = world->a.bus, .messages = bus_messages(world->a.bus) };
	ticker.timer = loop_timer_new(world->loop, on_tick, &ticker);
	loop_timer_arm(ticker.timer, 0);
	turn_until(world, &world->a.n_signals, N);
	/* Pumped at most twice between two ticks: by the timer and by the socket. */
	assert_in_range(ticker.largest, 2, 2 * 64);
	assert_true(ticker.n > N / 128);
	loop_timer_free(ticker.timer);
}

/* More than the socket takes: the rest must go when it is writable again. */
static void backlog_is_written_when_the_bus_reads_again(void **state) {
	enum { N = 100, LARGE = 256 * 1024 };
	struct world *world = *state;
	side_open(world, &world->a);
	side_open(world, &world->b);
	side_listen(world, &world->a);
	char *large = malloc(LARGE);
	assert_non_null(large);
	memset(large, 'x', LARGE - 1);
	large[LARGE - 1] = '\0';
	private_bus_freeze(world->daemon, true);
	for (int i = 0; i < N; i++) {
		side_emit(&world->b, large);
	}
	free(large);
	for (int i = 0; i < 3; i++) {
		loop_turn(world->loop, 10);
	}
	assert_int_equal(world->a.n_signals, 0);
	assert_true((sd_bus_get_events(bus_sd(world->b.bus)) & POLLOUT) != 0);
	private_bus_freeze(world->daemon, false);
	turn_until(world, &world->a.n_signals, N);
}

static void may_be_freed_from_each_callback(void **state) {
	struct world *world = *state;
	world->a.frees_when_up = true;
	side_new(world, &world->a);
	assert_int_equal(bus_open(world->a.bus), 0);
	turn_until(world, &world->a.n_up, 1);
	assert_null(world->a.bus);

	world->a = (struct side){ .frees_on_reply = true };
	side_open(world, &world->a);
	side_ask(&world->a, &world->a.slots[1]);
	side_ask(&world->a, &world->a.slots[2]);
	turn_until(world, &world->a.n_replies, 1);
	for (int i = 0; i < 5; i++) {
		loop_turn(world->loop, 10);
	}
	assert_int_equal(world->a.n_replies, 1); /* nothing comes after it is freed */

	/* Also out of a drain. */
	world->a = (struct side){ .frees_on_reply = true };
	side_open(world, &world->a);
	side_ask(&world->a, &world->a.slots[1]);
	lies_in_socket(&world->a, 0, 1);
	assert_false(bus_drain(world->a.bus));
	assert_int_equal(world->a.n_replies, 1);

	world->a = (struct side){ .frees_when_down = true };
	side_open(world, &world->a);
	private_bus_kill(world->daemon);
	turn_until(world, &world->a.n_down, 1);
	assert_null(world->a.bus);
	loop_turn(world->loop, 10);
}

static void may_be_freed_in_any_state(void **state) {
	struct world *world = *state;
	side_new(world, &world->a);
	side_free(&world->a); /* never opened */
	side_new(world, &world->a);
	assert_int_equal(bus_open(world->a.bus), 0);
	side_free(&world->a); /* connecting */
	side_new(world, &world->a);
	assert_int_equal(bus_open(world->a.bus), 0);
	loop_turn(world->loop, 10);
	side_free(&world->a); /* authenticating */
	loop_turn(world->loop, 10);
	assert_int_equal(world->a.n_down, 0);
	assert_null(bus_free(NULL));
}

/* A broker that accepts and hangs up, or talks nonsense, is a connection that failed. */
static void what_is_not_a_bus_is_retried(void **state) {
	struct world *world = *state;
	private_bus_freeze(world->daemon, true);
	side_new(world, &world->a);
	(void) bus_open(world->a.bus);
	loop_turn(world->loop, 20);
	private_bus_kill(world->daemon); /* in the middle of the handshake */
	for (int i = 0; i < 5; i++) {
		loop_turn(world->loop, 20);
	}
	assert_int_equal(world->a.n_up, 0);
	assert_int_equal(world->a.n_down, 0); /* was never up */
	assert_true(private_bus_start(world->daemon));
	turn_until(world, &world->a.n_up, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(call_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(signal_reaches_the_listener, setup, teardown),
		cmocka_unit_test_setup_teardown(idle_connection_does_not_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(
			library_timeout_fires_on_a_quiet_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_bus_is_noticed_and_reopened, setup, teardown),
		cmocka_unit_test_setup_teardown(opens_when_the_bus_comes_later, setup, teardown),
		cmocka_unit_test_setup_teardown(every_address_gets_its_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(drain_finds_what_has_arrived, setup, teardown),
		cmocka_unit_test_setup_teardown(drain_goes_to_the_bottom, setup, teardown),
		cmocka_unit_test_setup_teardown(
			answer_before_the_deadline_is_heard_before_it, setup, teardown),
		cmocka_unit_test_setup_teardown(flood_does_not_starve_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(
			backlog_is_written_when_the_bus_reads_again, setup, teardown),
		cmocka_unit_test_setup_teardown(may_be_freed_from_each_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(may_be_freed_in_any_state, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_a_bus_is_retried, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
