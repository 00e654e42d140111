#!/bin/sh
# The cloud kernel of a Debian suite. usage: fetch-kernel.sh SUITE FOLDER      gives FOLDER/vmlinuz; does nothing where it is
# there already. Exit code 77: the mirror does not serve the suite.
set -eu
suite=$1 folder=$2
[ -r "$folder/vmlinuz" ] && exit 0

tests=$(readlink -f "$(dirname "$0")/..")
work=$folder.part
rm -rf "$work"
apt() { sh "$tests/apt-suite.sh" "$suite" "$work" "$@"; }
apt get update || exit 77
package=$(apt cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -n 1)
[ -n "$package" ] || exit 77
cd "$work"
apt get download "$package"
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x ./boot
mkdir -p "$folder"
mv boot/vmlinuz-* "$folder/vmlinuz"
rm -rf "$work"
