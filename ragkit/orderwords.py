"""Words of orders: how people tell a model to do something else than it was asked, as patterns over folded text.

A pattern names whom it speaks to (a model, its prompt, its user), for a manual may well say "ignore the above". All
repetitions are bounded, so that no text takes more than a multiple of its length. False alarms are counted by
`python -m tests.orders`.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    cues: tuple[str, ...]
    """One of them is in whatever the pattern finds: to look for them first is ten times as quick."""
    pattern: re.Pattern[str]
    reason: str


_IGNORE = "tells to ignore instructions"
_ROLE = "gives the model another role"
_TO = "speaks to a model"
_PROMPT = "asks for the system prompt"
_WHAT = "tells what to answer"
_HIDE = "tells to hide something from the user"
_SEND = "would send something away"
_MARKER = "a role marker"
_FENCE = "a fence of the prompt"
_CALL = "the form of a tool's call"

_AI = (
    r"(?:ai|a\.i\.|artificial intelligence|llms?|(?:large )?language models?|chat ?bots?|chatgpt|gpt-?\d?|claude|gemini"
    r"|copilot|(?:virtual|digital) assistants?|assistant)"
)
_GAP = r"(?:[^\w.!?\n]{1,4}\w{1,14}){0,%d}[^\w.!?]{1,4}"
"""So many words at most in between."""
_VERBS = ("ignor", "disregard", "forget", "overrid", "bypass", "neglect", "follow", "obey")

_RULES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    # English
    (_VERBS,
     r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|bypass|neglect|(?:do not|don't) (?:follow"
     r"|obey)|stop following)"
     + _GAP % 4 +
     r"(?:previous|prior|above|earlier|preceding|foregoing|former|initial|original|other|your|system|existing"
     r"|current|all|any|every)"
     + _GAP % 3 +
     r"(?:instructions?|prompts?|guardrails|programming|training|directives|system messages?|safety (?:rules"
     r"|guidelines))\b",
     _IGNORE),
    (_VERBS,
     r"\b(?:ignore|disregard|forget) (?:everything|all|anything)(?: that)?"
     r"(?: (?:i|you|we) (?:(?:were|was|have been|have|had) )?(?:said|told|been told|learned|know|knew)"
     r"| (?:said |written )?(?:above|before (?:this|that|now)))\b",
     _IGNORE),
    (_VERBS,
     r"\b(?:ignore|disregard|forget|override|bypass)" + _GAP % 2 + r"(?:previous|prior|your)" + _GAP % 2 +
     r"(?:rules|guidelines|context|commands|orders|restrictions)\b",
     _IGNORE),
    (("you are", "you're", "from now on", "act as", "pretend", "role"),
     r"\b(?:you are now|you're now|from now on,? you(?: are| will be|'re| must act as| will act as)"
     r"|act as(?: if you (?:are|were))?|pretend (?:to be|you are|that you are)|role-?play as)"
     r" (?:(?:an?|the|my) )?(?:\w{1,14} ){0,2}?(?:" + _AI +
     r"|dan|jailb\w{3,8}|hacker|unrestricted|uncensored|unfiltered|evil|pirate)\b",
     _ROLE),
    (("you are now",),
     r"\byou are now (?:(?:in |entering )(?:\w{1,14} ){0,2}mode\b"
     r"|free (?:from|of) (?:all |any |your )?(?:rules|restrictions|limits|constraints))",
     _ROLE),
    ((" mode",),
     r"\b(?:enter|enable|activate|switch (?:to|into)|unlock) (?:the )?(?:dan|god|jailbreak|unrestricted) mode\b",
     _ROLE),
    (("prompt", "instruction", "message"),
     r"\b(?:reveal|print|show|repeat|output|leak|display|disclose|tell (?:me|us)|return|expose|give (?:me"
     r"|us))" + _GAP % 4 +
     r"(?:(?:system|hidden|developer|secret)[- ](?:prompt|instructions?|messages?)|(?:your|initial"
     r"|original) (?:prompt|instructions))\b",
     _PROMPT),
    (("system prompt", "system-prompt"), r"\b(?:your|new|updated|revised) system[- ]prompt\b", _PROMPT),
    (("instruction",),
     r"\b(?:new|updated|important|special|urgent|hidden|secret) (?:\w{1,14} )?instructions? (?:for|to) (?:the |any "
     r"|all |every )?"
     + _AI + r"\b",
     _TO),
    (("note", "attention", "message", "instruction", "warning", "hey", "dear"),
     r"\b(?:note|attention|message|instructions?|warning|hey|dear)[ ,:]{1,2}(?:to |for )?(?:the |any |all )?"
     r"(?:ai|llms?|language models?|chat ?bots?|chatgpt|claude|ai (?:assistant|agent|model"
     r"|system)s?)\b[ \w]{0,30}[:,!-]",
     _TO),
    (("if you are a",),
     r"\bif you are an? (?:ai|llm|(?:large )?language model|chat ?bot|(?:ai |virtual )?assistant"
     r"|automated (?:system|agent))\b",
     _TO),
    (("reading this", "summari", "processing this", "parsing this"),
     r"\b(?:ai|llm|language model|chat ?bot|assistant)s?[ ,:]{1,2}(?:reading|summari[sz]ing|processing|parsing) this\b",
     _TO),
    (("user",),
     r"\b(?:do not|don't|never|without) (?:tell|telling|inform|informing|mention|mentioning|reveal|revealing"
     r"|disclos\w{1,3}|alert\w{0,3})"
     r"(?: (?:this|it|that|anything))?(?: to)? (?:the|your) (?:human |end )?user\b",
     _HIDE),
    ((" asks", " ask"),
     r"\b(?:when|whenever|if) (?:(?:the|a|any) (?:user|human)|anyone"
     r"|someone) asks?\b[^.!?\n]{0,80}?,? (?:you (?:must|should|will) )?"
     r"(?:(?:always|only|just) )?(?:say|answer|respond|reply|claim|recommend|tell (?:them|him|her))\b",
     _WHAT),
    (("answer", "respon", "reply", "output"),
     r"\b(?:your (?:only |final |entire |whole )?(?:answer|response|reply|output) (?:must|should|shall) "
     r"(?:be|begin|start|end|only|include|contain|say)"
     r"|(?:answer|respond|reply) (?:only|just|exactly|always|simply) with(?: the (?:words?|phrase|text"
     r"|sentence))? [\"'“`:])",
     _WHAT),
    (("http", "@"),
     r"\b(?:send|forward|post|e-?mail|upload|exfiltrate|transmit|append)" + _GAP % 3 +
     r"(?:conversation|chat (?:history|log)|user's (?:data|question|query|messages?|information)|system prompt"
     r"|api keys?"
     r"|passwords|credentials)[^.!?\n]{0,40}?\b(?:to|at) (?:https?://|\S{1,60}@)",
     _SEND),
    # German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian
    (("anweisung", "instruktion", "befehl", "prompt", "vorgaben"),
     r"\b(?:ignorier\w{0,4}|vergiss|vergesst|vergessen sie|missachte\w{0,3}|befolge\w{0,2} nicht)\b[^.!?\n]{0,40}?"
     r"\b(?:vorherig\w{1,3}|bisherig\w{1,3}|obig\w{1,3}|vorangegangen\w{1,3}|früher\w{1,3}|system\w{0,12}|deine"
     r"|ihre)\b[^.!?\n]{0,20}?"
     r"\b(?:anweisung\w{0,3}|instruktion\w{0,3}|befehl\w{0,2}|prompts?|vorgaben)", _IGNORE),
    (("instruction", "consigne", "directive", "prompt"),
     r"\b(?:ignor\w{1,4}|oubli\w{1,4}|ne (?:tiens|tenez) pas compte)\b[^.!?\n]{0,40}?\b(?:instructions?|consignes"
     r"|directives|prompts?)\b"
     r"[^.!?\n]{0,20}?\b(?:précédent\w{0,2}|antérieur\w{0,2}|ci-dessus|initial\w{0,2}|du système)", _IGNORE),
    (("instruccion", "indicacion", "órdenes", "prompt"),
     r"\b(?:ignor\w{1,4}|olvid\w{1,4}|haz caso omiso|descart\w{1,4})\b[^.!?\n]{0,40}?\b(?:instruccion\w{0,2}"
     r"|indicacion\w{0,2}|órdenes|prompts?)"
     r"\b[^.!?\n]{0,20}?\b(?:anterior\w{0,2}|previ\w{1,3}|arriba|inicial\w{0,2}|del sistema)", _IGNORE),
    (("instruç", "orientaç", "ordens", "prompt"),
     r"\b(?:ignor\w{1,4}|esque[cç]\w{1,4}|desconsider\w{1,4})\b[^.!?\n]{0,40}?\b(?:instruç\w{1,4}|orientaç\w{1,4}"
     r"|ordens|prompts?)\b"
     r"[^.!?\n]{0,20}?\b(?:anterior\w{0,2}|prévi\w{1,3}|acima|inicia\w{1,2}|do sistema)", _IGNORE),
    (("istruzion", "indicazion", "ordini", "prompt"),
     r"\b(?:ignor\w{1,4}|dimentic\w{1,4}|non seguire)\b[^.!?\n]{0,40}?\b(?:istruzion\w|indicazion\w|ordini|prompts?)\b"
     r"[^.!?\n]{0,20}?\b(?:precedent\w|sopra|inizial\w|di sistema)", _IGNORE),
    (("negeer", "vergeet"),
     r"\b(?:negeer|vergeet)\b[^.!?\n]{0,40}?\b(?:vorige|eerdere|voorgaande|bovenstaande)\b[^.!?\n]{0,20}?"
     r"\b(?:instructies?|opdrachten|prompts?|aanwijzingen)", _IGNORE),
    (("ignoruj", "zapomnij", "pomiń"),
     r"\b(?:zignoruj\w{0,4}|ignoruj\w{0,4}|zapomnij\w{0,4}|pomiń\w{0,4})\b[^.!?\n]{0,40}?"
     r"\b(?:poprzedni\w{1,3}|wcześniejsz\w{1,3}|powyższ\w{1,3})\b[^.!?\n]{0,20}?\b(?:instrukcj\w{0,3}|polece\w{0,3}"
     r"|prompt\w{0,3})", _IGNORE),
    (("игнор", "забудь", "не следуй"),
     r"(?:игнорируй\w{0,2}|проигнорируй\w{0,2}|забудь\w{0,2}|не следуй\w{0,2})[^.!?\n]{0,40}?"
     r"(?:предыдущ\w{1,3}|прежн\w{1,3}|прошл\w{1,3}|вышеуказан\w{1,4}|системн\w{1,3})[^.!?\n]{0,20}?"
     r"(?:инструкц\w{1,3}|указани\w{1,3}|команд\w{0,2}|промпт\w{0,2})", _IGNORE),
    # Turkish, Chinese, Japanese, Korean, Arabic, Hindi
    (("talimat", "komut", "yönerge"),
     r"(?:önceki|yukarıdaki|yukaridaki)[^.!?\n]{0,20}?(?:talimat|komut|yönerge)\w{0,8}[^.!?\n]{0,20}?(?:yok say"
     r"|görmezden gel|unut)", _IGNORE),
    (("忽略", "无视", "無視", "忘记", "忘記", "不要"),
     r"(?:忽略|无视|無視|忘记|忘記|不要理会|不要遵循)[^。！？\n]{0,12}?(?:之前|以前|以上|上述|上面|先前|所有|前面)"
     r"[^。！？\n]{0,10}?(?:指令|指示|提示|命令|规则)", _IGNORE),
    (("無視", "忘れ"),
     r"(?:以前|これまで|上記|前|すべて|全て)の[^。！？\n]{0,12}?(?:指示|命令|プロンプト|ルール)"
     r"[^。！？\n]{0,6}?(?:無視|忘れ)", _IGNORE),
    (("무시", "잊"),
     r"(?:이전|위의|앞의|모든)[^.!?\n]{0,12}?(?:지시|명령|프롬프트|지침)[^.!?\n]{0,8}?(?:무시|잊)", _IGNORE),
    (("تجاهل", "انس"), r"(?:تجاهل|انس)\w{0,3}[^.!؟\n]{0,20}?(?:التعليمات|الأوامر"
     r"|الإرشادات)[^.!؟\n]{0,12}?(?:السابقة|أعلاه)", _IGNORE),
    (("निर्देश", "आदेश"),
     r"(?:पिछले|पिछली|पूर्व|उपरोक्त)[^।!?\n]{0,15}?(?:निर्देश|आदेश)[^।!?\n]{0,20}?(?:अनदेखा|नज़रअंदाज|भूल)", _IGNORE),
    # another role, in these languages
    (("bist jetzt", "sind jetzt", "es maintenant", "êtes maintenant", "ahora eres", "agora você", "ora sei",
     "adesso sei", "bent nu"),
     r"\b(?:du bist jetzt|sie sind jetzt|tu es maintenant|vous êtes maintenant|ahora eres|agora você é|ora sei"
     r"|adesso sei|je bent nu)"
     r" (?:(?:ein|eine|un|une|um|uma|een) )?(?:\w{1,14} ){0,2}?"
     r"(?:ki|ia|ai|llm|chatbot|dan|assistent\w{0,2}|asistente|assistente|assistant|hacker\w{0,2}"
     r"|pirat\w{0,3})\b", _ROLE),
    (("теперь",), r"(?:ты|вы) теперь[^.!?\n]{0,20}?(?:бот|ии|ассистент|хакер|пират)\b", _ROLE),
    (("你现在",), r"你现在(?:是|扮演)[^。！？\n]{0,10}?(?:人工智能|助手|机器人|黑客|模型)", _ROLE),
    # the forms of prompts and calls
    (("<|",),
     r"<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id"
     r"|begin_of_text)\|>", _MARKER),
    (("inst]", "sys>>", "_of_turn"), r"\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>", _MARKER),
    (("message", "prompt", "instruction", "override"),
     r"(?m)^[ \t>*#]{0,6}(?:system|assistant|developer)[ _-](?:message|prompt|instructions?"
     r"|override)\b[*]{0,2} ?:", _MARKER),
    (("##",), r"(?m)^#{2,4} ?(?:instructions?|system|assistant) ?: ?$", _MARKER),
    (("\n\nhuman:",), r"\n\nhuman: [^\n]{0,500}\n\nassistant:", _MARKER),
    (("role",), r"[\"']role[\"'] ?: ?[\"'](?:system|developer)[\"']", _MARKER),
    (("<",),
     r"<\s{0,3}/?\s{0,3}(?:system(?:[_-](?:prompt|message|instructions?))?|assistant|instructions?|user_query"
     r"|untrusted\w{0,20})\s{0,3}/?>",
     _MARKER),
    (("passage",), r"<\W{0,6}passage\b", _FENCE),
    (("tool", "function", "invoke"),
     r"</?(?:tool_calls?|tool_use|tool_result|function_calls?|function_results|invoke)\b[^>\n]{0,80}>"
     r"|\[tool_calls\]|<function=\w{1,40}>|[\"'](?:tool_calls|function_call)[\"'] ?: ?[\[{]", _CALL),
    (("](http",), r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,120}[?&]\w{1,20}=[^)\s]{0,20}(?:\{|\[|%7b|<)", _SEND),
)  # fmt: skip

RULES = tuple(Rule(cues, re.compile(pattern), reason) for cues, pattern, reason in _RULES)
