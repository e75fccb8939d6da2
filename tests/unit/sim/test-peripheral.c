/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A lock over the air: what a bluetoothd that is played here is given, and what it gets for it. */

#include "../../test.h"

#include <systemd/sd-bus.h>

#include "peripheral.h"
#include "private-bus.h"
#include "util/text.h"

#define ADAPTER "/org/bluez/hci1"
#define CENTRAL ADAPTER "/dev_00_AA_01_00_00_00"
#define CHAR1 "org.bluez.GattCharacteristic1"
#define PAIRING PERIPHERAL_GATT_PATH "/service1/char0"
#define KEYTURNER PERIPHERAL_GATT_PATH "/service2/char1"
#define SERIAL PERIPHERAL_GATT_PATH "/service0/char0"
#define DEADLINE_MS 60000

/* Request Data of the public key; the answer has 36 octets. */
static const uint8_t want_key[] = { 0x01, 0x00, 0x03, 0x00, 0x27, 0xa7 };

struct bench {
	struct private_bus *bus;
	struct loop *loop;
	struct world *world;
	struct peripheral *peripheral;
	bool is_ready;
	sd_bus *fake; /* bluetoothd */
	sd_bus_slot *advert_slot;
	bool is_powered;
	unsigned n_applications, n_adverts, n_withdrawn, n_disconnects;
	char client[32]; /* the peripheral's name on the bus */
	char said[256];  /* replies and values, as they came */
	sd_bus_message *reply;
};

static void say(struct bench *bench, const char *text) {
	size_t n = strlen(bench->said);
	snprintf(bench->said + n, sizeof(bench->said) - n, "%s%s", n > 0 ? " " : "", text);
}

/* ---- bluetoothd ---- */

static int register_application(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bench *bench = user;
	bench->n_applications++;
	text_copy(bench->client, sizeof(bench->client), sd_bus_message_get_sender(m));
	return sd_bus_reply_method_return(m, "");
}

static int register_advert(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bench *bench = user;
	bench->n_adverts++;
	return sd_bus_reply_method_return(m, "");
}

static int unregister_advert(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bench *bench = user;
	bench->n_withdrawn++;
	return sd_bus_reply_method_return(m, "");
}

static int disconnect(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bench *bench = user;
	bench->n_disconnects++;
	return sd_bus_reply_method_return(m, "");
}

static int get_powered(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct bench *bench = user;
	return sd_bus_message_append(reply, "b", bench->is_powered);
}

static int get_connected(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	return sd_bus_message_append(reply, "b", 0);
}

#define FREE SD_BUS_VTABLE_UNPRIVILEGED
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable adapter_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Powered", "b", get_powered, 0, CHANGES),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable gatt_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("RegisterApplication", "oa{sv}", "", register_application, FREE),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable advert_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("RegisterAdvertisement", "oa{sv}", "", register_advert, FREE),
	SD_BUS_METHOD("UnregisterAdvertisement", "o", "", unregister_advert, FREE),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable device_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Disconnect", "", "", disconnect, FREE),
	SD_BUS_PROPERTY("Connected", "b", get_connected, 0, CHANGES),
	SD_BUS_VTABLE_END,
};

static int on_value(sd_bus_message *m, void *user, sd_bus_error *error) {
	const char *interface = NULL, *name = NULL;
	const void *value = NULL;
	char text[32];
	size_t n = 0;
	assert_true(sd_bus_message_read(m, "s", &interface) > 0);
	if (!text_equal(interface, CHAR1)) {
		return 0;
	}
	assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
	assert_true(sd_bus_message_enter_container(m, 'e', "sv") > 0);
	assert_true(sd_bus_message_read(m, "s", &name) > 0);
	assert_string_equal(name, "Value");
	assert_true(sd_bus_message_enter_container(m, 'v', "ay") > 0);
	assert_true(sd_bus_message_read_array(m, 'y', &value, &n) > 0);
	snprintf(text, sizeof(text), "value:%zu", n);
	say(user, text);
	return 0;
}

