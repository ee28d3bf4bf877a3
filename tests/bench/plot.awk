# Throughput of one hot row against the number of clients, as SVG: from the lines that measure.sh wrote, prepared
# statements only. Medians of the rounds.

function median(text,    parts, n, i, j, swap) {
  n = split(text, parts, " ")
  for (i = 2; i <= n; i++) {
    for (j = i; j > 1 && parts[j - 1] + 0 > parts[j] + 0; j--) {
      swap = parts[j]; parts[j] = parts[j - 1]; parts[j - 1] = swap
    }
  }
  return n % 2 ? parts[(n + 1) / 2] + 0 : (parts[n / 2] + parts[n / 2 + 1]) / 2
}

function name(subject) {
  if (subject == "direct") return "PostgreSQL directly"
  if (subject == "pgteller_bare") return "pgteller, no rules"
  if (subject == "pgteller_shared") return "pgteller, group_commit = true"
  return "the same with min = 0"
}

function x_of(clients) { return left + width * (clients == 1 ? 0 : log(clients) / log(most)) }
function y_of(tps) { return top + height - height * tps / highest }

$1 ~ /^hot_/ && $2 == "prepared" {
  clients = substr($1, 5) + 0
  if (!(clients in seen)) { seen[clients] = 1; counts[++points] = clients }
  if (!($3 in known)) { known[$3] = 1; subjects[++lines] = $3 }
  values[$3, clients] = values[$3, clients] " " $5
}

END {
  if (points < 2) exit 1
  left = 70; top = 20; width = 400; height = 260
  for (i = 1; i <= points; i++) {
    if (counts[i] > most) most = counts[i]
    for (l = 1; l <= lines; l++) {
      tps = median(values[subjects[l], counts[i]])
      if (tps > highest) highest = tps
    }
  }
  step = 10 ^ int(log(highest) / log(10))
  if (highest / step < 3) step /= 2
  highest = step * (int(highest / step) + 1)
  split("#777777 #1f77b4 #d62728 #ff9896", colours, " ")
  split("6,4 2,3 none none", dashes, " ")
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 740 340\" font-family=\"sans-serif\" font-size=\"13\">"
  print "<title>UPDATE of one row: transactions a second against clients</title>"
  print "<rect width=\"740\" height=\"340\" fill=\"white\"/>"
  for (tps = 0; tps <= highest; tps += step) {
    printf "<path d=\"M%d %.1fH%d\" stroke=\"#dddddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>\n",
      left, y_of(tps), left + width, left - 8, y_of(tps) + 4, tps
  }
  for (i = 1; i <= points; i++) {
    printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n", x_of(counts[i]), top + height + 20, counts[i]
  }
  printf "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">clients</text>\n", left + width / 2, top + height + 42
  for (l = 1; l <= lines; l++) {
    path = ""
    for (i = 1; i <= points; i++) {
      tps = median(values[subjects[l], counts[i]])
      path = path sprintf("%s%.1f %.1f", i == 1 ? "M" : "L", x_of(counts[i]), y_of(tps))
    }
    dash = dashes[l] == "none" ? "" : " stroke-dasharray=\"" dashes[l] "\""
    printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s/>\n", path, colours[l], dash
    printf "<path d=\"M%d %dh24\" stroke=\"%s\" stroke-width=\"2\"%s/>", left + width + 16, top + 10 + 24 * l, colours[l], dash
    printf "<text x=\"%d\" y=\"%d\">%s</text>\n", left + width + 46, top + 14 + 24 * l, name(subjects[l])
  }
  print "</svg>"
}
