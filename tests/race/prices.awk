# The lines of race --cells, several rounds of them, as a Markdown table of medians. A ratio is the median of the ratios
# within each round, so that what slows a whole round down does not count.

function median(text,    parts, n, i, j, swap) {
  n = split(text, parts, " ")
  if (n == 0) return 0
  for (i = 2; i <= n; i++) {
    for (j = i; j > 1 && parts[j - 1] + 0 > parts[j] + 0; j--) {
      swap = parts[j]; parts[j] = parts[j - 1]; parts[j - 1] = swap
    }
  }
  return n % 2 ? parts[(n + 1) / 2] + 0 : (parts[n / 2] + parts[n / 2 + 1]) / 2
}

BEGIN { FS = "\t" }

!($1 in rounds) { order[++count] = $1 }

{
  round = ++rounds[$1]
  if ($1 ~ /FOR UPDATE/) careful[round] = $12
  lost[$1] += $4
  conflicts[$1] = conflicts[$1] " " ($10 > 0 ? 100 * $8 / $10 : 0)
  given_up[$1] = given_up[$1] " " ($10 > 0 ? 100 * $11 / $10 : 0)
  speed[$1] = speed[$1] " " $12
  if (careful[round] > 0) ratio[$1] = ratio[$1] " " $12 / careful[round]
  half[$1] = half[$1] " " $13
  tail[$1] = tail[$1] " " $14
}

END {
  print "| | units/s | of FOR UPDATE | p50 ms | p99 ms | 40001 | given up | money lost |"
  print "|---|--:|--:|--:|--:|--:|--:|--:|"
  for (i = 1; i <= count; i++) {
    id = order[i]
    printf "| %s | %d | %s | %.1f | %.1f | %.1f %% | %.1f %% | %.2f |\n", id, median(speed[id]),
      ratio[id] == "" ? "" : sprintf("%.2f", median(ratio[id])), median(half[id]), median(tail[id]),
      median(conflicts[id]), median(given_up[id]), lost[id]
  }
}