static void fake_start(struct bench *bench, const char *adapter) {
	sd_bus *fake = NULL;
	assert_true(sd_bus_new(&fake) >= 0);
	assert_true(sd_bus_set_address(fake, private_bus_address(bench->bus)) >= 0);
	assert_true(sd_bus_set_bus_client(fake, true) >= 0);
	assert_true(sd_bus_start(fake) >= 0);
	assert_true(sd_bus_add_object_manager(fake, NULL, "/") >= 0);
	assert_true(sd_bus_add_object_vtable(
			    fake, NULL, adapter, "org.bluez.Adapter1", adapter_vtable, bench) >= 0);
	assert_true(sd_bus_add_object_vtable(fake, NULL, adapter, "org.bluez.GattManager1",
			    gatt_vtable, bench) >= 0);
	assert_true(sd_bus_add_object_vtable(fake, &bench->advert_slot, adapter,
			    "org.bluez.LEAdvertisingManager1", advert_vtable, bench) >= 0);
	assert_true(sd_bus_add_object_vtable(
			    fake, NULL, CENTRAL, "org.bluez.Device1", device_vtable, bench) >= 0);
	assert_true(sd_bus_add_match(fake, NULL,
			    "type='signal',interface='org.freedesktop.DBus.Properties',"
			    "path_namespace='" PERIPHERAL_GATT_PATH "'",
			    on_value, bench) >= 0);
	assert_true(sd_bus_request_name(fake, "org.bluez", 0) >= 0);
	bench->fake = fake;
}

static void fake_stop(struct bench *bench) {
	bench->advert_slot = sd_bus_slot_unref(bench->advert_slot);
	bench->fake = sd_bus_close_unref(bench->fake);
}

/* ---- the bench ---- */

static void turn(struct bench *bench) {
	world_now(bench->world);
	loop_turn(bench->loop, 2);
	while (bench->fake != NULL && sd_bus_process(bench->fake, NULL) > 0) {
	}
}

static void until(struct bench *bench, const bool *is_so) {
	for (int i = 0; i < DEADLINE_MS / 2 && !*is_so; i++) {
		turn(bench);
	}
	assert_true(*is_so);
}

static void until_n(struct bench *bench, const unsigned *number, unsigned wanted) {
	for (int i = 0; i < DEADLINE_MS / 2 && *number < wanted; i++) {
		turn(bench);
	}
	assert_int_equal(*number, wanted);
}

static void until_complaint(struct bench *bench, const char *part) {
	for (int i = 0; i < DEADLINE_MS / 2 && strstr(bench->peripheral->complaint, part) == NULL;
		i++) {
		turn(bench);
	}
	assert_non_null(strstr(bench->peripheral->complaint, part));
}

static void until_said(struct bench *bench, const char *wanted) {
	for (int i = 0; i < DEADLINE_MS / 2 && !text_equal(bench->said, wanted); i++) {
		turn(bench);
	}
	assert_string_equal(bench->said, wanted);
	bench->said[0] = '\0';
}

static void on_ready(void *user) {
	*(bool *) user = true;
}

static struct bench *bench_new(void) {
	static const char *const pairs[] = { "name", "front", "model", "nuki:gen4", "address",
		"54:D2:72:AA:BB:01", "pin", "1234", "pairing", "1", NULL };
	struct bench *bench = calloc(1, sizeof(*bench));
	char why[SIM_TEXT_MAX] = "";
	uint64_t seed = 1;
	struct sim_lock *lock = NULL;
	assert_non_null(bench);
	bench->is_powered = true;
	bench->bus = private_bus_new();
	assert_true(private_bus_start(bench->bus));
	bench->loop = loop_new();
	bench->world = world_new(bench->loop, 50, &seed);
	assert_non_null(bench->world);
	assert_int_equal(sim_lock_make(pairs, &bench->world->env, &lock, why), 0);
	assert_int_equal(world_add_lock(bench->world, lock), 0);
	const struct peripheral_options options = {
		.bus_address = private_bus_address(bench->bus),
		.adapter = "hci1",
	};
	bench->peripheral = peripheral_new(bench->world, &options, on_ready, &bench->is_ready);
	assert_non_null(bench->peripheral);
	assert_int_equal(peripheral_start(bench->peripheral), 0);
	return bench;
}

