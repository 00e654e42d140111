#!/bin/sh
# How often `rsprof symbolize` says the same as llvm-symbolizer, and how long each takes, on binaries of different shapes.
#   symbolize.sh [BINARY…]   without arguments it builds its own: the first run takes some minutes.
# RSPROF: the program (default: found beside a build folder "build"). BENCH_DIR: where binaries are built and kept.
# ADDRESSES: how many random text addresses a binary (5000).
# Needs: rustc, llvm-symbolizer, objcopy, python3. The large binary needs Debian's crates (librust-hyper-dev librust-tokio+full-dev
# librust-serde-json-dev librust-regex+default-dev librust-rayon-dev librust-aho-corasick-dev); without them it is left out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rsprof=${RSPROF:-$root/build/server/rsprof}
work=${BENCH_DIR:-${TMPDIR:-/tmp}/rsprof-bench-symbolize}
PATH=$PATH:$HOME/.cargo/bin

[ -x "$rsprof" ] || { echo "no rsprof at $rsprof: set RSPROF" >&2; exit 2; }
command -v llvm-symbolizer >/dev/null || { echo "llvm-symbolizer is missing: apt-get install llvm" >&2; exit 2; }

shape() { # name, flags of rustc…
    name=$1
    shift
    [ -e "$work/$name" ] && return
    (cd "$work" && rustc --edition 2021 "$@" "$root/tests/programs/service.rs" -o "$name" 2>"$name.log") ||
        { cat "$work/$name.log" >&2; exit 1; }
}

# A program of crates, from Debian's own sources.
large() {
    [ -e "$work/large" ] && return
    registry=/usr/share/cargo/registry
    for crate in hyper tokio serde_json regex rayon; do
        ls -d $registry/$crate-[0-9]* >/dev/null 2>&1 || { echo "large: left out, no crate $crate in $registry" >&2; return; }
    done
    mkdir -p "$work/large.src/.cargo"
    cp -r "$here/symbolize_big/." "$work/large.src/"
    cat >"$work/large.src/.cargo/config.toml" <<TOML
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "$registry"
[net]
offline = true
TOML
    (cd "$work/large.src" && cargo build --release --offline -j2 >"$work/large.log" 2>&1) ||
        { tail -20 "$work/large.log" >&2; echo "large: left out" >&2; return; }
    mv "$work/large.src/target/release/symbolize_big" "$work/large"
    rm -rf "$work/large.src"
}

if [ $# -eq 0 ]; then
    mkdir -p "$work"
    export RUSTC_BOOTSTRAP=1
    for name in full lines-only debug-1 unoptimized dwarf-5 lto-abort packed unpacked static; do
        case $name in
        full) shape $name -O -g ;;
        lines-only) shape $name -O -C debuginfo=line-tables-only ;;
        debug-1) shape $name -O -C debuginfo=1 ;;
        unoptimized) shape $name -g ;;
        dwarf-5) shape $name -O -g -Z dwarf-version=5 ;;
        lto-abort) shape $name -O -g -C lto=fat -C codegen-units=1 -C panic=abort ;;
        packed) shape $name -O -g -C split-debuginfo=packed ;;
        unpacked) shape $name -O -g -C split-debuginfo=unpacked ;;
        static) shape $name -O -g -C target-feature=+crt-static ;;
        esac
    done
    [ -e "$work/zlib" ] || objcopy --compress-debug-sections=zlib "$work/full" "$work/zlib"
    [ -e "$work/no-aranges" ] || objcopy --remove-section=.debug_aranges "$work/full" "$work/no-aranges"
    large
    for name in full lines-only debug-1 unoptimized dwarf-5 lto-abort packed unpacked static zlib no-aranges large; do
        [ -e "$work/$name" ] && set -- "$@" "$work/$name"
    done
fi
exec python3 "$here/symbolize_compare.py" "$rsprof" "${ADDRESSES:-5000}" "$@"
