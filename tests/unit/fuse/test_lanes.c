// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/lanes.h"

#include <linux/fuse.h>

#include "failalloc.h"
#include "node/node.h"
#include "unit.h"

#define RAM KVFS_INO(KVFS_PROVIDER_VMCORE, 7)

static struct kvfs_lanes *lanes;

/* A request with some bytes after the header, by which a parked one is known again. */
struct request {
	struct fuse_in_header in;
	uint64_t tag;
};

static struct request make(uint32_t opcode, uint64_t nodeid, uint64_t tag)
{
	return (struct request){ .in = { .opcode = opcode, .nodeid = nodeid }, .tag = tag };
}

static bool begin(uint32_t opcode, uint64_t nodeid, uint64_t tag, struct kvfs_lanes_ticket *ticket)
{
	struct request request = make(opcode, nodeid, tag);

	return kvfs_lanes_begin(lanes, &request, sizeof(request), ticket);
}

/* Begins a request that must be admitted. */
static struct kvfs_lanes_ticket admit(uint32_t opcode, uint64_t nodeid)
{
	struct kvfs_lanes_ticket ticket;

	ck_assert(begin(opcode, nodeid, 0, &ticket));
	return ticket;
}

static void park(uint32_t opcode, uint64_t nodeid, uint64_t tag)
{
	struct kvfs_lanes_ticket ticket;

	ck_assert(!begin(opcode, nodeid, tag, &ticket));
}

/* Ends a request. Returns the tag of the one that follows, 0 if there is none; its ticket in *next. */
static uint64_t end(const struct kvfs_lanes_ticket *ticket, struct kvfs_lanes_ticket *next)
{
	struct kvfs_lanes_parked *parked = kvfs_lanes_end(lanes, ticket);
	struct request request;

	if (!parked)
		return 0;
	ck_assert_uint_eq(parked->len, sizeof(request));
	memcpy(&request, parked->request, sizeof(request));
	*next = parked->ticket;
	free(parked);
	return request.tag;
}

static void set_up(void)
{
	lanes = kvfs_lanes_create();
	ck_assert_ptr_nonnull(lanes);
}

START_TEST(a_file_that_hangs_leaves_room_for_others)
{
	set_up();
	for (int i = 0; i < KVFS_LANES_MAX_FILE; i++)
		admit(FUSE_READ, RAM);
	for (int i = 0; i < 300; i++)
		park(FUSE_READ, RAM, 1);
	/* Another file of the same source, other requests for this one, other sources. */
	admit(FUSE_READ, RAM + 1);
	admit(FUSE_GETATTR, RAM);
	admit(FUSE_READ, KVFS_INO(KVFS_PROVIDER_KCORE, 7));
	kvfs_lanes_destroy(lanes);
}
END_TEST

START_TEST(a_source_that_hangs_leaves_room_for_others)
{
	set_up();
	for (uint64_t n = 0; n < KVFS_LANES_MAX_ALONE; n++)
		admit(FUSE_READ, RAM + n);
	park(FUSE_READ, RAM + 600, 1);
	park(FUSE_LSEEK, RAM + 600, 1);
	park(FUSE_IOCTL, RAM + 600, 1);
	for (uint64_t n = 0; n < KVFS_LANES_MAX_ALONE; n++)
		admit(FUSE_LOOKUP, RAM + n);
	park(FUSE_LOOKUP, RAM + 600, 1);
	park(FUSE_READDIRPLUS, RAM + 600, 1);
	for (uint64_t provider = 0; provider < 10; provider++) {
		if (provider == KVFS_PROVIDER_VMCORE)
			continue;
		admit(FUSE_READ, KVFS_INO(provider, 1));
		admit(FUSE_LOOKUP, KVFS_INO(provider, 1));
	}
	kvfs_lanes_destroy(lanes);
}
END_TEST

