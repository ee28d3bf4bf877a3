#!/usr/bin/env bash
# PostgreSQL 15's sources, and server, client, libpq and development files of exactly the same version, unpacked into a
# folder and installed nowhere: the expected output of its tests differs between minor versions. The newest version is
# taken for which the archive serves both source and binaries (the security archive may lack the source).
# What apt needs to know for that (deb-src lines, made from the machine's own deb lines) is kept in the folder, too;
# nothing of the machine is changed.
#
#   tests/regress/unpack.sh FOLDER        then FOLDER/version, FOLDER/source, FOLDER/root/usr/lib/postgresql/15, ...
set -euo pipefail
readonly binaries=(postgresql-15 postgresql-client-15 libpq5 libpq-dev postgresql-server-dev-15)

fail() {
  echo "unpack.sh: $*" >&2
  exit 1
}

# The machine's own sources, each as it is and once more with deb-src. Only those of this Debian release: others do not
# serve PostgreSQL's source. Two formats are in use, lines (.list) and stanzas (.sources).
derive_sources() {
  local code
  code=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
  local lists=() stanzas=() file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    if [[ -s $file ]]; then lists+=("$file"); fi
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    if [[ -s $file ]]; then stanzas+=("$file"); fi
  done
  : >"$apt/parts/machine.list"
  : >"$apt/parts/machine.sources"
  if [[ ${#lists[@]} -gt 0 ]]; then
    { grep -hE "^deb .*[ /]$code(-updates|-security|/updates)? " "${lists[@]}" || true; } |
      sed 'p; s/^deb /deb-src /' >"$apt/parts/machine.list"
  fi
  if [[ ${#stanzas[@]} -gt 0 ]]; then
    # A blank line ends a stanza, and so does the end of a file.
    awk -v RS= -v ORS='\n\n' -v suite="(^|\n)Suites:[^\n]*[ \t]$code" '
      $0 ~ suite { sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb deb-src"); sub(/^\n/, ""); print }' \
      "${stanzas[@]}" >"$apt/parts/machine.sources"
  fi
}

write_settings() {
  mkdir -p "$apt/parts" "$apt/state/lists/partial" "$apt/cache/archives/partial"
  cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/parts";
Dir::State "$apt/state";
Dir::State::status "/dev/null";
Dir::Cache "$apt/cache";
APT::Sandbox::User "";
APT::Get::Only-Source "true";
CONF
  export APT_CONFIG=$apt/apt.conf
}

# Versions of which the archive's lists name source and binaries, the newest first.
candidates() {
  local sources version best
  local -a found=()
  sources=$(apt-cache showsrc --only-source postgresql-15 | sed -n 's/^Version: //p')
  mapfile -t found < <(apt-cache madison postgresql-15 | awk -F ' *[|] *' '$3 !~ /Sources/ { print $2 }' |
    grep -xF "$sources" | sort -u)
  while [[ ${#found[@]} -gt 0 ]]; do
    best=${found[0]}
    for version in "${found[@]}"; do
      if dpkg --compare-versions "$version" gt "$best"; then best=$version; fi
    done
    echo "$best"
    mapfile -t found < <(printf '%s\n' "${found[@]}" | grep -vxF "$best")
  done
}

# 1: the archive does not serve all of it, whatever its lists say.
download() {
  local version=$1 package
  cd "$apt/cache"
  rm -f ./*.deb ./*.dsc ./*.tar.*
  apt-get -q source --download-only "postgresql-15=$version" || return 1
  for package in "${binaries[@]}"; do apt-get -q download "$package=$version" || return 1; done
}

unpack_all() {
  local package patch
  rm -rf "$folder/root" "$folder/source"
  mkdir -p "$folder/root" "$folder/source"
  for package in "$apt"/cache/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
  tar -xf "$apt"/cache/*.orig.tar.* -C "$folder/source" --strip-components=1
  tar -xf "$apt"/cache/*.debian.tar.* -C "$folder/source"
  # As the binaries were made: Debian's patches may change what a test prints.
  while read -r patch _; do
    [[ -z $patch || $patch == '#'* ]] || patch -s -p1 -d "$folder/source" <"$folder/source/debian/patches/$patch"
  done <"$folder/source/debian/patches/series"
}

[[ $# -eq 1 ]] || fail 'usage: tests/regress/unpack.sh FOLDER'
mkdir -p "$1"
folder=$(cd "$1" && pwd)
readonly folder apt=$folder/apt
write_settings
derive_sources
apt-get -q update >&2 || echo 'unpack.sh: apt-get update had problems; going on with what it got' >&2
for version in $(candidates); do
  if [[ $(cat "$folder/version" 2>/dev/null) != "$version" ]]; then
    (download "$version") >&2 || continue
    rm -f "$folder/version"
    unpack_all
    echo "$version" >"$folder/version"
  fi
  echo "$version"
  exit
done
fail 'the archive serves no version of postgresql-15 as both source and binaries'
