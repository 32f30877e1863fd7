"""A script as a tree with its names resolved, and the rules of rules.toml applied to it."""

import bisect
import re
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

import tomllib
from ast_grep_py import SgRoot

DATA = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
RULES = DATA["rule"]
MOVED = {old: new for rule in RULES for old, new in rule.get("moved", {}).items()}
PACKAGES = "keras|tensorflow|numpy|pandas|matplotlib|sklearn|scipy|PIL|cv2|time|sys|pickle"
FULL_NAME = re.compile(rf"(?<![\w.$'\"/])(?:{PACKAGES})(?:\.\w+|\.\*)+")
TF_KERAS = re.compile(
    r"tensorflow\.(?:contrib\.|python\.)?keras(?:\.api(?:\.keras|\._v[12]\.keras)?|\.python\.keras)?\b"
)
KIND = {"import_statement", "import_from_statement", "future_import_statement"}


def moved(name):
    """Return where a full name is found today: the longest beginning that a rule moves counts."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if name == "keras.layers.merge":  # the function, not the module of this name
            break
        if (old := ".".join(parts[:end])) in MOVED:
            return ".".join([MOVED[old], *parts[end:]])
    return name


def span(node):
    return node.range().start.index, node.range().end.index


class Source:
    """A text as a tree, with its names resolved: what `Conv` or `K.mean` is follows from the file's own imports."""

    def __init__(self, text, **facts):
        self.text, self.facts, self.edits, self.told = text, facts, [], []
        self.root = SgRoot(text, "python").root()
        self.names, self.places, self.stars, self.needed = {}, {}, [], []
        self.values, self.functions, self.classes = defaultdict(list), {}, set()
        self.imports = [
            node for kind in ("import_statement", "import_from_statement") for node in self.root.find_all(kind=kind)
        ]
        for node in self.imports:
            for module, name, alias, _ in imported(node):
                self.bind(module, name, alias, span(node)[0])
        for node in self.root.find_all(kind="assignment"):
            self.bind_values(node)
        for node in self.root.find_all(kind="function_definition"):
            self.functions.setdefault(node.field("name").text(), node)
        self.classes = {node.field("name").text() for node in self.root.find_all(kind="class_definition")}
        for name in self.classes & self.names.keys():
            del self.names[name]
        self.calls = self.root.find_all(kind="call")

    def bind(self, module, name, alias, place):
        if name == "*":
            self.stars.append(module)
        else:
            full = f"{module}.{name}" if module else name
            alias = alias or (name if module else name.split(".")[0])
            self.names[alias] = full if alias != full.split(".")[0] or module else alias
            self.places[self.names[alias], alias] = place

    def bind_values(self, node):
        left, right = node.field("left"), node.field("right")
        if right is None:
            return
        if left.kind() in ("pattern_list", "tuple_pattern"):
            for index, target in enumerate(child for child in left.children() if child.is_named()):
                self.values[target.text()].append((span(node)[1], right, index))
        else:
            self.values[left.text()].append((span(node)[1], right, None))
            full = self.full(right) if right.kind() == "attribute" else None
            if (
                left.kind() == "identifier"
                and full
                and FULL_NAME.fullmatch(full)
                and len(self.values[left.text()]) == 1
            ):
                self.bind("", full, left.text(), span(node)[0])

    def full(self, node):
        """Return the full name of `np.int` or `Dense`, as the file's imports have it, or None for anything else."""
        if node.kind() == "identifier":
            return self.names.get(node.text())
        if node.kind() in ("attribute", "dotted_name") and node.field("object"):
            before = self.full(node.field("object"))
            return before and f"{before}.{node.field('attribute').text()}"
        return None

    def today(self, node):
        """Return all that a name may be by its full name today; several only after `from ... import *`."""
        name = self.full(node)
        if name:
            return [moved(TF_KERAS.sub("keras", name))]
        if node.kind() == "identifier" and not self.own(node.text()):
            return [moved(f"{TF_KERAS.sub('keras', module)}.{node.text()}") for module in self.stars]
        return []

    def own(self, name):
        return name in self.values or name in self.functions or name in self.classes

    def is_one(self, node, wanted):
        return any(fnmatchcase(name, pattern) for name in self.today(node) for pattern in wanted)

    def is_call(self, call, wanted):
        """Tell whether a call is one of `wanted`: full names, or `.fit` for a method that the file does not define."""
        function = call.field("function")
        if function.kind() == "attribute" and f".{function.field('attribute').text()}" in wanted:
            name = function.field("attribute").text()
            receiver = self.kind(function.field("object"))
            return not (
                name in self.functions
                and (receiver is None or receiver in self.classes or function.text() == f"self.{name}")
            )
        return self.is_one(function, wanted)

    def value(self, name, before):
        """Return the value that a name was given last before a place, and its index in a tuple."""
        given = self.values.get(name, [])
        return max(
            (each for each in given if each[0] < before), default=given[0] if given else None, key=lambda e: e[0]
        )

    def kind(self, node, depth=0):
        """Return what a value is, as far as the file tells: `pandas.DataFrame`, `list`, a class, or None."""
        kind = node.kind()
        if kind in ("list", "list_comprehension"):
            return "list"
        if depth > 9:
            return None
        if kind == "parenthesized_expression":
            return self.kind(node.child(1), depth + 1)
        if kind == "binary_operator" and node.child(1).text() in "+*":
            return self.kind(node.field("left"), depth + 1)
        if kind in ("identifier", "attribute") and (given := self.value(node.text(), span(node)[0])):
            return self.kind_of_part(given[1], given[2], depth + 1)
        if kind == "subscript" and self.kind(node.field("value"), depth + 1) == "pandas.DataFrame":
            index = node.field("subscript")
            one = index.kind() in ("string", "integer") or (index.kind() == "identifier")
            return "pandas.Series" if one else "pandas.DataFrame"
        if kind == "call":
            return self.kind_of_call(node, depth + 1)
        return None

    def kind_of_part(self, node, index, depth):
        if index is None:
            return self.kind(node, depth)
        if node.kind() in ("expression_list", "tuple"):
            parts = [child for child in node.children() if child.is_named()]
            return self.kind(parts[index], depth) if index < len(parts) else None
        if node.kind() == "call" and node.field("function").text() in self.functions:
            return self.kind_of_return(node.field("function").text(), index, depth)
        return None

    def kind_of_call(self, node, depth):
        function = node.field("function")
        name = next(iter(self.today(function)), None)
        if name and re.fullmatch(r"pandas\.(read_\w+|DataFrame|concat|get_dummies|merge)", name):
            return "pandas.DataFrame"
        if name and re.fullmatch(
            r"keras\.(models\.)?(Sequential|Model|\w*load_model|model_from_\w+)|keras\.applications.*", name
        ):
            return "keras.Model"
        if function.text().endswith(".tolist"):
            return "list"
        if function.text() in self.classes:
            return function.text()
        if function.text() in self.functions:
            return self.kind_of_return(function.text(), None, depth)
        if function.kind() == "attribute" and function.field("attribute").text() in FRAME_METHODS:
            receiver = self.kind(function.field("object"), depth)
            return receiver if receiver in ("pandas.DataFrame", "pandas.Series") else None
        return name

    def kind_of_return(self, name, index, depth):
        returns = self.functions[name].find_all(kind="return_statement")
        value = returns[-1].child(1) if returns and len(returns[-1].children()) > 1 else None
        return value and self.kind_of_part(value, index, depth)

    def spell(self, full, place):
        """Return how this file writes a full name at a place, by what it imports; else that import is added."""
        if not FULL_NAME.fullmatch(full) and full.split(".")[0] not in PACKAGES.split("|"):
            return full
        wanted = [full, full.replace("keras.", "tensorflow.keras.", 1)] if full.startswith("keras.") else [full]
        known = [
            (wish == full, len(target), alias + wish[len(target) :])
            for (target, alias), at in self.places.items()
            for wish in wanted
            if at < place and self.names.get(alias) == target and f"{wish}.".startswith(f"{target}.")
        ]
        if known:
            return max(known)[2]
        line, alias = DATA["imports"].get(full.split(".")[0], [f"import {full.split('.')[0]}", full.split(".")[0]])
        for prefix, (own_line, own_alias) in DATA["imports"].items():
            if full.startswith(f"{prefix}.") and len(prefix) > len(full.split(".")[0]):
                line, alias, full = own_line, own_alias, full.replace(prefix, own_alias, 1)
        if line not in self.needed:
            self.needed.append(line)
        return re.sub(r"^\w+", alias, full)

    def glue(self, node):
        """Return what stands between a statement and one more after it: a new line with its indentation, or `; `."""
        start, end = span(node)
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return "; " if line.strip() or self.text[end:].lstrip(" \t")[:1] == ";" else f"\n{line}"

    def change(self, start, end, new, rule):
        """Note a change, unless it touches one noted before: that waits for the next round."""
        place = bisect.bisect(self.edits, (start, end))
        before, after = self.edits[max(place - 1, 0) : place], self.edits[place : place + 1]
        if (
            self.text[start:end] == new
            or (before and before[0][1] > start)
            or (after and after[0][0] < max(end, start + 1))
        ):
            return
        self.edits.insert(place, (start, end, new, rule["id"]))

    def replace(self, node, new, rule):
        self.change(*span(node), new, rule)

    def comment_out(self, node, rule):
        """Make a comment of the statement in which a node stands; the only one of a block becomes `pass`, too."""
        while node.parent() and node.parent().kind() not in ("block", "module"):
            node = node.parent()
        start, end = span(node)
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        alone = node.parent().kind() == "block" and all(
            not n.is_named()
            or n.kind() == "comment"
            or span(n) == (start, end)
            or any(edit[0] == span(n)[0] and edit[2].startswith("# ") for edit in self.edits)
            for n in node.parent().children()
        )
        if self.glue(node) == "; ":
            return self.change(start, end, "pass", rule)
        text = f"\n{line}# ".join(
            part.strip() if not i else part for i, part in enumerate(self.text[start:end].split("\n"))
        )
        return self.change(start, end, "pass  " * alone + "# " + text, rule)

    def tell(self, node, rule):
        self.told.append((self.text.count("\n", 0, span(node)[0]), rule["id"]))


