"""What a methodology may not say, sentence by sentence (Articles 14-16).

The reader is mostly the person who writes a methodology, so each sentence names the
place, the number found and what would have been accepted.
"""

from carbonhui.core.refusals import Refusal


class FormulaValueNotWhole(Refusal):
    """A formula holds whole numbers only: no float, no truth value, no text."""

    code = "formula_value_not_whole"
    sentence = "{value} in a formula is a {type}; a formula holds whole numbers of the smallest unit."
    sentence_zh = "公式中的 {value} 类型是 {type};公式只接受以最小单位表示的整数。"


class FormulaOperatorNotExact(Refusal):
    """`/` and `**` leave the whole numbers, so they have no place in a formula."""

    code = "formula_operator_not_exact"
    sentence = "The operator {operator} has no exact meaning in a formula; write {instead}."
    sentence_zh = "运算符 {operator} 在公式中没有精确含义;请改用 {instead}。"


class FormulaTestedForTruth(Refusal):
    """A formula is true or false only once it has numbers, so `if`, `and` and `a < b < c` cannot ask it."""

    code = "formula_tested_for_truth"
    sentence = (
        "A formula cannot be tested for truth before it has numbers; write where(condition, a, b) or "
        "all_of(a, b)."
    )
    sentence_zh = "公式在代入数值之前没有真假;请改用 where(condition, a, b) 或 all_of(a, b)。"


class FormulaConditionExpected(Refusal):
    """`where`, `all_of` and `any_of` choose by a comparison, never by a number."""

    code = "formula_condition_expected"
    sentence = "{value} is a {type}; a comparison such as metres > 500 is expected here."
    sentence_zh = "{value} 的类型是 {type};此处应为比较式,例如 metres > 500。"


class FormulaDivisorNotPositive(Refusal):
    """What a formula divides by is at least 1 for every permitted input."""

    code = "formula_divisor_not_positive"
    sentence = (
        "The divisor may be any number from {low} to {high}; a divisor must be at least 1 for every "
        "permitted input."
    )
    sentence_zh = "除数的取值可能是 {low} 至 {high};对任何允许的输入,除数必须至少为 1。"


class FormulaTooWide(Refusal):
    """Every intermediate result fits 64 bits, proven before anything is counted."""

    code = "formula_too_wide"
    sentence = (
        "An intermediate result of {operation} may be any number from {low} to {high}; "
        "it must stay within {lowest} and {highest}. Narrow the ranges of the fields."
    )
    sentence_zh = "{operation} 的中间结果可能是 {low} 至 {high};必须在 {lowest} 至 {highest} 之间。请收窄字段范围。"


class FormulaTooLarge(Refusal):
    """A formula is small enough to be checked on paper."""

    code = "formula_too_large"
    sentence = (
        "The formula is {depth} operations deep and {size} terms long when written out; "
        "at most {deepest} and {largest} are read."
    )
    sentence_zh = "公式嵌套 {depth} 层,展开后有 {size} 项;最多允许 {deepest} 层和 {largest} 项。"


class FormulaNameNotAllowed(Refusal):
    """A quantity's name means the same in Python, in SQL and on paper."""

    code = "formula_name_not_allowed"
    sentence = (
        "{name} cannot name a quantity; use lower-case letters, digits and _, at most 60, and not a word of "
        "Python."
    )
    sentence_zh = "{name} 不能作为量的名称;请使用小写字母、数字和 _,至多 60 个字符,且不得为 Python 保留字。"


class FormulaRangeEmpty(Refusal):
    """A range names its lowest number first, and holds at least that one."""

    code = "formula_range_empty"
    sentence = "The range of {name} runs from {low} to {high}; the lowest number comes first."
    sentence_zh = "{name} 的范围是 {low} 至 {high};应先写最小值。"


class FormulaFileUnreadable(Refusal):
    """formula.py is one small, well-formed Python file."""

    code = "formula_file_unreadable"
    sentence = "formula.py cannot be read: {reason}"
    sentence_zh = "无法读取 formula.py:{reason}"


