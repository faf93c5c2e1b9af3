"""Fetch a checkpoint's folder from the Hugging Face Hub: configuration first, then weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from shieldclip.encoders.card import CARD
from shieldclip.encoders.folder import WEIGHTS, library_of
from shieldclip.encoders.quiet import quiet_libraries
from shieldclip.encoders.spec import HubSpec
from shieldclip.errors import ShieldCLIPError, in_one_line

METADATA = ["*.json", "*.txt", "*.model", CARD]
"""Configuration, tokenizer, image processor and card."""
SUBFOLDERS = ["*/*"]
"""Never needed: other formats and training state."""

# OSError and the base error of whichever HTTP client this version of the library uses.
_REQUEST_FAILED: tuple[type[Exception], ...] = HfHubHTTPError.__bases__


@dataclass(frozen=True)
class Snapshot:
    """A repository at one commit, on this disk."""

    folder: Path
    revision: str
    """The commit."""
    library: str


def fetch(spec: HubSpec) -> Snapshot:
    """Download configuration and weights into the Hub cache, or find them there.

    Pickled weights are downloaded only where the repository has no safetensors.

    Raises:
        ShieldCLIPError: no such repository or revision, gated, offline, or not a CLIP.
    """
    with _hub_errors(spec):
        with quiet_libraries():
            folder = _download(spec.repo, spec.revision, METADATA)
        library = library_of(folder, spec.library)
        _fetch_weights(spec.repo, folder, WEIGHTS[library])
    return Snapshot(folder, folder.name, library)


def _fetch_weights(repo: str, folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        path = folder / name
        if (folder / f"{name}.index.json").is_file():
            _download(repo, folder.name, [f"{path.stem}-*{path.suffix}"])
            return
        if not path.is_file():
            _download(repo, folder.name, [name])
        if path.is_file():
            return


def _download(repo: str, revision: str | None, patterns: list[str]) -> Path:
    folder = snapshot_download(
        repo, revision=revision, allow_patterns=patterns, ignore_patterns=SUBFOLDERS
    )
    return Path(folder)


@contextmanager
def _hub_errors(spec: HubSpec) -> Iterator[None]:
    try:
        yield
    except GatedRepoError as error:
        raise ShieldCLIPError(
            f"{spec.repo!r} is gated: accept its terms on its Hub page, then run `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise ShieldCLIPError(
            f"No repository {spec.repo!r} on the Hub that you may read, and no folder of that name "
            "here; check the spelling, or run `hf auth login` if it is private."
        ) from error
    except RevisionNotFoundError as error:
        raise ShieldCLIPError(
            f"{spec.repo!r} has no revision {spec.revision!r}; leave @revision out for the newest."
        ) from error
    except LocalEntryNotFoundError as error:
        raise ShieldCLIPError(
            f"The Hub cannot be reached (offline?), and {spec.repo!r} is neither in its cache nor "
            "a folder here; connect once, unset HF_HUB_OFFLINE, or give a local folder."
        ) from error
    except _REQUEST_FAILED as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(f"Downloading {spec.repo!r} failed: {reason}") from error
