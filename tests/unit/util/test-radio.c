/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/radio.h"

#include "test.h"

static void parts_are_found_by_kind_and_id(void **state) {
	(void) state;
	struct advert advert = {
		.n_parts = 4,
		.parts = {
			{ .company = 0x0059, .n_bytes = 1 },
			{ .is_service = true, .uuid = "0000fd3d-0000-1000-8000-00805f9b34fb" },
			/* A service record never counts as manufacturer data, nor the other way. */
			{ .is_service = true, .company = 0x004c,
				.uuid = "a92ee200-5501-11e4-916c-0800200c9a66" },
			{ .company = 0x0059, .n_bytes = 2 },
		},
	};
	assert_ptr_equal(advert_manufacturer(&advert, 0x0059), &advert.parts[0]);
	assert_null(advert_manufacturer(&advert, 0x004c));
	assert_ptr_equal(
		advert_service(&advert, "a92ee200-5501-11e4-916c-0800200c9a66"), &advert.parts[2]);
	assert_ptr_equal(
		advert_service(&advert, "0000FD3D-0000-1000-8000-00805F9B34FB"), &advert.parts[1]);
	assert_null(advert_service(&advert, ""));
	advert.n_parts = 0;
	assert_null(advert_manufacturer(&advert, 0x0059));
	advert.n_parts = 1000; /* nonsense does not lead out of the array */
	assert_null(advert_manufacturer(&advert, 0x1234));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_found_by_kind_and_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
