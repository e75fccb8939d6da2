/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BlueZ's messages. D-Bus guarantees that a message has the signature that it says; what it does
 * not guarantee is that the signature, the property types and the values are those that BlueZ
 * documents. So the input drives a writer of messages: known and unknown names with fitting and
 * unfitting types.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "objects.h"
#include "util/auto.h"
#include "util/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRIES_MAX 24

static const char *const names[] = { "Address", "AddressType", "Name", "Connected",
	"ServicesResolved", "RSSI", "ManufacturerData", "ServiceData", "Paired", "Bonded",
	"Powered", "Discovering", "PowerState", "Modalias", "UUID", "Service", "MTU", "Value",
	"Icon" };
static const char *const interfaces[] = { DEVICE_INTERFACE, ADAPTER_INTERFACE, SERVICE_INTERFACE,
	CHARACTERISTIC_INTERFACE, PROPERTIES_INTERFACE, "org.bluez.Battery1" };
static const char *const paths[] = { "/", "/org/bluez", "/org/bluez/hci0",
	"/org/bluez/hci0/dev_54_D2_72_00_00_01",
	"/org/bluez/hci0/dev_54_D2_72_00_00_01/service0010",
	"/org/bluez/hci0/dev_54_D2_72_00_00_01/service0010/char0011" };
static const char *const texts[] = { "", "54:d2:72:00:00:01", "random", "public", "Nuki_1",
	"usb:v1D6Bp0246d0542", "off-blocked", "a92ee202-5501-11e4-916c-0800200c9a66",
	"A92EE202-5501-11E4-916C-0800200C9A66-and-more",
	"a name that is rather longer than all buffers that are kept for names, and then some" };

#define PICK(rd, array) (array)[rd_u8(rd) % ARRAY_SIZE(array)]

/* A message can only be made on a bus; this one leads nowhere. */
static sd_bus *nowhere(void) {
	static sd_bus *sd;
	int fds[2];

	if (sd == NULL) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
			sd_bus_new(&sd) < 0 || sd_bus_set_fd(sd, fds[0], fds[0]) < 0 ||
			sd_bus_start(sd) < 0) {
			abort();
		}
	}
	return sd;
}

static int put_bytes(sd_bus_message *m, struct rd *rd) {
	uint8_t buf[80];
	size_t n = rd_u8(rd) % (sizeof(buf) + 1);

	rd_copy(rd, buf, n);
	return sd_bus_message_append_array(m, 'y', buf, n);
}

