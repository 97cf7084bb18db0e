"""The sunspot task: its windows, its measure, its baselines and a short run."""

import numpy as np
import pytest

from minigrad.data import Scale, Series, sunspots
from minigrad.tasks import Options
from minigrad.tasks import sunspots as task
from minigrad.train import load_weights

SPANS = (task.TRAINING, *task.TESTS)


@pytest.fixture(scope="module")
def s():
    return sunspots().between(1700, 1979)


@pytest.fixture(scope="module")
def scale(s):
    return Scale.of(task.root(s.between(1700, 1920)))


def test_persistence_has_the_error_that_is_known(s):
    errors = [task.arv(task.persistence(s), s, span) for span in SPANS]
    np.testing.assert_allclose(errors, [0.283, 0.416, 0.940], atol=5e-4)


def test_the_linear_model_has_the_error_that_is_published(s):
    # Data, spans, scale and constant are those of the literature: its linear model is
    # reproduced to within the differences of the copies.
    forecasts = task.linear(s)
    errors = [task.arv(forecasts, s, span) for span in ((1712, 1920), *task.TESTS)]
    np.testing.assert_allclose(
        errors, task.PUBLISHED["linear, 12 years back"], atol=0.013
    )


def test_arv_is_the_mean_square_over_1535():
    years = np.arange(1921, 1924)
    truth = Series(years, np.zeros(3))
    forecasts = Series(years, np.array([1.0, 2.0, 3.0]))
    assert task.arv(forecasts, truth, (1922, 1923)) == 6.5 / 1535


def test_windows_are_consecutive_years_of_the_training_span(s, scale):
    x, y = task.windows(scale)
    np.testing.assert_array_equal(x[1:], y[:-1])
    scaled = scale.apply(np.sqrt(s.values)).astype(np.float32)
    runs = np.lib.stride_tricks.sliding_window_view(scaled, task.WINDOW)
    # A number may occur twice, a run of 35 does not: so a window is placed by its run.
    places = (runs[:, None] == y[:, :, 0].T).all(-1)
    assert (places.sum(0) == 1).all()
    first = s.years[places.argmax(0)]
    assert first[0] == 1701
    assert (np.diff(first) == task.STRIDE).all()
    assert 1920 - task.STRIDE < first[-1] + task.WINDOW - 1 <= 1920


def test_nothing_after_1920_reaches_training(scale, monkeypatch):
    s = sunspots()
    changed = Series(s.years, np.where(s.years > 1920, -1e9, s.values))
    before = task.windows(scale)
    monkeypatch.setattr(task, "sunspots", lambda: changed)
    for one, other in zip(before, task.windows(scale), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", task.MODELS)
def test_a_forecast_sees_only_the_past(name, s, scale):
    model = task.network(seed=0, name=name)
    forecasts = task.forecast(model, scale, s)
    values = s.values.copy()
    values[s.years >= 1950] = 0
    other = task.forecast(model, scale, Series(s.years, values))
    assert forecasts.years.tolist() == list(range(1701, 1980))
    past = forecasts.years <= 1950
    np.testing.assert_array_equal(forecasts.values[past], other.values[past])
    assert not np.array_equal(forecasts.values, other.values)


def test_a_committee_forecasts_the_mean_of_its_members(s, scale):
    members = [task.network(0, start) for start in range(2)]
    x = np.linspace(-1, 1, 6, dtype=np.float32).reshape(6, 1, 1)
    wanted = np.mean([member(x).data for member in members], axis=0)
    found = task.outputs(task.Committee(members), x)
    np.testing.assert_allclose(found, wanted[:, 0], rtol=1e-6)


def test_many_to_one_answers_for_every_year_what_it_says_of_the_years_up_to_it():
    model = task.network(0, name="many-to-one")
    x = np.linspace(-1, 1, 6, dtype=np.float32).reshape(6, 1, 1)
    wanted = [model(x[:t]).data[0] for t in range(1, 7)]
    np.testing.assert_allclose(task.outputs(model, x), wanted, rtol=1e-6)


def test_a_short_run_beats_persistence_and_writes_whole_files(
    s, scale, tmp_path, capsys
):
    task.run(Options(60, 0, tmp_path))
    names = ["forecast.png", "graph.png", "graph.html", "weights.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for name in names[:2]:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    model = task.Committee([task.network(seed=1) for _ in range(task.MEMBERS)])
    load_weights(tmp_path / "weights.safetensors", model)
    forecasts = task.forecast(model, scale, s)
    errors = [task.arv(forecasts, s, span) for span in task.TESTS]
    assert errors[0] < 0.2
    assert errors[1] < 0.7
    printed = capsys.readouterr().out
    assert "MSE / 1535" in printed
    for error in (*errors, 0.416, 0.940):
        assert f"{error:.3f}" in printed


def test_the_same_seed_gives_the_same_numbers(undrawn, tmp_path, capsys):
    reports = []
    for seed in (3, 3, 4):
        task.run(Options(2, seed, tmp_path))
        reports.append(capsys.readouterr().out)
    assert reports[0] == reports[1]
    assert reports[0] != reports[2]
