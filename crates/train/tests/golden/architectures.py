"""Writes architectures.json: one training step of each architecture over the fields of ranker.toml, as PyTorch computes it in double
precision, and one of a conditional that is learned over the entire space.

Run: python architectures.py        (needs torch; writes architectures.json beside this file)

Letters: B batch, I inputs, H hidden, E experts, S sub-networks, K objectives, W width. Weights are [in, out]. The columns of a
group's gate stand behind those of its experts' first layers, as the crates have them. null is an absent label.
"""

import json
import math
import tomllib

import torch
import torch.nn.functional as F
from make import BATCH, DEVICES, HERE, INPUTS, POSITIONS, ROWS, TRAIN, BIAS, admitted, batch, inputs, optimizers, plain, values

torch.manual_seed(2)
MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
CONNECTION_LAYER = 256
# What `[model]` of ranker.toml, and its objectives in the last case, become.
CASES = {
    "single-task": 'architecture = "single-task"\ntowers = [5, 3]',
    "shared-bottom": 'architecture = "shared-bottom"\nshared = [7, 5]\ntowers = [3]',
    "omoe": 'architecture = "omoe"\nshared = [7]\nexperts = { count = 3, widths = [6, 4] }\ntowers = [3]\ngate_dropout = 0.0',
    "mmoe": 'architecture = "mmoe"\nexperts = { count = 3, widths = [4] }\ntowers = [3]\ngate_dropout = 0.0',
    "cgc": 'architecture = "ple"\nexperts = { count = 2, shared = 1, widths = [4] }\ntowers = [3]\ngate_dropout = 0.0',
    "ple": 'architecture = "ple"\nshared = [7]\n'
    "experts = { count = 1, shared = 2, levels = 2, widths = [6, 4] }\ntowers = [3]\ngate_dropout = 0.0",
    "snr-trans": 'architecture = "snr-trans"\nshared = [7]\n'
    "subnetworks = { count = 3, widths = [5, 4], l0 = 0.03 }\ntowers = [3]",
    "snr-aver": 'architecture = "snr-aver"\nsubnetworks = { count = 3, widths = [5, 4, 6], l0 = 0.03 }',
    "entire-space": 'architecture = "shared-bottom"\nshared = [7]\ntowers = [3]',
}
SPEC = tomllib.loads((HERE / "ranker.toml").read_text())


