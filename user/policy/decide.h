/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an image says about one act: the host's entry points to picket/match.h, with the same
 * verdict on every failure as the kernel's hooks. Images must have passed image_validate().
 */
#ifndef PICKET_POLICY_DECIDE_H
#define PICKET_POLICY_DECIDE_H

#include <stdbool.h>

#include "policy/image.h"
#include "policy/matcher.h"

/** The matcher's view of an image, valid as long as its bytes are. */
static inline struct pk_view image_view(const struct policy_image *image)
{
	return (struct pk_view){ image->bytes, (__u32)(image->size >> PK_PAGE_SHIFT) };
}

/**
 * The rule sets of the absolute @path (no trailing slash; "/" is the root). Returns 0;
 * -ENAMETOOLONG over PK_PATH_MAX bytes; -EIO for a broken image.
 */
int decide_path_sets(const struct policy_image *image, const char *path, struct pk_sets *ret_sets);

/** The rule sets of an address (IPv4 as ::ffff:a.b.c.d). 0, or -EIO for a broken image. */
int decide_address_sets(const struct policy_image *image, const __u8 address[16],
			struct pk_sets *ret_sets);

/**
 * Judge @query against the absolute @path. Always stores a result; what cannot be judged is denied,
 * the reason says why. Returns 0, or the error behind such a denial.
 */
int decide_path_query(const struct policy_image *image, const char *path,
		      const struct pk_query *query, struct pk_result *ret_result);

/**
 * Judge @access (nibble, every bit must be allowed) to @path in @section, asked by a program that no
 * rule names. Always stores a result; what cannot be judged is denied, the reason says why. Returns 0, or the error
 * behind such a denial.
 */
int decide_path(const struct policy_image *image, enum pk_section section, __u8 access,
		const char *path, struct pk_result *ret_result);

/**
 * The answer of two sections that both must allow, @first being asked first: the stricter one; of
 * equal ones the first, for it ends the call, but of two that allow the second.
 */
struct pk_result decide_stricter(const struct pk_result *first, const struct pk_result *second);

/**
 * Judge running the program @path as the kernel does: by the files section as PK_ACCESS_EXEC, then
 * by the exec section, decide_stricter().
 */
int decide_exec(const struct policy_image *image, const char *path, struct pk_result *ret_result);

/** The same, asked by a program with the bits @subjects. */
int decide_exec_as(const struct policy_image *image, const char *path, __u32 subjects,
		   struct pk_result *ret_result);

/** Judge @query, which has the port, against @address (IPv4 as ::ffff:a.b.c.d). */
int decide_address_query(const struct policy_image *image, const __u8 address[16],
			 const struct pk_query *query, struct pk_result *ret_result);

/** The same, asked by a program that no rule names: reaching @port at @address by @access (PK_ACCESS_TCP, PK_ACCESS_UDP). */
int decide_address(const struct policy_image *image, const __u8 address[16], __u16 port,
		   __u8 access, struct pk_result *ret_result);

/** An address (IPv4 as ::ffff:a.b.c.d) as the matcher takes it. */
struct pk_address decide_address_key(const __u8 address[16]);

/** The rule set of the host name @host in its canonical form. 0, -ENAMETOOLONG or -EIO. */
int decide_host_set(const struct policy_image *image, const char *host, __u32 *ret_set);

/**
 * May the host name @host be asked for? PK_REASON_UNJUDGED where DNS is not looked at. Always stores a
 * result; returns 0, or the error behind a denial.
 */
int decide_name(const struct policy_image *image, const char *host, struct pk_result *ret_result);

/** True for questions to one of the policy's resolvers: they are judged one by one, by their names. */
bool decide_is_resolver(const struct policy_image *image, const __u8 address[16],
			const struct pk_query *query);

/** A destination: an address, a host name, or an address that was learned for a host name. */
struct decide_target {
	const __u8 *address; /* 16 bytes, or NULL: some address that no rule is about */
	const char *host; /* canonical, or NULL */
};

