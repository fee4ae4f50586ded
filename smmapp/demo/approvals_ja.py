"""What waits for an approval at the Tokyo brand."""

from __future__ import annotations

from smmapp.demo.plan import DemoReview, Piece

CLIENT = "谷中商店会 山本"
NOTE = "来週の投稿案です。今週中にご確認いただけると助かります。"

REVIEWS = (
    DemoReview(
        Piece(
            "来週から、平日は朝7時に店を開けます。出勤前の一杯に、深煎りはいかがですか。\n7時台は、トーストを半額でお付けします。"
        ),
        day=9,
        time="10:00",
    ),
    DemoReview(
        Piece(
            "谷中の朝市に出店します。焙煎したての豆を、その場で挽いてお渡しします。",
            "beans",
            "焙煎したてのコーヒー豆",
        ),
        day=6,
        time="08:00",
        is_for_client=True,
    ),
    DemoReview(
        Piece("飲み比べセットのご予約を始めました。中身は店主が選んだ豆を3種、合わせて600グラム。"),
        day=11,
        time="12:00",
        is_for_client=True,
        answer="価格と受け取り期間も入れていただけますか。",
        then="飲み比べセットのご予約を始めました。中身は店主が選んだ豆を3種、合わせて600グラムで3,800円。お渡しは来週の土曜日からです。",
    ),
)
