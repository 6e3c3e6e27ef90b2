/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text into HTML, and the look of the report. What a reader must not be deceived by is shown as base/escape.h
 * shows it; a backslash stays as it is, because events are escaped already.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/text.h"
#include "report/report_parts.h"

static void put_plain(FILE *to, const char *bytes, size_t size)
{
	switch (size == 1 ? *bytes : 0) {
	case '&':
		(void)fputs("&amp;", to);
		break;
	case '<':
		(void)fputs("&lt;", to);
		break;
	case '>':
		(void)fputs("&gt;", to);
		break;
	case '"':
		(void)fputs("&quot;", to);
		break;
	case '\'':
		(void)fputs("&#39;", to);
		break;
	default:
		(void)fwrite(bytes, 1, size, to);
	}
}

/* One character; returns its bytes, and the columns that it takes. */
static size_t put_character(FILE *to, const char *text, size_t length, unsigned int *ret_columns)
{
	size_t size = escape_plain(text, length);
	unsigned int code = 0;

	if (size > 0) {
		(void)escape_utf8(text, size, &code);
		/* What takes no room of its own counts: else a name could be as long as it likes. */
		*ret_columns = code && text_width(code) == 2 ? 2 : 1;
		if (to)
			put_plain(to, text, size);
		return size;
	}
	*ret_columns = 4;
	if (to)
		(void)fprintf(to, "\\x%02x", (unsigned char)*text);
	return 1;
}

void html_text(FILE *to, const char *text)
{
	size_t length = strlen(text);
	unsigned int columns;

	for (size_t at = 0; at < length;)
		at += put_character(to, text + at, length - at, &columns);
}

void html_text_cut(FILE *to, const char *text, unsigned int columns)
{
	size_t length = strlen(text);
	unsigned int used = 0;
	unsigned int width;

	for (size_t at = 0; at < length;) {
		size_t size = put_character(NULL, text + at, length - at, &width);

		/* The last column is for the ellipsis, unless this is the end. */
		if (used + width + (at + size < length) > columns) {
			(void)fputs("\xe2\x80\xa6", to);
			return;
		}
		(void)put_character(to, text + at, length - at, &width);
		used += width;
		at += size;
	}
}

void html_time(FILE *to, __s64 ns)
{
	time_t when = ns / 1000000000;
	struct tm parts = { 0 };
	char text[40];

	(void)gmtime_r(&when, &parts);
	(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
	(void)fprintf(to, "%s.%03d", text, (int)(ns % 1000000000 / 1000000));
}

void html_number(FILE *to, __u64 number)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			(void)fputc(',', to);
		(void)fputc(digits[i], to);
	}
}

/* One palette for both; contrast of text to its ground is at least 4.5 : 1 in each. */
static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;"
	"--soft:#f6f8fa;--deny:#b42318;--denybg:#fdecea;--ask:#8a5300;--askbg:#fff4db;"
	"--tool:#0a58ca;--toolbg:#e3eefc;--ok:#57606a}"
	"@media (prefers-color-scheme:dark){:root{--bg:#0f1318;--fg:#e6edf3;--dim:#9aa7b4;"
	"--line:#303843;--soft:#171c23;--deny:#ff8b80;--denybg:#3a1715;--ask:#f0b849;"
	"--askbg:#3a2b0c;--tool:#7fb2ff;--toolbg:#12294a;--ok:#9aa7b4}}"
	"@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--dim:#444;--line:#bbb;"
	"--soft:#f4f4f4;--deny:#b42318;--denybg:#fdecea;--ask:#8a5300;--askbg:#fff4db;"
	"--tool:#0a58ca;--toolbg:#e3eefc;--ok:#444}section{break-inside:auto}"
	"h2{break-after:avoid}tr{break-inside:avoid}body{max-width:none;padding:0}}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:1040px;padding:28px 40px 60px;background:var(--bg);"
	"color:var(--fg);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
	"h1{font-size:25px;line-height:1.25;margin:0 0 4px}"
	"h2{font-size:18px;margin:38px 0 8px;padding-bottom:5px;border-bottom:1px solid var(--line)}"
	"p{margin:6px 0;max-width:80ch}.dim{color:var(--dim)}.n{text-align:right;"
	"font-variant-numeric:tabular-nums;white-space:nowrap}"
	".t{white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--dim);font-size:13px}"
	"code,.m,svg text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
	"unicode-bidi:isolate}"
	"code,.m{font-size:13px;overflow-wrap:anywhere}"
	".cards{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0}"
	".card{flex:1 1 120px;border:1px solid var(--line);border-radius:8px;padding:9px 14px;"
	"background:var(--soft)}.card b{display:block;font-size:23px;line-height:1.25;"
	"font-variant-numeric:tabular-nums}"
	".card.deny b{color:var(--deny)}.card.ask b{color:var(--ask)}"
	"table{border-collapse:collapse;width:100%;margin:10px 0;font-size:14px}"
	"th{text-align:left;font-weight:600;font-size:12.5px;color:var(--dim);"
	"border-bottom:1px solid var(--line);padding:4px 12px 4px 0;white-space:nowrap}"
	"th.n{text-align:right}td{vertical-align:top;padding:5px 12px 5px 0;"
	"border-bottom:1px solid var(--line);max-width:540px;overflow:hidden}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:14px 0}"
	"dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}"
	".tag{display:inline-block;border-radius:4px;padding:0 6px;font-size:12px;font-weight:600}"
	".tag.deny{background:var(--denybg);color:var(--deny)}"
	".tag.ask{background:var(--askbg);color:var(--ask)}"
	".tag.other{background:var(--soft);color:var(--ok);border:1px solid var(--line)}"
	".add{margin-top:3px;color:var(--dim);font-size:13px}"
	".warn{border-left:4px solid var(--ask);background:var(--askbg);padding:8px 14px;"
	"border-radius:4px}"
	"svg{display:block;width:100%;height:auto;margin:12px 0}"
	"svg text{font-size:12px;fill:var(--fg)}svg .lbl{fill:var(--dim)}"
	"svg .b{font-weight:700}svg .x{fill:var(--deny);font-weight:700}"
	"svg .q{fill:var(--ask);font-weight:700}"
	"svg .box{fill:var(--soft);stroke:var(--line)}svg .boxd{fill:var(--denybg);"
	"stroke:var(--deny)}svg .boxa{fill:var(--askbg);stroke:var(--ask)}"
	"svg .out{stroke-dasharray:4 3}svg .edge{fill:none;stroke:var(--line)}"
	"svg .fd{fill:var(--deny)}svg .fa{fill:var(--ask)}svg .fo{fill:var(--dim)}"
	"svg .ft{fill:var(--toolbg);stroke:var(--tool)}svg .ftx{fill:var(--tool)}";

void report_write_style(FILE *to)
{
	(void)fprintf(to, "<style>%s</style>\n", style);
}
