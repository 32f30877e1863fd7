"""What no single pattern can tell: functions that rules name by `run`, and the whole repair of a text."""

import ast
import re
import warnings
from collections import defaultdict

from repairing import tree
from repairing.tree import RULES, Source, arguments, content, remove_argument, span

OLD_METRICS = {"acc": "accuracy", "mean_absolute_error": "mae", "mean_squared_error": "mse"}
BY_ID = {rule["id"]: rule for rule in RULES}


def predict_classes(source, rule):
    """The last Dense of the model before the call tells whether there is one output or several."""
    for call in source.calls:
        if not source.is_call(call, [".predict_classes"]):
            continue
        function = call.field("function")
        receiver = function.field("object").text()
        given = source.text[slice(*span(call.field("arguments")))]
        predict = f"{receiver}.predict{given}"
        before = [
            each
            for each in source.calls
            if span(each)[0] < span(call)[0] and source.is_one(each.field("function"), ["keras.layers.Dense"])
        ]
        own = [
            each
            for each in before
            if any(
                p.text().startswith(f"{receiver}.add(")
                or p.kind() == "assignment"
                and p.field("left").text() == receiver
                for p in each.ancestors()
            )
        ]
        made = source.value(receiver, span(call)[0])
        maker = made and made[1].kind() == "call" and source.functions.get(made[1].field("function").text())
        if maker and not own:
            own = [
                each
                for each in maker.find_all(kind="call")
                if source.is_one(each.field("function"), ["keras.layers.Dense"])
            ]
        units = None
        if own or before:
            by_place, by_name = arguments((own or before)[-1])
            for name in ("units", "output_dim"):
                units = by_name[name][1].text() if name in by_name else units
            units = by_place[0].text() if by_place else units
            given = source.value(units, span(call)[0])
            units = given[1].text() if given and given[2] is None else units
            if maker and units in re.findall(r"\w+", maker.field("parameters").text()):
                units = None  # the call tells it
        axis = -1 if "TimeDistributed(" in source.text else 1
        if units is None:
            new = f"(lambda p: p.argmax(axis=1) if p.shape[-1] > 1 else (p > 0.5).astype('int32'))({predict})"
            source.tell(call, BY_ID["predict-classes-unknown"])
        else:
            new = f"({predict} > 0.5).astype('int32')" if units == "1" else f"{predict}.argmax(axis={axis})"
        if any(each.kind() == "interpolation" for each in call.ancestors()):
            new = new.replace("'int32'", "int")  # the quotes may be those of the f-string
        source.replace(call, new, rule)


def metrics(source, rule):
    """`metrics=['accuracy']` becomes `['acc']` where the script asks for 'acc' or 'val_acc'."""
    values = []
    for call in source.calls:
        by_place, by_name = arguments(call)
        if source.is_call(call, [".compile"]) and ("metrics" in by_name or len(by_place) > 2):
            value = by_name["metrics"][1] if "metrics" in by_name else by_place[2]
            given = source.value(value.text(), span(call)[0]) if value.kind() == "identifier" else None
            values.append(given[1] if given and given[2] is None else value)
    inside = {span(node) for value in values for node in [value, *value.find_all(kind="string")]}
    strings = [node for node in source.root.find_all(kind="string") if span(node) not in inside]
    asked = {name for node in strings for name in asks_for(source, node)}
    for value in values:
        for node in [value, *value.find_all(kind="string")]:
            for old, new in OLD_METRICS.items():
                if (
                    content(node) in (new, new[:3] if old == "acc" else new)
                    and old in asked
                    and new not in asked
                    and content(node) != old
                ):
                    source.replace(node, node.text().replace(content(node), old), rule)


def asks_for(source, node):
    """Yield the metrics that a string asks a history, a callback's monitor or a file name for."""
    text = content(node)
    if text is None:
        return
    known = {*OLD_METRICS, *OLD_METRICS.values()}
    for old in known:
        if re.search(rf"\{{(val_)?{old}[:}}]", text):
            yield old
    name = text.removeprefix("val_")
    parent = node.parent()
    if name not in known or parent.kind() in ("pair", "dictionary"):
        return
    if parent.kind() == "subscript":
        if parent.parent().kind() == "assignment" and parent.text() == parent.parent().field("left").text():
            return  # a key of their own
    elif parent.kind() == "keyword_argument" and parent.field("name").text() in ("label", "title", "name"):
        return
    else:
        call = next((each for each in node.ancestors() if each.kind() == "call"), None)
        function = call and call.field("function")
        if function and (function.text() == "print" or source.is_one(function, ["matplotlib.*"])):
            return
        if function and re.search(r"\.(compile|set_\w+|legend|title|plot|add_subplot)$", function.text()):
            return
    yield name


def seed(source, rule):
    """NumPy's seed stays, for it still draws a split of the data; Keras gets its own beside it."""
    if "set_random_seed" in source.text or not uses_keras(source):
        return
    for call in source.calls:
        if (
            source.is_one(call.field("function"), ["numpy.random.seed"])
            and call.parent().kind() == "expression_statement"
        ):
            number = call.field("arguments").text()
            line = source.text[source.text.rfind("\n", 0, span(call)[0]) + 1 : span(call)[0]]
            if line.strip() or number == "()":
                continue
            name = source.spell("keras.utils.set_random_seed", span(call)[0])
            return source.change(span(call)[1], span(call)[1], f"\n{line}{name}{number}", rule)


