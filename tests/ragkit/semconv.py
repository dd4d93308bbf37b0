"""What the semantic conventions for generative AI ask of a span, as a list of what is wrong with it.

From `model/gen-ai/spans.yaml` of open-telemetry/semantic-conventions-genai (status: Development, no release), where
the conventions of OpenTelemetry 1.44, whose names the installed package holds, moved in 2026.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from ragkit.trace import Step, Trace

VERSION = "OpenTelemetry 1.44, semantic-conventions-genai 002c8a6"

_OPERATION, _PROVIDER, _MODEL = "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"
_INFERENCE = ("chat", "generate_content", "text_completion")


@dataclass(frozen=True)
class Rule:
    named: str | None
    """The attribute that follows the operation in the span's name, where it is there."""
    required: tuple[str, ...]
    """Those required, and those required if they apply, which with us they always do."""
    recommended: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("internal",)


_USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
_CALL = Rule(
    _MODEL, (_PROVIDER, _MODEL), ("server.address", "gen_ai.response.model", "gen_ai.response.finish_reasons", *_USAGE),
    ("client", "internal"),
)  # fmt: skip
RULES: dict[str, Rule] = {
    **dict.fromkeys(_INFERENCE, _CALL),
    "embeddings": Rule(_MODEL, (_PROVIDER, _MODEL), ("gen_ai.embeddings.dimension.count",), ("client", "internal")),
    "retrieval": Rule("gen_ai.data_source.id", (), ("gen_ai.request.top_k",), ("client", "internal")),
    "execute_tool": Rule("gen_ai.tool.name", ("gen_ai.tool.name",), ("gen_ai.tool.type",)),
    "invoke_agent": Rule("gen_ai.agent.name", (_PROVIDER,), kinds=("client", "internal")),
    "invoke_workflow": Rule("gen_ai.workflow.name", ("gen_ai.workflow.name",)),
    "plan": Rule("gen_ai.agent.name", ()),
}
OPT_IN = {
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents",
}  # fmt: skip
_GONE = {
    "gen_ai.system", "gen_ai.prompt", "gen_ai.completion", "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
}  # fmt: skip
_SINCE = {"gen_ai.usage.cache_write.input_tokens"}
KNOWN = {
    value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_") and isinstance(value, str)
} | _SINCE
_INTEGERS = re.compile(r"\.(input_tokens|output_tokens|max_tokens|count|port|seed|top_k)$")
_LISTS = {"gen_ai.response.finish_reasons", "gen_ai.request.stop_sequences", "gen_ai.request.encoding_formats"}


def violations(
    name: str, kind: str, attributes: Mapping[str, Any], *, failed: bool = False, texts: bool = False
) -> list[str]:
    """What the conventions require, or forbid, and this span does not keep to; spans of no operation are free.

    `texts`: whether the user opted in to the contents of messages.
    """
    wrong = [f"{key} is no attribute of the conventions" for key in attributes if _unknown(key)]
    wrong += [f"{key} was removed" for key in attributes if key in _GONE]
    wrong += [f"{key} has the wrong type: {value!r}" for key, value in attributes.items() if not _typed(key, value)]
    if failed and "error.type" not in attributes:
        wrong.append("it failed without error.type")
    if "server.address" in attributes and "server.port" not in attributes:
        wrong.append("server.address without server.port")
    if not texts:
        wrong += [f"{key} is opt-in" for key in attributes if key in OPT_IN]
    operation = attributes.get(_OPERATION)
    if operation is None:
        if any(key.startswith("gen_ai.") for key in attributes):
            wrong.append(f"{_OPERATION} is required")
        return [f"{name}: {one}" for one in wrong]
    rule = RULES.get(str(operation))
    if rule is None:
        return [f"{name}: {one}" for one in [*wrong, f"the operation {operation!r} is not one of ours"]]
    wrong += [f"{key} is required" for key in rule.required if key not in attributes]
    if kind not in rule.kinds:
        wrong.append(f"its kind is {kind}, not {' or '.join(rule.kinds)}")
    target = attributes.get(rule.named) if rule.named else None
    wanted = f"{operation} {target}" if target else str(operation)
    if name != wanted:
        wrong.append(f"its name should be {wanted!r}")
    return [f"{name}: {one}" for one in wrong]


def missing(attributes: Mapping[str, Any]) -> list[str]:
    """What is recommended and not there."""
    rule = RULES.get(str(attributes.get(_OPERATION)))
    return [key for key in rule.recommended if key not in attributes] if rule else []


def of_trace(trace: Trace) -> list[str]:
    """All that is wrong with the spans of an ask. Texts are apart there, so none may be among the attributes."""
    return [wrong for step in trace.spans for wrong in of_step(step)]


def of_step(step: Step) -> list[str]:
    misplaced = [key for key in step.texts if key.startswith("gen_ai.") and key not in OPT_IN]
    wrong = violations(step.name, step.kind, step.attributes, failed=step.status == "error")
    return wrong + [f"{step.name}: {key} is no text" for key in misplaced]


def of_otlp(spans: Iterable[Any], texts: bool = False) -> list[str]:
    """Of spans as OTLP's protobuf has them."""
    kinds = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
    return [
        wrong
        for span in spans
        for wrong in violations(
            span.name,
            kinds.get(span.kind, "unspecified"),
            attributes_of(span),
            failed=span.status.code == 2,
            texts=texts,
        )
    ]


def attributes_of(span: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in span.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


def _unknown(key: str) -> bool:
    return key.startswith("gen_ai.") and key not in KNOWN


def _typed(key: str, value: Any) -> bool:
    if key in _LISTS:
        return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value)
    if key.startswith(("gen_ai.", "server.")) and _INTEGERS.search(key):
        return isinstance(value, int) and not isinstance(value, bool)
    if key == "gen_ai.request.stream":
        return isinstance(value, bool)
    return not (key in (_OPERATION, _PROVIDER, _MODEL, "error.type", "server.address") and not isinstance(value, str))
