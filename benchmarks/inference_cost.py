"""What `ShieldCLIPModel` costs at inference, as ratios to `CLIPModel` on the same weights.

    python benchmarks/inference_cost.py [--clip FOLDER] [--device cpu] [--batch-size 32] [--json]

- `time_ratio`: seconds of a forward pass over pictures and captions, the median of ratios of
  neighbouring runs, so that whatever else the machine does cancels out.
- `memory_ratio`: peak memory of loading the model and running the same pass, medians over processes
  of one model each, less what a process held before (on a CPU: Linux only).

Both are to be at most 1.01. Without --clip, a ViT-B/32 with random weights.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import torch
from transformers import CLIPConfig, CLIPModel
from transformers.utils import logging

from shieldclip.modeling import ShieldCLIPModel

MODELS = {"clip": CLIPModel, "shieldclip": ShieldCLIPModel}
PROCESSES = 9
"""In which each model's memory is measured."""


def load(name: str, folder: Path, device: str) -> Any:
    """A model of the folder, ready for inference."""
    return MODELS[name].from_pretrained(folder).to(device).eval()


def make_inputs(config: CLIPConfig, batch_size: int, device: str) -> dict[str, torch.Tensor]:
    """Random pictures and full-length captions."""
    noise = torch.Generator().manual_seed(0)
    side, text = config.vision_config.image_size, config.text_config
    ids = torch.randint(
        text.vocab_size, (batch_size, text.max_position_embeddings), generator=noise
    )
    ids[:, -1] = text.eos_token_id
    pixels = torch.randn(batch_size, 3, side, side, generator=noise)
    return {"pixel_values": pixels.to(device), "input_ids": ids.to(device)}


@torch.inference_mode()
def seconds(model: Any, inputs: dict[str, torch.Tensor]) -> float:
    """Duration of one forward pass."""
    began = time.perf_counter()
    float(model(**inputs).logits_per_image.sum())  # waits for the device
    return time.perf_counter() - began


def time_ratio(folder: Path, device: str, batch_size: int, repeats: int) -> float:
    """ShieldCLIP over CLIP; the order alternates."""
    models = {name: load(name, folder, device) for name in MODELS}
    inputs = make_inputs(models["clip"].config, batch_size, device)
    order, ratios = list(models), []
    for _ in range(repeats + 1):
        taken = {name: seconds(models[name], inputs) for name in order}
        ratios.append(taken["shieldclip"] / taken["clip"])
        order.reverse()
    return statistics.median(ratios[1:])  # the first pass warms up


def measure_peak(name: str, folder: Path, device: str, batch_size: int, sender: Any) -> None:
    """Send the bytes that model and pass add at most; runs in a process of its own."""
    inputs = make_inputs(CLIPConfig.from_pretrained(folder), batch_size, device)
    gc.collect()
    if device.startswith("cuda"):
        before = torch.cuda.memory_allocated()
        seconds(load(name, folder, device), inputs)
        sender.send(torch.cuda.max_memory_allocated() - before)
        return
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
    before = held("VmRSS")
    seconds(load(name, folder, device), inputs)
    sender.send(held("VmHWM") - before)


def held(field: str) -> int:
    """Memory of this process, in bytes, from Linux: ``VmRSS`` now, ``VmHWM`` at the peak."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) * 1024


def peak_in_own_process(name: str, folder: Path, device: str, batch_size: int) -> int:
    """`measure_peak` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure_peak, args=(name, folder, device, batch_size, sender))
    process.start()
    sender.close()
    peak: int = receiver.recv()
    process.join()
    return peak


def memory_ratio(folder: Path, device: str, batch_size: int) -> float:
    """ShieldCLIP over CLIP, of median peaks: where blocks come to lie differs between processes."""
    peaks: dict[str, list[int]] = {name: [] for name in MODELS}
    for _ in range(PROCESSES):
        for name, found in peaks.items():
            found.append(peak_in_own_process(name, folder, device, batch_size))
    return statistics.median(peaks["shieldclip"]) / statistics.median(peaks["clip"])


@click.command()
@click.option("--clip", type=click.Path(exists=True, path_type=Path), help="A CLIPModel folder.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--batch-size", default=32, show_default=True)
@click.option("--repeats", default=11, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(clip: Path | None, device: str, batch_size: int, repeats: int, as_json: bool) -> None:
    """Measure both ratios in one run."""
    logging.set_verbosity_error()
    plain = CLIPModel.from_pretrained(clip) if clip else CLIPModel(CLIPConfig())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ShieldCLIPModel.from_clip(plain).save_pretrained(folder)
        del plain
        figures = {
            "device": device,
            "batch_size": batch_size,
            "time_ratio": time_ratio(folder, device, batch_size, repeats),
            "memory_ratio": memory_ratio(folder, device, batch_size),
        }
    click.echo(
        json.dumps(figures) if as_json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )


if __name__ == "__main__":
    main()
