/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All maps: what they hold, who writes them, how long an entry lives, what a full one means.
 */
#ifndef PICKET_MAPS_BPF_H
#define PICKET_MAPS_BPF_H

#include <picket/ask.h>
#include <picket/dns.h>
#include <picket/payload.h>

/** What a task was found to be. */
struct pk_label {
	__u32 agent; /* slot, 0 = nobody */
	__u32 generation; /* of the cgroups map when it was looked up, + 1; 0 = never */
	__u32 subjects; /* bits of the program it runs, pk_item.subjects; set at exec */
	__u32 words; /* argc of the execve under way, before interpreters of scripts were put in */
	__u32 script; /* command state behind the path of the file that it began with; 0 = none */
	__u32 ended; /* of a process's first thread: its end was told */
	__u64 script_image; /* in the image of this digest */
	/* A program that was started and waits for its command line to be approved: agent is 0. */
	struct pk_ask_key pending; /* pending.agent is whose it is; 0: it does not wait */
	__u64 pending_image;
	__u32 pending_rule;
	__u32 starting; /* the execve that started it may be under way; no other one was tried */
};

/** An inode: what it is known by, and not its address. */
struct pk_inode_key {
	__u64 device; /* super_block.s_dev */
	__u64 number;
};

/**
 * The automaton states behind a directory's path and a '/', and all that they depend on. Whoever
 * reads it checks every field against the present, and `check`, which makes a half-written entry
 * worthless.
 */
struct pk_dir {
	__u64 inode; /* its address */
	__u64 dentry;
	__u64 vfsmount;
	__u64 namespace; /* mount namespace of the task */
	__u64 image; /* first bytes of the digest: states mean something in that image only */
	__u32 renames; /* the kernel's rename_lock: moved when any name in the dentry tree does */
	__u32 mounts; /* its mount_lock: moved when the mount tree changes */
	__u32 states[PK_AUTOMATA];
	__u64 check; /* a hash of all above */
};

/** Where the path automata were behind a path. */
struct pk_end {
	__u64 image; /* first bytes of the digest; 0: not known */
	__u32 states[PK_AUTOMATA];
};

/** Of a dentry so much is read at once: flags, parent, name, inode are there. */
#define PK_DENTRY_BYTES 64

/** Names in directories that are known to be allowed; a power of two. */
#define PK_LEAVES_MAX 8192
/** Bytes of the longest name that is kept so. */
#define PK_LEAF_MAX 32
/** Counters of freed directories, each for many addresses; a power of two. */
#define PK_FREED_MAX 256

/**
 * A name in a directory that was allowed, with nothing to report, and all that this depends on. It has
 * no other content: whoever reads it compares every field with the present, and `check`, a hash of them,
 * which tells a half-written entry from one that was ever right. Addresses are counted from the entry's
 * own.
 */
struct pk_leaf {
	__u64 inode; /* the directory's address */
	__u64 hash; /* the kernel's own, of the name */
	__u64 rights; /* access, length of the name, bits of the program that asks */
	__u64 name[PK_LEAF_MAX / 8]; /* filled up with zeroes */
	__u64 dentry; /* the directory's, as the rest in struct pk_dir */
	__u64 vfsmount;
	__u64 namespace;
	__u64 image;
	__u64 moves; /* rename_lock and mount_lock */
	__u64 freed; /* directories freed, of those that share the counter */
	__u64 check; /* 0: nothing is known, but that the name was asked for */
};

/** One component of a path on its way from the dentry chain into text. */
struct pk_component {
	__u64 name; /* kernel address */
	__u64 dentry; /* the same */
	__u32 length;
	__u32 moves; /* dentry.d_seq: even, and another one once the dentry was moved */
};

