"""Code of the user's own that a search file names by a dotted path: where its module is, and the hash of all of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from tuner.errors import InputError
from tuner.system.own_modules import code_folder, file_of, hash_of, own_modules


class OwnCode(ABC):
    """Something of the user's that is called as `package.module:name`. A subclass says where it is named and found.

    `place` is the key of the search file that names it.
    """

    place: ClassVar[str]

    @abstractmethod
    def in_file(self) -> tuple[str, str, Path | None]:
        """Return the path as the search file has it, the module's dotted name, and the folder of the search file."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that the user's modules are looked for first: the search file's and the working folder."""
        path, _, folder = self.in_file()
        if folder is None:
            raise RuntimeError(f"nobody said where {path} is")
        return folder.resolve(), Path.cwd()

    def remedy(self) -> str:
        """Return what to do where there is no such module."""
        return f"put it in {self.in_file()[2]}"

    def own_modules(self) -> dict[str, Path]:
        """Return the files of the module and of all modules of the user's own that it imports, by dotted names.

        Raises:
            InputError: there is no such module.
        """
        path, module, _ = self.in_file()
        if file_of(module, self.folders) is None:
            raise InputError(self.place, f"no module {module!r} for {path!r}", self.remedy())
        return own_modules(module, self.folders)

    def code_folder(self) -> Path | None:
        """Return the folder of the user's that the module is imported from; None for one of an installed package."""
        return code_folder(self.in_file()[1], self.folders)

    def source_hash(self) -> str:
        """Return a hash of the module and of all modules of the user's own that it imports, as they are now.

        Raises:
            InputError: there is no such module, or one that cannot be read.
        """
        try:
            return self.hash_of_code()
        except OSError as error:
            raise InputError(self.place, f"{error.filename} cannot be read ({error.strerror})") from error

    def hash_of_code(self) -> str:
        """Return the hash; what cannot be read raises as the system has it."""
        return hash_of(self.in_file()[1], self.own_modules())
