"""One self-contained page of a network: it lights up, unfolds in time and plays.

Python writes every circle, arrow and letter of all lengths once, and all numbers; the
script ``page.js`` only moves, lights and hides them. Without it a figure stands there.

Vocabulary
    length  a number of steps T; the page has a frame for each one that it can show
    item    a circle, an arrow or letters; it keeps its id at every length
    place   where an item stands, for a range of lengths
    use     one consumption of a parameter, and its share of the gradient

    frames   what stands where, at every length
    numbers  values, gradients and shares of the recorded length
    written  the equations as tokens
    page     the file around all of it; words.json is what it says, in each language

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(3):
...     h = mg.tanh(h @ W).named("h")
>>> text = mg.draw(h).html()
>>> text[:15], "http:" in text.replace("http://www.w3.org/", "")
('<!doctype html>', False)
"""

from minigrad.draw.html.page import Page, page

__all__ = ["Page", "page"]
