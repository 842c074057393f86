"""output_check.py FORMAT [FILE] - reads a report as its service would and says
what in it is not inert, or not within the service's limits.  One line a fault,
exit status 1 when there is any.  Tests only.

The words of a hostile commit may be anywhere; what they must not be is named
here by the grammar of each format, never by the text of one attack.
"""
import html.parser
import json
import os
import re
import subprocess
import sys
import unicodedata
import urllib.parse
import xml.etree.ElementTree as ET

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
faults = []


def fault(text):
    if text not in faults:
        faults.append(text)


def is_hidden(c):
    if ord(c) & 0xfffe == 0xfffe or 0xfdd0 <= ord(c) <= 0xfdef:
        return True     # noncharacters; XML has not even the first
    return c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl",
                                                      "Zp")


def check_characters(text, where):
    for c in text:
        if is_hidden(c):
            fault("%s: character U+%04X" % (where, ord(c)))


def check_log(text, commands=False):
    """What a runner obeys: a line that begins with '::', '##[' anywhere."""
    for line in text.split("\n"):
        if "##[" in line or "##vso" in line:
            fault("a line with ##[ or ##vso")
        if line.lstrip().startswith("::") and not commands:
            fault("a line that begins with '::'")


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield k
            yield from strings(v)
    elif isinstance(value, list):
        for v in value:
            yield from strings(v)


