"""Our CA and R@k equal those of CLIP_benchmark on the same model and data."""

from __future__ import annotations

import pytest
import torch
from clip_benchmark.metrics import zeroshot_classification, zeroshot_retrieval
from toy_parts import toy_source

from shieldclip.encoders import load_encoder
from shieldclip.evaluation import run
from shieldclip.evaluation.request import EvalRequest

SUITE = """
name: agreement
description: Clean figures.
entries: [{data: toys, protocols: [zero-shot, retrieval]}]
"""


class Theirs:
    """An encoder in CLIP_benchmark's terms; texts travel through it as numbers."""

    def __init__(self, encoder):
        self.encode_image = encoder.encode_image
        self._encoder = encoder
        self._texts: list[str] = []

    def tokenize(self, texts):
        start = len(self._texts)
        self._texts += texts
        return torch.arange(start, len(self._texts))

    def encode_text(self, tokens):
        return self._encoder.encode_text([self._texts[token] for token in tokens])


@pytest.fixture(scope="module")
def source():
    return toy_source(n=90)


@pytest.fixture(scope="module")
def encoder(tiny_clip_folder):
    return load_encoder(str(tiny_clip_folder), device="cpu")


@pytest.fixture
def report(source, encoder, monkeypatch, tmp_path):
    suite = tmp_path / "agreement.yaml"
    suite.write_text(SUITE)
    monkeypatch.setattr(run, "load_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr(run, "open_source", lambda **_: source)
    return run.evaluate(EvalRequest(("tiny",), str(suite), batch_size=32))


@pytest.fixture(scope="module")
def images(source, encoder):
    from shieldclip.data.decode import decode

    pictures = [encoder.preprocess(decode(cell)) for cell in source.rows["image"]]
    return torch.stack(pictures).float() / 255


def batches(images, answers, size=32):
    starts = range(0, len(images), size)
    return [(images[at : at + size], answers[at : at + size]) for at in starts]


def test_accuracy(report, source, encoder, images):
    theirs = Theirs(encoder)
    loader = batches(images, torch.tensor(source.labels))
    templates = [template.replace("{}", "{c}") for template in source.templates]
    classifier = zeroshot_classification.zero_shot_classifier(
        theirs, theirs.tokenize, list(source.classes), templates, "cpu", amp=False
    )
    logits, labels = zeroshot_classification.run_classification(
        theirs, classifier, loader, "cpu", amp=False
    )
    for k in (1, 5):
        # Their `accuracy` on these logits; itself it fails with NumPy 2.4 and later.
        share = (logits.topk(k, 1).indices == labels[:, None]).any(1).double().mean()
        assert report.select(f"ca@{k}")[0].value == pytest.approx(float(share), abs=1e-6)


def test_recall(report, source, encoder, images):
    theirs = Theirs(encoder)
    metrics = zeroshot_retrieval.evaluate(
        theirs,
        batches(images, source.captions),
        theirs.tokenize,
        "cpu",
        amp=False,
        recall_k_list=[1, 5, 10],
    )
    for k in (1, 5, 10):
        for ours, name in (("i2t", "text"), ("t2i", "image")):
            value = report.select(f"r@{k}_{ours}")[0].value
            assert value == pytest.approx(metrics[f"{name}_retrieval_recall@{k}"], abs=1e-6)
