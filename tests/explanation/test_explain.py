"""`explain` says what the model itself says, of the picture and of the stamped picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from shieldclip.encoders import load_encoder
from shieldclip.errors import ShieldCLIPError
from shieldclip.explanation import Question, explain, load_subject
from shieldclip.modeling import ShieldCLIPModel


def expected_probabilities(folder, question: Question, pixels):
    encoder = load_encoder(str(folder), device="cpu")
    names = torch.stack(
        [normalize(encoder.encode_text(p).mean(0), dim=-1) for p in question.choices.prompts]
    )
    return (encoder.logit_scale * encoder.encode_image(pixels) @ names.T).softmax(-1)


def test_predictions_are_the_encoders(tiny_clip_folder, subject, pictures, question):
    clean = torch.stack([subject.preprocess(p.image) for p in pictures]) / 255
    stamped = question.trigger(clean, torch.tensor([0, 1]))
    explanations = explain(subject, pictures, question)
    assert [e.picture for e in explanations] == ["noise 0", "noise 1"]
    for pixels, side in ((clean, "clean"), (stamped, "triggered")):
        expected = expected_probabilities(tiny_clip_folder, question, pixels)
        for probabilities, explanation in zip(expected, explanations, strict=True):
            shown = getattr(explanation, side).predictions
            best = probabilities.topk(5)
            assert [p.name for p in shown] == [question.choices.names[i] for i in best.indices]
            torch.testing.assert_close(
                torch.tensor([p.probability for p in shown]), best.values, atol=1e-5, rtol=1e-4
            )


def test_views_show_the_pixels_and_only_the_trigger_differs(subject, pictures, question):
    for picture, explanation in zip(pictures, explain(subject, pictures, question), strict=True):
        clean, triggered = explanation.clean.pixels, explanation.triggered.pixels
        assert torch.equal(clean, subject.preprocess(picture.image))
        assert torch.equal(clean != triggered, (clean != triggered) & explanation.mask)
        assert explanation.area == pytest.approx(1 / 64)
        assert 0 <= explanation.triggered.mass <= 1


def test_elements_lie_where_their_cosine_is_largest(tiny_clip_folder, subject, pictures, question):
    phrases = ("round", "red skin", "four wheels")
    asked = replace(question, elements_of=lambda _: phrases)
    explanation = explain(subject, pictures, asked)[0]
    encoder = load_encoder(str(tiny_clip_folder), device="cpu")
    patches = encoder.patch_features(explanation.clean.pixels[None] / 255)[0]
    expected = encoder.encode_text(list(phrases)) @ patches.T
    alignment = explanation.clean.alignment
    assert alignment.of == explanation.clean.predictions[0].name
    torch.testing.assert_close(alignment.cosines, expected, atol=1e-5, rtol=1e-4)
    assert torch.equal(alignment.best_patches, expected.argmax(dim=1))


def test_a_class_nothing_is_known_about_has_no_elements(subject, pictures, question):
    asked = replace(question, elements_of=lambda _: ())
    assert explain(subject, pictures, asked)[0].clean.alignment is None


def save(model, preprocessing, folder):
    """A checkpoint with the preprocessing of another."""
    model.save_pretrained(folder)
    for file in preprocessing.iterdir():
        if not (folder / file.name).exists():
            (folder / file.name).write_bytes(file.read_bytes())


def test_a_shielded_checkpoint_keeps_its_knowledge_head(tmp_path, tiny_clip_folder):
    model = ShieldCLIPModel.from_clip(str(tiny_clip_folder), knowledge_projection=True)
    torch.nn.init.normal_(model.knowledge_head.projection.weight)
    save(model, tiny_clip_folder, tmp_path)
    plain, shielded = load_subject(str(tiny_clip_folder), "cpu"), load_subject(str(tmp_path), "cpu")
    texts = ["a red apple", "wheels"]
    assert torch.equal(plain.embed_texts(texts), shielded.embed_texts(texts))
    features = shielded.embed_texts(texts)
    projected = normalize(features @ model.knowledge_head.projection.weight.T, dim=-1)
    torch.testing.assert_close(shielded.embed_elements(texts), projected.detach())


def test_a_head_for_another_encoder_refuses_the_text_towers_elements(tmp_path, tiny_clip_folder):
    model = ShieldCLIPModel.from_clip(str(tiny_clip_folder), knowledge_width=5)
    save(model, tiny_clip_folder, tmp_path)
    with pytest.raises(ShieldCLIPError, match=r"trained with \(width 5\), got .* width 16"):
        load_subject(str(tmp_path), "cpu").embed_elements(["wheels"])


@pytest.mark.parametrize(
    ("fixture", "got"),
    [("tiny_open_clip_folder", "open_clip"), ("tiny_siglip_folder", "siglip")],
)
def test_other_checkpoints_are_refused_in_one_line(fixture, got, request):
    with pytest.raises(ShieldCLIPError, match=f"Expected a transformers CLIP.*{got}") as caught:
        load_subject(str(request.getfixturevalue(fixture)))
    assert "\n" not in str(caught.value)
