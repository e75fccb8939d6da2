/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * BlueZ's object paths. They are compared by whole elements: hci1 is a prefix of hci10. Pure.
 */

#include <stdbool.h>

#include "util/radio.h"

#define ADAPTERS_MAX 8 /* hci0..hci7 */
#define BLUEZ_ROOT "/org/bluez"
#define ADAPTER_PATH_MAX 16 /* "/org/bluez/hciN" and its end mark */
#define DEVICE_PATH_MAX 40  /* and "/dev_AA_BB_CC_DD_EE_FF" */
#define GATT_PATH_MAX 72    /* and "/serviceHHHH/charHHHH" with some air */

/* Exactly an adapter's path. -EINVAL: something else; -ERANGE: an adapter beyond ADAPTERS_MAX. */
int path_to_adapter(const char *path, unsigned *ret_index);
/* Exactly a device's path; the errors are the same. The address comes in upper case. */
int path_to_device(
	const char *path, unsigned *ret_index, char ret_address[static RADIO_ADDRESS_MAX]);
void path_of_adapter(unsigned index, char out[static ADAPTER_PATH_MAX]);
void path_of_device(unsigned index, const char *address, char out[static DEVICE_PATH_MAX]);
/* Whether @path lies below @parent; a path does not lie below itself. */
bool path_is_below(const char *path, const char *parent);

/*
 * BlueZ tells its version nowhere but in the adapter's Modalias, "usb:v1D6Bp0246d0542" for 5.66.
 * @return the number behind the dot, or -EINVAL when main.conf has set another device id.
 */
int bluez_minor_from_modalias(const char *modalias);
