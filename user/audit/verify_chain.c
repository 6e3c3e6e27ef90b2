/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chain. After a fault it goes on from what it found, so that each change is told where it is and
 * once.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/verify_parts.h"
#include "base/mem.h"

static const char changed_remedy[] =
	"compare with a copy, a sink or a backup; what the record says is not to be relied on";
static const char order_remedy[] =
	"compare with a copy, a sink or a backup for what was here; keep this one as evidence";

void verify_tell(struct verifier *verifier, const struct verify_place *place, const char *remedy,
		 const char *format, ...)
{
	CLEAN_FREE char *what = NULL;
	struct verify_fault fault = {
		.file = place->file,
		.line = place->line,
		.seq = place->head.seq,
		.remedy = remedy,
	};
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&what, format, arguments) < 0)
		what = NULL;
	va_end(arguments);
	fault.what = what ? what : "it is not as it was written";
	verifier->summary->faults++;
	verifier->options->fault(verifier->options->context, &fault);
}

static bool chains(const struct verify_place *place, const char *prev)
{
	return !place->unknown && strcmp(place->head.hash, prev) == 0;
}

/* The last one or the one before it was changed: which, the next one's @prev tells. */
static void settle(struct verifier *verifier, const char *prev, __u64 seq)
{
	struct verify_chain *chain = &verifier->chain;

	if (!chain->doubted)
		return;
	chain->doubted = false;
	if (prev && chains(&chain->other, prev) && seq == chain->other.head.seq + 1) {
		verify_tell(verifier, &chain->last, order_remedy,
			    "this record was put in: the one behind it follows the one before it");
		chain->has_other = true;
	} else if (prev && chains(&chain->last, prev)) {
		verify_tell(verifier, &chain->other, changed_remedy,
			    "this record was changed: the next one has another hash of it");
	} else {
		verify_tell(verifier, &chain->last, changed_remedy,
			    "this record was changed: neither is it chained to the one before it, "
			    "nor is the next one chained to it");
		chain->last.unknown = true;
	}
}

/* Not where it belongs, by its number. */
static void tell_order(struct verifier *verifier, const struct verify_place *place)
{
	__u64 wanted = verifier->chain.last.head.seq + 1;

	if (verifier->chain.last.unbound)
		verify_tell(
			verifier, place, order_remedy,
			"records are missing before this one, or the one before it, the first there "
			"is, was changed");
	else if (place->head.seq == wanted - 1)
		verify_tell(
			verifier, place, order_remedy,
			"two records have the number %llu: this one or the one before it was put in",
			(unsigned long long)place->head.seq);
	else if (place->head.seq < wanted)
		verify_tell(verifier, place, order_remedy,
			    "this record is out of order, or put in: record %llu belongs here",
			    (unsigned long long)wanted);
	else if (place->head.seq == wanted + 1)
		verify_tell(verifier, place, order_remedy,
			    "record %llu, which belongs before this one, is missing or was moved",
			    (unsigned long long)wanted);
	else
		verify_tell(verifier, place, order_remedy,
			    "records %llu to %llu, which belong before this one, are missing or "
			    "were moved",
			    (unsigned long long)wanted, (unsigned long long)place->head.seq - 1);
}

void verify_follow(struct verifier *verifier, struct verify_place *place, const char *prev)
{
	struct verify_chain *chain = &verifier->chain;
	__u64 wanted = chain->last.head.seq + 1;
	bool numbered = place->head.seq == wanted;
	bool has_other;

	settle(verifier, prev, place->head.seq);
	has_other = chain->has_other;
	chain->has_other = false;
	if (!chain->begun || (numbered && (chain->last.unknown || chains(&chain->last, prev)))) {
		place->unbound = !chain->begun;
		chain->begun = true;
	} else if (has_other && place->head.seq == chain->other.head.seq + 1 &&
		   chains(&chain->other, prev)) {
		/* The last one was put in, which was told. */
	} else if (numbered) {
		chain->other = chain->last;
		chain->doubted = true;
	} else if (chains(&chain->last, prev)) {
		verify_tell(
			verifier, place, changed_remedy,
			"this record was changed: it is chained to record %llu, and has not the "
			"number after it",
			(unsigned long long)wanted - 1);
		chain->other = chain->last;
		chain->has_other = true;
		place->head.seq = wanted;
		place->unknown = true;
	} else {
		tell_order(verifier, place);
		chain->other = chain->last;
		chain->has_other = true;
	}
	chain->last = *place;
}

void verify_break(struct verifier *verifier, const struct verify_place *place, const char *why)
{
	struct verify_chain *chain = &verifier->chain;
	struct verify_place broken = *place;

	settle(verifier, NULL, 0);
	broken.head.seq = chain->begun ? chain->last.head.seq + 1 : 0;
	broken.head.hash[0] = '\0';
	broken.unknown = true;
	verify_tell(verifier, &broken, changed_remedy, "this line is no record: %s", why);
	chain->other = chain->last;
	chain->has_other = chain->begun;
	chain->last = broken;
}

/* The last record, against what the head file says of it. */
static void compare_last(struct verifier *verifier, const struct audit_head *head)
{
	struct verify_chain *chain = &verifier->chain;
	bool same = head && head->seq == chain->last.head.seq;

	if (chain->doubted && same && chains(&chain->last, head->hash)) {
		settle(verifier, head->hash, 0);
	} else if (chain->doubted) {
		chain->doubted = false;
		verify_tell(verifier, &chain->last, changed_remedy,
			    "this record or the one before it was changed");
	} else if (same && !chain->last.unknown && !chains(&chain->last, head->hash)) {
		verify_tell(verifier, &chain->last, changed_remedy,
			    "this record was changed: the file '" AUDIT_HEAD_FILE
			    "' has another hash of it");
	}
}

void verify_end(struct verifier *verifier, const struct audit_head *head)
{
	struct verify_chain *chain = &verifier->chain;

	if (!chain->begun)
		return;
	compare_last(verifier, head);
	if (head && head->seq > chain->last.head.seq)
		verify_tell(
			verifier, &chain->last, order_remedy,
			"the trail was cut behind this record: %llu records are missing, by the "
			"file '" AUDIT_HEAD_FILE "'",
			(unsigned long long)(head->seq - chain->last.head.seq));
}
