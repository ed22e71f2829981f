#!/usr/bin/env bash
# Unpacks pg_dump and pg_restore of PostgreSQL 17 and the libraries that they need into DIR/fs: Debian's own packages, checked by
# apt, fetched and unpacked by an ordinary user and beside whatever the machine has. Debian 12's own client (15) refuses a server of 17.
# Usage: client.sh DIR. Prints one line a step; everything else goes to DIR.log. DIR appears only when complete.
set -euo pipefail
umask 022
target=$1
part=$target.part
log=$target.log
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

mkdir -p "$(dirname "$target")"
exec 9>"$target.lock"
flock 9
[ ! -d "$target" ] || exit 0
: >"$log"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
  echo "this is not Debian or Ubuntu" >>"$log"
  exit 1
}
[ -r "$keyring" ] || {
  echo "$keyring is missing: install debian-archive-keyring, or postgresql-client-17" >>"$log"
  exit 1
}
rm -rf "$part"
mkdir -p "$part"/fs "$part"/apt/{etc,state/lists/partial,cache/archives/partial}
touch "$part/apt/status"

# The mirror is the one that this machine itself uses. Where it has none of Debian (Ubuntu), Debian's own.
. /etc/os-release
mirror=
if [ "${ID:-}" = debian ]; then
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$VERSION_CODENAME" '$2 == suite && $3 == "main" { print $1; exit }')
fi
echo "deb [signed-by=$keyring] ${mirror:-https://deb.debian.org/debian} trixie main" >"$part/apt/etc/sources.list"
apt() {
  apt-get -o Dir::Etc::sourcelist="$part/apt/etc/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- \
    -o Dir::Etc::preferences=- -o Dir::State="$part/apt/state" -o Dir::State::status="$part/apt/status" \
    -o Dir::Cache="$part/apt/cache" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o APT::Get::List-Cleanup=0 \
    "$@" >>"$log" 2>&1 </dev/null
}
echo "fetching PostgreSQL's client programs (once)"
apt update
# With an empty list of installed packages apt fetches all that they depend on, the C library too.
apt install -y --download-only --no-install-recommends libpq5 libzstd1 liblz4-1 zlib1g
(cd "$part/apt/cache/archives" && apt download postgresql-client-17)
for deb in "$part"/apt/cache/archives/*.deb; do dpkg-deb --extract "$deb" "$part/fs" >>"$log" 2>&1; done
rm -rf "$part/apt"
mv "$part" "$target"
