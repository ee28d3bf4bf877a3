#!/usr/bin/env bash
# Every test that a table of doc/pitfalls.md names is there; so is every section of the list.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
table=${1:-$top/doc/pitfalls.md}
missing=0 named=0

is_there() {
  local test=$1
  case $test in
    dialogue:*) [[ -f $top/tests/session/dialogues/${test#dialogue:}.txt ]] ;;
    ledger:*) grep -q "{\"${test#ledger:}\"," "$top/tests/session/ledger_test.cpp" ;;
    fuzz:*) [[ -f $top/tests/fuzz/${test#fuzz:}.cpp && -d $top/tests/fuzz/corpus/${test#fuzz:} ]] ;;
    house.*) grep -q "NAME $test " "$top/tests/house/CMakeLists.txt" ;;
    *.*) grep -rqE --include='*_test.cpp' "(TEST|TEST_F|TEST_P|RC_GTEST_PROP)\(${test%%.*}, *${test#*.}[,)]" "$top/tests" ;;
    *) return 0 ;; # a word of SQL or of the protocol
  esac
}

while read -r test; do
  [[ $test == *[.:]*[a-z]* && $test =~ ^[a-z_]+[.:][a-z0-9_]+$ ]] || continue
  named=$((named + 1))
  is_there "$test" || {
    echo "$table: no test $test" >&2
    missing=$((missing + 1))
  }
done < <(grep '^|' "$table" | grep -o '`[^`]*`' | tr -d '`' | sort -u)

[[ $named -gt 0 ]] || {
  echo "$table names no test" >&2
  exit 1
}
while IFS= read -r row; do
  [[ $row == *' | '*[a-z]*' |' ]] || {
    echo "$table: nothing shows this: $row" >&2
    missing=$((missing + 1))
  }
done < <(grep '^| ' "$table")
[[ $missing -eq 0 ]]
