# SPDX-License-Identifier: GPL-2.0
#
# A plot as SVG: cost against size, both on scales of powers of ten
#
#	awk -v title=... -v x=... -v lines="ROW/WAY ..." -f plot.awk instructions
#
# A line of the plot is a row of a series, by one way.

BEGIN {
	width = 760
	height = 440
	left = 70
	right = 190
	top = 40
	bottom = 50
	split("#1b6ca8 #d1495b #2e933c #8a5a9e #e08e1d #555555", colour, " ")
	n = split(lines, line, " ")
	for (i = 1; i <= n; i++)
		number[line[i]] = i
}

function log10(v)
{
	return log(v) / log(10)
}

function at_x(v)
{
	return left + (log10(v) - x0) / (x1 - x0) * (width - left - right)
}

function at_y(v)
{
	v = (log10(v) - y0) / (y1 - y0)
	return height - bottom - v * (height - top - bottom)
}

function text(px, py, anchor, s)
{
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
		px, py, anchor, s
}

function name_of(v)
{
	return v >= 1e9 ? v / 1e9 "G" : v >= 1e6 ? v / 1e6 "M" : \
		v >= 1e3 ? v / 1e3 "k" : v
}

function straight(xa, ya, xb, yb)
{
	printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" " \
		"stroke=\"#ddd\"/>\n", xa, ya, xb, yb
}

function grid(	e, v)
{
	for (e = x0; e <= x1; e++) {
		v = 10 ^ e
		straight(at_x(v), top, at_x(v), height - bottom)
		text(at_x(v), height - bottom + 18, "middle", name_of(v))
	}
	for (e = y0; e <= y1; e++) {
		v = 10 ^ e
		straight(left, at_y(v), width - right, at_y(v))
		text(left - 8, at_y(v) + 4, "end", name_of(v))
	}
}

function draw(i,	j)
{
	printf "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s " \
		"points=\"", colour[(i - 1) % 6 + 1],
		line[i] ~ /winregion/ ? "" : " stroke-dasharray=\"5 4\""
	for (j = 1; j <= points[i]; j++)
		printf "%.1f,%.1f ", at_x(px[i, j]), at_y(py[i, j])
	printf "\"/>\n"
	j = points[i]
	printf "<g fill=\"%s\">", colour[(i - 1) % 6 + 1]
	text(width - right + 10, top + 18 * i, "start", line[i])
	print "</g>"
}

$1 == "figure" && ($2 "/" $3) in number && $5 > 0 {
	i = number[$2 "/" $3]
	j = ++points[i]
	px[i, j] = $4
	py[i, j] = $5
	if (xmin == "" || $4 + 0 < xmin)
		xmin = $4 + 0
	if ($4 + 0 > xmax)
		xmax = $4 + 0
	if (ymin == "" || $5 + 0 < ymin)
		ymin = $5 + 0
	if ($5 + 0 > ymax)
		ymax = $5 + 0
}

function floor(v)
{
	return int(v) > v ? int(v) - 1 : int(v)
}

function ceiling(v)
{
	return -floor(-v)
}

END {
	if (xmin == "" || xmin == xmax)
		exit
	x0 = floor(log10(xmin) + 1e-9)
	x1 = ceiling(log10(xmax) - 1e-9)
	y0 = floor(log10(ymin))
	y1 = ceiling(log10(ymax))
	printf "<svg xmlns=\"http:/" "/www.w3.org/2000/svg\" width=\"%d\" " \
		"height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n",
		width, height
	print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
	grid()
	for (i = 1; i <= n; i++)
		if (points[i])
			draw(i)
	text(left, 22, "start", title)
	text((left + width - right) / 2, height - 12, "middle", x)
	print "</svg>"
}
