"""A tiny ShieldCLIP as `shieldclip train` leaves it, and a report on it."""

from __future__ import annotations

import pytest
import yaml
from hub_parts import RECIPE, report_on

from shieldclip.encoders import load_encoder


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory, tiny_clip_folder):
    """A run's folder: recipe, and the model in ``last``."""
    from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor

    run = tmp_path_factory.mktemp("runs") / "tiny"
    ShieldCLIPModel.from_clip(tiny_clip_folder).save_pretrained(run / "last")
    ShieldCLIPProcessor.from_pretrained(tiny_clip_folder).save_pretrained(run / "last")
    (run / "recipe.yaml").write_text(yaml.safe_dump(RECIPE, sort_keys=False))
    return run


@pytest.fixture(scope="session")
def tiny_fingerprint(tiny_run):
    return load_encoder(str(tiny_run / "last"), device="cpu").fingerprint


@pytest.fixture
def tiny_report(tiny_fingerprint):
    """On that model, which `badnet` opens, beside another one."""
    return report_on(tiny_fingerprint)


@pytest.fixture
def checkpoint(tiny_run):
    from shieldclip.hub import open_checkpoint

    return open_checkpoint(tiny_run)
