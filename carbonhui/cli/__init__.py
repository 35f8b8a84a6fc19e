"""The command line: whatever the product does, a person can do by hand.

Commands open the transaction, call one verb and print. What a user did wrong is
told in one line; exit codes are 0 done, 1 a check found something, 2 the command
was misspelt, 3 refused.
"""

from carbonhui.cli.main import carbonhui, main

__all__ = ["carbonhui", "main"]
