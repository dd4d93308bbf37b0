"""BM25 engines side by side: `make bm25`. Speed at 100,000 chunks, and what becomes of scores when documents go."""

import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import tantivy

from ragkit.indexes import lexical, segment
from ragkit.indexes.pool import Part, Pool
from ragkit.indexes.ranking import best
from ragkit.indexes.segment import Segment

VOCABULARY = [f"w{number}" for number in range(50_000)]
WEIGHTS = np.cumsum([1 / (rank + 3) for rank in range(len(VOCABULARY))])


def texts(count: int, chance: random.Random) -> list[list[str]]:
    return [chance.choices(VOCABULARY, cum_weights=WEIGHTS.tolist(), k=chance.randrange(40, 120)) for _ in range(count)]


class Ours:
    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        ids = range(len(rows))
        self.segment = Segment("", **segment.build(ids, ids, rows, np.zeros((len(rows), 1), np.float32)))
        self.alive = np.ones(len(rows), bool)
        self.pool = Pool([Part(self.segment, None)])

    def delete(self, ids: Sequence[int]) -> None:
        self.alive[list(ids)] = False
        self.pool = Pool([Part(self.segment, self.alive)])

    def search(self, query: Sequence[str]) -> dict[int, float]:
        scores = lexical.scores(self.pool, Counter(query))
        rows = best(scores, 100, above=0)
        return dict(zip(rows.tolist(), scores[rows].tolist(), strict=True))


class Tantivy:
    """Its terms as a boolean query of boosted term queries, so that repeated ones count and none is an operator."""

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("id", stored=True, indexed=True)
        builder.add_text_field("text", tokenizer_name="whitespace")
        self.schema = builder.build()
        self.index = tantivy.Index(self.schema)
        writer = self.index.writer(200_000_000, 1)
        for id, row in enumerate(rows):
            writer.add_document(tantivy.Document(id=id, text=" ".join(row)))
        writer.commit()
        writer.wait_merging_threads()
        self.index.reload()

    def delete(self, ids: Sequence[int]) -> None:
        writer = self.index.writer(50_000_000, 1)
        for id in ids:
            writer.delete_documents_by_query(tantivy.Query.term_query(self.schema, "id", id))
        writer.commit()
        writer.wait_merging_threads()
        self.index.reload()

    def search(self, query: Sequence[str]) -> dict[int, float]:
        searcher = self.index.searcher()
        terms = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(tantivy.Query.term_query(self.schema, "text", term), float(times)),
            )
            for term, times in Counter(query).items()
        ]
        hits = searcher.search(tantivy.Query.boolean_query(terms), 100).hits
        return {int(searcher.doc(place)["id"][0]): float(score or 0) for score, place in hits}


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main(count: int) -> None:
    chance = random.Random(1)
    rows = texts(count, chance)
    queries = [[VOCABULARY[int(chance.paretovariate(0.5)) % 5000] for _ in range(8)] for _ in range(200)]
    gone = chance.sample(range(count), count // 3)
    kept = [row for id, row in enumerate(rows) if id not in set(gone)]
    for engine in (Ours, Tantivy):
        began = time.process_time()
        index = engine(rows)
        built = time.process_time() - began
        times = [seconds(partial(index.search, query)) for query in queries]
        index.delete(gone)
        fresh = engine(kept)
        number = {id: at for at, id in enumerate(id for id in range(count) if id not in set(gone))}
        off, other = [], 0
        for query in queries:
            old = {number[id]: score for id, score in index.search(query).items()}
            new = fresh.search(query)
            off += [abs(old[id] - new[id]) / new[id] for id in old.keys() & new.keys()]
            other += list(old)[:10] != list(new)[:10]
        print(
            f"{engine.__name__:8} build {built:.1f} CPU s; query p50 {statistics.median(times) * 1000:.2f} ms CPU; "
            f"after deleting a third, scores are off by up to {max(off):.1%} from a fresh index, and the first ten "
            f"differ for {other / len(queries):.0%} of questions"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