static struct bench *offered(void) {
	struct bench *bench = bench_new();
	fake_start(bench, ADAPTER);
	until(bench, &bench->is_ready);
	return bench;
}

static void bench_free(struct bench *bench) {
	sd_bus_message_unref(bench->reply);
	peripheral_free(bench->peripheral);
	world_free(bench->world);
	loop_free(bench->loop);
	fake_stop(bench);
	private_bus_free(bench->bus);
	free(bench);
}

static int on_reply(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bench *bench = user;
	const sd_bus_error *failure = sd_bus_message_get_error(m);
	sd_bus_message_unref(bench->reply);
	bench->reply = sd_bus_message_ref(m);
	say(bench, failure != NULL ? failure->name : "reply");
	return 0;
}

static void call(struct bench *bench, const char *path, const char *member) {
	assert_true(sd_bus_call_method_async(bench->fake, NULL, bench->client, path, CHAR1, member,
			    on_reply, bench, "") >= 0);
}

static void call_value(struct bench *bench, const char *path, const char *member,
	const uint8_t *value, size_t n, unsigned offset, unsigned mtu) {
	sd_bus_message *m = NULL;
	assert_true(sd_bus_message_new_method_call(
			    bench->fake, &m, bench->client, path, CHAR1, member) >= 0);
	if (value != NULL) {
		assert_true(sd_bus_message_append_array(m, 'y', value, n) >= 0);
	}
	assert_true(sd_bus_message_append(m, "a{sv}", 4, "device", "o", CENTRAL, "link", "s", "LE",
			    "offset", "q", offset, "mtu", "q", mtu) >= 0);
	assert_true(sd_bus_call_async(bench->fake, NULL, m, on_reply, bench, 0) >= 0);
	sd_bus_message_unref(m);
}

static void write_to(struct bench *bench, const char *path, const uint8_t *value, size_t n,
	unsigned offset, unsigned mtu) {
	call_value(bench, path, "WriteValue", value, n, offset, mtu);
}

static struct sim_lock *lock_of(struct bench *bench) {
	return bench->world->stations[0]->lock;
}

/* ---- cases ---- */

static void check_property(struct bench *bench, const char *path, const char *name,
	const char *type, const char *wanted) {
	char text[128] = "";
	const char *item = NULL;
	assert_true(sd_bus_call_method_async(bench->fake, NULL, bench->client, path,
			    "org.freedesktop.DBus.Properties", "Get", on_reply, bench, "ss", CHAR1,
			    name) >= 0);
	until_said(bench, "reply");
	assert_true(sd_bus_message_enter_container(bench->reply, 'v', type) > 0);
	if (type[0] == 'a') {
		assert_true(sd_bus_message_enter_container(bench->reply, 'a', "s") > 0);
	}
	while (sd_bus_message_read_basic(bench->reply, type[0] == 'a' ? 's' : type[0], &item) > 0) {
		size_t n = strlen(text);
		snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? "," : "", item);
	}
	assert_string_equal(text, wanted);
}

static void table_is_the_locks(void **state) {
	struct bench *bench = offered();
	const char *path = NULL;
	unsigned n = 0;
	assert_true(sd_bus_call_method_async(bench->fake, NULL, bench->client, PERIPHERAL_GATT_PATH,
			    "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", on_reply,
			    bench, "") >= 0);
	until_said(bench, "reply");
	assert_true(sd_bus_message_enter_container(bench->reply, 'a', "{oa{sa{sv}}}") > 0);
	while (sd_bus_message_enter_container(bench->reply, 'e', "oa{sa{sv}}") > 0) {
		assert_true(sd_bus_message_read(bench->reply, "o", &path) > 0);
		assert_true(sd_bus_message_skip(bench->reply, "a{sa{sv}}") > 0);
		assert_true(sd_bus_message_exit_container(bench->reply) > 0);
		n++;
	}
	/* 3 services, 3 + 1 + 3 characteristics; the advertisement is no part of it. */
	assert_int_equal(n, 10);
	check_property(bench, KEYTURNER, "UUID", "s", "a92ee202-5501-11e4-916c-0800200c9a66");
	check_property(bench, KEYTURNER, "Flags", "as", "read,write,indicate");
	check_property(bench, KEYTURNER, "Service", "o", PERIPHERAL_GATT_PATH "/service2");
	bench_free(bench);
}

