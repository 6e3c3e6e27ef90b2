/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches as bodies of HTTP requests: OTLP logs, or a JSON array for a webhook. What the server says
 * decides: 2xx is delivered; 408, 429, 5xx, and what is wrong with the request but not with the records
 * (401, 403, 404, 407) is tried again; any other answer refuses the records.
 *
 * A signed body has the header "Picket-Signature: sha256=HEX", the HMAC-SHA256 of the bytes that are sent.
 */
/* Its functions are called by their addresses: its macros about types do not know these. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <errno.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/library.h"
#include "base/mem.h"
#include "sink/http_answer.h"
#include "sink/out.h"

#define ANSWER_MAX 8192
/* A server may ask for more patience than this, but not get it. */
#define AFTER_MAX 300

/** What is called of libcurl. */
struct curl_functions {
	typeof(curl_global_init) *curl_global_init;
	typeof(curl_easy_init) *curl_easy_init;
	typeof(curl_easy_setopt) *curl_easy_setopt;
	typeof(curl_easy_perform) *curl_easy_perform;
	typeof(curl_easy_getinfo) *curl_easy_getinfo;
	typeof(curl_easy_strerror) *curl_easy_strerror;
	typeof(curl_easy_cleanup) *curl_easy_cleanup;
	typeof(curl_slist_append) *curl_slist_append;
	typeof(curl_slist_free_all) *curl_slist_free_all;
};

static const struct library_function functions[] = {
	LIBRARY_FUNCTION(struct curl_functions, curl_global_init),
	LIBRARY_FUNCTION(struct curl_functions, curl_easy_init),
	LIBRARY_FUNCTION(struct curl_functions, curl_easy_setopt),
	LIBRARY_FUNCTION(struct curl_functions, curl_easy_perform),
	LIBRARY_FUNCTION(struct curl_functions, curl_easy_getinfo),
	LIBRARY_FUNCTION(struct curl_functions, curl_easy_strerror),
	LIBRARY_FUNCTION(struct curl_functions, curl_easy_cleanup),
	LIBRARY_FUNCTION(struct curl_functions, curl_slist_append),
	LIBRARY_FUNCTION(struct curl_functions, curl_slist_free_all),
};
_Static_assert(sizeof(functions) / sizeof(functions[0]) ==
		       sizeof(struct curl_functions) / sizeof(void (*)(void)),
	       "each has its address");

struct out {
	const struct sink_settings *settings;
	struct curl_functions lib;
	const struct format_machine *machine;
	CURL *curl;
	struct curl_slist *headers; /* that every request has */
	char *key; /* of the signature, or NULL */
	size_t key_length;
	char answer[ANSWER_MAX]; /* the beginning of it */
	size_t answer_length;
	size_t batch; /* records at once at most: less after "too large" */
};

/* --- Opening -------------------------------------------------------------------------------------- */

static int add_header(struct out *out, const char *line)
{
	struct curl_slist *grown = out->lib.curl_slist_append(out->headers, line);

	if (!grown)
		return -ENOMEM;
	out->headers = grown;
	return 0;
}

/* Lines "Name: value"; nothing of the file is in what is said about it. */
static int read_headers(struct out *out, char error[236])
{
	CLEAN_FREE char *text = NULL;
	char *rest = NULL;
	unsigned int number = 0;
	int r = out_read_secret(&out->settings->headers, &text, error);

	for (char *line = text; r == 0 && line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		number++;
		if (!*line || *line == '#')
			continue;
		if (*line == ':' || !strchr(line, ':')) {
			out_say(error, "'%s' line %u is not 'Name: value'",
				out->settings->headers.path, number);
			return -EINVAL;
		}
		r = add_header(out, line);
	}
	return r;
}

static int read_key(struct out *out, char error[236])
{
	int r = out_read_secret(&out->settings->hmac_key, &out->key, error);

	if (r)
		return r;
	out->key_length = strcspn(out->key, "\r\n");
	if (out->key_length)
		return 0;
	out_say(error, "the key '%s' is empty", out->settings->hmac_key.path);
	return -EINVAL;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct out *out = context;
	size_t length = size * count;
	size_t room = ANSWER_MAX - 1 - out->answer_length;

	memcpy(out->answer + out->answer_length, bytes, length < room ? length : room);
	out->answer_length += length < room ? length : room;
	return length;
}

