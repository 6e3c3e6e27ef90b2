/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time line: a lane each for refusals, questions, calls of tools and everything else. Heights are by
 * the square root, so that one denial is seen beside a thousand.
 */
#include <stdio.h>
#include <time.h>

#include "report/report_parts.h"

#define FIRST_WIDTH_NS 10000000LL
#define LEFT 108
#define LANE 46
#define BAR 34
#define TOP 6
/* Calls of tools that overlap are drawn in so many rows. */
#define CALL_ROWS 4
#define CALL_ROW 18

void report_line_add(struct report_line *line, __s64 when_ns, enum tally_what what, __u64 times)
{
	struct report_bin *bin;

	if (line->width_ns <= 0)
		*line = (struct report_line){ .begin_ns = when_ns, .width_ns = FIRST_WIDTH_NS };
	if (when_ns < line->begin_ns)
		when_ns = line->begin_ns;
	while ((when_ns - line->begin_ns) / line->width_ns >= REPORT_BINS) {
		for (size_t i = 0; i < REPORT_BINS; i++) {
			struct report_bin both = { 0 };

			for (size_t j = 2 * i; j < 2 * i + 2 && j < REPORT_BINS; j++) {
				both.denied += line->bins[j].denied;
				both.asked += line->bins[j].asked;
				both.other += line->bins[j].other;
			}
			line->bins[i] = both;
		}
		line->width_ns *= 2;
	}
	bin = &line->bins[(when_ns - line->begin_ns) / line->width_ns];
	bin->denied += what == TALLY_DENIED ? times : 0;
	bin->asked += what == TALLY_ASKED ? times : 0;
	bin->other += what == TALLY_OTHER ? times : 0;
}

/* The square root of @share, which is 0 to 1: Newton's steps, without a library of mathematics. */
static double root(double share)
{
	double guess = 1;

	for (int i = 0; i < 20; i++)
		guess = (guess + share / guess) / 2;
	return guess;
}

static __u64 of_lane(const struct report_bin *bin, int lane)
{
	return lane == 0 ? bin->denied : lane == 1 ? bin->asked : bin->other;
}

/* Bins up to the last one that has something. */
static size_t used_bins(const struct report_line *line)
{
	size_t used = 1;

	for (size_t i = 0; i < REPORT_BINS; i++) {
		if (line->bins[i].denied || line->bins[i].asked || line->bins[i].other)
			used = i + 1;
	}
	return used;
}

static void put_clock(FILE *to, __s64 ns, bool fine)
{
	time_t when = ns / 1000000000;
	struct tm parts = { 0 };
	char text[16];

	(void)gmtime_r(&when, &parts);
	(void)strftime(text, sizeof(text), "%H:%M:%S", &parts);
	(void)fputs(text, to);
	if (fine)
		(void)fprintf(to, ".%02d", (int)(ns % 1000000000 / 10000000));
}

static void put_label(FILE *to, int lane, const char *label)
{
	int y = TOP + lane * LANE;

	(void)fprintf(to,
		      "<text class=\"lbl\" x=\"0\" y=\"%d\">%s</text>"
		      "<path class=\"edge\" d=\"M%d %d.5H%d\"/>\n",
		      y + BAR - 3, label, LEFT, y + BAR, REPORT_WIDTH);
}

static void put_lane(const struct report_line *line, size_t used, int lane, const char *class,
		     FILE *to)
{
	double width = (double)(REPORT_WIDTH - LEFT) / (double)used;
	__u64 most = 1;

	for (size_t i = 0; i < used; i++)
		most = of_lane(&line->bins[i], lane) > most ? of_lane(&line->bins[i], lane) : most;
	for (size_t i = 0; i < used; i++) {
		__u64 count = of_lane(&line->bins[i], lane);
		double height = 4 + (BAR - 6) * root((double)count / (double)most);

		if (!count)
			continue;
		(void)fprintf(to,
			      "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			      "height=\"%.1f\"><title>",
			      class, LEFT + (double)i * width, TOP + lane * LANE + BAR - height,
			      width > 14 ? 12 :
			      width > 3	 ? width - 1 :
					   3,
			      height);
		html_number(to, count);
		(void)fputs(" at ", to);
		html_time(to, line->begin_ns + (__s64)i * line->width_ns);
		(void)fputs(" UTC</title></rect>\n", to);
	}
}

