#!/usr/bin/env bash
# The verdict over what tests/regress/suites.sh left: every test passed in every run, and pgteller's runs printed what
# the direct one printed. With rules that observe, each of them must have seen statements, or nothing was tested.
#
#   tests/regress/compare.sh OUT 'direct plain observe' 'regression isolation pipeline'
set -euo pipefail
[[ $# -eq 3 ]] || exit 2
readonly out=$1 runs=$2 suites=$3
readonly observed=$(dirname "${BASH_SOURCE[0]}")/observe.toml
broken=0

title() {
  case $1 in
    direct) echo 'directly' ;;
    plain) echo 'through pgteller, no rules' ;;
    observe) echo 'through pgteller, observed' ;;
  esac
}

# How many statements of a rule were seen, from the metrics.
seen() {
  awk -v rule="rule=\"$1\"" 'index($0, "pgteller_statements_total{") == 1 && index($0, rule) { sum += $NF }
    END { print sum + 0 }' "$out/observe/metrics"
}

[[ -e $out/observe/metrics ]] || { mkdir -p "$out/observe" && : >"$out/observe/metrics"; }

for suite in $suites; do
  for run in $runs; do
    results=$out/$run/$suite.tests
    [[ -s $results ]] || : >"$results"
    passed=$(grep -c ' ok$' "$results" || true)
    all=$(wc -l <"$results")
    note=''
    if [[ $passed -ne $all || $all -eq 0 ]]; then
      broken=1
      note=" FAILED: $(sed -n '/ ok$/!s/ .*//p' "$results" | tr '\n' ' ')"
    elif [[ $run != direct && -d $out/direct/$suite ]]; then
      note=' same output as directly'
      if ! diff -r "$out/direct/$suite" "$out/$run/$suite" >"$out/$run/$suite.diff" ||
        ! cmp -s "$out/direct/$suite.tests" "$results"; then
        broken=1
        note=" OUTPUT DIFFERS: $out/$run/$suite.diff"
      fi
    fi
    printf '%-10s %-27s %3d of %3d%s\n' "$suite" "$(title "$run")" "$passed" "$all" "$note"
  done
done
if [[ " $runs " == *' observe '* ]]; then
  for rule in $(sed -nE 's/^name = "(.*)"/\1/p' "$observed"); do
    count=$(seen "$rule")
    printf 'rule %-22s %6d statements seen\n' "$rule" "$count"
    if [[ $count -eq 0 ]]; then broken=1; fi
  done
fi
exit "$broken"
