#!/usr/bin/env bash
# One driver against a private PostgreSQL and pgteller in front, under tests/cluster.sh: connect, prepared statements,
# transactions, batches, cancel, COPY and errors, each with guarded tables; a lost update directly, and none through
# pgteller.
#
#   tests/drivers/run.sh psycopg2|psycopg|asyncpg|node|php|jdbc
#
# Reads   PGTELLER_BIN and what tests/cluster.sh exports
# Exports DRIVER_DATABASE and what tests/proxy.sh exports
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here top=${here%/tests/drivers}
readonly java=/usr/lib/jvm/default-java/bin/java  # Debian's, whatever else there is

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

psql_direct() {
  psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="${PGTELLER_TEST_CONNINFO/dbname=postgres/dbname=$1}"
}

make_tables() {
  psql_direct postgres <<<"CREATE DATABASE $DRIVER_DATABASE"
  psql_direct "$DRIVER_DATABASE" <<'SQL'
CREATE TABLE wallets (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
CREATE TABLE points (id bigint PRIMARY KEY, points integer NOT NULL);
CREATE TABLE items (id bigint PRIMARY KEY, stock integer NOT NULL);
INSERT INTO wallets SELECT id, 100 FROM generate_series(1, 9) id;
INSERT INTO points SELECT id, 100 FROM generate_series(1, 9) id;
INSERT INTO items SELECT id, 100 FROM generate_series(1, 9) id;
SQL
}

# What the lock file names, once; whether it is complete is npm's to say.
node_modules() {
  local place=$top/build/drivers
  mkdir -p "$place"
  if ! cmp -s "$here/package-lock.json" "$place/installed"; then
    cp "$here/package.json" "$here/package-lock.json" "$place/"
    npm ci --prefix "$place" --no-audit --no-fund --ignore-scripts >&2
    cp "$here/package-lock.json" "$place/installed"
  fi
  export NODE_PATH=$place/node_modules
}

play() {
  case $1 in
    psycopg2 | psycopg | asyncpg) PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$here/${1}_driver.py" ;;
    php) /usr/bin/php "$here/php_driver.php" ;;
    node) node "$here/node_driver.js" ;;
    jdbc)
      classes=$(mktemp -d)
      trap 'rm -rf "$classes"' EXIT
      # Eclipse's compiler needs no JDK.
      "$java" -cp /usr/share/java/ecj.jar org.eclipse.jdt.internal.compiler.batch.Main -11 -nowarn \
        -cp /usr/share/java/postgresql.jar -d "$classes" "$here/JdbcDriver.java"
      "$java" -cp "$classes:/usr/share/java/postgresql.jar" JdbcDriver
      ;;
    *) fail "no driver $1" ;;
  esac
}

if [[ ${1:-} == play ]]; then
  play "$2"
  exit
fi
[[ $# -eq 1 ]] || fail 'which driver?'
[[ -n ${PGTELLER_TEST_PORT:-} ]] || fail 'run this under tests/cluster.sh'
[[ $1 != node ]] || node_modules
export DRIVER_DATABASE=driver_$1
make_tables
trap 'psql_direct postgres <<<"DROP DATABASE $DRIVER_DATABASE WITH (FORCE)"' EXIT
"$top/tests/proxy.sh" run "$here/rules.toml" -- "$here/run.sh" play "$1"
