"""A BERT that encodes sentences, run by OpenVINO straight from its folder of weights.

Neither torch nor transformers is imported: they cost seconds at every start, and twice the time for every passage.

The weights stay where they are. The file is mapped into memory and handed to OpenVINO as it lies, and rows of the word
table, which is half of the file, are looked up there by numpy. So a model is ready as fast as it compiles. Rejected:
weights halved to fp16 (slower to build, more memory, and the processor's own bf16 is used anyway where there is one),
and OpenVINO's cache of compiled models, which saves a tenth of a second for 40 MB a model that must be kept true.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2019;
Reimers and Gurevych, "Sentence-BERT", 2019.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import CompiledModel, Core, Model, Node, Type, opset13

from ragkit.errors import InvalidInput, NotFound

Weights = dict[str, NDArray[np.float32]]

_HINT = "Use it by its name as sentence-transformers:<name or path>, which runs every model."
_HIDDEN = -10_000.0  # as a score before softmax: nothing is left of it, and it fits into every precision


class Bert:
    """One model of a folder in the layout of sentence-transformers. Ids of tokens in, vectors of length one out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = _config(folder)
        self._pooling = _pooling(folder)
        self._weights = _weights(folder / "model.safetensors")
        self._words = self._weight("embeddings.word_embeddings.weight")

    @property
    def dimension(self) -> int:
        return int(self._config["hidden_size"])

    @property
    def positions(self) -> int:
        """The most tokens that one text may have: there is no weight for a position beyond."""
        return int(self._config["max_position_embeddings"])

    def compile(self, settings: Mapping[str, str | int], layers: Sequence[int] = ()) -> CompiledModel:
        """A model for what `inputs` gives; `settings` are OpenVINO's own, for its CPU device.

        Behind the vectors of texts it puts out those of their tokens, as each of these layers leaves them.
        """
        return Core().compile_model(self._model(layers), "CPU", dict(settings))

    def inputs(self, rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The words of each row, filled up to the longest, and a mask that is 1 where there is a word."""
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.float32)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        return self._words[ids], mask

    def _weight(self, name: str) -> NDArray[np.float32]:
        if name not in self._weights:
            raise InvalidInput(f"The model in {self._folder} has no fp32 weight {name!r}.", _HINT)
        return self._weights[name]

    def _model(self, layers: Sequence[int]) -> Model:
        words = opset13.parameter([-1, -1, self.dimension], Type.f32, name="words")
        mask = opset13.parameter([-1, -1], Type.f32, name="mask")
        state = self._embedded(words)
        unseen = opset13.multiply(opset13.subtract(_number(1), mask), _number(_HIDDEN))
        unseen = opset13.unsqueeze(unseen, _axes(1, 2))  # alike for each head and each asking token
        states: list[Node] = []
        for layer in range(self._config["num_hidden_layers"]):
            state = self._layer(state, unseen, f"encoder.layer.{layer}.")
            states.append(state)
        vectors = opset13.normalize_l2(_pooled(state, mask, self._pooling), _axes(1), 1e-12, "max")
        return Model([vectors, *(states[layer] for layer in layers)], [words, mask], "bert")

    def _embedded(self, words: Node) -> Node:
        """What a token is, plus where it stands. All tokens are of the first kind: a text is no pair."""
        kind = self._weight("embeddings.token_type_embeddings.weight")[0]
        places = opset13.constant(self._weight("embeddings.position_embeddings.weight") + kind)
        length = opset13.gather(opset13.shape_of(words), _axes(1), _axes(0))
        return self._norm(
            opset13.add(words, opset13.slice(places, _axes(0), length, _axes(1), _axes(0))), "embeddings.LayerNorm"
        )

    def _layer(self, state: Node, unseen: Node, prefix: str) -> Node:
        query, key, value = (
            self._heads(self._dense(state, f"{prefix}attention.self.{part}")) for part in ("query", "key", "value")
        )
        seen = opset13.transpose(opset13.scaled_dot_product_attention(query, key, value, unseen), _axes(0, 2, 1, 3))
        seen = self._dense(opset13.reshape(seen, _axes(0, 0, self.dimension), True), f"{prefix}attention.output.dense")
        state = self._norm(opset13.add(state, seen), f"{prefix}attention.output.LayerNorm")
        thought = opset13.gelu(self._dense(state, f"{prefix}intermediate.dense"), "erf")
        thought = self._dense(thought, f"{prefix}output.dense")
        return self._norm(opset13.add(state, thought), f"{prefix}output.LayerNorm")

    def _heads(self, state: Node) -> Node:
        heads = int(self._config["num_attention_heads"])
        split = opset13.reshape(state, _axes(0, 0, heads, self.dimension // heads), True)
        return opset13.transpose(split, _axes(0, 2, 1, 3))

    def _dense(self, state: Node, name: str) -> Node:
        product = opset13.matmul(state, self._constant(f"{name}.weight"), False, True)
        return opset13.add(product, self._constant(f"{name}.bias"))

    def _norm(self, state: Node, name: str) -> Node:
        even = opset13.mvn(state, _axes(-1), True, float(self._config.get("layer_norm_eps", 1e-12)), "inside_sqrt")
        return opset13.add(opset13.multiply(even, self._constant(f"{name}.weight")), self._constant(f"{name}.bias"))

    def _constant(self, name: str) -> Node:
        return opset13.constant(self._weight(name), shared_memory=True)


def _pooled(state: Node, mask: Node, pooling: str) -> Node:
    if pooling == "cls":
        return opset13.squeeze(opset13.gather(state, _axes(0), _axes(1)), _axes(1))
    seen = opset13.unsqueeze(mask, _axes(2))
    total = opset13.reduce_sum(opset13.multiply(state, seen), _axes(1))
    return opset13.divide(total, opset13.reduce_sum(seen, _axes(1)))


def _axes(*numbers: int) -> Node:
    return opset13.constant(np.array(numbers, np.int64))


def _number(value: float) -> Node:
    return opset13.constant(np.float32(value))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"There is no {path.name} in {path.parent}.", "Name the folder of a model.") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is no JSON.", "Get the model anew.") from error


def _config(folder: Path) -> dict[str, Any]:
    """The model's own description, when it is one of a plain BERT."""
    config: dict[str, Any] = _json(folder / "config.json")
    wanted = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}
    for name, value in wanted.items():
        if config.get(name, value) != value:
            raise InvalidInput(f"The model in {folder} has {name} {config[name]!r}, and only {value!r} is run.", _HINT)
    return config


