/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * DNS messages, as much of them as a decision needs: one plain question on the way out, addresses and
 * aliases on the way in. Pure like match.h: the same lines are compiled into the BPF programs, the
 * tests and the fuzzers. The includer defines PK_INLINE and PK_LOOP as for match.h; without them there
 * are the types only.
 *
 * A message is a buffer of PK_DNS_MAX bytes (every index is masked) of which `length` are the
 * message's. Host names come out in lower case, dotted, without a dot at the end. Whatever is not
 * exactly as expected is an error; the caller drops the packet.
 *
 *   Question that passes: QR 0, opcode 0, one question of class IN, no answer and no authority record;
 *   additional records: none, or one EDNS record (root name, type 41) with at most PK_DNS_OPTIONS_MAX
 *   bytes of options; nothing behind. Name: labels of 1 to PK_LABEL_MAX bytes, letters, digits, '-'
 *   and '_', at most PK_HOST_MAX in all, never compressed. Type: A, AAAA, CNAME, HTTPS or SVCB. Of the
 *   header's flags only RD, AD and CD, of EDNS's only DO may be set.
 *   Records of an answer are of class IN. Their names may be compressed: pointers lead backwards, each
 *   further than the one before, at most PK_DNS_JUMPS_MAX of them. A name with other bytes than those
 *   of host names is nobody's.
 */
#ifndef PICKET_DNS_H
#define PICKET_DNS_H

#ifndef __BPF__
#include <linux/types.h>
#endif
#include <picket/limits.h>

/** Record types that may be asked for. */
#define PK_DNS_A 1
#define PK_DNS_CNAME 5
#define PK_DNS_AAAA 28
#define PK_DNS_SVCB 64
#define PK_DNS_HTTPS 65

/** What is wrong with a message. */
enum pk_dns_error {
	PK_DNS_GOOD,
	PK_DNS_FORM, /* malformed, or not one plain question */
	PK_DNS_TYPE, /* a type that is not asked for here; the name and type are set */
	PK_DNS_LOOP, /* compression that does not end */
};

/** Most compression pointers of a name. */
#define PK_DNS_JUMPS_MAX 16
/** Most parameters of an HTTPS or SVCB record. */
#define PK_DNS_PARAMETERS_MAX 32
/**
 * Calls of pk_dns_next() after which an answer is done: its records and, of those that have hints, each
 * of up to four. What is not reached is not learned.
 */
#define PK_DNS_CALLS_MAX (4 * PK_DNS_RECORDS_MAX)

/** A host name out of a message. The root, and a name with other bytes: no length, hash 0. */
struct pk_dns_name {
	__u64 hash; /* pk_host_hash() of the text */
	__u32 length;
	__u32 next; /* offset behind the name in the message */
	/* The reader's own: */
	__u32 at; /* offset of the next byte */
	__u32 left; /* bytes of the label at hand still to come */
	__u32 limit; /* a pointer must lead before it */
	__u32 jumps; /* pointers followed */
	__u32 odd; /* bytes that no host name has */
	__u32 error; /* enum pk_dns_error; PK_DNS_FORM until the end is found */
	__u8 text[PK_HOST_BUFFER];
};

/** A question, or an answer's copy of it. */
struct pk_dns_question {
	__u16 id;
	__u16 type;
	__u32 next; /* offset behind the question */
	struct pk_dns_name name;
};

/** What a record of an answer says. */
enum pk_dns_what {
	PK_DNS_OTHER, /* nothing to us: another owner or type */
	PK_DNS_ADDRESS, /* `address`, `ttl` */
	PK_DNS_ALIAS, /* `name`: further records are for that name */
	PK_DNS_END,
};

