"""The protobuf messages in which TensorFlow describes a batch's ops, with the fields that fittrace reads and writes.

`RunMetadata` is defined in tensorflow/core/framework/step_stats.proto and the files that it includes. It has the same
encoding in TensorFlow 1.15 and 2.21. `Trace` is the profiler's (tsl/profiler/protobuf/trace_events.proto). Both are in
a descriptor pool of their own, so that they do not collide with those of an installed TensorFlow. Texts are bytes here,
since TensorFlow's need not be UTF-8. Maps are as they are encoded: lists of keys and values.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from ...schema.limits import LONGEST_LABEL, MESSAGES

__all__ = ["DecodeError", "DeviceStepStats", "Message", "RunMetadata", "TooMany", "Trace", "bounded", "text"]

_PACKAGE = "fittrace"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "uint32": _FIELD.TYPE_UINT32,
    "uint64": _FIELD.TYPE_UINT64,
    "bool": _FIELD.TYPE_BOOL,
    "bytes": _FIELD.TYPE_BYTES,
}

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "RunMetadata": {"step_stats": (1, "StepStats")},
    "StepStats": {"dev_stats": (1, "*DeviceStepStats")},
    "DeviceStepStats": {"device": (1, "bytes"), "node_stats": (2, "*NodeExecStats"), "thread_names": (3, "*Name")},
    "NodeExecStats": {
        "node_name": (1, "bytes"),
        "all_start_micros": (2, "int64"),
        "op_start_rel_micros": (3, "int64"),
        "op_end_rel_micros": (4, "int64"),
        "all_end_rel_micros": (5, "int64"),
        "memory": (6, "*AllocatorMemoryUsed"),
        "output": (7, "*NodeOutput"),
        "timeline_label": (8, "bytes"),
        "scheduled_micros": (9, "int64"),
        "thread_id": (10, "uint32"),
        "all_start_nanos": (13, "int64"),
        "op_start_rel_nanos": (14, "int64"),
        "op_end_rel_nanos": (15, "int64"),
        "all_end_rel_nanos": (16, "int64"),
        "scheduled_nanos": (17, "int64"),
    },
    "AllocatorMemoryUsed": {"allocator_name": (1, "bytes"), "total_bytes": (2, "int64")},
    "NodeOutput": {"slot": (1, "int32"), "tensor_description": (3, "TensorDescription")},
    "TensorDescription": {"shape": (2, "TensorShape")},
    "TensorShape": {"dim": (2, "*Dim"), "unknown_rank": (3, "bool")},
    "Dim": {"size": (1, "int64")},
    "Trace": {"devices": (1, "*DeviceEntry"), "trace_events": (4, "*TraceEvent")},
    "DeviceEntry": {"key": (1, "uint32"), "value": (2, "Device")},
    "Device": {"name": (1, "bytes"), "device_id": (2, "uint32"), "resources": (3, "*ResourceEntry")},
    "ResourceEntry": {"key": (1, "uint32"), "value": (2, "Resource")},
    "Resource": {"name": (1, "bytes"), "resource_id": (2, "uint32")},
    "TraceEvent": {
        "device_id": (1, "uint32"),
        "resource_id": (2, "uint32"),
        "name": (3, "bytes"),
        "timestamp_ps": (9, "uint64"),
        "duration_ps": (10, "uint64"),
        "args": (11, "*Argument"),
    },
    "Argument": {"key": (1, "bytes"), "value": (2, "bytes")},
    "Name": {"key": (1, "uint32"), "value": (2, "bytes")},
}
"""The number and type of each message's fields. A star marks a repeated field."""


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="fittrace/messages.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            added = message.field.add(name=field, number=number)
            added.label = _FIELD.LABEL_REPEATED if kind.startswith("*") else _FIELD.LABEL_OPTIONAL
            kind = kind.lstrip("*")
            added.type = _SCALARS.get(kind, _FIELD.TYPE_MESSAGE)
            if kind not in _SCALARS:
                added.type_name = f".{_PACKAGE}.{kind}"
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.AddSerializedFile(_file().SerializeToString())


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


RunMetadata, DeviceStepStats, Trace = (_class(name) for name in ("RunMetadata", "DeviceStepStats", "Trace"))


class TooMany(ValueError):
    """A protobuf that holds more than `MESSAGES` messages."""


def bounded(name: str, data: bytes) -> bytes:
    """Return `data` unchanged, if the message `name` in it holds at most `MESSAGES` messages.

    They are counted without being parsed, since a parsed message takes many times its bytes. Raises `TooMany`, or
    `DecodeError` for bytes that are not a protobuf.

    >>> bounded("Trace", bytes([0x22, 0]))
    b'"\\x00'
    """
    if len(data) <= 2 * MESSAGES:  # a message takes two bytes at least
        return data
    pending = [(name, 0, len(data))]
    count = 0
    while pending:
        kind, position, end = pending.pop()
        inner = _INNER[kind]
        while position < end:
            tag, position = _varint(data, position)
            wire = tag & 7
            if wire == 0:
                _, position = _varint(data, position)
            elif wire in (1, 5):
                position += 8 if wire == 1 else 4
            elif wire == 2:
                length, position = _varint(data, position)
                if length and (tag >> 3) in inner:
                    pending.append((inner[tag >> 3], position, min(position + length, end)))
                count += (tag >> 3) in inner
                position += length
            else:
                raise DecodeError("a group, which none of these messages has")
            if count > MESSAGES:
                raise TooMany(f"more than {MESSAGES:,} messages in one batch's protobuf")
    return data


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The varint that begins at `position`, and where it ends."""
    value = shift = 0
    while position < len(data) and shift < 70:
        octet = data[position]
        value |= (octet & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if octet < 0x80:
            return value, position
    raise DecodeError("a number without an end")


_INNER = {
    name: {number: kind.lstrip("*") for number, kind in fields.values() if kind.lstrip("*") in _MESSAGES}
    for name, fields in _MESSAGES.items()
}
"""The fields of each message that are messages, by number."""


def text(value: bytes) -> str:
    r"""Decode a text of TensorFlow, cut to `LONGEST_LABEL` bytes. Bytes that are not UTF-8 are written as escapes.

    >>> text(b"dense/MatMul\xff")
    'dense/MatMul\\xff'
    """
    return value[:LONGEST_LABEL].decode("utf-8", "backslashreplace")
