#!/usr/bin/env bash
# Headless Chromium in the folder that unpack.sh made, as nobody, with a small /dev and /tmp of its own that vanish with it.
# Usage: SMART_DAIRY_BROWSER=DIR chromium.sh [arguments of Chromium]. Needs root, for the namespaces.
set -euo pipefail
if [ "${1:-}" != --inside ]; then
  exec unshare --mount --propagation private --pid --fork --kill-child "$0" --inside "$@"
fi
shift
fs=$SMART_DAIRY_BROWSER/fs
mount -t proc proc "$fs/proc"
mount -t tmpfs -o mode=755 tmpfs "$fs/dev"
for device in null zero full random urandom; do
  touch "$fs/dev/$device"
  mount --bind "/dev/$device" "$fs/dev/$device"
done
mkdir "$fs/dev/shm"
for dir in dev/shm tmp; do mount -t tmpfs -o mode=1777 tmpfs "$fs/$dir"; done
exec env -i PATH=/usr/sbin:/usr/bin HOME=/tmp LANG=C.UTF-8 TZ=UTC \
  chroot --userspec=65534:65534 "$fs" /usr/lib/chromium/chromium-headless-shell "$@"
