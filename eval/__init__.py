"""Floor 4: which strategy is better, and whether that may be luck.

A `QuestionSet` (`questions`, read by `loading`) names gold as quotes, which `gold` finds in the documents. `running`
asks each question of each `Strategy` and keeps the `Run` (`store`); `metrics` score it, `compare` pairs the scores, and
a `Report` shows them (`table`, `page`). May use everything below.
"""