static void put_call(const struct report *report, const struct report_call *call, double scale,
		     int row, FILE *to)
{
	__s64 end = call->end_ns ? call->end_ns : report->last_ns;
	double x = LEFT + (double)(call->begin_ns - report->line.begin_ns) * scale;
	double width = (double)(end - call->begin_ns) * scale;

	if (x < LEFT || x > REPORT_WIDTH)
		return;
	if (width < 3)
		width = 3;
	if (x + width > REPORT_WIDTH)
		width = REPORT_WIDTH - x;
	(void)fprintf(
		to,
		"<rect class=\"ft\" rx=\"2\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"14\">"
		"<title>",
		x, row, width);
	html_text_cut(to, call->name, 80);
	(void)fputs(" from ", to);
	html_time(to, call->begin_ns);
	(void)fputs(call->end_ns ? " to " : ", no end told", to);
	if (call->end_ns)
		html_time(to, call->end_ns);
	(void)fputs(call->claimed ? ", as the agent says</title></rect>\n" : "</title></rect>\n",
		    to);
	if (width < 40)
		return;
	(void)fprintf(to, "<text class=\"ftx\" x=\"%.1f\" y=\"%d\">", x + 5, row + 11);
	html_text_cut(to, call->name, (unsigned int)(width - 8) / 8);
	(void)fputs("</text>\n", to);
}

static void put_axis(const struct report_line *line, size_t used, int y, FILE *to)
{
	__s64 length = (__s64)used * line->width_ns;
	bool fine = length < 10000000000LL;

	for (int i = 0; i <= 4; i++) {
		(void)fprintf(to, "<text class=\"lbl\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">",
			      LEFT + (REPORT_WIDTH - LEFT) * i / 4, y,
			      i == 0 ? "start" :
			      i == 4 ? "end" :
				       "middle");
		put_clock(to, line->begin_ns + length * i / 4, fine);
		(void)fputs("</text>\n", to);
	}
}

/* The row of each call, one below the other where they overlap. Returns how many rows there are. */
static int place_calls(const struct report *report, int rows[REPORT_CALLS])
{
	__s64 busy_until[CALL_ROWS] = { 0 };
	int used = 0;

	for (size_t i = 0; i < report->call_count; i++) {
		const struct report_call *call = &report->calls[i];
		int row = 0;

		while (row < CALL_ROWS - 1 && busy_until[row] > call->begin_ns)
			row++;
		busy_until[row] = call->end_ns ? call->end_ns : report->last_ns;
		used = row + 1 > used ? row + 1 : used;
		rows[i] = row;
	}
	return used;
}

static void put_calls(const struct report *report, const int rows[REPORT_CALLS], double scale,
		      int top, FILE *to)
{
	if (report->call_count == 0)
		return;
	(void)fprintf(to, "<text class=\"lbl\" x=\"0\" y=\"%d\">tool calls</text>\n", top + 11);
	for (size_t i = 0; i < report->call_count; i++)
		put_call(report, &report->calls[i], scale, top + rows[i] * CALL_ROW, to);
}

void report_write_line(const struct report *report, FILE *to)
{
	const struct report_line *line = &report->line;
	size_t used = used_bins(line);
	double scale = (double)(REPORT_WIDTH - LEFT) /
		       ((double)used * (double)(line->width_ns ? line->width_ns : 1));
	int rows[REPORT_CALLS] = { 0 };
	int calls = TOP + 3 * LANE + 2;
	int axis = calls + place_calls(report, rows) * CALL_ROW + 14;

	(void)fputs("<section><h2>Time line</h2>\n", to);
	if (!line->width_ns) {
		(void)fputs("<p class=\"dim\">There is no event in this period.</p></section>\n",
			    to);
		return;
	}
	(void)fprintf(
		to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\">"
		"<title>Events by time</title>\n",
		REPORT_WIDTH, axis + 8);
	put_label(to, 0, "denied");
	put_lane(line, used, 0, "fd", to);
	put_label(to, 1, "asked");
	put_lane(line, used, 1, "fa", to);
	put_label(to, 2, "other events");
	put_lane(line, used, 2, "fo", to);
	put_calls(report, rows, scale, calls, to);
	put_axis(line, used, axis, to);
	(void)fputs(
		"</svg>\n<p class=\"dim\">Times are UTC. Heights grow with the square root of the "
		"number; a bar is ",
		to);
	(void)fprintf(to, "%.3g s long.", (double)line->width_ns / 1e9);
	if (report->calls_left_out)
		(void)fprintf(to, " %llu more tool calls are not drawn.",
			      (unsigned long long)report->calls_left_out);
	(void)fputs("</p></section>\n", to);
}
