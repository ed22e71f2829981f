#!/usr/bin/env bash
# Builds the private root file system: Debian trixie with PostgreSQL 17 + TimescaleDB, Mosquitto and Odoo 19.
# Usage: root.sh DIR, as root, inside `unshare --mount --propagation private --pid --fork --kill-child`.
# Prints one line a step; everything else goes to DIR.log. DIR appears only when complete.
set -euo pipefail
umask 022
target=$1
part=$target.part
log=$target.log

say() { printf '%s\n' "$*"; }
run() { "$@" >>"$log" 2>&1 </dev/null; }

mkdir -p "$(dirname "$target")"
exec 9>"$target.lock"
flock 9
[ ! -d "$target" ] || exit 0
: >"$log"

# Removing a tree in which /dev or /proc is still mounted would take the machine's own with it.
if [ -e "$part" ]; then
  if findmnt --raw --noheadings --output TARGET | grep -qF "$part/"; then
    say "something is still mounted under $part: unmount it (findmnt shows what), then run this again"
    exit 1
  fi
  rm -rf --one-file-system "$part"
fi

if ! command -v debootstrap >/dev/null; then
  say "installing debootstrap on this machine"
  run apt-get update
  run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends debootstrap debian-archive-keyring
fi

# The mirror is the one that this machine itself uses. Where it has none (Ubuntu), debootstrap knows Debian's.
. /etc/os-release
mirror=
if [ "${ID:-}" = debian ]; then
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$VERSION_CODENAME" '$2 == suite && $3 == "main" { print $1; exit }')
fi

say "building a Debian trixie base"
mkdir -p "$part/fs"
root=$part/fs
run debootstrap --variant=minbase --include=ca-certificates trixie "$root" ${mirror:+"$mirror"}
mirror=$(awk '$1 == "deb" { print $2; exit }' "$root/etc/apt/sources.list")

mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm" "$root/dev/pts"

# Nothing starts by itself; no fsync per package: the tree only counts once it is renamed.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
printf 'path-exclude /usr/share/%s/*\n' doc man info >"$root/etc/dpkg/dpkg.cfg.d/no-docs"
mkdir -p "$root/etc/postgresql-common"
echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"

# Only odoo-19 comes from unstable; its Release file can be stale.
echo "deb [check-valid-until=no] $mirror unstable main" >"$root/etc/apt/sources.list.d/unstable.list"
cat >"$root/etc/apt/preferences.d/odoo" <<'PIN'
Package: *
Pin: release a=unstable
Pin-Priority: 100

Package: odoo-19
Pin: release a=unstable
Pin-Priority: 900
PIN
apt-config dump | grep -iE '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date)' \
  >"$root/etc/apt/apt.conf.d/00host" || true
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"

say "fetching package lists"
run chroot "$root" apt-get update
say "installing PostgreSQL 17, TimescaleDB, Mosquitto and Odoo 19 (about 70 s)"
run chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
  apt-get install -y --no-install-recommends \
  postgresql-17 postgresql-17-timescaledb odoo-19 mosquitto
run chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/*

# Mount points for the data of one instance.
mkdir -p "$root"/srv/{postgres,odoo,addons,seed} "$root/mosquitto"
umount "$root"/dev/{null,zero,full,random,urandom,tty} "$root/dev" "$root/proc"
mv "$part" "$target"
say "private root is complete"