def uses_keras(source):
    names = [tree.TF_KERAS.sub("keras", name) for name in [*source.names.values(), *source.stars]]
    return any(name.startswith("keras") for name in names) or re.search(r"\btf\.keras\b", source.text)


def text_of_name(source, node, place, depth=0):
    """Return the string that ends a file name: itself, the last part of a sum or of `join`, or a variable's value."""
    if node is None or depth > 9:  # a name may be made of itself
        return None
    if node.kind() == "string":
        return node
    if node.kind() == "binary_operator":
        return text_of_name(source, node.field("left" if node.child(1).text() == "%" else "right"), place, depth + 1)
    if node.kind() == "call" and node.field("function").text().endswith((".join", "str", "Path")):
        return text_of_name(source, (arguments(node)[0] or [None])[-1], place, depth + 1)
    if node.kind() == "call" and node.field("function").text().endswith(".format"):
        return text_of_name(source, node.field("function").field("object"), place, depth + 1)
    if node.kind() in ("identifier", "attribute") and (value := source.value(node.text(), place)):
        known = value[1].kind() != node.kind()
        return text_of_name(source, value[1], span(value[1])[0], depth + 1) if known else None
    return None


def ending(node):
    """Return the last piece of a string's text, f-strings too."""
    parts = [child for child in node.children() if child.kind() == "string_content"]
    return parts[-1].text() if parts and node.child(len(node.children()) - 2).kind() == "string_content" else None


def file_names(source, rule):
    """Give a model file the ending that Keras takes, where it is saved and wherever else the same name stands."""
    saves, loads = {}, []
    for call in source.calls:
        by_place, by_name = arguments(call)
        first = (
            by_place[0] if by_place else next((by_name[n][1] for n in ("filepath", "filename") if n in by_name), None)
        )
        node = text_of_name(source, first, span(call)[0])
        name = node and ending(node)
        if not name:
            continue
        weights = source.is_call(call, [".save_weights"])
        if source.is_call(call, [".load_weights", "keras.models.load_model"]):
            loads.append(name)
        if source.is_one(call.field("function"), ["keras.callbacks.ModelCheckpoint"]):
            weights = "save_weights_only" in by_name and by_name["save_weights_only"][1].text() == "True"
            good = ".weights.h5" if weights else ".keras"
        elif weights:
            good = ".weights.h5"
        elif source.is_call(call, [".save", "keras.models.save_model"]) and model_saved(source, call):
            good = ".keras"
        else:
            continue
        ok = name.endswith(
            (".keras", ".h5")
            if good == ".keras" and not source.is_one(call.field("function"), ["*ModelCheckpoint"])
            else good
        )
        if not ok:
            saves[name] = (
                re.sub(r"(\.weights)?\.(h5|hdf5|hdf|hd5|model|weights|ckpt|tf|h5py|pkl|pb|keras|dat|wt)$", "", name)
                + good
            )
    if re.search(r"load_model\(", source.text) and re.search(r"\.fit", source.text.rpartition("load_model(")[2]):
        saves |= {
            name: name[:-3] + ".keras"
            for name in loads
            if name.endswith(".h5") and re.search(rf"\.save\([^)]*{re.escape(name)}", source.text)
        }
    for node in source.root.find_all(kind="string_content"):
        if node.text() in saves:
            source.replace(node, saves[node.text()], rule)


def model_saved(source, call):
    function = call.field("function")
    if function.kind() != "attribute" or source.is_one(function, ["keras.models.save_model"]):
        return True
    receiver = function.field("object")
    return source.kind(receiver) == "keras.Model" or "model" in receiver.text().lower()


CONV = {
    "Conv2D": 2,
    "Convolution2D": 2,
    "Conv3D": 3,
    "Convolution3D": 3,
    "AtrousConvolution2D": 2,
    "Deconvolution2D": 2,
    "Conv2DTranspose": 2,
    "SeparableConv2D": 2,
    "SeparableConvolution2D": 2,
}
KERAS_1 = re.compile(
    r"\b(Convolution[23]D|border_mode|nb_epoch|subsample|dim_ordering|output_dim|samples_per_epoch|nb_filter)\b"
)


def kernel_size(source, rule):
    """The numbers after the first were the window of Keras 1; today the second of them is the step."""
    for call in source.calls:
        if not source.is_one(call.field("function"), [f"keras.layers.{name}" for name in CONV]):
            continue
        function = call.field("function").text()
        short = next(iter(source.today(call.field("function")))).rpartition(".")[2]
        by_place, by_name = arguments(call)
        sizes, dims = by_place[1:], CONV[short]
        named = [by_name[name] for name in ("nb_row", "nb_col") if name in by_name]
        if len(named) == 2:
            source.replace(named[0][0], f"kernel_size=({named[0][1].text()}, {named[1][1].text()})", rule)
            remove_argument(source, named[1][0], rule)
        elif named and len(by_place) == 2:
            source.replace(by_place[1], f"({by_place[1].text()}, {named[0][1].text()})", rule)
            remove_argument(source, named[0][0], rule)
        elif len(sizes) >= dims and not any(
            node.kind() in ("tuple", "list", "string", "list_splat") for node in sizes[:dims]
        ):
            of_tf = (source.full(call.field("function")) or "").startswith("tensorflow.keras")
            if function.endswith("Conv2DTranspose") and not KERAS_1.search(source.text):
                continue  # this name is of Keras 2
            old = short.startswith("Convolution") or KERAS_1.search(source.text)
            if not of_tf and (old or len({node.text() for node in sizes[:dims]}) == 1):
                texts = ", ".join(node.text() for node in sizes[:dims])
                source.change(span(sizes[0])[0], span(sizes[dims - 1])[1], f"({texts})", rule)


