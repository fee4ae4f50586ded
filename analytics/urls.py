from __future__ import annotations

from django.urls import path

from analytics.views import accounts, goals, others, pages, passports

app_name = "analytics"

urlpatterns = [
    path("", pages.operations_page, name="operations"),
    path("operations.csv", pages.operations_csv, name="operations_csv"),
    path("marketing/", pages.marketing_page, name="marketing"),
    path("marketing.csv", pages.marketing_csv, name="marketing_csv"),
    path("together/", pages.together_page, name="together"),
    path("goals.csv", pages.goals_csv, name="goals_csv"),
    path("goals/new/", goals.goal_create, name="goal_create"),
    path("goals/new/preview/", goals.goal_preview, name="goal_preview"),
    path("goals/archived/", goals.goals_archived, name="goals_archived"),
    path("goals/<uuid:goal_id>/", goals.goal, name="goal"),
    path("goals/<uuid:goal_id>/checkins.csv", goals.checkins_csv, name="checkins_csv"),
    path("goals/<uuid:goal_id>/edit/", goals.goal_edit, name="goal_edit"),
    path("goals/<uuid:goal_id>/archive/", goals.goal_archive, name="goal_archive"),
    path("goals/<uuid:goal_id>/restore/", goals.goal_restore, name="goal_restore"),
    path("goals/<uuid:goal_id>/drivers/new/", goals.driver_add, name="driver_add"),
    path("drivers/<uuid:link_id>/", goals.driver_edit, name="driver_edit"),
    path("drivers/<uuid:link_id>/remove/", goals.driver_remove, name="driver_remove"),
    path("checkins/<uuid:checkin_id>/note/", goals.checkin_note, name="checkin_note"),
    path("passport/<slug:key>/<slug:scope>/<uuid:pk>/", passports.passport_page, name="passport"),
    path("passport/<slug:key>/<slug:scope>/<uuid:pk>/rows.csv", passports.rows_csv, name="rows"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("others/", others.others, name="others"),
    path("accounts.csv", accounts.accounts_csv, name="accounts_csv"),
    path("accounts/<uuid:account_id>/", accounts.account, name="account"),
    path("accounts/<uuid:account_id>/posts.csv", accounts.posts_csv, name="posts_csv"),
    path("accounts/<uuid:account_id>/numbers/", accounts.account_numbers, name="account_numbers"),
    path("posts/<uuid:post_id>/numbers/", accounts.post_numbers, name="post_numbers"),
]