def unique(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        fault("a key twice")
    return dict(pairs)


def load_json(text):
    value = json.loads(text, object_pairs_hook=unique)
    for s in strings(value):
        if not s.endswith("\n"):    # help texts of rules have lines
            check_characters(s, "string")
        check_log(s)
    return value


def validate(value, path):
    import jsonschema
    with open(path, encoding="utf-8") as f:
        schema = json.load(f)
    validator = jsonschema.validators.validator_for(schema)
    for e in list(validator(schema).iter_errors(value))[:5]:
        fault("schema: %s: %s" % ("/".join(map(str, e.path)), e.message[:200]))


def check_text(text):
    check_log(text)


def check_json(text):
    validate(load_json(text), os.path.join(TOP, "docs/schema/report-v1.json"))


class Page(html.parser.HTMLParser):
    """The rendered page: which elements, and what stands outside of code."""
    ALLOWED = {"h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td",
               "ul", "li", "strong", "code", "pre"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.code = 0
        self.outside = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.ALLOWED:
            fault("element <%s>" % tag)
        for name, value in attrs:
            if (tag, name, value) not in (("pre", "lang", "text"),
                                          ("code", "class", "language-text")):
                fault("attribute %s of <%s>" % (name, tag))
        self.code += tag in ("code", "pre")

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre")

    def handle_comment(self, data):
        fault("comment")

    def handle_data(self, data):
        if self.code == 0:
            self.outside.append(data)


# all that a page says outside of code, in its own words
OURS = re.compile(r"""(?x)^(
    reconcile|Trust|Findings|Plan|Manifests|Policy|compared\ with|error|
    warning|note|missing|met|fix:|do:|why:|signed:|good|refuses|accepts|
    not\ judged|trusted|not\ trusted|
    \d+\ of\ \d+\ requirements\ met(,\ \d+\ commits?\ not\ trusted)?|
    \d+\ errors?|of|,|:|;|could\ sign:|and\ \d+\ more(\ files)?|
    and\ \d+\ more\ files;|
    ;?\ ?\d+\ of\ \d+(\ signed:)?|and\ \d+\ more\ files;\ \d+\ of\ \d+|
    \d+\ more\ must\ sign(\ of)?|
    \d+\ to\ create,.*\d+\ to\ stop|no\ changes|none\ could\ be\ made|
    Cut\ to\ fit\ here:.*JSON\ has\ them\.
    )$""")


def check_markdown(text):
    if len(text) > 65536 or len(text.encode()) > 65536:
        fault("longer than a comment may be")
    check_log(text)
    page = Page()
    page.feed(subprocess.run(
        ["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e",
         "strikethrough", "-e", "tasklist", "-e", "footnotes"][:12],
        input=text.encode(), check=True, stdout=subprocess.PIPE)
        .stdout.decode())
    for data in page.outside:
        for line in data.split("\n"):
            words = re.sub(r"and \d+ more files; ", "", line).strip()
            if words and not OURS.match(words):
                fault("outside of code: %r" % words[:80])


COMMAND = re.compile(r"^::(error|warning|notice)( ([^:]*(?:%3A[^:]*)*))?::(.*)$")


def check_github(text):
    check_log(text, commands=True)
    counts = {"error": 0, "warning": 0, "notice": 0}
    for line in text.rstrip("\n").split("\n"):
        m = COMMAND.match(line)
        if not m:
            fault("no command: %r" % line[:80])
            continue
        counts[m.group(1)] += 1
        for pair in (m.group(3) or "").split(","):
            name, _, value = pair.partition("=")
            if name not in ("file", "line", "col", "title"):
                fault("property %r" % name[:40])
            if name in ("line", "col") and not value.isdigit():
                fault("%s=%r" % (name, value[:40]))
            if "\n" in urllib.parse.unquote(value):
                fault("property with a newline")
        message = (m.group(4).replace("%0D", "\r").replace("%0A", "\n")
                   .replace("%25", "%"))
        if len(message.encode()) > 4096:
            fault("message of %d bytes" % len(message.encode()))
        for part in message.split("\n"):
            if part.lstrip().startswith("::"):
                fault("a command within a message")
    for level, n in counts.items():
        if n > 10:
            fault("%d annotations of level %s" % (n, level))


def check_gitlab(text):
    issues = load_json(text)
    seen = set()
    for i in issues:
        if set(i) != {"description", "check_name", "fingerprint", "severity",
                      "location"}:
            fault("members %s" % sorted(i))
        if i["severity"] not in ("info", "minor", "major", "critical",
                                 "blocker"):
            fault("severity %r" % i["severity"])
        if i["fingerprint"] in seen:
            fault("a fingerprint twice")
        seen.add(i["fingerprint"])
        if not i["location"]["path"] or i["location"]["lines"]["begin"] < 1:
            fault("location %s" % i["location"])


def check_sarif(text):
    value = load_json(text)
    validate(value, os.path.join(TOP, "tests/attack/output_schema.json"))
    official = os.environ.get("SARIF_SCHEMA")
    if official:
        validate(value, official)
    if len(text.encode()) > 10_000_000:
        fault("longer than GitHub takes")
    run = value["runs"][0]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    if len(run["results"]) > 5000:
        fault("%d results" % len(run["results"]))
    for r in run["results"]:
        if rules[r["ruleIndex"]] != r["ruleId"]:
            fault("rule of a result")
        uri = r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        parts = urllib.parse.urlsplit(uri)
        if parts.scheme or parts.netloc or parts.query or parts.fragment:
            fault("uri %r" % uri[:80])


def check_junit(text):
    root = ET.fromstring(text)
    check_log(text)
    if root.tag != "testsuites":
        fault("root %s" % root.tag)
    for e in root.iter():
        if e.tag not in ("testsuites", "testsuite", "testcase", "failure",
                         "system-out", "skipped"):
            fault("element %s" % e.tag)
        for v in list(e.attrib.values()) + [e.text or ""]:
            check_characters(v, "junit")
            check_log(v)
    for suite in root:
        if int(suite.get("tests")) != len(suite):
            fault("tests of %s" % suite.get("name"))
        if int(suite.get("failures")) != len(suite.findall("*/failure")):
            fault("failures of %s" % suite.get("name"))


def main():
    name = sys.argv[1]
    with open(sys.argv[2], "rb") if len(sys.argv) > 2 else sys.stdin.buffer as f:
        data = f.read()
    try:
        text = data.decode("utf-8")
        check_characters(text, "output")
        globals()["check_" + name](text)
    except (ValueError, ET.ParseError, KeyError) as e:
        fault("%s: %s" % (type(e).__name__, e))
    for line in faults[:10]:
        print(line.encode("ascii", "backslashreplace").decode())
    return 1 if faults else 0


sys.exit(main())
