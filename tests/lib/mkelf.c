// SPDX-License-Identifier: GPL-2.0-only
#include "mkelf.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkelf_file.h"

#define MAX_ARGS 16		/* of a line */

struct arg {
	const char *key;
	const char *value;	/* of a text: its bytes, without the quotes */
	size_t len;
	bool is_text;
};

struct line {
	size_t number;
	const char *word;
	struct arg args[MAX_ARGS];
	size_t nr_args;
};

static int fail(struct mkelf *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(struct mkelf *m, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(m->err, m->err_len, "line %zu: ", m->line);

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < m->err_len)
		vsnprintf(m->err + n, m->err_len - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static void *xalloc(void *p, size_t n, size_t size)
{
	void *bigger = reallocarray(p, n ? n : 1, size);

	if (!bigger)
		abort();	/* a tool of the tests has no better answer */
	return bigger;
}

static bool parse_number(const char *s, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 0);
	if (errno || end == s || *s == '-')
		return false;
	if (*end == 'K' || *end == 'M' || *end == 'G') {
		*out <<= *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
		end++;
	}
	return *end == '\0';
}

/* Undoes the escapes of a quoted text in place. Returns the place after the quote, or NULL. */
static char *unquote(char *p, size_t *len)
{
	char *out = p, *start = p;

	for (; *p && *p != '"'; p++) {
		unsigned int byte;

		if (*p != '\\') {
			*out++ = *p;
			continue;
		}
		p++;
		switch (*p) {
		case 'n':
			*out++ = '\n';
			break;
		case 't':
			*out++ = '\t';
			break;
		case '0':
			*out++ = '\0';
			break;
		case '\\':
		case '"':
			*out++ = *p;
			break;
		case 'x':
			if (sscanf(p + 1, "%2x", &byte) != 1 || !p[1] || !p[2])
				return NULL;
			*out++ = (char)byte;
			p += 2;
			break;
		default:
			return NULL;
		}
	}
	if (!*p)
		return NULL;
	*len = (size_t)(out - start);
	return p + 1;
}

/* Cuts a line, in place, into its word and arguments. */
static int split_line(struct mkelf *m, char *p, struct line *line)
{
	line->word = p;
	p += strcspn(p, " \t");
	while (*p) {
		struct arg *a = &line->args[line->nr_args];

		*p++ = '\0';
		p += strspn(p, " \t");
		if (!*p)
			break;
		if (line->nr_args++ == MAX_ARGS)
			return fail(m, "too many arguments");
		a->key = p;
		p += strcspn(p, "= \t");
		if (*p != '=') {	/* a bare value */
			a->value = a->key;
			a->key = "";
			continue;
		}
		*p++ = '\0';
		a->value = p;
		if (*p != '"') {
			p += strcspn(p, " \t");
			continue;
		}
		a->value++;
		a->is_text = true;
		p = unquote(p + 1, &a->len);
		if (!p || (*p && *p != ' ' && *p != '\t'))
			return fail(m, "a text that does not end");
	}
	return 0;
}

/* A number's name and place. */
struct number {
	const char *key;
	uint64_t *out;
};

/* A text's name and place; borrowed from the line. */
struct text {
	const char *key;
	const struct arg **out;
};

/* Takes every argument of a line; each must be known. Lists end with a NULL key. */
static int take_args(struct mkelf *m, const struct line *line, const struct number *numbers,
		     const struct text *texts)
{
	for (size_t i = 0; i < line->nr_args; i++) {
		const struct arg *a = &line->args[i];
		const struct number *n = numbers;
		const struct text *t = texts;

		while (n->key && strcmp(n->key, a->key))
			n++;
		while (t && t->key && strcmp(t->key, a->key))
			t++;
		if (t && t->key)
			*t->out = a;
		else if (!n->key)
			return fail(m, "%s: unknown argument %s=%s", line->word, a->key, a->value);
		else if (a->is_text || !parse_number(a->value, n->out))
			return fail(m, "%s: %s is not a number: %s", line->word, a->key, a->value);
	}
	return 0;
}

static int do_elf(struct mkelf *m, const struct line *line)
{
	uint64_t xnum = m->xnum;
	const struct number numbers[] = {
		{ "class", &m->elfclass }, { "data", &m->data }, { "version", &m->version },
		{ "type", &m->type }, { "machine", &m->machine }, { "phnum", &m->phnum },
		{ "phoff", &m->phoff }, { "phentsize", &m->phentsize }, { "shoff", &m->shoff },
		{ "xnum", &xnum }, { NULL, NULL },
	};
	int ret = take_args(m, line, numbers, NULL);

	m->xnum = xnum;
	/* Any other value goes into the file as it is, which is then laid out for 64 bits. */
	if (m->elfclass == 64 || m->elfclass == 32)
		m->elfclass = m->elfclass == 64 ? ELFCLASS64 : ELFCLASS32;
	return ret;
}

static int do_note(struct mkelf *m, const struct line *line)
{
	const struct arg *name = NULL, *desc = NULL;
	uint64_t type = 0, namesz = MKELF_UNSET, descsz = MKELF_UNSET;
	const struct number numbers[] = {
		{ "type", &type }, { "namesz", &namesz }, { "descsz", &descsz }, { NULL, NULL },
	};
	const struct text texts[] = { { "name", &name }, { "desc", &desc }, { NULL, NULL } };
	size_t name_len, desc_len, desc_off, len;
	size_t align = m->notes_align == 8 ? 8 : 4;
	Elf64_Nhdr nhdr;
	char *at;

	if (take_args(m, line, numbers, texts))
		return -1;
	if (!name)
		return fail(m, "note: name is missing");
	name_len = (name->is_text ? name->len : strlen(name->value)) + 1;
	desc_len = !desc ? 0 : desc->is_text ? desc->len : strlen(desc->value);
	nhdr.n_namesz = (Elf64_Word)(namesz == MKELF_UNSET ? name_len : namesz);
	nhdr.n_descsz = (Elf64_Word)(descsz == MKELF_UNSET ? desc_len : descsz);
	nhdr.n_type = (Elf64_Word)type;
	desc_off = (sizeof(nhdr) + name_len + align - 1) / align * align;
	len = (desc_off + desc_len + align - 1) / align * align;
	m->notes = xalloc(m->notes, m->notes_len + len, 1);
	at = m->notes + m->notes_len;
	memset(at, 0, len);
	memcpy(at, &nhdr, sizeof(nhdr));
	memcpy(at + sizeof(nhdr), name->value, name_len - 1);
	if (desc_len)
		memcpy(at + desc_off, desc->value, desc_len);
	m->notes_len += len;
	return 0;
}

static int do_notes(struct mkelf *m, const struct line *line)
{
	const struct number numbers[] = {
		{ "off", &m->notes_off }, { "filesz", &m->notes_filesz },
		{ "align", &m->notes_align }, { NULL, NULL },
	};

	return take_args(m, line, numbers, NULL);
}

/* load and phdr */
static int do_phdr(struct mkelf *m, const struct line *line)
{
	bool is_load = !strcmp(line->word, "load");
	uint64_t type = is_load ? PT_LOAD : MKELF_UNSET, repeat = 1;
	uint64_t off = MKELF_UNSET, vaddr = 0, paddr = MKELF_UNSET, filesz = MKELF_UNSET, memsz = MKELF_UNSET, align = 0;
	const struct number numbers[] = {
		{ "type", &type }, { "off", &off }, { "vaddr", &vaddr },
		{ "paddr", &paddr }, { "filesz", &filesz }, { "memsz", &memsz },
		{ "align", &align }, { "repeat", &repeat }, { NULL, NULL },
	};

	if (take_args(m, line, numbers, NULL))
		return -1;
	if (memsz == MKELF_UNSET || type == MKELF_UNSET)
		return fail(m, "%s: memsz%s is missing", line->word, is_load ? "" : " or type");
	m->phdrs = xalloc(m->phdrs, m->nr_phdrs + repeat, sizeof(*m->phdrs));
	for (uint64_t i = 0; i < repeat; i++)
		m->phdrs[m->nr_phdrs++] = (Elf64_Phdr){
			.p_type = (Elf64_Word)type,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = off == MKELF_UNSET ? (is_load ? MKELF_UNSET : 0) : off + i * memsz,
			.p_vaddr = vaddr + i * memsz,
			.p_paddr = paddr == MKELF_UNSET ? MKELF_UNSET : paddr + i * memsz,
			.p_filesz = filesz == MKELF_UNSET ? memsz : filesz,
			.p_memsz = memsz,
			.p_align = align,
		};
	return 0;
}

static char *copy_text(const struct arg *a, size_t *len)
{
	char *copy;

	*len = a->is_text ? a->len : strlen(a->value);
	copy = xalloc(NULL, *len, 1);
	memcpy(copy, a->value, *len);
	return copy;
}

static int do_fill(struct mkelf *m, const struct line *line)
{
	const struct arg *with = NULL, *text = NULL;
	uint64_t load = 0, at = 0, len = MKELF_UNSET, byte = MKELF_UNSET;
	const struct number numbers[] = {
		{ "load", &load }, { "at", &at }, { "len", &len }, { "byte", &byte }, { NULL, NULL },
	};
	const struct text texts[] = { { "with", &with }, { "text", &text }, { NULL, NULL } };
	struct mkelf_fill *f;
	size_t text_len;

	if (take_args(m, line, numbers, texts))
		return -1;
	if (!!with + !!text + (byte != MKELF_UNSET) != 1 || (with && strcmp(with->value, "addr")))
		return fail(m, "fill: one of with=addr, byte=N and text=TEXT is needed");
	m->fills = xalloc(m->fills, m->nr_fills + 1, sizeof(*m->fills));
	f = &m->fills[m->nr_fills++];
	*f = (struct mkelf_fill){ .load = load, .at = at, .len = len, .addr = with, .byte = (uint8_t)byte };
	if (text) {
		f->text = copy_text(text, &text_len);
		f->len = text_len;
	}
	return 0;
}

static int do_poke(struct mkelf *m, const struct line *line)
{
	const struct arg *text = NULL;
	struct mkelf_poke p = { 0 };
	const struct number numbers[] = { { "off", &p.off }, { NULL, NULL } };
	const struct text texts[] = { { "text", &text }, { NULL, NULL } };

	if (take_args(m, line, numbers, texts))
		return -1;
	if (!text)
		return fail(m, "poke: text is missing");
	p.bytes = copy_text(text, &p.len);
	m->pokes = xalloc(m->pokes, m->nr_pokes + 1, sizeof(p));
	m->pokes[m->nr_pokes++] = p;
	return 0;
}

static int do_size(struct mkelf *m, const struct line *line)
{
	const struct number numbers[] = { { "", &m->size }, { NULL, NULL } };

	return take_args(m, line, numbers, NULL);
}

static int parse(struct mkelf *m, char *text)
{
	static const struct {
		const char *word;
		int (*fn)(struct mkelf *m, const struct line *line);
	} words[] = {
		{ "elf", do_elf }, { "note", do_note }, { "notes", do_notes }, { "load", do_phdr },
		{ "phdr", do_phdr }, { "fill", do_fill }, { "poke", do_poke }, { "size", do_size },
	};
	const size_t nr_words = sizeof(words) / sizeof(words[0]);
	char *next;

	for (char *p = text; p; p = next) {
		struct line line = { 0 };
		size_t i = 0;

		m->line++;
		next = strchr(p, '\n');
		if (next)
			*next++ = '\0';
		p += strspn(p, " \t");
		if (!*p || *p == '#')
			continue;
		if (split_line(m, p, &line))
			return -1;
		while (i < nr_words && strcmp(words[i].word, line.word))
			i++;
		if (i == nr_words)
			return fail(m, "unknown word %s", line.word);
		if (words[i].fn(m, &line))
			return -1;
	}
	return 0;
}

static void deinit(struct mkelf *m)
{
	for (size_t i = 0; i < m->nr_fills; i++)
		free(m->fills[i].text);
	for (size_t i = 0; i < m->nr_pokes; i++)
		free(m->pokes[i].bytes);
	free(m->fills);
	free(m->pokes);
	free(m->phdrs);
	free(m->notes);
}

int mkelf_expand(const char *text, int fd, char *err, size_t err_len)
{
	struct mkelf m = {
		.elfclass = ELFCLASS64, .data = MKELF_UNSET, .version = EV_CURRENT, .type = ET_CORE,
		.machine = MKELF_UNSET, .phnum = MKELF_UNSET, .phoff = MKELF_UNSET,
		.phentsize = MKELF_UNSET, .shoff = MKELF_UNSET, .notes_off = MKELF_UNSET,
		.notes_filesz = MKELF_UNSET, .notes_align = 4, .size = MKELF_UNSET,
		.err = err, .err_len = err_len,
	};
	char *copy = strdup(text);
	int ret = -1;

	if (!copy)
		abort();
	if (!parse(&m, copy)) {
		const char *what = mkelf_file_write(&m, fd);

		ret = what ? -1 : 0;
		if (what)
			snprintf(err, err_len, "%s", what);
	}
	free(copy);
	deinit(&m);
	return ret;
}
