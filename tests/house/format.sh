#!/usr/bin/env bash
# clang-format for every C++ file of the tree, or of the folder given; --check changes nothing and fails instead.
# Only .clang-format at the top says what is right.
#
#   tests/house/format.sh [--check] [FOLDER]
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

mode=(-i)
if [[ ${1:-} == --check ]]; then
  mode=(--dry-run -Werror)
  shift
fi
folder=${1:-$top}

find "$folder" -mindepth 1 \( -name build -o -name '.?*' \) -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
  xargs -0 --no-run-if-empty --max-args=20 --max-procs=2 clang-format --style="file:$top/.clang-format" "${mode[@]}"