/* Files that hang, with as many readers as each may have, fill the lane. */
START_TEST(files_that_hang_leave_one_place_for_each_other)
{
	const uint64_t files = 1 << KVFS_INO_PID_FILE_BITS;
	uint64_t hung = 0;

	set_up();
	for (; hung < KVFS_LANES_MAX_DATA / KVFS_LANES_MAX_FILE; hung++)
		for (uint64_t i = 0; i < KVFS_LANES_MAX_FILE; i++)
			admit(FUSE_READ, KVFS_INO(KVFS_PROVIDER_PID, (5 + hung) * files));
	for (uint64_t i = 0; i < 100; i++) {
		admit(FUSE_READ, KVFS_INO(KVFS_PROVIDER_PID, (500 + i) * files));
		park(FUSE_READ, KVFS_INO(KVFS_PROVIDER_PID, (500 + i) * files + 1), 1);
	}
	/* So it is for what is no read. */
	for (uint64_t i = 0; i < KVFS_LANES_MAX_OTHER; i++)
		admit(FUSE_LOOKUP, KVFS_INO(KVFS_PROVIDER_PID, (5 + i / KVFS_LANES_MAX_FILE) * files));
	park(FUSE_LOOKUP, KVFS_INO(KVFS_PROVIDER_PID, 5 * files), 1);
	admit(FUSE_LOOKUP, KVFS_INO(KVFS_PROVIDER_PID, 500 * files));
	kvfs_lanes_destroy(lanes);
}
END_TEST

START_TEST(a_process_that_hangs_leaves_room_for_others)
{
	const uint64_t files = 1 << KVFS_INO_PID_FILE_BITS;

	set_up();
	for (uint64_t i = 0; i < KVFS_LANES_MAX_FILE; i++)
		admit(FUSE_READ, KVFS_INO(KVFS_PROVIDER_PID, 5 * files + i % files));
	for (uint64_t i = 0; i < files; i++)
		park(FUSE_READ, KVFS_INO(KVFS_PROVIDER_PID, 5 * files + i), 1);
	admit(FUSE_READ, KVFS_INO(KVFS_PROVIDER_PID, 4 * files + files - 1));
	admit(FUSE_READ, KVFS_INO(KVFS_PROVIDER_PID, 6 * files));
	kvfs_lanes_destroy(lanes);
}
END_TEST

START_TEST(what_must_always_come_through)
{
	static const uint32_t opcodes[] = { FUSE_FORGET, FUSE_BATCH_FORGET, FUSE_INTERRUPT, FUSE_INIT, FUSE_DESTROY };
	struct kvfs_lanes_ticket ticket, next;

	set_up();
	for (int i = 0; i < 1000; i++) {
		for (size_t j = 0; j < sizeof(opcodes) / sizeof(opcodes[0]); j++) {
			struct request request = make(opcodes[j], RAM, 0);

			ck_assert(kvfs_lanes_bypass(&request, sizeof(request)));
			ticket = admit(opcodes[j], RAM);
			ck_assert_uint_eq(end(&ticket, &next), 0);
		}
		/* Too short to be one: libfuse refuses it. */
		ck_assert(kvfs_lanes_begin(lanes, "short", 5, &ticket));
		ck_assert(kvfs_lanes_bypass("short", 5));
	}
	kvfs_lanes_destroy(lanes);
}
END_TEST

