/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "facts-host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/wireless.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "loop/wifi.h"
#include "util/list.h"
#include "util/text.h"

#define USB3_MBIT 5000
#define ENTRIES_MAX 256 /* of a folder of /sys that is looked through */
#define PATH_PARTS_MAX 16
#define WIFI_24GHZ_MOST 3000 /* MHz; the next band begins at 5150 */

/* ---- small readers; all say false when there is nothing to be read ---- */

static bool read_text(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first line, without its end. */
static bool read_text(char *out, size_t size, const char *format, ...) {
	char path[PATH_MAX];
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, format);
	(void) vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	out[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return false;
	}
	n = read(fd, out, size - 1);
	(void) close(fd);
	if (n <= 0) {
		out[0] = '\0';
		return false;
	}
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	text_sanitize(out);
	return out[0] != '\0';
}

static bool exists(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool exists(const char *format, ...) {
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	(void) vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return access(path, F_OK) == 0;
}

/* ---- disk and files ---- */

static void read_disk(const struct host_config *config, struct hub_facts *ret) {
	static const char *const parts[] = { "lockhub.db", "lockhub.db-wal" };
	struct statvfs disk;
	struct stat file;
	char path[PATH_MAX];

	if (statvfs(config->state_dir, &disk) == 0) {
		ret->host.disk_free = (int64_t) disk.f_bavail * (int64_t) disk.f_frsize;
		ret->host.disk_size = (int64_t) disk.f_blocks * (int64_t) disk.f_frsize;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		(void) snprintf(path, sizeof(path), "%s/%s", config->state_dir, parts[i]);
		if (stat(path, &file) == 0) {
			ret->host.database_size =
				(ret->host.database_size < 0 ? 0 : ret->host.database_size) +
				file.st_size;
		}
	}
}

static void expose(struct hub_facts *ret, const char *path, mode_t mode, const char *what) {
	if (ret->host.n_exposed < DIAG_EXPOSED_MAX) {
		(void) snprintf(ret->host.exposed[ret->host.n_exposed],
			sizeof(ret->host.exposed[0]), "%.100s (mode %04o: %s)", path,
			(unsigned) mode & 07777U, what);
		ret->host.n_exposed++;
	}
}

static void check_secret(const char *path, struct hub_facts *ret) {
	struct stat file;

	if (path != NULL && path[0] != '\0' && stat(path, &file) == 0 &&
		(file.st_mode & (S_IROTH | S_IWOTH)) != 0) {
		expose(ret, path, file.st_mode, "everybody on this machine can get at it");
	}
}

/* What lies in a folder that others cannot enter is out of their reach, whatever its mode. */
static void check_files(const struct host_config *config, struct hub_facts *ret) {
	static const char *const names[] = { "lockhub.db", "lockhub.db-wal", "db.key" };
	struct stat file;
	char path[PATH_MAX];
	mode_t mode = stat(config->state_dir, &file) == 0 ? file.st_mode : 0;

	if ((mode & S_IWOTH) != 0) {
		expose(ret, config->state_dir, mode, "everybody can put files there");
	}
	for (size_t i = 0; (mode & S_IXOTH) != 0 && i < ARRAY_SIZE(names); i++) {
		(void) snprintf(path, sizeof(path), "%s/%s", config->state_dir, names[i]);
		check_secret(path, ret);
	}
	for (size_t i = 0; i < ARRAY_SIZE(config->secrets); i++) {
		check_secret(config->secrets[i], ret);
	}
	/* There is no secret in it, but who writes it rules. */
	if (stat(config->config, &file) == 0 && (file.st_mode & S_IWOTH) != 0) {
		expose(ret, config->config, file.st_mode, "everybody can change it");
	}
}

/* ---- what machine it is ---- */

static void read_os(const struct host_config *config, struct hub_facts *ret) {
	char path[PATH_MAX];
	char line[256];
	FILE *file;

	(void) snprintf(path, sizeof(path), "%s/etc/os-release", config->root);
	file = fopen(path, "re");
	if (file == NULL) {
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		char *value = line + strlen("PRETTY_NAME=");

		if (strncmp(line, "PRETTY_NAME=", strlen("PRETTY_NAME=")) != 0) {
			continue;
		}
		value[strcspn(value, "\n")] = '\0';
		value += *value == '"';
		value[strcspn(value, "\"")] = '\0';
		text_sanitize(value);
		(void) text_copy(ret->host.os, sizeof(ret->host.os), value);
	}
	(void) fclose(file);
}

static void read_machine(const struct host_config *config, struct hub_facts *ret) {
	struct utsname name;

	read_os(config, ret);
	if (uname(&name) == 0) {
		(void) snprintf(ret->host.kernel, sizeof(ret->host.kernel), "%.40s %.20s",
			name.release, name.machine);
	}
	/* /proc/device-tree is a link to the first, which the sandbox leaves. */
	if (!read_text(ret->host.board, sizeof(ret->host.board),
		    "%s/sys/firmware/devicetree/base/model", config->root)) {
		(void) read_text(ret->host.board, sizeof(ret->host.board),
			"%s/sys/class/dmi/id/product_name", config->root);
	}
}

/*
 * Raspberry Pi. The firmware's word: bit 0 under-voltage now, bit 16 since boot. Kernels since 4.18
 * have it as a sensor, too. Source: Raspberry Pi documentation, vcgencmd get_throttled; the
 * kernel's drivers/hwmon/raspberrypi-hwmon.c.
 */
static void read_voltage(const struct host_config *config, struct hub_facts *ret) {
	char text[64];

	if (read_text(text, sizeof(text), "%s/sys/devices/platform/soc/soc:firmware/get_throttled",
		    config->root)) {
		unsigned long bits = strtoul(text, NULL, 16);

		ret->host.is_undervolted = (bits & 0x10001UL) != 0 ? FLAG_YES : FLAG_NO;
		return;
	}
	for (unsigned i = 0; i < 16; i++) {
		if (read_text(text, sizeof(text), "%s/sys/class/hwmon/hwmon%u/name", config->root,
			    i) &&
			strcmp(text, "rpi_volt") == 0 &&
			read_text(text, sizeof(text), "%s/sys/class/hwmon/hwmon%u/in0_lcrit_alarm",
				config->root, i)) {
			ret->host.is_undervolted = text[0] == '1' ? FLAG_YES : FLAG_NO;
		}
	}
}

/* ---- adapters ---- */

/* Any device but a hub's own that talks USB 3: it is heard at 2.4 GHz (Intel 327216-001). */
static enum known_flag read_usb3(const struct host_config *config) {
	char path[PATH_MAX];
	char text[32];
	const struct dirent *entry;
	enum known_flag result = FLAG_NO;
	DIR *folder;

	(void) snprintf(path, sizeof(path), "%s/sys/bus/usb/devices", config->root);
	folder = opendir(path);
	if (folder == NULL) {
		return FLAG_UNKNOWN;
	}
	for (unsigned i = 0; i < ENTRIES_MAX && (entry = readdir(folder)) != NULL; i++) {
		/* usb1, usb2: the machine's own root hubs. */
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, "usb", 3) != 0 &&
			read_text(text, sizeof(text), "%s/%s/speed", path, entry->d_name) &&
			strtoul(text, NULL, 10) >= USB3_MBIT &&
			/* Hubs between say nothing by themselves. */
			(!read_text(
				 text, sizeof(text), "%s/%s/bDeviceClass", path, entry->d_name) ||
				strcmp(text, "09") != 0)) {
			result = FLAG_YES;
		}
	}
	(void) closedir(folder);
	return result;
}

