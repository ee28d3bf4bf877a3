#!/usr/bin/env bash
# pgteller in front of the private cluster of tests/cluster.sh, for the time of one command, with the rules of a
# configuration file and ports of its own. The command's exit status is passed on; 1 if pgteller did not end well.
#
#   tests/proxy.sh run CONFIG -- COMMAND...      CONFIG may be "none": without a rule
#
# Reads   PGTELLER_BIN (default: build/release/pgteller), PGTELLER_TEST_HOST and PGTELLER_TEST_PORT
# Exports PGTELLER_PROXY_HOST, PGTELLER_PROXY_PORT, PGTELLER_METRICS_PORT
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly top
home=''
proxy=''  # process id of pgteller
child=''  # process id of the command

fail() {
  echo "proxy.sh: $*" >&2
  exit 1
}

# Everything from the first [[rule]] or [[once]] on that belongs to one: the rest is ours to say.
rules_of() {
  awk '/^[ \t]*\[+[A-Za-z_.]+\]+[ \t]*(#.*)?$/ { keep = /\[\[(rule|once)\]\]/ } keep' "$1"
}

write_config() {
  cat >"$home/pgteller.toml" <<TOML
[listen]
port = $1
shutdown_grace = "5s"

[upstream]
host = "$PGTELLER_TEST_HOST"
port = $PGTELLER_TEST_PORT

[metrics]
port = $2

TOML
  if [[ $3 == none ]]; then return; fi
  rules_of "$3" >>"$home/pgteller.toml"
  grep -q '^\[\[' "$home/pgteller.toml" || fail "no rule in $3"
}

is_ready() {
  local answer=''
  { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  read -r -t 5 answer <&3 || true
  exec 3>&-
  [[ $answer == *' 200 '* ]]
}

start() {
  local port metrics
  port=$("$top/tests/cluster.sh" free-port)
  metrics=$port
  while [[ $metrics == "$port" ]]; do metrics=$("$top/tests/cluster.sh" free-port); done
  write_config "$port" "$metrics" "$1"
  "$binary" serve --config "$home/pgteller.toml" >"$home/log" 2>&1 </dev/null &
  proxy=$!
  for _ in {1..150}; do
    if is_ready "$metrics"; then
      export PGTELLER_PROXY_HOST=127.0.0.1 PGTELLER_PROXY_PORT=$port PGTELLER_METRICS_PORT=$metrics
      return
    fi
    kill -0 "$proxy" 2>/dev/null || break
    sleep 0.1
  done
  cat "$home/log" >&2
  fail 'pgteller is not ready'
}

# SIGTERM, and then it has to end by itself and with exit code 0.
stop() {
  trap '' INT TERM HUP
  local status=$1 ended=0
  if [[ -n $proxy ]]; then
    kill -s TERM "$proxy" 2>/dev/null || true
    for _ in {1..300}; do
      kill -0 "$proxy" 2>/dev/null || break
      sleep 0.1
    done
    if kill -s KILL "$proxy" 2>/dev/null; then echo 'proxy.sh: pgteller did not stop in 30 s' >&2; fi
    wait "$proxy" 2>/dev/null || ended=$?
    if [[ $ended -ne 0 ]]; then
      cat "$home/log" >&2
      echo "proxy.sh: pgteller ended with $ended" >&2
      [[ $status -ne 0 ]] || status=1
    fi
  fi
  rm -rf "$home"
  exit "$status"
}

interrupted() {
  trap '' INT TERM HUP
  if [[ -n $child ]]; then
    kill -s TERM "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  exit "$1"
}

[[ ${1:-} == run && ${3:-} == -- && $# -gt 3 ]] || fail 'usage: tests/proxy.sh run CONFIG -- COMMAND...'
config=$2
shift 3
binary=${PGTELLER_BIN:-$top/build/release/pgteller}
[[ -x $binary ]] || fail "no program $binary (./dev build makes it)"
[[ -n ${PGTELLER_TEST_PORT:-} ]] || fail 'run this under tests/cluster.sh'

home=$(mktemp -d)
trap 'stop $?' EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM HUP
start "$config"
env --default-signal=INT,QUIT "$@" <&0 &
child=$!
status=0
wait "$child" || status=$?
child=''
exit "$status"
