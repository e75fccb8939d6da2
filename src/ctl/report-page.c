/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "html.h"
#include "room.h"

/*
 * Colours: text on its background at least 4.5 to 1, what is drawn at least 3 to 1, in both themes
 * (computed by tests/hub/test-report.py). Without a script and without anything from outside: a
 * policy in the page says so too.
 */
/* clang-format off */
static const char style[] =
	":root{color-scheme:light dark;--page:#f3f4f6;--card:#fff;--text:#1b1f24;--faint:#535b65;"
	"--line:#c9d1d9;--blue:#0b5cad;--good:#14713a;--warn:#7d4e00;--bad:#b3152e;--back:#e9ecf0}\n"
	"@media (prefers-color-scheme:dark){:root{--page:#0f1318;--card:#181d24;--text:#e6edf3;"
	"--faint:#a4afba;--line:#3a434d;--blue:#6cb6ff;--good:#56d364;--warn:#e3b341;--bad:#ff9492;"
	"--back:#262d36}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif;"
	"overflow-wrap:anywhere}\n"
	"header,main,footer{max-width:72rem;margin:0 auto;padding:.75rem}\n"
	"h1{font-size:1.5rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.3rem;margin:.25rem 0}"
	"h3{font-size:1.1rem;margin:1.5rem 0 .5rem}h4,h5{font-size:1rem;margin:.25rem 0}p{margin:.4rem 0}\n"
	".faint,footer,caption{color:var(--faint)}footer{font-size:.875rem}\n"
	".target,.verdict{background:var(--card);border:1px solid var(--line);border-radius:.75rem;"
	"padding:1rem;margin:0 0 1rem}\n"
	".verdict{border-left:.5rem solid var(--faint);font-size:1.125rem}\n"
	".verdict.healthy{border-left-color:var(--good)}.verdict.findings{border-left-color:var(--bad)}"
	".verdict.unchecked{border-left-color:var(--warn)}\n"
	".verdict p{margin:0}\n"
	"dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(8rem,1fr));gap:.6rem 1rem;margin:1rem 0}"
	"dt{color:var(--faint);font-size:.875rem}dd{margin:0;font-weight:600}"
	"dd small{display:block;font-weight:400;color:var(--faint)}\n"
	".charts{display:grid;grid-template-columns:minmax(0,1fr);gap:1.25rem 2rem}"
	"@media (min-width:52rem){.charts{grid-template-columns:repeat(2,minmax(0,1fr))}}\n"
	"figure{margin:0;min-width:0}figcaption p{color:var(--faint);margin:0 0 .4rem}\n"
	"svg{display:block;width:100%;height:auto;max-width:40rem}"
	"svg text{font:12px system-ui,sans-serif;fill:var(--text)}\n"
	".grid{stroke:var(--line);stroke-width:.5}.axis{stroke:var(--faint);stroke-width:1}"
	".mark{stroke:var(--faint);stroke-width:1;stroke-dasharray:2 3}\n"
	".line{fill:none;stroke:var(--blue);stroke-width:2}.ahead{fill:none;stroke:var(--blue);stroke-width:2;"
	"stroke-dasharray:5 4}.band{fill:var(--blue);fill-opacity:.2}.dot{fill:var(--blue)}\n"
	"rect.good{fill:var(--blue)}rect.faint{fill:var(--faint)}rect.bad{fill:var(--bad)}rect.doubt{fill:var(--warn)}"
	".hatch-back{fill:var(--bad)}.hatch-line{fill:var(--card);fill-opacity:.45}\n"
	".legend{list-style:none;padding:0;margin:.25rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.875rem}\n"
	".key{display:inline-block;width:1.2em;height:.8em;margin-right:.4em;border:1px solid var(--faint);"
	"print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
	".key.good{background:var(--blue)}.key.faint{background:var(--faint)}.key.bad{background:var(--bad)}"
	".key.doubt{background:var(--warn)}.key.line{height:0;border:0;border-top:2px solid var(--blue);vertical-align:middle}"
	".key.ahead{height:0;border:0;border-top:2px dashed var(--blue);vertical-align:middle}"
	".key.band{background:color-mix(in srgb,var(--blue) 20%,var(--card))}"
	".key.failed{background:repeating-linear-gradient(45deg,var(--bad) 0 2px,var(--card) 2px 4px)}\n"
	".finding{border:1px solid var(--line);border-left:.35rem solid var(--faint);border-radius:.5rem;padding:.75rem;margin:.75rem 0}"
	".finding.critical,.finding.error{border-left-color:var(--bad)}.finding.warning{border-left-color:var(--warn)}\n"
	".badge{border:1px solid;border-radius:1rem;padding:.05rem .6rem;font-size:.875rem;font-weight:600}"
	".badge.critical,.badge.error,.result.bad{color:var(--bad)}.badge.warning,.result.unknown{color:var(--warn)}"
	".badge.info,.result.skipped{color:var(--faint)}.result.ok{color:var(--good)}.result{font-weight:600}\n"
	".lead{font-weight:600;margin-top:.75rem}ol,ul{padding-left:1.4rem;margin:.4rem 0}.remedies>li{margin:.75rem 0}"
	".tried{border-left:3px solid var(--line);padding-left:.6rem}\n"
	"code{font:.9em ui-monospace,monospace;background:var(--back);border-radius:.25rem;padding:.1rem .3rem}\n"
	"a{color:var(--blue)}details{margin:.5rem 0}summary{cursor:pointer;color:var(--blue)}"
	"summary:focus-visible,.wide:focus-visible{outline:2px solid var(--blue);outline-offset:2px}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}caption{text-align:left;padding:.25rem 0}"
	"th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);"
	"overflow-wrap:normal}th[scope=row]{font-weight:400}.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--text:#000;--faint:#444;--line:#999;--blue:#0b5cad;"
	"--good:#14713a;--warn:#7d4e00;--bad:#b3152e;--back:#fff}body{font-size:10pt}"
	".target{border:0;padding:0}figure,.finding,tr{break-inside:avoid}h2,h3,h4{break-after:avoid}"
	"svg,.key,.verdict,.finding{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
	".charts{grid-template-columns:repeat(2,minmax(0,1fr))}details:not([open]){display:none}}\n";
