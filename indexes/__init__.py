"""Floor 2: from `Document`s to ranges of them that answer a question.

A `Domain` is a folder with a `Catalog` (SQLite, the only truth) and immutable `Segment`s (postings and vectors, made
from it).
`sync` brings it from what it has to what its sources are: `scan` tells what changed, `reconcile` decides document by
document, and the `writer` cuts (`structure` and the other chunkers), embeds and commits. `search` ranks the rows of a
`Pool` of segments by words (`lexical`) and by meaning (`vectors`), has a `Reranker` read the first of them again where
one is named, and shows the best as `Hit`s.
May use `ragkit.connectors`, never what is above.
"""
