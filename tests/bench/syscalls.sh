# Counts the system calls of each proxy per transaction, with strace: independent of how busy the machine is.
# Sourced by run, after measure.sh. Its runs are apart from the timed ones, since strace slows a process down.
# shellcheck shell=bash

strace_pid=''
readonly counted=200  # transactions of each client

count_one() {
  local subject=$1 mode=$2 clients=$3
  strace -c -f -o "$home/strace" -p "${pid_of[$subject]}" >/dev/null 2>&1 </dev/null &
  strace_pid=$!
  sleep 1
  pgbench_run "$subject" 120 --client="$clients" --jobs=1 --transactions=$counted --protocol="$mode" -S
  kill -s INT "$strace_pid" 2>/dev/null || true
  wait "$strace_pid" 2>/dev/null || true
  strace_pid=''
  awk -v n=$((counted * clients)) -v what="| $mode | $clients | $subject |" '
    # The column of errors may be empty, so the call is the last field and its count the fourth.
    $4 ~ /^[0-9]+$/ && $NF != "total" && $4 / n >= 0.005 { calls = calls sprintf(" %s %.2f,", $NF, $4 / n); sum += $4 }
    END { sub(/,$/, "", calls); printf "%s %.2f |%s |\n", what, sum / n, calls }' "$home/strace" >>"$home/syscalls.md"
}

count_syscalls() {
  command -v strace >/dev/null || fail 'no strace'
  say 'counting system calls'
  printf '\n### System calls per transaction of `pgbench -S`\n\n' >"$home/syscalls.md"
  printf '| mode | clients | through | all | of these |\n|---|--:|---|--:|---|\n' >>"$home/syscalls.md"
  local mode clients subject
  for mode in simple extended prepared; do
    for clients in 1 16; do
      for subject in pgbouncer pgteller pgteller_bare; do
        count_one "$subject" "$mode" "$clients"
      done
    done
  done
}