def steps(source, rule):
    """Whole numbers of steps; samples per epoch become steps where the size of a batch is known."""
    for call in source.calls:
        if not source.is_call(
            call, [".fit", ".fit_generator", ".evaluate", ".predict", ".evaluate_generator", ".predict_generator"]
        ):
            continue
        by_place, by_name = arguments(call)
        generator = by_place[0] if by_place else next((by_name[n][1] for n in ("generator", "x") if n in by_name), None)
        for old, new, data in (
            ("samples_per_epoch", "steps_per_epoch", generator),
            ("nb_val_samples", "validation_steps", by_name.get("validation_data", [None, None])[1]),
            ("val_samples", "steps", generator),
        ):
            if old in by_name and data:
                node, value = by_name[old]
                size = batch_size(source, data, span(call)[0])
                text = (
                    value.text()
                    if value.kind() in ("identifier", "integer", "call", "attribute", "subscript")
                    else f"({value.text()})"
                )
                if size:
                    source.replace(node, f"{new}=max(1, {text} // {size})", rule)
                else:
                    source.tell(node, BY_ID["samples-per-epoch"])
        for name in ("steps_per_epoch", "validation_steps", "steps"):
            value = by_name[name][1] if name in by_name else None
            value = value or (
                by_place[1]
                if name == "steps" and len(by_place) > 1 and call.field("function").text().endswith("_generator")
                else None
            )
            if value and value.kind() == "binary_operator" and value.child(1).text() == "/":
                source.replace(value.child(1), "//", rule)
            elif (
                value
                and value.kind() == "call"
                and re.match(r"(np|numpy)\.(ceil|floor|round)$", value.field("function").text())
            ):
                source.replace(value, f"int({value.text()})", rule)


def batch_size(source, node, place, depth=0):
    """Return the size of the batches that a generator gives, as written in the file; 32 is Keras's own."""
    if node.kind() == "identifier" and depth < 4 and (given := source.value(node.text(), place)):
        return batch_size(source, given[1], given[0], depth + 1)
    if node.kind() == "call":
        by_place, by_name = arguments(node)
        if "batch_size" in by_name:
            return by_name["batch_size"][1].text()
        return "32" if re.search(r"\.flow(_from_directory)?$", node.field("function").text()) else None
    return None


def arrays(source, rule):
    """Keras takes lists no more: labels that are a list become an array."""
    for call in source.calls:
        if not source.is_call(call, [".fit", ".evaluate", ".predict"]) or source.kind(
            call.field("function").field("object")
        ) not in ("keras.Model", None):
            continue
        by_place, by_name = arguments(call)
        for node in [*by_place[:2], *(by_name[name][1] for name in ("x", "y") if name in by_name)]:
            if node.kind() == "identifier" and source.kind(node) == "list" and not tensors(source, node):
                source.replace(node, f"{source.spell('numpy.array', span(call)[0])}({node.text()})", rule)


def tensors(source, node):
    """Tell whether a list holds arrays for several inputs, which Keras takes."""
    value = source.value(node.text(), span(node)[0])
    return (
        value
        and value[1].kind() == "list"
        and any(child.kind() in ("identifier", "call", "subscript", "attribute") for child in value[1].children())
    )


def merge(source, rule):
    """`merge(..., mode='concat')` of Keras 1; its import goes once nothing uses it."""
    names = {"concat": "concatenate", "sum": "add", "mul": "multiply", "ave": "average", "max": "maximum", "dot": "dot"}
    alias = next(
        (alias for alias, full in source.names.items() if full in ("keras.layers.merge", "keras.engine.merge")), None
    )
    if not alias:
        return
    calls = [call for call in source.calls if call.field("function").text() == alias]
    for call in calls:
        by_place, by_name = arguments(call)
        mode = by_name["mode"][1] if "mode" in by_name else by_place[1] if len(by_place) > 1 else None
        mode = content(mode) if mode else "sum"
        if mode in names and 0 < len(by_place) < 3:
            keep = {"name": "name"} | {"concat": {"concat_axis": "axis"}, "dot": {"dot_axes": "axes"}}.get(mode, {})
            axis = "".join(f", {new}={by_name[old][1].text()}" for old, new in keep.items() if old in by_name)
            axis += ", axes=-1" * (mode == "dot" and "dot_axes" not in by_name)
            name = source.spell(f"keras.layers.{names[mode]}", span(call)[0])
            source.replace(call, f"{name}({by_place[0].text()}{axis})", rule)
    if not calls:
        for node in source.imports:
            for *_, name, given, part in tree.imported(node):
                if (given or name) == alias and len(list(tree.imported(node))) > 1:
                    remove_argument(source, part, rule)


