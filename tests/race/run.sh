#!/usr/bin/env bash
# One short race as a test: directly, where something has to be lost, or through pgteller, where nothing may be.
# Starts what it needs; under tests/cluster.sh it uses that cluster, in a database of its own.
#
#   RACE_BIN=... PGTELLER_BIN=... tests/race/run.sh direct|guarded SCENARIO simple|extended
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here how=$1 scenario=$2 style=$3
[[ -n ${PGTELLER_TEST_PORT:-} ]] || exec "$here/../cluster.sh" run -- "$0" "$@"
: "${RACE_BIN:?where the race program is}"

database=race_$$
sql() {
  psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="$PGTELLER_TEST_CONNINFO" --command="$1"
}
sql "CREATE DATABASE $database"
trap 'sql "DROP DATABASE IF EXISTS $database WITH (FORCE)"' EXIT
# Transfers deadlock, with and without a proxy; a test need not wait a second for each to be found out.
sql "ALTER DATABASE $database SET deadlock_timeout = '100ms'"

direct=(--host "$PGTELLER_TEST_HOST" --port "$PGTELLER_TEST_PORT" --dbname "$database")
race=("$RACE_BIN" --scenario "$scenario" --style "$style" --clients 16 --seconds 3)
"$RACE_BIN" "${direct[@]}" --setup

case $how in
  direct) "${race[@]}" "${direct[@]}" --expect-loss ;;
  guarded)
    # The proxy's address is known only under proxy.sh.
    # shellcheck disable=SC2016
    # Asked to stop before ctest would kill, so that pgteller is stopped, too.
    timeout --foreground --kill-after=40 120 "$here/../proxy.sh" run "$here/rules.toml" -- bash -c \
      'exec "$@" --host "$PGTELLER_PROXY_HOST" --port "$PGTELLER_PROXY_PORT"' race \
      "${race[@]}" --dbname "$database" --expect-safe \
      --audit-conninfo "host=$PGTELLER_TEST_HOST port=$PGTELLER_TEST_PORT user=postgres dbname=$database"
    ;;
  *)
    echo "run.sh: direct or guarded, not $how" >&2
    exit 2
    ;;
esac
