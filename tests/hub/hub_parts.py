"""Reports as an evaluation would write them, with figures that are easy to tell apart."""

from shieldclip.evaluation.attack_rows import ATTACKED
from shieldclip.evaluation.metrics.intervals import wilson
from shieldclip.evaluation.report import DataInfo, EvalReport, Measurement, ModelInfo

MODEL, OTHER = "/home/someone/runs/tiny/last", "shieldclip:icons-clean"
HITS = {"badnet": (963, 4, 6, 21), "sig": (7, 4, 5, 603)}
"""Hits of ASR, control, control trigger and RA among 990, by trigger."""
FILES = {
    "README.md",
    "asr.png",
    "config.json",
    "model.safetensors",
    "processor_config.json",
    "recipe.yaml",
    "report.html",
    "report.json",
    "tokenizer.json",
    "tokenizer_config.json",
}
"""Of a published checkpoint."""
RECIPE = {
    "about": {"summary": "A tiny model for tests.", "paper": "A paper, 2025."},
    "model": {"pretrained": "openai/clip-vit-base-patch32"},
    "data": {
        "sources": [{"source": "org/pictures"}, {"source": "icons-all"}],
        "poison": {"poison": "dirty-label", "rate": 0.015, "target": "banana", "trigger": "badnet"},
    },
    "defence": {"name": "otcclip", "epsilon": 0.05},
    "optimiser": {"samples": 30_000, "epochs": None, "batch_size": 256, "learning_rate": 5e-4},
    "seed": 0,
}


def share(model, metric, hits, n, trigger=None, target=None):
    found = wilson(hits, n)
    figures = (found.value, found.n, found.low, found.high)
    return Measurement(model, metric, *figures, trigger, target, "icons-100")


def measurements(model, hits, top1=712):
    rows = [share(model, "ca@1", top1, 1000), share(model, "ca@5", 918, 1000)]
    for trigger, counts in hits.items():
        for metric, count in zip(ATTACKED, (*counts, 577), strict=True):
            rows.append(share(model, metric, count, 990, trigger, "banana"))
    return rows


def info(name, fingerprint):
    return ModelInfo(name, "", fingerprint, "transformers", 12_345, 32)


def report_on(fingerprint, hits=HITS):
    """Of the tiny model and another one."""
    harmless = dict.fromkeys(hits, (4, 4, 5, 600))
    return EvalReport(
        models=(info(MODEL, fingerprint), info(OTHER, "c1ea" * 16)),
        data=DataInfo(
            "icons-100", "icons-100", "test", "/home/someone/icons.parquet", "da7a" * 16, 1000
        ),
        measurements=(*measurements(MODEL, hits), *measurements(OTHER, harmless)),
        suite="quick",
        seed=3,
        versions={"shieldclip": "0.1.0", "torch": "2.15.0"},
        throughput={MODEL: 412.5, OTHER: 400.0},
    )