def _pooling(folder: Path) -> str:
    """How the vectors of tokens become one: `mean` or `cls`."""
    for module in _json(folder / "modules.json"):
        if module["type"].rpartition(".")[2] not in ("Transformer", "Pooling", "Normalize"):
            raise InvalidInput(f"The model in {folder} has a module {module['type']}, which is not run.", _HINT)
    config = _json(folder / "1_Pooling" / "config.json")
    modes = [config["pooling_mode"]] if "pooling_mode" in config else [name for name in config if config[name] is True]
    names = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "mean": "mean", "cls": "cls"}
    found = [mode for mode in modes if mode != "include_prompt"]
    if len(found) != 1 or found[0] not in names:
        raise InvalidInput(f"The model in {folder} pools by {found}, and only mean or cls is run.", _HINT)
    return names[found[0]]


def _weights(path: Path) -> Weights:
    """Every fp32 tensor of a safetensors file, as it lies there: 8 bytes that say how long a JSON is, the JSON, data.

    Read here, because the package safetensors copies each tensor: 90 MB and a tenth of a second for MiniLM.
    """
    try:
        raw = np.memmap(path, np.uint8, "c")  # private and writable, as OpenVINO demands; nobody writes
    except (OSError, ValueError) as error:
        raise NotFound(f"{path} cannot be read: {error}.", "Only weights in safetensors are run.") from error
    start = 8 + int.from_bytes(raw[:8].tobytes(), "little")
    try:
        header = json.loads(raw[8:start].tobytes())
    except ValueError as error:
        raise InvalidInput(f"{path} is no safetensors file.", "Get the model anew.") from error
    header.pop("__metadata__", None)
    tensors: Weights = {}
    for name, entry in header.items():
        if entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            tensors[name] = raw[start + first : start + last].view(np.float32).reshape(entry["shape"])
    return tensors
