# What is compared: starts each proxy in front of the private cluster and puts it away again, by its process id.
# Sourced by run; knows nothing of measuring. Each proxy listens at the loopback address and reaches PostgreSQL over
# TCP there, as the direct connections do.
# shellcheck shell=bash

declare -gA port_of=()  # by subject: where it listens
declare -gA pid_of=()   # by subject: its process; none for direct
bin=${PGTELLER_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
home=''

sql() {
  psql --quiet --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 --host="$PGTELLER_TEST_HOST" \
    --port="${2:-$PGTELLER_TEST_PORT}" --username=postgres --dbname="${3:-bench}" --command="$1" </dev/null
}

make_tables() {
  say 'making the tables'
  sql 'CREATE DATABASE bench' "$PGTELLER_TEST_PORT" postgres
  "$bin/pgbench" --initialize --quiet --scale=10 --host="$PGTELLER_TEST_HOST" --port="$PGTELLER_TEST_PORT" \
    --username=postgres bench >"$home/init.log" 2>&1 || {
    cat "$home/init.log" >&2
    fail 'pgbench could not make its tables'
  }
  local i
  for i in {01..20}; do
    sql "CREATE TABLE ledger_$i (id bigint PRIMARY KEY, balance bigint NOT NULL)"
  done
  sql 'CREATE TABLE wallets (id bigint PRIMARY KEY, balance bigint NOT NULL)'
  sql 'INSERT INTO wallets SELECT i, 1000000000 FROM generate_series(1, 1000000) i'
  sql 'VACUUM (ANALYZE) wallets'
}

# As the user that PostgreSQL runs as: PgBouncer refuses root.
unprivileged() {
  if [[ $(id -u) -ne 0 ]]; then
    exec "$@"
  fi
  local user=postgres
  id "$user" >/dev/null 2>&1 || user=nobody
  exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"
}

answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Waits until a statement has come through; for pgteller this also makes it read the catalog.
await() {
  local subject=$1
  for _ in {1..100}; do
    if answers "${port_of[$subject]}" && [[ $(sql 'SELECT 1' "${port_of[$subject]}" 2>/dev/null) == 1 ]]; then
      return
    fi
    kill -0 "${pid_of[$subject]}" 2>/dev/null || break
    sleep 0.1
  done
  cat "$home/$subject.log" >&2
  fail "$subject does not answer"
}

start_pgteller() {
  local subject=$1 rules=$2 threads=${3:-0} cache=${4:-0}
  local port metrics
  port=$("$top/tests/cluster.sh" free-port)
  metrics=$("$top/tests/cluster.sh" free-port)
  cat >"$home/$subject.toml" <<TOML
[listen]
port = $port
threads = $threads
max_connections = 6000
shutdown_grace = "2s"
[upstream]
host = "$PGTELLER_TEST_HOST"
port = $PGTELLER_TEST_PORT
statement_cache = $cache
[metrics]
port = $metrics
[log]
level = "warn"
TOML
  if [[ $rules != none ]]; then
    local i
    for i in {01..20}; do
      printf '[[rule]]\nname = "ledger-%s"\ntable = "ledger_%s"\ncolumns = ["balance"]\nmin = 0\n' "$i" "$i"
    done >>"$home/$subject.toml"
  fi
  if [[ $rules != none && $rules != 20 ]]; then
    printf '[[rule]]\nname = "wallet"\ntable = "wallets"\ncolumns = ["balance"]\n' >>"$home/$subject.toml"
  fi
  [[ $rules != *bound ]] || echo 'min = 0' >>"$home/$subject.toml"
  [[ $rules != shared* ]] || echo 'group_commit = true' >>"$home/$subject.toml"
  "$PGTELLER_BIN" serve --config "$home/$subject.toml" >"$home/$subject.log" 2>&1 </dev/null &
  pid_of[$subject]=$!
  port_of[$subject]=$port
  await "$subject"
  [[ $rules == none ]] || await_catalog "$subject" "$metrics"
}

await_catalog() {
  local answer
  for _ in {1..100}; do
    answer=''
    if { exec 3<>"/dev/tcp/127.0.0.1/$2"; } 2>/dev/null; then
      printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
      answer=$(timeout 5 cat <&3 || true)
      exec 3>&-
    fi
    if [[ $answer == *' 200 '*'database bench: catalog known'* ]]; then return; fi
    sleep 0.1
  done
  cat "$home/$1.log" >&2
  fail "$1 has not read the catalog"
}

start_pgbouncer() {
  local port
  port=$("$top/tests/cluster.sh" free-port)
  echo '"postgres" ""' >"$home/users.txt"
  cat >"$home/pgbouncer.ini" <<INI
[databases]
bench = host=$PGTELLER_TEST_HOST port=$PGTELLER_TEST_PORT dbname=bench
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $home/users.txt
pool_mode = session
default_pool_size = 100
max_client_conn = 1000
log_connections = 0
log_disconnections = 0
log_stats = 0
INI
  chmod 644 "$home/users.txt" "$home/pgbouncer.ini"
  unprivileged "$(command -v pgbouncer || echo /usr/sbin/pgbouncer)" --quiet "$home/pgbouncer.ini" \
    >"$home/pgbouncer.log" 2>&1 </dev/null &
  pid_of[pgbouncer]=$!
  port_of[pgbouncer]=$port
  await pgbouncer
}

# What carrying costs at least: see forwarder.cpp.
start_floor() {
  local subject=$1 threads=$2 port
  if [[ ! -x $home/forwarder ]]; then
    "${CXX:-g++}" -O2 -std=c++20 -pthread -o "$home/forwarder" "$here/forwarder.cpp" || fail 'forwarder.cpp'
  fi
  port=$("$top/tests/cluster.sh" free-port)
  "$home/forwarder" "$port" 127.0.0.1 "$PGTELLER_TEST_PORT" "$threads" >"$home/$subject.log" 2>&1 </dev/null &
  pid_of[$subject]=$!
  port_of[$subject]=$port
  await "$subject"
}

start_haproxy() {
  local port
  port=$("$top/tests/cluster.sh" free-port)
  cat >"$home/haproxy.cfg" <<CFG
global
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen bench
  bind 127.0.0.1:$port
  server one $PGTELLER_TEST_HOST:$PGTELLER_TEST_PORT
CFG
  haproxy -db -f "$home/haproxy.cfg" >"$home/haproxy.log" 2>&1 </dev/null &
  pid_of[haproxy]=$!
  port_of[haproxy]=$port
  await haproxy
}

start_all() {
  say 'starting the proxies'
  port_of[direct]=$PGTELLER_TEST_PORT
  start_pgbouncer
  if command -v haproxy >/dev/null; then start_haproxy; fi
  start_pgteller pgteller 20
  start_pgteller pgteller_bare none
  if wanted select; then
    start_pgteller pgteller_kept 20 0 100
    start_pgteller pgteller_single 20 1
    start_floor floor "$(nproc)"
    start_floor floor_single 1
  fi
  if wanted guarded || wanted transactions; then
    start_pgteller pgteller_guard guard
    start_pgteller pgteller_bound bound
  fi
  if wanted hot; then
    start_pgteller pgteller_shared shared
    start_pgteller pgteller_shared_bound shared_bound
  fi
}

put_away() {
  trap '' INT TERM
  local subject pid
  for pid in "${bench_pid:-}" "${holder_pid:-}" "${strace_pid:-}"; do
    [[ -z $pid ]] || kill -s TERM "$pid" 2>/dev/null || true
  done
  for subject in "${!pid_of[@]}"; do
    kill -s TERM "${pid_of[$subject]}" 2>/dev/null || true
  done
  for subject in "${!pid_of[@]}"; do
    pid=${pid_of[$subject]}
    for _ in {1..100}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    if kill -s KILL "$pid" 2>/dev/null; then echo "bench: $subject did not stop in 10 s" >&2; fi
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$home"
  exit "$1"
}
