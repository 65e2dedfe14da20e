"""Holds every call of the public API to the rules of docs/api.md."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from grpc_tools import protoc

from headshots.client.stub import METHODS
from headshots.validate import validate_pb2
from tests.support.contract import CALLS, FILES, INTERNAL_CALLS, SERVICES, constraint, inputs, messages, name_of
from tests.support.paths import ROOT

PROTOS = ROOT / "protos"
GOOGLE = Path(grpc_tools.__file__).parent / "_proto"
BY_NAME = (
    "Get",
    "Update",
    "Delete",
    "Watch",
    "Cancel",
    "Download",
    "Archive",
    "Preview",
    "Regenerate",
    "Give",
    "Withdraw",
    "Extend",
    "Hold",
    "Release",
    "Add",
)
VERBS = (*BY_NAME, "List", "Create", "Upload", "Inspect", "Verify")
# The API key says whose it is.
SINGLETONS = {"GetTenant", "UpdateTenant"}
# Their parent is the tenant, which the API key names, or the installation.
TOP_LEVEL = {"CreateSubject", "ListSubjects", "CreateStyle", "ListStyles", "CreateProfile", "ListProfiles"} | {
    "ListFoundations",
    "CreatePack",
    "ListPacks",
    "ListAuditEvents",
    "ListErasureReceipts",
    "ListErasureKeys",
    *("CreateLook", "ListLooks", "CreateTeam", "ListTeams"),
}
JOBS = {"CreateTraining", "CreateGallery", "CreateShoot", "CreateTeam"}
# They check what only a generator can tell, or make what orders are held to.
CHECKED = JOBS | {"CreateStyle", "CreateProfile", "CreatePack", "CreateLook"}
# They make no resource: every call makes new links.
KEEPS_NOTHING = {"CreateImageLinks"}
# Callers send them as they came.
OPAQUE = {"page_token"}
# What a comment says of a field that a caller may leave out.
OPTIONAL_WORDS = re.compile(r"\b(default|unset|empty|optional)\b|where it is", re.IGNORECASE)
_NAMED = ("message_type", "nested_type", "enum_type", "service", "method", "field", "value", "oneof_decl")


@pytest.fixture(scope="module")
def comments() -> dict[str, str]:
    """The comment of everything that has a name, in all files of the contract."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        sources = [str(path) for path in sorted((PROTOS / "headshots" / "v1").glob("*.proto"))]
        options = [f"-I{PROTOS}", f"-I{GOOGLE}", "--include_source_info", f"--descriptor_set_out={out}"]
        assert protoc.main(["protoc", *options, *sources]) == 0
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    found: dict[str, str] = {}
    for file in files.file:
        for location in file.source_code_info.location:
            if name := _full_name(file, list(location.path)):
                found[f"{file.package}.{name}"] = location.leading_comments.strip()
    return found


def _full_name(file: descriptor_pb2.FileDescriptorProto, path: list[int]) -> str:
    """The dotted name of what a path of SourceCodeInfo leads to; empty for what has no name of its own."""
    if len(path) % 2:
        return ""
    names: list[str] = []
    node: Any = file
    for number, index in zip(path[::2], path[1::2], strict=True):
        field = node.DESCRIPTOR.fields_by_number[number].name
        if field not in _NAMED:
            return ""
        node = getattr(node, field)[index]
        # A synthetic oneof stands for an optional field, which has the comment.
        if field == "oneof_decl" and node.name.startswith("_"):
            return ""
        names.append(node.name)
    return ".".join(names)


def test_no_two_services_have_a_call_of_the_same_name() -> None:
    assert {service.full_name for service in SERVICES.values()} == set(METHODS)
    assert [name for name, times in Counter(map(name_of, CALLS)).items() if times > 1] == []


def test_a_file_of_one_resource_has_one_service() -> None:
    for file in FILES:
        (name,) = file.DESCRIPTOR.services_by_name
        resource = file.DESCRIPTOR.name.removeprefix("headshots/v1/").removesuffix(".proto")
        noun = resource[:-3] + "y" if resource.endswith("ies") else resource[:-1]
        message = "".join(word.capitalize() for word in noun.split("_"))
        assert name == f"{message}Service"
        assert message in file.DESCRIPTOR.message_types_by_name


@pytest.mark.parametrize("call", CALLS + INTERNAL_CALLS, ids=name_of)
def test_a_call_has_a_request_and_a_response_of_its_own(call: MethodDescriptor) -> None:
    assert (call.input_type.name, call.output_type.name) == (f"{call.name}Request", f"{call.name}Response")


@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_names_follow_the_aips(call: MethodDescriptor) -> None:
    verb = re.split("(?<!^)(?=[A-Z])", call.name)[0]
    assert verb in VERBS
    first = call.input_type.fields_by_number[1].name if call.input_type.fields else ""
    if verb in BY_NAME and call.name not in SINGLETONS:
        assert first == "name"
    if verb in ("List", "Create") and call.name not in TOP_LEVEL:
        assert first == "parent"
    assert call.server_streaming == (verb in ("Watch", "Download"))
    assert call.client_streaming == (verb in ("Upload", "Inspect", "Verify"))


@pytest.mark.parametrize("call", [call for call in CALLS if call.name.startswith("List")], ids=name_of)
def test_lists_come_in_pages(call: MethodDescriptor) -> None:
    size = constraint(call.input_type.fields_by_name["page_size"])
    assert (size.int32.gte, size.int32.lte) == (0, 1000)
    assert "page_token" in call.input_type.fields_by_name
    items, token = call.output_type.fields
    assert items.is_repeated
    assert token.name == "next_page_token"


