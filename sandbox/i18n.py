"""The page's words in English and Japanese, chosen by Accept-Language."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "site": "Sandbox Network",
        "tagline": "A social network to try things on. Nothing here leaves this machine.",
        "timeline": "Timeline",
        "accounts": "Accounts",
        "older": "Older posts",
        "newest": "Newest posts",
        "empty": "Nothing has been posted yet.",
        "empty_hint": "Connect an account of this network in the application and publish something.",
        "empty_profile": "This account has not posted yet.",
        "posts": "Posts",
        "followers": "Followers",
        "following": "Following",
        "message": "Message",
        "like": "Like",
        "share": "Share",
        "comment": "Comment",
        "comments": "Comments",
        "no_comments": "No comments yet. Be the first.",
        "views": "Views",
        "your_name": "Your name",
        "comment_label": "Write a comment",
        "reply_to": "Reply to {name}",
        "send": "Send",
        "delete": "Delete",
        "as_customer": "You act here as a customer: type any name.",
        "message_title": "Messages with {name}",
        "message_label": "Write a message",
        "message_empty": "No messages yet.",
        "message_name": "Type your name to see your conversation.",
        "back": "Back",
        "thread": "Show the thread of {n} posts",
        "joined": "Joined {date}",
        "hidden": "Hidden by the owner",
        "now": "now",
        "minutes": "{n} min",
        "hours": "{n} h",
        "days": "{n} d",
        "not_found_title": "Not here",
        "not_found": "There is nothing at this address.",
        "unknown_app": "The app that sent you here is not registered on this network.",
        "wrong_redirect": "The address to return to is not one that the app registered.",
        "authorize_title": "Connect {app}",
        "authorize_lead": "{app} asks to use an account of the Sandbox Network.",
        "scopes": "It will be able to:",
        "read": "Read your profile and your posts",
        "write": "Publish and delete posts for you",
        "metrics": "See your follower and post numbers",
        "inbox": "Read and answer comments and messages, hide and delete comments, like and share",
        "pick": "Pick an account",
        "create": "Or use another one",
        "handle": "Handle",
        "handle_help": "2 to 30 letters a-z, digits or underscores. A new handle makes a new account.",
        "mode": "What a new account offers against double posts",
        "idempotency_key": "Idempotency key",
        "two_phase": "Two phases (containers)",
        "neither": "Neither",
        "authorize": "Authorize",
        "cancel": "Cancel",
        "invalid_handle": "A handle has 2 to 30 letters a-z, digits or underscores.",
        "invalid_name": "A name has 1 to 40 characters.",
        "handle_taken": "This handle belongs to a customer. Choose another one.",
        "invalid_mode": "This mode does not exist.",
        "forbidden": "This was written by somebody else.",
        "text_empty": "Write something first.",
        "text_too_long": "The text is too long.",
        "skip": "Skip to the content",
    },
    "ja": {
        "site": "サンドボックスネットワーク",
        "tagline": "お試し用のSNSです。ここでの投稿がこのコンピューターの外に出ることはありません。",
        "timeline": "タイムライン",
        "accounts": "アカウント",
        "older": "以前の投稿",
        "newest": "最新の投稿",
        "empty": "まだ投稿がありません。",
        "empty_hint": "アプリでこのネットワークのアカウントを連携し、投稿してみてください。",
        "empty_profile": "このアカウントはまだ投稿していません。",
        "posts": "投稿",
        "followers": "フォロワー",
        "following": "フォロー中",
        "message": "メッセージ",
        "like": "いいね",
        "share": "シェア",
        "comment": "コメント",
        "comments": "コメント",
        "no_comments": "コメントはまだありません。最初のコメントを書いてみましょう。",
        "views": "表示",
        "your_name": "お名前",
        "comment_label": "コメントを書く",
        "reply_to": "{name}さんに返信",
        "send": "送信",
        "delete": "削除",
        "as_customer": "ここではお客様として操作します。お名前は自由に入力できます。",
        "message_title": "{name}とのメッセージ",
        "message_label": "メッセージを書く",
        "message_empty": "メッセージはまだありません。",
        "message_name": "お名前を入力すると、やり取りが表示されます。",
        "back": "戻る",
        "thread": "スレッド（{n}件）を表示",
        "joined": "{date}に登録",
        "hidden": "アカウント所有者が非表示にしました",
        "now": "たった今",
        "minutes": "{n}分前",
        "hours": "{n}時間前",
        "days": "{n}日前",
        "not_found_title": "見つかりません",
        "not_found": "このアドレスには何もありません。",
        "unknown_app": "呼び出し元のアプリはこのネットワークに登録されていません。",
        "wrong_redirect": "戻り先のアドレスが、アプリの登録内容と一致しません。",
        "authorize_title": "{app}と連携",
        "authorize_lead": "{app}がサンドボックスネットワークのアカウントの利用を求めています。",
        "scopes": "許可される操作:",
        "read": "プロフィールと投稿の読み取り",
        "write": "投稿の公開と削除",
        "metrics": "フォロワー数と投稿の数値の読み取り",
        "inbox": "コメントとメッセージの確認・返信、コメントの非表示・削除、いいね、シェア",
        "pick": "アカウントを選ぶ",
        "create": "または別のアカウントを使う",
        "handle": "ユーザー名",
        "handle_help": "半角英小文字・数字・アンダースコアで2〜30文字。"
        "新しいユーザー名なら新しいアカウントが作られます。",
        "mode": "新しいアカウントの二重投稿対策",
        "idempotency_key": "冪等キー",
        "two_phase": "2段階（コンテナ）",
        "neither": "なし",
        "authorize": "許可する",
        "cancel": "キャンセル",
        "invalid_handle": "ユーザー名は半角英小文字・数字・アンダースコアで2〜30文字です。",
        "invalid_name": "お名前は1〜40文字で入力してください。",
        "handle_taken": "このユーザー名はお客様のものです。別のユーザー名を選んでください。",
        "invalid_mode": "その対策は選べません。",
        "forbidden": "ほかの人が書いた内容です。",
        "text_empty": "内容を入力してください。",
        "text_too_long": "文章が長すぎます。",
        "skip": "本文へ移動",
    },
}


def language_of(accept_language: str) -> str:
    """``ja`` or ``en``, whichever the browser prefers; English when it prefers something else."""
    wishes = []
    for order, part in enumerate(accept_language.split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), order, tag.strip().lower()[:2]))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(wishes) if tag in TEXTS), "en")


def compact(count: int, language: str) -> str:
    """12345 as 12.3K, in Japanese as 1.2万; 1234 as 1.2K and 1,234."""
    steps = ((10**8, "億"), (10**4, "万")) if language == "ja" else ((10**9, "B"), (10**6, "M"), (10**3, "K"))
    for size, unit in steps:
        if count >= size:
            shown = f"{count / size:.1f}" if count < 100 * size else str(count // size)
            return shown.removesuffix(".0") + unit
    return f"{count:,}"
