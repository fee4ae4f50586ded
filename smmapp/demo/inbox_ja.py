"""What names the Tokyo brand elsewhere, what waits for an answer, and answers kept for use."""

from __future__ import annotations

from audience.models import Purpose
from audience.services.facts import Facts
from smmapp.demo.plan import Dialog, SavedAnswer, Waiting

SHOP, ONLINE = 0, 1
KENJI, YUI = "kenji@example.com", "yui@example.com"

MENTIONS = (
    Dialog(
        "喫茶めぐり",
        -171,
        "13:40",
        (
            "@{handle} の窓際の席で原稿が一本書けました。今日の豆はコスタリカ。",
            "うれしいお便りをありがとうございます。窓際、またお使いください。",
        ),
    ),
    Dialog("shin_ichi", -140, "18:10", ("谷中で雨宿りするなら @{handle} 。焙煎機の音がよい。",)),
    Dialog(
        "豆太郎",
        -112,
        "21:30",
        (
            "水出しは9時間がいいらしい。@{handle} さん情報。",
            "失敗から生まれた9時間です。ぜひお試しください。",
        ),
    ),
    Dialog(
        "谷中さんぽ",
        -86,
        "11:00",
        (
            "谷中の散歩地図を作りました。@{handle} も載っています。掲載、問題ないでしょうか？",
            "もちろんです。地図、店にも貼らせてください。",
            "今度お持ちします！",
        ),
    ),
    Dialog("Kaori", -52, "19:45", ("@{handle} の新しい包装紙、3色そろえたくなる。",)),
    Dialog(
        "ayumi",
        -30,
        "20:20",
        (
            "友人への贈り物は @{handle} のギフト定期便にしました。毎月届くのがいい。",
            "ありがとうございます。ご友人にも気に入っていただけますように。",
        ),
    ),
    Dialog(
        "ひつじ",
        -10,
        "12:35",
        ("@{handle} の猫の話の続きが読みたい。", "向かいの猫は今日も元気です。続きは近日公開します。"),
    ),
)

# How it stands when somebody looks for the first time. ``due_in``: minutes of business hours.
WAITING = (
    Waiting(
        "けい",
        (
            "きのう届いたギフト、カードの名前が違っていました。贈り先の方に見られる前に直せますか？至急お願いします。",
        ),
        on=ONLINE,
        due_in=-95,
        note=(
            KENJI,
            "発送担当に確認済み。カードの取り違え。新しいカードを今日の便で送ります。返事は佐藤さんにお願いします。",
        ),
        assignee=YUI,
    ),
    Waiting("まゆ", ("「雨上がりブレンド」は定期便でも選べますか？",), on=ONLINE, due_in=22),
    Waiting(
        "大野",
        (
            "法人の請求書払いは、何日締めですか？",
            "月末締め、翌月末払いでお願いしています。",
            "ありがとうございます。では15件お願いしたいので、納期を教えてください。",
        ),
        on=ONLINE,
        due_in=115,
        assignee=KENJI,
    ),
    Waiting("もも", ("コーヒー教室、子ども連れでも参加できますか？",), due_in=150),
    Waiting(
        "森田 里香",
        ("来月からお届け先を実家に変えたいです。住所は月曜にお知らせします。",),
        on=ONLINE,
        due_in=60,
        snoozed_days=2,
    ),
)

# (day of the post, account, name, words): nobody has answered.
UNANSWERED = (-2, SHOP, "ひろ", "詰め合わせ、店頭でも買えますか？")

# Below a post of the past, hidden by the brand.
SPAM = (-79, SHOP, "副業ナビ", "スマホだけで月30万円！プロフィールのリンクから今すぐ登録")

SAVED_ANSWERS = (
    SavedAnswer(
        "営業時間",
        "{name}さん、お問い合わせありがとうございます。9時から18時まで営業しています。定休日は第2・第4火曜日です。",
    ),
    SavedAnswer("送料", "{name}さん、送料は全国一律350円、4,500円以上のご注文で無料です。"),
    SavedAnswer(
        "ギフト定期便のご案内",
        "{name}さん、ギフト定期便にご興味をお持ちいただきありがとうございます。内容と期間はこちらにまとめています。\nhttps://aozora-coffee.example/gift",
    ),
    SavedAnswer(
        "商品の交換",
        "{name}さん、このたびはご不便をおかけし申し訳ございません。新しいものと交換いたしますので、ご注文番号をお知らせください。",
    ),
    SavedAnswer("お礼", "{name}さん、うれしいお言葉をありがとうございます。またのお越しをお待ちしています。"),
)

# Two accounts of one person: (name that stays, other name).
MERGED = (("森田 里香", "rika_m"),)

# (name, purpose, whether they agree, how it was given, days from today)
CONSENTS = (
    ("中村 優子", Purpose.PERSONAL_LINKS, True, "資料請求フォーム", -37),
    ("中村 優子", Purpose.NEWSLETTER, True, "資料請求フォーム", -37),
    ("田口", Purpose.PERSONAL_LINKS, True, "DMで了承", -54),
    ("田口", Purpose.MESSAGES, True, "DMで了承", -54),
    ("森田 里香", Purpose.MESSAGES, True, "DMで了承", -43),
    ("陽菜", Purpose.NEWSLETTER, True, "店頭の用紙", -110),
    ("陽菜", Purpose.NEWSLETTER, False, "DMで停止の希望", -23),
    ("おかわり三杯目", Purpose.NEWSLETTER, True, "店頭の用紙", -140),
)

# What people of the brand wrote down: (name, facts)
FACTS = (
    (
        "田口",
        Facts(
            "田口 浩一（田口商事）",
            "taguchi@taguchi-shoji.example",
            "03-5550-0142",
            "総務。出張コーヒーを2回。請求書払い。",
        ),
    ),
    ("森田 里香", Facts("森田 里香", "rika.morita@post.example", "", "お父さまへの贈り物。会社でも5件。")),
    ("shin_ichi", Facts("真一さん", "", "", "カウンター右端が定位置。深煎り。")),
    ("ことり", Facts("ことりさん", "kotori@inbox.example", "", "ナッツのアレルギー。焼き菓子に注意。")),
)
