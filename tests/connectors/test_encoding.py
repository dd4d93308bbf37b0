import pytest

from ragkit.connectors.encoding import decode, looks_like_text

TEXT = "Größe: 5 µm, naïve café"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_known_with_and_without_its_mark(encoding: str) -> None:
    data = TEXT.encode(encoding)
    assert decode(data).text == TEXT
    assert looks_like_text(data)


def test_a_declared_encoding_is_used_when_it_fits_and_ignored_when_it_does_not() -> None:
    assert decode("Größe".encode("latin-1"), "latin-1").text == "Größe"
    assert decode("café".encode("mac_roman"), "macintosh").text == "café", "which nothing but its word could tell"
    assert decode("Größe".encode(), "latin-1").text == "Größe"
    assert decode("Größe".encode("latin-1"), "no-such-encoding").text == "Größe"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "El señor compró niños y años de música más allá del río."),
        ("cp1252", "A informação não está à disposição das organizações."),
        ("cp1252", "Året var svårt för både små och större företag på ön."),
        ("cp1252", "L’été dernier, où que l’on fût, le cœur n’y était guère: ça ira."),
        ("cp1252", "Prix: 5 € – “naïve” £3, 10 µm, 25 °C ± 3"),
        ("cp1252", "Blåbærgrød på øen er kærlighed."),
        ("cp1250", "Zażółć gęślą jaźń, proszę państwa, i idź dalej."),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("cp1250", "Árvíztűrő tükörfúrógép és hűvös őszi idő."),
        ("cp1254", "Işığı söndür, çünkü güneş doğuyor, şimdi gel."),
        ("cp1251", "Съешь же ещё этих мягких французских булок да выпей чаю."),
        ("koi8_r", "Съешь же ещё этих мягких французских булок да выпей чаю."),
        ("cp1253", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία του κόσμου."),
    ],
)
def test_letters_are_those_of_the_language(encoding: str, text: str) -> None:
    for length in (1, 12):
        assert decode((text * length).encode(encoding)).text == text * length


def test_older_encodings_are_detected() -> None:
    german = "Die Größe der Straße überrascht, während Füße müde werden. " * 5
    japanese = "名前,年齢,住所\r\n佐藤太郎,30,東京\r\n三木英子,25,大阪\r\n髙橋淳,35,名古屋\r\n"
    assert decode(german.encode("cp1252")).text == german
    assert decode(japanese.encode("cp932")).text == japanese


def test_a_few_broken_bytes_do_not_turn_utf8_into_gibberish() -> None:
    data = "naïve café, Größe — ".encode() + b"\xff" + b" end"
    assert decode(data).text == "naïve café, Größe — \ufffd end"


def test_binary_is_no_text() -> None:
    assert not looks_like_text(bytes(range(256)) * 4)
    assert looks_like_text(b"plain text with one \x00 in it, as some programs leave behind " * 2)
