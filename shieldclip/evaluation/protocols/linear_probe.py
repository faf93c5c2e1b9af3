"""Linear probe: accuracy of a logistic regression trained on the frozen clean features."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.metrics.intervals import wilson
from shieldclip.evaluation.metrics.probe import probe_predictions
from shieldclip.evaluation.passes import CLEAN
from shieldclip.evaluation.protocols.base import Finding, Observation, Rows, Seen
from shieldclip.evaluation.store import Arrays


@dataclass(frozen=True)
class LinearProbe:
    """Trained on ``bank.train``, measured on the bank."""

    train_fingerprint: str

    def observations(self) -> dict[str, Observation]:
        """The clean pass."""
        return {CLEAN: self._observe}

    def question(self) -> dict[str, object]:
        """The training data."""
        return {"train": self.train_fingerprint}

    def measure(self, bank: FeatureBank, seen: Seen) -> Finding:
        """Accuracy, as ``probe``."""
        right = int((seen[CLEAN]["predictions"] == bank.labels).sum())
        rows = Rows(bank.encoder.name, bank.source.name)
        return Finding([rows.row("probe", wilson(right, len(bank.labels)))])

    def _observe(self, bank: FeatureBank) -> Arrays:
        """Predicted class of each picture ``predictions`` [n]."""
        train = bank.train
        if train is None or len(torch.unique(train.labels)) < 2:
            raise ShieldCLIPError(
                "Expected a training split with at least two classes for the linear probe of "
                f"{bank.source.name!r}; name one under `train` in the suite."
            )
        predictions = probe_predictions(
            train.clean.numpy(), train.labels.numpy(), bank.clean.numpy()
        )
        return {"predictions": torch.from_numpy(predictions)}
