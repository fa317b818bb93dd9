# SPDX-License-Identifier: GPL-2.0
#
# The rules as a table, each with the programs whose tests name it:
#
#	awk -f rules.awk TEST.c... RULES

function escaped(text)
{
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	return text
}

function end_table()
{
	if (open)
		print "</table>"
	open = 0
}

FILENAME != ARGV[ARGC - 1] && /[\/ ]\*.*Rules:/ {
	text = $0
	sub(/.*Rules:/, "", text)
	sub(/\..*/, "", text)
	program = FILENAME
	sub(/.*\//, "", program)
	sub(/\.c$/, "", program)
	while (match(text, /[A-Z]+-[0-9]+/)) {
		id = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		if (!((id, program) in seen))
			programs[id] = programs[id] " " program
		seen[id, program] = 1
	}
	next
}

FILENAME != ARGV[ARGC - 1] { next }

FNR == 1 {
	print "<h1>Rules</h1>"
	print "<p>What Windows' memory model asks for, and the test programs in"
	print "<code>selftests/</code> that prove it. A number is what"
	print "<code>GetLastError()</code> returns.</p>"
	started = 0
}

/^# [A-Z]+: / {
	end_table()
	printf "<h2 id=\"%s\">%s</h2>\n", substr($2, 1, length($2) - 1), \
		escaped(substr($0, 3))
	next
}

/^#/ || !NF { next }

{
	split($0, field, "\t")
	if (!open)
		print "<table>"
	open = 1
	printf "<tr id=\"%s\"><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", \
		field[1], field[1], field[3] == "-" ? "" : field[3], \
		escaped(field[4]), \
		field[2] == "now" ? programs[field[1]] : "not proved: " field[2]
}

END { end_table() }
