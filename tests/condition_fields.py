"""The form fields of a condition, as the editor of a definition draws them."""

from django.http import QueryDict

from sla import condition_tree as tree


def fields(root):
    """The form fields that the page draws for a tree."""
    post = QueryDict(mutable=True)
    for node in root.walk():
        post.appendlist("node", f"{node.path}:{node.kind}")
        leaf, path = node.leaf, node.path
        if not node.is_leaf:
            post[f"{path}.kind"] = node.kind
            continue
        post[f"{path}.field"], post[f"{path}.op"] = tree.field_said(leaf["field"]), leaf["op"]
        operands = leaf.get("values", [leaf.get("value")])
        if all(isinstance(each, int) for each in operands):
            post[f"{path}.as"] = "number"
        if leaf.get("case"):
            post[f"{path}.case"] = "on"
        for name in ("value", "min", "max"):
            if name in leaf:
                post[f"{path}.{name}"] = str(leaf[name])
        post.setlist(f"{path}.values", [str(each) for each in leaf.get("values", [])[:2]])
        post[f"{path}.more"] = "\n".join(str(each) for each in leaf.get("values", [])[2:])
    return post