/** A walk over the records of an answer. Starts at the question's name; follows aliases in order. */
struct pk_dns_walk {
	__u32 next; /* offset of the record at hand */
	__u32 left; /* records of the answer section left */
	__u64 owner; /* hash of the name whose records count */
	__u32 what; /* enum pk_dns_what of the record last read */
	__u32 ttl; /* seconds, as the record says */
	__u32 hints; /* HTTPS and SVCB: address hints left in the record at hand */
	__u32 hint; /* offset of the next one */
	__u32 hint_size; /* 4 or 16 */
	__u32 parameter; /* offset of the next parameter; not before `next`: none */
	__u32 key; /* the least one it may have: they come in order */
	__u32 error; /* enum pk_dns_error of the parameters */
	__u64 address_hi; /* struct pk_address */
	__u64 address_lo;
	struct pk_dns_name name; /* work area, and the alias */
};

#endif

#include <picket/host.h>

#if defined(PK_LOOP) && !defined(PICKET_DNS_FUNCTIONS)
#define PICKET_DNS_FUNCTIONS

#define PK_DNS_HEADER 12U
/* Steps of the longest name: its text, the first length, the end and all pointers. */
#define PK_DNS_STEPS (PK_HOST_MAX + 2 + PK_DNS_JUMPS_MAX)
#define PK_DNS_IN 1
#define PK_DNS_OPT 41

/* A message, and the name being read out of it. */
struct pk_dns_read {
	const __u8 *message;
	struct pk_dns_name *name;
	__u64 seed;
	__u32 length;
	__u32 strict; /* no compression, no other bytes, not the root */
};

/*
 * A byte of the message. The compiler must not know where @at lies: it would leave out the mask, and
 * older verifiers do not follow the comparison that made it needless ("unbounded memory access").
 */
static PK_INLINE __u32 pk_dns_u8(const __u8 *message, __u32 at)
{
	__asm__ volatile("" : "+r"(at));
	return message[at & (PK_DNS_MAX - 1)];
}

static PK_INLINE __u32 pk_dns_u16(const __u8 *message, __u32 at)
{
	return pk_dns_u8(message, at) << 8 | pk_dns_u8(message, at + 1);
}

static PK_INLINE __u32 pk_dns_u32(const __u8 *message, __u32 at)
{
	return pk_dns_u16(message, at) << 16 | pk_dns_u16(message, at + 2);
}

/* One byte of text. Returns 0, or 1 when there is no room. */
static PK_INLINE long pk_dns_append(struct pk_dns_name *n, __u32 byte)
{
	__u32 length = n->length;

	if (length >= PK_HOST_MAX)
		return 1;
	n->text[length & (PK_HOST_BUFFER - 1)] = (__u8)byte;
	n->hash = pk_hash_step(n->hash, byte);
	n->length = length + 1;
	return 0;
}

/* A compression pointer. Returns 0 to go on where it leads. */
static PK_INLINE long pk_dns_jump(const struct pk_dns_read *r, __u32 at)
{
	struct pk_dns_name *n = r->name;
	__u32 target = pk_dns_u16(r->message, at) & 0x3fff;

	if (r->strict || at + 1 >= r->length || target < PK_DNS_HEADER)
		return 1;
	if (target >= n->limit || n->jumps >= PK_DNS_JUMPS_MAX) {
		n->error = PK_DNS_LOOP;
		return 1;
	}
	if (!n->jumps)
		n->next = at + 2;
	n->jumps++;
	n->limit = target;
	n->at = target;
	return 0;
}

/* The byte in front of a label, or that ends the name. */
static PK_INLINE long pk_dns_label(const struct pk_dns_read *r, __u32 at, __u32 byte)
{
	struct pk_dns_name *n = r->name;

	if (byte >= 0xc0)
		return pk_dns_jump(r, at);
	if (byte > PK_LABEL_MAX)
		return 1;
	n->at = at + 1;
	if (!byte) {
		if (!n->jumps)
			n->next = at + 1;
		n->error = PK_DNS_GOOD;
		return 1;
	}
	n->left = byte;
	return n->length ? pk_dns_append(n, '.') : 0;
}