static int set_options(struct out *out)
{
	const struct sink_settings *settings = out->settings;
	typeof(curl_easy_setopt) *setopt = out->lib.curl_easy_setopt;
	CURL *curl = out->curl;
	int failed = 0;

	failed |= setopt(curl, CURLOPT_URL, settings->url) != CURLE_OK;
	failed |= setopt(curl, CURLOPT_POST, 1L) != CURLE_OK;
	failed |= setopt(curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	failed |= setopt(curl, CURLOPT_TIMEOUT, (long)settings->timeout) != CURLE_OK;
	failed |= setopt(curl, CURLOPT_USERAGENT, "picket/" PICKET_VERSION) != CURLE_OK;
	failed |= setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK;
	failed |= setopt(curl, CURLOPT_WRITEFUNCTION, take_answer) != CURLE_OK;
	failed |= setopt(curl, CURLOPT_WRITEDATA, out) != CURLE_OK;
	if (settings->ca)
		failed |= setopt(curl, CURLOPT_CAINFO, settings->ca) != CURLE_OK;
	return failed ? -ENOTSUP : 0;
}

static int open_parts(struct out *out, char error[236])
{
	const struct sink_settings *settings = out->settings;
	const struct library curl = { "libcurl.so.4", functions,
				      sizeof(functions) / sizeof(functions[0]) };
	int r = library_load(&curl, &out->lib, error, 236);

	if (r)
		return r;
	if (out->lib.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		out->curl = out->lib.curl_easy_init();
	if (!out->curl)
		return -ENOMEM;
	r = set_options(out);
	if (r == 0)
		r = add_header(out, settings->format == FORMAT_OTLP_PROTOBUF ?
					    "Content-Type: application/x-protobuf" :
					    "Content-Type: application/json");
	/* Nothing is gained by asking first whether a body may be sent. */
	if (r == 0)
		r = add_header(out, "Expect:");
	if (r == 0 && settings->gzip)
		r = add_header(out, "Content-Encoding: gzip");
	if (r == 0 && settings->headers.path)
		r = read_headers(out, error);
	if (r == 0 && settings->hmac_key.path)
		r = read_key(out, error);
	return r;
}

static void close_out(struct out **out)
{
	if (*out) {
		if ((*out)->headers)
			(*out)->lib.curl_slist_free_all((*out)->headers);
		if ((*out)->curl)
			(*out)->lib.curl_easy_cleanup((*out)->curl);
		free((*out)->key);
	}
	free(*out);
	*out = NULL;
}

static int open_out(const struct sink_settings *settings, const struct format_machine *machine,
		    struct out **ret_out, char error[236])
{
	CLEAN(close_out) struct out *out = calloc(1, sizeof(*out));
	int r;

	if (!out)
		return -ENOMEM;
	out->settings = settings;
	out->machine = machine;
	out->batch = sizeof(((struct out_batch *)0)->lines) / sizeof(void *);
	r = open_parts(out, error);
	if (r)
		return r;
	*ret_out = TAKE_PTR(out);
	return 0;
}

/* --- Bodies --------------------------------------------------------------------------------------- */

/* A JSON array of the lines of format_batch(): each is a value of its own. */
static int make_array(struct format_text *text)
{
	char *bytes = malloc(text->length + 3);
	size_t length = 0;

	if (!bytes)
		return -ENOMEM;
	bytes[length++] = '[';
	for (size_t i = 0; i < text->length; i++)
		bytes[length++] = text->bytes[i] == '\n' ? ',' : text->bytes[i];
	bytes[length > 1 ? length - 1 : length++] = ']';
	bytes[length] = '\0';
	free(text->bytes);
	*text = (struct format_text){ bytes, length };
	return 0;
}

static int compress_body(struct format_text *text)
{
	z_stream zip = { 0 };
	CLEAN_FREE char *bytes = NULL;
	uLong room;
	int r;

	/* 16 more than the window: the head of gzip. */
	if (deflateInit2(&zip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		return -ENOMEM;
	room = deflateBound(&zip, (uLong)text->length);
	bytes = malloc(room + 1);
	zip.next_in = (Bytef *)text->bytes;
	zip.avail_in = (uInt)text->length;
	zip.next_out = (Bytef *)bytes;
	zip.avail_out = (uInt)room;
	r = bytes ? deflate(&zip, Z_FINISH) : Z_MEM_ERROR;
	(void)deflateEnd(&zip);
	if (r != Z_STREAM_END)
		return -ENOMEM;
	free(text->bytes);
	*text = (struct format_text){ TAKE_PTR(bytes), zip.total_out };
	return 0;
}

static int make_body(const struct out *out, const struct out_batch *batch, size_t count,
		     struct format_text *ret)
{
	enum format format = out->settings->format;
	int r = out_render_batch(format, batch, count, out->machine, ret);

	if (r == 0 && format != FORMAT_OTLP_JSON && format != FORMAT_OTLP_PROTOBUF)
		r = make_array(ret);
	if (r == 0 && out->settings->gzip)
		r = compress_body(ret);
	return r;
}

static int sign(const struct out *out, const struct format_text *body, char header[128])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	size_t at = (size_t)snprintf(header, 128, "Picket-Signature: sha256=");

	if (!HMAC(EVP_sha256(), out->key, (int)out->key_length, (unsigned char *)body->bytes,
		  body->length, digest, &length))
		return -ENOMEM;
	for (unsigned int i = 0; i < length; i++)
		at += (size_t)snprintf(header + at, 128 - at, "%02x", digest[i]);
	return 0;
}

/* --- Requests ------------------------------------------------------------------------------------- */

/* Post it: 0 with the status in *@ret_status, or -errno with a sentence. */
static int post(struct out *out, const struct format_text *body, long *ret_status, char error[236])
{
	typeof(curl_easy_setopt) *setopt = out->lib.curl_easy_setopt;
	struct curl_slist last = { .next = out->headers };
	char signature[128] = "";
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;

	if (out->key && sign(out, body, signature))
		return -ENOMEM;
	last.data = signature;
	out->answer_length = 0;
	(void)setopt(out->curl, CURLOPT_HTTPHEADER, out->key ? &last : out->headers);
	(void)setopt(out->curl, CURLOPT_ERRORBUFFER, why);
	(void)setopt(out->curl, CURLOPT_POSTFIELDS, body->bytes);
	(void)setopt(out->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->length);
	code = out->lib.curl_easy_perform(out->curl);
	(void)setopt(out->curl, CURLOPT_ERRORBUFFER, NULL);
	(void)setopt(out->curl, CURLOPT_POSTFIELDS, NULL);
	(void)setopt(out->curl, CURLOPT_HTTPHEADER, NULL);
	out->answer[out->answer_length] = '\0';
	if (code != CURLE_OK) {
		out_say(error, "cannot post to '%s': %s", out->settings->url,
			*why ? why : out->lib.curl_easy_strerror(code));
		return -EIO;
	}
	(void)out->lib.curl_easy_getinfo(out->curl, CURLINFO_RESPONSE_CODE, ret_status);
	return 0;
}

static void judge(struct out *out, size_t count, long status, struct out_result *ret)
{
	curl_off_t after = 0;

	if (status >= 200 && status < 300) {
		ret->done = count;
		ret->refused = out->settings->type == SINK_OTLP ?
				       http_answer_rejected(out->answer, out->answer_length,
							    out->settings->format) :
				       0;
		if (ret->refused > count)
			ret->refused = count;
		if (ret->refused)
			out_say(ret->error, "'%s' rejected %zu records", out->settings->url,
				ret->refused);
		return;
	}
	out_say(ret->error, "'%s' answered %ld", out->settings->url, status);
	if (status == 413 && count > 1) {
		out->batch = count / 2;
	} else if (http_answer_is_final(status)) {
		ret->done = ret->refused = count;
	} else if (out->lib.curl_easy_getinfo(out->curl, CURLINFO_RETRY_AFTER, &after) ==
			   CURLE_OK &&
		   after > 0) {
		ret->after = after < AFTER_MAX ? (unsigned int)after : AFTER_MAX;
	}
}

static void send_out(struct out *out, const struct out_batch *batch, struct out_result *ret)
{
	CLEAN(format_text_reset) struct format_text body = { 0 };
	size_t count = batch->count < out->batch ? batch->count : out->batch;
	long status = 0;
	int r = make_body(out, batch, count, &body);

	/* One that is none spoils them all: by itself it is refused. */
	if (r == -EBADMSG && count > 1) {
		out->batch = 1;
		count = 1;
		r = make_body(out, batch, count, &body);
	} else if (r == 0 && count == 1 && out->batch == 1) {
		out->batch = sizeof(batch->lines) / sizeof(batch->lines[0]);
	}
	if (r == -EBADMSG) {
		ret->done = ret->refused = 1;
		out_say(ret->error, "a record cannot be written in this format");
		return;
	}
	if (r == 0)
		r = post(out, &body, &status, ret->error);
	if (r == 0)
		judge(out, count, status, ret);
	else if (!*ret->error)
		out_say(ret->error, "cannot make a request: %s", strerror(-r));
}

const struct out_type out_http = { open_out, send_out, close_out, false };
