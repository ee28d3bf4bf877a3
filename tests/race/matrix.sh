#!/usr/bin/env bash
# The long race: every scenario directly, where it has to lose, and under every guard that promises something for it,
# where the promise has to be kept; then the same with two pgtellers and a client past both. One line each.
# Exit status 1 if anything was not as expected. All of it takes about 17 minutes, --prices about seven.
#
#   tests/race/matrix.sh [--seconds=N] [--clients=N] [--rows=N] [--styles='simple extended'] [--guards='NAME ...']
#                        [--scenarios=NAME,...] [--no-shared]
#   tests/race/matrix.sh --prices [--seconds=N] [--clients=N] [--rounds=N] [--scenarios=NAME,...]
#
#   --prices    instead: what each strategy costs, on 2 hot rows and on 1,000, as Markdown tables; medians over rounds
#               in which all take turns
#
# Reads RACE_BIN and PGTELLER_BIN (default: build/release/race and build/release/pgteller).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here top=${here%/tests/race}
RACE_BIN=${RACE_BIN:-$top/build/release/race}
export RACE_BIN

fail() {
  echo "matrix.sh: $*" >&2
  exit 2
}

read_options() {
  seconds=3 clients=32 rows=2 rounds=3 styles='simple extended' guards='' scenarios='' shared=yes prices=no
  export seconds clients rows rounds styles guards scenarios shared prices
  local option
  for option in "$@"; do
    case $option in
      --seconds=*) seconds=${option#*=} ;;
      --clients=*) clients=${option#*=} ;;
      --rows=*) rows=${option#*=} ;;
      --rounds=*) rounds=${option#*=} ;;
      --styles=*) styles=${option#*=} ;;
      --guards=*) guards=${option#*=} ;;
      --scenarios=*) scenarios=${option#*=} ;;
      --no-shared) shared=no ;;
      --prices) prices=yes ;;
      *) fail "no option $option; the first lines of this file show them" ;;
    esac
  done
  [[ $rounds =~ ^[1-9][0-9]?$ ]] || fail 'rounds: 1 to 99'
}

# OPTIONS...; 1: something was not as expected.
race() {
  local status=0
  "$RACE_BIN" --dbname race --clients "$clients" --users "$clients" --seconds "$seconds" \
    --audit-conninfo "host=$PGTELLER_TEST_HOST port=$PGTELLER_TEST_PORT user=postgres dbname=race" "$@" || status=$?
  if [[ $status -eq 1 ]]; then touch "$RACE_HOME/broken"; fi
  [[ $status -le 1 ]] || fail "race ended with $status"
}

direct() {
  race --host "$PGTELLER_TEST_HOST" --port "$PGTELLER_TEST_PORT" "$@"
}

proxied() {
  race --host "$PGTELLER_PROXY_HOST" --port "$PGTELLER_PROXY_PORT" "$@"
}

# Runs this script once more, `--inside FUNCTION ...`, behind a pgteller of this guard.
behind() {
  "$RACE_BIN" --print-rules "$1" >"$RACE_HOME/$1.toml"
  "$here/../proxy.sh" run "$RACE_HOME/$1.toml" -- "$here/matrix.sh" --inside "${@:2}"
}

prepare() {
  local psql=(psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="$PGTELLER_TEST_CONNINFO")
  "${psql[@]}" --command='CREATE DATABASE race' --command="ALTER DATABASE race SET deadlock_timeout = '100ms'"
  direct --setup
}

heading() {
  awk -f "$here/matrix.awk" /dev/null
}

lines() {
  awk -v headless=1 -f "$here/matrix.awk"
}

# What is played under a guard: where reads are told apart otherwise, only what that is for.
scenarios_of() {
  case $1,$scenarios in
    *,?*) echo "$scenarios" ;;
    *-client,) echo pool,pool-traced ;;
    *-trace,) echo pool-traced ;;
    *) echo promised ;;
  esac
}

play() {
  local style
  for style in $styles; do
    proxied --guard "$1" --cells "$1" --scenario "$(scenarios_of "$1")" --style "$style" --rows "$rows" | lines
  done
}

play_first() {
  export RACE_OTHER=$PGTELLER_PROXY_HOST:$PGTELLER_PROXY_PORT
  behind "$1" play_shared "$1"
}

play_shared() {
  local style
  for style in $styles; do
    proxied --guard "$1" --cells "$1, shared" --scenario "$(scenarios_of "$1")" --style "$style" --rows "$rows" \
      --also "$RACE_OTHER" --bypass 1 | lines
  done
}

matrix() {
  prepare
  heading
  local style guard
  for style in $styles; do
    direct --expect-loss --cells direct --scenario "${scenarios:-all}" --style "$style" --rows "$rows" | lines
  done
  for guard in ${guards:-$("$RACE_BIN" --guards | grep -v no-rule)}; do
    behind "$guard" play "$guard"
    if [[ $shared == yes ]]; then behind "$guard" play_first "$guard"; fi
  done
  if [[ -e $RACE_HOME/broken ]]; then
    echo 'BROKEN: see above' >&2
    exit 1
  fi
}

readonly priced='no-rule pessimistic-on pessimistic-adaptive pessimistic-off optimistic escrow'

# Starts one pgteller behind another until each guard has one, and remembers their ports.
price_list() {
  local next
  if [[ -n ${RACE_NESTED:-} ]]; then
    export RACE_PORTS="${RACE_PORTS:-} $RACE_NESTED=$PGTELLER_PROXY_PORT"
  else
    prepare
  fi
  for next in $priced; do
    [[ " ${RACE_PORTS:-} " != *" $next="* ]] || continue
    export RACE_NESTED=$next
    behind "$next" price_list
    return
  done
  measure
}

# SCENARIO ROWS ROUND: all take turns.
round() {
  local cells=(--scenario "$1" --rows "$2" --style extended) port
  direct "${cells[@]}" --cells "PostgreSQL alone, the application says FOR UPDATE" --for-update
  direct "${cells[@]}" --cells "PostgreSQL alone, nothing guarded"
  for port in $RACE_PORTS; do
    race --host "$PGTELLER_PROXY_HOST" --port "${port#*=}" "${cells[@]}" --cells "pgteller, ${port%=*}"
  done
}

measure() {
  local each many number
  for each in $(tr ',' ' ' <<<"${scenarios:-autocommit-read-modify-write,tx-read-modify-write}"); do
    for many in 2 1000; do
      echo "### $each, $clients clients on $many rows"
      echo
      for ((number = 1; number <= rounds; ++number)); do
        echo "matrix.sh: $each, $many rows, round $number of $rounds" >&2
        round "$each" "$many"
      done | awk -f "$here/prices.awk"
      echo
    done
  done
}

if [[ ${1:-} == --inside ]]; then
  "${@:2}"
  exit
fi
read_options "$@"
[[ -x $RACE_BIN ]] || fail "no program $RACE_BIN (./dev demo makes it)"
RACE_HOME=$(mktemp -d)
export RACE_HOME
trap 'rm -rf "$RACE_HOME"' EXIT
what=matrix
if [[ $prices == yes ]]; then what=price_list; fi
"$here/../cluster.sh" run -- "$here/matrix.sh" --inside "$what"
