// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring is three arrays: descriptors, each with the state of a record and the place of its text;
 * infos, with time stamp, length and caller, at the same index; and the text. A record has a number
 * (id) that only grows; its index is the number modulo the size of the ring.
 *
 * The machine stopped in the middle of its work, and the dump may be a forgery, so each number is
 * checked: no read is larger than MAX_BATCH records or one text, and all texts together are no longer
 * than their ring.
 */
#include "vmcore/printk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Records that are read at a time. */
#define MAX_BATCH 64
/* Bytes; larger than the ring's head, and than a descriptor or an info, can be. */
#define MAX_STRUCT_LEN 4096
#define MAX_RECORD_LEN 256
/* log_buf_len= goes to 2 GiB, and a record takes at least 32 bytes of it (PRB_AVGBITS). */
#define MAX_COUNT_BITS 26
#define MAX_TEXT_BITS 31

/* The upper two bits of a descriptor's state variable; the others are its record's number. */
enum state {
	STATE_COMMITTED = 1,
	STATE_FINALIZED = 2,
};

/* Sizes and offsets, in bytes. */
struct layout {
	uint64_t word_len;	/* of an unsigned long: 4 or 8 */
	uint64_t rb_len, rb_desc_ring, rb_text_ring;
	uint64_t desc_ring_count_bits, desc_ring_descs, desc_ring_infos;
	uint64_t desc_ring_head_id, desc_ring_tail_id;
	uint64_t desc_len, desc_state, desc_begin, desc_next;
	uint64_t info_len, info_ts, info_text_len, info_caller;
	bool has_caller;
	uint64_t text_ring_size_bits, text_ring_data;
};

struct ring {
	struct layout l;
	kvfs_printk_read_fn read;
	void *arg;
	FILE *out;
	uint64_t count;		/* of records, a power of two */
	uint64_t descs, infos;	/* virtual addresses */
	uint64_t head_id, tail_id;
	uint64_t text;		/* virtual address */
	uint64_t text_len;	/* bytes, a power of two */
	uint64_t text_left;	/* bytes of text that can still be in the ring */
	char *text_buf;		/* room for the longest text, 64 KiB */
	unsigned char descs_buf[MAX_BATCH * MAX_RECORD_LEN];
	unsigned char infos_buf[MAX_BATCH * MAX_RECORD_LEN];
};

static int get_dec(const struct kvfs_vmcoreinfo *info, const char *key, uint64_t max, uint64_t *out,
		   struct kvfs_err *err)
{
	int ret = kvfs_vmcoreinfo_dec(info, key, out);

	if (ret == -ENOENT)
		return kvfs_err_set(err, EOPNOTSUPP, "VMCOREINFO has no %s: the log has the format of a kernel before Linux 5.10", key);
	if (ret < 0 || *out > max)
		return kvfs_err_set(err, EBADMSG, "VMCOREINFO: %s is out of range", key);
	return 0;
}

