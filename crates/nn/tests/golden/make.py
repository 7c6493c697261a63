"""Writes the golden vectors that the tests beside this file compare with: what PyTorch computes, forward and backward.

Run: python make.py        (needs torch; writes the .json files beside this file)

Letters: B batch, I inputs, O outputs, E experts, W width, G gates, D dim. Weights are [in, out], as in the crate, so
`x @ w`. Drop-out masks come from `draw`, written here once more from its definition. null is an absent label.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
torch.manual_seed(20190916)


def mix64(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def draw(seed, example, layer, element):
    key = mix64((seed + GOLDEN) & MASK)
    key = mix64(((key ^ example) + GOLDEN) & MASK)
    key = mix64(((key ^ layer) + GOLDEN) & MASK)
    return (mix64((key + GOLDEN * (element + 1)) & MASK) >> 40) / 2**24


def kept(seed, examples, layer, elements, probability):
    """1 where a draw keeps, [B, elements]."""
    return torch.tensor([[float(draw(seed, x, layer, e) >= probability) for e in range(elements)] for x in examples])


def weight(*shape, scale=0.5):
    return (torch.randn(*shape) * scale).requires_grad_()


def write(name, **values):
    def plain(value):
        if isinstance(value, torch.Tensor):
            # A float32 has an exact double; its repr reads back to the same float32.
            return [None if v != v else v for v in value.detach().flatten().tolist()]
        return value

    rows = [f"  {json.dumps(key)}: {json.dumps(plain(value))}" for key, value in values.items()]
    (HERE / f"{name}.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


def dense():
    x, w, b, c = weight(5, 7), weight(7, 3), weight(3), torch.randn(5, 3)
    y = x @ w + b
    (y * c).sum().backward()
    write("dense", input=x, weight=w, bias=b, output=y, d_output=c, d_input=x.grad, d_weight=w.grad, d_bias=b.grad)


def experts_forward(x, layers, experts):
    """layers[l] = (weights by expert, biases by expert); gives [B, E, W]."""
    outputs = []
    for e in range(experts):
        h = x
        for weights, biases in layers:
            h = F.relu(h @ weights[e] + biases[e])
        outputs.append(h)
    return torch.stack(outputs, 1)


def experts_weights(inputs, experts, widths):
    sizes = [inputs, *widths]
    return [
        ([weight(i, o) for _ in range(experts)], [weight(o) for _ in range(experts)])
        for i, o in zip(sizes, sizes[1:])
    ]


def experts_values(layers):
    """The first layers side by side, [I, E * W1]; the later ones one after the other."""
    values = {}
    for grad in (False, True):
        take = (lambda t: t.grad) if grad else (lambda t: t)
        d = "d_" if grad else ""
        (weights, biases), *rest = layers
        values[d + "first_weight"] = torch.cat([take(w) for w in weights], 1)
        values[d + "first_bias"] = torch.cat([take(b) for b in biases])
        flat = lambda which: torch.cat([take(t).flatten() for layer in rest for t in layer[which]] or [torch.zeros(0)])
        values[d + "rest_weights"], values[d + "rest_biases"] = flat(0), flat(1)
    return values


def experts():
    for depth, widths in enumerate([[4], [4, 3], [4, 3, 5]], 1):
        x, layers = weight(6, 5, scale=1.0), experts_weights(5, 3, widths)
        y = experts_forward(x, layers, 3)
        c = torch.randn_like(y)
        (y * c).sum().backward()
        write(f"experts_{depth}", input=x, output=y, d_output=c, d_input=x.grad, **experts_values(layers))


def gate_shares(logits, mask):
    """Softmax, the masked shares zeroed and the rest renormalised; a gate without any keeps them all. [B, G, E]"""
    soft = logits.softmax(-1)
    mask = torch.where(mask.sum(-1, keepdim=True) == 0, torch.ones_like(mask), mask)
    left = soft * mask
    return soft, left / left.sum(-1, keepdim=True)


def gates():
    examples, probability = [3, 10**12, 7, 8, 2**63 + 5, 11], 0.45
    for name, p in (("gates", 0.0), ("gates_dropout", probability)):
        x, w, c = weight(6, 5, scale=1.0), weight(5, 2 * 3), torch.randn(6, 2, 3)
        soft, y = gate_shares((x @ w).view(6, 2, 3), kept(77, examples, 4, 6, p).view(6, 2, 3))
        (y * c).sum().backward()
        write(name, input=x, weight=w, soft=soft, output=y, d_output=c, d_input=x.grad, d_weight=w.grad)


def mixture():
    g, below, c = weight(4, 2, 3), weight(4, 3, 5), torch.randn(4, 2, 5)
    f = below.relu()
    y = torch.einsum("bge,bew->bgw", g, f)
    (y * c).sum().backward()
    write("mix", gates=g, experts=f, output=y, d_output=c, d_gates=g.grad, d_below=below.grad)


OFFSETS, ROWS = [0, 3, 3, 4, 8, 10], [2, 0, 2, 5, 1, 1, 0, 6, 6, 3]


def embedding():
    for mode in ("mean", "sum"):
        table, c = weight(8, 3), torch.randn(5, 3)
        y = F.embedding_bag(torch.tensor(ROWS), table, torch.tensor(OFFSETS[:-1]), mode=mode)
        (y * c).sum().backward()
        write(f"embedding_{mode}", weight=table, output=y, d_output=c, d_weight=table.grad)


def losses():
    absent = float("nan")
    z, labels = weight(7, scale=2.0), torch.tensor([1.0, 0.0, absent, 0.3, 1.0, 0.0, absent])
    there = ~labels.isnan()
    binary = F.binary_cross_entropy_with_logits(z[there], labels[there], reduction="sum")
    squared = F.mse_loss(z[there], labels[there], reduction="sum")
    lo, hi = -1.0, 4.0
    ranged = F.mse_loss(lo + (hi - lo) * z[there].sigmoid(), labels[there], reduction="sum")
    values = {"logits": z, "labels": labels}
    for name, loss in (("binary", binary), ("squared", squared), ("ranged", ranged)):
        (gradient,) = torch.autograd.grad(loss, z)
        values |= {name: loss.item(), f"d_{name}": gradient}
    write("losses", **values)


def dropout():
    x, c = weight(3, 9, scale=1.0), torch.randn(3, 9)
    y = x * kept(5, [1, 2, 2**40], 6, 9, 0.3) / (1 - 0.3)
    (y * c).sum().backward()
    seeds, elements = [0, 1, 2**64 - 1], [0, 1, 1000, 2**32 - 1]
    draws = [draw(s, x, layer, e) for s in seeds for x in (0, 2**64 - 1) for layer in (0, 2**32 - 1) for e in elements]
    write("dropout", input=x, output=y, d_output=c, d_input=x.grad, draws=draws)


def step():
    """Table, experts, gates with drop-out, mixture and two towers with their losses: one training step, whole."""
    examples, p = [21, 22, 23, 24, 25], 0.3
    table, layers, w_gates = weight(8, 6), experts_weights(6, 4, [5, 3]), weight(6, 2 * 4)
    towers = [(weight(3, 1), weight(1)), (weight(3, 1), weight(1))]
    absent = float("nan")
    labels = torch.tensor([[1.0, 0.0, 1.0, 0.0, absent], [0.2, absent, absent, 0.9, 0.6]])
    h = F.embedding_bag(torch.tensor(ROWS), table, torch.tensor(OFFSETS[:-1]), mode="mean")
    _, shares = gate_shares((h @ w_gates).view(5, 2, 4), kept(1, examples, 9, 8, p).view(5, 2, 4))
    f = torch.einsum("bge,bew->bgw", shares, experts_forward(h, layers, 4))
    logits = torch.stack([(f[:, k] @ w + b).squeeze(1) for k, (w, b) in enumerate(towers)])
    there = ~labels.isnan()
    click = F.binary_cross_entropy_with_logits(logits[0][there[0]], labels[0][there[0]], reduction="sum") / 5
    watch = F.mse_loss(logits[1].sigmoid()[there[1]], labels[1][there[1]], reduction="sum") / 5
    (click + watch).backward()
    values = experts_values(layers)
    for k, (w, b) in enumerate(towers):
        values |= {f"tower_{k}_weight": w, f"tower_{k}_bias": b, f"d_tower_{k}_weight": w.grad, f"d_tower_{k}_bias": b.grad}
    write(
        "step", table=table, d_table=table.grad, gates=w_gates, d_gates=w_gates.grad, labels=labels, logits=logits,
        losses=[click.item() * 5, watch.item() * 5], **values,
    )


STEPS = 6


def adam():
    for name, decay in (("adam", 0.0), ("adam_l2", 0.05)):
        w = torch.nn.Parameter(torch.randn(9))
        optimizer = torch.optim.Adam([w], lr=0.02, weight_decay=decay)
        values = {"start": w.detach().clone()}
        gradients, weights = [], []
        for _ in range(STEPS):
            w.grad = torch.randn(9) * torch.logspace(-4, 2, 9)
            gradients.append(w.grad.clone())
            optimizer.step()
            weights.append(w.detach().clone())
        state = optimizer.state[w]
        write(name, **values, gradients=torch.stack(gradients), weights=torch.stack(weights),
              first=state["exp_avg"], second=state["exp_avg_sq"])


TOUCHED = [[2, 0], [5], [0, 5, 1], [2], [1, 2, 0], [4]]


def sparse_gradient(rows, dim, touched):
    values = torch.randn(len(touched), dim)
    return values, torch.sparse_coo_tensor(torch.tensor([touched]), values, (rows, dim), check_invariants=True)


def adam_rows():
    w = torch.nn.Parameter(torch.randn(6, 4))
    optimizer = torch.optim.SparseAdam([w], lr=0.02)
    start, gradients, weights = w.detach().clone(), [], []
    for touched in TOUCHED:
        values, w.grad = sparse_gradient(6, 4, touched)
        gradients.append(values.flatten())
        optimizer.step()
        weights.append(w.detach().clone())
    state = optimizer.state[w]
    write("adam_rows", start=start, touched=sum(TOUCHED, []), gradients=torch.cat(gradients),
          weights=torch.stack(weights), first=state["exp_avg"], second=state["exp_avg_sq"])


def adagrad_rows():
    """PyTorch's own Adagrad where a row has one value; its formula with a mean over the row where it has four."""
    w = torch.nn.Parameter(torch.randn(6, 1))
    optimizer = torch.optim.Adagrad([w], lr=0.05, eps=1e-6)
    start, gradients, weights = w.detach().clone(), [], []
    for touched in TOUCHED:
        values, w.grad = sparse_gradient(6, 1, touched)
        gradients.append(values.flatten())
        optimizer.step()
        weights.append(w.detach().clone())
    write("adagrad_1", start=start, touched=sum(TOUCHED, []), gradients=torch.cat(gradients),
          weights=torch.stack(weights), accumulators=optimizer.state[w]["sum"])

    w, sums = torch.randn(6, 4), torch.zeros(6)
    start, gradients, weights = w.clone(), [], []
    for touched in TOUCHED:
        values, _ = sparse_gradient(6, 4, touched)
        gradients.append(values.flatten())
        sums[touched] += values.square().mean(1)
        w[touched] -= 0.05 * values / (sums[touched].sqrt() + 1e-6).unsqueeze(1)
        weights.append(w.clone())
    write("adagrad_4", start=start, touched=sum(TOUCHED, []), gradients=torch.cat(gradients),
          weights=torch.stack(weights), accumulators=sums)


