"""Taking in what service institutions measured (Articles 12, 16).

A file is read by the profile of its source. Each of its rows is accepted into the lake,
known already, or refused with a reason the institution can act on; nothing is dropped in
silence. The lake holds blind indexes, never identifiers.
"""

from carbonhui.activity.batches import Batch, batches, lake_files, refuse_outdated, subjects, verified
from carbonhui.activity.declaring import Declaration, declare_elsewhere
from carbonhui.activity.elsewhere import declared_acts
from carbonhui.activity.lake import LAKE_FORM, LakeFile
from carbonhui.activity.operations import load, load_rows, try_out
from carbonhui.activity.profile import Profile
from carbonhui.activity.profile_files import check_profile, profile_named, profile_names, profile_text, read_profile
from carbonhui.activity.refusals import (
    ColumnsDiffer,
    DeclarationIncomplete,
    DeclarationUnreadable,
    FileChanged,
    FileDamaged,
    FileEmpty,
    FileNotFound,
    FileNotUtf8,
    FileTruncated,
    FileUnreadable,
    FormatUnknown,
    LakeFileDiffers,
    LakeOutdated,
    NotAFile,
    NotAMeterFile,
    NotJsonLines,
    ProfileForDemoOnly,
    ProfileInvalid,
    ProfileUnknown,
    RowsUnusable,
    SourceBusy,
    StationsNeeded,
    StationsUnreadable,
    ThresholdNotApproved,
    ThresholdsChanged,
    TooManyRows,
    WorkbookHasFormulas,
    WorkbookHasMoreSheets,
    WorkbookTooLarge,
    WorkbookUnusable,
)
from carbonhui.activity.reports import BatchReport, Trial
from carbonhui.activity.row_refusals import ROW_REFUSALS

__all__ = [
    "LAKE_FORM",
    "ROW_REFUSALS",
    "Batch",
    "BatchReport",
    "ColumnsDiffer",
    "Declaration",
    "DeclarationIncomplete",
    "DeclarationUnreadable",
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
    "LakeOutdated",
    "NotAFile",
    "NotAMeterFile",
    "NotJsonLines",
    "Profile",
    "ProfileForDemoOnly",
    "ProfileInvalid",
    "ProfileUnknown",
    "RowsUnusable",
    "SourceBusy",
    "StationsNeeded",
    "StationsUnreadable",
    "ThresholdNotApproved",
    "ThresholdsChanged",
    "TooManyRows",
    "Trial",
    "WorkbookHasFormulas",
    "WorkbookHasMoreSheets",
    "WorkbookTooLarge",
    "WorkbookUnusable",
    "batches",
    "check_profile",
    "declare_elsewhere",
    "declared_acts",
    "lake_files",
    "load",
    "load_rows",
    "profile_named",
    "profile_names",
    "profile_text",
    "read_profile",
    "refuse_outdated",
    "subjects",
    "try_out",
    "verified",
]
