/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "advert.h"
#include "path.h"

#define UUID "0000fe24-0000-1000-8000-00805f9b34fb"

static void records_are_kept_by_kind(void **state) {
	struct advert advert = { 0 };
	const struct advert_part *part;

	(void) state;
	assert_int_equal(
		advert_put_manufacturer(&advert, 0x004c, (const uint8_t *) "\x02\x15", 2), 0);
	assert_int_equal(advert_put_service(&advert, "0000FE24-0000-1000-8000-00805F9B34FB",
				 (const uint8_t *) "\x01", 1),
		0);
	assert_int_equal(advert_put_manufacturer(&advert, 0xffff, NULL, 0), 0);
	assert_int_equal(advert.n_parts, 3);
	part = advert_manufacturer(&advert, 0x004c);
	assert_non_null(part);
	assert_int_equal(part->n_bytes, 2);
	part = advert_service(&advert, UUID);
	assert_non_null(part);
	assert_string_equal(part->uuid, UUID);
	assert_null(advert_manufacturer(&advert, 1));

	/* The same one again replaces it. */
	assert_int_equal(advert_put_manufacturer(&advert, 0x004c, (const uint8_t *) "\x07", 1), 0);
	assert_int_equal(advert.n_parts, 3);
	assert_int_equal(advert_manufacturer(&advert, 0x004c)->bytes[0], 7);

	advert_clear(&advert, false);
	assert_int_equal(advert.n_parts, 1);
	assert_non_null(advert_service(&advert, UUID));
	advert_clear(&advert, true);
	assert_int_equal(advert.n_parts, 0);
}

static void limits_hold(void **state) {
	struct advert advert = { 0 };
	uint8_t bytes[65] = { 0 };

	(void) state;
	assert_int_equal(advert_put_manufacturer(&advert, 1, bytes, 65), -EMSGSIZE);
	assert_int_equal(advert.n_parts, 0);
	assert_int_equal(advert_put_manufacturer(&advert, 1, bytes, 64), 0);
	for (uint16_t i = 2; i <= ADVERT_PARTS_MAX; i++) {
		assert_int_equal(advert_put_manufacturer(&advert, i, bytes, 1), 0);
	}
	assert_int_equal(advert_put_manufacturer(&advert, 99, bytes, 1), -ENOBUFS);
	assert_int_equal(advert_put_manufacturer(&advert, 1, bytes, 2), 0);
	assert_int_equal(advert.n_parts, ADVERT_PARTS_MAX);
	assert_int_equal(advert_put_service(&advert, "fe24", bytes, 1), -EINVAL);
}

static void names_are_made_clean(void **state) {
	struct advert advert = { 0 };
	char longest[200];

	(void) state;
	advert_set_name(&advert, "Nuki\n\x1b[31m");
	assert_null(strchr(advert.name, '\n'));
	assert_null(strchr(advert.name, '\x1b'));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	advert_set_name(&advert, longest);
	assert_int_equal(strlen(advert.name), ADVERT_NAME_MAX - 1);
}

static void uuids_and_addresses_are_exact(void **state) {
	char uuid[RADIO_UUID_MAX] = "kept";
	char address[RADIO_ADDRESS_MAX] = "kept";

	(void) state;
	assert_int_equal(uuid_normalize("0000FE24-0000-1000-8000-00805F9B34FB", uuid), 0);
	assert_string_equal(uuid, UUID);
	strcpy(uuid, "kept");
	assert_int_equal(uuid_normalize("", uuid), -EINVAL);
	assert_int_equal(uuid_normalize(UUID "0", uuid), -EINVAL);
	assert_int_equal(uuid_normalize("0000fe2400000-1000-8000-00805f9b34fb", uuid), -EINVAL);
	assert_int_equal(uuid_normalize("0000fe24-0000-1000-8000-00805f9b34fg", uuid), -EINVAL);
	assert_string_equal(uuid, "kept");
	assert_int_equal(address_normalize("54:d2:72:00:00:0a", address), 0);
	assert_string_equal(address, "54:D2:72:00:00:0A");
	assert_int_equal(address_normalize("54:d2:72:00:00:0", address), -EINVAL);
	assert_int_equal(address_normalize("54:d2:72:00:00:0a:", address), -EINVAL);
	assert_int_equal(address_normalize("54-d2-72-00-00-0a", address), -EINVAL);
	assert_string_equal(address, "54:D2:72:00:00:0A");
}

