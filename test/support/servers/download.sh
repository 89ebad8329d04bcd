#!/bin/sh
# Unpacks Debian packages, with the libraries that the machine lacks, into a folder; without root, and installs nothing.
# Several at once wait for the first: flock FOLDER.lock sh download.sh FOLDER PACKAGE-PATTERN PACKAGE…
set -eu
folder=$1 pattern=$2
shift 2
[ -d "$folder" ] && exit 0
scratch=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
mkdir -p "$scratch/apt/lists/partial" "$scratch/apt/cache/archives/partial" "$scratch/deb" "$scratch/root"

# What matches the pattern, and each library that is not installed.
closure() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' >"$scratch/installed"
  apt-cache $1 depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances $2 2>/dev/null | grep -E '^[a-z0-9]' | sort -u >"$scratch/needed"
  grep -xE "$pattern" "$scratch/needed" || true
  grep -E '^(lib|lua-)' "$scratch/needed" | grep -vE '^libllvm|^libperl|-perl$' | grep -vxFf "$scratch/installed" || true
}

fetch() {
  names=$(closure "$1" "$2")
  [ -n "$names" ] || return 1
  (cd "$scratch/deb" && apt-get $1 -qq download $names)
}

# The machine's package lists, where there are some that are not too old; else lists of our own.
own="-o Dir::State::lists=$scratch/apt/lists -o Dir::Cache=$scratch/apt/cache -o APT::Sandbox::User= -o Debug::NoLocking=1"
if ! fetch "-o APT::Sandbox::User=" "$*" >"$scratch/log" 2>&1; then
  rm -f "$scratch"/deb/*
  apt-get $own -qq update >>"$scratch/log" 2>&1 || true
  fetch "$own" "$*" >>"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; echo "no package list knows $*" >&2; exit 1; }
fi
for deb in "$scratch"/deb/*.deb; do dpkg-deb -x "$deb" "$scratch/root"; done
mv "$scratch/root" "$folder"
