# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# A private apt in the cache: it sees the suites that the host may not have,
# on the mirror that the host's own sources name, and leaves the host's apt
# alone. Needs lib.sh.

apt_dir=$cache/apt

# One line "URI|release|file:entry" for each source of the host's apt that
# carries "main". With "Debian" as $1 only those whose downloaded release file
# says so; with "any" all of them.
host_sources()
{
	local format="\$(REPO_URI)|\$(RELEASE)|\$(SOURCESENTRY)"

	if [ "$1" = any ]; then
		apt-get indextargets --no-release-info --format "$format" \
			'Created-By: Packages' 'Component: main'
	else
		apt-get indextargets --format "$format" 'Created-By: Packages' \
			'Component: main' "Origin: $1"
	fi 2>/dev/null | sort -u
}

# The host's source that serves the archive itself ($1 = main) or its security
# updates ($1 = security). What apt has verified counts before a guess by name.
pick_source()
{
	local suite security='-security|updates'

	suite=$(host_suite)
	{
		host_sources Debian
		host_sources any | grep '/debian' || true
		host_sources any
	} | awk -F'|' -v kind="$1" -v suite="$suite" -v security="$security" '
		kind == "security" && $2 ~ security && $2 !~ /-updates$/ {
			print; exit
		}
		kind == "main" && ($2 == suite || $2 ~ /^(old)*stable$/) {
			print; exit
		}'
}

# The Signed-By value that the host's source file $1 gives to the mirror $2.
# It may be a block of several lines.
signed_by()
{
	case $1 in
	*.sources)
		awk -v RS= -v uri="${2%/}" '
			index($0, uri) {
				n = split($0, line, "\n")
				for (i = 1; i <= n; i++) {
					on = line[i] ~ /^[Ss]igned-[Bb]y:/ ||
					     (on && line[i] ~ /^[ \t]/)
					if (on)
						print line[i]
				}
				exit
			}' "$1" | sed '1s/^[^:]*:[ \t]*//'
		;;
	*)
		sed -n "\\|^[[:space:]]*deb.*${2%/}|s/.*signed-by=\\([^] ]*\\).*/\\1/p" \
			"$1" | head -n 1
		;;
	esac
}

# One stanza of a private source: type, kind of source, suites.
stanza()
{
	local uri entry key all=/usr/share/keyrings/debian-archive-keyring.gpg

	IFS='|' read -r uri _ entry < <(pick_source "$2") ||
		die "this host's apt sources name no Debian $2 archive"
	key=$(signed_by "${entry%:*}" "$uri")
	# A key of one release does not verify the others.
	case $key in
	'' | */debian-archive-*)
		[ ! -e "$all" ] || key=$all
		;;
	esac
	printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\n' \
		"$1" "$uri" "$3"
	[ -z "$key" ] || printf 'Signed-By: %s\n' "$key"
	printf '\n'
}

# Every suite that kernels.list and the tools need, one a line.
all_suites()
{
	{
		host_suite
		kernels | awk '{ gsub(",", "\n", $2); print $2; print $3 }'
	} | sort -u
}

# Those whose kernels the module is built for, though not tested: also repairs of
# the releases, and what comes after them
series_suites()
{
	{
		all_suites
		all_suites | sed -n '/-/!s/$/-security/p'
		printf '%s\n' experimental sid
	} | sort -u
}

# Write the configuration of the private apt named $1 from scratch: binary, source or
# series, or binary-ARCH, which knows packages for that machine, too.
apt_write()
{
	local dir=$apt_dir/$1 suites foreign=

	[ "$1" = "${1#binary-}" ] || foreign=${1#binary-}

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" \
		"$dir/sources" "$dir/none"
	: >"$dir/status"
	# The host's proxies and the like, but none of its hooks.
	{
		apt-config dump | grep '^Acquire::' | grep -v IndexTargets
		cat <<-EOF
		#clear Acquire::Languages;
		Acquire::Languages "none";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; ${foreign:+"\"$foreign\"; "}};
		APT::Sandbox::User "$(id -un)";
		Dir::State "$dir";
		Dir::State::Lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::Main "/dev/null";
		Dir::Etc::Parts "$dir/none";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "$dir/none";
		Dir::Etc::SourceList "/dev/null";
		Dir::Etc::SourceParts "$dir/sources";
		EOF
	} >"$dir/apt.conf"

	if [ "$1" = source ]; then
		stanza deb-src main "$(host_suite)"
	else
		suites=$(all_suites)
		[ "$1" != series ] || suites=$(series_suites)
		stanza deb main "$(grep -v -- '-security$' <<<"$suites" | xargs)"
		if ! grep -q -- '-security$' <<<"$suites"; then
			:
		elif [ -n "$(pick_source security)" ]; then
			stanza deb security \
				"$(grep -- '-security$' <<<"$suites" | xargs)"
		else
			say "apt's sources here have no security archive; doing without"
		fi
	fi >"$dir/sources/private.sources"
}

# Which of them serves packages: binary, binary-ARCH, or series
apt_name=binary

# Run an apt program under the private configuration $1.
private()
{
	local which=$1

	shift
	APT_CONFIG=$apt_dir/$which/apt.conf "$@"
}

# Make the private apt $1 know today's packages. Lists of this run or of the
# last hour are good enough.
apt_ready()
{
	local stamp=$apt_dir/$1/updated

	[ -z "$(find "$stamp" -mmin -60 2>/dev/null)" ] || return 0
	say "reading the package lists"
	apt_write "$1"
	private "$1" apt-get -q=2 update </dev/null >&2 ||
		die "apt-get update failed in $apt_dir/$1"
	touch "$stamp"
}

# The stanzas of all packages of suite $1 as the archive lists them, for all machines
# that are asked about.
packages_of()
{
	local list

	private "$apt_name" apt-get indextargets --format "\$(FILENAME)" \
		'Created-By: Packages' "Release: $1" |
	while IFS= read -r list; do
		/usr/lib/apt/apt-helper cat-file "$list"
	done
}

# Download binary packages, each "name=version" or "name/suite", into $1.
download()
{
	local dir=$1

	shift
	mkdir -p "$dir"
	say "downloading $*"
	(cd "$dir" && private "$apt_name" apt-get -q=2 download "$@" </dev/null >&2) ||
		die "download of $* failed"
}

# The names of packages of suite $1, and of all that they need on a system that has
# nothing.
with_what_they_need()
{
	local suite=$1

	shift
	private "$apt_name" apt-get -q=2 -s -o APT::Install-Recommends=false \
		-o "APT::Default-Release=$suite" install "${@/%//$suite}" </dev/null |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}