static void paths_are_compared_by_elements(void **state) {
	char address[RADIO_ADDRESS_MAX] = "";
	char path[DEVICE_PATH_MAX], adapter[ADAPTER_PATH_MAX];
	unsigned index = 99;

	(void) state;
	assert_int_equal(path_to_adapter("/org/bluez/hci3", &index), 0);
	assert_int_equal(index, 3);
	assert_int_equal(path_to_adapter("/org/bluez/hci8", &index), -ERANGE);
	assert_int_equal(path_to_adapter("/org/bluez/hci10", &index), -ERANGE);
	assert_int_equal(path_to_adapter("/org/bluez/hci99999999999999", &index), -ERANGE);
	assert_int_equal(path_to_adapter("/org/bluez/hci", &index), -EINVAL);
	assert_int_equal(path_to_adapter("/org/bluez/hci1/dev_54_D2_72_00_00_0A", &index), -EINVAL);
	assert_int_equal(path_to_adapter("/org/bluez", &index), -EINVAL);
	assert_int_equal(index, 3);

	assert_int_equal(
		path_to_device("/org/bluez/hci1/dev_54_D2_72_00_00_0A", &index, address), 0);
	assert_int_equal(index, 1);
	assert_string_equal(address, "54:D2:72:00:00:0A");
	assert_int_equal(path_to_device("/org/bluez/hci1/dev_54_D2_72_00_00_0A/service0010", &index,
				 address),
		-EINVAL);
	assert_int_equal(
		path_to_device("/org/bluez/hci1/dev_54_D2_72_00_00_0", &index, address), -EINVAL);
	assert_int_equal(
		path_to_device("/org/bluez/hci1/dev_54_D2_72_00_00:0A", &index, address), -EINVAL);

	path_of_adapter(7, adapter);
	assert_string_equal(adapter, "/org/bluez/hci7");
	path_of_device(1, "54:D2:72:00:00:0A", path);
	assert_string_equal(path, "/org/bluez/hci1/dev_54_D2_72_00_00_0A");
	assert_true(path_is_below("/org/bluez/hci1/x", "/org/bluez/hci1"));
	assert_false(path_is_below("/org/bluez/hci10/x", "/org/bluez/hci1"));
	assert_false(path_is_below("/org/bluez/hci1", "/org/bluez/hci1"));
	assert_false(path_is_below("/org/bluez/hci1/", "/org/bluez/hci1"));
}

static void the_version_is_in_the_modalias(void **state) {
	(void) state;
	assert_int_equal(bluez_minor_from_modalias("usb:v1D6Bp0246d0542"), 66);
	assert_int_equal(bluez_minor_from_modalias("usb:v1D6Bp0246d0553"), 83);
	assert_int_equal(bluez_minor_from_modalias("usb:v05ACp0246d0542"), -EINVAL);
	assert_int_equal(bluez_minor_from_modalias("usb:v1D6Bp0246d05"), -EINVAL);
	assert_int_equal(bluez_minor_from_modalias("usb:v1D6Bp0246d05x1"), -EINVAL);
	assert_int_equal(bluez_minor_from_modalias("usb:v1D6Bp0246d05 1"), -EINVAL);
	assert_int_equal(bluez_minor_from_modalias(""), -EINVAL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_kept_by_kind),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(names_are_made_clean),
		cmocka_unit_test(uuids_and_addresses_are_exact),
		cmocka_unit_test(paths_are_compared_by_elements),
		cmocka_unit_test(the_version_is_in_the_modalias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