def print_statement(source, rule):
    """`print x` of Python 2, and `except E, e`."""
    for node in source.root.find_all(kind="print_statement"):
        text = source.text[slice(*span(node))][5:].strip()
        to = re.match(r">>\s*([\w.]+)\s*,\s*", text)
        text = text[to.end() :] if to else text
        more = ([f"file={to[1]}"] if to else []) + (["end=' '"] if text.endswith(",") else [])
        source.replace(node, f"print({', '.join([text.rstrip(','), *more])})", rule)
    for node in source.root.find_all(kind="except_clause"):
        head = re.match(r"except\s+([\w.]+|\([\w., ]+\))\s*,\s*(\w+)\s*:", source.text[slice(*span(node))])
        if head:
            source.change(span(node)[0], span(node)[0] + head.end(), f"except {head[1]} as {head[2]}:", rule)


def decay(source, rule):
    """The rate that shrinks with every step is a schedule today; where something else sets the rate, it is told."""
    for call in source.calls:
        if not source.is_one(call.field("function"), ["keras.optimizers.*"]):
            continue
        by_name = arguments(call)[1]
        if "decay" not in by_name:
            continue
        node, value = by_name["decay"]
        if "lr" in by_name:
            continue  # it is renamed first
        rate = by_name.get("learning_rate")
        if re.fullmatch(r"0|0?\.0*|None", value.text()):
            remove_argument(source, node, rule)
        elif rate is None or re.search(
            r"ReduceLROnPlateau|LearningRateScheduler|optimizer\.(lr|learning_rate)", source.text
        ):
            remove_argument(source, node, rule)
            source.tell(node, BY_ID["decay-left"])
        elif "schedules" not in rate[1].text():
            schedule = source.spell("keras.optimizers.schedules.InverseTimeDecay", span(call)[0])
            source.replace(rate[1], f"{schedule}({rate[1].text()}, 1, {value.text()})", rule)
        else:
            remove_argument(source, node, rule)


def of_tf_keras(source):
    names = [*source.names.values(), *source.stars]
    return any(name.startswith("tensorflow.") and ".keras" in name for name in names) or "tf.keras" in source.text


def rates(source, rule):
    """Adadelta and Adagrad begin with other learning rates today than they did in Keras."""
    old = {"adadelta": ("Adadelta", "1.0"), "adagrad": ("Adagrad", "0.01")}
    for call in source.calls:
        by_place, by_name = arguments(call)
        name = next(
            (n for n, (c, _) in old.items() if source.is_one(call.field("function"), [f"keras.optimizers.{c}"])), None
        )
        of_tf = (source.full(call.field("function")) or "keras").startswith("tensorflow")
        if name and not of_tf and not by_place and not {"lr", "learning_rate"} & by_name.keys():
            place = span(call.field("arguments"))[0] + 1
            source.change(place, place, f"learning_rate={old[name][1]}" + ", " * bool(by_name), rule)
        if source.is_call(call, [".compile"]) and "optimizer" in by_name:
            text = content(by_name["optimizer"][1])
            if text and text.lower() in old and not of_tf_keras(source):
                new, rate = old[text.lower()]
                spelled = source.spell(f"keras.optimizers.{new}", span(call)[0])
                source.replace(by_name["optimizer"][1], f"{spelled}(learning_rate={rate})", rule)


KEPT = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
GONE = [
    "image_dim_ordering",
    "set_image_dim_ordering",
    "set_session",
    "get_session",
    "set_learning_phase",
    "learning_phase",
    "function",
]


def backend(source, rule):
    """The functions of the old backend are found in tf.keras alone."""
    used = [
        node.field("attribute").text()
        for node in source.root.find_all(kind="attribute")
        if source.is_one(node.field("object"), ["keras.backend"])
        and (source.full(node.field("object")) or "").startswith("keras")
    ]
    if source.edits or not any(name not in KEPT + GONE for name in used):
        return  # what another rule mends first may need the old backend no more
    for node in source.imports:
        for module, name, alias, part in tree.imported(node):
            if (module, name) == ("keras", "backend"):
                if len(list(tree.imported(node))) == 1:
                    source.replace(node.field("module_name"), "tensorflow.keras", rule)
                else:
                    rest = ", ".join(p.text() for *_, p in tree.imported(node) if span(p) != span(part))
                    source.replace(
                        node,
                        f"from tensorflow.keras import {part.text()}{source.glue(node)}from keras import {rest}",
                        rule,
                    )
            elif name == "keras.backend" and alias:
                source.replace(part, f"tensorflow.keras.backend as {alias}", rule)
            elif module == "keras.backend":
                source.replace(node.field("module_name"), "tensorflow.keras.backend", rule)


