"""The composed defence on a batch with one planted mismatch."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize, one_hot

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences import Moment, make_defence
from shieldclip.training.defences.semantic_shield_plus import words_of
from shieldclip.training.defences.suspicion import NO_CUE

PAIRS = 8


@pytest.fixture
def step():
    """Eight concepts with an element each; image 7 shows concept 0, its caption says 7."""
    concept = torch.eye(PAIRS, 12)
    shown = torch.tensor([0, 1, 2, 3, 4, 5, 6, 0])
    noise = 0.05 * torch.randn(PAIRS, 4, 12, generator=torch.Generator().manual_seed(0))
    images = normalize(concept[shown] + noise[:, 0], dim=-1).requires_grad_()
    patches = normalize(concept[shown][:, None] + noise, dim=-1).requires_grad_()
    attention = torch.full((PAIRS, 4), 0.25, requires_grad=True)
    output = ShieldCLIPOutput(
        image_embeds=images,
        text_embeds=concept.clone().requires_grad_(),
        patch_embeds=patches,
        patch_attention=attention,
        element_embeds=concept.clone().requires_grad_(),
        logit_scale=torch.tensor(10.0),
        knowledge_scale=torch.tensor(10.0),
        knowledge_bias=torch.tensor(0.0),
        attention_scale=torch.tensor(10.0),
    )
    batch = {
        "row": torch.arange(PAIRS),
        "picture": torch.arange(PAIRS),
        "element_index": torch.arange(PAIRS)[:, None],
        "element_keys": torch.arange(PAIRS),
    }
    return output, batch


def defence(**settings: object):
    return make_defence({"name": "semantic-shield-plus", "most": 0.8, **settings})


def test_the_mismatched_pair_alone_is_set_aside(step):
    terms = defence().losses(*step, Moment(0, 0, 0.0))
    assert terms.weight.tolist() == pytest.approx([PAIRS / 7] * 7 + [0.0])
    assert terms.evidence.argmin() == 7


def test_a_distrusted_pair_teaches_no_loss_its_caption(step):
    output, batch = step
    defence().losses(output, batch, Moment(0, 0, 0.0)).total().backward()
    assert output.patch_embeds.grad[7].abs().max() == 0
    assert output.patch_attention.grad[7].abs().max() == 0
    assert output.patch_embeds.grad[:7].abs().amax(dim=(1, 2)).min() > 0
    # Its image is pushed away from its caption.
    assert one_hot(torch.tensor(7), 12).float() @ output.image_embeds.grad[7] > 0


def test_a_distrusted_picture_is_pushed_away_from_nothing_else(step):
    """It would learn that its trigger means nothing that is ever said."""
    output, batch = step
    terms = defence().losses(output, batch, Moment(0, 0, 0.0)).terms
    (pushed,) = torch.autograd.grad(terms["contrastive"], output.image_embeds)
    assert pushed[7].abs().max() == 0
    assert pushed[:7].abs().amax(dim=1).min() > 0


def test_a_distrusted_picture_is_pushed_away_from_true_captions_like_its_own(step):
    output, batch = step
    batch["element_index"][6] = 7
    says_seven = one_hot(torch.tensor(7), 12).float()
    with torch.no_grad():
        output.image_embeds[6] = output.text_embeds[6] = says_seven
        output.patch_embeds[6] = says_seven
    terms = defence().losses(output, batch, Moment(0, 0, 0.0))
    assert terms.weight[6] > 0
    assert terms.weight[7] == 0
    (pushed,) = torch.autograd.grad(terms.terms["contrastive"], output.image_embeds)
    assert pushed[7, 7] > 0
    assert pushed[7, :7].abs().max() == 0


def test_false_captions_do_not_drive_a_name_out(step):
    """Of twenty captions that say "seven" one is true: each is a negative as of a twentieth."""
    output, batch = step
    shielded = defence()
    pairs, ranks = torch.arange(100, 220), torch.cat([torch.zeros(101), torch.full((19,), 0.6)])
    named = torch.cat([torch.arange(100), torch.full((20,), 7)])
    for _ in range(20):
        shielded.trust.judge(pairs, pairs, named[:, None], ranks)
    frequencies = shielded.trust.frequencies(torch.tensor([[7], [20]]))
    assert frequencies[0] < 0.1
    assert frequencies[1] > 0.9
    loss = shielded.losses(output, batch, Moment(0, 0, 0.0)).total()
    (avoided,) = torch.autograd.grad(loss, output.image_embeds)
    loss = defence().losses(output, batch, Moment(0, 0, 0.0)).total()
    (before,) = torch.autograd.grad(loss, output.image_embeds)
    # How hard pictures of other things are pushed away from "seven".
    assert (avoided[1:6, 7] < 0.5 * before[1:6, 7]).all()


def test_in_the_warm_up_every_pair_counts(step):
    terms = defence(warm_up=0.5).losses(*step, Moment(0, 0, 0.1))
    assert terms.weight.tolist() == [1.0] * PAIRS


def test_its_state_survives_a_round_trip(step):
    first, second = defence(), defence()
    first.losses(*step, Moment(0, 0, 0.0))
    second.load_state_dict(first.state_dict())
    again = [d.losses(*step, Moment(1, 0, 0.1)).weight for d in (first, second)]
    assert torch.equal(*again)


def test_every_term_has_gradient(step):
    output, batch = step
    terms = defence().losses(output, batch, Moment(0, 0, 0.0)).terms
    assert set(terms) == {"contrastive", "unlikelihood", "knowledge", "attention"}
    for tensor in (output.image_embeds, output.text_embeds, output.element_embeds):
        gradient = torch.autograd.grad(
            sum(terms.values()), tensor, retain_graph=True, allow_unused=False
        )[0]
        assert gradient.abs().max() > 0


def test_what_the_plan_replaced_speaks_against_captions_that_mean_the_same(step):
    """A pair whose rank is middling is believed, until others like it were found to be wrong."""
    output, batch = step
    meanings = torch.tensor([5, 6])
    alone, accused = defence().trust, defence().trust
    pairs, ranks = torch.arange(40), torch.cat([torch.zeros(39), torch.tensor([0.08])])
    named = torch.cat([torch.arange(100, 139), meanings[:1]])
    accused.accuse(meanings[:1].expand(30))
    assert alone.judge(pairs, pairs, named[:, None], ranks)[39]
    assert not accused.judge(pairs, pairs, named[:, None], ranks)[39]
    # In a batch, replaced captions are counted by what they meant before.
    before = defence()
    replaced = {
        "recaptioned": torch.ones(PAIRS, dtype=torch.int64),
        "own_meaning": meanings[:1].expand(PAIRS),
    }
    before.losses(output, {**batch, **replaced}, Moment(0, 0, 0.0))
    assert not before.trust.judge(pairs + 50, pairs + 50, named[:, None], ranks)[39]


def test_words_are_judged_if_asked_for(step):
    """The mismatched pair alone has a word; others that have it are to be doubted."""
    output, batch = step
    tokens = torch.tensor([[1, 40, 2]] * (PAIRS - 1) + [[1, 41, 2]])
    batch |= {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    word, lie = words_of(batch)[[0, 7], 1]
    judge = defence(words=True)
    for visit in range(5):
        judge.losses(output, batch, Moment(visit, 0, 0.0))
    frequencies = judge.trust.frequencies(torch.stack([word, lie])[:, None])
    assert frequencies[1] < 0.5 < 0.8 < frequencies[0]


def test_words_are_tokens_between_the_first_and_the_last():
    tokens = torch.tensor([[1, 5, 6, 2, 0], [1, 6, 5, 5, 2]])
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    seen_twice = {"input_ids": tokens[[0, 1, 0]], "attention_mask": mask[[0, 1, 0]]}
    words = words_of({"row": torch.arange(2), **seen_twice})
    assert (words == NO_CUE).tolist() == [[1, 0, 0, 1, 1], [1, 0, 0, 0, 1]]
    assert words[0, 1] == words[1, 2] == words[1, 3] != words[0, 2]
