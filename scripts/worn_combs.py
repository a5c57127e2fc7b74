"""Glyphs to learn from and to test with: characters drawn into combs, worn as a scanner wears them, cut out again.

The cutting is the reader's own (`combs.separate`), so that the network learns what it will be shown.
"""

from __future__ import annotations

import copy
import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np
from invented_digits import invented
from PIL import Image, ImageDraw, ImageFont

from returns.reading.comb_lines import MARGIN_MM
from returns.reading.combs import separate
from returns.reading.glyphs import normalised
from returns.reading.pixels import PIXELS_PER_MM
from returns.reading.recognisers import CAPITALS, DIGITS
from returns.rehearsal.pens import HANDWRITING, drawn, european, held_out_digits, mnist_digits
from returns.rehearsal.scanner import as_bilevel

CELLS = 10
SHARE = 500  # strips drawn at a time by one process
NO_DIGITS = "ABCDEFGHJKLMNPQRTUVWXYabcdefhkmnprtuvwxy?&%€X-/+=~"
NO_CAPITALS = "23456789?&%€/+=~#@"
ACCENTED = {"A": "ÀÂ", "C": "Ç", "E": "ÉÈÊË", "I": "ÎÏ", "O": "ÔÖ", "U": "ÙÛÜ"}
LIKE_CAPITALS = "cokpsuvwxz"  # small letters that are the capital, smaller
STROKE_FACES = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX)
FROM_STROKE_FACES, ACCENTS, SMALL = 0.12, 0.08, 0.04  # shares of the capitals learnt
# Typefaces of @fontsource, other than the pens', that are kept for tests.
KEPT = (
    "crafty-girls",
    "la-belle-aurore",
    "loved-by-the-king",
    "nothing-you-could-do",
    "over-the-rainbow",
    "zeyada",
)
FROM_FONTS, FROM_STROKES = 0.22, 0.24  # shares of the digits of all kinds that are no MNIST images
# Of each batch of digits: of all kinds, bent and struck out; of MNIST as written; of typefaces, bent.
ALL_KINDS, AS_WRITTEN, TYPED = 0.38, 0.5, 0.12


def distorted(image, chance):
    """An elastic deformation, a stretch and sometimes a broken stroke: other writers, other pens."""
    width = image.shape[1]
    pad = 6
    image = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    field = np.array([[chance.gauss(0, 1) for _ in range(32)]], np.float32).reshape(2, 4, 4)
    dx, dy = (cv2.resize(each, image.shape[::-1], interpolation=cv2.INTER_CUBIC) for each in field)
    strength = chance.uniform(0, 1.1) * width / 28
    ys, xs = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    image = cv2.remap(image, xs + dx * strength, ys + dy * strength, cv2.INTER_LINEAR)
    stretch = np.exp(chance.gauss(0, 0.13))
    return cv2.resize(image, None, fx=float(stretch), fy=1.0, interpolation=cv2.INTER_LINEAR)


