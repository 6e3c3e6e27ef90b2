/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys and words are those of the policy language.
 */
#include "policy/dump_network.h"

#include <stdbool.h>
#include <string.h>

#include "policy/sockets.h"

void dump_address(__u64 hi, __u64 lo, char ret_text[static INET6_ADDRSTRLEN])
{
	bool v4 = hi == 0 && lo >> 32 == 0xffff;
	__u8 bytes[16];

	for (int i = 0; i < 8; i++) {
		bytes[i] = (__u8)(hi >> (56 - 8 * i));
		bytes[i + 8] = (__u8)(lo >> (56 - 8 * i));
	}
	*ret_text = '\0';
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, ret_text,
			INET6_ADDRSTRLEN);
}

static void write_dns(const struct pk_dns *dns, FILE *to)
{
	char text[INET6_ADDRSTRLEN];

	fputs("  dns.resolvers       ", to);
	if (!dns->resolver_count) {
		fputs("none: DNS is not looked at\n", to);
		return;
	}
	for (__u32 i = 0; i < dns->resolver_count; i++) {
		dump_address(dns->resolvers[i][0], dns->resolvers[i][1], text);
		fprintf(to, "%s%s", i ? ", " : "", text);
	}
	fprintf(to, "\n  dns.names           %s\n",
		dns->flags & PK_DNS_ANY_NAME ? "any" : "allowed");
	fprintf(to, "  dns.private_answers %s\n", dns->flags & PK_DNS_PRIVATE ? "allow" : "deny");
	fprintf(to, "  dns.min_ttl         %us\n", dns->min_ttl);
	fprintf(to, "  dns.max_name        %u\n", dns->name_max);
	if (dns->rate)
		fprintf(to, "  dns.rate            %u/s\n", dns->rate);
	else
		fputs("  dns.rate            off\n", to);
}

void dump_network(const struct pk_image *head, FILE *to)
{
	const char *between = "";

	fputs("  sockets.allow       ", to);
	for (unsigned int kind = 0; kind < PK_SOCKET__MAX; kind++) {
		if (!(head->sockets >> kind & 1))
			continue;
		fprintf(to, "%s%s", between, sockets_word(kind));
		between = ", ";
	}
	fputs(*between ? "\n" : "none\n", to);
	fprintf(to, "  tls.sni             %s\n", head->flags & PK_IMAGE_SNI ? "match" : "off");
	write_dns(&head->dns, to);
}