static long pk_dns_step(__u32 index, void *arg)
{
	const struct pk_dns_read *r = arg;
	struct pk_dns_name *n = r->name;
	__u32 at = n->at, byte;

	(void)index;
	if (at >= r->length)
		return 1;
	byte = pk_dns_u8(r->message, at);
	if (!n->left)
		return pk_dns_label(r, at, byte);
	n->at = at + 1;
	n->left--;
	byte = pk_host_byte(byte);
	if (!byte) {
		if (r->strict)
			return 1;
		n->odd = 1;
	}
	return pk_dns_append(n, byte);
}

/* The name at @at; enum pk_dns_error. */
static PK_INLINE int pk_dns_read_name(struct pk_dns_read *r, __u32 at, struct pk_dns_name *n)
{
	r->name = n;
	n->hash = pk_hash_start(r->seed);
	n->length = 0;
	n->next = 0;
	n->at = at;
	n->left = 0;
	n->limit = at;
	n->jumps = 0;
	n->odd = 0;
	n->error = PK_DNS_FORM;
	PK_LOOP(PK_DNS_STEPS, pk_dns_step, r);
	if (n->error)
		return (int)n->error;
	if (n->odd || !n->length) {
		n->length = 0;
		n->hash = 0;
		return r->strict ? PK_DNS_FORM : PK_DNS_GOOD;
	}
	n->hash = pk_hash_end(n->hash);
	return PK_DNS_GOOD;
}

/* The one question of a message whose header was found good. */
static PK_INLINE int pk_dns_copy_question(struct pk_dns_read *r, struct pk_dns_question *q)
{
	int error = pk_dns_read_name(r, PK_DNS_HEADER, &q->name);
	__u32 at = q->name.next;

	q->id = (__u16)pk_dns_u16(r->message, 0);
	if (error)
		return error;
	if (at + 4 > r->length || pk_dns_u16(r->message, at + 2) != PK_DNS_IN)
		return PK_DNS_FORM;
	q->type = (__u16)pk_dns_u16(r->message, at);
	q->next = at + 4;
	return PK_DNS_GOOD;
}

/* What stands behind the question: nothing, or one small EDNS record and nothing. 0 when so. */
static PK_INLINE int pk_dns_check_rest(const __u8 *message, __u32 length, __u32 at)
{
	__u32 additional = pk_dns_u16(message, 10);
	__u32 size;

	if (!additional)
		return at != length;
	if (additional != 1 || at + 11 > length || pk_dns_u8(message, at) ||
	    pk_dns_u16(message, at + 1) != PK_DNS_OPT)
		return 1;
	/* No extended code, version 0, of the flags only DO. */
	if (pk_dns_u32(message, at + 5) & ~0x8000U)
		return 1;
	size = pk_dns_u16(message, at + 9);
	return size > PK_DNS_OPTIONS_MAX || at + 11 + size != length;
}

/** Read the packet of a question on its way out; enum pk_dns_error. */
static PK_INLINE int pk_dns_read_question(const __u8 *message, __u32 length, __u64 seed,
					  struct pk_dns_question *ret)
{
	struct pk_dns_read r = { .message = message, .seed = seed, .length = length, .strict = 1 };
	int error;

	if (length < PK_DNS_HEADER || length > PK_DNS_MAX)
		return PK_DNS_FORM;
	/* Flags: RD, AD, CD. One question, no answers, no authorities. */
	if ((pk_dns_u16(message, 2) & ~0x0130U) || pk_dns_u16(message, 4) != 1 ||
	    pk_dns_u32(message, 6))
		return PK_DNS_FORM;
	error = pk_dns_copy_question(&r, ret);
	if (error)
		return error;
	if (pk_dns_check_rest(message, length, ret->next))
		return PK_DNS_FORM;
	if (ret->type == PK_DNS_A || ret->type == PK_DNS_AAAA || ret->type == PK_DNS_CNAME ||
	    ret->type == PK_DNS_HTTPS || ret->type == PK_DNS_SVCB)
		return PK_DNS_GOOD;
	return PK_DNS_TYPE;
}

