"""The tables of one experiment: backdoors, poisoned pictures, poisoned pairs, and utility."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from results.attacked import Aim, Attacked, Success, usual_data
from results.detection import detection
from results.seeds import cell, over_seeds
from results.significance import significance
from results.stored import CLEAN, PLAIN
from results.verdict import IMPLANTED, IMPLANTS, judge, works

from shieldclip.evaluation.figures import column_name, is_rank, metric_name, number, percent
from shieldclip.evaluation.markdown import escape, to_table
from shieldclip.evaluation.table import MISSING, Cell, Column, Row, Table, numbers, texts

KINDS = {
    "Backdoors": (("asr", "Control"),),
    "Poisoned pictures": (("psr", "At random"),),
    "Retrieval": (("hit@10", "Level"), ("hit@1", "Level"), ("min_rank", "At random")),
}
"""Table -> figures of success (the first one is judged), and what stands beside each."""
TRIGGERED = "Backdoors"
"""The table of attacks that change pictures."""
COMPARED = "shield"
"""The recipe that the others are set against."""
UTILITY = ("ca@1", "ca@5", "probe", "r@1_i2t", "r@10_i2t", "r@1_t2i", "r@10_t2i")


def tables(groups: Sequence[Attacked]) -> list[Table]:
    """Those that have rows."""
    clean = next((g for g in groups if g.attack == CLEAN and g.recipe == PLAIN), None)
    found = [_attacks(title, groups, clean) for title in KINDS]
    compared = significance(groups, COMPARED)
    return [t for t in (*found, compared, detection(groups), _utility(groups)) if t.rows]


def to_markdown(table: Table) -> str:
    """One section."""
    parts = (f"### {table.title}", to_table(table), escape(table.note))
    return "\n\n".join(part for part in parts if part)


def _attacks(title: str, groups: Sequence[Attacked], clean: Attacked | None) -> Table:
    shown = KINDS[title]
    judged = shown[0][0]
    found = [
        (group, aim)
        for group in groups
        for aim in group.aims()
        if group.attack != CLEAN and group.successes(judged, aim)
    ]
    columns = (
        *texts("Attack", "Target", "Recipe"),
        *numbers("Poisoned, %", "Seeds"),
        *_pair(*shown[0]),
        *numbers(f"Less {shown[0][1].lower()}, points"),
        *(column for metric, level in shown[1:] for column in _pair(metric, level)),
        *(numbers("RA, %", "RA, clean training, %") if title == TRIGGERED else ()),
        *numbers("CA@1, %", "To clean, points", "Time / plain"),
        *texts("Verdict"),
    )
    plain = [group for group in groups if group.recipe == PLAIN]
    rows = tuple(_row(group, aim, title, clean, plain) for group, aim in found)
    return Table(title, columns, rows, note=" ".join(_not_implanted(judged, found)))


def _row(
    group: Attacked, aim: Aim, title: str, clean: Attacked | None, plain: Sequence[Attacked]
) -> Row:
    judged, *others = (group.successes(metric, aim) for metric, _ in KINDS[title])
    figures = [*_figures(judged), _beyond(judged)]
    figures += [cell for successes in others for cell in _figures(successes)]
    reference = clean and clean.alike(group)
    if title == TRIGGERED:
        figures += [cell(group.robustness(aim)), cell(reference and reference.robustness(aim))]
    accuracy = group.utility("ca@1")
    verdict = judge(judged, accuracy, reference and reference.utility("ca@1"))
    if group.recipe == PLAIN:
        spoken = Cell("the attack works" if works(judged) else "does not implant")
    else:
        spoken = Cell(str(verdict), strong=verdict.holds)
    return (
        Cell(group.attack),
        Cell(aim.target or MISSING),
        Cell(group.name),
        Cell(f"{100 * group.rate:.3g}"),
        Cell(str(len(judged))),
        *figures,
        cell(accuracy),
        Cell(MISSING if verdict.price is None else percent(-verdict.price)),
        Cell(MISSING if (times := group.times(plain)) is None else f"{times:.2f}"),
        spoken,
    )


def _figures(successes: Sequence[Success]) -> Row:
    """Success, and the level beside it."""
    figure, level = (s.figure for s in successes), (s.level for s in successes)
    return cell(over_seeds(figure)), cell(over_seeds(level))


def _beyond(successes: Sequence[Success]) -> Cell:
    """Mean of success less its level."""
    found = [s.figure.value - s.level.value for s in successes if s.level is not None]
    return Cell(percent(sum(found) / len(found)) if found else MISSING)


def _utility(groups: Sequence[Attacked]) -> Table:
    """Figures on clean data, of clean training first."""
    asked = {m: data for m in UTILITY if (data := usual_data(groups, m)) is not None}
    ordered = sorted(groups, key=lambda group: group.attack != CLEAN)
    columns = (*texts("Attack", "Recipe"), *numbers("Seeds", *map(_heading, asked), "Minutes"))
    rows = tuple(
        (
            Cell(group.attack),
            Cell(group.name),
            Cell(str(len(group.runs))),
            *(cell(group.utility(metric, data)) for metric, data in asked.items()),
            Cell(number(group.seconds / 60)),
        )
        for group in ordered
    )
    return Table("Clean data", columns, rows)


def _heading(metric: str) -> str:
    return column_name(metric).replace("_", " ")


def _pair(metric: str, level: str) -> tuple[Column, ...]:
    return numbers(column_name(metric), level if is_rank(metric) else f"{level}, %")


def _not_implanted(metric: str, found: Sequence[tuple[Attacked, Aim]]) -> Iterator[str]:
    if metric not in IMPLANTS:
        return
    for group, aim in found:
        mean = over_seeds(s.figure for s in group.successes(metric, aim))
        if group.recipe == PLAIN and mean is not None and mean.high < IMPLANTED:
            yield (
                f"{group.attack} ({aim.target}) is no test here: in plain training its "
                f"{metric_name(metric)} is {percent(mean.value)} %, surely below "
                f"{percent(IMPLANTED)} %."
            )
