/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The virtual org.bluez as a client sees it: order and words are those that were observed with
 * bluetoothd 5.66. The simulator runs ten times as fast, so that 41 s of patience are 4.1 s, and
 * the 30 s for which it knows a device outlast what a busy machine needs to connect.
 */

#include <sys/stat.h>
#include <unistd.h>

#include "../../test.h"
#include "bluez-client.h"

#define ADAPTER1 "org.bluez.Adapter1"
#define DEVICE1 "org.bluez.Device1"
#define CHAR1 "org.bluez.GattCharacteristic1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

static const char *const one_lock[] = { "--lock",
	"name=front,model=nuki:gen4,address=54:D2:72:AA:BB:01,pin=1234", "--speed=10", "--seed=1",
	NULL };

/* Deciphers under no key: the lock answers with its plain error. */
static const uint8_t nonsense[80] = { 1, 2, 3, [28] = 50 };
static const uint8_t plain_error[] = { 0x12, 0x00, 0x20, 0x00, 0x00, 0x13, 0xd7 };

static struct client *start(void) {
	return client_new(one_lock);
}

static void check_value(struct client *client, const uint8_t *wanted, size_t n) {
	const uint8_t *value = NULL;
	assert_int_equal(client_value(client, &value), n);
	assert_memory_equal(value, wanted, n);
}

static void hear(struct client *client, const char *path) {
	client_call(client, path, CHAR1, "StartNotify", NULL);
	client_skip_to(client, "reply StartNotify");
}

/* ---- discovery ---- */

static void discovery(void **state) {
	struct client *client = start();
	client_call(client, "hci0", ADAPTER1, "StopDiscovery", NULL);
	client_expect(client, "error StopDiscovery org.bluez.Error.Failed: No discovery started");
	client_call(client, "hci0", ADAPTER1, "SetDiscoveryFilter", "a{sv}", 1, "Transport", "s",
		"zigbee");
	client_expect(client, "error SetDiscoveryFilter org.bluez.Error.InvalidArguments: Invalid "
			      "arguments in method call");
	client_call(client, "hci0", ADAPTER1, "SetDiscoveryFilter", "a{sv}", 1, "Nope", "b", 1);
	client_expect(client, "error SetDiscoveryFilter org.bluez.Error.InvalidArguments: Invalid "
			      "arguments in method call");
	client_call(client, "hci0", ADAPTER1, "SetDiscoveryFilter", "a{sv}", 2, "Transport", "s",
		"le", "DuplicateData", "b", 1);
	client_expect(client, "reply SetDiscoveryFilter");
	assert_false(client_sees(client, FRONT, NULL));
	int64_t began = client_now_ms();
	client_call(client, "hci0", ADAPTER1, "StartDiscovery", NULL);
	client_expect(client, "reply StartDiscovery");
	client_expect(client, "changed hci0 Discovering=1");
	client_expect(client, "added " FRONT);
	assert_true(client_sees(client, FRONT, "RSSI"));
	assert_true(client_sees(client, FRONT, "ManufacturerData"));
	assert_false(client_sees(client, FRONT, "ServiceData"));
	client_call(client, "hci0", ADAPTER1, "StartDiscovery", NULL);
	client_expect(client,
		"error StartDiscovery org.bluez.Error.InProgress: Operation already in progress");
	client_until_left_out(client, 2);
	client_call(client, "hci0", ADAPTER1, "StopDiscovery", NULL);
	client_expect(client, "reply StopDiscovery");
	/* One in each scan window of 10 s. */
	size_t n_windows = (size_t) (client_now_ms() - began) / 1000 + 1;
	assert_in_range(client_n_left_out(client), 2, n_windows + 1);
	client_expect(client, "changed " FRONT " -RSSI");
	client_expect(client, "changed hci0 Discovering=0");
	assert_false(client_sees(client, FRONT, "RSSI"));
	client_free(client);
}

static void unseen_device_is_forgotten(void **state) {
	struct client *client = start();
	client_discover(client);
	client_expect(client, "removed " FRONT); /* 30 s later */
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "error Connect org.freedesktop.DBus.Error.UnknownObject: Method "
			      "\"Connect\" with signature \"\" on interface "
			      "\"org.bluez.Device1\" doesn't exist\n");
	client_free(client);
}

