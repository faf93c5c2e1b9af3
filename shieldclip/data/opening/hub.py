"""Data sets on the Hugging Face Hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import datasets
from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RevisionNotFoundError

from shieldclip.data.opening.loading import FAILURES, first_line
from shieldclip.data.opening.raw import Raw, from_dataset
from shieldclip.data.opening.splits import choose_split
from shieldclip.errors import ShieldCLIPError

_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?::(?P<config>[^@]+))?(?:@(?P<revision>.+))?")


@dataclass(frozen=True)
class HubId:
    """``org/name``, a configuration and a revision."""

    id: str
    config: str | None
    revision: str | None


def parse_hub_id(spec: str) -> HubId | None:
    """Reads ``org/name[:config][@revision]``; ``None`` if it is nothing of the kind."""
    match = _ID.fullmatch(spec)
    return HubId(**match.groupdict()) if match else None


def read_hub(hub_id: HubId, split: str | None) -> Raw:
    """Reads a split; the ``datasets`` library downloads it once and keeps it.

    Raises:
        ShieldCLIPError: not there, not allowed, not reachable, or no such split.
    """
    with _reachable(hub_id):
        builder = datasets.load_dataset_builder(hub_id.id, hub_id.config, revision=hub_id.revision)
        available = [str(name) for name in builder.info.splits or builder.config.data_files or ()]
    chosen = choose_split(available, split, hub_id.id)
    with _reachable(hub_id):
        rows = datasets.load_dataset(
            hub_id.id, hub_id.config, split=chosen, revision=hub_id.revision
        )
    return from_dataset(rows, hub_id.id.split("/")[1], chosen, hub_id.id, base=None)


@contextmanager
def _reachable(hub_id: HubId) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise ShieldCLIPError(
            f"Expected the Hub data set {hub_id.id!r} (no such file or folder is here), "
            f"but {_diagnosis(error, hub_id)}."
        ) from error


def _diagnosis(error: BaseException, hub_id: HubId) -> str:
    """What went wrong, and the remedy."""
    chain = list(_chain(error))
    if any(isinstance(link, GatedRepoError) for link in chain):
        page = f"https://huggingface.co/datasets/{hub_id.id}"
        return f"it is gated; accept its terms on {page} and run `hf auth login`"
    if any(isinstance(link, RevisionNotFoundError) for link in chain):
        return f"it has no revision {hub_id.revision!r}; correct what follows the @"
    if isinstance(error, datasets.exceptions.DatasetNotFoundError):
        return "there is none, or it is private; check the name, or run `hf auth login`"
    if any(isinstance(link, OfflineModeIsEnabled) for link in chain) or "Offline" in str(error):
        return "HF_HUB_OFFLINE is set and it is not in the cache; unset it, or give a local path"
    if isinstance(error, ConnectionError):
        return "the Hub cannot be reached; check the network, or give a local path"
    return f"it cannot be read: {first_line(error)}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
