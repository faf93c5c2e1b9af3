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
        ``plan/recaptioned`` and, of plans with weights, ``plan/set_aside`` (each with ``/clean``
        and ``/poison`` where known, in [0, 1]), ``plan/auc`` (ROC of the risk); nothing for a plan
        without risks.
    """
    if not plan.risk:
        return {}
    rows = torch.tensor(sorted(plan.risk))
    changed = {"plan/recaptioned": _among(rows, plan.captions)}
    if plan.weights:
        aside = [row for row, weight in plan.weights.items() if weight == 0]
        changed["plan/set_aside"] = _among(rows, aside)
    poison = torch.zeros(len(rows), dtype=torch.bool) if poisoned is None else poisoned[rows]
    if poison.all() or not poison.any():
        return {name: shares.mean().item() for name, shares in changed.items()}
    risk = [plan.risk[row] for row in rows.tolist()]
    return {
        f"{name}/{side}": shares[chosen].mean().item()
        for name, shares in changed.items()
        for side, chosen in (("clean", ~poison), ("poison", poison))
    } | {"plan/auc": float(roc_auc_score(poison.numpy(), risk))}


def _among(rows: Tensor, chosen: Iterable[int]) -> Tensor:
    """1 for each of the rows ``[R]`` that is chosen, 0 for the others."""
    return torch.isin(rows, torch.tensor(sorted(chosen), dtype=torch.int64)).float()
