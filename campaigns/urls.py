from __future__ import annotations

from django.urls import path

from campaigns.views import (
    ads,
    budgets,
    campaigns,
    conversion_imports,
    conversions,
    imports,
    links,
    returns,
    spend,
)

app_name = "campaigns"

urlpatterns = [
    path("", campaigns.campaigns, name="campaigns"),
    path("new/", campaigns.create, name="create"),
    path("<uuid:campaign_id>/", campaigns.campaign, name="campaign"),
    path("<uuid:campaign_id>/edit/", campaigns.edit, name="edit"),
    path("<uuid:campaign_id>/archive/", campaigns.archive, name="archive"),
    path("<uuid:campaign_id>/restore/", campaigns.restore, name="restore"),
    path("<uuid:campaign_id>/posts/", campaigns.posts, name="posts"),
    path("<uuid:campaign_id>/plan/add/", budgets.line_add, name="line_add"),
    path("plan/<uuid:line_id>/", budgets.line_edit, name="line_edit"),
    path("plan/<uuid:line_id>/delete/", budgets.line_delete, name="line_delete"),
    path("plan/<uuid:line_id>/move/", budgets.line_move, name="line_move"),
    path("<uuid:campaign_id>/links/", links.links, name="links"),
    path("<uuid:campaign_id>/links/new/", links.link_create, name="link_create"),
    path("links/of-delivery/<uuid:delivery_id>/", links.delivery_links, name="delivery_links"),
    path("<uuid:campaign_id>/spend/", spend.spend, name="spend"),
    path("<uuid:campaign_id>/spend/add/", spend.spend_add, name="spend_add"),
    path("<uuid:campaign_id>/spend/export/", spend.spend_export, name="spend_export"),
    path("<uuid:campaign_id>/spend/import/", imports.spend_import, name="spend_import"),
    path("spend/<uuid:entry_id>/", spend.spend_edit, name="spend_edit"),
    path("spend/<uuid:entry_id>/delete/", spend.spend_delete, name="spend_delete"),
    path("spend/imports/<uuid:import_id>/", imports.spend_import_page, name="spend_import_page"),
    path(
        "spend/imports/<uuid:import_id>/confirm/", imports.spend_import_confirm, name="spend_import_confirm"
    ),
    path(
        "spend/imports/<uuid:import_id>/discard/", imports.spend_import_discard, name="spend_import_discard"
    ),
    path("spend/imports/<uuid:import_id>/undo/", imports.spend_import_undo, name="spend_import_undo"),
    # Ad accounts of a brand
    path("ads/", ads.ad_accounts_list, name="ad_accounts"),
    path("ads/connect/", ads.ad_connect, name="ad_connect"),
    path("ads/callback/", ads.ad_callback, name="ad_callback"),
    path("ads/choose/<uuid:credential_id>/", ads.ad_choose, name="ad_choose"),
    path("ads/apps/new/", ads.ad_app_create, name="ad_app_create"),
    path("ads/apps/<uuid:app_id>/", ads.ad_app_edit, name="ad_app_edit"),
    path("ads/apps/<uuid:app_id>/delete/", ads.ad_app_delete, name="ad_app_delete"),
    path("ads/<uuid:account_id>/", ads.ad_account, name="ad_account"),
    path("ads/<uuid:account_id>/campaigns/", ads.ad_assign, name="ad_assign"),
    path("ads/<uuid:account_id>/import/", ads.ad_import, name="ad_import"),
    path("ads/<uuid:account_id>/disconnect/", ads.ad_disconnect, name="ad_disconnect"),
    # Conversions of a brand
    path("conversions/", conversions.conversion_list, name="conversion_list"),
    path("conversions/new/", conversions.conversion_add, name="conversion_add"),
    path("conversions/export.csv", conversions.conversion_export, name="conversion_export"),
    path("conversions/import/", conversion_imports.conversion_import, name="conversion_import"),
    path(
        "conversions/imports/<uuid:import_id>/",
        conversion_imports.conversion_import_page,
        name="conversion_import_page",
    ),
    path(
        "conversions/imports/<uuid:import_id>/confirm/",
        conversion_imports.conversion_import_confirm,
        name="conversion_import_confirm",
    ),
    path(
        "conversions/imports/<uuid:import_id>/discard/",
        conversion_imports.conversion_import_discard,
        name="conversion_import_discard",
    ),
    path("conversions/<uuid:conversion_id>/", conversions.conversion, name="conversion"),
    path("conversions/<uuid:conversion_id>/refund/", conversions.conversion_refund, name="conversion_refund"),
    path("<uuid:campaign_id>/conversions/", conversions.conversions, name="conversions"),
    # Who gets the credit, and what it was worth
    path("<uuid:campaign_id>/attribution/", returns.attribution, name="attribution"),
    path("<uuid:campaign_id>/attribution/run/", returns.attribution_run, name="attribution_run"),
    path("<uuid:campaign_id>/roi/", returns.roi, name="roi"),
]
