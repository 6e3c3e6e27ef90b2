/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layers only narrow, so each value is the smallest, and each permission needs all of them. A layer
 * without a section has no say in it.
 */
#include "policy/network_fill.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/dns.h"

#define ALL_SOCKETS ((1U << PK_SOCKET__MAX) - 1)

/** A list of resolvers. */
struct resolvers {
	const __u8 (*list)[16];
	size_t count;
};

/* Where the C library asks when nobody tells it where: it may be right, and it is what happens. */
static const __u8 own_resolver[1][16] = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0,
					    1 } };

static bool has_names(const struct policy *layer)
{
	for (size_t i = 0; i < layer->rule_count; i++) {
		const struct policy_rule *rule = &layer->rules[i];

		for (size_t j = 0; j < rule->pattern_count; j++) {
			if (rule->patterns[j].host)
				return true;
		}
	}
	return false;
}

/* Layers for which names mean something: the others have no say in how they are looked up. */
static bool uses_dns(const struct policy *layer)
{
	return layer->dns.present || has_names(layer);
}

static const struct policy_dns *dns_of(const struct policy *layer)
{
	static const struct policy_dns unsaid = DNS_UNSAID;

	return layer->dns.present ? &layer->dns : &unsaid;
}

static struct resolvers resolvers_of(const struct policy *layer, const struct policy_host *host)
{
	const struct policy_dns *dns = dns_of(layer);

	if (!dns->system)
		return (struct resolvers){ dns->resolvers, dns->resolver_count };
	if (host && host->resolver_count)
		return (struct resolvers){ host->resolvers, host->resolver_count };
	return (struct resolvers){ own_resolver, 1 };
}

static bool has_resolver(struct resolvers resolvers, const __u8 address[16])
{
	for (size_t i = 0; i < resolvers.count; i++) {
		if (memcmp(resolvers.list[i], address, 16) == 0)
			return true;
	}
	return false;
}

static void add_resolver(struct pk_dns *dns, const __u8 address[16])
{
	__u64 *to = dns->resolvers[dns->resolver_count++];

	for (int i = 0; i < 8; i++) {
		to[0] = to[0] << 8 | address[i];
		to[1] = to[1] << 8 | address[i + 8];
	}
}

static void write_address(FILE *to, const __u8 address[16])
{
	char text[INET6_ADDRSTRLEN] = "";
	bool mapped = memcmp(address, own_resolver[0], 12) == 0;

	(void)inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? address + 12 : address, text,
			sizeof(text));
	fputs(text, to);
}

/* "'site' has 192.0.2.1; 'team' has the system's 127.0.0.53", malloc'ed or NULL. */
static char *tell_resolvers(const struct policy *const *layers, size_t count,
			    const struct policy_host *host)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	const char *between = "";

	if (!to)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct resolvers resolvers = resolvers_of(layers[i], host);

		if (!uses_dns(layers[i]))
			continue;
		fprintf(to, "%s'%s' has%s", between, layers[i]->name,
			dns_of(layers[i])->system ? " the system's" : "");
		for (size_t j = 0; j < resolvers.count; j++) {
			fputs(j ? ", " : " ", to);
			write_address(to, resolvers.list[j]);
		}
		between = "; ";
	}
	return text_close(to, &text) < 0 ? NULL : text;
}

static int refuse_resolvers(const struct policy *const *layers, size_t count,
			    const struct policy_host *host, struct diag_list *diags)
{
	CLEAN_FREE char *told = tell_resolvers(layers, count, host);
	const struct diag_pos *pos = NULL;

	for (size_t i = 0; i < count; i++) {
		if (layers[i]->dns.present)
			pos = &layers[i]->dns.pos;
	}
	if (!told)
		return -ENOMEM;
	diag_hint(diag_add(diags, DIAG_ERROR, pos, "the layers have no resolver in common: %s",
			   told),
		  "write one of the higher layer's addresses under egress.dns.resolvers");
	return -EINVAL;
}

