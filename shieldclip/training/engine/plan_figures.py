"""What an epoch's plan does to clean and to poisoned pairs, where the manifest tells them apart."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from shieldclip.training.defences.base import EpochPlan


def plan_figures(plan: EpochPlan, poisoned: Tensor | None) -> Mapping[str, float]:
    """Shares of pairs with another caption, and how well the judged risk finds poisons.

    Args:
        plan: of an epoch.
        poisoned: ``[N]`` bool; none where it is not known.

    Returns:
        ``plan/recaptioned`` (``/clean`` and ``/poison`` where known, in [0, 1]), ``plan/auc`` (ROC
        of the risk); nothing for a plan without risks.
    """
    if not plan.risk:
        return {}
    rows = torch.tensor(sorted(plan.risk))
    changed = torch.isin(rows, torch.tensor(sorted(plan.captions), dtype=torch.int64)).float()
    if poisoned is None:
        return {"plan/recaptioned": changed.mean().item()}
    poison = poisoned[rows]
    if poison.all() or not poison.any():
        return {"plan/recaptioned": changed.mean().item()}
    risk = [plan.risk[row] for row in rows.tolist()]
    return {
        "plan/recaptioned/clean": changed[~poison].mean().item(),
        "plan/recaptioned/poison": changed[poison].mean().item(),
        "plan/auc": float(roc_auc_score(poison.numpy(), risk)),
    }
