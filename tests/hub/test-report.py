#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lockhubctl report: a page for a telephone, a screen and paper; looked at in headless Chromium.

With LOCKHUB_SCREENSHOTS=FOLDER the pictures are kept there, to be looked at.
"""

import contextlib
import html.parser
import json
import os
import pathlib
import re
import subprocess
import tempfile

from browser import Browser
from case import case, expect, expect_equal, main
from rig import FRONT, GARAGE, Failure, a_paired_hub, build_root, source_root

FIXTURES = sorted((source_root() / "tests" / "vectors" / "diag").glob("*.json"))
WIDTHS = (360, 1280)
CONTRAST_TEXT = 4.5
CONTRAST_DRAWN = 3


def render(fixture):
    done = subprocess.run([build_root() / "tests/unit/ctl/report-page", fixture], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Failure(f"report-page {fixture.name}: {done.returncode} {done.stderr.decode()}")
    return done.stdout.decode()


@contextlib.contextmanager
def shown(name, text):
    """The page in a file, and a browser; what the pages in it look like is kept when asked for."""
    keep = os.environ.get("LOCKHUB_SCREENSHOTS")
    with tempfile.TemporaryDirectory(prefix="lockhub-report-") as folder, Browser() as browser:
        path = pathlib.Path(folder) / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        yield browser, path, pathlib.Path(keep or folder)


class Markup(html.parser.HTMLParser):
    """What is wrong with a page as text: nothing that runs, nothing that is fetched."""

    VOID = {"meta", "br", "rect", "line", "path", "polygon", "circle"}
    FORBIDDEN = {"script", "link", "img", "iframe", "object", "embed", "form", "input", "image",
                 "use", "foreignobject", "base", "audio", "video"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.wrong = []
        self.stack = []
        self.ids = []
        self.levels = []
        self.feed(text)
        self.close()
        if self.stack:
            self.wrong.append(f"not closed: {self.stack}")
        twice = {one for one in self.ids if self.ids.count(one) > 1}
        if twice:
            self.wrong.append(f"ids that are not unique: {twice}")
        for before, now in zip(self.levels, self.levels[1:]):
            if now > before + 1:
                self.wrong.append(f"h{now} follows h{before}")
        if self.levels.count(1) != 1:
            self.wrong.append(f"{self.levels.count(1)} headings of the first rank")

    def handle_starttag(self, tag, attrs):
        if tag in self.FORBIDDEN:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "srcset", "style", "xlink:href"):
                self.wrong.append(f"<{tag} {name}>")
            if name == "href" and not re.match(r"https://", value or ""):
                self.wrong.append(f"<{tag} href={value!r}>")
            if name == "id":
                self.ids.append(value)
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


# Runs in the page: what a person could not read, see or hear read out.
LOOK = r"""
(() => {
    const wrong = [];
    const numbers = (color) => {
        const found = color.match(/[\d.]+/g).map(Number);
        const scale = color.startsWith("color(") ? 255 : 1;
        return { r: found[0] * scale, g: found[1] * scale, b: found[2] * scale,
            a: found.length > 3 ? found[3] : 1 };
    };
    const light = (c) => {
        const part = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
        return 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
    };
    const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a),
        g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
    const behind = (element) => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) {
            layers.push(numbers(getComputedStyle(e).backgroundColor));
            if (layers[layers.length - 1].a === 1) break;
        }
        let color = { r: 255, g: 255, b: 255, a: 1 };
        for (const layer of layers.reverse()) color = over(layer, color);
        return color;
    };
    const contrast = (a, b) => {
        const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05);
    };
    for (const details of document.querySelectorAll("details")) details.open = true;
    let texts = 0, smallest = 99, drawn = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || element.closest("title, desc")) continue;
        const style = getComputedStyle(element);
        const color = numbers(element.closest("svg") ? style.fill : style.color);
        const back = behind(element.closest("svg") ? element.closest("svg").parentElement : element);
        const value = contrast(over(color, back), back);
        smallest = Math.min(smallest, value);
        texts++;
        if (value < CONTRAST_TEXT)
            wrong.push(`contrast ${value.toFixed(2)} of "${walker.currentNode.data.slice(0, 40)}"`);
    }
    for (const shape of document.querySelectorAll("svg rect, svg .line, svg .ahead, svg .dot")) {
        if (shape.closest("defs")) continue;
        const style = getComputedStyle(shape);
        const paint = shape.matches(".line, .ahead") ? style.stroke : style.fill;
        if (!paint.startsWith("rgb")) continue;
        const back = behind(shape.closest("svg").parentElement);
        drawn++;
        if (contrast(numbers(paint), back) < CONTRAST_DRAWN)
            wrong.push(`contrast of a ${shape.getAttribute("class")}`);
    }
    for (const svg of document.querySelectorAll("svg")) {
        const named = (svg.getAttribute("aria-labelledby") || "").split(" ")
            .map((id) => document.getElementById(id));
        if (svg.getAttribute("role") !== "img" || named.length !== 2 ||
            named.some((e) => !e || !svg.contains(e) || !e.textContent.trim()))
            wrong.push("a picture without a name or a description");
        if (!svg.closest("figure").querySelector("details table"))
            wrong.push("a picture without its numbers as text");
        for (const text of svg.querySelectorAll("text")) {
            const box = text.getBoundingClientRect(), frame = svg.getBoundingClientRect();
            if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
                box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
                wrong.push(`"${text.textContent}" is cut off`);
            if (box.height < 8) wrong.push(`"${text.textContent}" is ${box.height.toFixed(1)} px high`);
        }
    }
    for (const table of document.querySelectorAll("table")) {
        if (!table.caption || !table.tHead || !table.querySelector("th[scope]"))
            wrong.push("a table without a caption or heads");
    }
    for (const section of document.querySelectorAll("section, [role=region]")) {
        const label = document.getElementById(section.getAttribute("aria-labelledby"));
        if (!section.getAttribute("aria-label") && !(label && label.textContent.trim()))
            wrong.push("a part of the page without a name");
    }
    if (document.documentElement.lang !== "en" || !document.title) wrong.push("no language or title");
    const root = document.documentElement;
    return { wrong, texts, drawn, smallest, wide: root.scrollWidth, room: window.innerWidth,
        svgs: document.querySelectorAll("svg").length };
})()
""".replace("CONTRAST_TEXT", str(CONTRAST_TEXT)).replace("CONTRAST_DRAWN", str(CONTRAST_DRAWN))


def look(browser, path, pictures, name):
    """At both widths and in both themes; what was found is a failure."""
    smallest = 99
    for width in WIDTHS:
        for is_dark in (False, True):
            where = f"{name}, {width} px, {'dark' if is_dark else 'light'}"
            page = browser.open(path, width=width, is_dark=is_dark)
            page.screenshot(pictures / f"{name}-{width}-{'dark' if is_dark else 'light'}.png")
            found = page.evaluate(LOOK)
            expect(not found["wrong"], f"{where}: {found['wrong'][:8]}")
            expect(found["wide"] <= found["room"],
                   f"{where}: {found['wide']} px wide, {found['room']} px of room")
            expect(found["texts"] > 20, f"{where}: only {found['texts']} texts")
            expect(not page.requests(), f"{where} asks for {page.requests()}")
            expect(not page.complaints(), f"{where}: {page.complaints()}")
            back = page.evaluate("getComputedStyle(document.body).backgroundColor")
            level = sum(map(int, re.findall(r"\d+", back)[:3])) / 3
            expect((level < 60) == is_dark, f"{where}: the page is {back}")
            smallest = min(smallest, found["smallest"])
    return smallest


def text_of(page):
    return page.evaluate("document.body.innerText")


@case
def the_markup_is_sound_and_runs_nothing():
    expect(len(FIXTURES) >= 4, f"only {len(FIXTURES)} fixtures")
    for fixture in FIXTURES:
        text = render(fixture)
        expect_equal(Markup(text).wrong, [], fixture.name)
        # What is printed is one file that needs no other.
        expect_equal(re.findall(r"url\((?!#)[^)]*\)|@import", text), [], fixture.name)


@case
def what_is_known_is_on_the_page():
    fixture = json.loads((source_root() / "tests/vectors/diag/trouble.json").read_text())
    text = re.sub(r"<[^>]*>", " ", render(source_root() / "tests/vectors/diag/trouble.json"))
    text = re.sub(r"\s+", " ", text)
    for target in fixture["diagnosis"]["targets"]:
        expect(target["verdict"] in text, target["verdict"])
        for finding in target["findings"]:
            for word in (finding["summary"], finding["fault"],
                         *(step for remedy in finding["remedies"] for step in remedy["steps"]),
                         *(remedy["title"] for remedy in finding["remedies"])):
                expect(html_escape(word) in text, f"{word!r} is not on the page")
    for word in ("4510 mV", "28 %", "As they are used now they last 9 more days (between 4 and 15)",
                 "it changed nothing", "anna", "3.5.2", "…2C3D", "5.66", "6.1.0-28-arm64",
                 "It jams most often when locking, door shut", "mostly heard with -90 to -81 dBm",
                 "The lock gives no percentage, or none has been read yet.", "Reset the lock"):
        expect(html_escape(word) in text, f"{word!r} is not on the page")


def html_escape(text):
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(char, name)
    return text


@case
def charts_say_what_was_counted():
    path = source_root() / "tests/vectors/diag/trouble.json"
    fixture = json.loads(path.read_text())
    days = fixture["locks"]["front-door"]["history"]["days"]
    month = [day for day in days if day["day"] > "2026-10-23"]
    done, failed = (sum(day.get(key, 0) for day in month) for key in ("ops_done", "ops_failed"))
    jams, runs = (sum(day.get(key, 0) for day in month) for key in ("jams_lock_shut", "locks_shut"))
    text = render(path)
    expect(f"{done} done" in text and f"{failed} failed" in text, f"{done} done, {failed} failed")
    expect(f"{jams} of {runs}" in text, f"{jams} of {runs} jammed")
    # "locks" counts all of them: what is left is of a door that nobody knew of.
    rest = sum(day["locks"] - day["locks_open"] - day["locks_shut"] for day in month)
    expect(rest > 0 and f"0 of {rest}<" in text, f"0 of {rest} with the door unknown")
    # A column for each day on which something was done.
    first = text.split('aria-labelledby="t1-operations-name', 1)[1].split("</svg>", 1)[0]
    expect_equal(first.count('class="good"'), sum(day.get("ops_done", 0) > 0 for day in month),
                 "columns")


@case
def names_that_want_to_be_markup_stay_names():
    path = source_root() / "tests/vectors/diag/hostile.json"
    text = render(path)
    expect("<script" not in text and "\u202e" not in text, "a name became markup")
    with shown("hostile", text) as (browser, file, pictures):
        page = browser.open(file, width=360)
        expect("<script>alert(1)</script>" in text_of(page), "the name is not shown as it is")
        expect("🚪 Haustür" in text_of(page) and "דלת" in text_of(page), "the name is not whole")
        look(browser, file, pictures, "hostile")


@case
def it_is_readable_at_every_width_and_in_both_themes():
    smallest = 99
    for fixture in FIXTURES:
        with shown(fixture.stem, render(fixture)) as (browser, file, pictures):
            smallest = min(smallest, look(browser, file, pictures, fixture.stem))
    print(f"# the weakest contrast of text is {smallest:.2f} to 1")


@case
def it_prints_on_white():
    fixture = source_root() / "tests/vectors/diag/trouble.json"
    with shown("trouble", render(fixture)) as (browser, file, pictures):
        # A printer does not ask which theme the person likes.
        page = browser.open(file, width=794, is_dark=True, medium="print")
        found = page.evaluate(LOOK)
        expect(not found["wrong"], f"{found['wrong'][:8]}")
        expect_equal(page.evaluate("getComputedStyle(document.body).backgroundColor"),
                     "rgb(255, 255, 255)", "paper")
        page.print_pdf(pictures / "trouble.pdf")
        size = (pictures / "trouble.pdf").stat().st_size
        expect(size > 20000, f"a PDF of {size} octets")


@case
def a_real_hub_reports():
    with a_paired_hub(FRONT, GARAGE) as rig:
        rig.battery(GARAGE, 4)
        rig.ctl("refresh", GARAGE.slug)
        rig.ctl("unlock", GARAGE.slug)
        path = rig.dir / "one.html"
        said = rig.ctl("report", GARAGE.slug, "-o", path)
        expect(str(path) in said and "batteries" in said, said)
        expect_equal(path.stat().st_mode & 0o777, 0o600, "mode")
        one = path.read_text()
        expect_equal(Markup(one).wrong, [], "one lock")
        expect("Garage" in one and "Front door" not in one, "whose report it is")
        expect("battery-critical" in one and "Change the batteries" in one, "the finding")
        expect("4 %" in one and GARAGE.pin not in re.sub(r"<style>.*?</style>", "", one, flags=re.S),
               "what is known, and what is not told")
        again = rig.try_ctl("report", GARAGE.slug, "-o", path)
        expect_equal(again.returncode, 1, "an existing file")
        expect("Nothing is overwritten" in again.stderr, again.stderr)
        every = rig.ctl("report", "-o", "-")
        expect_equal(Markup(every).wrong, [], "all locks")
        expect("Garage" in every and "Front door" in every and "The hub" in every, "whose they are")
        expect_equal(rig.try_ctl("report", "nobodys").returncode, 1, "a lock that is none")
        with shown("live", every) as (browser, file, pictures):
            look(browser, file, pictures, "live")


main()
