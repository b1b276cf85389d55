"""What the tests of placed nodes share: one Ray, and an event loop for tests that are coroutines."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from placement.local_ray import local_ray

__all__ = ["local_ray"]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True
