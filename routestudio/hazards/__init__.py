"""Known hazards of a Sequin server: their catalog, and rules that find them in a project.

A rule is a pure function over a `view.SinkView`; `linting.findings` asks all of them. Ids are
those of docs/hazards.md.
"""
