#!/usr/bin/env bash
# Unpacks Python's coverage for the Python of the private root into DIR/fs: Debian's own package, fetched by the root's apt.
# Usage: python-coverage.sh DIR ROOT, as root, inside `unshare --mount --propagation private --pid --fork --kill-child`.
# Prints one line a step; everything else goes to DIR.log. DIR appears only when complete.
set -euo pipefail
umask 022
target=$1
root=$2/fs
part=$target.part
log=$target.log

run() { "$@" >>"$log" 2>&1 </dev/null; }

exec 9>"$target.lock"
flock 9
[ ! -d "$target" ] || exit 0
: >"$log"
rm -rf --one-file-system "$part"
mkdir -p "$part/fs"

# The root itself is only read.
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
touch "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
for dir in tmp var/lib/apt var/cache/apt; do mount -t tmpfs tmpfs "$root/$dir"; done
mount --bind "$part" "$root/mnt"

echo "fetching python3-coverage (once)"
run chroot "$root" apt-get -o APT::Sandbox::User=root update
run chroot "$root" sh -c 'cd /tmp && apt-get -o APT::Sandbox::User=root download python3-coverage'
run chroot "$root" sh -c 'dpkg-deb --extract /tmp/python3-coverage_*.deb /mnt/fs'

umount "$root/mnt"
mv "$part" "$target"
