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
    """Files are CSV, CSV.gz or Parquet, and their beginning agrees with their name."""

    code = "format_unknown"
    sentence = "{path} is neither CSV (.csv), nor gzip (.csv.gz), nor Parquet (.parquet), by its name and first bytes."
    sentence_zh = "根据文件名和开头字节,{path} 既不是 CSV(.csv),也不是 gzip(.csv.gz)或 Parquet(.parquet)。"


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
