/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NetworkManager for tests, as far as somebody asks it how the Wi-Fi is protected:
 *
 *	mock-network-manager ADDRESS FILE
 *
 * The file holds words: type=802-11-wireless flags=1 wpa=0 rsn=0x188 mhz=2437. It is read again
 * with each question, so that a test changes the network by writing it. Prints READY when it owns
 * the name.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.freedesktop.NetworkManager"

struct network {
	const char *path;
	char type[64];
	unsigned long flags, wpa, rsn, mhz;
};

static void network_read(struct network *network) {
	FILE *file = fopen(network->path, "re");
	char word[128];
	const struct {
		const char *key;
		unsigned long *value;
	} rows[] = {
		{ "flags=", &network->flags },
		{ "wpa=", &network->wpa },
		{ "rsn=", &network->rsn },
		{ "mhz=", &network->mhz },
	};

	while (file != NULL && fscanf(file, "%127s", word) == 1) {
		if (strncmp(word, "type=", 5) == 0) {
			(void) snprintf(network->type, sizeof(network->type), "%.60s", word + 5);
		}
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			if (strncmp(word, rows[i].key, strlen(rows[i].key)) == 0) {
				*rows[i].value = strtoul(word + strlen(rows[i].key), NULL, 0);
			}
		}
	}
	if (file != NULL) {
		(void) fclose(file);
	}
}

static int say(sd_bus_message *message, const char *property, const struct network *network) {
	return strcmp(property, "PrimaryConnection") == 0
		       ? sd_bus_reply_method_return(message, "v", "o", "/active/1")
	       : strcmp(property, "Type") == 0
		       ? sd_bus_reply_method_return(message, "v", "s", network->type)
	       : strcmp(property, "Devices") == 0
		       ? sd_bus_reply_method_return(message, "v", "ao", 1, "/device/1")
	       : strcmp(property, "ActiveAccessPoint") == 0
		       ? sd_bus_reply_method_return(message, "v", "o", "/point/1")
		       : sd_bus_reply_method_errorf(
				 message, SD_BUS_ERROR_UNKNOWN_PROPERTY, "%s", property);
}

static int on_call(sd_bus_message *message, void *user, sd_bus_error *error) {
	struct network *network = user;
	const char *interface = NULL;
	const char *property = NULL;

	(void) error;
	network_read(network);
	if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get") > 0) {
		return sd_bus_message_read(message, "ss", &interface, &property) > 0
			       ? say(message, property, network)
			       : -EINVAL;
	}
	if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "GetAll") >
		0) {
		return sd_bus_reply_method_return(message, "a{sv}", 5, "Ssid", "ay", 4, 'H', 'o',
			'm', 'e', "Flags", "u", (uint32_t) network->flags, "WpaFlags", "u",
			(uint32_t) network->wpa, "RsnFlags", "u", (uint32_t) network->rsn,
			"Frequency", "u", (uint32_t) network->mhz);
	}
	return 0;
}

static int run(sd_bus *bus, const char *address, struct network *network) {
	int r = sd_bus_set_address(bus, address);

	r = r < 0 ? r : sd_bus_set_bus_client(bus, 1);
	r = r < 0 ? r : sd_bus_start(bus);
	r = r < 0 ? r : sd_bus_add_filter(bus, NULL, on_call, network);
	r = r < 0 ? r : sd_bus_request_name(bus, NAME, 0);
	if (r >= 0) {
		(void) puts("READY");
		(void) fflush(stdout);
	}
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0) {
			r = sd_bus_wait(bus, UINT64_MAX);
		}
	}
	return r;
}

int main(int argc, char **argv) {
	struct network network = { .type = "802-11-wireless" };
	sd_bus *bus = NULL;
	int r;

	if (argc != 3) {
		(void) fprintf(stderr, "usage: %s ADDRESS FILE\n", argv[0]);
		return 2;
	}
	network.path = argv[2];
	r = sd_bus_new(&bus);
	r = r < 0 ? r : run(bus, argv[1], &network);
	sd_bus_unref(bus);
	/* The bus went first: that is how a test ends. */
	return r == -ECONNRESET || r == -ENOTCONN ? 0 : 1;
}
