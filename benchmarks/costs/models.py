"""What using and evaluating a model costs, from the records of its two benchmarks."""

from __future__ import annotations

from costs.goals import Goal
from costs.stored import Records
from costs.tables import listed

INFERENCE, EVALUATION = "inference-cost", "eval-speed"


def goals(records: Records) -> list[Goal]:
    """Of inference and of evaluation."""
    used, asked = records[INFERENCE].figures, records[EVALUATION].figures
    zero_shot, suite = asked["zero_shot_vs_clip_benchmark"], asked["suite_vs_bare_passes"]
    return [
        Goal("Time of inference over CLIP's", used["time_ratio"], 1.01),
        Goal("Memory of inference over CLIP's", used["memory_ratio"], 1.01),
        Goal("Zero-shot speed over CLIP_benchmark's", zero_shot, 1, at_least=True),
        Goal("Time of a suite over bare encoder passes", suite, 1.05),
    ]


def inference(records: Records) -> str:
    """`ShieldCLIPModel` over `CLIPModel`."""
    record = records[INFERENCE]
    ratios = {
        "Time of a forward pass": f"{record.figures['time_ratio']:.3f}",
        "Peak memory of loading and a forward pass": f"{record.figures['memory_ratio']:.3f}",
    }
    return (
        f"{listed('ShieldCLIP / CLIP', ratios)}\n\n{record.figures['batch_size']} pictures and "
        f"captions at once; {record.origin}."
    )


def evaluation(records: Records) -> str:
    """Over the peer's loop, and over encoding alone."""
    record = records[EVALUATION]
    ratios = {
        "Zero-shot pictures a second / CLIP_benchmark's": "zero_shot_vs_clip_benchmark",
        "Time of a suite / bare encoder passes": "suite_vs_bare_passes",
    }
    shown = {name: f"{record.figures[key]:.3f}" for name, key in ratios.items()}
    return (
        f"{listed('Ratio', shown)}\n\n{record.figures['pictures']:,} pictures, "
        f"{record.figures['triggers']} triggers and their controls; {record.origin}."
    )