/**
 * Read header and question of an answer and start the walk over its records, of which there are none
 * when its code tells of a failure; enum pk_dns_error. The type of the question is not judged.
 */
static PK_INLINE int pk_dns_read_answer(const __u8 *message, __u32 length, __u64 seed,
					struct pk_dns_question *ret, struct pk_dns_walk *ret_walk)
{
	struct pk_dns_read r = { .message = message, .seed = seed, .length = length, .strict = 1 };
	__u32 flags, count;
	int error;

	if (length < PK_DNS_HEADER || length > PK_DNS_MAX)
		return PK_DNS_FORM;
	flags = pk_dns_u16(message, 2);
	if ((flags & 0xf800) != 0x8000 || pk_dns_u16(message, 4) != 1)
		return PK_DNS_FORM;
	error = pk_dns_copy_question(&r, ret);
	if (error)
		return error;
	count = pk_dns_u16(message, 6);
	if (count > PK_DNS_RECORDS_MAX)
		count = PK_DNS_RECORDS_MAX;
	ret_walk->next = ret->next;
	ret_walk->parameter = ret->next;
	ret_walk->left = flags & 0xf ? 0 : count;
	ret_walk->owner = ret->name.hash;
	ret_walk->what = PK_DNS_OTHER;
	ret_walk->ttl = 0;
	ret_walk->hints = 0;
	return PK_DNS_GOOD;
}

/* An address of @size bytes at @at. */
static PK_INLINE void pk_dns_address(const __u8 *message, __u32 at, __u32 size,
				     struct pk_dns_walk *walk)
{
	__u32 first = pk_dns_u32(message, at);

	walk->what = PK_DNS_ADDRESS;
	walk->address_hi = 0;
	walk->address_lo = 0x0000ffff00000000ULL | first;
	if (size == 4)
		return;
	walk->address_hi = (__u64)first << 32 | pk_dns_u32(message, at + 4);
	walk->address_lo = (__u64)pk_dns_u32(message, at + 8) << 32 | pk_dns_u32(message, at + 12);
}

/* The parameters of an HTTPS or SVCB record, being gone through for hints. */
struct pk_dns_service {
	const __u8 *message;
	struct pk_dns_walk *walk;
};

static long pk_dns_parameter(__u32 index, void *arg)
{
	const struct pk_dns_service *s = arg;
	struct pk_dns_walk *w = s->walk;
	__u32 at = w->parameter, key, size;

	(void)index;
	if (at >= w->next) {
		w->error = PK_DNS_GOOD;
		return 1;
	}
	key = pk_dns_u16(s->message, at);
	size = pk_dns_u16(s->message, at + 2);
	/* A parameter that begins before the end and reaches over it is found by its own end. */
	if (at + 4 + size > w->next || key < w->key)
		return 1;
	w->key = key + 1;
	w->parameter = at + 4 + size;
	if (key != 4 && key != 6)
		return 0;
	w->hint = at + 4;
	w->hint_size = key == 4 ? 4 : 16;
	w->hints = key == 4 ? size >> 2 : size >> 4;
	if (size && !(size & (w->hint_size - 1)))
		w->error = PK_DNS_GOOD;
	return 1;
}

/* Find the next hints; enum pk_dns_error. */
static PK_INLINE int pk_dns_find_hints(const __u8 *message, struct pk_dns_walk *walk)
{
	struct pk_dns_service s = { .message = message, .walk = walk };

	walk->error = PK_DNS_FORM;
	PK_LOOP(PK_DNS_PARAMETERS_MAX + 1, pk_dns_parameter, &s);
	return (int)walk->error;
}

