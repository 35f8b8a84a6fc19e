"""Why one row is refused: the words of the quarantine file.

The codes are promises to the institutions that repair such rows. No sentence repeats
the subject of a row.
"""

from carbonhui.core.refusals import Refusal


class ColumnsMissing(Refusal):
    code = "columns_missing"
    sentence = "The row has {found} columns; it needs {wanted}."
    sentence_zh = "该行有 {found} 列;应有 {wanted} 列。"


class ColumnsTooMany(Refusal):
    code = "columns_too_many"
    sentence = "The row has {found} columns; it needs {wanted}. A comma inside a value needs quotes around the value."
    sentence_zh = "该行有 {found} 列;应有 {wanted} 列。值中含逗号时须加引号。"


class NotUtf8(Refusal):
    code = "not_utf8"
    sentence = "Byte {found} of the row is not UTF-8."
    sentence_zh = "该行第 {found} 个字节不是 UTF-8 编码。"


class LineTooLong(Refusal):
    code = "line_too_long"
    sentence = "The line is longer than {most} bytes; only its beginning is kept here."
    sentence_zh = "该行超过 {most} 字节;此处仅保留开头部分。"


class QuoteNotClosed(Refusal):
    code = "quote_not_closed"
    sentence = "A quotation mark in the row has no partner, or the quoted row is not well formed."
    sentence_zh = "该行的引号不成对,或引号内的行格式有误。"


class SubjectMissing(Refusal):
    code = "subject_missing"
    sentence = "The column {column} is empty, so nobody can be credited."
    sentence_zh = "{column} 列为空,无法归属到个人。"


class IdentifierUnreadable(Refusal):
    code = "identifier_unreadable"
    sentence = "The column {column} holds other characters than plain letters, digits and signs, or more than {most} of them."
    sentence_zh = "{column} 列含有半角字母、数字和符号以外的字符,或超过 {most} 个字符。"


class KeyMissing(Refusal):
    code = "key_missing"
    sentence = "The column {column} is empty, so the row cannot be told from others."
    sentence_zh = "{column} 列为空,无法与其他行区分。"


class ImpossibleDate(Refusal):
    code = "impossible_date"
    sentence = "The column {column} holds no possible time: {why}."
    sentence_zh = "{column} 列的时间不成立:{why_zh}。"


class UnknownStation(Refusal):
    code = "unknown_station"
    sentence = "The column {column} names the station {station}, which is not in the station list."
    sentence_zh = "{column} 列的站点 {station} 不在站点列表中。"


class StationWithoutCoordinates(Refusal):
    code = "station_without_coordinates"
    sentence = "The station {station} in the column {column} has no coordinates in the station list."
    sentence_zh = "{column} 列的站点 {station} 在站点列表中没有坐标。"


class TooShort(Refusal):
    code = "too_short"
    sentence = "The trip took {found} s; a trip takes at least {least} s."
    sentence_zh = "行程用时 {found} 秒;至少应为 {least} 秒。"


class TooLong(Refusal):
    code = "too_long"
    sentence = "The trip took {found} s; a trip takes at most {most} s."
    sentence_zh = "行程用时 {found} 秒;至多为 {most} 秒。"


class RoundTrip(Refusal):
    code = "round_trip"
    sentence = "The trip ended at the station {station} where it began, so its distance is not known."
    sentence_zh = "行程在出发站点 {station} 结束,无法得知距离。"


class TooFast(Refusal):
    code = "too_fast"
    sentence = "{metres} m in a straight line in {seconds} s is faster than {most} km/h."
    sentence_zh = "{seconds} 秒直线行进 {metres} 米,超过 {most} 公里/小时。"


class Overlapping(Refusal):
    code = "overlapping"
    sentence = "At {at} the same subject was on another accepted trip."
    sentence_zh = "{at} 时同一主体正处于另一已接受的行程中。"


class KeyReused(Refusal):
    code = "key_reused"
    sentence = "The same act was received before with other content; what was received first stays."
    sentence_zh = "同一活动此前已以不同内容接收;以先接收者为准。"


class ValueNotANumber(Refusal):
    code = "value_not_a_number"
    sentence = "The column {column} holds no plain number."
    sentence_zh = "{column} 列不是普通数字。"


class NegativeUse(Refusal):
    code = "negative_use"
    sentence = "The column {column} is negative; use is 0 or more."
    sentence_zh = "{column} 列为负数;用量应不小于 0。"


class UseTooHigh(Refusal):
    code = "use_too_high"
    sentence = "The column {column} is above {most} kWh, which one household does not use in one reading."
    sentence_zh = "{column} 列超过 {most} 千瓦时,单户单次读数不可能达到。"


class ReadingsOutOfRange(Refusal):
    code = "readings_out_of_range"
    sentence = "The column {column} says {found} readings; the month holds from 1 to {most}."
    sentence_zh = "{column} 列的读数次数为 {found};该月应为 1 至 {most} 次。"


ROW_REFUSALS: dict[str, type[Refusal]] = {
    kind.code: kind
    for kind in (
        ColumnsMissing,
        ColumnsTooMany,
        NotUtf8,
        LineTooLong,
        QuoteNotClosed,
        SubjectMissing,
        IdentifierUnreadable,
        KeyMissing,
        ImpossibleDate,
        UnknownStation,
        StationWithoutCoordinates,
        TooShort,
        TooLong,
        RoundTrip,
        TooFast,
        Overlapping,
        KeyReused,
        ValueNotANumber,
        NegativeUse,
        UseTooHigh,
        ReadingsOutOfRange,
    )
}
