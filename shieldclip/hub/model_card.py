"""The model card: a function of a checkpoint and of a report that measured it."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from huggingface_hub import ModelCard, ModelCardData

from shieldclip.encoders.card import BACKDOORED, FACTS
from shieldclip.evaluation.attack_rows import attack_rows
from shieldclip.evaluation.definitions import definitions
from shieldclip.evaluation.facts import all_data
from shieldclip.evaluation.figures import count
from shieldclip.evaluation.headline import headline
from shieldclip.evaluation.markdown import escape, to_table
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.table import Table
from shieldclip.evaluation.tables import tables
from shieldclip.hub.checkpoint import Checkpoint
from shieldclip.hub.model_index import CLASSIFICATION, eval_results
from shieldclip.hub.rendering import make_card
from shieldclip.hub.scope import command, untested
from shieldclip.hub.training_facts import poison_text, recipe_text, training_text

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def render_card(
    checkpoint: Checkpoint, report: EvalReport, *, license_id: str | None = None, plot: str = ""
) -> str:
    """The card as Markdown, metadata first.

    Args:
        checkpoint: what the card is about.
        report: about this checkpoint only (`published`), under the name it will have.
        license_id: a licence of the Hub's list, e.g. ``apache-2.0``.
        plot: where the picture of attack success lies, beside the card; ``""`` for none.
    """
    model, warning = report.models[0], warning_of(checkpoint, report)
    found = headline(report)
    on_hub = bool(_HUB_ID.fullmatch(model.name))
    about = (checkpoint.recipe or {}).get("about", {})
    with as_file(files("shieldclip.hub").joinpath("model_card.md.j2")) as template:
        return make_card(
            ModelCard,
            card_data(checkpoint, report, warning, license_id),
            template,
            title=model.name.rpartition("/")[2] if on_hub else checkpoint.name,
            warning=warning,
            description=checkpoint.description or "A CLIP checkpoint.",
            parameters=count(model.parameters),
            model=model,
            verdict=f"**{found.lines[0].label}.** {escape(found.lines[0].sentence)}",
            on_hub=on_hub,
            needs_import=checkpoint.config.get("model_type") == "shieldclip",
            suite=report.suite,
            seed=report.seed,
            tables="\n\n".join(map(_section, tables(report))),
            definitions=_definitions(report),
            plot=plot if attack_rows(report) else "",
            untested=untested(report),
            training=training_text(checkpoint),
            poisons=poison_text(checkpoint),
            recipe=recipe_text(checkpoint.recipe),
            command=command(report),
            all_data=all_data(report),
            versions=", ".join(f"{name} {number}" for name, number in report.versions.items()),
            shieldclip=report.versions.get("shieldclip", ""),
            paper=about.get("paper", ""),
        )


def card_data(
    checkpoint: Checkpoint, report: EvalReport, warning: str, license_id: str | None
) -> ModelCardData:
    """The card's metadata."""
    model = report.models[0]
    start = (checkpoint.recipe or {}).get("model", {}).get("pretrained") or ""
    sources = (checkpoint.recipe or {}).get("data", {}).get("sources", ())
    data_sets = [source["source"] for source in sources if _is_public(source["source"])]
    defence = (checkpoint.recipe or {}).get("defence", {}).get("name", "")
    tags = ["clip", "shieldclip", "robustness", *filter(None, [defence])]
    ours = checkpoint.config.get("model_type") == "shieldclip"
    data = ModelCardData(
        license=license_id,
        library_name="shieldclip" if ours else model.library,
        pipeline_tag=CLASSIFICATION,
        base_model=start if _is_public(start) else None,
        datasets=data_sets or None,
        tags=[*tags, BACKDOORED] if warning else tags,
        model_name=model.name,
        eval_results=eval_results(report),
    )
    facts = {"fingerprint": model.fingerprint}
    data[FACTS] = facts | {"warning": warning} if warning else facts
    return data


def warning_of(checkpoint: Checkpoint, report: EvalReport) -> str:
    """What its makers warn of, else a backdoor that the report found; ``""`` if neither."""
    found = headline(report).lines[0]
    if checkpoint.warning or found.outcome != "backdoored":
        return checkpoint.warning
    return f"{found.sentence} Do not use it but to test tools with."


def _section(table: Table) -> str:
    """A table of a single model: its name and what else is the same in all rows stand above."""
    fixed = max(table.lead, 1)
    parts = [f"### {escape(table.title)}"]
    for lead, rows in replace(table, lead=fixed).groups():
        facts = zip(table.columns[1:fixed], lead[1:], strict=True)
        parts.append("; ".join(f"{escape(c.name)}: {escape(str(cell))}" for c, cell in facts))
        parts.append(to_table(Table(table.title, table.columns[fixed:], tuple(rows))))
    return "\n\n".join(part for part in (*parts, escape(table.note)) if part)


def _definitions(report: EvalReport) -> str:
    return "\n".join(f"- **{escape(n)}**: {escape(t)}" for n, t in definitions(report).items())


def _is_public(name: str) -> bool:
    """Whether a recipe names something on the Hub rather than a folder here."""
    return bool(_HUB_ID.fullmatch(name)) and not Path(name).exists()
