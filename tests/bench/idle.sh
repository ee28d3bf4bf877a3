# Holds thousands of idle clients beside fifty active ones, through pgteller: what an idle one takes of its memory,
# and what the active ones are left. Sourced by run, after measure.sh. PostgreSQL needs a process for each of them.
# shellcheck shell=bash

holder_pid=''
readonly idle_clients=5000 active_clients=50

resident_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }

sessions() { sql "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'" "$PGTELLER_TEST_PORT"; }

# As many clients as a thread of pgbench each holds without asking anything.
hold_idle() {
  local held=0
  printf '\\sleep 600 s\n' >"$home/idle.sql"
  "$bin/pgbench" --no-vacuum --host=127.0.0.1 --port="${port_of[pgteller]}" --username=postgres \
    --client=$idle_clients --jobs=1 --transactions=1 --file="$home/idle.sql" bench >"$home/idle.log" 2>&1 </dev/null &
  holder_pid=$!
  for _ in {1..240}; do
    held=$(sessions)
    if [[ $held -ge $idle_clients ]]; then return; fi
    kill -0 "$holder_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 5 "$home/idle.log" >&2
  fail "only $held of $idle_clients idle clients came through"
}

let_idle_go() {
  kill -s TERM "$holder_pid" 2>/dev/null || true
  wait "$holder_pid" 2>/dev/null || true
  holder_pid=''
}

active_run() {
  pgbench_run pgteller 120 --client=$active_clients --jobs=2 --time="$1" --protocol=prepared -S
  local failed
  failed=$(number_after 'number of failed transactions: ')
  printf '| %s | %s | %s | %s |\n' "$2" "$(number_after 'tps = ' | cut -d. -f1)" "$(number_after 'latency average = ')" \
    "${failed:-0}" >>"$home/idle.md"
}

measure_idle() {
  say "holding $idle_clients idle clients"
  local pid=${pid_of[pgteller]} before after length
  length=$(seconds_of 2 4)
  {
    printf '\n### %s idle clients beside %s active ones, `pgbench -S`, prepared\n\n' "$idle_clients" "$active_clients"
    printf '| idle clients | tps of the active | latency ms | failed |\n|--:|--:|--:|--:|\n'
  } >"$home/idle.md"
  active_run "$length" 0
  before=$(resident_kb "$pid")
  hold_idle
  after=$(resident_kb "$pid")
  active_run "$length" "$idle_clients"
  kill -0 "$holder_pid" 2>/dev/null || fail 'the idle clients were not held'
  printf '\nAn idle client takes %s KiB of pgteller'"'"'s memory.\n' \
    "$(awk -v kb=$((after - before)) -v n=$idle_clients 'BEGIN { printf "%.1f", kb / n }')" >>"$home/idle.md"
  let_idle_go
}
