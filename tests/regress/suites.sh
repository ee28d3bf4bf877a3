#!/usr/bin/env bash
# One run of PostgreSQL's suites, for tests/regress/run.sh: under tests/cluster.sh, and under tests/proxy.sh if they
# are to go through pgteller. What came of each test is written to WORK/out/RUN/SUITE.tests, a line "NAME ok" each.
#
#   tests/regress/suites.sh WORK RUN 'regression isolation pipeline'
set -euo pipefail
[[ $# -eq 3 ]] || exit 2
readonly work=$1 run=$2 out=$1/out/$2
readonly postgres=$work/usr/lib/postgresql/15
readonly port=${PGTELLER_PROXY_PORT:-$PGTELLER_TEST_PORT}
readonly longest=1800  # seconds a suite may take

say() { echo "suites.sh: $run: $*" >&2; }

# The server writes files beside the tests, so whoever it runs as has to run them.
as_server() {
  local user
  local -a environment=(env PGHOST="$PGTELLER_TEST_HOST" PGPORT="$port" PGUSER=postgres
    LD_LIBRARY_PATH="$work/usr/lib/x86_64-linux-gnu")
  if [[ $(id -u) -ne 0 ]]; then
    "${environment[@]}" "$@"
    return
  fi
  user=$(stat -c %u "$PGTELLER_TEST_DATA")
  setpriv --reuid "$user" --regid "$(stat -c %g "$PGTELLER_TEST_DATA")" --clear-groups -- "${environment[@]}" "$@"
}

# A folder where the server may write.
place() {
  mkdir "$1"
  if [[ $(id -u) -eq 0 ]]; then chown "$(stat -c %u:%g "$PGTELLER_TEST_DATA")" "$1"; fi
}

# What pg_regress does to a database that it creates; this one is there already (--use-existing).
create_database() {
  local name=$1 setting commands="CREATE DATABASE $1 TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';"
  for setting in lc_messages=C lc_monetary=C lc_numeric=C lc_time=C bytea_output=hex \
    timezone_abbreviations=Default; do
    commands+=$'\n'"ALTER DATABASE $name SET ${setting%=*} TO '${setting#*=}';"
  done
  psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="$PGTELLER_TEST_CONNINFO" <<<"$commands"
}

# SUITE DATABASE PROGRAM ARGUMENTS...  (tests name the database that pg_regress would make)
pg_regress() {
  local suite=$1 database=$2 program=$3
  shift 3
  create_database "$database"
  local folder=$work/out-$run-$suite
  place "$folder"
  (
    cd "$folder"
    as_server timeout "$longest" "$program" --use-existing --host="$PGTELLER_TEST_HOST" --port="$port" \
      --user=postgres --dbname="$database" --bindir="$postgres/bin" --outputdir="$folder" \
      --max-concurrent-tests=20 "$@"
  ) >"$out/$suite.log" 2>&1 </dev/null || say "$suite: exit status $?"
  mv "$folder" "$out/$suite"
  sed -nE 's/^(test |     )([a-z0-9_.-]+) +\.\.\. (ok|FAILED|failed).*/\2 \3/p' "$out/$suite.log" >"$out/$suite.tests"
}

regression() {
  pg_regress regression regression "$postgres/lib/pgxs/src/test/regress/pg_regress" --inputdir="$work/regress" \
    --dlpath="$work/regress" --schedule="$work/regress/parallel_schedule"
}

# As "make installcheck-prepared-txns" has it: the schedule and two that need prepared transactions.
isolation() {
  pg_regress isolation isolation_regression "$postgres/lib/pgxs/src/test/isolation/pg_isolation_regress" \
    --inputdir="$work/isolation" --schedule="$work/isolation/isolation_schedule" \
    prepared-transactions prepared-transactions-cic
}

# What t/001_libpq_pipeline.pl does: tests that have a trace must leave exactly this one.
pipeline() {
  create_database pipeline
  place "$out/pipeline"
  local test expected result program=$work/libpq_pipeline/libpq_pipeline
  local -a options
  for test in $(as_server "$program" tests); do
    expected=$work/libpq_pipeline/traces/$test.trace options=(-r 700) result=ok
    if [[ -e $expected ]]; then options+=(-t "$out/pipeline/$test.trace"); fi
    as_server timeout 120 "$program" "${options[@]}" "$test" dbname=pipeline >>"$out/pipeline.log" 2>&1 </dev/null ||
      result='FAILED'
    [[ ! -e $expected ]] || cmp -s "$expected" "$out/pipeline/$test.trace" || result='FAILED (trace)'
    echo "$test $result" >>"$out/pipeline.tests"
  done
}

for suite in $3; do
  say "$suite"
  "$suite"
done
if [[ -n ${PGTELLER_METRICS_PORT:-} ]]; then
  exec 3<>"/dev/tcp/127.0.0.1/$PGTELLER_METRICS_PORT"
  printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  cat <&3 >"$out/metrics"
fi
