#!/bin/sh
# Installs what is missing of the Debian (or Ubuntu) packages that a purpose needs. usage: install.sh build|nvim|test ...
set -eu

packages=
for purpose; do
    case $purpose in
    build) packages="$packages gcc cmake ninja-build clang bpftool dpkg-dev linux-libc-dev libbpf-dev libdw-dev libelf-dev
                     libev-dev libiberty-dev libzycore-dev zlib1g-dev liblzma-dev libbz2-dev libzstd-dev" ;;
    nvim) packages="$packages neovim" ;;
    test) packages="$packages libcmocka-dev llvm gdb elfutils binutils curl clang-tidy clang-format libclang-rt-14-dev
                    cppcheck lua-check tmux xvfb xterm xdotool x11-utils imagemagick fonts-dejavu-core chromium
                    linux-perf patchelf python3 util-linux debian-archive-keyring debootstrap groff file
                    vim vim-ale libjemalloc-dev libmimalloc-dev musl-tools golang-go
                    qemu-system-x86 busybox-static cpio" ;;
    *) echo "install.sh: what is '$purpose'?" >&2 && exit 2 ;;
    esac
done
command -v rustc >/dev/null || packages="$packages rustc"
case " $packages " in *" python3 "*) command -v node >/dev/null || packages="$packages nodejs npm" ;; esac

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "Please install, as root: apt-get install$missing" >&2; exit 1; }
    as_root=sudo
fi
$as_root apt-get update -qq
# Ubuntu has bpftool in linux-tools-common, and perf in linux-tools-generic.
apt-cache show bpftool >/dev/null 2>&1 || missing=$(echo "$missing" | sed 's/ bpftool/ linux-tools-common linux-tools-generic/; s/ linux-perf//')
echo "Installing:$missing" >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
