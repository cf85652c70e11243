# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The Test Anything Protocol between the suites and scripts/test. Used on the host and
# in the guest, where several programs become one stream. In bash alone: mawk would
# hold back what comes through a pipe.
#
# A program prints "1..N", "ok N - NAME", "not ok N - NAME", "ok N - NAME # SKIP REASON" and
# "# TEXT"; its exit status is 0 if all points passed or were skipped.
#
# A flat stream is what tap_run prints: test points without numbers that name their
# program, and diagnostics. tap_number makes it TAP again, tap_report makes it readable.

# tap_run NAME TIMEOUT_S COMMAND [ARG...] - run a program that speaks TAP and print
# its output as a flat stream. Adds a failed point where the program timed out, died,
# broke its plan, failed without a failed point, ran nothing, or skipped without a reason.
tap_run() {
	local name=$1 limit=$2
	shift 2
	{
		local status=0
		timeout --kill-after=5 "$limit" "$@" </dev/null 2>&1 || status=$?
		# The program's last line may have no end.
		printf '\n\001exit %s\n' "$status"
	} | tap_flatten "$name" "$limit"
}

# tap_flatten NAME LIMIT - the second half of tap_run
tap_flatten() {
	local name=$1 limit=$2 line result text status=0 points=0 failed=0 plan='' skipped=0
	local skip='#[[:space:]]*[Ss][Kk][Ii][Pp]'
	while IFS= read -r line; do
		if [[ $line =~ ^(not )?ok([[:space:]]+[0-9]+)?([[:space:]]+(-[[:space:]]*)?(.*))?$ ]]; then
			result=${BASH_REMATCH[1]}ok
			text=${BASH_REMATCH[5]}
			((++points))
			if [[ $text =~ ^(.*[^[:space:]])?[[:space:]]*${skip}[[:space:]]*$ ]]; then
				result='not ok'
				text="skipped without a reason: ${BASH_REMATCH[1]}"
			fi
			[[ $result == ok ]] || ((++failed))
			printf '%s - %s: %s\n' "$result" "$name" "$text"
		elif [[ $line =~ ^1\.\.([0-9]+) ]]; then
			plan=${BASH_REMATCH[1]}
			if [[ $plan == 0 && $line =~ ${skip}[[:space:]]+([^[:space:]].*) ]]; then
				skipped=1
				printf 'ok - %s: all # SKIP %s\n' "$name" "${BASH_REMATCH[1]}"
			fi
		elif [[ $line == $'\001exit '* ]]; then
			status=${line##* }
		elif [[ $line == 'Bail out!'* ]]; then
			((++failed))
			printf 'not ok - %s: %s\n' "$name" "$line"
		elif [[ $line == '#'* ]]; then
			printf '%s\n' "$line"
		elif [[ -n $line && $line != 'TAP version '* ]]; then
			printf '# %s\n' "$line"
		fi
	done
	text=
	if ((status == 124 || status == 137)); then
		text="still running after $limit s"
	elif [[ -z $plan ]]; then
		text="ended without a plan, with status $status"
	elif ((points != plan)); then
		text="planned $plan tests, but ran $points"
	elif ((points == 0 && !skipped)); then
		text="ran no test"
	elif ((status && !failed)); then
		text="ended with status $status"
	fi
	[[ -z $text ]] || printf 'not ok - %s: %s\n' "$name" "$text"
}

# tap_number - turn a flat stream on stdin into TAP; status 1 if a point failed
tap_number() {
	local line count=0 failed=0
	while IFS= read -r line; do
		case $line in
		'ok - '*) line="ok $((++count)) ${line#ok }" ;;
		'not ok - '*) ((++failed)); line="not ok $((++count)) ${line#not ok }" ;;
		esac
		printf '%s\n' "$line"
	done
	echo "1..$count"
	((failed == 0))
}

# tap_report SUITE RESULTS - print a flat stream on stdin for people, and append to the
# file RESULTS a line "pass|fail|skip SUITE: NAME" for each point
tap_report() {
	local suite=$1 results=$2 line text word
	while IFS= read -r line; do
		text=${line#not }
		if [[ $text != 'ok - '* ]]; then
			printf '      %s\n' "$line"
			continue
		fi
		text=${text#ok - }
		if [[ $line == not* ]]; then
			word=fail
		elif [[ $text =~ \#[[:space:]]*[Ss][Kk][Ii][Pp][[:space:]] ]]; then
			word=skip
		else
			word=pass
		fi
		printf '%s %s: %s\n' "$word" "$suite" "$text" >>"$results"
		case $word in
		pass) word=ok ;;
		*) word=${word^^} ;;
		esac
		printf '%-4s  %s  %s\n' "$word" "$suite" "$text"
	done
}