@pytest.mark.parametrize("call", [call for call in CALLS if call.name.startswith("Create")], ids=name_of)
def test_creates_are_idempotent(call: MethodDescriptor) -> None:
    if call.name in KEEPS_NOTHING:
        return
    assert "request_id" in call.input_type.fields_by_name
    assert ("validate_only" in call.input_type.fields_by_name) == (call.name in CHECKED)


def test_everything_is_commented(comments: dict[str, str]) -> None:
    assert len(comments) > 200
    assert [name for name, text in comments.items() if len(text) < 5] == []


@pytest.mark.parametrize("call", CALLS + INTERNAL_CALLS, ids=name_of)
def test_every_field_that_a_caller_sends_has_a_constraint(call: MethodDescriptor) -> None:
    for field in inputs(call.input_type):
        is_own_message = field.message_type is not None and not field.is_repeated
        if not is_own_message and field.type != FieldDescriptor.TYPE_BOOL:
            assert _is_bounded(constraint(field)), field.full_name


def _is_bounded(rules: validate_pb2.FieldRules) -> bool:
    kind = rules.WhichOneof("type")
    if kind == "repeated":
        items = rules.repeated.items
        return rules.repeated.max_items > 0 and (items.WhichOneof("type") is None or _is_bounded(items))
    if kind == "map":
        return rules.map.max_pairs > 0 and _is_bounded(rules.map.keys) and _is_bounded(rules.map.values)
    if kind == "string":
        return rules.string.max_len > 0 or _is_short(rules.string.pattern)
    if kind == "enum":
        return rules.enum.defined_only
    if kind == "bytes":
        return rules.bytes.max_len > 0
    return kind is not None and bool({"gt", "gte"} & {name.name for name, _ in getattr(rules, kind).ListFields()})


def _is_short(pattern: str) -> bool:
    """Whether an anchored pattern bounds the length: it repeats nothing without end."""
    return bool(pattern) and pattern[0] + pattern[-1] == "^$" and re.search(r"[*+]|,\}", pattern) is None


@pytest.mark.parametrize("call", CALLS + INTERNAL_CALLS, ids=name_of)
def test_a_field_that_may_be_left_out_tells_what_that_means(call: MethodDescriptor, comments: dict[str, str]) -> None:
    for field in inputs(call.input_type):
        in_oneof = field.containing_oneof is not None and not field.containing_oneof.name.startswith("_")
        if not in_oneof and not _is_required(constraint(field)):
            assert OPTIONAL_WORDS.search(comments[field.full_name]), field.full_name


def _is_required(rules: validate_pb2.FieldRules) -> bool:
    pattern = rules.string.pattern
    refuses_empty = bool(pattern) and re.search(pattern, "") is None
    refuses_zero = rules.int64.HasField("gt") or rules.int32.gte > 0
    return refuses_empty or refuses_zero or rules.required or rules.string.min_len > 0 or rules.repeated.min_items > 0


def test_times_and_units_are_in_the_names() -> None:
    for field in (field for message in messages() for field in message.fields):
        is_time = field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp"
        assert is_time == (field.name.endswith("_time") or field.name == "deadline"), field.full_name
        is_without_unit = field.name in ("size", "width", "height", "edge", "duration", "timeout", "delay")
        assert not is_without_unit, f"{field.full_name}: in which unit?"
        assert not field.name.endswith(("_at", "_size", "_ms")) or field.name == "page_size", field.full_name


def test_what_may_not_be_measured_is_optional() -> None:
    fields = [field for message in messages() for field in message.fields if field.name == "likeness"]
    assert [field.has_presence for field in fields if field.containing_type.name != "CheckpointScores"] == [True, True]


def test_a_resource_has_its_name_first() -> None:
    for file in FILES:
        (service,) = file.DESCRIPTOR.services_by_name
        resource = file.DESCRIPTOR.message_types_by_name[service.removesuffix("Service")]
        assert resource.fields_by_number[1].name == "name", resource.full_name


@pytest.mark.parametrize("create", sorted(JOBS))
def test_a_job_has_a_state_and_is_watched_and_cancelled(create: str) -> None:
    noun = create.removeprefix("Create")
    service = SERVICES[f"{noun}Service"]
    state = service.file.message_types_by_name[noun].fields_by_name["state"]
    assert state.enum_type.full_name == "headshots.v1.JobState"
    assert {f"Watch{noun}", f"Cancel{noun}"} <= set(service.methods_by_name)


@pytest.mark.parametrize("call", CALLS + INTERNAL_CALLS, ids=name_of)
def test_a_limit_stands_in_the_comment(call: MethodDescriptor, comments: dict[str, str]) -> None:
    for field in inputs(call.input_type):
        told = comments[field.full_name]
        for limit in _upper_limits(constraint(field)):
            if field.name not in OPAQUE:
                assert any(form in told for form in _written(limit)), f"{field.full_name}: at most {limit}"


def _upper_limits(rules: validate_pb2.FieldRules) -> list[float]:
    kind = rules.WhichOneof("type")
    if kind is None:
        return []
    found = {name.name: value for name, value in getattr(rules, kind).ListFields()}
    return [found[name] for name in ("lt", "lte", "max_len", "max_items") if name in found]


def _written(limit: float) -> set[str]:
    """The ways in which a comment may write a number."""
    forms = {f"{limit:g}", str(limit), str(int(limit))}
    if limit % 2**20 == 0:
        forms.add(f"{int(limit) // 2**20} MiB")
    return forms | ({"2^32-1"} if limit == 2**32 - 1 else set())
