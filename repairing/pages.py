"""Write docs/errors.md and docs/errors.zh-TW.md from rules.toml: python -m repairing.pages"""

from pathlib import Path

from repairing.tree import DATA, RULES

DOCS = Path(__file__).resolve().parent.parent / "docs"
TEXTS = {
    "errors.md": {
        "column": 0,
        "head": """# Which error is it?

[繁體中文](errors.zh-TW.md) · [Back to the README](../README.md)

**One command repairs your script or notebook: `uv run repair.py yours.ipynb`.** This page is for looking an error up.
Search it (Ctrl-F) for a word of the error's last line. Your own names may differ; change what differs between the old
line and the new one, then run again.""",
        "frequent": "The ten most frequent",
        "chapters": "By chapter",
        "all": "All errors",
        "table": "| error | old line | new line |",
        "silent": "no message",
        "told": "see below",
        "left": "`repair.py` cannot do this for you.",
    },
    "errors.zh-TW.md": {
        "column": 1,
        "head": """# 這是什麼錯誤？

[English](errors.md) · [回到 README](../README.zh-TW.md)

**一行指令就能修好你的程式或 Notebook：`uv run repair.py yours.ipynb`。** 這一頁讓你查詢個別錯誤。
從錯誤訊息的最後一行挑出關鍵字，按 Ctrl-F（Mac 為 Cmd-F）搜尋。你的變數名稱可能不同，
照著舊寫法與新寫法的差異修改，改好後再執行一次。""",
        "frequent": "最常見的十個錯誤",
        "chapters": "依章節查詢",
        "all": "所有錯誤",
        "table": "| 錯誤訊息 | 舊寫法 | 新寫法 |",
        "silent": "沒有訊息",
        "told": "見下方說明",
        "left": "`repair.py` 無法代為修改。",
    },
}


def code(text):
    """Return a text as code for a cell of a table, line by line."""
    mark = "``" if "`" in text else "`"
    return "<br>".join(
        mark + " " * (mark != "`") + line.replace("|", "\\|") + " " * (mark != "`") + mark for line in text.split("\n")
    )


def page(name):
    """Return one page: the ten most frequent errors, the chapters, and every rule with its rows."""
    text = TEXTS[name]
    shown = [rule for rule in RULES if rule.get("row")]

    def link(rule):
        error = rule["row"][0]["error"] or f"{text['silent']}: {rule['row'][0]['old']}"
        return f"[{code(error.split(chr(10))[0])}](#{rule['id']})"

    def reason(rule):
        known = {"moved", "calls", "find", "run", "gone"} & rule.keys()
        return rule["zh" if text["column"] else "why"] + ("" if known else " " * (not text["column"]) + text["left"])

    lines = [text["head"], f"\n## {text['frequent']}\n"]
    lines += [
        f"{number}. {link(rule)}"
        for number, rule in enumerate((r for name in DATA["frequent"] for r in shown if r["id"] == name), 1)
    ]
    lines += [f"\n## {text['chapters']}\n"]
    for key, names in DATA["chapters"].items():
        found = [f"[{rule['id']}](#{rule['id']})" for rule in shown if key in rule["chapters"]]
        lines.append(f"- **{names[text['column']]}**: {' · '.join(found)}")
    lines.append(f"\n## {text['all']}")
    for rule in shown:
        lines += [f"\n### {rule['id']}\n", text["table"], "| --- | --- | --- |"]
        for row in rule["row"]:
            new = code(row["new"]) if "new" in row else text["told"]
            lines.append(f"| {code(row['error']) if row['error'] else text['silent']} | {code(row['old'])} | {new} |")
        lines += ["", reason(rule)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in TEXTS:
        (DOCS / name).write_text(page(name), encoding="utf-8")