GRAPH = [
    "placeholder",
    "Session",
    "InteractiveSession",
    "get_variable",
    "global_variables_initializer",
    "initialize_all_variables",
    "variable_scope",
    "Variable",
]
V1 = [
    "ConfigProto",
    "GPUOptions",
    "Session",
    "InteractiveSession",
    "logging",
    "truncated_normal",
    "random_normal",
    "random_uniform",
    "set_random_seed",
    "app",
    "flags",
    "placeholder",
    "global_variables_initializer",
    "get_default_graph",
    "reset_default_graph",
    "to_float",
    "to_int32",
    "get_variable",
    "variable_scope",
    "log",
    "Print",
    "local_variables_initializer",
    "trainable_variables",
    "global_variables",
    "diag",
    "read_file",
    "decode_raw",
    "parse_single_example",
    "matrix_inverse",
    "disable_v2_behavior",
    "disable_eager_execution",
    "enable_eager_execution",
]


def tensorflow_1(source, rule):
    """A script of TensorFlow 1 alone keeps its names by compat.v1; in one with Keras single names get it."""
    for node in [*source.root.find_all(kind="assignment"), *source.imports]:
        text = node.text()
        if (
            (
                re.fullmatch(r"import tensorflow\.compat\.v1 as tf|tf = \w+\.compat\.v1", text)
                and "disable_" not in source.text
            )
            and re.search(r"\btf\.placeholder\(", source.text)
            and not uses_keras(source)
        ):
            source.change(span(node)[1], span(node)[1], f"{source.glue(node)}tf.disable_v2_behavior()", rule)
    aliases = [name for name, full in source.names.items() if full == "tensorflow"]
    for alias in aliases:
        used = {
            node.field("attribute").text(): node
            for node in source.root.find_all(kind="attribute")
            if node.field("object").text() == alias
        }
        if not used.keys() & {*GRAPH, *V1} - {"Variable"}:
            continue
        layers = uses_keras(source) and re.search(r"Sequential\(|Dense\(|\bModel\(|load_model\(", source.text)
        if not layers and {"placeholder", "Session", "InteractiveSession"} & used.keys():
            for node in source.imports:
                for module, name, _, part in tree.imported(node):
                    if name == "tensorflow" and not module:
                        source.replace(part, f"tensorflow.compat.v1 as {alias}", rule)
                        if len(list(tree.imported(node))) == 1:
                            source.change(
                                span(node)[1], span(node)[1], f"{source.glue(node)}{alias}.disable_v2_behavior()", rule
                            )
            return
        for node in source.root.find_all(kind="attribute"):
            if node.field("object").text() == alias and (name := node.field("attribute").text()) in V1:
                if name in ("log",):
                    source.replace(node, f"{alias}.math.{name}", rule)
                elif name != "set_random_seed" and "optimizer" not in node.text():
                    source.replace(node, f"{alias}.compat.v1.{name}", rule)


def tf_seed(source, rule):
    if not uses_keras(source) and re.search(r"\.(placeholder|Session|InteractiveSession)\b", source.text):
        return  # there it is found in compat.v1
    for call in source.calls:
        if source.is_one(call.field("function"), ["tensorflow.set_random_seed", "tensorflow.random.set_random_seed"]):
            new = "keras.utils.set_random_seed" if uses_keras(source) else "tensorflow.random.set_seed"
            source.replace(call.field("function"), source.spell(new, span(call)[0]), rule)


def mnist(source, rule):
    """In this project's folder the data is its own; elsewhere only a path is taken away, unless it is asked for."""
    here, folder = source.facts.get("here"), source.facts.get("data")
    line = "import mnist" if here else f"import sys; sys.path.append({folder!r}); import mnist  # the data lies there"
    for call in source.calls:
        if source.is_one(call.field("function"), ["keras.datasets.mnist.load_data", "keras.datasets.load_data"]):
            by_place, by_name = arguments(call)
            if not (here or folder):
                for node in [*by_place[:1], *(by_name["path"][0] for _ in ["path"] if "path" in by_name)]:
                    value = node.field("value") if node.kind() == "keyword_argument" else node
                    if content(value) != "mnist.npz":
                        remove_argument(source, node, rule)
            elif (function := call.field("function")).kind() == "attribute" and function.field(
                "object"
            ).kind() == "attribute":
                source.replace(function, "mnist.load_data", rule)
                source.needed.append(line)
    if not (here or folder):
        return
    for node in source.imports:
        parts = list(tree.imported(node))
        for module, name, alias, part in parts:
            if tree.TF_KERAS.sub("keras", f"{module}.{name}" if module else name) == "keras.datasets.mnist":
                new = line.replace("import mnist", f"import mnist as {alias}") if alias and alias != "mnist" else line
                indent = source.glue(node)
                rest = ", ".join(other.text() for *_, other in parts if span(other) != span(part))
                source.replace(node, f"{f'from {module} import {rest}{indent}' if rest else ''}{new}", rule)
            elif module and tree.TF_KERAS.sub("keras", module) == "keras.datasets.mnist" and name == "load_data":
                source.replace(
                    node,
                    f"{line.replace('import mnist', 'from mnist import load_data')}"
                    + (f" as {alias}" if alias else ""),
                    rule,
                )
    for node in source.root.find_all(kind="assignment"):
        right = node.field("right")
        if right and right.kind() == "attribute" and source.is_one(right, ["keras.datasets.mnist"]):
            source.replace(node, line, rule)