/* @path: of an interface of a USB device; the device itself is the first above that has a speed. */
static void read_usb(char *path, const struct host_config *config, struct adapter_facts *ret) {
	char text[64];
	char vendor[8] = "";
	char product[8] = "";
	char *slash;

	ret->is_usb = FLAG_YES;
	ret->is_usb3_port = read_usb3(config);
	for (unsigned i = 0; i < PATH_PARTS_MAX && !exists("%s/speed", path); i++) {
		slash = strrchr(path, '/');
		if (slash == NULL || slash == path) {
			return;
		}
		*slash = '\0';
	}
	if (read_text(text, sizeof(text), "%s/power/control", path)) {
		ret->is_autosuspending = strcmp(text, "auto") == 0 ? FLAG_YES : FLAG_NO;
	}
	if (read_text(text, sizeof(text), "%s/removable", path)) {
		ret->is_onboard = strcmp(text, "fixed") == 0       ? FLAG_YES
				  : strcmp(text, "removable") == 0 ? FLAG_NO
								   : FLAG_UNKNOWN;
	}
	(void) read_text(vendor, sizeof(vendor), "%s/idVendor", path);
	(void) read_text(product, sizeof(product), "%s/idProduct", path);
	(void) read_text(text, sizeof(text), "%s/product", path);
	(void) snprintf(ret->chip, sizeof(ret->chip), "USB %.6s:%.6s %.40s", vendor, product, text);
}

