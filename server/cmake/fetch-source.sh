#!/bin/sh
# Unpacks a Debian (or Ubuntu) source package into DEST, with a deb-src list of its own: /etc/apt stays as it is.
# usage: fetch-source.sh PACKAGE DEST
set -eu
package=$1 dest=$2
work=$dest.apt
rm -rf "$work" "$dest"
mkdir -p "$work/lists/partial"
apt-get indextargets --format 'deb-src $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    sort -u > "$work/sources.list"
set -- -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o Acquire::Languages=none -o APT::Sandbox::User=
apt-get "$@" update
(cd "$work" && apt-get "$@" source "$package")
mv "$work/$package"-*/ "$dest"
rm -rf "$work"
