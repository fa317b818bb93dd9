# SPDX-License-Identifier: GPL-2.0
#
# For doc/benchmark.md, one table from those of all kernels: ratios or values, in
# brackets what is short
#
#	awk -f summary.awk 6.1.txt 6.12.txt ...

FNR == 1 {
	kernel[++kernels] = FILENAME
	sub(/.*\//, "", kernel[kernels])
	sub(/\.txt$/, "", kernel[kernels])
}

match($0, /[0-9.-]+ +([<>]= )?[0-9.]+ +(ok|short)/) {
	n = split(substr($0, RSTART, RLENGTH), word, " ")
	title = substr($0, 1, 39)
	if (word[2] ~ /=/)
		title = substr($0, 1, 45)
	sub(/ +$/, "", title)
	if (!(title in target))
		order[++rows] = title
	target[title] = word[2] ~ />/ ? ">= " word[3] : word[n - 1]
	value[title, kernels] = word[n] == "ok" ? word[1] : "(" word[1] ")"
}

END {
	printf "| row | target |"
	for (k = 1; k <= kernels; k++)
		printf " %s |", kernel[k]
	printf "\n|---|---|"
	for (k = 1; k <= kernels; k++)
		printf "---|"
	printf "\n"
	for (i = 1; i <= rows; i++) {
		printf "| %s | %s |", order[i], target[order[i]]
		for (k = 1; k <= kernels; k++)
			printf " %s |", value[order[i], k]
		printf "\n"
	}
}
