# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests in this folder: a rule is a function that prints a line for each place
# that breaks it, and is one test point. To be sourced; changes to the top of the tree.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

rules_run=0
rules_broken=0

# rule TEXT FUNCTION [ARG...] - one test point: FUNCTION prints nothing
rule() {
	local text=$1 places
	shift
	places=$("$@" 2>&1)
	((++rules_run))
	if [[ -z $places ]]; then
		echo "ok $rules_run - $text"
	else
		((++rules_broken))
		echo "not ok $rules_run - $text"
		echo "# ${places//$'\n'/$'\n'# }"
	fi
}

# rules_end - the plan, and the exit status
rules_end() {
	echo "1..$rules_run"
	((rules_broken == 0))
}

# tree_files [PATTERN...] - print the files of the tree, as git knows them (or would, if
# they were added), that match a shell PATTERN for the whole path; '*' matches '/' too
tree_files() {
	local path pattern
	while IFS= read -r path; do
		[[ -f $path ]] || continue
		for pattern; do
			# shellcheck disable=SC2053 # a pattern it shall be
			if [[ $path == $pattern ]]; then
				echo "$path"
				break
			fi
		done
	done < <(git ls-files --cached --others --exclude-standard 2>/dev/null |
		grep . || find . -name .git -prune -o -type f -printf '%P\n')
}

# files_only_in PATTERN ALLOWED FILE... - print where lines match the extended regular
# expression PATTERN in FILEs whose base name is not one of the words in ALLOWED;
# comments may mention it
files_only_in() {
	local pattern=$1 allowed=" $2 " file
	shift 2
	for file; do
		[[ $allowed == *" ${file##*/} "* ]] || grep -HnE "$pattern" "$file"
	done | grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)'
}
