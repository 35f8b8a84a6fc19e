"""Taking in what service institutions measured (Articles 12, 16).

A file is read by the profile of its source. Each of its rows is accepted into the lake,
known already, or refused with a reason the institution can act on; nothing is dropped in
silence. The lake holds blind indexes, never identifiers.
"""

from carbonhui.activity.batches import Batch, batches, lake_files, subjects, verified
from carbonhui.activity.lake import LakeFile
from carbonhui.activity.operations import BatchReport, load
from carbonhui.activity.profile import Profile, profile_named, profile_names
from carbonhui.activity.refusals import (
    ColumnsDiffer,
    FileChanged,
    FileDamaged,
    FileEmpty,
    FileNotFound,
    FileNotUtf8,
    FileTruncated,
    FileUnreadable,
    FormatUnknown,
    LakeFileDiffers,
    NotAFile,
    ProfileForDemoOnly,
    ProfileInvalid,
    ProfileUnknown,
    SourceBusy,
    StationsNeeded,
    StationsUnreadable,
)
from carbonhui.activity.row_refusals import ROW_REFUSALS

__all__ = [
    "ROW_REFUSALS",
    "Batch",
    "BatchReport",
    "ColumnsDiffer",
    "FileChanged",
    "FileDamaged",
    "FileEmpty",
    "FileNotFound",
    "FileNotUtf8",
    "FileTruncated",
    "FileUnreadable",
    "FormatUnknown",
    "LakeFile",
    "LakeFileDiffers",
    "NotAFile",
    "Profile",
    "ProfileForDemoOnly",
    "ProfileInvalid",
    "ProfileUnknown",
    "SourceBusy",
    "StationsNeeded",
    "StationsUnreadable",
    "batches",
    "lake_files",
    "load",
    "profile_named",
    "profile_names",
    "subjects",
    "verified",
]
