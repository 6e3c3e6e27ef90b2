/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolv.conf is read as the C library reads it: what it passes over is passed over here.
 */
#include "policy/host_facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

static void set_v4(struct in_addr from, __u8 to[16])
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, &from, 4);
}

/* Text to address; false when it is none. The library takes what inet_aton() takes. */
static bool parse_address(char *text, __u8 ret_address[16])
{
	static const __u8 none[16];
	struct in_addr v4;

	if (inet_aton(text, &v4)) {
		/* As destination the kernel takes it for loopback. */
		if (v4.s_addr == INADDR_ANY)
			v4.s_addr = htonl(INADDR_LOOPBACK);
		set_v4(v4, ret_address);
		return true;
	}
	text[strcspn(text, "%")] = '\0';
	if (inet_pton(AF_INET6, text, ret_address) != 1)
		return false;
	if (memcmp(ret_address, none, sizeof(none)) == 0)
		ret_address[15] = 1;
	return true;
}

static void add_resolver(struct policy_host *host, const __u8 address[16])
{
	for (size_t i = 0; i < host->resolver_count; i++) {
		if (memcmp(host->resolvers[i], address, 16) == 0)
			return;
	}
	if (host->resolver_count < PK_RESOLVERS_MAX)
		memcpy(host->resolvers[host->resolver_count++], address, 16);
}

/* "nameserver", blanks, an address, and whatever else. */
static void read_line(char *line, struct policy_host *host)
{
	static const char key[] = "nameserver";
	char *value = line + strlen(key);
	__u8 address[16];

	if (strncmp(line, key, strlen(key)) != 0 || (*value != ' ' && *value != '\t'))
		return;
	value += strspn(value, " \t");
	value[strcspn(value, " \t\r\n")] = '\0';
	if (parse_address(value, address))
		add_resolver(host, address);
}

static int read_resolvers(const char *path, struct policy_host *host)
{
	CLEAN_FILE FILE *file = fopen(path, "re");
	CLEAN_FREE char *line = NULL;
	size_t size = 0;

	if (!file)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (getline(&line, &size, file) >= 0)
		read_line(line, host);
	return ferror(file) ? -EIO : 0;
}

static int add_own(struct policy_host *host, const struct sockaddr *address)
{
	struct policy_range *grown;
	struct policy_range range;

	if (!address || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
		return 0;
	if (address->sa_family == AF_INET)
		set_v4(((const struct sockaddr_in *)(const void *)address)->sin_addr, range.low);
	else
		memcpy(range.low, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
		       16);
	memcpy(range.high, range.low, 16);
	grown = reallocarray(host->own, host->own_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	host->own = grown;
	grown[host->own_count++] = range;
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct policy_range));
}

/* In one order whatever that of the interfaces is: the same policy makes the same image. */
static void sort_own(struct policy_host *host)
{
	size_t count = 0;

	if (!host->own_count)
		return;
	qsort(host->own, host->own_count, sizeof(*host->own), compare_ranges);
	for (size_t i = 0; i < host->own_count; i++) {
		if (count && compare_ranges(&host->own[count - 1], &host->own[i]) == 0)
			continue;
		host->own[count++] = host->own[i];
	}
	host->own_count = count;
}

static int read_own(struct policy_host *host)
{
	struct ifaddrs *all = NULL;
	int r = getifaddrs(&all) < 0 ? -errno : 0;

	for (const struct ifaddrs *one = all; one && r == 0; one = one->ifa_next)
		r = add_own(host, one->ifa_addr);
	if (all)
		freeifaddrs(all);
	sort_own(host);
	return r;
}

int host_facts_read(const char *resolv_conf, struct policy_host *ret_host)
{
	CLEAN(host_facts_reset) struct policy_host host = { 0 };
	int r = read_resolvers(resolv_conf, &host);

	if (r == 0)
		r = read_own(&host);
	if (r < 0)
		return r;
	*ret_host = host;
	host = (struct policy_host){ 0 };
	return 0;
}

void host_facts_reset(struct policy_host *host)
{
	free(host->own);
	*host = (struct policy_host){ 0 };
}