/** What about a flow's first payload. */
enum pk_check {
	PK_CHECK_NONE, /* nothing, or it was found good */
	PK_CHECK_NAME, /* only a name allowed the connection: a server name must come, and be allowed */
	PK_CHECK_DENIED, /* when a server name comes no rule may deny it */
	PK_CHECK_BLOCKED, /* it was found bad: nothing of the flow leaves any more */
};

/** How far a connection's first payload is, struct pk_flow.started. */
enum pk_start {
	PK_START_NONE, /* its first bytes went unseen, or nothing is looked at */
	PK_START_SYN, /* next is known; there is no reader yet, or one of an earlier connection */
	PK_START_READ, /* the socket's reader is of this connection */
};

/** What a socket is about. */
enum pk_flow_kind {
	PK_FLOW_NONE,
	PK_FLOW_OUT, /* connected or sent from, to the judged destination */
	PK_FLOW_LISTEN, /* a listening socket and, inherited, those accepted from it */
};

/**
 * A socket of an agent: what was last judged for it, and who asked. Written where a destination is
 * judged: cgroup connect and sendmsg programs, and the packet programs for what nobody asked for.
 */
struct pk_flow {
	__u64 address_hi; /* the judged destination */
	__u64 address_lo;
	__u64 image; /* digest of the image it was judged by, its first bytes */
	__u64 host; /* hash of the name that allowed it; 0 = the address did */
	__u64 start_ns; /* of the process that asked */
	__u32 agent;
	__u32 subjects; /* of the program that asked */
	__u32 tgid;
	__u32 tid;
	__u32 uid;
	__u32 gid;
	__u16 port;
	__u8 access; /* PK_ACCESS_TCP, UDP, ICMP */
	__u8 kind; /* enum pk_flow_kind */
	__u32 check; /* enum pk_check */
	__u32 next; /* check: TCP sequence number of the first byte not yet looked at */
	__u8 started; /* enum pk_start */
	__u8 connected; /* the socket asked for a destination itself: it was not accepted */
	__u16 local; /* own addresses: a packet to this host was looked at */
	__u8 comm[16];
};

/** A question that a socket sent and that no answer came to yet. */
struct pk_question {
	__u64 host; /* hash of the name, pk_host_hash() */
	__u64 asked_ns; /* CLOCK_BOOTTIME; 0 = free */
	__u64 resolver_hi;
	__u64 resolver_lo;
	__u32 set; /* rule set of the name */
	__u16 id;
	__u16 type;
};

struct pk_questions {
	struct pk_question at[PK_QUESTIONS_MAX];
};

/** An address that an agent learned from an answer. */
struct pk_learned_key {
	__u64 address_hi;
	__u64 address_lo;
	__u32 agent;
	__u32 _pad;
};

/** A name that it was learned for. */
struct pk_learned_name {
	__u64 host; /* hash: the text is in pk_hosts; 0 = free */
	__u64 expires_ns; /* CLOCK_BOOTTIME */
	__u64 image; /* digest of the image that `set` is of, its first bytes: of another, worthless */
	__u32 set;
	__u32 _pad;
};

struct pk_learned {
	struct pk_learned_name names[PK_LEARNED_NAMES];
};

/** A host name by its hash, for people. */
struct pk_host {
	__u32 length;
	__u8 name[PK_HOST_BUFFER];
};

/** What a hook asks the decision for. */
struct pk_request {
	__u32 agent;
	__u8 section; /* enum pk_section */
	__u8 access; /* nibble */
	__u8 op; /* enum pk_op */
	__u8 reason; /* set by the hook: deny for this enum pk_reason without asking the image */
	__u32 flags; /* PK_REQUEST_* */
	__u32 error; /* errno of a denial, positive */
	__u64 address_hi; /* egress */
	__u64 address_lo;
	__u16 port;
	__u16 family;
	__u32 protocol;
	__u32 subjects; /* bits of the program that asks */
	__u32 target; /* tgid of the process that it is about */
	__u32 detail; /* see enum pk_op */
	__u8 target_comm[16];
	__u32 length[2]; /* of the paths in data[0..] and data[PK_PATH_MAX..]; egress: of host names */
};

