"""Floor 2: chunks, and one set of indexes a domain. May use `ragkit.connectors`, never what is above."""
