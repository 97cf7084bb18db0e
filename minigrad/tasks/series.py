"""A series of your own: forecast it some steps ahead, with an error band.

The first 65 % of the numbers are for training, 15 % for validation, the last 20 % for
the test; the scale is that of the training part alone. A forecast is made from the last
``window`` numbers by a network that reads them one after the other. Its band holds 80 %
of the errors that it made on the validation part; how many of the test part lie within
is measured and said. Beyond the end the network is fed with what it said.

The baselines are fitted on the training part too: the number as it is now, the number
one season before (the season is the lag from 2 to a third of the training part where it
is most like itself), a linear forecast from the last numbers, and the mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import floor, log10
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.data import Order, standardise, windows
from minigrad.data.tables import Numbers, numbers
from minigrad.nn.losses import mse
from minigrad.optim import cosine
from minigrad.tasks.files import figure, rms, save_figure, write_table
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, compare, learn, picture, report, save_run
from minigrad.tasks.sunspots import MODELS, Network, taught
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor
from minigrad.train import load_weights

Array = NDArray[np.float64]
LEAST, LONGEST = 40, 35
COVER = 0.8


@dataclass(frozen=True)
class Setting:
    """What a forecast is made with, beside the weights."""

    model: str
    cell: str
    hidden: int
    ahead: int
    window: int
    season: int
    mean: float
    deviation: float


class Forecaster:
    """A network in the units of the data.

    >>> setting = Setting("many-to-one", "elman", 3, 1, 5, 2, mean=10.0, deviation=2.0)
    >>> forecaster = Forecaster(setting, np.random.default_rng(0))
    >>> s = np.arange(8.0)
    >>> forecaster.each(s).shape, forecaster.beyond(s, 3).shape
    ((3,), (3,))
    """

    def __init__(self, setting: Setting, rng: np.random.Generator) -> None:
        self.setting = setting
        more = {} if setting.model == "output-feedback" else {"cell": setting.cell}
        make: Callable[..., Network] = MODELS[setting.model]
        self.network = made(make, 1, setting.hidden, 1, rng=rng, loss=mse, **more)

    def scaled(self, values: Array) -> Array:
        """Numbers as the network reads them."""
        return (values - self.setting.mean) / self.setting.deviation

    def questions(self, values: Array) -> tuple[Any, Any]:
        """All windows (time, n, 1), float32, and what follows each of their steps."""
        s = self.scaled(values).astype(np.float32)
        x = windows(s[: -self.setting.ahead], self.setting.window)[..., None]
        y = windows(s[self.setting.ahead :], self.setting.window)[..., None]
        return x, y

    def loss(self, x: Any, y: Any) -> Tensor:
        """What is learnt from windows x and what follows each step, y."""
        return taught(self.network, x, y)

    def last(self, x: Any) -> Array:
        """What is forecast after the last step of windows (time, n, 1): (n,)."""
        o = answer_of(self.network, x)
        o = o if o.ndim == 2 else o[-1]
        # As float64, or numbers far from 0 would lose their last digits.
        scaled = np.asarray(o[:, 0], np.float64)
        return scaled * self.setting.deviation + self.setting.mean

    def each(self, values: Array) -> Array:
        """The forecast of every number that has a window before it."""
        return self.last(self.questions(values)[0])

    def beyond(self, values: Array, steps: int) -> Array:
        """What comes after the last number, fed with its own forecasts: (steps,)."""
        return self.runs(values[:, None], steps)[:, 0]

    def runs(self, values: Array, steps: int) -> Array:
        """``beyond`` of several series side by side, (time, n): (steps, n)."""
        window, ahead = self.setting.window, self.setting.ahead
        known = values[-window - ahead + 1 :]
        for k in range(steps):
            x = self.scaled(known[k : k + window, :, None]).astype(np.float32)
            known = np.concatenate([known, self.last(x)[None]])
        return np.asarray(known[-steps:])


def parts(n: int) -> tuple[int, int]:
    """Where validation and test begin.

    >>> parts(100)
    (65, 80)
    """
    return int(0.65 * n), int(0.8 * n)


def season(values: Array) -> int:
    """The lag from 2 to a third of the series at which it is most like itself.

    >>> season(np.sin(np.arange(60) * 2 * np.pi / 12))
    12
    """
    s = values - values.mean()
    lags = range(2, max(3, len(s) // 3))
    with np.errstate(invalid="ignore", divide="ignore"):  # of what is constant: none
        found = [float(np.corrcoef(s[lag:], s[:-lag])[0, 1]) for lag in lags]
    likeness = np.nan_to_num(found, nan=-1.0).tolist()
    # Of lags that are alike the shortest: two seasons are no season.
    best = max(likeness)
    return next(k for k, c in zip(lags, likeness, strict=True) if c >= best - 0.02)


def linear(values: Array, fitted: int, ahead: int, order: int) -> Array:
    """Least squares from the last ``order`` numbers; NaN where there are fewer."""
    middle = values[:fitted].mean()  # far from 0, least squares would lose digits
    past = windows(values - middle, order).T
    past = np.column_stack([past, np.ones(len(past))])
    y = values[order + ahead - 1 :] - middle
    rows = fitted - order - ahead + 1
    weights = np.linalg.lstsq(past[:rows], y[:rows], rcond=None)[0]
    head = np.full(order + ahead - 1, np.nan)
    return np.concatenate([head, past[: len(y)] @ weights + middle])


def baselines(values: Array, fitted: int, ahead: int, lag: int) -> dict[str, Array]:
    """What is forecast without a network, for every number; NaN where nothing is."""

    def before(steps: int) -> Array:
        return np.concatenate([np.full(steps, np.nan), values[:-steps]])

    back = lag * -(-ahead // lag)  # whole seasons, known when the forecast is made
    order = min(12, fitted // 5)
    return {
        "as it is now": before(ahead),
        f"as one season before ({back} steps)": before(back),
        f"linear, {order} numbers back": linear(values, fitted, ahead, order),
        "the mean of the training part": np.full(len(values), values[:fitted].mean()),
    }


def run(options: Options) -> Mapping[str, float]:
    """Train, report, and write what is forecast."""
    ahead = options.ahead or 1
    column = _read(options, LEAST + ahead, " to learn from and to test on; it takes")
    values = column.values
    _require_length(options, len(values))
    first, second = parts(len(values))
    forecaster, error = _trained(options, values, first, second)
    setting = forecaster.setting
    said = np.full(len(values), np.nan)
    said[setting.window + ahead - 1 :] = forecaster.each(values)
    band = float(np.quantile(np.abs(said - values)[first:second], COVER))
    inside = float((np.abs(said - values)[second:] <= band).mean())
    forecasts = {f"this network ({_name(setting)})": said}
    forecasts |= baselines(values, first, ahead, setting.season)
    rows = _rows(forecasts, values, second)
    unseen = f"{column.name}, {ahead} ahead, the last {len(values) - second} numbers"
    report(unseen, ["RMSE", "of the variance"], rows)
    compare({name: rms((f - values)[second:]) for name, f in forecasts.items()})
    print(
        f"band: ± {band:.4g} held {COVER:.0%} of the errors on the validation part, "
        f"and holds {inside:.0%} of those on the test part"
    )
    usual = min(max(setting.season, 12), len(values) // 5)
    beyond = bands(forecaster, values, first, options.length or usual)
    kept = {"band": band, "beyond": beyond.tolist()}
    save_run(options, forecaster.network, _about(setting) | kept)
    _write(options, forecaster, column, said, band, beyond, second)
    x, y = forecaster.questions(values)
    picture(options, forecaster.loss(x[:, :1], y[:, :1]))
    return {"RMSE": error(second, len(values)), "inside": inside}


def _read(options: Options, least: int, reason: str) -> Numbers:
    """The column of numbers that was asked for; at least so many, for a reason."""
    assert options.data is not None
    column = numbers(options.data, options.column, options.missing or "refuse")
    n = len(column.values)
    if n < least:
        raise ValueError(f"{options.data}: {n} numbers are too few{reason} {least}")
    _require_squares(options.data, column.values)
    print(f"{options.data}: {column.said}")
    return column


def _require_squares(path: Path, values: Array) -> None:
    """Refuse numbers whose squares are too large or too small to count with."""
    size = f"reach {np.abs(values).max():g}"
    if np.abs(values).max() < 1e150:
        size = f"differ by {np.ptp(values):g}"
        if np.ptp(values) == 0 or np.ptp(values) > 1e-150:
            return
    raise ValueError(f"{path}: the numbers {size}: write them in another unit")


def _require_length(options: Options, n: int) -> None:
    """Refuse to go on for longer than there are numbers to measure a band by."""
    if (options.length or 0) > n // 5:
        raise ValueError(
            f"{options.data}: beyond {n} numbers it goes on for {n // 5} steps at "
            f"most, a fifth of them, and --length {options.length} is more"
        )


def _trained(
    options: Options, values: Array, first: int, second: int
) -> tuple[Forecaster, Callable[[int, int], float]]:
    """A forecaster that learnt from the training part, and its error on a part."""
    ahead = options.ahead or 1
    try:
        _, mean, deviation = standardise(values, slice(0, first))
    except ValueError as constant:
        raise ValueError(
            f"{options.data}: {constant}, and nothing can be learnt from it: give "
            "numbers that vary"
        ) from constant
    model = options.model or next(iter(MODELS))
    setting = Setting(
        model=model,
        cell="elman" if model == "output-feedback" else options.cell or "elman",
        hidden=options.hidden or 12,
        ahead=ahead,
        window=max(2, min(LONGEST, (first - ahead) // 3)),
        season=season(values[:first]),
        mean=mean,
        deviation=deviation,
    )
    if options.cell and setting.cell != options.cell:
        raise ValueError(f"{model} has no cells: it takes no --cell")
    rng = np.random.default_rng(options.seed)
    forecaster = Forecaster(setting, rng)
    x, y = forecaster.questions(values[:first])
    order = Order(x.shape[1], options.batch or 64, rng)

    def batch() -> tuple[Any, Any]:
        at = order.next()
        return x[:, at], y[:, at]

    def error(begin: int, end: int) -> float:
        start = begin - setting.window - ahead + 1
        return rms(forecaster.each(values[start:end]) - values[begin:end])

    learn(
        "series",
        options,
        forecaster.network,
        forecaster.loss,
        lambda: error(first, second) / deviation,
        batches=batch,
        lr=cosine(0.01, options.steps, 0.0005),
        every=20,
        also={"rng": rng, "order": order},
        about=_about(setting),
    )
    return forecaster, error


def _about(setting: Setting) -> dict[str, Any]:
    """What a run says of itself beside its weights."""
    scaling = {"mean": setting.mean, "deviation": setting.deviation}
    return {"task": "series", "setting": asdict(setting), "scaling": scaling}


def bands(forecaster: Forecaster, values: Array, begin: int, steps: int) -> Array:
    """Half the width of the band of each step beyond the end: (steps,).

    The band of a step is that of the errors so far ahead, closed loop, from every
    number from ``begin`` on; where fewer than ten are known, that of the step before.
    """
    back = forecaster.setting.window + forecaster.setting.ahead - 1
    origins = np.arange(max(begin, back), len(values))
    starts = values[origins + np.arange(-back, 0)[:, None]]
    said = forecaster.runs(starts, steps)
    band, widest = np.zeros(steps), 0.0
    for k in range(steps):
        known = origins + k < len(values)
        errors = np.abs(said[k, known] - values[origins[known] + k])
        if len(errors) >= 10:
            widest = max(widest, float(np.quantile(errors, COVER)))
        band[k] = widest
    return band


def _write(
    options: Options,
    forecaster: Forecaster,
    column: Numbers,
    said: Array,
    band: float,
    beyond: Array,
    test: int | None = None,
) -> None:
    """forecast.csv and forecast.png: the data, the forecasts, and what comes next."""
    values, steps = column.values, len(beyond)
    further = forecaster.beyond(values, steps)
    digits = 8 - floor(log10(forecaster.setting.deviation))
    head = (column.axis, column.name, "forecast", "low", "high")
    rows: list[tuple[str, ...]] = [head]
    everything = [
        *zip(values.tolist(), said, np.full(len(values), band), strict=True),
        *zip([np.nan] * steps, further, beyond, strict=True),
    ]
    when = column.when(steps)
    for time, (value, forecast, half) in zip(when, everything, strict=True):
        row = [forecast, forecast - half, forecast + half]
        # The numbers as they were read; forecasts are of float32.
        texts = ["" if np.isnan(v) else f"{round(float(v), digits)!r}" for v in row]
        rows.append((time, "" if np.isnan(value) else f"{value!r}", *texts))
    write_table(options.out / "forecast.csv", rows)
    drawn = chart(column, said, band, further, beyond, test)
    save_figure(options.out / "forecast.png", drawn)


def chart(
    column: Numbers,
    said: Array,
    band: float,
    further: Array,
    beyond: Array,
    test: int | None = None,
) -> Any:
    """The last of the data with its forecasts, and what comes next, in matplotlib.

    A line shows where the test part begins, if there is one.
    """
    drawn, values = figure(11, 4), column.values
    axes = drawn.subplots()
    rows = np.arange(1, len(values) + len(further) + 1)
    known, later = rows[: len(values)], rows[len(values) :]
    axes.plot(known, values, color="#8c8c8c", lw=1.6, label=column.name)
    axes.plot(known, said, color="#0072B2", lw=1.2, label="forecast")
    axes.fill_between(
        known, said - band, said + band, color="#0072B2", alpha=0.15, lw=0
    )
    axes.plot(later, further, color="#D55E00", lw=1.2, label="further, closed loop")
    axes.fill_between(
        later, further - beyond, further + beyond, color="#D55E00", alpha=0.2, lw=0
    )
    if test is not None:
        axes.axvline(test + 0.5, color="#222222", lw=0.8, ls=":")
        axes.annotate(
            " test",
            (test + 0.5, 1),
            xycoords=("data", "axes fraction"),
            va="top",
            fontsize=8.5,
            annotation_clip=True,  # where the test begins before what is shown
        )
    axes.set_xlim(max(0, len(values) - 300), len(rows) + 1)
    when = dict(zip(rows.tolist(), column.when(len(further)), strict=True))
    axes.locator_params(axis="x", nbins=7, integer=True)
    axes.xaxis.set_major_formatter(lambda row, _: when.get(row, ""))
    axes.set_xlabel(column.axis)
    axes.set_title(f"{column.name}: forecasts with their {COVER:.0%} band", loc="left")
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", lw=0.7)
    return drawn


def predict(about: Mapping[str, Any], weights: Path, options: Options) -> None:
    """Forecast a new file with the weights of a run, and what comes after it.

    The bands are those that the run measured on its own file.
    """
    if "beyond" not in about:
        raise ValueError(
            "this run was stopped before its errors were measured: "
            "minigrad train series --resume measures them"
        )
    beyond = np.array(about["beyond"])[: options.length]
    if (options.length or 0) > len(beyond):
        raise ValueError(
            f"this run goes on for {len(beyond)} steps at most, for so many its errors "
            f"were measured: train it with --length {options.length}"
        )
    forecaster = loaded(about, weights)
    setting = forecaster.setting
    least = setting.window + setting.ahead
    network = f": this network reads {setting.window} and forecasts {setting.ahead}"
    column = _read(options, least, f"{network} ahead, so it takes")
    values = column.values
    said = np.full(len(values), np.nan)
    said[least - 1 :] = forecaster.each(values)
    forecasts = {f"this network ({_name(setting)})": said}
    now = np.concatenate([np.full(setting.ahead, np.nan), values[: -setting.ahead]])
    now[: least - 1] = np.nan
    forecasts["as it is now"] = now
    rows = _rows(forecasts, values, least - 1)
    title = f"{column.name}, {setting.ahead} ahead, "
    title += f"all numbers but the first {least - 1}, which it reads before"
    report(title, ["RMSE", "of the variance"], rows)
    compare({name: rms((f - values)[least - 1 :]) for name, f in forecasts.items()})
    _write(options, forecaster, column, said, about["band"], beyond)


def loaded(about: Mapping[str, Any], weights: Path) -> Forecaster:
    """The forecaster of a run."""
    forecaster = Forecaster(Setting(**about["setting"]), np.random.default_rng(0))
    load_weights(weights, forecaster.network)
    return forecaster


def _rows(
    forecasts: Mapping[str, Array], values: Array, begin: int
) -> dict[str, list[str]]:
    """Of each forecast its error in the units of the data, and beside its spread."""
    found = {}
    for name, f in forecasts.items():
        error, share = rms(f[begin:] - values[begin:]), _share(f, values, begin)
        found[name] = [f"{error:.5g}", f"{share:.4f}" if share < np.inf else ""]
    return found


def _name(setting: Setting) -> str:
    if setting.model == "output-feedback":
        return setting.model
    return f"{setting.model}, {setting.cell}"


def _share(forecast: Array, values: Array, begin: int) -> float:
    truth = values[begin:]
    spread = float(truth.var())
    return (
        float(np.square(forecast[begin:] - truth).mean()) / spread if spread else np.inf
    )


TASK = Task(
    name="series",
    summary="forecast a series of your own (CSV), some steps ahead, with a band",
    steps=600,
    run=run,
    models=tuple(MODELS),
    takes=("cell", "hidden", "length", "data", "column", "missing", "ahead", "batch"),
    reads="a table (CSV) with a column of numbers at even steps",
    needs_data=True,
    predict=predict,
)
