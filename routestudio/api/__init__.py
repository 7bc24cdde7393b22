"""What the engine can be asked, and what it answers: plain typed data for window and commands.

`engine.EngineApi` names the groups of methods; each group is a module with its `Protocol`, its
answers and its events as frozen dataclasses. `codec` turns them into JSON and back, `calls` makes
a client and the serving side from the same `Protocol`, `protocol` frames what passes the pipe.
"""
