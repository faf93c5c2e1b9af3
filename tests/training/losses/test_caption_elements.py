"""Who has which element."""

from __future__ import annotations

import torch

from shieldclip.training.losses import gather_elements


def test_incidence_sharing_and_own_elements(batch):
    elements = batch.elements
    assert elements.known.tolist() == [True, True, False, True, True]
    assert elements.incidence().int().tolist() == [
        [1, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
    ]
    assert elements.sharing().nonzero().tolist() == [
        [0, 0], [0, 3], [1, 1], [3, 0], [3, 3], [4, 4]
    ]  # fmt: skip
    assert elements.others(torch.tensor([0])).tolist() == [[False, True, False, False, True]]
    embeddings, valid = elements.own(torch.tensor([3]))
    assert torch.equal(embeddings[0, :2], elements.embeddings[[5, 1]])
    assert valid.tolist() == [[True, True, False]]


def test_gathering_in_one_process_keeps_every_captions_elements(batch):
    keys = torch.tensor([70, -10, 60, 50, 40, 30, 20])
    gathered = gather_elements(batch.elements.embeddings, keys, batch.elements.index)
    for caption in range(5):
        own, valid = gathered.own(torch.tensor([caption]))
        expected, _ = batch.elements.own(torch.tensor([caption]))
        assert torch.equal(own[valid], expected[valid])
    assert torch.equal(gathered.sharing(), batch.elements.sharing())
