"""Why was I denied: a text that holds an AWS error, read and explained. Pure: no call, no file, no clock.

`explanation.explain(text)` is the door.
"""
