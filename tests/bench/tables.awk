# Medians and ratios of the lines that measure.sh wrote, as Markdown tables. A ratio is the median of the ratios
# within each round, so that what slows a whole round down does not count.

function median(text,    parts, n, i, j, swap) {
  n = split(text, parts, " ")
  if (n == 0) return ""
  for (i = 2; i <= n; i++) {
    for (j = i; j > 1 && parts[j - 1] + 0 > parts[j] + 0; j--) {
      swap = parts[j]; parts[j] = parts[j - 1]; parts[j - 1] = swap
    }
  }
  return n % 2 ? parts[(n + 1) / 2] + 0 : (parts[n / 2] + parts[n / 2 + 1]) / 2
}

function all(values, id,    round, text) {
  for (round = 0; round < rounds[id]; round++) text = text " " values[id, round]
  return text
}

function ratio(values, id, other,    round, text) {
  for (round = 0; round < rounds[id]; round++) {
    if (values[other, round] > 0) text = text " " values[id, round] / values[other, round]
  }
  return text == "" ? "" : sprintf("%.2f", median(text))
}

function cell(format, value) { return value == "" ? "" : sprintf(format, value) }

function title(experiment, clients, times, length_s,    how) {
  how = sprintf("%s client%s, %s round%s of %s s", clients, clients > 1 ? "s" : "", times, times > 1 ? "s" : "", length_s)
  if (experiment == "select") return "### `pgbench -S`, " how
  if (experiment == "latency") return "### Latency of `pgbench -S`, " how
  if (experiment == "guarded") return "### Reading a guarded row in autocommit, text seen before, " how
  if (experiment == "guarded_new_text") return "### The same, every text new (a million literals), " how
  if (experiment ~ /^hot_/) return "### `UPDATE … SET balance = balance - 1` of one row, " how
  return "### Read, compute, write and commit on 8 rows, " how
}

function name(subject) {
  if (subject == "direct") return "directly"
  if (subject == "pgbouncer") return "PgBouncer, session mode"
  if (subject == "haproxy") return "HAProxy, TCP mode"
  if (subject == "pgteller") return "pgteller, 20 rules on other tables"
  if (subject == "pgteller_bare") return "pgteller, no rules"
  if (subject == "floor") return "a bare forwarder, as many threads as cores"
  if (subject == "floor_single") return "a bare forwarder, one thread"
  if (subject == "pgteller_single") return "pgteller, the 20 rules, one thread"
  if (subject == "pgteller_kept") return "pgteller, 20 rules on other tables, `statement_cache = 100`"
  if (subject == "pgteller_guard") return "pgteller, 20 other rules and one on this table"
  if (subject == "pgteller_shared") return "pgteller, `group_commit = true`"
  if (subject == "pgteller_shared_bound") return "pgteller, `group_commit = true` and `min = 0`"
  return "pgteller, the same rule with `min = 0`"
}

BEGIN {
  while ((getline line < plan) > 0) {
    split(line, part, " ")
    heading[part[1]] = title(part[1], part[4], part[2], part[3])
  }
}

{
  id = $1 SUBSEP $2 SUBSEP $3
  if (!((id) in rounds)) { order[++count] = id; first[$1] = first[$1] ? first[$1] : count }
  tps[id, $4] = $5; latency[id, $4] = $6; cpu[id, $4] = $7
  lost[id] += $8; p99[id, $4] = $9
  rounds[id] = $4 + 1
}

END {
  for (i = 1; i <= count; i++) {
    split(order[i], part, SUBSEP)
    experiment = part[1]; mode = part[2]; subject = part[3]; id = order[i]
    if (experiment != before) {
      printf "\n%s\n\n", heading[experiment]
      audit = experiment == "transactions" || experiment ~ /^hot_/
      printf "| mode | through | tps | of direct | of PgBouncer | latency ms | proxy's CPU µs/transaction | of PgBouncer |"
      print audit ? " p99 ms | of direct | updates lost |" : ""
      printf "|---|---|--:|--:|--:|--:|--:|--:|"
      print audit ? "--:|--:|--:|" : ""
    }
    before = experiment
    direct = experiment SUBSEP mode SUBSEP "direct"
    bouncer = experiment SUBSEP mode SUBSEP "pgbouncer"
    printf "| %s | %s | %d | %s | %s | %.3f | %s | %s |", mode, name(subject), median(all(tps, id)),
      ratio(tps, id, direct), ratio(tps, id, bouncer), median(all(latency, id)),
      subject == "direct" ? "" : cell("%.1f", median(all(cpu, id))),
      subject == "direct" ? "" : ratio(cpu, id, bouncer)
    print audit ? sprintf(" %.1f | %s | %d |", median(all(p99, id)), ratio(p99, id, direct), lost[id]) : ""
  }
}
