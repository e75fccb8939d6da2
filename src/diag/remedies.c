/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What can be done. A row reads like a note on the fridge: what, how long it takes, what it costs
 * when it goes wrong, how, and how we shall know that it helped. The names are kept in databases
 * (struct attempt): never change one that has been released.
 */

#include "diag/advice.h"

#include "judge.h"
#include "util/auto.h"
#include "util/text.h"

#define RESET_CONFIRM                                                                              \
	"All keys, codes and settings in the lock are lost. A backup is made and checked before, " \
	"and restored after."

/* clang-format off */
static const struct remedy rows[] = {
	/* measuring */
	{ .name = "measure-again", .title = "Wait a minute and measure again", .effort_min = 1,
		.risk = RISK_NONE, .act = REMEDY_MEASURE, .confirm = "", .command = "lockhubctl doctor LOCK",
		.steps = { "Wait a minute: a passing disturbance is over then." }, .verify = "answers" },
	{ .name = "look-at-log", .title = "See in the log what happened", .effort_min = 5,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl log --lock LOCK",
		.steps = { "Compare the times with what you and yours did.", "What nobody of yours did, somebody else did." },
		.verify = "tamper" },

	/* bluetoothd and the adapter */
	{ .name = "start-bluetooth", .title = "Start bluetoothd", .effort_min = 1,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "Run: systemctl enable --now bluetooth", "If that fails, see why: journalctl -u bluetooth" }, .verify = "bluetooth" },
	{ .name = "restart-bluetooth", .title = "Restart bluetoothd", .effort_min = 1,
		.risk = RISK_LOW, .act = REMEDY_RESTART_BLUEZ,
		.confirm = "Every Bluetooth connection of this computer breaks for some seconds.", .command = "",
		.steps = { "Run: systemctl restart bluetooth" }, .verify = "bluetooth" },
	{ .name = "install-bus-policy", .title = "Install lockhub's D-Bus policy", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "See that /usr/share/dbus-1/system.d/org.lockhub1.conf is there; if not, install lockhub's package again.",
			"Run: systemctl reload dbus" }, .verify = "bluetooth" },
	{ .name = "switch-adapter-on", .title = "Switch the Bluetooth adapter on", .effort_min = 1,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Run: bluetoothctl power on", "To keep it: AutoEnable=true in /etc/bluetooth/main.conf, [Policy]" }, .verify = "adapter" },
	{ .name = "unblock-adapter", .title = "Unblock the Bluetooth adapter", .effort_min = 1,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Run: rfkill unblock bluetooth", "If it stays blocked there is a switch or a key for it on the computer." }, .verify = "adapter" },
	{ .name = "power-adapter", .title = "Switch the Bluetooth adapter off and on", .effort_min = 0,
		.risk = RISK_LOW, .act = REMEDY_POWER_ADAPTER,
		.confirm = "Every Bluetooth connection of this computer breaks for some seconds.", .command = "",
		.steps = { "Run: bluetoothctl power off, then: bluetoothctl power on" }, .verify = "hearing" },
	{ .name = "replug-adapter", .title = "Unplug the Bluetooth adapter for ten seconds", .effort_min = 2,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "Unplug the adapter, count to ten, plug it in again.", "A built-in one: shut the computer down, take its power away for ten seconds." },
		.verify = "adapter" },
	{ .name = "stop-other-scanners", .title = "End other programs that use the adapter", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "Run: bluetoothctl scan off", "Other smart-home programs on this computer may use the same adapter: give each its own." },
		.verify = "adapter" },
	{ .name = "plug-in-adapter", .title = "Plug in a Bluetooth adapter", .effort_min = 15,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "See what Linux finds: bluetoothctl list, and lsusb", "On a Raspberry Pi see that /boot/firmware/config.txt does not switch Bluetooth off (disable-bt)." },
		.verify = "adapter" },
	{ .name = "other-adapter", .title = "Use another Bluetooth adapter", .effort_min = 20,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "Take a USB adapter of a chip that Linux knows well (Realtek RTL8761, Intel).", "Clones of the CSR8510 (0a12:0001) are not fit for it.",
			"lockhub uses every adapter that is there; the pairing with the lock stays." },
		.verify = "link-success" },
	{ .name = "add-adapter", .title = "Give the hub a second Bluetooth adapter", .effort_min = 20,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "lockhub shares the locks out among all adapters that are plugged in." }, .verify = "slots" },
	{ .name = "extension-cable", .title = "Put the Bluetooth adapter on an extension cable", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl signal LOCK --watch",
		.steps = { "A USB 2 extension of half a metre or more takes the adapter out of the noise of computer, USB 3 ports and disks.",
			"Or use a USB 2 port far from anything that is plugged into a USB 3 port." },
		.verify = "link-success" },
	{ .name = "stop-power-saving", .title = "Switch the adapter's power saving off", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "At once: echo on > /sys/bus/usb/devices/DEVICE/power/control (lsusb -t shows DEVICE)",
			"For good: a udev rule ACTION==\"add\", SUBSYSTEM==\"usb\", ATTR{idVendor}==\"VENDOR\", ATTR{power/control}=\"on\", or the kernel option btusb.enable_autosuspend=n" },
		.verify = "power-saving" },
	{ .name = "wire-the-hub", .title = "Take the hub off 2.4 GHz Wi-Fi", .effort_min = 15,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "Best: a network cable.", "Else join the 5 GHz network.", "Else use a USB Bluetooth adapter on an extension cable instead of the built-in one." },
		.verify = "wifi-neighbour" },

	/* place and radio */
	{ .name = "move-hub", .title = "Move the hub closer to the door", .effort_min = 15,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl signal LOCK --watch",
		.steps = { "Metal doors, mirrors, pipes and refrigerators shield; a metre to the side can be enough.", "Watch the bar while you move it: -70 dBm and better is good.",
			"Where the hub cannot move, its USB adapter can: on an extension cable." },
		.verify = "signal" },
	{ .name = "find-disturbance", .title = "Find what disturbs at these hours", .effort_min = 30,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl signal LOCK --watch",
		.steps = { "Usual suspects: microwave oven, baby monitor, wireless camera or headphones, Wi-Fi busy on 2.4 GHz, USB 3 disk doing a backup.",
			"Move the hub, or its adapter, away from it; set Wi-Fi to channel 1, 6 or 11, or to 5 GHz." },
		.verify = "interference" },
	{ .name = "close-apps", .title = "Close the vendor's app and other bridges", .effort_min = 5,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Close the vendor's app on every phone of the household, fully, not only to the background.",
			"Switch off the vendor's bridge, and other smart-home programs that talk to this lock.", "Wait a minute: a lock lets go of an idle connection after some seconds." },
		.verify = "connects" },

	/* the lock */
	{ .name = "restart-lock", .title = "Restart the lock", .effort_min = 1,
		.risk = RISK_LOW, .act = REMEDY_RESTART_LOCK, .confirm = "The lock does not answer for about a minute. The bolt stays where it is.",
		.command = "lockhubctl care restart LOCK", .model_steps = STEPS_RESTART, .steps = { NULL }, .verify = "answers" },
	{ .name = "pull-batteries", .title = "Take the batteries out for ten seconds", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "The lock forgets its time. The bolt stays where it is.",
		.command = "lockhubctl care restart LOCK", .model_steps = STEPS_RESTART,
		.steps = { "Keep the door open while you work.", "Take the batteries out, wait ten seconds, put them in again.", "Wait until the lock has come to rest." },
		.verify = "answers" },
	{ .name = "go-to-lock", .title = "Try the lock's own button", .effort_min = 2,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Stand at the lock and press its button.", "It reacts: it lives, and the way to the hub is the matter.", "It does not: its batteries are empty. The key still opens." },
		.verify = "heard" },
	{ .name = "switch-its-radio-on", .title = "See that Bluetooth is on in the lock", .effort_min = 5,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "In the vendor's app see that Bluetooth is not switched off for this lock, and that no Wi-Fi or Thread mode replaces it." },
		.verify = "heard" },

	/* batteries */
	{ .name = "change-batteries", .title = "Change the batteries", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl care batteries LOCK", .model_steps = STEPS_BATTERY_CHANGE,
		.steps = { "Change all at once: same kind, make and age." }, .verify = "battery-level" },
	{ .name = "change-tired-cells", .title = "Change all cells for new ones of one make", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl care batteries LOCK", .model_steps = STEPS_BATTERY_CHANGE,
		.steps = { "One tired cell among good ones is enough: do not mix.", "Clean the contacts with a dry cloth.",
			"Rechargeable cells only where the maker allows them, and with the battery type set in the app." },
		.verify = "cells" },
	{ .name = "buy-batteries", .title = "Buy batteries now", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl battery LOCK",
		.steps = { "lockhubctl battery shows kind and count for this lock.", "Carry the mechanical key until they are changed." }, .verify = "forecast" },
	{ .name = "change-keypad-battery", .title = "Change the keypad's battery", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "See the keypad's manual for kind and count.", "Then try a code." }, .verify = "keypad-battery" },
	{ .name = "change-sensor-battery", .title = "Change the door sensor's battery", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "See the sensor's manual for the kind.", "Then open and shut the door once." }, .verify = "door-sensor-battery" },
	{ .name = "ask-less", .title = "Let programs ask the lock less often", .effort_min = 15,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl log --lock LOCK",
		.steps = { "Look for automations that refresh or command the lock every few minutes.", "State, battery and events come by themselves: let them listen instead." },
		.verify = "drain" },
	{ .name = "fewer-moves", .title = "Save motor runs", .effort_min = 5,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl settings LOCK",
		.steps = { "A longer time before it locks by itself saves runs.", "Where many people pass by day let it stay unlocked in these hours, if the latch alone is enough." },
		.verify = "drain" },
	{ .name = "keep-a-way-in", .title = "Keep another way in until it is done", .effort_min = 1,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Do not shut the door behind you unless somebody is inside, or another door is open to you.", "Some of these locks take a 9 V battery or a power bank from outside: see the manual." },
		.verify = "lockout" },

	/* door, bolt, motor */
	{ .name = "free-the-door", .title = "See that nothing holds the bolt", .effort_min = 2,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Is the door really shut, and is there no key in the cylinder?", "Push or pull the door gently while it locks.", "Try once more." },
		.verify = "bolt" },
	{ .name = "lift-handle", .title = "Lift the handle, then lock", .effort_min = 1,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl lock LOCK",
		.steps = { "Shut the door and lift its handle up as far as it goes: the bolts come out.", "Let go of the handle, then lock.",
			"If it cannot be lifted all the way with the door shut, the bolts rub at the frame." },
		.verify = "motor" },
	{ .name = "fix-magnet", .title = "Set the door sensor right", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "See that the magnet on the frame sits firmly, across from the lock and as near to it as its manual says.",
			"Calibrate the sensor in the vendor's app, with the door shut, ajar and open as it asks." },
		.verify = "motor" },
	{ .name = "try-by-hand", .title = "Turn the bolt by hand, door open and door shut", .effort_min = 5,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Door open: it must turn lightly. If not: cylinder or mounting.", "Door shut: if only now it is stiff, the bolt rubs at the strike plate." },
		.verify = "bolt" },
	{ .name = "adjust-strike", .title = "Adjust the strike plate or the hinges", .effort_min = 45,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl care install LOCK",
		.steps = { "Colour the end of the bolt with chalk and lock: the mark shows where it rubs.", "Move the strike plate, or the hinges, by that much; then calibrate.",
			"lockhubctl care install LOCK tests it with some runs, door open and shut." },
		.verify = "bolt" },
	{ .name = "tighten-mount", .title = "Tighten the lock on the door", .effort_min = 15,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl care install LOCK",
		.steps = { "Take the lock off its plate; tighten the plate's screws.", "See that key or spindle sits firmly, and put the lock on straight until it clicks." },
		.verify = "motor" },
	{ .name = "ease-cylinder", .title = "Make the cylinder turn lightly", .effort_min = 20,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "Use a dry lubricant for lock cylinders, not oil.", "A worn cylinder must be changed." }, .verify = "bolt" },
	{ .name = "calibrate", .title = "Calibrate the lock", .effort_min = 2,
		.risk = RISK_MIDDLE, .act = REMEDY_CALIBRATE, .confirm = "The motor turns the bolt fully out and in. The door must be open.",
		.command = "lockhubctl calibrate LOCK", .model_steps = STEPS_CALIBRATE,
		.steps = { "Open the door and keep it open until the lock has come to rest." }, .verify = "calibration" },

	/* set-up */
	{ .name = "set-clock", .title = "Set the lock's clock", .effort_min = 0,
		.risk = RISK_NONE, .act = REMEDY_SET_CLOCK, .confirm = "", .command = "lockhubctl sync-clock LOCK", .steps = { NULL }, .verify = "clock" },
	{ .name = "set-zone", .title = "Set the lock's time zone", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl settings LOCK",
		.steps = { "Set it here where the lock allows it, else in the vendor's app.", "If the hub's own zone is wrong: timedatectl set-timezone ZONE" }, .verify = "zone" },
	{ .name = "set-pin", .title = "Give the hub the lock's security PIN", .effort_min = 3,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl set-pin LOCK",
		.steps = { "You find it, or set a new one, in the vendor's app.", "Type it once; it is kept encrypted." }, .verify = "pin" },
	{ .name = "wait-for-pin", .title = "Wait ten minutes, then give the right PIN", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl set-pin LOCK",
		.steps = { "The lock refuses every PIN for a while after wrong ones: further tries make it longer." }, .verify = "pin" },
	{ .name = "enable-key", .title = "Allow the hub's key in the vendor's app", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "In the vendor's app look for the list of keys or users: the hub's name is in it.", "Enable it, without limits of time, and with remote access." }, .verify = "identity" },
	{ .name = "pair-again", .title = "Pair the lock again and restore it", .effort_min = 20,
		.risk = RISK_MIDDLE, .confirm = RESET_CONFIRM, .command = "lockhubctl reset --restore LOCK", .model_steps = STEPS_PAIRING,
		.steps = { "lockhub keeps name, users, codes, schedules and history, and writes them back." }, .verify = "identity", .is_last_resort = true },
	{ .name = "reset-lock", .title = "Reset the lock and set it up again", .effort_min = 40,
		.risk = RISK_HIGH, .confirm = RESET_CONFIRM, .command = "lockhubctl reset LOCK", .model_steps = STEPS_FACTORY_RESET,
		.steps = { "Only when nothing else has helped. Keep the door open, and a key with you.", "lockhub backs up first, resets with you, pairs, restores and compares." },
		.verify = "answers", .is_last_resort = true },
	{ .name = "enable-log", .title = "Switch the lock's log on", .effort_min = 3,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl settings LOCK", .steps = { "Set it here where the lock allows it, else in the vendor's app." }, .verify = "lock-log" },
	{ .name = "import-log", .title = "Read the lock's log now", .effort_min = 0,
		.risk = RISK_NONE, .act = REMEDY_IMPORT_LOG, .confirm = "", .command = "lockhubctl refresh LOCK", .steps = { NULL }, .verify = "log-gap" },
	{ .name = "close-pairing", .title = "Switch pairing by button off", .effort_min = 3,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl settings LOCK", .steps = { "Set it here where the lock allows it, else in the vendor's app: button and LED, Bluetooth pairing." },
		.verify = "pairing-open" },
	{ .name = "use-other-lock", .title = "See which lock answers", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl show LOCK",
		.steps = { "Was the lock replaced? Then pair the new one: lockhubctl pair", "Two locks with one address are a fault of the maker: ask its support." }, .verify = "identity" },

	/* codes */
	{ .name = "sync-codes", .title = "Write the codes to the lock now", .effort_min = 0,
		.risk = RISK_LOW, .act = REMEDY_SYNC_CODES, .confirm = "", .command = "lockhubctl code sync LOCK", .steps = { NULL }, .verify = "codes-sync" },
	{ .name = "remove-code-by-app", .title = "Remove the code with the vendor's app", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl code list --lock LOCK",
		.steps = { "Stand at the lock with a phone that is paired with it and delete the code there.", "The hub sees it at its next look." }, .verify = "revocation" },
	{ .name = "change-codes", .title = "Change these codes", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl code list --lock LOCK",
		.steps = { "Change them one by one: lockhubctl code change", "Let the hub make them: six digits and more, not dates." }, .verify = "code-strength" },
	{ .name = "require-factor", .title = "Ask for a second factor", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl rules LOCK",
		.steps = { "Give each user a personal code or a one-time password: lockhubctl user edit", "Then demand it for remote opening." }, .verify = "second-factor" },
	{ .name = "change-pin", .title = "Change the lock's security PIN", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl set-pin LOCK",
		.steps = { "Set a new one in the vendor's app: as long as it takes, no date.", "Give it to the hub." }, .verify = "default-pin" },
	{ .name = "look-at-door", .title = "Go and look at the door", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Is the lock whole, is it firmly on, is the door shut?", "If somebody was at it who should not, do not touch anything and call the police." }, .verify = "tamper" },
	{ .name = "accept-weak-lock", .title = "Limit what this lock guards", .effort_min = 30,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl doctor security",
		.steps = { "No update mends a weak protocol unless the maker brings one.", "Use it where little is at stake, or together with a second lock; plan for another model." }, .verify = "protocol" },

	/* firmware */
	{ .name = "update-firmware", .title = "Update the lock's firmware", .effort_min = 15,
		.risk = RISK_MIDDLE, .confirm = "", .command = "lockhubctl care firmware LOCK", .model_steps = STEPS_FIRMWARE,
		.steps = { "Batteries above half and the phone beside the lock, before you begin.", "Close the app afterwards; the hub reads the version and compares." }, .verify = "firmware" },

	/* hub */
	{ .name = "sync-time", .title = "Synchronise the hub's clock", .effort_min = 5,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Run: timedatectl set-ntp true", "Does the router let time through (UDP 123)? See: timedatectl timesync-status", "A Raspberry Pi has no clock of its own: it needs the network for it." },
		.verify = "hub-clock" },
	{ .name = "free-disk", .title = "Free some space on the disk", .effort_min = 15,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "See what is big: du -xh / | sort -h | tail -20", "Journals: journalctl --vacuum-size=100M; packages: apt-get clean" }, .verify = "disk" },
	{ .name = "check-disk", .title = "Look after the disk", .effort_min = 30,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl backup",
		.steps = { "First a copy elsewhere: lockhubctl backup FILE", "See what the kernel says: dmesg --level err,warn", "SD cards wear out: move to a new one, or to an SSD." }, .verify = "database" },
	{ .name = "restore-backup", .title = "Restore the database from a backup", .effort_min = 20,
		.risk = RISK_MIDDLE, .confirm = "What happened since the backup is not in it.", .command = "lockhubctl restore FILE",
		.steps = { "Keep the damaged file: it is moved aside, not deleted.", "lockhub reads every lock again afterwards and compares." }, .verify = "database" },
	{ .name = "stop-other-hub", .title = "Stop the second lockhubd", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "Run: systemctl status lockhubd, and: ps -C lockhubd", "Stop the one that should not be." }, .verify = "database" },
	{ .name = "install-newer", .title = "Install the newer lockhub again", .effort_min = 15,
		.risk = RISK_LOW, .confirm = "", .command = "lockhubctl version", .steps = { "The database belongs to a newer version; an older one does not touch it." }, .verify = "database" },
	{ .name = "fix-ownership", .title = "Put owner and rights of the files right", .effort_min = 5,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "Run: chown -R lockhub: /var/lib/lockhub, and: chmod 700 /var/lib/lockhub", "Files with secrets: chmod 600 FILE" }, .verify = "exposure" },
	{ .name = "restore-key", .title = "Restore the key file", .effort_min = 20,
		.risk = RISK_MIDDLE, .confirm = "", .command = "lockhubctl restore FILE",
		.steps = { "Copy db.key from where you keep it, or restore a backup with its passphrase.", "Without it the locks must be paired again." }, .verify = "database" },
	{ .name = "keep-evidence", .title = "Keep a copy, then find out who was on the hub", .effort_min = 60,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl log verify",
		.steps = { "Copy the database away before anything else.", "lockhubctl log verify names the first row that is wrong.", "Change passwords and keys of the hub; see last and the journal of that time." },
		.verify = "log-chain" },
	{ .name = "better-power", .title = "Use a good power supply and cable", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "The hub must be shut down for it.", .command = "",
		.steps = { "Shut down first: systemctl poweroff", "The maker's power supply, a short thick cable, no hub without power of its own between." }, .verify = "power-supply" },
	{ .name = "read-journal", .title = "See in the journal why", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Run: journalctl -u lockhubd -p warning -b, and for bluetoothd: journalctl -u bluetooth -b", "journalctl -x explains each of lockhub's own messages." }, .verify = "restarts" },
	{ .name = "make-backup", .title = "Make a backup", .effort_min = 2,
		.risk = RISK_NONE, .act = REMEDY_BACKUP, .confirm = "", .command = "lockhubctl backup", .steps = { "Keep a copy elsewhere, with its passphrase." }, .verify = "backup" },

	/* broker and network */
	{ .name = "reconnect-broker", .title = "Connect to the broker again", .effort_min = 0,
		.risk = RISK_NONE, .act = REMEDY_RECONNECT_BROKER, .confirm = "", .command = "", .steps = { NULL }, .verify = "broker" },
	{ .name = "check-broker", .title = "See that the broker runs and can be reached", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "On the broker's computer: systemctl status mosquitto, or the add-on's page in Home Assistant", "From the hub: ping HOST, and: nc -vz HOST PORT",
			"Does [mqtt] host and port in lockhubd.conf say the same? A firewall between?" }, .verify = "broker" },
	{ .name = "fix-broker-name", .title = "Put the broker's name right", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "",
		.steps = { "Try: getent hosts HOST", "Names with .local need avahi and nss-mdns; a fixed address always works.", "Set [mqtt] host in lockhubd.conf and run: systemctl restart lockhubd" }, .verify = "broker" },
	{ .name = "trust-broker", .title = "Give lockhub the broker's authority", .effort_min = 15,
		.risk = RISK_LOW, .confirm = "", .command = "",
		.steps = { "[mqtt] ca_file must be the authority that signed the broker's certificate.", "See what it shows: openssl s_client -connect HOST:8883 -showcerts", "Does this port expect TLS at all? 8883 usually does, 1883 does not." },
		.verify = "broker-tls" },
	{ .name = "renew-certificate", .title = "Renew the broker's certificate", .effort_min = 30,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "Issue a new one for the same name and restart the broker.", "Look first whether the hub's clock is right: timedatectl" }, .verify = "broker-tls" },
	{ .name = "match-certificate", .title = "Use the name that is in the certificate", .effort_min = 10,
		.risk = RISK_NONE, .confirm = "", .command = "", .steps = { "See the names: openssl s_client -connect HOST:8883 | openssl x509 -noout -ext subjectAltName", "Set [mqtt] host to one of them, or issue a certificate that has this one." },
		.verify = "broker-tls" },
	{ .name = "fix-login", .title = "Put user name and password right", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "See the broker's log for the reason it gives.", "Set [mqtt] username, and its password file, in lockhubd.conf; then: systemctl restart lockhubd" }, .verify = "broker-login" },
	{ .name = "fix-acl", .title = "Allow lockhub its topics", .effort_min = 10,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "The broker's access list must let this user read and write lockhub/#, and write homeassistant/#.", "docs/mqtt.md has an example for mosquitto." }, .verify = "broker-login" },
	{ .name = "protect-broker", .title = "Protect the broker", .effort_min = 30,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "mosquitto.conf: allow_anonymous false, and a password_file", "Outside of the hub itself: TLS, port 8883.", "An access list: only Home Assistant may write the topics that command." }, .verify = "broker-protection" },
	{ .name = "protect-wifi", .title = "Protect the Wi-Fi", .effort_min = 20,
		.risk = RISK_LOW, .confirm = "", .command = "", .steps = { "In the router choose WPA2 or WPA3 and a password of sixteen characters or more." }, .verify = "wifi-protection" },

	/* the end of the line */
	{ .name = "report-bug", .title = "Tell the makers of lockhub", .effort_min = 15,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl support-bundle LOCK", .steps = { "A recording helps: lockhubctl record LOCK, while it goes wrong." }, .verify = "" },
	{ .name = "contact-support", .title = "Ask the maker's support", .effort_min = 20,
		.risk = RISK_NONE, .confirm = "", .command = "lockhubctl support-bundle LOCK", .model_steps = STEPS_CONTACT,
		.steps = { "The bundle holds what they ask for, and no secret: model, firmware, what was measured, what was tried." }, .verify = "" },
};
/* clang-format on */

