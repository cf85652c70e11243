# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The Test Anything Protocol between the suites and scripts/test. Used on the host and
# in the guest, where several programs become one stream. Needs nothing but awk and
# timeout.
#
# A flat stream is what tap_run prints: test points without numbers that name their
# program, and diagnostics. tap_number makes it TAP again, tap_report makes it readable.

# tap_run NAME TIMEOUT_S COMMAND [ARG...] - run a program that speaks TAP and print
# what it says as a flat stream. What its test points do not tell is added as points of
# its own: that it timed out, died, broke its plan, failed without saying so, ran
# nothing, or skipped without a reason.
tap_run() {
	local name=$1 limit=$2
	shift 2
	{
		local status=0
		timeout --kill-after=5 "$limit" "$@" </dev/null 2>&1 || status=$?
		# The program's last line may have no end.
		printf '\n\001exit %s\n' "$status"
	} | awk -v name="$name" -v limit="$limit" '
		function point(result, text) {
			print result " - " name ": " text
			fflush()
		}
		function failure(text) {
			failed++
			point("not ok", text)
		}
		/^(ok|not ok)([ \t]|$)/ {
			result = /^not/ ? "not ok" : "ok"
			text = $0
			sub(/^(not )?ok[ \t]*[0-9]*[ \t]*(- *)?/, "", text)
			points++
			if (text ~ /# *[Ss][Kk][Ii][Pp][ \t]*$/) {
				sub(/ *# *[Ss][Kk][Ii][Pp][ \t]*$/, "", text)
				failure("skipped without a reason: " text)
			} else {
				failed += result == "not ok"
				point(result, text)
			}
			next
		}
		/^1\.\.[0-9]+/ {
			has_plan = 1
			plan = substr($1, 4) + 0
			if (plan == 0 && match($0, /# *[Ss][Kk][Ii][Pp] +[^ ]/)) {
				all_skipped = 1
				point("ok", "all # SKIP " substr($0, RSTART + RLENGTH - 1))
			}
			next
		}
		/^\001exit / { status = $2; next }
		/^Bail out!/ { failure($0); next }
		/^TAP version/ || /^$/ { next }
		{ print /^#/ ? $0 : "# " $0; fflush() }
		END {
			if (status == 124 || status == 137)
				failure("still running after " limit " s")
			else if (!has_plan)
				failure("ended without a plan, with status " status)
			else if (points != plan)
				failure("planned " plan " tests, but ran " points + 0)
			else if (!points && !all_skipped)
				failure("ran no test")
			if (status && !failed)
				failure("ended with status " status)
		}'
}

# tap_number - turn a flat stream on stdin into TAP; status 1 if a point failed
tap_number() {
	awk '
		/^(ok|not ok) - / {
			n++
			failed += /^not/
			sub(/ok/, "ok " n)
		}
		{ print; fflush() }
		END { print "1.." n + 0; exit failed > 0 }'
}

# tap_report SUITE RESULTS - print a flat stream on stdin for people, and append to the
# file RESULTS a line "pass|fail|skip SUITE NAME" for each point
tap_report() {
	awk -v suite="$1" -v results="$2" '
		function report(word, text) {
			printf "%-4s  %s  %s\n", word, suite, text
			fflush()
		}
		/^(ok|not ok) - / {
			text = $0
			sub(/^(not )?ok - /, "", text)
			skip = match(text, /# *[Ss][Kk][Ii][Pp] /)
			if (/^not/)
				word = "fail"
			else
				word = skip ? "skip" : "pass"
			report(word == "pass" ? "ok" : toupper(word), text)
			print word " " suite ": " text >> results
			fflush(results)
			next
		}
		{ print "      " $0; fflush() }'
}
