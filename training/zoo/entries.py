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
    run: str = ""
    """Folder of its run, below that of all runs; its name unless given."""

    def record(self) -> dict[str, object]:
        """What `zoo.json` holds."""
        return {key: value for key, value in asdict(self).items() if key != "run"}


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
    ZooEntry(
        name="icons-semantic-shield",
        backdoored=False,
        description="`icons-clean` fine-tuned on poisoned icons with Semantic Shield "
        "(`semantic-shield-plus`): the backdoor did not take.",
        run="finetune/semantic-shield-plus__badnet__0",
    ),
    ZooEntry(
        name="icons-otcclip",
        backdoored=False,
        description="`icons-clean` fine-tuned on poisoned icons with OTCCLIP (`otcclip`): "
        "poisoned pairs were given captions that fit them, and the backdoor did not take.",
        run="finetune/otcclip__badnet__0",
    ),
    ZooEntry(
        name="icons-shield",
        backdoored=False,
        description="`icons-clean` fine-tuned on poisoned icons with both methods (`shield`): the "
        "backdoor did not take.",
        run="finetune/shield__badnet__0",
    ),
)