FRAME_METHODS = {
    "copy",
    "drop",
    "fillna",
    "dropna",
    "reset_index",
    "sort_values",
    "append",
    "sample",
    "head",
    "tail",
    "astype",
    "replace",
}


def imported(node):
    """Yield (module, name, alias, the name's node) for each name of an import statement."""
    module = node.field("module_name")
    for part in node.field_children("name"):
        alias = part.field("alias")
        name = part.field("name") if part.kind() == "aliased_import" else part
        yield module.text() if module else "", name.text(), alias and alias.text(), part
    if any(child.kind() == "wildcard_import" for child in node.children()):
        yield module.text(), "*", None, next(child for child in node.children() if child.kind() == "wildcard_import")


def arguments(call):
    """Return the arguments of a call: the nodes by position, and {name: (node, value)} by name."""
    if call.field("arguments").kind() != "argument_list":
        return [], {}
    parts = [part for part in call.field("arguments").children() if part.is_named() and part.kind() != "comment"]
    named = {
        part.field("name").text(): (part, part.field("value")) for part in parts if part.kind() == "keyword_argument"
    }
    return [part for part in parts if part.kind() != "keyword_argument"], named


def content(node):
    """Return what a string says, without its quotes, or None."""
    if node is None or node.kind() != "string" or any(child.kind() == "interpolation" for child in node.children()):
        return None
    return "".join(child.text() for child in node.children() if child.kind() == "string_content")


