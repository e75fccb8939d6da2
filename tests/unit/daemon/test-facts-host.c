/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a diagnosis is told of the machine, from a made-up one; and that nothing is made up. */

#include "facts-host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char root[64];
static char state_dir[80], config_file[80], secret_file[80];
static struct host_config config;
static struct hub_facts facts;

static void folder(const char *path) {
	char full[512];

	(void) snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *p = strchr(full + strlen(root) + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
}

static void file(const char *path, const char *text) {
	char full[512];
	char *slash;
	FILE *out;

	(void) snprintf(full, sizeof(full), "%s", path);
	slash = strrchr(full, '/');
	if (slash != NULL) {
		*slash = '\0';
		folder(full);
	}
	(void) snprintf(full, sizeof(full), "%s/%s", root, path);
	out = fopen(full, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(full, 0600), 0);
}

static void mode(const char *path, mode_t mode_) {
	char full[512];

	(void) snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(chmod(full, mode_), 0);
}

static void to(const char *target, const char *path) {
	char full[512];

	(void) snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(symlink(target, full), 0);
}

static int setup(void **state) {
	(void) state;
	(void) snprintf(root, sizeof(root), "/tmp/lockhub-host-XXXXXX");
	assert_non_null(mkdtemp(root));
	(void) snprintf(state_dir, sizeof(state_dir), "%s/state", root);
	(void) snprintf(config_file, sizeof(config_file), "%s/lockhubd.conf", root);
	(void) snprintf(secret_file, sizeof(secret_file), "%s/password", root);
	config = (struct host_config){ .root = root,
		.bus_address = "unix:path=/nowhere/at/all",
		.state_dir = state_dir,
		.config = config_file,
		.secrets = { secret_file },
		.has_adapters = true };
	return 0;
}

static int take(const char *path, const struct stat *stat, int type, struct FTW *ftw) {
	(void) stat;
	(void) type;
	(void) ftw;
	return remove(path);
}

static int teardown(void **state) {
	(void) state;
	return nftw(root, take, 8, FTW_DEPTH | FTW_PHYS);
}

static void look(void) {
	hub_facts_init(&facts);
	host_read(&config, &facts);
}

static void of_an_empty_machine_nothing_is_known(void **state) {
	(void) state;
	look();
	assert_int_equal(facts.host.disk_free, -1);
	assert_int_equal(facts.host.database_size, -1);
	assert_int_equal(facts.host.n_exposed, 0);
	assert_int_equal(facts.host.is_undervolted, FLAG_UNKNOWN);
	assert_int_equal(facts.host.is_wifi_24ghz, FLAG_UNKNOWN);
	assert_string_equal(facts.host.os, "");
	assert_string_equal(facts.host.board, "");
	assert_int_equal(facts.n_adapters, 0);
}

static void disk_and_database_are_measured(void **state) {
	(void) state;
	file("state/lockhub.db", "12345");
	file("state/lockhub.db-wal", "123");
	look();
	assert_true(facts.host.disk_free > 0);
	assert_true(facts.host.disk_size >= facts.host.disk_free);
	assert_int_equal(facts.host.database_size, 8);
}

static void what_others_can_read_is_named(void **state) {
	(void) state;
	file("state/lockhub.db", "x");
	file("state/db.key", "x");
	file("password", "x");
	file("lockhubd.conf", "x");
	mode("state", 0700);
	mode("state/db.key", 0644);
	mode("lockhubd.conf", 0644);
	look();
	/* Nobody else gets into the folder, and there is no secret in the configuration. */
	assert_int_equal(facts.host.n_exposed, 0);
	mode("state", 0755);
	look();
	assert_int_equal(facts.host.n_exposed, 1);
	assert_non_null(strstr(facts.host.exposed[0], "db.key"));
	assert_non_null(strstr(facts.host.exposed[0], "0644"));
	mode("password", 0604);
	mode("lockhubd.conf", 0666);
	look();
	assert_int_equal(facts.host.n_exposed, 3);
	assert_non_null(strstr(facts.host.exposed[1], "password"));
	assert_non_null(strstr(facts.host.exposed[2], "change"));
}

static void the_machine_is_named(void **state) {
	(void) state;
	file("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n");
	file("sys/firmware/devicetree/base/model", "Raspberry Pi 4");
	look();
	assert_string_equal(facts.host.os, "Debian GNU/Linux 12");
	assert_string_equal(facts.host.board, "Raspberry Pi 4");
	assert_true(facts.host.kernel[0] != '\0');
}

static void too_little_voltage_is_seen(void **state) {
	(void) state;
	file("sys/devices/platform/soc/soc:firmware/get_throttled", "0\n");
	look();
	assert_int_equal(facts.host.is_undervolted, FLAG_NO);
	file("sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n");
	look();
	assert_int_equal(facts.host.is_undervolted, FLAG_YES);
	file("sys/devices/platform/soc/soc:firmware/get_throttled", "20000\n"); /* only throttled */
	look();
	assert_int_equal(facts.host.is_undervolted, FLAG_NO);
}

static void too_little_voltage_is_seen_by_the_sensor(void **state) {
	(void) state;
	file("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
	file("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
	look();
	assert_int_equal(facts.host.is_undervolted, FLAG_UNKNOWN);
	file("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
	file("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
	look();
	assert_int_equal(facts.host.is_undervolted, FLAG_YES);
}

static void make_dongle(void) {
	file("sys/devices/pci0/usb1/1-2/speed", "12\n");
	file("sys/devices/pci0/usb1/1-2/power/control", "auto\n");
	file("sys/devices/pci0/usb1/1-2/removable", "removable\n");
	file("sys/devices/pci0/usb1/1-2/idVendor", "0a12\n");
	file("sys/devices/pci0/usb1/1-2/idProduct", "0001\n");
	file("sys/devices/pci0/usb1/1-2/product", "CSR8510\n");
	folder("sys/devices/pci0/usb1/1-2/1-2:1.0");
	folder("sys/class/bluetooth/hci0");
	folder("sys/class/bluetooth/hci0:64");
	folder("sys/bus/usb/devices/1-2");
	to("../../../devices/pci0/usb1/1-2/1-2:1.0", "sys/class/bluetooth/hci0/device");
	file("sys/bus/usb/devices/1-2/speed", "12\n");
	file("sys/bus/usb/devices/usb2/speed", "5000\n"); /* a root hub is in every machine */
}

static void a_dongle_is_looked_at(void **state) {
	(void) state;
	make_dongle();
	look();
	assert_int_equal(facts.n_adapters, 1);
	const struct adapter_facts *adapter = &facts.adapters[0];
	assert_string_equal(adapter->name, "hci0");
	assert_int_equal(adapter->is_usb, FLAG_YES);
	assert_int_equal(adapter->is_onboard, FLAG_NO);
	assert_int_equal(adapter->is_autosuspending, FLAG_YES);
	assert_int_equal(adapter->is_usb3_port, FLAG_NO);
	assert_int_equal(adapter->is_blocked, FLAG_UNKNOWN);
	assert_string_equal(adapter->chip, "USB 0a12:0001 CSR8510");
	/* A disk beside it that talks USB 3, and a switch that is off. */
	file("sys/bus/usb/devices/2-1/speed", "5000\n");
	file("sys/devices/pci0/usb1/1-2/power/control", "on\n");
	file("sys/class/rfkill/rfkill0/name", "hci0\n");
	file("sys/class/rfkill/rfkill0/soft", "1\n");
	file("sys/class/rfkill/rfkill0/hard", "0\n");
	look();
	assert_int_equal(adapter->is_usb3_port, FLAG_YES);
	assert_int_equal(adapter->is_autosuspending, FLAG_NO);
	assert_int_equal(adapter->is_blocked, FLAG_YES);
	file("sys/class/rfkill/rfkill0/soft", "0\n");
	look();
	assert_int_equal(adapter->is_blocked, FLAG_NO);
	config.has_adapters = false;
	look();
	assert_int_equal(facts.n_adapters, 0);
}

static void an_adapter_on_the_board_is_told_from_a_dongle(void **state) {
	(void) state;
	folder("sys/devices/soc/serial0/serial0-0");
	folder("sys/class/bluetooth/hci1");
	to("../../../devices/soc/serial0/serial0-0", "sys/class/bluetooth/hci1/device");
	look();
	assert_int_equal(facts.n_adapters, 1);
	assert_int_equal(facts.adapters[0].is_usb, FLAG_NO);
	assert_int_equal(facts.adapters[0].is_onboard, FLAG_YES);
}

static void a_cable_is_no_wifi(void **state) {
	(void) state;
	file("proc/self/net/route", "Iface\tDestination\tGateway\neth0\t0001A8C0\t00000000\neth0\t0"
				    "0000000\t0101A8C0\n");
	folder("sys/class/net/eth0");
	look();
	/* A tunnel has no device, and may go over Wi-Fi. */
	assert_int_equal(facts.host.is_wifi, FLAG_UNKNOWN);
	assert_int_equal(facts.host.is_wifi_24ghz, FLAG_UNKNOWN);
	folder("sys/class/net/eth0/device");
	look();
	assert_int_equal(facts.host.is_wifi, FLAG_NO);
	assert_int_equal(facts.host.is_wifi_24ghz, FLAG_NO);
	/* Of Wi-Fi the channel has to be asked for: a made-up machine has none. */
	folder("sys/class/net/eth0/phy80211");
	look();
	assert_int_equal(facts.host.is_wifi, FLAG_YES);
	assert_int_equal(facts.host.is_wifi_24ghz, FLAG_UNKNOWN);
}

static unsigned n_done;

static void on_done(void *user) {
	(void) user;
	n_done++;
}

static void it_is_read_on_a_pool_thread_and_told_on_the_loop(void **state) {
	AUTO(loop_free) struct loop *loop = loop_new();

	(void) state;
	make_dongle();
	file("state/lockhub.db", "12345");
	struct host *host = host_new(loop, &config);
	hub_facts_init(&facts);
	/* What BlueZ has told of it stays. */
	facts.n_adapters = 1;
	(void) snprintf(facts.adapters[0].name, sizeof(facts.adapters[0].name), "hci0");
	facts.adapters[0].is_powered = FLAG_YES;
	n_done = 0;
	host_gather(host, &facts, on_done, NULL);
	assert_int_equal(n_done, 0);
	host_free(host); /* it answers all the same */
	for (unsigned i = 0; i < 1000 && n_done == 0; i++) {
		loop_turn(loop, 100);
	}
	assert_int_equal(n_done, 1);
	assert_int_equal(facts.host.database_size, 5);
	assert_int_equal(facts.n_adapters, 1);
	assert_int_equal(facts.adapters[0].is_powered, FLAG_YES);
	assert_int_equal(facts.adapters[0].is_usb, FLAG_YES);
}

static void a_loop_that_ends_has_it_answered(void **state) {
	struct loop *loop = loop_new();
	struct host *host = host_new(loop, &config);

	(void) state;
	hub_facts_init(&facts);
	n_done = 0;
	host_gather(host, &facts, on_done, NULL);
	host_free(host);
	loop_free(loop);
	assert_int_equal(n_done, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CASE(of_an_empty_machine_nothing_is_known),
		CASE(disk_and_database_are_measured),
		CASE(what_others_can_read_is_named),
		CASE(the_machine_is_named),
		CASE(too_little_voltage_is_seen),
		CASE(too_little_voltage_is_seen_by_the_sensor),
		CASE(a_dongle_is_looked_at),
		CASE(an_adapter_on_the_board_is_told_from_a_dongle),
		CASE(a_cable_is_no_wifi),
		CASE(it_is_read_on_a_pool_thread_and_told_on_the_loop),
		CASE(a_loop_that_ends_has_it_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