static void sessions_end_with_their_client(void **state) {
	struct client *client = start();
	sd_bus *other = client_other(client);
	assert_true(sd_bus_call_method(other, "org.bluez", "/org/bluez/hci0", ADAPTER1,
			    "StartDiscovery", NULL, NULL, NULL) >= 0);
	client_expect(client, "changed hci0 Discovering=1");
	client_expect(client, "added " FRONT);
	sd_bus_flush_close_unref(other);
	client_expect(client, "changed " FRONT " -RSSI");
	client_expect(client, "changed hci0 Discovering=0");
	client_free(client);
}

/* ---- links ---- */

static void connect_and_disconnect(void **state) {
	struct client *client = start();
	client_discover(client);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(
		client, "error Connect org.bluez.Error.Failed: Operation already in progress");
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_expect(client, "changed " FRONT " UUIDs ServicesResolved=1");
	client_expect(client, "added " FRONT "/service0006");
	client_expect(client, "added " FRONT "/service0006/char0007");
	client_expect(client, "added " FRONT "/service0006/char0007/desc0009");
	client_skip_to(client, "added " EXTRA);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "reply Connect");
	assert_true(client_sees(client, USER, "Notifying"));
	assert_false(client_sees(client, USER, "NotifyAcquired"));
	assert_false(client_sees(client, SERIAL, "Notifying"));
	assert_true(client_sees(client, EXTRA, "WriteAcquired"));

	client_call(client, FRONT, DEVICE1, "Disconnect", NULL);
	client_expect(client, "changed " FRONT " ServicesResolved=0");
	client_expect(client, "reply Disconnect");
	client_expect(client, "changed " FRONT " Connected=0");
	assert_true(client_sees(client, USER, NULL)); /* objects stay */
	client_call(client, FRONT, DEVICE1, "Disconnect", NULL);
	client_expect(client, "reply Disconnect");

	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_expect(client, "changed " FRONT " ServicesResolved=1");
	assert_int_equal(client_ctl(client, "fault", "front", "drop", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_expect_quiet(client, 100);
	client_free(client);
}

static void connected_signal_may_be_missing(void **state) {
	struct client *client = start();
	client_discover(client);
	assert_int_equal(client_ctl(client, "bluez", "connected-signal", "missing", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "reply Connect");
	client_expect(client, "changed " FRONT " UUIDs ServicesResolved=1");
	client_free(client);
}

static void out_of_range(void **state) {
	struct client *client = start();
	client_discover(client);
	assert_int_equal(client_ctl(client, "range", "front", "out", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect_quiet_since_call(client, 3000); /* 30 s */
	client_expect(client, "error Connect org.bluez.Error.Failed: le-connection-abort-by-local");
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_call(client, FRONT, DEVICE1, "Disconnect", NULL);
	client_expect(client, "error Connect org.bluez.Error.Failed: br-connection-canceled");
	client_expect(client, "reply Disconnect");
	/* Back in range while a Connect is pending. */
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect_quiet(client, 100);
	assert_int_equal(client_ctl(client, "range", "front", "in", NULL), 0);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_free(client);
}

static void patience_may_be_real(void **state) {
	const char *const args[] = { one_lock[0], one_lock[1], one_lock[2], "--patience=6", NULL };
	struct client *client = client_new(args);
	client_discover(client);
	assert_int_equal(client_ctl(client, "range", "front", "out", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect_quiet_since_call(client, 5500); /* the usual 41 s end after 4.1 s */
	client_expect(client, "error Connect org.bluez.Error.Failed: le-connection-abort-by-local");
	client_free(client);
}

static void connect_faults(void **state) {
	struct client *client = start();
	client_discover(client);
	assert_int_equal(client_ctl(client, "fault", "front", "connect-flip", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "error Connect org.bluez.Error.Failed: le-connection-abort-by-local");
	client_expect(client, "changed " FRONT " Connected=0");

	assert_int_equal(client_ctl(client, "fault", "front", "connect-no-link", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "reply Connect");
	client_expect_quiet(client, 100);

	assert_int_equal(client_ctl(client, "fault", "front", "never-resolve", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_expect_quiet(client, 200);
	client_call(client, FRONT, DEVICE1, "Disconnect", NULL);
	client_expect(client, "reply Disconnect");
	client_expect(client, "changed " FRONT " Connected=0");

	assert_int_equal(client_ctl(client, "fault", "front", "late-objects", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_expect(client, "changed " FRONT " UUIDs ServicesResolved=1");
	assert_false(client_sees(client, USER, NULL));
	client_skip_to(client, "added " EXTRA);
	client_free(client);
}

static void phantom_and_hanging_disconnect(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	assert_int_equal(client_ctl(client, "fault", "front", "drop", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	assert_int_equal(client_ctl(client, "fault", "front", "phantom", NULL), 0);
	assert_int_equal(client_ctl(client, "fault", "front", "disconnect-hang", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "error WriteValue org.bluez.Error.Failed: Not connected");
	client_call(client, FRONT, DEVICE1, "Disconnect", NULL);
	client_expect_quiet(client, 300);
	client_call(client, FRONT, DEVICE1, "Disconnect", NULL);
	client_expect(client, "reply Disconnect");
	client_expect(client, "reply Disconnect");
	client_expect(client, "changed " FRONT " Connected=0");
	client_free(client);
}

/* ---- GATT ---- */

static void read_write_listen(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	client_call(client, SERIAL, CHAR1, "ReadValue", "a{sv}", 0);
	client_expect(client, "changed " SERIAL " Value");
	client_expect(client, "reply ReadValue");
	client_call(client, EXTRA, CHAR1, "ReadValue", "a{sv}", 0);
	client_expect(client, "error ReadValue org.bluez.Error.NotPermitted: Read not permitted");
	client_call(client, SERIAL, CHAR1, "StartNotify", NULL);
	client_expect(client,
		"error StartNotify org.bluez.Error.NotSupported: Operation is not supported");
	client_call(client, USER, CHAR1, "AcquireNotify", "a{sv}", 0);
	client_expect(client,
		"error AcquireNotify org.bluez.Error.NotSupported: Operation is not supported");
	client_call(client, USER, CHAR1, "AcquireWrite", "a{sv}", 0);
	client_expect(client,
		"error AcquireWrite org.bluez.Error.NotSupported: Operation is not supported");
	client_call(client, EXTRA, CHAR1, "AcquireWrite", "a{sv}", 0);
	client_expect(client, "changed " EXTRA " WriteAcquired=1");
	client_expect(client, "reply AcquireWrite");
	client_expect(client, "changed " EXTRA " WriteAcquired=0"); /* nobody kept the descriptor */

	client_call(client, PLAIN, CHAR1, "StartNotify", NULL);
	client_expect(client, "changed " PLAIN " Notifying=1");
	client_expect(client, "reply StartNotify");
	client_call(client, PLAIN, CHAR1, "StartNotify", NULL);
	client_expect(client, "reply StartNotify");
	client_write(client, USER, nonsense, sizeof(nonsense), "request");
	client_write(client, USER, nonsense, sizeof(nonsense), "request");
	client_expect(client, "error WriteValue org.bluez.Error.InProgress: In Progress");
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	check_value(client, plain_error, sizeof(plain_error));
	client_write(client, SERIAL, nonsense, 3, NULL);
	client_expect(client,
		"error WriteValue org.bluez.Error.NotSupported: Operation is not supported");
	client_call(client, PLAIN, CHAR1, "StopNotify", NULL);
	client_skip_to(client, "reply StopNotify");
	client_call(client, PLAIN, CHAR1, "StopNotify", NULL);
	client_expect(client, "error StopNotify org.bluez.Error.Failed: No notify session started");
	client_free(client);
}

static void long_write_at_small_mtu(void **state) {
	struct client *client = start();
	uint8_t long_value[300] = { 1, [28] = 14, [29] = 1 }; /* 30 + 270 octets */
	assert_int_equal(client_ctl(client, "set", "front", "mtu=23", NULL), 0);
	client_discover(client);
	client_connect(client);
	hear(client, PLAIN);
	client_write(client, USER, long_value, sizeof(long_value), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	check_value(client, plain_error, sizeof(plain_error));
	client_free(client);
}

static void subscription_outlives_the_link(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	hear(client, PLAIN);
	assert_int_equal(client_ctl(client, "fault", "front", "drop", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	/* Not connected: writing fails, listening is armed for the next link. */
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "error WriteValue org.bluez.Error.Failed: Not connected");
	client_call(client, USER, CHAR1, "StartNotify", NULL);
	client_expect(client, "reply StartNotify");
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_expect(client, "changed " USER " Notifying=1");
	client_expect(client, "changed " FRONT " ServicesResolved=1");
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	client_free(client);
}

static void write_faults(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	hear(client, PLAIN);
	assert_int_equal(client_ctl(client, "fault", "front", "mute", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect_quiet(client, 100);
	assert_int_equal(client_ctl(client, "fault", "front", "duplicate", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	client_expect(client, "changed " PLAIN " Value");
	assert_int_equal(client_ctl(client, "fault", "front", "early", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "changed " PLAIN " Value");
	client_expect(client, "reply WriteValue");
	assert_int_equal(client_ctl(client, "fault", "front", "garble", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	const uint8_t *value = NULL;
	assert_int_equal(client_value(client, &value), sizeof(plain_error));
	assert_memory_not_equal(value, plain_error, sizeof(plain_error));
	assert_int_equal(client_ctl(client, "fault", "front", "write-error", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client,
		"error WriteValue org.bluez.Error.Failed: Operation failed with ATT error: 0x80");
	assert_int_equal(client_ctl(client, "fault", "front", "drop-in-write", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client,
		"error WriteValue org.bluez.Error.Failed: Operation failed with ATT error: 0x0e");
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_connect(client);
	assert_int_equal(client_ctl(client, "fault", "front", "drop-in-write-first", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_expect(client,
		"error WriteValue org.bluez.Error.Failed: Operation failed with ATT error: 0x0e");
	client_connect(client);
	assert_int_equal(client_ctl(client, "fault", "front", "drop-after-write", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_connect(client);
	assert_int_equal(client_ctl(client, "fault", "front", "att-stall", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect_quiet_since_call(client, 2000); /* 20 s */
	client_expect(client,
		"error WriteValue org.bluez.Error.Failed: Operation failed with ATT error: 0x0e");
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_free(client);
}

static void stale_handles_need_removal(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	assert_int_equal(client_ctl(client, "fault", "front", "drop", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	assert_int_equal(client_ctl(client, "fault", "front", "stale-handles", NULL), 0);
	client_connect(client);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client,
		"error WriteValue org.bluez.Error.Failed: Operation failed with ATT error: 0x01");
	client_call(client, "hci0", ADAPTER1, "RemoveDevice", "o", "/org/bluez/" FRONT);
	client_expect(client, "changed " FRONT " ServicesResolved=0");
	client_expect(client, "reply RemoveDevice");
	client_expect(client, "changed " FRONT " Connected=0");
	client_skip_to(client, "removed " FRONT);
	client_discover(client);
	client_connect(client);
	assert_false(client_sees(client, USER, NULL));
	assert_true(client_sees(client, FRONT "/service0025/char0029", NULL)); /* 0x10 further on */
	client_free(client);
}

/* ---- adapter and daemon ---- */

static void adapter_off_and_on(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	client_call(client, "hci0", PROPERTIES, "Set", "ssv", ADAPTER1, "Powered", "b", 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_expect(client, "reply Set");
	client_expect(client, "changed hci0 Powered=0");
	client_call(client, "hci0", ADAPTER1, "StartDiscovery", NULL);
	client_expect(client, "error StartDiscovery org.bluez.Error.NotReady: Resource Not Ready");
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "error Connect org.bluez.Error.Failed: Input/output error");
	client_call(client, "hci0", PROPERTIES, "Set", "ssv", ADAPTER1, "Powered", "b", 1);
	client_expect(client, "reply Set");
	client_expect(client, "changed hci0 Powered=1");
	client_call(client, "hci0", PROPERTIES, "Set", "ssv", ADAPTER1, "Address", "s", "x");
	client_expect(client, "error Set org.freedesktop.DBus.Error.PropertyReadOnly*");
	client_call(client, "hci0", ADAPTER1, "RemoveDevice", "o", "/org/bluez/hci0/dev_11");
	client_expect(client, "error RemoveDevice org.bluez.Error.DoesNotExist: Does Not Exist");
	client_call(client, FRONT, DEVICE1, "Pair", NULL);
	client_expect(
		client, "error Pair org.bluez.Error.AuthenticationFailed: Authentication Failed");
	client_free(client);
}

static void adapter_pulled_and_back_elsewhere(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	assert_int_equal(client_ctl(client, "adapter", "0", "remove", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_skip_to(client, "removed " FRONT);
	client_expect(client, "changed hci0 Powered=0");
	client_expect(client, "removed hci0");
	client_expect(client, "removed hci0");
	client_call(client, "hci0", ADAPTER1, "StartDiscovery", NULL);
	client_expect(client, "error StartDiscovery org.freedesktop.DBus.Error.UnknownObject*");
	assert_int_equal(client_ctl(client, "adapter", "0", "return", "3", NULL), 0);
	client_expect(client, "added hci3");
	client_expect(client, "added hci3/dev_54_D2_72_AA_BB_01");
	client_free(client);
}

static void a_blocked_adapter_stays_off(void **state) {
	struct client *client = start();
	client_discover(client);
	assert_false(client_sees(client, "hci0", "PowerState"));
	assert_int_equal(client_ctl(client, "adapter", "0", "block", NULL), 0);
	client_expect(client, "changed hci0 Powered=0");
	client_expect(client, "changed hci0 PowerState");
	client_call(client, "hci0", PROPERTIES, "Set", "ssv", ADAPTER1, "Powered", "b", 1);
	client_expect(client, "error Set org.bluez.Error.Blocked: Blocked through rfkill");
	assert_int_equal(client_ctl(client, "adapter", "0", "unblock", NULL), 0);
	client_expect(client, "changed hci0 PowerState");
	client_call(client, "hci0", PROPERTIES, "Set", "ssv", ADAPTER1, "Powered", "b", 1);
	client_expect(client, "reply Set");
	client_expect(client, "changed hci0 Powered=1 PowerState");
	client_free(client);
}

static void a_deaf_adapter_hears_and_reaches_nobody(void **state) {
	struct client *client = start();
	assert_int_equal(client_ctl(client, "adapter", "0", "deaf", NULL), 0);
	client_call(client, "hci0", ADAPTER1, "StartDiscovery", NULL);
	client_expect(client, "reply StartDiscovery");
	client_expect(client, "changed hci0 Discovering=1");
	client_expect_quiet_since_call(client, 1500); /* more than a scan window */
	assert_int_equal(client_ctl(client, "adapter", "0", "hearing", NULL), 0);
	client_expect(client, "added " FRONT);
	assert_int_equal(client_ctl(client, "adapter", "0", "deaf", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "error Connect org.bluez.Error.Failed: le-connection-abort-by-local");
	client_free(client);
}

static void links_may_fail_at_some_hours(void **state) {
	struct client *client = start();
	client_discover(client);
	assert_int_equal(client_ctl(client, "adapter", "0", "failing", "0-24", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "error Connect org.bluez.Error.Failed: le-connection-abort-by-local");
	client_expect(client, "changed " FRONT " Connected=0");
	assert_int_equal(client_ctl(client, "adapter", "0", "failing", "noon", NULL), 2);
	assert_int_equal(client_ctl(client, "adapter", "0", "failing", NULL), 2);
	assert_int_equal(client_ctl(client, "adapter", "0", "failing", "off", NULL), 0);
	client_connect(client);
	client_free(client);
}

static void somebody_else_has_its_links(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	assert_int_equal(client_ctl(client, "taken", "front", "on", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "error Connect org.bluez.Error.Failed: le-connection-abort-by-local");
	/* It is heard all the same. */
	client_call(client, "hci0", ADAPTER1, "StartDiscovery", NULL);
	client_expect(client, "reply StartDiscovery");
	client_until_left_out(client, client_n_left_out(client) + 1);
	assert_int_equal(client_ctl(client, "taken", "front", "off", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_skip_to(client, "changed " FRONT " Connected=1");
	client_free(client);
}

static void lost_packets_end_links(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	assert_int_equal(client_ctl(client, "loss", "front", "100", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), "request");
	client_expect(client, "error WriteValue*");
	client_skip_to(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "error Connect org.bluez.Error.Failed: le-connection-abort-by-local");
	client_expect(client, "changed " FRONT " Connected=0");
	assert_int_equal(client_ctl(client, "loss", "front", "101", NULL), 2);
	assert_int_equal(client_ctl(client, "loss", "front", "0", NULL), 0);
	client_connect(client);
	client_free(client);
}

static void killed_and_back(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	assert_int_equal(client_ctl(client, "range", "front", "out", NULL), 0);
	client_skip_to(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect_quiet(client, 50);
	assert_int_equal(client_ctl(client, "bluez", "restart", "5000", NULL), 0);
	/* The bus itself answers what was under way; which comes first is its business. */
	client_skip_to(client, "owner org.bluez gone");
	client_skip_to(client, "error Connect org.freedesktop.DBus.Error.NoReply*");
	client_expect(client, "owner org.bluez here");
	client_expect(client, "added /org/bluez");
	client_expect(client, "added hci0");
	client_expect(client, "added " FRONT); /* from storage, without GATT objects */
	client_expect_quiet(client, 50);
	assert_false(client_sees(client, USER, NULL));
	assert_int_equal(client_ctl(client, "range", "front", "in", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect(client, "changed " FRONT " Connected=1");
	client_expect(client, "reply Connect");
	client_expect(client, "changed " FRONT " ServicesResolved=1");
	client_expect(client, "added " FRONT "/service0006");
	client_free(client);
}

static void storm(void **state) {
	struct client *client = start();
	size_t before = client_count_objects(client);
	int64_t began = client_now_ms();
	assert_int_equal(client_ctl(client, "storm", "20", "200", "100", NULL), 0);
	client_until_left_out(client, 100);
	assert_in_range(client_count_objects(client), before + 100, before + 121);
	/* 200 a second, of which the first of each device are not changes; a busy machine has less.
	 */
	size_t n_most = (size_t) (client_now_ms() - began) / 5 + 1;
	assert_in_range(client_n_left_out(client), 100, n_most);
	assert_int_equal(client_ctl(client, "storm", "off", NULL), 0);
	assert_in_range(client_count_objects(client), before, before + 1);
	client_free(client);
}

static void introspection_works(void **state) {
	struct client *client = start();
	sd_bus *bus = client_other(client);
	sd_bus_message *reply = NULL;
	const char *xml = NULL;
	client_discover(client);
	assert_true(sd_bus_call_method(bus, "org.bluez", "/org/bluez/" FRONT,
			    "org.freedesktop.DBus.Introspectable", "Introspect", NULL, &reply,
			    NULL) >= 0);
	assert_true(sd_bus_message_read(reply, "s", &xml) > 0);
	assert_non_null(strstr(xml, "<interface name=\"org.bluez.Device1\">"));
	assert_non_null(strstr(xml, "<method name=\"Connect\">"));
	assert_null(strstr(xml, "org.bluez.Adapter1"));
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	client_free(client);
}

static void hung_daemon_says_nothing(void **state) {
	struct client *client = start();
	client_discover(client);
	assert_int_equal(client_ctl(client, "bluez", "hang", "on", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Connect", NULL);
	client_expect_quiet(client, 200);
	assert_int_equal(client_ctl(client, "bluez", "hang", "off", NULL), 0);
	client_call(client, FRONT, DEVICE1, "Disconnect", NULL);
	client_expect(client, "reply Disconnect");
	client_free(client);
}

static void foreign_hands(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	assert_int_equal(client_ctl(client, "fault", "front", "foreign-disconnect", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0");
	client_expect(client, "changed " FRONT " Connected=0");
	client_connect(client);
	assert_int_equal(client_ctl(client, "fault", "front", "remove-device", NULL), 0);
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_skip_to(client, "removed " FRONT);
	client_expect_quiet(client, 50);
	client_free(client);
}

static void pieces_may_be_lost_and_change_places(void **state) {
	struct client *client = start();
	client_discover(client);
	client_connect(client);
	hear(client, PLAIN);
	assert_int_equal(client_ctl(client, "fault", "front", "lose", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect_quiet(client, 100);
	assert_int_equal(client_ctl(client, "fault", "front", "duplicate", NULL), 0);
	assert_int_equal(client_ctl(client, "fault", "front", "reorder", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	client_expect(client, "changed " PLAIN " Value");
	assert_int_equal(client_ctl(client, "fault", "front", "drop-after", "2", NULL), 0);
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	client_write(client, USER, nonsense, sizeof(nonsense), NULL);
	client_expect(client, "reply WriteValue");
	client_expect(client, "changed " PLAIN " Value");
	client_expect(client, "changed " FRONT " ServicesResolved=0 Connected=0");
	client_free(client);
}

static void second_adapter_has_its_own_links(void **state) {
	const char *const args[] = { one_lock[0], one_lock[1], one_lock[2], "--adapters=2", NULL };
	struct client *client = client_new(args);
	const char *other = "hci1/dev_54_D2_72_AA_BB_01";
	client_discover(client);
	client_connect(client);
	client_call(client, "hci1", ADAPTER1, "StartDiscovery", NULL);
	client_skip_to(client, "added hci1/dev_54_D2_72_AA_BB_01");
	client_call(client, other, DEVICE1, "Connect", NULL);
	client_expect(client, "changed hci1/dev_54_D2_72_AA_BB_01 Connected=1");
	client_expect(client, "reply Connect");
	client_skip_to(client, "added hci1/dev_54_D2_72_AA_BB_01/service0015/char001c");
	char out[4096];
	client_ctl_output(client, out, sizeof(out), "show", "front", "--json", NULL);
	assert_non_null(strstr(out, "\"links\": 2"));
	client_free(client);
}

/* ---- the control command ---- */

static void memory_survives_a_restart(void **state) {
	char folder[] = "/tmp/lockhub-sim-test-XXXXXX";
	char option[64], out[4096];
	assert_non_null(mkdtemp(folder));
	snprintf(option, sizeof(option), "--state=%s/state", folder);
	const char *const args[] = { one_lock[0], one_lock[1], option, NULL };
	struct client *client = client_new(args);
	client_ctl_output(client, out, sizeof(out), "show", "front", "--json", NULL);
	assert_non_null(strstr(out, "\"lock-state\": \"locked\""));
	assert_int_equal(client_ctl(client, "turn", "front", "unlock", NULL), 0);
	client_free(client);
	client = client_new(args);
	client_ctl_output(client, out, sizeof(out), "show", "front", "--json", NULL);
	assert_non_null(strstr(out, "\"lock-state\": \"unlocked\""));
	assert_int_equal(client_ctl(client, "save", NULL), 0);
	client_free(client);
	snprintf(out, sizeof(out), "%s/state", folder);
	struct stat stat_of_it;
	assert_int_equal(stat(out, &stat_of_it), 0);
	assert_int_equal(stat_of_it.st_mode & 0777, 0600);
	assert_int_equal(unlink(out), 0);
	assert_int_equal(rmdir(folder), 0); /* and nothing else was left */
}

static void control_statuses(void **state) {
	struct client *client = start();
	char out[4096];
	assert_int_equal(client_ctl(client, "list", NULL), 0);
	assert_int_equal(client_ctl(client, "--help", NULL), 0);
	assert_int_equal(client_ctl(client, NULL), 2);
	assert_int_equal(client_ctl(client, "lst", NULL), 2);
	assert_int_equal(client_ctl(client, "turn", "front", NULL), 2);
	assert_int_equal(client_ctl(client, "turn", "front", "sideways", NULL), 2);
	assert_int_equal(client_ctl(client, "turn", "frnt", "lock", NULL), 1);
	assert_int_equal(client_ctl(client, "code", "front", "123456", NULL), 1);
	assert_int_equal(client_ctl(client, "fault", "front", "mut", NULL), 2);
	assert_int_equal(client_ctl(client, "save", NULL), 1);
	assert_int_equal(client_ctl(client, "turn", "front", "unlock", NULL), 0);
	client_ctl_output(client, out, sizeof(out), "show", "front", "--json", NULL);
	assert_non_null(strstr(out, "\"lock-state\": \"unlocked\""));
	client_ctl_output(client, out, sizeof(out), "rssi", "front", "-85", NULL);
	client_ctl_output(client, out, sizeof(out), "show", "front", NULL);
	assert_non_null(strstr(out, "-85"));
	client_ctl_output(client, out, sizeof(out), "log", "front", NULL);
	assert_non_null(strstr(out, "type action"));
	client_free(client);
}

/* A motor that a person has set going runs to its end, with nobody linked and nothing else going
 * on. */
static void keypad_moves_a_lonely_lock(void **state) {
	static const char *const args[] = { "--lock=name=front,model=nuki:gen4,keypad=2",
		"--speed=50", NULL };
	struct client *client = client_new(args);
	char out[4096] = "";
	client_ctl_output(
		client, out, sizeof(out), "app", "front", "add-code", "345678", "Anna", NULL);
	assert_string_equal(out, "1\n");
	assert_int_equal(client_ctl(client, "app", "front", "add-code", "345678", "Anna", NULL), 1);
	assert_int_equal(client_ctl(client, "app", "front", "add-cod", "1", NULL), 2);
	assert_int_equal(client_ctl(client, "keypad", "front", "345678", "unlock", NULL), 0);
	for (int64_t end = client_now_ms() + 60000; strstr(out, "\"unlocked\"") == NULL;) {
		assert_true(client_now_ms() < end);
		client_ctl_output(client, out, sizeof(out), "show", "front", "--json", NULL);
	}
	assert_int_equal(client_ctl(client, "finger", "front", "1", "lock", NULL), 0);
	assert_int_equal(client_ctl(client, "finger", "front", "0", NULL), 1);
	client_free(client);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discovery),
		cmocka_unit_test(unseen_device_is_forgotten),
		cmocka_unit_test(sessions_end_with_their_client),
		cmocka_unit_test(connect_and_disconnect),
		cmocka_unit_test(connected_signal_may_be_missing),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(patience_may_be_real),
		cmocka_unit_test(connect_faults),
		cmocka_unit_test(phantom_and_hanging_disconnect),
		cmocka_unit_test(read_write_listen),
		cmocka_unit_test(long_write_at_small_mtu),
		cmocka_unit_test(subscription_outlives_the_link),
		cmocka_unit_test(write_faults),
		cmocka_unit_test(stale_handles_need_removal),
		cmocka_unit_test(adapter_off_and_on),
		cmocka_unit_test(adapter_pulled_and_back_elsewhere),
		cmocka_unit_test(a_blocked_adapter_stays_off),
		cmocka_unit_test(a_deaf_adapter_hears_and_reaches_nobody),
		cmocka_unit_test(links_may_fail_at_some_hours),
		cmocka_unit_test(somebody_else_has_its_links),
		cmocka_unit_test(lost_packets_end_links),
		cmocka_unit_test(killed_and_back),
		cmocka_unit_test(storm),
		cmocka_unit_test(introspection_works),
		cmocka_unit_test(hung_daemon_says_nothing),
		cmocka_unit_test(foreign_hands),
		cmocka_unit_test(pieces_may_be_lost_and_change_places),
		cmocka_unit_test(second_adapter_has_its_own_links),
		cmocka_unit_test(keypad_moves_a_lonely_lock),
		cmocka_unit_test(memory_survives_a_restart),
		cmocka_unit_test(control_statuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
