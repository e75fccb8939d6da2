/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "objects.h"

#include <errno.h>
#include <string.h>

#include "advert.h"
#include "loop/bus.h"
#include "util/text.h"

/* Calls @fn for each entry of a{sv}; it has to take the variant off the message. */
/* 1: inside a variant of that type; 0: it was of another type and has been skipped. */
static int enter_variant(sd_bus_message *m, const char *contents) {
	char type;
	const char *found;
	int r = sd_bus_message_peek_type(m, &type, &found);

	if (r < 0) {
		return r;
	}
	if (type != 'v' || !text_equal(found, contents)) {
		r = sd_bus_message_skip(m, "v");
		return r < 0 ? r : 0;
	}
	return sd_bus_message_enter_container(m, 'v', contents);
}

/* @return 1 read, 0 not of that type. */
static int read_basic(sd_bus_message *m, char type, void *ret) {
	char contents[2] = { type, '\0' };
	int r = enter_variant(m, contents);

	if (r <= 0) {
		return r;
	}
	r = sd_bus_message_read_basic(m, type, ret);
	if (r < 0) {
		return r;
	}
	r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static int read_bool(sd_bus_message *m, bool *ret, bool *ret_has) {
	int value;
	int r = read_basic(m, 'b', &value);

	if (r > 0) {
		*ret = value != 0;
		*ret_has = true;
	}
	return r;
}

static int read_text(sd_bus_message *m, char type, char *out, size_t size, bool *ret_has) {
	const char *text;
	int r = read_basic(m, type, &text);

	if (r > 0) {
		(void) text_copy(out, size, text);
		*ret_has = true;
	}
	return r;
}

/* v holding ay. @return 1 read, 0 not that. */
static int read_bytes(sd_bus_message *m, const uint8_t **ret, size_t *ret_n) {
	const void *bytes;
	int r = enter_variant(m, "ay");

	if (r <= 0) {
		return r;
	}
	r = sd_bus_message_read_array(m, 'y', &bytes, ret_n);
	if (r < 0) {
		return r;
	}
	*ret = bytes;
	r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static int read_adapter_property(sd_bus_message *m, const char *name, void *user) {
	struct adapter_props *props = user;
	bool has;

	if (strcmp(name, "Address") == 0) {
		char text[32] = "";
		int r = read_text(m, 's', text, sizeof(text), &has);
		props->has_address = r > 0 && address_normalize(text, props->address) == 0;
		return r;
	}
	if (strcmp(name, "Powered") == 0) {
		return read_bool(m, &props->is_powered, &props->has_powered);
	}
	if (strcmp(name, "Discovering") == 0) {
		return read_bool(m, &props->is_discovering, &props->has_discovering);
	}
	if (strcmp(name, "PowerState") == 0) {
		return read_text(m, 's', props->power_state, sizeof(props->power_state),
			&props->has_power_state);
	}
	if (strcmp(name, "Modalias") == 0) {
		return read_text(m, 's', props->modalias, sizeof(props->modalias), &has);
	}
	return sd_bus_message_skip(m, "v");
}

/* v holding a{qv}, each v holding ay. */
static int read_manufacturer(sd_bus_message *m, struct device_props *props) {
	int r = enter_variant(m, "a{qv}");

	if (r <= 0) {
		return r;
	}
	advert_clear(&props->advert, false);
	props->has_manufacturer = true;
	r = sd_bus_message_enter_container(m, 'a', "{qv}");
	if (r < 0) {
		return r;
	}
	while ((r = sd_bus_message_enter_container(m, 'e', "qv")) > 0) {
		uint16_t company;
		const uint8_t *bytes;
		size_t n;
		r = sd_bus_message_read_basic(m, 'q', &company);
		if (r < 0) {
			return r;
		}
		r = read_bytes(m, &bytes, &n);
		if (r < 0) {
			return r;
		}
		if (r > 0) {
			/* What does not fit is left out: nothing of ours is that large. */
			(void) advert_put_manufacturer(&props->advert, company, bytes, n);
		}
		r = sd_bus_message_exit_container(m);
		if (r < 0) {
			return r;
		}
	}
	if (r >= 0) {
		r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_service_entry(sd_bus_message *m, const char *uuid, void *user) {
	struct device_props *props = user;
	const uint8_t *bytes;
	size_t n;
	int r = read_bytes(m, &bytes, &n);

	if (r > 0) {
		(void) advert_put_service(&props->advert, uuid, bytes, n);
	}
	return r;
}

static int read_services(sd_bus_message *m, struct device_props *props) {
	int r = enter_variant(m, "a{sv}");

	if (r <= 0) {
		return r;
	}
	advert_clear(&props->advert, true);
	props->has_service = true;
	r = bus_each_property(m, read_service_entry, props);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_device_property(sd_bus_message *m, const char *name, void *user) {
	struct device_props *props = user;
	char text[ADVERT_NAME_MAX] = "";
	bool has = false;
	int r;

	if (strcmp(name, "Connected") == 0) {
		return read_bool(m, &props->is_connected, &props->has_connected);
	}
	if (strcmp(name, "ServicesResolved") == 0) {
		return read_bool(m, &props->is_resolved, &props->has_resolved);
	}
	if (strcmp(name, "RSSI") == 0) {
		r = read_basic(m, 'n', &props->advert.rssi);
		props->has_rssi = r > 0;
		return r;
	}
	if (strcmp(name, "ManufacturerData") == 0) {
		return read_manufacturer(m, props);
	}
	if (strcmp(name, "ServiceData") == 0) {
		return read_services(m, props);
	}
	if (strcmp(name, "Name") == 0) {
		r = read_text(m, 's', text, sizeof(text), &has);
		if (has) {
			advert_set_name(&props->advert, text);
			props->has_name = true;
		}
		return r;
	}
	if (strcmp(name, "Address") == 0) {
		r = read_text(m, 's', text, sizeof(text), &has);
		props->has_address = has && address_normalize(text, props->advert.address) == 0;
		return r;
	}
	if (strcmp(name, "AddressType") == 0) {
		r = read_text(m, 's', text, sizeof(text), &props->has_address_type);
		props->advert.is_random = text_equal(text, "random");
		return r;
	}
	/* Bonded came after 5.66 on some builds; Paired says enough for "do not remove it". */
	if (strcmp(name, "Bonded") == 0 || strcmp(name, "Paired") == 0) {
		bool value = false;
		r = read_bool(m, &value, &props->has_bonded);
		props->is_bonded = props->is_bonded || value;
		return r;
	}
	return sd_bus_message_skip(m, "v");
}

static int read_service_property(sd_bus_message *m, const char *name, void *user) {
	char *uuid = user;
	char text[RADIO_UUID_MAX + 1] = "";
	bool has = false;

	if (strcmp(name, "UUID") != 0) {
		return sd_bus_message_skip(m, "v");
	}
	int r = read_text(m, 's', text, sizeof(text), &has);
	if (has) {
		(void) uuid_normalize(text, uuid);
	}
	return r;
}

/* Flags: an array of words. */
static int read_flags(sd_bus_message *m, bool *ret_is_command_only) {
	const char *flag;
	bool has_request = false, has_command = false;
	int r = enter_variant(m, "as");

	if (r <= 0) {
		return r;
	}
	r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &flag)) > 0) {
		has_request = has_request || strcmp(flag, "write") == 0;
		has_command = has_command || strcmp(flag, "write-without-response") == 0;
	}
	if (r >= 0) {
		r = sd_bus_message_exit_container(m);
	}
	*ret_is_command_only = has_command && !has_request;
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_characteristic_property(sd_bus_message *m, const char *name, void *user) {
	struct characteristic_props *props = user;
	bool has = false;

	if (strcmp(name, "Service") == 0) {
		return read_text(m, 'o', props->service, sizeof(props->service), &has);
	}
	if (strcmp(name, "MTU") == 0) {
		return read_basic(m, 'q', &props->mtu);
	}
	if (strcmp(name, "Flags") == 0) {
		return read_flags(m, &props->is_command_only);
	}
	return read_service_property(m, name, props->uuid);
}

/* One entry of a{sa{sv}}, behind the interface's name. */
static int read_interface(sd_bus_message *m, const char *path, const char *interface,
	const struct objects_sink *sink, void *user) {
	int r;

	if (strcmp(interface, DEVICE_INTERFACE) == 0 && sink->device != NULL) {
		struct device_props props = { 0 };
		r = bus_each_property(m, read_device_property, &props);
		if (r >= 0) {
			sink->device(user, path, &props);
		}
		return r;
	}
	if (strcmp(interface, CHARACTERISTIC_INTERFACE) == 0 && sink->characteristic != NULL) {
		struct characteristic_props props = { 0 };
		r = bus_each_property(m, read_characteristic_property, &props);
		if (r >= 0) {
			sink->characteristic(user, path, &props);
		}
		return r;
	}
	if (strcmp(interface, SERVICE_INTERFACE) == 0 && sink->service != NULL) {
		char uuid[RADIO_UUID_MAX] = "";
		r = bus_each_property(m, read_service_property, uuid);
		if (r >= 0) {
			sink->service(user, path, uuid);
		}
		return r;
	}
	if (strcmp(interface, ADAPTER_INTERFACE) == 0 && sink->adapter != NULL) {
		struct adapter_props props = { 0 };
		r = bus_each_property(m, read_adapter_property, &props);
		if (r >= 0) {
			sink->adapter(user, path, &props);
		}
		return r;
	}
	if (strcmp(interface, MONITOR_MANAGER_INTERFACE) == 0 && sink->monitors != NULL) {
		sink->monitors(user, path);
	}
	return sd_bus_message_skip(m, "a{sv}");
}

/* oa{sa{sv}}, which is also one entry of the big dictionary. */
static int read_object(sd_bus_message *m, const struct objects_sink *sink, void *user) {
	const char *path, *interface;
	int r = sd_bus_message_read_basic(m, 'o', &path);

	if (r < 0) {
		return r;
	}
	if (r == 0) {
		return -EBADMSG;
	}
	if (sink->wants != NULL && !sink->wants(user, path)) {
		return sd_bus_message_skip(m, "a{sa{sv}}");
	}
	r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	if (r < 0) {
		return r;
	}
	while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = sd_bus_message_read_basic(m, 's', &interface);
		if (r >= 0) {
			r = read_interface(m, path, interface, sink, user);
		}
		if (r >= 0) {
			r = sd_bus_message_exit_container(m);
		}
		if (r < 0) {
			return r;
		}
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int objects_read_all(sd_bus_message *message, const struct objects_sink *sink, void *user) {
	int r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");

	if (r < 0) {
		return r;
	}
	while ((r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
		r = read_object(message, sink, user);
		if (r >= 0) {
			r = sd_bus_message_exit_container(message);
		}
		if (r < 0) {
			return r;
		}
	}
	return r;
}

int objects_read_added(sd_bus_message *message, const struct objects_sink *sink, void *user) {
	return read_object(message, sink, user);
}

int objects_read_removed(sd_bus_message *message, const char *interface, const char **ret_path,
	bool *ret_has_interface) {
	const char *path, *name;
	bool has = false;
	int r = sd_bus_message_read_basic(message, 'o', &path);

	if (r <= 0) {
		return r < 0 ? r : -EBADMSG;
	}
	r = sd_bus_message_enter_container(message, 'a', "s");
	if (r < 0) {
		return r;
	}
	while ((r = sd_bus_message_read_basic(message, 's', &name)) > 0) {
		has = has || strcmp(name, interface) == 0;
	}
	if (r < 0) {
		return r;
	}
	*ret_path = path;
	*ret_has_interface = has;
	return 0;
}

/* sa{sv}, leaves the message in front of the invalidated names. */
static int read_changes(sd_bus_message *message, const char *interface,
	int (*fn)(sd_bus_message *m, const char *name, void *user), void *user) {
	const char *name;
	int r = sd_bus_message_read_basic(message, 's', &name);

	if (r <= 0) {
		return r < 0 ? r : -EBADMSG;
	}
	if (strcmp(name, interface) != 0) {
		return -ENOMSG;
	}
	return bus_each_property(message, fn, user);
}

int objects_read_adapter_changes(sd_bus_message *message, struct adapter_props *ret) {
	struct adapter_props props = { 0 };
	int r = read_changes(message, ADAPTER_INTERFACE, read_adapter_property, &props);

	if (r < 0) {
		return r;
	}
	*ret = props;
	return 0;
}

int objects_read_device_changes(sd_bus_message *message, struct device_props *ret) {
	const char *name;

	memset(ret, 0, sizeof(*ret));
	int r = read_changes(message, DEVICE_INTERFACE, read_device_property, ret);
	if (r < 0) {
		return r;
	}
	r = sd_bus_message_enter_container(message, 'a', "s");
	if (r < 0) {
		return r;
	}
	while ((r = sd_bus_message_read_basic(message, 's', &name)) > 0) {
		if (strcmp(name, "RSSI") == 0) {
			ret->is_rssi_gone = true;
		}
	}
	return r;
}

int objects_read_device(sd_bus_message *message, struct device_props *ret) {
	memset(ret, 0, sizeof(*ret));
	return bus_each_property(message, read_device_property, ret);
}

struct value {
	const uint8_t *bytes;
	size_t n;
	bool has;
};

static int read_value_property(sd_bus_message *m, const char *name, void *user) {
	struct value *value = user;

	if (strcmp(name, "Value") != 0) {
		return sd_bus_message_skip(m, "v");
	}
	int r = read_bytes(m, &value->bytes, &value->n);
	value->has = r > 0;
	return r;
}

int objects_read_value(sd_bus_message *message, const uint8_t **ret_value, size_t *ret_n) {
	struct value value = { 0 };
	int r = read_changes(message, CHARACTERISTIC_INTERFACE, read_value_property, &value);

	if (r < 0) {
		return r == -ENOMSG ? 0 : r;
	}
	if (!value.has) {
		return 0;
	}
	*ret_value = value.bytes;
	*ret_n = value.n;
	return 1;
}
