#!/usr/bin/env bash
# One short race as a test: directly, where something has to be lost, or through pgteller under one of the guards that
# race --guards lists, where everything has to be kept that is promised. Starts what it needs; under tests/cluster.sh
# it uses that cluster, in a database of its own.
#
#   RACE_BIN=... PGTELLER_BIN=... tests/race/run.sh direct|GUARD SCENARIO simple|extended [shared]
#
#   shared    through two pgtellers, half of the clients each, and one client past both
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
users=16
# Only clients of one user share commits.
if [[ ${1:-} == *-shared || ${2:-} == *-shared ]]; then users=1; fi
readonly here users clients=16 seconds=${RACE_SECONDS:-2}

outside() {
  [[ -n ${PGTELLER_TEST_PORT:-} ]] || exec "$here/../cluster.sh" run -- "$here/run.sh" "$@"
  : "${RACE_BIN:?where the race program is}"
  export RACE_DATABASE=race_$$ RACE_RULES
  RACE_RULES=$(mktemp)
  sql "CREATE DATABASE $RACE_DATABASE"
  trap 'rm -f "$RACE_RULES"; sql "DROP DATABASE IF EXISTS $RACE_DATABASE WITH (FORCE)"' EXIT
  # Transfers deadlock, with and without a proxy; a test need not wait a second for each to be found out.
  sql "ALTER DATABASE $RACE_DATABASE SET deadlock_timeout = '100ms'"
  "$RACE_BIN" --host "$PGTELLER_TEST_HOST" --port "$PGTELLER_TEST_PORT" --dbname "$RACE_DATABASE" \
    --setup --users "$users"
  if [[ $1 == direct ]]; then
    race "$2" "$3" --host "$PGTELLER_TEST_HOST" --port "$PGTELLER_TEST_PORT" --expect-loss
    return
  fi
  "$RACE_BIN" --print-rules "$1" >"$RACE_RULES"
  local way=through
  if [[ ${4:-} == shared ]]; then way=first; fi
  # Asked to stop before ctest would kill, so that pgteller is stopped, too.
  timeout --foreground --kill-after=40 120 "$here/../proxy.sh" run "$RACE_RULES" -- "$here/run.sh" --$way "$@"
}

sql() {
  psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="$PGTELLER_TEST_CONNINFO" --command="$1"
}

# SCENARIO STYLE OPTIONS...
race() {
  local until=(--seconds "$seconds")
  # The share of attempts that deadlock is of a number, however slow the machine.
  if [[ $1 == transfer-hot ]]; then until=(--operations 600); fi
  "$RACE_BIN" --scenario "$1" --style "$2" --clients "$clients" --users "$users" --dbname "$RACE_DATABASE" \
    "${until[@]}" "${@:3}"
}

# Behind the first proxy: the second one.
first() {
  export RACE_OTHER=$PGTELLER_PROXY_HOST:$PGTELLER_PROXY_PORT
  exec "$here/../proxy.sh" run "$RACE_RULES" -- "$here/run.sh" --through "$@"
}

# GUARD SCENARIO STYLE
through() {
  local others=()
  if [[ -n ${RACE_OTHER:-} ]]; then others=(--also "$RACE_OTHER" --bypass 1); fi
  race "$2" "$3" --guard "$1" --host "$PGTELLER_PROXY_HOST" --port "$PGTELLER_PROXY_PORT" "${others[@]}" \
    --audit-conninfo "host=$PGTELLER_TEST_HOST port=$PGTELLER_TEST_PORT user=postgres dbname=$RACE_DATABASE"
}

case ${1:-} in
  --first) first "${@:2}" ;;
  --through) through "${@:2}" ;;
  *)
    [[ $# -ge 3 && $# -le 4 && ${4:-shared} == shared ]] || {
      echo 'usage: tests/race/run.sh direct|GUARD SCENARIO simple|extended [shared]' >&2
      exit 2
    }
    outside "$@"
    ;;
esac
