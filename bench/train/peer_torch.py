"""One process of the peer: PyTorch trains the nets of `watchnext bench train`. Prints JSON: the time of a step of each variant.

In: a net, a precision, a batch size. The variants are `eager`, the step in PyTorch's own operations (with autocast for bf16), and
`onednn`, the same with the large products, forward and back, by calls into oneDNN that PyTorch does not document. Ids crowd at the
low rows as in `watchnext bench train`; the row of an id is known, no data is read. Needs torch.
"""

import argparse
import json
import math
import time

import torch
from torch.nn import functional

FIELDS, DIM, ROWS, NUMBERS = 20, 16, 100_000, 8
EXPERTS, TASKS, BIASED, CELLS = 8, 4, 2, 64
BATCHES = 8
# shared layer, experts' two layers, tower
NETS = {"small": (256, 128, 64, 32), "paper": (1024, 512, 256, 64)}
RATE, EPSILON = 1e-3, 1e-8
BF16 = torch.bfloat16
VARIANTS = ["eager", "onednn"]


def multiplications(net):
    """Of dense layers and mixtures in one example's forward pass."""
    shared, first, second, tower = NETS[net]
    inputs = FIELDS * DIM + NUMBERS
    experts = shared * (EXPERTS * first + TASKS * EXPERTS) + EXPERTS * first * second
    return inputs * shared + experts + TASKS * EXPERTS * second + TASKS * (second * tower + tower)


def product(a, b, bias=None, then="none"):
    """`a @ b.T + bias` by oneDNN, which PyTorch itself asks for bfloat16 alone; float32 goes to MKL."""
    return torch.ops.mkldnn._linear_pointwise(a, b, bias, then, [], "")


class Layer(torch.autograd.Function):
    """`x [batch, in]`, `weight [in, out]`, by oneDNN, in the type of `like`."""

    @staticmethod
    def forward(x, weight, bias, relu, kind):
        x, weight = x.to(kind), weight.to(kind)
        return product(x, weight.t(), bias.to(kind), "relu" if relu else "none")

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, weight, _, ctx.relu, kind = inputs
        ctx.save_for_backward(x.to(kind), weight.to(kind), output if ctx.relu else None)

    @staticmethod
    def backward(ctx, gradient):
        x, weight, output = ctx.saved_tensors
        if ctx.relu:
            gradient = torch.ops.aten.threshold_backward(gradient, output, 0)
        turned = gradient.t()
        return product(gradient, weight), product(x.t(), turned), gradient.sum(0), None, None


class Experts(torch.autograd.Function):
    """`x [experts, batch, in]`, `weight [experts, in, out]`: batched where that is fastest, else one product an expert."""

    @staticmethod
    def forward(x, weight, bias, kind):
        x, weight, bias = x.to(kind), weight.to(kind), bias.to(kind)
        if kind == BF16:
            return torch.relu_(torch.baddbmm(bias, x, weight))
        return torch.stack([product(x, w.t(), b[0], "relu") for x, w, b in zip(x, weight, bias)])

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, weight, _, ctx.kind = inputs
        ctx.save_for_backward(x.to(ctx.kind), weight.to(ctx.kind), output)

    @staticmethod
    def backward(ctx, gradient):
        x, weight, output = ctx.saved_tensors
        gradient = torch.ops.aten.threshold_backward(gradient, output, 0)
        # A layout in which the gradient of the layer below is a view.
        batch = x.shape[1]
        inner = torch.empty(batch, *weight.shape[:2], dtype=ctx.kind)
        weights = torch.empty_like(weight)
        for expert, (x, g, w) in enumerate(zip(x, gradient, weight)):
            inner[:, expert] = product(g, w)
            weights[expert] = product(x.t(), g.t())
        return inner.transpose(0, 1), weights, gradient.sum(1, keepdim=True), None


