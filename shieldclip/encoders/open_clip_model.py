"""Load a model with open_clip, and refuse whatever it would quietly make up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import open_clip

from shieldclip.encoders.folder import CONFIGS, weight_files
from shieldclip.encoders.misfit import describe_misfit
from shieldclip.encoders.quiet import quiet_libraries
from shieldclip.encoders.safety import read_json, reading, refuse_code
from shieldclip.errors import ShieldCLIPError, in_one_line, unknown_name


def load_folder(folder: Path) -> Any:
    """The model of an open_clip folder, in float32 on the CPU.

    Raises:
        ShieldCLIPError: missing, damaged or unsafe files, or weights that do not fit.
    """
    config = read_json(folder / CONFIGS["open_clip"])
    model_config = config.get("model_cfg")
    if not isinstance(model_config, dict):
        raise ShieldCLIPError(f"Expected a model_cfg in {folder / CONFIGS['open_clip']}.")
    _refuse_code_of_towers(model_config)
    weights = weight_files(folder, "open_clip")[0]
    with _fitting(weights, f"model_cfg of {folder}"):
        return _create(f"local-dir:{folder}")


def load_state_dict(arch: str, weights: Path) -> Any:
    """Weights of one file in a named architecture, in float32 on the CPU.

    ``{"state_dict": {...}}`` nesting and ``module.`` prefixes are taken off by open_clip.

    Raises:
        ShieldCLIPError: unknown architecture, a damaged or unsafe file, or weights that do not
            fit.
    """
    _require_arch(arch)
    with _fitting(weights, arch):
        return _create(arch, pretrained=str(weights))


def load_tag(arch: str, tag: str) -> Any:
    """A pretrained tag of open_clip's own list, downloaded if need be, in float32 on the CPU.

    Raises:
        ShieldCLIPError: unknown architecture or tag, no connection, or a mismatch of activation.
    """
    _require_arch(arch)
    tags = open_clip.list_pretrained_tags_by_model(arch)
    if tag not in tags:
        raise unknown_name(f"pretrained tag of open_clip's {arch}", tag, tags)
    weights = _download(arch, tag)
    quick = bool(open_clip.get_pretrained_cfg(arch, tag).get("quick_gelu"))
    if open_clip.get_model_config(arch).get("quick_gelu") and not quick:
        raise ShieldCLIPError(
            f"Tag {tag!r} was trained with GELU, but {arch!r} computes QuickGELU; "
            f"use open_clip:{arch.removesuffix('-quickgelu')}/{tag}."
        )
    with _fitting(weights, arch):
        return _create(arch, pretrained=tag, force_quick_gelu=quick)


@quiet_libraries()
def load_tokenizer(arch: str) -> Any:
    """open_clip's tokenizer of an architecture, or of ``local-dir:FOLDER``.

    Special tokens spelled out in a text are ordinary characters to it, so that
    ``<end_of_text>`` in a caption does not end it.

    Raises:
        ShieldCLIPError: the tokenizer's files are missing.
    """
    text = open_clip.get_model_config(arch)["text_cfg"]
    # Named, because a configuration's own tokenizer_kwargs could ask for the opposite.
    options = {"trust_remote_code": False} if text.get("hf_tokenizer_name") else {}
    try:
        tokenizer = open_clip.get_tokenizer(arch, **options)
    except (OSError, ValueError, ImportError, TypeError) as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(f"No tokenizer for {arch!r}: {reason}.") from error
    if isinstance(tokenizer, open_clip.SimpleTokenizer):
        _disarm(tokenizer)
    else:
        tokenizer.tokenizer.split_special_tokens = True
    return tokenizer


def _disarm(tokenizer: Any) -> None:
    """Split special tokens that a cleaned text spells out, as the tokenizer splits other words."""
    clean = tokenizer.clean_fn
    specials = [tokenizer.decoder[token] for token in tokenizer.all_special_ids]

    def clean_and_split(text: str) -> str:
        text = clean(text)
        for special in specials:
            text = text.replace(special, f"{special[0]} {special[1:]}")
        return text

    tokenizer.clean_fn = clean_and_split


@quiet_libraries()
def _create(name: str, **options: Any) -> Any:
    # Without require_pretrained, weights that are not found stay random with a mere log line.
    return open_clip.create_model(name, require_pretrained=True, weights_only=True, **options)


def _require_arch(arch: str) -> None:
    if open_clip.get_model_config(arch) is None:
        raise unknown_name("open_clip architecture", arch, open_clip.list_models())


def _download(arch: str, tag: str) -> Path:
    try:
        return Path(open_clip.download_pretrained(open_clip.get_pretrained_cfg(arch, tag)))
    except (OSError, RuntimeError) as error:
        raise ShieldCLIPError(
            f"open_clip:{arch}/{tag} is not in the cache and cannot be downloaded (offline?); "
            f"connect once, or give a file as state-dict:{arch}:FILE."
        ) from error


def _refuse_code_of_towers(model_config: dict[str, Any]) -> None:
    """A text tower named ``hf_model_name`` is built from another checkpoint's configuration."""
    name = model_config.get("text_cfg", {}).get("hf_model_name")
    if name:
        from transformers import PreTrainedConfig

        try:
            config, _ = PreTrainedConfig.get_config_dict(name)
        except OSError as error:
            raise ShieldCLIPError(f"No configuration of the text tower {name!r}.") from error
        refuse_code(config, f"Text tower {name!r}")


@contextmanager
def _fitting(weights: Path, arch: str) -> Iterator[None]:
    with reading(weights):
        try:
            yield
        except RuntimeError as error:
            misfit = _misfit(str(error))
            if not misfit:
                raise
            raise _does_not_fit(weights, arch, misfit) from error
        except AssertionError as error:  # raised while positional embeddings are resized
            raise _does_not_fit(weights, arch, in_one_line(error, most=200)) from error
        except (KeyError, TypeError, AttributeError, StopIteration) as error:
            raise ShieldCLIPError(
                f"open_clip cannot build {arch} from {weights}: {type(error).__name__} {error}."
            ) from error


def _does_not_fit(weights: Path, arch: str, misfit: str) -> ShieldCLIPError:
    return ShieldCLIPError(
        f"{weights} does not hold the weights of {arch} ({misfit}); "
        "name the architecture it was trained with."
    )


def _misfit(message: str) -> str:
    """The keys PyTorch names in a failed strict load, in one line."""
    missing = re.search(r"Missing key\(s\) in state_dict: (.*)", message)
    unexpected = re.search(r"Unexpected key\(s\) in state_dict: (.*)", message)
    return describe_misfit(
        missing=re.findall(r'"([^"]+)"', missing[1]) if missing else [],
        other_shape=re.findall(r"size mismatch for (\S+):", message),
        unexpected=re.findall(r'"([^"]+)"', unexpected[1]) if unexpected else [],
    )