def channels_last(source, rule):
    """Theano's order of the axes: the number of colours goes behind the two of the image."""
    first = []
    for call in source.calls:
        by_place, by_name = arguments(call)
        shape = next((by_name[name][1] for name in ("input_shape", "shape") if name in by_name), None)
        if by_place and source.is_one(call.field("function"), ["keras.layers.Input", "keras.Input"]):
            shape = by_place[0]
        if (
            shape
            and shape.kind() == "tuple"
            and source.is_one(call.field("function"), ["keras.layers.*", "keras.Input"])
        ):
            parts = [child for child in shape.children() if child.is_named()]
            if len(parts) == 3 and order(source, parts, span(call)[0]) and not branch(call):
                first.append((shape, parts))
    told = re.search(
        r"set_image_dim_ordering\(['\"]th|set_image_data_format\(['\"]channels_first|# K.*\(['\"](th|channels_first)",
        source.text,
    )
    if not (first or told):
        return
    if first and not re.search(r"reshape\(|\.datasets|flow_from_directory", source.text):
        source.tell(first[0][0], BY_ID["channels-last-data"])
    for shape, parts in first:
        source.replace(shape, f"({', '.join(part.text() for part in [*parts[1:], parts[0]])})", rule)
    for call in source.calls:
        function = call.field("function")
        axis = arguments(call)[1].get("axis", (None, None))[1]
        order_of = arguments(call)[1].get("data_format", (None, None))[1]
        if first and content(order_of) == "channels_first" and source.is_one(function, ["keras.layers.*"]):
            source.replace(order_of, "'channels_last'", rule)
        joins = ["keras.layers.BatchNormalization", "keras.layers.Concatenate", "keras.layers.concatenate"]
        if first and axis and axis.text() == "1" and source.is_one(function, joins):
            source.replace(axis, "-1", rule)
        if function.kind() == "attribute" and function.field("attribute").text() == "reshape" and not branch(call):
            parts = arguments(call)[0]
            if len(parts) == 1 and parts[0].kind() in ("tuple", "list"):
                parts = [child for child in parts[0].children() if child.is_named()]
            elif source.is_one(function, ["numpy.reshape"]) and len(parts) == 2:
                parts = [child for child in parts[1].children() if child.is_named()]
            if len(parts) == 4 and order(source, parts[1:], span(call)[0]):
                source.change(
                    span(parts[1])[0],
                    span(parts[3])[1],
                    ", ".join(part.text() for part in [*parts[2:], parts[1]]),
                    rule,
                )


def order(source, parts, place):
    """Tell whether a shape has 1 or 3 colours first."""

    def number(node):
        value = source.value(node.text(), place) if node.kind() == "identifier" else None
        if value and value[2] is not None and value[1].kind() in ("expression_list", "tuple"):
            return [child for child in value[1].children() if child.is_named()][value[2]].text()
        return value[1].text() if value else node.text()

    numbers = [number(part) for part in parts]
    return numbers[0] in ("1", "3") and not {"1", "3"} & set(numbers[1:])


def branch(node):
    return any(
        each.kind() == "if_statement" and re.search(r"image_d|'th'|channels_", each.text().split("\n")[0])
        for each in node.ancestors()
    )


def magics(source, rule):
    """What only a notebook can run becomes a comment in a script."""
    if not source.facts.get("notebook"):
        for call in source.calls:
            if call.field("function").text().startswith("get_ipython()") and call.parent().kind() in (
                "expression_statement",
                "attribute",
            ):
                source.comment_out(call, rule)


def sklearn_wrapper(source, rule):
    for call in source.calls:
        if not source.is_one(call.field("function"), ["keras.wrappers.scikit_learn.Keras*", "keras.wrappers.SKLearn*"]):
            continue
        by_name = arguments(call)[1]
        builder = by_name.get("build_fn")
        if builder:
            of_fit = (
                "epochs nb_epoch batch_size verbose validation_split validation_data callbacks shuffle class_weight"
            )
            given = {name: f"{name}={value.text()}" for name, (_, value) in by_name.items() if name != "build_fn"}
            build = ", ".join(text for name, text in given.items() if name not in of_fit.split())
            fit = ", ".join(text for name, text in given.items() if name in of_fit.split()).replace(
                "nb_epoch", "epochs"
            )
            name = call.field("function").text()
            source.replace(call, f"{name}(lambda X, y: {builder[1].text()}({build}), fit_kwargs=dict({fit}))", rule)


def figure(source, rule):
    """`gcf` draws on over a figure that is still open; at the start of a function a new one is meant."""
    for node in source.root.find_all(kind="assignment"):
        right = node.field("right")
        if right and right.kind() == "call" and source.is_one(right.field("function"), ["matplotlib.pyplot.gcf"]):
            block = next(each for each in node.ancestors() if each.kind() in ("block", "module"))
            before = source.text[span(block)[0] : span(node)[0]]
            if block.kind() == "block" and not re.search(r"\bplt\.", before):
                source.replace(right.field("function").field("attribute"), "figure", rule)