static void read_adapter(
	const struct host_config *config, const char *name, struct adapter_facts *ret) {
	char link[PATH_MAX];
	char path[PATH_MAX];

	(void) text_copy(ret->name, sizeof(ret->name), name);
	(void) snprintf(link, sizeof(link), "%s/sys/class/bluetooth/%s/device", config->root, name);
	if (realpath(link, path) == NULL) {
		/* No hardware at all is below a controller that a program plays (/dev/vhci). */
		(void) snprintf(
			link, sizeof(link), "%s/sys/class/bluetooth/%s", config->root, name);
		if (realpath(link, path) != NULL && strstr(path, "/virtual/") != NULL) {
			ret->is_usb = FLAG_NO;
			ret->is_usb3_port = FLAG_NO;
			ret->is_onboard = FLAG_NO;
			(void) text_copy(ret->chip, sizeof(ret->chip), "virtual");
		}
		return;
	}
	if (strstr(path, "/usb") != NULL) {
		read_usb(path, config, ret);
		return;
	}
	ret->is_usb = FLAG_NO;
	ret->is_usb3_port = FLAG_NO;
	/* Soldered to the board's serial port, or on its SDIO. */
	if (strstr(path, "serial") != NULL || strstr(path, "tty") != NULL ||
		strstr(path, "mmc") != NULL) {
		ret->is_onboard = FLAG_YES;
		(void) text_copy(ret->chip, sizeof(ret->chip), "on the board, serial");
	}
}

static void read_rfkill(const struct host_config *config, struct adapter_facts *ret) {
	char text[32];

	/* Each adapter that is plugged in gets the next number. */
	for (unsigned i = 0; i < ENTRIES_MAX; i++) {
		if (!read_text(text, sizeof(text), "%s/sys/class/rfkill/rfkill%u/name",
			    config->root, i) ||
			strcmp(text, ret->name) != 0) {
			continue;
		}
		ret->is_blocked = FLAG_NO;
		if ((read_text(text, sizeof(text), "%s/sys/class/rfkill/rfkill%u/soft",
			     config->root, i) &&
			    text[0] == '1') ||
			(read_text(text, sizeof(text), "%s/sys/class/rfkill/rfkill%u/hard",
				 config->root, i) &&
				text[0] == '1')) {
			ret->is_blocked = FLAG_YES;
		}
	}
}

/* "hci0", but not "hci0:64", which is a link. */
static bool is_adapter(const char *name) {
	return strncmp(name, "hci", 3) == 0 && strlen(name) < 6 &&
	       strspn(name + 3, "0123456789") == strlen(name + 3) && name[3] != '\0';
}

static void read_adapters(const struct host_config *config, struct hub_facts *ret) {
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *folder;

	(void) snprintf(path, sizeof(path), "%s/sys/class/bluetooth", config->root);
	folder = opendir(path);
	if (folder == NULL) {
		return;
	}
	for (unsigned i = 0; i < ENTRIES_MAX && (entry = readdir(folder)) != NULL &&
			     ret->n_adapters < DIAG_ADAPTERS_MAX;
		i++) {
		if (is_adapter(entry->d_name)) {
			struct adapter_facts *row = &ret->adapters[ret->n_adapters++];

			read_adapter(config, entry->d_name, row);
			read_rfkill(config, row);
		}
	}
	(void) closedir(folder);
}

/* ---- the network ---- */

/* The interface of the default route; IPv4, as nearly everybody has it. */
static bool default_interface(const struct host_config *config, char out[static IFNAMSIZ]) {
	char path[PATH_MAX];
	char line[256];
	FILE *file;
	bool is_found = false;

	(void) snprintf(path, sizeof(path), "%s/proc/self/net/route", config->root);
	file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	while (!is_found && fgets(line, sizeof(line), file) != NULL) {
		char name[IFNAMSIZ];
		unsigned long destination = 1;

		if (sscanf(line, "%15s %lx", name, &destination) == 2 && destination == 0) {
			is_found = true;
			memcpy(out, name, sizeof(name));
		}
	}
	(void) fclose(file);
	return is_found;
}

