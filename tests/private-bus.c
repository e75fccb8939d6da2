/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "private-bus.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct private_bus {
	char folder[32];
	char address[80];
	char socket[64];
	char config[64];
	pid_t pid; /* 0: not running */
};

static bool write_config(const struct private_bus *bus) {
	FILE *file = fopen(bus->config, "we");
	if (file == NULL) {
		return false;
	}
	fprintf(file,
		"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration "
		"1.0//EN\"\n"
		" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
		"<busconfig>\n"
		"  <type>custom</type>\n"
		"  <listen>%s</listen>\n"
		"  <auth>EXTERNAL</auth>\n"
		"  <policy context=\"default\">\n"
		"    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n"
		"    <allow eavesdrop=\"true\"/>\n"
		"    <allow own=\"*\"/>\n"
		"  </policy>\n"
		"</busconfig>\n",
		bus->address);
	return fclose(file) == 0;
}

struct private_bus *private_bus_new(void) {
	struct private_bus *bus = calloc(1, sizeof(*bus));
	if (bus == NULL) {
		return NULL;
	}
	snprintf(bus->folder, sizeof(bus->folder), "/tmp/lockhub-test-XXXXXX");
	if (mkdtemp(bus->folder) == NULL) {
		free(bus);
		return NULL;
	}
	snprintf(bus->socket, sizeof(bus->socket), "%s/bus", bus->folder);
	snprintf(bus->config, sizeof(bus->config), "%s/bus.conf", bus->folder);
	snprintf(bus->address, sizeof(bus->address), "unix:path=%s", bus->socket);
	if (!write_config(bus)) {
		return private_bus_free(bus);
	}
	return bus;
}

struct private_bus *private_bus_free(struct private_bus *bus) {
	if (bus != NULL) {
		private_bus_kill(bus);
		unlink(bus->config);
		rmdir(bus->folder);
		free(bus);
	}
	return NULL;
}

const char *private_bus_address(const struct private_bus *bus) {
	return bus->address;
}

bool private_bus_start(struct private_bus *bus) {
	int fds[2];
	if (bus->pid != 0 || pipe2(fds, O_CLOEXEC) < 0) {
		return false;
	}
	pid_t parent = getpid();
	bus->pid = fork();
	if (bus->pid == 0) {
		char config[96];
		snprintf(config, sizeof(config), "--config-file=%s", bus->config);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || dup2(fds[1], 3) < 0) {
			_exit(1);
		}
		if (fds[1] == 3) {
			fcntl(3, F_SETFD, 0);
		}
		execlp("dbus-daemon", "dbus-daemon", config, "--nofork", "--nopidfile",
			"--nosyslog", "--print-address=3", (char *) NULL);
		_exit(127);
	}
	close(fds[1]);

	/* It prints its address when it listens. */
	char c = '\0';
	bool is_ready = false;
	while (bus->pid > 0 && read(fds[0], &c, 1) == 1) {
		if (c == '\n') {
			is_ready = true;
			break;
		}
	}
	close(fds[0]);
	if (!is_ready) {
		private_bus_kill(bus);
	}
	return is_ready;
}

void private_bus_kill(struct private_bus *bus) {
	if (bus->pid > 0) {
		kill(bus->pid, SIGKILL);
		waitpid(bus->pid, NULL, 0);
		unlink(bus->socket);
	}
	bus->pid = 0;
}

void private_bus_freeze(struct private_bus *bus, bool is_frozen) {
	if (bus->pid > 0) {
		kill(bus->pid, is_frozen ? SIGSTOP : SIGCONT);
	}
}
