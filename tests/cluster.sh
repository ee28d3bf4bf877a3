#!/usr/bin/env bash
# A private PostgreSQL 15 cluster for the time of one command: made, started, stopped and removed here.
# Refuses to touch any cluster it did not create.
#
#   tests/cluster.sh run -- COMMAND...    run COMMAND with the PGTELLER_TEST_* variables below
#   tests/cluster.sh restart              stop the cluster of PGTELLER_TEST_DATA at once, as a crash, and start it
#   tests/cluster.sh free-port            print a TCP port nobody listens on at the loopback address
#
#   PGTELLER_TEST_HOST, PGTELLER_TEST_PORT     loopback
#   PGTELLER_TEST_SOCKET_DIR                   the same cluster's Unix socket
#   PGTELLER_TEST_CONNINFO                     host, port, user=postgres (superuser, trust), dbname=postgres
#   PGTELLER_TEST_DATA                         the data directory; the server's log is ../log beside it
#   PGTELLER_TEST_PASSWORD                     of the roles app_scram, app_md5 and app_plain, who must give it
#
# Reads  PGTELLER_TEST_PGBIN     the programs of another PostgreSQL 15 than the installed one
#        PGTELLER_TEST_SETTINGS  a file with further lines of postgresql.conf
#
# Everyone else, `pgteller` (for the catalog) included, is trusted. Nothing of this is reachable from outside.
set -euo pipefail

readonly password='three tellers'
home=''   # everything of this cluster; empty until it exists
child=''  # the running command

fail() {
  echo "cluster.sh: $*" >&2
  exit 1
}

# PostgreSQL refuses to run as root; then its own user does, or nobody.
unprivileged() {
  if [[ $(id -u) -ne 0 ]]; then
    "$@"
    return
  fi
  setpriv --reuid "$server_user" --regid "$(id -g "$server_user")" --clear-groups -- "$@"
}

listens() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Below the range the kernel takes its own ports from (32768 and up), so that no client socket sits on it.
free_port() {
  local port
  for _ in {1..100}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! listens "$port"; then
      echo "$port"
      return
    fi
  done
  fail 'no free port between 20000 and 32000'
}

write_settings() {
  cat >>"$data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
unix_socket_directories = '$home/socket'
max_connections = 300
max_prepared_transactions = 10
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
fsync = on
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
SETTINGS
  [[ -z ${PGTELLER_TEST_SETTINGS:-} ]] || cat "$PGTELLER_TEST_SETTINGS" >>"$data/postgresql.conf"
  cat >"$data/pg_hba.conf" <<'ACCESS'
local all         app_scram scram-sha-256
local all         app_md5   md5
local all         app_plain password
local all         all       trust
local replication all       trust
host  all         app_scram samehost scram-sha-256
host  all         app_md5   samehost md5
host  all         app_plain samehost password
host  all         all       samehost trust
host  replication all       samehost trust
ACCESS
}

start() {
  for _ in {1..5}; do
    port=$(free_port)
    if unprivileged "$bin/pg_ctl" start --silent --wait --timeout=60 --pgdata="$data" --log="$home/log" \
      --options="-p $port" >>"$home/start.log" 2>&1 </dev/null; then
      return
    fi
  done
  cat "$home/start.log" "$home/log" >&2
  fail 'PostgreSQL did not start'
}

create_roles() {
  unprivileged "$bin/psql" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --host="$home/socket" --port="$port" \
    --username=postgres --dbname=postgres <<SQL
CREATE ROLE pgteller LOGIN;
CREATE ROLE app_scram LOGIN PASSWORD '$password';
CREATE ROLE app_plain LOGIN PASSWORD '$password';
SET password_encryption = 'md5';
CREATE ROLE app_md5 LOGIN PASSWORD '$password';
SQL
}

stop() {
  trap '' INT TERM HUP
  [[ -n $home ]] || return 0
  if [[ -s $data/postmaster.pid ]]; then
    unprivileged "$bin/pg_ctl" stop --silent --wait --timeout=30 --mode=fast --pgdata="$data" >/dev/null 2>&1 ||
      unprivileged "$bin/pg_ctl" stop --silent --wait --mode=immediate --pgdata="$data" >/dev/null 2>&1 || true
  fi
  rm -rf "$home"
}

# The command is told too, and waited for: it may have things of its own to put away.
interrupted() {
  trap '' INT TERM HUP
  if [[ -n $child ]]; then
    kill -s TERM "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  exit "$1"
}

find_server() {
  bin=${PGTELLER_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
  [[ -x $bin/initdb ]] || fail "no PostgreSQL 15 in $bin (./dev installs it)"
  server_user=postgres
  id "$server_user" >/dev/null 2>&1 || server_user=nobody
}

restart() {
  find_server
  [[ -n ${PGTELLER_TEST_DATA:-} ]] || fail 'run this under tests/cluster.sh'
  cd "$PGTELLER_TEST_DATA/.."
  unprivileged "$bin/pg_ctl" restart --silent --wait --timeout=60 --mode=immediate --pgdata="$PGTELLER_TEST_DATA" \
    --log="$PWD/log" >/dev/null </dev/null
}

create() {
  find_server
  trap stop EXIT
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM HUP
  # /tmp whatever TMPDIR says: the path of a Unix socket may have 107 bytes only.
  home=$(mktemp -d /tmp/pgteller-cluster.XXXXXX)
  data=$home/data
  mkdir "$home/socket"
  if [[ $(id -u) -eq 0 ]]; then
    chown -R "$server_user:$(id -g "$server_user")" "$home"
  fi
  chmod 755 "$home"
  cd "$home"  # somewhere the server's user may be
  unprivileged "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >"$home/initdb.log" 2>&1 || {
    cat "$home/initdb.log" >&2
    fail 'initdb failed'
  }
  write_settings
  start
  create_roles
  cd "$OLDPWD"
}

run() {
  create
  export PGTELLER_TEST_HOST=127.0.0.1
  export PGTELLER_TEST_PORT=$port
  export PGTELLER_TEST_SOCKET_DIR=$home/socket
  export PGTELLER_TEST_CONNINFO="host=127.0.0.1 port=$port user=postgres dbname=postgres"
  export PGTELLER_TEST_DATA=$data
  export PGTELLER_TEST_PASSWORD=$password
  # In the background, so that a signal is answered at once; a shell would let it ignore Ctrl-C there.
  env --default-signal=INT,QUIT "$@" <&0 &
  child=$!
  local status=0
  wait "$child" || status=$?
  child=''
  exit "$status"
}

case ${1:-} in
  run)
    shift
    [[ ${1:-} == -- ]] && shift
    [[ $# -gt 0 ]] || fail 'run what?'
    run "$@"
    ;;
  restart) restart ;;
  free-port) free_port ;;
  *) fail 'usage: tests/cluster.sh run -- COMMAND... | restart | free-port' ;;
esac
