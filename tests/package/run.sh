#!/bin/sh
# Builds the packages as a release does, twice and in two places, and wants the same bytes; installs the Debian package in a
# fresh Debian, where rsprof has to profile a Rust process.
# usage: run.sh SOURCE_DIR BUILD_DIR; needs RSPROF_TARGET_BIN, a Rust program. RSPROF_CACHE: where the fresh Debian is kept.
set -eu
source=$1 libraries=$2
cache=${RSPROF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rsprof-tests}
work=$(mktemp -d)
target=
clean_up() {
    [ -z "$target" ] || kill "$target" 2>/dev/null || true
    for inside in sys proc; do ! mountpoint -q "$work/debian/$inside" || umount -l "$work/debian/$inside"; done
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
ok() { echo "ok - $*"; }

SOURCE_DATE_EPOCH=$(git -C "$source" log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH

# make SOURCE BUILD: the packages, in BUILD
make() {
    cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DDEBIAN_SOURCES="$libraries" >/dev/null
    cmake --build "$2" >"$2.log" || { cat "$2.log"; exit 1; }
    (cd "$2" && cpack >cpack.log 2>&1) || { cat "$2/cpack.log"; exit 1; }
}

make "$source" "$work/one"
mkdir -p "$work/elsewhere"
(cd "$source" && tar -c bpf server editors/nvim CMakeLists.txt ./*.md LICENSE) | tar -x -C "$work/elsewhere"
make "$work/elsewhere" "$work/second-build"
cmp "$work/one/server/rsprof" "$work/second-build/server/rsprof"
ok "two builds in two places give the same program"

groff -man -ww -z "$source/server/packaging/rsprof.1" 2>"$work/groff.log"
[ ! -s "$work/groff.log" ] || { cat "$work/groff.log"; exit 1; }
for option in $("$work/one/server/rsprof" --help | grep -oE -- '--[a-z-]+' | sort -u); do
    for text in rsprof.1 completions/rsprof.bash; do
        sed 's/\\-/-/g' "$source/server/packaging/$text" | grep -qe "$option" || { echo "$text does not know $option"; exit 1; }
    done
done
ok "the man page and the completions know every option"

debian=$cache/debian-bookworm.tar
if [ ! -r "$debian" ]; then
    mkdir -p "$cache"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    debootstrap --variant=minbase bookworm "$work/debian" "${mirror:-http://deb.debian.org/debian}" >"$work/debootstrap.log" ||
        { tail "$work/debootstrap.log"; exit 1; }
    tar -C "$work/debian" -cf "$debian.part" .
    mv "$debian.part" "$debian"
else
    mkdir "$work/debian"
    tar -C "$work/debian" -xf "$debian"
fi
mount -t proc proc "$work/debian/proc"
mount --rbind /sys "$work/debian/sys" && mount --make-rslave "$work/debian/sys"
cp "$work"/one/rsprof_*.deb "$RSPROF_TARGET_BIN" "$work/debian/"
inside() { chroot "$work/debian" "$@"; }
inside sh -c 'dpkg -i /rsprof_*.deb' >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
inside rsprof --version
for file in man/man1/rsprof.1 bash-completion/completions/rsprof nvim/site/pack/rsprof/start/rsprof/plugin/rsprof.lua; do
    [ -e "$work/debian/usr/share/$file" ] || { echo "$file is missing"; exit 1; }
done
ok "the package installs in a fresh Debian"

chroot "$work/debian" "/$(basename "$RSPROF_TARGET_BIN")" --seconds 60 >/dev/null &
target=$!
sleep 1
inside rsprof snapshot "$target" --duration 3 -o /profile.json
python3 - "$work/debian/profile.json" <<'PY'
import json, sys
profile = json.load(open(sys.argv[1]))
assert profile["status"]["heap"]["mode"] == "hook", profile["status"]
assert sum(line["cpu"]["self"] for line in profile["lines"]) > 0.9, profile["lines"]
PY
ok "it profiles a Rust process there, CPU and heap"

inside dpkg --purge rsprof >/dev/null
[ ! -e "$work/debian/usr/bin/rsprof" ] && [ ! -e "$work/debian/usr/share/nvim/site/pack/rsprof" ]
ok "it leaves nothing behind when removed"