/* An HTTPS or SVCB record of the owner, its data at @at. */
static PK_INLINE int pk_dns_service(struct pk_dns_read *r, __u32 at, struct pk_dns_walk *walk)
{
	__u32 priority = pk_dns_u16(r->message, at);
	int error = pk_dns_read_name(r, at + 2, &walk->name);

	if (error)
		return error;
	if (walk->name.next > walk->next)
		return PK_DNS_FORM;
	if (priority) {
		walk->parameter = walk->name.next;
		walk->key = 0;
	} else if (walk->name.length || walk->name.odd) {
		walk->what = PK_DNS_ALIAS;
		walk->owner = walk->name.hash;
	}
	return PK_DNS_GOOD;
}

/* What a record of the owner says: @size bytes at @at. */
static PK_INLINE int pk_dns_data(struct pk_dns_read *r, __u32 type, __u32 at,
				 struct pk_dns_walk *walk)
{
	__u32 size = walk->next - at;
	int error;

	if (type == PK_DNS_HTTPS || type == PK_DNS_SVCB)
		return pk_dns_service(r, at, walk);
	if (type == PK_DNS_A || type == PK_DNS_AAAA) {
		if (size != (type == PK_DNS_A ? 4U : 16U))
			return PK_DNS_FORM;
		pk_dns_address(r->message, at, size, walk);
		return PK_DNS_GOOD;
	}
	if (type != PK_DNS_CNAME)
		return PK_DNS_GOOD;
	error = pk_dns_read_name(r, at, &walk->name);
	if (error)
		return error;
	if (walk->name.next != walk->next)
		return PK_DNS_FORM;
	walk->what = PK_DNS_ALIAS;
	walk->owner = walk->name.hash;
	return PK_DNS_GOOD;
}

static PK_INLINE int pk_dns_record(struct pk_dns_read *r, struct pk_dns_walk *walk)
{
	int error = pk_dns_read_name(r, walk->next, &walk->name);
	__u32 at = walk->name.next, ttl;

	if (error)
		return error;
	if (at + 10 > r->length || pk_dns_u16(r->message, at + 2) != PK_DNS_IN)
		return PK_DNS_FORM;
	ttl = pk_dns_u32(r->message, at + 4);
	walk->ttl = ttl >> 31 ? 0 : ttl;
	walk->next = at + 10 + pk_dns_u16(r->message, at + 8);
	walk->parameter = walk->next;
	if (walk->next > r->length)
		return PK_DNS_FORM;
	/* An owner that is no host name has hash 0, and so has the alias that leads to one. */
	if (!walk->name.hash || walk->name.hash != walk->owner)
		return PK_DNS_GOOD;
	return pk_dns_data(r, pk_dns_u16(r->message, at), at + 10, walk);
}

static PK_INLINE int pk_dns_walk_on(struct pk_dns_read *r, struct pk_dns_walk *walk)
{
	int error;

	if (!walk->hints && walk->parameter < walk->next) {
		error = pk_dns_find_hints(r->message, walk);
		if (error || !walk->hints)
			return error;
	}
	if (walk->hints) {
		pk_dns_address(r->message, walk->hint, walk->hint_size, walk);
		walk->hint += walk->hint_size;
		walk->hints--;
		return PK_DNS_GOOD;
	}
	if (!walk->left) {
		walk->what = PK_DNS_END;
		return PK_DNS_GOOD;
	}
	walk->left--;
	return pk_dns_record(r, walk);
}

/**
 * The next record of an answer, or the next hint of the one at hand: walk->what. One call does bounded
 * work. Returns enum pk_dns_error; after an error there is nothing more.
 */
static PK_INLINE int pk_dns_next(const __u8 *message, __u32 length, __u64 seed,
				 struct pk_dns_walk *walk)
{
	struct pk_dns_read r = { .message = message, .seed = seed, .length = length };
	int error = PK_DNS_FORM;

	walk->what = PK_DNS_OTHER;
	if (length <= PK_DNS_MAX)
		error = pk_dns_walk_on(&r, walk);
	if (error) {
		walk->what = PK_DNS_END;
		walk->left = 0;
		walk->hints = 0;
		walk->parameter = walk->next;
	}
	return error;
}

#endif
