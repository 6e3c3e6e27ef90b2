/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The readers of DNS messages and first payloads as the kernel runs them, callable by
 * BPF_PROG_TEST_RUN: through the real verifier and JIT, in global functions over map memory as the
 * packet programs call them.
 */
#include "picket.bpf.h"

#include "image.bpf.h"

#include "packets.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packets_io);
} packets_io SEC(".maps");

__noinline int packets_question(struct packets_io *io)
{
	if (!io)
		return 1;
	io->error = pk_dns_read_question(io->bytes, io->length, io->seed, &io->question);
	return 0;
}

__noinline int packets_answer(struct packets_io *io)
{
	if (!io)
		return 1;
	io->error = pk_dns_read_answer(io->bytes, io->length, io->seed, &io->question, &io->walk);
	return 0;
}

__noinline int packets_next(struct packets_io *io)
{
	if (!io)
		return 1;
	io->error = pk_dns_next(io->bytes, io->length, io->seed, &io->walk);
	return 0;
}

static long packets_record(__u32 index, void *arg)
{
	struct packets_io **at = arg;
	struct packets_io *io = *at;
	struct packets_record *record = &io->records[index & (PACKETS_RECORDS - 1)];

	packets_next(io);
	io->calls++;
	record->what = io->walk.what;
	record->ttl = io->walk.ttl;
	record->owner = io->walk.owner;
	record->address_hi = io->walk.address_hi;
	record->address_lo = io->walk.address_lo;
	return io->error || io->walk.what == PK_DNS_END;
}

__noinline int packets_walk(struct packets_io *io)
{
	if (!io)
		return 1;
	bpf_loop(PK_DNS_CALLS_MAX, packets_record, &io, 0);
	return 0;
}

/* A chunk of the payload: @length bytes at @from. */
__noinline int packets_feed(struct packets_io *io, __u32 from, __u32 length)
{
	if (!io)
		return 1;
	io->error = pk_payload_feed(&io->payload, io->bytes + (from & (PK_DNS_MAX - 1)), length);
	return 0;
}

SEC("syscall")
int packets_read(void *ctx)
{
	__u32 zero = 0;
	struct packets_io *io = bpf_map_lookup_elem(&packets_io, &zero);

	if (!io)
		return 1;
	if (io->kind == PACKETS_QUESTION)
		return packets_question(io);
	if (io->kind == PACKETS_ANSWER) {
		packets_answer(io);
		return io->error ? 0 : packets_walk(io);
	}
	packets_feed(io, 0, io->cut);
	return packets_feed(io, io->cut, io->length - io->cut);
}