/** What pk_judge() found. */
struct pk_finding {
	__u32 verdict; /* as struct pk_result */
	__u32 reason;
	__u32 rule;
	__u32 _pad;
	/* About a destination: */
	__u64 host; /* hash of the name that allows it, or of the first one it is known by; 0 = none */
	__u64 image; /* digest of the image, its first bytes */
	__u32 check; /* enum pk_check that a connection needs */
	__u32 audit; /* the image is in audit mode */
};

/** The headers of a packet. */
struct pk_packet {
	__u64 source_hi; /* struct pk_address */
	__u64 source_lo;
	__u64 target_hi;
	__u64 target_lo;
	__u16 source_port; /* ICMP: both 0 */
	__u16 target_port;
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 protocol; /* IPPROTO_* */
	__u8 access; /* PK_ACCESS_TCP, UDP, ICMP (echo requests); 0 = nothing that rules judge */
	__u8 flags; /* of TCP */
	__u32 payload; /* offset behind the last header; valid with length */
	__u32 length; /* bytes there */
	__u32 sequence; /* TCP: of the first byte, after a SYN */
	__u32 _pad;
};

/** The named path is the second one. */
#define PK_REQUEST_SECOND 1U
/** Both paths go into the event. */
#define PK_REQUEST_BOTH 2U
/** No activity record when allowed. */
#define PK_REQUEST_QUIET 4U
/** Explicit rules only, no defaults. */
#define PK_REQUEST_RULES 8U
/** Deny for `reason` even when no layer has the section. */
#define PK_REQUEST_ALWAYS 16U
/** A second look at what another hook has decided: nothing to report in audit mode. */
#define PK_REQUEST_BACKSTOP 32U
/** Deny without a record: the kernel only wonders, nobody acts. */
#define PK_REQUEST_SILENT 64U
/** A program without a path (memfd): only its words are judged. */
#define PK_REQUEST_NAMELESS 128U
/** s->asked.key is the request's. */
#define PK_REQUEST_KEYED 256U
/** The file was made by the call that opens it: who was let make it may write it by that. */
#define PK_REQUEST_MADE 512U
/** The caller of the hook hides its errno: never held. */
#define PK_REQUEST_HIDDEN 1024U
/** Put a question off: s->asked.open says that it is in s->finding. */
#define PK_REQUEST_LATER 2048U
/** About a connection that is open: a name whose time is over lets it through as before. */
#define PK_REQUEST_GOES_ON 4096U

/** A new program's command line and how far it was read, in a part of the work area. */
struct pk_command {
	__u64 start; /* user address of argv[0]; strings follow one another */
	__u64 end; /* where they certainly end */
	__u64 at; /* what is read next */
	__u32 words; /* argc */
	__u32 scripts; /* argv[1..scripts] were put in for interpreters of scripts */
	__u32 left; /* words of the key still to be read */
	__u32 used; /* bytes of the part at hand that belong to the key */
	__u32 state; /* of the automaton */
	__u32 failed; /* enum pk_reason */
	__u32 script; /* state behind the script's own path and a NUL; 0 = it has none */
	__u64 script_image; /* digest of the image that state is of, its first bytes */
};

/** How far a new program's environment was looked through. */
struct pk_variables {
	__u64 at; /* user address of what is read next */
	__u64 end; /* of the environment */
	__u32 used; /* bytes of the variables that are told */
	__u32 inside; /* `at` is inside of a variable that is not told */
};

/** A request that a rule asks about. */
struct pk_asked {
	struct pk_ask_key key;
	__u64 sip[4]; /* state of the hash while the key is made */
	__u64 cookie; /* egress: of the socket */
	__u32 grant; /* id of the answer that decided; 0 = none */
	__u32 lost; /* the event found no room in the ring */
	__u32 open; /* s->finding is an open question that was put off, PK_REQUEST_LATER */
	__u32 _pad;
};

