# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tools/test, tools/demo and .ci/run share: the packages, the build, and counting. To be sourced
# by bash, with $top set to the top of the source tree; does nothing by itself.
#
# shellcheck disable=SC2034,SC2154 # used and set by those who source this

# Debian 12's names. Installed only when missing.
PACKAGES_BUILD=(
    gcc libc6-dev meson ninja-build pkg-config python3
    libuv1-dev libsystemd-dev libsodium-dev libssl-dev libsqlite3-dev libmosquitto-dev libjansson-dev
    libsmartcols-dev libinih-dev libglib2.0-dev tzdata liboath-dev libqrencode-dev libarchive-dev libcmocka-dev
    scdoc
)
# systemd for busctl, with which the rig looks at the hub's objects.
PACKAGES_RUN=(dbus-daemon mosquitto mosquitto-clients systemd)
# What tests look at the installed files, at the bus and at pages with, and make a journal with.
PACKAGES_TEST=(python3-jsonschema dbus-bin man-db openssl chromium systemd-journal-remote)
PACKAGES_FORMAT=(clang-format-14 git)
# For tools/test --vm: the machine, and what runs in it. dbus and bluez are not started on the host.
PACKAGES_VM=(qemu-system-x86 bluez bluez-test-tools dbus polkitd systemd busybox-static kmod cpio xz-utils)
# For tools/test --homeassistant.
PACKAGES_HA=(debootstrap python3-venv)
PACKAGES_CHECK=(clang-14 clang-tidy-14 libclang-rt-14-dev llvm-14 shellcheck git)

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages PACKAGE...: installs what is missing, as root or with sudo, and says what.
need_packages() {
    local missing=() package as_root=()
    if ! command -v dpkg-query >/dev/null; then
        say "Not a Debian system; these are taken to be there under their names here: $*"
        return 0
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "These packages are missing: ${missing[*]}" >&2
            say "Run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    say "Installing with apt: ${missing[*]}"
    # mosquitto's package would start a broker on port 1883, dbus a system bus: not for a test.
    # The policy is ours for the one call only.
    local policy=/usr/sbin/policy-rc.d is_ours=no log
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null &&
            "${as_root[@]}" chmod 755 "$policy" && is_ours=yes
    fi
    log=$(mktemp)
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
    local install=("${apt[@]}" install -y --no-install-recommends "${missing[@]}") status=0
    # Old lists mostly serve; if not, they are fetched anew.
    if ! "${install[@]}" </dev/null >"$log" 2>&1; then
        { "${apt[@]}" update && "${install[@]}"; } </dev/null >"$log" 2>&1 || status=$?
    fi
    if [ "$is_ours" = yes ]; then
        "${as_root[@]}" rm -f "$policy"
    fi
    if [ "$status" -ne 0 ]; then
        tail -n 30 "$log" >&2
        say "Could not install: ${missing[*]}" >&2
    fi
    rm -f "$log"
    return "$status"
}

# first_program NAME...: the first of them that exists.
first_program() {
    local name
    for name in "$@"; do
        if command -v "$name" >/dev/null; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    return 1
}

# The pid of what runs for us in the foreground; see run().
running=

# run COMMAND...: in the foreground, but so that a signal to this script alone reaches it too.
run() {
    local status=0
    "$@" </dev/null &
    running=$!
    wait "$running" || status=$?
    running=
    return "$status"
}

# The pid of what runs beside everything else; see run_beside().
beside=

# run_beside COMMAND...: goes on at once; wait_beside says how it ended. One at a time.
run_beside() {
    "$@" </dev/null &
    beside=$!
}

wait_beside() {
    local status=0
    wait "$beside" || status=$?
    beside=
    return "$status"
}

# stop_running SIGNAL: for traps. Ends what run() and run_beside() started and waits for it.
stop_running() {
    local pid
    for pid in $running $beside; do
        kill -s "$1" "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    running=
    beside=
}

# set_up DIRECTORY OPTION...: configures or re-configures a build directory.
set_up() {
    local dir=$1
    shift
    if [ -f "$dir/build.ninja" ]; then
        # Cheap when the options are the same; ninja itself re-runs meson when a meson.build changed.
        run meson configure "$dir" "$@" >/dev/null && return 0
        rm -rf "$dir"
    fi
    run meson setup "$dir" "$top" "$@"
}

# build DIRECTORY [TARGET...]: quiet when all is well, the compiler's words when not.
build() {
    local log=$1/build.log
    if run ninja -C "$@" >"$log" 2>&1; then
        grep -A6 -E 'warning: ' "$log" | head -n 60
        return 0
    fi
    grep -vE '^\[[0-9]+/[0-9]+\] (Compiling|Linking|Generating)' "$log" | tail -n 80
    return 1
}
