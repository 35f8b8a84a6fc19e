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


class LineBreakAlone(Refusal):
    code = "line_break_alone"
    sentence = "The row holds a carriage return without a line feed, so it may be two rows."
    sentence_zh = "该行含有单独的回车符(没有换行符),可能是两行。"


class NotJson(Refusal):
    code = "not_json"
    sentence = "The line is not one JSON object."
    sentence_zh = "该行不是一个 JSON 对象。"


class KeysMissing(Refusal):
    code = "keys_missing"
    sentence = "The row lacks the keys {missing}."
    sentence_zh = "该行缺少键 {missing}。"


class KeysUnknown(Refusal):
    code = "keys_unknown"
    sentence = "The row has {found} keys that the profile does not name."
    sentence_zh = "该行有 {found} 个配置中没有的键。"


class KeyTwice(Refusal):
    code = "key_twice"
    sentence = "The row says {column} twice."
    sentence_zh = "该行重复给出 {column}。"


class ValueNotText(Refusal):
    code = "value_not_text"
    sentence = "The column {column} holds {found}; a value is a text or a number."
    sentence_zh = "{column} 列为{found_zh};应为文本或数字。"


class NotUnicode(Refusal):
    code = "not_unicode"
    sentence = "The column {column} holds half a character (a lone surrogate)."
    sentence_zh = "{column} 列含有不完整的字符(孤立代理项)。"


class NumberNotExact(Refusal):
    code = "number_not_exact"
    sentence = "The column {column} holds a number of {most} or more, which a workbook does not keep exactly; make the cell a text."
    sentence_zh = "{column} 列的数字不小于 {most},工作簿无法精确保存;请将单元格设为文本。"


class RecordUnreadable(Refusal):
    code = "record_unreadable"
    sentence = "The record cannot be read: {why}."
    sentence_zh = "该记录无法读取:{why_zh}。"


class IntervalCountWrong(Refusal):
    code = "interval_count_wrong"
    sentence = "The record has {found} values; a day of {minutes} minute intervals has {wanted}."
    sentence_zh = "该记录有 {found} 个值;以 {minutes} 分钟为间隔的一天应有 {wanted} 个。"


class ChannelNotUse(Refusal):
    code = "channel_not_use"
    sentence = "The channel {suffix} in {unit} is not energy taken from the grid."
    sentence_zh = "通道 {suffix}(单位 {unit})不是取自电网的电量。"


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
    sentence = "The column {column} comes to {found} {unit} a day; one household uses at most {most} {unit} a day."
    sentence_zh = "{column} 列折合每日 {found} {unit};单户每日至多 {most} {unit}。"


class ReadingsOutOfRange(Refusal):
    code = "readings_out_of_range"
    sentence = "The column {column} says {found} readings; the time it covers holds from 1 to {most}."
    sentence_zh = "{column} 列的读数次数为 {found};所涵盖的时段应为 1 至 {most} 次。"


class ModeUnknown(Refusal):
    code = "mode_unknown"
    sentence = "The column {column} names no mode of the profile; it knows {known}."
    sentence_zh = "{column} 列的出行方式不在配置中;已知方式:{known}。"


class SwipeKindUnknown(Refusal):
    code = "swipe_kind_unknown"
    sentence = "The column {column} names no kind of swipe of the profile; it knows {known}."
    sentence_zh = "{column} 列的刷卡类型不在配置中;已知类型:{known}。"


class SwipeWithoutPartner(Refusal):
    code = "swipe_without_partner"
    sentence = "The swipe {found} has no partner within {most} s; send both together."
    sentence_zh = "刷卡记录({found})在 {most} 秒内没有配对;请将两条记录一并发送。"


class MeterMissing(Refusal):
    code = "meter_missing"
    sentence = "The column {column} is empty, so one meter cannot be told from another."
    sentence_zh = "{column} 列为空,无法区分不同的表计。"


class SeveralMeters(Refusal):
    code = "several_meters"
    sentence = "{found} different readings of one subject and time, without a meter's number: nobody can tell the meters apart."
    sentence_zh = "同一主体同一时段有 {found} 个不同读数且无表号:无法区分表计。"


class NotResidential(Refusal):
    code = "not_residential"
    sentence = "The column {column} is none of {wanted}: the use is no household's."
    sentence_zh = "{column} 列不是 {wanted} 之一:不属于居民用量。"


class EstimatedReading(Refusal):
    code = "estimated_reading"
    sentence = "The column {column} says that the meter was not read; an estimate is not credited."
    sentence_zh = "{column} 列表明未实际抄表;估计值不予计量。"


class BillTooShort(Refusal):
    code = "bill_too_short"
    sentence = "The bill covers {found} days; a bill covers at least {least} days."
    sentence_zh = "账单涵盖 {found} 天;至少应为 {least} 天。"


class BillTooLong(Refusal):
    code = "bill_too_long"
    sentence = "The bill covers {found} days; a bill covers at most {most} days."
    sentence_zh = "账单涵盖 {found} 天;至多为 {most} 天。"


class BillOverlapping(Refusal):
    code = "bill_overlapping"
    sentence = "The day {at} stands in another accepted bill of the same meter."
    sentence_zh = "{at} 已包含在同一表计的另一份已接受的账单中。"


class NegativeQuantity(Refusal):
    code = "negative_quantity"
    sentence = "The column {column} is negative; a quantity is 0 or more."
    sentence_zh = "{column} 列为负数;数量应不小于 0。"


class QuantityTooHigh(Refusal):
    code = "quantity_too_high"
    sentence = "With this row the day comes to {found}; at most {most} a day is believed."
    sentence_zh = "计入该行后当日合计为 {found};每日至多 {most}。"


class UsedElsewhere(Refusal):
    code = "used_elsewhere"
    sentence = "The act is used in another mechanism ({mechanism}) and is not counted again."
    sentence_zh = "该活动已用于其他机制({mechanism}),不再重复计算。"


ROW_REFUSALS: dict[str, type[Refusal]] = {
    kind.code: kind
    for kind in (
        ColumnsMissing,
        ColumnsTooMany,
        NotUtf8,
        LineTooLong,
        QuoteNotClosed,
        LineBreakAlone,
        NotJson,
        KeysMissing,
        KeysUnknown,
        KeyTwice,
        ValueNotText,
        NotUnicode,
        NumberNotExact,
        RecordUnreadable,
        IntervalCountWrong,
        ChannelNotUse,
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
        ModeUnknown,
        SwipeKindUnknown,
        SwipeWithoutPartner,
        MeterMissing,
        SeveralMeters,
        NotResidential,
        EstimatedReading,
        BillTooShort,
        BillTooLong,
        BillOverlapping,
        NegativeQuantity,
        QuantityTooHigh,
        UsedElsewhere,
    )
}