/* clang-format on */

static void write_head(FILE *out, const char *title) {
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\">\n",
		out);
	html_element(out, "title", "%s", title);
	fprintf(out, "<style>\n%s</style>\n</head>\n<body>\n", style);
}

static void write_verdict(FILE *out, const char *worst, const char *verdict) {
	static const struct {
		const char *worst, *text;
	} rows[] = {
		{ "healthy", "All is well." },
		{ "findings", "Something needs looking after." },
		{ "unchecked", "What matters most could not be measured." },
	};
	const char *fallback = "";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fallback = strcmp(rows[i].worst, worst) == 0 ? rows[i].text : fallback;
	}
	fputs("<div class=\"verdict ", out);
	html_text(out, worst);
	fputs("\">", out);
	html_element(out, "p", "%s", verdict[0] != '\0' ? verdict : fallback);
	fputs("</div>\n", out);
}

/* ---- the state of a lock ---- */

static void write_fact(FILE *out, const char *title, const char *note, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Nothing for a fact that is not known: an empty text. */
static void write_fact(FILE *out, const char *title, const char *note, const char *format, ...) {
	char text[LINE_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (text[0] == '\0' || strcmp(text, "none") == 0) {
		return;
	}
	fputs("<div>", out);
	html_element(out, "dt", "%s", title);
	fputs("<dd>", out);
	html_name(out, text);
	if (note != NULL && note[0] != '\0') {
		fputs(" ", out);
		html_element(out, "small", "%s", note);
	}
	fputs("</dd></div>\n", out);
}

/* "3 min ago", or "" */
static const char *known_age(
	const json_t *facts, const char *group, char out[static AGE_TEXT_MAX]) {
	const json_t *known = json_object_get(json_object_get(facts, "known"), group);
	int64_t ms = facts_number(known, "age_ms", -1);
	return ms >= 0 ? age_text(ms, out) : "";
}

static void write_battery(FILE *out, const json_t *facts) {
	const char *level = facts_text(facts, "battery_level");
	int64_t percent = facts_number(facts, "battery_percent", -1);
	char age[AGE_TEXT_MAX], text[64];
	snprintf(text, sizeof(text), "%s", strcmp(level, "unknown") == 0 ? "" : level);
	if (percent >= 0) {
		snprintf(text, sizeof(text), "%jd %%, %s", (intmax_t) percent, level);
	}
	write_fact(out, "Battery", known_age(facts, "battery", age), "%s", text);
}

static void write_state(FILE *out, const json_t *target, const json_t *facts) {
	char age[AGE_TEXT_MAX];
	int64_t rssi = facts_number(facts, "rssi", 0);
	fputs("<dl>\n", out);
	if (facts != NULL) {
		const char *door = facts_text(facts, "door");
		write_fact(out, "Bolt", known_age(facts, "state", age), "%s",
			facts_text(facts, "state"));
		write_fact(out, "Door", known_age(facts, "door", age), "%s",
			strcmp(door, "unknown") == 0 ? "" : door);
		write_battery(out, facts);
		write_fact(out, "Radio", known_age(facts, "heard", age), "%s",
			facts_flag(facts, "reachable") ? "reachable" : "not reachable");
		if (rssi != 0) {
			write_fact(out, "Heard with", NULL, "%jd dBm", (intmax_t) rssi);
		}
	}
	write_fact(out, "Model", NULL, "%s", facts_text(target, "model"));
	write_fact(out, "Firmware", NULL, "%s", facts_text(target, "firmware"));
	write_fact(out, "Serial number", NULL, "%s", facts_text(target, "serial_hint"));
	if (json_is_boolean(json_object_get(target, "mechanical_key"))) {
		write_fact(out, "Mechanical key", NULL, "%s",
			facts_flag(target, "mechanical_key") ? "yes" : "no");
	}
	fputs("</dl>\n", out);
}

static void write_charts(FILE *out, const struct chart *chart) {
	html_element(out, "h3", "How it went");
	fputs("<div class=\"charts\">\n", out);
	chart_battery(chart);
	chart_signal(chart);
	chart_operations(chart);
	chart_links(chart);
	chart_jams(chart);
	chart_motor(chart);
	fputs("</div>\n", out);
}

static void section_begin(FILE *out, size_t number, const char *name) {
	fprintf(out, "<section class=\"target\" aria-labelledby=\"t%zu\">\n<h2 id=\"t%zu\">",
		number, number);
	html_name(out, name);
	fputs("</h2>\n", out);
}

static void write_support(FILE *out, const json_t *target) {
	const char *support = facts_text(target, "support");
	/* Data of the model: still nothing but a web address becomes a link. */
	if (strncmp(support, "https://", 8) != 0) {
		return;
	}
	fputs("<p>The maker's support: <a rel=\"noreferrer\" href=\"", out);
	html_text(out, support);
	fputs("\">", out);
	html_text(out, support);
	fputs("</a></p>\n", out);
}

static void write_lock(
	FILE *out, const struct report *report, const json_t *target, size_t number) {
	const char *slug = facts_text(target, "lock"), *name = facts_text(target, "name");
	const json_t *lock = json_object_get(report->locks, slug);
	const json_t *history = json_object_get(lock, "history");
	char id[24];
	snprintf(id, sizeof(id), "t%zu", number);
	section_begin(out, number, name[0] != '\0' ? name : slug);
	write_verdict(out, facts_text(target, "worst"), facts_text(target, "verdict"));
	write_state(out, target, json_object_get(lock, "facts"));
	report_findings(out, target);
	if (history != NULL) {
		write_charts(out, &(struct chart){ out, id, history, report->now });
	} else {
		html_element(out, "p", "Its history could not be read.");
	}
	report_attempts(out, history);
	write_support(out, target);
	report_checks(out, target);
	fputs("</section>\n", out);
}

static void write_hub(FILE *out, const json_t *target, size_t number) {
	const char *key;
	const json_t *value;
	char word[REPORT_WORD_MAX];
	section_begin(out, number, "The hub");
	write_verdict(out, facts_text(target, "worst"), facts_text(target, "verdict"));
	fputs("<dl>\n", out);
	json_object_foreach((json_t *) json_object_get(target, "facts"), key, value) {
		if (json_is_string(value)) {
			write_fact(
				out, report_word(key, word), NULL, "%s", json_string_value(value));
		} else if (json_is_number(value)) {
			write_fact(
				out, report_word(key, word), NULL, "%g", json_number_value(value));
		}
	}
	fputs("</dl>\n", out);
	report_findings(out, target);
	report_checks(out, target);
	fputs("</section>\n", out);
}

static bool is_hub(const json_t *target) {
	return strcmp(facts_text(target, "kind"), "hub") == 0;
}

static const char *title_of(const json_t *targets, char *out, size_t size) {
	const char *name = NULL;
	size_t i, n_locks = 0;
	const json_t *target;
	json_array_foreach(targets, i, target) {
		if (!is_hub(target)) {
			name = facts_text(target, "name");
			n_locks++;
		}
	}
	if (n_locks == 1) {
		snprintf(out, size, "%s: report", name);
	} else if (n_locks == 0) {
		snprintf(out, size, "Report on the hub");
	} else {
		snprintf(out, size, "Report on %zu locks", n_locks);
	}
	return out;
}

void report_write(FILE *out, const struct report *report) {
	const json_t *targets = json_object_get(report->diagnosis, "targets"), *target;
	char title[LINE_TEXT_MAX], moment[MOMENT_TEXT_MAX], zone[16] = "";
	time_t now = report->now;
	struct tm tm;
	size_t i, number = 1;
	if (localtime_r(&now, &tm) != NULL) {
		strftime(zone, sizeof(zone), "%z", &tm);
	}
	write_head(out, title_of(targets, title, sizeof(title)));
	fputs("<header>\n<h1>", out);
	html_name(out, title);
	fputs("</h1>\n", out);
	html_element(out, "p class=\"faint\"", "Made on %s by lockhub %s.",
		moment_format(report->now, moment), report->version);
	if (json_array_size(targets) != 1) {
		write_verdict(out, facts_text(report->diagnosis, "worst"),
			facts_text(report->diagnosis, "verdict"));
	}
	fputs("</header>\n<main>\n", out);
	/* People came for their lock. */
	json_array_foreach(targets, i, target) {
		if (!is_hub(target)) {
			write_lock(out, report, target, number++);
		}
	}
	json_array_foreach(targets, i, target) {
		if (is_hub(target)) {
			write_hub(out, target, number++);
		}
	}
	fputs("</main>\n<footer>\n", out);
	html_element(out, "p",
		"Times are local (UTC%s); days are counted by UTC. Versions: lockhubctl %s, "
		"lockhubd %s. This page needs no network and tells nobody anything; it names "
		"your lock and people who tried something.",
		zone, report->version, facts_text(report->diagnosis, "version"));
	fputs("</footer>\n</body>\n</html>\n", out);
}