def shape_tuple(source, rule):
    """One number needs its comma; the shape of a batch without a number of images is that of an image."""
    for call in source.calls:
        by_name = arguments(call)[1]
        batch = by_name.get("batch_input_shape")
        if batch and batch[1].kind() == "tuple" and source.is_one(call.field("function"), ["keras.layers.*"]):
            count, *parts = [child.text() for child in batch[1].children() if child.is_named()]
            if count == "None":
                source.replace(batch[0], f"input_shape=({', '.join(parts)}{',' * (len(parts) == 1)})", rule)
            else:
                source.tell(batch[0], BY_ID["batch-input-shape"])
        if "input_shape" in by_name and (value := by_name["input_shape"][1]).kind() == "parenthesized_expression":
            inner = value.child(1)
            given = source.value(inner.text(), span(call)[0])
            if re.search(r"shape$|\[[^]]*:", inner.text()) or given and given[1].kind() in ("tuple", "list"):
                continue  # a shape already
            source.change(span(value)[1] - 1, span(value)[1] - 1, ",", rule)


def compile_arguments(source, rule):
    for call in source.calls:
        if source.is_call(call, [".compile"]):
            by_name = arguments(call)[1]
            if "class_mode" in by_name:
                remove_argument(source, by_name["class_mode"][0], rule)
            if "metrics" in by_name and content(value := by_name["metrics"][1]):
                source.replace(value, f"[{value.text()}]", rule)
            weights = by_name["loss_weights"][1] if "loss_weights" in by_name else None
            if weights and weights.kind() == "list" and "loss" in by_name and content(loss := by_name["loss"][1]):
                outputs = sum(child.is_named() for child in weights.children())
                source.replace(loss, f"[{loss.text()}] * {outputs}", rule)


def tf_optimizers(source, rule):
    """The optimizers of TensorFlow 1, in a script that gives them to Keras's `compile`."""
    for call in source.calls:
        if source.is_call(call, [".compile"]) and "optimizer" in (by_name := arguments(call)[1]):
            node = by_name["optimizer"][1]
            given = source.value(node.text(), span(call)[0]) if node.kind() == "identifier" else None
            node = given[1] if given else node
            if node.kind() == "call" and source.is_one(node.field("function"), ["tensorflow.train.*Optimizer"]):
                name = node.field("function").field("attribute").text().removesuffix("Optimizer")
                name = {"GradientDescent": "SGD", "RMSProp": "RMSprop"}.get(name, name)
                source.replace(node.field("function"), source.spell(f"keras.optimizers.{name}", span(node)[0]), rule)


def inplace(source, rule):
    """`df['a'].fillna(0, inplace=True)` is assigned, for pandas 3 changes a copy."""
    for call in source.calls:
        function, by_name = call.field("function"), arguments(call)[1]
        if (
            function.kind() != "attribute"
            or "inplace" not in by_name
            or by_name["inplace"][1].text() != "True"
            or call.parent().kind() != "expression_statement"
        ):
            continue
        column, name = function.field("object"), function.field("attribute").text()
        if (
            name in ("fillna", "replace", "clip", "where", "mask", "interpolate")
            and (
                column.kind() == "subscript"
                or column.kind() == "attribute"
                and source.kind(column.field("object")) == "pandas.DataFrame"
            )
            and column.text() not in source.values
        ):
            place = span(call)[0]
            source.change(place, place, f"{column.text()} = ", rule)
            remove_argument(source, by_name["inplace"][0], rule)


def chained(source, rule):
    """`df['a'][rows] = 1` changes nothing in pandas 3."""
    for node in source.root.find_all(kind="assignment"):
        left = node.field("left")
        if left.kind() == "subscript" and (inner := left.field("value")).kind() == "subscript":
            column, row = inner.field("subscript"), left.field("subscript")
            frame = inner.field("value")
            given = source.value(frame.text(), span(node)[0])
            if row.kind() == "slice" or given and given[1].kind() == "dictionary":
                continue  # a slice counts rows, `loc` would take one more
            if column.kind() == "string" and (
                source.kind(frame) == "pandas.DataFrame"
                or re.search(r"df|data|train|test", frame.text())
                and row.kind() in ("comparison_operator", "call")
                or frame.text() == "df"
            ):
                source.replace(left, f"{frame.text()}.loc[{row.text()}, {column.text()}]", rule)


def get_dummies(source, rule):
    for call in source.calls:
        if source.is_one(call.field("function"), ["pandas.get_dummies"]) and "dtype" not in arguments(call)[1]:
            parts = [
                part for part in call.field("arguments").children() if part.is_named() and part.kind() != "comment"
            ]
            if not parts:
                continue
            end = span(parts[-1])[1]
            source.change(end, end, ", dtype=int", rule)


def show(source, rule):
    for node in source.root.find_all(kind="attribute"):
        if source.is_one(node, ["matplotlib.pyplot.show"]) and node.parent().kind() == "expression_statement":
            source.change(span(node)[1], span(node)[1], "()", rule)


def display(source, rule):
    if not source.facts.get("notebook") and not source.own("display") and "display" not in source.names:
        for call in source.calls:
            if call.field("function").text() == "display":
                source.replace(call.field("function"), "print", rule)


def no_magic_lines(text):
    """Make comments of a script's lines that begin with ! or %, of which no Python can be made."""
    return re.sub(r"^([ \t]*)([%!][a-zA-Z].*)$", r"\1# \2", text, flags=re.MULTILINE)


