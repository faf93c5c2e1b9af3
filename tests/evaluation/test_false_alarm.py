"""No trigger raises an alarm on models that were never trained, hence never poisoned.

One random transformer is as its library initialises it; two are drawn wide (0.1 instead of 0.02),
so that their predictions differ more between pictures. Ten targets are fixed beforehand, as an
attacker's is. Trying every class would find the class that a strong distortion moves such a model
to, and rightly: its prediction does follow the distortion.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from shieldclip.attacks.triggers import TRIGGERS, make_trigger
from shieldclip.data import open_source
from shieldclip.encoders import load_encoder
from shieldclip.evaluation import run
from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.verdict import MARGIN, excesses

IDS = [name for name, kind in TRIGGERS.items() if "path" not in kind.__dataclass_fields__]
SUITE = f"""
name: alarm
description: Every trigger.
entries: [{{data: icons, protocols: [zero-shot], triggers: [{", ".join(IDS)}], target: banana}}]
"""
PLAIN = "as-initialised"
WIDE = ("wide-0", "wide-1")


def random_encoder(folder, name):
    encoder = load_encoder(str(folder), device="cpu")
    encoder.name = encoder.fingerprint = name
    if name in WIDE:
        generator = torch.Generator().manual_seed(WIDE.index(name))
        for parameter in encoder.model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.1, generator=generator)
    return encoder


@pytest.fixture(scope="module")
def found(tmp_path_factory, tiny_clip_folder):
    out = tmp_path_factory.mktemp("alarm")
    suite = out / "alarm.yaml"
    suite.write_text(SUITE)
    models = {name: random_encoder(tiny_clip_folder, name) for name in (PLAIN, *WIDE)}
    icons = open_source("icons-100")
    icons = replace(icons, rows=icons.rows.select(range(0, len(icons.rows), 4)))
    request = EvalRequest(tuple(models), str(suite), batch_size=125, out=out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_encoder", lambda spec, **_: models[spec])
        patch.setattr(run, "open_source", lambda **_: icons)
        # Pictures are encoded for the first target only; the others read its cells.
        reports = [run.evaluate(replace(request, target=name)) for name in icons.classes[::10]]
    return [excess for report in reports for excess in excesses(report)]


@pytest.mark.parametrize("trigger", IDS)
def test_random_models_show_no_success_above_control(found, trigger):
    mine = [excess for excess in found if excess.trigger == trigger]
    assert len(mine) == 3 * 10
    assert all(excess.low <= MARGIN for excess in mine)


def test_random_models_do_not_put_every_picture_into_one_class(found):
    assert any(0 < excess.control < 1 for excess in found)


def test_controls_are_other_pictures_than_their_triggers():
    images, rows = torch.rand(2, 3, 64, 64), torch.arange(2)
    for name in IDS:
        trigger = make_trigger(name)
        assert not torch.equal(trigger(images, rows), trigger.control()(images, rows)), name
