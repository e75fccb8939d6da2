/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The virtual org.bluez: bluetoothd 5.66 as a central sees it, on a bus of our own, with stations
 * of the world instead of a radio. What it says, in which order and with which words, was observed
 * on real ones in a virtual machine; source facts are of the tag 5.66 of bluez/bluez.
 */

#include <systemd/sd-bus.h>

#include "loop/bus.h"
#include "util/list.h"
#include "world.h"

#define BLUEZ_PATH_MAX 96
#define BLUEZ_ADAPTERS_MAX 8
#define BLUEZ_CLIENTS_MAX 256 /* sessions per adapter, listeners per characteristic */

#define ADAPTER_INTERFACE "org.bluez.Adapter1"
#define DEVICE_INTERFACE "org.bluez.Device1"
#define SERVICE_INTERFACE "org.bluez.GattService1"
#define CHAR_INTERFACE "org.bluez.GattCharacteristic1"
#define DESC_INTERFACE "org.bluez.GattDescriptor1"

#define ERROR_FAILED "org.bluez.Error.Failed"
#define ERROR_IN_PROGRESS "org.bluez.Error.InProgress"
#define ERROR_NOT_READY "org.bluez.Error.NotReady"
#define ERROR_INVALID "org.bluez.Error.InvalidArguments"
#define ERROR_NOT_PERMITTED "org.bluez.Error.NotPermitted"
#define ERROR_NOT_SUPPORTED "org.bluez.Error.NotSupported"
#define ERROR_BLOCKED "org.bluez.Error.Blocked"
#define ERROR_NOT_EXIST "org.bluez.Error.DoesNotExist"

/* Simulator milliseconds, all from the traces. */
#define CONNECT_MS 140
#define CONNECT_REPLY_MS 8
#define CONNECT_PATIENCE_MS 41000
#define RESOLVE_FIRST_MS 58
#define RESOLVE_CACHED_MS 32
#define OBJECTS_LATE_MS 400
#define DISCONNECT_MS 2000
#define DISCONNECT_SIGNAL_MS 30
#define ATT_MS 13
#define ATT_STALL_MS 30000
#define ATT_STALL_DROP_MS 2000
#define INDICATION_MS 9
#define SLOW_MS 3000
#define TEMPORARY_MS 30000
#define SCAN_WINDOW_MS 10000
#define CONNECT_PACKETS 6  /* until a link stands, each of which may be lost; plausible only */
#define OBJECTS_GAP_MS 100 /* after the name, and up to OBJECTS_GAP_MORE_MS more */
#define OBJECTS_GAP_MORE_MS 600

enum node_kind { NODE_ROOT, NODE_ADAPTER, NODE_DEVICE, NODE_SERVICE, NODE_CHAR, NODE_DESC };

/* First member of everything that is an object on the bus. */
struct node {
	enum node_kind kind;
	struct bluez *bluez;
};

struct notify_client {
	struct list link;
	char *sender;
	bool is_registered;  /* false: armed while there was no link */
	sd_bus_message *msg; /* StartNotify that waits for the CCC write */
};

/* One read or write under way on a characteristic. */
struct gatt_op {
	sd_bus_message *msg; /* NULL: none */
	struct sched_job job;
	uint8_t *value;
	size_t n;
	uint16_t offset;
	bool is_stalled;
};

struct gatt_char {
	struct node node;
	struct gatt_service *service;
	uint16_t handle; /* of the declaration, as BlueZ names the path */
	const char *uuid;
	unsigned flags;
	int chr; /* number in the lock's table; -1: not the lock's (Service Changed) */
	uint8_t value[512];
	size_t n_value;
	bool is_notifying;
	bool is_acquiring;   /* AcquireWrite holds it */
	struct list clients; /* struct notify_client */
	struct sched_job notify_job;
	struct gatt_op write, read;
	struct fd_link *write_fd, *notify_fd; /* bluez-fd.c */
};

struct gatt_desc {
	struct node node;
	struct gatt_char *chr;
	uint16_t handle;
};

struct gatt_service {
	struct node node;
	struct device *device;
	uint16_t handle;
	const char *uuid;
};

struct indication {
	struct list link;
	unsigned chr;
	size_t n;
	mono_t due;
	uint8_t value[];
};

enum connecting {
	CONNECTING_NOT,
	CONNECTING_WAIT, /* not heard yet */
	CONNECTING_SOON,
	CONNECTING_REPLY, /* the link is up, the reply not yet sent */
	CONNECTING_FLIP,  /* 0x3e */
	CONNECTING_FLIP_END,
	CONNECTING_NO_LINK,
};