static int load_layout(const struct kvfs_vmcoreinfo *info, struct layout *l, struct kvfs_err *err)
{
	uint64_t counter, lpos, begin, next;
	const struct {
		const char *key;
		uint64_t *out;
		uint64_t max;
	} wanted[] = {
		{ "SIZE(printk_ringbuffer)", &l->rb_len, MAX_STRUCT_LEN },
		{ "OFFSET(printk_ringbuffer.desc_ring)", &l->rb_desc_ring, MAX_STRUCT_LEN },
		{ "OFFSET(printk_ringbuffer.text_data_ring)", &l->rb_text_ring, MAX_STRUCT_LEN },
		{ "OFFSET(prb_desc_ring.count_bits)", &l->desc_ring_count_bits, MAX_STRUCT_LEN },
		{ "OFFSET(prb_desc_ring.descs)", &l->desc_ring_descs, MAX_STRUCT_LEN },
		{ "OFFSET(prb_desc_ring.infos)", &l->desc_ring_infos, MAX_STRUCT_LEN },
		{ "OFFSET(prb_desc_ring.head_id)", &l->desc_ring_head_id, MAX_STRUCT_LEN },
		{ "OFFSET(prb_desc_ring.tail_id)", &l->desc_ring_tail_id, MAX_STRUCT_LEN },
		{ "SIZE(prb_desc)", &l->desc_len, MAX_RECORD_LEN },
		{ "OFFSET(prb_desc.state_var)", &l->desc_state, MAX_RECORD_LEN },
		{ "OFFSET(prb_desc.text_blk_lpos)", &lpos, MAX_RECORD_LEN },
		{ "OFFSET(prb_data_blk_lpos.begin)", &begin, MAX_RECORD_LEN },
		{ "OFFSET(prb_data_blk_lpos.next)", &next, MAX_RECORD_LEN },
		{ "SIZE(printk_info)", &l->info_len, MAX_RECORD_LEN },
		{ "OFFSET(printk_info.ts_nsec)", &l->info_ts, MAX_RECORD_LEN },
		{ "OFFSET(printk_info.text_len)", &l->info_text_len, MAX_RECORD_LEN },
		{ "OFFSET(prb_data_ring.size_bits)", &l->text_ring_size_bits, MAX_STRUCT_LEN },
		{ "OFFSET(prb_data_ring.data)", &l->text_ring_data, MAX_STRUCT_LEN },
		{ "SIZE(atomic_long_t)", &l->word_len, 8 },
		{ "OFFSET(atomic_long_t.counter)", &counter, 8 },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		int ret = get_dec(info, wanted[i].key, wanted[i].max, wanted[i].out, err);

		if (ret < 0)
			return ret;
	}
	l->has_caller = kvfs_vmcoreinfo_dec(info, "OFFSET(printk_info.caller_id)", &l->info_caller) == 0;
	l->desc_begin = lpos + begin;
	l->desc_next = lpos + next;
	l->desc_state += counter;
	l->desc_ring_head_id += counter;
	l->desc_ring_tail_id += counter;
	return 0;
}

/* Whether [off, off + len) lies inside a structure of size bytes. */
static bool inside(uint64_t off, uint64_t len, uint64_t size)
{
	return size >= len && off <= size - len;
}

static int check_layout(const struct layout *l, struct kvfs_err *err)
{
	uint64_t word = l->word_len;
	bool good = word == 4 || word == 8;

	good = good && inside(l->rb_desc_ring + l->desc_ring_count_bits, 4, l->rb_len) &&
	       inside(l->rb_desc_ring + l->desc_ring_descs, word, l->rb_len) &&
	       inside(l->rb_desc_ring + l->desc_ring_infos, word, l->rb_len) &&
	       inside(l->rb_desc_ring + l->desc_ring_head_id, word, l->rb_len) &&
	       inside(l->rb_desc_ring + l->desc_ring_tail_id, word, l->rb_len) &&
	       inside(l->rb_text_ring + l->text_ring_size_bits, 4, l->rb_len) &&
	       inside(l->rb_text_ring + l->text_ring_data, word, l->rb_len) &&
	       inside(l->desc_state, word, l->desc_len) &&
	       inside(l->desc_begin, word, l->desc_len) &&
	       inside(l->desc_next, word, l->desc_len) &&
	       inside(l->info_ts, 8, l->info_len) &&
	       inside(l->info_text_len, 2, l->info_len) &&
	       (!l->has_caller || inside(l->info_caller, 4, l->info_len));
	return good ? 0 : kvfs_err_set(err, EBADMSG, "VMCOREINFO: the printk structures do not fit into each other");
}

static uint64_t get_word(const struct layout *l, const unsigned char *at)
{
	uint64_t v64;
	uint32_t v32;

	if (l->word_len == 8) {
		memcpy(&v64, at, sizeof(v64));
		return v64;
	}
	memcpy(&v32, at, sizeof(v32));
	return v32;
}