class FormulaLineRefused(Refusal):
    """formula.py holds imports of the vocabulary, whole constants and one function, nothing else."""

    code = "formula_line_refused"
    sentence = "Line {line} of formula.py has {found}; {wanted}."
    sentence_zh = "formula.py 第 {line} 行出现 {found};要求:{wanted}。"


class FormulaArgumentsDiffer(Refusal):
    """The function asks for exactly the quantities that methodology.toml declares."""

    code = "formula_arguments_differ"
    sentence = (
        "The function lacks {lacking} and asks for undeclared {undeclared}; its arguments are the declared "
        "quantities."
    )
    sentence_zh = "函数缺少参数 {lacking},并使用了未声明的参数 {undeclared};函数参数必须与声明的量一致。"


class FormulaResultOutOfRange(Refusal):
    """A reduction is never negative and never larger than an amount may be."""

    code = "formula_result_out_of_range"
    sentence = (
        "The result may be any number of milligrams from {low} to {high}; "
        "it must stay within 0 and {largest}. A formula that may go below 0 says maximum(0, ...)."
    )
    sentence_zh = "结果可能是 {low} 至 {high} 毫克;必须在 0 至 {largest} 之间。可能为负的公式须写 maximum(0, ...)。"


class QuantitiesDiffer(Refusal):
    """A record names every quantity of the formula, and no other."""

    code = "quantities_differ"
    sentence = "The record lacks {lacking} and names unknown {unknown}; it must name exactly {wanted}."
    sentence_zh = "记录缺少 {lacking},并含有未知的 {unknown};应恰好包含 {wanted}。"


class QuantityNotWhole(Refusal):
    """A quantity of a record is a whole number of its unit."""

    code = "quantity_not_whole"
    sentence = "{name} is {value}, a {type}; it must be a whole number."
    sentence_zh = "{name} 为 {value},类型是 {type};必须是整数。"


class QuantityOutOfRange(Refusal):
    """A quantity of a record lies in the range that the methodology declares."""

    code = "quantity_out_of_range"
    sentence = "{name} is {value}; it must be at least {low} and at most {high}."
    sentence_zh = "{name} 为 {value};必须至少为 {low},至多为 {high}。"


class DayBeforeFirstDate(Refusal):
    """An activity before the first approved number cannot be measured (Article 16)."""

    code = "day_before_first_date"
    sentence = "The methodology {methodology} has no numbers for {day}; its first day is {first_day}."
    sentence_zh = "方法学 {methodology} 在 {day} 尚无数值;其首日为 {first_day}。"


class MethodologyFileMissing(Refusal):
    """A methodology is a folder with methodology.toml and formula.py."""

    code = "methodology_file_missing"
    sentence = "The folder {folder} has no {file}; a methodology holds methodology.toml and formula.py."
    sentence_zh = "文件夹 {folder} 中没有 {file};方法学须包含 methodology.toml 和 formula.py。"


class MethodologyFileUnreadable(Refusal):
    """methodology.toml is well-formed TOML 1.0 in UTF-8."""

    code = "methodology_file_unreadable"
    sentence = "methodology.toml cannot be read: {reason}"
    sentence_zh = "无法读取 methodology.toml:{reason}"


class MethodologyNumberNotWhole(Refusal):
    """Numbers in methodology.toml are whole; a factor is given in a smaller unit instead."""

    code = "methodology_number_not_whole"
    sentence = "Line {line} of methodology.toml has the number {number}; write a whole number of a smaller unit."
    sentence_zh = "methodology.toml 第 {line} 行的数字是 {number};请改用更小的单位并写成整数。"


class MethodologyKeyMissing(Refusal):
    """Every key that a methodology needs is there."""

    code = "methodology_key_missing"
    sentence = "methodology.toml has no {key}; it must be {wanted}."
    sentence_zh = "methodology.toml 缺少 {key};应为{wanted}。"


