# SPDX-License-Identifier: GPL-2.0
#
# Figures of now against those that are good:
#
#	awk -f smoke.awk figures instructions
#	awk -v update=1 -f smoke.awk /dev/null instructions >figures
#
# A row is worse if winregion's cost has grown by more than a tenth. Exit status
# 1 if one is, or is missing. With -v some=1, rows that were not measured are left
# out.

function median(key,	n)
{
	n = count[key]
	return (sample[key, int((n + 1) / 2)] + sample[key, int(n / 2) + 1]) / 2
}

FNR == NR && /^[^#]/ && !update {
	good[$1] = $2
	order[++rows] = $1
	next
}

$1 == "figure" && $3 == "winregion" {
	key = $2
	if (!(key in count))
		found[++new] = key
	for (i = ++count[key]; i > 1 && sample[key, i - 1] > $5 + 0; i--)
		sample[key, i] = sample[key, i - 1]
	sample[key, i] = $5 + 0
}

function print_all(	i)
{
	for (i = 1; i <= new; i++)
		printf "%s %.0f\n", found[i], median(found[i])
}

function compare(row,	now, bad)
{
	if (row in count) {
		now = median(row)
		bad = now > good[row] * 1.1
		printf "%-6s %-20s %12d %12d %+6.1f %%\n", bad ? "worse" : "ok",
			row, good[row], now, (now / good[row] - 1) * 100
	} else {
		bad = 1
		printf "worse  %-20s %12d %12s\n", row, good[row], "missing"
	}
	return bad
}

END {
	if (update) {
		print_all()
		exit 0
	}
	for (i = 1; i <= rows; i++) {
		if (some && !(order[i] in count))
			continue
		compared++
		worse += compare(order[i])
	}
	printf "%d rows ok, %d worse\n", compared - worse, worse
	exit worse > 0 || !compared
}
