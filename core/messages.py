"""``python -m core.messages update|compile|check``: catalogues of translations, without GNU gettext.

Texts are found in Python, in templates (which Django itself turns into something like Python) and in the
front end's scripts, and kept in ``locale/<language>/LC_MESSAGES/django.po`` and ``djangojs.po``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("ja",)
DOMAINS = ("django", "djangojs")
PYTHON_FOLDERS = (
    "smmapp",
    "analytics",
    "content_calendar",
    "engagement",
    "campaigns",
    "audience",
    "outbox",
    "accounts",
    "core",
    "metrics",
    "connectors",
)
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One text of the source: where, what (a pair where there is a plural), in which context."""

    place: str
    text: str | tuple[str, ...]
    comments: list[str]
    context: str | None


def update(root: Path = ROOT) -> None:
    """Bring every catalogue in line with the source: new texts untranslated, gone ones dropped."""
    for domain in DOMAINS:
        template = _template(root, domain)
        for language in LANGUAGES:
            path = _path(root, language, domain)
            catalog = _read(path, language, domain)
            # A guess from a similar text would be shown to nobody and looks translated in the file.
            created = catalog.creation_date
            catalog.update(template, no_fuzzy_matching=True)
            # The template's date is now: the file would differ after every look.
            catalog.creation_date = created
            catalog.obsolete.clear()
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_po(file, catalog, width=110, include_lineno=False, sort_by_file=True, omit_header=False)


def compile_all(root: Path = ROOT) -> None:
    """Write the ``.mo`` file beside every catalogue that is newer than it."""
    for path in sorted((root / "locale").glob("*/LC_MESSAGES/*.po")):
        compiled = path.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= path.stat().st_mtime:
            continue
        buffer = io.BytesIO()
        write_mo(buffer, _read(path, path.parent.parent.name, path.stem))
        temporary = compiled.with_suffix(".new")
        temporary.write_bytes(buffer.getvalue())
        temporary.rename(compiled)


def problems(root: Path = ROOT) -> list[str]:
    """What keeps a catalogue from being complete and right, one sentence per text."""
    found: list[str] = []
    for domain in DOMAINS:
        found.extend(_shared_with_plurals(root, domain))
        template = _template(root, domain)
        for language in LANGUAGES:
            catalog = _read(_path(root, language, domain), language, domain)
            for message in template:
                if not message.id:
                    continue
                known = catalog.get(message.id, message.context)
                where = f"{language}/{domain}: {message.id!r}"
                if (
                    known is None
                    or not known.string
                    or (isinstance(known.string, tuple) and not all(known.string))
                ):
                    found.append(f"{where} is not translated")
                elif known.fuzzy:
                    found.append(f"{where} is marked fuzzy")
                else:
                    found.extend(f"{where}: {error}" for error in known.check(catalog))
    return found


def _shared_with_plurals(root: Path, domain: str) -> Iterator[str]:
    """A text that is also the singular of a plural: a language with one form for both shows that one for it,
    with the plural's placeholders in it."""
    texts = list(_texts(root, domain))
    plurals = {(found.context, found.text[0]) for found in texts if isinstance(found.text, tuple)}
    alone = {(found.context, found.text) for found in texts if isinstance(found.text, str)}
    for _context, text in sorted(alone & plurals, key=str):
        yield f"{domain}: {text!r} is the singular of a plural, too: give one of them a context"


def _texts(root: Path, domain: str) -> Iterator[Found]:
    return _source_texts(root) if domain == "django" else _script_texts(root)


def _template(root: Path, domain: str) -> Catalog:
    catalog = Catalog(project="smmapp", domain=domain, charset="utf-8")
    for found in _texts(root, domain):
        catalog.add(
            found.text, locations=[(found.place, 0)], auto_comments=found.comments, context=found.context
        )
    return catalog


def _source_texts(root: Path) -> Iterator[Found]:
    for folder in PYTHON_FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from _extract("python", path.read_bytes(), path.relative_to(root))
    for path in sorted((root / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt"):
            place = path.relative_to(root)
            source = templatize(path.read_text(), origin=str(place))
            # Blanked-out markup keeps its indentation, at which Python's tokenizer would stumble.
            flat = "\n".join(line.strip() for line in source.splitlines())
            yield from _extract("python", flat.encode(), place)


def _script_texts(root: Path) -> Iterator[Found]:
    for path in sorted((root / "frontend" / "src").rglob("*.js")):
        yield from _extract("javascript", path.read_bytes(), path.relative_to(root))


def _extract(method: str, source: bytes, place: Path) -> Iterable[Found]:
    for _line, text, comments, context in extract(
        method, io.BytesIO(source), keywords=KEYWORDS, comment_tags=("Translators:",)
    ):
        yield Found(place.as_posix(), text, comments, context)


def _path(root: Path, language: str, domain: str) -> Path:
    return root / "locale" / language / "LC_MESSAGES" / f"{domain}.po"


def _empty(language: str, domain: str) -> Catalog:
    now = dt.datetime.now(dt.UTC)
    return Catalog(
        locale=language,
        domain=domain,
        header_comment=f"# {Locale(language).english_name} texts of smmapp, kept by `make messages`.",
        project="smmapp",
        version="1",
        msgid_bugs_address="-",
        last_translator="smmapp contributors",
        language_team="smmapp contributors",
        creation_date=now,
        revision_date=now,
        charset="utf-8",
        fuzzy=False,
    )


def _read(path: Path, language: str, domain: str) -> Catalog:
    if not path.exists():
        return _empty(language, domain)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.messages", description=__doc__)
    parser.add_argument("what", choices=["update", "compile", "check"])
    what = parser.parse_args().what
    if what == "update":
        update()
    elif what == "compile":
        compile_all()
    else:
        found = problems()
        print("\n".join(found) if found else "Every text is translated.")
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
