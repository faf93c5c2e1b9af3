"""Linear probe: multinomial logistic regression on frozen features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def probe_predictions(
    train: NDArray[np.floating],
    labels: NDArray[np.integer],
    test: NDArray[np.floating],
    inverse_penalty: float = 0.316,
    max_iterations: int = 1000,
) -> NDArray[np.int64]:
    """Fits a probe on ``train`` and classifies ``test``.

    Features are standardised with the mean and deviation of ``train``, because the unit-norm
    embeddings of a wide model would otherwise be penalised more than those of a narrow one. The
    solver is L-BFGS from zero: no randomness. The default penalty is the one of CLIP's public
    example (Radford et al. 2021).

    Args:
        train: ``[M, D]`` features.
        labels: ``[M]`` class of each, at least two different ones.
        test: ``[N, D]`` features.
        inverse_penalty: C of the L2 penalty; larger fits closer.
        max_iterations: limit of the solver.

    Returns:
        ``[N]`` predicted classes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(
        StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=max_iterations)
    )
    probe.fit(train, labels)
    return np.asarray(probe.predict(test), dtype=np.int64)