class MethodologyKeyUnknown(Refusal):
    """A key that nobody reads is a mistake, so it is refused."""

    code = "methodology_key_unknown"
    sentence = "methodology.toml has the key {key}, which nobody reads; known here are {known}."
    sentence_zh = "methodology.toml 含有无人读取的键 {key};此处已知的键为 {known}。"


class MethodologyKeyWrong(Refusal):
    """Every key of a methodology holds the kind of thing it names."""

    code = "methodology_key_wrong"
    sentence = "{key} in methodology.toml is {value}; it must be {wanted}."
    sentence_zh = "methodology.toml 中的 {key} 为 {value};应为{wanted}。"


class MethodologyNamesClash(Refusal):
    """A field, a looked-back field and a parameter never share a name."""

    code = "methodology_names_clash"
    sentence = "{name} is declared twice, among {first} and {second}; each quantity has its own name."
    sentence_zh = "{name} 在 {first} 和 {second} 中重复声明;每个量须有唯一名称。"


class MethodologyNameTaken(Refusal):
    """A quantity never bears the name of a column that the host itself fills."""

    code = "methodology_name_taken"
    sentence = "{name} among {group} is a name of the host's own columns; choose another for this quantity."
    sentence_zh = "{group} 中的 {name} 是系统数据列的名称;请为该量另取名称。"


class ActivityFieldsWrong(Refusal):
    """A methodology asks of an activity what the host can give."""

    code = "activity_fields_wrong"
    sentence = "A methodology of {activity} activity names the fields {found}; the host gives {wanted}."
    sentence_zh = "{activity} 类活动的方法学声明了字段 {found};系统提供的是{wanted_zh}。"


class LookbackPeriodWrong(Refusal):
    """Each lookback is defined for readings of one period."""

    code = "lookback_period_wrong"
    sentence = (
        "The lookback {lookback} compares readings of one {wanted}; this methodology is of {activity} activity "
        "and period {period}."
    )
    sentence_zh = "回溯方式 {lookback} 比较的是 period = {wanted} 的读数;该方法学的活动类型为 {activity},周期为 {period}。"


class LookbackUnused(Refusal):
    """A lookback that brings nothing is a mistake."""

    code = "lookback_unused"
    sentence = "The lookback {lookback} is declared, and no looked-back field says by = {lookback!r}."
    sentence_zh = "声明了回溯方式 {lookback},但没有回溯字段写明 by = {lookback!r}。"


class CapNotApplicable(Refusal):
    """A record is cut by its fields or its milligrams, a person's day, month or year by the milligrams."""

    code = "cap_not_applicable"
    sentence = "The cap on {field} per {per} cannot be applied; per day, month or year only mg is capped, a field per activity."
    sentence_zh = "无法按 {per} 对 {field} 设限;按日、月、年只能对 mg 设限,字段只能按每次活动设限。"


class ExclusionNotApplicable(Refusal):
    """Only readings carry the flags by which they are excluded."""

    code = "exclusion_not_applicable"
    sentence = "The exclusion {exclusion} cannot be applied to {activity} activity; only readings carry flags."
    sentence_zh = "排除项 {exclusion} 不适用于 {activity} 类活动;只有读数带有标记。"


class MethodologyRuleRepeated(Refusal):
    """One matter has one rule."""

    code = "methodology_rule_repeated"
    sentence = "The {what} of {name} stands twice in methodology.toml; one of them must go."
    sentence_zh = "methodology.toml 中 {name} 的 {what} 重复出现;请删去其一。"


class EvidenceNotAccepted(Refusal):
    """A reduction counts only by evidence that its methodology accepts."""

    code = "evidence_not_accepted"
    sentence = "The methodology {methodology} does not accept {evidence} evidence; it accepts {accepted}."
    sentence_zh = "方法学 {methodology} 不接受 {evidence} 类证据;可接受的有 {accepted}。"


