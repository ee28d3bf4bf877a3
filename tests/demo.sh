#!/usr/bin/env bash
# The demonstration behind ./dev demo: the same careless application, on PostgreSQL alone and through pgteller.
# Starts a private PostgreSQL and pgteller, and puts everything away at the end.
#
#   tests/demo.sh [--keep]        needs build/release/pgteller and build/release/race
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly top race=$top/build/release/race database=shop
readonly config=$top/conf/examples/shop.toml
readonly clients=16 seconds=${PGTELLER_DEMO_SECONDS:-3}
# Without "pool", which needs correlate = "client".
readonly scenarios=tx-read-modify-write,check-then-decrement,transfer,autocommit-read-modify-write\
,read-outside-write-inside,double-submit,take-off-twice

direct() {
  "$race" --host "$PGTELLER_TEST_HOST" --port "$PGTELLER_TEST_PORT" --dbname "$database" "$@"
}

prepare() {
  psql --quiet --no-psqlrc --dbname="$PGTELLER_TEST_CONNINFO" --command="CREATE DATABASE $database"
  direct --setup
  exec "$top/tests/proxy.sh" run "$config" -- "$0" play "$@"
}

play() {
  echo
  echo "The same application, $clients clients at once, once on PostgreSQL alone and once through pgteller."
  echo 'It reads a balance, thinks for a moment, and writes the new one; nothing in it was changed.'
  echo
  local status=0
  direct --versus "$PGTELLER_PROXY_HOST:$PGTELLER_PROXY_PORT" --clients "$clients" --seconds "$seconds" \
    --scenario "$scenarios" --expect-safe || status=$?
  echo
  echo '"Money lost" is what customers paid in and no balance shows, by an audit of the books after each run.'
  echo 'A line that would be 0 on both sides is left out.'
  echo
  if [[ ${1:-} != --keep ]]; then
    echo 'All of it is stopped and removed now. To try it by hand: ./dev demo --keep'
    exit "$status"
  fi
  keep_running
}

keep_running() {
  local psql='psql -U postgres -d shop -h 127.0.0.1 -p'
  cat <<TEXT
Through pgteller:   $psql $PGTELLER_PROXY_PORT
PostgreSQL alone:   $psql $PGTELLER_TEST_PORT
Metrics:            http://127.0.0.1:$PGTELLER_METRICS_PORT/metrics
The rules:          ${config#"$top/"}

In two psql windows through pgteller: BEGIN; SELECT balance FROM wallets WHERE id = 1;
The second one waits until the first has committed. And this one is refused, the balance would fall below zero:
UPDATE wallets SET balance = balance - 10000000 WHERE id = 1;
This one, too, when it comes a second time:
INSERT INTO transactions (op, order_id, amount) VALUES (0, 4711, 5.00);

Running until Ctrl-C.
TEXT
  trap 'kill "$sleeper" 2>/dev/null; exit 0' INT TERM
  sleep infinity &
  sleeper=$!
  wait "$sleeper"
}

case ${1:-} in
  prepare | play) "$@" ;;
  '' | --keep) exec "$top/tests/cluster.sh" run -- "$0" prepare "$@" ;;
  *)
    echo 'usage: ./dev demo [--keep]' >&2
    exit 2
    ;;
esac
