# SPDX-License-Identifier: GPL-2.0
#
# All figures of a kernel for machines, from what its two boots printed:
#
#	awk -v kernel=RELEASE -f json.awk instructions wall
#
# A figure for each process that measured; cost in instructions or nanoseconds.

$1 == "figure" {
	clock = FILENAME == ARGV[1] ? "instructions" : "wall"
	printf "%s    {\"row\": \"%s\", \"size\": %s, \"way\": \"%s\", " \
		"\"clock\": \"%s\", \"cost\": %s, \"faults\": %s, " \
		"\"vmas\": %s, \"mmap_lock\": %s, \"least\": %s, " \
		"\"most\": %s}", sep, $2, $4, $3, clock, $5, $6, $7, $8, $9,
		$10
	sep = ",\n"
}

BEGIN {
	printf "{\n  \"kernel\": \"%s\",\n  \"figures\": [\n", kernel
}

END {
	print "\n  ]\n}"
}
