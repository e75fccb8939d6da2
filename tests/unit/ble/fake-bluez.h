/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A scripted org.bluez for one test program: a private dbus-daemon, a connection that owns the
 * name, and the orders and texts of bluez-traces (BlueZ 5.66). It runs on the test's own thread:
 * the test turns it between the turns of the loop, so that "bluetoothd hangs" is simply not turning
 * it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define FAKE_DEVICES_MAX 48
#define FAKE_SERVICE "a92ee200-5501-11e4-916c-0800200c9a66"
#define FAKE_GDIO "a92ee201-5501-11e4-916c-0800200c9a66"
#define FAKE_USDIO "a92ee202-5501-11e4-916c-0800200c9a66"

enum fake_connect {
	CONNECT_QUIET,     /* success, Connected=true never signalled */
	CONNECT_SIGNALLED, /* Connected=true, then success */
	CONNECT_PENDING,   /* never heard */
	CONNECT_FLIP,      /* true, error, false: 0x3e */
	CONNECT_HOLLOW,    /* success without a link */
	CONNECT_ERROR,     /* error_name, error_text at once */
	CONNECT_DEAF,      /* never answered, not even when cancelled */
};

enum fake_write {
	WRITE_ECHO,     /* success, then the value as a notification */
	WRITE_STALL,    /* no answer before fake_device_answer_held() */
	WRITE_DROP,     /* the link falls: false, no answer to the call */
	WRITE_ATT_LOST, /* 0x0e, then false */
	WRITE_LOST_ATT, /* the other way round */
	WRITE_ERROR,    /* error_name, error_text */
};

struct fake;

struct fake_device {
	struct fake *fake;
	unsigned adapter;
	char address[18];
	char path[64];
	bool is_present, is_connected, is_resolved, is_bonded;
	bool has_gatt;   /* objects are exported */
	bool has_usdio;  /* of them, the one that is needed */
	int16_t rssi;    /* 0: none */
	uint8_t data[4]; /* of manufacturer 0x004c */
	enum fake_connect connect;
	enum fake_write write;
	bool is_found; /* by the monitor */
	bool is_resolve_withheld;
	bool is_disconnect_swallowed;
	bool is_notify_withheld; /* until fake_device_answer_held() */
	const char *notify_error_name, *notify_error_text;
	unsigned connect_ms;      /* until the answer */
	unsigned gatt_delay_ms;   /* objects this long after ServicesResolved */
	unsigned disconnect_ms;   /* until the reply */
	unsigned n_fail_connects; /* so many fail first, by CONNECT_FLIP */
	unsigned handle;          /* of the service; a firmware update moves it */
	const char *error_name, *error_text;
	sd_bus_message *pending_connect;
	sd_bus_message *pending_disconnect;
	sd_bus_message *held_notify, *held_write;
	unsigned n_connects, n_disconnects, n_writes, n_start_notify, n_stop_notify, n_removes;
	bool is_notifying;
	uint8_t written[512];
	size_t n_written;
	char write_type[16];
	bool is_command_only;  /* FAKE_USDIO takes no write with response */
	const char *read_text; /* what FAKE_GDIO holds; NULL: ReadValue is never answered */
	unsigned n_reads;
};

struct fake_timer {
	int64_t due_ms;
	void (*fn)(struct fake_device *device);
	struct fake_device *device;
};

/* How RegisterMonitor is answered. */
enum fake_monitoring {
	MONITORING_NONE,     /* a default bluetoothd: the interface is not there */
	MONITORING_ON,       /* bluetoothd -E */
	MONITORING_REFUSED,  /* error_name, error_text */
	MONITORING_INVALID,  /* the monitor is released instead of activated */
	MONITORING_SLUGGISH, /* never activated */
};

