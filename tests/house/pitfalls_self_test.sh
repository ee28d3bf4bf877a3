#!/usr/bin/env bash
# Shows that the check of doc/pitfalls.md can fail.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
file=$(mktemp)
trap 'rm -f "$file"' EXIT

for row in '| a | `dialogue:not_there` |' '| a | `framer.not_there` |' '| a | `fuzz:not_there` |' '| a | |'; do
  printf '| what | where |\n| b | `dialogue:two_syncs` |\n%s\n' "$row" >"$file"
  if "$here/pitfalls.sh" "$file" 2>/dev/null; then
    echo "passed the check: $row" >&2
    exit 1
  fi
done
