"""Ours against PyTorch: the time of a training step on the nets of `watchnext bench train`, in one sitting.

In: the program, and a Python with torch. Out: a table and, if asked, JSON. For each net, precision and batch size, processes of ours
and of the peer take turns; each is fresh, pinned to the same cores and warmed up. The peer's number is the median step of its best
process, ours the median over its processes' medians. Needs nothing but Python and Linux.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
# What the peer gains by: memory is kept and not mapped anew for each tensor, pages are huge, each thread has a core.
MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 36),
    "MALLOC_TOP_PAD_": str(1 << 28),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
# The load above which others' work shows in the times, in cores.
IDLE = 0.15


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def busy_cores(seconds=1.0):
    """Cores' worth of work that others do now, counted over `seconds`."""

    def read():
        user, nice, system, idle, wait, *rest = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
        return user + nice + system + sum(rest[:3])

    before = read()
    time.sleep(seconds)
    return (read() - before) / os.sysconf("SC_CLK_TCK") / seconds


def output(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


class Machine:
    """Runs processes on the first `threads` of the cores that this process may use."""

    def __init__(self, args):
        self.args = args
        cores = sorted(os.sched_getaffinity(0))
        if args.threads > len(cores):
            sys.exit(f"--threads {args.threads}: only {len(cores)} cores may be used; take fewer threads")
        self.cores = cores[: args.threads]

    def run(self, command, environment):
        def pin():
            os.sched_setaffinity(0, self.cores)

        return json.loads(output(command, env={**os.environ, **environment}, preexec_fn=pin))

    def options(self, net, precision, batch):
        net = ["--net", net, "--precision", precision, "--batch", batch]
        return [*map(str, net), "--threads", str(self.args.threads), "--seconds", str(self.args.seconds)]

    def ours(self, *what):
        return self.run([self.args.watchnext, "bench", "train", *self.options(*what), "--json"], {})

    def peer(self, *what):
        threads = str(self.args.threads)
        cores = " ".join(map(str, self.cores))
        pinned = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "GOMP_CPU_AFFINITY": cores}
        return self.run([self.args.python, HERE / "peer_torch.py", *self.options(*what)], MEMORY | pinned)


def compare(machine, net, precision, batch):
    """One line of the table: what both came to, turn by turn."""
    ours, peers = [], []
    for _ in range(machine.args.processes):
        ours.append(machine.ours(net, precision, batch))
        peers.append(machine.peer(net, precision, batch))
    of_us, of_peer = ours[0]["multiplications"], peers[0]["multiplications"]
    if of_us != of_peer:
        sys.exit(f"not the same net: ours multiplies {of_us} numbers an example, the peer {of_peer}")
    step = statistics.median(run["step_ms"] for run in ours)
    variants = {}
    for name in peers[0]["variants"]:
        steps = [peer["variants"][name]["step_ms"] for peer in peers]
        fastest = min(peer["variants"][name]["fastest_ms"] for peer in peers)
        variants[name] = {"step_ms": min(steps), "processes_ms": steps, "fastest_ms": fastest, "ratio": min(steps) / step}
    shares = [run["share_of_peak"] for run in ours if run["share_of_peak"] is not None]
    return {
        "net": net,
        "precision": precision,
        "batch": batch,
        "ours": {
            "step_ms": step,
            "processes_ms": [run["step_ms"] for run in ours],
            "fastest_ms": min(run["fastest_ms"] for run in ours),
            "examples_per_second": 1e3 * batch / step,
            "share_of_peak": statistics.median(shares) if shares else None,
        },
        "peer": variants,
        "ratio": min(variant["ratio"] for variant in variants.values()),
        "ratio_of_fastest": min(v["fastest_ms"] for v in variants.values()) / min(run["fastest_ms"] for run in ours),
    }


