# SPDX-License-Identifier: GPL-2.0
#
# Make plain reStructuredText of what "kernel-doc -rst" prints: a section for each
# function and structure, instead of the words that only Sphinx knows.

function section(name)
{
	printf "\n%s\n", name
	gsub(/./, "-", name)
	print name "\n"
	inside = 0
}

function escaped(text,	done)
{
	done = ""
	while (match(text, /[A-Za-z0-9]_([^A-Za-z0-9_]|$)/)) {
		done = done substr(text, 1, RSTART) "\\_"
		text = substr(text, RSTART + 2)
	}
	return done text
}

/^\.\. _/ { next }

/^\.\. c:function:: / {
	sub(/^\.\. c:function:: /, "")
	signature = $0
	sub(/ *\(/, "(")
	name = $0
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	section(name "()")
	print "::\n\n  " signature "\n"
	next
}

/^\.\. c:struct:: / {
	section("struct " $3)
	next
}

/^\.\. container:: kernelindent/ {
	inside = 1
	next
}

/^[^ ]/ { inside = 0 }

inside { sub(/^  /, "") }

# The line that says what it is for
!inside && !is_table && !literal { sub(/^ +/, "") }

/^=/ { is_table = 1 }
/^$/ { is_table = 0 }

# What ends with an underscore would be a reference, if it is not to be read as it is.
!literal && !/``/ { $0 = escaped($0) }
/^[^ ]/ { literal = 0 }
/::$/ { literal = 1 }

{ print }
