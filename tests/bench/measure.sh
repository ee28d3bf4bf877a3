# Runs pgbench against each subject in turns and keeps one line a run; makes the tables from them.
# Sourced by run, after subjects.sh; knows nothing of how proxies are started.
# shellcheck shell=bash

bench_pid=''
results=''  # lines: experiment mode subject round tps latency_ms cpu_us lost p99_ms

# User and system time of a process and its threads so far, in clock ticks.
ticks_of() {
  local stat
  stat=$(<"/proc/$1/stat")
  # The name, in parentheses, may hold blanks; utime and stime are the 14th and 15th field.
  read -r -a stat <<<"${stat##*) }"
  echo $((stat[11] + stat[12]))
}

balances() { sql 'SELECT sum(balance) FROM wallets WHERE id <= 8'; }

# One run of pgbench, waited for in a way that a signal ends.
pgbench_run() {
  local subject=$1 limit=$2
  shift 2
  timeout "$limit" "$bin/pgbench" --no-vacuum --host=127.0.0.1 --port="${port_of[$subject]}" --username=postgres \
    "$@" bench >"$home/out" 2>"$home/err" </dev/null &
  bench_pid=$!
  local status=0
  wait "$bench_pid" || status=$?
  bench_pid=''
  if [[ $status -ne 0 ]]; then
    tail -n 20 "$home/err" >&2
    fail "pgbench against $subject ended with $status"
  fi
}

number_after() {
  sed -n "s|^$1\([0-9.][0-9.]*\).*|\1|p" "$home/out" | head -n 1
}

# The 99th percentile of the latencies that pgbench has logged, in milliseconds; its log is removed.
p99_of_log() {
  cat "$home"/latency.* | awk '{ print $3 }' | sort -n |
    awk '{ us[NR] = $1 } END { i = int(NR * 0.99); printf "%.3f", us[i < 1 ? 1 : i] / 1000 }'
  rm -f "$home"/latency.*
}

one_run() {
  local experiment=$1 mode=$2 subject=$3 round=$4 length=$5 clients=$6
  shift 6
  local arguments=("$@") before=0 after=0 money=0 pid=${pid_of[$subject]:-}
  if [[ $* == *@* ]]; then
    # The rule takes the lock; without it the application has to ask for it.
    local script=$here/transaction_for_update.sql
    [[ $subject != pgteller* ]] || script=$here/transaction.sql
    [[ $* != *@hot_row* ]] || script=$here/hot_row.sql
    arguments=(-f "$script")
    arguments+=(--log --log-prefix="$home/latency")
    money=$(balances)
  fi
  [[ -z $pid ]] || before=$(ticks_of "$pid")
  pgbench_run "$subject" $((length + 60)) --client="$clients" --jobs=$((clients < 2 ? 1 : 2)) --time="$length" \
    --protocol="$mode" "${arguments[@]}"
  [[ -z $pid ]] || after=$(ticks_of "$pid")
  local done_count lost=0 p99=''
  done_count=$(number_after 'number of transactions actually processed: ')
  [[ ${done_count:-0} -gt 0 ]] || fail "pgbench against $subject did nothing"
  if [[ $* == *@* ]]; then
    lost=$((done_count - (money - $(balances))))
    p99=$(p99_of_log)
  fi
  echo "$experiment $mode $subject $round $(number_after 'tps = ') $(number_after 'latency average = ')" \
    "$(awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v n="$done_count" \
      'BEGIN { printf "%.3f", t * 1e6 / hz / n }') $lost $p99" >>"$results"
}

# What statement_cache has nothing to do with: simple queries, and statements that the client has prepared itself.
is_apart() {
  [[ $2 == *_kept && $1 != extended ]]
}

# compare EXPERIMENT ROUNDS SECONDS CLIENTS MODES SUBJECTS PGBENCH-ARGUMENTS...
# The order of the subjects is turned by one each round, so that none always follows the same neighbour.
compare() {
  local experiment=$1 times=$2 length=$3 clients=$4 round mode i
  local -a modes subjects
  read -r -a modes <<<"$5"
  read -r -a subjects <<<"$6"
  shift 6
  echo "$experiment $times $length $clients" >>"$home/plan"
  for ((round = 0; round < times; round++)); do
    say "$experiment: round $((round + 1)) of $times"
    for mode in "${modes[@]}"; do
      for ((i = 0; i < ${#subjects[@]}; i++)); do
        local subject=${subjects[$(((i + round) % ${#subjects[@]}))]}
        is_apart "$mode" "$subject" ||
          one_run "$experiment" "$mode" "$subject" "$round" "$length" "$clients" "$@"
      done
    done
  done
}

versions() {
  local haproxy=''
  if [[ -n ${port_of[haproxy]:-} ]]; then haproxy=", HAProxy $(haproxy -v | sed -n '1s/.*version \([0-9.]*\).*/\1/p')"; fi
  echo "$("$PGTELLER_BIN" version | head -n 1), PostgreSQL $(sql 'SHOW server_version' | cut -d' ' -f1)," \
    "PgBouncer $(pgbouncer --version | sed -n '1s/PgBouncer //p')$haproxy; $(nproc) cores," \
    "load before the run $load_before; one flush to disk takes $(flush_time)."
}

# What a commit has to wait for here at least.
flush_time() {
  "$bin/pg_test_fsync" -s 1 -f "$PGTELLER_TEST_DATA/fsync_probe" 2>/dev/null |
    awk '/fdatasync/ && /usecs/ { print $(NF - 1) " µs"; found = 1; exit } END { if (!found) print "an unknown time" }'
  rm -f "$PGTELLER_TEST_DATA/fsync_probe"
}

report() {
  versions
  awk -v plan="$home/plan" -f "$here/tables.awk" "$results"
  local page
  for page in "$home/idle.md" "$home/syscalls.md"; do
    if [[ -s $page ]]; then cat "$page"; fi
  done
}

put_between_markers() {
  local tables=$1 page=$2
  grep -q '^<!-- bench: begin' "$page" && grep -q '^<!-- bench: end' "$page" || fail "no markers in $page"
  awk -v tables="$tables" '
    /^<!-- bench: begin/ { print; print ""; while ((getline line < tables) > 0) print line; skip = 1; next }
    /^<!-- bench: end/ { skip = 0; print "" }
    !skip' "$page" >"$home/page.md"
  cat "$home/page.md" >"$page"
}

load_before=$(cut -d' ' -f1 /proc/loadavg)