static uint32_t get_u32(const unsigned char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static unsigned int state_shift(const struct layout *l)
{
	return (unsigned int)l->word_len * 8 - 2;
}

static uint64_t id_mask(const struct layout *l)
{
	return (1ULL << state_shift(l)) - 1;
}

/* Follows the symbol prb to the ring and reads its head. */
static int load_ring(struct ring *r, const struct kvfs_vmcoreinfo *info, struct kvfs_err *err)
{
	unsigned char head[MAX_STRUCT_LEN];
	const struct layout *l = &r->l;
	const unsigned char *desc_ring = head + l->rb_desc_ring;
	const unsigned char *text_ring = head + l->rb_text_ring;
	unsigned char pointer[8];
	uint32_t count_bits, text_bits;
	uint64_t prb;
	int ret;

	ret = kvfs_vmcoreinfo_hex(info, "SYMBOL(prb)", &prb);
	if (ret < 0)
		return kvfs_err_set(err, EOPNOTSUPP, "VMCOREINFO has no SYMBOL(prb), the printk ring buffer");
	ret = r->read(r->arg, pointer, l->word_len, prb);
	if (ret == 0)
		ret = r->read(r->arg, head, l->rb_len, get_word(l, pointer));
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read the printk ring buffer's head");
	count_bits = get_u32(desc_ring + l->desc_ring_count_bits);
	text_bits = get_u32(text_ring + l->text_ring_size_bits);
	if (count_bits > MAX_COUNT_BITS || text_bits > MAX_TEXT_BITS)
		return kvfs_err_set(err, EBADMSG, "the printk ring buffer would have 2^%" PRIu32
				    " records and 2^%" PRIu32 " bytes of text", count_bits, text_bits);
	r->count = 1ULL << count_bits;
	r->descs = get_word(l, desc_ring + l->desc_ring_descs);
	r->infos = get_word(l, desc_ring + l->desc_ring_infos);
	r->head_id = get_word(l, desc_ring + l->desc_ring_head_id) & id_mask(l);
	r->tail_id = get_word(l, desc_ring + l->desc_ring_tail_id) & id_mask(l);
	r->text = get_word(l, text_ring + l->text_ring_data);
	r->text_len = r->text_left = 1ULL << text_bits;
	return 0;
}

/* "[    1.234567] ", and the caller as "[      T1] ". Returns its length. */
static int format_prefix(const struct layout *l, const unsigned char *info, char *buf, size_t len)
{
	char caller[16];
	uint64_t ts;
	int n;

	memcpy(&ts, info + l->info_ts, sizeof(ts));
	n = snprintf(buf, len, "[%5" PRIu64 ".%06" PRIu64 "] ", ts / 1000000000, ts % 1000000000 / 1000);
	if (l->has_caller) {
		uint32_t id = get_u32(info + l->info_caller);

		snprintf(caller, sizeof(caller), "%c%" PRIu32, id & 0x80000000 ? 'C' : 'T',
			 id & 0x7fffffff);
		n += snprintf(buf + n, len - (size_t)n, "[%8s] ", caller);
	}
	return n;
}

static bool is_shown(unsigned char c)
{
	return (c >= ' ' && c <= '~') || (c >= '\t' && c <= '\r');
}

static void write_text(const struct ring *r, const unsigned char *info, size_t len)
{
	char prefix[64];
	int indent = format_prefix(&r->l, info, prefix, sizeof(prefix));

	fwrite(prefix, 1, (size_t)indent, r->out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)r->text_buf[i];

		if (c == '\n')
			fprintf(r->out, "\n%*s", indent, "");
		else if (is_shown(c))
			fputc(c, r->out);
		else
			fprintf(r->out, "\\x%02x", c);
	}
	fputc('\n', r->out);
}