static void messages_are_cut_and_wait_for_each_other(void **state) {
	struct bench *bench = offered();
	call(bench, PAIRING, "StartNotify");
	until_said(bench, "reply");
	write_to(bench, PAIRING, want_key, sizeof(want_key), 0, 23);
	until_said(bench, "reply value:20");
	for (int i = 0; i < 50; i++) {
		turn(bench);
	}
	assert_string_equal(bench->said, "");
	call(bench, PAIRING, "Confirm");
	until_said(bench, "reply value:16");
	assert_int_equal(lock_of(bench)->counters.connections, 1);
	bench_free(bench);
}

static void messages_are_whole_when_they_fit(void **state) {
	struct bench *bench = offered();
	call(bench, PAIRING, "StartNotify");
	until_said(bench, "reply");
	write_to(bench, PAIRING, want_key, sizeof(want_key), 0, 517);
	until_said(bench, "reply value:36");
	bench_free(bench);
}

static void without_a_listener_nothing_is_said(void **state) {
	struct bench *bench = offered();
	write_to(bench, PAIRING, want_key, sizeof(want_key), 0, 517);
	until_said(bench, "reply");
	for (int i = 0; i < 50; i++) {
		turn(bench);
	}
	assert_string_equal(bench->said, "");
	bench_free(bench);
}

static void long_write_comes_in_parts(void **state) {
	struct bench *bench = offered();
	write_to(bench, PAIRING, want_key, 3, 0, 23);
	until_said(bench, "reply");
	call(bench, PAIRING, "StartNotify");
	until_said(bench, "reply");
	write_to(bench, PAIRING, want_key + 3, sizeof(want_key) - 3, 3, 517);
	until_said(bench, "reply value:36");
	write_to(bench, PAIRING, want_key, 1, 7, 517);
	until_said(bench, "org.bluez.Error.InvalidOffset");
	write_to(bench, PAIRING, (uint8_t[PERIPHERAL_VALUE_MAX + 1]){ 0 }, PERIPHERAL_VALUE_MAX + 1,
		0, 517);
	until_said(bench, "org.bluez.Error.InvalidValueLength");
	bench_free(bench);
}

static void reading(void **state) {
	struct bench *bench = offered();
	const void *whole = NULL, *part = NULL;
	size_t n_whole = 0, n_part = 0;
	uint8_t copy[PERIPHERAL_VALUE_MAX];
	call_value(bench, SERIAL, "ReadValue", NULL, 0, 0, 23);
	until_said(bench, "reply");
	assert_true(sd_bus_message_read_array(bench->reply, 'y', &whole, &n_whole) > 0);
	assert_true(n_whole > 2);
	memcpy(copy, whole, n_whole);
	call_value(bench, SERIAL, "ReadValue", NULL, 0, 2, 23);
	until_said(bench, "reply");
	assert_true(sd_bus_message_read_array(bench->reply, 'y', &part, &n_part) > 0);
	assert_int_equal(n_part, n_whole - 2);
	assert_memory_equal(part, copy + 2, n_part);
	call_value(bench, SERIAL, "ReadValue", NULL, 0, 100, 23);
	until_said(bench, "org.bluez.Error.InvalidOffset");
	write_to(bench, SERIAL, want_key, 1, 0, 23);
	until_said(bench, "org.bluez.Error.NotPermitted");
	bench_free(bench);
}

