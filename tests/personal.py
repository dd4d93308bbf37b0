"""How often redaction strikes in public texts: `python -m tests.personal [SET …]` over the shared corpora.

News, encyclopaedias and papers hold hardly any phone, card or id; what is struck is shown, to be looked at.
"""

import sys
import time
from collections import Counter

from ragkit.pii import personal
from tests.orders import passages, sets


def main(names: list[str]) -> None:
    for name, path in sets().items():
        if names and name not in names:
            continue
        began, count, found = time.perf_counter(), 0, []
        for text in passages(path):
            count += 1
            found += [
                (one.kind, " ".join(text[max(0, one.start - 15) : one.end + 10].split())) for one in personal(text)
            ]
        took = (time.perf_counter() - began) / max(count, 1) * 1e6
        print(f"{name:20} {count:7,} passages {took:5.0f} µs each: {dict(Counter(kind for kind, _ in found))}")
        for kind, said in found[:6]:
            print(f"    {kind}: {said!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
