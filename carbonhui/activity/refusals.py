"""Why a whole file is refused. Nothing of it is loaded, and it can be sent again.

No sentence repeats an identifier of a person: values of a file are never shown here.
"""

from carbonhui.core.refusals import Refusal


class ProfileUnknown(Refusal):
    """A file is read by one of the installed profiles."""

    code = "profile_unknown"
    sentence = "There is no profile {profile}; the profiles are {known}."
    sentence_zh = "没有名为 {profile} 的配置;可用配置:{known}。"


class ProfileInvalid(Refusal):
    """A profile says everything that is needed and nothing else."""

    code = "profile_invalid"
    sentence = "The profile {profile} cannot be used: {reason}."
    sentence_zh = "配置 {profile} 无法使用:{reason}。"


class ProfileForDemoOnly(Refusal):
    """Demonstration data never mixes with a city's real activity."""

    code = "profile_for_demo_only"
    sentence = "The profile {profile} is for demonstration data; this store is {store}. Use it in the demo profile."
    sentence_zh = "配置 {profile} 仅用于演示数据;本数据库的配置为 {store}。请在演示配置中使用。"


class FileNotFound(Refusal):
    """There is a file at the path."""

    code = "file_not_found"
    sentence = "There is no file {path}."
    sentence_zh = "文件 {path} 不存在。"


class NotAFile(Refusal):
    """A folder or a device is not a file of activity."""

    code = "not_a_file"
    sentence = "{path} is not an ordinary file; name one file."
    sentence_zh = "{path} 不是普通文件;请指定一个文件。"


class FileUnreadable(Refusal):
    """The file can be opened and read."""

    code = "file_unreadable"
    sentence = "The file {path} cannot be read: {reason}."
    sentence_zh = "无法读取文件 {path}:{reason}。"


class FormatUnknown(Refusal):
    """Files are CSV, JSON lines, XLSX or Parquet, and their beginning agrees with their name."""

    code = "format_unknown"
    sentence = (
        "{path} is neither CSV (.csv), nor JSON lines (.jsonl, .ndjson), nor one of these in gzip (.gz), nor XLSX (.xlsx),"
        " nor Parquet (.parquet), by its name and first bytes."
    )
    sentence_zh = (
        "根据文件名和开头字节,{path} 既不是 CSV(.csv)、JSON lines(.jsonl、.ndjson)或其 gzip(.gz),"
        "也不是 XLSX(.xlsx)或 Parquet(.parquet)。"
    )


class FileEmpty(Refusal):
    """A file has a header and at least one row."""

    code = "file_empty"
    sentence = "The file {path} has no rows."
    sentence_zh = "文件 {path} 没有数据行。"


class FileTruncated(Refusal):
    """A file ends where its format says: with a line break, a gzip trailer or a Parquet footer."""

    code = "file_truncated"
    sentence = "The file {path} was cut: it does not end with {wanted}. Nothing was loaded; send it again."
    sentence_zh = "文件 {path} 不完整:结尾缺少{wanted_zh}。未加载任何数据;请重新发送。"


class FileDamaged(Refusal):
    """The compressed content agrees with its own checksums."""

    code = "file_damaged"
    sentence = "The file {path} is damaged: {reason}. Nothing was loaded; send it again."
    sentence_zh = "文件 {path} 已损坏:{reason}。未加载任何数据;请重新发送。"


class FileChanged(Refusal):
    """A file stays as it is while it is read."""

    code = "file_changed"
    sentence = "The file {path} changed while it was read. Nothing was loaded; send it when it is complete."
    sentence_zh = "读取过程中文件 {path} 发生了变化。未加载任何数据;请在文件完整后再发送。"


class ColumnsDiffer(Refusal):
    """The columns are those of the profile, by name and in order."""

    code = "columns_differ"
    sentence = "The file {path} has the columns {found}; the profile {profile} expects {expected}, in this order."
    sentence_zh = "文件 {path} 的列为 {found};配置 {profile} 要求依次为 {expected}。"


class FileNotUtf8(Refusal):
    """Text is UTF-8; a file in another encoding is refused as a whole."""

    code = "file_not_utf8"
    sentence = "The file {path} is not UTF-8 ({reason}). Save it as UTF-8 and send it again."
    sentence_zh = "文件 {path} 不是 UTF-8 编码({reason})。请另存为 UTF-8 后重新发送。"


class NotJsonLines(Refusal):
    """A file named JSON lines has one JSON object on each line."""

    code = "not_json_lines"
    sentence = "The file {path} is not JSON lines: {found} of {wanted} lines are no JSON objects."
    sentence_zh = "文件 {path} 不是 JSON lines:{wanted} 行中有 {found} 行不是 JSON 对象。"


class NotAMeterFile(Refusal):
    """A meter data file begins with the header record of its form."""

    code = "not_a_meter_file"
    sentence = "The file {path} is not a {form} file: it does not begin with the record 100,{form}."
    sentence_zh = "文件 {path} 不是 {form} 文件:开头不是 100,{form} 记录。"


class WorkbookUnusable(Refusal):
    """A workbook is an ordinary .xlsx: not encrypted, without macros."""

    code = "workbook_unusable"
    sentence = "The workbook {path} cannot be used: {reason}."
    sentence_zh = "工作簿 {path} 无法使用:{reason_zh}。"


