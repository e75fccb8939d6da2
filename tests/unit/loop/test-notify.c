/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

struct manager {
	char folder[64];
	char path[96];
	int fd;
	char got[256];
};

/* What came since, or "" when nothing did. */
static const char *hear(struct manager *manager) {
	ssize_t n = recv(manager->fd, manager->got, sizeof(manager->got) - 1, MSG_DONTWAIT);
	manager->got[n > 0 ? n : 0] = '\0';
	return manager->got;
}

static int setup(void **state) {
	struct manager *manager = calloc(1, sizeof(*manager));
	if (manager == NULL) {
		return -1;
	}
	strcpy(manager->folder, "/tmp/lockhub-test-XXXXXX");
	if (mkdtemp(manager->folder) == NULL) {
		return -1;
	}
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(manager->path, sizeof(manager->path), "%s/notify", manager->folder);
	memcpy(address.sun_path, manager->path, strlen(manager->path) + 1);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager->fd < 0 ||
		bind(manager->fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
		return -1;
	}
	setenv("NOTIFY_SOCKET", manager->path, 1);
	*state = manager;
	return 0;
}

static int teardown(void **state) {
	struct manager *manager = *state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	close(manager->fd);
	unlink(manager->path);
	rmdir(manager->folder);
	free(manager);
	return 0;
}

static void manager_hears_of_each_step(void **state) {
	struct manager *manager = *state;
	notify_ready();
	assert_string_equal(hear(manager), "READY=1");
	notify_status("%d locks", 3);
	assert_string_equal(hear(manager), "STATUS=3 locks");
	notify_status("%s", "a\nMAINPID=1");
	assert_string_equal(hear(manager), "STATUS=a?MAINPID=1");
	notify_stopping();
	assert_string_equal(hear(manager), "STOPPING=1");
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	assert_string_equal(hear(manager), "");
}

static bool is_alive;
static int n_asked;

static bool ask(void *user) {
	assert_ptr_equal(user, &is_alive);
	n_asked++;
	return is_alive;
}

static void wait_until_asked(struct loop *loop) {
	int n = n_asked;
	for (int i = 0; i < 6000 && n_asked == n; i++) {
		loop_turn(loop, 10);
	}
	assert_true(n_asked > n);
}

static void watchdog_is_answered_only_while_alive(void **state) {
	struct manager *manager = *state;
	AUTO(loop_free) struct loop *loop = loop_new();
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int) getpid());
	setenv("WATCHDOG_USEC", "60000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	struct notify_watchdog *watchdog = notify_watchdog_new(loop, ask, &is_alive);
	assert_non_null(watchdog);
	is_alive = true;
	wait_until_asked(loop);
	assert_string_equal(hear(manager), "WATCHDOG=1");
	is_alive = false;
	while (hear(manager)[0] != '\0') {
	}
	wait_until_asked(loop);
	wait_until_asked(loop);
	assert_string_equal(hear(manager), "");
	is_alive = true; /* it goes on asking */
	wait_until_asked(loop);
	assert_string_equal(hear(manager), "WATCHDOG=1");
	assert_null(notify_watchdog_free(watchdog));
	assert_null(notify_watchdog_free(NULL));
}

static void without_watchdog_there_is_none(void **state) {
	(void) state;
	AUTO(loop_free) struct loop *loop = loop_new();
	assert_null(notify_watchdog_new(loop, ask, &is_alive));
	setenv("WATCHDOG_USEC", "60000", 1);
	setenv("WATCHDOG_PID", "1", 1); /* somebody else's */
	assert_null(notify_watchdog_new(loop, ask, &is_alive));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(manager_hears_of_each_step, setup, teardown),
		cmocka_unit_test_setup_teardown(
			watchdog_is_answered_only_while_alive, setup, teardown),
		cmocka_unit_test_setup_teardown(without_watchdog_there_is_none, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
