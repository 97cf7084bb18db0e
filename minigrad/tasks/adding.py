"""The adding problem: the sum of two marked numbers among many (Hochreiter 1997).

Always answering 1 has a squared error of 1/6. A tanh network stays there, since the
gradient that would tell it of the marks vanishes on the way: ``--cell elman --overlay
grad`` shows the shares of W(t) and the norms of the gradient over t.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from minigrad.data.generators import adding
from minigrad.grad import grad, grad_by_use
from minigrad.graph import Graph
from minigrad.models import ManyToOne
from minigrad.nn.losses import mse
from minigrad.tasks.files import figure, save_figure
from minigrad.tasks.networks import made
from minigrad.tasks.session import learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor


def run(options: Options) -> Mapping[str, float]:
    """Train on fresh sequences, test on 1,000 others."""
    rng = np.random.default_rng(options.seed)
    length, n_hidden = options.length or 50, options.hidden or 8
    cell = options.cell or "gru"
    valid, test = adding(rng, length, 500), adding(rng, length, 1000)
    model = made(ManyToOne, 2, n_hidden, 1, rng=rng, loss=mse, cell=cell)

    if options.overlay == "grad":
        print(vanishing(options, model, *adding(rng, length, 32)))
    history = learn(
        "adding",
        options,
        model,
        partial(model.loss, truncate=options.truncate),
        lambda: loss_of(model.loss, *valid),
        batches=lambda: adding(rng, length, 32),
        lr=0.01,
        every=100,
        also={"rng": rng},
    )
    if options.overlay != "grad":
        picture(options, model.loss(test[0][:, :1], test[1][:1]))
    found = {"error": loss_of(model.loss, *test)}
    report(
        f"adding, T = {length}, after {32 * history.best_step:,} sequences",
        "squared error",
        {
            "this network, 1,000 unseen sequences": found["error"],
            "always 1 (exactly 1/6)": 1 / 6,
            "published (1997): LSTM, T = 100": "74,000 seqs",
        },
    )
    return found


def vanishing(options: Options, model: ManyToOne, xs: np.ndarray, y: np.ndarray) -> str:
    """The gradient over time before training, as overlay.png and as numbers."""
    from minigrad.draw import draw

    loss = model.loss(xs, y)
    W = dict(model.named_parameters())["rnn.W"]
    shares = grad_by_use(loss, W)
    states = [n for n in Graph(loss).nodes if n.name == "h" and n.t]
    norms = [np.linalg.norm(g.data) for g in grad(loss, [Tensor(n) for n in states])]
    draw(loss, overlay="grad").save(options.out / "overlay.png")
    save_figure(options.out / "vanishing.png", _chart(shares, norms))
    lines = ["before training: t, |share of W(t)|, |dL/dh(t)|"]
    every = max(1, len(norms) // 8)
    for share, norm in list(zip(shares, norms, strict=True))[::every]:
        size = np.linalg.norm(share.gradient.data)
        lines.append(f"{share.t:5} {size:12.2e} {norm:12.2e}")
    return "\n".join(lines)


def _chart(shares: list[Any], norms: list[Any]) -> Any:
    drawn = figure(9, 4)
    axes = drawn.subplots()
    steps = [share.t for share in shares]
    sizes = [float(np.linalg.norm(share.gradient.data)) for share in shares]
    axes.bar(steps, sizes, color="#56B4E9", label="share of W(t)")
    axes.plot(steps, norms, color="#D55E00", label="gradient at h(t)")
    axes.set_yscale("log")
    axes.set_xlabel("t")
    axes.set_ylabel("norm")
    axes.set_title("What of the gradient arrives at step t", loc="left", fontsize=11)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return drawn


TASK = Task(
    name="adding",
    summary="the sum of two marked numbers of 50 (Hochreiter and Schmidhuber 1997)",
    steps=1000,
    run=run,
    takes=("cell", "hidden", "length", "truncate", "overlay"),
)