/**
 * The work area of one running hook. `event` and `data` are adjacent, and so are `life` and `data`: they
 * leave as one record.
 * The tail keeps an over-long last component inside; such a path is denied before use.
 */
struct pk_scratch {
	__u32 busy; /* taken by a hook on this CPU */
	__u32 depth; /* components gathered */
	__u32 failed; /* enum pk_reason of the walk in progress */
	__u32 offset; /* of the text being written */
	__u64 dentry; /* where the walk is: kernel addresses */
	__u64 vfsmount; /* in: the mount to start from */
	__u64 mount; /* the struct mount around it */
	__u64 root; /* the dentry at that mount's root */
	__u32 folded; /* a component may be spelled in other ways */
	__u32 moved; /* a component was moved while it was read */
	__u32 _pad;
	__u32 unsteady; /* nothing is kept: a component may change its name without rename_lock, or
			 * the path does not decide alone */
	struct pk_dir dir; /* the object's directory as it is now; inode 0: not asked for */
	struct pk_dir known; /* what the cache has for it; inode 0: nothing valid */
	struct pk_leaf leaf; /* on its way into pk_leaves */
	__u32 walked; /* dir.states and dir.image are set */
	__u32 named; /* the name in data[] was judged behind known.states */
	struct pk_end ends[2]; /* of the two paths that were judged last */
	__u64 begun_ns; /* when it was taken, CLOCK_MONOTONIC; 0: nobody wants to know */
	struct pk_request rq;
	struct pk_finding finding;
	struct pk_finding by_address; /* what the address alone says, while names are looked at */
	struct pk_command command;
	struct pk_variables variables;
	struct pk_asked asked;
	struct pk_packet packet;
	struct pk_dns_question question;
	struct pk_dns_walk answer;
	struct pk_component components[PK_PATH_DEPTH];
	__u64 raw[PK_DENTRY_BYTES / 8]; /* the beginning of the dentry that a walk is at */
	union {
		struct pk_event event;
		struct {
			__u8 _before[sizeof(struct pk_event) - sizeof(struct pk_life)];
			struct pk_life life;
		};
	};
	__u8 data[2 * PK_PATH_MAX + PK_NAME_MAX + 1];
};

/** An image: an array of its pages. */
struct pk_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_RDONLY_PROG);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, PK_PAGE_SIZE);
};