const struct remedy *remedy_rows(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}

const struct remedy *remedy_find(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (text_equal(rows[i].name, name)) {
			return &rows[i];
		}
	}
	return NULL;
}

static const char *const *model_steps_of(const struct model *model, enum model_steps which) {
	switch (which) {
	case STEPS_NONE:
		break;
	case STEPS_BATTERY_CHANGE:
		return model->battery_change;
	case STEPS_FACTORY_RESET:
		return model->factory_reset;
	case STEPS_PAIRING:
		return model->pairing;
	case STEPS_RESTART:
		return model->restart;
	case STEPS_CALIBRATE:
		return model->calibrate;
	case STEPS_FIRMWARE:
		return model->firmware_update;
	case STEPS_CONTACT:
		return model->contact;
	}
	return NULL;
}

size_t remedy_steps(const struct remedy *remedy, const struct model *model,
	const char *ret[static MODEL_STEPS_MAX + 8]) {
	const char *const *steps =
		model != NULL ? model_steps_of(model, remedy->model_steps) : NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(remedy->steps) && remedy->steps[i] != NULL; i++) {
		ret[n++] = remedy->steps[i];
	}
	for (size_t i = 0; steps != NULL && i < MODEL_STEPS_MAX && steps[i] != NULL; i++) {
		ret[n++] = steps[i];
	}
	return n;
}
