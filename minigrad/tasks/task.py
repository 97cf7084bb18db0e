"""What a task is: a name on the command line, its options, and what it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """What was asked for; None where the task decides.

    ``steps`` are training steps, ``model`` is the name of one of the task's networks,
    ``length`` is that of a sequence, ``data`` a file to read in place of what is
    bundled; of its table, ``column`` is what is forecast, ``missing`` what becomes of
    holes, ``label`` where the answer stands; ``ahead`` is how many steps ahead,
    ``flow`` the factor of Ω (eq. 10.52) in the loss. ``out`` exists. ``eager``
    records every step anew in place of running it compiled, ``backend`` is the engine
    that runs it. ``lr`` is a constant rate in place of the task's schedule, ``batch``
    how many sequences a step reads; ``quiet`` shows no progress bar.
    """

    steps: int
    seed: int
    out: Path
    model: str | None = None
    cell: str | None = None
    hidden: int | None = None
    length: int | None = None
    data: Path | None = None
    column: str | None = None
    missing: str | None = None
    ahead: int | None = None
    label: str | None = None
    lr: float | None = None
    batch: int | None = None
    truncate: int | None = None
    prompt: str = ""
    temperature: float = 1.0
    overlay: str | None = None
    flow: float | None = None
    resume: bool = False
    eager: bool = False
    backend: str | None = None
    quiet: bool = False

    @property
    def engine(self) -> dict[str, Any]:
        """How the steps of a ``Training`` run."""
        return {"eager": self.eager, "backend": self.backend}


@dataclass(frozen=True)
class Task:
    """A network, its data and its report, run by ``minigrad train <name>``.

    ``run(options)`` trains, prints what the network reaches beside what is trivial and
    what is published, writes into ``options.out``, and returns what it measured by
    name. The same seed gives the same numbers. ``models`` names the networks that it
    can train, the default first; none where there is no choice. ``takes`` names the
    options that mean something to it, beside model, steps, seed, out and eager, and
    ``resumes`` says whether it leaves a checkpoint to go on from.
    ``reads`` says what a file given with --data has to be.
    ``predict(about, weights, options)`` uses what a run has learnt on a new file;
    ``about`` is the note that the run left beside its weights.
    """

    name: str
    summary: str
    steps: int
    run: Callable[[Options], Mapping[str, float]]
    models: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    resumes: bool = True
    needs_data: bool = False
    reads: str = ""
    predict: Callable[[Mapping[str, Any], Path, Options], None] | None = None