/**
 * Slot -> the agent's image. Written by user space only, each change one update; the inner map is
 * frozen first. An empty slot denies.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PK_AGENTS_MAX);
	__type(key, __u32);
	__array(values, struct pk_image_map);
} pk_images SEC(".maps") __weak;

/** Slot -> counters. Programs add, user space reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PK_AGENTS_MAX);
	__type(key, __u32);
	__type(value, struct pk_agent);
} pk_agents SEC(".maps") __weak;

/** Cgroup id -> slot. Written by user space; full means that no agent is added. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PK_AGENTS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} pk_cgroups SEC(".maps") __weak;

/**
 * Slot -> refused system calls, of agents that have no seccomp filter. Written by user space before
 * the agent is; exists only where such an agent needs it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PK_AGENTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct pk_refused);
} pk_refused_map SEC(".maps") __weak;

/**
 * Task -> label. Made at the first hook a task runs into and at fork; dies with the task. When
 * there is no memory for it a fork is refused and other hooks judge by the cgroup.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pk_label);
} pk_labels SEC(".maps") __weak;

/**
 * Work areas. A hook may be preempted in the middle of its work, so an area is taken and given
 * back; none free denies.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct pk_scratch);
} pk_scratches SEC(".maps") __weak;

/**
 * Inodes that are picket's own: its program, the policy's files, the folders of its record. Written by
 * user space before an agent starts; a full one means that the agent is not started. Values: enum
 * pk_own_flag.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PK_OWN_MAX);
	__type(key, struct pk_inode_key);
	__type(value, __u32);
} pk_own SEC(".maps") __weak;

/**
 * Directory, by its inode's address -> states. Made when a file in it is first walked for an agent,
 * deleted when the inode is freed; a full table drops the least recently used. Not in inode storage:
 * tier modify-return has none, and verifiers of 6.18 and later do not take the inode that a hook
 * finds through file.f_path.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PK_DIRS_MAX);
	__type(key, __u64);
	__type(value, struct pk_dir);
} pk_dirs SEC(".maps") __weak;

/**
 * Names that are known to be allowed, each at the place that its hash gives it. Made when
 * the directory cache allows a name for the second time; another name may take the place any time.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PK_LEAVES_MAX);
	__type(key, __u32);
	__type(value, struct pk_leaf);
} pk_leaves SEC(".maps") __weak;

/** How many directories were freed, of those whose inodes' addresses share a counter. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PK_FREED_MAX);
	__type(key, __u32);
	__type(value, __u64);
} pk_freed SEC(".maps") __weak;

/**
 * Socket -> what was judged for it. Made when an agent's socket is first judged, dies with it; a
 * listening socket's is inherited by those accepted from it. No memory: denied.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct pk_flow);
} pk_flows SEC(".maps") __weak;

/** Socket -> how far its first payload was read, from its first byte on. No memory: dropped. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pk_payload);
} pk_payloads SEC(".maps") __weak;

/** Socket -> its open questions to resolvers. No memory: the question is dropped. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pk_questions);
} pk_asked SEC(".maps") __weak;

/** Address of an agent -> the names it was learned for. Full: the least recently used goes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PK_LEARNED_MAX);
	__type(key, struct pk_learned_key);
	__type(value, struct pk_learned);
} pk_learned_map SEC(".maps") __weak;

/** Hash -> host name, for events and the table of names only: no verdict depends on it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PK_HOSTS_MAX);
	__type(key, __u64);
	__type(value, struct pk_host);
} pk_hosts SEC(".maps") __weak;

/**
 * Thread -> bits of the program it runs, left by the LSM hook for the cgroup program that runs next in
 * the same system call and has no task storage. Missing: denied where the image has subjects.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} pk_askers SEC(".maps") __weak;

/**
 * Key -> answer. Written by user space, which also takes away what is over; the programs count uses down.
 * Full: no further answer can be given. Not in the memory of hosts without answers.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PK_GRANTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pk_ask_key);
	__type(value, struct pk_grant);
} pk_grants SEC(".maps") __weak;

/**
 * Thread -> what it waits for, stopped. Made by the programs, deleted by them when it is decided or the
 * thread ends, and by user space when it lets the thread go on. Full: refused instead of held.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PK_HELD_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct pk_hold);
} pk_held SEC(".maps") __weak;

/**
 * Socket, by its cookie -> hash of the request that was granted for it: what a hook was told, for the
 * cgroup programs, which see the same call and its packets. Forgotten: refused there.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PK_HELD_MAX);
	__type(key, __u64);
	__type(value, __u64[2]);
} pk_granted SEC(".maps") __weak;

/** Operation -> how long sampled decisions about it took. Programs add, user space reads. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PK_OP__MAX);
	__type(key, __u32);
	__type(value, struct pk_latency);
} pk_latency SEC(".maps") __weak;

/** Denials and asks. Full: the record is lost and counted in PK_COUNT_DECISION_LOST. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PK_DECISIONS_BYTES);
} pk_decisions SEC(".maps") __weak;

/**
 * Allowed work that a policy asks to see, and the lives of agents' processes. Full: counted in
 * PK_COUNT_ACTIVITY_LOST and PK_COUNT_LIFE_LOST.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PK_ACTIVITY_BYTES);
} pk_activity SEC(".maps") __weak;

#endif