def mean_ratios(lines):
    """The geometric mean over batch sizes, for each net and precision: against each variant, and against the best of them."""
    groups = {}
    for line in lines:
        ratios = {name: variant["ratio"] for name, variant in line["peer"].items()}
        ratios |= {"best": line["ratio"], "fastest": line["ratio_of_fastest"]}
        groups.setdefault(f"{line['net']} {line['precision']}", []).append(ratios)
    mean = statistics.geometric_mean
    return {group: {name: mean([of[name] for of in all]) for name in all[0]} for group, all in groups.items()}


HEAD = ["net", "precision", "batch", "ours ms", "fastest", "ex/s", "peak", "eager ms", "onednn ms", "fastest", "/ eager", "/ onednn", "/ best"]


def cells(line):
    ours, eager, onednn = line["ours"], line["peer"]["eager"], line["peer"]["onednn"]
    share = "-" if ours["share_of_peak"] is None else f"{100 * ours['share_of_peak']:.0f} %"
    peer_fastest = min(eager["fastest_ms"], onednn["fastest_ms"])
    numbers = [ours["step_ms"], ours["fastest_ms"], eager["step_ms"], onednn["step_ms"], peer_fastest]
    step, fastest, eager_ms, onednn_ms, peer_fastest = (f"{number:.2f}" for number in numbers)
    ratios = [f"{ratio:.2f}" for ratio in (eager["ratio"], onednn["ratio"], line["ratio"])]
    rate = f"{ours['examples_per_second']:,.0f}"
    what = [line["net"], line["precision"], str(line["batch"])]
    return [*what, step, fastest, rate, share, eager_ms, onednn_ms, peer_fastest, *ratios]


def show(row):
    print("  ".join(cell.rjust(max(9, len(head))) for cell, head in zip(row, HEAD)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchnext", default="target/release/watchnext", help="our program")
    parser.add_argument("--python", default="python3", help="a Python with torch")
    parser.add_argument("--nets", nargs="+", choices=["small", "paper"], default=["small", "paper"])
    parser.add_argument("--precisions", nargs="+", choices=["f32", "bf16"], default=["f32", "bf16"])
    parser.add_argument("--batches", nargs="+", type=int, default=[512, 1024, 4096])
    parser.add_argument("--processes", type=int, default=5, help="of each program, for each line of the table")
    parser.add_argument("--seconds", type=int, default=1, help="for how long a process times steps, after as much to warm up")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path, help="a file to write")
    args = parser.parse_args()
    if args.processes < 5:
        print("a process of PyTorch may be slow from its start to its end: with fewer than 5, its best may be none of the fast ones")

    machine, busy = Machine(args), busy_cores()
    sitting = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "used_cores": machine.cores,
        "load_before": os.getloadavg(),
        "busy_cores_before": busy,
        "watchnext": output([args.watchnext, "--version"]).strip(),
        "torch": output([args.python, "-c", "import torch; print(torch.__version__)"]).strip(),
        "python": output([args.python, "--version"]).strip(),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "processes": args.processes,
        "seconds": args.seconds,
    }
    print("\n".join(f"{name}: {value}" for name, value in sitting.items()), end="\n\n")
    if busy > IDLE:
        print(f"warning: others keep {busy:.1f} cores busy: times will be longer, and ratios less certain\n")

    show(HEAD)
    lines = []
    for net in args.nets:
        for precision in args.precisions:
            for batch in args.batches:
                lines.append(compare(machine, net, precision, batch))
                show(cells(lines[-1]))
    sitting["load_after"] = os.getloadavg()
    means = mean_ratios(lines)
    print("\nPyTorch's time / ours, geometric mean over batch sizes")
    for group, ratios in means.items():
        print(f"{group}: " + ", ".join(f"{ratio:.2f} ({name})" for name, ratio in ratios.items()))
    if args.json:
        args.json.write_text(json.dumps({"sitting": sitting, "lines": lines, "geometric_means": means}, indent=1) + "\n")


if __name__ == "__main__":
    main()
