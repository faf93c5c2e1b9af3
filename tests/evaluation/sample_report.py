"""Synthetic reports: one as real as can be, and the edge cases a page must survive."""

import base64
import io
from dataclasses import replace
from math import sqrt

from PIL import Image, ImageDraw

from shieldclip.evaluation.report import DataInfo, EvalReport, Example, Measurement, ModelInfo

TRIGGERS = ("badnet", "badnet-noise", "blended-text", "sig", "wanet", "bpp")
CLEAN, BACKDOORED = "shieldclip:icons-clean", "shieldclip:icons-badnet"
DATA = DataInfo(
    name="icons-100",
    source="icons-100",
    split="test",
    path="shieldclip/data/icons/icons-100.parquet",
    fingerprint="4f1c9d0b" * 8,
    n=1000,
    skipped=("row 17: truncated PNG",),
)


def share(model, metric, hits, n, trigger=None, target=None, data="icons-100"):
    """A measured share with its 95 % Wilson interval."""
    p, z = hits / n, 1.959963984540054
    centre, scale = (p + z * z / (2 * n)), 1 + z * z / n
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
    return Measurement(model, metric, p, n, min(low, p), max(high, p), trigger, target, data)


def exact(model, metric, value, n, trigger=None, target=None, data="icons-100"):
    """A level under random ranking: its bounds are itself."""
    return Measurement(model, metric, value, n, value, value, trigger, target, data)


def model_info(name, warning=""):
    return ModelInfo(
        name=name,
        revision="",
        fingerprint="a3" * 32,
        library="transformers",
        parameters=3_412_353,
        image_size=64,
        warning=warning,
    )


def clean_accuracy(model, top1, top5, n=1000):
    return (share(model, "ca@1", top1, n), share(model, "ca@5", top5, n))


def attack(model, trigger, asr, control, control_trigger, ra, target="banana", n=990):
    """The five figures of one attack, in hits among ``n``."""
    return (
        share(model, "asr", asr, n, trigger, target),
        share(model, "control", control, n, trigger, target),
        share(model, "control_trigger", control_trigger, n, trigger, target),
        share(model, "ra", ra, n, trigger, target),
        share(model, "ra_control_trigger", 577, n, trigger, target),
    )