struct device {
	struct node node;
	struct list link; /* adapter->devices */
	struct adapter *adapter;
	struct station *station;
	char path[BLUEZ_PATH_MAX];
	bool is_exported;
	bool is_temporary;
	bool is_trusted, is_blocked;
	char name[32], alias[64];
	bool has_rssi, is_alias_set;
	int16_t rssi;
	struct sim_advert advert; /* newest of each kind of data: old kinds stay */
	bool has_manufacturer, has_service_data;

	bool is_connected, is_resolved, is_disconnecting, is_phantom, is_mute, is_stale;
	int lock_link; /* -1: none */
	unsigned mtu;
	enum connecting connecting;
	sd_bus_message *connect_msg;
	mono_t connect_deadline;
	sd_bus_message *disconnect_msgs[8];
	size_t n_disconnect_msgs;
	bool is_removing; /* RemoveDevice waits for the disconnect */
	struct sched_job connect_job, resolve_job, objects_job, disconnect_job, told_job;
	struct sched_job temporary_job, hear_job, indication_job, stall_job;
	mono_t att_free; /* ATT is one at a time */
	struct list indications;
	mono_t indication_free;
	unsigned drop_after; /* indications left; 0: no such trouble */

	bool has_objects, is_cached; /* exported now; known from an earlier link */
	unsigned handle_shift;       /* of the station, when the table was read */
	struct gatt_service *services;
	struct gatt_char *chars;
	struct gatt_desc *descs;
	size_t n_services, n_chars, n_descs;
};

struct session {
	struct list link;
	char *sender; /* NULL: the storm's own */
	bool has_filter, is_active;
	bool wants_duplicates;
	int16_t rssi_floor; /* INT16_MIN: none */
};

struct adapter {
	struct node node;
	unsigned index; /* hciN; may differ after it returned */
	char path[BLUEZ_PATH_MAX];
	char address[18];
	char alias[64];
	bool is_present, is_exported, is_powered, is_discovering, is_filtered, is_discoverable;
	bool is_blocked;      /* by rfkill; from the first time on PowerState is there */
	bool has_power_state; /* as with --experimental, and since 5.68 by itself */
	bool is_deaf;         /* hears nothing and makes no link, though it says that it scans */
	bool is_wedged;       /* deaf until it is switched off and on */
	int fails_from, fails_until; /* hours of UTC in which Connect fails; equal: never */
	struct list sessions;
	struct list devices;
};

enum connected_signal { CONNECTED_BEFORE, CONNECTED_MISSING, CONNECTED_AFTER };

struct bluez_options {
	const char *bus_address;
	unsigned n_adapters;
	enum connected_signal connected_signal;
	/*
	 * 5.66 says ServicesResolved before it shows the objects (bluez issue 1489), which bleak
	 * does not expect (bleak issue 1806). True: the other way round, for such clients.
	 */
	bool is_objects_first;
	/* Real ms after which a Connect fails to a device that does not answer; 0:
	 * CONNECT_PATIENCE_MS.
	 */
	unsigned patience_ms;
};

struct bluez {
	struct world *world;
	struct bluez_options options;
	struct node root;
	struct bus *bus;
	bool is_up; /* owns the name and shows its objects */
	bool has_name;
	bool is_first; /* no gap at the first start */
	bool is_hung;  /* owns its name, answers nothing */
	struct adapter adapters[BLUEZ_ADAPTERS_MAX];
	sd_bus_slot *slots[24];
	size_t n_slots;
	bool is_corked;
	sd_bus_message *corked[128];
	size_t n_corked;
	struct sched_job rise_job, restart_job;
	struct sched_job storm_job;
	unsigned storm_rate;
	void (*ready)(void *user);
	void *user;
};

/* bluez.c: life and death of the service. */
struct bluez *bluez_new(struct world *world, const struct bluez_options *options,
	void (*ready)(void *user), void *user);
struct bluez *bluez_free(struct bluez *bluez);
AUTO_DEFINE(struct bluez *, bluez_free);
int bluez_start(struct bluez *bluez);
/* As kill -9: the connection is gone, everything in memory too. @back_ms 0: stays away. */
void bluez_kill(struct bluez *bluez, unsigned back_ms);
struct node *bluez_find(struct bluez *bluez, const char *path);
struct station;
/* Strangers: @quiet known ones, @loud ones with together @rate signals per second. 0 0 0 ends it.
 */
int bluez_storm(struct bluez *bluez, unsigned loud, unsigned rate, unsigned quiet);

/* bluez-node.c: properties, signals, replies. */
extern const sd_bus_vtable root_vtable[], adapter_vtable[], device_vtable[], service_vtable[],
	char_vtable[], desc_vtable[];