class WorkbookTooLarge(Refusal):
    """A workbook that unpacks to more than can be read safely is refused before it is read."""

    code = "workbook_too_large"
    sentence = "The workbook {path} is too large: {reason}. Send it in parts, or as CSV."
    sentence_zh = "工作簿 {path} 过大:{reason_zh}。请分批发送,或改用 CSV。"


class WorkbookHasFormulas(Refusal):
    """What a formula gave when it was last computed is nobody's statement, so no cell holds one."""

    code = "workbook_has_formulas"
    sentence = "The workbook {path} has a formula in the cell {cell}; replace formulas by their values and send it again."
    sentence_zh = "工作簿 {path} 的单元格 {cell} 含有公式;请将公式替换为数值后重新发送。"


class WorkbookHasMoreSheets(Refusal):
    """Only the first sheet is read, so no other may hold anything."""

    code = "workbook_has_more_sheets"
    sentence = "The workbook {path} holds data in the sheet {sheet} as well; send one workbook for each sheet."
    sentence_zh = "工作簿 {path} 的工作表 {sheet} 中也有数据;请每个工作表单独发送一个工作簿。"


class StationsNeeded(Refusal):
    """Distances need the places of the stations."""

    code = "stations_needed"
    sentence = "The profile {profile} needs the list of stations; name its file."
    sentence_zh = "配置 {profile} 需要站点列表;请指定该文件。"


class StationsUnreadable(Refusal):
    """A station list has one line for each station, with its id and its coordinates in degrees."""

    code = "stations_unreadable"
    sentence = "The station list {path} cannot be used: {reason}."
    sentence_zh = "站点列表 {path} 无法使用:{reason}。"


class SourceBusy(Refusal):
    """One file of a source is loaded at a time, so that an act cannot be counted twice."""

    code = "source_busy"
    sentence = "Another file of {source} is being loaded; try again when it is done."
    sentence_zh = "{source} 的另一个文件正在加载;请在完成后重试。"


class LakeFileDiffers(Refusal):
    """A file of the lake is as it was when its batch was recorded."""

    code = "lake_file_differs"
    sentence = "The lake file {path} is missing or is not what batch {batch} recorded; nothing is measured from it."
    sentence_zh = "数据湖文件 {path} 缺失或与批次 {batch} 的记录不符;不会据此计量。"


class LakeOutdated(Refusal):
    """A source's files all lie in the lake in one form."""

    code = "lake_outdated"
    sentence = "The source {source} holds batches of the older lake form {found}; this release writes and reads form {wanted}. Begin a new store."
    sentence_zh = "来源 {source} 含有旧版数据湖格式 {found} 的批次;本版本使用格式 {wanted}。请新建数据库。"


class ThresholdNotApproved(Refusal):
    """What is believed of an act is decided by the three bodies, not by a file (Article 14)."""

    code = "threshold_not_approved"
    sentence = "No value of {name} is in force on {day}; nothing was loaded. Let it be approved, then send the file again."
    sentence_zh = "{name} 在 {day} 没有生效的数值;未加载任何数据。请先完成审批,再重新发送。"


class ThresholdsChanged(Refusal):
    """A file is judged by the thresholds that are in force when it is recorded."""

    code = "thresholds_changed"
    sentence = "A threshold of the profile {profile} changed while the file was read. Nothing was loaded; send it again."
    sentence_zh = "读取过程中配置 {profile} 的阈值发生了变化。未加载任何数据;请重新发送。"


class TooManyRows(Refusal):
    """Rows without a file come in small batches."""

    code = "too_many_rows"
    sentence = "{found} rows came at once; at most {most} rows come without a file. Send a file, or several batches."
    sentence_zh = "一次收到 {found} 行;不经文件时每次至多 {most} 行。请发送文件或分批发送。"


class RowsUnusable(Refusal):
    """Each row is a text for each column of the profile."""

    code = "rows_unusable"
    sentence = "The rows cannot be used: row {row}: {reason}."
    sentence_zh = "无法使用这些行:第 {row} 行:{reason_zh}。"


class DeclarationIncomplete(Refusal):
    """A declaration says which mechanism uses the acts, and who declares it."""

    code = "declaration_incomplete"
    sentence = "The {field} is missing; acts are declared with the mechanism that uses them and by whom."
    sentence_zh = "缺少 {field};申报须注明使用该活动的机制和申报人。"


class DeclarationUnreadable(Refusal):
    """A declaration is taken whole: an act of it that is not understood would be counted twice."""

    code = "declaration_unreadable"
    sentence = "{found} rows of {path} name no act; the first is row {row}: {why} Nothing was declared."
    sentence_zh = "{path} 中有 {found} 行无法确定活动;首个为第 {row} 行:{why_zh}未作任何申报。"


class RefusedRowsGone(Refusal):
    """Refused rows hold identifiers as they were received, so they are kept for a stated time."""

    code = "refused_rows_gone"
    sentence = "The refused rows of this delivery are no longer here: they are kept for {days} days. Send the rows again from your own records."
    sentence_zh = "该批次被拒绝的行已不再保留:仅保留 {days} 天。请从贵方记录中重新发送。"


class ActsRangeTooLong(Refusal):
    """A person's acts are told a month at a time."""

    code = "acts_range_too_long"
    sentence = "Acts from {first} to {last} were asked for; ask for at most {most} days, the first before the last."
    sentence_zh = "请求了 {first} 至 {last} 的活动;一次最多 {most} 天,且起始日不晚于截止日。"
