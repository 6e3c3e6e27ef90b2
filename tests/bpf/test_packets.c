/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The readers of DNS messages and first payloads in the kernel, against the same lines on the host:
 * recorded packets, and thousands of each kind with bytes changed, inserted, cut off. Every field that
 * they leave must be the same.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "packets.h"
#include "policy/matcher.h"
#include "seeds.h"
#include "test_packets.skel.h"

/* Once more, now that the loops are there. */
#include <picket/dns.h>
#include <picket/payload.h>

/* Changed packets a kind. */
#define CHANGED 6000

struct fixture {
	struct test_packets_bpf *skel;
	struct seeds *seeds;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	f->seeds = seeds_load();
	f->skel = test_packets_bpf__open_and_load();
	return f->skel && f->seeds ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_packets_bpf__destroy(f->skel);
	free(f->seeds);
	free(f);
	return 0;
}

/* What packets.bpf.c does. */
static void read_here(struct packets_io *io)
{
	__u32 second = io->length - io->cut;

	if (io->kind == PACKETS_QUESTION) {
		io->error = pk_dns_read_question(io->bytes, io->length, io->seed, &io->question);
		return;
	}
	if (io->kind == PACKETS_PAYLOAD) {
		pk_payload_feed(&io->payload, io->bytes, io->cut);
		io->error = pk_payload_feed(&io->payload, io->bytes + io->cut, second);
		return;
	}
	io->error = pk_dns_read_answer(io->bytes, io->length, io->seed, &io->question, &io->walk);
	for (__u32 i = 0; !io->error && i < PK_DNS_CALLS_MAX; i++) {
		struct packets_record *record = &io->records[i & (PACKETS_RECORDS - 1)];

		io->error = pk_dns_next(io->bytes, io->length, io->seed, &io->walk);
		io->calls++;
		record->what = io->walk.what;
		record->ttl = io->walk.ttl;
		record->owner = io->walk.owner;
		record->address_hi = io->walk.address_hi;
		record->address_lo = io->walk.address_lo;
		if (io->walk.what == PK_DNS_END)
			break;
	}
}

static void read_there(struct test_packets_bpf *skel, struct packets_io *io)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int fd = bpf_map__fd(skel->maps.packets_io);
	__u32 zero = 0;

	assert_int_equal(bpf_map_update_elem(fd, &zero, io, 0), 0);
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(skel->progs.packets_read), &options), 0);
	assert_int_equal(options.retval, 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, io), 0);
}

/* Read a packet here and there. Returns the finding. */
static int compare(struct test_packets_bpf *skel, const struct seed *s)
{
	static struct packets_io here, there;

	memset(&here, 0, sizeof(here));
	here.seed = 0x0123456789abcdefULL ^ s->length;
	here.kind = s->kind;
	here.length = s->length;
	if (s->kind == PACKETS_PAYLOAD) {
		if (here.length > 2 * PK_CHUNK)
			here.length = 2 * PK_CHUNK;
		here.cut = here.length > PK_CHUNK ? PK_CHUNK : (__u32)random() % (here.length + 1);
	}
	memset(here.bytes, (int)random(), sizeof(here.bytes));
	memcpy(here.bytes, s->bytes, s->length);
	there = here;
	read_here(&here);
	read_there(skel, &there);
	assert_memory_equal(&here, &there, sizeof(here));
	return here.error;
}

static void recorded_packets(void **state)
{
	const struct fixture *f = *state;

	for (unsigned int i = 0; i < f->seeds->count; i++)
		compare(f->skel, &f->seeds->at[i]);
}

static void changed_packets(const struct fixture *f, __u32 kind, int found[8])
{
	static struct seed s;
	int count = 0;

	srandom(20240229 + kind);
	for (; count < CHANGED; count++) {
		s = *seeds_pick(f->seeds, kind);
		seed_change(&s);
		found[compare(f->skel, &s) & 7]++;
	}
	printf("# %d packets:", count);
	for (int i = 0; i < 5; i++)
		printf(" %d", found[i]);
	printf("\n");
}

static void changed_questions(void **state)
{
	int found[8] = { 0 };

	changed_packets(*state, PACKETS_QUESTION, found);
	assert_true(found[PK_DNS_GOOD] > 100 && found[PK_DNS_FORM] > 100 &&
		    found[PK_DNS_TYPE] > 20);
}

static void changed_answers(void **state)
{
	int found[8] = { 0 };

	changed_packets(*state, PACKETS_ANSWER, found);
	assert_true(found[PK_DNS_GOOD] > 100 && found[PK_DNS_FORM] > 100 &&
		    found[PK_DNS_LOOP] > 20);
}

static void changed_payloads(void **state)
{
	int found[8] = { 0 };

	changed_packets(*state, PACKETS_PAYLOAD, found);
	for (int i = PK_PAYLOAD_MORE; i <= PK_PAYLOAD_BAD; i++)
		assert_true(found[i] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_packets),
		cmocka_unit_test(changed_questions),
		cmocka_unit_test(changed_answers),
		cmocka_unit_test(changed_payloads),
	};

	return cmocka_run_group_tests_name("packets", tests, setup, teardown);
}
