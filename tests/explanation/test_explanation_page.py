"""The page and the pictures: self-contained, escaped, and true to the figures."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from shieldclip.errors import ShieldCLIPError
from shieldclip.explanation import explain, render_page
from shieldclip.explanation.figures import model_lines, row
from shieldclip.explanation.heat import attention_picture, hottest, plain
from shieldclip.explanation.write import write_explanations

VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Sees that tags are closed in order, and gathers pictures, links and text."""

    def __init__(self):
        super().__init__()
        self.open, self.images, self.links, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [v for k, v in attributes if k in {"href", "src", "srcset"} and v]
        if tag == "img":
            assert found["alt"]
            self.images.append(found["src"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.text.append(data)


def outline(page):
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture
def explanations(subject, pictures, question):
    asked = replace(question, elements_of=lambda _: ("red", "round", "long"))
    return explain(subject, pictures, asked)


def test_page_loads_nothing_and_its_pictures_are_png(explanations):
    page = render_page(explanations)
    found = outline(page)
    assert all(link.startswith("data:image/png;base64,") for link in found.links)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert len(found.images) == 2 * 2 * 3
    for uri in found.images:
        assert Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))).width == 320


def test_page_says_what_was_found(explanations):
    text = re.sub(r"\s+", " ", " ".join(outline(render_page(explanations)).text))
    for explanation in explanations:
        for cell in row(explanation).cells:
            assert cell in text
        for view in (explanation.clean, explanation.triggered):
            for prediction in view.predictions:
                assert prediction.name in text


def test_names_from_outside_are_escaped(explanations):
    evil = "<script>alert(1)</script>"
    page = render_page([replace(e, model=evil, picture=evil, label=evil) for e in explanations])
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_without_knowledge_and_without_place_there_is_less_to_show(subject, pictures, question):
    from shieldclip.attacks.triggers import make_trigger

    spread = replace(question, trigger_name="sig", trigger=make_trigger("sig"))
    explanations = explain(subject, pictures, spread)
    found = outline(render_page(explanations))
    assert len(found.images) == 2 * 2 * 2
    assert "spread over the picture" in next(iter(model_lines(explanations).values()))
    assert row(explanations[0]).cells[-3:] == ("\N{EN DASH}",) * 3


def test_no_explanation_is_an_error():
    with pytest.raises(ShieldCLIPError, match="at least one"):
        render_page([])


def test_more_attention_is_drawn_darker(explanations):
    explanation = explanations[0]
    white = replace(
        explanation.clean,
        pixels=torch.full((3, 32, 32), 255, dtype=torch.uint8),
        attention=torch.tensor([0.0, 0.1, 0.3, 0.6]),
    )
    bare = replace(explanation, mask=None, clean=white, triggered=white)
    image = attention_picture(bare, white, hottest([bare]))
    light = np.asarray(image.convert("L"), float)
    half = image.width // 2
    blocks = [light[:half, :half], light[:half, half:], light[half:, :half], light[half:, half:]]
    assert [block.std() for block in blocks] == [0, 0, 0, 0]
    means = [block.mean() for block in blocks]
    assert means[0] == 255
    assert means == sorted(means, reverse=True)
    assert means[3] < 90
    assert plain(white).getextrema() == ((255, 255),) * 3


def test_files_are_the_page_and_a_picture_each(explanations, tmp_path):
    written = write_explanations(explanations, tmp_path / "new")
    names = ["explanation.html", "01-noise-0.png", "02-noise-1.png"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(names)
    assert written[0].read_text("utf-8") == render_page(explanations)
    with Image.open(written[1]) as sheet:
        assert sheet.width > 900


def test_a_folder_that_is_a_file_is_one_line(explanations, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ShieldCLIPError, match="--out"):
        write_explanations(explanations, tmp_path / "file")