class Net:
    """Dense parameters, and the loss of a batch. The experts' first layer and the gates are one product, as both read the shared
    layer; the experts' second layer and the towers are batched products."""

    def __init__(self, net, precision, products):
        shared, first, second, tower = NETS[net]
        self.first, self.products = first, products
        self.kind = BF16 if precision == "bf16" else torch.float32

        def weight(*shape):
            return (torch.randn(*shape) / math.sqrt(shape[-2])).requires_grad_()

        def bias(*shape):
            return torch.zeros(*shape).requires_grad_()

        merged = EXPERTS * first + TASKS * EXPERTS
        self.weights = [
            weight(FIELDS * DIM + NUMBERS, shared),
            weight(shared, merged),
            weight(EXPERTS, first, second),
            weight(TASKS, second, tower),
            weight(TASKS, tower, 1),
        ]
        self.biases = [bias(shared), bias(merged), bias(EXPERTS, 1, second), bias(TASKS, 1, tower), bias(TASKS, 1, 1)]
        self.shallow = bias(CELLS, BIASED)

    def parameters(self):
        return [*self.weights, *self.biases, self.shallow]

    def logits(self, x):
        """[tasks, batch], without the shallow tower."""
        w, b, batch = self.weights, self.biases, len(x)
        onednn = self.products == "onednn"
        if onednn:
            h = Layer.apply(x, w[0], b[0], True, self.kind)
            merged = Layer.apply(h, w[1], b[1], False, self.kind)
        else:
            h = torch.relu(torch.addmm(b[0], x, w[0]))
            merged = torch.addmm(b[1], h, w[1])
        hidden, gates = merged.split([EXPERTS * self.first, TASKS * EXPERTS], 1)
        hidden = torch.relu(hidden).view(batch, EXPERTS, self.first).transpose(0, 1)
        if onednn:
            experts = Experts.apply(hidden, w[2], b[2], self.kind)
        else:
            experts = torch.relu(torch.baddbmm(b[2], hidden, w[2]))
        gates = gates.view(batch, TASKS, EXPERTS).softmax(2).to(experts.dtype)
        mixed = torch.bmm(gates, experts.transpose(0, 1)).transpose(0, 1)
        t = torch.relu(torch.baddbmm(b[3], mixed, w[3]))
        return torch.baddbmm(b[4], t, w[4]).squeeze(2)

    def loss(self, x, cells, labels):
        with torch.autocast("cpu", BF16, enabled=self.kind == BF16):
            logits = self.logits(x)
        logits = logits.float()
        shallow = functional.embedding(cells, self.shallow).t()
        logits = torch.cat([logits[:BIASED] + shallow, logits[BIASED:]])
        binary = functional.binary_cross_entropy_with_logits(logits[:3], labels[:3], reduction="sum")
        squared = (torch.sigmoid(logits[3]) - labels[3]).square().sum()
        return (binary + squared) / len(x)


class Tables:
    """All fields' rows in one table, learned by row-wise Adagrad: each row once a step, by the sum of its gradients."""

    def __init__(self):
        self.rows = torch.randn(FIELDS * ROWS, DIM) * 0.05
        self.squares = torch.zeros(FIELDS * ROWS)

    def gather(self, ids):
        return self.rows.index_select(0, ids)

    def learn(self, ids, gradients):
        """`gradients` [ids, DIM], one for each of `ids`. Of sorted ids, `embedding_bag` sums what lies between two borders."""
        ids, order = torch.sort(ids)
        begins = torch.ones(len(ids), dtype=torch.bool)
        torch.ne(ids[1:], ids[:-1], out=begins[1:])
        begins = begins.nonzero().squeeze(1)
        ids, steps = ids[begins], functional.embedding_bag(order, gradients, begins, mode="sum")
        squares = self.squares.index_select(0, ids).add_(steps.square().mean(1))
        self.squares.index_copy_(0, ids, squares)
        steps.div_(squares.sqrt_().add_(EPSILON).unsqueeze(1))
        self.rows.index_copy_(0, ids, self.rows.index_select(0, ids).sub_(steps, alpha=RATE))


class Trainer:
    """A net, its tables and batches to learn from in turn."""

    def __init__(self, net, precision, batch, products):
        torch.manual_seed(1)
        self.net, self.tables = Net(net, precision, products), Tables()
        self.adam = torch.optim.Adam(self.net.parameters(), lr=RATE, fused=True)
        firsts = torch.arange(FIELDS) * ROWS
        self.batches = [
            (
                ((ROWS * torch.rand(batch, FIELDS, dtype=torch.float64) ** 3).long() + firsts).view(-1),
                torch.rand(batch, NUMBERS) - 0.5,
                torch.randint(0, CELLS, (batch,)),
                (torch.rand(TASKS, batch) < 0.1).float(),
            )
            for _ in range(BATCHES)
        ]

    def step(self, number):
        ids, numbers, cells, labels = self.batches[number % BATCHES]
        rows = self.tables.gather(ids).requires_grad_()
        x = torch.cat([rows.view(len(numbers), FIELDS * DIM), numbers], 1)
        loss = self.net.loss(x, cells, labels)
        loss.backward()
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        self.tables.learn(ids, rows.grad)
        return loss.detach()


def timed(trainer, seconds):
    """Seconds of each step; at least one pass over the batches."""
    times, begin = [], time.perf_counter()
    while len(times) < BATCHES or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        trainer.step(len(times))
        times.append(time.perf_counter() - start)
    return sorted(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", choices=NETS, default="small")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="for how long steps are timed, after as much to warm up")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)

    variants = {}
    for variant in args.variants:
        trainer = Trainer(args.net, args.precision, args.batch, variant)
        first = trainer.step(0).item()
        timed(trainer, args.seconds)
        times = timed(trainer, args.seconds)
        variants[variant] = {
            "steps": len(times),
            "step_ms": 1e3 * times[len(times) // 2],
            "fastest_ms": 1e3 * times[0],
            "first_loss": first,
            "last_loss": trainer.step(0).item(),
        }
    report = {
        "torch": torch.__version__,
        "multiplications": multiplications(args.net),
        "dense_parameters": sum(weights.numel() for weights in trainer.net.parameters()),
        "variants": variants,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
