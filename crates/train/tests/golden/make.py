"""Writes three training steps of the net of ranker.toml, as PyTorch computes them in double precision.

Run: for form in additive product reversal adversarial; do python make.py $form; done
(needs torch; writes step.json, product.json, reversal.json, adversarial.json beside this file)

reversal is additive with gradient_reversal = 0.5; the adversary's strength is 0.3.

Letters: B batch, H hidden, E experts, K objectives. Weights are [in, out], as in the crates, so `x @ w`; expert e owns the
columns from e * width of the experts' first layer, objective k those from k * E of the gates. null is an absent label.
Starting weights and inputs are float32, so that both sides begin with the same numbers.
"""

import json
import math
import pathlib
import sys
import tomllib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
SPEC = tomllib.loads((HERE / "ranker.toml").read_text())
OBJECTIVES, FIELDS, TRAIN, BIAS = SPEC["objectives"], SPEC["fields"], SPEC["train"], SPEC["bias"]
EXPERTS, (SHARED,), (TOWER,) = SPEC["model"]["experts"], SPEC["model"]["shared"], SPEC["model"]["towers"]
ROWS = {"user": FIELDS["user"]["buckets"] + 1, "tags": len(FIELDS["tags"]["values"]) + 1}
DENSE = 4 + 2  # x, x^2, sqrt(x), missing; x, missing
INPUTS = FIELDS["user"]["dim"] + FIELDS["tags"]["dim"] + DENSE
DEVICES, POSITIONS, BATCH = len(FIELDS["device"]["values"]) + 1, BIAS["max_position"] + 1, TRAIN["batch"]
ADAGRAD_EPSILON = 1e-8
FORM = sys.argv[1] if len(sys.argv) > 1 else "additive"
STRENGTH = {"reversal": 0.5, "adversarial": 0.3}.get(FORM, 0.0)
UNITS = 8
OF_BIAS = ("shallow", "adversary.")
torch.manual_seed(1)


def values(*shape, scale=0.5):
    return (torch.randn(*shape) * scale).double()


def start():
    count, (first, last) = EXPERTS["count"], EXPERTS["widths"]
    weights = {f"tables.{name}": values(ROWS[name], FIELDS[name]["dim"]) for name in ROWS}
    weights |= {"shared.0.weight": values(INPUTS, SHARED), "shared.0.bias": values(SHARED)}
    weights |= {"experts.0.weight": values(SHARED, count * first), "experts.0.bias": values(count * first)}
    for e in range(count):
        weights |= {f"experts.1.{e}.weight": values(first, last), f"experts.1.{e}.bias": values(last)}
    weights |= {"gates.weight": values(SHARED, len(OBJECTIVES) * count)}
    for name in OBJECTIVES:
        weights |= {f"towers.{name}.0.weight": values(last, TOWER), f"towers.{name}.0.bias": values(TOWER)}
        weights |= {f"towers.{name}.logit.weight": values(TOWER, 1), f"towers.{name}.logit.bias": values(1)}
    if FORM != "adversarial":
        weights |= {"shallow.click": values(DEVICES, POSITIONS)}
    if FORM == "reversal":
        weights |= {"shallow_reversal": values(1, 2)}
    if FORM == "adversarial":
        weights |= {"adversary.hidden.weight": values(1, UNITS), "adversary.hidden.bias": values(UNITS)}
        weights |= {"adversary.position.weight": values(UNITS), "adversary.position.bias": values(1)}
    return {name: weight.requires_grad_() for name, weight in weights.items()}


def batch():
    def bags(name, counts):
        rows = [torch.randint(ROWS[name], (count,)).tolist() for count in counts]
        return {"offsets": [sum(counts[:b]) for b in range(BATCH + 1)], "rows": sum(rows, [])}

    watched = torch.rand(BATCH, dtype=torch.float32) * 2
    watched[torch.rand(BATCH) < 0.2] = float("nan")
    liked = torch.randint(2, (BATCH,)).float()
    liked[torch.rand(BATCH) < 0.4] = float("nan")
    return {
        "user": bags("user", [1] * BATCH),
        "tags": bags("tags", torch.randint(4, (BATCH,)).tolist()),
        "dense": values(BATCH, DENSE, scale=1.0),
        "cells": torch.randint(DEVICES, (BATCH,)).tolist(),
        "positions": torch.randint(POSITIONS, (BATCH,)).tolist(),
        "labels": [torch.randint(2, (BATCH,)).double(), liked.double(), watched.double()],
    }


