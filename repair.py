# /// script
# requires-python = ">=3.11"
# dependencies = ["ast-grep-py>=0.38,<1"]
# ///
"""Repair scripts and notebooks written for Keras 1 or 2: uv run repair.py yours.ipynb

A repaired copy is written beside the original: yours_keras3.ipynb.
"""

import argparse
import difflib
import json
import locale
import re
import sys
from collections import defaultdict
from pathlib import Path

try:
    from repairing.functions import repair
    from repairing.tree import DATA, RULES
except ImportError as error:
    if error.name not in ("ast_grep_py", "tomllib"):
        raise
    sys.exit(
        "repair.py needs Python 3.11 or newer and ast-grep-py: use `uv run repair.py`, or `pip install ast-grep-py`."
    )

PROJECT = Path(__file__).resolve().parent
MARK, BREAK = "#\ue000", "\n#\ue001\n"  # hides a magic; separates two cells
MAGIC = re.compile(
    r"^([ \t]*)((?:[!?]|%(?=[%\w])|\w[\w.,()\[\] ]*= *[%!]\w)(?:.*\\\n)*.*|[\w.]+\?+[ \t]*)$", re.MULTILINE
)
WHOLE_CELL = r"\s*%%(?!time|timeit|capture|prun)\w"


class Refused(Exception):
    """A file that is not repaired, with the sentence that says why."""


def hide(cell):
    """Make comments of a cell's magics, so that Python is left."""
    if re.match(WHOLE_CELL, cell):
        return "".join(MARK + line for line in cell.splitlines(keepends=True))
    return MAGIC.sub(lambda magic: f"{magic[1]}pass {MARK}" + magic[2].replace("\n", f"\n{MARK}"), cell)


def show(cell):
    """Undo `hide`."""
    return cell.replace(f"pass {MARK}", "").replace(MARK, "")


