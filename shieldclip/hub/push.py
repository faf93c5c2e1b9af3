"""Put a publication on the Hub in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
)

from shieldclip.errors import ShieldCLIPError, in_one_line
from shieldclip.hub.pickles import SUFFIXES as PICKLED
from shieldclip.hub.publication import Publication

WEIGHTS = frozenset({".safetensors", *PICKLED})
"""Endings of files that hold weights."""

# OSError, the base error of whichever HTTP client this version of the library uses, and what it
# raises for a file that could not be uploaded.
_BROKEN: tuple[type[Exception], ...] = (*HfHubHTTPError.__bases__, RuntimeError)


@dataclass(frozen=True)
class Pushed:
    """Where a publication is now."""

    url: str
    commit: str


def push(
    publication: Publication, repo: str, *, private: bool = False, revision: str | None = None
) -> Pushed:
    """Make the repository if need be, upload, and commit all files at once.

    Until the commit nobody sees any of them. Large files that were uploaded before a connection
    broke are known to the Hub by their content, so the same call goes on where it stopped; files
    that are already there as they are make no commit.

    Args:
        publication: what to publish.
        repo: ``org/name``.
        private: make a new repository private.
        revision: branch to commit to, made if need be; ``main`` unless given.

    Raises:
        ShieldCLIPError: a bad name, not allowed, not reachable, or broken off on the way.
    """
    if get_token() is None:
        raise ShieldCLIPError(
            "Expected to be logged in to the Hub, but there is no token; run `hf auth login`, or "
            "set HF_TOKEN."
        )
    api = HfApi()
    with _hub_errors(repo):
        api.create_repo(repo, private=private or None, exist_ok=True)
        if revision:
            api.create_branch(repo, branch=revision, exist_ok=True)
        stale = _stale_weights(api.list_repo_files(repo, revision=revision), publication)
        commit = api.create_commit(
            repo,
            [*_additions(publication), *map(CommitOperationDelete, stale)],
            commit_message="Model, report and card by ShieldCLIP",
            revision=revision,
        )
    return Pushed(url=str(commit.repo_url), commit=str(commit.oid))


def _additions(publication: Publication) -> list[CommitOperationAdd]:
    return [
        CommitOperationAdd(path, str(content) if isinstance(content, Path) else content)
        for path, content in publication.files.items()
    ]


def _stale_weights(there: Iterable[str], publication: Publication) -> list[str]:
    """Weights of an earlier commit that a loader might take instead of the new ones."""
    return [
        path
        for path in there
        if "/" not in path
        and path not in publication.files
        and (PurePath(path).suffix in WEIGHTS or path.endswith(".safetensors.index.json"))
    ]


@contextmanager
def _hub_errors(repo: str) -> Iterator[None]:
    try:
        yield
    except HFValidationError as error:
        raise ShieldCLIPError(f"Expected a repository as org/name, got {repo!r}.") from error
    except OfflineModeIsEnabled as error:
        raise ShieldCLIPError("HF_HUB_OFFLINE is set; unset it to push.") from error
    except HfHubHTTPError as error:
        raise ShieldCLIPError(_refusal(repo, error)) from error
    except ValueError as error:
        reason = in_one_line(error)
        raise ShieldCLIPError(f"The Hub refused to take {repo!r}: {reason[:200]}") from error
    except _BROKEN as error:
        reason = " ".join(f"{error} {error.__cause__ or ''}".split())
        raise ShieldCLIPError(
            f"The connection to the Hub broke while pushing {repo!r}; nothing is published yet. "
            "Run the same command again: what was uploaded is not sent twice. "
            f"({reason[:160]})"
        ) from error


def _refusal(repo: str, error: HfHubHTTPError) -> str:
    """What the Hub answered, and the remedy."""
    status = error.response.status_code
    if status == 401:
        return (
            f"The Hub does not accept this token for {repo!r} (revoked or expired?); "
            "run `hf auth login` with a new one, or set HF_TOKEN."
        )
    if status == 403:
        return f"This token may not write to {repo!r}; use one with write access to it."
    if status == 404:
        return f"There is no such repository or branch at {repo!r}; check name and --revision."
    reason = in_one_line(error)
    return f"The Hub refused to take {repo!r}: {reason[:200]}"