/* The resolvers that every layer with names has; 1 when there are such layers and none is left. */
static int fill_resolvers(const struct policy *const *layers, size_t count,
			  const struct policy_host *host, struct pk_dns *dns)
{
	struct resolvers first = { NULL, 0 };

	for (size_t i = 0; i < count && !first.count; i++) {
		if (uses_dns(layers[i]))
			first = resolvers_of(layers[i], host);
	}
	for (size_t j = 0; j < first.count; j++) {
		bool everywhere = true;

		for (size_t i = 0; i < count; i++)
			everywhere = everywhere &&
				     (!uses_dns(layers[i]) ||
				      has_resolver(resolvers_of(layers[i], host), first.list[j]));
		if (everywhere && dns->resolver_count < PK_RESOLVERS_MAX)
			add_resolver(dns, first.list[j]);
	}
	return first.count && !dns->resolver_count;
}

static __u32 lower(__u32 a, __u32 b)
{
	return b < a ? b : a;
}

/* The numbers of layers with names; what may be asked and learned needs all that judge egress. */
static void fill_dns(const struct policy *const *layers, size_t count, struct pk_dns *dns)
{
	__u32 rate = 0;

	dns->flags = PK_DNS_ANY_NAME | PK_DNS_PRIVATE;
	dns->min_ttl = PK_TTL_MAX;
	dns->name_max = PK_HOST_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct policy_dns *said = dns_of(layers[i]);

		if (!layers[i]->sections[PK_SECTION_EGRESS].present)
			continue;
		if (!said->any_name)
			dns->flags &= ~PK_DNS_ANY_NAME;
		if (!said->private_answers)
			dns->flags &= ~PK_DNS_PRIVATE;
		if (!uses_dns(layers[i]))
			continue;
		dns->min_ttl = lower(dns->min_ttl, said->min_ttl);
		dns->name_max = lower(dns->name_max, said->name_max);
		if (said->rate)
			rate = rate ? lower(rate, said->rate) : said->rate;
	}
	dns->rate = rate;
}

static bool wants_sni(const struct policy *const *layers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (layers[i]->sections[PK_SECTION_EGRESS].present && !layers[i]->tls.sni_off)
			return true;
	}
	return false;
}

static __u32 sockets_of(const struct policy *layer)
{
	if (layer->sockets.present)
		return layer->sockets.allow;
	if (layer->sections[PK_SECTION_EGRESS].present ||
	    layer->sections[PK_SECTION_LISTEN].present)
		return PK_SOCKETS_DEFAULT;
	return ALL_SOCKETS;
}

int network_fill(const struct policy *const *layers, size_t count,
		 const struct compile_options *options, struct pk_image *head,
		 struct diag_list *diags)
{
	const struct policy_host *host = options ? options->host : NULL;

	head->sockets = ALL_SOCKETS;
	for (size_t i = 0; i < count; i++)
		head->sockets &= sockets_of(layers[i]);
	if (wants_sni(layers, count))
		head->flags |= PK_IMAGE_SNI;
	if (fill_resolvers(layers, count, host, &head->dns))
		return refuse_resolvers(layers, count, host, diags);
	if (head->dns.resolver_count)
		fill_dns(layers, count, &head->dns);
	return 0;
}

bool network_valid(const struct pk_image *head)
{
	static const struct pk_dns none;
	const struct pk_dns *dns = &head->dns;

	if (head->sockets & ~ALL_SOCKETS || dns->_pad)
		return false;
	if (!dns->resolver_count)
		return memcmp(dns, &none, sizeof(none)) == 0;
	if (dns->resolver_count > PK_RESOLVERS_MAX)
		return false;
	for (__u32 i = 0; i < PK_RESOLVERS_MAX; i++) {
		bool used = dns->resolvers[i][0] || dns->resolvers[i][1];

		if (used != (i < dns->resolver_count))
			return false;
	}
	return !(dns->flags & ~(PK_DNS_ANY_NAME | PK_DNS_PRIVATE)) && dns->min_ttl &&
	       dns->min_ttl <= PK_TTL_MAX && dns->name_max && dns->name_max <= PK_HOST_MAX;
}
