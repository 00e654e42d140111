#!/bin/sh
# Fuzzes the readers of ELF, DWARF and mangled names, and the owner's side of the symbolizer.
#   symbols.sh [SECONDS [SEED]]   for each target; 5 by default. Inputs that fail are kept in the folder it names.
#   With a seed, mutations are drawn alike each time: the suite tests this code, and not its luck.
# DEBIAN_SOURCES: where the source of Zydis is (default: the build folder). FUZZ_DIR: where to build and keep the corpus
# (default: a temporary folder that goes away when all is well).
set -eu
seconds=${1:-5}
seed=${2:-0}
root=$(cd "$(dirname "$0")/../.." && pwd)
clang=${CLANG:-clang}
keep=${FUZZ_DIR:-}
libraries=${DEBIAN_SOURCES:-$root/build}
work=${keep:-$(mktemp -d)}
mkdir -p "$work"

build() { # target, sources…
    name=$1
    shift
    "$clang" -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -I"$root/server" -I"$root/bpf" "$root/tests/fuzz/$name.c" "$@" -o "$work/$name" \
        -l:libdw.a -l:libelf.a -llzma -lbz2 -lz -lzstd -l:libiberty.a
}

# Small ELF files of several shapes, made here so that none need be kept.
seed_modules() {
    mkdir -p "$1"
    cat >"$work/seed.c" <<'C'
static inline __attribute__((always_inline)) int twice(int x) { for (int i = 0; i < 3; i++) x += i * x; return x; }
__attribute__((noinline)) int first(int x, char *b) { return twice(x) + b[0]; }
int second(int x) { char b[64]; b[x & 63] = 1; return first(x, b) + twice(x + 1); }
C
    flags="-shared -nostdlib -fPIC -O2 -Wl,--build-id=sha1"
    gcc $flags -gdwarf-5 "$work/seed.c" -o "$1/gcc5"
    gcc $flags -gdwarf-4 -ffunction-sections "$work/seed.c" -o "$1/gcc4"
    gcc $flags -gdwarf-4 -fno-asynchronous-unwind-tables "$work/seed.c" -o "$1/debug_frame"
    "$clang" $flags -gdwarf-5 "$work/seed.c" -o "$1/clang5"
    (cd "$work" && "$clang" -fPIC -O2 -gdwarf-5 -gsplit-dwarf -c seed.c -o split.o && gcc $flags split.o -o "$1/split" && cp split.dwo "$1/dwo")
    cat >"$work/allocator.c" <<'C'
#include <stddef.h>
static char pool[64];
void *malloc(size_t n) { return n < 64 ? pool : NULL; }
void free(void *p) { if (p == pool) pool[0] = 0; }
void *(*const table[])(size_t) = {malloc};
void _start(void) { free(table[0](8)); free(malloc(9)); }
C
    gcc -nostdlib -O2 -fno-inline -fno-builtin -static -no-pie "$work/allocator.c" -o "$1/static"
    gcc -nostdlib -O2 -fno-inline -fno-builtin -fPIE -static-pie "$work/allocator.c" -o "$1/static-pie"
    echo 'char *f(void *p) { __builtin_free(p); return __builtin_malloc(9); }' | gcc $flags -xc - -o "$1/calls"
    objcopy --compress-debug-sections=zlib "$1/gcc5" "$1/zlib"
    objcopy --compress-debug-sections=zlib-gnu "$1/gcc4" "$1/zlib-gnu"
    objcopy --only-keep-debug "$1/gcc5" "$1/separate"
    cp "$1/separate" "$work/link.debug"
    (cd "$work" && objcopy --strip-debug --add-gnu-debuglink=link.debug "$1/gcc5" "$1/linked")
}

seed_names() {
    mkdir -p "$1"
    printf %s _ZN71_\$LT\$Test\$u20\$\$u2b\$\$u20\$\$u27\$static\$u20\$as\$u20\$foo..Bar\$LT\$Test\$GT\$\$GT\$3bar17h930b740aa94f1d3aE >"$1/legacy"
    printf %s _RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std >"$1/v0"
    printf %s _ZNSt6vectorIiSaIiEE9push_backEOi >"$1/cplusplus"
    printf %s '<a::B<T> as c::D<U>>::f::<V>::{closure#0}' >"$1/path"
}

run() { # target, most bytes, seconds
    mkdir -p "$work/$1.corpus"
    echo "== $1"
    "$work/$1" -max_total_time="$3" -seed="$seed" -max_len="$2" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$work/" "$work/$1.corpus" >"$work/$1.log" 2>&1 || {
        tail -60 "$work/$1.log"
        echo "FAILED: the input is in $work"
        exit 1
    }
    grep -E 'stat::number_of_executed_units|stat::peak_rss_mb' "$work/$1.log"
    grep -E 'cov:' "$work/$1.log" | tail -1
}

dwarf=$(echo "$root"/server/dwarf/*.c)
base="$root/server/base/buf.c $root/server/base/vec.c $root/server/base/map.c $root/server/base/md5.c"
zydis=$libraries/zydis
hook="$root/server/hook/slot_scan.c $root/server/hook/prologue.c $root/server/hook/prologue_read.c
    $zydis/src/Decoder.c $zydis/src/DecoderData.c $zydis/src/SharedData.c -isystem $zydis/include -isystem $zydis/src
    -DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD -DZYDIS_MINIMAL_MODE -w"
seed_modules "$work/fuzz_module.corpus"
seed_modules "$work/fuzz_slots.corpus"
seed_names "$work/fuzz_demangle.corpus"
build fuzz_module "$root/tests/fuzz/elf_mutator.c" $dwarf $base
build fuzz_slots "$root/tests/fuzz/elf_mutator.c" $hook $base
build fuzz_demangle "$root/server/dwarf/demangle.c" "$root/server/base/buf.c"
build fuzz_answer "$root/server/symbolizer/answer.c" "$root/server/symbolizer/table_check.c" "$root/server/hook/prologue.c" \
    "$root/server/base/buf.c"
run fuzz_module 65536 "$seconds"
run fuzz_slots 65536 "$seconds"
run fuzz_demangle 1024 "$seconds"
run fuzz_answer 4096 "$seconds"
[ -n "$keep" ] || rm -rf "$work"