def decode(content):
    """Return a script's text, and the encoding of which it was: UTF-8, or the Big5 of older editors on Windows."""
    for encoding in ("utf-8-sig", "cp950"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise Refused("no_text")


class Script:
    def __init__(self, content):
        text, self.encoding = decode(content)
        self.mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
        self.crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
        self.text = text.replace("\r\n", "\n") if self.crlf else text
        if self.encoding == "cp950":
            self.text = re.sub(r"\A(#!.*\n)?(#.*coding[:=]\s*)[\w-]+", r"\1\2utf-8", self.text)
        if not self.text.strip():
            raise Refused("empty")

    def place(self, line):
        return [line + 1]

    def write(self, text):
        return self.mark + (text.replace("\n", "\r\n") if self.crlf else text).encode()


class Notebook:
    def __init__(self, content):
        try:
            self.raw = content.decode("utf-8-sig")
            data = json.loads(self.raw)
            if "worksheets" in data:
                raise Refused("format_3")
            self.cells = [cell["source"] for cell in data["cells"]]
            self.code = [index for index, cell in enumerate(data["cells"]) if cell["cell_type"] == "code"]
            parts = [hide("".join(self.cells[index])) for index in self.code]
        except (ValueError, KeyError, TypeError):
            raise Refused("damaged") from None
        self.mark = content[: len(content) - len(self.raw.encode())]
        self.text, self.encoding = BREAK.join(parts), "utf-8-sig"
        if not self.text.strip("\ue001#\n "):
            raise Refused("empty")

    def place(self, line):
        before = "\n".join(self.text.split("\n")[: line + 1]).split(BREAK)
        return [line_in_cell := before[-1].count("\n") + 1, self.code[len(before) - 1] + 1][: 2 if line_in_cell else 1]

    def write(self, text):
        """Put the changed cells into the notebook's own text, of which nothing else changes."""
        new, raw, after = dict(zip(self.code, map(show, text.split(BREAK)))), [], 0
        index, decoder = 0, json.JSONDecoder()
        for key in re.finditer(r'(?<!\\)"source"\s*:\s*', self.raw):
            if index == len(self.cells) or key.start() < after:
                continue
            value, end = decoder.raw_decode(self.raw, key.end())
            if value != self.cells[index]:
                continue
            if index in new and new[index] != "".join(value):
                raw += [self.raw[after : key.end()], self.source(self.raw[key.end() : end], new[index])]
                after = end
            index += 1
        return self.mark + ("".join(raw) + self.raw[after:]).encode()

    def source(self, old, text):
        ascii_only = self.raw.isascii()
        if not old.startswith("["):
            return json.dumps(text, ensure_ascii=ascii_only)
        first, last = re.match(r"\[(\s*)", old)[1], re.search(r"(\s*)\]$", old)[1]
        between = (found := re.search(r'",(\s*)"', old)) and first != "" and first or (found[1] if found else " ")
        lines = [json.dumps(line, ensure_ascii=ascii_only) for line in text.splitlines(keepends=True)]
        return f"[{first}{(',' + between).join(lines)}{last}]"


class Printer:
    """Tells what was done, in one language."""

    def __init__(self, language):
        self.language, self.messages = language, DATA["messages"][language]
        self.page = "docs/errors.zh-TW.md" if language == "zh-TW" else "docs/errors.md"

    def say(self, key, *values):
        print(self.messages[key].format(*values))

    def reason(self, rule):
        return RULES_BY_ID[rule]["zh" if self.language == "zh-TW" else "why"]

    def changes(self, file, old, new, origin, rules):
        """Print each changed line: where it is, what it was, what it is, and why."""
        said, lines = set(), defaultdict(list)
        for line, before in zip(new.split("\n"), origin):
            lines[before].append(line)
        for line, reasons in sorted(rules.items()):
            self.say("place" if len(place := file.place(line)) == 1 else "place_in_cell", *place)
            last = max((other for other in range(line, len(old)) if other not in lines or other == line), default=line)
            last = next((other - 1 for other in range(line + 1, last + 1) if other in lines), last)
            for text in difflib.ndiff(old[line : last + 1], lines[line]):
                if text[0] in "+-" and text[2:].strip():
                    print(f"  {text[0]} {show(text[2:]).strip()}")
            for rule in reasons:
                if rule not in said:
                    print(f"    {self.reason(rule)}")
                said.add(rule)


RULES_BY_ID = {rule["id"]: rule for rule in RULES}


def scripts(paths):
    """Return the scripts and notebooks that are named, or lie in a folder that is named, without the copies."""
    for path in map(Path, paths):
        if path.is_dir():
            found = [each for each in sorted(path.rglob("*")) if each.suffix in (".py", ".ipynb") and each.is_file()]
            found = [
                each for each in found if not each.stem.endswith("_keras3") and ".ipynb_checkpoints" not in each.parts
            ]
            yield from found or [Refused("no_scripts", path)]
        elif path.suffix not in (".py", ".ipynb"):
            yield Refused("no_script", path)
        else:
            yield path


def repair_file(path, options, printer):
    """Repair one file and tell about it; whatever is wrong raises Refused before anything is written."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused("unreadable", error.strerror) from None
    file = (Notebook if path.suffix == ".ipynb" else Script)(content)
    here = path.resolve().parent == PROJECT
    data = str(PROJECT) if options.data and not here else None
    new, origin, rules, told = repair(file.text, here=here, data=data, notebook=isinstance(file, Notebook))
    if new is None:
        raise Refused("no_python", *file.place(told))
    target = path.with_stem(path.stem + "_keras3")
    changed = new != file.text or file.encoding == "cp950"
    printer.say("file" if changed and not options.diff else "file_same", path, path if options.in_place else target)
    if options.diff:
        texts = [show(text).replace("#\ue001", "# ---").splitlines(keepends=True) for text in (file.text, new)]
        sys.stdout.writelines(difflib.unified_diff(*texts, str(path), str(target)))
    else:
        if changed:
            write(path, target, content, file.write(new), options.in_place)
            helper = path.with_name("input_data.py")
            if re.search(r"^\s*(import|from) input_data\b", new, re.MULTILINE) and not helper.exists():
                text = (PROJECT / "repairing/input_data.py").read_text(encoding="utf-8")
                helper.write_text(repair(text, here=here, data=data)[0], encoding="utf-8")
        printer.changes(file, file.text.split("\n"), new, origin, rules)
        if file.encoding == "cp950":
            printer.say("big5")
    if told:
        printer.say("told")
    for line, rule, why in told:
        place = file.place(line)
        printer.say("place" if len(place) == 1 else "place_in_cell", *place)
        answered = f" {printer.page}#{rule}" if rule and RULES_BY_ID[rule].get("row") else ""
        print(f"    {why or printer.reason(rule)}{answered}")
    printer.say("sum", sum(map(len, rules.values())), len(told))


def write(path, target, old, new, in_place):
    """Write the copy, or the file itself after a copy of the original; never over what is there."""
    try:
        if in_place:
            with open(path.with_stem(path.stem + "_original"), "xb") as file:
                file.write(old)
            path.write_bytes(new)
        else:
            with open(target, "xb") as file:
                file.write(new)
    except FileExistsError as error:
        raise Refused("there_already", error.filename) from None
    except OSError as error:
        raise Refused("unwritable", error.strerror) from None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=__doc__.splitlines()[2])
    parser.add_argument("files", nargs="+", help="scripts (.py), notebooks (.ipynb), or folders of them")
    parser.add_argument("--diff", action="store_true", help="only show the changes, write nothing")
    parser.add_argument(
        "--in-place", action="store_true", help="write the file itself; the old one stays as *_original"
    )
    parser.add_argument("--lang", choices=["en", "zh-TW"], help="language of the explanations")
    parser.add_argument("--data", action="store_true", help="take the MNIST data of this project, by its path")
    options = parser.parse_args()
    sys.stdout.reconfigure(errors="replace")
    spoken = (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese"))
    printer, refused = Printer(options.lang or ("zh-TW" if spoken else "en")), 0
    for path in scripts(options.files):
        try:
            if isinstance(path, Refused):
                path, error = path.args[1], path
                raise error
            repair_file(path, options, printer)
        except Refused as error:
            refused = 1
            print(f"{path}: " + printer.messages[error.args[0]].format(*error.args[1:]), file=sys.stderr)
    return refused


if __name__ == "__main__":
    sys.exit(main())
