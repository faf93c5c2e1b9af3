"""What an epoch's plan does to clean and to poisoned pairs, where the manifest tells them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from shieldclip.training.defences.base import EpochPlan


def plan_figures(plan: EpochPlan, poisoned: Tensor | None) -> Mapping[str, float]:
    """Shares of pairs that a plan changes, and how well the judged risk finds poisons.

    Args:
        plan: of an epoch.
        poisoned: ``[N]`` bool; none where it is not known.

    Returns:
        ``plan/recaptioned``, of plans with weights ``plan/set_aside``, and of plans with rows
        ``plan/left_out`` (each with ``/clean`` and ``/poison`` where known, in [0, 1]);
        ``plan/auc`` and ``plan/gap_auc`` (ROC of the risk and of the gap), and the plan's own
        figures; nothing for a plan without risks.
    """
    if not plan.risk:
        return {}
    own = {f"plan/{name}": value for name, value in plan.figures.items()}
    rows = torch.tensor(sorted(plan.risk))
    changed = {"plan/recaptioned": _among(rows, plan.captions)}
    if plan.weights:
        aside = [row for row, weight in plan.weights.items() if weight == 0]
        changed["plan/set_aside"] = _among(rows, aside)
    if plan.rows is not None:
        changed["plan/left_out"] = 1 - _among(rows, plan.rows)
    poison = torch.zeros(len(rows), dtype=torch.bool) if poisoned is None else poisoned[rows]
    if poison.all() or not poison.any():
        return own | {name: shares.mean().item() for name, shares in changed.items()}
    shares_by_side = {
        f"{name}/{side}": shares[chosen].mean().item()
        for name, shares in changed.items()
        for side, chosen in (("clean", ~poison), ("poison", poison))
    }
    judged = {"plan/auc": plan.risk, "plan/gap_auc": plan.gaps}
    found = {name: _auc(poison, by, rows) for name, by in judged.items() if by}
    return own | shares_by_side | found


def _auc(poison: Tensor, judged: Mapping[int, float], rows: Tensor) -> float:
    """ROC-AUC of what was judged of the rows ``[R]``."""
    return float(roc_auc_score(poison.numpy(), [judged[row] for row in rows.tolist()]))


def _among(rows: Tensor, chosen: Iterable[int]) -> Tensor:
    """1 for each of the rows ``[R]`` that is chosen, 0 for the others."""
    return torch.isin(rows, torch.tensor(sorted(chosen), dtype=torch.int64)).float()
