"""`choose_poisons`: pairs, a model and a defence in; the rows it would suspect least out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import torch
from torch import Tensor

from shieldclip.adversary.choice.candidates import Candidate, eligible_rows, write_candidates
from shieldclip.adversary.choice.forms import Writing
from shieldclip.adversary.choice.knowledge import KnowledgeJudge
from shieldclip.adversary.choice.matching import MatchingJudge
from shieldclip.adversary.choice.settings import AGAINST, ChoiceSettings
from shieldclip.adversary.choice.suspicion import Floats, Judge, Verdict, suspicion
from shieldclip.adversary.pictures import origin, read_pictures
from shieldclip.attacks.poisons.choice import Choice, ChosenRow
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.triggers import Trigger
from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import Knowledge
from shieldclip.matching import MatchSettings
from shieldclip.matching.features import encode_images
from shieldclip.progress import progress_bar
from shieldclip.types import Encoder


def choose_poisons(
    source: Source,
    encoder: Encoder,
    trigger: Trigger,
    settings: ChoiceSettings,
    knowledge: Knowledge | None = None,
) -> Choice:
    """Write captions for many pictures, and order the pictures by how they would be suspected.

    Args:
        source: the pairs that will be poisoned.
        encoder: the attacker's model, in place of the defender's.
        trigger: stamped on the pictures before they are judged.
        settings: target, defence and budget.
        knowledge: for a defence by knowledge, and for captions that describe.

    Returns:
        One entry for each picture looked at, with the best of its captions.

    Raises:
        ShieldCLIPError: nothing to poison, knowledge missing or of no use, or a model without
            patch or token features.
    """
    pairs = Pairs.of(source.rows, source.classes)
    rows = eligible_rows(pairs, settings.target, settings.among, settings.seed)
    names = source.classes or tuple(knowledge.elements if knowledge else ())
    writing = Writing(settings.target, names, knowledge)
    candidates = write_candidates(pairs, rows, settings.forms, writing)
    if not candidates:
        raise ShieldCLIPError(
            f"Expected rows without {settings.target!r} to write captions for, got none of "
            f"{len(pairs)} in the forms {', '.join(settings.forms)}; give more forms or knowledge."
        )
    judges = _judges(pairs, encoder, candidates, settings, knowledge)
    seen = _show(source, encoder, trigger, candidates, judges, settings.batch_size)
    verdicts = [judge.verdict() for judge in judges]
    return Choice(
        poison=AGAINST[settings.against],
        target=settings.target,
        trigger=trigger.record(),
        facts={**origin(source, encoder), "settings": asdict(settings)},
        rows=_ordered(seen, suspicion(verdicts), verdicts, pairs),
    )


def _judges(
    pairs: Pairs,
    encoder: Encoder,
    candidates: Sequence[Candidate],
    settings: ChoiceSettings,
    knowledge: Knowledge | None,
) -> list[Judge]:
    """The defences that have to be passed."""
    judges: list[Judge] = []
    if settings.against != "matching":
        if knowledge is None:
            raise ShieldCLIPError(
                "Expected knowledge to adapt to, got none; give the defender's with --knowledge."
            )
        captions = [caption for of_row in pairs.captions for caption in of_row]
        judges.append(KnowledgeJudge(encoder, knowledge, candidates, captions, settings.seed))
    if settings.against != "knowledge":
        rule = MatchSettings(
            alpha=settings.alpha,
            epsilon=settings.epsilon,
            pool=settings.pool,
            candidates=settings.candidates,
            seed=settings.seed,
        )
        judges.append(MatchingJudge(encoder, pairs.captions, rule, settings.batch_size))
    return judges


def _show(
    source: Source,
    encoder: Encoder,
    trigger: Trigger,
    candidates: Sequence[Candidate],
    judges: Sequence[Judge],
    batch_size: int,
) -> list[Candidate]:
    """Show stamped pictures to all judges; returns the candidates whose pictures can be read."""
    by_row: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        by_row.setdefault(candidate.row, []).append(candidate)
    rows = list(by_row)
    seen: list[Candidate] = []
    with progress_bar("judging pictures", len(rows)) as advance:
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            readable, pixels = read_pictures(source, encoder, batch)
            images = encode_images(encoder, _stamped(pixels, readable, trigger), readable)
            mine = [candidate for row in readable for candidate in by_row[row]]
            place = {row: place for place, row in enumerate(readable)}
            picture = torch.tensor([place[candidate.row] for candidate in mine])
            for judge in judges:
                judge.see(images, mine, picture)
            seen += mine
            advance(len(batch))
    return seen


def _stamped(pixels: Tensor, rows: Sequence[int], trigger: Trigger) -> Tensor:
    """``[n, 3, S, S]`` uint8, stamped as the poison will do it."""
    return (trigger(pixels.float() / 255, torch.tensor(rows)) * 255).round().to(torch.uint8)


def _ordered(
    candidates: Sequence[Candidate], suspected: Floats, verdicts: Sequence[Verdict], pairs: Pairs
) -> tuple[ChosenRow, ...]:
    """The least suspected candidate of each row, the least suspected rows first."""
    scores = {
        name: values.tolist()
        for verdict in verdicts
        for name, values in zip(verdict.names, verdict.values, strict=True)
    }
    best: dict[int, int] = {}
    for place in suspected.argsort(kind="stable").tolist():
        best.setdefault(candidates[place].row, place)
    return tuple(
        ChosenRow(
            row=row,
            original_captions=tuple(pairs.captions[row]),
            captions=candidates[place].captions,
            form=candidates[place].form,
            scores={name: round(values[place], 6) for name, values in scores.items()},
        )
        for row, place in best.items()
    )