def remove_argument(source, node, rule):
    parts = [part for part in node.parent().children() if part.is_named() and part.kind() != "comment"]
    index = [span(part) for part in parts].index(span(node))
    if len(parts) == 1:
        comma = re.match(r"\s*,", source.text[span(node)[1] :])
        source.change(span(node)[0], span(node)[1] + (comma.end() if comma else 0), "", rule)
    elif index + 1 < len(parts):
        source.change(span(node)[0], span(parts[index + 1])[0], "", rule)
    else:
        source.change(span(parts[index - 1])[1] if index else span(node)[0], span(node)[1], "", rule)


def apply_arguments(source, rule):
    """Rename, remove or name arguments of calls, and rename the function, as the rule's table says."""
    for call in source.calls:
        if not source.is_call(call, rule["calls"]):
            continue
        by_place, by_name = arguments(call)
        for name, (node, value) in by_name.items():
            if name in rule.get("arguments", {}):
                new, text = rule["arguments"][name], value.text()
                if source.is_one(call.field("function"), ["keras.layers.Embedding"]):
                    new = new.replace("kernel_", "embeddings_")
                values = rule.get("values", {})
                if not values or content(value) in values or (text in values and content(value) is None):
                    if not new:
                        remove_argument(source, node, rule)
                    elif new not in by_name or new == name:
                        found = content(value)
                        text = (
                            values.get(text, text) if found is None else text.replace(found, values.get(found, found))
                        )
                        source.replace(node, f"{new}={text}", rule)
        for node, name in zip(by_place, rule.get("positions", [])):
            if name and not node.kind().endswith("splat"):
                source.change(span(node)[0], span(node)[0], f"{name}=", rule)
        if "method" in rule:
            source.replace(call.field("function").field("attribute"), rule["method"], rule)


