"""Files of descriptors, found by their names and by every name that they declare."""

from collections.abc import Iterable

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from service.reflection.declarations import extensions, messages, symbols


class DescriptorFiles:
    """A closed set of files. An answer is the serialized FileDescriptorProto of one of them and, after it, of all that it imports."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        """`files`: with everything that any of them imports."""
        self._imports: dict[str, list[str]] = {}
        self._serialized: dict[str, bytes] = {}
        self._by_symbol: dict[str, str] = {}
        self._extensions: dict[str, dict[int, str]] = {}
        for file in files:
            self._imports[file.name] = list(file.dependency)
            self._serialized[file.name] = file.SerializeToString()
            self._by_symbol |= dict.fromkeys(symbols(file), file.name)
            for name, _ in messages(file):
                self._extensions.setdefault(name, {})
            for extension in extensions(file):
                self._extensions.setdefault(extension.extendee.removeprefix("."), {})[extension.number] = file.name

    def named(self, name: str) -> list[bytes] | None:
        """The file of that name; None where there is none."""
        if name not in self._serialized:
            return None
        wanted = [name]
        for each in wanted:
            wanted += [imported for imported in self._imports[each] if imported not in wanted]
        return [self._serialized[each] for each in wanted]

    def declaring(self, symbol: str) -> list[bytes] | None:
        """The file that declares a message, field, oneof, enum, enum value, service, method or extension; None where none does."""
        return self.named(self._by_symbol.get(symbol, ""))

    def extending(self, message: str, number: int) -> list[bytes] | None:
        """The file that declares the extension of a message with a number; None where none does."""
        return self.named(self._extensions.get(message, {}).get(number, ""))

    def extension_numbers(self, message: str) -> list[int] | None:
        """The numbers of a message's extensions, ascending; None where there is no such message."""
        numbers = self._extensions.get(message)
        return None if numbers is None else sorted(numbers)