def mix64(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def draw(seed, example, layer, element):
    key = mix64((seed + GOLDEN) & MASK)
    key = mix64(((key ^ example) + GOLDEN) & MASK)
    key = mix64(((key ^ layer) + GOLDEN) & MASK)
    return (mix64((key + GOLDEN * (element + 1)) & MASK) >> 40) / 2**24


class Net:
    """Weights by name, made where they are first asked for."""

    def __init__(self, model, objectives):
        self.model, self.objectives, self.weights = model, objectives, {}
        self.penalty = torch.zeros(()).double()

    def weight(self, name, *shape):
        if name not in self.weights:
            first = values(*shape)
            # Biases above 0: few units are dead.
            self.weights[name] = (first.abs() if name.endswith("bias") else first).requires_grad_()
        return self.weights[name]

    def dense(self, x, name, width):
        return x @ self.weight(f"{name}.weight", x.shape[1], width) + self.weight(f"{name}.bias", width)

    def stack(self, x, name, widths):
        for at, width in enumerate(widths):
            x = self.dense(x, f"{name}.{at}", width).relu()
        return x

    def towers(self, read):
        """Logits [K, B] of what each tower reads."""
        logits = []
        for name, x in zip(self.objectives, read):
            hidden = self.stack(x, f"towers.{name}", self.model.get("towers", []))
            logits.append(self.dense(hidden, f"towers.{name}.logit", 1).squeeze(1))
        return torch.stack(logits)

    def group(self, x, name, count, choices):
        """Experts [B, count, W] over x, and the logits of the gate that reads it [B, choices]."""
        first, *rest = self.model["experts"]["widths"]
        both = x @ self.weight(f"{name}.0.weight", x.shape[1], count * first + choices)
        below, gate = both[:, : count * first], both[:, count * first :]
        below = (below + self.weight(f"{name}.0.bias", count * first)).relu().view(BATCH, count, first)
        experts = [below[:, e] for e in range(count)]
        for layer, width in enumerate(rest, 1):
            experts = [self.dense(f, f"{name}.{layer}.{e}", width).relu() for e, f in enumerate(experts)]
        return torch.stack(experts, 1), gate

    def mixture(self, h, gates):
        """What so many gates mix, [gates][B, W]."""
        count = self.model["experts"]["count"]
        experts, logits = self.group(h, "experts", count, gates * count)
        shares = logits.view(BATCH, gates, count).softmax(-1)
        return list(torch.einsum("bke,bew->kbw", shares, experts))

    def extraction(self, h):
        own, shared = self.model["experts"]["count"], self.model["experts"]["shared"]
        levels = self.model["experts"].get("levels", 1)
        count = len(self.objectives)
        read = [h] * (count + 1)
        for level in range(levels):
            name = f"levels.{level}"
            of_shared = 0 if level + 1 == levels else count * own + shared
            groups = [self.group(x, f"{name}.own.{k}", own, own + shared) for k, x in zip(self.objectives, read)]
            common, gate = self.group(read[-1], f"{name}.shared", shared, of_shared)
            mix = lambda gate, experts: torch.einsum("be,bew->bw", gate.softmax(-1), experts)
            read = [mix(own_gate, torch.cat([experts, common], 1)) for experts, own_gate in groups]
            if of_shared:
                read.append(mix(gate, torch.cat([experts for experts, _ in groups] + [common], 1)))
        return read

    def routing(self, h, trans):
        nets = self.model["subnetworks"]
        count, (first, *rest) = nets["count"], nets["widths"]
        u = self.dense(h, "subnetworks.0", count * first).relu().view(BATCH, count, first)
        for layer, width in enumerate([*rest, None]):
            readers = len(self.objectives) if width is None else count
            alpha = self.weight(f"gates.{layer}.log_alpha", readers * count)
            uniform = [draw(0, 0, CONNECTION_LAYER + layer, at) + 2.0**-25 for at in range(readers * count)]
            logistic = torch.tensor([math.log(u) - math.log(1 - u) for u in uniform]).double()
            s = ((logistic + alpha) / (2 / 3)).sigmoid()
            z = (s * 1.2 - 0.1).clamp(0, 1).view(readers, count)
            self.penalty = self.penalty + nets["l0"] * (alpha - 2 / 3 * math.log(0.1 / 1.1)).sigmoid().sum()
            gated = u[:, None] * z[None, :, :, None]
            read = gated.flatten(2) if trans else gated.sum(2)
            if width is None:
                return [read[:, j] for j in range(readers)]
            u = torch.stack([self.dense(read[:, j], f"subnetworks.{layer + 1}.{j}", width).relu() for j in range(count)], 1)

    def forward(self, x):
        architecture = self.model["architecture"]
        h = self.stack(x, "shared", self.model.get("shared", []))
        count = len(self.objectives)
        if architecture == "omoe":
            return self.towers(self.mixture(h, 1) * count)
        if architecture == "mmoe":
            return self.towers(self.mixture(h, count))
        if architecture == "ple":
            return self.towers(self.extraction(h))
        if architecture.startswith("snr"):
            return self.towers(self.routing(h, architecture == "snr-trans"))
        return self.towers([h] * count)


def losses(logits, labels, objectives, entire):
    """The sum over the observed labels, by objective."""
    sums = []
    for k, (name, objective) in enumerate(objectives.items()):
        logit, label = logits[k], labels[k]
        if name == entire:
            # Click and like, over every impression whose labels tell it.
            joint = torch.where(labels[0] == 1, label, torch.zeros_like(label))
            p, there = (logits[0].sigmoid() * logit.sigmoid()), ~joint.isnan()
            sums.append(F.binary_cross_entropy(p[there], joint[there], reduction="sum"))
            continue
        there = ~label.isnan()
        if objective["loss"] == "binary":
            sums.append(F.binary_cross_entropy_with_logits(logit[there], label[there], reduction="sum"))
        else:
            lo, hi = objective.get("clip", [0, 1])
            value = lo + (hi - lo) * logit.sigmoid()
            sums.append(F.mse_loss(value[there], label[there], reduction="sum"))
    return sums


def case(name, text):
    objectives = SPEC["objectives"]
    net = Net(tomllib.loads(text), objectives)
    tables = {f"tables.{table}": values(ROWS[table], SPEC["fields"][table]["dim"]).requires_grad_() for table in ROWS}
    shallow = values(DEVICES, POSITIONS).requires_grad_()
    examples = batch()
    net.forward(torch.zeros(BATCH, INPUTS).double())
    net.penalty = torch.zeros(()).double()
    weights = {**tables, **net.weights, "shallow.click": shallow}
    start = plain(weights)
    read = admitted(weights, {table: set() for table in ROWS}, examples)
    logits = net.forward(inputs(weights, examples, read))
    logits = torch.cat([logits[:1] + shallow[examples["cells"], examples["positions"]], logits[1:]])
    labels = examples["labels"]
    entire = "like" if name == "entire-space" else None
    if entire:
        # A conditional's label is observed only where its condition's is 1.
        labels[1] = torch.where(labels[0] == 1, labels[1], float("nan"))
    summed = losses(logits, labels, objectives, entire)
    scales = [objective.get("loss_weight", 1.0) / BATCH for objective in objectives.values()]
    (sum(scale * loss for scale, loss in zip(scales, summed)) + net.penalty).backward()
    assert all(weight.grad.abs().max() > 1e-4 for weight in weights.values()), f"{name}: a dead part: choose another seed"
    gradients = plain({name: weight.grad for name, weight in weights.items()})
    dense = [weight for weight in net.weights]
    groups = [
        {"params": [weights[name] for name in dense if name.endswith("weight")], "weight_decay": TRAIN["l2"]},
        {"params": [weights[name] for name in dense if not name.endswith("weight")], "weight_decay": 0.0},
    ]
    torch.optim.Adam([group for group in groups if group["params"]], lr=TRAIN["learning_rate"]).step()
    after = plain({name: weights[name] for name in dense})
    return {
        "model": text,
        "start": start,
        "batch": plain(examples),
        "logits": plain(logits),
        "losses": [loss.item() for loss in summed],
        "penalty": net.penalty.item(),
        "gradients": gradients,
        "after": after,
    }


def main():
    rows = [f"  {json.dumps(name)}: {json.dumps(case(name, text))}" for name, text in CASES.items()]
    (HERE / "architectures.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
