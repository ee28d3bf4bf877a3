#!/usr/bin/env bash
# Shows that the format check can fail, and that it passes what is formatted.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

printf 'int  main( ){return 0 ;}\n' >"$folder/crooked.cpp"
if "$here/format.sh" --check "$folder" 2>/dev/null; then
  echo 'a crooked file passed the check' >&2
  exit 1
fi
"$here/format.sh" "$folder"
"$here/format.sh" --check "$folder"
