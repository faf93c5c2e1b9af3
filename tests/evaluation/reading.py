"""Reads the tables of a report back, from Markdown or HTML, and finds every figure in them."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img"}
MINUS, MISSING = "\N{MINUS SIGN}", "\N{EN DASH}"
NUMBER = rf"({MINUS}?[\d.]+)"
FIGURE = re.compile(rf"{NUMBER}(?: \[{NUMBER}, {NUMBER}\])?(?: \(N ([\d,]+)\))?")
METRICS = {
    "CA@1, %": "ca@1",
    "CA@5, %": "ca@5",
    "ASR, %": "asr",
    "Control, %": "control",
    "Control trigger, %": "control_trigger",
    "RA, %": "ra",
    "RA, control trigger, %": "ra_control_trigger",
    "PSR, %": "psr",
    "PSR@3, %": "psr@3",
    "PSR@5, %": "psr@5",
    "Linear probe, %": "probe",
    "MinRank": "min_rank",
    "Median rank": "median_rank",
    **{f"Hit@{k}, %": f"hit@{k}" for k in (1, 5, 10)},
    **{f"R@{k}, %": f"r@{k}" for k in (1, 5, 10)},
}
ENDINGS = {
    "Under attack": "",
    "Control": "_control",
    "At random": "_random",
    "Image→text": "_i2t",
    "Text→image": "_t2i",
}


def markdown_tables(text):
    """Rows as dicts of column -> text, escapes undone."""
    rows, head = [], None
    for line in text.splitlines():
        if not line.startswith("|"):
            head = None
        elif head is None:
            head = cells(line)
        elif not set(line) <= set("|-: "):
            rows.append(dict(zip(head, cells(line), strict=True)))
    return rows


def cells(line):
    parts = re.split(r"(?<!\\)\|", line)[1:-1]
    return [
        re.sub(r"\\(.)", r"\1", part.strip().removeprefix("**").removesuffix("**"))
        for part in parts
    ]


class Page(HTMLParser):
    """Checks nesting while it reads; keeps start tags, and tables as rows of dicts."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.rows = [], [], []
        self.head, self.lead, self.row, self.cell, self.fact = [], {}, None, None, None
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.head, self.lead = [], {}
        if tag == "tr":
            self.row, self.is_lead = [], attrs.get("class") == "lead"
        if tag in ("th", "td"):
            self.cell = ""
        if tag == "span" and self.row is not None and self.is_lead:
            self.start_fact(attrs.get("class"))

    def start_fact(self, kind):
        if kind == "name":
            self.lead, self.fact = {"Model": ""}, "Model"
        elif kind == "key":
            self.fact = None

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"
        if tag in ("th", "td"):
            self.row.append(" ".join(self.cell.split()))
            self.cell = None
        if tag == "tr":
            self.end_row()

    def end_row(self):
        if not self.head:
            self.head = self.row
        elif not self.is_lead:
            self.rows.append({**self.lead, **dict(zip(self.head, self.row, strict=True))})
        self.row = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        if self.row is None or not self.is_lead or not data.strip():
            return
        if self.fact is None:
            self.fact = data
            self.lead[self.fact] = ""
        else:
            self.lead[self.fact] = f"{self.lead[self.fact]} {data}".strip()


def figures(rows):
    """{(model, data, trigger, target, metric): (value, low, high, n)} of every figure in rows."""
    found = {}
    for row in rows:
        for column, text in row.items():
            metric = METRICS.get(column)
            if "Metric" in row:
                metric = METRICS[row["Metric"]] + ENDINGS[column] if column in ENDINGS else None
            match = FIGURE.fullmatch(text)
            if metric is None or match is None:
                continue
            clean = metric.startswith("ca@")
            trigger, target = (
                (None, None) if clean else (named(row, "Trigger"), named(row, "Target"))
            )
            n = match[4] or (row["N clean"] if clean and "N clean" in row else row["N"])
            key = (row["Model"], row["Data"], trigger, target, metric)
            found[key] = (*(value(match[i]) for i in (1, 2, 3)), int(n.replace(",", "")))
    return found


def named(row, column):
    text = row.get(column, MISSING)
    return None if text == MISSING else text


def value(text):
    return None if text is None else float(text.replace(MINUS, "-"))


def expected(m):
    """What a reader must find of a measurement: one decimal, shares in percent."""
    unit = 1 if "rank" in m.metric else 100
    bounds = (m.low * unit, m.high * unit) if m.low < m.high else (None, None)
    return (m.value * unit, *bounds, m.n)
