"""Finds the field of an undecodable request whose bytes are not text, by walking the wire format along the message's descriptor."""

from collections import Counter

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_DEPTH = 32


def field_that_is_not_text(descriptor: Descriptor | None, data: bytes, depth: int = 0) -> str:
    """The path of the first string field that is not UTF-8, such as "messages[3].text"; "" when the bytes are wrong in another way."""
    if descriptor is None or depth > _MAX_DEPTH:
        return ""
    seen: Counter[int] = Counter()
    position = 0
    try:
        while position < len(data):
            tag, position = _varint(data, position)
            number, wire = tag >> 3, tag & 7
            if wire != _BYTES:
                position = _skipped(data, position, wire)
                continue
            length, position = _varint(data, position)
            if position + length > len(data):
                return ""
            content = data[position : position + length]
            position += length
            field = descriptor.fields_by_number.get(number)
            if field is None:
                continue
            inner = _problem(field, content, depth)
            if inner is not None:
                return _path(field, seen[number], inner)
            seen[number] += 1
    except (IndexError, ValueError):
        return ""
    return ""


def _problem(field: FieldDescriptor, content: bytes, depth: int) -> str | None:
    """None when the field is fine; else the path below it."""
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return ""
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        return field_that_is_not_text(field.message_type, content, depth + 1) or None
    return None


def _path(field: FieldDescriptor, index: int, inner: str) -> str:
    own = f"{field.name}[{index}]" if field.is_repeated else field.name
    return f"{own}.{inner}" if inner else own


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("varint too long")


def _skipped(data: bytes, position: int, wire: int) -> int:
    if wire == _VARINT:
        return _varint(data, position)[1]
    if wire == _FIXED64:
        return position + 8
    if wire == _FIXED32:
        return position + 4
    raise ValueError("group")
