"""Catalogues of translations are made, kept and compiled without GNU gettext."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest

from core import messages


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "views.py").write_text(
        "from django.utils.translation import gettext as _, ngettext, pgettext\n"
        '_("Sign in")\nngettext("%(n)s post", "%(n)s posts", 2)\npgettext("verb", "Post")\n'
    )
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        '<div>\n        <p>{% translate "Calendar" %}</p>\n    <b>\n'
        "      {% blocktranslate trimmed with name=user %}\n"
        "        Hello\n        {{ name }}\n      {% endblocktranslate %}</b>\n  {{ _('Today') }}\n</div>\n"
    )
    (tmp_path / "frontend" / "src").mkdir(parents=True)
    (tmp_path / "frontend" / "src" / "a.js").write_text('show(gettext("Saved"));\n')
    return tmp_path


def catalogue(root: Path, domain: str = "django") -> Path:
    return root / "locale" / "ja" / "LC_MESSAGES" / f"{domain}.po"


def translate(path: Path, text: str, translation: str) -> None:
    before = path.read_text()
    after = before.replace(f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{translation}"')
    assert after != before
    path.write_text(after)


def test_texts_of_python_templates_and_scripts_are_found(root: Path) -> None:
    messages.update(root)
    found = catalogue(root).read_text()
    for text in ("Sign in", "%(n)s posts", "Calendar", "Hello %(name)s", "Today"):
        assert f'"{text}"' in found
    assert 'msgctxt "verb"' in found
    assert '"Saved"' in catalogue(root, "djangojs").read_text()


def test_an_update_keeps_translations_drops_what_is_gone_and_changes_nothing_else(root: Path) -> None:
    messages.update(root)
    path = catalogue(root)
    translate(path, "Calendar", "カレンダー")
    once = path.read_text()
    messages.update(root)
    assert path.read_text() == once
    (root / "accounts" / "views.py").write_text("")
    messages.update(root)
    assert "Sign in" not in path.read_text()
    assert "カレンダー" in path.read_text()


def test_compiled_catalogues_are_read_by_gettext_and_follow_the_source(root: Path) -> None:
    messages.update(root)
    translate(catalogue(root), "Calendar", "カレンダー")
    messages.compile_all(root)
    with catalogue(root).with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Calendar") == "カレンダー"


def test_untranslated_and_broken_texts_are_problems(root: Path) -> None:
    messages.update(root)
    assert "ja/django: 'Calendar' is not translated" in messages.problems(root)
    translate(catalogue(root), "Hello %(name)s", "こんにちは %(nam)s")
    assert any("Hello" in problem and "not translated" not in problem for problem in messages.problems(root))


def test_a_text_that_is_also_the_singular_of_a_plural_is_a_problem(root: Path) -> None:
    """Japanese has one form, which has the number in it: "Last day" above a field became "過去%(n)s日間"."""
    view = root / "accounts" / "views.py"
    plural = 'ngettext("Last day", "Last %(n)s days", 2)'
    view.write_text(f'_("Last day")\n{plural}\n')
    messages.update(root)
    wanted = "django: 'Last day' is the singular of a plural, too: give one of them a context"
    assert wanted in messages.problems(root)
    view.write_text(f'pgettext("date", "Last day")\n{plural}\n')
    messages.update(root)
    assert wanted not in messages.problems(root)
