#!/usr/bin/env bash
# Runs a program of ours as a user of its own who sees REPO as PLACE/app, without .stack, and may write DATA, as PLACE/data.
# Usage: as-user.sh REPO DATA UID GROUPS PLACE PROGRAM [ARGS], as root, inside `unshare --mount --propagation private`.
set -euo pipefail
repo=$1 data=$2 uid=$3 groups=$4 place=$5
shift 5
mount -t tmpfs -o mode=755,size=64k tmpfs "$place"
mkdir "$place/app" "$place/data"
mount --bind "$repo" "$place/app"
mount --bind "$data" "$place/data"
mount -t tmpfs -o ro,mode=000,size=4k tmpfs "$place/app"/.stack
mount -o remount,bind,ro "$place/app"
cd "$place/app"
export HOME=$place/data
if [ -n "$groups" ]; then groups=(--groups "$groups"); else groups=(--clear-groups); fi
exec setpriv --reuid="$uid" --regid="$uid" "${groups[@]}" --no-new-privs --pdeathsig TERM -- "$@"
