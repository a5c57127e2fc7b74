"""What the recognisers say of characters whose writers they have never seen, and of what is no character."""

from __future__ import annotations

import random

import numpy as np
import pytest

from returns.reading import recognisers
from returns.reading.glyphs import normalised
from returns.reading.recognisers import CAPITALS, CLOSELY_DOUBTED, DIGITS, DOUBTED, recognise
from returns.rehearsal.pens import drawn, held_out_digits


@pytest.fixture(scope="module")
def digits() -> tuple[list[np.ndarray], np.ndarray]:
    """Three hundred digits of MNIST's t10k drawn at the scale of a page, and what they are."""
    chance = random.Random(3)
    glyphs = []
    for images in held_out_digits():
        for number in chance.sample(range(len(images)), 30):
            glyphs.append(normalised(drawn(images[number], height_mm=4.5, stroke_mm=0.45)))
    return glyphs, np.repeat(np.arange(10), 30)


def test_digits_by_writers_never_learnt_from_are_read(digits):
    glyphs, truths = digits
    told = recognise(glyphs)

    assert told.shape == (300, DIGITS.classes)
    assert (told.argmax(axis=1) == truths).mean() > 0.97
    sure = told.max(axis=1) > 0.99
    assert sure.mean() > 0.8
    assert (told.argmax(axis=1) == truths)[sure].mean() > 0.99


def test_probabilities_add_up_and_do_not_hang_on_the_company_of_a_glyph(digits):
    glyphs, _ = digits
    together, alone = recognise(glyphs[:40]), np.concatenate([recognise([glyph]) for glyph in glyphs[:40]])

    assert np.allclose(together.sum(axis=1), 1)
    assert np.allclose(together, alone, atol=1e-5)


def test_only_what_the_first_network_doubts_is_read_by_the_second(digits, monkeypatch):
    glyphs, _ = digits
    asked: dict[str, list[int]] = {}
    run = recognisers._run

    def counted(images, network, rarer):
        told = run(images, network, rarer)
        asked.setdefault(network, []).append(len(images))
        if network == DIGITS.name:
            asked["doubted"] = [int((told.max(axis=1) < DOUBTED).sum())]
        return told

    monkeypatch.setattr(recognisers, "_run", counted)
    recognise(glyphs)

    assert asked[DIGITS.name] == [len(glyphs)]
    assert asked[DIGITS.second][0] == asked["doubted"][0]
    assert 0 < asked["doubted"][0] < len(glyphs) / 3


def test_a_glyph_read_closely_is_doubted_sooner_by_another_network_and_changes_nothing_beside_it(digits, monkeypatch):
    glyphs, _ = digits
    asked: dict[str, int] = {}
    run = recognisers._run

    def counted(images, network, rarer):
        asked.setdefault(network, len(images))
        return run(images, network, rarer)

    closely = np.arange(len(glyphs)) % 2 == 0
    usual = recognise(glyphs)
    monkeypatch.setattr(recognisers, "_run", counted)
    told = recognise(glyphs, closely=closely.tolist())

    first = run(np.stack(glyphs)[:, None] / np.float32(255), DIGITS.name, DIGITS.rarer).max(axis=1)
    assert asked[DIGITS.second] == pytest.approx((first[~closely] < DOUBTED).sum(), abs=2)
    assert asked[DIGITS.third] == pytest.approx((first[closely] < CLOSELY_DOUBTED).sum(), abs=2)
    assert np.array_equal(told[1::2], usual[1::2])
    assert not np.allclose(told[::2], usual[::2], atol=1e-6)
    assert np.allclose(told.sum(axis=1), 1)


@pytest.mark.parametrize("alphabet", [DIGITS, CAPITALS])
def test_nothing_to_read_is_read_as_nothing(alphabet):
    assert recognise([], alphabet).shape == (0, alphabet.classes)
