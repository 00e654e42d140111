#!/bin/sh
# Tests of the Neovim plugin, in the system's Neovim and in two newer ones: what the code looks like, headless specs and the
# screen against a server of our own, and the whole path in a terminal with the real server and a real Rust process.
# RSPROF: the server; RSPROF_TARGET_BIN, RSPROF_TARGET_SRC: a Rust program under load and its source (all three required)
# RSPROF_CACHE: where the newer Neovims and npm packages are kept between runs
set -eu
cd "$(dirname "$0")"
: "${RSPROF:?set RSPROF to the rsprof that is to be tested}"
: "${RSPROF_TARGET_BIN:?set RSPROF_TARGET_BIN to a Rust program under load}"
: "${RSPROF_TARGET_SRC:?set RSPROF_TARGET_SRC to its source}"
plugin=../../editors/nvim
cache=${RSPROF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rsprof-tests}/nvim
mkdir -p "$cache"

lock() { # two runs at once share the cache
    exec 9>"$cache/lock"
    flock 9
}
unlock() { exec 9>&-; }

fetch_packages() {
    wanted=$(cat package.json package-lock.json .npmrc | sha256sum | cut -c1-16)
    NODE_MODULES=$cache/npm-$wanted
    export NODE_MODULES
    [ -e "$NODE_MODULES/complete" ] && return
    mkdir -p "$NODE_MODULES"
    cp package.json package-lock.json .npmrc "$NODE_MODULES"
    (cd "$NODE_MODULES" && npm ci --silent) && touch "$NODE_MODULES/complete"
}

lock
fetch_packages
sh fetch-nvim.sh trixie "$cache/trixie"
sh fetch-nvim.sh sid "$cache/sid"
unlock

failed=
check() { # NAME COMMAND…
    name=$1
    shift
    log=$(mktemp)
    if timeout 100 "$@" >"$log" 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        cat "$log"
        failed=yes
    fi
    rm -f "$log"
}

check 'luacheck' sh -c "cd $plugin && luacheck -q ."
check 'stylua' node style.mjs harness.lua spec/*.lua $plugin/plugin/*.lua $plugin/lua/rsprof/*.lua
for nvim in "$(command -v nvim)" "$cache/trixie/bin/nvim" "$cache/sid/bin/nvim"; do
    version=$("$nvim" --version | sed -n '1s/NVIM //p')
    for file in spec/*_spec.lua; do
        check "$version $(basename "$file" .lua)" sh spec.sh "$nvim" "$file"
    done
    check "$version screen" node grid.mjs "$nvim"
    check "$version terminal, real server" node terminal.mjs "$nvim"
done
[ -z "$failed" ]