PUNCTUATION = str.maketrans("（），：；‘’“”＝＋．［］｛｝　", "(),:;''\"\"=+.[]{} ")


def full_width(text, line, place):
    """Replace the sign at a place, of quotes all in the line: what a string says stays."""
    lines = text.split("\n")
    if (sign := lines[line][place : place + 1]) in "‘’“”":
        lines[line] = re.sub("[‘’“”]", lambda quote: quote[0].translate(PUNCTUATION), lines[line])
    else:
        lines[line] = lines[line][:place] + sign.translate(PUNCTUATION) + lines[line][place + 1 :]
    return "\n".join(lines)


def problem(text):
    """Return where and why a text is no Python, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError) as error:
            return error
    return None


def apply(text, origin, edits, why):
    for start, end, new, rule in sorted(edits, reverse=True):
        first, last = text.count("\n", 0, start), text.count("\n", 0, end)
        why[origin[first]].append(rule)
        text = text[:start] + new + text[end:]
        origin[first : last + 1] = [origin[first]] * (new.count("\n") + 1)
    return text


def round_of(source):
    """Note what all rules change, in one round."""
    from repairing.tree import apply_arguments, apply_gone, apply_moved, apply_pattern

    for rule in RULES:
        if "gone" in rule:
            apply_gone(source, rule)
    apply_moved(
        source,
        {key: rule for rule in RULES for key in rule.get("moved", {})}
        | {key: BY_ID["tensorflow-python"] for key in ("tensorflow.python.keras", "tensorflow.contrib.keras")},
    )
    for rule in RULES:
        if "run" in rule:
            globals()[rule["run"]](source, rule)
        elif "calls" in rule:
            apply_arguments(source, rule)
        elif "find" in rule:
            apply_pattern(source, rule)


def repair(text, **facts):
    """Return the repaired text, the line that each of its lines was, {line: rules}, and [(line, rule, why)] left."""
    origin, why, told, before = list(range(text.count("\n") + 1)), defaultdict(list), {}, problem(text)
    new = text
    if before and not facts.get("notebook") and (changed := no_magic_lines(new)) != new:
        why.update({n: ["magics"] for n, (a, b) in enumerate(zip(new.split("\n"), changed.split("\n"))) if a != b})
        new = changed
    while (error := problem(new)) and error.lineno and "invalid character" in str(error):
        if (changed := full_width(new, error.lineno - 1, error.offset - 1)) == new:
            break
        why[error.lineno - 1], new = ["full-width"], changed
    for _ in range(12):
        source = Source(new, **facts)
        round_of(source)
        told |= {(origin[line], rule): None for line, rule in source.told}
        if source.needed:
            place = first_statement(source)
            above = new[: first_statement(source, imports=True)].split("\n")
            lines = [line for line in dict.fromkeys(source.needed) if line not in above]
            source.edits += [(place, place, "".join(f"{line}\n" for line in lines), "import")] if lines else []
        if not source.edits:
            break
        new = apply(new, origin, source.edits, why)
    after = problem(new)
    if after and (not before or new == text):
        return None, origin, {}, (getattr(after, "lineno", None) or 1) - 1
    left = [(line, rule, None) for line, rule in told]
    left += [(origin[line], rule, None) for line, rule in tell(Source(new, **facts))]
    if after:
        left.append((origin[min(len(origin), after.lineno or 1) - 1], "", str(after)))
    return new, origin, {line: list(dict.fromkeys(rules)) for line, rules in why.items()}, sorted(set(left))


def first_statement(source, imports=False):
    """Return where the first statement begins, behind a `%%time`, and behind the imports if asked for."""
    for node in source.root.children():
        if (
            node.kind() not in ("comment", "future_import_statement")
            and not (node.kind() == "expression_statement" and node.child(0).kind() == "string")
            and not source.text.startswith("pass #\ue000%%", span(node)[0])
            and not (imports and node.kind() in tree.KIND)
        ):
            return span(node)[0]
    return len(source.text) if imports else 0


def tell(source):
    """Yield (line, rule) for what no rule repairs."""
    for rule in RULES:
        for wanted in rule.get("tell", []):
            if tree.FULL_NAME.fullmatch(wanted) or wanted.endswith(".*") or re.fullmatch(r"[\w.]+", wanted):
                for node in source.imports:
                    for module, name, *_ in tree.imported(node):
                        full = tree.TF_KERAS.sub("keras", f"{module}.{name}" if module else name)
                        if tree.fnmatchcase(full, wanted) or tree.fnmatchcase(f"{full}.x", wanted):
                            yield source.text.count("\n", 0, span(node)[0]), rule["id"]
                for node in source.root.find_all(kind="attribute"):
                    if (
                        source.is_one(node, [wanted])
                        and node.parent().kind() != "attribute"
                        and not any(p.kind() in tree.KIND for p in node.ancestors())
                    ):
                        yield source.text.count("\n", 0, span(node)[0]), rule["id"]
            else:
                for find in {wanted, re.sub(r"(, )?\$\$\$\w+", "", wanted)}:
                    pattern, needs = tree.compiled(find)
                    for match in source.root.find_all(pattern=pattern):
                        if tree.fits(source, match, needs, {}):
                            yield source.text.count("\n", 0, span(match)[0]), rule["id"]
