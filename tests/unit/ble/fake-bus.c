/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The private bus of the scripted org.bluez. */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-bluez.h"

void fake_bus_again(struct fake *fake) {
	int fds[2];
	char address[96], printed[160];

	assert(pipe2(fds, O_CLOEXEC) == 0);
	snprintf(address, sizeof(address), "--address=unix:path=%s/bus", fake->dir);
	fake->bus_pid = fork();
	assert(fake->bus_pid >= 0);
	if (fake->bus_pid == 0) {
		char print[32];
		/*
		 * It ends with the test, however that ends, and holds none of its pipes; and it
		 * complains about limits that containers do not let it change.
		 */
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		snprintf(print, sizeof(print), "--print-address=%d", dup(fds[1]));
		execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nopidfile",
			address, print, NULL);
		_exit(127);
	}
	close(fds[1]);
	/* It prints when it accepts connections. What it prints names this one daemon by its guid.
	 */
	ssize_t n = read(fds[0], printed, sizeof(printed));
	assert(n > 0);
	while (n > 0 && memchr(printed, '\n', (size_t) n) == NULL) {
		n = read(fds[0], printed, sizeof(printed));
	}
	close(fds[0]);
}

void fake_bus_settle(struct fake *fake) {
	if (fake->bus_pid == 0) {
		return;
	}
	if (fake->probe == NULL && (sd_bus_new(&fake->probe) < 0 ||
					   sd_bus_set_address(fake->probe, fake->address) < 0 ||
					   sd_bus_set_bus_client(fake->probe, true) < 0 ||
					   sd_bus_start(fake->probe) < 0)) {
		abort();
	}
	if (sd_bus_call_method(fake->probe, "org.freedesktop.DBus", "/org/freedesktop/DBus",
		    "org.freedesktop.DBus", "GetId", NULL, NULL, NULL) < 0) {
		abort();
	}
}

void fake_bus_start(struct fake *fake) {
	memset(fake, 0, sizeof(*fake));
	strcpy(fake->dir, "/tmp/lockhub-ble-XXXXXX");
	assert(mkdtemp(fake->dir) != NULL);
	snprintf(fake->address, sizeof(fake->address), "unix:path=%s/bus", fake->dir);
	fake_bus_again(fake);
}

void fake_bus_kill(struct fake *fake) {
	char path[96];

	if (fake->sd != NULL) {
		fake_die(fake);
	}
	if (fake->bus_pid == 0) {
		return;
	}
	fake->probe = sd_bus_close_unref(fake->probe);
	fake->systemd = sd_bus_close_unref(fake->systemd);
	kill(fake->bus_pid, SIGKILL);
	waitpid(fake->bus_pid, NULL, 0);
	fake->bus_pid = 0;
	snprintf(path, sizeof(path), "%s/bus", fake->dir);
	unlink(path);
}

void fake_bus_stop(struct fake *fake) {
	fake_bus_kill(fake);
	rmdir(fake->dir);
}
