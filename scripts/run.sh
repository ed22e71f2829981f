#!/usr/bin/env bash
# Entry behind `npm start`, `npm test`, `npm run stack` ...: installs what is missing, then runs scripts/ops/NAME/main.ts or scripts/dev/NAME/main.ts.
# Usage: scripts/run.sh NAME [args], or `scripts/run.sh install` to only install. Works straight after git clone; needs only Node >= 20, npm and bash.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'smart-dairy: %s\n' "$*" >&2
  exit 1
}

[ $# -ge 1 ] || fail "which script? For example: scripts/run.sh start"
name=$1
shift
main=
for folder in ops dev; do
  [ ! -f "scripts/$folder/$name/main.ts" ] || main=scripts/$folder/$name/main.ts
done
[ "$name" = install ] || [ -n "$main" ] || fail "there is no scripts/ops/$name/main.ts and no scripts/dev/$name/main.ts"

command -v node >/dev/null || fail "Node.js is missing: install Node.js 20 or newer, then run this again"
command -v npm >/dev/null || fail "npm is missing: it comes with Node.js 20 or newer; install it, then run this again"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] ||
  fail "Node.js $(node --version) is too old: install Node.js 20 or newer, then run this again"

lock_hash() {
  node -e '
    const text = require("fs").readFileSync("package-lock.json");
    console.log(require("crypto").createHash("sha256").update(text).digest("hex"))'
}
stamp=node_modules/.smart-dairy-stamp
wanted=$(lock_hash)

is_fresh() {
  [ -x node_modules/.bin/node ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]
}

# A developer's own `npm install` rewrites npm's hidden lock file together with package-lock.json: nothing to do then.
is_installed_by_hand() {
  [ -x node_modules/.bin/node ] && node -e '
    const time = (file) => require("fs").statSync(file).mtimeMs;
    process.exit(time("node_modules/.package-lock.json") >= time("package-lock.json") - 1000 ? 0 : 1)' 2>/dev/null
}

install() {
  if is_fresh; then return; fi
  if ! is_installed_by_hand; then
    printf 'Installing npm packages (once, about half a minute) ...\n' >&2
    npm ci --loglevel=error 9>&- >&2 ||
      fail "npm ci failed: check the network and the messages above, then run this again"
  fi
  [ -x node_modules/.bin/node ] || fail "the pinned Node.js is missing in node_modules: run 'npm ci' and read its messages"
  printf '%s\n' "$wanted" >"$stamp"
}

if ! is_fresh; then
  mkdir -p -m 700 .stack
  if command -v flock >/dev/null; then
    exec 9>.stack/install.lock
    flock 9
    install
    exec 9>&-
  else
    install
  fi
fi

[ "$name" != install ] || exit 0
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec node_modules/.bin/node "$main" "$@"
