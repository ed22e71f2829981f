#!/usr/bin/env bash
# Unpacks headless Chromium, what it depends on and a font (Latin, Bangla) into DIR/fs: Debian's own packages, fetched by
# the apt of the private root, from the same mirror.
# Usage: unpack.sh DIR ROOT, as root, inside `unshare --mount --propagation private --pid --fork --kill-child`.
# Prints one line a step; everything else goes to DIR.log. DIR appears only when complete.
set -euo pipefail
umask 022
target=$1
root=$2/fs
part=$target.part
log=$target.log
packages=(chromium-headless-shell fonts-noto-core)

run() { "$@" >>"$log" 2>&1 </dev/null; }

exec 9>"$target.lock"
flock 9
[ ! -d "$target" ] || exit 0
: >"$log"
rm -rf --one-file-system "$part"
mkdir -p "$part"/debs/partial "$part"/fs/usr/{bin,sbin,lib,lib64} "$part"/fs/{proc,dev,tmp}
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$part/fs/$dir"; done

# The root itself is only read.
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
touch "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
for dir in tmp var/lib/apt var/cache/apt; do mount -t tmpfs tmpfs "$root/$dir"; done
mount --bind "$part" "$root/mnt"
touch "$root/tmp/status"

echo "fetching ${packages[*]}"
run chroot "$root" apt-get -o APT::Sandbox::User=root update
# With an empty list of installed packages apt fetches all that they depend on, the C library too.
run chroot "$root" apt-get install -y --download-only --no-install-recommends \
  -o APT::Sandbox::User=root -o Dir::State::status=/tmp/status -o Dir::Cache::archives=/mnt/debs "${packages[@]}"
echo "unpacking $(find "$part/debs" -name '*.deb' | wc -l) packages"
for deb in "$part"/debs/*.deb; do run chroot "$root" dpkg-deb --extract "/mnt/debs/${deb##*/}" /mnt/fs; done

umount "$root/mnt"
rm -rf "$part/debs"
mv "$part" "$target"
