"""Look at the built site as a reader does, in a Chromium.

    python docs/look.py docs/_build [PAGE ...]

>>> smallest('<text font-size="12">W</text><text style="font-size: 9.5px">t</text>')
9.5

Tells of each page the smallest letter of its figures on a laptop (1400 px) and on a
phone (390 px), what is wider than the phone, the page's weight, images without a text
for who cannot see them, and what axe finds. Ends with 1 where a limit is passed.
"""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

LAPTOP, PHONE = (1400, 900), (390, 844)
SMALLEST = 9.0  # px of a letter on a laptop
HEAVIEST = 500_000  # bytes of a page without what moves
FIGURES = """() => [...document.querySelectorAll('figure.drawn img')]
  .filter(i => i.getClientRects().length)
  .map(i => [i.getAttribute('src'), i.getBoundingClientRect().width,
             i.getBoundingClientRect().top])"""
FONT = Path(__file__).parent / "_static/formulas.woff2"
LAZY = 3000  # px below which a browser has not asked for a figure yet
MATPLOTLIB = re.compile(r'<g id="text_\d+">.*?scale\(([\d.]+) -[\d.]+\)', re.S)
SIZE = re.compile(r'font-size(?:="|:\s*)([\d.]+)')


def smallest(svg: str) -> float:
    """The smallest letter of a figure in its own units; a chart's letters are paths."""
    sizes = [float(s) for s in SIZE.findall(svg)]
    sizes += [100 * float(s) for s in MATPLOTLIB.findall(svg)]
    return min(sizes, default=0.0)


def letters(folder: Path, shown: list[list[Any]]) -> dict[str, float]:
    """The smallest letter of each figure in pixels, as wide as it is shown."""
    found = {}
    for source, width, _ in shown:
        svg = (folder / source).read_text(encoding="utf-8")
        box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+)', svg)
        assert box, source
        found[source] = smallest(svg) * width / float(box[1])
    return found


def weight(path: Path, shown: list[list[Any]]) -> int:
    """Bytes of the page, its font, and the figures that a browser asks for at first."""
    first = [source for source, _, top in shown if top < LAZY]
    files = [path, *(path.parent / source for source in first)]
    files += [FONT] * ("<math" in path.read_text(encoding="utf-8"))
    return sum(file.stat().st_size for file in files)


def looked_at(page: Any, path: Path, axe: Any) -> list[str]:
    """What is wrong with one page."""
    wrong = []
    page.set_viewport_size(dict(zip(("width", "height"), LAPTOP, strict=True)))
    page.goto(path.absolute().as_uri())
    shown = page.evaluate(FIGURES)
    for source, size in letters(path.parent, shown).items():
        if size < SMALLEST:
            wrong.append(f"{source}: letters of {size:.1f} px")
    if weight(path, shown) > HEAVIEST:
        wrong.append(f"{weight(path, shown)} bytes")
    bare = page.locator("img:not([alt]), img[alt='']").count()
    wrong += [f"{bare} images without a text"] * bool(bare)
    for rule in axe.run(page).response["violations"]:
        wrong.append(f"axe: {rule['id']} ({len(rule['nodes'])}), {rule['help']}")
    page.set_viewport_size(dict(zip(("width", "height"), PHONE, strict=True)))
    wide = page.evaluate("document.documentElement.scrollWidth")
    wrong += [f"{wide} px wide on a phone"] * (wide > PHONE[0])
    return wrong


def main() -> int:
    """Look at all pages, or those that are named."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    site, names = Path(sys.argv[1]), sys.argv[2:]
    pages = [site / f"{name}.html" for name in names] or sorted(site.rglob("*.html"))
    skipped = {"made", "_static"}
    pages = [path for path in pages if not skipped & set(path.parts)]
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        for path in pages:
            wrong = looked_at(page, path, Axe())
            failed += len(wrong)
            for one in wrong:
                print(f"{path.relative_to(site)}: {one}", flush=True)
        browser.close()
    print(f"{len(pages)} pages, {failed} faults")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
