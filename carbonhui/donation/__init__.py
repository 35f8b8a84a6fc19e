"""Giving credits to charities, by persons, merchants and departments (Article 21).

A charity proposes a campaign, two of the staff open it, and everybody can read what
it received and what became of it. Who gave is told to nobody.
"""

from carbonhui.donation.campaigns import (
    Campaign,
    ask_campaign,
    campaign_by_handle,
    campaign_numbered,
    campaigns,
    decide_campaign,
    end_campaign,
    propose_campaign,
)
from carbonhui.donation.checks import CHECKS
from carbonhui.donation.operations import Gift, donate, gifts_of
from carbonhui.donation.refusals import (
    CampaignDaysWrong,
    CampaignDecided,
    CampaignNotOpen,
    CampaignReasonMissing,
    CampaignUnknown,
    CampaignUsesMore,
    DonorNotTaken,
    UseAlreadyRecorded,
    UseDiffers,
)
from carbonhui.donation.reports import (
    Movement,
    Received,
    Report,
    Use,
    campaign_uses,
    movements_of,
    record_use,
    report_of,
)
from carbonhui.donation.rules import USES

__all__ = [
    "CHECKS",
    "USES",
    "Campaign",
    "CampaignDaysWrong",
    "CampaignDecided",
    "CampaignNotOpen",
    "CampaignReasonMissing",
    "CampaignUnknown",
    "CampaignUsesMore",
    "DonorNotTaken",
    "Gift",
    "Movement",
    "Received",
    "Report",
    "Use",
    "UseAlreadyRecorded",
    "UseDiffers",
    "ask_campaign",
    "campaign_by_handle",
    "campaign_numbered",
    "campaign_uses",
    "campaigns",
    "decide_campaign",
    "donate",
    "end_campaign",
    "gifts_of",
    "movements_of",
    "propose_campaign",
    "record_use",
    "report_of",
]
