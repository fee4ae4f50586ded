"""Names of the many people who only fill in a form: put together by chance, the same ones every time."""

from __future__ import annotations

import random
from dataclasses import dataclass

# As written, and in the letters of an e-mail address.
_JA_FAMILY = (
    "佐藤 sato、鈴木 suzuki、高橋 takahashi、田中 tanaka、伊藤 ito、渡辺 watanabe、山本 yamamoto、"
    "中村 nakamura、小林 kobayashi、加藤 kato、吉田 yoshida、山田 yamada、佐々木 sasaki、"
    "山口 yamaguchi、松本 matsumoto、井上 inoue、木村 kimura、林 hayashi、斎藤 saito、清水 shimizu、"
    "山崎 yamazaki、森 mori、池田 ikeda、橋本 hashimoto、阿部 abe、石川 ishikawa、山下 yamashita、"
    "中島 nakajima、石井 ishii、小川 ogawa、前田 maeda、岡田 okada、長谷川 hasegawa、藤田 fujita、"
    "後藤 goto、近藤 kondo、村上 murakami、遠藤 endo、青木 aoki、坂本 sakamoto、福田 fukuda、太田 ota、"
    "西村 nishimura、藤井 fujii、金子 kaneko、岡本 okamoto、中野 nakano、三浦 miura、原田 harada、"
    "松田 matsuda"
)
_JA_GIVEN = (
    "陽子 yoko、美咲 misaki、健太 kenta、翔 sho、由美 yumi、恵 megumi、大輔 daisuke、直樹 naoki、"
    "香織 kaori、真由美 mayumi、和也 kazuya、智子 tomoko、拓也 takuya、裕子 yuko、亮 ryo、彩 aya、"
    "舞 mai、久美子 kumiko、隆 takashi、悠斗 yuto、葵 aoi、結衣 yui、千尋 chihiro、真一 shinichi、"
    "幸子 sachiko、誠 makoto、洋平 yohei、七海 nanami、里奈 rina、修 osamu、早紀 saki、浩 hiroshi、"
    "美穂 miho、涼 ryo、奈緒 nao、雄介 yusuke、綾香 ayaka、啓介 keisuke、沙織 saori、学 manabu"
)
_EN_FAMILY = (
    "Ahrens, Albrecht, Andersen, Arnold, Bauer, Becker, Berg, Bianchi, Braun, Brennan, Costa, Dahl, "
    "Dietrich, Dubois, Engel, Fischer, Frank, Garcia, Graf, Haas, Hansen, Hartmann, Heinrich, "
    "Hoffmann, Horn, Huber, Jansen, Jensen, Keller, Klein, Koch, Kowalski, Kraus, Larsen, Lehmann, "
    "Lindberg, Lorenz, Maier, Marti, Meyer, Moreau, Murphy, Nilsson, Novak, Olsen, Peters, Pohl, "
    "Richter, Rossi, Roth, Sauer, Schmidt, Schubert, Seidel, Simon, Sommer, Stein, Thomsen, Vogel, "
    "Wagner, Walsh, Weber, Winter, Wolf, Zimmer"
)
_EN_GIVEN = (
    "Ada, Alex, Amelie, Anton, Ben, Bea, Clara, Conor, Daniel, Doro, Eike, Elena, Elias, Eva, Fabian, "
    "Finn, Frida, Georg, Hanna, Hugo, Ida, Isa, Jakob, Johanna, Jule, Kai, Karla, Lars, Laura, Leo, "
    "Linus, Lotte, Magda, Marie, Matteo, Max, Nadia, Nele, Nils, Nora, Oskar, Paula, Per, Pia, Robin, "
    "Rosa, Selma, Simon, Sina, Stefan, Svenja, Theo, Tilda, Ulrike, Valentin, Vera, Wiebke, Yannick, "
    "Zoe"
)
# Reserved for examples (RFC 2606): nobody gets mail.
_DOMAINS = ("mail.example", "post.example", "inbox.example")


@dataclass(frozen=True, slots=True)
class Somebody:
    name: str
    email: str


def invented(language: str, count: int, *, seed: str) -> list[Somebody]:
    """``count`` different people with names of ``language`` (ja, en), the same ones for the same ``seed``."""
    families, givens = (_JA_FAMILY, _JA_GIVEN) if language == "ja" else (_EN_FAMILY, _EN_GIVEN)
    pairs = [(family, given) for family in _pairs(families) for given in _pairs(givens)]
    chance = random.Random(seed)
    people = []
    for number, (family, given) in enumerate(chance.sample(pairs, count)):
        name = f"{family[0]} {given[0]}" if language == "ja" else f"{given[0]} {family[0]}"
        letters = (given[1], family[1])[:: chance.choice((1, -1))]
        address = f"{letters[0]}{chance.choice(('.', '_', ''))}{letters[1]}"
        people.append(Somebody(name, f"{address}{number % 97}@{chance.choice(_DOMAINS)}"))
    return people


def _pairs(text: str) -> list[tuple[str, str]]:
    """(as written, in lower-case letters) for each name."""
    if "、" in text:
        return [(one.split()[0], one.split()[1]) for one in text.split("、")]
    return [(one, one.lower()) for one in text.split(", ")]