/** What a verdict about a destination comes from. */
enum decide_by {
	DECIDE_BY_ADDRESS, /* the address alone */
	DECIDE_BY_NAME, /* the name was looked at too */
	DECIDE_BY_RESOLVER, /* it is one: what is judged are the questions */
};

/** What is looked at in the first bytes of an allowed connection. */
enum decide_check {
	DECIDE_CHECK_NONE,
	DECIDE_CHECK_NAME, /* they must say a server's name that is allowed */
	DECIDE_CHECK_DENIED, /* when they say one no rule may deny it */
};

/** The verdict about a destination. */
struct decided {
	struct pk_result result;
	struct pk_sets sets; /* rule sets that were asked */
	enum decide_by by;
	enum decide_check check;
};

/**
 * Judge @query, which has the port, about @to as the kernel does: by the address; where that does not
 * allow and no rule denies it, by the name too. Always stores a verdict; returns 0, or the error behind
 * a denial.
 */
int decide_destination(const struct policy_image *image, const struct decide_target *to,
		       const struct pk_query *query, struct decided *ret_decided);

/** The same for a name alone. */
int decide_host(const struct policy_image *image, const char *host, const struct pk_query *query,
		struct pk_result *ret_result);

/** The bits that the program @path has in rules with `by`. 0, or the error that it has none for. */
int decide_subjects(const struct policy_image *image, const char *path, __u32 *ret_subjects);

/**
 * Judge a connection or a datagram to the abstract unix socket @name (without NUL in front), asked
 * by a program with the bits @subjects. Names with NUL bytes inside are the kernel's to deny.
 */
int decide_abstract(const struct policy_image *image, const char *name, __u32 subjects,
		    struct pk_result *ret_result);

/** What the process section says of a switch: PK_REASON_GUARD when it is refused. */
struct pk_result decide_guard(const struct policy_image *image, enum pk_guard guard);

/** What the section syscalls says of the call @name: PK_REASON_RULE when it is refused, else its default. */
struct pk_result decide_syscall(const struct policy_image *image, const char *name);

/**
 * Judge a command by its key of @length bytes (program and arguments, each with a NUL behind it)
 * with @query; PK_ACCESS_COMMAND of section exec is the one to ask. Returns 0; -E2BIG over
 * PK_COMMAND_MAX; -EIO for a broken image, or one that has no automaton for commands.
 */
int decide_command_key(const struct policy_image *image, const __u8 *key, size_t length,
		       const struct pk_query *query, struct pk_result *ret_result);

/**
 * The rule sets of @program, with a '/' in front if it has none, called with the words of the
 * NULL-terminated @argv behind the first. Errors as above.
 */
int decide_command_sets(const struct policy_image *image, const char *program, char *const *argv,
			struct pk_sets *ret_sets);

/**
 * Judge starting @program (absolute, resolved) with the NULL-terminated @argv, asked by a program
 * with the bits @subjects: as decide_exec_as(), and where rules look at command lines by
 * the program with argv[1] and so on, and by argv[0] in the program's place, which cannot allow.
 * What a script adds (its interpreter's command line) is not known here. Errors as above.
 */
int decide_command(const struct policy_image *image, const char *program, char *const *argv,
		   __u32 subjects, struct pk_result *ret_result);

/** Run the path automata over @path; the states reached. 0, -ENAMETOOLONG, -EIO. */
int image_path_states(const struct policy_image *image, const char *path,
		      struct pk_states *ret_states);

/**
 * The state of the command automaton behind @path and the byte @behind: '/' for programs below it,
 * NUL for it as a program. 0 when no rule looks at command lines. Returns 0, -E2BIG, -EIO.
 */
int image_command_state(const struct policy_image *image, const char *path, char behind,
			__u32 *ret_state);

/**
 * True when everything below directory @path_a has the very rules that the same name below
 * @path_b has: each automaton, that of commands too, is in one state behind "A/" and "B/". False
 * also when it cannot tell.
 */
bool image_same_below(const struct policy_image *image, const char *path_a, const char *path_b);

#endif