def admitted(weights, seen, batch):
    """The rows that a step reads: at its first sighting a row becomes a copy of the last one, which is read instead."""
    read = {}
    for name in ROWS:
        table, new = weights[f"tables.{name}"], ROWS[name] - 1
        read[name] = []
        for row in batch[name]["rows"]:
            first = row != new and row not in seen[name]
            if first:
                seen[name].add(row)
                with torch.no_grad():
                    table[row] = table[new]
            read[name].append(new if first else row)
    return read


def inputs(weights, batch, read):
    """The network's input [B, I]."""

    def pooled(name):
        offsets, table = batch[name]["offsets"], weights[f"tables.{name}"]
        rows = [read[name][a:b] for a, b in zip(offsets, offsets[1:])]
        return torch.stack([table[bag].mean(0) if bag else torch.zeros_like(table[0]) for bag in rows])

    return torch.cat([pooled("user"), pooled("tags"), batch["dense"]], 1)


def forward(weights, batch, read):
    """Logits [K, B]."""

    def dense(x, name):
        return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]

    x = inputs(weights, batch, read)
    h = dense(x, "shared.0").relu()
    count, (first, _) = EXPERTS["count"], EXPERTS["widths"]
    below = dense(h, "experts.0").relu().view(BATCH, count, first)
    experts = torch.stack([dense(below[:, e], f"experts.1.{e}").relu() for e in range(count)], 1)
    gates = (h @ weights["gates.weight"]).view(BATCH, len(OBJECTIVES), count).softmax(-1)
    mixed = torch.einsum("bke,bew->bkw", gates, experts)
    logits = []
    for k, name in enumerate(OBJECTIVES):
        tower = dense(mixed[:, k], f"towers.{name}.0").relu()
        logits.append(dense(tower, f"towers.{name}.logit").squeeze(1))
    return torch.stack(logits)


def joint(weights, main, batch):
    """Logits [K, B] with what the shallow tower says of the first objective."""
    if FORM == "adversarial":
        return main
    output = weights["shallow.click"][batch["cells"], batch["positions"]]
    if FORM == "product":
        return torch.cat([torch.logit(main[:1].sigmoid() * output.sigmoid()), main[1:]])
    return torch.cat([main[:1] + output, main[1:]])


class Reversed(torch.autograd.Function):
    """The same value; the gradient comes back with the sign turned, times the strength."""

    @staticmethod
    def forward(_, value):
        return value.view_as(value)

    @staticmethod
    def backward(_, gradient):
        return -STRENGTH * gradient


def head_loss(weights, batch):
    """Of a head that predicts the first label by the shallow tower's output; the mean over the batch."""
    output = Reversed.apply(weights["shallow.click"][batch["cells"], batch["positions"]])
    scale, offset = weights["shallow_reversal"][0]
    label = batch["labels"][0]
    return F.binary_cross_entropy_with_logits(scale * output + offset, label, reduction="sum") / BATCH


def adversary_loss(weights, main, batch):
    """Of telling ln(position), standardised over all positions, by the first main logit; halved, the mean over the batch."""
    logs = torch.tensor([math.log(p) for p in range(1, POSITIONS)]).double()
    units = (main[0][:, None] @ weights["adversary.hidden.weight"] + weights["adversary.hidden.bias"]).tanh()
    told = units @ weights["adversary.position.weight"] + weights["adversary.position.bias"]
    position = torch.tensor(batch["positions"])
    target = (position.clamp(min=1).double().log() - logs.mean()) / logs.std(unbiased=False)
    return ((told - target).square() / 2)[position > 0].sum() / BATCH