START_TEST(parked_requests_follow_in_order)
{
	struct kvfs_lanes_ticket tickets[KVFS_LANES_MAX_DATA], next;
	int n = 0;

	set_up();
	/* Files at their limit fill the lane. */
	for (uint64_t file = 0; file < KVFS_LANES_MAX_DATA / KVFS_LANES_MAX_FILE; file++)
		for (int i = 0; i < KVFS_LANES_MAX_FILE; i++)
			tickets[n++] = admit(FUSE_READ, RAM + file);
	ck_assert_int_eq(n, KVFS_LANES_MAX_DATA);
	park(FUSE_READ, RAM + 1, 11);
	park(FUSE_READ, RAM, 12);
	park(FUSE_READ, RAM, 13);
	park(FUSE_READ, RAM + KVFS_LANES_MAX_DATA / KVFS_LANES_MAX_FILE - 1, 14);
	/* The first file's turn: 11 is beyond the limit of its file. */
	ck_assert_uint_eq(end(&tickets[0], &next), 12);
	/* The last ends, and what comes then is parked after the others. */
	park(FUSE_READ, RAM + KVFS_LANES_MAX_DATA / KVFS_LANES_MAX_FILE - 1, 15);
	ck_assert_uint_eq(end(&tickets[KVFS_LANES_MAX_DATA - 1], &next), 14);
	ck_assert_uint_eq(end(&next, &next), 15);
	ck_assert_uint_eq(end(&next, &next), 0);
	ck_assert_uint_eq(end(&tickets[KVFS_LANES_MAX_FILE], &next), 11);
	ck_assert_uint_eq(end(&tickets[1], &next), 13);
	/* The list is whole: another one can be parked, and found. */
	admit(FUSE_READ, RAM + 20);
	park(FUSE_READ, RAM + 20, 16);
	ck_assert_uint_eq(end(&next, &next), 16);
	kvfs_lanes_destroy(lanes);
}
END_TEST

START_TEST(a_parked_request_is_interrupted)
{
	struct {
		struct fuse_in_header in;
		struct fuse_interrupt_in arg;
	} interrupt = { .in.opcode = FUSE_INTERRUPT, .arg.unique = 700 };
	struct kvfs_lanes_ticket first, next;
	struct request request;

	set_up();
	first = admit(FUSE_READ, RAM);
	for (int i = 1; i < KVFS_LANES_MAX_FILE; i++)
		admit(FUSE_READ, RAM);
	park(FUSE_READ, RAM, 1);
	request = make(FUSE_READ, RAM, 2);
	request.in.unique = 700;
	ck_assert(!kvfs_lanes_begin(lanes, &request, sizeof(request), &next));
	park(FUSE_READ, RAM, 3);
	/* Too short, another request, another number. */
	ck_assert_uint_eq(kvfs_lanes_interrupt(lanes, &interrupt, sizeof(interrupt) - 1), 0);
	ck_assert_uint_eq(kvfs_lanes_interrupt(lanes, &request, sizeof(request)), 0);
	interrupt.arg.unique = 701;
	ck_assert_uint_eq(kvfs_lanes_interrupt(lanes, &interrupt, sizeof(interrupt)), 0);
	interrupt.arg.unique = 700;
	ck_assert_uint_eq(kvfs_lanes_interrupt(lanes, &interrupt, sizeof(interrupt)), 700);
	ck_assert_uint_eq(kvfs_lanes_interrupt(lanes, &interrupt, sizeof(interrupt)), 0);
	ck_assert_uint_eq(end(&first, &next), 1);
	ck_assert_uint_eq(end(&next, &next), 3);
	kvfs_lanes_destroy(lanes);
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_lanes_ticket first, ticket, next;

	failalloc_arm(0);
	ck_assert_ptr_null(kvfs_lanes_create());
	ck_assert(failalloc_happened());
	set_up();
	first = admit(FUSE_READ, RAM);
	for (int i = 1; i < KVFS_LANES_MAX_FILE; i++)
		admit(FUSE_READ, RAM);
	/* It is not lost: it is admitted, and takes no place. */
	failalloc_arm(0);
	ticket = admit(FUSE_READ, RAM);
	ck_assert(failalloc_happened());
	park(FUSE_READ, RAM, 1);
	ck_assert_uint_eq(end(&ticket, &next), 0);
	ck_assert_uint_eq(end(&first, &next), 1);
	kvfs_lanes_destroy(lanes);
	kvfs_lanes_destroy(NULL);
}
END_TEST

UNIT_MAIN("lanes", a_file_that_hangs_leaves_room_for_others, a_source_that_hangs_leaves_room_for_others,
	  files_that_hang_leave_one_place_for_each_other, a_process_that_hangs_leaves_room_for_others,
	  what_must_always_come_through,
	  parked_requests_follow_in_order, a_parked_request_is_interrupted, out_of_memory)
