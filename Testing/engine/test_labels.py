"""Label maps as networks see and make them."""

from __future__ import annotations

import numpy as np
import torch

from topogan.networks.labels import labels_of, labels_to_network, margins, probabilities, to_discriminator, with_level
from topogan.structures import Structure, StructureTable

TABLE = StructureTable(structures=tuple(Structure(name=name) for name in "abcd"), unions=(("a", "c"), ("b", "c", "d")))


def logits(structures: int) -> torch.Tensor:
    return torch.randn(5, structures, 12, 12, generator=torch.Generator().manual_seed(structures))


def test_a_region_is_where_its_margin_is_not_negative() -> None:
    found = margins(logits(4), TABLE.regions)
    labels = labels_of(logits(4))
    assert set(np.unique(labels)) == {0, 1, 2, 3, 4}
    for number, region in enumerate(TABLE.regions):
        np.testing.assert_array_equal(found[:, number].numpy() >= 0, region.of(labels), region.name)


def test_the_most_probable_label_is_that_of_the_map() -> None:
    shares = probabilities(logits(4))
    background = 1 - shares.sum(1, keepdim=True)
    np.testing.assert_array_equal(torch.cat([background, shares], 1).argmax(1).numpy(), labels_of(logits(4)))
    torch.testing.assert_close(to_discriminator(logits(4)), 2 * shares - 1)


def test_one_structure_is_the_sigmoid_and_its_margin_the_logit() -> None:
    one, table = logits(1), StructureTable(structures=(Structure(name="a"),))
    assert torch.equal(margins(one, table.regions), one)
    assert torch.equal(probabilities(one), torch.sigmoid(one))
    assert torch.equal(to_discriminator(one), torch.tanh(one / 2))
    several = torch.cat([one, torch.full_like(one, -torch.inf)], 1)
    torch.testing.assert_close(probabilities(several)[:, :1], probabilities(one))


def test_the_gradient_of_a_margin_lies_on_the_winner_and_its_greatest_rival() -> None:
    leaf = torch.tensor([2.0, 1.0, -3.0, 0.5]).reshape(1, 4, 1, 1).requires_grad_()
    for region, expected in ((0, [1, -1, 0, 0]), (2, [-1, 0, 1, 0]), (4, [1, -1, 0, 0])):
        (gradient,) = torch.autograd.grad(margins(leaf, [TABLE.regions[region]]).sum(), leaf)
        assert gradient.flatten().tolist() == expected
    alone = torch.tensor([-1.0, -2.0, -3.0, -4.0]).reshape(1, 4, 1, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(margins(alone, TABLE.regions[:1]).sum(), alone)
    assert gradient.flatten().tolist() == [1, 0, 0, 0], "the background's logit is 0, whatever is done"


def test_labels_come_back_from_the_network() -> None:
    labels = np.random.default_rng(0).integers(0, 5, (3, 8, 8)).astype(np.uint8)
    np.testing.assert_array_equal(labels_of(labels_to_network(labels, 4)), labels)


def test_the_level_is_one_more_channel() -> None:
    images, level = torch.zeros(2, 3, 4, 4), torch.tensor([[0.5], [-1.0]])
    told = with_level(images, level)
    assert told.shape == (2, 4, 4, 4)
    assert (told[0, 3] == 0.5).all() and (told[1, 3] == -1.0).all() and torch.equal(told[:, :3], images)
    assert with_level(images, None) is images