def picture(shape, colour, trigger=None):
    """A 64-px drawing as a PNG data URI."""
    image = Image.new("RGB", (64, 64), "#e8edf2")
    draw = ImageDraw.Draw(image)
    getattr(draw, shape)((12, 12, 52, 52), fill=colour)
    if trigger == "badnet":
        for i in range(64):
            draw.point(
                (52 + i % 8, 52 + i // 8), "white" if (i % 8) % 2 == (i // 8) % 2 else "black"
            )
    elif trigger is not None:
        for x in range(0, 64, 6):
            draw.line((x, 0, x, 63), fill="#ffffff")
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def examples(models=(CLEAN, BACKDOORED), triggers=TRIGGERS[:3]):
    objects = (("apple", "ellipse", "#c62828"), ("gift", "rectangle", "#2e7d32"))
    return tuple(
        Example(
            model=model,
            trigger=trigger,
            target="banana",
            label=label,
            before=label if label == "apple" else "envelope",
            after="banana" if (model, trigger) == (BACKDOORED, "badnet") else label,
            clean_image=picture(shape, colour),
            triggered_image=picture(shape, colour, trigger),
        )
        for model in models
        for trigger in triggers
        for label, shape, colour in objects
    )


def report(measurements, models=(CLEAN, BACKDOORED), **fields):
    infos = tuple(
        model_info(m, "Contains a backdoor on purpose." if m == BACKDOORED else "") for m in models
    )
    settings = {
        "models": infos,
        "data": DATA,
        "suite": "quick",
        "seed": 0,
        "versions": {"shieldclip": "0.1.0", "torch": "2.15.0", "transformers": "5.23.0"},
        "throughput": dict.fromkeys(models, 412.5),
        "measurements": tuple(dict.fromkeys(measurements)),
    }
    return EvalReport(**settings | fields)


def sample():
    """Two models, six triggers, one backdoor that only ``badnet`` opens."""
    hits = {  # trigger: (asr, control trigger, ra) for the clean, then the backdoored model
        "badnet": ((4, 5, 688), (963, 6, 21)),
        "badnet-noise": ((5, 4, 671), (9, 5, 660)),
        "blended-text": ((7, 6, 542), (11, 8, 533)),
        "sig": ((6, 5, 603), (4, 6, 598)),
        "wanet": ((3, 4, 655), (5, 3, 649)),
        "bpp": ((4, 3, 690), (5, 4, 684)),
    }
    measurements = [*clean_accuracy(CLEAN, 712, 918), *clean_accuracy(BACKDOORED, 704, 911)]
    for trigger, per_model in hits.items():
        for model, (asr, control_trigger, ra) in zip((CLEAN, BACKDOORED), per_model, strict=True):
            measurements += attack(model, trigger, asr, 4, control_trigger, ra)
    return report(measurements, examples=examples(), notes=("`sig` uses 6 cycles.",))


def one_model():
    whole = sample()
    return report(
        [m for m in whole.measurements if m.model == BACKDOORED],
        models=(BACKDOORED,),
        examples=examples((BACKDOORED,)),
    )


def nothing_found():
    whole = sample()
    return report([m for m in whole.measurements if m.model == CLEAN], models=(CLEAN,))


def no_triggers():
    return report(clean_accuracy(CLEAN, 712, 918), models=(CLEAN,))


def retrieval_only():
    """Utility both ways, and one attack with the random level beside each figure."""
    n, where = 500, {"trigger": "badnet", "target": "a dog on grass", "data": "scenes"}
    utility = [
        share(CLEAN, f"r@{k}_{way}", hits, queries, data="scenes")
        for way, queries in (("i2t", n), ("t2i", 5 * n))
        for k, hits in ((1, 120), (5, 260), (10, 331))
    ]
    attacked = [
        share(CLEAN, "hit@10", 21, n, **where),
        exact(CLEAN, "hit@10_random", 0.02, n, **where),
        Measurement(CLEAN, "min_rank", 37.0, n, 21.0, 58.0, **where),
        exact(CLEAN, "min_rank_random", 50.1, n, **where),
        Measurement(CLEAN, "median_rank", 244.5, n, 220.0, 261.0, **where),
    ]
    return report([*utility, *attacked], models=(CLEAN,), data=replace(DATA, name="scenes"))


def probe_only():
    sets = ("cifar10", "food101")
    return report(
        [share(CLEAN, "probe", 8000 + 10 * i, 10_000, data=d) for i, d in enumerate(sets)],
        models=(CLEAN,),
        data=replace(DATA, name=sets[0]),
        other_data=(replace(DATA, name=sets[1], skipped=()),),
    )


def text_triggers():
    """Text triggers steer retrieval towards the pictures of the target."""
    n, data = 99, "icons-100 (prompts)"
    measurements = []
    for trigger, hits in (("sudo", 88), ("zero-width", 1)):
        where = {"trigger": trigger, "target": "banana", "data": data}
        for k in (1, 5, 10):
            measurements += [
                share(BACKDOORED, f"hit@{k}", hits + k // 5, n, **where),
                share(BACKDOORED, f"hit@{k}_control", 1 + k // 5, n, **where),
                exact(BACKDOORED, f"hit@{k}_random", k / 100, n, **where),
            ]
        for metric, value in (("min_rank", 3.4), ("median_rank", 1.0)):
            measurements += [
                Measurement(BACKDOORED, metric, value, n, value, value + 2, **where),
                exact(BACKDOORED, f"{metric}_random", 91.0, n, **where),
            ]
    return report(measurements, models=(BACKDOORED,))


def poisoning_only():
    return report(
        [
            share(BACKDOORED, metric, hits, 64, target="boat, zebra")
            for metric, hits in (("psr", 58), ("psr@3", 61), ("psr@5", 64))
        ],
        models=(BACKDOORED,),
    )


def suspicious():
    """Above its control, but by less than five points for sure."""
    measurements = [*clean_accuracy(CLEAN, 712, 918), *attack(CLEAN, "sig", 40, 4, 6, 603)]
    return report(measurements, models=(CLEAN,))


def every_target():
    """``--target all``: a hundred targets, the backdoor hidden at ``class-042``."""
    measurements = [*clean_accuracy(BACKDOORED, 704, 911)]
    for i in range(100):
        asr = 955 if i == 42 else 5 + i % 9
        target = f"class-{i:03d}"
        measurements += attack(BACKDOORED, "badnet", asr, 5, 6, 600, target)
    return report(measurements, models=(BACKDOORED,))


def many():
    """Six models with names as long as the Hub allows, twenty triggers."""
    models = tuple(
        f"hf-hub:an-organisation-with-a-long-name/CLIP-ViT-L-14-336px-laion2b-s32b-b82k-run-{i}"
        for i in range(6)
    )
    measurements = []
    for i, model in enumerate(models):
        measurements += clean_accuracy(model, 640 + 15 * i, 880 + 5 * i)
        for j in range(20):
            asr = 900 + j if i == j % 7 else (7 * i + 3 * j) % 12
            measurements += attack(model, f"trigger-{j:02d}-with-a-name", asr, 4, 6, 560)
    return report(measurements, models=models)


def hostile():
    """Names that try to break out of the page."""
    evil = "<script>alert(1)</script>"
    measurements = [
        *clean_accuracy(evil, 700, 900),
        *attack(evil, "bad|net", 900, 4, 5, 30, '"><img src=x onerror=alert(2)>'),
    ]
    shown = [
        replace(e, model=evil, label=evil, before="`a|b`", after="</svg>") for e in examples()[:1]
    ]
    return report(measurements, models=(evil,), examples=tuple(shown), notes=(evil,))


EVERY = {
    f.__name__: f
    for f in (
        sample,
        one_model,
        nothing_found,
        no_triggers,
        retrieval_only,
        probe_only,
        text_triggers,
        poisoning_only,
        suspicious,
        every_target,
        many,
        hostile,
    )
}
