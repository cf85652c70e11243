# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Finds the lines of a kernel log that report a fault. Used on the host for a guest's
# whole log, and in the guest after each test. Needs only grep.

# Extended regular expressions, any of which makes a line a report.
klog_patterns=(
	'BUG[: ]'
	'WARNING: '
	'Oops[: ]'
	'Call Trace:'
	'general protection fault'
	'unable to handle (kernel|page fault)'
	'(KASAN|KFENCE|KCSAN|UBSAN|KMSAN): '
	'kmemleak: [0-9]+ new'
	# lockdep
	'possible (circular|recursive|irq lock inversion|unsafe)'
	'inconsistent lock state'
	'suspicious RCU usage'
	'bad unlock balance'
	'held lock freed|lock held when returning to user space'
	'DEBUG_LOCKS_WARN_ON'
	# what makes no progress
	'blocked for more than [0-9]+ seconds'
	'soft lockup|hard LOCKUP|hung_task'
	'rcu.*(self-detected stall|detected stalls|detected expedited stalls)'
	# corruption
	'refcount_t: '
	'list_(add|del) corruption'
	'Bad (page|rss-counter)'
	'bad (pgd|p4d|pud|pmd|pte) '
	'scheduling while atomic|sleeping function called from invalid context'
	'(Object|Slab) .*(corrupt|overwritten)'
)

# klog_reports [CONTEXT] - print the reports in the log on stdin, each with CONTEXT
# lines (default 0) before and three times as many after; status 1 if there are none
klog_reports() {
	local context=${1:-0} args=() pattern
	for pattern in "${klog_patterns[@]}"; do
		args+=(-e "$pattern")
	done
	grep -aE -B "$context" -A $((context * 3)) "${args[@]}"
}
