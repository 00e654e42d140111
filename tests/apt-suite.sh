#!/bin/sh
# apt for another Debian suite than the system's, with lists, downloads and an empty list of installed packages in a folder of
# its own: the system stays as it is. usage: apt-suite.sh SUITE FOLDER get|cache ARGUMENT...
set -eu
suite=$1 folder=$2 command=apt-$3
shift 3

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keyring ] || { echo "$keyring is missing: apt-get install debian-archive-keyring" >&2; exit 1; }
if [ ! -e "$folder/sources.list" ]; then
    mkdir -p "$folder/lists/partial" "$folder/archives/partial"
    : >"$folder/status"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    echo "deb [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} $suite main" >"$folder/sources.list"
fi
exec "$command" -qq -o APT::Sandbox::User=root -o Acquire::Languages=none \
    -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$folder/lists" -o Dir::State::status="$folder/status" \
    -o Dir::Cache::archives="$folder/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
