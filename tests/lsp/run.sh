#!/bin/sh
# Talks to `rsprof serve` as editors do. Needs RSPROF (the binary), RSPROF_TARGET_BIN (a Rust program that runs on) and
# RSPROF_TARGET_SRC (its source). usage: run.sh [test files]
set -eu
cd "$(dirname "$0")"
: "${RSPROF:?must name the rsprof binary}" "${RSPROF_TARGET_BIN:?must name a Rust program}" "${RSPROF_TARGET_SRC:?must name its source}"
# Two runs at a time must not install at a time.
(
    flock 9
    [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent
) 9<package.json
# Emacs 29 and Vim with ALE are two of the clients; run as root where they are missing (install.sh has the other packages).
sh install-emacs.sh "${RSPROF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rsprof-tests}/emacs"
[ $# -gt 0 ] || set -- *.test.mjs
exec node --test --test-timeout=90000 "$@"