/* Nobody needs a right to be told the channel. 0: not told. */
static double frequency_mhz(const char *interface) {
	struct iwreq request = { 0 };
	double hz = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return 0;
	}
	(void) text_copy(request.ifr_name, sizeof(request.ifr_name), interface);
	if (ioctl(fd, SIOCGIWFREQ, &request) == 0) {
		hz = request.u.freq.m;
		for (int i = 0; i < request.u.freq.e; i++) {
			hz *= 10;
		}
	}
	(void) close(fd);
	/* Small numbers are channels. */
	if (hz > 0 && hz < 1000) {
		return hz <= 14 ? 2400 : 5000;
	}
	return hz / 1e6;
}

static void read_network(const struct host_config *config, struct hub_facts *ret) {
	char interface[IFNAMSIZ];
	double mhz;

	if (!default_interface(config, interface)) {
		return;
	}
	if (!exists("%s/sys/class/net/%s/wireless", config->root, interface) &&
		!exists("%s/sys/class/net/%s/phy80211", config->root, interface)) {
		/* A tunnel or a bridge may go over Wi-Fi: only a device is known to be none. */
		if (exists("%s/sys/class/net/%s/device", config->root, interface)) {
			ret->host.is_wifi = FLAG_NO;
			ret->host.is_wifi_24ghz = FLAG_NO;
		}
		return;
	}
	ret->host.is_wifi = FLAG_YES;
	mhz = config->root[0] == '\0' ? frequency_mhz(interface) : 0;
	if (mhz > 0) {
		ret->host.is_wifi_24ghz = mhz < WIFI_24GHZ_MOST ? FLAG_YES : FLAG_NO;
	}
}

void host_read(const struct host_config *config, struct hub_facts *ret) {
	read_disk(config, ret);
	check_files(config, ret);
	read_machine(config, ret);
	read_voltage(config, ret);
	if (config->has_adapters) {
		read_adapters(config, ret);
	}
	read_network(config, ret);
}

/* ---- on the pool thread ---- */

struct host {
	struct loop *loop;
	struct wifi *wifi;    /* NULL: a copy's */
	struct list readings; /* struct reading; of a copy not in use */
	struct host_config config;
	char texts[8][PATH_MAX];
};

/* One reading: a thread's own, so that a host that is freed meanwhile is not missed. */
struct reading {
	struct list link;   /* in owner->readings */
	struct host *owner; /* NULL once that is gone */
	struct host host;   /* a copy; its texts are its own */
	struct hub_facts found;
	char interface[IFNAMSIZ]; /* of the default route; "" not known */
	struct hub_facts *facts;
	void (*done)(void *done_user);
	void *done_user;
};

static void set_texts(struct host *host, const struct host_config *from) {
	const char *texts[8] = { from->root, from->state_dir, from->config, from->secrets[0],
		from->secrets[1], from->secrets[2], from->secrets[3], from->bus_address };

	host->config = *from;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		(void) text_copy(
			host->texts[i], sizeof(host->texts[i]), texts[i] != NULL ? texts[i] : "");
	}
	host->config.root = host->texts[0];
	host->config.state_dir = host->texts[1];
	host->config.config = host->texts[2];
	for (size_t i = 0; i < ARRAY_SIZE(host->config.secrets); i++) {
		host->config.secrets[i] = host->texts[3 + i];
	}
	host->config.bus_address = from->bus_address != NULL ? host->texts[7] : NULL;
}

static void on_pool(void *user) {
	struct reading *reading = user;

	host_read(&reading->host.config, &reading->found);
	if (!default_interface(&reading->host.config, reading->interface)) {
		reading->interface[0] = '\0';
	}
}

static void merge_adapters(struct hub_facts *facts, const struct hub_facts *found) {
	for (size_t i = 0; i < found->n_adapters; i++) {
		const struct adapter_facts *from = &found->adapters[i];
		struct adapter_facts *to = NULL;

		for (size_t k = 0; k < facts->n_adapters; k++) {
			if (text_equal(facts->adapters[k].name, from->name)) {
				to = &facts->adapters[k];
			}
		}
		if (to == NULL && facts->n_adapters < DIAG_ADAPTERS_MAX) {
			to = &facts->adapters[facts->n_adapters++];
			(void) text_copy(to->name, sizeof(to->name), from->name);
		}
		if (to == NULL) {
			return;
		}
		to->is_usb = from->is_usb;
		to->is_onboard = from->is_onboard;
		to->is_usb3_port = from->is_usb3_port;
		to->is_autosuspending = from->is_autosuspending;
		to->is_blocked =
			from->is_blocked != FLAG_UNKNOWN ? from->is_blocked : to->is_blocked;
		(void) text_copy(to->chip, sizeof(to->chip), from->chip);
	}
}

