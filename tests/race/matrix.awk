# The lines of race --cells as one table, each as soon as it comes. headless=1: without the heading.

BEGIN {
  FS = "\t"
  format = "%-28s %-28s %-8s %12s %6s %6s %6s %7s %7s %6s %8s %8s %8s %8s %9s  %s\n"
  if (!headless) {
    printf format, "guarded by", "scenario", "style", "money lost", "over", "done", "ledger", "40001", "40P01", "40P01",
      "attempts", "given", "units/s", "p50 ms", "p99 ms", ""
    printf format, "", "", "", "", "drawn", "twice", "wrong", "", "", "%", "", "up", "", "", "", ""
  }
}

{
  share = ""
  if ($10 > 0) share = sprintf("%.1f", 100 * $9 / $10)
  printf format, $1, $2, $3, $4, $5, $6, $7, $8, $9, share, $10, $11, $12, $13, $14, $15
  fflush()
}
