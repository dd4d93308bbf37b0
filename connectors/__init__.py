"""Floor 1: from a place full of files to `Document`s whose every mark is an exact range of one text.

A `Connector` lists `Item`s and reads one into a `Document`; `reading` does that for many at once in processes
that can be stopped. One module reads one family of formats: `formats` names it, `parser` finds it.
"""