const char *node_path(const struct node *node, char out[static BLUEZ_PATH_MAX]);
int node_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error);
/* Filter: Properties, ObjectManager and unknown objects, with the presence rules of BlueZ. */
int node_filter(sd_bus_message *m, void *user, sd_bus_error *error);
void node_added(struct node *node);
void node_removed(struct node *node);
/* Names end with NULL; those that are absent now go out as invalidated. */
void node_changed(struct node *node, ...) __attribute__((sentinel));
void bluez_cork(struct bluez *bluez, bool on);
void bluez_reply(sd_bus_message **msg);
void bluez_fail(sd_bus_message **msg, const char *name, const char *text);
void bluez_drop(sd_bus_message **msg);
int bluez_error(sd_bus_message *m, const char *name, const char *text);

/* bluez-adapter.c */
void adapter_init(struct bluez *bluez, unsigned index);
void adapter_export(struct adapter *adapter);
void adapter_unexport(struct adapter *adapter, bool is_told);
void adapter_set_powered(struct adapter *adapter, bool on, sd_bus_message **msg);
/* rfkill: off at once, and Powered cannot be set until it is lifted. */
void adapter_set_blocked(struct adapter *adapter, bool on);
/* It hears nothing and makes no links; and hears again. */
void adapter_set_deaf(struct adapter *adapter, bool on);
/* Whether Connect fails at this hour. */
bool adapter_is_failing(const struct adapter *adapter);
void adapter_heard(struct adapter *adapter, struct station *station);
void adapter_report(struct adapter *adapter, struct station *station);
void adapter_client_gone(struct adapter *adapter, const char *sender);
int adapter_internal_session(struct adapter *adapter, bool on);
struct device *adapter_device(struct adapter *adapter, struct station *station);
int adapter_start_discovery(sd_bus_message *m, void *user, sd_bus_error *error);
int adapter_stop_discovery(sd_bus_message *m, void *user, sd_bus_error *error);
int adapter_set_filter(sd_bus_message *m, void *user, sd_bus_error *error);
int adapter_get_filters(sd_bus_message *m, void *user, sd_bus_error *error);
int adapter_remove_device(sd_bus_message *m, void *user, sd_bus_error *error);

/* bluez-device.c */
struct device *device_new(struct adapter *adapter, struct station *station);
struct device *device_free(struct device *device);
void device_export(struct device *device);
void device_unexport(struct device *device, bool is_told);
void device_reachable(struct device *device); /* heard again: a pending Connect may go on */
/* @is_told: false when nobody is left to be told. */
void device_link_lost(struct device *device, bool is_told);
void device_foreign_disconnect(struct device *device); /* another program's Disconnect */
void device_removed(struct device *device);            /* InterfacesRemoved and gone */
void device_seen(struct device *device);
bool device_has_link(const struct device *device); /* one that GATT can use */
int device_connect(sd_bus_message *m, void *user, sd_bus_error *error);
int device_disconnect(sd_bus_message *m, void *user, sd_bus_error *error);
int device_pair(sd_bus_message *m, void *user, sd_bus_error *error);
int device_cancel_pairing(sd_bus_message *m, void *user, sd_bus_error *error);
int device_profile(sd_bus_message *m, void *user, sd_bus_error *error);

/* bluez-gatt.c */
int gatt_build(struct device *device);
void gatt_free(struct device *device);
void gatt_added(struct device *device);
void gatt_removed(struct device *device, bool is_told);
void gatt_resubscribe(struct device *device);
void gatt_link_lost(struct device *device, bool is_told);
void gatt_client_gone(struct device *device, const char *sender);
void gatt_indicate(struct device *device, unsigned chr, const uint8_t *value, size_t n);
void gatt_flush(struct device *device);
int char_read(sd_bus_message *m, void *user, sd_bus_error *error);
int char_write(sd_bus_message *m, void *user, sd_bus_error *error);
int char_start_notify(sd_bus_message *m, void *user, sd_bus_error *error);
int char_stop_notify(sd_bus_message *m, void *user, sd_bus_error *error);
int desc_read(sd_bus_message *m, void *user, sd_bus_error *error);
int desc_write(sd_bus_message *m, void *user, sd_bus_error *error);

/* bluez-fd.c */
int char_acquire_write(sd_bus_message *m, void *user, sd_bus_error *error);
int char_acquire_notify(sd_bus_message *m, void *user, sd_bus_error *error);
void fd_close(struct gatt_char *chr, bool is_told);
bool fd_deliver(struct gatt_char *chr, const uint8_t *value, size_t n);

static inline struct sched *bluez_sched(struct bluez *bluez) {
	return bluez->world->sched;
}
