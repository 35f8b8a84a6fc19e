"""Taking in what service institutions measured (Articles 12, 16).

A file is read by the profile of its source. Each of its rows is accepted into the lake,
known already, or refused with a reason the institution can act on; nothing is dropped in
silence. The lake holds blind indexes, never identifiers.
"""

from carbonhui.activity.acts import Act, acts_of, subjects_of
from carbonhui.activity.batches import Batch, batches, lake_files, refuse_outdated, subjects, verified
from carbonhui.activity.declaring import Declaration, declare_elsewhere
from carbonhui.activity.elsewhere import declared_acts
from carbonhui.activity.lake import LAKE_FORM, LakeFile
from carbonhui.activity.leftovers import forget_refused, owe_forgetting, purge_files, upload_folder
from carbonhui.activity.operations import load, load_rows, try_out
from carbonhui.activity.profile import Profile
from carbonhui.activity.profile_files import check_profile, profile_named, profile_names, profile_text, read_profile
from carbonhui.activity.quarantine import quarantine_file
from carbonhui.activity.refusals import (
    ActsRangeTooLong,
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
    RefusedRowsGone,
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
    "Act",
    "ActsRangeTooLong",
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
    "RefusedRowsGone",
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
    "acts_of",
    "batches",
    "check_profile",
    "declare_elsewhere",
    "declared_acts",
    "forget_refused",
    "lake_files",
    "load",
    "load_rows",
    "owe_forgetting",
    "profile_named",
    "profile_names",
    "profile_text",
    "purge_files",
    "quarantine_file",
    "read_profile",
    "refuse_outdated",
    "subjects",
    "subjects_of",
    "try_out",
    "upload_folder",
    "verified",
]