static int put_records(sd_bus_message *m, struct rd *rd, char key) {
	char entry[] = { key, 'v', '\0' }, array[] = { '{', key, 'v', '}', '\0' };
	unsigned n = rd_u8(rd) % ENTRIES_MAX;
	int r = sd_bus_message_open_container(m, 'a', array);

	for (unsigned i = 0; i < n && r >= 0; i++) {
		r = sd_bus_message_open_container(m, 'e', entry);
		if (r >= 0) {
			r = key == 'q' ? sd_bus_message_append(m, "q", rd_u16le(rd))
				       : sd_bus_message_append(m, "s", PICK(rd, texts));
		}
		if (r >= 0 && rd_u8(rd) % 8 == 0) {
			r = sd_bus_message_append(m, "v", "u", rd_u32le(rd));
		} else if (r >= 0) {
			r = sd_bus_message_open_container(m, 'v', "ay");
			r = r >= 0 ? put_bytes(m, rd) : r;
			r = r >= 0 ? sd_bus_message_close_container(m) : r;
		}
		r = r >= 0 ? sd_bus_message_close_container(m) : r;
	}
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

static int put_variant(sd_bus_message *m, struct rd *rd) {
	static const char *const types[] = { "s", "o", "b", "n", "q", "ay", "a{qv}", "a{sv}", "as",
		"u" };
	const char *type = PICK(rd, types);
	int r = sd_bus_message_open_container(m, 'v', type);

	if (r < 0) {
		return r;
	}
	if (strcmp(type, "ay") == 0) {
		r = put_bytes(m, rd);
	} else if (strcmp(type, "a{qv}") == 0) {
		r = put_records(m, rd, 'q');
	} else if (strcmp(type, "a{sv}") == 0) {
		r = put_records(m, rd, 's');
	} else if (strcmp(type, "s") == 0) {
		r = sd_bus_message_append(m, "s", PICK(rd, texts));
	} else if (strcmp(type, "o") == 0) {
		r = sd_bus_message_append(m, "o", PICK(rd, paths));
	} else if (strcmp(type, "as") == 0) {
		r = sd_bus_message_append(m, "as", 1, PICK(rd, texts));
	} else if (strcmp(type, "b") == 0) {
		r = sd_bus_message_append(m, "b", rd_u8(rd) & 1);
	} else {
		r = sd_bus_message_append(m, type, (int) rd_u16le(rd));
	}
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

static int put_properties(sd_bus_message *m, struct rd *rd) {
	unsigned n = rd_u8(rd) % ENTRIES_MAX;
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	for (unsigned i = 0; i < n && r >= 0; i++) {
		r = sd_bus_message_open_container(m, 'e', "sv");
		r = r >= 0 ? sd_bus_message_append(m, "s", PICK(rd, names)) : r;
		r = r >= 0 ? put_variant(m, rd) : r;
		r = r >= 0 ? sd_bus_message_close_container(m) : r;
	}
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

static int put_object(sd_bus_message *m, struct rd *rd) {
	unsigned n = rd_u8(rd) % 4;
	int r = sd_bus_message_append(m, "o", PICK(rd, paths));

	r = r >= 0 ? sd_bus_message_open_container(m, 'a', "{sa{sv}}") : r;
	for (unsigned i = 0; i < n && r >= 0; i++) {
		r = sd_bus_message_open_container(m, 'e', "sa{sv}");
		r = r >= 0 ? sd_bus_message_append(m, "s", PICK(rd, interfaces)) : r;
		r = r >= 0 ? put_properties(m, rd) : r;
		r = r >= 0 ? sd_bus_message_close_container(m) : r;
	}
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

static int put_message(sd_bus_message *m, struct rd *rd) {
	unsigned n;
	int r;

	switch (rd_u8(rd) % 6) {
	case 0:
		n = rd_u8(rd) % ENTRIES_MAX;
		r = sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}");
		for (unsigned i = 0; i < n && r >= 0; i++) {
			r = sd_bus_message_open_container(m, 'e', "oa{sa{sv}}");
			r = r >= 0 ? put_object(m, rd) : r;
			r = r >= 0 ? sd_bus_message_close_container(m) : r;
		}
		return r >= 0 ? sd_bus_message_close_container(m) : r;
	case 1:
		return put_object(m, rd);
	case 2:
		r = sd_bus_message_append(m, "s", PICK(rd, interfaces));
		r = r >= 0 ? put_properties(m, rd) : r;
		return r >= 0 ? sd_bus_message_append(m, "as", 1, PICK(rd, names)) : r;
	case 3:
		return put_properties(m, rd);
	case 4:
		return sd_bus_message_append(
			m, "oas", PICK(rd, paths), 2, PICK(rd, interfaces), PICK(rd, interfaces));
	default:
		return put_variant(m, rd); /* nothing that anybody expects */
	}
}

static void check_advert(const struct advert *advert) {
	assert(advert->n_parts <= ADVERT_PARTS_MAX);
	assert(memchr(advert->name, '\0', sizeof(advert->name)) != NULL);
	assert(memchr(advert->address, '\0', sizeof(advert->address)) != NULL);
	for (size_t i = 0; i < advert->n_parts; i++) {
		assert(advert->parts[i].n_bytes <= sizeof(advert->parts[i].bytes));
		assert(!advert->parts[i].is_service ||
			strlen(advert->parts[i].uuid) == RADIO_UUID_MAX - 1);
	}
}

static void sink_adapter(void *user, const char *path, const struct adapter_props *props) {
	(void) user;
	assert(path[0] == '/');
	assert(!props->has_address || strlen(props->address) == RADIO_ADDRESS_MAX - 1);
	assert(memchr(props->modalias, '\0', sizeof(props->modalias)) != NULL);
	assert(memchr(props->power_state, '\0', sizeof(props->power_state)) != NULL);
}

static void sink_device(void *user, const char *path, const struct device_props *props) {
	(void) user;
	assert(path[0] == '/');
	check_advert(&props->advert);
}

static void sink_service(void *user, const char *path, const char *uuid) {
	(void) user;
	assert(path[0] == '/' && (uuid[0] == '\0' || strlen(uuid) == RADIO_UUID_MAX - 1));
}

static void sink_characteristic(
	void *user, const char *path, const struct characteristic_props *props) {
	(void) user;
	assert(path[0] == '/');
	assert(props->uuid[0] == '\0' || strlen(props->uuid) == RADIO_UUID_MAX - 1);
	assert(memchr(props->service, '\0', sizeof(props->service)) != NULL);
}

/* All readers on all messages: a reader must refuse what is not its shape. */
static void read_all(sd_bus_message *m) {
	static const struct objects_sink sink = { .adapter = sink_adapter,
		.device = sink_device,
		.service = sink_service,
		.characteristic = sink_characteristic };
	struct adapter_props adapter;
	struct device_props device;
	const uint8_t *value;
	const char *path;
	bool has;
	size_t n;

	(void) objects_read_all(m, &sink, NULL);
	(void) sd_bus_message_rewind(m, true);
	(void) objects_read_added(m, &sink, NULL);
	(void) sd_bus_message_rewind(m, true);
	if (objects_read_adapter_changes(m, &adapter) >= 0) {
		sink_adapter(NULL, "/", &adapter);
	}
	(void) sd_bus_message_rewind(m, true);
	if (objects_read_device_changes(m, &device) >= 0) {
		check_advert(&device.advert);
	}
	(void) sd_bus_message_rewind(m, true);
	if (objects_read_device(m, &device) >= 0) {
		check_advert(&device.advert);
	}
	(void) sd_bus_message_rewind(m, true);
	if (objects_read_value(m, &value, &n) > 0 && n > 0) {
		assert(value != NULL);
	}
	(void) sd_bus_message_rewind(m, true);
	if (objects_read_removed(m, DEVICE_INTERFACE, &path, &has) >= 0) {
		assert(path[0] == '/');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	sd_bus_message *m = NULL;
	struct rd rd = rd_on(data, size);

	if (sd_bus_message_new_signal(
		    nowhere(), &m, "/", PROPERTIES_INTERFACE, "PropertiesChanged") < 0) {
		abort();
	}
	if (put_message(m, &rd) >= 0 && sd_bus_message_seal(m, 1, 0) >= 0 &&
		sd_bus_message_rewind(m, true) >= 0) {
		read_all(m);
	}
	sd_bus_message_unref(m);
	return 0;
}