def backward(weights, batch, main):
    """Leaves the gradients of all weights; gives the joint logits and the summed losses."""
    leaf = main.detach().requires_grad_()
    logits = joint(weights, leaf, batch)
    summed = losses(logits, batch["labels"])
    scales = [objective.get("loss_weight", 1.0) / BATCH for objective in OBJECTIVES.values()]
    sum(scale * loss for scale, loss in zip(scales, summed)).backward()
    d_main = leaf.grad.clone()
    if FORM == "reversal":
        head_loss(weights, batch).backward()
    if FORM == "adversarial":
        leaf.grad = None
        adversary_loss(weights, leaf, batch).backward()
        most = d_main.abs() / 2
        d_main[0] += (-STRENGTH * leaf.grad[0]).clamp(-most[0], most[0])
    main.backward(d_main)
    return logits, summed


def predictions(logits):
    values = []
    for logit, objective in zip(logits, OBJECTIVES.values()):
        lo, hi = objective.get("clip", [0, 1])
        values.append(lo + (hi - lo) * logit.sigmoid())
    return torch.stack(values)


def losses(logits, labels):
    """The sum over the observed labels, by objective."""
    sums = []
    for logit, value, label, objective in zip(logits, predictions(logits), labels, OBJECTIVES.values()):
        there = ~label.isnan()
        if objective["loss"] == "binary":
            sums.append(F.binary_cross_entropy_with_logits(logit[there], label[there], reduction="sum"))
        else:
            sums.append(F.mse_loss(value[there], label[there], reduction="sum"))
    return sums


def optimizers(weights):
    of_bias = [name for name in weights if name.startswith(OF_BIAS)]
    dense = [name for name in weights if not name.startswith(("tables.", *OF_BIAS))]
    groups = [
        {"params": [weights[name] for name in dense if name.endswith("weight")], "weight_decay": TRAIN["l2"]},
        {"params": [weights[name] for name in dense if name.endswith("bias")], "weight_decay": 0.0},
    ]
    rate = TRAIN["learning_rate"]
    shallow = torch.optim.Adam([weights[name] for name in of_bias], lr=rate * BIAS["learning_rate_scale"])
    return [torch.optim.Adam(groups, lr=rate), shallow]


def adagrad_rows(weights, read, sums):
    """Row-wise Adagrad on the rows that were read; PyTorch has none."""
    for name, rows in read.items():
        table = weights[f"tables.{name}"]
        with torch.no_grad():
            for row in set(rows):
                sums[name][row] += table.grad[row].square().mean()
                table[row] -= TRAIN["table_learning_rate"] * table.grad[row] / (sums[name][row].sqrt() + ADAGRAD_EPSILON)


def plain(value):
    if isinstance(value, dict):
        return {key: plain(value) for key, value in value.items()}
    if isinstance(value, list):
        return [plain(value) for value in value]
    if isinstance(value, torch.Tensor):
        return [None if v != v else v for v in value.detach().flatten().tolist()]
    return value


def main():
    weights = start()
    out = {"start": plain(weights), "batches": [batch() for _ in range(3)]}
    seen, sums = {name: set() for name in ROWS}, {name: torch.zeros(ROWS[name]).double() for name in ROWS}
    steps = optimizers(weights)
    for number, examples in enumerate(out["batches"], 1):
        read = admitted(weights, seen, examples)
        for weight in weights.values():
            weight.grad = None
        logits, summed = backward(weights, examples, forward(weights, examples, read))
        if number == 1:
            out |= {"logits": logits, "predictions": predictions(logits), "losses": [loss.item() for loss in summed]}
            assert all(weight.grad.abs().max() > 2e-4 for weight in weights.values()), "a dead part: choose another seed"
            out["gradients"] = plain({name: weight.grad for name, weight in weights.items()})
        for step in steps:
            step.step()
        adagrad_rows(weights, read, sums)
        if number in (1, 3):
            out[f"after_{number}"] = plain(weights)
    out["seen"] = {name: [int(row in rows) for row in range(ROWS[name] - 1)] + [1] for name, rows in seen.items()}
    rows = [f"  {json.dumps(key)}: {json.dumps(plain(value))}" for key, value in out.items()]
    name = "step" if FORM == "additive" else FORM
    (HERE / f"{name}.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
