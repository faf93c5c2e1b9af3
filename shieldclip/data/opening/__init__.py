"""`open_source`: a string -> a `Source`."""

from __future__ import annotations

from pathlib import Path

from shieldclip.data.embedded import EMBEDDED
from shieldclip.data.fingerprint import fingerprint_rows
from shieldclip.data.icons_and_scenes import NAME as ICONS_AND_SCENES
from shieldclip.data.icons_and_scenes import open_icons_and_scenes
from shieldclip.data.opening.columns import Columns
from shieldclip.data.opening.kinds import read
from shieldclip.data.opening.raw import Raw
from shieldclip.data.opening.rows import arrange
from shieldclip.data.prompts import classes_for, templates_for
from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError

__all__ = ["open_source"]


def open_source(
    source: str,
    *,
    split: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    caption_column: str | None = None,
    classes: str | Path | None = None,
    templates: str | Path | None = None,
) -> Source:
    """Opens a data set of pictures with labels, captions or both.

    ``source`` is tried in this order:

    1. an embedded data set: ``icons-100``, ``icons-all``, ``scenes``, or training pairs,
       ``icons-and-scenes``, with options such as ``?renderings=2&scenes=6000`` (`Options`);
    2. an existing path, or a glob of files:

       - a folder of class folders; a folder of pictures with ``metadata.csv`` or
         ``metadata.jsonl`` (column ``file_name``); either may lie in one folder per split;
       - a folder or a file of parquet, or of WebDataset ``.tar`` shards; in a folder, splits are
         found by the rules of the ``datasets`` library;
       - ``.csv``, ``.tsv``, ``.jsonl``: a picture is a path relative to the file, a data URI
         (``data:image/png;base64,...``) or, in JSON Lines, ``{"bytes": BASE64}``;

    3. a data set on the Hub: ``org/name``, with ``:config`` and ``@revision`` if needed.

    Only what is named here is read, no code comes from a data set, and nothing but the Hub is
    asked over the network.

    Args:
        source: see above; rows keep the order in which they are stored.
        split: by default test, else validation, else train, else the only one. Files that do not
            form splits are one split, ``all``.
        image_column: by default the column of pictures, or one of a usual name (`columns.USUAL`).
        label_column: integers or strings; by default one of a usual name, if it has such values.
        caption_column: strings or lists of strings; by default likewise.
        classes: class names in label order, a file (one a line, or a JSON list) or ``imagenet``.
            By default those of the data; string labels become classes in code-point order.
            Integers without names are an error, unless there are captions and the column of
            labels was a guess.
        templates: ``simple``, ``icons``, ``imagenet-80`` or a file with one a line.

    Raises:
        ShieldCLIPError: something is missing, empty or does not fit.
    """
    names = classes_for(str(classes)) if classes else None
    prompts = templates_for(str(templates)) if templates else None
    wanted = Columns(image_column, label_column, caption_column)
    embedded = source.partition("?")[0] == ICONS_AND_SCENES
    if (embedded or source in EMBEDDED) and (wanted != Columns() or names):
        raise ShieldCLIPError(
            f"{source} brings its columns and class names; leave those options out."
        )
    if embedded:
        opened = open_icons_and_scenes(source)
    elif source in EMBEDDED:
        opened = EMBEDDED[source](split or "test")
    else:
        opened = _assemble(source, read(source, split), wanted, names)
    return opened.with_templates(prompts)


def _assemble(source: str, raw: Raw, wanted: Columns, names: tuple[str, ...] | None) -> Source:
    rows, classes = arrange(raw, wanted, names)
    return Source(
        rows=rows,
        name=raw.name,
        source=source,
        split=raw.split,
        path=raw.path,
        fingerprint=fingerprint_rows(rows, classes or None),
        classes=classes,
    )
