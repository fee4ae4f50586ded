from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.fixtures import Api, SandboxControl, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]


@pytest.fixture
def account(sandbox: SandboxControl) -> Callable[..., Api]:
    """Make an account with these settings and speak as it."""

    def make(handle: str = "nori", **spec: object) -> Api:
        return Api(sandbox, sandbox.account(handle, **spec).access_token)

    return make
