"""Opens every page of the built site in headless Chromium: ``python tests/look_at_site.py site``.

At the width of a desk and of a phone. Takes a screenshot of each page, and ends with code 1 where a page is
wider than the window, a link or an anchor leads nowhere, the console shows an error, or anything outside this
machine is asked for. Chromium is that of ``--chromium``, of the variable ``CHROMIUM``, or one on the path.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urldefrag, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

WIDTHS: Final = {"desk": (1440, 900), "phone": (390, 844)}
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")

_WIDER: Final = """() => {
    const wide = document.documentElement.clientWidth;
    const over = [...document.querySelectorAll("main *, header *")].filter((each) => {
        const box = each.getBoundingClientRect();
        if (box.width === 0 || box.right <= wide + 1) return false;
        for (let at = each; at; at = at.parentElement)
            if (/auto|scroll|hidden/.test(getComputedStyle(at).overflowX)) return false;
        return true;
    });
    return [document.documentElement.scrollWidth, wide, over.slice(0, 3).map((e) => e.outerHTML.slice(0, 80))];
}"""
_LINKS: Final = "() => [...document.querySelectorAll('a[href]')].map((each) => each.href)"
_IDS: Final = "() => [...document.querySelectorAll('[id]')].map((each) => each.id)"


class Quiet(SimpleHTTPRequestHandler):
    """A file server that does not write a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The site on a port of this machine; its address without the last slash."""
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Visit:
    """What was seen of the site."""

    def __init__(self, address: str, pages: list[str], shots: Path) -> None:
        self._address = address
        self._pages = pages
        self._shots = shots
        self.faults: list[str] = []
        self._at = ""
        self._ids: dict[str, set[str]] = {}
        self._links: dict[str, set[str]] = {}
        self._answers: dict[str, int] = {}

    def look(self, browser: Browser) -> None:
        """Open every page at every width, then follow the links."""
        for size, (width, height) in WIDTHS.items():
            context = browser.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            page.on("console", self._console)
            page.on("pageerror", lambda error: self._fault(f"{error}"))
            page.on("request", self._request)
            for path in self._pages:
                self._at = f"{path} ({size})"
                self._open(page, path, size)
            if size == "desk":
                self._search(page)
                self._dark(page)
            context.close()
        self._follow(browser)

    def _fault(self, said: str) -> None:
        self.faults.append(f"{self._at}: {said}")

    def _open(self, page: Page, path: str, size: str) -> None:
        answer = page.goto(self._address + path, wait_until="networkidle")
        if answer is None or not answer.ok:
            self._fault("it does not open")
            return
        inner, window, elements = page.evaluate(_WIDER)
        if inner > window or elements:
            self._fault(f"{inner} px in a window of {window} px: {elements}")
        self._ids[path] = set(page.evaluate(_IDS))
        self._links[path] = set(page.evaluate(_LINKS))
        name = path.strip("/").replace("/", "-") or "index"
        page.screenshot(path=str(self._shots / f"{name}-{size}.png"))
        page.screenshot(path=str(self._shots / f"{name}-{size}-whole.png"), full_page=True)

    def _search(self, page: Page) -> None:
        self._at = "search"
        page.goto(f"{self._address}/", wait_until="networkidle")
        page.click("input[name=query]")
        page.keyboard.type("MLUP_DISABLE_PLUGINS")
        try:
            page.wait_for_selector(".md-search-result__item", timeout=10_000)
        except Exception as error:  # playwright's time-out: no result came
            self._fault(f"nothing is found: {type(error).__name__}")
        page.screenshot(path=str(self._shots / "search-desk.png"))

    def _dark(self, page: Page) -> None:
        self._at = "dark"
        page.emulate_media(color_scheme="dark")
        page.goto(f"{self._address}/", wait_until="networkidle")
        if page.evaluate("document.body.dataset.mdColorScheme") != "slate":
            self._fault("the dark palette is not taken where the system asks for it")
        page.screenshot(path=str(self._shots / "dark-desk.png"))

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self._fault(f"console {said.type}: {said.text}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and not (
            request.url.startswith(self._address)
        ):
            self._fault(f"asks for {request.url}")

    def _follow(self, browser: Browser) -> None:
        context = browser.new_context()
        for path, links in self._links.items():
            for link in sorted(links):
                where, anchor = urldefrag(link)
                if not where.startswith(self._address):
                    continue
                target = where.removeprefix(self._address)
                if target not in self._answers:
                    self._answers[target] = context.request.get(where).status
                if self._answers[target] != 200:
                    self.faults.append(f"{path}: {target} answers {self._answers[target]}")
                elif anchor and unquote(anchor) not in self._ids.get(target, set()):
                    self.faults.append(f"{path}: {target} has no #{anchor}")
        context.close()

    @property
    def links(self) -> int:
        """How many links were followed, those within the site."""
        return sum(
            link.startswith(self._address) for links in self._links.values() for link in links
        )


def pages_of(site: Path) -> list[str]:
    """The address of every page."""
    found = sorted(each.relative_to(site).parent for each in site.rglob("index.html"))
    return ["/" if each == Path() else f"/{each.as_posix()}/" for each in found]


def chromium(given: str | None) -> str:
    """The path of a Chromium.

    Raises:
        SystemExit: there is none.
    """
    found = given or os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), "")
    if not found:
        sys.exit("No Chromium was found: give its path by --chromium, or in CHROMIUM.")
    return found


def main() -> int:
    """Look at the site; the exit code."""
    parser = argparse.ArgumentParser(description="Look at every page of the built site.")
    parser.add_argument("site", type=Path, help="the built site")
    parser.add_argument("--shots", type=Path, default=Path("site-shots"), help="for screenshots")
    parser.add_argument("--chromium", help="the browser's path")
    given = parser.parse_args()
    pages = pages_of(given.site)
    if not pages:
        parser.error(f"{given.site} holds no pages: mkdocs build --strict")
    given.shots.mkdir(parents=True, exist_ok=True)
    with served(given.site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(given.chromium), args=list(FLAGS)
        )
        visit = Visit(address, pages, given.shots)
        visit.look(browser)
        browser.close()
    for each in visit.faults:
        print(each)
    widths = " and ".join(f"{width} px" for width, _ in WIDTHS.values())
    print(f"{len(pages)} pages at {widths}, {visit.links} links, {len(visit.faults)} faults")
    print(f"screenshots: {given.shots}")
    return 1 if visit.faults else 0


if __name__ == "__main__":
    sys.exit(main())
