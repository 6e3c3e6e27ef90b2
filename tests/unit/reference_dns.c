/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference for DNS messages: names by recursion, records by offset.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <picket/dns.h>

#include "reference.h"

struct buffer {
	const uint8_t *bytes;
	size_t length;
};

/* A name as it was found. */
struct found {
	char text[REFERENCE_NAME + 64];
	size_t used;
	size_t end; /* offset behind its first part */
	bool odd;
	unsigned int pointers;
};

static unsigned int number(const struct buffer *b, size_t at, unsigned int count)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < count; i++)
		value = value * 256 + b->bytes[at + i];
	return value;
}

/* The labels at @at and behind; a pointer must lead before @limit. */
static int labels(const struct buffer *b, size_t at, size_t limit, struct found *f)
{
	bool first = f->pointers == 0;

	for (;;) {
		size_t size;

		if (at >= b->length)
			return PK_DNS_FORM;
		size = b->bytes[at];
		if (size >= 192) {
			size_t target;

			if (at + 2 > b->length)
				return PK_DNS_FORM;
			target = number(b, at, 2) - 192 * 256;
			if (target < 12)
				return PK_DNS_FORM;
			if (target >= limit || f->pointers == PK_DNS_JUMPS_MAX)
				return PK_DNS_LOOP;
			if (first)
				f->end = at + 2;
			f->pointers++;
			return labels(b, target, target, f);
		}
		if (size > 63 || at + 1 + size > b->length)
			return PK_DNS_FORM;
		if (size == 0) {
			if (first)
				f->end = at + 1;
			return PK_DNS_GOOD;
		}
		if (f->used)
			f->text[f->used++] = '.';
		for (size_t i = 0; i < size; i++) {
			int c = b->bytes[at + 1 + i];

			f->odd |= !((c < 128 && isalnum(c)) || c == '-' || c == '_');
			f->text[f->used++] = (char)tolower(c);
		}
		if (f->used > PK_HOST_MAX)
			return PK_DNS_FORM;
		at += 1 + size;
	}
}

static int read_name(const struct buffer *b, size_t at, struct found *f)
{
	int error;

	memset(f, 0, sizeof(*f));
	error = labels(b, at, at, f);
	if (f->odd)
		f->used = 0;
	f->text[f->used] = '\0';
	return error;
}

static int read_copy(const struct buffer *b, struct reference_question *q, size_t *ret_end)
{
	struct found f;
	int error;

	memset(q, 0, sizeof(*q));
	error = read_name(b, 12, &f);
	if (error)
		return f.pointers || error == PK_DNS_LOOP ? PK_DNS_FORM : error;
	if (f.pointers || f.used == 0 || f.end + 4 > b->length || number(b, f.end + 2, 2) != 1)
		return PK_DNS_FORM;
	q->id = number(b, 0, 2);
	q->type = number(b, f.end, 2);
	memcpy(q->name, f.text, sizeof(q->name));
	*ret_end = f.end + 4;
	return PK_DNS_GOOD;
}

static bool edns_alone(const struct buffer *b, size_t at)
{
	static const uint8_t start[] = { 0, 0, 41 };

	if (b->length < at + 11 || memcmp(b->bytes + at, start, 3) != 0)
		return false;
	if (number(b, at + 5, 2) || (number(b, at + 7, 2) & 0x7fff))
		return false;
	return number(b, at + 9, 2) <= PK_DNS_OPTIONS_MAX &&
	       at + 11 + number(b, at + 9, 2) == b->length;
}

int reference_question(const uint8_t *message, size_t length, struct reference_question *ret)
{
	const struct buffer b = { message, length };
	size_t end = 0;
	int error;

	if (length < 12 || length > PK_DNS_MAX)
		return PK_DNS_FORM;
	if ((message[2] | 1) != 1 || (message[3] | 0x30) != 0x30)
		return PK_DNS_FORM;
	if (number(&b, 4, 2) != 1 || number(&b, 6, 2) || number(&b, 8, 2) || number(&b, 10, 2) > 1)
		return PK_DNS_FORM;
	error = read_copy(&b, ret, &end);
	if (error)
		return error;
	if (number(&b, 10, 2) ? !edns_alone(&b, end) : end != length)
		return PK_DNS_FORM;
	switch (ret->type) {
	case 1:
	case 5:
	case 28:
	case 64:
	case 65:
		return PK_DNS_GOOD;
	default:
		return PK_DNS_TYPE;
	}
}

static struct reference_record *add(struct reference_answer *a, int what, uint32_t ttl)
{
	struct reference_record *r = &a->records[a->count++];

