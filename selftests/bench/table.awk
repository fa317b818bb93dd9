# SPDX-License-Identifier: GPL-2.0
#
# The table for people, from the file "rows" and the figures of both boots:
#
#	awk -f table.awk rows instructions wall [other]...
#
# Exit status 1 if a row is short. With -v some=1, rows that were not measured
# are left out.

function human(x)
{
	if (x == "")
		return "-"
	if (x >= 1e9)
		return sprintf("%.2fG", x / 1e9)
	if (x >= 1e6)
		return sprintf("%.2fM", x / 1e6)
	if (x >= 1e4)
		return sprintf("%.1fk", x / 1e3)
	if (x >= 100 || x == int(x))
		return sprintf("%d", x + 0.5)
	return sprintf("%.2f", x)
}

# Of one operation; so few that they are rounding are none
function per_op(x)
{
	if (x == "")
		return "-"
	return x < 0.005 ? "0" : x == int(x) ? human(x) : sprintf("%.2f", x)
}

function begin_part(name)
{
	part = name
	split("mmap madvise guard", recipe, " ")
	if (part == "questions")
		split("null maps procmap", recipe, " ")
	if (part == "views")
		split("mmap null -", recipe, " ")
	if (part == "watches")
		split("plain uffd sigsegv", recipe, " ")
	if (part == "programs")
		split("mmap mremap -", recipe, " ")
	if (part == "heaps")
		split("glibc jemalloc mimalloc", recipe, " ")
	if (part == "claims")
		split("other - -", recipe, " ")
	recipe[4] = "loop"
	if (part == "scale")
		heading = "\nscale\n"
	else
		heading = sprintf("\n%-39s%9s%9s%9s%9s   ratio target%-6s %15s %12s %12s %20s\n",
			part, "winregion", recipe[1], recipe[2], recipe[3], "",
			"faults", "VMAs", "mmap_lock", "wall")
}

function cheapest(key,	i, best)
{
	for (i = 1; i <= 3; i++)
		if ((key, recipe[i]) in cost)
			if (best == "" ||
			    cost[key, recipe[i]] < cost[key, best])
				best = recipe[i]
	return best
}

function verdict(good)
{
	if (good)
		ok++
	else
		short++
	return good ? "ok" : "short"
}

function pair(what, key, other)
{
	return per_op(what[key, "winregion"]) " / " per_op(what[key, other])
}

function print_ratio(key, target, against, title,	other, ours, ratio, i)
{
	other = against == "best" ? cheapest(key) : against
	ours = cost[key, "winregion"]
	if (ours != "" && cost[key, other] > 0)
		ratio = ours / cost[key, other]
	printf "%-39s%9s", title, human(ours)
	for (i = 1; i <= 3; i++)
		printf "%9s", human(cost[key, recipe[i]])
	printf "%8s%7.2f %-5s %15s %12s %12s %20s\n",
		ratio == "" ? "-" : sprintf(ratio < 0.1 ? "%.3f" : "%.2f", ratio), target,
		verdict(ratio != "" && ratio <= target),
		pair(faults, key, other), pair(vmas, key, other),
		pair(locks, key, other), human(wall[key, "winregion"]) " / " \
			human(wall[key, other]) " ns"
}

# One value and its target; the values of others beside it, if there are any
function print_value(key, kind, target, value, title,	i, beside, good)
{
	if (kind == "least") {
		good = value >= target
		for (i = 1; i <= 4; i++)
			if ((key, recipe[i]) in cost)
				beside = beside sprintf("  %s %.2f", recipe[i],
					cost[key, recipe[i]])
	} else {
		good = value <= target
	}
	printf "%-45s%10s  %s %-6s %-5s%s\n", title,
		value == "" ? "-" : sprintf("%.2f", value),
		kind == "least" ? ">=" : "<=", target,
		verdict(value != "" && good), beside
}

# What the sizes of a row are numbers of
function things_of(row)
{
	if (row == "view-protect")
		return "others"
	if (row ~ /^views/)
		return "views"
	return row ~ /^(regions|places)/ ? "regions" : "runs"
}

function unevenness(row, between,	ends, low, high, i, n, value, parts)
{
	split(between, ends, "-")
	n = split(sizes[row], parts, " ")
	for (i = 1; i <= n; i++) {
		if (parts[i] < ends[1] + 0 || parts[i] > ends[2] + 0)
			continue
		value = cost[row "@" parts[i], "winregion"]
		if (low == "" || value < low)
			low = value
		if (value > high)
			high = value
	}
	return low > 0 ? high / low : ""
}

function print_row(row, kind, target, against, title,	key)
{
	key = row ~ /@/ ? row : row "@" first[row]
	if (some && !((key, "winregion") in cost))
		return
	if (heading != "")
		print heading
	heading = ""
	if (kind == "ratio") {
		print_ratio(key, target, against, title)
	} else if (kind == "flat") {
		split(against, ends, "-")
		title = title ", " ends[1] " to " ends[2] " " \
			things_of(row)
		print_value(key, kind, target, unevenness(row, against), title)
	} else if (kind == "locks") {
		print_value(key, kind, target, locks[key, "winregion"], title)
	} else {
		print_value(key, kind, target, cost[key, "winregion"], title)
	}
}

# ---- what was measured ----

# Adds @x to the figures of several processes. Return: their median
function add_sample(what, key, way, x,	i, n)
{
	n = ++samples[what, key, way]
	for (i = n; i > 1 && sample[what, key, way, i - 1] > x; i--)
		sample[what, key, way, i] = sample[what, key, way, i - 1]
	sample[what, key, way, i] = x
	i = sample[what, key, way, int((n + 1) / 2)]
	return (i + sample[what, key, way, int(n / 2) + 1]) / 2
}

FILENAME == ARGV[1] {
	if (!/^#/ && NF)
		line[++lines] = $0
	next
}

# Of two boots the first one counts; the other gives the time, and what needs
# two processors. Those that follow have rows of their own, which are times.
$1 == "figure" {
	key = $2 "@" $4
	if (FILENAME == ARGV[3] && $2 != "threads") {
		wall[key, $3] = add_sample("wall", key, $3, $5)
		next
	}
	cost[key, $3] = add_sample("cost", key, $3, $5)
	faults[key, $3] = $6
	vmas[key, $3] = $7
	locks[key, $3] = $8
	if (!($2 in first))
		first[$2] = $4
	if (!(key in seen))
		sizes[$2] = sizes[$2] " " $4
	seen[key] = 1
}

$1 == "failed" {
	print
	failed++
}

END {
	for (i = 1; i <= lines; i++) {
		n = split(line[i], field, /[ \t]+/)
		if (n == 1) {
			begin_part(field[1])
			continue
		}
		title = line[i]
		for (j = 1; j <= 4; j++)
			sub(/^[^ \t]+[ \t]+/, "", title)
		print_row(field[1], field[2], field[3], field[4], title)
	}
	printf "\n%d rows ok, %d short\n", ok, short
	exit short + failed > 0
}