def compiled(pattern):
    """Return a pattern with `$N0` for its full names and `$S0` for its strings, and what those must be."""
    wanted = {}

    def note(match, letter):
        key = f"{letter}{len(wanted)}"
        wanted[key] = match[0].strip("'")
        return f"${key}"

    text = re.sub(r"'[^']*'", lambda match: note(match, "S"), pattern)
    return FULL_NAME.sub(lambda match: note(match, "N"), text), wanted


def apply_pattern(source, rule):
    """Replace what a pattern over the tree finds: `find`, `write`, and `where` for what a part must be."""
    finds = rule["find"] if isinstance(rule["find"], list) else [rule["find"]]
    writes = rule["write"] if isinstance(rule["write"], list) else [rule["write"]]
    for find, write in zip(finds, writes * len(finds)):
        if not all(
            word in source.text
            for word in re.findall(r"(?<![\w$.])\w{4,}(?![\w.])|(?<=\.)\w{4,}", re.sub(PACKAGES, "", find))
        ):
            continue
        for one in {find, re.sub(r"(, )?\$\$\$\w+", "", find)}:
            pattern, wanted = compiled(one)
            for match in source.root.find_all(pattern=pattern):
                if fits(source, match, wanted, rule.get("where", {})):
                    write_match(source, match, write, one != find, rule)


def fits(source, match, wanted, where):
    for key, wish in wanted.items():
        node = match.get_match(key)
        if not (content(node) == wish if key[0] == "S" else source.is_one(node, [wish])):
            return False
    first = match.find(kind="identifier")
    if (
        match.kind() == "call"
        and not wanted
        and match.field("function").kind() == "identifier"
        and source.own(first.text())
    ):
        return False
    return all(source.kind(match.get_match(key)) == kind for key, kind in where.items())


def write_match(source, match, write, nothing, rule):
    if write == "#":
        return source.comment_out(match, rule)

    def text(found):
        if found[1].startswith("$$$"):
            nodes = match.get_multiple_matches(found[1][3:])
            return (
                found[0].replace(found[1], source.text[span(nodes[0])[0] : span(nodes[-1])[1]].rstrip(", "))
                if nodes
                else ""
            )
        return found[0].replace(found[1], match.get_match(found[1][1:]).text())

    write = re.sub(r"(?:, )?\$\$\$\w+", "", write) if nothing else write
    parent = match.parent().kind()
    if match.kind() == "call" and parent != "expression_statement":  # no assignment within an expression
        write = re.sub(r"^(\S+) = (\$V)$", r"\1.assign(\2)", write)
    if write == "$K in $D" and parent == "comparison_operator":
        write = f"({write})"
    if write == "$D.loc[$I, $J]" and all(
        re.fullmatch(r"-?\d+|(-?\d+)?:(-?\d+)?", match.get_match(key).text()) for key in "IJ"
    ):
        write = "$D.iloc[$I, $J]"
    if write.startswith("pandas.concat") and match.get_match("X").kind() == "dictionary":
        write = write.replace("$X", "pandas.DataFrame([$X])")
    write = FULL_NAME.sub(lambda name: source.spell(name[0], span(match)[0]), write)
    return source.replace(match, re.sub(r"(?:, )?(\$\$\$\w+|\$[A-Z]\w*)", text, write), rule)


