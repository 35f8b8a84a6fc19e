"""What the city keeps about one person, in one piece, for that person (PIPL article 45; Article 13).

Every row of every room that is about the person, in plain words; what is sealed is
opened, and the person sees that it was.
"""

from carbonhui.export.collecting import MATTERS, Matter, matters
from carbonhui.export.erasing import erase, forget_files
from carbonhui.export.holdings import Run, Side, Step, life_of, runs_held, runs_moved, sides_of
from carbonhui.export.printing import print_statement
from carbonhui.export.refusals import CreditNotYours, ExportTooLarge, StatementDaysInvalid, StatementTooLong
from carbonhui.export.sentences import Sentence, sentences_of
from carbonhui.export.statements import Statement, StatementLine, statement_between
from carbonhui.export.writing import as_xlsx, everything, write_json, write_xlsx

__all__ = [
    "MATTERS",
    "CreditNotYours",
    "ExportTooLarge",
    "Matter",
    "Run",
    "Sentence",
    "Side",
    "Statement",
    "StatementDaysInvalid",
    "StatementLine",
    "StatementTooLong",
    "Step",
    "as_xlsx",
    "erase",
    "everything",
    "forget_files",
    "life_of",
    "matters",
    "print_statement",
    "runs_held",
    "runs_moved",
    "sentences_of",
    "sides_of",
    "statement_between",
    "write_json",
    "write_xlsx",
]
