"""A methodology as Markdown, section by section, in English, in Chinese, or in both side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from carbonhui.methodology.engines import Answers
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.parts import VERIFIED, Case, Field, Parameter, Said
from carbonhui.methodology.words import WORDS


@dataclass(frozen=True)
class Writer:
    """Writes in these languages, of ``"en"`` and ``"zh"``, the first one first."""

    languages: tuple[str, ...]

    def word(self, key: str) -> str:
        """A heading, or a word of the host's vocabulary; an unknown one as it stands."""
        return " ".join(dict.fromkeys(WORDS[language].get(key, key) for language in self.languages))

    def said(self, part: Said) -> str:
        """What a part of a methodology says."""
        return " / ".join(dict.fromkeys(part.said(language) for language in self.languages))

    def title(self, found: Methodology) -> str:
        """The methodology's own name."""
        return " / ".join(found.title[language] for language in self.languages)

    def section(self, key: str, *paragraphs: str) -> list[str]:
        """A heading and what stands below it; nothing where there is nothing to say."""
        said = [paragraph for paragraph in paragraphs if paragraph]
        return [f"## {self.word(key)}", *said] if said else []

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
        """A table with these headings; nothing where it has no rows."""
        lines = [[_cell(cell) for cell in row] for row in rows]
        if not lines:
            return ""
        head = [_cell(self.word(column)) for column in columns]
        return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])

    def body(self, found: Methodology, answers: Mapping[str, Answers] | None = None) -> list[str]:
        """Everything that the committee approves, and with ``answers`` what each engine gave for each case."""
        return [
            self._facts(found),
            *([self.word("demonstration_only")] if found.demonstration else []),
            *self.section("formula", *self._formulas(found)),
            *self.section("symbols", self._symbols(found)),
            *self.section("numbers", self._numbers(found)),
            *self.section("lookbacks", self._lookbacks(found)),
            *self.section("caps", self._caps(found)),
            *self.section("weights", self._weights(found)),
            *self.section("claim_window", self._claim_window(found)),
            *self.section("exclusions", self._exclusions(found)),
            *self.section("cases", self._cases(found, answers or {})),
        ]

    def _facts(self, found: Methodology) -> str:
        facts = {
            "id": found.id,
            "version": found.version,
            "document": found.document,
            "articles": ", ".join(map(str, found.articles)),
            "first_day": found.first_day,
            "activity": self.word(found.activity),
            "period": self.word(found.period) if found.period else "",
            "fingerprint": f"`{found.fingerprint}`",
        }
        return self.table(("fact", "value"), ((self.word(key), value) for key, value in facts.items() if value != ""))

    def _formulas(self, found: Methodology) -> list[str]:
        """As approved, and as credited wherever a cap or a weight makes that another number."""
        lines = [_code(f"mg = {found.formula.on_paper}")]
        for evidence in found.accepted_evidence:
            paper = found.credited(evidence).on_paper
            if paper != found.formula.on_paper:
                lines += [f"{self.word('credited')} ({self.word(evidence)}):", _code(f"mg = {paper}")]
        return lines

    def _symbols(self, found: Methodology) -> str:
        symbols: list[Field | Parameter] = [*found.fields.values(), *found.lookback_fields.values(), *found.parameters.values()]
        rows = (
            (f"`{one.name}`", self.said(one), one.unit, f"{one.low:,}", f"{one.high:,}", self._origin(one)) for one in symbols
        )
        return self.table(("symbol", "meaning", "unit", "lowest", "highest", "origin"), rows)

    def _origin(self, symbol: Field | Parameter) -> str:
        if isinstance(symbol, Parameter):
            return self.word("approved_number")
        return f"`{symbol.by}` (`{symbol.of}`)" if symbol.by else self.word("measured")

    def _numbers(self, found: Methodology) -> str:
        return self.table(
            ("symbol", "value", "unit", "factor_year", "published", "effective", "class", "source"),
            (
                (f"`{one.name}`", f"{dated.value:,}", one.unit, dated.factor_year or "-", dated.published or "-", dated.start,
                 dated.provenance_class, dated.source)
                for one in found.parameters.values() for dated in one.values
            ),
        )  # fmt: skip

    def _lookbacks(self, found: Methodology) -> str:
        rows = (
            (f"`{one.name}`", self.said(one), _settings(one.settings), one.source) for one in found.lookbacks.values()
        )
        return self.table(("lookback", "meaning", "settings", "source"), rows)

    def _caps(self, found: Methodology) -> str:
        rows = ((self.said(cap), f"`{cap.field}`", self.word(cap.per), f"{cap.most:,}", cap.source) for cap in found.caps)
        return self.table(("meaning", "of", "per", "most", "source"), rows)

    def _weights(self, found: Methodology) -> str:
        rows = [
            (self.word(one.evidence), self.said(one), f"{one.numerator}/{one.denominator}", f"{one.unit_mg:,}", one.source)
            for one in found.evidence_weights
        ]
        if found.weight_for(VERIFIED) == (1, 1):
            rows.insert(0, (self.word(VERIFIED), self.word("counts_whole"), "1/1", "1", "-"))
        rows.append((self.word("other_evidence"), self.word("not_accepted"), "-", "-", "-"))
        return self.table(("evidence", "meaning", "weight", "rounded_to", "source"), rows)

    def _claim_window(self, found: Methodology) -> str:
        window = found.claim_window
        rows = [(self.said(window), window.days, window.source)] if window else []
        return self.table(("meaning", "days", "source"), rows)

    def _exclusions(self, found: Methodology) -> str:
        rows = ((f"`{one.code}`", self.said(one), self.word(f"flag_{one.per}"), one.source) for one in found.exclusions)
        return self.table(("code", "meaning", "where_flagged", "source"), rows)

    def _cases(self, found: Methodology, answers: Mapping[str, Answers]) -> str:
        columns = ("case", "day", "evidence", "quantities", "mg", "because", *answers)
        rows = (
            (case.name, case.on, self.word(case.evidence), _quantities(case), f"{case.mg:,}", case.because,
             *(_answer(given[place]) for given in answers.values()))
            for place, case in enumerate(found.cases)
        )  # fmt: skip
        return self.table(columns, rows)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"```\n{text}\n```"


def _settings(settings: Mapping[str, int]) -> str:
    return ", ".join(f"`{name}` = {number:,}" for name, number in settings.items())


def _quantities(case: Case) -> str:
    return ", ".join(f"`{name}` = {number:,}" for name, number in case.quantities.items())


def _answer(mg: int | None) -> str:
    return "-" if mg is None else f"{mg:,}"