def apply_moved(source, rules):
    """Write today's module and name into imports, and into `keras.layers.core.Dense` or `np.int`."""
    for node in source.imports:
        move_import(source, node, rules)
    for node in source.root.find_all(kind="attribute"):
        if node.parent().kind() == "attribute" or any(parent.kind() in KIND for parent in node.ancestors()):
            continue
        inner = node
        while inner.kind() == "attribute":  # the longest beginning that has moved
            name, root = source.full(inner), inner
            while root.kind() == "attribute":
                root = root.field("object")
            base = name and source.full(root)
            old, new = (name or "", today(name or ""))
            if name and new != old and moved_beyond(old, base):
                source.replace(inner, source.spell(new, span(inner)[0]), rules[rule_of(old)])
                break
            inner = inner.field("object")


def today(full):
    """Return today's full name; `tensorflow.keras` stays where the script has it."""
    plain = TF_KERAS.sub("keras", full)
    new = moved(plain)
    if TF_KERAS.match(full) and re.match(r"keras\b", new):
        return re.sub(r"^keras\b", "tensorflow.keras", new)
    return new


def rule_of(full):
    """Return the key of the rule that moves a full name."""
    plain = TF_KERAS.sub("keras", full)
    parts = plain.split(".")
    keys = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return next(
        (key for key in keys if key in MOVED),
        "tensorflow.python.keras" if ".python" in full else "tensorflow.contrib.keras",
    )


def moved_beyond(full, base):
    """Tell whether what has moved reaches beyond the imported part, which the import itself gets right."""
    return today(full) != today(base) + full[len(base) :]


def apply_gone(source, rule):
    """Make comments of imports of what is gone and needed no more."""
    for node in source.imports:
        names = list(imported(node))
        gone = [TF_KERAS.sub("keras", f"{module}.{name}") in rule["gone"] for module, name, *_ in names]
        if all(gone):
            source.comment_out(node, rule)
        elif any(gone):
            for (*_, part), away in zip(names, gone):
                if away:
                    remove_argument(source, part, rule)


def move_import(source, node, rules):
    names = list(imported(node))
    places = []
    for module, name, alias, part in names:
        full = f"{module}.{name}" if module else name
        new = today(f"{module}.x")[:-2] + ".*" if name == "*" else today(full)
        places.append((full, new, alias, part))
    if all(full == new for full, new, *_ in places) or (names[0][0].startswith(".")):
        return
    rule = rules[rule_of(next(full for full, new, *_ in places if full != new))]
    if not names[0][0]:
        for full, new, alias, part in places:
            if new != full:
                form = f"{new} as {alias}" if alias and alias != new else new
                if not alias and full.split(".")[0] != new.split(".")[0]:
                    form = f"{new} as {full.split('.')[0]}"
                source.replace(part, form, rule)
        return
    lines = defaultdict(list)
    for full, new, alias, _ in places:
        module, _, name = new.rpartition(".")
        shown = alias or full.rpartition(".")[2]
        lines[module].append(name if name == shown or name == "*" else f"{name} as {shown}")
    if len(lines) == 1 and (module := next(iter(lines))):
        source.replace(node.field("module_name"), module, rule)
        for (*_, part), text in zip(places, lines[module]):
            source.replace(part, text, rule)
        return
    text = [
        f"from {module} import {', '.join(parts)}" if module else f"import {', '.join(parts)}"
        for module, parts in lines.items()
    ]
    source.replace(node, source.glue(node).join(text), rule)
