/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data behind W-public-suffix and W-shared-host. As of 2026-11.
 *
 * Sources: for suffixes the rules of the registries that run them and of the providers who have
 * theirs listed in the Public Suffix List (publicsuffix.org, whose text is not copied here); for the
 * other kinds the providers' own descriptions of what the name is for: GitHub ("GitHub's domains"
 * in the documentation of self-hosted runners), the object storage and CDN references of AWS, Azure
 * and Google Cloud, and the front pages of the paste, file, request and tunnel services named.
 *
 * It is a short list of what is met in policies and in reports of exfiltration, not a complete one. A
 * name is added with the reason in the commit, sorted by kind, then by name.
 */
#include "author/shared_hosts.h"

/* clang-format off */
const struct shared_host shared_hosts[] = {
	{ "ac.uk", SHARED_REGISTRY }, { "co.id", SHARED_REGISTRY }, { "co.il", SHARED_REGISTRY },
	{ "co.in", SHARED_REGISTRY }, { "co.jp", SHARED_REGISTRY }, { "co.ke", SHARED_REGISTRY },
	{ "co.kr", SHARED_REGISTRY }, { "co.nz", SHARED_REGISTRY }, { "co.th", SHARED_REGISTRY },
	{ "co.uk", SHARED_REGISTRY }, { "co.za", SHARED_REGISTRY }, { "com.ar", SHARED_REGISTRY },
	{ "com.au", SHARED_REGISTRY }, { "com.br", SHARED_REGISTRY }, { "com.cn", SHARED_REGISTRY },
	{ "com.co", SHARED_REGISTRY }, { "com.eg", SHARED_REGISTRY }, { "com.hk", SHARED_REGISTRY },
	{ "com.mx", SHARED_REGISTRY }, { "com.my", SHARED_REGISTRY }, { "com.ng", SHARED_REGISTRY },
	{ "com.pe", SHARED_REGISTRY }, { "com.ph", SHARED_REGISTRY }, { "com.pl", SHARED_REGISTRY },
	{ "com.sa", SHARED_REGISTRY }, { "com.sg", SHARED_REGISTRY }, { "com.tr", SHARED_REGISTRY },
	{ "com.tw", SHARED_REGISTRY }, { "com.ua", SHARED_REGISTRY }, { "com.vn", SHARED_REGISTRY },
	{ "edu.au", SHARED_REGISTRY }, { "gov.uk", SHARED_REGISTRY }, { "gov.au", SHARED_REGISTRY },
	{ "me.uk", SHARED_REGISTRY }, { "ne.jp", SHARED_REGISTRY }, { "net.au", SHARED_REGISTRY },
	{ "net.br", SHARED_REGISTRY }, { "net.cn", SHARED_REGISTRY }, { "net.nz", SHARED_REGISTRY },
	{ "or.jp", SHARED_REGISTRY }, { "org.au", SHARED_REGISTRY }, { "org.br", SHARED_REGISTRY },
	{ "org.cn", SHARED_REGISTRY }, { "org.nz", SHARED_REGISTRY }, { "org.uk", SHARED_REGISTRY },

	{ "amplifyapp.com", SHARED_HOSTING }, { "appspot.com", SHARED_HOSTING },
	{ "azurewebsites.net", SHARED_HOSTING }, { "bitbucket.io", SHARED_HOSTING },
	 { "blogspot.com", SHARED_HOSTING },
	{ "cloudfunctions.net", SHARED_HOSTING }, { "deno.dev", SHARED_HOSTING },
	{ "digitaloceanspaces.com", SHARED_HOSTING }, { "firebaseapp.com", SHARED_HOSTING },
	{ "firebaseio.com", SHARED_HOSTING }, { "fly.dev", SHARED_HOSTING },
	{ "github.io", SHARED_HOSTING }, { "gitlab.io", SHARED_HOSTING },
	{ "glitch.me", SHARED_HOSTING }, { "herokuapp.com", SHARED_HOSTING },
	{ "hf.space", SHARED_HOSTING },
	{ "neocities.org", SHARED_HOSTING }, { "netlify.app", SHARED_HOSTING },
	{ "on.aws", SHARED_HOSTING }, { "onrender.com", SHARED_HOSTING },
	{ "pages.dev", SHARED_HOSTING }, { "r2.dev", SHARED_HOSTING },
	{ "railway.app", SHARED_HOSTING }, { "repl.co", SHARED_HOSTING },
	{ "run.app", SHARED_HOSTING }, { "supabase.co", SHARED_HOSTING },
	{ "surge.sh", SHARED_HOSTING }, { "vercel.app", SHARED_HOSTING },
	{ "web.app", SHARED_HOSTING }, { "web.core.windows.net", SHARED_HOSTING },
	{ "wordpress.com", SHARED_HOSTING }, { "workers.dev", SHARED_HOSTING },

	{ "akamaihd.net", SHARED_CDN }, { "akamaized.net", SHARED_CDN },
	{ "amazonaws.com", SHARED_CDN }, { "azureedge.net", SHARED_CDN },
	{ "azurefd.net", SHARED_CDN }, { "b-cdn.net", SHARED_CDN },
	{ "cdn77.org", SHARED_CDN }, { "cloudapp.azure.com", SHARED_CDN },
	{ "cloudfront.net", SHARED_CDN }, { "edgekey.net", SHARED_CDN },
	{ "edgesuite.net", SHARED_CDN }, { "fastly.net", SHARED_CDN },
	{ "fastlylb.net", SHARED_CDN }, { "googleusercontent.com", SHARED_CDN },
	{ "trafficmanager.net", SHARED_CDN },

	{ "0x0.st", SHARED_CONTENT }, { "anonfiles.com", SHARED_CONTENT },
	{ "bpa.st", SHARED_CONTENT }, { "catbox.moe", SHARED_CONTENT },
	{ "cdn.discordapp.com", SHARED_CONTENT }, { "codepen.io", SHARED_CONTENT },
	{ "controlc.com", SHARED_CONTENT }, { "dpaste.com", SHARED_CONTENT },
	{ "dpaste.org", SHARED_CONTENT }, { "dropbox.com", SHARED_CONTENT },
	{ "dropboxusercontent.com", SHARED_CONTENT }, { "file.io", SHARED_CONTENT },
	{ "gist.github.com", SHARED_CONTENT }, { "gist.githubusercontent.com", SHARED_CONTENT },
	{ "gofile.io", SHARED_CONTENT }, { "hastebin.com", SHARED_CONTENT },
	{ "ix.io", SHARED_CONTENT }, { "jsfiddle.net", SHARED_CONTENT },
	{ "justpaste.it", SHARED_CONTENT }, { "litterbox.catbox.moe", SHARED_CONTENT },
	{ "mediafire.com", SHARED_CONTENT }, { "mega.nz", SHARED_CONTENT },
	{ "paste.ee", SHARED_CONTENT }, { "paste.rs", SHARED_CONTENT },
	{ "pastebin.com", SHARED_CONTENT }, { "pastes.io", SHARED_CONTENT },
	{ "pixeldrain.com", SHARED_CONTENT }, { "privatebin.net", SHARED_CONTENT },
	{ "raw.githubusercontent.com", SHARED_CONTENT }, { "rentry.co", SHARED_CONTENT },
	{ "sprunge.us", SHARED_CONTENT },
	{ "telegra.ph", SHARED_CONTENT },
	{ "temp.sh", SHARED_CONTENT }, { "termbin.com", SHARED_CONTENT },
	{ "tmpfiles.org", SHARED_CONTENT }, { "transfer.sh", SHARED_CONTENT },
	{ "user-images.githubusercontent.com", SHARED_CONTENT }, { "wetransfer.com", SHARED_CONTENT },

	{ "blob.core.windows.net", SHARED_BUCKETS }, { "r2.cloudflarestorage.com", SHARED_BUCKETS },
	{ "s3.amazonaws.com", SHARED_BUCKETS }, { "storage.googleapis.com", SHARED_BUCKETS },

	{ "api.telegram.org", SHARED_COLLECT }, { "beeceptor.com", SHARED_COLLECT },
	{ "burpcollaborator.net", SHARED_COLLECT }, { "canarytokens.com", SHARED_COLLECT },
	{ "discord.com", SHARED_COLLECT }, { "discordapp.com", SHARED_COLLECT },
	{ "dnslog.cn", SHARED_COLLECT }, { "hookb.in", SHARED_COLLECT },
	{ "hooks.slack.com", SHARED_COLLECT }, { "httpbin.org", SHARED_COLLECT },
	{ "interact.sh", SHARED_COLLECT }, { "mockbin.org", SHARED_COLLECT },
	{ "oast.fun", SHARED_COLLECT }, { "oast.live", SHARED_COLLECT },
	{ "oast.me", SHARED_COLLECT }, { "oast.online", SHARED_COLLECT },
	{ "oast.pro", SHARED_COLLECT }, { "oast.site", SHARED_COLLECT },
	{ "oastify.com", SHARED_COLLECT }, { "pipedream.net", SHARED_COLLECT },
	{ "requestbin.com", SHARED_COLLECT }, { "requestbin.net", SHARED_COLLECT },
	{ "requestcatcher.com", SHARED_COLLECT }, { "webhook.site", SHARED_COLLECT },

	{ "bore.pub", SHARED_TUNNEL }, { "devtunnels.ms", SHARED_TUNNEL },
	{ "loca.lt", SHARED_TUNNEL }, { "localhost.run", SHARED_TUNNEL },
	{ "localtunnel.me", SHARED_TUNNEL }, { "lhr.life", SHARED_TUNNEL },
	{ "ngrok.app", SHARED_TUNNEL }, { "ngrok.dev", SHARED_TUNNEL },
	{ "ngrok.io", SHARED_TUNNEL }, { "ngrok-free.app", SHARED_TUNNEL },
	{ "serveo.net", SHARED_TUNNEL }, { "trycloudflare.com", SHARED_TUNNEL },
};
/* clang-format on */

const size_t shared_host_count = sizeof(shared_hosts) / sizeof(*shared_hosts);