class ValueWithoutSource(Refusal):
    """Each number names the paper that it comes from (Article 14)."""

    code = "value_without_source"
    sentence = "The value {value} of {parameter} has no source; every number names the paper it comes from."
    sentence_zh = "{parameter} 的数值 {value} 没有来源;每个数值都须注明出处。"


class ValueUnconfirmed(Refusal):
    """A number that no official or press source confirms may only be shown, never minted on."""

    code = "value_unconfirmed"
    sentence = (
        "The value {value} of {parameter} is of provenance class {provenance_class}; "
        "a methodology with such a value must say demonstration = true."
    )
    sentence_zh = "{parameter} 的数值 {value} 来源等级为 {provenance_class};含此类数值的方法学须声明 demonstration = true。"


class ValueDatesNotRising(Refusal):
    """A number is never edited, only followed by another with a later date (Article 15)."""

    code = "value_dates_not_rising"
    sentence = "{parameter} has a value from {day} after one from {previous}; each value starts on a later day."
    sentence_zh = "{parameter} 在自 {previous} 起的数值之后又有自 {day} 起的数值;每个数值须从更晚的日期开始。"


class ValueDateRepeated(Refusal):
    """On one day one number is in force."""

    code = "value_date_repeated"
    sentence = "{parameter} has two values from {day}; on one day one number is in force."
    sentence_zh = "{parameter} 自 {day} 起有两个数值;同一天只能有一个数值生效。"


class WorkedCaseWrong(Refusal):
    """A worked case comes out as it was worked on paper, after the caps of one record and the weight of its evidence."""

    code = "worked_case_wrong"
    sentence = "The case {case!r} says {written_mg} mg; the methodology gives {computed_mg} mg."
    sentence_zh = "算例 {case!r} 写明 {written_mg} 毫克;方法学得出 {computed_mg} 毫克。"


class EnginesDisagree(Refusal):
    """Every engine gives the same milligram."""

    code = "engines_disagree"
    sentence = "For {record} Python gives {python_mg} mg and {engine} gives {engine_mg} mg; both must be equal."
    sentence_zh = "对于 {record},Python 得出 {python_mg} 毫克,{engine} 得出 {engine_mg} 毫克;两者必须相等。"


class MethodologyIdRepeated(Refusal):
    """One name and version stand for one methodology, whoever ships it."""

    code = "methodology_id_repeated"
    sentence = "The methodology {methodology} is in {first} and in {second}; uninstall one of them."
    sentence_zh = "方法学 {methodology} 同时存在于 {first} 和 {second};请卸载其中之一。"


class ArchiveDiffers(Refusal):
    """What is archived under a fingerprint has that fingerprint."""

    code = "archive_differs"
    sentence = (
        "The archived files {files} do not give the fingerprint {fingerprint}; the archive was changed from outside, "
        "and nothing is measured by it."
    )
    sentence_zh = "归档文件 {files} 与指纹 {fingerprint} 不符;归档曾被外部改动,不得据以计量。"


class ScaffoldNameInvalid(Refusal):
    """A methodology's name is a package's name as well."""

    code = "scaffold_name_invalid"
    sentence = "{name} cannot name a methodology; use lower-case letters, digits and _, at most 60, and not a word of Python."
    sentence_zh = "{name} 不能作为方法学标识;请使用小写字母、数字和 _,至多 60 个字符,且不得为 Python 保留字。"


class ScaffoldExists(Refusal):
    """Nothing that somebody wrote is written over."""

    code = "scaffold_exists"
    sentence = "There is already something at {folder}; choose another name or another folder."
    sentence_zh = "{folder} 已存在;请另选名称或目录。"


class MethodologyPackageMissing(Refusal):
    """An installed package's entry point leads to a folder."""

    code = "methodology_package_missing"
    sentence = "The entry point {entry} names the package {package}, which has no folder here."
    sentence_zh = "入口点 {entry} 指向软件包 {package},但此处没有对应的文件夹。"