def weighted_embedding():
    table, weights, c = weight(8, 3), torch.randn(len(ROWS)), torch.randn(5, 3)
    values = {"weight": table, "weights": weights, "d_output": c}
    for mode in ("sum", "mean"):
        y = F.embedding_bag(torch.tensor(ROWS), table, torch.tensor(OFFSETS[:-1]), mode="sum", per_sample_weights=weights)
        if mode == "mean":
            sizes = [weights[a:b].abs().sum() for a, b in zip(OFFSETS, OFFSETS[1:])]
            y = y / torch.stack(sizes).clamp_min(1e-9).unsqueeze(1)
        (gradient,) = torch.autograd.grad((y * c).sum(), table)
        values |= {mode: y, f"d_weight_{mode}": gradient}
    write("weighted_embedding", **values)


def weighted_losses():
    absent = float("nan")
    z, labels = weight(7, scale=2.0), torch.tensor([1.0, 0.0, absent, 0.3, 1.0, 0.0, 0.7])
    times, weights = torch.tensor([0.0, 0.4, 7.5, absent, 1.0, 0.0, 2.0]), torch.rand(7) * 3
    there, seen = ~labels.isnan(), ~times.isnan()
    binary = F.binary_cross_entropy_with_logits(z[there], labels[there], weights[there], reduction="sum")
    squared = (weights[there] * (z[there].sigmoid() - labels[there]) ** 2).sum()
    zs, ts = z[seen], times[seen]
    # Positives weigh their time, and each row is a negative of weight 1 too.
    logistic = F.binary_cross_entropy_with_logits(zs, torch.ones_like(zs), ts, reduction="none")
    logistic = logistic + F.binary_cross_entropy_with_logits(zs, torch.zeros_like(zs), reduction="none")
    values = {"logits": z, "labels": labels, "times": times, "weights": weights}
    for name, loss in (("binary", binary), ("squared", squared), ("logistic", logistic.sum()),
                       ("weighted_logistic", (weights[seen] * logistic).sum())):
        (gradient,) = torch.autograd.grad(loss, z, retain_graph=True)
        values |= {name: loss.item(), f"d_{name}": gradient}
    write("weighted_losses", **values)


for case in (dense, experts, gates, mixture, embedding, losses, dropout, step, adam, adam_rows, adagrad_rows,
             weighted_embedding, weighted_losses):
    case()
