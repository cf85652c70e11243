/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the module: kview:kview_judge and kview:kview_revoke. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kview

#if !defined(KVIEW_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KVIEW_TRACE_H

#include <linux/tracepoint.h>

#include "block.h"

#define KVIEW_TRACE_CAUSES					\
	{ KVIEW_CAUSE_DIRECT_MAP,	"direct map" },		\
	{ KVIEW_CAUSE_POISON,		"poison" },		\
	{ KVIEW_CAUSE_BALLOON,		"balloon" },		\
	{ KVIEW_CAUSE_MEMTYPE,		"memory type" },	\
	{ KVIEW_CAUSE_OFFLINE,		"offline" },		\
	{ KVIEW_CAUSE_BACKSTOP,		"backstop" },		\
	{ KVIEW_CAUSE_CONFLICT,		"conflict" }

/* A block is judged; by the thread again, or (cause: none) by a fault. */
TRACE_EVENT(kview_judge,
	TP_PROTO(unsigned long block, u64 sum, int cause),
	TP_ARGS(block, sum, cause),
	TP_STRUCT__entry(
		__field(unsigned long, block)
		__field(u64, sum)
		__field(int, cause)
	),
	TP_fast_assign(
		__entry->block = block;
		__entry->sum = sum;
		__entry->cause = cause;
	),
	TP_printk("block=%#lx sum=%#llx cause=%s", __entry->block, __entry->sum,
		  __entry->cause < 0 ? "fault" :
		  __print_symbolic(__entry->cause, KVIEW_TRACE_CAUSES))
);

/* Blocks are unmapped from every view; a latency of 0: no event tells when they changed. */
TRACE_EVENT(kview_revoke,
	TP_PROTO(int cause, unsigned long block, unsigned long nr, u64 latency_ns),
	TP_ARGS(cause, block, nr, latency_ns),
	TP_STRUCT__entry(
		__field(int, cause)
		__field(unsigned long, block)
		__field(unsigned long, nr)
		__field(u64, latency_ns)
	),
	TP_fast_assign(
		__entry->cause = cause;
		__entry->block = block;
		__entry->nr = nr;
		__entry->latency_ns = latency_ns;
	),
	TP_printk("cause=%s block=%#lx nr=%lu latency_ns=%llu",
		  __print_symbolic(__entry->cause, KVIEW_TRACE_CAUSES), __entry->block,
		  __entry->nr, __entry->latency_ns)
);

#endif /* KVIEW_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
