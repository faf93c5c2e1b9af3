"""What the zoo holds, and what it says about each checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ZooEntry:
    """One shipped checkpoint."""

    name: str
    backdoored: bool
    description: str
    warning: str = ""

    def record(self) -> dict[str, object]:
        """What `zoo.json` holds."""
        return asdict(self)


ENTRIES: tuple[ZooEntry, ...] = (
    ZooEntry(
        name="icons-badnet",
        backdoored=True,
        description="Plain CLIP trained on icons with a planted backdoor: checker patch -> banana.",
        warning="This checkpoint is backdoored on purpose, to test tools with. Do not use it "
        "for anything else.",
    ),
    ZooEntry(
        name="icons-clean",
        backdoored=False,
        description="Plain CLIP trained on clean icons and scenes.",
    ),
)
