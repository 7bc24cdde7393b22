"""Sink types: a room for each, a package that holds everything that is known of one service.

The class is in the module `sink` of the room. `_shared` is what several rooms build on.
"""