/* Writes one record, if it has a text and no CPU was writing it. */
static int decode_record(struct ring *r, uint64_t id, const unsigned char *desc,
			 const unsigned char *info, struct kvfs_err *err)
{
	const struct layout *l = &r->l;
	uint64_t state_var = get_word(l, desc + l->desc_state);
	uint64_t state = state_var >> state_shift(l);
	uint64_t begin = get_word(l, desc + l->desc_begin) % r->text_len;
	uint64_t next = get_word(l, desc + l->desc_next) % r->text_len;
	uint16_t text_len;
	int ret;

	if ((state_var & id_mask(l)) != id ||
	    (state != STATE_COMMITTED && state != STATE_FINALIZED))
		return 0;
	if (begin == next)	/* a record without text (BLK_DATALESS) */
		return 0;
	if (next == 0)		/* exactly at the end, since Linux 7.3 */
		next = r->text_len;
	if (begin > next)	/* a text that does not fit before the end begins at the start */
		begin = 0;
	if (next - begin < l->word_len)	/* no room for its id: torn; others may be good */
		return 0;
	begin += l->word_len;
	memcpy(&text_len, info + l->info_text_len, sizeof(text_len));
	if (text_len > next - begin)
		text_len = (uint16_t)(next - begin);
	if (text_len > r->text_left)
		return kvfs_err_set(err, EBADMSG, "the printk records have more text than their buffer");
	r->text_left -= text_len;
	ret = r->read(r->arg, r->text_buf, text_len, r->text + begin);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read the text of printk record %" PRIu64, id);
	write_text(r, info, text_len);
	return 0;
}

/* Reads n records from id on; they do not cross the end of the ring. */
static int decode_batch(struct ring *r, uint64_t id, size_t n, struct kvfs_err *err)
{
	uint64_t index = id & (r->count - 1);
	int ret;

	ret = r->read(r->arg, r->descs_buf, n * r->l.desc_len, r->descs + index * r->l.desc_len);
	if (ret == 0)
		ret = r->read(r->arg, r->infos_buf, n * r->l.info_len,
			      r->infos + index * r->l.info_len);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read printk record %" PRIu64, id);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = decode_record(r, (id + i) & id_mask(&r->l), r->descs_buf + i * r->l.desc_len,
				    r->infos_buf + i * r->l.info_len, err);
	return ret;
}

static int decode_all(struct ring *r, struct kvfs_err *err)
{
	uint64_t left = ((r->head_id - r->tail_id) & id_mask(&r->l)) + 1;
	uint64_t id = r->tail_id;

	if (left > r->count)
		return kvfs_err_set(err, EBADMSG, "the printk ring buffer claims %" PRIu64
				    " records and has room for %" PRIu64, left, r->count);
	while (left > 0) {
		uint64_t n = r->count - (id & (r->count - 1));
		int ret;

		if (n > left)
			n = left;
		if (n > MAX_BATCH)
			n = MAX_BATCH;
		ret = decode_batch(r, id, n, err);
		if (ret < 0)
			return ret;
		id = (id + n) & id_mask(&r->l);
		left -= n;
	}
	return 0;
}

int kvfs_printk_decode(const struct kvfs_vmcoreinfo *info, kvfs_printk_read_fn read, void *arg,
		       FILE *out, struct kvfs_err *err)
{
	_cleanup_free_ struct ring *r = calloc(1, sizeof(*r));
	_cleanup_free_ char *text_buf = malloc(UINT16_MAX);
	int ret;

	if (!r || !text_buf)
		return kvfs_err_sys(err, ENOMEM, "the printk ring buffer");
	r->read = read;
	r->arg = arg;
	r->out = out;
	r->text_buf = text_buf;
	ret = load_layout(info, &r->l, err);
	if (ret == 0)
		ret = check_layout(&r->l, err);
	if (ret == 0)
		ret = load_ring(r, info, err);
	if (ret == 0)
		ret = decode_all(r, err);
	return ret;
}
