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

# Directly and through pgteller in turns: PostgreSQL has to live with its idle processes either way.
# Appends "tps latency failed" of each run to a file named after what it went through.
active_runs() {
  local count=$1 length=$2 idle=$3 round subject failed
  for ((round = 0; round < count; ++round)); do
    for subject in direct pgteller; do
      pgbench_run "$subject" 120 --client=$active_clients --jobs=2 --time="$length" --protocol=prepared -S
      failed=$(number_after 'number of failed transactions: ')
      printf '%s %s %s\n' "$(number_after 'tps = ')" "$(number_after 'latency average = ')" "${failed:-0}" \
        >>"$home/idle.$subject.$idle"
    done
  done
}

middle_of() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# A line of the table: medians, and what is left of the throughput beside nobody.
active_line() {
  local subject=$1 idle=$2 runs="$home/idle.$1.$2" tps alone
  tps=$(cut -d' ' -f1 "$runs" | middle_of)
  alone=$(cut -d' ' -f1 "$home/idle.$subject.0" | middle_of)
  printf '| %s | %s | %.0f | %s | %s | %s |\n' "$idle" "${3}" "$tps" \
    "$(awk -v a="$tps" -v b="$alone" 'BEGIN { printf "%.2f", a / b }')" "$(cut -d' ' -f2 "$runs" | middle_of)" \
    "$(awk '{ sum += $3 } END { print sum }' "$runs")" >>"$home/idle.md"
}

measure_idle() {
  say "holding $idle_clients idle clients"
  local pid=${pid_of[pgteller]} before after count length idle
  count=$(rounds_of 1 3)
  length=$(seconds_of 2 4)
  rm -f "$home"/idle.direct.* "$home"/idle.pgteller.*
  active_runs "$count" "$length" 0
  before=$(resident_kb "$pid")
  hold_idle
  after=$(resident_kb "$pid")
  active_runs "$count" "$length" "$idle_clients"
  kill -0 "$holder_pid" 2>/dev/null || fail 'the idle clients were not held'
  let_idle_go
  {
    printf '\n### %s idle clients beside %s active ones, `pgbench -S`, prepared, %s rounds of %s s\n\n' \
      "$idle_clients" "$active_clients" "$count" "$length"
    printf '| idle clients | the active through | their tps | of alone | latency ms | failed |\n|--:|---|--:|--:|--:|--:|\n'
  } >"$home/idle.md"
  for idle in 0 "$idle_clients"; do
    active_line direct "$idle" directly
    active_line pgteller "$idle" pgteller
  done
  printf '\nAn idle client takes %s KiB of pgteller'"'"'s memory.\n' \
    "$(awk -v kb=$((after - before)) -v n=$idle_clients 'BEGIN { printf "%.1f", kb / n }')" >>"$home/idle.md"
}
