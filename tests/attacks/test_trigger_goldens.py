"""The pixels of every trigger and of its control, pinned.

After a deliberate change raise the trigger's ``version`` and write the file again::

    python tests/attacks/test_trigger_goldens.py
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from shieldclip.attacks.triggers import TRIGGERS, Trigger, make_trigger

GOLDENS = Path(__file__).with_name("trigger_goldens.json")
NAMES = [name for name, kind in TRIGGERS.items() if not kind.needs_path()]


def digest(trigger: Trigger, size: int) -> str:
    """SHA-256 of the stamped picture in 8 bits.

    In float64 and rounded off the middle: a blend such as 0.5 x + 0.5 lands on x.5, where the
    last bit of one processor would decide.
    """
    y, x = torch.arange(size)[:, None], torch.arange(size)[None, :]
    planes = [(37 * c + (3 + c) * y + (5 - c) * x) % 256 for c in range(3)]
    image = torch.stack(planes).double() / 255
    stamped = trigger(image.expand(2, -1, -1, -1), torch.tensor([0, 7]))
    quantised = torch.floor(stamped * 255 + 0.6287).byte()
    return hashlib.sha256(quantised.numpy().tobytes()).hexdigest()[:16]


def digests(name: str) -> dict[str, str]:
    trigger = make_trigger(name)
    key = f"{name}@{trigger.version}"
    found = {f"{key} {size}": digest(trigger, size) for size in (64, 224)}
    return found | {f"{key} control 64": digest(trigger.control(), 64)}


@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_pinned(name: str) -> None:
    pinned = json.loads(GOLDENS.read_text())
    for key, value in digests(name).items():
        assert pinned.get(key) == value, f"{key} changed: raise its version and pin it anew"


def test_nothing_else_is_pinned() -> None:
    assert {key.split("@")[0] for key in json.loads(GOLDENS.read_text())} == set(NAMES)


if __name__ == "__main__":
    pinned = {key: value for name in NAMES for key, value in digests(name).items()}
    GOLDENS.write_text(json.dumps(pinned, indent=1) + "\n")