class Digits:
    """Digits as various hands would draw them, and what else people write in cells: the class after the last."""

    signs, foreign = DIGITS.signs, NO_DIGITS

    def __init__(self, images, fonts, chance, *, strokes=False):
        self.images, self.fonts, self.chance, self.strokes = images, fonts, chance, strokes

    def sign(self):
        chance = self.chance
        digit, source = chance.randrange(10), chance.random()
        if self.fonts and source < FROM_FONTS:
            return digit, self._letter(str(digit))
        if self.strokes and source > 1 - FROM_STROKES:
            return digit, invented(digit, chance)
        if self.images is None:
            return digit, self._letter(str(digit))
        image = self.images[digit][chance.randrange(len(self.images[digit]))]
        if digit in (1, 7) and chance.random() < 0.5:
            image = european(image, digit, chance)
        return digit, image

    def _letter(self, letter):
        font = ImageFont.truetype(str(self.chance.choice(self.fonts)), 52)
        left, top, right, bottom = (round(each) for each in font.getbbox(letter))
        picture = Image.new("L", (max(4, right - left) + 8, max(4, bottom - top) + 8))
        ImageDraw.Draw(picture).text((4 - left, 4 - top), letter, fill=255, font=font)
        image = np.asarray(picture)
        return image if image.max() > 100 else self._blot()

    def other(self):
        kind = self.chance.random()
        if kind < 0.4 and self.fonts:
            return self._letter(self.chance.choice(self.foreign))
        if kind < 0.6:
            return self._blot()
        _, image = self.sign()
        if kind < 0.85:
            return self._struck(image)
        cut = self.chance.uniform(0.3, 0.5)  # part of a character only
        ys, xs = np.nonzero(image > 60)
        image = image[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        height = image.shape[0]
        part = image[: int(height * cut)] if self.chance.random() < 0.5 else image[int(height * (1 - cut)) :]
        return part if part.size and part.max() > 100 else self._blot()

    def _struck(self, image):
        image = image.copy()
        height, width = image.shape
        for _ in range(self.chance.choice([1, 2, 2, 3, 5])):
            a = (self.chance.randint(0, width // 4), self.chance.randint(0, height - 1))
            b = (self.chance.randint(3 * width // 4, width - 1), self.chance.randint(0, height - 1))
            cv2.line(image, a, b, 255, max(2, width // 14), cv2.LINE_AA)
        return image

    def _blot(self):
        image = np.zeros((28, 28), np.uint8)
        points = [(self.chance.randint(3, 24), self.chance.randint(3, 24)) for _ in range(self.chance.randint(6, 14))]
        cv2.polylines(image, [np.array(points)], False, 255, self.chance.choice([2, 3]), cv2.LINE_AA)
        return image


class Capitals(Digits):
    """Capitals of handwriting typefaces and of plain strokes: an accented one is its letter, so is a like small one."""

    signs, foreign = CAPITALS.signs, NO_CAPITALS

    def sign(self):
        chance = self.chance
        place, source = chance.randrange(len(self.signs)), chance.random()
        letter = self.signs[place]
        if self.strokes and source < FROM_STROKE_FACES:
            return place, self._stroked(letter)
        if source > 1 - ACCENTS and letter in ACCENTED:
            letter = chance.choice(ACCENTED[letter])
        elif source > 1 - ACCENTS - SMALL and letter.lower() in LIKE_CAPITALS:
            letter = letter.lower()
        return place, self._letter(letter)

    def _stroked(self, letter):
        image = np.zeros((84, 84), np.uint8)
        face, thick = self.chance.choice(STROKE_FACES), self.chance.choice([2, 3, 4])
        scale = 4.0 if face == cv2.FONT_HERSHEY_PLAIN else 2.2
        cv2.putText(image, letter, (14, 66), face, scale, 255, thick, cv2.LINE_AA)
        return image


def strips(supply, count, chance, *, plain=False):
    """Glyphs (n x 28 x 28 uint8) and their classes, cut from `count` combs of CELLS cells."""
    numbers = np.random.default_rng(chance.randrange(2**32))
    glyphs, labels = [], []
    for _ in range(count):
        picture, expected = one_strip(supply, chance, numbers, plain=plain)
        comb = separate(picture, CELLS, ink=chance.randint(0, 40))
        for glyph, label in zip(comb.glyphs, expected, strict=True):
            if glyph is not None and label is not None:
                glyphs.append(glyph)
                labels.append(label)
    return np.array(glyphs), np.array(labels)


def many_strips(supply, count, processes, *, plain=False):
    """The same as `strips`, drawn SHARE at a time by so many processes; the same supply gives the same glyphs."""
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(partial(_share, supply, plain), range(0, count, SHARE)))
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))


def _share(supply, plain, first):
    cv2.setNumThreads(1)
    supply = copy.copy(supply)
    supply.chance = random.Random(f"strips from {first}")
    return strips(supply, SHARE, supply.chance, plain=plain)


def one_strip(supply, chance, numbers, *, plain):
    scale, margin = PIXELS_PER_MM, MARGIN_MM * PIXELS_PER_MM
    pitch, high = 5 * scale, 7 * scale
    width, height = round(CELLS * pitch + 2 * margin), round(high + 2 * margin)
    page = np.full((height, width), 255, np.uint8)
    line, thick = chance.choice([130, 165, 165, 190]), chance.choice([1, 1, 2])
    dx, dy = (chance.gauss(0, 1.2) for _ in "xy")
    cv2.rectangle(page, (round(margin + dx), round(margin + dy)),
                  (round(width - margin + dx), round(height - margin + dy)), line, thick)  # fmt: skip
    for cell in range(1, CELLS):
        x = round(margin + cell * pitch + dx)
        top = margin + dy if chance.random() < 0.9 else margin + dy + high * 0.7
        cv2.line(page, (x, round(top)), (x, round(margin + dy + high)), line, thick)
    ink, stroke = chance.randint(15, 120), chance.uniform(0.28, 0.75)
    tall, slant = chance.uniform(3.2, 6.2), chance.gauss(0.05, 0.16)
    wobble = chance.uniform(0.5, 3.5)
    expected = []
    for cell in range(CELLS):
        if not plain and chance.random() < 0.06:
            label, image = len(supply.signs), supply.other()
        else:
            label, image = supply.sign()
        if not plain:
            image = distorted(image, chance)
        if (image > 60).sum() < 4:
            expected.append(None)
            continue
        small = label == len(supply.signs) and chance.random() < 0.5
        glyph = drawn(
            image,
            height_mm=min(tall * chance.uniform(0.85, 1.12), 6.6) * (0.5 if small else 1.0),
            stroke_mm=stroke * chance.uniform(0.85, 1.2),
            slant=slant,
            turn=chance.gauss(0, 5),
        )
        x = margin + (cell + 0.5) * pitch + chance.gauss(0, wobble) - glyph.shape[1] / 2
        y = margin + 0.5 * high + chance.gauss(0, wobble) - glyph.shape[0] / 2
        press(page, glyph, round(x), round(y), ink)
        expected.append(label)
    if not plain and chance.random() < 0.2:
        page = faded(page, chance, numbers)
    return worn(page, chance, numbers), expected


def faded(page, chance, numbers):
    """A pen that skips: ink lost in blots, which a 1-bit scan breaks into pieces."""
    spots = cv2.resize(numbers.random((page.shape[0] // 5, page.shape[1] // 5), np.float32), page.shape[::-1])
    lost = np.clip((spots - chance.uniform(0.6, 0.8)) * 4, 0, chance.uniform(0.5, 1.0))
    return (page + (255 - page) * lost).astype(np.uint8)


def press(page, glyph, x, y, ink):
    x, y = max(0, x), max(0, y)
    part = page[y : y + glyph.shape[0], x : x + glyph.shape[1]]
    share = glyph[: part.shape[0], : part.shape[1]] / 255.0
    part[:] = np.minimum(part, part * (1 - share) + ink * share).astype(np.uint8)


def worn(page, chance, numbers):
    """The strip as a scanner would give it."""
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), chance.gauss(0, 0.25), 1.0)
    page = cv2.warpAffine(page, turn, page.shape[::-1], borderValue=255)
    page = cv2.GaussianBlur(page, (0, 0), chance.uniform(0.3, 1.2)).astype(np.float32)
    page = page * chance.uniform(0.85, 1.0) + numbers.normal(0, chance.uniform(0, 11), page.shape)
    page = np.clip(page, 0, 255).astype(np.uint8)
    way = chance.random()
    if way < 0.3:
        page = as_bilevel(page)
        return cv2.GaussianBlur(page, (0, 0), 0.5)
    if way < 0.8:
        _, data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, chance.randint(50, 90)])
        page = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return page


def optical(file):
    """Digits of other writers for a test: an .npz of `x` (n x height x width) and `y`, drawn large, as glyphs."""
    held = np.load(file)
    glyphs = []
    for image in held["x"]:
        grey = (image * 255.0 / image.max()).astype(np.uint8)
        large = cv2.resize(grey, (28, 28), interpolation=cv2.INTER_CUBIC)
        glyphs.append(normalised(drawn(large, height_mm=5.0, stroke_mm=0.5)))
    return np.array(glyphs), held["y"]


def digits_to_learn(fonts, count, processes):
    """Glyphs to learn from: pools of (share of a batch, images, classes), and what they are drawn from."""
    learnt, seen = part_of_train(tempered=False), faces_of(fonts)[0]
    told = (
        f"MNIST train ({sum(map(len, learnt))} digits), {len(seen)} @fontsource handwriting faces and invented strokes"
    )
    bent = many_strips(Digits(learnt, seen, random.Random(7), strokes=True), count, processes)
    written = many_strips(Digits(learnt, [], random.Random(9)), count // 2, processes, plain=True)
    typed = many_strips(Digits(None, seen, random.Random(11)), count // 6, processes)
    return [(ALL_KINDS, *bent), (AS_WRITTEN, *written), (TYPED, *typed)], told


def digits_to_test(fonts, others):
    """What sets the temperature, then the tests by name: glyphs and their classes."""
    tests = {"t10k of MNIST, cut from worn combs": plain_strips(Digits, held_out_digits(), [], 1000, seed=8)}
    unseen = faces_of(fonts)[1]
    if unseen:
        tests["typefaces never learnt, cut from worn combs"] = plain_strips(Digits, None, unseen, 300, seed=6)
    if others:
        tests[f"other writers ({others.stem}, 8 x 8 points)"] = optical(others)
    return plain_strips(Digits, part_of_train(tempered=True), [], 500, seed=9), tests


def part_of_train(*, tempered):
    """The images of MNIST's train that set the temperature (one of every 20 of each digit), or all the others."""
    return [images[[(n % 20 == 0) is tempered for n in range(len(images))]] for images in mnist_digits("train")]


def capitals_to_learn(fonts, count, processes):
    """The same for capitals: every eighth typeface sets the temperature, those of the pens and of KEPT are the test."""
    seen = faces_of(fonts)[0]
    learnt = [face for face in seen if face not in seen[::8]]
    told = f"{len(learnt)} @fontsource handwriting faces and plain strokes"
    return [(1.0, *many_strips(Capitals(None, learnt, random.Random(7), strokes=True), count, processes))], told


def capitals_to_test(fonts, _others):
    seen, unseen = faces_of(fonts)
    test = f"{len(unseen)} typefaces never learnt, cut from worn combs"
    tempered = plain_strips(Capitals, None, seen[::8], 500, seed=9)
    return tempered, {test: plain_strips(Capitals, None, unseen, 800, seed=6)}


def faces_of(folder):
    """The typefaces to learn from, and those that are never learnt from: the pens of rehearsals and KEPT."""
    faces = sorted(folder.glob("**/*-latin-400-normal.woff")) if folder else []
    unseen = [face for face in faces if face.name.startswith((*HANDWRITING, *KEPT))]
    return [face for face in faces if face not in unseen], unseen


def plain_strips(supply, images, fonts, count, *, seed):
    """Characters as they come, nothing struck out nor distorted."""
    chance = random.Random(seed)
    return strips(supply(images, fonts, chance), count, chance, plain=True)
