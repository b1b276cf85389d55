"""Places `alto_lg.pth` beside the package, in a wheel and in an editable install; pyproject.toml says all else.

The interpreter reads `.pth` files of site-packages when it starts: that is how `ALTO_LG=1` works with no code change.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build

STARTUP = "alto_lg.pth"


class BuildStartup(Command):
    """A step of every build. setuptools has no setting for a file at the top of site-packages."""

    description = f"place {STARTUP}"
    user_options = []  # noqa: RUF012 -- setuptools asks for this name

    def initialize_options(self) -> None:
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        self.set_undefined_options("build", ("build_lib", "build_lib"))

    def run(self) -> None:
        # An editable install takes nothing from the build folder, but all that lies where a wheel is unpacked.
        folder = self.get_finalized_command("install").install_lib if self.editable_mode else self.build_lib
        assert folder is not None
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.copy_file(STARTUP, str(Path(folder, STARTUP)), preserve_mode=False)

    def get_source_files(self) -> list[str]:
        return [STARTUP]

    def get_outputs(self) -> list[str]:
        return [] if self.editable_mode else [str(Path(self.build_lib or "", STARTUP))]

    def get_output_mapping(self) -> dict[str, str]:
        return {}


class Build(build):
    """setuptools' own, with that step."""

    sub_commands = [*build.sub_commands, ("build_startup", None)]  # noqa: RUF012


setup(cmdclass={"build": Build, "build_startup": BuildStartup})
