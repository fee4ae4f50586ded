"""What stands in a log line, for people and for programs."""

from __future__ import annotations

import logging
import logging.config

import pytest

from smmapp.logs import configuration


@pytest.mark.parametrize("as_json", [False, True])
def test_a_traceback_says_where_and_never_what_was_in_the_variables(as_json: bool) -> None:
    formatter = logging.config.DictConfigurator(configuration(level="INFO", as_json=as_json))
    structured = formatter.configure_formatter(formatter.config["formatters"]["structured"])

    def fail() -> None:
        token = "app-password-of-somebody".upper()
        raise ValueError(len(token))

    try:
        fail()
    except ValueError as error:
        found = (type(error), error, error.__traceback__)
    record = logging.LogRecord("smmapp", logging.ERROR, __file__, 1, "It failed.", None, found)
    line = structured.format(record)
    assert "ValueError: 24" in line
    assert "in fail" in line
    assert "APP-PASSWORD" not in line