static void links_end_with_the_device(void **state) {
	struct bench *bench = offered();
	write_to(bench, PAIRING, want_key, sizeof(want_key), 0, 23);
	until_said(bench, "reply");
	assert_true(lock_of(bench)->links[0].is_up);
	/* Hung up by the lock: bluetoothd is asked, the link lasts until it says so. */
	world_now(bench->world);
	sim_lock_drop(lock_of(bench), 0);
	until_n(bench, &bench->n_disconnects, 1);
	assert_true(lock_of(bench)->links[0].is_up);
	assert_true(sd_bus_emit_properties_changed(
			    bench->fake, CENTRAL, "org.bluez.Device1", "Connected", NULL) >= 0);
	for (int i = 0; i < DEADLINE_MS / 2 && lock_of(bench)->links[0].is_up; i++) {
		turn(bench);
	}
	assert_false(lock_of(bench)->links[0].is_up);
	bench_free(bench);
}

static void changed_advert_is_offered_anew(void **state) {
	struct bench *bench = offered();
	char why[SIM_TEXT_MAX] = "";
	assert_int_equal(bench->n_adverts, 1);
	assert_int_equal(bench->peripheral->advert.n_manufacturer, 0);
	assert_int_equal(
		lock_of(bench)->impl->pairing(lock_of(bench), false, world_now(bench->world), why),
		0);
	until_n(bench, &bench->n_adverts, 2);
	assert_int_equal(bench->n_withdrawn, 1);
	assert_int_equal(bench->peripheral->advert.company, 0x004c);
	/* Out of range, and back. */
	bench->world->stations[0]->is_in_range = false;
	station_changed(bench->world->stations[0]);
	until_n(bench, &bench->n_withdrawn, 2);
	write_to(bench, PAIRING, want_key, sizeof(want_key), 0, 23);
	until_said(bench, "org.bluez.Error.Failed");
	bench->world->stations[0]->is_in_range = true;
	station_changed(bench->world->stations[0]);
	until_n(bench, &bench->n_adverts, 3);
	bench_free(bench);
}

static void restarted_bluetoothd_is_given_all_again(void **state) {
	struct bench *bench = offered();
	write_to(bench, PAIRING, want_key, sizeof(want_key), 0, 23);
	until_said(bench, "reply");
	fake_stop(bench);
	until_complaint(bench, "bluetoothd has gone");
	assert_false(lock_of(bench)->links[0].is_up);
	fake_start(bench, ADAPTER);
	until_n(bench, &bench->n_applications, 2);
	until_n(bench, &bench->n_adverts, 2);
	bench_free(bench);
}

static void what_is_missing_is_said(void **state) {
	struct bench *bench = bench_new();
	until_complaint(bench, "no bluetoothd");
	fake_start(bench, "/org/bluez/hci0");
	until_complaint(bench, "no such adapter");
	fake_stop(bench);
	bench->is_powered = false;
	fake_start(bench, ADAPTER);
	until_complaint(bench, "switched off");
	bench->advert_slot = sd_bus_slot_unref(bench->advert_slot);
	bench->is_powered = true;
	assert_true(sd_bus_emit_properties_changed(
			    bench->fake, ADAPTER, "org.bluez.Adapter1", "Powered", NULL) >= 0);
	until_complaint(bench, "no org.bluez.LEAdvertisingManager1");
	assert_false(bench->is_ready);
	bench_free(bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_the_locks),
		cmocka_unit_test(messages_are_cut_and_wait_for_each_other),
		cmocka_unit_test(messages_are_whole_when_they_fit),
		cmocka_unit_test(without_a_listener_nothing_is_said),
		cmocka_unit_test(long_write_comes_in_parts),
		cmocka_unit_test(reading),
		cmocka_unit_test(links_end_with_the_device),
		cmocka_unit_test(changed_advert_is_offered_anew),
		cmocka_unit_test(restarted_bluetoothd_is_given_all_again),
		cmocka_unit_test(what_is_missing_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
