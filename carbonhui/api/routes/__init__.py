"""Every route of the API: one file a matter, one blueprint a file."""

from carbonhui.api.routes import (
    activities,
    agreements,
    consents,
    credits,
    institutions,
    links,
    me,
    organisations,
    records,
    reductions,
    service,
    sign_in,
    staff,
    vouching,
    wards,
    webhooks,
)

#: The blueprints that the application registers, in the order of the document.
ALL = (
    service.blueprint,
    sign_in.blueprint,
    me.blueprint,
    wards.blueprint,
    consents.blueprint,
    links.blueprint,
    activities.blueprint,
    reductions.blueprint,
    credits.blueprint,
    records.blueprint,
    organisations.blueprint,
    webhooks.blueprint,
    institutions.blueprint,
    vouching.blueprint,
    agreements.blueprint,
    staff.blueprint,
)