/* A client's monitor, as BlueZ has read it. */
struct fake_monitor {
	char owner[32], root[64], path[96]; /* "": none */
	char type[32];
	uint8_t patterns[128]; /* offset, type, length, bytes; one after the other */
	size_t n_patterns;
	bool has_thresholds, is_active;
	sd_bus_message *call; /* RegisterMonitor, while the client's objects are read */
	struct fake *fake;
};

struct fake {
	char address[160]; /* of the bus */
	char dir[64];
	int bus_pid; /* 0: killed */
	sd_bus *probe;
	sd_bus *systemd;
	unsigned n_restarts;
	char restarted[64];        /* "UNIT MODE" of the last */
	const char *restart_error; /* NULL: allowed */
	sd_bus *sd;
	struct {
		bool is_present, is_powered, is_discovering;
		char address[18];
		bool is_filtered;
		unsigned n_connecting; /* Connect calls pending */
		unsigned links_max;    /* of the controller; 0: no limit */
		struct fake_monitor monitor;
	} adapters[4];
	enum fake_monitoring monitoring;
	const char *error_name, *error_text; /* of RegisterMonitor */
	unsigned n_registered, n_unregistered, n_activated;
	struct fake_device devices[FAKE_DEVICES_MAX];
	size_t n_devices;
	struct fake_timer timers[256];
	size_t n_timers;
	bool is_hung;               /* does not read its messages */
	bool is_new;                /* BlueZ 5.83 instead of 5.66 */
	bool is_silent_version;     /* BlueZ 5.69 */
	unsigned n_connecting_most; /* Connect calls pending at once on one adapter */
	unsigned n_start_discovery, n_stop_discovery, n_filters, n_snapshots, n_power_off;
	bool is_discovery_busy; /* StartDiscovery: InProgress */
	bool was_connect_in_discovery;
};

void fake_bus_start(struct fake *fake);
void fake_bus_stop(struct fake *fake);
/* As by kill -9, and started again at the same address. */
void fake_bus_kill(struct fake *fake);
void fake_bus_again(struct fake *fake);
/* Waits until the bus has passed on what was sent to it before. */
void fake_bus_settle(struct fake *fake);
/* org.freedesktop.systemd1 besides. */
void fake_systemd_start(struct fake *fake);
/* Takes the name; what was known of adapters and devices is kept. */
void fake_start(struct fake *fake);
void fake_die(struct fake *fake); /* as by kill -9 */
void fake_turn(struct fake *fake);

void fake_adapter_add(struct fake *fake, unsigned index, const char *address, bool is_powered);
void fake_adapter_remove(struct fake *fake, unsigned index);
void fake_adapter_power(struct fake *fake, unsigned index, bool is_powered);
void fake_adapter_block(struct fake *fake, unsigned index); /* rfkill */
struct fake_device *fake_device_add(struct fake *fake, unsigned adapter, const char *address);
void fake_device_show(struct fake_device *device); /* InterfacesAdded */
void fake_device_hide(struct fake_device *device); /* InterfacesRemoved */
void fake_device_advertise(struct fake_device *device, int16_t rssi, uint8_t state);
void fake_device_drop(struct fake_device *device); /* supervision timeout */
/* Now what was pending, withheld or held: the answer to Connect, the services, the rest. */
void fake_device_connect(struct fake_device *device);
void fake_device_resolve(struct fake_device *device);
void fake_device_answer_held(struct fake_device *device);
void fake_device_reason(struct fake_device *device, const char *reason);
void fake_device_value(struct fake_device *device, const uint8_t *value, size_t n);
/*
 * The device sends these data with a monitor on: PropertiesChanged if they are news, without a
 * strength; DeviceFound the first time.
 */
void fake_device_beacon(struct fake_device *device, uint8_t state);
void fake_monitor_release(struct fake *fake, unsigned adapter);
void fake_monitor_lost(struct fake_device *device); /* DeviceLost */
/* PropertiesChanged of so many devices that are nobody's. */
void fake_storm(struct fake *fake, unsigned adapter, unsigned n);
