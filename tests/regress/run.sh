#!/usr/bin/env bash
# PostgreSQL's own regression suite, isolation suite and libpq_pipeline test: directly, through pgteller without a rule,
# and through pgteller with rules that observe tables the suites use. Every test has to pass each time, message traces
# included, and everything printed through pgteller has to be what was printed directly. There is no list of exceptions.
# Exit status 1 if anything was not so. It takes about 15 minutes on two busy cores.
#
#   tests/regress/run.sh [--runs='direct plain observe'] [--suites='regression isolation pipeline'] [--keep=FOLDER]
#
#   --keep    where to leave what was printed, expected and found different (default: build/regress/out)
#
# Reads PGTELLER_BIN (default: build/release/pgteller). Needs cc, patch and what tests/regress/unpack.sh downloads.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here top=${here%/tests/regress}
readonly unpacked=$top/build/regress
export PGTELLER_BIN=${PGTELLER_BIN:-$top/build/release/pgteller}

fail() {
  echo "run.sh: $*" >&2
  exit 2
}

read_options() {
  runs='direct plain observe' suites='regression isolation pipeline' keep=$unpacked/out
  local option
  for option in "$@"; do
    case $option in
      --runs=*) runs=${option#*=} ;;
      --suites=*) suites=${option#*=} ;;
      --keep=*) keep=${option#*=} ;;
      *) fail "no option $option; the first lines of this file show them" ;;
    esac
  done
}

# A copy where the server's user may read, run and write: PostgreSQL does not run as root, and this folder may be
# closed to others.
place_work() {
  work=$(mktemp -d /tmp/pgteller-regress.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  cp -a "$unpacked/root/usr" "$work/usr"
  chmod 755 "$work"
  mkdir "$work/out"
  cp -a "$unpacked/source/src/test/regress" "$unpacked/source/src/test/isolation" \
    "$unpacked/source/src/test/modules/libpq_pipeline" "$work/"
}

compile_parts() {
  local postgres=$work/usr/lib/postgresql/15 headers=$work/usr/include/postgresql
  cc -O2 -shared -fPIC -w -I"$headers/15/server" -o "$work/regress/regress.so" "$work/regress/regress.c"
  cp "$postgres/lib/autoinc.so" "$postgres/lib/refint.so" "$work/regress/"  # the test "triggers" looks here
  cc -O2 -w -I"$headers/15/server" -I"$headers" -I"$headers/internal" -o "$work/libpq_pipeline/libpq_pipeline" \
    "$work/libpq_pipeline/libpq_pipeline.c" -L"$work/usr/lib/x86_64-linux-gnu" -L"$postgres/lib" \
    -lpq -lpgcommon -lpgport -lpthread -lm
}

# As PostgreSQL's own "make check" would start it; durability is not what is tested.
write_settings() {
  cat >"$work/settings" <<'SETTINGS'
wal_level = replica
fsync = off
max_prepared_transactions = 2
SETTINGS
}

play() {
  local run=$1 proxy=()
  case $run in
    direct) ;;
    plain) proxy=("$top/tests/proxy.sh" run none --) ;;
    observe) proxy=("$top/tests/proxy.sh" run "$here/observe.toml" --) ;;
    *) fail "no run \"$run\"" ;;
  esac
  mkdir -p "$work/out/$run"
  PGTELLER_TEST_PGBIN=$work/usr/lib/postgresql/15/bin PGTELLER_TEST_SETTINGS=$work/settings \
    "$top/tests/cluster.sh" run -- "${proxy[@]}" "$here/suites.sh" "$work" "$run" "$suites"
}

read_options "$@"
[[ $runs == direct || -x $PGTELLER_BIN ]] || fail "no program $PGTELLER_BIN (./dev build makes it)"
version=$("$here/unpack.sh" "$unpacked")
place_work
compile_parts
write_settings
broken=0
for run in $runs; do play "$run" || broken=1; done
echo "PostgreSQL $version, $("$PGTELLER_BIN" version | head -n 1)"
"$here/compare.sh" "$work/out" "$runs" "$suites" || broken=1
rm -rf "$keep"
mkdir -p "$(dirname "$keep")"
cp -r "$work/out" "$keep"
exit "$broken"
