#!/bin/sh
# The main job, from nothing: installs what is missing, builds, starts a small Rust service, attaches to it, and opens its
# source in Neovim with live annotations. Without a terminal it prints the annotated source for a few seconds instead; it
# fails, with the reason, if no annotation appears. Leave Neovim with :qa
set -eu
cd "$(dirname "$0")/.."
top=$(pwd)

sh .ci/install.sh build nvim
build=${RSPROF_BUILD:-build}
if [ ! -x "$build/server/rsprof" ]; then
    echo "Building rsprof…" >&2
    cmake -S . -B "$build" -G Ninja -DBUILD_TESTING=OFF >/dev/null
    cmake --build "$build" --target rsprof >/dev/null
fi
rsprof=$(cd "$build/server" && pwd)/rsprof

demo=$(mktemp -d)
service=
clean_up() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    rm -rf "$demo"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

cp tests/programs/service.rs "$demo/service.rs"
rustc --edition 2021 -O -g -o "$demo/service" "$demo/service.rs"
"$demo/service" >/dev/null &
service=$!

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -E"
    echo "Attaching needs rights that only root has here: sudo may ask for your password." >&2
fi
export RSPROF_DEMO_PID=$service
set -- nvim -u NONE --clean --cmd "set runtimepath^=$top/editors/nvim" \
    --cmd "lua vim.g.rsprof = { server = '$rsprof' }" --cmd "set termguicolors number"
cd "$demo"
if [ -t 0 ] && [ -t 1 ]; then
    $as_root "$@" -c "Rsprof attach $service" service.rs
else
    $as_root "$@" --headless -c "luafile $top/editors/demo.lua" service.rs
fi
