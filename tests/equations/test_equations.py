"""What the equations of the networks say, and how one asks them."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from latex2mathml.converter import convert

import minigrad as mg
from minigrad.models import DynamicalSystem, ManyToMany
from minigrad.tasks.pictures import PICTURES
from tests.equations.agreement import lengths
from tests.equations.programs import PROGRAMS, build

SLOPE = "diag(1 - (h(t))²)"


def said(name, steps=5):
    return mg.equations(PICTURES[name](steps)).text().splitlines()


def test_many_to_many_is_that_of_the_book():
    assert said("many-to-many") == [
        "h(t) = tanh(b + W h(t-1) + U x(t))",  # 10.8, 10.9
        "o(t) = c + V h(t)",  # 10.10
        "L(t) = -log softmax(o(t))_{y(t)}",  # 10.11, 10.14
        "L = 1/T Σ_t L(t)",
        "∇L(t) = 1/T",  # 10.17, with the mean's factor
        "∇o(t) = 1/T (softmax(o(t)) - 1_{y(t)})",  # 10.18
        "∇h(T) = Vᵀ ∇o(T)",  # 10.19
        # 10.21
        "∇h(t) = Wᵀ diag(1 - (h(t+1))²) ∇h(t+1) + Vᵀ ∇o(t),   t = T-1, .., 1",
        f"∇U = Σ_t {SLOPE} ∇h(t) x(t)ᵀ",  # 10.28
        f"∇W = Σ_t {SLOPE} ∇h(t) h(t-1)ᵀ",  # 10.26
        f"∇b = Σ_t {SLOPE} ∇h(t)",  # 10.23
        "∇V = Σ_t ∇o(t) h(t)ᵀ",  # 10.24
        "∇c = Σ_t ∇o(t)",  # 10.22
    ]


def test_output_feedback_comes_back_through_the_output():
    lines = said("output-feedback")
    assert lines[0] == "h(t) = tanh(b + W o(t-1) + U x(t))"
    assert lines[5:8] == [
        "∇o(T) = 1/T (softmax(o(T)) - 1_{y(T)})",
        "∇o(t) = Wᵀ diag(1 - (h(t+1))²) ∇h(t+1) + 1/T (softmax(o(t)) - 1_{y(t)}),"
        "   t = T-1, .., 1",
        "∇h(t) = Vᵀ ∇o(t)",
    ]


def test_many_to_one_has_one_loss():
    assert said("many-to-one")[1:6] == [
        "o = c + V h(T)",
        "L = -log softmax(o)_{y}",
        "∇o = softmax(o) - 1_{y}",
        "∇h(T) = Vᵀ ∇o",
        "∇h(t) = Wᵀ diag(1 - (h(t+1))²) ∇h(t+1),   t = T-1, .., 1",
    ]


def test_gates_have_their_letters():
    assert said("lstm")[:6] == [
        "a(t) = b + W h(t-1) + U x(t)",
        "f(t) = σ(a(t)_{1:3})",
        "g(t) = σ(a(t)_{4:6})",
        "q(t) = σ(a(t)_{7:9})",
        "s(t) = f(t) ⊙ s(t-1) + g(t) ⊙ tanh(a(t)_{10:12})",
        "h(t) = tanh(s(t)) ⊙ q(t)",
    ]
    assert said("gru")[1:5] == [
        "u(t) = σ(a(t)_{1:3})",
        "r(t) = σ(a(t)_{4:6})",
        "z(t) = tanh(bc + Wc (r(t) ⊙ h(t-1)) + Uc x(t))",
        "h(t) = u(t) ⊙ h(t-1) + (1 - u(t)) ⊙ z(t)",
    ]
    assert "∇f(t) = ∇s(t) ⊙ s(t-1)" in said("lstm")


def test_a_loop_from_the_end_and_its_gradient():
    lines = said("bidirectional")
    assert "g(t) = tanh(b2 + W2 g(t+1) + U2 x(t))" in lines
    assert "∇g(1) = (Vᵀ ∇o(1))_{4:6}" in lines
    assert any(line.endswith("∇g(t-1),   t = 2, .., T") for line in lines)


def test_a_growing_sum_is_one_equation():
    first = said("self-attention")[1]
    assert first.startswith("α(t) = softmax(")
    assert "[z(k)]_{k=1..t}" in first


def of_program(name):
    return mg.equations(*build(name)).text()


def test_masks_delays_and_starts():
    assert "+ (1 - m(t)) ⊙ h(t-1)\n" in of_program("masks")
    starts = of_program("delays_of_two_and_three").splitlines()[:3]
    assert starts[:2] == ["h(-1) = h(0)", "h(-2) = h(0)"]
    assert starts[2] == "h(t) = tanh(W h(t-1) + W2 h(t-2) + W3 h(t-3) + x(t))"
    assert of_program("a_computed_start_and_no_names").startswith(
        "s(0) = 2 tanh(v)\ns(t) = tanh(W s(t-1) + x(t))\n"
    )


def test_a_running_total_is_the_loss():
    W, h, total = mg.parameter([[0.5]], name="W"), mg.tensor([[0.0]], name="h0"), 0.0
    for _, x in mg.steps(np.ones((4, 1, 1))):
        h = mg.relu(h @ W + x).named("h")
        total = total + h.sum()
    found = mg.equations(total)
    assert "L = s(T)" in found.text().splitlines()
    assert found.evaluate()["loss"] == total.item()
    assert r"\nabla_{h^{(T)}} L" in found.latex()
    assert "∇W = Σ_t ([W h(t-1) + x(t) > 0] ⊙ ∇h(t)) h(t-1)ᵀ" in found.text()


def test_a_hinge_has_its_factor():
    V, h, losses = mg.parameter([[0.5]], name="V"), mg.tensor([[1.0]], name="h0"), []
    for _, y in mg.steps(y=np.ones((4, 1, 1))):
        h = mg.tanh(h).named("h")
        losses.append(mg.relu(1 - y * (h @ V).named("o")).sum())
    lines = mg.equations(mg.stack(losses).mean()).text().splitlines()
    assert "∇o(t) = -1/T [1 - y(t) o(t) > 0] y(t)" in lines


def test_columns_of_the_program_stay_columns():
    lines = of_program("columns").splitlines()
    assert lines[0] == "h(t) = tanh(W h(t-1) + U x(t) + b)"
    assert "∇W = Σ_t (∇h(t) ⊙ (1 - (h(t))²)) h(t-1)ᵀ" in lines
    assert "[U_{[:2]} x(t); U_{[2:]} x(t)]" in of_program("matrices_of_columns")
    assert "softmax(h(T); axis=0)" in of_program("matrices_of_columns")


def test_sequences_are_summed_over_where_the_batch_is_larger_than_one():
    W, b = mg.parameter([[0.5]], name="W"), mg.parameter([0.1], name="b")
    x = mg.tensor(np.ones((3, 1)), name="x")
    assert mg.equations(((x @ W + b) ** 2).mean()).text().splitlines()[1:] == [
        "∇W = 2/3 (W x + b) xᵀ",
        "∇b = 2/3 Σ_n (W x + b)",
    ]


def test_products_of_whatever_kind_are_those_of_matrices():
    rng = np.random.default_rng(0)
    W, V = mg.parameter(rng.normal(size=(3, 2)), name="W"), mg.tensor(1.0)
    x, z = (mg.tensor(rng.normal(size=(4, n)), name=a) for a, n in (("x", 3), ("z", 2)))

    def right(y):
        return mg.equations(y, wrt=[]).text().split(" = ")[1]

    assert right(mg.einsum("ni,ij->nj", x, W) * V) == "W x"
    assert right((x @ W).T @ x) == "x xᵀ Wᵀ"
    assert right((x[:, :, None] * W).sum(1)) == "W x"
    assert right(((x @ W) * z).sum(-1)) == "Σ_i (W x) ⊙ z"
    assert right(((x @ W) ** 2).sum()) == "Σ_ni (W x)²"
    assert right(mg.einsum("ni,mi,nj->mj", x, x, z)) == "z xᵀ x"
    cube = mg.parameter(rng.normal(size=(3, 2, 5)), name="A")
    assert right(mg.einsum("ni,ijk,nj->nk", x, cube, z)) == (
        "einsum(x, A, z; ac,cdb,ad->ab)"
    )


def test_losses_of_several_sequences_are_summed_over_sequences():
    xs, ys = np.ones((4, 3, 2), np.float32), np.zeros((4, 3), int)
    loss = ManyToMany(2, 3, 2, rng=np.random.default_rng(0)).loss(xs, ys)
    assert "L = 1/(3 T) Σ_t Σ_n L(t)" in mg.equations(loss).text()


@pytest.mark.parametrize(
    ("of_all", "said"),
    [
        (mg.tanh, "tanh(h(t))"),
        (lambda hs: mg.maximum(hs, 0.1), "maximum(h(t), 0.1)"),
        (lambda hs: mg.maximum(hs, np.full(hs.shape, 0.1)), "maximum(h(t), 0.1)"),
        (lambda hs: hs + np.ones(2), "(h(t) + 1)"),
    ],
)
def test_what_is_made_of_stacked_steps_is_made_of_each(of_all, said):
    W, h, hs = mg.parameter(np.eye(2) / 2, name="W"), mg.tensor(np.ones((3, 2))), []
    for _ in mg.steps(5):
        h = mg.tanh(h @ W).named("h")
        hs.append(h)
    loss = of_all(mg.stack(hs)).sum()
    equations = mg.equations(loss)
    assert f"L = Σ_t Σ_ni {said}" in equations.text().splitlines()
    np.testing.assert_allclose(equations.evaluate()["W"], mg.grad(loss, [W])[0].data)


def test_steps_of_a_span_are_counted_from_one_end():
    lines = said("clockwork", 13)
    assert lines[8].endswith(",   t = 4, 8, .., T-1")
    assert any(line.endswith(",   t = T-4, T-8, .., 1") for line in lines)


def test_the_dynamical_system_of_the_notes_is_written_out():
    system = DynamicalSystem(2, 3, rng=np.random.default_rng(0))
    found = mg.equations(system(np.ones((3, 1, 2))), functions={"f": "f"})
    assert found.text() == "s(t) = f(s(t-1), x(t); θ)"
    assert found.unrolled().text() == "s(3) = f(f(s(1), x(2); θ), x(3); θ)"
    assert found.unrolled().latex() == (
        r"s^{(3)} = f\left(f\left(s^{(1)}, x^{(2)}; \theta\right), "
        r"x^{(3)}; \theta\right)"
    )
    plain = mg.equations(system(np.ones((2, 1, 2))))
    assert plain.unrolled(0).text() == "s(2) = tanh(θ [tanh(θ [s(0); x(1)]); x(2)])"


def test_what_would_fill_a_book_is_not_written_out():
    h = mg.tensor(0.0, name="h0")
    for _ in mg.steps(40):
        h = (h * h + h).named("h")
    with pytest.raises(ValueError, match="write a scope as a function"):
        mg.equations(h).unrolled()
    with pytest.raises(ValueError, match="only a value of a loop"):
        mg.equations(h.sum()).unrolled()


def test_other_values_of_leaves():
    loss = PICTURES["many-to-one"](3)
    found = mg.equations(loss)
    V = np.ones((3, 2), np.float32)
    changed = found.evaluate({"V": V})
    assert not np.array_equal(changed["loss"], found.evaluate()["loss"])
    np.testing.assert_allclose(changed["o"], found.evaluate()["h"][-1] @ V, rtol=1e-6)
    with pytest.raises(KeyError, match="'Q' is no leaf of these equations; there is U"):
        found.evaluate({"Q": 1.0})
    with pytest.raises(ValueError, match="V has shape"):
        found.evaluate({"V": 1.0})


def test_targets_that_are_ignored_are_noticed():
    V = mg.parameter(np.ones((2, 3)), name="V")
    y = mg.tensor(np.array([0, 1]), name="y")
    loss = mg.cross_entropy(mg.tensor(np.ones((2, 2)), name="x") @ V, y)
    found = mg.equations(loss)
    assert found.evaluate({"y": np.array([2, 2])})["V"].shape == (2, 3)
    with pytest.raises(ValueError, match="which is ignored"):
        found.evaluate({"y": np.array([0, -100])})


def test_an_equation_knows_its_terms():
    (h,) = mg.equations(PICTURES["many-to-many"](4))["h"]
    assert h.name == "h"
    assert h.steps == (1, 2, 3, 4)
    assert [[(r.key, r.kind, r.delay) for r in term] for term in h.terms] == [
        [("b", "parameter", None)],
        [("W", "parameter", None), ("h", "value", 1)],
        [("U", "parameter", None), ("x", "value", 0)],
    ]
    recurrence = mg.equations(PICTURES["many-to-many"](4)).recurrence
    assert [recurrence.roles[i].label for i in h.roles] == ["h"]


def test_tokens_are_the_text():
    for equation in mg.equations(PICTURES["gru"](4)):
        tokens = equation.tokens()
        assert "".join(t.text for t in tokens) == equation.text()
        assert "".join(t.latex for t in tokens) == equation.latex()
        assert tokens[0].of.term == -1
    (W,) = mg.equations(PICTURES["many-to-many"](4))["∇W"]
    assert ("∇h", True, "t") in [
        (t.of.key, t.of.gradient, t.of.time) for t in W.tokens() if t.of
    ]


def test_equations_are_shown_as_formulas_in_a_notebook():
    found = mg.equations(PICTURES["many-to-one"](3))
    assert found._repr_latex_() == f"$$\n{found.latex()}\n$$"
    assert repr(found) == found.text()
    assert found.latex().count(" &= ") == len(found) == found.text().count("\n") + 1


@cache
def everything():
    found = [
        (name, mg.equations(PICTURES[name](lengths(name)[-1]))) for name in PICTURES
    ]
    return found + [(name, mg.equations(*build(name))) for name in PROGRAMS]


def test_every_equation_is_mathml():
    for _, found in everything():
        assert convert(found.latex()).startswith("<math")


@pytest.mark.skipif(not which("pdflatex"), reason="pdflatex is not installed")
def test_every_equation_compiles():
    pages = [
        f"% {name}\n${e.latex()}$\n\n" for name, found in everything() for e in found
    ]
    whole = [f"\\[{f.latex()}\\]\n" for _, f in everything() if len(f) < 60]
    text = (
        "\\documentclass{article}\\usepackage{amsmath}\\hfuzz=\\maxdimen\n"
        f"\\begin{{document}}\n{''.join(pages + whole)}\\end{{document}}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "all.tex").write_text(text, encoding="utf-8")
        run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
        done = subprocess.run(run, cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