	memset(r, 0, sizeof(*r));
	r->what = what;
	r->ttl = ttl;
	return r;
}

static void add_address(struct reference_answer *a, uint32_t ttl, const uint8_t *bytes, size_t size)
{
	struct reference_record *r;

	if (a->count >= REFERENCE_RECORDS)
		return;
	r = add(a, PK_DNS_ADDRESS, ttl);
	memcpy(r->address + 16 - size, bytes, size);
	if (size == 4)
		r->address[10] = r->address[11] = 255;
}

/* The parameters of a service from @at to @end. */
static int read_parameters(const struct buffer *b, size_t at, size_t end, uint32_t ttl,
			   struct reference_answer *a)
{
	long last = -1;
	int count = 0;

	while (at < end) {
		long key;
		size_t size, unit;

		if (at + 4 > end)
			return PK_DNS_FORM;
		key = (long)number(b, at, 2);
		size = number(b, at + 2, 2);
		if (key <= last || at + 4 + size > end)
			return PK_DNS_FORM;
		/* The limit is one between hints. */
		if (++count > PK_DNS_PARAMETERS_MAX + 1)
			return PK_DNS_FORM;
		last = key;
		unit = key == 4 ? 4 : key == 6 ? 16 : 0;
		if (unit && (!size || size % unit))
			return PK_DNS_FORM;
		for (size_t i = 0; unit && i < size; i += unit)
			add_address(a, ttl, b->bytes + at + 4 + i, unit);
		if (unit)
			count = 0;
		at += 4 + size;
	}
	return count > PK_DNS_PARAMETERS_MAX ? PK_DNS_FORM : PK_DNS_GOOD;
}

/* A record of an answer. */
struct record {
	unsigned int type;
	uint32_t ttl;
	size_t at; /* its data */
	size_t end;
};

/* What a record of the owner says; an alias becomes the owner. */
static int read_data(const struct buffer *b, const struct record *r, struct reference_answer *a,
		     char *owner)
{
	bool service = r->type == PK_DNS_HTTPS || r->type == PK_DNS_SVCB;
	size_t at = r->at, end = r->end;
	struct found f;
	int error;

	if (r->type == PK_DNS_A || r->type == PK_DNS_AAAA) {
		if (end - at != (r->type == PK_DNS_A ? 4 : 16))
			return PK_DNS_FORM;
		add_address(a, r->ttl, b->bytes + at, end - at);
		return PK_DNS_GOOD;
	}
	if (r->type != PK_DNS_CNAME && !service)
		return PK_DNS_GOOD;
	error = read_name(b, service ? at + 2 : at, &f);
	if (error)
		return error;
	if (service ? f.end > end : f.end != end)
		return PK_DNS_FORM;
	if (service && number(b, at, 2))
		return read_parameters(b, f.end, end, r->ttl, a);
	if (service && f.used == 0 && !f.odd)
		return PK_DNS_GOOD;
	memcpy(owner, f.text, REFERENCE_NAME);
	memcpy(add(a, PK_DNS_ALIAS, r->ttl)->alias, f.text, REFERENCE_NAME);
	return PK_DNS_GOOD;
}

int reference_answer(const uint8_t *message, size_t length, struct reference_answer *ret)
{
	const struct buffer b = { message, length };
	char owner[REFERENCE_NAME];
	size_t at = 0, count;
	int error;

	ret->count = 0;
	if (length < 12 || length > PK_DNS_MAX || message[2] >> 3 != 0x10 || number(&b, 4, 2) != 1)
		return PK_DNS_FORM;
	error = read_copy(&b, &ret->question, &at);
	if (error)
		return error;
	memcpy(owner, ret->question.name, sizeof(owner));
	count = number(&b, 6, 2);
	if (message[3] & 15)
		count = 0;
	for (size_t i = 0; i < count && i < PK_DNS_RECORDS_MAX; i++) {
		struct found f;
		struct record r;

		error = read_name(&b, at, &f);
		if (error)
			return error;
		if (f.end + 10 > length || number(&b, f.end + 2, 2) != 1)
			return PK_DNS_FORM;
		r.type = number(&b, f.end, 2);
		r.ttl = number(&b, f.end + 4, 4);
		if (r.ttl > INT32_MAX)
			r.ttl = 0;
		r.at = f.end + 10;
		r.end = r.at + number(&b, f.end + 8, 2);
		if (r.end > length)
			return PK_DNS_FORM;
		if (f.used && strcmp(f.text, owner) == 0)
			error = read_data(&b, &r, ret, owner);
		if (error)
			return error;
		at = r.end;
	}
	return PK_DNS_GOOD;
}