/* Field by field: the others of .host belong to other sources. */
static void merge(struct hub_facts *facts, const struct hub_facts *found) {
	facts->host.disk_free = found->host.disk_free;
	facts->host.disk_size = found->host.disk_size;
	facts->host.database_size = found->host.database_size;
	memcpy(facts->host.exposed, found->host.exposed, sizeof(facts->host.exposed));
	facts->host.n_exposed = found->host.n_exposed;
	memcpy(facts->host.os, found->host.os, sizeof(facts->host.os));
	memcpy(facts->host.kernel, found->host.kernel, sizeof(facts->host.kernel));
	memcpy(facts->host.board, found->host.board, sizeof(facts->host.board));
	facts->host.is_undervolted = found->host.is_undervolted;
	facts->host.is_wifi = found->host.is_wifi;
	facts->host.is_wifi_24ghz = found->host.is_wifi_24ghz;
	merge_adapters(facts, found);
}

/* Last of all, in every case: whoever waits is told, even when nothing was read. */
static void reading_end(struct reading *reading) {
	list_remove(&reading->link);
	reading->done(reading->done_user);
	free(reading);
}

/* Who manages the network knows better than the kernel's old door, and more. */
static void on_wifi(void *user, const struct wifi_facts *wifi) {
	struct reading *reading = user;
	struct hub_facts *facts = reading->facts;

	if (wifi->is_known) {
		facts->host.is_wifi = wifi->is_wifi ? FLAG_YES : FLAG_NO;
		(void) text_copy(facts->host.wifi_security, sizeof(facts->host.wifi_security),
			wifi->security);
	}
	if (wifi->is_known && !wifi->is_wifi) {
		facts->host.is_wifi_24ghz = FLAG_NO;
	} else if (wifi->is_known && wifi->mhz > 0) {
		facts->host.is_wifi_24ghz = wifi->mhz < WIFI_24GHZ_MOST ? FLAG_YES : FLAG_NO;
	}
	reading_end(reading);
}

static void on_over(void *user) {
	struct reading *reading = user;

	merge(reading->facts, &reading->found);
	if (reading->owner == NULL || reading->facts->host.is_wifi == FLAG_NO ||
		wifi_ask(reading->owner->wifi, reading->interface, on_wifi, reading) < 0) {
		reading_end(reading);
	}
}

void host_gather(
	void *user, struct hub_facts *facts, void (*done)(void *done_user), void *done_user) {
	struct host *host = user;
	struct reading *reading = calloc(1, sizeof(*reading));

	if (reading == NULL) {
		done(done_user);
		return;
	}
	list_append(&host->readings, &reading->link);
	reading->owner = host;
	set_texts(&reading->host, &host->config);
	hub_facts_init(&reading->found);
	reading->facts = facts;
	reading->done = done;
	reading->done_user = done_user;
	if (loop_work_run(host->loop, on_pool, NULL, on_over, reading) == NULL) {
		on_over(reading);
	}
}

struct host *host_new(struct loop *loop, const struct host_config *config) {
	struct host *host = calloc(1, sizeof(*host));

	if (host == NULL) {
		return NULL;
	}
	host->loop = loop;
	list_init(&host->readings);
	set_texts(host, config);
	host->wifi = wifi_new(loop, host->config.bus_address);
	return host->wifi != NULL ? host : host_free(host);
}

struct host *host_free(struct host *host) {
	struct reading *reading;

	if (host == NULL) {
		return NULL;
	}
	/* Those who wait for the network are answered; those on a pool thread answer later. */
	host->wifi = wifi_free(host->wifi);
	while (!list_is_empty(&host->readings)) {
		reading = list_first(&host->readings, struct reading, link);
		list_remove(&reading->link);
		list_init(&reading->link);
		reading->owner = NULL;
	}
	free(host);
	return NULL;
}
